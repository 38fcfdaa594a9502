/**
 * Events from a durable consumer of a JetStream stream. Events are asked for in portions of as many as may be taken up, so
 * none waits unseen while its time for an acknowledgement runs.
 *
 * Invariants
 *  1. Nothing is acknowledged before it is settled; while an event is under way, the server is told so.
 *  2. At most `inFlightMax` events are under way.
 *  3. What arrives while paused is given back at once.
 */
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { BindingEvent, Clock, ComponentLog, EventSettlement, StartRequest, Subscription } from '@mecha/components/kit';

export interface StreamIntakeParts {
  /** Finds the consumer, or makes it. */
  readonly consumer: () => Promise<Consumer>;
  readonly ackWaitMs: number;
  readonly inFlightMax: number;
  readonly request: StartRequest;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** The server ends a portion after this time, full or not. */
const PORTION_MS = 10_000;
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 15_000;

export class StreamIntake implements Subscription {
  readonly #parts: StreamIntakeParts;
  readonly #underWay = new Set<Promise<void>>();
  #portion: ConsumerMessages | undefined;
  #wake: (() => void) | undefined;
  #paused = false;
  #leaving = false;
  #loop: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: StreamIntakeParts) {
    this.#parts = parts;
  }

  /** Rejects when there is no consumer to be had. */
  async start(): Promise<this> {
    const consumer = await this.#parts.consumer();
    this.#loop = this.#read(consumer);
    return this;
  }
  async pause(): Promise<void> {
    this.#paused = true;
    this.#portion?.stop();
  }
  async resume(): Promise<void> {
    this.#paused = false;
    this.#wake?.();
  }
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#leaving = true;
    this.#portion?.stop();
    this.#wake?.();
    await this.#loop;
    await Promise.all(this.#underWay);
  }

  async #read(first: Consumer): Promise<void> {
    const { inFlightMax, log } = this.#parts;
    let consumer: Consumer | undefined = first;
    for (let failures = 0; !this.#leaving; ) {
      const free = inFlightMax - this.#underWay.size;
      if (this.#paused || free === 0) {
        await this.#woken();
        continue;
      }
      try {
        consumer ??= await this.#parts.consumer();
        this.#portion = await consumer.fetch({ max_messages: free, expires: PORTION_MS });
        if (this.#stopping) this.#portion.stop();
        for await (const message of this.#portion) this.#take(message);
        failures = 0;
      } catch (error) {
        if (this.#leaving) return;
        // It may have been deleted meanwhile, with the server or by hand.
        consumer = undefined;
        if (failures++ === 0) log.warn({ reason: (error as Error).message }, 'the stream cannot be read; trying again');
        await this.#woken(Math.min(RETRY_FIRST_MS * 2 ** Math.min(failures, 10), RETRY_MOST_MS));
      } finally {
        this.#portion = undefined;
      }
    }
  }

  /** Asked by way of a getter: both change while the loop waits. */
  get #stopping(): boolean {
    return this.#paused || this.#leaving;
  }

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

  #take(message: JsMsg): void {
    if (this.#stopping) {
      message.nak();
      return;
    }
    const work = this.#deliver(message).finally(() => {
      this.#underWay.delete(work);
      this.#wake?.();
    });
    this.#underWay.add(work);
  }

  async #deliver(message: JsMsg): Promise<void> {
    const { ackWaitMs, clock, request } = this.#parts;
    let cancel = (): void => undefined;
    const prolong = (): void => {
      cancel = clock.after(ackWaitMs / 3, () => {
        message.working();
        prolong();
      });
    };
    prolong();
    try {
      settle(message, await request.deliver(eventOf(message)));
    } finally {
      cancel();
    }
  }
}

function settle(message: JsMsg, settlement: EventSettlement): void {
  switch (settlement.action) {
    case 'ack':
      message.ack();
      return;
    case 'retry':
      message.nak(Math.max(settlement.delayMs, 1));
      return;
    case 'reject':
      message.term('rejected');
      return;
    case 'release':
      message.nak();
      return;
  }
}

/** Deliveries are counted by the server, so those that were handed back count too. */
function eventOf({ info, subject, data, headers }: JsMsg): BindingEvent {
  const own = headers ? headers.keys().map((name) => [name, headers.values(name).join(', ')] as const) : [];
  return { id: `${info.stream}-${info.streamSequence}`, data, metadata: { ...Object.fromEntries(own), subject }, attempt: Math.max(info.deliveryCount, 1) };
}
