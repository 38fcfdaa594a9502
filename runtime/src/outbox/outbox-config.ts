/** The outbox settings among a state component's metadata (behaviour.md 4.8; names are exact). */

export interface OutboxConfig {
  /** The pub/sub component and topic that events go to. */
  readonly pubsub: string;
  readonly topic: string;
}

/** Undefined while either of the two needed names is missing: the outbox is off. */
export function outboxConfigOf(metadata: Readonly<Record<string, string>>): OutboxConfig | undefined {
  const pubsub = metadata['outboxPublishPubsub'];
  const topic = metadata['outboxPublishTopic'];
  return pubsub && topic ? { pubsub, topic } : undefined;
}
