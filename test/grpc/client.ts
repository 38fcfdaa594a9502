/** A plain gRPC client and server over the generated codecs, for tests: no SDK between the test and the wire. */
import { Client, Metadata, Server, ServerCredentials, credentials, type ClientDuplexStream, type ServerDuplexStream, type StatusObject } from '@grpc/grpc-js';
import type { Codec, Init, Method } from '@mecha/specs/codec.ts';
import { BadRequest, ErrorInfo, Help, ResourceInfo } from '@mecha/specs/gen/error_details.gen.ts';
import { Status } from '@mecha/specs/gen/status.gen.ts';

export interface Answer<Response> {
  /** Undefined when the status is not OK. */
  readonly message: Response | undefined;
  readonly status: StatusObject;
  readonly headers: Metadata;
}

export class WireClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  ask<Request, Response>(method: Method<Request, Response>, message: Init<NoInfer<Request>>, metadata: Record<string, string> = {}, options: { readonly deadline?: number } = {}): Promise<Answer<Response>> {
    return new Promise((resolve) => {
      let headers = new Metadata();
      let answer: Response | undefined;
      const call = this.#client.makeUnaryRequest(
        method.path,
        (bytes: Buffer) => bytes,
        (bytes) => method.response.decode(bytes),
        method.request.encode(message),
        metadataOf(metadata),
        options,
        (_error, value?: Response) => (answer = value),
      );
      call.on('metadata', (given: Metadata) => (headers = given));
      call.on('status', (status: StatusObject) => resolve({ message: answer, status, headers }));
    });
  }

  /** The message of an answer that must be OK. */
  async get<Request, Response>(method: Method<Request, Response>, message: Init<NoInfer<Request>>, metadata?: Record<string, string>): Promise<Response> {
    const { message: answer, status } = await this.ask(method, message, metadata);
    if (answer === undefined) throw new Error(`${method.path}: ${status.code} ${status.details}`);
    return answer;
  }

  stream<Request, Response>(method: Method<Request, Response>): WireStream<Request, Response> {
    return new WireStream(method, this.#client.makeBidiStreamRequest(method.path, (bytes: Buffer) => bytes, (bytes) => bytes, new Metadata()));
  }

  raw(path: string, metadata: Record<string, string>): ClientDuplexStream<Buffer, Buffer> {
    return this.#client.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, (bytes) => bytes, metadataOf(metadata));
  }
}

export class WireStream<Request, Response> {
  readonly #method: Method<Request, Response>;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly status: Promise<StatusObject>;
  readonly #got: Response[] = [];
  #waiting: ((message: Response) => void) | undefined;

  constructor(method: Method<Request, Response>, call: ClientDuplexStream<Buffer, Buffer>) {
    this.#method = method;
    this.#call = call;
    this.status = new Promise((resolve) => call.once('status', resolve));
    call.on('error', () => undefined);
    call.on('data', (bytes: Buffer) => {
      const message = method.response.decode(bytes);
      const take = this.#waiting;
      this.#waiting = undefined;
      if (take) take(message);
      else this.#got.push(message);
    });
  }

  send(message: Init<NoInfer<Request>>): void {
    this.#call.write(this.#method.request.encode(message));
  }

  /** The next message; one reader at a time. */
  next(): Promise<Response> {
    const first = this.#got.shift();
    return first === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(first);
  }

  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

export function metadataOf(entries: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

const DETAILS = new Map<string, Codec<object>>([ErrorInfo, ResourceInfo, BadRequest, Help].map((codec) => [codec.typeName, codec as unknown as Codec<object>]));

/** The error details in their order, by name. */
export function detailsOf(status: StatusObject): { type: string; fields: object }[] {
  const bytes = status.metadata.get('grpc-status-details-bin')[0];
  if (!Buffer.isBuffer(bytes)) return [];
  return Status.decode(bytes).details.map(({ typeUrl, value }) => {
    const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    return { type: name.replace('google.rpc.', ''), fields: DETAILS.get(name)?.decode(value) ?? {} };
  });
}

/** An app that serves raw methods of any service. */
export async function serveRaw(methods: Record<string, (call: ServerDuplexStream<Buffer, Buffer>) => void>): Promise<{ port: number; close(): void }> {
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  for (const [path, handle] of Object.entries(methods)) server.register(path, handle, same, same, 'bidi');
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => server.forceShutdown() };
}
