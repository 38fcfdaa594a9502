/** The same saga on Redis and Kafka: nothing changes but the folder of resources. */
// needs: redis kafka
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serverAddress } from '../servers/servers.ts';
import { REPOSITORY, cleanEnv, start } from '../tools/processes.ts';

const DRIVER = join(REPOSITORY, 'samples/order-saga/driver/main.ts');

test('the order saga settles on Redis and Kafka', { timeout: 240_000 }, async () => {
  const env = cleanEnv({ MECHA_REDIS_HOST: serverAddress('redis'), MECHA_KAFKA_BROKERS: serverAddress('kafka') });
  const driver = start(process.execPath, [DRIVER, '--exit', '--orders', '60', '--resources', 'redis-kafka'], { env });
  const code = await driver.exited;
  expect(driver.lines.at(-1), driver.lines.join('\n')).toMatch(/^orders: 60 confirmed: 45 rejected: 15 lost: 0 oversold: 0 p50: \d+ ms p99: \d+ ms orders\/s: \d+\.\d$/);
  expect(code).toBe(0);
});

test('without the servers it says in one line what to do', async () => {
  const env = cleanEnv({ MECHA_REDIS_HOST: '127.0.0.1:1', MECHA_KAFKA_BROKERS: '127.0.0.1:1' });
  const driver = start(process.execPath, [DRIVER, '--exit', '--resources', 'redis-kafka'], { env });
  expect(await driver.exited).toBe(1);
  expect(driver.lines.at(-1)).toBe('--resources redis-kafka needs Redis, and nothing answers at 127.0.0.1:1; run: npm run servers -- up redis kafka (or set MECHA_REDIS_HOST=host:port)');
});
