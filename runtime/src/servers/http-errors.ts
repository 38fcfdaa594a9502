/** The one place where a `MechaError` becomes an HTTP answer (http-api.md 3.2, 3.3). */
import type { ErrorDetail, MechaError } from '../errors.ts';
import { metadataHeaders, type HttpReply } from './http-face.ts';

export function renderHttpError(error: MechaError): HttpReply {
  const headers = metadataHeaders(error.metadata);
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds);
  if (error.httpBody) {
    return { status: error.httpStatus, headers: { ...headers, 'content-type': error.httpBody.contentType }, body: error.httpBody.body };
  }
  const body = {
    errorCode: error.code,
    message: error.message,
    ...(error.details.length > 0 ? { details: error.details.map(detailToWire) } : {}),
  };
  return { status: error.httpStatus, headers, body: JSON.stringify(body) };
}

function detailToWire(detail: ErrorDetail): Record<string, unknown> {
  const type = `type.googleapis.com/google.rpc.${detail.type}`;
  switch (detail.type) {
    case 'ErrorInfo':
      return { '@type': type, domain: 'dapr.io', metadata: detail.metadata ?? null, reason: detail.reason };
    case 'ResourceInfo':
      return { '@type': type, description: detail.description ?? '', owner: '', resource_name: detail.resourceName, resource_type: detail.resourceType };
    case 'BadRequest':
      return { '@type': type, field_violations: detail.violations };
    case 'Help':
      return { '@type': type, links: detail.links };
  }
}
