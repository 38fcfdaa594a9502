/**
 * Events from a durable consumer of a JetStream stream, asked for in portions. Nothing is acknowledged before it is settled; what is under
 * way is said to the server to be so.
 */
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import type { BindingEvent, EventSettlement } from '@mecha/components/kit';
import type { PolledSource } from '@mecha/components/kit/polled-intake.ts';

/** The server ends a portion after this time, full or not. */
const PORTION_MS = 10_000;

export class StreamSource implements PolledSource<JsMsg> {
  readonly #find: () => Promise<Consumer>;
  #consumer: Consumer | undefined;

  /** `find` finds the consumer, or makes it. */
  constructor(find: () => Promise<Consumer>) {
    this.#find = find;
  }

  /** Rejects when there is no consumer to be had. */
  async open(): Promise<this> {
    this.#consumer = await this.#find();
    return this;
  }

  async poll(free: number, take: (message: JsMsg) => void, { stopping }: { readonly stopping: AbortSignal }): Promise<void> {
    try {
      this.#consumer ??= await this.#find();
      const portion = await this.#consumer.fetch({ max_messages: free, expires: PORTION_MS });
      const stop = (): void => portion.stop();
      if (stopping.aborted) stop();
      else stopping.addEventListener('abort', stop, { once: true });
      try {
        for await (const message of portion) take(message);
      } finally {
        stopping.removeEventListener('abort', stop);
      }
    } catch (error) {
      // It may have been deleted meanwhile, with the server or by hand.
      this.#consumer = undefined;
      throw error;
    }
  }

  /** Deliveries are counted by the server, so those that were handed back count too. */
  eventOf({ info, subject, data, headers }: JsMsg): BindingEvent {
    const own = headers ? headers.keys().map((name) => [name, headers.values(name).join(', ')] as const) : [];
    return { id: `${info.stream}-${info.streamSequence}`, data, metadata: { ...Object.fromEntries(own), subject }, attempt: Math.max(info.deliveryCount, 1) };
  }

  async keep(message: JsMsg): Promise<void> {
    message.working();
  }

  async settle(message: JsMsg, settlement: EventSettlement): Promise<void> {
    switch (settlement.action) {
      case 'ack':
        return message.ack();
      case 'retry':
        return message.nak(Math.max(settlement.delayMs, 1));
      case 'reject':
        return message.term('rejected');
      case 'release':
        return message.nak();
    }
  }
}
