/**
 * Outbox records: events that were written in the same transaction as the state they speak of, in the store that holds
 * that state. One relay (the pub/sub block's) drains all of them: claim, publish, and only after the broker's
 * acknowledgement remove. A crash anywhere between leads to a second publish, never to a loss.
 */
export interface OutboxRecord {
  /** Stable event id (`outbox-<uuid>`); consumers may use it to recognise a duplicate. */
  readonly id: string;
  /** The pub/sub component and topic it is bound for. */
  readonly pubsub: string;
  readonly topic: string;
  /** The app that wrote it; only that app's sidecars relay it. */
  readonly appId: string;
  /** The complete event as it goes to the broker. */
  readonly data: Uint8Array;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface ClaimedOutboxRecord extends OutboxRecord {
  /** Publishes that were begun before this one. */
  readonly attempt: number;
}

export interface OutboxSource {
  /**
   * Leases up to `limit` records of `appId`, oldest first; a record whose lease ran out is given again. `owner` names
   * the relay, so that its own leases can be told from another's.
   */
  claim(request: { appId: string; owner: string; limit: number; leaseMs: number }): Promise<readonly ClaimedOutboxRecord[]>;
  /** The broker has acknowledged these. Removing an absent record is no error. */
  remove(ids: readonly string[]): Promise<void>;
  /** Gives records back before their lease ends, to be claimed no earlier than `delayMs` from now. */
  release(ids: readonly string[], delayMs: number): Promise<void>;
  /** Calls back when records may be waiting (soon after a write; a hint, not a promise). Returns the unsubscriber. */
  onRecords(appId: string, listener: () => void): () => void;
  /** Records not yet removed, for metrics and shutdown. */
  pending(appId: string): Promise<number>;
}
