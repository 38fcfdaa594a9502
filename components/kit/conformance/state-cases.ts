/** What the cases about state stores share: the options of a suite, and values, bulk calls and refusals in short words. */
import { expect } from 'vitest';
import type { OutboxRecord } from '../outbox.ts';
import { EtagError } from '../state-store.ts';
import type { BulkOutcome, SetState, StateOperation, StateRecord, StateStore, StateValue } from '../state-store.ts';

export interface StateStoreConformance {
  /** A connected store. Every call opens another instance on the same storage, where there is storage to share. */
  open(): Promise<StateStore>;
  /** `features` of the component's declaration: `ETAG`, `TRANSACTIONAL` and `TTL` decide which cases run. */
  readonly features: readonly string[];
  /** Well-formed for this store, and no record's etag. */
  readonly badEtag: string;
  /** Records are told by the store when they expire (`expiresAt`). Default: true with TTL. */
  readonly tellsExpiry?: boolean;
  /** A set without a TTL leaves an earlier expiry alone, as the store's documents say. Default: false, it is cleared. */
  readonly setKeepsExpiry?: boolean;
  /** `transact` keeps outbox records in this very store. Default: true with TRANSACTIONAL. */
  readonly outbox?: boolean;
  /** What was acknowledged is there after `close` and another `open`. Default: true. */
  readonly persistent?: boolean;
}

/** What a group of cases is given. */
export interface Parts {
  readonly options: StateStoreConformance;
  newKey(): string;
  transact(operations: readonly StateOperation[], outbox?: readonly OutboxRecord[]): Promise<void>;
  etagOf(key: string): Promise<string>;
  store(): StateStore;
}

export const json = (value: unknown): StateValue => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
export const bytes = (data: Uint8Array): StateValue => ({ data, binary: true });
export const allBytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
export const textOf = (record: StateRecord | undefined): string | undefined => record && Buffer.from(record.data).toString();
export const sameBytes = (record: StateRecord | undefined, data: Uint8Array): boolean => record !== undefined && Buffer.from(record.data).equals(data);

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('this should have been refused, and was not');
}
export async function expectMismatch(work: Promise<unknown>, key: string): Promise<void> {
  const error = await refusal(work);
  expect(error).toBeInstanceOf(EtagError);
  expect(error).toMatchObject({ kind: 'mismatch', key });
}

/** The bulk calls as the service makes them: the store's own, else one by one. */
export function bulkOf(store: StateStore) {
  const outcome = (work: Promise<void>): Promise<BulkOutcome> => work.then(() => undefined, (error: unknown) => error as Error);
  return {
    get: (keys: readonly string[]) => {
      const requests = keys.map((key) => ({ key }));
      return store.bulkGet ? store.bulkGet(requests) : Promise.all(requests.map((request) => store.get(request)));
    },
    set: (requests: readonly SetState[]) => (store.bulkSet ? store.bulkSet(requests) : Promise.all(requests.map((request) => outcome(store.set(request))))),
    delete: (requests: readonly { key: string; etag?: string }[]) =>
      store.bulkDelete ? store.bulkDelete(requests) : Promise.all(requests.map((request) => outcome(store.delete(request)))),
  };
}
