import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { serverAddress } from '../../test/servers/servers.ts';
import { buildComponent, connected, until } from '../kit/testing.ts';
import { createClient } from './client.ts';
import kafkaPubSub from './pubsub.ts';

const broker = serverAddress('kafka').split(',')[0] ?? '';

/** A way to the broker that keeps connection number `held` (from 0) waiting until it is released, and knows what is open. */
async function startWay(held: number) {
  const [host = '127.0.0.1', port = ''] = broker.split(':');
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const isHeld = count++ === held;
    open.add(client);
    client.on('error', () => undefined).on('close', () => open.delete(client));
    if (isHeld) reached.resolve();
    void (isHeld ? released.promise : Promise.resolve()).then(() => {
      const behind = connect(Number(port), host).on('error', () => client.destroy());
      client.pipe(behind).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const client of open) client.destroy();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, reached: reached.promise, release: released.resolve, open };
}

async function makeTopic(): Promise<string> {
  const topic = `test-${randomUUID()}`;
  const admin = (await createClient({ brokers: [broker], logLevel: logLevel.NOTHING })).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  onTestFinished(async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  });
  return topic;
}

test.each([
  ['looks for the brokers', 0],
  ['opens its producer', 1],
])('a try to connect to Kafka that is given up while it %s, and ends after the next one, leaves nothing open', async (_stage, held) => {
  const [way, topic] = await Promise.all([startWay(held), makeTopic()]);
  const port = buildComponent(kafkaPubSub, { brokers: [way.address], authType: 'none' });
  const givingUp = new AbortController();
  const outcome = port.connect?.(givingUp.signal).then(() => 'connected', String);
  await way.reached;
  givingUp.abort(new Error('given up'));
  await connected(port);
  way.release();
  expect(await outcome).toContain('given up');
  await until(() => way.open.size === 1);
  await port.publish({ topic, data: Buffer.from('x'), metadata: {} });
  await port.close?.();
  await until(() => way.open.size === 0);
});
