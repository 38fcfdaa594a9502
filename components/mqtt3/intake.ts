/**
 * Events from an MQTT subscription, acknowledged one by one and only when they are settled.
 *
 * MQTT sends an unacknowledged event again when its session is taken up again, and not before. So what is to be tried again
 * waits here, unacknowledged; if this process dies, the broker still has it.
 *
 * Invariants
 *  1. An event is acknowledged on the connection that brought it last, and only there: another connection numbers anew.
 *  2. What the broker sends again while it is under way, or waits, is no second event: it has the same id (`event-ids.ts`).
 *  3. At most `IN_FLIGHT_MAX` events are held; from there on the connection is not read.
 */
import type { IPublishPacket, MqttClient } from 'mqtt';
import type { BindingEvent, Clock, ComponentLog, EventSettlement, StartRequest, Subscription } from '@mecha/components/kit';
import type { EventIds } from './event-ids.ts';

const IN_FLIGHT_MAX = 1_000;
/** A released event is offered again after this time, unless `resume` comes before. */
const RELEASED_AGAIN_MS = 5_000;

interface Held {
  readonly event: BindingEvent;
  readonly messageId: number | undefined;
  /** The connection that brought it last. */
  stream: MqttClient['stream'];
  cancelTimer?: () => void;
}

/** Means to the library: acknowledge nothing, go on reading. */
const NOT_YET = new Error('acknowledged once it is settled');

export class Intake implements Subscription {
  readonly #request: StartRequest;
  readonly #ids: EventIds;
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  readonly #generate: (packet: { cmd: 'puback'; messageId: number }) => Buffer;
  readonly #end: () => Promise<void>;
  readonly #held = new Map<string, Held>();
  readonly #underWay = new Set<Promise<void>>();
  /** Held while paused. */
  readonly #parked = new Set<Held>();
  #goOn: (() => void) | undefined;
  #paused = false;
  #closed: Promise<void> | undefined;

  constructor(parts: { request: StartRequest; ids: EventIds; clock: Clock; log: ComponentLog; generate: (packet: { cmd: 'puback'; messageId: number }) => Buffer; end: () => Promise<void> }) {
    this.#request = parts.request;
    this.#ids = parts.ids;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#generate = parts.generate;
    this.#end = parts.end;
  }

  /** For the library's `handleMessage`. */
  receive(packet: IPublishPacket, stream: MqttClient['stream'], done: (error?: Error) => void): void {
    const goOn = (): void => done(packet.qos === 0 ? undefined : NOT_YET);
    if (this.#closed) return goOn();
    const id = this.#ids.idOf(packet, (one) => this.#held.has(one));
    const known = this.#held.get(id);
    if (known) {
      known.stream = stream;
      return goOn();
    }
    const metadata = { topic: packet.topic, ...(packet.retain ? { retained: 'true' } : {}) };
    const held: Held = { event: { id, data: Buffer.from(packet.payload), metadata, attempt: 1 }, messageId: packet.qos === 0 ? undefined : packet.messageId, stream };
    this.#held.set(id, held);
    this.#offer(held);
    if (this.#held.size >= IN_FLIGHT_MAX) this.#goOn = goOn;
    else goOn();
  }

  async pause(): Promise<void> {
    this.#paused = true;
  }

  async resume(): Promise<void> {
    this.#paused = false;
    const parked = [...this.#parked];
    this.#parked.clear();
    for (const held of parked) this.#offer(held);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const held of this.#held.values()) held.cancelTimer?.();
    await Promise.all(this.#underWay);
    this.#held.clear();
    this.#parked.clear();
    await this.#end();
  }

  #offer(held: Held): void {
    delete held.cancelTimer;
    if (this.#closed) return;
    if (this.#paused) return void this.#parked.add(held);
    const work = this.#deliver(held).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #deliver(held: Held): Promise<void> {
    const settlement: EventSettlement = await this.#request.deliver(held.event);
    switch (settlement.action) {
      case 'ack':
      case 'reject':
        this.#acknowledge(held);
        return;
      case 'retry':
        this.#offerLater({ ...held, event: { ...held.event, attempt: held.event.attempt + 1 } }, settlement.delayMs);
        return;
      case 'release':
        this.#offerLater(held, RELEASED_AGAIN_MS);
        return;
    }
  }

  #offerLater(held: Held, delayMs: number): void {
    const current = this.#held.get(held.event.id);
    const next = { ...held, stream: current?.stream ?? held.stream };
    this.#held.set(held.event.id, next);
    if (!this.#closed) next.cancelTimer = this.#clock.after(delayMs, () => this.#offer(next));
  }

  #acknowledge({ event, messageId, stream }: Held): void {
    const latest = this.#held.get(event.id)?.stream ?? stream;
    this.#held.delete(event.id);
    if (messageId !== undefined && latest.writable) {
      latest.write(this.#generate({ cmd: 'puback', messageId }), (error) => {
        // The broker sends it again; the app sees the event a second time, by the same id.
        if (error) this.#log.debug({ reason: error.message }, 'an event could not be acknowledged');
      });
    }
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }
}
