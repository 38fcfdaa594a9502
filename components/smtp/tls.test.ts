import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll } from 'vitest';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsBindingConformance } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import smtp from './binding.ts';

const PASSWORD = 'w0rd-of-the-postman';
const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const [key, cert] = await Promise.all([certificates.key, certificates.certificate].map((file) => readFile(file, 'utf8')));
const server = new SMTPServer({
  key: key ?? '', cert: cert ?? '', closeTimeout: 100,
  onAuth: ({ password }, { secure }, done) => (secure && password === PASSWORD ? done(null, { user: 'postman' }) : done(new Error('no such user, or no TLS'))),
  onData: (stream, _session, done) => void stream.resume().on('end', () => done()),
});
// Clients that do not trust it go away in the middle.
server.on('error', () => undefined);
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
const { port } = server.server.address() as AddressInfo;
afterAll(async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await certificates.remove();
});

tlsBindingConformance(smtp, {
  pem: certificates.pem,
  build: (host, { authority, unverified = false }) => buildComponent(smtp, { host, port, user: 'postman', password: PASSWORD, emailFrom: 'a@example.org', emailTo: 'b@example.org', subject: 'x', caCert: authority, skipTLSVerify: unverified }),
  call: { operation: 'create', data: '"text"' },
  mayBeUnverified: true,
  secrets: [PASSWORD, Buffer.from(PASSWORD).toString('base64')],
});
