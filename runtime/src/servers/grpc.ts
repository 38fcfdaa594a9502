/**
 * The gRPC API server: listening, limits, tokens, trace metadata, and turning methods of the faces into answers. It
 * knows no block by name.
 *
 * Order of a call (grpc-api.md 3): well-formed path, API token, baggage and trace, method. Methods of the contract's own
 * services that no face serves are UNIMPLEMENTED (clients fall back to older names on that); every other service is
 * relayed to an app, if a proxy is given.
 *
 * grpc-js gets connections from listeners of ours, so that a taken port is an error with a code and a socket file has an
 * owner. It has no hook for methods it does not know and none for the words of its own size limit; the two places where
 * this file reaches for them are marked, and a test covers each.
 */
import { rm } from 'node:fs/promises';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  Metadata,
  Server,
  ServerCredentials,
  logVerbosity,
  setLogVerbosity,
  status as codes,
  type ServerDuplexStream,
  type ServerInterceptingCall,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { MechaError } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import type { Call } from '../pipeline.ts';
import { createTokenCheck } from '../security/api-token.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TraceContext } from '../telemetry/trace.ts';
import { errors, grpcStatusOf, statusOf, type GrpcStatus } from './grpc-errors.ts';
import type { GrpcContext, GrpcMetadata, GrpcMethod, GrpcProxy, RawGrpcStream } from './grpc-face.ts';
import { baggageProblem } from '../telemetry/baggage.ts';
import { binaryTraceOf, traceFromMetadata } from '../telemetry/grpc-trace.ts';
import { listenError, socketError } from './listen-error.ts';

export interface GrpcServerOptions {
  /** For messages: `gRPC API server`. */
  readonly name: string;
  /** The flag that changes the port, named when it is taken. */
  readonly portFlag: string;
  readonly addresses: readonly string[];
  /** 0 = any free port. */
  readonly port: number;
  /** Listen here instead of on TCP. */
  readonly socketPath?: string | undefined;
  readonly methods: readonly GrpcMethod[];
  /** Whatever is not of the contract's own services; absent = UNIMPLEMENTED. */
  readonly proxy?: GrpcProxy | undefined;
  readonly apiToken: string | undefined;
  /** Bytes of one message, either way; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
  readonly apiLogging: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

const PATH = /^\/[^/]+\/[^/]+$/;
/** Never relayed: services that a client looks for on a sidecar. */
const OWN_SERVICES = ['/dapr.proto.', '/TaskHubSidecarService/', '/grpc.reflection.', '/grpc.health.'];
/** In metrics, instead of paths that callers make up. */
const UNKNOWN_PATH = '(unknown)';
const PROXIED_PATH = '(proxied)';
const PATH_SHOWN_MAX = 200;
const STREAMS_PER_CONNECTION_MAX = 1000;
const KEEPALIVE_EVERY_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
const CONNECTION_IDLE_MAX_MS = 180_000;
const DRAIN_LOOK_MS = 20;

type Messages = AsyncIterable<Buffer>;
type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Handler =
  | { path: string; type: 'unary'; func: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void; serialize: typeof same; deserialize: typeof same }
  | { path: string; type: 'bidi'; func: (call: ServerDuplexStream<Buffer, Buffer>) => void; serialize: typeof same; deserialize: typeof same };

const same = (bytes: Buffer): Buffer => bytes;

export class GrpcServer implements Part {
  readonly name: string;
  readonly #options: GrpcServerOptions;
  readonly #tokenIsRight: ((given: string | undefined) => boolean) | undefined;
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Socket>();
  /** By the caller's address and port, as grpc-js names a peer. */
  readonly #connections = new Map<string, AbortController>();
  #listeners: NetServer[] = [];
  #server: Server | undefined;
  #port = 0;
  #underWay = 0;

  constructor(options: GrpcServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#tokenIsRight = createTokenCheck(options.apiToken);
  }

