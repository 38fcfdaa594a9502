/**
 * The port of the ledger: the one transactional store of a process, shared by all sidecars of a host that use the same
 * data folder. State rows, topic logs with their consumer groups, redelivery timers, outbox, dead letters, workflows
 * (`ledger-workflow.ts`), jobs (`ledger-jobs.ts`) and the registry of live sidecars change in one transaction.
 *
 * Invariants, which the conformance suite holds on every implementation:
 * L1  A batch is applied whole or not at all; a refused batch never spoils another that shared its commit.
 * L2  `commit` resolves only after the transaction is durable. Settlements alone (`message.*`) and claims are as safe from
 *     a crash of the process, but a power failure may undo the last of them: their messages are then given once more.
 *     Of workflows and jobs, `ledger-workflow.ts` and `ledger-jobs.ts` say what stands on the disk before it resolves.
 * L3  Whatever a process held leased when it died becomes claimable again without anybody's help.
 * L4  A message is given to one claimer of a group at a time; it is gone for the group only by its acknowledgement.
 * L5  A message is trimmed only when every known group has acknowledged it and its retention has passed. Where an append would
 *     pass the topic's limit of bytes, what all its groups have acknowledged goes before its time, oldest first, also from behind
 *     messages that are in flight or wait; without a group nothing does. Unacknowledged ones alone make a topic full.
 */
import type { JobLedger, JobOperation } from './ledger-jobs.ts';
import type { WorkflowLedger, WorkflowOperation, WorkflowResult } from './ledger-workflow.ts';
import type { OutboxRecord, OutboxSource } from './outbox.ts';

export interface LedgerStateRow {
  readonly key: string;
  readonly data: Uint8Array;
  readonly binary: boolean;
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
}

export interface LedgerMessage {
  /** Id for the eyes of consumers; need not be unique. */
  readonly id: string;
  readonly data: Uint8Array;
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How long a topic keeps messages. Sent along with each append, so that there is no second place to configure it. */
export interface TopicRetention {
  /** Milliseconds a message is kept at least, acknowledged or not, as long as the topic has room. */
  readonly retentionMs: number;
  /** Most bytes of message data the topic may hold; an append that would still pass it after trimming (L5) is refused with `topic-full`. */
  readonly bytesMax: number;
}

export interface DeadLetter {
  /** Unique: component, topic, group and message id, escaped for URLs with `/` between; writing it again replaces. */
  readonly id: string;
  readonly appId: string;
  /** The component: of pub/sub, or an input binding. */
  readonly pubsub: string;
  /** `bindings/<name>` for an input binding. */
  readonly topic: string;
  readonly group: string;
  /** '' for an input binding, which has none. */
  readonly deadLetterTopic: string;
  /** Why the app did not take it, the last time. */
  readonly reason: string;
  /** How often the app had it. */
  readonly attempts: number;
  readonly traceparent?: string;
  readonly data: Uint8Array;
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** When it became a dead letter; stays when it is sent again in vain. Milliseconds since the epoch. */
  readonly at: number;
  /** When it was last sent again, in vain. */
  readonly resentAt?: number;
}

/** A dead letter as lists show it. */
export interface DeadLetterRow extends Omit<DeadLetter, 'data'> {
  /** Of its data. */
  readonly bytes: number;
}

export interface SidecarRow {
  /** Unique per start of a sidecar. */
  readonly instanceId: string;
  readonly appId: string;
  readonly namespace: string;
  readonly pid: number;
  /** Path of the Unix socket on which sidecars of this host reach each other. */
  readonly socketPath: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** Where a delivery stands, so that a settlement hits exactly what was claimed. */
export interface MessageRef {
  readonly topic: string;
  readonly group: string;
  /** Position in the topic's log. */
  readonly sequence: number;
}

export type LedgerOperation =
  /** Result: `{ etag }`. `ifEtag`: must match a live row. `ifAbsent`: no live row may exist. Neither: unconditional. */
  | {
      readonly type: 'state.set';
      readonly table: string;
      readonly key: string;
      readonly data: Uint8Array;
      readonly binary: boolean;
      readonly ifEtag?: string;
      readonly ifAbsent?: boolean;
      readonly expiresAt?: number;
    }
  /** Result: `{ deleted }`. `ifEtag`: must match a live row. */
  | { readonly type: 'state.delete'; readonly table: string; readonly key: string; readonly ifEtag?: string }
  /** Result: `{ sequence }`. */
  | { readonly type: 'topic.append'; readonly topic: string; readonly message: LedgerMessage; readonly retention: TopicRetention }
  /** The three settlements. Result: `{ applied }`; false when the claim was no longer this process's. */
  | ({ readonly type: 'message.ack' } & MessageRef)
  | ({ readonly type: 'message.retry'; readonly dueAt: number } & MessageRef)
  | ({ readonly type: 'message.release' } & MessageRef)
  | { readonly type: 'outbox.add'; readonly record: OutboxRecord }
  | { readonly type: 'dead-letter.add'; readonly letter: DeadLetter }
  | { readonly type: 'dead-letter.remove'; readonly id: string }
  /** Adds or replaces this process's row of `sidecar.instanceId`. */
  | { readonly type: 'sidecar.put'; readonly sidecar: SidecarRow }
  | { readonly type: 'sidecar.remove'; readonly instanceId: string }
  | WorkflowOperation
  | JobOperation;

/** One per operation, in order; only the fields that the operation's comment names are present. */
export interface LedgerResult {
  readonly etag?: string;
  readonly deleted?: boolean;
  readonly sequence?: number;
  readonly applied?: boolean;
  readonly count?: number;
  readonly workflow?: WorkflowResult;
}

/** A condition of one operation did not hold; nothing of its batch was applied. */
export class LedgerConflict extends Error {
  readonly key: string;
  /** Index of the operation in its batch. */
  readonly index: number;
  constructor(key: string, index: number) {
    super(`the stored etag of this key is not the one given`);
    this.name = 'LedgerConflict';
    this.key = key;
    this.index = index;
  }
}

/** The ledger will not take the batch; nothing of it was applied. `code` is stable. */
export class LedgerRefused extends Error {
  readonly code: 'topic-full' | 'disk-full' | 'busy' | 'closed' | 'overloaded' | 'damaged' | 'io';
  constructor(code: LedgerRefused['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LedgerRefused';
    this.code = code;
  }
}

export interface ClaimedMessage extends LedgerMessage, MessageRef {
  /** 1 for the first try; counts `message.retry`, not releases or lost leases. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly publishedAt: number;
}

export interface MessageClaim {
  readonly messages: readonly ClaimedMessage[];
  /** When the earliest waiting retry of the group falls due; absent = none waits. */
  readonly nextDueAt?: number;
  /** More may be had at once (the limit was reached). */
  readonly more: boolean;
}

export interface TopicStatus {
  readonly topic: string;
  /** Messages kept, acknowledged or not. */
  readonly messages: number;
  readonly bytes: number;
  readonly groups: readonly { readonly group: string; readonly waiting: number; readonly inFlight: number; readonly unread: number }[];
}

/**
 * Names what changed, for wake-ups: `topic/<topic>`, `outbox/<app id>`, `sidecars`, `workflow/<app>` (something may be claimed, or
 * falls due), `workflow-status/<app>`, `jobs/<app>` (a job was put, or a tick came free or
 * waits for its next try).
 */
export type LedgerChannel = string;

export interface Ledger {
  readonly kind: 'sqlite' | 'memory' | 'postgresql';
  /** Resolves when the ledger has failed for good: the process had better end and be started anew. Absent: it cannot. */
  readonly broken?: Promise<Error>;

