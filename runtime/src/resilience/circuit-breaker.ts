/**
 * A circuit breaker: lets calls through while they succeed, refuses them for a while after they failed as the trip rule
 * says, then lets a few through to see (behaviour.md 7.1).
 *
 * Written here rather than taken from cockatiel, whose breakers read the real clock, try one call when half open
 * (`maxRequests` asks for any number) and know no rule over counts per interval.
 *
 * ```
 *   closed --trip rule true after a failure--> open --timeout--> half-open --maxRequests successes--> closed
 *                                               ^-----------------any failure------|
 * ```
 */
import type { Clock } from '@mecha/components/kit';
import type { CircuitBreakerPolicy } from '../config/resource-types.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Calls since the counts were last cleared. */
export interface CircuitCounts {
  requests: number;
  totalSuccesses: number;
  totalFailures: number;
  consecutiveSuccesses: number;
  consecutiveFailures: number;
}

/** Decides, after a failure while closed, whether to open. */
export type TripRule = (counts: Readonly<CircuitCounts>) => boolean;

/** The breaker let no call through. It says nothing about the call itself. */
export class CircuitOpen extends Error {
  /** Milliseconds after which a call may pass. */
  readonly retryAfterMs: number;
  constructor(state: 'open' | 'half-open', retryAfterMs: number) {
    super(state === 'open' ? 'circuit breaker is open' : 'too many requests');
    this.name = 'CircuitOpen';
    this.retryAfterMs = retryAfterMs;
  }
}

/** While the trial calls of a half-open circuit are under way, others look again after this long. */
const TRIAL_POLL_MS = 100;

export class CircuitBreaker {
  readonly #policy: CircuitBreakerPolicy;
  readonly #clock: Clock;
  readonly #trips: TripRule;
  readonly #onState: (state: CircuitState) => void;
  #state: CircuitState = 'closed';
  #counts = noCounts();
  /** When the counts are cleared (closed) or the circuit is tried again (open); Infinity = never. */
  #turnsAt: number;
  /** Grows with every clearing, so that a call that outlived its period counts nowhere. */
  #period = 0;

  constructor(policy: CircuitBreakerPolicy, trips: TripRule, clock: Clock, onState: (state: CircuitState) => void) {
    this.#policy = policy;
    this.#clock = clock;
    this.#trips = trips;
    this.#onState = onState;
    this.#turnsAt = this.#intervalEnd();
  }

  get state(): CircuitState {
    this.#turn();
    return this.#state;
  }

  /** Rejects with `CircuitOpen` without calling, or with what the call rejects with; `isFailure` decides what counts. */
  async run<T>(call: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const period = this.#enter();
    try {
      const result = await call();
      this.#leave(period, true);
      return result;
    } catch (error) {
      this.#leave(period, !isFailure(error));
      throw error;
    }
  }

  #enter(): number {
    this.#turn();
    if (this.#state === 'open') throw new CircuitOpen('open', Math.max(1, this.#turnsAt - this.#clock.now()));
    if (this.#state === 'half-open' && this.#counts.requests >= this.#policy.maxRequests) throw new CircuitOpen('half-open', TRIAL_POLL_MS);
    this.#counts.requests += 1;
    return this.#period;
  }

  #leave(period: number, succeeded: boolean): void {
    this.#turn();
    if (period !== this.#period) return;
    const counts = this.#counts;
    if (succeeded) {
      counts.totalSuccesses += 1;
      counts.consecutiveSuccesses += 1;
      counts.consecutiveFailures = 0;
      if (this.#state === 'half-open' && counts.consecutiveSuccesses >= this.#policy.maxRequests) this.#become('closed');
      return;
    }
    counts.totalFailures += 1;
    counts.consecutiveFailures += 1;
    counts.consecutiveSuccesses = 0;
    if (this.#state === 'half-open' || this.#trips(counts)) this.#become('open');
  }

  /** What time alone changes. */
  #turn(): void {
    if (this.#clock.now() < this.#turnsAt) return;
    if (this.#state === 'open') this.#become('half-open');
    else this.#clear();
  }

  #become(state: CircuitState): void {
    this.#state = state;
    this.#clear();
    this.#onState(state);
  }

  #clear(): void {
    this.#period += 1;
    this.#counts = noCounts();
    this.#turnsAt =
      this.#state === 'open' ? this.#clock.now() + this.#policy.timeoutMs : this.#state === 'closed' ? this.#intervalEnd() : Number.POSITIVE_INFINITY;
  }

  #intervalEnd(): number {
    return this.#policy.intervalMs > 0 ? this.#clock.now() + this.#policy.intervalMs : Number.POSITIVE_INFINITY;
  }
}

function noCounts(): CircuitCounts {
  return { requests: 0, totalSuccesses: 0, totalFailures: 0, consecutiveSuccesses: 0, consecutiveFailures: 0 };
}
