// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/invoke.proto; not by hand.
// Calls from an app to another app, through both sidecars.
import { createCodec, keepUnknown, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { InvokeRequest } from './common.gen.ts';

export interface InvokeServiceRequest {
  /** The id of the app that is meant. */
  id: string;
  message?: InvokeRequest | undefined;
  unknown?: Uint8Array | undefined;
}
function writeInvokeServiceRequest(m: Init<InvokeServiceRequest>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.message) InvokeRequest.write(m.message, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeServiceRequest(r: Reader, depth: number, target?: InvokeServiceRequest): InvokeServiceRequest {
  const m: InvokeServiceRequest = target ?? { id: '', message: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 26:
        m.message = readNested(r, depth, InvokeRequest.read, m.message);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeServiceRequest: Codec<InvokeServiceRequest> = createCodec('dapr.proto.runtime.v1.InvokeServiceRequest', writeInvokeServiceRequest, readInvokeServiceRequest);