  /** The port in use, known after `start`. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const { socketPath, addresses } = this.#options;
    const { injectConnection } = this.#build().createConnectionInjector(ServerCredentials.createInsecure());
    const accept = (socket: Socket): void => {
      this.#sockets.add(socket);
      const peer = socket.remotePort === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`;
      const gone = new AbortController();
      if (peer !== undefined) this.#connections.set(peer, gone);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (peer !== undefined && this.#connections.get(peer) === gone) this.#connections.delete(peer);
        gone.abort();
      });
      injectConnection(socket);
    };
    if (socketPath !== undefined) {
      await rm(socketPath, { force: true });
      try {
        await this.#listen(accept, { path: socketPath });
      } catch (error) {
        throw socketError(error, { path: socketPath, server: this.name });
      }
      return;
    }
    let port = this.#options.port;
    for (const host of addresses) {
      try {
        // Port 0 is settled by the first address; the others take the same.
        port = await this.#listen(accept, { host, port });
      } catch (error) {
        throw listenError(error, { host, port, flag: this.#options.portFlag, server: this.name });
      }
    }
    this.#port = port;
  }

  /** No new connections and calls; streams are told to end; resolves when no call is under way. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#closing.abort(new Error('api server closed'));
    for (const listener of this.#listeners) listener.close();
    // Connections get GOAWAY: calls under way end as usual, new ones find no server.
    this.#server?.tryShutdown(() => {});
    while (this.#underWay > 0 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
  }

  async stop(): Promise<void> {
    this.#closing.abort(new Error('api server closed'));
    const listeners = this.#listeners;
    this.#listeners = [];
    this.#server?.forceShutdown();
    const closed = listeners.filter((listener) => listener.listening).map((listener) => new Promise((resolve) => listener.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    if (this.#options.socketPath !== undefined) await rm(this.#options.socketPath, { force: true });
  }

  #listen(accept: (socket: Socket) => void, where: { host: string; port: number } | { path: string }): Promise<number> {
    return new Promise((resolve, reject) => {
      const listener = createServer({ noDelay: true }, accept);
      listener.once('error', reject);
      listener.listen(where, () => {
        listener.off('error', reject);
        listener.on('error', (error) => this.#options.log.error({ err: error }, 'the gRPC listener failed'));
        this.#listeners.push(listener);
        const address = listener.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  #build(): Server {
    // What goes wrong is told through `log`; grpc-js would write to standard error.
    setLogVerbosity(logVerbosity.NONE);
    const bytesMax = this.#options.maxBodyBytes ?? -1;
    const server = new Server({
      'grpc.max_receive_message_length': bytesMax,
      'grpc.max_send_message_length': bytesMax,
      'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION_MAX,
      'grpc.keepalive_time_ms': KEEPALIVE_EVERY_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.max_connection_idle_ms': CONNECTION_IDLE_MAX_MS,
      'grpc.enable_channelz': 0,
      interceptors: this.#options.maxBodyBytes === undefined ? [] : [(_method, call) => nameTheLimit(call as ServerInterceptingCall, bytesMax)],
    });
    const handlers = new Map(this.#options.methods.map((method) => [method.path, this.#handlerOf(method)]));
    // Reaches into grpc-js (1): the table where it looks methods up answers for every path.
    if (!(Reflect.get(server, 'handlers') instanceof Map)) throw new Error('this version of grpc-js keeps its methods elsewhere; the gRPC server cannot serve unknown services');
    Reflect.set(server, 'handlers', { get: (path: string) => handlers.get(path) ?? this.#handlerOfUnknown(path) });
    this.#server = server;
    return server;
  }

  #handlerOf(method: GrpcMethod): Handler {
    const { path } = method;
    return method.kind === 'unary'
      ? { path, type: 'unary', func: (call, done) => void this.#serveUnary(method, call, done), serialize: same, deserialize: same }
      : { path, type: 'bidi', func: (call) => void this.#serveStream(path, call, (stream) => method.serve(stream)), serialize: same, deserialize: same };
  }

  #handlerOfUnknown(path: string): Handler {
    const { proxy } = this.#options;
    // A path that is not one would look different to the app than to whoever checks it here.
    const relayed = proxy !== undefined && PATH.test(path) && !OWN_SERVICES.some((service) => path.startsWith(service));
    const func = (call: ServerDuplexStream<Buffer, Buffer>): void =>
      relayed ? void this.#serveProxied(path, call, proxy) : void this.#serveStream(UNKNOWN_PATH, call, () => Promise.reject(unknownMethod(path)));
    return { path, type: 'bidi', func, serialize: same, deserialize: same };
  }

  async #serveUnary(method: Extract<GrpcMethod, { kind: 'unary' }>, call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): Promise<void> {
    const began = performance.now();
    const caller = new Caller(call);
    this.#underWay++;
    let failure: GrpcStatus | undefined;
    let bytes: Buffer | undefined;
    let headers: Metadata | undefined;
    try {
      const trace = this.#admit(call);
      headers = headersFor(trace);
      bytes = await method.answer(call.request, contextOf(method.path, call, trace, caller, headers));
    } catch (error) {
      failure = this.#statusOf(method.path, call, error);
    }
    this.#underWay--;
    caller.finish();
    if (headers) call.sendMetadata(headers);
    if (failure) done(serviceError(failure));
    else done(null, bytes);
    this.#account(method.path, call, failure?.code ?? codes.OK, began);
  }

  async #serveStream(path: string, call: ServerDuplexStream<Buffer, Buffer>, serve: (stream: RawGrpcStream) => Promise<void>): Promise<void> {
    const began = performance.now();
    const caller = new Caller(call);
    this.#underWay++;
    let failure: GrpcStatus | undefined;
    try {
      const trace = this.#admit(call);
      const headers = headersFor(trace);
      const context = contextOf(path, call, trace, caller, headers);
      call.sendMetadata(headers);
      await serve(Object.assign(context, { messages: messagesOf(call), send: senderOf(call), closing: this.#closing.signal, connection: this.#connections.get(call.getPeer())?.signal }));
    } catch (error) {
      failure = this.#statusOf(path, call, error);
    }
    this.#underWay--;
    caller.finish();
    finish(call, failure);
    this.#account(path, call, failure?.code ?? codes.OK, began);
  }

  async #serveProxied(path: string, call: ServerDuplexStream<Buffer, Buffer>, proxy: GrpcProxy): Promise<void> {
    const began = performance.now();
    const caller = new Caller(call);
    this.#underWay++;
    let code: number;
    try {
      const trace = this.#admit(call);
      const deadline = call.getDeadline();
      const answer = await proxy.relay({
        path,
        metadata: entriesOf(call.metadata),
        trace,
        get signal() {
          return caller.signal;
        },
        remoteAddress: addressOf(call),
        deadline: deadline === Infinity ? undefined : Number(deadline),
        messages: messagesOf(call),
        sendHeaders: (entries) => call.sendMetadata(metadataOf(entries)),
        send: senderOf(call),
        call: (operation) => callOf(operation, trace, caller),
      });
      code = answer.code;
      if (code === codes.OK) call.end(metadataOf(answer.trailers));
      else call.emit('error', { code, details: answer.message.toWellFormed(), metadata: metadataOf(answer.trailers) });
    } catch (error) {
      const failure = this.#statusOf(path, call, error);
      code = failure.code;
      finish(call, failure);
    }
    this.#underWay--;
    caller.finish();
    this.#account(PROXIED_PATH, call, code, began);
  }

  /** Token first, so that nobody without it learns anything else. */
  #admit(call: AnyCall): TraceContext {
    const { metadata } = call;
    if (this.#tokenIsRight) {
      const given = metadata.get('dapr-api-token');
      if (given.length === 0) throw errors.unauthorized('missing api token in request metadata');
      if (!this.#tokenIsRight(String(given[0]))) throw errors.unauthorized('authentication error: api token mismatch');
    }
    // A token, asked for or not, is the sidecar's own affair: no handler sees it, no app and no broker gets it.
    metadata.remove('dapr-api-token');
    const baggage = textOf(metadata, 'baggage');
    const problem = baggage === undefined ? undefined : baggageProblem(baggage);
    if (problem !== undefined) throw errors.badBaggage(problem);
    const binary = metadata.get('grpc-trace-bin')[0];
    return traceFromMetadata(Buffer.isBuffer(binary) ? binary : undefined, textOf(metadata, 'traceparent'), textOf(metadata, 'tracestate'), baggage);
  }

