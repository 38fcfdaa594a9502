/**
 * Events from an SQS queue. A message is invisible to other readers for a time, which is prolonged while its event is under
 * way; it is deleted when the event is taken or rejected. No message is deleted before its event is settled.
 */
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import type { BindingEvent, ComponentLog, EventSettlement } from '@mecha/components/kit';
import type { PolledSource } from '@mecha/components/kit/polled-intake.ts';
import { boundedCall } from './client.ts';

const SERVICE = 'SQS';
/** What settles an event is said to the end, also while the intake closes. */
const NEVER = new AbortController().signal;
/** As many as SQS gives at a time. */
export const IN_FLIGHT_MAX = 10;
/** Longest that SQS lets a message be invisible: 12 hours. */
const INVISIBLE_SECONDS_MAX = 43_200;

export interface SqsSourceParts {
  readonly sdk: typeof import('@aws-sdk/client-sqs');
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly visibilityMs: number;
  readonly waitSeconds: number;
  /** Most time for a call, beyond the wait for events. */
  readonly timeoutMs: number;
  readonly log: ComponentLog;
}

export class SqsSource implements PolledSource<Message> {
  readonly #parts: SqsSourceParts;

  constructor(parts: SqsSourceParts) {
    this.#parts = parts;
  }

  /** Not called off by a pause: what it has made invisible by then would stay so for its time. */
  async poll(free: number, take: (message: Message) => void, { closing }: { readonly closing: AbortSignal }): Promise<void> {
    const { sdk, client, queueUrl, visibilityMs, waitSeconds, timeoutMs } = this.#parts;
    const command = new sdk.ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: free, WaitTimeSeconds: waitSeconds, VisibilityTimeout: seconds(visibilityMs), MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
    const { Messages = [] } = await boundedCall(SERVICE, waitSeconds * 1_000 + timeoutMs, closing, (abortSignal) => client.send(command, { abortSignal }));
    for (const message of Messages) take(message);
  }

  /** Deliveries are counted by the queue, so those that were handed back count too. */
  eventOf({ MessageId = '', Body = '', Attributes = {}, MessageAttributes = {} }: Message): BindingEvent {
    const own = Object.entries(MessageAttributes).flatMap(([name, { StringValue }]) => (StringValue === undefined ? [] : [[name, StringValue] as const]));
    const { MessageGroupId, SentTimestamp } = Attributes;
    return {
      id: MessageId,
      data: Buffer.from(Body),
      metadata: { ...Object.fromEntries(own), messageId: MessageId, ...(MessageGroupId ? { messageGroupId: MessageGroupId } : {}), ...(SentTimestamp ? { sentTimestamp: SentTimestamp } : {}) },
      attempt: Math.max(Number(Attributes.ApproximateReceiveCount ?? 1), 1),
    };
  }

  keep(message: Message): Promise<void> {
    return this.#setInvisible(message, this.#parts.visibilityMs);
  }

  async settle(message: Message, settlement: EventSettlement): Promise<void> {
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
