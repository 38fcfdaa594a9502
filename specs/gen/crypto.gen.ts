// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/crypto.proto; not by hand.
// Encryption of streams, and single operations with keys that stay in a vault.
import { NO_BYTES, createCodec, keepUnknown, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { StreamPayload } from './common.gen.ts';

export const SubtleGetKeyRequestKeyFormat = {
  PEM: 0,
  JSON: 1,
} as const;

export interface SubtleGetKeyRequest {
  componentName: string;
  name: string;
  format: number;
  unknown?: Uint8Array | undefined;
}
function writeSubtleGetKeyRequest(m: Init<SubtleGetKeyRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.name) w.uint32(18).string(m.name);
  if (m.format) w.uint32(24).int32(m.format);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleGetKeyRequest(r: Reader, _depth: number, target?: SubtleGetKeyRequest): SubtleGetKeyRequest {
  const m: SubtleGetKeyRequest = target ?? { componentName: '', name: '', format: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 24:
        m.format = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleGetKeyRequest: Codec<SubtleGetKeyRequest> = createCodec('dapr.proto.runtime.v1.SubtleGetKeyRequest', writeSubtleGetKeyRequest, readSubtleGetKeyRequest);

export interface SubtleGetKeyResponse {
  name: string;
  publicKey: string;
  unknown?: Uint8Array | undefined;
}
function writeSubtleGetKeyResponse(m: Init<SubtleGetKeyResponse>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.publicKey) w.uint32(18).string(m.publicKey);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleGetKeyResponse(r: Reader, _depth: number, target?: SubtleGetKeyResponse): SubtleGetKeyResponse {
  const m: SubtleGetKeyResponse = target ?? { name: '', publicKey: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.publicKey = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleGetKeyResponse: Codec<SubtleGetKeyResponse> = createCodec('dapr.proto.runtime.v1.SubtleGetKeyResponse', writeSubtleGetKeyResponse, readSubtleGetKeyResponse);

export interface SubtleEncryptRequest {
  componentName: string;
  plaintext: Uint8Array;
  algorithm: string;
  keyName: string;
  nonce: Uint8Array;
  associatedData: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleEncryptRequest(m: Init<SubtleEncryptRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.plaintext?.length) w.uint32(18).bytes(m.plaintext);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.nonce?.length) w.uint32(42).bytes(m.nonce);
  if (m.associatedData?.length) w.uint32(50).bytes(m.associatedData);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleEncryptRequest(r: Reader, _depth: number, target?: SubtleEncryptRequest): SubtleEncryptRequest {
  const m: SubtleEncryptRequest = target ?? { componentName: '', plaintext: NO_BYTES, algorithm: '', keyName: '', nonce: NO_BYTES, associatedData: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.plaintext = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      case 42:
        m.nonce = r.bytes();
        break;
      case 50:
        m.associatedData = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleEncryptRequest: Codec<SubtleEncryptRequest> = createCodec('dapr.proto.runtime.v1.SubtleEncryptRequest', writeSubtleEncryptRequest, readSubtleEncryptRequest);

export interface SubtleEncryptResponse {
  ciphertext: Uint8Array;
  tag: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleEncryptResponse(m: Init<SubtleEncryptResponse>, w: Writer): Writer {
  if (m.ciphertext?.length) w.uint32(10).bytes(m.ciphertext);
  if (m.tag?.length) w.uint32(18).bytes(m.tag);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleEncryptResponse(r: Reader, _depth: number, target?: SubtleEncryptResponse): SubtleEncryptResponse {
  const m: SubtleEncryptResponse = target ?? { ciphertext: NO_BYTES, tag: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.ciphertext = r.bytes();
        break;
      case 18:
        m.tag = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleEncryptResponse: Codec<SubtleEncryptResponse> = createCodec('dapr.proto.runtime.v1.SubtleEncryptResponse', writeSubtleEncryptResponse, readSubtleEncryptResponse);

export interface SubtleDecryptRequest {
  componentName: string;
  ciphertext: Uint8Array;
  algorithm: string;
  keyName: string;
  nonce: Uint8Array;
  tag: Uint8Array;
  associatedData: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleDecryptRequest(m: Init<SubtleDecryptRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.ciphertext?.length) w.uint32(18).bytes(m.ciphertext);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.nonce?.length) w.uint32(42).bytes(m.nonce);
  if (m.tag?.length) w.uint32(50).bytes(m.tag);
  if (m.associatedData?.length) w.uint32(58).bytes(m.associatedData);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleDecryptRequest(r: Reader, _depth: number, target?: SubtleDecryptRequest): SubtleDecryptRequest {
  const m: SubtleDecryptRequest = target ?? { componentName: '', ciphertext: NO_BYTES, algorithm: '', keyName: '', nonce: NO_BYTES, tag: NO_BYTES, associatedData: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.ciphertext = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      case 42:
        m.nonce = r.bytes();
        break;
      case 50:
        m.tag = r.bytes();
        break;
      case 58:
        m.associatedData = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleDecryptRequest: Codec<SubtleDecryptRequest> = createCodec('dapr.proto.runtime.v1.SubtleDecryptRequest', writeSubtleDecryptRequest, readSubtleDecryptRequest);

export interface SubtleDecryptResponse {
  plaintext: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleDecryptResponse(m: Init<SubtleDecryptResponse>, w: Writer): Writer {
  if (m.plaintext?.length) w.uint32(10).bytes(m.plaintext);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleDecryptResponse(r: Reader, _depth: number, target?: SubtleDecryptResponse): SubtleDecryptResponse {
  const m: SubtleDecryptResponse = target ?? { plaintext: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.plaintext = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleDecryptResponse: Codec<SubtleDecryptResponse> = createCodec('dapr.proto.runtime.v1.SubtleDecryptResponse', writeSubtleDecryptResponse, readSubtleDecryptResponse);

export interface SubtleWrapKeyRequest {
  componentName: string;
  plaintextKey: Uint8Array;
  algorithm: string;
  keyName: string;
  nonce: Uint8Array;
  associatedData: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleWrapKeyRequest(m: Init<SubtleWrapKeyRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.plaintextKey?.length) w.uint32(18).bytes(m.plaintextKey);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.nonce?.length) w.uint32(42).bytes(m.nonce);
  if (m.associatedData?.length) w.uint32(50).bytes(m.associatedData);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleWrapKeyRequest(r: Reader, _depth: number, target?: SubtleWrapKeyRequest): SubtleWrapKeyRequest {
  const m: SubtleWrapKeyRequest = target ?? { componentName: '', plaintextKey: NO_BYTES, algorithm: '', keyName: '', nonce: NO_BYTES, associatedData: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.plaintextKey = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      case 42:
        m.nonce = r.bytes();
        break;
      case 50:
        m.associatedData = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleWrapKeyRequest: Codec<SubtleWrapKeyRequest> = createCodec('dapr.proto.runtime.v1.SubtleWrapKeyRequest', writeSubtleWrapKeyRequest, readSubtleWrapKeyRequest);

export interface SubtleWrapKeyResponse {
  wrappedKey: Uint8Array;
  tag: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleWrapKeyResponse(m: Init<SubtleWrapKeyResponse>, w: Writer): Writer {
  if (m.wrappedKey?.length) w.uint32(10).bytes(m.wrappedKey);
  if (m.tag?.length) w.uint32(18).bytes(m.tag);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleWrapKeyResponse(r: Reader, _depth: number, target?: SubtleWrapKeyResponse): SubtleWrapKeyResponse {
  const m: SubtleWrapKeyResponse = target ?? { wrappedKey: NO_BYTES, tag: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.wrappedKey = r.bytes();
        break;
      case 18:
        m.tag = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleWrapKeyResponse: Codec<SubtleWrapKeyResponse> = createCodec('dapr.proto.runtime.v1.SubtleWrapKeyResponse', writeSubtleWrapKeyResponse, readSubtleWrapKeyResponse);

export interface SubtleUnwrapKeyRequest {
  componentName: string;
  wrappedKey: Uint8Array;
  algorithm: string;
  keyName: string;
  nonce: Uint8Array;
  tag: Uint8Array;
  associatedData: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleUnwrapKeyRequest(m: Init<SubtleUnwrapKeyRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.wrappedKey?.length) w.uint32(18).bytes(m.wrappedKey);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.nonce?.length) w.uint32(42).bytes(m.nonce);
  if (m.tag?.length) w.uint32(50).bytes(m.tag);
  if (m.associatedData?.length) w.uint32(58).bytes(m.associatedData);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleUnwrapKeyRequest(r: Reader, _depth: number, target?: SubtleUnwrapKeyRequest): SubtleUnwrapKeyRequest {
  const m: SubtleUnwrapKeyRequest = target ?? { componentName: '', wrappedKey: NO_BYTES, algorithm: '', keyName: '', nonce: NO_BYTES, tag: NO_BYTES, associatedData: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.wrappedKey = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      case 42:
        m.nonce = r.bytes();
        break;
      case 50:
        m.tag = r.bytes();
        break;
      case 58:
        m.associatedData = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleUnwrapKeyRequest: Codec<SubtleUnwrapKeyRequest> = createCodec('dapr.proto.runtime.v1.SubtleUnwrapKeyRequest', writeSubtleUnwrapKeyRequest, readSubtleUnwrapKeyRequest);

export interface SubtleUnwrapKeyResponse {
  plaintextKey: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleUnwrapKeyResponse(m: Init<SubtleUnwrapKeyResponse>, w: Writer): Writer {
  if (m.plaintextKey?.length) w.uint32(10).bytes(m.plaintextKey);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleUnwrapKeyResponse(r: Reader, _depth: number, target?: SubtleUnwrapKeyResponse): SubtleUnwrapKeyResponse {
  const m: SubtleUnwrapKeyResponse = target ?? { plaintextKey: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.plaintextKey = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleUnwrapKeyResponse: Codec<SubtleUnwrapKeyResponse> = createCodec('dapr.proto.runtime.v1.SubtleUnwrapKeyResponse', writeSubtleUnwrapKeyResponse, readSubtleUnwrapKeyResponse);

export interface SubtleSignRequest {
  componentName: string;
  digest: Uint8Array;
  algorithm: string;
  keyName: string;
  unknown?: Uint8Array | undefined;
}
function writeSubtleSignRequest(m: Init<SubtleSignRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.digest?.length) w.uint32(18).bytes(m.digest);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleSignRequest(r: Reader, _depth: number, target?: SubtleSignRequest): SubtleSignRequest {
  const m: SubtleSignRequest = target ?? { componentName: '', digest: NO_BYTES, algorithm: '', keyName: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.digest = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleSignRequest: Codec<SubtleSignRequest> = createCodec('dapr.proto.runtime.v1.SubtleSignRequest', writeSubtleSignRequest, readSubtleSignRequest);

export interface SubtleSignResponse {
  signature: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleSignResponse(m: Init<SubtleSignResponse>, w: Writer): Writer {
  if (m.signature?.length) w.uint32(10).bytes(m.signature);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleSignResponse(r: Reader, _depth: number, target?: SubtleSignResponse): SubtleSignResponse {
  const m: SubtleSignResponse = target ?? { signature: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.signature = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleSignResponse: Codec<SubtleSignResponse> = createCodec('dapr.proto.runtime.v1.SubtleSignResponse', writeSubtleSignResponse, readSubtleSignResponse);

export interface SubtleVerifyRequest {
  componentName: string;
  digest: Uint8Array;
  algorithm: string;
  keyName: string;
  signature: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeSubtleVerifyRequest(m: Init<SubtleVerifyRequest>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.digest?.length) w.uint32(18).bytes(m.digest);
  if (m.algorithm) w.uint32(26).string(m.algorithm);
  if (m.keyName) w.uint32(34).string(m.keyName);
  if (m.signature?.length) w.uint32(42).bytes(m.signature);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleVerifyRequest(r: Reader, _depth: number, target?: SubtleVerifyRequest): SubtleVerifyRequest {
  const m: SubtleVerifyRequest = target ?? { componentName: '', digest: NO_BYTES, algorithm: '', keyName: '', signature: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.digest = r.bytes();
        break;
      case 26:
        m.algorithm = r.stringVerify();
        break;
      case 34:
        m.keyName = r.stringVerify();
        break;
      case 42:
        m.signature = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleVerifyRequest: Codec<SubtleVerifyRequest> = createCodec('dapr.proto.runtime.v1.SubtleVerifyRequest', writeSubtleVerifyRequest, readSubtleVerifyRequest);

export interface SubtleVerifyResponse {
  valid: boolean;
  unknown?: Uint8Array | undefined;
}
function writeSubtleVerifyResponse(m: Init<SubtleVerifyResponse>, w: Writer): Writer {
  if (m.valid) w.uint32(8).bool(m.valid);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubtleVerifyResponse(r: Reader, _depth: number, target?: SubtleVerifyResponse): SubtleVerifyResponse {
  const m: SubtleVerifyResponse = target ?? { valid: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.valid = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubtleVerifyResponse: Codec<SubtleVerifyResponse> = createCodec('dapr.proto.runtime.v1.SubtleVerifyResponse', writeSubtleVerifyResponse, readSubtleVerifyResponse);

export interface EncryptRequest {
  /** In the first message of the stream, and only there. */
  options?: EncryptRequestOptions | undefined;
  payload?: StreamPayload | undefined;
  unknown?: Uint8Array | undefined;
}
function writeEncryptRequest(m: Init<EncryptRequest>, w: Writer): Writer {
  if (m.options) EncryptRequestOptions.write(m.options, w.uint32(10).fork()).ldelim();
  if (m.payload) StreamPayload.write(m.payload, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEncryptRequest(r: Reader, depth: number, target?: EncryptRequest): EncryptRequest {
  const m: EncryptRequest = target ?? { options: undefined, payload: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.options = readNested(r, depth, EncryptRequestOptions.read, m.options);
        break;
      case 18:
        m.payload = readNested(r, depth, StreamPayload.read, m.payload);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const EncryptRequest: Codec<EncryptRequest> = createCodec('dapr.proto.runtime.v1.EncryptRequest', writeEncryptRequest, readEncryptRequest);

export interface EncryptRequestOptions {
  componentName: string;
  keyName: string;
  keyWrapAlgorithm: string;
  dataEncryptionCipher: string;
  omitDecryptionKeyName: boolean;
  decryptionKeyName: string;
  unknown?: Uint8Array | undefined;
}
function writeEncryptRequestOptions(m: Init<EncryptRequestOptions>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.keyName) w.uint32(18).string(m.keyName);
  if (m.keyWrapAlgorithm) w.uint32(26).string(m.keyWrapAlgorithm);
  if (m.dataEncryptionCipher) w.uint32(82).string(m.dataEncryptionCipher);
  if (m.omitDecryptionKeyName) w.uint32(88).bool(m.omitDecryptionKeyName);
  if (m.decryptionKeyName) w.uint32(98).string(m.decryptionKeyName);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEncryptRequestOptions(r: Reader, _depth: number, target?: EncryptRequestOptions): EncryptRequestOptions {
  const m: EncryptRequestOptions = target ?? { componentName: '', keyName: '', keyWrapAlgorithm: '', dataEncryptionCipher: '', omitDecryptionKeyName: false, decryptionKeyName: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 18:
        m.keyName = r.stringVerify();
        break;
      case 26:
        m.keyWrapAlgorithm = r.stringVerify();
        break;
      case 82:
        m.dataEncryptionCipher = r.stringVerify();
        break;
      case 88:
        m.omitDecryptionKeyName = r.bool();
        break;
      case 98:
        m.decryptionKeyName = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const EncryptRequestOptions: Codec<EncryptRequestOptions> = createCodec('dapr.proto.runtime.v1.EncryptRequestOptions', writeEncryptRequestOptions, readEncryptRequestOptions);

export interface EncryptResponse {
  payload?: StreamPayload | undefined;
  unknown?: Uint8Array | undefined;
}
function writeEncryptResponse(m: Init<EncryptResponse>, w: Writer): Writer {
  if (m.payload) StreamPayload.write(m.payload, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEncryptResponse(r: Reader, depth: number, target?: EncryptResponse): EncryptResponse {
  const m: EncryptResponse = target ?? { payload: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.payload = readNested(r, depth, StreamPayload.read, m.payload);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const EncryptResponse: Codec<EncryptResponse> = createCodec('dapr.proto.runtime.v1.EncryptResponse', writeEncryptResponse, readEncryptResponse);

export interface DecryptRequest {
  /** In the first message of the stream, and only there. */
  options?: DecryptRequestOptions | undefined;
  payload?: StreamPayload | undefined;
  unknown?: Uint8Array | undefined;
}
function writeDecryptRequest(m: Init<DecryptRequest>, w: Writer): Writer {
  if (m.options) DecryptRequestOptions.write(m.options, w.uint32(10).fork()).ldelim();
  if (m.payload) StreamPayload.write(m.payload, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDecryptRequest(r: Reader, depth: number, target?: DecryptRequest): DecryptRequest {
  const m: DecryptRequest = target ?? { options: undefined, payload: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.options = readNested(r, depth, DecryptRequestOptions.read, m.options);
        break;
      case 18:
        m.payload = readNested(r, depth, StreamPayload.read, m.payload);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DecryptRequest: Codec<DecryptRequest> = createCodec('dapr.proto.runtime.v1.DecryptRequest', writeDecryptRequest, readDecryptRequest);

export interface DecryptRequestOptions {
  componentName: string;
  keyName: string;
  unknown?: Uint8Array | undefined;
}
function writeDecryptRequestOptions(m: Init<DecryptRequestOptions>, w: Writer): Writer {
  if (m.componentName) w.uint32(10).string(m.componentName);
  if (m.keyName) w.uint32(98).string(m.keyName);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDecryptRequestOptions(r: Reader, _depth: number, target?: DecryptRequestOptions): DecryptRequestOptions {
  const m: DecryptRequestOptions = target ?? { componentName: '', keyName: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.componentName = r.stringVerify();
        break;
      case 98:
        m.keyName = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DecryptRequestOptions: Codec<DecryptRequestOptions> = createCodec('dapr.proto.runtime.v1.DecryptRequestOptions', writeDecryptRequestOptions, readDecryptRequestOptions);

export interface DecryptResponse {
  payload?: StreamPayload | undefined;
  unknown?: Uint8Array | undefined;
}
function writeDecryptResponse(m: Init<DecryptResponse>, w: Writer): Writer {
  if (m.payload) StreamPayload.write(m.payload, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDecryptResponse(r: Reader, depth: number, target?: DecryptResponse): DecryptResponse {
  const m: DecryptResponse = target ?? { payload: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.payload = readNested(r, depth, StreamPayload.read, m.payload);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DecryptResponse: Codec<DecryptResponse> = createCodec('dapr.proto.runtime.v1.DecryptResponse', writeDecryptResponse, readDecryptResponse);
