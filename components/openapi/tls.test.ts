import { afterAll } from 'vitest';
import { startTlsService } from '../../test/tools/tls-service.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import openapi from './binding.ts';

const service = await startTlsService((request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}')));
afterAll(() => service.close());
const document = JSON.stringify({ openapi: '3.1.0', info: { title: 'any', version: '1' }, paths: { '/': { get: { operationId: 'look', responses: { 200: { description: 'ok' } } } } } });
const build = (url: string, { authority, clientCertificate, clientKey, unverified = false }: TlsChoice) =>
  buildComponent(openapi, { document, url, validateResponse: false, caCert: authority, clientCert: clientCertificate, clientKey, skipTLSVerify: unverified });

tlsBindingConformance(openapi, {
  pem: service.certificates.pem,
  build: (host, tls) => build(`https://${host}:${service.port}/`, tls),
  buildForClients: (host, tls) => build(`https://${host}:${service.portForClients}/`, tls),
  call: { operation: 'look' },
  mayBeUnverified: true,
});
