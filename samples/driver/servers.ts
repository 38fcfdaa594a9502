/** Real servers for samples: where `npm run servers -- up` has written them, or where the environment says. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const WRITTEN = fileURLToPath(new URL('../../.servers/env.json', import.meta.url));
const SERVERS = {
  redis: { title: 'Redis', variable: 'MECHA_REDIS_HOST' },
  kafka: { title: 'Kafka', variable: 'MECHA_KAFKA_BROKERS' },
  postgresql: { title: 'PostgreSQL', variable: 'MECHA_POSTGRESQL_HOST' },
} as const;

/** The variables of these servers with their addresses. Throws with words for the user when one of them does not answer. */
export async function serversEnv(resources: string, names: readonly (keyof typeof SERVERS)[]): Promise<Record<string, string>> {
  const written = existsSync(WRITTEN) ? (JSON.parse(await readFile(WRITTEN, 'utf8')) as Record<string, string>) : {};
  const env: Record<string, string> = {};
  for (const name of names) {
    const { title, variable } = SERVERS[name];
    const address = process.env[variable] ?? written[variable];
    if (!address || !(await answers(address))) {
      throw new Error(`--resources ${resources} needs ${title}, and ${address ? `nothing answers at ${address}` : 'none is known'}; run: npm run servers -- up ${names.join(' ')} (or set ${variable}=host:port)`);
    }
    env[variable] = address;
  }
  return env;
}

function answers(address: string): Promise<boolean> {
  const [host = '127.0.0.1', port = ''] = address.split(',')[0]?.split(':') ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2000 });
    const end = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false)).once('timeout', () => end(false));
  });
}
