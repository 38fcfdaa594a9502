/**
 * Which headers cross from a caller to an app and back, and from the metadata of an event to an app. One list, used by invocation,
 * by the link between sidecars and by the channels, so that no road leads around it.
 */
import type { IncomingHttpHeaders } from 'node:http';

export type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

/** Of one connection only. `expect` is answered by the server that got it; `upgrade` cannot work through two hops. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'http2-settings',
  'expect',
]);

/**
 * Said by sidecars and by nobody else: who calls, who is called, the tokens that open doors, and the span that the next
 * hop belongs to (the caller's is in the trace context already). What a caller, or who made an event, wrote there is dropped.
 */
const OF_THE_SIDECAR = new Set([
  'dapr-app-id',
  'dapr-callee-app-id',
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'destination-app-id',
  'dapr-api-token',
  'traceparent',
  'tracestate',
]);

/** What sidecars say to each other beside an app's own headers (`peers/peer-wire.ts`); no app may say it. */
export const PEER_PREFIX = 'mecha-peer-';

/** Whether no header of this name may cross to an app, whoever wrote it: it is of one connection, or sidecars alone say it. Any case of letters. */
export function isReserved(header: string): boolean {
  const name = header.toLowerCase();
  return HOP_BY_HOP.has(name) || OF_THE_SIDECAR.has(name) || name.startsWith(PEER_PREFIX);
}

/** The headers of a request on their way to an app: what describes this connection, this host or an identity stays behind. */
export function requestHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection);
  const kept: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === 'host' || name.endsWith('-bin')) continue;
    if (isReserved(name) || named?.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}

/** The headers of an app's answer on their way to the caller. */
export function responseHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection);
  const kept: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || HOP_BY_HOP.has(name) || named?.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}

/** `content-length` cannot be named away: the message would lose its end. */
function namedByConnection(connection: string | string[] | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined) return undefined;
  const names = String(connection).toLowerCase().split(',').map((name) => name.trim());
  return new Set(names.filter((name) => name !== 'content-length'));
}
