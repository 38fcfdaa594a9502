/** A connection to NATS servers: opened once per `connect`, then kept by the client library, which reconnects for ever. */
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { NatsConnection } from '@nats-io/transport-node';
import { BindingError, field, unlessAborted, type ComponentLog, type OptionsOf } from '@mecha/components/kit';

export const connectionMetadata = {
  natsURL: field.string('Address of the server, nats://host:4222 or tls://host:4222; a comma list for a cluster.', { required: true }),
  name: field.string('Name of the connection, as the server lists it; by default the app id.'),
  token: field.string('Token to sign in with.', { secret: true }),
  user: field.string('User to sign in as; needs `password`.'),
  password: field.string('Password of the user.', { secret: true }),
  jwt: field.string('JWT to sign in with; needs `seedKey`.', { secret: true }),
  seedKey: field.string('Seed of the key that signs for the JWT.', { secret: true }),
  caCert: field.string('PEM of the authority that signed the certificate of the server, where the system does not know it.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
} as const;
export type ConnectionOptions = OptionsOf<typeof connectionMetadata>;

const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_MS = 500;
const PING_MS = 20_000;

export interface Link {
  readonly connection: NatsConnection;
  /** False while the library looks for the server again. */
  readonly up: boolean;
}

/** Throws, for the reader of the YAML, when the options contradict one another. */
export function checkOptions({ natsURL, user, password, jwt, seedKey, clientCert, clientKey }: ConnectionOptions): void {
  for (const server of natsURL.split(',')) {
    const url = URL.parse(server.includes('://') ? server.trim() : `nats://${server.trim()}`);
    if (!url?.hostname) throw new Error('natsURL must be like nats://host:4222');
    // A URL is shown in logs and errors.
    if (url.username || url.password) throw new Error('natsURL must hold neither user nor password; there are fields for both');
  }
  if ((user === undefined) !== (password === undefined)) throw new Error('user and password are given both, or neither');
  if ((jwt === undefined) !== (seedKey === undefined)) throw new Error('jwt and seedKey are given both, or neither');
  if ((clientCert === undefined) !== (clientKey === undefined)) throw new Error('clientCert and clientKey are given both, or neither');
}

/** Rejects with `BindingError` when no server can be had now. */
export async function openLink(options: ConnectionOptions, name: string, log: ComponentLog, signal: AbortSignal): Promise<Link> {
  const { connect, jwtAuthenticator } = await import('@nats-io/transport-node');
  const { natsURL, token, user, password, jwt, seedKey, caCert, clientCert, clientKey } = options;
  const servers = natsURL.split(',').map((server) => server.trim());
  const opening = connect({
    servers: servers.map((server) => server.replace(/^(nats|tls):\/\//, '')),
    name: options.name ?? name,
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    // A server that begins may refuse until it knows its users: refused twice, the library would give up for good.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RECONNECT_MS,
    pingInterval: PING_MS,
    ...(token ? { token } : {}),
    ...(user && password ? { user, pass: password } : {}),
    ...(jwt && seedKey ? { authenticator: jwtAuthenticator(jwt, Buffer.from(seedKey)) } : {}),
    ...(caCert || clientCert || servers.some((server) => server.startsWith('tls://'))
      ? { tls: { ...identityCheck(servers), ...(caCert ? { ca: caCert } : {}), ...(clientCert ? { cert: clientCert } : {}), ...(clientKey ? { key: clientKey } : {}) } }
      : {}),
  });
  let connection: NatsConnection;
  try {
    connection = await calledOffBy(signal, opening);
  } catch (error) {
    // Should it come after all, nobody waits for it any more.
    opening.then((late) => late.close(), () => undefined);
    const { name: kind, message } = error as Error;
    throw new BindingError(/Authorization|UserAuthentication/.test(kind) ? 'denied' : 'unavailable', `NATS cannot be reached: ${message}`, { cause: error });
  }
  const link = { connection, up: true };
  void (async () => {
    let told: string | undefined;
    for await (const status of connection.status()) {
      // Both come again with every try.
      if (status.type === 'disconnect' && link.up) log.warn({ server: connection.getServer() }, 'NATS is away; trying again');
      if (status.type === 'error' && status.error.message !== told) log.warn({ reason: (told = status.error.message) }, 'NATS refuses what it is asked for');
      if (status.type === 'reconnect') told = undefined;
      if (status.type === 'disconnect' || status.type === 'reconnect') link.up = status.type === 'reconnect';
    }
    link.up = false;
  })();
  return link;
}

/**
 * The library does not tell Node the address of a server that has no name, and Node then looks for `localhost` in its certificate:
 * it must be for one of the addresses that the YAML names.
 */
function identityCheck(servers: readonly string[]): { readonly checkServerIdentity: typeof checkServerIdentity } {
  const hosts = servers.map((server) => URL.parse(server.includes('://') ? server : `nats://${server}`)?.hostname.replace(/^\[|\]$/g, '') ?? '');
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  return {
    checkServerIdentity(name, certificate) {
      if (hosts.includes(name) || addresses.length === 0) return checkServerIdentity(name, certificate);
      const problems = addresses.map((address) => checkServerIdentity(address, certificate));
      return problems.includes(undefined) ? undefined : problems[0];
    },
  };
}

/** The work's result, unless the signal comes first; the work itself goes on. */
export function calledOffBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return unlessAborted(work, signal).catch((error: unknown) => {
    throw signal.aborted ? new BindingError('timeout', 'NATS did not answer in the time allowed', { cause: signal.reason }) : error;
  });
}
