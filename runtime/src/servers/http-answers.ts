/**
 * Sends answers. Those that become ready in one turn of the event loop leave together at its end: a write to a peer that
 * sleeps wakes it up, and being woken for one answer at a time costs the machine more than the answers do. With 64 callers
 * of a local sidecar it doubled what it could answer; a lone answer leaves at the end of the turn that made it, as soon as
 * before.
 *
 * Goes past fastify's own reply, which keeps headers and states of its own for hooks that nobody has here. The rules of
 * framing are kept: no length and no type with 1xx and 204, a length of 0 for an empty body, none of ours where one is set.
 */
import type { ServerResponse } from 'node:http';
import type { Log } from '../telemetry/log.ts';

export type AnswerHeaders = Record<string, string | readonly string[]>;

interface Answer {
  readonly raw: ServerResponse;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: AnswerHeaders;
  readonly body: string | Uint8Array | undefined;
  /** The request's body was not read, and the connection is to end: see `endWhenRead`. */
  readonly unread?: boolean;
}

const NO_BYTES = Buffer.alloc(0);
/** How long the rest of a refused body is read, and dropped. */
const LINGER_MS = 10_000;
const LINGER_IDLE_MS = 500;
/** A body up to this size is written as one text with its head, which is one copy but also one write. */
const ONE_WRITE_BYTES_MAX = 16 * 1024;

export class Answers {
  readonly #log: Log;
  #waiting: Answer[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  send(answer: Answer): void {
    this.#waiting.push(answer);
    if (this.#waiting.length === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const answers = this.#waiting;
    this.#waiting = [];
    for (const answer of answers) this.#write(answer);
  };

  #write({ raw, status, headers, body, unread = false }: Answer): void {
    try {
      if (status < 200 || status === 204) {
        delete headers['content-type'];
        delete headers['content-length'];
        raw.writeHead(status, headers as Record<string, string | string[]>);
        raw.end();
      } else if (body === undefined || (status === 304 && body.length === 0)) {
        if (status !== 304 && raw.req.method !== 'HEAD') headers['content-length'] ??= '0';
        raw.writeHead(status, headers as Record<string, string | string[]>);
        if (unread) raw.write(NO_BYTES);
        else raw.end();
      } else {
        const bytes = typeof body === 'string' ? Buffer.from(body) : asBuffer(body);
        const length = String(bytes.length);
        if (raw.req.method === 'HEAD') headers['content-length'] ??= length;
        else headers['content-length'] = length;
        raw.writeHead(status, headers as Record<string, string | string[]>);
        // As text the head would leave in the encoding of the body, and bytes of headers would change.
        if (unread) raw.write(bytes);
        else if (bytes.length <= ONE_WRITE_BYTES_MAX) raw.end(bytes.toString('latin1'), 'latin1');
        else raw.end(bytes);
      }
      if (unread) endWhenRead(raw);
    } catch (error) {
      // A header that HTTP forbids. Thrown from here it would end the process.
      this.#log.error({ err: error }, 'an answer could not be sent');
      if (raw.headersSent) raw.destroy();
      else raw.writeHead(500, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(UNSENDABLE)) }).end(UNSENDABLE);
    }
  }
}

/**
 * Ends the connection when the caller has sent what it is sending, or has sent nothing for `LINGER_IDLE_MS`, or after `LINGER_MS`. A
 * connection that is closed with bytes unread is reset, and a caller that still writes then sees a broken pipe in the place of the
 * answer that tells it why (RFC 9112, 9.6).
 */
function endWhenRead(raw: ServerResponse): void {
  const { req } = raw;
  const end = (): void => {
    clearTimeout(idle);
    clearTimeout(late);
    req.off('data', more).off('end', end).off('error', end).off('close', end);
    raw.end();
  };
  const more = (): void => void idle.refresh();
  const idle = setTimeout(end, LINGER_IDLE_MS);
  const late = setTimeout(end, LINGER_MS);
  if (req.destroyed) end();
  else req.on('data', more).once('end', end).once('error', end).once('close', end).resume();
}

const UNSENDABLE = JSON.stringify({ errorCode: 'ERR_INTERNAL', message: 'internal error: the answer holds a header that HTTP forbids' });

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
