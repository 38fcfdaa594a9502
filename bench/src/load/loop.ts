/**
 * One load on one address: warm-up, then the measured time, then the end of what is under way.
 *
 * Rules
 * 1. Closed loop: each slot begins its next operation when the last has ended. Latency counts from its beginning.
 * 2. Open loop: operation k is due at start + k / rate, whatever became of those before. Latency counts from that moment,
 *    so that time spent waiting for a free connection behind a slow answer is counted (no coordinated omission).
 * 3. An operation belongs to the measured time when it was due in it. Its latency counts even if it ends later; one that
 *    has not ended `drainMs` after the end is an error, and its time so far its latency.
 * 4. In a closed loop the rate is that of operations that ended within the measured time. Where none has ended when it
 *    should be over, it goes on until one has, for `drainMs` at most: a load that is slow for its time is measured all the same.
 * 5. An event of the warm-up that is still on its way after the run is waited for like others, so that it is not taken for lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connections, Slot } from './connection.ts';
import type { Deliveries } from './deliveries.ts';
import type { Load, LoadResult, Numbers } from './plan.ts';
import { Recorder } from './recorder.ts';

const DRAIN_MS = 10_000;
const POLL_MS = 5;
/** Clocks of two threads agree to less than this: a tick that seems this little too early begins what is due, which else would wait for the next. */
const EARLY_MS = 0.05;
const SEED = 0x2f6e2b1;

export interface LoopOptions {
  readonly connections: Connections;
  readonly deliveries: Deliveries;
  /** Where latencies go; several loops of one label share one. */
  readonly latency: Recorder;
  /** Milliseconds, of a clock that never goes back. */
  readonly now?: () => number;
  readonly drainMs?: number;
}

export class LoadLoop {
  readonly #load: Load;
  readonly #now: () => number;
  readonly #drainMs: number;
  readonly #connections: Connections;
  readonly #deliveries: Deliveries;
  readonly #numbers: () => number;
  readonly #latency: Recorder;
  readonly #lag = new Recorder();
  readonly #free: Slot[] = [];
  /** Due moments of operations under way that count. */
  readonly #underWay = new Set<{ readonly dueMs: number }>();
  #state: 'warming' | 'measuring' | 'ending' = 'warming';
  #startedMs = 0;
  #due = 0;
  #measuredFromMs = 0;
  #measuredToMs = 0;
  #ended = 0;
  #errors = 0;
  #firstError: string | undefined;

  constructor(load: Load, { connections, deliveries, latency, now = () => performance.now(), drainMs = DRAIN_MS }: LoopOptions) {
    this.#load = load;
    this.#now = now;
    this.#drainMs = drainMs;
    this.#connections = connections;
    this.#deliveries = deliveries;
    this.#latency = latency;
    this.#numbers = numbersOf(load.numbers);
  }

