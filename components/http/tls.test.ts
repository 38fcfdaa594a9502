import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { startTlsService } from '../../test/tools/tls-service.ts';
import { bytesOfResponse, requestOf } from '../kit/conformance/output-binding.ts';
import { tlsBindingConformance, type TlsChoice } from '../kit/conformance/tls-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import http from './binding.ts';

const strangers = await makeCertificates();
const seen: string[] = [];
const service = await startTlsService(({ url = '' }, response) => {
  seen.push(url);
  response.writeHead(url === '/down' ? 302 : 200, { location: `http://${service.address}/` }).end('here');
});
const { certificates } = service;
afterAll(() => Promise.all([service.close(), strangers.remove()]));

const url = `https://localhost:${service.port}/`;
const build = (base: string, { authority = '', clientCertificate = '', clientKey = '' }: TlsChoice, options: Record<string, unknown> = {}) =>
  buildComponent(http, { url: base, MTLSRootCA: authority, MTLSClientCert: clientCertificate, MTLSClientKey: clientKey, ...options });

tlsBindingConformance(http, {
  pem: certificates.pem,
  build: (host, tls) => build(`https://${host}:${service.port}/`, tls),
  buildForClients: (host, tls) => build(`https://${host}:${service.portForClients}/`, tls),
  call: { operation: 'get' },
  mayBeUnverified: false,
});

test('certificates and keys may be files as well as text', async () => {
  const { authority, clientCertificate, clientKey } = certificates;
  const binding = await connected(build(`https://localhost:${service.portForClients}/`, { authority, clientCertificate, clientKey }));
  expect((await bytesOfResponse(await binding.invoke?.(requestOf({ operation: 'get' }), AbortSignal.timeout(10_000)))).toString()).toBe('here');
  await binding.close?.();
});

test('(users 50) a redirect from https to http is refused', async () => {
  const binding = await connected(build(url, certificates.pem, { allowedOrigins: [`http://${service.address}`] }));
  const before = seen.length;
  await expect(binding.invoke?.(requestOf({ operation: 'get', metadata: { path: 'down' } }), AbortSignal.timeout(10_000))).rejects.toMatchObject({ fault: 'denied' });
  expect(seen.slice(before)).toEqual(['/down']);
  await binding.close?.();
});

test.each([
  ['a file that is not there', { authority: '/no/such/file' }, /root CA/],
  ['a key of another certificate', { clientCertificate: certificates.clientCertificate, clientKey: strangers.clientKey }, /client certificate/],
])('%s is named when connecting, without its contents', async (_what, tls, words) => {
  await expect(connected(build(url, tls))).rejects.toThrow(words);
});
