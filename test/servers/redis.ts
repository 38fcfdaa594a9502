/** Redis (or Valkey), on loopback, with every write on disk before it is acknowledged. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { findCommand, installPackages } from './machine.ts';
import { ServerMissing, type ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install redis-server; macOS: brew install redis), or name a running one: MECHA_TEST_REDIS=host:port';
const PROBE_TIMEOUT_MS = 2_000;

export const redis: ServerKind = {
  name: 'redis',
  addressVariable: 'MECHA_TEST_REDIS',
  exportVariable: 'MECHA_REDIS_HOST',
  usualPort: 6379,
  startTimeoutMs: 20_000,

  async obtain(_folder, say) {
    const found = await findCommand('redis-server', 'valkey-server');
    if (found) return found;
    await installPackages(['redis-server'], WHAT_TO_DO, say);
    const installed = await findCommand('redis-server');
    if (!installed) throw new ServerMissing('redis-server is not on the PATH after its package was installed', WHAT_TO_DO);
    return installed;
  },

  async launch(command, { folder, port }) {
    const data = path.join(folder, 'data');
    await mkdir(data, { recursive: true });
    // Settings come on the command line; a sentinel, which some tests start, insists on a file that it may write.
    const config = path.join(folder, 'redis.conf');
    await writeFile(config, '', { flag: 'a' });
    return {
      command,
      args: [config, '--bind', '127.0.0.1', '--port', String(port), '--dir', data, '--daemonize', 'no', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
    };
  },

  answers: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
      const fail = (why: string): void => {
        socket.destroy();
        reject(new Error(`no answer from ${host}:${port}: ${why}`));
      };
      socket.once('connect', () => socket.write('PING\r\n'));
      socket.once('data', (bytes) => {
        const reply = bytes.toString('latin1').trim();
        if (!reply.startsWith('+PONG') && !reply.startsWith('-NOAUTH')) return fail(reply);
        socket.destroy();
        resolve();
      });
      socket.once('error', (error) => fail(error.message));
      socket.once('timeout', () => fail(`nothing within ${PROBE_TIMEOUT_MS} ms`));
      socket.once('end', () => fail('the connection was closed'));
    }),
};
