/** The outbox settings among a state component's metadata (behaviour.md 4.8); names count in any case. */

export interface OutboxConfig {
  /** The pub/sub component and topic that events go to. */
  readonly pubsub: string;
  readonly topic: string;
}

/** Undefined while either of the two needed names is missing: the outbox is off. */
export function outboxConfigOf(metadata: Readonly<Record<string, string>>): OutboxConfig | undefined {
  const byLower = new Map(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
  const pubsub = byLower.get('outboxpublishpubsub');
  const topic = byLower.get('outboxpublishtopic');
  return pubsub && topic ? { pubsub, topic } : undefined;
}
