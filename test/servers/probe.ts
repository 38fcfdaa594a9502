/** Whether a server answers in its own protocol, asked without a client of it. */
import { connect } from 'node:net';
import type { ServerAddress } from './server-kind.ts';

const TIMEOUT_MS = 2_000;

/** Resolves when the first bytes that come, after `question` if there is one, are the answer; rejects with the reason. */
export function expectAnswer({ host, port }: ServerAddress, { question, isAnswer }: { readonly question?: string | Uint8Array; isAnswer(bytes: Buffer): boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`no answer from ${host}:${port}: ${why}`));
    };
    socket.once('connect', () => question !== undefined && socket.write(question));
    socket.once('data', (bytes) => {
      if (!isAnswer(bytes)) return fail(`it is another server: it said ${JSON.stringify(bytes.toString('latin1', 0, 40))}`);
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => fail(error.message));
    socket.once('timeout', () => fail(`nothing within ${TIMEOUT_MS} ms`));
    socket.once('end', () => fail('the connection was closed'));
  });
}
