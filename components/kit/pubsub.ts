/**
 * The port of brokers: opaque bytes out, deliveries in. Envelopes, routing, retries, back-off and dead letters are the
 * pub/sub block's, the same above every broker; a backend only moves bytes and does what the settlement says.
 */
import type { Connectable } from './connectable.ts';

export interface PublishMessage {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One message handed to the block. */
export interface Delivery {
  /** The broker's id of the message, unique within topic and broker (a stream id, `partition-offset`, a sequence). */
  readonly id: string;
  /** The concrete topic. */
  readonly topic: string;
  readonly data: Uint8Array;
  /** Message metadata: what the publisher gave, and what the broker adds. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** 1 for the first try in this group; counts settled `retry`s, not releases. Kept across restarts where the broker can. */
  readonly attempt: number;
}

/**
 * What becomes of a delivery.
 * - `ack`: done, never again for this group.
 * - `retry`: again after `delayMs`, with `attempt` one higher; the wait must block no other message of the topic
 *   (except where the broker's order forbids it: a Kafka partition).
 * - `release`: handed back as if it had never been delivered (shutdown, app away); `attempt` stays.
 */
export type Settlement =
  | { readonly action: 'ack' }
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'release' };

export interface SubscribeRequest {
  readonly topic: string;
  /** Subscription metadata from the resource or the app. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Called for each message, at most the backend's bound in flight at a time. Never rejects. The backend settles by the
   * result; until then it keeps the message leased to itself (extends visibility as needed, however long it takes).
   */
  deliver(delivery: Delivery): Promise<Settlement>;
}

export interface Subscription {
  /** Stops intake at once; deliveries under way go on and are still settled. */
  pause(): Promise<void>;
  /** Takes up intake again after `pause`. */
  resume(): Promise<void>;
  /** Stops intake, waits for deliveries under way to settle, and gives everything else back. Idempotent. */
  close(): Promise<void>;
}

export interface BulkPublishOutcome {
  readonly failed: readonly { readonly index: number; readonly error: Error }[];
}

/** The broker refused for a reason that the caller can act on; its message reaches the caller. */
export class PublishRefused extends Error {
  /** Stable word: `topic-full`, `message-too-large`, `invalid-metadata`, `not-authorised`. */
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.name = 'PublishRefused';
    this.reason = reason;
  }
}

export interface PubSub extends Connectable {
  /** Resolves when the broker has the message as durably as its documents promise. */
  publish(message: PublishMessage): Promise<void>;
  /** Absent: the service publishes one by one, at most 100 at a time. */
  publishBulk?(messages: readonly PublishMessage[]): Promise<BulkPublishOutcome>;
  /**
   * Begins intake; resolves when the subscription stands (a new group begins at the oldest kept message, unless an
   * option of the broker says otherwise). Rejects when it cannot stand now; the runtime tries again with back-off.
   * Once standing, the backend heals lost connections and lost groups by itself.
   */
  subscribe(request: SubscribeRequest): Promise<Subscription>;
}
