/**
 * A gRPC app's status as the JSON body of an HTTP answer: `{"code":5,"message":"…","details":[{"@type":…}]}` (http-api.md
 * 8.3). Details of the well-known error types are written out, others keep their bytes in base64 under `value`.
 */
import type { AppGrpcError } from '../../channel/channel.ts';

const TYPE_PREFIX = 'type.googleapis.com/';

/** Codecs are loaded when the first status with details comes along, which may be never. */
export async function grpcStatusJson(error: AppGrpcError): Promise<string> {
  const details = error.details === undefined ? [] : await detailsOf(error.details);
  return JSON.stringify({ code: error.code, message: error.message, ...(details.length > 0 ? { details } : {}) });
}

async function detailsOf(bytes: Uint8Array): Promise<unknown[]> {
  const { Status } = await import('@mecha/specs/gen/status.gen.ts');
  const known = await import('@mecha/specs/gen/error_details.gen.ts');
  const codecs = new Map<string, { decode(bytes: Uint8Array): object }>(
    [known.ErrorInfo, known.ResourceInfo, known.BadRequest, known.Help].map((codec) => [codec.typeName, codec]),
  );
  try {
    return Status.decode(bytes).details.map(({ typeUrl, value }) => {
      const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
      const fields = codecs.get(type)?.decode(value);
      return { '@type': `${TYPE_PREFIX}${type}`, ...(fields ? (written(fields) as object) : { value: Buffer.from(value).toString('base64') }) };
    });
  } catch {
    // Bytes that are no status: code and message say what the app meant.
    return [];
  }
}

/** As JSON writes messages: without defaults, and without fields that the contract does not know. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name, field]) => name !== 'unknown' && !isDefault(field));
  return Object.fromEntries(kept.map(([name, field]) => [name, written(field)]));
}

function isDefault(field: unknown): boolean {
  return field === undefined || field === '' || (typeof field === 'object' && field !== null && Object.keys(field).length === 0);
}
