// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/duration.proto; not by hand.
// A span of time; both numbers have the same sign.
import { createCodec, keepUnknown, toNumber, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface Duration {
  seconds: number;
  nanos: number;
  unknown?: Uint8Array | undefined;
}
function writeDuration(m: Init<Duration>, w: Writer): Writer {
  if (m.seconds) w.uint32(8).int64(m.seconds);
  if (m.nanos) w.uint32(16).int32(m.nanos);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDuration(r: Reader, _depth: number, target?: Duration): Duration {
  const m: Duration = target ?? { seconds: 0, nanos: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.seconds = toNumber(r.int64());
        break;
      case 16:
        m.nanos = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Duration: Codec<Duration> = createCodec('google.protobuf.Duration', writeDuration, readDuration);
