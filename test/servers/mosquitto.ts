/** Mosquitto, an MQTT broker, on loopback, keeping what it holds for those who are away over a restart. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { findCommand, installPackages } from './machine.ts';
import { ServerMissing, type ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install mosquitto; macOS: brew install mosquitto), or name a running one: MECHA_TEST_MQTT=host:port';
const PROBE_TIMEOUT_MS = 2_000;
/** MQTT 3.1.1 CONNECT of a client without name and session, and the CONNACK that takes it. */
const CONNECT = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 0]);
const CONNACK = Buffer.from([0x20, 2, 0, 0]);

export const mosquitto: ServerKind = {
  name: 'mosquitto',
  addressVariable: 'MECHA_TEST_MQTT',
  exportVariable: 'MECHA_MQTT_HOST',
  usualPort: 1883,
  startTimeoutMs: 20_000,

  async obtain(_folder, say) {
    const found = await findCommand('mosquitto');
    if (found) return found;
    await installPackages(['mosquitto'], WHAT_TO_DO, say);
    const installed = await findCommand('mosquitto');
    if (!installed) throw new ServerMissing('mosquitto is not to be found after its package was installed', WHAT_TO_DO);
    return installed;
  },

  async launch(command, { folder, port, configuration = [] }) {
    const data = path.join(folder, 'data');
    await mkdir(data, { recursive: true });
    const config = path.join(folder, 'mosquitto.conf');
    const root = process.getuid?.() === 0 ? ['user root'] : [];
    // What is queued for absent clients is on disk at every change; inflight and queue limits do not throw events away.
    const settings = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence true', `persistence_location ${data}/`, 'autosave_interval 1', 'autosave_on_changes true', 'max_queued_messages 100000', ...root, ...configuration];
    await writeFile(config, `${settings.join('\n')}\n`);
    return { command, args: ['-c', config] };
  },

  answers: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
      const fail = (why: string): void => {
        socket.destroy();
        reject(new Error(`no answer from ${host}:${port}: ${why}`));
      };
      socket.once('connect', () => socket.write(CONNECT));
      socket.once('data', (bytes) => {
        if (!bytes.subarray(0, 4).equals(CONNACK)) return fail('it is no MQTT broker that takes anybody');
        socket.destroy();
        resolve();
      });
      socket.once('error', (error) => fail(error.message));
      socket.once('timeout', () => fail(`nothing within ${PROBE_TIMEOUT_MS} ms`));
      socket.once('end', () => fail('the connection was closed'));
    }),
};
