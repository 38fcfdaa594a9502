import { randomUUID } from 'node:crypto';
import { logLevel, type Admin, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Delivery, PubSub, Settlement } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { pubSubConformance } from '../kit/conformance/pubsub.ts';
import { buildComponent, connected, createKeptLog, until, type LogLine } from '../kit/testing.ts';
import { createClient } from './client.ts';
import { choosePartition } from './partitioner.ts';
import kafkaPubSub from './pubsub.ts';

const brokers = serverAddress('kafka');
const run = `test-${randomUUID()}`;
const newTopic = (): string => `${run}-${randomUUID()}`;
const message = (topic: string, text: string, metadata: Record<string, string> = {}) => ({ topic, data: Buffer.from(text), metadata });
const textOf = (delivery: Delivery | undefined): string => Buffer.from(delivery?.data ?? []).toString();

let admin: Admin;
let producer: Producer;
const open: PubSub[] = [];
/** Those of the conformance suite, to be removed in the end. */
const topics = new Set<string>();

const component = async (options: Record<string, unknown> = {}, appId = `app-${randomUUID()}`): Promise<{ port: PubSub; logs: readonly LogLine[] }> => {
  const log = createKeptLog();
  const port = await connected(buildComponent(kafkaPubSub, { brokers: brokers.split(','), authType: 'none', initialOffset: 'oldest', ...options }, { appId, log }));
  open.push(port);
  return { port, logs: log.lines };
};

beforeAll(async () => {
  const raw = await createClient({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  admin = raw.admin();
  producer = raw.producer({ createPartitioner: () => choosePartition });
  await Promise.all([admin.connect(), producer.connect()]);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((port) => port.close?.()));
});
afterAll(async () => {
  const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(run) || topics.has(topic));
  if (mine.length > 0) await admin.deleteTopics({ topics: mine });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

pubSubConformance('pubsub.kafka', {
  open: (group) => connected(buildComponent(kafkaPubSub, { brokers: brokers.split(','), authType: 'none', initialOffset: 'oldest', consumerGroup: group, heartbeatInterval: 300 })),
  // One delivery per partition.
  maxInFlight: 3,
  orderScope: 'partition',
  persistent: true,
  rebalances: true,
  keepsAttempts: false,
  async makeTopic(topic) {
    topics.add(topic);
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
  },
  refused: (topic) => ({ topic, data: Buffer.from('x'), metadata: { partitionNumber: '4711' } }),
});

/** Collects deliveries and settles each by `settle`. */
function collector(settle: (delivery: Delivery) => Settlement | Promise<Settlement> = () => ({ action: 'ack' })) {
  const seen: Delivery[] = [];
  return {
    seen,
    texts: () => seen.map(textOf),
    deliver: async (delivery: Delivery): Promise<Settlement> => {
      seen.push(delivery);
      return settle(delivery);
    },
  };
}

const makeTopic = async (partitions: number): Promise<string> => {
  const topic = newTopic();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  return topic;
};

const committedOf = async (groupId: string, topic: string): Promise<number> => {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0);
};

describe('the layout of pubsub.kafka', () => {
  test('key, headers and partition come from the metadata, and what the broker knows is added at delivery', async () => {
    const topic = await makeTopic(3);
    const { port } = await component();
    const { seen, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'keyed', { partitionKey: 'order-7', custom: 'x' }));
    await port.publish(message(topic, 'placed', { partitionNumber: '2', __topic: 'forged' }));
    await port.publish(message(topic, 'null', { __key: 'gone', partitionNumber: '0' }));
    await until(() => seen.length === 3);
    const byText = new Map(seen.map((delivery) => [textOf(delivery), delivery]));
    expect(byText.get('keyed')).toMatchObject({ topic, attempt: 1, metadata: { __key: 'order-7', partitionKey: 'order-7', custom: 'x', __topic: topic, __offset: '0' } });
    expect(byText.get('placed')?.metadata).toMatchObject({ __partition: '2', __topic: topic, partitionNumber: '2' });
    expect(Number(byText.get('placed')?.metadata['__timestamp'])).toBeGreaterThan(1_600_000_000_000);
    // The text null is a missing value on the wire, and is delivered as that text.
    expect(byText.get('null')?.metadata['__key']).toBe('gone');
  });

  test('excludeHeaderMetaRegex keeps names out in both directions, and escapeHeaders makes values plain', async () => {
    const topic = await makeTopic(1);
    const { port } = await component({ excludeHeaderMetaRegex: '^secret', escapeHeaders: true });
    const { seen, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x', { secretOne: '1', note: 'a b/c' }));
    await producer.send({ topic, messages: [{ value: 'y', headers: { secretTwo: '2', kept: ['first', 'last'] } }] });
    await until(() => seen.length === 2);
    expect(seen[0]?.metadata).toMatchObject({ note: 'a+b%2Fc' });
    expect(seen[1]?.metadata).toMatchObject({ kept: 'last' });
    expect(seen.flatMap(({ metadata }) => Object.keys(metadata)).filter((name) => name.startsWith('secret'))).toEqual([]);
  });

  test('a publish that cannot be is refused by name, and the others of its batch go through', async () => {
    const topic = await makeTopic(2);
    const { port } = await component({ maxMessageBytes: 2_000_000 });
    await expect(port.publish(message(topic, 'x', { partitionNumber: '-1' }))).rejects.toMatchObject({ name: 'PublishRefused', reason: 'invalid-metadata' });
    await expect(port.publish(message(topic, 'x'.repeat(2_000_001)))).rejects.toMatchObject({ reason: 'message-too-large' });
    const outcome = await port.publishBulk?.([
      message(topic, 'one'),
      message(topic, 'x', { partitionNumber: '9' }),
      message(topic, 'x'.repeat(1_500_000)),
      message(topic, 'two'),
    ]);
    expect(outcome?.failed.map(({ index, error }) => [index, (error as { reason?: string }).reason])).toEqual([
      [1, 'invalid-metadata'],
      [2, 'message-too-large'],
    ]);
    const { texts, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => texts().includes('one') && texts().includes('two'));
  });

  test('a thousand events handed in at once are all acknowledged and all delivered', async () => {
    const topic = await makeTopic(3);
    const { port } = await component();
    const { texts, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => port.publish(message(topic, String(index)))));
    await until(() => new Set(texts()).size === 1_000);
    expect(texts()).toHaveLength(1_000);
  });
});

