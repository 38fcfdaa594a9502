/**
 * Parts and the order in which they live: down the list to start, up it to stop.
 *
 * `created -> starting -> ready -> draining -> stopped`, or `failed`. Every verb of a part is optional. `start` must
 * return soon (a listener is bound, a loop is begun); what takes its time goes on behind it. `drain` stops intake and
 * waits for work under way, `stop` closes; both are called in reverse order, each with what is left of the deadline,
 * and one part's failure is logged and never keeps another from its turn.
 */
export type LifecycleState = 'created' | 'starting' | 'ready' | 'draining' | 'stopped' | 'failed';

export interface Part {
  readonly name: string;
  start?(): Promise<void> | void;
  /** Intake off, work under way finished or handed back. `signal` aborts at the deadline. */
  drain?(signal: AbortSignal): Promise<void> | void;
  /** Everything released; called even when `start` failed half way, and twice when it was still under way. */
  stop?(): Promise<void> | void;
}

export interface LifecycleLog {
  error(fields: Record<string, unknown>, message: string): void;
}

export class Lifecycle {
  #state: LifecycleState = 'created';
  readonly #parts: readonly Part[];
  readonly #log: LifecycleLog;
  #started: Part[] = [];
  #stopping: Promise<void> | undefined;

  constructor(parts: readonly Part[], log: LifecycleLog) {
    this.#parts = parts;
    this.#log = log;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Starts the parts one after another; a part that fails stops those that had started, and the error is rethrown. */
  async start(): Promise<void> {
    if (this.#state !== 'created') throw new Error(`a lifecycle starts once; this one is ${this.#state}`);
    this.#state = 'starting';
    for (const part of this.#parts) {
      this.#started.push(part);
      try {
        await part.start?.();
      } catch (error) {
        await this.#stopAll();
        this.#state = 'failed';
        throw error;
      }
      if (this.#stopping) {
        // Its turn to stop came while it was starting, so what it opened since then is closed now.
        await this.#stopPart(part);
        return;
      }
    }
    this.#state = 'ready';
  }

  /** Drains and stops in reverse order; `deadlineMs` bounds the draining. Idempotent. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drainAndStop(deadlineMs);
    return this.#stopping;
  }

  async #drainAndStop(deadlineMs: number): Promise<void> {
    this.#state = 'draining';
    const signal = AbortSignal.timeout(deadlineMs);
    for (const part of this.#started.toReversed()) {
      if (!part.drain) continue;
      try {
        await Promise.race([part.drain(signal), aborted(signal)]);
      } catch (error) {
        this.#log.error({ part: part.name, err: error }, 'a part did not drain');
      }
    }
    await this.#stopAll();
    this.#state = 'stopped';
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#started.toReversed()) await this.#stopPart(part);
    this.#started = [];
  }

  async #stopPart(part: Part): Promise<void> {
    try {
      await part.stop?.();
    } catch (error) {
      this.#log.error({ part: part.name, err: error }, 'a part did not stop cleanly');
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
