import { afterAll } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import redis from './binding.ts';

const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const files = ['--tls-cert-file', certificates.certificate, '--tls-key-file', certificates.key, '--tls-ca-cert-file', certificates.authority];
const [port, portForClients] = [await freePort(), await freePort()];
const servers = await Promise.all([
  startPrivateServer('redis', ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]),
  startPrivateServer('redis', ['--tls-port', String(portForClients), '--tls-auth-clients', 'yes', ...files]),
]);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.dispose()));
  await certificates.remove();
});
const build = (redisHost: string, { authority, clientCertificate, clientKey, unverified = false }: TlsChoice) =>
  buildComponent(redis, { redisHost, enableTLS: true, caCert: authority, clientCert: clientCertificate, clientKey, insecureSkipTLSVerify: unverified });

tlsBindingConformance(redis, {
  pem: certificates.pem,
  build: (host, tls) => build(`${host}:${port}`, tls),
  buildForClients: (host, tls) => build(`${host}:${portForClients}`, tls),
  call: { operation: 'get', metadata: { key: 'tls' } },
  mayBeUnverified: true,
});
