// Written by scripts/generate-proto.ts from specs/proto/google/rpc/status.proto; not by hand.
// The status of a failed call with its details, as it travels in `grpc-status-details-bin`.
import { createCodec, keepUnknown, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';

export interface Status {
  code: number;
  message: string;
  details: Any[];
  unknown?: Uint8Array | undefined;
}
function writeStatus(m: Init<Status>, w: Writer): Writer {
  if (m.code) w.uint32(8).int32(m.code);
  if (m.message) w.uint32(18).string(m.message);
  if (m.details) for (const v of m.details) Any.write(v, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStatus(r: Reader, depth: number, target?: Status): Status {
  const m: Status = target ?? { code: 0, message: '', details: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.code = r.int32();
        break;
      case 18:
        m.message = r.stringVerify();
        break;
      case 26:
        m.details.push(readNested(r, depth, Any.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Status: Codec<Status> = createCodec('google.rpc.Status', writeStatus, readStatus);
