/** Mosquitto, an MQTT broker, on loopback, keeping what it holds for those who are away over a restart. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findCommand, findOrInstall } from './machine.ts';
import { expectAnswer } from './probe.ts';
import type { ServerKind } from './server-kind.ts';

const WHAT_TO_DO = 'install it (Debian: apt-get install mosquitto; macOS: brew install mosquitto), or name a running one: MECHA_TEST_MQTT=host:port';
/** MQTT 3.1.1 CONNECT of a client without name and session, and the CONNACK that takes it. */
const CONNECT = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 0]);
const CONNACK = Buffer.from([0x20, 2, 0, 0]);

export const mosquitto: ServerKind = {
  name: 'mosquitto',
  addressVariable: 'MECHA_TEST_MQTT',
  exportVariable: 'MECHA_MQTT_HOST',
  usualPort: 1883,
  startTimeoutMs: 20_000,

  obtain: (_folder, say) => findOrInstall(() => findCommand('mosquitto'), ['mosquitto'], WHAT_TO_DO, say),

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

  answers: (address) => expectAnswer(address, { question: CONNECT, isAnswer: (bytes) => bytes.subarray(0, 4).equals(CONNACK) }),
};
