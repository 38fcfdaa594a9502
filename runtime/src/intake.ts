/**
 * One intake at one component (a subscription, an input binding): begun when it may flow, paused and resumed with its app,
 * begun again with back-off when it could not stand, closed once. It touches no other.
 *
 * ```
 *   waiting --may flow--> starting --stands--> open <--may flow / may not--> paused
 *                            ^---back-off---failed         any --close--> closed
 * ```
 */
import type { Clock, Subscription } from '@mecha/components/kit';
import { MechaError, messageOf } from './errors.ts';
import { createLogLimit } from './log-limit.ts';
import type { Log } from './telemetry/log.ts';

export type IntakeState = 'waiting' | 'starting' | 'open' | 'paused' | 'failed' | 'closed';

export interface IntakeParts {
  /** For the log: what it is (`subscription to topic orders`), and the fields that say where. */
  readonly words: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Makes it stand; rejects when it cannot now. */
  readonly open: () => Promise<Subscription>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MOST_MS = 60_000;
const LOG_INTERVAL_MS = 30_000;

export class Intake {
  readonly #parts: IntakeParts;
  readonly #firstTry = Promise.withResolvers<void>();
  readonly #mayLog: (key: string) => number | undefined;
  #state: IntakeState = 'waiting';
  #reason = 'waiting for the app';
  #flow = false;
  #closing = false;
  #subscription: Subscription | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #again = false;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#mayLog = createLogLimit(parts.clock, LOG_INTERVAL_MS);
    // Only streams ask how the first try went.
    this.#firstTry.promise.catch(() => undefined);
  }

  get state(): IntakeState {
    return this.#state;
  }

  /** Why it does not flow; undefined while it does. */
  get reason(): string | undefined {
    return this.#state === 'open' ? undefined : this.#reason;
  }

  /** Settles with the first try to stand. */
  get firstTry(): Promise<void> {
    return this.#firstTry.promise;
  }

  /** Whether messages may come; `reason` is kept for those who ask why not. */
  setFlow(flow: boolean, reason = ''): void {
    if (!flow) this.#reason = reason;
    if (this.#flow === flow) return;
    this.#flow = flow;
    this.#kick();
  }

  /** The component became ready: no reason to wait for the back-off. */
  componentReady(): void {
    if (this.#state === 'failed' || this.#state === 'waiting') this.#kick();
  }

  /** Resolves when deliveries under way are settled and nothing more will come. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#kick();
    await this.#working;
  }

  #kick(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#again = true;
    this.#working ??= this.#work();
  }

  /** Brings the broker's side in line with what is wanted, one step at a time. Never rejects. */
  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#step();
        this.#failures = 0;
      } catch (error) {
        this.#failed(error);
      }
    }
    // In the same turn as the last look at `#again`, so that no kick falls in between.
    this.#working = undefined;
  }

  async #step(): Promise<void> {
    const standing = this.#subscription;
    if (this.#closing) {
      this.#subscription = undefined;
      this.#state = 'closed';
      this.#reason = 'closed';
      this.#firstTry.reject(new Error('the subscription was closed'));
      await standing?.close();
    } else if (standing) {
      if (this.#flow && this.#state !== 'open') {
        await standing.resume();
        this.#state = 'open';
      } else if (!this.#flow && this.#state === 'open') {
        this.#state = 'paused';
        await standing.pause();
      }
    } else if (this.#flow) {
      this.#state = 'starting';
      this.#reason = 'starting';
      this.#subscription = await this.#parts.open();
      this.#state = 'open';
      this.#firstTry.resolve();
      // What is wanted may have changed meanwhile.
      this.#again = true;
    }
  }

  #failed(error: unknown): void {
    const { words, fields, clock, random, log } = this.#parts;
    const reason = messageOf(error);
    if (this.#closing) {
      log.warn({ ...fields, err: error }, `${words} did not close cleanly: ${reason}`);
      return;
    }
    const standing = this.#subscription;
    this.#subscription = undefined;
    this.#state = 'failed';
    this.#reason = reason;
    this.#firstTry.reject(error instanceof Error ? error : new Error(reason));
    // One that could not be paused or resumed is given up, so that no second one stands beside it.
    standing?.close().catch((closeError: unknown) => log.warn({ ...fields, err: closeError }, `${words} has failed and did not close`));
    const delayMs = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures, 10)) * (0.75 + 0.25 * random());
    this.#failures += 1;
    this.#cancelRetry = clock.after(delayMs, () => this.#kick());
    const heldBack = this.#mayLog(reason);
    if (heldBack !== undefined) {
      // A component that is not ready has its own line in the log, if that is worth one, and begins this anew when it is.
      const level = error instanceof MechaError && error.code === 'ERR_COMPONENT_NOT_READY' ? 'debug' : 'warn';
      log[level]({ ...fields, retryInMs: Math.round(delayMs), ...(heldBack > 0 ? { notLogged: heldBack } : {}) }, `${words} does not stand: ${reason}`);
    }
  }
}
