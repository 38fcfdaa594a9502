/**
 * Unary gRPC calls as HTTP/2 frames (RFC 9113, RFC 7541), without a general client: grpc-js's own costs more per call than
 * the servers that are measured. Before each load one call is made with grpc-js, so that what is counted here is known to
 * be right.
 *
 * A call counts as answered well when a whole message came before the end of its stream: an error ends a unary call
 * without one. Our SETTINGS forbid a dynamic table for response headers, so they need not be decoded.
 *
 * Up to `STREAMS_PER_CONNECTION` slots share a connection, as the calls of one app share its channel.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Connections, Slot } from './connection.ts';
import { Problem } from '../problem.ts';
import type { GrpcRequest } from './plan.ts';
import { templateOf, type Template } from './template.ts';

const STREAMS_PER_CONNECTION = 100;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;
const SETTING = { headerTableSize: 1, enablePush: 2, initialWindowSize: 4 } as const;
const WINDOW_MAX = 0x7fffffff;
const WINDOW_DEFAULT = 65_535;
const FRAME_BYTES_MAX = 16_384;
const FRAME_HEAD = 9;
const MESSAGE_HEAD = 5;
/** What a server takes on a stream without having been asked for more: requests wait for no stream's window. */
export const GRPC_MESSAGE_BYTES_MAX = WINDOW_DEFAULT - MESSAGE_HEAD;
/** The first entry of the dynamic table (RFC 7541, 2.3.3). */
const DYNAMIC_FIRST = 62;

export async function openGrpcConnections(host: string, port: number, request: GrpcRequest, count: number): Promise<Connections> {
  const message = Buffer.from(request.message, 'base64');
  if (message.length > GRPC_MESSAGE_BYTES_MAX) throw new Problem(`a request of ${message.length} bytes is larger than this generator sends over gRPC (${GRPC_MESSAGE_BYTES_MAX} at most)`);
  const broken = Promise.withResolvers<string>();
  const options: SessionOptions = {
    headers: { ...request.metadata, ':path': request.path, ':authority': `${host}:${port}` },
    template: templateOf(dataFrames(message)),
    // Only what DATA frames carry counts against the server's window, not their heads (RFC 9113, 6.9.1).
    cost: message.length + MESSAGE_HEAD,
    onEnded: (words) => broken.resolve(`the server is gone: ${words}`),
  };
  const sessions = await Promise.all(Array.from({ length: Math.ceil(count / STREAMS_PER_CONNECTION) }, () => openSession(host, port, options)));
  const slots = Array.from({ length: count }, (_, index): Slot => {
    const session = sessions[index % sessions.length] as Session;
    return { send: (number, done) => session.call(number, done) };
  });
  return {
    slots,
    broken: broken.promise,
    close() {
      for (const session of sessions) session.close();
    },
  };
}

async function openSession(host: string, port: number, options: SessionOptions): Promise<Session> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return new Session(socket, options);
}

/** The message with its gRPC head, cut into DATA frames; the stream id is filled in per call. */
function dataFrames(message: Buffer): Buffer {
  const head = Buffer.alloc(MESSAGE_HEAD);
  head.writeUInt32BE(message.length, 1);
  const bytes = Buffer.concat([head, message]);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
    const part = bytes.subarray(at, at + FRAME_BYTES_MAX);
    frames.push(frame(FRAME.data, at + part.length === bytes.length ? FLAG.endStream : 0, 0, part));
  }
  return Buffer.concat(frames);
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEAD);
  return bytes;
}

interface Call {
  readonly done: (error?: string) => void;
  /** Bytes of DATA so far; the first five say how long the message is. */
  received: number;
  head: number[];
}

interface SessionOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly template: Template;
  /** What a request takes of the server's window. */
  readonly cost: number;
  /** Told when the connection ended without having been closed here. */
  readonly onEnded: (words: string) => void;
}

class Session {
  readonly #socket: Socket;
  readonly #template: Template;
  readonly #cost: number;
  readonly #onEnded: (words: string) => void;
  readonly #calls = new Map<number, Call>();
  /** Calls that wait for the server's window. */
  readonly #waiting: { readonly number: number; readonly call: Call }[] = [];
  readonly #headersFirst: Buffer;
  readonly #headersNext: Buffer;
  #stream = 1;
  #window = WINDOW_DEFAULT;
  #rest: Buffer | undefined;
  #unacknowledged = 0;
  #ended: string | undefined;
  /** Frames of this turn of the loop go out in one write. */
  #outgoing: Buffer[] = [];

