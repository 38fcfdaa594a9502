/** `state.sqlite` without a file of its own: rows of one table of the ledger, which keeps the outbox too. */
import {
  EtagError,
  LedgerConflict,
  type BulkOutcome,
  type Clock,
  type DeleteState,
  type Ledger,
  type LedgerOperation,
  type LedgerStateRow,
  type OutboxRecord,
  type SetState,
  type StateOperation,
  type StateRecord,
  type StateStore,
} from '@mecha/components/kit';

export interface LedgerStateSettings {
  readonly ledger: Ledger;
  readonly table: string;
  readonly clock: Clock;
}

export function createLedgerState({ ledger, table, clock }: LedgerStateSettings): StateStore {
  const setOperation = ({ key, value, etag, options, ttlSeconds }: SetState): LedgerOperation => ({
    type: 'state.set',
    table,
    key,
    data: value.data,
    binary: value.binary,
    ...(etag ? { ifEtag: etag } : options?.concurrency === 'first-write' ? { ifAbsent: true } : {}),
    ...(ttlSeconds !== undefined && ttlSeconds > 0 ? { expiresAt: clock.now() + ttlSeconds * 1000 } : {}),
  });
  const deleteOperation = ({ key, etag }: DeleteState): LedgerOperation => ({ type: 'state.delete', table, key, ...(etag ? { ifEtag: etag } : {}) });
  const operationOf = (operation: StateOperation): LedgerOperation => (operation.type === 'upsert' ? setOperation(operation) : deleteOperation(operation));
  const outboxOperation = (record: OutboxRecord): LedgerOperation => ({ type: 'outbox.add', record });

  const commit = async (batch: readonly LedgerOperation[]): Promise<void> => {
    try {
      await ledger.commit(batch);
    } catch (error) {
      throw error instanceof LedgerConflict ? new EtagError('mismatch', error.key) : error;
    }
  };
  const commitEach = (operations: readonly LedgerOperation[]): Promise<readonly BulkOutcome[]> =>
    // Each a batch of its own, so that one's conflict is its own; handed in together, they share a commit.
    Promise.all(operations.map((operation) => commit([operation]).then(() => undefined, (error: unknown) => error as Error)));
  const read = async (keys: readonly string[]): Promise<readonly (StateRecord | undefined)[]> => {
    const rows = await ledger.readState(table, keys);
    return rows.map((row) => row && recordOf(row));
  };

  return {
    outbox: ledger.outbox,
    get: async ({ key }) => (await read([key]))[0],
    bulkGet: (requests) => read(requests.map(({ key }) => key)),
    set: (request) => commit([setOperation(request)]),
    delete: (request) => commit([deleteOperation(request)]),
    bulkSet: (requests) => commitEach(requests.map(setOperation)),
    bulkDelete: (requests) => commitEach(requests.map(deleteOperation)),
    transact: ({ operations, outbox = [] }) => commit([...operations.map(operationOf), ...outbox.map(outboxOperation)]),
  };
}

function recordOf({ key, data, etag, expiresAt }: LedgerStateRow): StateRecord {
  return { key, data, etag, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
