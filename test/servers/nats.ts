/** NATS with JetStream, on loopback. */
import { connect } from 'node:net';
import path from 'node:path';
import { findCommand, installPackages } from './machine.ts';
import { ServerMissing, type ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install nats-server; macOS: brew install nats-server), or name a running one with JetStream: MECHA_TEST_NATS=host:port';
const PROBE_TIMEOUT_MS = 2_000;

export const nats: ServerKind = {
  name: 'nats',
  addressVariable: 'MECHA_TEST_NATS',
  exportVariable: 'MECHA_NATS_HOST',
  usualPort: 4222,
  startTimeoutMs: 20_000,

  async obtain(_folder, say) {
    const found = await findCommand('nats-server');
    if (found) return found;
    await installPackages(['nats-server'], WHAT_TO_DO, say);
    const installed = await findCommand('nats-server');
    if (!installed) throw new ServerMissing('nats-server is not to be found after its package was installed', WHAT_TO_DO);
    return installed;
  },

  launch: async (command, { folder, port }) => ({ command, args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', path.join(folder, 'data')] }),

  answers: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
      const fail = (why: string): void => {
        socket.destroy();
        reject(new Error(`no answer from ${host}:${port}: ${why}`));
      };
      socket.once('data', (bytes) => {
        if (!bytes.toString('latin1').startsWith('INFO {')) return fail('it is no NATS server');
        socket.destroy();
        resolve();
      });
      socket.once('error', (error) => fail(error.message));
      socket.once('timeout', () => fail(`nothing within ${PROBE_TIMEOUT_MS} ms`));
      socket.once('end', () => fail('the connection was closed'));
    }),
};
