import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import mqtt3 from './binding.ts';

const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const [port, portForClients] = [await freePort(), await freePort()];
const listener = (at: number): readonly string[] => [`listener ${at} 127.0.0.1`, `cafile ${certificates.authority}`, `certfile ${certificates.certificate}`, `keyfile ${certificates.key}`];
const broker = await startPrivateServer('mosquitto', [], [...listener(port), ...listener(portForClients), 'require_certificate true']);
afterAll(async () => {
  await broker.dispose();
  await certificates.remove();
});

const build = (url: string, { authority, clientCertificate, clientKey }: TlsChoice) =>
  buildComponent(mqtt3, { url, topic: 'tls', consumerID: randomUUID(), caCert: authority, clientCert: clientCertificate, clientKey });

tlsBindingConformance(mqtt3, {
  pem: certificates.pem,
  build: (host, tls) => build(`mqtts://ada:w0rd-of-ada@${host}:${port}`, tls),
  buildForClients: (host, tls) => build(`ssl://${host}:${portForClients}`, tls),
  call: { operation: 'create', data: '1' },
  mayBeUnverified: false,
  secrets: ['w0rd-of-ada'],
});
