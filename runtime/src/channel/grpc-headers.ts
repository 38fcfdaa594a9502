/**
 * HTTP headers as gRPC metadata and back, for calls whose two ends speak different protocols (grpc-api.md 3, 5.1). Names
 * that mean something to HTTP itself, or to gRPC, cross under the prefix `dapr-`.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** An `Any` carries the name of its type beside its bytes; between the two ends it travels as this header. */
export const TYPE_URL_HEADER = 'mecha-type-url';

const PREFIX = 'dapr-';
const OF_HTTP = new Set([
  'accept', 'accept-charset', 'accept-language', 'accept-ranges', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade',
  'cache-control', 'content-type', 'content-length', 'cookie', 'date', 'expect', 'from', 'host', 'max-forwards', 'origin', 'pragma', 'referer',
  'via', 'warning', 'te',
]);
const NAME = /^[0-9a-z_.-]+$/;
const VALUE = /^[\u0020-\u007e]*$/;

/** Name and text; what metadata cannot carry is left out. */
export function metadataFromHeaders(headers: IncomingHttpHeaders | Readonly<Record<string, string | readonly string[]>>): [string, string][] {
  const entries: [string, string][] = [];
  for (const [header, values] of Object.entries(headers)) {
    const name = header.toLowerCase();
    if (values === undefined || name.endsWith('-bin') || name === TYPE_URL_HEADER || !NAME.test(name)) continue;
    const crossing = OF_HTTP.has(name) || name.startsWith('if-') || name.startsWith('grpc-') ? PREFIX + name : name;
    for (const value of typeof values === 'string' ? [values] : values) if (VALUE.test(value)) entries.push([crossing, value]);
  }
  return entries;
}

const NOT_FROM_METADATA = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'host']);

/** Metadata as headers: what belongs to gRPC's own transport stays behind. */
export function headersFromMetadata(metadata: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (name.endsWith('-bin') || name.startsWith('grpc-') || name.startsWith(':') || name === 'content-type' || NOT_FROM_METADATA.has(name)) continue;
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  return headers;
}
