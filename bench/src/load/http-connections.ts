/**
 * HTTP/1.1 over keep-alive sockets, one request at a time on each. Requests are bytes made ahead and responses are read
 * only as far as framing needs (status, content-length, chunks): a general client costs more per request than the servers
 * that are measured, and would be the limit itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Connections, Slot } from './connection.ts';
import type { HttpRequest } from './plan.ts';
import { wordsOf } from '../problem.ts';
import { templateOf, type Template } from './template.ts';

const HEAD_BYTES_MAX = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');

export async function openHttpConnections(host: string, port: number, request: HttpRequest, count: number): Promise<Connections> {
  const template = templateOf(encodeRequest(host, port, request));
  const broken = Promise.withResolvers<string>();
  const openAgain = (): Promise<Socket> => open(host, port);
  const slots = await Promise.all(Array.from({ length: count }, async () => new HttpSlot(await openAgain(), { openAgain, template, status: request.status, onBroken: broken.resolve })));
  return {
    slots,
    broken: broken.promise,
    close() {
      for (const slot of slots) slot.close();
    },
  };
}

export function encodeRequest(host: string, port: number, request: HttpRequest): Buffer {
  const body = Buffer.from(request.body);
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = request.method === 'GET' ? '' : `content-length: ${body.length}\r\n`;
  return Buffer.concat([Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\nhost: ${host}:${port}\r\n${headers.join('')}${length}\r\n`), body]);
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

interface HttpSlotOptions {
  readonly openAgain: () => Promise<Socket>;
  readonly template: Template;
  /** Any other counts as an error. */
  readonly status: number;
  readonly onBroken: (words: string) => void;
}

class HttpSlot implements Slot {
  readonly #options: HttpSlotOptions;
  readonly #response = new ResponseReader();
  /** Undefined while a new one is opened, and when none can be. */
  #socket: Socket | undefined;
  /** Of the operation under way. */
  #done: ((error?: string) => void) | undefined;
  /** The number of a request that waits for the new connection. */
  #waiting: number | undefined;
  #broken: string | undefined;
  #closed = false;

  constructor(socket: Socket, options: HttpSlotOptions) {
    this.#options = options;
    this.#use(socket);
  }

  send(number: number, done: (error?: string) => void): void {
    if (this.#broken !== undefined) {
      setImmediate(done, this.#broken);
      return;
    }
    this.#done = done;
    if (this.#socket) this.#write(this.#socket, number);
    else this.#waiting = number;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #write(socket: Socket, number: number): void {
    this.#response.reset();
    socket.write(this.#options.template.bytes(number));
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (socket !== this.#socket) return;
      const outcome = this.#response.push(chunk);
      if (outcome === 'more') return;
      if (outcome === 'bad') return this.#lost(socket, 'the response is not HTTP/1.1 as expected');
      // The server says that it hangs up: the next request takes another connection.
      if (this.#response.closes) void this.#renew(socket);
      this.#finish(this.#response.status === this.#options.status ? undefined : `status ${this.#response.status} instead of ${this.#options.status}: ${this.#response.start()}`);
    });
    socket.once('error', (error) => this.#lost(socket, error.message));
    socket.once('close', () => this.#lost(socket, 'the connection was closed'));
  }

  #finish(error?: string): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }

  /** The server hung up: an operation under way failed, and the slot comes back with a new connection. */
  #lost(socket: Socket, words: string): void {
    if (this.#closed || socket !== this.#socket) return;
    void this.#renew(socket);
    this.#finish(words);
  }

  async #renew(old: Socket): Promise<void> {
    this.#socket = undefined;
    old.destroy();
    try {
      const fresh = await this.#options.openAgain();
      if (this.#closed) fresh.destroy();
      else this.#use(fresh);
    } catch (error) {
      this.#broken = `the server is gone: ${wordsOf(error)}`;
      this.#options.onBroken(this.#broken);
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (this.#socket) this.#write(this.#socket, waiting);
    else this.#finish(this.#broken ?? 'closed');
  }
}

/** Framing of one response after the other on a connection. */
export class ResponseReader {
  status = 0;
  /** Whether the server closes the connection behind this response. */
  closes = false;
  #head: Buffer | undefined;
  #first: Buffer | undefined;
  /** Bytes of the body that are still to come; -1 while the head is. */
  #left = -1;
  #chunks: ChunkReader | undefined;

  reset(): void {
    this.status = 0;
    this.closes = false;
    this.#head = undefined;
    this.#first = undefined;
    this.#left = -1;
    this.#chunks = undefined;
  }

  /** The beginning of the body on one line, for an error's words. */
  start(): string {
    const text = this.#first?.toString('utf8', 0, 200) ?? '';
    const body = this.#chunks ? text.replace(/^[\da-f]+[^\r\n]*\r\n/i, '').replace(/\r\n0\r\n\r\n$/, '') : text;
    return body.trim().replaceAll(/\s+/g, ' ');
  }

  push(chunk: Buffer): 'more' | 'whole' | 'bad' {
    if (this.#left < 0) {
      const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
      const end = bytes.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = bytes;
        return bytes.length > HEAD_BYTES_MAX ? 'bad' : 'more';
      }
      if (!this.#readHead(bytes.toString('latin1', 0, end))) return 'bad';
      return this.#body(bytes.subarray(end + HEAD_END.length));
    }
    return this.#body(chunk);
  }

  #readHead(head: string): boolean {
    this.status = Number(head.slice(9, 12));
    if (!head.startsWith('HTTP/1.1 ') || Number.isNaN(this.status)) return false;
    this.closes = /\r\nconnection: *close/i.test(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#left = length === undefined ? 0 : Number(length);
    if (length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)) this.#chunks = new ChunkReader();
    return true;
  }

  #body(bytes: Buffer): 'more' | 'whole' | 'bad' {
    if (bytes.length > 0) this.#first ??= bytes;
    if (this.#chunks) return this.#chunks.push(bytes);
    this.#left -= bytes.length;
    if (this.#left < 0) return 'bad';
    return this.#left === 0 ? 'whole' : 'more';
  }
}

/** `transfer-encoding: chunked`: finds the end. */
class ChunkReader {
  #rest = '';

  push(bytes: Buffer): 'more' | 'whole' | 'bad' {
    this.#rest += bytes.toString('latin1');
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end < 0) return 'more';
      const size = Number.parseInt(this.#rest.slice(0, end), 16);
      if (Number.isNaN(size)) return 'bad';
      // Behind the last chunk, which is empty, may stand trailers.
      if (size === 0) return this.#rest.indexOf('\r\n\r\n', end) < 0 ? 'more' : 'whole';
      const next = end + 2 + size + 2;
      if (this.#rest.length < next) return 'more';
      this.#rest = this.#rest.slice(next);
    }
  }
}