  /** Operations of an open loop are due from `atMs` on. */
  start(atMs = this.#now()): void {
    this.#startedMs = atMs;
    this.#free.push(...this.#connections.slots);
    if (this.#load.mode.kind === 'closed') for (const slot of this.#free.splice(0)) this.#again(slot);
  }

  /** Open loop: begins what is due and has a free slot. Called by the ticker; nothing to do in a closed loop. */
  tick(): void {
    const { mode } = this.#load;
    if (mode.kind !== 'open' || this.#state === 'ending' || this.#startedMs === 0) return;
    const now = this.#now();
    for (;;) {
      const dueMs = this.#startedMs + (this.#due * 1000) / mode.rate;
      if (dueMs > now + EARLY_MS || this.#free.length === 0) return;
      this.#due++;
      if (this.#state === 'measuring') this.#lag.record(this.#waited ? 0 : now - dueMs);
      const slot = this.#free.pop() as Slot;
      this.#operate(slot, Math.min(dueMs, now), () => this.#release(slot));
    }
  }

  measure(): void {
    this.#state = 'measuring';
    this.#measuredFromMs = this.#now();
  }

  /** To be awaited before `end`: a closed loop has its first outcome, good or bad, or its time for that is over. */
  async ripened(signal: AbortSignal): Promise<void> {
    const deadline = this.#now() + this.#drainMs;
    while (this.#load.mode.kind === 'closed' && this.#ended + this.#errors === 0 && this.#now() < deadline) await sleep(POLL_MS, undefined, { signal });
  }

  /** No further operation begins. To be called again changes nothing. */
  end(): void {
    if (this.#state === 'ending') return;
    this.tick();
    this.#measuredToMs = this.#now();
    this.#state = 'ending';
    const { mode } = this.#load;
    // What was due and never sent is as late as it is now.
    if (mode.kind === 'open' && this.#startedMs > 0) {
      for (;;) {
        const dueMs = this.#startedMs + (this.#due * 1000) / mode.rate;
        if (dueMs >= this.#measuredToMs) break;
        this.#due++;
        if (dueMs >= this.#measuredFromMs) this.#fail(dueMs, 'was due but no connection became free for it');
      }
    }
  }

  async drained(): Promise<void> {
    const deadline = this.#now() + this.#drainMs;
    while ((this.#underWay.size > 0 || this.#deliveries.waiting > 0) && this.#now() < deadline) await sleep(POLL_MS);
    for (const { dueMs } of this.#underWay) this.#fail(dueMs, `did not end within ${this.#drainMs / 1000} s after the run`);
    this.#underWay.clear();
  }

  result(): Omit<LoadResult, 'latency' | 'distribution' | 'lost' | 'duplicates'> {
    const seconds = (this.#measuredToMs - this.#measuredFromMs) / 1000;
    const first = this.#firstError === undefined ? {} : { firstError: this.#firstError };
    return { label: this.#load.label, seconds, operations: this.#ended, errors: this.#errors, ...first, lagP99: this.#lag.at(99) };
  }

  /** All slots are taken: what begins next is late because of the target. */
  #waited = false;

  #release(slot: Slot): void {
    this.#waited = this.#free.length === 0;
    this.#free.push(slot);
    if (this.#waited) this.tick();
    this.#waited = false;
  }

  #again(slot: Slot): void {
    if (this.#state !== 'ending') this.#operate(slot, this.#now(), () => this.#again(slot));
  }

  #operate(slot: Slot, dueMs: number, free: () => void): void {
    const number = this.#numbers();
    const counts = { dueMs };
    const measured = this.#state === 'measuring' && dueMs >= this.#measuredFromMs;
    if (measured) this.#underWay.add(counts);
    const finish = (error?: string): void => {
      if (measured && this.#underWay.delete(counts)) this.#finish(dueMs, error);
    };
    if (this.#load.ends === 'answer') {
      slot.send(number, (error) => {
        finish(error);
        free();
      });
      return;
    }
    const closed = this.#load.mode.kind === 'closed';
    // The event may come before the answer of its publish; the slot carries its next one only after both.
    let open = 2;
    const half = (): void => {
      open--;
      if (open === 0 && closed) free();
    };
    this.#deliveries.expect(number, () => {
      finish();
      half();
    });
    slot.send(number, (error) => {
      if (error !== undefined) {
        this.#deliveries.forget(number);
        finish(error);
        if (open === 2) half();
      }
      if (!closed) free();
      half();
    });
  }

  #finish(dueMs: number, error: string | undefined): void {
    if (error !== undefined) return this.#fail(dueMs, error);
    const now = this.#now();
    this.#latency.record(now - dueMs);
    if (this.#state === 'measuring' || this.#load.mode.kind === 'open') this.#ended++;
  }

  #fail(dueMs: number, words: string): void {
    this.#errors++;
    this.#firstError ??= words;
    this.#latency.record(this.#now() - dueMs);
  }
}

/** The numbers of the requests in their order; the draw is the same in every run (a 32-bit xorshift). */
export function numbersOf({ from, count, order }: Numbers): () => number {
  let next = 0;
  if (order === 'sequential') return () => from + (next++ % count);
  let state = SEED;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return from + ((state >>> 0) % count);
  };
}
