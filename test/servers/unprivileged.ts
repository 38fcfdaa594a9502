/**
 * Servers that refuse to be root, or better are not: run as their package's own user when these tests run as root.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findCommand } from './machine.ts';
import type { Launch } from './server-kind.ts';

const run = promisify(execFile);

export interface ServerUser {
  /** Where the server's data may lie: in its folder, or where the user gets to, since a folder of root's is closed to it. */
  dataFolder(folder: string): string;
  /** An empty folder of the user's own. */
  makeFolder(data: string): Promise<void>;
  as(command: string, args: readonly string[]): Promise<Launch>;
  removeData(folder: string): Promise<void>;
}

/** `name` of the server, which begins the folder's; `user` of its package. */
export function serverUser(name: string, user: string): ServerUser {
  const isRoot = process.getuid?.() === 0;
  const dataFolder = (folder: string): string =>
    isRoot ? path.join(tmpdir(), `mecha-${name}-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`) : path.join(folder, 'data');
  const idsOf = (): Promise<readonly string[]> => Promise.all(['-u', '-g'].map(async (which) => (await run('id', [which, user])).stdout.trim()));
  return {
    dataFolder,
    async makeFolder(data) {
      await rm(data, { recursive: true, force: true });
      await mkdir(data, { recursive: true, mode: 0o700 });
      if (!isRoot) return;
      const [uid, gid] = await idsOf();
      await chown(data, Number(uid), Number(gid));
    },
    async as(command, args) {
      if (!isRoot) return { command, args };
      const [uid = '', gid = ''] = await idsOf();
      return { command: (await findCommand('setpriv')) ?? 'setpriv', args: ['--reuid', uid, '--regid', gid, '--init-groups', command, ...args] };
    },
    async removeData(folder) {
      if (isRoot) await rm(dataFolder(folder), { recursive: true, force: true });
    },
  };
}
