import { afterAll } from 'vitest';
import { startTlsService } from '../../test/tools/tls-service.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import graphql from './binding.ts';

const service = await startTlsService((request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}')));
afterAll(() => service.close());
const build = (endpoint: string, { authority, clientCertificate, clientKey, unverified = false }: TlsChoice) =>
  buildComponent(graphql, { endpoint, caCert: authority, clientCert: clientCertificate, clientKey, skipTLSVerify: unverified });

tlsBindingConformance(graphql, {
  pem: service.certificates.pem,
  build: (host, tls) => build(`https://${host}:${service.port}/`, tls),
  buildForClients: (host, tls) => build(`https://${host}:${service.portForClients}/`, tls),
  call: { operation: 'query', metadata: { query: 'query { n }' } },
  mayBeUnverified: true,
});
