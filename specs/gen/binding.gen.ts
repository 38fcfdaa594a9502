// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/binding.proto; not by hand.
// Calls of output bindings.
import { NO_BYTES, createCodec, keepUnknown, readEntry, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface InvokeBindingRequest {
  name: string;
  data: Uint8Array;
  metadata: Record<string, string>;
  operation: string;
  unknown?: Uint8Array | undefined;
}
function writeInvokeBindingRequest(m: Init<InvokeBindingRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.data?.length) w.uint32(18).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.operation) w.uint32(34).string(m.operation);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeBindingRequest(r: Reader, _depth: number, target?: InvokeBindingRequest): InvokeBindingRequest {
  const m: InvokeBindingRequest = target ?? { name: '', data: NO_BYTES, metadata: {}, operation: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.data = r.bytes();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 34:
        m.operation = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeBindingRequest: Codec<InvokeBindingRequest> = createCodec('dapr.proto.runtime.v1.InvokeBindingRequest', writeInvokeBindingRequest, readInvokeBindingRequest);

export interface InvokeBindingResponse {
  data: Uint8Array;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeInvokeBindingResponse(m: Init<InvokeBindingResponse>, w: Writer): Writer {
  if (m.data?.length) w.uint32(10).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(18).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeBindingResponse(r: Reader, _depth: number, target?: InvokeBindingResponse): InvokeBindingResponse {
  const m: InvokeBindingResponse = target ?? { data: NO_BYTES, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = r.bytes();
        break;
      case 18:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeBindingResponse: Codec<InvokeBindingResponse> = createCodec('dapr.proto.runtime.v1.InvokeBindingResponse', writeInvokeBindingResponse, readInvokeBindingResponse);
