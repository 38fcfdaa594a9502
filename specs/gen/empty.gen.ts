// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/empty.proto; not by hand.
// Nothing to say.
import { createCodec, keepUnknown, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface Empty {
  unknown?: Uint8Array | undefined;
}
function writeEmpty(m: Init<Empty>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEmpty(r: Reader, _depth: number, target?: Empty): Empty {
  const m: Empty = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const Empty: Codec<Empty> = createCodec('google.protobuf.Empty', writeEmpty, readEmpty);
