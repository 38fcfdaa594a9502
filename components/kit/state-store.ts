/** The port of state stores: keyed values with etags and optional expiry. Keys arrive complete (prefix and all). */
import type { Connectable } from './connectable.ts';
import type { OutboxRecord, OutboxSource } from './outbox.ts';

/**
 * A value as it goes to and comes from a store. JSON values are UTF-8 JSON text; values given as bytes (gRPC without a
 * JSON content type) are kept raw, and stores that tell the two apart on disk do so by `binary`.
 */
export interface StateValue {
  readonly data: Uint8Array;
  readonly binary: boolean;
}

export interface StateRecord {
  readonly key: string;
  readonly data: Uint8Array;
  /** Absent when the store has none for this record. */
  readonly etag?: string;
  /** Milliseconds since the epoch; absent = never, or the store cannot tell. */
  readonly expiresAt?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type Concurrency = 'first-write' | 'last-write';
export type Consistency = 'strong' | 'eventual';

export interface StateOptions {
  readonly concurrency?: Concurrency;
  readonly consistency?: Consistency;
}

export interface GetState {
  readonly key: string;
  readonly consistency?: Consistency;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * `etag` absent or '' = none given. With an etag the stored one must match, a missing key never matches. Without one,
 * `first-write` demands that the key does not exist. `ttlSeconds`: > 0 expires, <= 0 never expires; absent = no expiry
 * (an earlier expiry is cleared), unless the store's documents say otherwise.
 */
export interface SetState {
  readonly key: string;
  readonly value: StateValue;
  readonly etag?: string;
  readonly options?: StateOptions;
  readonly ttlSeconds?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface DeleteState {
  readonly key: string;
  readonly etag?: string;
  readonly options?: StateOptions;
  readonly metadata?: Readonly<Record<string, string>>;
}

export type StateOperation =
  | ({ readonly type: 'upsert' } & SetState)
  | ({ readonly type: 'delete' } & DeleteState);

export interface TransactState {
  readonly operations: readonly StateOperation[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Written in the same transaction; only given to stores that have `outbox`. */
  readonly outbox?: readonly OutboxRecord[];
}

/** Why a conditional write was refused; `mismatch` and `invalid` are what the wire tells apart (409 / 400). */
export class EtagError extends Error {
  readonly kind: 'mismatch' | 'invalid';
  readonly key: string;
  constructor(kind: 'mismatch' | 'invalid', key: string, cause?: unknown) {
    super(
      kind === 'mismatch' ? 'possible etag mismatch. error from state store' : 'invalid etag value',
      cause === undefined ? undefined : { cause },
    );
    this.name = 'EtagError';
    this.kind = kind;
    this.key = key;
  }
}

/** Result of one item of a bulk write: absent = done. */
export type BulkOutcome = Error | undefined;

export interface StateStore extends Connectable {
  get(request: GetState): Promise<StateRecord | undefined>;
  /** Rejects with `EtagError` on a conflict. */
  set(request: SetState): Promise<void>;
  /** Deleting a missing key without an etag succeeds. */
  delete(request: DeleteState): Promise<void>;

  /** Same order and length as asked. Absent: the service fans out `get`. */
  bulkGet?(requests: readonly GetState[]): Promise<readonly (StateRecord | undefined | Error)[]>;
  /** Not atomic: each item succeeds or fails by itself. Absent: the service fans out `set`. */
  bulkSet?(requests: readonly SetState[]): Promise<readonly BulkOutcome[]>;
  bulkDelete?(requests: readonly DeleteState[]): Promise<readonly BulkOutcome[]>;
  /** All or nothing, in order. Absent: the store has no transactions. */
  transact?(request: TransactState): Promise<void>;
  /** Most operations in one transaction; absent = no limit. */
  readonly transactOperationsMax?: number;
  /** Outbox records kept in this very store, written by `transact`. Absent: the outbox cannot be used on this store. */
  readonly outbox?: OutboxSource;
}
