import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsFront } from '../../test/tools/tls-front.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import openapi from './binding.ts';

const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const service = createServer((request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}')));
await new Promise<void>((resolve) => void service.listen(0, '127.0.0.1', resolve));
const address = `127.0.0.1:${(service.address() as AddressInfo).port}`;
const [front, frontForClients] = [await tlsFront(address, certificates), await tlsFront(address, certificates, true)];
afterAll(async () => {
  await Promise.all([front.close(), frontForClients.close()]);
  service.close();
  await certificates.remove();
});
const document = JSON.stringify({ openapi: '3.1.0', info: { title: 'any', version: '1' }, paths: { '/': { get: { operationId: 'look', responses: { 200: { description: 'ok' } } } } } });
const build = (url: string, { authority, clientCertificate, clientKey, unverified = false }: TlsChoice) =>
  buildComponent(openapi, { document, url, validateResponse: false, caCert: authority, clientCert: clientCertificate, clientKey, skipTLSVerify: unverified });

tlsBindingConformance(openapi, {
  pem: certificates.pem,
  build: (host, tls) => build(`https://${host}:${front.port}/`, tls),
  buildForClients: (host, tls) => build(`https://${host}:${frontForClients.port}/`, tls),
  call: { operation: 'look' },
  mayBeUnverified: true,
});
