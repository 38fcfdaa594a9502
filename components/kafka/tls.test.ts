import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { KAFKA_USER, kafkaListeners } from '../../test/servers/kafka.ts';
import { freePort } from '../../test/servers/processes.ts';
import { startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { requestOf } from '../kit/conformance/output-binding.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import kafka from './binding.ts';

const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const keyStore = join(dirname(certificates.authority), 'key-store.pem');
await writeFile(keyStore, (await Promise.all([certificates.key, certificates.certificate].map((file) => readFile(file, 'utf8')))).join(''));
const stores = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': keyStore, 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': certificates.authority };
const login = 'org.apache.kafka.common.security';
const [port, portForClients] = [await freePort(), await freePort()];
const broker = await startPrivateServer('kafka', await kafkaListeners([
  {
    name: 'SIGNED', port, address: `localhost:${port}`, protocol: 'SASL_SSL',
    settings: {
      ...stores,
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${KAFKA_USER.name}="${KAFKA_USER.password}";`,
      'scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
      'scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    },
  },
  { name: 'CLIENTS', port: portForClients, address: `localhost:${portForClients}`, protocol: 'SSL', settings: { ...stores, 'ssl.client.auth': 'required' } },
]));
afterAll(async () => {
  await broker.dispose();
  await certificates.remove();
});

const call = { operation: 'create', data: '1' };
const build = (address: string, { authority, clientCertificate, clientKey, unverified = false }: TlsChoice, options: Record<string, unknown>) =>
  buildComponent(kafka, { brokers: [address], publishTopic: `tls-${randomUUID()}`, caCert: authority, clientCert: clientCertificate, clientKey, skipVerify: unverified, dialTimeout: 5_000, ...options });
const password = { authType: 'password', saslUsername: KAFKA_USER.name, saslPassword: KAFKA_USER.password };

tlsBindingConformance(kafka, {
  pem: certificates.pem,
  build: (host, tls) => build(`${host}:${port}`, tls, password),
  buildForClients: (host, tls) => build(`${host}:${portForClients}`, tls, { authType: 'mtls' }),
  call,
  mayBeUnverified: true,
  secrets: [KAFKA_USER.password],
});

describe('signing in to Kafka', () => {
  test.each([undefined, 'SHA-256', 'SHA-512'])('by user and password, mechanism %s; a wrong one is refused in words without it', async (saslMechanism) => {
    const one = build(`localhost:${port}`, certificates.pem, { ...password, saslMechanism, clientCert: undefined, clientKey: undefined });
    await (await connected(one)).invoke?.(requestOf(call), AbortSignal.timeout(20_000));
    await one.close?.();
    const wrong = build(`localhost:${port}`, certificates.pem, { ...password, saslMechanism, saslPassword: 'not-the-word', clientCert: undefined, clientKey: undefined });
    const error = await connected(wrong).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/authentication/i);
    expect(String(error)).not.toContain('not-the-word');
    await wrong.close?.();
  });

  test('a PLAIN password goes to no broker without TLS unless the YAML says disableTls', async () => {
    await expect(connected(build(broker.address, {}, password))).rejects.toThrow();
  });
});