  #statusOf(path: string, call: AnyCall, error: unknown): GrpcStatus {
    const status = grpcStatusOf(error);
    if (status) return status;
    if (call.cancelled) return statusOf(codes.CANCELLED, 'the caller is gone', []);
    // Faces run everything through the pipeline, so this is a bug in a face.
    this.#options.log.error({ err: error, method: path }, 'a face threw outside the pipeline');
    return statusOf(codes.INTERNAL, 'internal error', []);
  }

  #account(path: string, call: AnyCall, code: number, began: number): void {
    const ms = performance.now() - began;
    const labels = { grpc_server_method: path, grpc_server_status: codes[code] ?? String(code) };
    this.#options.metrics.count('grpc_io_server_completed_rpcs', labels);
    this.#options.metrics.observe('grpc_io_server_server_latency', labels, ms);
    if (!this.#options.apiLogging) return;
    this.#options.log.scoped('mecha.runtime.grpc-info').info(
      { method: call.getPath(), useragent: textOf(call.metadata, 'user-agent') ?? '', code, duration: Math.round(ms) },
      'gRPC API Called',
    );
  }
}

/** The signal of one caller, made only when somebody asks for it: most calls end before anybody does. */
class Caller {
  #gone = false;
  #finished = false;
  #abort: AbortController | undefined;

