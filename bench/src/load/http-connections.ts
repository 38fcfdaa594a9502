/**
 * HTTP/1.1 over keep-alive sockets, one request at a time on each. Requests are bytes made ahead and responses are read
 * only as far as framing needs (status, content-length, chunks): a general client costs more per request than the servers
 * that are measured, and would be the limit itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Connections, Slot } from './connection.ts';
import type { HttpRequest } from './plan.ts';
import { templateOf, type Template } from './template.ts';

const HEAD_BYTES_MAX = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');

export async function openHttpConnections(host: string, port: number, request: HttpRequest, count: number): Promise<Connections> {
  const template = templateOf(encodeRequest(host, port, request));
  const opened = await Promise.all(Array.from({ length: count }, async () => new HttpSlot(await open(host, port), () => open(host, port), template, request.status)));
  return {
    slots: opened,
    close() {
      for (const slot of opened) slot.close();
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

class HttpSlot implements Slot {
  #socket: Socket;
  readonly #reopen: () => Promise<Socket>;
  readonly #template: Template;
  readonly #status: number;
  readonly #response = new ResponseReader();
  #done: ((error?: string) => void) | undefined;
  #closed = false;

  constructor(socket: Socket, reopen: () => Promise<Socket>, template: Template, status: number) {
    this.#socket = socket;
    this.#reopen = reopen;
    this.#template = template;
    this.#status = status;
    this.#listen(socket);
  }

  send(number: number, done: (error?: string) => void): void {
    this.#done = done;
    this.#response.reset();
    this.#socket.write(this.#template.bytes(number));
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      const outcome = this.#response.push(chunk);
      if (outcome === 'more') return;
      if (outcome === 'bad') this.#lost(socket, 'the response is not HTTP/1.1 as expected');
      else this.#finish(this.#response.status === this.#status ? undefined : `status ${this.#response.status} instead of ${this.#status}: ${this.#response.start()}`);
    });
    socket.once('error', (error) => this.#lost(socket, error.message));
    socket.once('close', () => this.#lost(socket, 'the connection was closed'));
  }

  #finish(error?: string): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }

  /** The server hung up: the operation failed, and the slot comes back with a new connection. */
  #lost(socket: Socket, words: string): void {
    if (this.#closed || socket !== this.#socket) return;
    socket.destroy();
    const done = this.#done;
    this.#done = undefined;
    this.#reopen().then(
      (fresh) => {
        if (this.#closed) return fresh.destroy();
        this.#socket = fresh;
        this.#listen(fresh);
        done?.(words);
        return undefined;
      },
      (error: unknown) => {
        this.#closed = true;
        done?.(`cannot connect again: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }
}

/** Framing of one response after the other on a connection. */
export class ResponseReader {
  status = 0;
  #head: Buffer | undefined;
  #first: Buffer | undefined;
  /** Bytes of the body that are still to come; -1 while the head is. */
  #left = -1;
  #chunks: ChunkReader | undefined;

  reset(): void {
    this.status = 0;
    this.#head = undefined;
    this.#first = undefined;
    this.#left = -1;
    this.#chunks = undefined;
  }

  /** The beginning of the body, for an error's words. */
  start(): string {
    return this.#first?.toString('utf8', 0, 200) ?? '';
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
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#left = length === undefined ? 0 : Number(length);
    if (length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)) this.#chunks = new ChunkReader();
    return true;
  }

  #body(bytes: Buffer): 'more' | 'whole' | 'bad' {
    this.#first ??= bytes;
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
      const next = end + 2 + size + 2;
      if (this.#rest.length < next) return 'more';
      this.#rest = this.#rest.slice(next);
      if (size === 0) return 'whole';
    }
  }
}
