/** The one place where an error becomes a gRPC status (grpc-api.md 4). */
import type { Any } from '@mecha/specs/gen/any.gen.ts';
import { BadRequest, ErrorInfo, Help, ResourceInfo } from '@mecha/specs/gen/error_details.gen.ts';
import { Status } from '@mecha/specs/gen/status.gen.ts';
import type { Codec, Init } from '@mecha/specs/codec.ts';
import { AppGrpcError } from '../channel/channel.ts';
import { MechaError, errorTable, type ErrorDetail } from '../errors.ts';

/** What the server itself has to say, before or instead of a block. */
export const errors = errorTable('grpc-server', {
  unauthorized: {
    code: 'ERR_UNAUTHORIZED',
    kind: 'unauthenticated',
    make: (reason: string) => ({
      message: 'Unauthorized',
      details: [{ type: 'ErrorInfo', reason: 'Unauthorized', metadata: { 'http.code': '401', 'http.error_message': reason } }],
    }),
  },
  badBaggage: { code: 'ERR_MALFORMED_REQUEST', kind: 'invalid', make: (problem: string) => ({ message: `invalid baggage header: ${problem}` }) },
  undecodable: {
    code: 'ERR_MALFORMED_REQUEST',
    kind: 'internal',
    make: (text: string, cause?: unknown) => ({ message: `the request message cannot be decoded: ${text}`, cause }),
  },
  notImplemented: { code: 'ERR_NOT_IMPLEMENTED', kind: 'unimplemented', make: (method: string) => ({ message: `${method}: this API is currently not implemented` }) },
  unknownMethod: { code: 'ERR_NOT_IMPLEMENTED', kind: 'unimplemented', make: (path: string) => ({ message: `unknown method ${JSON.stringify(path)}` }) },
});

export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  /** For `grpc-status-details-bin`; absent when there are none. */
  readonly details?: Uint8Array | undefined;
}

const DOMAIN = 'dapr.io';
/** Statuses travel in a header; clients accept no more than some 8 KiB of those in all. */
const MESSAGE_LENGTH_MAX = 4096;

/** Undefined: not an error that any face may let out. */
export function grpcStatusOf(error: unknown): GrpcStatus | undefined {
  if (error instanceof MechaError) return statusOf(error.grpcCode, error.grpcMessage, error.grpcDetails);
  if (error instanceof AppGrpcError) return { code: error.code, message: error.message, details: error.details };
  return undefined;
}

/** A status with its details as `google.rpc.Status` bytes. */
export function statusOf(code: number, text: string, details: readonly ErrorDetail[]): GrpcStatus {
  const message = text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}…` : text;
  if (details.length === 0) return { code, message };
  return { code, message, details: Status.encode({ code, message, details: details.map(detailToWire) }) };
}

function detailToWire(detail: ErrorDetail): Init<Any> {
  switch (detail.type) {
    case 'ErrorInfo':
      return pack(ErrorInfo, { reason: detail.reason, domain: DOMAIN, metadata: { ...detail.metadata } });
    case 'ResourceInfo':
      return pack(ResourceInfo, { resourceType: detail.resourceType, resourceName: detail.resourceName, description: detail.description });
    case 'BadRequest':
      return pack(BadRequest, { fieldViolations: detail.violations });
    case 'Help':
      return pack(Help, { links: detail.links });
  }
}

function pack<T>(codec: Codec<T>, message: Init<T>): Init<Any> {
  return { typeUrl: `type.googleapis.com/${codec.typeName}`, value: codec.encode(message) };
}