  constructor(call: AnyCall) {
    call.once('cancelled', () => {
      // grpc-js says so after the last byte of an answer too.
      if (this.#finished) return;
      this.#gone = true;
      this.#abort?.abort();
    });
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  finish(): void {
    this.#finished = true;
  }
}

function headersFor(trace: TraceContext): Metadata {
  const headers = new Metadata();
  headers.set('grpc-trace-bin', binaryTraceOf(trace));
  if (trace.baggage !== '') headers.set('baggage', trace.baggage);
  return headers;
}

function contextOf(path: string, call: AnyCall, trace: TraceContext, caller: Caller, headers: Metadata): GrpcContext {
  let metadata: GrpcMetadata | undefined;
  return {
    path,
    trace,
    get metadata() {
      return (metadata ??= plainMetadata(call.metadata));
    },
    get signal() {
      return caller.signal;
    },
    get remoteAddress() {
      return addressOf(call);
    },
    setHeader: (name, value) => {
      if (isHeader(name, value)) headers.set(name, value);
    },
    call: (operation) => callOf(operation, trace, caller),
  };
}

function callOf(operation: string, trace: TraceContext, caller: Caller): Call {
  return {
    operation,
    protocol: 'grpc',
    trace,
    get signal() {
      return caller.signal;
    },
  };
}

/** Reaches into grpc-js (2): its own status for an oversize message gets the name of the limit. */
function nameTheLimit(call: ServerInterceptingCall, bytesMax: number): ServerInterceptingCall {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    if (status.code !== codes.RESOURCE_EXHAUSTED || !/larger than/.test(String(status.details))) return send(status);
    const what = String(status.details).startsWith('Sent') ? 'the answer' : 'the message';
    send({ ...status, details: `${what} is larger than ${bytesMax} bytes, the limit set by --max-body-size` });
  };
  return call;
}

/** Without destroying the call when the reader stops: its status is still to be sent. */
async function* messagesOf(call: ServerDuplexStream<Buffer, Buffer>): Messages {
  try {
    for await (const bytes of call.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) yield bytes;
  } catch (error) {
    if (call.cancelled) return;
    throw error;
  }
}

/** A sender for one call. What is under way when the call closes is rejected: grpc-js would never answer it. */
function senderOf(call: ServerDuplexStream<Buffer, Buffer>): (bytes: Buffer) => Promise<void> {
  const pending = new Set<(error: Error) => void>();
  call.once('close', () => {
    for (const reject of pending) reject(new Error('the stream is over'));
  });
  return (bytes) =>
    new Promise((resolve, reject) => {
      if (call.cancelled || call.destroyed || call.writableEnded) return reject(new Error('the stream is over'));
      pending.add(reject);
      call.write(bytes, (error: Error | null | undefined) => {
        pending.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
}

function finish(call: ServerDuplexStream<Buffer, Buffer>, failure: GrpcStatus | undefined): void {
  if (failure) call.emit('error', serviceError(failure));
  else call.end();
}

/** As grpc-js takes it. Text that is not well-formed would make it throw while encoding. */
function serviceError(status: GrpcStatus): { code: number; name: string; message: string; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (status.details) metadata.set('grpc-status-details-bin', Buffer.from(status.details));
  const text = status.message.toWellFormed();
  return { code: status.code, name: 'GrpcStatus', message: text, details: text, metadata };
}

function unknownMethod(path: string): MechaError {
  const name = /^\/dapr\.proto\.[\w.]+\/(\w+)$/.exec(path)?.[1];
  return name === undefined ? errors.unknownMethod(path.slice(0, PATH_SHOWN_MAX)) : errors.notImplemented(name);
}

function plainMetadata(metadata: Metadata): GrpcMetadata {
  const plain: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    if (name.endsWith('-bin') || values === undefined) continue;
    const texts = Array.isArray(values) ? values.map(String) : [String(values)];
    const [only = ''] = texts;
    Object.defineProperty(plain, name, { value: texts.length === 1 ? only : texts, enumerable: true, writable: true, configurable: true });
  }
  return plain;
}

function entriesOf(metadata: Metadata): [string, string | Buffer][] {
  return Object.keys(metadata.getMap()).flatMap((name) => metadata.get(name).map((value) => [name, value] as [string, string | Buffer]));
}

function metadataOf(entries: readonly (readonly [string, string | Buffer])[]): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of entries) {
    if (typeof value !== 'string' || isHeader(name, value)) metadata.add(name, value);
  }
  return metadata;
}

const HEADER_NAME = /^[0-9a-z_.-]+$/i;
const HEADER_TEXT = /^[\u0020-\u007e]*$/;
function isHeader(name: string, value: string): boolean {
  return HEADER_NAME.test(name) && !name.toLowerCase().endsWith('-bin') && HEADER_TEXT.test(value);
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return value === undefined ? undefined : String(value);
}

function addressOf(call: AnyCall): string {
  return call.getPeer().replace(/:\d+$/, '');
}
