import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import type { Binding } from '../kit/bindings.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import rabbitmq from './binding.ts';

const certificates = await makeCertificates('rabbitmq', ['DNS:localhost']);
const { pem } = certificates;
const port = await freePort();
const broker = await startPrivateServer('rabbitmq', [], [
  `listeners.ssl.1 = 127.0.0.1:${port}`,
  `ssl_options.cacertfile = ${certificates.authority}`,
  `ssl_options.certfile = ${certificates.certificate}`,
  `ssl_options.keyfile = ${certificates.key}`,
  'ssl_options.verify = verify_peer',
  'ssl_options.fail_if_no_peer_cert = false',
  'ssl_cert_login_from = common_name',
  'auth_mechanisms.1 = PLAIN',
  'auth_mechanisms.2 = EXTERNAL',
]);
afterAll(async () => {
  await broker.dispose();
  await certificates.remove();
});

const build = (address: string, { authority, clientCertificate, clientKey }: TlsChoice = {}, options: Record<string, unknown> = {}): Binding =>
  buildComponent(rabbitmq, { host: `amqps://${address}/`, queueName: `tls-${randomUUID()}`, deleteWhenUnused: true, caCert: authority, clientCert: clientCertificate, clientKey, ...options });

tlsBindingConformance(rabbitmq, {
  pem,
  build: (host, tls) => build(`guest:guest@${host}:${port}`, tls),
  // The user is whom the certificate names, and no password is sent.
  buildForClients: (host, tls) => build(`${host}:${port}`, tls, { externalSasl: true }),
  call: { operation: 'create', data: '1' },
  mayBeUnverified: false,
  secrets: ['guest:guest'],
});

test.each(['guest', 'nobody'])('a wrong password of %s is refused in words without it', async (user) => {
  const wrong = build(`${user}:not-the-password@localhost:${port}`, pem);
  const error = await wrong.connect?.(AbortSignal.timeout(10_000)).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/ACCESS_REFUSED/);
  expect(String(error)).not.toContain('not-the-password');
  await wrong.close?.();
});

test('a broker that speaks no TLS is not taken for one that does', async () => {
  const plain = build(`guest:guest@${serverAddress('rabbitmq')}`);
  await expect(plain.connect?.(AbortSignal.timeout(10_000))).rejects.toThrow('RabbitMQ cannot be used');
  await plain.close?.();
});
