/**
 * Publishing to Kafka: what was handed in while a request was under way leaves with the next one, so that many callers
 * share the wait for the acknowledgement of all replicas.
 *
 * Owns: the record's form (key, headers, partition) and the gathering. Bounds: a request carries at most
 * `BATCH_MESSAGES_MAX` records and about `BATCH_BYTES_MAX` bytes; at most `WAITING_MAX` records wait for one. Callers wait
 * for their own record's acknowledgement.
 */
import type { CompressionTypes, Message, Producer } from 'kafkajs';
import { PublishRefused, type PublishMessage } from '@mecha/components/kit';
import { asError, errorType } from './client.ts';

const BATCH_MESSAGES_MAX = 500;
/** Well under the million bytes that a broker takes at a time, unless it is told otherwise. */
const BATCH_BYTES_MAX = 512 * 1024;
const WAITING_MAX = 20_000;
/** Requests under way at a time. */
const SENDS_MAX = 5;

export interface RecordRules {
  /** Metadata of matching names does not become headers, and headers do not become metadata. */
  readonly excluded: RegExp | undefined;
  /** Keys and header values become metadata as in a query string, so that they fit where only plain text does. */
  readonly escaped: boolean;
}

export interface SendRules extends RecordRules {
  readonly acks: -1 | 0 | 1;
  readonly compression: CompressionTypes;
  readonly messageBytesMax: number | undefined;
}

interface Pending {
  readonly topic: string;
  readonly record: Message;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A JSON null takes the place of a missing value: it deletes the key from a compacted topic. */
const NULL_TEXT = Buffer.from('null');

/** Rejects by throwing `PublishRefused` when the metadata asks for something impossible. */
export function toRecord(message: PublishMessage, rules: RecordRules): Message {
  const { data, metadata } = message;
  const value = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const key = metadata['partitionKey'] ?? metadata['__key'];
  const partition = metadata['partitionNumber'];
  if (partition !== undefined && !/^\d{1,9}$/.test(partition)) {
    throw new PublishRefused('invalid-metadata', `partitionNumber '${partition}' is not a whole number from 0 on`);
  }
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(metadata)) {
    if (!rules.excluded?.test(name)) headers[name] = text;
  }
  return {
    value: value.equals(NULL_TEXT) ? null : value,
    headers,
    ...(key === undefined ? {} : { key }),
    ...(partition === undefined ? {} : { partition: Number(partition) }),
  };
}

export class GatheringProducer {
  readonly #producer: Producer;
  readonly #rules: SendRules;
  #waiting: Pending[] = [];
  #sends = 0;

  constructor(producer: Producer, rules: SendRules) {
    this.#producer = producer;
    this.#rules = rules;
  }

  /** Resolves when the replicas that the rules ask for have the record. */
  async publish(message: PublishMessage): Promise<void> {
    const record = toRecord(message, this.#rules);
    const bytes = message.data.byteLength;
    const { messageBytesMax } = this.#rules;
    if (messageBytesMax !== undefined && bytes > messageBytesMax) {
      throw new PublishRefused('message-too-large', `the event has ${bytes} bytes, and maxMessageBytes is ${messageBytesMax}`);
    }
    if (this.#waiting.length >= WAITING_MAX) throw new Error(`${WAITING_MAX} events already wait to be sent to Kafka`);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ topic: message.topic, record, bytes, resolve, reject });
      queueMicrotask(this.#sendWaiting);
    });
  }

  readonly #sendWaiting = (): void => {
    while (this.#waiting.length > 0 && this.#sends < SENDS_MAX) {
      this.#sends += 1;
      void this.#send(this.#takeBatch()).finally(() => {
        this.#sends -= 1;
        this.#sendWaiting();
      });
    }
  };

  #takeBatch(): readonly Pending[] {
    let [count, bytes] = [0, 0];
    for (const pending of this.#waiting) {
      if (count > 0 && (count >= BATCH_MESSAGES_MAX || bytes + pending.bytes > BATCH_BYTES_MAX)) break;
      count += 1;
      bytes += pending.bytes;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(batch: readonly Pending[]): Promise<void> {
    try {
      await this.#request(batch);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only) return only.reject(refusalOf(asError(error), only.topic));
      // One record that is refused must not take the others with it; those that were written are written twice.
      const halves = [batch.slice(0, batch.length / 2), batch.slice(batch.length / 2)];
      if (isAboutRecords(error)) for (const half of halves) await this.#send(half);
      else for (const { reject, topic } of batch) reject(refusalOf(asError(error), topic));
    }
  }

  async #request(batch: readonly Pending[]): Promise<void> {
    const { acks, compression } = this.#rules;
    const byTopic = Map.groupBy(batch, ({ topic }) => topic);
    await this.#producer.sendBatch({
      acks,
      compression,
      topicMessages: [...byTopic].map(([topic, own]) => ({ topic, messages: own.map(({ record }) => record) })),
    });
  }
}

/** Whether leaving out one record or topic could help the others. */
function isAboutRecords(error: unknown): boolean {
  const type = errorType(error);
  if (type === undefined) return asError(error).message.includes('partitionNumber');
  return ABOUT_RECORDS.has(type);
}

const ABOUT_RECORDS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'CORRUPT_MESSAGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'POLICY_VIOLATION',
]);

function refusalOf(error: Error, topic: string): Error {
  switch (errorType(error)) {
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new PublishRefused('message-too-large', `the broker refuses an event of this size for topic ${topic} (its max.message.bytes)`);
    case 'TOPIC_AUTHORIZATION_FAILED':
      return new PublishRefused('not-authorised', `this user of Kafka may not write to topic ${topic}`);
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return new PublishRefused('unknown-topic', `topic ${topic} does not exist, and the brokers do not create topics by themselves (auto.create.topics.enable)`);
    case 'INVALID_TOPIC_EXCEPTION':
      return new PublishRefused('invalid-topic', `Kafka does not take '${topic}' as the name of a topic`);
    default:
      return error.message.includes('partitionNumber') ? new PublishRefused('invalid-metadata', error.message) : error;
  }
}