  /** All or nothing, in order (L1), durable when it resolves (L2). Rejects with `LedgerConflict` or `LedgerRefused`. */
  commit(batch: readonly LedgerOperation[]): Promise<readonly LedgerResult[]>;

  /** Live rows by key, in the order asked; sees every commit that has resolved. */
  readState(table: string, keys: readonly string[]): Promise<readonly (LedgerStateRow | undefined)[]>;

  /** Makes the group known (it begins at the oldest kept message) and marks it as seen; idempotent. */
  openGroup(topic: string, group: string): Promise<void>;
  /**
   * Leases up to `limit` messages to this process: retries that fell due first, then unread ones in order. The lease
   * lasts as long as the process keeps its session (renewed by the ledger itself).
   */
  claimMessages(request: { readonly topic: string; readonly group: string; readonly limit: number }): Promise<MessageClaim>;
  /** Of one moment, and of the same cost however much the topic holds. */
  topicStatus(topic: string): Promise<TopicStatus>;

  readonly outbox: OutboxSource;
  readonly workflows: WorkflowLedger;
  readonly jobs: JobLedger;

  /** Newest first, what they hold left unread. `before`: the `at` and `id` of the last one seen. */
  deadLetters(request: { readonly appId: string; readonly limit: number; readonly before?: { readonly at: number; readonly id: string } }): Promise<readonly DeadLetterRow[]>;
  /** One letter of this app, whole; undefined when there is none of this id. */
  deadLetter(request: { readonly appId: string; readonly id: string }): Promise<DeadLetter | undefined>;

  /** Rows whose process is alive (its session lease has not run out and its pid exists), newest start first. */
  liveSidecars(query?: { readonly appId?: string; readonly namespace?: string }): Promise<readonly SidecarRow[]>;

  /** Calls back soon after `channel` was touched, by this process or (through `wake`) another. Returns the unsubscriber. */
  watch(channel: LedgerChannel, listener: () => void): () => void;
  /** Channels that commits of this process touched; the peer link forwards them to the other processes of the host. */
  onTouched(listener: (channels: readonly LedgerChannel[]) => void): () => void;
  /** Another process touched these channels. */
  wake(channels: readonly LedgerChannel[]): void;

  /** Finishes what was handed in, gives back all leases of this process, closes. Later calls reject with `closed`. */
  close(): Promise<void>;
}
