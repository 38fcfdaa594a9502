/**
 * Writing dead letters of one subscription: the message as it came to the dead-letter topic of the same component, and a
 * row in the ledger that says why, after how many attempts, and in which trace.
 *
 * Invariant: `bury` reports done only when both are written. Until then the caller keeps the message, and what is known
 * about it (why, and whether the topic has it already) is remembered here, so that a later try goes on where this one
 * ended instead of bothering the app again.
 */
import type { Clock, Delivery, Ledger } from '@mecha/components/kit';
import { messageOf } from '../../errors.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { waitFor } from '../../wait.ts';
import type { PubSubBlock } from './pubsub.ts';

export interface DeadLetterReason {
  readonly reason: string;
  /** How often the app had the event. */
  readonly attempts: number;
  readonly traceparent: string | undefined;
}

export interface DeadLetterParts {
  readonly appId: string;
  readonly block: Pick<PubSubBlock, 'publishDirect'>;
  readonly ledger: Pick<Ledger, 'commit'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly pubsubName: string;
  /** Consumer group, for the row's id. */
  readonly group: string;
  readonly deadLetterTopic: string;
}

interface Unfinished extends DeadLetterReason {
  published: boolean;
  failures: number;
}

export type Burial = { readonly done: true } | { readonly done: false; readonly failures: number; readonly error: string };

const WRITE_TIMEOUT_MS = 30_000;
/** Letters remembered while they cannot be written; the longest remembered is forgotten first, and tried with the app again. */
const UNFINISHED_MAX = 10_000;
/** Metadata that would let a dead letter expire. */
const LIFETIME_NAMES = new Set(['ttlInSeconds', 'ttl']);

export class DeadLetters {
  readonly #parts: DeadLetterParts;
  readonly #unfinished = new Map<string, Unfinished>();

  constructor(parts: DeadLetterParts) {
    this.#parts = parts;
  }

  /** Why this message is on its way to the dead-letter topic already, if it is. */
  unfinished(delivery: Delivery): DeadLetterReason | undefined {
    return this.#unfinished.get(keyOf(delivery));
  }

  /** Never rejects. */
  async bury(delivery: Delivery, why: DeadLetterReason): Promise<Burial> {
    const { metrics, pubsubName, deadLetterTopic } = this.#parts;
    const key = keyOf(delivery);
    const letter = this.#unfinished.get(key) ?? { ...why, published: false, failures: 0 };
    const labels = { component: pubsubName, topic: delivery.topic };
    try {
      if (!letter.published) {
        await this.#inTime((signal) =>
          this.#parts.block.publishDirect(
            {
              pubsubName,
              topic: deadLetterTopic,
              data: delivery.data,
              contentType: delivery.contentType,
              metadata: Object.fromEntries(Object.entries(delivery.metadata).filter(([name]) => !LIFETIME_NAMES.has(name))),
            },
            signal,
          ),
        );
        letter.published = true;
      }
      await this.#inTime(() => this.#record(delivery, letter));
    } catch (error) {
      letter.failures += 1;
      this.#unfinished.delete(key);
      this.#unfinished.set(key, letter);
      if (this.#unfinished.size > UNFINISHED_MAX) this.#forgetOldest();
      metrics.count('component_pubsub_dead_letter_count', { ...labels, success: 'false' });
      return { done: false, failures: letter.failures, error: messageOf(error) };
    }
    this.#unfinished.delete(key);
    metrics.count('component_pubsub_dead_letter_count', { ...labels, success: 'true' });
    return { done: true };
  }

  async #record(delivery: Delivery, letter: Unfinished): Promise<void> {
    const { appId, clock, ledger, pubsubName, group, deadLetterTopic } = this.#parts;
    await ledger.commit([
      {
        type: 'dead-letter.add',
        letter: {
          id: [pubsubName, delivery.topic, group, delivery.id].map(encodeURIComponent).join('/'),
          appId,
          pubsub: pubsubName,
          topic: delivery.topic,
          group,
          deadLetterTopic,
          reason: letter.reason,
          attempts: letter.attempts,
          data: delivery.data,
          metadata: delivery.metadata,
          at: clock.now(),
          ...(letter.traceparent === undefined ? {} : { traceparent: letter.traceparent }),
          ...(delivery.contentType === undefined ? {} : { contentType: delivery.contentType }),
        },
      },
    ]);
  }

  /** Rejects when `write` takes too long; what it does after that counts for nothing. */
  async #inTime(write: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const late = new AbortController();
    const over = new AbortController();
    const timeout = waitFor(this.#parts.clock, WRITE_TIMEOUT_MS, over.signal).then(() => {
      if (over.signal.aborted) return;
      late.abort();
      throw new Error(`no acknowledgement within ${WRITE_TIMEOUT_MS} ms`);
    });
    try {
      await Promise.race([write(late.signal), timeout]);
    } finally {
      over.abort();
    }
  }

  #forgetOldest(): void {
    for (const key of this.#unfinished.keys()) {
      this.#unfinished.delete(key);
      return;
    }
  }
}

function keyOf(delivery: Delivery): string {
  return `${delivery.topic}\u0000${delivery.id}`;
}
