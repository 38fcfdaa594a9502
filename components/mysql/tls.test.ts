import { afterAll } from 'vitest';
import { startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsBindingConformance } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import mysql from './binding.ts';

const certificates = await makeCertificates('mysql', ['DNS:localhost']);
const server = await startPrivateServer('mysql', [`--ssl-cert=${certificates.certificate}`, `--ssl-key=${certificates.key}`, `--ssl-ca=${certificates.authority}`]);
afterAll(async () => {
  await server.dispose();
  await certificates.remove();
});

tlsBindingConformance(mysql, {
  pem: certificates.pem,
  build(host, { authority, unverified }) {
    const url = `mecha:mecha-password@tcp(${host}:${server.address.split(':')[1]})/mecha`;
    return buildComponent(mysql, { url: `${url}?tls=${unverified ? 'skip-verify' : authority ? 'custom' : 'true'}`, ...(authority ? { pemPath: certificates.authority } : {}), timeout: 10_000 });
  },
  call: { operation: 'query', metadata: { sql: 'SELECT 1' } },
  mayBeUnverified: true,
  secrets: ['mecha-password'],
});
