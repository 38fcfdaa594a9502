/** A bound on work done at a time, with a line of bounded length before it. */
import { BindingError } from './bindings.ts';

/** At most `atOnce` calls are under way; at most `waitingMax` wait, and move up in order. More are refused. */
export class Turns {
  #free: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<() => void>();

  constructor(atOnce: number, waitingMax = 10_000) {
    this.#free = atOnce;
    this.#waitingMax = waitingMax;
  }

  /** Runs `work` when it is its turn. Rejects with `BindingError`: `unavailable` when the line is full, `timeout` when the signal came first. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#free++;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(new BindingError('timeout', 'called off before its turn came', { cause: signal.reason }));
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#waitingMax) return Promise.reject(new BindingError('unavailable', `${this.#waitingMax} calls wait for their turn already`));
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        this.#waiting.delete(begin);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(begin);
        reject(new BindingError('timeout', 'called off before its turn came', { cause: signal.reason }));
      };
      this.#waiting.add(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