  constructor(socket: Socket, { headers, template, cost, onEnded }: SessionOptions) {
    this.#socket = socket;
    this.#onEnded = onEnded;
    this.#template = template;
    this.#cost = cost;
    const named = Object.entries({ te: 'trailers', 'content-type': 'application/grpc', ...headers });
    const pseudoFirst = [...named.filter(([name]) => name.startsWith(':')), ...named.filter(([name]) => !name.startsWith(':'))];
    // :method POST and :scheme http stand in the static table at 3 and 6.
    this.#headersFirst = Buffer.concat([Buffer.from([0x83, 0x86]), ...pseudoFirst.map(([name, value]) => literalWithIndexing(name, value))]);
    this.#headersNext = Buffer.from([0x83, 0x86, ...pseudoFirst.map((_, index) => 0x80 | (DYNAMIC_FIRST + pseudoFirst.length - 1 - index))]);
    const settings = Buffer.concat([setting(SETTING.headerTableSize, 0), setting(SETTING.enablePush, 0), setting(SETTING.initialWindowSize, WINDOW_MAX)]);
    socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, settings), frame(FRAME.windowUpdate, 0, 0, uint32(WINDOW_MAX - WINDOW_DEFAULT))]));
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.once('error', (error) => this.#fail(error.message));
    socket.once('close', () => this.#fail('the connection was closed'));
  }

  call(number: number, done: (error?: string) => void): void {
    const call: Call = { done, received: 0, head: [] };
    if (this.#ended !== undefined) setImmediate(done, this.#ended);
    else if (this.#waiting.length > 0 || this.#window < this.#cost) this.#waiting.push({ number, call });
    else this.#send(number, call);
  }

  close(): void {
    this.#ended ??= 'closed';
    this.#socket.destroy();
  }

  #send(number: number, call: Call): void {
    const stream = this.#stream;
    this.#stream += 2;
    this.#calls.set(stream, call);
    const body = this.#template.bytes(number);
    for (let at = 0; at < body.length; at += FRAME_HEAD + body.readUIntBE(at, 3)) body.writeUInt32BE(stream, at + 5);
    this.#window -= this.#cost;
    this.#write(frame(FRAME.headers, FLAG.endHeaders, stream, stream === 1 ? this.#headersFirst : this.#headersNext), body);
  }

  #write(...frames: readonly Buffer[]): void {
    if (this.#outgoing.length === 0) {
      queueMicrotask(() => {
        const bytes = Buffer.concat(this.#outgoing);
        this.#outgoing = [];
        if (!this.#socket.destroyed) this.#socket.write(bytes);
      });
    }
    this.#outgoing.push(...frames);
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= FRAME_HEAD) {
      const length = bytes.readUIntBE(0, 3);
      if (bytes.length < FRAME_HEAD + length) break;
      this.#frame(bytes[3] ?? 0, bytes[4] ?? 0, bytes.readUInt32BE(5) & WINDOW_MAX, bytes.subarray(FRAME_HEAD, FRAME_HEAD + length));
      bytes = bytes.subarray(FRAME_HEAD + length);
    }
    this.#rest = bytes.length === 0 ? undefined : bytes;
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case FRAME.data: {
        this.#data(stream, payload);
        if (flags & FLAG.endStream) this.#end(stream);
        break;
      }
      case FRAME.headers:
        if (flags & FLAG.endStream) this.#end(stream);
        break;
      case FRAME.rstStream:
        this.#finish(stream, `the server reset the stream (code ${payload.readUInt32BE(0)})`);
        break;
      case FRAME.settings:
        if (!(flags & FLAG.ack)) this.#write(frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)));
        break;
      case FRAME.ping:
        if (!(flags & FLAG.ack)) this.#write(frame(FRAME.ping, FLAG.ack, 0, payload));
        break;
      case FRAME.windowUpdate:
        if (stream === 0) this.#opened(payload.readUInt32BE(0));
        break;
      case FRAME.goAway:
        this.#fail(`the server went away (code ${payload.readUInt32BE(4)})`);
        break;
    }
  }

  #data(stream: number, payload: Buffer): void {
    const call = this.#calls.get(stream);
    if (call) {
      for (let at = 0; call.head.length < MESSAGE_HEAD && at < payload.length; at++) call.head.push(payload[at] ?? 0);
      call.received += payload.length;
    }
    this.#unacknowledged += payload.length;
    if (this.#unacknowledged > WINDOW_MAX / 4) {
      this.#write(frame(FRAME.windowUpdate, 0, 0, uint32(this.#unacknowledged)));
      this.#unacknowledged = 0;
    }
  }

  #end(stream: number): void {
    const call = this.#calls.get(stream);
    if (!call) return;
    const [, a = 0, b = 0, c = 0, d = 0] = call.head;
    const whole = call.head.length === MESSAGE_HEAD && call.received === MESSAGE_HEAD + ((a << 24) | (b << 16) | (c << 8) | d);
    this.#finish(stream, whole ? undefined : 'the call ended with an error');
  }

  #finish(stream: number, error?: string): void {
    const call = this.#calls.get(stream);
    this.#calls.delete(stream);
    call?.done(error);
  }

  #opened(bytes: number): void {
    this.#window += bytes;
    while (this.#waiting.length > 0 && this.#window >= this.#cost) {
      const next = this.#waiting.shift();
      if (next) this.#send(next.number, next.call);
    }
  }

  #fail(words: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = words;
    const open = [...this.#calls.values(), ...this.#waiting.map(({ call }) => call)];
    this.#calls.clear();
    this.#waiting.length = 0;
    this.#onEnded(words);
    for (const call of open) call.done(words);
    this.#socket.destroy();
  }
}

/** RFC 7541, 6.2.1 with a new name, strings not compressed. */
function literalWithIndexing(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), lengthPrefixed(name), lengthPrefixed(value)]);
}

/** RFC 7541, 5.1 and 5.2: a length in a prefix of seven bits. */
function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  if (bytes.length < 0x7f) length.push(bytes.length);
  else {
    length.push(0x7f);
    let rest = bytes.length - 0x7f;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
