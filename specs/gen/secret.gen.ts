// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/secret.proto; not by hand.
// Secrets, one or all that the app may see.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface GetSecretRequest {
  storeName: string;
  key: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetSecretRequest(m: Init<GetSecretRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.key) w.uint32(18).string(m.key);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetSecretRequest(r: Reader, _depth: number, target?: GetSecretRequest): GetSecretRequest {
  const m: GetSecretRequest = target ?? { storeName: '', key: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.key = r.stringVerify();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetSecretRequest: Codec<GetSecretRequest> = createCodec('dapr.proto.runtime.v1.GetSecretRequest', writeGetSecretRequest, readGetSecretRequest);

export interface GetSecretResponse {
  /** One pair for a plain secret, several for one that has parts. */
  data: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetSecretResponse(m: Init<GetSecretResponse>, w: Writer): Writer {
  if (m.data) {
    for (const [k, v] of Object.entries(m.data)) {
      if (v === undefined) continue;
      w.uint32(10).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetSecretResponse(r: Reader, _depth: number, target?: GetSecretResponse): GetSecretResponse {
  const m: GetSecretResponse = target ?? { data: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        readEntry(r, m.data, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetSecretResponse: Codec<GetSecretResponse> = createCodec('dapr.proto.runtime.v1.GetSecretResponse', writeGetSecretResponse, readGetSecretResponse);

export interface GetBulkSecretRequest {
  storeName: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetBulkSecretRequest(m: Init<GetBulkSecretRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
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
function readGetBulkSecretRequest(r: Reader, _depth: number, target?: GetBulkSecretRequest): GetBulkSecretRequest {
  const m: GetBulkSecretRequest = target ?? { storeName: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
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
export const GetBulkSecretRequest: Codec<GetBulkSecretRequest> = createCodec('dapr.proto.runtime.v1.GetBulkSecretRequest', writeGetBulkSecretRequest, readGetBulkSecretRequest);

export interface SecretResponse {
  secrets: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeSecretResponse(m: Init<SecretResponse>, w: Writer): Writer {
  if (m.secrets) {
    for (const [k, v] of Object.entries(m.secrets)) {
      if (v === undefined) continue;
      w.uint32(10).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSecretResponse(r: Reader, _depth: number, target?: SecretResponse): SecretResponse {
  const m: SecretResponse = target ?? { secrets: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        readEntry(r, m.secrets, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SecretResponse: Codec<SecretResponse> = createCodec('dapr.proto.runtime.v1.SecretResponse', writeSecretResponse, readSecretResponse);

export interface GetBulkSecretResponse {
  data: Record<string, SecretResponse>;
  unknown?: Uint8Array | undefined;
}
function writeGetBulkSecretResponse(m: Init<GetBulkSecretResponse>, w: Writer): Writer {
  if (m.data) {
    for (const [k, v] of Object.entries(m.data)) {
      if (v === undefined) continue;
      w.uint32(10).fork().uint32(10).string(k);
      SecretResponse.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetBulkSecretResponse(r: Reader, depth: number, target?: GetBulkSecretResponse): GetBulkSecretResponse {
  const m: GetBulkSecretResponse = target ?? { data: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        readEntry(r, m.data, SecretResponse.decode(NO_BYTES), (r) => readNested(r, depth, SecretResponse.read), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetBulkSecretResponse: Codec<GetBulkSecretResponse> = createCodec('dapr.proto.runtime.v1.GetBulkSecretResponse', writeGetBulkSecretResponse, readGetBulkSecretResponse);
