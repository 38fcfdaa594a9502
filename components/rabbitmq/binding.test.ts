import { randomUUID } from 'node:crypto';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import type { Binding, EventSettlement } from '../kit/bindings.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, createKeptLog, until } from '../kit/testing.ts';
import rabbitmq from './binding.ts';

const SECRET = 'not-to-be-seen';
const server = serverAddress('rabbitmq');
const url = (at = server): string => `amqp://guest:guest@${at}/`;
const run = `test-${randomUUID()}`;
const never = new AbortController().signal;
const nowhere = await freePort();
const build = (options: Record<string, unknown>): Binding => buildComponent(rabbitmq, { host: url(), reconnectWaitInSeconds: 100, ...options });
const open = (options: Record<string, unknown>): Promise<Binding> => connected(build(options));
const create = (binding: Binding, data: string, metadata: Record<string, string> = {}) => binding.invoke?.(requestOf({ operation: 'create', data, metadata }), never);

let model: ChannelModel;
let channel: Channel;
const queues = new Set<string>();
const newQueue = (): string => {
  const queue = `${run}-${randomUUID()}`;
  queues.add(queue);
  return queue;
};
/** The next message of a queue, as soon as there is one. */
async function next(queue: string): Promise<GetMessage> {
  let found: GetMessage | false = false;
  await until(async () => (found = await channel.get(queue, { noAck: true })) !== false);
  return found as unknown as GetMessage;
}
beforeAll(async () => {
  model = await connect(url());
  channel = await model.createChannel();
});
afterAll(async () => {
  for (const queue of queues) await channel.deleteQueue(queue);
  await model.close();
});

const output = newQueue();
outputBindingConformance(rabbitmq, {
  open: () => open({ queueName: output }),
  calls: [{ operation: 'create', data: '"text"', metadata: { priority: '3', ttlInSeconds: '60' } }],
  wrong: [
    { operation: 'create', data: '1', metadata: { ttlInSeconds: 'soon' } },
    { operation: 'create', data: '1', metadata: { ttlInSeconds: '0' } },
    { operation: 'create', data: '1', metadata: { priority: 'high' } },
  ],
  away: () => build({ host: `amqp://guest:${SECRET}@127.0.0.1:${nowhere}/`, queueName: output }),
  secrets: [SECRET],
});

inputBindingConformance(rabbitmq, {
  async source() {
    const queueName = newQueue();
    return {
      open: () => open({ queueName, durable: true }),
      send: async (text) => {
        await channel.assertQueue(queueName, { durable: true });
        channel.sendToQueue(queueName, Buffer.from(text), { messageId: randomUUID() });
        // Answered after what was sent before.
        await channel.checkQueue(queueName);
      },
    };
  },
  countsAttempts: true,
});

describe('messages to RabbitMQ', () => {
  test('are persistent, carry all metadata as headers, and what some of it says', async () => {
    const queueName = newQueue();
    const binding = await open({ queueName });
    await create(binding, '"in quotes"', { colour: 'red', contentType: 'text/plain', messageID: 'm-1', correlationID: 'c-1', type: 'order', priority: '300', ttlInSeconds: '90' });
    const { content, properties } = await next(queueName);
    expect(content.toString()).toBe('"in quotes"');
    expect(properties).toMatchObject({ deliveryMode: 2, contentType: 'text/plain', messageId: 'm-1', correlationId: 'c-1', type: 'order', priority: 255, expiration: '90000', headers: { colour: 'red', contentType: 'text/plain' } });
    await binding.close?.();
  });

  test('expire by the age of the queue or of their own', async () => {
    for (const [options, metadata] of [[{ ttl: 100 }, {}], [{}, { ttlInSeconds: '100ms' }], [{}, { ttl: '100ms' }]] as const) {
      const queueName = newQueue();
      const binding = await open({ queueName, durable: true, ...options });
      await create(binding, 'late', metadata);
      await until(async () => (await channel.checkQueue(queueName)).messageCount === 0);
      await binding.close?.();
    }
  });

  test('go before others of less priority', async () => {
    const queueName = newQueue();
    const binding = await open({ queueName, maxPriority: 300 });
    for (const priority of ['1', '9', '5']) await create(binding, priority, { priority });
    expect([(await next(queueName)).content, (await next(queueName)).content, (await next(queueName)).content].map(String)).toEqual(['9', '5', '1']);
    await binding.close?.();
  });

  test('outlive the broker in a durable queue, and the binding finds its way back by itself', async () => {
    const broker = await startPrivateServer('rabbitmq');
    const binding = build({ host: url(broker.address), queueName: 'durable', durable: true });
    try {
      await broker.stop(true);
      await expect(connected(binding)).rejects.toThrow('RabbitMQ cannot be used');
      await broker.start();
      await connected(binding);
      const app = eventConsumer((event): EventSettlement => (String(event.data) === 'kept' ? { action: 'retry', delayMs: 60_000, reason: 'not before the restart' } : { action: 'ack' }));
      const intake = await binding.start?.({ deliver: (event) => app.deliver(event) });
      await create(binding, 'kept');
      await until(() => app.seen.length > 0);

      await broker.stop();
      await expect(create(binding, 'x')).rejects.toMatchObject({ fault: 'unavailable' });
      await expect(binding.ping?.()).rejects.toThrow('no connection');
      await broker.start();
      await until(() => app.seen.length > 1);
      expect(new Set(app.seen.map(({ id }) => id)).size).toBe(1);
      expect(app.seen[1]?.metadata).toMatchObject({ redelivered: 'true' });
      await create(binding, 'after');
      await until(() => app.texts().includes('after'));
      await intake?.close();
    } finally {
      await binding.close?.();
      await broker.dispose();
    }
  }, 240_000);
});

