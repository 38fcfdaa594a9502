/**
 * One request to another process over undici's dispatchers, and its answer: as bytes where it is short and says so, as a
 * stream else. Most answers are short, and a stream with its abort signals and end-of-stream watchers costs several times
 * what reading such an answer does.
 *
 * Rules
 *  1. Resolves with the headers of a stream at once; of a short answer when it is whole.
 *  2. Whoever gets a stream reads it to the end or destroys it. It is not read faster than its reader takes it.
 *  3. The signal ends the exchange until the answer is whole, and a stream until it ends.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/** Bytes up to which an answer of known length is kept together. */
const SHORT_BYTES_MAX = 64 * 1024;

export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Uint8Array | Readable | string | undefined;
  /** Only for a dispatcher that reaches more than one. */
  readonly origin?: string;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array | Readable;
}

const NOTHING = Buffer.alloc(0);

export function exchange(dispatcher: Dispatcher, request: ExchangeRequest, signal?: AbortSignal): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      if (request.body instanceof Readable) request.body.destroy();
      return reject(reasonOf(signal));
    }
    const handler = new Exchange(resolve, reject, signal);
    const { method, path, headers, body, origin } = request;
    dispatcher.dispatch({ method, path, headers, body: body ?? null, ...(origin === undefined ? {} : { origin }) }, handler);
    return undefined;
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: ExchangeAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #stream: AnswerStream | undefined;
  #first: Buffer | undefined;
  #more: Buffer[] | undefined;

  constructor(resolve: (answer: ExchangeAnswer) => void, reject: (error: unknown) => void, signal: AbortSignal | undefined) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#aborted);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while it waited for a connection.
    if (this.#signal?.aborted) controller.abort(reasonOf(this.#signal));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // What comes before the answer (103) is not for us.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const length = headers['content-length'];
    if (length !== undefined && Number(length) <= SHORT_BYTES_MAX) return;
    this.#stream = new AnswerStream(controller);
    this.#resolve({ status, headers, body: this.#stream });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stream) {
      if (!this.#stream.push(chunk)) controller.pause();
    } else if (this.#first === undefined) {
      this.#first = chunk;
    } else {
      (this.#more ??= [this.#first]).push(chunk);
    }
  }

  onResponseEnd(): void {
    this.#leave();
    if (this.#stream) this.#stream.finish();
    else this.#resolve({ status: this.#status, headers: this.#headers, body: this.#more ? Buffer.concat(this.#more) : (this.#first ?? NOTHING) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#leave();
    if (this.#stream) this.#stream.fail(error);
    else this.#reject(error);
  }

  readonly #aborted = (): void => {
    const reason = reasonOf(this.#signal);
    // Not yet on a connection: it will be ended when it comes to one, but nobody has to wait for that.
    if (this.#controller) this.#controller.abort(reason);
    else this.#reject(reason);
  };

  #leave(): void {
    this.#signal?.removeEventListener('abort', this.#aborted);
  }
}

class AnswerStream extends Readable {
  readonly #controller: Dispatcher.DispatchController;
  #over = false;

  constructor(controller: Dispatcher.DispatchController) {
    super();
    this.#controller = controller;
    // A broken answer is for whoever reads it; one that nobody reads yet must not end the process.
    this.on('error', () => {});
  }

  finish(): void {
    this.#over = true;
    this.push(null);
  }

  fail(error: Error): void {
    this.#over = true;
    this.destroy(error);
  }

  override _read(): void {
    if (!this.#over) this.#controller.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#over) this.#controller.abort(error ?? new Error('the answer is not wanted any more'));
    this.#over = true;
    done(error);
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('the call was cancelled');
}

/** The whole body, or undefined when it is longer than `bytesMax`; then the rest is not read. */
export async function readAtMost(body: Uint8Array | Readable, bytesMax: number): Promise<Buffer | undefined> {
  if (body instanceof Uint8Array) return body.length > bytesMax ? undefined : asBuffer(body);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the rest.
    if (size > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
}

/** For an answer that nobody will read. */
export function discard(body: Uint8Array | Readable): void {
  if (!(body instanceof Uint8Array)) body.destroy();
}

/** Calls back when the body has been read or given up; at once for bytes, which are there already. */
export function whenRead(body: Uint8Array | Readable, done: () => void): void {
  if (body instanceof Uint8Array) done();
  else body.once('close', done);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
