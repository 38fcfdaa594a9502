/**
 * Group commit for one SQLite file: a worker thread owns the only connection that ever takes the write lock.
 *
 * All requests that wait when the thread comes round share one transaction and one fsync. Each runs inside a savepoint of
 * its own, so that its failure is its own; results leave the thread only after COMMIT returned (G1). A COMMIT that fails
 * fails every request of its group (G2). The thread waits for another process's lock with a short bounded retry of its own,
 * because SQLite's busy handler sleeps so long that two writing processes starve each other (G3).
 *
 * Does not own: tables and statements; those are the *program*, a module that the thread loads.
 */
import { Worker } from 'node:worker_threads';

/** A module given to the thread: how the file is laid out, and what may be asked of it. */
export interface WriterProgram<Arguments = never> {
  /** Brings the layout up to date; runs once, inside one transaction. */
  migrate(db: import('node:sqlite').DatabaseSync, settings: unknown): void;
  /** Builds the handlers, with their statements prepared. */
  requests(db: import('node:sqlite').DatabaseSync, settings: unknown): Readonly<Record<string, (args: Arguments) => unknown>>;
  /** A request or a commit was rolled back: whatever the program remembers of rows may not be so. */
  rolledBack?(): void;
}

export interface RunOptions {
  /**
   * False: a power failure may undo it, a crash of the process may not; a group of such requests alone costs no fsync, and
   * becomes durable with the next that does. Default true.
   */
  readonly durable?: boolean;
  /** Bytes in `args`, for the bound on what waits. */
  readonly bytes?: number;
  /** Buffers of `args` that are handed over rather than copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Why the writer refused; nothing of the request was applied. `detail` is what the program threw, where it did. */
export class WriterError extends Error {
  readonly code: 'busy' | 'disk-full' | 'io' | 'closed' | 'overloaded' | 'rejected';
  readonly detail: unknown;
  constructor(code: WriterError['code'], message: string, detail?: unknown) {
    super(message);
    this.name = 'WriterError';
    this.code = code;
    this.detail = detail;
  }
}

export interface GroupWriterOptions {
  readonly path: string;
  /** Module that exports `program: WriterProgram`. */
  readonly program: URL;
  /** Handed to the program; structured-cloneable. */
  readonly settings?: unknown;
  /** Longest wait for another process's write lock, milliseconds. */
  readonly busyTimeoutMs?: number;
  /** Bytes of write-ahead log after which it is truncated as soon as no reader holds it. */
  readonly walBytesMax?: number;
  /** Journal of a file that another program also writes without a write-ahead log. */
  readonly journal?: 'wal' | 'delete' | 'memory';
  /** Called with words for the log when something failed that undoes nothing and is tried again. */
  readonly onTrouble?: (message: string) => void;
  /** For tests: fail or die at a named point. */
  readonly faults?: WriterFaults;
}
export interface WriterFaults {
  readonly point: 'request' | 'before-commit' | 'after-commit' | 'checkpoint';
  /** `lose`: the whole transaction is rolled back under the hands of the request. */
  readonly action: 'fail' | 'lose' | 'exit';
  /** How many groups pass before it strikes. */
  readonly after: number;
}

export interface GroupWriter {
  /** Resolves after the commit; rejects with `WriterError`. */
  run(name: string, args: unknown, options?: RunOptions): Promise<unknown>;
  close(): Promise<void>;
  /** Resolves when the thread has ended without being asked to; every request is refused from then on. */
  readonly broken: Promise<Error>;
}

export interface WriterRequest {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  readonly durable: boolean;
}
export type ToThread =
  | { readonly type: 'requests'; readonly requests: readonly WriterRequest[] }
  | { readonly type: 'close' };
export type FromThread =
  | { readonly type: 'open' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'results'; readonly results: readonly ThreadResult[] }
  | { readonly type: 'trouble'; readonly message: string }
  | { readonly type: 'closed' };
export type ThreadResult =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: WriterError['code']; readonly message: string; readonly detail?: unknown };

