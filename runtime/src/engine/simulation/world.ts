/**
 * Time, chance and processes of a simulation. Everything that happens is an entry in one queue; between two entries all promises
 * settle, so that a seed decides everything. `now` is the wall clock, which may jump; delays are monotonic and do not.
 */
import type { Clock } from '@mecha/components/kit';

export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 0 <= x < 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(probability: number): boolean {
    return this.next() < probability;
  }
  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}

interface Entry {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class World {
  readonly random: Random;
  /** Milliseconds of virtual time that have passed. */
  elapsed = 0;
  /** Entries that ran. */
  events = 0;
  #order = 0;
  #outside = 0;
  #ids = 0;
  #wallOffset = Date.UTC(2026, 0, 1);
  readonly #heap: Entry[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Whole milliseconds, as clocks of the wall give them, however odd the delays are. */
  readonly now = (): number => Math.floor(this.elapsed) + this.#wallOffset;
  jump(ms: number): void {
    this.#wallOffset += ms;
  }
  readonly newId = (): string => `id${++this.#ids}`;

  /** Work outside of this world, a ledger's on its own thread: time stands still until it is done. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#outside++;
    try {
      return await work;
    } finally {
      this.#outside--;
    }
  }

  schedule(delayMs: number, run: () => void): () => void {
    const entry: Entry = { at: this.elapsed + Math.max(0, delayMs), order: this.#order++, run };
    push(this.#heap, entry);
    return () => (entry.run = undefined);
  }

  /** Runs until `done` says so, the queue is empty, or the time is over; whether it was done. */
  async run(done: () => boolean, untilMs: number, eventsMax: number): Promise<boolean> {
    for (;;) {
      if (done()) return true;
      const entry = pop(this.#heap);
      if (!entry || entry.at > untilMs || this.events >= eventsMax) return false;
      if (!entry.run) continue;
      this.elapsed = Math.max(this.elapsed, entry.at);
      this.events++;
      entry.run();
      do await new Promise<void>((resolve) => void setImmediate(resolve));
      while (this.#outside > 0);
    }
  }
}

/** One process: may be killed, or stand still for a while and then go on as if nothing had been. */
export class SimulatedProcess {
  readonly name: string;
  readonly #world: World;
  alive = true;
  #frozen = false;
  #held: (() => void)[] = [];

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
  }

  readonly clock: Clock = {
    now: () => this.#world.now(),
    after: (ms, callback) => this.#world.schedule(ms, () => this.deliver(callback)),
  };

  /** Runs now, when it goes on, or never. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#frozen) this.#held.push(run);
    else run();
  }
  kill(): void {
    this.alive = false;
    this.#held = [];
  }
  freeze(ms: number): void {
    if (this.#frozen) return;
    this.#frozen = true;
    this.#world.schedule(ms, () => {
      this.#frozen = false;
      const held = this.#held;
      this.#held = [];
      for (const run of held) this.#world.schedule(0, () => this.deliver(run));
    });
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
function push(heap: Entry[], entry: Entry): void {
  let n = heap.push(entry) - 1;
  while (n > 0) {
    const parent = (n - 1) >> 1;
    const above = heap[parent];
    if (!above || !isBefore(entry, above)) break;
    heap[n] = above;
    n = parent;
  }
  heap[n] = entry;
}
function pop(heap: Entry[]): Entry | undefined {
  const [top] = heap;
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let n = 0;
  for (;;) {
    let child = 2 * n + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    if (right && isBefore(right, left)) child++;
    const below = heap[child];
    if (!below || !isBefore(below, last)) break;
    heap[n] = below;
    n = child;
  }
  heap[n] = last;
  return top;
}
