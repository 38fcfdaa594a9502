/**
 * PostgreSQL, on loopback: user `mecha` without a password, database `postgres`. Every commit is on the disk before it is acknowledged.
 *
 * The server refuses to run as root, so then it runs as its package's own user (`unprivileged.ts`).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall } from './machine.ts';
import type { ServerKind } from './server-kind.ts';
import { serverUser } from './unprivileged.ts';

const run = promisify(execFile);
const WHAT_TO_DO = 'install it (Debian: apt-get install postgresql; macOS: brew install postgresql), or name a running one that lets user mecha in without a password: MECHA_TEST_POSTGRESQL=host:port';
/**
 * Arguments of a private server that is killed and started again: `kill -9` loses nothing that was handed to the system, and a recovery
 * that need not write out the whole data folder is over soon.
 */
export const ONLY_KILLED: readonly string[] = ['-c', 'fsync=off'];
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const owner = serverUser('postgresql', 'postgres');

export const postgresql: ServerKind = {
  name: 'postgresql',
  addressVariable: 'MECHA_TEST_POSTGRESQL',
  exportVariable: 'MECHA_POSTGRESQL_HOST',
  usualPort: 5432,
  startTimeoutMs: 30_000,

  obtain: (_folder, say) => findOrInstall(findBinaries, ['postgresql'], WHAT_TO_DO, say),

  async launch(binaries, { folder, port }) {
    const data = owner.dataFolder(folder);
    if (!existsSync(path.join(data, 'PG_VERSION'))) {
      await owner.makeFolder(data);
      const { command, args } = await owner.as(path.join(binaries, 'initdb'), ['--pgdata', data, '--username', 'mecha', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--data-checksums', '--no-instructions']);
      await run(command, [...args], { cwd: data });
    }
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200', 'logging_collector=off', 'shared_buffers=64MB'];
    // SIGTERM waits for clients to leave by themselves; SIGINT is the orderly end.
    return { ...(await owner.as(path.join(binaries, 'postgres'), ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])])), cwd: data, stopSignal: 'SIGINT' };
  },

  dispose: (folder) => owner.removeData(folder),

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

async function findBinaries(): Promise<string | undefined> {
  const versions = existsSync(DEBIAN_FOLDER) ? (await readdir(DEBIAN_FOLDER)).sort((a, b) => Number(b) - Number(a)) : [];
  const newest = versions.map((version) => path.join(DEBIAN_FOLDER, version, 'bin')).find((bin) => existsSync(path.join(bin, 'postgres')) && existsSync(path.join(bin, 'initdb')));
  const initdb = newest ? undefined : await findCommand('initdb');
  return newest ?? (initdb && path.dirname(initdb));
}
