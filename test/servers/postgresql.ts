/**
 * PostgreSQL, on loopback: user `mecha` without a password, database `postgres`. Every commit is on the disk before it is acknowledged.
 *
 * The server refuses to run as root, so then it runs as its package's own user, with its data where that user gets to.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCommand, installPackages } from './machine.ts';
import { ServerMissing, type Launch, type ServerKind } from './server-kind.ts';

const run = promisify(execFile);
const WHAT_TO_DO = 'install it (Debian: apt-get install postgresql; macOS: brew install postgresql), or name a running one that lets user mecha in without a password: MECHA_TEST_POSTGRESQL=host:port';
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const OWN_USER = 'postgres';

export const postgresql: ServerKind = {
  name: 'postgresql',
  addressVariable: 'MECHA_TEST_POSTGRESQL',
  exportVariable: 'MECHA_POSTGRESQL_HOST',
  usualPort: 5432,
  startTimeoutMs: 30_000,

  async obtain(_folder, say) {
    const found = await findBinaries();
    if (found) return found;
    await installPackages(['postgresql'], WHAT_TO_DO, say);
    const installed = await findBinaries();
    if (!installed) throw new ServerMissing('postgres was not found after its package was installed', WHAT_TO_DO);
    return installed;
  },

  async launch(binaries, { folder, port }) {
    const owner = process.getuid?.() === 0 ? await userIds(OWN_USER) : undefined;
    const data = dataFolder(folder, owner !== undefined);
    const as = async (command: string, args: readonly string[]): Promise<Launch> =>
      owner ? { command: (await findCommand('setpriv')) ?? 'setpriv', args: ['--reuid', owner.uid, '--regid', owner.gid, '--init-groups', command, ...args] } : { command, args };
    if (!existsSync(path.join(data, 'PG_VERSION'))) {
      await rm(data, { recursive: true, force: true });
      await mkdir(data, { recursive: true, mode: 0o700 });
      if (owner) await chown(data, Number(owner.uid), Number(owner.gid));
      const { command, args } = await as(path.join(binaries, 'initdb'), ['--pgdata', data, '--username', 'mecha', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--data-checksums', '--no-instructions']);
      await run(command, [...args], { cwd: data });
    }
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'logging_collector=off', 'shared_buffers=64MB'];
    // SIGTERM waits for clients to leave by themselves; SIGINT is the orderly end.
    return { ...(await as(path.join(binaries, 'postgres'), ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])])), cwd: data, stopSignal: 'SIGINT' };
  },

  async dispose(folder) {
    await rm(dataFolder(folder, true), { recursive: true, force: true });
  },

  async answers({ host, port }) {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ host, port, user: 'mecha', database: 'postgres', connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end();
    }
  },
};

/** A folder of root's, or in root's home, is closed to the user that the server runs as. */
function dataFolder(folder: string, isRoot: boolean): string {
  return isRoot ? path.join(tmpdir(), `mecha-postgresql-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`) : path.join(folder, 'data');
}

async function findBinaries(): Promise<string | undefined> {
  const versions = existsSync(DEBIAN_FOLDER) ? (await readdir(DEBIAN_FOLDER)).sort((a, b) => Number(b) - Number(a)) : [];
  const newest = versions.map((version) => path.join(DEBIAN_FOLDER, version, 'bin')).find((bin) => existsSync(path.join(bin, 'postgres')) && existsSync(path.join(bin, 'initdb')));
  const initdb = newest ? undefined : await findCommand('initdb');
  return newest ?? (initdb && path.dirname(initdb));
}

async function userIds(name: string): Promise<{ uid: string; gid: string }> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => (await run('id', [which, name])).stdout.trim()));
  return { uid: uid ?? '', gid: gid ?? '' };
}
