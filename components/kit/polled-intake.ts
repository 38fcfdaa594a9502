/**
 * Events of a source that is asked for them, a few at a time: never more than may be taken up, so that none waits unseen while its time at
 * the source runs. How to ask, settle and keep is the backend's (`PolledSource`).
 *
 * Invariants
 *  1. At most `inFlightMax` events are under way; one question is asked at a time.
 *  2. While an event is under way, the source is told so every `keepEveryMs`.
 *  3. What arrives while paused, or while closing, is given back at once.
 *  4. Closing ends when all that was under way is settled.
 *  5. A source that fails at an event loses nothing but that settlement, and gives the event again: neither its place here nor the process.
 */
import type { BindingEvent, EventSettlement, StartRequest } from './bindings.ts';
import type { Clock, ComponentLog } from './component.ts';
import type { Subscription } from './pubsub.ts';

/** Both abort once and for all: a resumed intake asks with new ones. */
export interface PollSignals {
  /** Nothing more is wanted for now: pausing, or closing. */
  readonly stopping: AbortSignal;
  readonly closing: AbortSignal;
}

export interface PolledSource<Message> {
  /** Hands over at most `free` messages as they come. A rejection is told once, and the source asked again after a while. */
  poll(free: number, take: (message: Message) => void, signals: PollSignals): Promise<void>;
  eventOf(message: Message): BindingEvent;
  /** Never rejects. */
  settle(message: Message, settlement: EventSettlement): Promise<void>;
  /** Its event is still under way. Never rejects. */
  keep(message: Message): Promise<void>;
}

export interface PolledIntakeParts<Message> {
  readonly source: PolledSource<Message>;
  /** What it is, for the log: `the queue`. */
  readonly title: string;
  readonly inFlightMax: number;
  readonly keepEveryMs: number;
  readonly request: StartRequest;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;

/** Begins to ask at once. */
export class PolledIntake<Message> implements Subscription {
  readonly #parts: PolledIntakeParts<Message>;
  readonly #underWay = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #stopping = new AbortController();
  #wake: (() => void) | undefined;
  readonly #loop: Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(parts: PolledIntakeParts<Message>) {
    this.#parts = parts;
    this.#loop = this.#ask();
  }

  async pause(): Promise<void> {
    this.#stopping.abort();
  }

  async resume(): Promise<void> {
    if (this.#closing.signal.aborted || !this.#stopping.signal.aborted) return;
    this.#stopping = new AbortController();
    this.#wake?.();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#stopping.abort();
    this.#wake?.();
    await this.#loop;
    await Promise.all(this.#underWay);
  }

  async #ask(): Promise<void> {
    const { source, title, inFlightMax, log } = this.#parts;
    const closing = this.#closing.signal;
    for (let failures = 0; !closing.aborted; ) {
      const free = inFlightMax - this.#underWay.size;
      const stopping = this.#stopping.signal;
      if (stopping.aborted || free === 0) {
        await this.#woken();
        continue;
      }
      try {
        await source.poll(free, (message) => this.#take(message), { stopping, closing });
        failures = 0;
      } catch (error) {
        if (closing.aborted) return;
        if (failures++ === 0) log.warn({ reason: messageOf(error) }, `${title} cannot be read; trying again`);
        await this.#woken(Math.min(RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10), RETRY_MOST_MS));
      }
    }
  }

  /** Until something has changed, or the time is over. */
  #woken(afterMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = afterMs === undefined ? undefined : this.#parts.clock.after(afterMs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        cancel?.();
        resolve();
      };
    });
  }

  #take(message: Message): void {
    const work = this.#handle(message).then(() => {
      this.#underWay.delete(work);
      this.#wake?.();
    });
    this.#underWay.add(work);
  }

  /** Never rejects. */
  async #handle(message: Message): Promise<void> {
    const { source, title, log } = this.#parts;
    try {
      if (this.#stopping.signal.aborted) await source.settle(message, { action: 'release' });
      else await this.#deliver(message);
    } catch (error) {
      log.error({ reason: messageOf(error) }, `${title} failed at an event, which was not settled and comes again`);
    }
  }

  async #deliver(message: Message): Promise<void> {
    const { source, keepEveryMs, clock, request } = this.#parts;
    let cancel = (): void => undefined;
    const keepLater = (): void => {
      cancel = clock.after(keepEveryMs, () => {
        void this.#keep(message);
        keepLater();
      });
    };
    keepLater();
    try {
      await source.settle(message, await request.deliver(source.eventOf(message)));
    } finally {
      cancel();
    }
  }

  /** Never rejects. */
  async #keep(message: Message): Promise<void> {
    const { source, title, log } = this.#parts;
    try {
      await source.keep(message);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, `${title} was not told that an event is under way still`);
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