const REQUESTS_MAX = 20_000;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

export async function openGroupWriter({ onTrouble, ...options }: GroupWriterOptions): Promise<GroupWriter> {
  const worker = new Worker(new URL('./group-writer-thread.ts', import.meta.url), { workerData: { ...options, program: options.program.href } });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let batch: WriterRequest[] = [];
  let transfer: ArrayBuffer[] = [];
  let waitingBytes = 0;
  let nextId = 1;
  let closed: string | undefined;
  const broken = Promise.withResolvers<Error>();
  let ended: (() => void) | undefined;

  function failAll(code: WriterError['code'], reason: string): void {
    closed ??= reason;
    for (const request of waiting.values()) request.reject(new WriterError(code, reason));
    waiting.clear();
  }

  /** One message per turn of the event loop, however many writes it brings. */
  function post(): void {
    const requests = batch;
    const handed = transfer;
    batch = [];
    transfer = [];
    try {
      worker.postMessage({ type: 'requests', requests } satisfies ToThread, handed);
    } catch (error) {
      // Something in there cannot cross to a thread. A mistake of the caller's; which one's is not told.
      const reason = `a request cannot be handed to the writer thread: ${error instanceof Error ? error.message : String(error)}`;
      for (const { id } of requests) {
        waiting.get(id)?.reject(new WriterError('rejected', reason));
        waiting.delete(id);
      }
    }
  }

  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the writer thread ended before it had opened the file')));
    worker.on('message', (message: FromThread) => {
      switch (message.type) {
        case 'open':
          return resolve();
        case 'failed':
          return reject(new Error(message.message));
        case 'results':
          for (const result of message.results) {
            const request = waiting.get(result.id);
            if (!request) continue;
            waiting.delete(result.id);
            if ('code' in result) request.reject(new WriterError(result.code, result.message, result.detail));
            else request.resolve(result.value);
          }
          return;
        case 'trouble':
          return onTrouble?.(message.message);
        case 'closed':
          return ended?.();
      }
    });
  });
  worker.removeAllListeners('exit').removeAllListeners('error');
  worker.on('error', (error: unknown) => {
    const reason = `the writer thread failed: ${error instanceof Error ? error.message : String(error)}`;
    if (closed === undefined) broken.resolve(new Error(reason, { cause: error }));
    failAll('io', reason);
  });
  worker.on('exit', () => {
    if (closed === undefined) broken.resolve(new Error('the writer thread has ended'));
    failAll('closed', 'the writer thread has ended');
    ended?.();
  });
  worker.unref();

  return {
    broken: broken.promise,
    run(name, args, { durable = true, bytes = 0, transfer: handed = [] } = {}) {
      if (closed !== undefined) return Promise.reject(new WriterError('closed', closed));
      if (waiting.size >= REQUESTS_MAX) return Promise.reject(new WriterError('overloaded', `more than ${REQUESTS_MAX} writes wait for the disk`));
      if (waitingBytes + bytes > WAITING_BYTES_MAX) return Promise.reject(new WriterError('overloaded', `more than ${WAITING_BYTES_MAX} bytes wait for the disk`));
      waitingBytes += bytes;
      return new Promise((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        if (waiting.size === 1) worker.ref();
        batch.push({ id, name, args, durable });
        transfer.push(...handed);
        if (batch.length === 1) setImmediate(post);
      }).finally(() => {
        waitingBytes -= bytes;
        if (waiting.size === 0) worker.unref();
      });
    },
    async close() {
      if (closed !== undefined) return;
      closed = 'the writer is closed';
      const over = new Promise<void>((resolve) => (ended = resolve));
      worker.ref();
      setImmediate(() => worker.postMessage({ type: 'close' } satisfies ToThread));
      await over;
      await worker.terminate();
    },
  };
}
