/** Certificates for servers of tests: an authority that signs one for localhost, made on the spot. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** Paths of PEM files. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  remove(): Promise<void>;
}

/** `owner`: the user whose server reads the key; only where these tests run as root. */
export async function makeCertificates(owner?: string): Promise<Certificates> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mecha-certificates-'));
  await chmod(folder, 0o755);
  const at = (name: string): string => path.join(folder, name);
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Authority of tests', '-keyout', 'authority.key', '-out', 'authority.pem');
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', 'server.key', '-out', 'server.csr');
  await openssl('x509', '-req', '-in', 'server.csr', '-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', 'server.pem');
  await chmod(at('server.key'), 0o600);
  if (owner !== undefined && process.getuid?.() === 0) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => Number((await run('id', [which, owner])).stdout)));
    await chown(at('server.key'), uid ?? 0, gid ?? 0);
  }
  return { authority: at('authority.pem'), certificate: at('server.pem'), key: at('server.key'), remove: () => rm(folder, { recursive: true, force: true }) };
}
