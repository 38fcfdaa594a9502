/**
 * How a Kafka cluster is reached: the metadata that says so, the client made from it, its log and its errors.
 *
 * Does not own: publishing (`producer.ts`) and consuming (`group.ts`).
 */
import type { Kafka, KafkaConfig, logCreator, RetryOptions, SASLOptions } from 'kafkajs';
import { field, type ComponentContext, type OptionsOf } from '@mecha/components/kit';

const truthy = { booleanRule: 'truthy' } as const;
const ms = { integerUnit: 's' } as const;
const NO_OIDC = 'authType oidc is not supported';
const NO_AWS = 'authType awsiam is not supported';
const NO_REGISTRY = 'values are passed on as bytes; a schema registry is not asked';
const BLOCK_RETRIES = 'retries are the same on every broker: the resiliency policy of the subscription says how';

export const connectionMetadata = {
  brokers: field.list('Comma list of `host:port`.', { required: true }),
  clientId: field.string('Name of this client at the brokers.', { default: 'mecha', aliases: ['clientID'] }),
  authType: field.string('How to sign in: none, password, mtls or certificate. Required.', {
    values: ['none', 'password', 'mtls', 'certificate', 'oidc', 'oidc_private_key_jwt', 'awsiam'],
  }),
  authRequired: field.string('Older way to say authType: false = none; true = password with a saslPassword, else mtls.'),
  saslUsername: field.string('User for authType password.'),
  saslPassword: field.string('Password for authType password.', { secret: true }),
  saslMechanism: field.string('SHA-256, SHA-512, or anything else for PLAIN.'),
  caCert: field.string('PEM of the authority that signed the certificates of the brokers.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  skipVerify: field.boolean('Take any certificate.', { default: false, ...truthy }),
  disableTls: field.boolean('Speak without TLS. It is on for every authType but none.', { default: false, ...truthy }),
  dialTimeout: field.duration('Most time for a connection to open.', { default: 30_000, ...ms }),
  readTimeout: field.duration('Most time for an answer.', { default: 30_000, ...ms }),
  clientConnectionTopicMetadataRefreshInterval: field.duration('How often to ask for new partitions.', { default: 8 * 60_000, ...ms }),
  version: field.noEffect('Version of the protocol.', 'client and broker find the version themselves'),
  writeTimeout: field.noEffect('Most time for writing a request.', 'readTimeout counts from the request to its answer'),
  metadataTimeout: field.noEffect('Most time for fetching metadata.', 'readTimeout holds for these requests too'),
  clientConnectionKeepAliveInterval: field.noEffect('Interval of keep-alive probes.', 'they are always on'),
  oidcTokenEndpoint: field.noEffect('Where tokens come from.', NO_OIDC),
  oidcClientID: field.noEffect('Client at the token endpoint.', NO_OIDC),
  oidcClientSecret: field.noEffect('Secret at the token endpoint.', NO_OIDC),
  oidcScopes: field.noEffect('Scopes of the token.', NO_OIDC),
  oidcExtensions: field.noEffect('Extensions of the token.', NO_OIDC),
  oidcClientAssertionCert: field.noEffect('Certificate for the token endpoint.', NO_OIDC),
  oidcClientAssertionKey: field.noEffect('Key for the token endpoint.', NO_OIDC),
  oidcResource: field.noEffect('Resource of the token.', NO_OIDC),
  oidcAudience: field.noEffect('Audience of the token.', NO_OIDC),
  oidcKid: field.noEffect('Key id for the token endpoint.', NO_OIDC),
  region: field.noEffect('Region.', NO_AWS),
  awsRegion: field.noEffect('Region.', NO_AWS),
  accessKey: field.noEffect('Access key.', NO_AWS),
  awsAccessKey: field.noEffect('Access key.', NO_AWS),
  secretKey: field.noEffect('Secret key.', NO_AWS),
  awsSecretKey: field.noEffect('Secret key.', NO_AWS),
  sessionToken: field.noEffect('Session token.', NO_AWS),
  awsSessionToken: field.noEffect('Session token.', NO_AWS),
  assumeRoleArn: field.noEffect('Role.', NO_AWS),
  awsIamRoleArn: field.noEffect('Role.', NO_AWS),
  sessionName: field.noEffect('Session name.', NO_AWS),
  awsStsSessionName: field.noEffect('Session name.', NO_AWS),
  trustAnchorArn: field.noEffect('Trust anchor.', NO_AWS),
  trustProfileArn: field.noEffect('Trust profile.', NO_AWS),
  schemaRegistryURL: field.noEffect('Address of a schema registry.', NO_REGISTRY),
  schemaRegistryAPIKey: field.noEffect('Key at the schema registry.', NO_REGISTRY),
  schemaRegistryAPISecret: field.noEffect('Secret at the schema registry.', NO_REGISTRY),
  schemaCachingEnabled: field.noEffect('Keep schemas.', NO_REGISTRY),
  schemaLatestVersionCacheTTL: field.noEffect('How long to keep schemas.', NO_REGISTRY),
  useAvroJSON: field.noEffect('Encoding of Avro values.', NO_REGISTRY),
  consumeRetryEnabled: field.noEffect('Retry in the component.', BLOCK_RETRIES),
  consumeRetryInterval: field.noEffect('Wait between consume loops.', BLOCK_RETRIES),
  backOffPolicy: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffDuration: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffInitialInterval: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffRandomizationFactor: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffMultiplier: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffMaxInterval: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffMaxElapsedTime: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
  backOffMaxRetries: field.noEffect('Back-off of retries.', BLOCK_RETRIES),
} as const;

export type ConnectionOptions = OptionsOf<typeof connectionMetadata>;

/** All of it is given, for the library has other defaults under a test runner. */
export const RETRIES: Required<Omit<RetryOptions, 'restartOnFailure'>> = { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000, factor: 0.2, multiplier: 2 };

const LOG_AGAIN_MS = 60_000;
const LOG_TEXTS_MAX = 200;

/** Throws, in words for the reader of the YAML, when the options contradict one another. */
export function clientConfig(options: ConnectionOptions, context: Pick<ComponentContext, 'log' | 'clock'>): KafkaConfig {
  const auth = authOf(options);
  if (Boolean(options.clientCert) !== Boolean(options.clientKey)) throw new Error('clientCert and clientKey are needed together');
  if (auth === 'certificate' && !options.caCert) throw new Error('authType certificate needs caCert');
  const sasl = auth === 'password' ? saslOf(options) : undefined;
  const brokers = options.brokers.map((broker) => broker.trim()).filter((broker) => broker !== '');
  if (brokers.length === 0) throw new Error('brokers names no broker');
  return {
    clientId: options.clientId,
    brokers,
    connectionTimeout: options.dialTimeout,
    authenticationTimeout: options.dialTimeout,
    requestTimeout: options.readTimeout,
    retry: RETRIES,
    logLevel: 2, // warnings and errors
    logCreator: logCreatorFor(context),
    ...(auth === 'none' || options.disableTls ? {} : { ssl: tlsOf(options) }),
    ...(sasl ? { sasl } : {}),
  };
}

type Auth = 'none' | 'password' | 'mtls' | 'certificate';

function authOf({ authType, authRequired, saslPassword }: ConnectionOptions): Auth {
  switch (authType?.toLowerCase()) {
    case 'none':
    case 'password':
    case 'mtls':
    case 'certificate':
      return authType.toLowerCase() as Auth;
    case undefined:
    case '':
      if (!authRequired) throw new Error('authType is required: none, password, mtls or certificate');
      if (!/^(y|yes|true|t|on|1)$/i.test(authRequired.trim())) return 'none';
      return saslPassword ? 'password' : 'mtls';
    default:
      throw new Error(`authType ${authType} is not supported; none, password, mtls and certificate are`);
  }
}

function saslOf({ saslUsername, saslPassword, saslMechanism }: ConnectionOptions): SASLOptions {
  if (!saslUsername || !saslPassword) throw new Error('authType password needs saslUsername and saslPassword');
  const mechanism = ({ 'SHA-256': 'scram-sha-256', 'SHA-512': 'scram-sha-512' } as const)[saslMechanism ?? ''] ?? 'plain';
  return { mechanism, username: saslUsername, password: saslPassword };
}

function tlsOf(options: ConnectionOptions): NonNullable<KafkaConfig['ssl']> {
  return {
    rejectUnauthorized: !options.skipVerify,
    ...(options.caCert ? { ca: options.caCert } : {}),
    ...(options.clientCert && options.clientKey ? { cert: options.clientCert, key: options.clientKey } : {}),
  };
}

/** The library's own log, each text at most once a minute: while a broker is away it says the same many times a second. */
function logCreatorFor({ log, clock }: Pick<ComponentContext, 'log' | 'clock'>): logCreator {
  const saidAt = new Map<string, number>();
  return () => ({ level, log: { message, error, broker, topic } }) => {
    const now = clock.now();
    if (now - (saidAt.get(message) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return;
    if (saidAt.size >= LOG_TEXTS_MAX) saidAt.clear();
    saidAt.set(message, now);
    // An unwelcome answer of a broker is no news: the library tries again, or the caller is told.
    log[level === 1 && !message.startsWith('Response ') ? 'warn' : 'debug']({ reason: typeof error === 'string' ? error : undefined, broker, topic }, `kafka: ${message}`);
  };
}

/** Loads the library when a component connects, and mends the timer that it sets to a moment long past. */
export async function createClient(config: KafkaConfig): Promise<Kafka> {
  const [{ Kafka }, { default: RequestQueue }] = await Promise.all([loadLibrary(), import('kafkajs/src/network/requestQueue/index.js')]);
  mendRequestQueue(RequestQueue.prototype);
  return new Kafka(config);
}

/** By its default export: a bundle of this CommonJS library has no other. */
export async function loadLibrary(): Promise<typeof import('kafkajs')> {
  return (await import('kafkajs')).default;
}

const mended = new WeakSet<object>();

/**
 * After each answer the library sets a timer for the end of a throttling that never began, at a negative delay, for
 * which Node prints a warning. With nothing waiting and no throttling there is nothing to look for.
 */
function mendRequestQueue(queue: { pending: unknown[]; throttledUntil: number; scheduleCheckPendingRequests(): void }): void {
  if (mended.has(queue)) return;
  mended.add(queue);
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleWhenNeeded() {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

/** The protocol's word for what went wrong, from under the library's wrappers: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function errorType(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const { type } = at as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return undefined;
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
