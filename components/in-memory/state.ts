/**
 * `state.in-memory`: state in a map of this process, for tests and trials. It ends with the process, and each sidecar has
 * its own.
 *
 * Invariant: every operation runs without an `await` in between, so it is atomic; a transaction first checks and builds all
 * of its changes beside the map, and then applies them.
 */
import { randomUUID } from 'node:crypto';
import {
  defineComponent,
  EtagError,
  type BulkOutcome,
  type ComponentContext,
  type DeleteState,
  type SetState,
  type StateOperation,
  type StateRecord,
  type StateStore,
} from '@mecha/components/kit';
import { createInMemoryOutbox } from './outbox.ts';

interface Row {
  readonly data: Uint8Array;
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}
/** Changes that are not yet made: `undefined` = deleted. */
type Changes = Map<string, Row | undefined>;

const SWEEP_EVERY_MS = 1_000;

function createState({ clock }: ComponentContext): StateStore {
  const rows = new Map<string, Row>();
  const expiring = new Set<string>();
  const outbox = createInMemoryOutbox(clock);
  let cancelSweep: (() => void) | undefined;

  const liveRow = (key: string, changes?: Changes): Row | undefined => {
    const row = changes?.has(key) ? changes.get(key) : rows.get(key);
    return row?.expiresAt !== undefined && row.expiresAt <= clock.now() ? undefined : row;
  };

  /** Memory is given back although nobody reads an expired key again. */
  const sweep = (): void => {
    cancelSweep = undefined;
    for (const key of expiring) {
      if (liveRow(key)) continue;
      rows.delete(key);
      expiring.delete(key);
    }
    sweepLater();
  };
  const sweepLater = (): void => {
    if (expiring.size > 0) cancelSweep ??= clock.after(SWEEP_EVERY_MS, sweep);
  };

  const apply = (changes: Changes): void => {
    for (const [key, row] of changes) {
      if (row) rows.set(key, row);
      else rows.delete(key);
      if (row?.expiresAt === undefined) expiring.delete(key);
      else expiring.add(key);
    }
    sweepLater();
  };

  const stageSet = (changes: Changes, { key, value, etag, options, ttlSeconds }: SetState): void => {
    const live = liveRow(key, changes);
    if (etag ? live?.etag !== etag : options?.concurrency === 'first-write' && live) throw new EtagError('mismatch', key);
    const expiresAt = ttlSeconds !== undefined && ttlSeconds > 0 ? clock.now() + ttlSeconds * 1000 : undefined;
    changes.set(key, { data: Buffer.from(value.data), etag: randomUUID(), expiresAt });
  };
  const stageDelete = (changes: Changes, { key, etag }: DeleteState): void => {
    if (etag && liveRow(key, changes)?.etag !== etag) throw new EtagError('mismatch', key);
    changes.set(key, undefined);
  };
  /** All or nothing: a refusal leaves before anything is applied. */
  const write = (operations: readonly StateOperation[]): void => {
    const changes: Changes = new Map();
    for (const operation of operations) {
      if (operation.type === 'upsert') stageSet(changes, operation);
      else stageDelete(changes, operation);
    }
    apply(changes);
  };
  const writeEach = (operations: readonly StateOperation[]): readonly BulkOutcome[] =>
    operations.map((operation) => {
      try {
        write([operation]);
        return undefined;
      } catch (error) {
        return error as Error;
      }
    });

  const read = (key: string): StateRecord | undefined => {
    const row = liveRow(key);
    return row && { key, data: Buffer.from(row.data), etag: row.etag, ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }) };
  };

  return {
    get: async ({ key }) => read(key),
    set: async (request) => write([{ type: 'upsert', ...request }]),
    delete: async (request) => write([{ type: 'delete', ...request }]),
    bulkGet: async (requests) => requests.map(({ key }) => read(key)),
    bulkSet: async (requests) => writeEach(requests.map((request) => ({ type: 'upsert', ...request }))),
    bulkDelete: async (requests) => writeEach(requests.map((request) => ({ type: 'delete', ...request }))),
    async transact({ operations, outbox: records }) {
      write(operations);
      if (records) outbox.add(records);
    },
    outbox,
    async close() {
      cancelSweep?.();
      cancelSweep = undefined;
    },
  };
}

export default defineComponent({
  type: 'state.in-memory',
  versions: ['v1'],
  status: 'stable',
  title: 'In memory',
  description: 'State in the memory of the sidecar, for tests and trials: nothing outlives the process, and no other sidecar sees it.',
  durability: 'None: everything is lost when the process ends.',
  metadata: {},
  features: ['ETAG', 'TRANSACTIONAL', 'TTL'],
  create: createState,
});
