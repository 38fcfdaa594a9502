import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsBindingConformance } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import postgresql from './binding.ts';

const certificates = await makeCertificates('postgres', ['DNS:localhost']);
/** Who shows no certificate may be `mecha`, and `guest` is whom a certificate names. */
const access = join(dirname(certificates.authority), 'pg_hba.conf');
await writeFile(access, 'hostssl all guest all cert\nhost all mecha all trust\nlocal all all trust\n');
const server = await startPrivateServer('postgresql', ['ssl=on', `ssl_cert_file=${certificates.certificate}`, `ssl_key_file=${certificates.key}`, `ssl_ca_file=${certificates.authority}`, `hba_file=${access}`].flatMap((setting) => ['-c', setting]));
afterAll(async () => {
  await server.dispose();
  await certificates.remove();
});
const build = (host: string, parameters: Readonly<Record<string, string>>, user = 'mecha:w0rd-of-mecha') =>
  buildComponent(postgresql, { connectionString: `postgres://${user}@${host}:${server.address.split(':')[1]}/postgres?${new URLSearchParams(parameters)}`, timeout: 10_000 });

tlsBindingConformance(postgresql, {
  pem: certificates.pem,
  build: (host, { authority, unverified }) => build(host, unverified ? { sslmode: 'require' } : { sslmode: 'verify-full', ...(authority ? { sslrootcert: certificates.authority } : {}) }),
  call: { operation: 'query', metadata: { sql: 'SELECT 1' } },
  mayBeUnverified: true,
  secrets: ['w0rd-of-mecha'],
});
