// Written by scripts/generate-proto.ts from specs/proto/google/protobuf/any.proto; not by hand.
// A message of any type, carried as bytes.
import { NO_BYTES, createCodec, keepUnknown, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface Any {
  /** Ends in `/` and the full name of the type. */
  typeUrl: string;
  value: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeAny(m: Init<Any>, w: Writer): Writer {
  if (m.typeUrl) w.uint32(10).string(m.typeUrl);
  if (m.value?.length) w.uint32(18).bytes(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readAny(r: Reader, _depth: number, target?: Any): Any {
  const m: Any = target ?? { typeUrl: '', value: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.typeUrl = r.stringVerify();
        break;
      case 18:
        m.value = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Any: Codec<Any> = createCodec('google.protobuf.Any', writeAny, readAny);
