/** Certificates for servers and clients of tests: an authority that signs them, made on the spot. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = ['-days', '2'];

/** Paths of PEM files. */
export interface Certificates {
  readonly authority: string;
  /** Of the server. */
  readonly certificate: string;
  readonly key: string;
  /** Of a client, whose name (CN) is `guest`. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** What clients are told, as text. */
  readonly pem: { readonly authority: string; readonly clientCertificate: string; readonly clientKey: string };
  remove(): Promise<void>;
}

/** `owner`: the user whose server reads its key; only where these tests run as root. `names`: whom the server's certificate is for. */
export async function makeCertificates(owner?: string, names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1']): Promise<Certificates> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mecha-certificates-'));
  await chmod(folder, 0o755);
  const at = (name: string): string => path.join(folder, name);
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  const sign = async (name: string, ...request: readonly string[]): Promise<void> => {
    await openssl('req', ...KEY, ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    await openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', ...DAYS, '-copy_extensions', 'copy', '-out', `${name}.pem`);
  };
  await openssl('req', '-x509', ...KEY, ...DAYS, '-subj', '/CN=Authority of tests', '-keyout', 'authority.key', '-out', 'authority.pem');
  await sign('server', '-subj', '/CN=localhost', '-addext', `subjectAltName=${names.join(',')}`);
  await sign('client', '-subj', '/CN=guest');
  await chmod(at('server.key'), 0o600);
  if (owner !== undefined && process.getuid?.() === 0) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => Number((await run('id', [which, owner])).stdout)));
    await chown(at('server.key'), uid ?? 0, gid ?? 0);
  }
  const [authority = '', clientCertificate = '', clientKey = ''] = await Promise.all(['authority.pem', 'client.pem', 'client.key'].map((name) => readFile(at(name), 'utf8')));
  return {
    pem: { authority, clientCertificate, clientKey },
    authority: at('authority.pem'), certificate: at('server.pem'), key: at('server.key'), clientCertificate: at('client.pem'), clientKey: at('client.key'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
