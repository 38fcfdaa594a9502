import { BindingError } from './bindings.ts';
import type { Clock } from './component.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Calls of a backend under way: each is bounded in time, all can be waited for, or called off. */
export class BoundedCalls {
  readonly #parts: { readonly backend: string; readonly timeoutMs: number; readonly clock: Clock };
  #under = new Set<Promise<void>>();
  #closing = new AbortController();

  constructor(parts: { readonly backend: string; readonly timeoutMs: number; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** Rejects as soon as the signal says so or the time is over; `work` is told by its own signal, and ends what it began. */
  async run<T>(signal: AbortSignal, work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, backend, timeoutMs } = this.#parts;
    const overdue = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => overdue.abort(new BindingError('timeout', `${backend} did not answer within ${timeoutMs} ms; whether it was done is unknown`)));
    const ended = AbortSignal.any([signal, overdue.signal, this.#closing.signal]);
    const own = this.#under;
    const asking = ended.aborted ? Promise.reject(ended.reason as Error) : work(ended);
    const settled = asking.then(() => undefined, () => undefined);
    own.add(settled);
    void settled.then(() => own.delete(settled));
    try {
      return await unlessAborted(asking, ended);
    } finally {
      cancelTimer();
    }
  }

  /** Resolves when all that are under way now have ended. */
  async settled(): Promise<void> {
    const before = this.#under;
    this.#under = new Set();
    await Promise.all(before);
  }

  /** Calls off all, and refuses further ones until `reopen`. */
  close(): void {
    this.#closing.abort(new BindingError('unavailable', `the connection to ${this.#parts.backend} is closed`));
  }

  reopen(): void {
    this.#closing = new AbortController();
  }
}