describe('events from RabbitMQ', () => {
  test('have the headers that are texts for metadata, with names as in a query string', async () => {
    const queueName = newQueue();
    const binding = await open({ queueName });
    const app = eventConsumer();
    await binding.start?.({ deliver: (event) => app.deliver(event) });
    channel.sendToQueue(queueName, Buffer.from('x'), { headers: { 'a name': 'v 1', count: 7 }, contentType: 'text/plain' });
    await until(() => app.seen.length > 0);
    expect(app.seen[0]).toMatchObject({ metadata: { 'a+name': 'v 1' }, contentType: 'text/plain' });
    expect(app.seen[0]?.metadata).not.toHaveProperty('count');
    await binding.close?.();
  });

  test('are under way prefetchCount at a time, and those that wait to be tried again count', async () => {
    const queueName = newQueue();
    const binding = await open({ queueName, prefetchCount: 3 });
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const app = eventConsumer(async () => {
      await held;
      return { action: 'ack' };
    });
    const intake = await binding.start?.({ deliver: (event) => app.deliver(event) });
    for (let number = 0; number < 10; number++) await create(binding, String(number));
    await until(() => app.inFlight === 3);
    expect(await channel.checkQueue(queueName)).toMatchObject({ messageCount: 7 });
    letGo();
    await until(() => app.seen.length === 10);
    await intake?.close();
    await binding.close?.();
  });

  test('that are rejected go where the queue has its dead letters', async () => {
    const [queueName, dead] = [newQueue(), newQueue()];
    await channel.assertQueue(dead);
    await channel.assertQueue(queueName, { durable: false, deadLetterExchange: '', deadLetterRoutingKey: dead });
    channel.sendToQueue(queueName, Buffer.from('bad'));
    // Its declaration differs, so this component may not make the queue: it is said so, and nothing is read.
    await expect(open({ queueName })).rejects.toThrow('PRECONDITION_FAILED');
    const plain = newQueue();
    await channel.deleteQueue(queueName);
    const binding = await open({ queueName: plain });
    await binding.start?.({ deliver: () => Promise.resolve({ action: 'reject', reason: 'bad' }) });
    await create(binding, 'bad');
    await until(async () => (await channel.checkQueue(plain)).messageCount === 0);
    await binding.close?.();
    // Given back, it would be here now that nobody reads.
    expect(await channel.checkQueue(plain)).toMatchObject({ messageCount: 0 });
  });

  test('of an exclusive queue are for one instance', async () => {
    const queueName = newQueue();
    const first = await open({ queueName, exclusive: true });
    await expect(open({ queueName, exclusive: true })).rejects.toThrow('RESOURCE_LOCKED');
    await first.close?.();
    const second = await open({ queueName, exclusive: true });
    await second.ping?.();
    await second.close?.();
  });

  test('come again after the queue was deleted under the reader', async () => {
    const queueName = newQueue();
    const binding = await open({ queueName });
    const app = eventConsumer();
    await binding.start?.({ deliver: (event) => app.deliver(event) });
    await channel.deleteQueue(queueName);
    await until(async () => create(binding, 'again')?.then(() => app.texts().includes('again'), () => false) ?? false);
    await binding.close?.();
  });
});

test('a broken or silent network is said to be so, and the binding goes on when it is whole', async () => {
  const network = await tcpGate(server);
  const log = createKeptLog();
  const queueName = newQueue();
  const binding = buildComponent(rabbitmq, { host: `${url(network.address)}?heartbeat=1`, queueName, reconnectWaitInSeconds: 100 }, { log });
  await connected(binding);
  const app = eventConsumer();
  await binding.start?.({ deliver: (event) => app.deliver(event) });
  await create(binding, 'one');
  await until(() => app.seen.length === 1);

  await network.shut();
  await expect(create(binding, 'x')).rejects.toMatchObject({ fault: 'unavailable' });
  await network.open();
  await until(async () => create(binding, 'two')?.then(() => true, () => false) ?? false);
  await until(() => app.texts().includes('two'));

  network.freeze();
  await expect(create(binding, 'x')).rejects.toMatchObject({ fault: 'unavailable' });
  await network.open();
  await until(async () => create(binding, 'three')?.then(() => true, () => false) ?? false);
  await until(() => app.texts().includes('three'));
  expect(JSON.stringify(log.lines)).not.toContain('guest');
  await binding.close?.();
  await network.close();
}, 30_000);

describe('the address of a RabbitMQ', () => {
  test.each([
    [{ host: `guest:${SECRET}@host` }, 'amqp://'],
    [{ host: `http://guest:${SECRET}@host` }, 'amqp:// or amqps://'],
    [{ host: '' }, 'no address'],
    [{ host: 'amqps://h', clientCert: 'x' }, 'needed together'],
    [{ host: 'amqp://h', caCert: 'x' }, 'amqps://'],
    [{ host: 'amqp://h', caCert: 'x', clientCert: 'y', clientKey: 'z' }, 'amqps://'],
    [{ host: 'amqp://h', externalSasl: true }, 'externalSasl needs'],
  ])('is refused in words without what is secret: %o', (options, words) => {
    expect(() => build({ queueName: 'q', ...options })).toThrow(words);
    expect(() => build({ queueName: 'q', ...options })).not.toThrow(SECRET);
  });
});
