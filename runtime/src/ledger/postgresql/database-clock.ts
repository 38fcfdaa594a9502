/**
 * The database's time for a whole process. Leases, timers and schedules of many hosts are compared with one another, so they
 * are told by one clock; which of the hosts' clocks is wrong then matters to nobody.
 *
 * Between two looks it runs on this host's monotonic time: a jump of the host's own clock is not noticed at all.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '@mecha/components/kit';

export class DatabaseClock implements Clock {
  readonly #timers: Clock;
  #aheadMs: number;

  constructor(timers: Clock) {
    this.#timers = timers;
    this.#aheadMs = timers.now() - performance.now();
  }

  now(): number {
    return Math.round(performance.now() + this.#aheadMs);
  }

  after(ms: number, callback: () => void): () => void {
    return this.#timers.after(ms, callback);
  }

  /** The database said `databaseMs` at some moment between the two; what lies within the doubt changes nothing. */
  set(databaseMs: number, askedAt: number, answeredAt: number): void {
    const [least, most] = [databaseMs - answeredAt, databaseMs + 1 - askedAt];
    if (this.#aheadMs < least) this.#aheadMs = least;
    else if (this.#aheadMs > most) this.#aheadMs = most;
  }
}
