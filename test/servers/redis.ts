/** Redis (or Valkey), on loopback, with every write on disk before it is acknowledged. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findCommand, findOrInstall } from './machine.ts';
import { expectAnswer } from './probe.ts';
import type { ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install redis-server; macOS: brew install redis), or name a running one: MECHA_TEST_REDIS=host:port';

export const redis: ServerKind = {
  name: 'redis',
  addressVariable: 'MECHA_TEST_REDIS',
  exportVariable: 'MECHA_REDIS_HOST',
  usualPort: 6379,
  startTimeoutMs: 20_000,

  obtain: (_folder, say) => findOrInstall(() => findCommand('redis-server', 'valkey-server'), ['redis-server'], WHAT_TO_DO, say),

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

  answers: (address) => expectAnswer(address, { question: 'PING\r\n', isAnswer: (bytes) => /^(\+PONG|-NOAUTH)/.test(bytes.toString('latin1')) }),
};
