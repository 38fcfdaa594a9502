/**
 * What a gRPC face says to the server: methods with their codecs, and calls decoded no further than every block needs.
 * The server knows no block; a face knows no grpc-js.
 */
import type { Init, Method } from '@mecha/specs/codec.ts';
import { messageOf } from '../errors.ts';
import type { Call } from '../pipeline.ts';
import type { TraceContext } from '../telemetry/trace.ts';
import { errors } from './grpc-errors.ts';

/** Metadata as text by lower-case name; binary entries (`-bin`) and the API token are left out. */
export type GrpcMetadata = Readonly<Record<string, string | string[]>>;

/** What unary calls and streams have in common. */
export interface GrpcContext {
  /** `/dapr.proto.runtime.v1.Dapr/GetState`. */
  readonly path: string;
  readonly metadata: GrpcMetadata;
  readonly trace: TraceContext;
  /** Aborts when the caller went away or its deadline passed. */
  readonly signal: AbortSignal;
  readonly remoteAddress: string;
  /** A response header of a unary call. Values that HTTP/2 cannot carry are left out. */
  setHeader(name: string, value: string): void;
  /** The call for the pipeline. */
  call(operation: string): Call;
}

export interface GrpcRequest<Request> extends GrpcContext {
  readonly message: Request;
}

export interface GrpcStream<Request, Response> extends GrpcContext {
  /** The caller's messages, until it says that there are no more. To be read once. */
  readonly messages: AsyncIterable<Request>;
  /** Resolves when the transport took the message; rejects when the stream is over. */
  send(message: Init<Response>): Promise<void>;
  /** Aborts when the server begins to drain: a handler then finishes what is under way and returns or throws. */
  readonly closing: AbortSignal;
  /** Aborts when the caller's connection is gone, which may be after its stream is. Undefined where that cannot be told (sockets in files). */
  readonly connection: AbortSignal | undefined;
}

/** What the server registers; made by `unary` and `streaming`, which hide the types of the messages. */
export type GrpcMethod =
  | { readonly kind: 'unary'; readonly path: string; answer(bytes: Buffer, context: GrpcContext): Promise<Buffer> }
  | { readonly kind: 'stream'; readonly path: string; serve(stream: RawGrpcStream): Promise<void> };

/** A stream of undecoded messages. */
export type RawGrpcStream = Omit<GrpcStream<Buffer, Buffer>, 'send'> & { send(bytes: Buffer): Promise<void> };

export function unary<Request, Response>(
  method: Method<Request, Response>,
  handle: (request: GrpcRequest<NoInfer<Request>>) => Promise<Init<NoInfer<Response>>>,
): GrpcMethod {
  const { path } = method;
  return {
    kind: 'unary',
    path,
    async answer(bytes, context) {
      const message = decodeWith(method, bytes);
      return method.response.encode(await handle(Object.assign(context, { message })));
    },
  };
}

export function streaming<Request, Response>(
  method: Method<Request, Response>,
  handle: (stream: GrpcStream<NoInfer<Request>, NoInfer<Response>>) => Promise<void>,
): GrpcMethod {
  const { path } = method;
  async function* decoded(messages: AsyncIterable<Buffer>): AsyncGenerator<Request> {
    for await (const bytes of messages) yield decodeWith(method, bytes);
  }
  return {
    kind: 'stream',
    path,
    async serve(stream) {
      const { messages, send } = stream;
      await handle(Object.assign(stream, { messages: decoded(messages), send: (message: Init<Response>) => send(method.response.encode(message)) }));
    },
  };
}

function decodeWith<Request, Response>(method: Method<Request, Response>, bytes: Buffer): Request {
  try {
    return method.request.decode(bytes);
  } catch (error) {
    throw errors.undecodable(messageOf(error), error);
  }
}

/** Calls of services that are not ours, relayed to an app without looking at the messages. */
export interface GrpcProxy {
  /**
   * Relays one call. Returns the app's status when there is one; rejects with `MechaError` or `AppGrpcError` when the
   * call did not come to the app.
   */
  relay(call: GrpcProxyCall): Promise<GrpcProxyStatus>;
}

export interface GrpcProxyCall extends Omit<GrpcContext, 'metadata' | 'setHeader'> {
  /** All of it but the API token: text, and bytes under names that end in `-bin`. */
  readonly metadata: readonly (readonly [string, string | Buffer])[];
  /** Milliseconds since the epoch; absent when the caller gave none. */
  readonly deadline: number | undefined;
  readonly messages: AsyncIterable<Buffer>;
  sendHeaders(headers: readonly (readonly [string, string | Buffer])[]): void;
  send(bytes: Buffer): Promise<void>;
}

export interface GrpcProxyStatus {
  readonly code: number;
  readonly message: string;
  readonly trailers: readonly (readonly [string, string | Buffer])[];
}

/** Carries a call on; made by the server side, which owns the protocol. */
export interface GrpcForward {
  /**
   * A connection to the place that `route` names. A place whose connection is refused is given back and asked for anew, a few
   * times: nothing was sent then. Rejects with what `route` rejects with, or with words about the connection.
   */
  connect(route: () => Promise<GrpcForwardRoute>): Promise<GrpcForwardLink>;
  close(): void;
}

export interface GrpcForwardLink {
  /** The status of the other side, whatever it is. */
  relay(call: GrpcProxyCall): Promise<GrpcProxyStatus>;
}

export interface GrpcForwardRoute {
  /** `unix:/…` or host and port; plaintext. */
  readonly address: string;
  /** Added to every call. */
  readonly metadata: Readonly<Record<string, string>>;
  refused(reason: string): Promise<void>;
}
