// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/lock.proto; not by hand.
// Locks with an owner and an expiry.
import { createCodec, keepUnknown, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export const UnlockResponseStatus = {
  SUCCESS: 0,
  LOCK_DOES_NOT_EXIST: 1,
  LOCK_BELONGS_TO_OTHERS: 2,
  INTERNAL_ERROR: 3,
} as const;

export interface TryLockRequest {
  storeName: string;
  resourceId: string;
  lockOwner: string;
  expiryInSeconds: number;
  unknown?: Uint8Array | undefined;
}
function writeTryLockRequest(m: Init<TryLockRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.resourceId) w.uint32(18).string(m.resourceId);
  if (m.lockOwner) w.uint32(26).string(m.lockOwner);
  if (m.expiryInSeconds) w.uint32(32).int32(m.expiryInSeconds);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTryLockRequest(r: Reader, _depth: number, target?: TryLockRequest): TryLockRequest {
  const m: TryLockRequest = target ?? { storeName: '', resourceId: '', lockOwner: '', expiryInSeconds: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.resourceId = r.stringVerify();
        break;
      case 26:
        m.lockOwner = r.stringVerify();
        break;
      case 32:
        m.expiryInSeconds = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TryLockRequest: Codec<TryLockRequest> = createCodec('dapr.proto.runtime.v1.TryLockRequest', writeTryLockRequest, readTryLockRequest);

export interface TryLockResponse {
  success: boolean;
  unknown?: Uint8Array | undefined;
}
function writeTryLockResponse(m: Init<TryLockResponse>, w: Writer): Writer {
  if (m.success) w.uint32(8).bool(m.success);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTryLockResponse(r: Reader, _depth: number, target?: TryLockResponse): TryLockResponse {
  const m: TryLockResponse = target ?? { success: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.success = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TryLockResponse: Codec<TryLockResponse> = createCodec('dapr.proto.runtime.v1.TryLockResponse', writeTryLockResponse, readTryLockResponse);

export interface UnlockRequest {
  storeName: string;
  resourceId: string;
  lockOwner: string;
  unknown?: Uint8Array | undefined;
}
function writeUnlockRequest(m: Init<UnlockRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.resourceId) w.uint32(18).string(m.resourceId);
  if (m.lockOwner) w.uint32(26).string(m.lockOwner);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnlockRequest(r: Reader, _depth: number, target?: UnlockRequest): UnlockRequest {
  const m: UnlockRequest = target ?? { storeName: '', resourceId: '', lockOwner: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.resourceId = r.stringVerify();
        break;
      case 26:
        m.lockOwner = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnlockRequest: Codec<UnlockRequest> = createCodec('dapr.proto.runtime.v1.UnlockRequest', writeUnlockRequest, readUnlockRequest);

export interface UnlockResponse {
  status: number;
  unknown?: Uint8Array | undefined;
}
function writeUnlockResponse(m: Init<UnlockResponse>, w: Writer): Writer {
  if (m.status) w.uint32(8).int32(m.status);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnlockResponse(r: Reader, _depth: number, target?: UnlockResponse): UnlockResponse {
  const m: UnlockResponse = target ?? { status: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.status = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnlockResponse: Codec<UnlockResponse> = createCodec('dapr.proto.runtime.v1.UnlockResponse', writeUnlockResponse, readUnlockResponse);
