// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/timestamp.proto; not by hand.
// A point in time since 1970-01-01T00:00:00Z; nanos count forward.
import { createCodec, keepUnknown, toNumber, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface Timestamp {
  seconds: number;
  nanos: number;
  unknown?: Uint8Array | undefined;
}
function writeTimestamp(m: Init<Timestamp>, w: Writer): Writer {
  if (m.seconds) w.uint32(8).int64(m.seconds);
  if (m.nanos) w.uint32(16).int32(m.nanos);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimestamp(r: Reader, _depth: number, target?: Timestamp): Timestamp {
  const m: Timestamp = target ?? { seconds: 0, nanos: 0 };
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
export const Timestamp: Codec<Timestamp> = createCodec('google.protobuf.Timestamp', writeTimestamp, readTimestamp);
