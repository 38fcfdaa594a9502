/** Moto, a server that behaves like S3 and SQS, on loopback, from PyPI. It keeps nothing over a restart. */
import { request } from 'node:http';
import { pythonWith } from '../tools/python.ts';
import { ServerMissing, type ServerKind } from './server-kind.ts';

const PACKAGES = ['moto[s3,sqs]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5'];
const WHAT_TO_DO = 'install Python 3.10 or later with its venv module, or name a running moto_server: MECHA_TEST_MOTO=host:port';
const PROBE_TIMEOUT_MS = 2_000;

export const moto: ServerKind = {
  name: 'moto',
  addressVariable: 'MECHA_TEST_MOTO',
  exportVariable: 'MECHA_MOTO_HOST',
  usualPort: 5566,
  startTimeoutMs: 60_000,

  async obtain(_folder, say) {
    say('making sure of moto (about 140 MB from PyPI, once)');
    return pythonWith('moto', PACKAGES).catch((error: unknown) => {
      throw new ServerMissing((error as Error).message, WHAT_TO_DO, error);
    });
  },

  launch: async (python, { port }) => ({ command: python, args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)] }),

  answers: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const probe = request({ host, port, path: '/moto-api/', timeout: PROBE_TIMEOUT_MS }, (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${host}:${port} answers ${response.statusCode}, so it is no moto server`));
      });
      probe.once('error', reject);
      probe.once('timeout', () => probe.destroy(new Error(`nothing within ${PROBE_TIMEOUT_MS} ms`)));
      probe.end();
    }),
};