describe('where a group of pubsub.kafka begins', () => {
  test('oldest: with what was there; newest: with what comes after the subscription, and goes on from there for good', async () => {
    const topic = await makeTopic(2);
    for (const partition of [0, 1]) await producer.send({ topic, messages: [{ partition, value: `old ${partition}` }] });
    const oldest = collector();
    await (await component()).port.subscribe({ topic, metadata: {}, deliver: oldest.deliver });
    await until(() => oldest.seen.length === 2);

    const appId = `app-${randomUUID()}`;
    const first = (await component({ initialOffset: 'newest' }, appId)).port;
    const newest = collector();
    await first.subscribe({ topic, metadata: {}, deliver: newest.deliver });
    await producer.send({ topic, messages: [{ partition: 0, value: 'new' }] });
    await until(() => newest.seen.length === 1);
    await first.close?.();
    // Partition 1 had nothing to acknowledge, and yet its place is kept.
    await producer.send({ topic, messages: [{ partition: 1, value: 'while away' }] });
    await (await component({ initialOffset: 'newest' }, appId)).port.subscribe({ topic, metadata: {}, deliver: newest.deliver });
    await until(() => newest.seen.length === 2);
    expect(newest.texts()).toEqual(['new', 'while away']);
  });

  test('a topic that is not there is made by the broker', async () => {
    const topic = newTopic();
    const { port } = await component();
    const { seen, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x'));
    await until(() => seen.length === 1);
  });
});

describe('settling in pubsub.kafka', () => {
  test('a retry holds up its partition, in order, and no other', async () => {
    const topic = await makeTopic(2);
    const { port } = await component();
    const { texts, seen, deliver } = collector((delivery) => (textOf(delivery) === 'bad' && delivery.attempt < 4 ? { action: 'retry', delayMs: 150 } : { action: 'ack' }));
    for (const text of ['bad', 'behind']) await port.publish(message(topic, text, { partitionNumber: '0' }));
    for (const text of ['free 1', 'free 2']) await port.publish(message(topic, text, { partitionNumber: '1' }));
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length === 7);
    expect(texts().filter((text) => !text.startsWith('free'))).toEqual(['bad', 'bad', 'bad', 'bad', 'behind']);
    expect(seen.filter((delivery) => textOf(delivery) === 'bad').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(texts().indexOf('free 2')).toBeLessThan(texts().lastIndexOf('bad'));
  });

  test('nothing is committed before its delivery was settled, and a released event is not', async () => {
    const topic = await makeTopic(1);
    const appId = `app-${randomUUID()}`;
    const { port } = await component({}, appId);
    const settled = Promise.withResolvers<Settlement>();
    const { seen, deliver } = collector((delivery) => (textOf(delivery) === 'first' ? { action: 'ack' } : settled.promise));
    const subscription = await port.subscribe({ topic, metadata: {}, deliver });
    for (const text of ['first', 'second']) await port.publish(message(topic, text));
    await until(() => seen.length === 2);
    await until(async () => (await committedOf(appId, topic)) === 1);
    const closing = subscription.close();
    settled.resolve({ action: 'release' });
    await closing;
    expect(await committedOf(appId, topic)).toBe(1);

    const next = collector();
    await (await component({}, appId)).port.subscribe({ topic, metadata: {}, deliver: next.deliver });
    await until(() => next.seen.length === 1);
    expect(next.texts()).toEqual(['second']);
    expect(next.seen[0]?.attempt).toBe(1);
  });

  test('a paused subscription delivers nothing, and after resume everything once', async () => {
    const topic = await makeTopic(1);
    const { port } = await component();
    const { seen, texts, deliver } = collector();
    const subscription = await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'before'));
    await until(() => seen.length === 1);
    await subscription.pause();
    await port.publish(message(topic, 'during'));
    const other = collector();
    const control = await makeTopic(1);
    await port.subscribe({ topic: control, metadata: {}, deliver: other.deliver });
    await port.publish(message(control, 'x'));
    await until(() => other.seen.length === 1);
    expect(texts()).toEqual(['before']);
    await subscription.resume();
    await until(() => seen.length === 2);
    expect(texts()).toEqual(['before', 'during']);
  });

  test('far more events than are fetched ahead arrive in order while the handler is slow', async () => {
    const topic = await makeTopic(1);
    const { port } = await component();
    const { texts, deliver } = collector(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { action: 'ack' };
    });
    const count = 3_000;
    await producer.send({ topic, messages: Array.from({ length: count }, (_, index) => ({ value: String(index) })) });
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => texts().length >= count);
    expect(texts()).toEqual(Array.from({ length: count }, (_, index) => String(index)));
  });

  test('(users 10) a poison event blocks its partition only', async () => {
    const topic = await makeTopic(2);
    const { port } = await component();
    const { seen, texts, deliver } = collector((delivery) => (textOf(delivery) === 'poison' ? { action: 'retry', delayMs: 50 } : { action: 'ack' }));
    await port.publish(message(topic, 'poison', { partitionNumber: '0' }));
    for (let index = 0; index < 20; index += 1) await port.publish(message(topic, `good ${index}`, { partitionNumber: '1' }));
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => texts().includes('good 19') && seen.some(({ attempt }) => attempt >= 5));
  });
});

