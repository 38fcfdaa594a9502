/** Events from a subject of NATS without a stream: at most once, shared by the readers of one group. */
import { randomUUID } from 'node:crypto';
import type { Msg, NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node';
import type { ComponentLog, StartRequest, Subscription } from '@mecha/components/kit';

/** Under way and waiting. What comes on top is lost, as it would be without a reader. */
const HELD_MAX = 10_000;

export class SubjectIntake implements Subscription {
  readonly #request: StartRequest;
  readonly #log: ComponentLog;
  readonly #inFlightMax: number;
  readonly #waiting: Msg[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #subscription: NatsSubscription;
  #paused = false;
  #closed: Promise<void> | undefined;

  constructor(parts: { connection: NatsConnection; subject: string; group: string; inFlightMax: number; request: StartRequest; log: ComponentLog }) {
    const { connection, subject, group, inFlightMax, request, log } = parts;
    [this.#request, this.#log, this.#inFlightMax] = [request, log, inFlightMax];
    this.#subscription = connection.subscribe(subject, { queue: group, callback: (error, message) => (error ? log.warn({ reason: error.message }, 'the subject cannot be read') : this.#receive(message)) });
  }

  async pause(): Promise<void> {
    this.#paused = true;
  }
  async resume(): Promise<void> {
    this.#paused = false;
    this.#goOn();
  }
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#subscription.unsubscribe();
    this.#waiting.length = 0;
    await Promise.all(this.#underWay);
  }

  #receive(message: Msg): void {
    if (this.#closed) return;
    if (this.#waiting.length >= HELD_MAX) {
      this.#log.warn({ subject: message.subject }, 'an event is lost: too many wait already');
      return;
    }
    this.#waiting.push(message);
    this.#goOn();
  }

  #goOn(): void {
    while (!this.#paused && this.#underWay.size < this.#inFlightMax) {
      const message = this.#waiting.shift();
      if (!message) return;
      const { subject, data, headers } = message;
      const own = headers ? headers.keys().map((name) => [name, headers.values(name).join(', ')] as const) : [];
      const event = { id: randomUUID(), data, metadata: { ...Object.fromEntries(own), subject }, attempt: 1 };
      const work: Promise<void> = this.#request.deliver(event).then(() => {
        this.#underWay.delete(work);
        this.#goOn();
      });
      this.#underWay.add(work);
    }
  }
}
