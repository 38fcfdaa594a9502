/**
 * `bindings.mysql`: SQL statements of the app on a MySQL or MariaDB database, with values as bind parameters.
 *
 * Rows are answered as JSON objects of column and value, without those that are NULL; numbers keep all their digits, times are
 * RFC 3339 in UTC, bytes are base64, JSON stays JSON.
 */
import { defineComponent, field, invokeSql, sqlOperations, type Binding, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { parseDuration } from '../kit/metadata.ts';
import { readDataSourceName } from './data-source-name.ts';
import { MysqlDriver } from './sql-driver.ts';

const metadata = {
  url: field.string('Data source name: `user:password@tcp(host:3306)/database?tls=…`.', { required: true, secret: true }),
  pemPath: field.string('Path of a PEM file with the authority that signed the certificate of the server; needs `tls=custom` in url.'),
  timeout: field.duration('Most time for a statement, with the wait for a connection.', { default: 20_000, minimum: 1_000, aliases: ['timeoutInSeconds'] }),
  maxOpenConns: field.integer('Most connections; 0 = 10.', { default: 10, minimum: 0, maximum: 10_000 }),
  maxIdleConns: field.integer('Idle connections that are kept for longer than connMaxIdleTime.', { default: 2, minimum: 0, maximum: 10_000 }),
  connMaxIdleTime: field.duration('Time after which an idle connection is closed; 0 = 5 minutes.', { default: 300_000, minimum: 0 }),
  connMaxLifetime: field.noEffect('Age at which a connection is closed.', 'a connection is used until it is idle for long, or breaks'),
} as const;

type Options = OptionsOf<typeof metadata>;

const CONNECT_TIMEOUT_MS = 10_000;

function createBinding({ options, clock, log }: ComponentContext<Options>): Binding {
  const source = readDataSourceName(options.url);
  if (Boolean(options.pemPath) !== (source.tls === 'custom')) throw new Error('pemPath, and tls=custom in url, are needed together');
  const driver = new MysqlDriver({
    source,
    pemPath: options.pemPath,
    connectionsMax: options.maxOpenConns || metadata.maxOpenConns.default,
    idleMax: options.maxIdleConns,
    idleTimeoutMs: options.connMaxIdleTime || metadata.connMaxIdleTime.default,
    connectTimeoutMs: Math.min(parseDuration(source.connectTimeout ?? '') ?? CONNECT_TIMEOUT_MS, options.timeout),
    timeoutMs: options.timeout,
    clock,
    log,
  });
  return {
    connect: (signal) => driver.connect(signal),
    ping: () => driver.ping(),
    close: () => driver.close(),
    invoke: invokeSql(driver, clock),
  };
}

export default defineComponent({
  type: 'bindings.mysql',
  versions: ['v1'],
  status: 'stable',
  title: 'MySQL and MariaDB',
  description: 'Statements on a MySQL or MariaDB database; values go in as bind parameters only. Tested with MariaDB.',
  durability: 'A statement is answered after its commit; what that survives, innodb_flush_log_at_trx_commit of the server says. A statement whose answer was lost may have been done.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations: sqlOperations({ placeholders: '?', rows: 'JSON array of rows, each an object of its columns without those that are NULL; null where there are no rows' }),
  library: 'mysql2',
  create: createBinding,
});
