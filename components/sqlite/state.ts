/**
 * `state.sqlite`: durable state, in the ledger of the host or, with a `connectionString`, in a file of its own that has the
 * layout other sidecars of this wire contract read and write.
 */
import { defineComponent, field, type ComponentContext, type OptionsOf, type StateStore } from '@mecha/components/kit';
import { parseConnectionString } from './connection-string.ts';
import { createFileState } from './file-state.ts';
import { createLedgerState } from './ledger-state.ts';

const metadata = {
  connectionString: field.string('File of state: a path, a file: URI or :memory:. Absent, state is kept in the ledger, which the apps of a host share.', { aliases: ['url'] }),
  timeout: field.duration('Longest that a call waits for an answer; a second at least.', { default: 20_000, minimum: 1_000, aliases: ['timeoutInSeconds'] }),
  busyTimeout: field.duration('Longest wait for the lock of another process that writes to the file.', { default: 2_000 }),
  disableWAL: field.boolean('Keep a rollback journal instead of a write-ahead log, as network file systems need it.', { default: false }),
  tableName: field.string('Table of the rows: letters, digits and _.', { default: 'state' }),
  metadataTableName: field.string("Table of the file's own notes: letters, digits and _.", { default: 'metadata' }),
  cleanupInterval: field.duration('How often expired rows are removed from the file; 0 = never, they are only hidden. The ledger sees to it by itself.', {
    default: 0,
    aliases: ['cleanupIntervalInSeconds'],
  }),
} as const;

function createState({ options, ledger, clock, log }: ComponentContext<OptionsOf<typeof metadata>>): StateStore {
  const tableName = tableNameOf('tableName', options.tableName);
  const metadataTableName = tableNameOf('metadataTableName', options.metadataTableName);
  if (options.connectionString === undefined) return createLedgerState({ ledger, table: tableName, clock });
  if (tableName.toLowerCase() === metadataTableName.toLowerCase()) throw new Error('tableName and metadataTableName must not be the same');
  return createFileState({
    file: parseConnectionString(options.connectionString),
    tableName,
    metadataTableName,
    timeoutMs: options.timeout,
    busyTimeoutMs: Math.max(options.busyTimeout, 0),
    disableWal: options.disableWAL,
    cleanupIntervalMs: options.cleanupInterval,
    clock,
    log,
  });
}

/** The only texts that come into statements as they are. */
function tableNameOf(option: string, name: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(name)) throw new Error(`${option} takes letters, digits and _, not '${name.slice(0, 80)}'`);
  return name;
}

export default defineComponent({
  type: 'state.sqlite',
  aliases: ['state.sqlite3'],
  versions: ['v1'],
  status: 'stable',
  title: 'SQLite (embedded store)',
  description:
    'Durable state without a server: in the ledger of the host unless a connectionString names a file. What was acknowledged is on disk; concurrent writes share the time that takes.',
  durability: 'A write is acknowledged when it is on the disk (WAL, synchronous=FULL): it survives kill -9 and the loss of power.',
  metadata,
  features: ['ETAG', 'TRANSACTIONAL', 'TTL'],
  create: createState,
});
