/**
 * `bindings.sqlite`: SQL statements of the app on a file of its own, with values as bind parameters, so that what is written
 * for a database server runs without one.
 *
 * Statements run on the writer thread, in groups that share one commit; each is atomic by itself. Rows are answered as by
 * `bindings.postgresql`: arrays of columns, numbers with all their digits, bytes as base64.
 */
import {
  ANSWER_BYTES_MAX,
  BindingError,
  BoundedCalls,
  defineComponent,
  field,
  invokeSql,
  sqlOperations,
  type Binding,
  type BindingFault,
  type ComponentContext,
  type OptionsOf,
  type SqlDriver,
  type SqlStatement,
} from '@mecha/components/kit';
import { parseConnectionString } from './connection-string.ts';
import { openGroupWriter, WriterError, type GroupWriter } from './group-writer.ts';
import type { StatementSettings } from './statement-program.ts';

const metadata = {
  connectionString: field.string('File of the database: a path, a file: URI or :memory:.', { required: true, aliases: ['url'] }),
  timeout: field.duration('Longest that a call waits for an answer; a second at least.', { default: 20_000, minimum: 1_000, aliases: ['timeoutInSeconds'] }),
  busyTimeout: field.duration('Longest wait for the lock of another process that writes to the file.', { default: 2_000, minimum: 0 }),
  disableWAL: field.boolean('Keep a rollback journal instead of a write-ahead log, as network file systems need it.', { default: false }),
} as const;

function createBinding({ options, clock, log }: ComponentContext<OptionsOf<typeof metadata>>): Binding {
  const file = parseConnectionString(options.connectionString);
  if (file.readOnly) throw new Error('connectionString opens the file for reading only, and a binding writes to it');
  const calls = new BoundedCalls({ backend: 'SQLite', timeoutMs: options.timeout, clock });
  let writer: Promise<GroupWriter> | undefined;

  const open = (): Promise<GroupWriter> => {
    if (writer) return writer;
    const opening = openGroupWriter({
      path: file.path,
      program: new URL('./statement-program.ts', import.meta.url),
      settings: { pragmas: file.pragmas, answerBytesMax: ANSWER_BYTES_MAX } satisfies StatementSettings,
      busyTimeoutMs: options.busyTimeout,
      journal: file.memory ? 'memory' : options.disableWAL ? 'delete' : 'wal',
      onTrouble: (message) => log.warn({}, message),
    });
    writer = opening;
    const forget = (): void => {
      if (writer === opening) writer = undefined;
    };
    // A file that could not be opened, and a thread that ended by itself, are tried anew by the next call.
    opening.then(({ broken }) => broken.then(forget), forget);
    return opening;
  };
  const run = <T>(name: 'exec' | 'query', { sql, params }: SqlStatement, signal: AbortSignal): Promise<T> =>
    calls.run(signal, async () => {
      try {
        return (await (await open()).run(name, { sql, params }, { bytes: sql.length })) as T;
      } catch (error) {
        throw failureOf(error);
      }
    });
  const closeFile = async (): Promise<void> => {
    const opened = writer;
    writer = undefined;
    await opened?.then((one) => one.close(), () => undefined);
  };
  const driver: SqlDriver = {
    exec: (statement, signal) => run('exec', statement, signal),
    query: (statement, signal) => run('query', statement, signal),
    async disconnect() {
      await calls.settled();
      await closeFile();
    },
  };
  return {
    async connect() {
      for (const name of file.ignored) log.warn({ option: name }, 'an option of connectionString has no effect');
      calls.reopen();
      await open();
    },
    async close() {
      calls.close();
      await closeFile();
    },
    invoke: invokeSql(driver, clock),
  };
}

const FAULTS: Readonly<Record<WriterError['code'], BindingFault>> = { busy: 'failed', 'disk-full': 'failed', io: 'failed', closed: 'unavailable', overloaded: 'unavailable', rejected: 'failed' };

function failureOf(error: unknown): BindingError {
  if (!(error instanceof WriterError)) return new BindingError('unavailable', `SQLite: ${(error as Error).message}`);
  const { fault } = (error.detail ?? {}) as { fault?: BindingFault };
  return new BindingError(fault ?? FAULTS[error.code], `SQLite: ${error.message}`);
}

export default defineComponent({
  type: 'bindings.sqlite',
  aliases: ['bindings.sqlite3'],
  versions: ['v1'],
  status: 'stable',
  title: 'SQLite (a file)',
  description: 'Statements on a SQLite file; values go in as bind parameters only. A statement that never ends holds up all of the binding.',
  durability: 'A statement is answered when its commit is on the disk (WAL, synchronous=FULL): it survives kill -9 and the loss of power.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations: sqlOperations({ placeholders: '?, or $1, $2 …', rows: 'JSON array of rows, each an array of its columns' }),
  create: createBinding,
});
