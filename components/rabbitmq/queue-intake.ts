/**
 * Events from a queue of RabbitMQ, over all connections that the component will have.
 *
 * Owns: what becomes of a message. A message stays unacknowledged until it is settled; while it waits to be tried again, it
 * is kept here, so that its tries are counted and it does not go round the queue.
 *
 * Invariants
 * I1  A message is settled on the channel it came on, or not at all: with its channel it was given back to the queue, and is no
 *     longer tried from here.
 * I2  At most as many are under way as the channel's prefetch count.
 * I3  After `close` nothing is delivered, and nothing is left unsettled on a live channel.
 */
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Clock, ComponentLog, EventSettlement, StartRequest, Subscription } from '@mecha/components/kit';
import type { Broker, BrokerSession } from './broker.ts';

/** How long an event that was handed back (its app is away) stays here before the queue has it again. */
const RELEASED_MS = 1_000;

interface Consumer {
  readonly session: BrokerSession;
  /** Undefined until the broker has answered. */
  tag: Promise<string | undefined>;
}

export class QueueIntake implements Subscription {
  readonly #broker: Broker;
  readonly #queue: string;
  readonly #deliver: StartRequest['deliver'];
  readonly #clock: Clock;
  readonly #log: ComponentLog;
  readonly #underWay = new Set<Promise<void>>();
  /** End the waits of what is to be tried again; each with the channel of its message. */
  readonly #cutWaits = new Map<() => void, Channel>();
  #consumer: Consumer | undefined;
  #paused = false;
  #closed: Promise<void> | undefined;
  #stopListening: (() => void) | undefined;
  #sessions = 0;

  constructor(parts: { readonly broker: Broker; readonly queue: string; readonly deliver: StartRequest['deliver']; readonly clock: Clock; readonly log: ComponentLog }) {
    this.#broker = parts.broker;
    this.#queue = parts.queue;
    this.#deliver = parts.deliver;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Resolves when the broker gives this consumer messages; rejects when it does not now. */
  async start(): Promise<void> {
    const { session } = this.#broker;
    if (!session) throw new Error('there is no connection to RabbitMQ');
    const tag = await this.#consume(session);
    if (tag === undefined) throw new Error('RabbitMQ takes no consumer of this queue now; is it read exclusively?');
    this.#stopListening = this.#broker.onSession((next) => {
      for (const [cut, channel] of this.#cutWaits) if (channel !== next.reading) cut();
      if (next !== this.#consumer?.session && !this.#paused) void this.#consume(next);
    });
  }

  #consume(session: BrokerSession): Promise<string | undefined> {
    this.#sessions += 1;
    const prefix = `${this.#clock.now().toString(36)}-${this.#sessions}`;
    const consumer: Consumer = { session, tag: Promise.resolve(undefined) };
    consumer.tag = session.reading
      .consume(this.#queue, (message) => {
        // Null: the broker has cancelled the consumer, because the queue is gone. Beginning anew declares it again.
        if (message === null) return void session.model.close().catch(() => undefined);
        this.#take(session.reading, message, prefix);
      })
      .then(({ consumerTag }) => consumerTag)
      .catch((error: unknown) => {
        // Its channel is closed now, and with it the session: the next one tries again.
        this.#log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'RabbitMQ took no consumer');
        return undefined;
      });
    this.#consumer = consumer;
    return consumer.tag;
  }

  #take(channel: Channel, message: ConsumeMessage, prefix: string): void {
    if (this.#paused || this.#closed) return settle(() => channel.nack(message, false, true));
    const handling = this.#handle(channel, message, prefix).finally(() => this.#underWay.delete(handling));
    this.#underWay.add(handling);
  }

  async #handle(channel: Channel, message: ConsumeMessage, prefix: string): Promise<void> {
    const { properties, fields, content } = message;
    const event = {
      id: typeof properties.messageId === 'string' && properties.messageId !== '' ? properties.messageId : `${prefix}-${fields.deliveryTag}`,
      data: content,
      metadata: metadataOf(message),
      ...(typeof properties.contentType === 'string' ? { contentType: properties.contentType } : {}),
    };
    for (let attempt = 1; ; attempt++) {
      const settlement: EventSettlement = await this.#deliver({ ...event, attempt });
      switch (settlement.action) {
        case 'ack':
          return settle(() => channel.ack(message));
        case 'reject':
          return settle(() => channel.nack(message, false, false));
        case 'release':
          await this.#wait(channel, RELEASED_MS);
          return settle(() => channel.nack(message, false, true));
        case 'retry':
          if (await this.#wait(channel, settlement.delayMs)) continue;
          return settle(() => channel.nack(message, false, true));
      }
    }
  }

  /** False, and at once where it can be: intake stops, or the channel of the message is no more. */
  #wait(channel: Channel, ms: number): Promise<boolean> {
    const isOver = (): boolean => this.#paused || this.#closed !== undefined || this.#broker.session?.reading !== channel;
    if (isOver()) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (whole: boolean): void => {
        cancel();
        this.#cutWaits.delete(cut);
        resolve(whole);
      };
      const cut = (): void => end(false);
      const cancel = this.#clock.after(ms, () => end(!isOver()));
      this.#cutWaits.set(cut, channel);
    });
  }

  async pause(): Promise<void> {
    if (this.#paused) return;
    this.#paused = true;
    await this.#leave();
  }

  async resume(): Promise<void> {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    const { session } = this.#broker;
    if (session) await this.#consume(session);
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#stopListening?.();
      await this.#leave();
    })();
    return this.#closed;
  }

  /** Takes no more, and waits for what is under way. */
  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    const tag = await consumer?.tag;
    if (consumer && tag !== undefined && this.#broker.session === consumer.session) {
      // A connection that breaks here has ended the consumer in its own way.
      await consumer.session.reading.cancel(tag).catch((error: unknown) => this.#log.debug({ reason: String(error) }, 'a consumer could not be cancelled'));
    }
    for (const cut of this.#cutWaits.keys()) cut();
    await Promise.all(this.#underWay);
  }
}

/** A channel that is no more has already given its messages back (I1). */
function settle(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as Error).name !== 'IllegalOperationError') throw error;
  }
}

/** Headers that are texts, with names as in a query string; what the broker says of the message under names of its own. */
function metadataOf({ properties, fields }: ConsumeMessage): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries<unknown>(properties.headers ?? {})) {
    if (typeof value === 'string') metadata[encodeURIComponent(name).replaceAll('%20', '+')] = value;
  }
  if (fields.redelivered) metadata['redelivered'] = 'true';
  return metadata;
}