describe('a group of pubsub.kafka', () => {
  test('(users 14) shares partitions, and hands them over when a member leaves or a topic joins, with nothing lost', { timeout: 90_000 }, async () => {
    const [topic, later] = [await makeTopic(4), await makeTopic(2)];
    const appId = `app-${randomUUID()}`;
    const [one, two] = [collector(), collector()];
    // A member learns with its heartbeat that the partitions are divided anew.
    const first = (await component({ heartbeatInterval: 300 }, appId)).port;
    const second = (await component({ heartbeatInterval: 300 }, appId)).port;
    await first.subscribe({ topic, metadata: {}, deliver: one.deliver });
    const published: string[] = [];
    const publish = async (count: number, to = topic): Promise<void> => {
      const texts = Array.from({ length: count }, () => randomUUID());
      await Promise.all(texts.map((text) => first.publish(message(to, text))));
      published.push(...texts);
    };
    await publish(100);
    await second.subscribe({ topic, metadata: {}, deliver: two.deliver });
    await until(async () => {
      await publish(20);
      return two.seen.length > 0;
    });
    // Only one of the two knows the second topic for a while, whichever of them divides the partitions.
    await second.subscribe({ topic: later, metadata: {}, deliver: two.deliver });
    await publish(50, later);
    await publish(50);
    await first.subscribe({ topic: later, metadata: {}, deliver: one.deliver });
    await publish(50, later);
    await second.close?.();
    await publish(50);
    await until(() => {
      const seen = new Set([...one.texts(), ...two.texts()]);
      return published.every((text) => seen.has(text));
    });
  });

  test('an event that is under way when another topic is added is not delivered twice', async () => {
    const [topic, later] = [await makeTopic(1), await makeTopic(1)];
    const { port } = await component();
    const settled = Promise.withResolvers<Settlement>();
    const { seen, deliver } = collector(() => settled.promise);
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x'));
    await until(() => seen.length === 1);
    const other = collector();
    const adding = port.subscribe({ topic: later, metadata: {}, deliver: other.deliver });
    settled.resolve({ action: 'ack' });
    await adding;
    await port.publish(message(later, 'y'));
    await until(() => other.seen.length === 1);
    await port.publish(message(topic, 'z'));
    await until(() => seen.length === 2);
    expect(seen.map(textOf)).toEqual(['x', 'z']);
  });
});

