/**
 * Events from an SQS queue. A message is invisible to other readers for a time, which is prolonged while its event is under
 * way; it is deleted when the event is taken or rejected.
 *
 * Invariants
 *  1. No message is deleted before its event is settled.
 *  2. At most `IN_FLIGHT_MAX` events are under way; there is one poll at a time.
 *  3. What arrives while paused is given back to the queue at once.
 */
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import type { BindingEvent, Clock, ComponentLog, EventSettlement, StartRequest, Subscription } from '@mecha/components/kit';
import { boundedCall } from './client.ts';

const SERVICE = 'SQS';
/** What settles an event is said to the end, also while the intake closes. */
const NEVER = new AbortController().signal;

type Sdk = typeof import('@aws-sdk/client-sqs');

export interface SqsIntakeParts {
  readonly sdk: Sdk;
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly visibilityMs: number;
  readonly waitSeconds: number;
  /** Most time for a call, beyond the wait for events. */
  readonly timeoutMs: number;
  readonly request: StartRequest;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

const IN_FLIGHT_MAX = 10;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;
/** Longest that SQS lets a message be invisible: 12 hours. */
const INVISIBLE_SECONDS_MAX = 43_200;

export class SqsIntake implements Subscription {
  readonly #parts: SqsIntakeParts;
  readonly #leaving = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #wake: (() => void) | undefined;
  #paused = false;
  #loop: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: SqsIntakeParts) {
    this.#parts = parts;
  }

  start(): this {
    this.#loop = this.#poll();
    return this;
  }
  async pause(): Promise<void> {
    this.#paused = true;
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
    this.#leaving.abort();
    this.#wake?.();
    await this.#loop;
    await Promise.all(this.#underWay);
  }

  async #poll(): Promise<void> {
    const { sdk, client, queueUrl, visibilityMs, waitSeconds, timeoutMs, log } = this.#parts;
    const { signal } = this.#leaving;
    for (let failures = 0; !signal.aborted; ) {
      const free = IN_FLIGHT_MAX - this.#underWay.size;
      if (this.#paused || free === 0) {
        await this.#woken();
        continue;
      }
      try {
        const command = new sdk.ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: free, WaitTimeSeconds: waitSeconds, VisibilityTimeout: seconds(visibilityMs), MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
        const { Messages = [] } = await boundedCall(SERVICE, waitSeconds * 1_000 + timeoutMs, signal, (abortSignal) => client.send(command, { abortSignal }));
        failures = 0;
        for (const message of Messages) this.#take(message);
      } catch (error) {
        if (signal.aborted) return;
        if (failures++ === 0) log.warn({ reason: (error as Error).message }, 'the queue cannot be read; trying again');
        await this.#woken(Math.min(RETRY_FIRST_MS * 2 ** Math.min(failures, 10), RETRY_MOST_MS));
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
    const work = (this.#paused || this.#leaving.signal.aborted ? this.#settle(message, { action: 'release' }) : this.#deliver(message)).finally(() => {
      this.#underWay.delete(work);
      this.#wake?.();
    });
    this.#underWay.add(work);
  }

  async #deliver(message: Message): Promise<void> {
    const { visibilityMs, clock, request } = this.#parts;
    let cancel = (): void => undefined;
    const prolong = (): void => {
      cancel = clock.after(visibilityMs / 2, () => {
        void this.#setInvisible(message, visibilityMs);
        prolong();
      });
    };
    prolong();
    try {
      await this.#settle(message, await request.deliver(eventOf(message)));
    } finally {
      cancel();
    }
  }

  async #settle(message: Message, settlement: EventSettlement): Promise<void> {
    const { sdk, client, queueUrl, timeoutMs, log } = this.#parts;
    if (settlement.action === 'retry') return this.#setInvisible(message, settlement.delayMs);
    if (settlement.action === 'release') return this.#setInvisible(message, 0);
    try {
      await boundedCall(SERVICE, timeoutMs, NEVER, (abortSignal) => client.send(new sdk.DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle ?? '' }), { abortSignal }));
    } catch (error) {
      log.warn({ id: message.MessageId, reason: (error as Error).message }, 'a message that was settled could not be deleted; it will come again');
    }
  }

  async #setInvisible(message: Message, ms: number): Promise<void> {
    const { sdk, client, queueUrl, timeoutMs, log } = this.#parts;
    try {
      const command = new sdk.ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle ?? '', VisibilityTimeout: seconds(ms) });
      await boundedCall(SERVICE, timeoutMs, NEVER, (abortSignal) => client.send(command, { abortSignal }));
    } catch (error) {
      log.debug({ id: message.MessageId, reason: (error as Error).message }, 'the time for which a message is invisible could not be changed');
    }
  }
}

const seconds = (ms: number): number => Math.min(Math.ceil(ms / 1_000), INVISIBLE_SECONDS_MAX);

/** Deliveries are counted by the queue, so those that were handed back count too. */
function eventOf({ MessageId = '', Body = '', Attributes = {}, MessageAttributes = {} }: Message): BindingEvent {
  const own = Object.entries(MessageAttributes).flatMap(([name, { StringValue }]) => (StringValue === undefined ? [] : [[name, StringValue] as const]));
  const { MessageGroupId, SentTimestamp } = Attributes;
  return {
    id: MessageId,
    data: Buffer.from(Body),
    metadata: { ...Object.fromEntries(own), messageId: MessageId, ...(MessageGroupId ? { messageGroupId: MessageGroupId } : {}), ...(SentTimestamp ? { sentTimestamp: SentTimestamp } : {}) },
    attempt: Math.max(Number(Attributes.ApproximateReceiveCount ?? 1), 1),
  };
}
