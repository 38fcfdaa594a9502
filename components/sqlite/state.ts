/** `state.sqlite` on the ledger: rows of a table, etags, expiry, transactions with their outbox records. */
import { EtagError, LedgerConflict, defineComponent, field } from '../kit/index.ts';
import type { DeleteState, LedgerOperation, LedgerStateRow, SetState, StateOperation, StateRecord, StateStore } from '../kit/index.ts';

export default defineComponent({
  type: 'state.sqlite',
  aliases: ['state.sqlite3'],
  versions: ['v1'],
  status: 'stable',
  title: 'SQLite (embedded store)',
  description: 'Durable key/value state: in the ledger of this host, or in a file of its own.',
  metadata: {
    tableName: field.string('Table that holds the rows.', { default: 'state' }),
  },
  features: ['ETAG', 'TRANSACTIONAL', 'TTL'],
  create({ options, ledger, clock }): StateStore {
    const table = options.tableName;

    function toOperation(operation: StateOperation): LedgerOperation {
      return operation.type === 'upsert' ? setOperation(operation) : deleteOperation(operation);
    }
    function setOperation(request: SetState): LedgerOperation {
      const { ttlSeconds } = request;
      return {
        type: 'state.set',
        table,
        key: request.key,
        data: request.value.data,
        binary: request.value.binary,
        ...(request.etag ? { ifEtag: request.etag } : request.options?.concurrency === 'first-write' ? { ifAbsent: true } : {}),
        ...(ttlSeconds !== undefined && ttlSeconds > 0 ? { expiresAt: clock.now() + ttlSeconds * 1000 } : {}),
      };
    }
    function deleteOperation(request: DeleteState): LedgerOperation {
      return { type: 'state.delete', table, key: request.key, ...(request.etag ? { ifEtag: request.etag } : {}) };
    }
    async function commit(batch: readonly LedgerOperation[]): Promise<void> {
      try {
        await ledger.commit(batch);
      } catch (error) {
        throw error instanceof LedgerConflict ? new EtagError('mismatch', error.key) : error;
      }
    }
    const outcome = (work: Promise<void>) => work.then(() => undefined, (error: unknown) => (error instanceof Error ? error : new Error(String(error))));

    return {
      outbox: ledger.outbox,
      async get({ key }) {
        const [row] = await ledger.readState(table, [key]);
        return row && toRecord(row);
      },
      async bulkGet(requests) {
        const rows = await ledger.readState(table, requests.map(({ key }) => key));
        return rows.map((row) => row && toRecord(row));
      },
      set: (request) => commit([setOperation(request)]),
      delete: (request) => commit([deleteOperation(request)]),
      // Each a request of its own, so that one's conflict is its own; the writer commits them together.
      bulkSet: (requests) => Promise.all(requests.map((request) => outcome(commit([setOperation(request)])))),
      bulkDelete: (requests) => Promise.all(requests.map((request) => outcome(commit([deleteOperation(request)])))),
      transact: ({ operations, outbox }) => commit([...operations.map(toOperation), ...(outbox ?? []).map((record): LedgerOperation => ({ type: 'outbox.add', record }))]),
    };
  },
});

function toRecord(row: LedgerStateRow): StateRecord {
  return { key: row.key, data: row.data, etag: row.etag, ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }) };
}
