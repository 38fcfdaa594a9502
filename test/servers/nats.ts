/** NATS with JetStream, on loopback. */
import path from 'node:path';
import { findCommand, findOrInstall } from './machine.ts';
import { expectAnswer } from './probe.ts';
import type { ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install nats-server; macOS: brew install nats-server), or name a running one with JetStream: MECHA_TEST_NATS=host:port';

export const nats: ServerKind = {
  name: 'nats',
  addressVariable: 'MECHA_TEST_NATS',
  exportVariable: 'MECHA_NATS_HOST',
  usualPort: 4222,
  startTimeoutMs: 20_000,

  obtain: (_folder, say) => findOrInstall(() => findCommand('nats-server'), ['nats-server'], WHAT_TO_DO, say),

  launch: async (command, { folder, port }) => ({ command, args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', path.join(folder, 'data')] }),

  answers: (address) => expectAnswer(address, { isAnswer: (bytes) => bytes.toString('latin1').startsWith('INFO {') }),
};
