/**
 * `bindings.postgresql`: SQL statements of the app on a PostgreSQL database, with values as bind parameters.
 *
 * Rows are answered as JSON arrays of arrays, in the order of the columns; numbers keep all their digits, times are RFC 3339,
 * bytes are base64, JSON stays JSON.
 */
import { defineComponent, field, invokeSql, sqlOperations, type Binding, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { readDatabaseAddress } from './connection-string.ts';
import { PostgresqlDriver } from './sql-driver.ts';

const strict = { booleanRule: 'strict' } as const;
const NO_TOKENS = 'signing in with tokens of a cloud is not supported';

const metadata = {
  connectionString: field.string('`postgres://user:password@host:5432/database?sslmode=…` or `host=… user=… password=… database=…`.', { secret: true, aliases: ['url'] }),
  host: field.string('Server; overrules connectionString.'),
  hostaddr: field.string('Address of the server; overrules host.'),
  port: field.string('Port; overrules connectionString.'),
  database: field.string('Database; overrules connectionString.'),
  user: field.string('User; overrules connectionString.'),
  password: field.string('Password; overrules connectionString.', { secret: true }),
  sslRootCert: field.string('Path of a PEM file with the authority that signed the certificate of the server.'),
  timeout: field.duration('Most time for a statement, with the wait for a connection.', { default: 20_000, minimum: 1_000, aliases: ['timeoutInSeconds'] }),
  maxConns: field.integer('Most connections.', { default: 10, minimum: 0, maximum: 10_000 }),
  connectionMaxIdleTime: field.duration('Time after which an idle connection is closed.', { default: 300_000, minimum: 0 }),
  useAzureAD: field.boolean('Not supported: an error when true.', { default: false, ...strict }),
  useAWSIAM: field.boolean('Not supported: an error when true.', { default: false, ...strict }),
  queryExecMode: field.noEffect('How statements are prepared.', 'each is prepared for its one run, and values travel beside it'),
  region: field.noEffect('Region.', NO_TOKENS),
  awsRegion: field.noEffect('Region.', NO_TOKENS),
  accessKey: field.noEffect('Access key.', NO_TOKENS),
  awsAccessKey: field.noEffect('Access key.', NO_TOKENS),
  secretKey: field.noEffect('Secret key.', NO_TOKENS),
  awsSecretKey: field.noEffect('Secret key.', NO_TOKENS),
  sessionToken: field.noEffect('Session token.', NO_TOKENS),
  awsSessionToken: field.noEffect('Session token.', NO_TOKENS),
  assumeRoleArn: field.noEffect('Role.', NO_TOKENS),
  awsIamRoleArn: field.noEffect('Role.', NO_TOKENS),
  sessionName: field.noEffect('Session name.', NO_TOKENS),
  awsStsSessionName: field.noEffect('Session name.', NO_TOKENS),
  trustAnchorArn: field.noEffect('Trust anchor.', NO_TOKENS),
  trustProfileArn: field.noEffect('Trust profile.', NO_TOKENS),
  azureTenantId: field.noEffect('Tenant.', NO_TOKENS),
  azureClientId: field.noEffect('Client.', NO_TOKENS),
  azureClientSecret: field.noEffect('Secret of the client.', NO_TOKENS),
} as const;

type Options = OptionsOf<typeof metadata>;

function createBinding({ options, clock, log }: ComponentContext<Options>): Binding {
  if (options.useAzureAD || options.useAWSIAM) throw new Error(`${options.useAzureAD ? 'useAzureAD' : 'useAWSIAM'}: ${NO_TOKENS}; use user and password`);
  const driver = new PostgresqlDriver({
    address: readDatabaseAddress(options),
    connectionsMax: options.maxConns > 1 ? options.maxConns : metadata.maxConns.default,
    idleTimeoutMs: options.connectionMaxIdleTime > 0 ? options.connectionMaxIdleTime : metadata.connectionMaxIdleTime.default,
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
  type: 'bindings.postgresql',
  aliases: ['bindings.postgres'],
  versions: ['v1'],
  status: 'stable',
  title: 'PostgreSQL',
  description: 'Statements on a PostgreSQL database; values go in as bind parameters only.',
  durability: 'A statement is answered after its commit; what that survives, synchronous_commit of the server says. A statement whose answer was lost may have been done.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations: sqlOperations({ placeholders: '$1, $2 …', rows: 'JSON array of rows, each an array of its columns' }),
  library: 'pg',
  create: createBinding,
});
