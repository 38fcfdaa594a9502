/**
 * The connection that everything on Redis shares: its metadata (one schema for state, pub/sub and what follows), how
 * node, cluster and sentinel clients are made from it, and how a lost connection is healed.
 *
 * Does not own: any command of a port.
 *
 * Rules
 * - The first connection is tried once per `connect`; the runtime's back-off decides when again. Once connected, the
 *   client reconnects by itself for ever.
 * - While the server is away, commands wait for `redisMaxRetries` reconnections and `readTimeout` at most, then fail.
 *   A command whose reply was lost is not sent a second time (but by a cluster's client): whether it was done is unknown,
 *   and the caller must know.
 * - Errors of the client library carry the command and its arguments, values and passwords among them; `plainError`
 *   takes those away before an error leaves this folder.
 */
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { field, type Clock, type ComponentLog, type OptionsOf } from '@mecha/components/kit';

const strict = { booleanRule: 'strict' } as const;
const ms = { integerUnit: 'ms' } as const;
const ONE_CONNECTION = 'each component keeps one connection, on which commands are pipelined';
const NO_TOKENS = 'signing in with Entra ID or OIDC tokens is not supported';

/** Names, types and defaults as the field knows them: bare integers are milliseconds, booleans are strict. */
export const connectionMetadata = {
  redisHost: field.string('Address as `host` or `host:port`; a comma list for a cluster or for sentinels.', { required: true }),
  redisPort: field.integer('Port for addresses that name none; default 6379.', { minimum: 1, maximum: 65535 }),
  redisUsername: field.string('User of the access control list.'),
  redisPassword: field.string('Password.', { secret: true }),
  sentinelUsername: field.string('User at the sentinels.'),
  sentinelPassword: field.string('Password at the sentinels.', { secret: true }),
  redisDB: field.integer('Number of the database; a cluster has only 0.', { default: 0, minimum: 0 }),
  redisType: field.string('One server (`node`) or a cluster.', { default: 'node', values: ['node', 'cluster'] }),
  failover: field.boolean('Addresses are those of sentinels, which know the master.', { default: false, ...strict }),
  sentinelMasterName: field.string('Name of the master at the sentinels.'),
  redisMaxRetries: field.integer('Reconnections that a waiting command survives; -1 = none.', { default: 3, minimum: -1, aliases: ['maxRetries'] }),
  redisMinRetryInterval: field.duration('First wait before a reconnection; default 8 ms. It doubles from there.', ms),
  redisMaxRetryInterval: field.duration('Longest wait before a reconnection; default 512 ms.', ms),
  dialTimeout: field.duration('Most time for a connection to open.', { default: 5_000, ...ms }),
  readTimeout: field.duration('Most time for a command; -1 = no limit.', { default: 3_000, ...ms }),
  enableTLS: field.boolean('Speak TLS. The certificate is verified unless `insecureSkipTLSVerify` is set.', { default: false, ...strict }),
  insecureSkipTLSVerify: field.boolean('Take any certificate.', { default: false, ...strict }),
  caCert: field.string('PEM of the authority that signed the certificate of the server, where the system does not know it.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  useEntraID: field.boolean('Not supported: an error when true.', { default: false, ...strict }),
  useOIDC: field.boolean('Not supported: an error when true.', { default: false, ...strict }),
  maxRetryBackoff: field.noEffect('Older name of a back-off setting.', 'redisMaxRetryInterval is the one that counts'),
  writeTimeout: field.noEffect('Most time for writing a command.', 'readTimeout counts from handing in the command to its reply'),
  poolSize: field.noEffect('Connections in the pool.', ONE_CONNECTION),
  poolTimeout: field.noEffect('Wait for a connection of the pool.', ONE_CONNECTION),
  maxConnAge: field.noEffect('Age at which a connection is closed.', ONE_CONNECTION),
  minIdleConns: field.noEffect('Idle connections to keep.', ONE_CONNECTION),
  idleTimeout: field.noEffect('Time after which an idle connection is closed.', ONE_CONNECTION),
  idleCheckFrequency: field.noEffect('Time between looks for idle connections.', ONE_CONNECTION),
  oidcTokenEndpoint: field.noEffect('Where tokens come from.', NO_TOKENS),
  oidcClientID: field.noEffect('Client at the token endpoint.', NO_TOKENS),
  oidcClientAssertionCert: field.noEffect('Certificate for the token endpoint.', NO_TOKENS),
  oidcClientAssertionKey: field.noEffect('Key for the token endpoint.', NO_TOKENS),
  oidcResource: field.noEffect('Resource of the token.', NO_TOKENS),
  oidcAudience: field.noEffect('Audience of the token.', NO_TOKENS),
  oidcKid: field.noEffect('Key id for the token endpoint.', NO_TOKENS),
  oidcScopes: field.noEffect('Scopes of the token.', NO_TOKENS),
  oidcCACert: field.noEffect('Authority of the token endpoint.', NO_TOKENS),
} as const;

export type ConnectionOptions = OptionsOf<typeof connectionMetadata>;
export type RedisClient = Redis | Cluster;
/** Without the setting that would change the types of replies. */
type NodeOptions = Omit<RedisOptions, 'replyMapping'>;

const USUAL_PORT = 6379;
const RETRY_FIRST_MS = 8;
const RETRY_MOST_MS = 512;
const LOG_AGAIN_MS = 60_000;
const SILENCE_MOST_MS = 10_000;

export class RedisConnection {
  readonly isCluster: boolean;
  readonly #options: ConnectionOptions;
  readonly #log: ComponentLog;
  readonly #clock: Clock;
  /** All that were made, for `close`. */
  readonly #clients = new Set<RedisClient>();
  #client: RedisClient | undefined;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #lost = false;

  /** Throws, in words for the reader of the YAML, when the options contradict one another. */
  constructor(options: ConnectionOptions, context: { readonly log: ComponentLog; readonly clock: Clock }) {
    checkOptions(options);
    this.#options = options;
    this.#log = context.log;
    this.#clock = context.clock;
    this.isCluster = options.redisType === 'cluster' && !usesSentinels(options);
  }

  /** Throws when `connect` has not succeeded yet. */
  get client(): RedisClient {
    if (!this.#client) throw new Error('there is no connection to Redis yet');
    return this.#client;
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#client) this.#discard(this.#client);
    this.#client = undefined;
    this.#client = await this.open({ signal });
  }

  /**
   * Another connection, for a caller that holds one up. `blockMs`: the longest that its commands block on purpose,
   * which `readTimeout` does not count. Closed with the rest, or by `release`.
   */
  async open({ signal, blockMs = 0 }: { readonly signal?: AbortSignal; readonly blockMs?: number } = {}): Promise<RedisClient> {
    // By its default export: a bundle of this CommonJS library has no other.
    const { Redis, Cluster } = (await import('ioredis')).default;
    let connected = false;
    let last: Error | undefined;
    const retryStrategy = (attempt: number): number | null => (connected ? this.#retryDelayMs(attempt) : null);
    const client = this.isCluster
      ? new Cluster([...addressesOf(this.#options)], clusterOptions(this.#options, retryStrategy, blockMs))
      : new Redis(nodeOptions(this.#options, retryStrategy, blockMs));
    this.#clients.add(client);
    client.on('error', (error: Error) => {
      last = plainError(error);
      if (connected) this.#noteLost(last);
    });
    client.on('close', () => {
      rejectUnanswered(client);
      if (connected && this.#clients.has(client)) this.#noteLost(last ?? new Error('the server closed the connection'));
    });
    client.on('ready', () => this.#noteReady());
    const abandon = (): void => this.#discard(client);
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      await client.connect();
      signal?.throwIfAborted();
      connected = true;
      return client;
    } catch (error) {
      this.#discard(client);
      throw rootCause(last ?? plainError(error));
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }

  /** Closes a connection that `open` gave. */
  release(client: RedisClient): void {
    this.#discard(client);
  }

  async ping(): Promise<void> {
    await this.client.ping().catch((error: unknown) => {
      throw plainError(error);
    });
  }

  /** Closes all; commands under way are rejected. */
  close(): Promise<void> {
    for (const client of this.#clients) this.#discard(client);
    this.#client = undefined;
    return Promise.resolve();
  }

  #discard(client: RedisClient): void {
    this.#clients.delete(client);
    client.disconnect();
  }

  #retryDelayMs(attempt: number): number {
    const firstMs = Math.max(this.#options.redisMinRetryInterval ?? RETRY_FIRST_MS, 1);
    const mostMs = Math.max(this.#options.redisMaxRetryInterval ?? RETRY_MOST_MS, firstMs);
    return Math.min(firstMs * 2 ** Math.min(attempt - 1, 20), mostMs);
  }

  #noteLost(error: Error): void {
    this.#lost = true;
    const now = this.#clock.now();
    if (now - this.#loggedAt < LOG_AGAIN_MS) return;
    this.#loggedAt = now;
    this.#log.warn({ reason: error.message }, 'the connection to Redis was lost; reconnecting');
  }

  #noteReady(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.#loggedAt = Number.NEGATIVE_INFINITY;
    this.#log.info({}, 'the connection to Redis is back');
  }
}

function usesSentinels(options: ConnectionOptions): boolean {
  return options.failover || Boolean(options.sentinelMasterName);
}

function checkOptions(options: ConnectionOptions): void {
  if (options.useEntraID || options.useOIDC) throw new Error(`${options.useOIDC ? 'useOIDC' : 'useEntraID'}: ${NO_TOKENS}; use redisUsername and redisPassword`);
  if (Boolean(options.clientCert) !== Boolean(options.clientKey)) throw new Error('clientCert and clientKey are needed together');
  if (usesSentinels(options) && !options.sentinelMasterName) throw new Error('failover needs sentinelMasterName');
  const addresses = addressesOf(options);
  if (addresses.length > 1 && options.redisType !== 'cluster' && !usesSentinels(options)) {
    throw new Error('redisHost lists several servers: set redisType to cluster, or failover and sentinelMasterName');
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address; a comma list of them. */
function addressesOf(options: ConnectionOptions): readonly Address[] {
  const given = options.redisHost.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');
  if (given.length === 0) throw new Error('redisHost names no server');
  return given.map((entry) => {
    const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+)(?::(\d+))?$/.exec(entry);
    const host = match?.[1] ?? entry;
    const port = match?.[2] === undefined ? undefined : Number(match[2]);
    if (!match && !/^[0-9a-f:.]+$/i.test(entry)) throw new Error(`redisHost: '${entry}' is not a host or host:port`);
    if (port !== undefined && (port < 1 || port > 65535)) throw new Error(`redisHost: ${port} is no port`);
    if (port !== undefined && options.redisPort !== undefined && port !== options.redisPort) {
      throw new Error(`redisHost names port ${port} and redisPort names ${options.redisPort}`);
    }
    return { host, port: port ?? options.redisPort ?? USUAL_PORT };
  });
}

function commonOptions(options: ConnectionOptions, blockMs: number): NodeOptions {
  return {
    // The older protocol is spoken by every server, and nothing here needs the newer one.
    protocol: 2,
    lazyConnect: true,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    connectTimeout: positive(options.dialTimeout) ?? 5_000,
    maxRetriesPerRequest: Math.max(options.redisMaxRetries, 0),
    ...(positive(options.readTimeout) === undefined ? {} : { commandTimeout: options.readTimeout + blockMs }),
    // A connection on which nothing answers is dead, though the system may not know it for many minutes.
    socketTimeout: Math.max(2 * Math.max(options.readTimeout, 0), SILENCE_MOST_MS) + blockMs,
    ...(options.redisUsername ? { username: options.redisUsername } : {}),
    ...(options.redisPassword ? { password: options.redisPassword } : {}),
    ...(options.enableTLS ? { tls: tlsOptions(options) } : {}),
    // A replica that was a master a moment ago: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function tlsOptions(options: ConnectionOptions): NonNullable<NodeOptions['tls']> {
  return {
    rejectUnauthorized: !options.insecureSkipTLSVerify,
    ...(options.caCert ? { ca: options.caCert } : {}),
    ...(options.clientCert && options.clientKey ? { cert: options.clientCert, key: options.clientKey } : {}),
  };
}

function nodeOptions(options: ConnectionOptions, retryStrategy: (attempt: number) => number | null, blockMs: number): NodeOptions {
  const addresses = addressesOf(options);
  const common = { ...commonOptions(options, blockMs), db: options.redisDB, retryStrategy };
  if (!usesSentinels(options)) {
    const [address] = addresses;
    return { ...common, ...address };
  }
  return {
    ...common,
    sentinels: [...addresses],
    name: options.sentinelMasterName ?? '',
    sentinelRetryStrategy: retryStrategy,
    ...(options.sentinelUsername ? { sentinelUsername: options.sentinelUsername } : {}),
    ...(options.sentinelPassword ? { sentinelPassword: options.sentinelPassword } : {}),
    ...(options.enableTLS ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(options) } : {}),
  };
}

/** Commands of a cluster are not gathered into pipelines: those for different slots would be refused together. */
function clusterOptions(options: ConnectionOptions, retryStrategy: (attempt: number) => number | null, blockMs: number) {
  const { lazyConnect, enableAutoPipelining: _gathered, ...redisOptions } = commonOptions(options, blockMs);
  return { lazyConnect: lazyConnect ?? true, clusterRetryStrategy: retryStrategy, redisOptions } satisfies ClusterOptions;
}

function positive(value: number): number | undefined {
  return value > 0 ? value : undefined;
}

/** The error without the command that caused it: arguments hold values and passwords. */
export function plainError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if ('command' in error) delete error.command;
  if (error.name === 'MaxRetriesPerRequestError') error.message = 'Redis cannot be reached now, and the command was given up';
  else if (error.message === 'Command timed out') error.message = 'Redis did not answer in time (readTimeout); whether the command was done is unknown';
  else if (error.message === 'Connection is closed.') error.message = 'the connection to Redis was lost before the answer; whether the command was done is unknown';
  return error;
}

/**
 * Commands that were sent and not answered when the connection broke. The client, told not to send them again, would
 * forget them and leave their callers waiting. A cluster client looks after its nodes itself (and tries again).
 */
function rejectUnanswered(client: RedisClient): void {
  if (client.isCluster) return;
  const { flushQueue } = client as unknown as { flushQueue(error: Error, options: { offlineQueue: boolean }): void };
  flushQueue.call(client, new Error('Connection is closed.'), { offlineQueue: false });
}

/** A cluster client says only that all nodes failed; the reason is the last node's. */
function rootCause(error: Error): Error {
  const { lastNodeError } = error as { lastNodeError?: Error };
  return lastNodeError ? plainError(lastNodeError) : error;
}