describe('options of pubsub.kafka', () => {
  test('that contradict one another or are not supported are errors in words', () => {
    const make = (options: Record<string, unknown>) => () => buildComponent(kafkaPubSub, { brokers: ['a:1'], ...options });
    expect(make({})).toThrow('authType is required');
    expect(make({ authRequired: 'false' })).not.toThrow();
    expect(make({ authType: 'oidc' })).toThrow('authType oidc is not supported');
    expect(make({ authType: 'password' })).toThrow('saslUsername and saslPassword');
    expect(make({ authType: 'certificate' })).toThrow('needs caCert');
    expect(make({ authType: 'none', compression: 'zstd' })).toThrow('compression zstd');
    expect(make({ authType: 'none', excludeHeaderMetaRegex: '(' })).toThrow('excludeHeaderMetaRegex');
    expect(make({ authType: 'none', heartbeatInterval: 10_000 })).toThrow('heartbeatInterval');
    expect(make({ authType: 'none', brokers: [' '] })).toThrow('names no broker');
  });
});

describe('a Kafka broker', () => {
  test('(users 14) that creates no topics says so, and after a crash the subscription goes on with nothing lost and few log lines', { timeout: 120_000 }, async () => {
    const server = await startPrivateServer('kafka', ['--override', 'auto.create.topics.enable=false']);
    const log = createKeptLog();
    const options = { brokers: [server.address], authType: 'none', initialOffset: 'oldest', dialTimeout: 2_000, sessionTimeout: 3_000, heartbeatInterval: 500 };
    const port = await connected(buildComponent(kafkaPubSub, options, { appId: 'survivor', log }));
    const { texts, deliver } = collector();
    try {
      const missing = [port.subscribe({ topic: 'absent', metadata: {}, deliver }), port.publish(message('absent', 'x'))];
      await Promise.all(missing.map((call) => expect(call).rejects.toThrow('topic absent does not exist')));
      const owner = (await createClient({ brokers: [server.address], logLevel: logLevel.NOTHING })).admin();
      await owner.connect();
      await owner.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }], waitForLeaders: true });
      await owner.disconnect();

      await port.subscribe({ topic: 'orders', metadata: {}, deliver });
      const acknowledged: string[] = [];
      const publishAll = async (from: number, count: number): Promise<void> => {
        for (let index = from; index < from + count; index += 1) {
          await port.publish(message('orders', String(index)));
          acknowledged.push(String(index));
        }
      };
      await publishAll(0, 50);
      await server.stop(true);
      await expect(port.ping?.()).rejects.toThrow();
      await expect(port.publish(message('orders', 'lost'))).rejects.toThrow();
      await server.start();
      await until(() => publishAll(1_000, 50).then(() => true, () => false));
      await until(() => acknowledged.every((text) => texts().includes(text)));
      await until(() => port.ping?.().then(() => true, () => false) ?? true);
      expect(log.lines.filter(({ level }) => level === 'warn' || level === 'error').length).toBeLessThan(30);
    } finally {
      await port.close?.();
      await server.dispose();
    }
  });
});
