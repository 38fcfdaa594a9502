import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { afterAll, describe, expect, test } from 'vitest';
import { startPrivateServer, type PrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import type { Binding } from '../kit/bindings.ts';
import { requestOf } from '../kit/conformance/output-binding.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import nats from './binding.ts';

type KeyPair = ReturnType<typeof nkeys.createUser>;
const PASSWORD = 'w0rd-of-ada';
const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const servers: PrivateServer[] = [];
/** Its port. */
async function serve(...args: readonly string[]): Promise<string> {
  const server = await startPrivateServer('nats', args);
  servers.push(server);
  return server.address.split(':')[1] ?? '';
}
afterAll(async () => {
  await Promise.all(servers.map((server) => server.dispose()));
  await certificates.remove();
});

const call = { operation: 'create', data: '1' };
const build = (natsURL: string, { authority, clientCertificate, clientKey }: TlsChoice = {}, options: Record<string, unknown> = {}): Binding =>
  buildComponent(nats, { natsURL, subject: 'tls.test', caCert: authority, clientCert: clientCertificate, clientKey, ...options });
async function send(binding: Binding): Promise<void> {
  try {
    await (await connected(binding)).invoke?.(requestOf(call), AbortSignal.timeout(10_000));
  } finally {
    await binding.close?.();
  }
}

const tls = ['--tls', '--tlscert', certificates.certificate, '--tlskey', certificates.key, '--tlscacert', certificates.authority];
const [port, portForClients] = [await serve(...tls, '--user', 'ada', '--pass', PASSWORD), await serve(...tls, '--tlsverify')];
const signedIn = { user: 'ada', password: PASSWORD };

tlsBindingConformance(nats, {
  pem: certificates.pem,
  build: (host, choice) => build(`tls://${host}:${port}`, choice, signedIn),
  buildForClients: (host, choice) => build(`nats://${host}:${portForClients}`, choice),
  call,
  mayBeUnverified: false,
  secrets: [PASSWORD],
});

test('(users 55) TLS that the YAML asks for is not left out with a server that has none', async () => {
  await expect(send(build(`tls://localhost:${await serve()}`))).rejects.toMatchObject({ fault: 'unavailable' });
});

describe('signing in to NATS', () => {
  const refusal = async (binding: Binding): Promise<unknown> => send(binding).catch((error: unknown) => error);

  test('by user and password, or by token; a wrong one is denied, in words without it', async () => {
    const { authority } = certificates.pem;
    expect(await refusal(build(`tls://localhost:${port}`, { authority }, { user: 'ada', password: 'not-the-word' }))).toMatchObject({ fault: 'denied', message: expect.not.stringContaining('not-the-word') as string });
    const tokenPort = await serve('--auth', 'the-token');
    await send(build(`127.0.0.1:${tokenPort}`, {}, { token: 'the-token' }));
    expect(await refusal(build(`127.0.0.1:${tokenPort}`, {}, { token: 'not-the-token' }))).toMatchObject({ fault: 'denied', message: expect.not.stringContaining('not-the-token') as string });
  });

  test('by JWT and the seed that signs for it; the seed of somebody else is denied', async () => {
    const [operator, account, system, user, other] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount(), nkeys.createUser(), nkeys.createUser()];
    const jwt = (subject: KeyPair, issuer: KeyPair, type: string): string => {
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const limits = type === 'account' ? { limits: { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1, wildcards: true } } : {};
      const claims = { jti: `id-of-${type}`, iat: 1, iss: issuer.getPublicKey(), name: type, sub: subject.getPublicKey(), nats: { type, version: 2, ...limits, ...(type === 'user' ? { subs: -1, data: -1, payload: -1 } : {}) } };
      const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
      return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
    };
    const file = join(dirname(certificates.authority), 'operator.conf');
    await writeFile(file, `operator: ${jwt(operator, operator, 'operator')}\nresolver: MEMORY\nsystem_account: ${system.getPublicKey()}\nresolver_preload: { ${[account, system].map((one) => `${one.getPublicKey()}: ${jwt(one, operator, 'account')}`).join(', ')} }\n`);
    const jwtPort = await serve('--config', file);
    const seedOf = (pair: KeyPair): string => Buffer.from(pair.getSeed()).toString();
    const userJwt = jwt(user, account, 'user');
    await send(build(`127.0.0.1:${jwtPort}`, {}, { jwt: userJwt, seedKey: seedOf(user) }));
    expect(await refusal(build(`127.0.0.1:${jwtPort}`, {}, { jwt: userJwt, seedKey: seedOf(other) }))).toMatchObject({ fault: 'denied', message: expect.not.stringContaining(seedOf(other)) as string });
  });
});
