/**
 * The HTTP/2 side of a process's internal socket: gRPC calls of any service and any kind of stream, relayed frame by frame
 * to the app of the sidecar that is meant. Messages are never parsed; headers, trailers, status, deadlines, cancellation
 * and flow control pass through.
 *
 * On the way in, what belongs to sidecars is taken off and set anew: identity and the app's token.
 */
import { connect, constants, createServer, type ClientHttp2Session, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { PEER_PREFIX } from '../channel/forwarded-headers.ts';
import { messageOf } from '../errors.ts';
import { canonicalPath } from '../security/canonical-path.ts';
import type { Log } from '../telemetry/log.ts';
import { PEER_FROM, PEER_FROM_NAMESPACE, PEER_TO } from './peer-wire.ts';

/** Where an app takes gRPC. */
export interface GrpcApp {
  readonly address: string;
  readonly port: number;
  /** TLS, without verification (`grpcs`). */
  readonly secure: boolean;
  readonly apiToken: string | undefined;
  /** Why the app must not be called now; undefined when it may be. */
  readonly refusal: () => string | undefined;
}

export interface GrpcRelayParts {
  readonly find: (instanceId: string) => { readonly appId: string; readonly grpcApp?: GrpcApp | undefined } | undefined;
  readonly log: Log;
}

export interface GrpcRelay {
  readonly server: Http2Server;
  /** Cuts what is under way. */
  close(): void;
}

const INVALID_ARGUMENT = 3;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNIMPLEMENTED = 12;
const HEADER_BYTES_MAX = 64 * 1024;

/** Not forwarded: of this connection, or said by sidecars only. */
const NOT_FORWARDED = new Set([
  'connection', 'host', 'dapr-app-id', 'dapr-callee-app-id', 'dapr-caller-app-id', 'dapr-caller-namespace', 'destination-app-id', 'dapr-api-token',
]);

export function createGrpcRelay(parts: GrpcRelayParts): GrpcRelay {
  const sessionsIn = new Set<{ destroy(): void }>();
  const sessionsOut = new Map<string, ClientHttp2Session>();
  const server = createServer({ maxHeaderListPairs: 512, settings: { maxHeaderListSize: HEADER_BYTES_MAX, maxConcurrentStreams: 1000 } });
  server.on('session', (session) => {
    sessionsIn.add(session);
    session.once('close', () => sessionsIn.delete(session));
    session.on('error', (error) => parts.log.debug({ err: error }, 'a gRPC session of another sidecar broke'));
  });
  server.on('stream', (stream, headers) => relay(stream, headers));

  function relay(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', (error) => parts.log.debug({ err: error }, 'a relayed gRPC call broke'));
    const sidecar = parts.find(String(headers[PEER_TO] ?? ''));
    if (!sidecar) return refuse(stream, UNAVAILABLE, 'this process has no such sidecar');
    const app = sidecar.grpcApp;
    if (!app) return refuse(stream, UNIMPLEMENTED, `app ${sidecar.appId} takes no gRPC: its sidecar was started with another --app-protocol`);
    const path = canonicalPath(String(headers[':path'] ?? ''));
    if (path === undefined) return refuse(stream, INVALID_ARGUMENT, 'invalid method: the path has no canonical form');
    const refusal = app.refusal();
    if (refusal !== undefined) return refuse(stream, INTERNAL, refusal);
    forward(stream, headersToApp(headers, path, sidecar.appId, app), app);
  }

  function forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, app: GrpcApp): void {
    const upstream = sessionTo(app).request(headers, { endStream: false });
    stream.pipe(upstream);
    let trailers: IncomingHttpHeaders = {};
    upstream.on('trailers', (given: IncomingHttpHeaders) => void (trailers = given));
    upstream.on('response', (answer, flags) => {
      if (stream.destroyed || stream.headersSent) return;
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
        stream.respond(answer, { endStream: true });
        return;
      }
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      upstream.pipe(stream);
    });
    upstream.on('error', (error) => {
      if (!stream.headersSent) refuse(stream, UNAVAILABLE, `the app cannot be reached on ${app.address}:${app.port}: ${messageOf(error)}`);
      else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    upstream.on('aborted', () => stream.close(upstream.rstCode));
    stream.on('close', () => {
      if (!upstream.closed) upstream.close(constants.NGHTTP2_CANCEL);
    });
  }

  function sessionTo(app: GrpcApp): ClientHttp2Session {
    const host = app.address.includes(':') ? `[${app.address}]` : app.address;
    const origin = `${app.secure ? 'https' : 'http'}://${host}:${app.port}`;
    const known = sessionsOut.get(origin);
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(origin, { rejectUnauthorized: false });
    sessionsOut.set(origin, session);
    const forget = () => {
      if (sessionsOut.get(origin) === session) sessionsOut.delete(origin);
    };
    session.on('error', forget);
    session.on('goaway', forget);
    session.on('close', forget);
    session.unref();
    return session;
  }

  return {
    server,
    close() {
      for (const session of sessionsOut.values()) session.destroy();
      for (const session of sessionsIn) session.destroy();
    },
  };
}

function headersToApp(headers: IncomingHttpHeaders, path: string, calleeAppId: string, app: GrpcApp): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = { ':method': 'POST', ':path': path, te: 'trailers' };
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || name.startsWith(PEER_PREFIX) || NOT_FORWARDED.has(name)) continue;
    kept[name] = value;
  }
  kept['dapr-caller-app-id'] = String(headers[PEER_FROM] ?? '');
  kept['dapr-caller-namespace'] = String(headers[PEER_FROM_NAMESPACE] ?? '');
  kept['dapr-callee-app-id'] = encodeURIComponent(calleeAppId);
  if (app.apiToken !== undefined) kept['dapr-api-token'] = app.apiToken;
  return kept;
}

/** A gRPC answer that is only a status. */
function refuse(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code), 'grpc-message': encodeURIComponent(message) },
    { endStream: true },
  );
}
