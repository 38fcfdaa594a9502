import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Clock, Delivery, PubSub, Settlement } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { pubSubConformance } from '../kit/conformance/pubsub.ts';
import { buildComponent, connected, createKeptLog, realClock, until, type LogLine } from '../kit/testing.ts';
import redisPubSub from './pubsub.ts';

const redisHost = serverAddress('redis');
const run = `test-${randomUUID()}`;
/** Made fresh at a third of it, which leaves a busy machine or its disk more than two seconds to stand still. */
const PROCESSING_MS = 4_000;
const newTopic = (): string => `${run}-${randomUUID()}`;
const message = (topic: string, text: string, metadata: Record<string, string> = {}) => ({ topic, data: Buffer.from(text), metadata });
const textOf = (delivery: Delivery | undefined): string => Buffer.from(delivery?.data ?? []).toString();

let raw: Redis;
const open: PubSub[] = [];
/** Those of the conformance suite, to be removed in the end. */
const topics: string[] = [];

const component = async (options: Record<string, unknown> = {}): Promise<{ port: PubSub; logs: readonly LogLine[] }> => {
  const log = createKeptLog();
  const port = await connected(buildComponent(redisPubSub, { redisHost, ...options }, { log }));
  open.push(port);
  return { port, logs: log.lines };
};

beforeAll(() => {
  raw = new Redis(`redis://${redisHost}`);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((port) => port.close?.()));
});
afterAll(async () => {
  const keys = [...(await raw.keys(`*${run}*`)), ...topics, ...(await Promise.all(topics.map((topic) => raw.keys(`mecha:attempts:{${topic}}:*`)))).flat()];
  if (keys.length > 0) await raw.del(...keys);
  raw.disconnect();
});

pubSubConformance('pubsub.redis', {
  open: (group) => connected(buildComponent(redisPubSub, { redisHost, consumerID: group, processingTimeout: PROCESSING_MS, redeliverInterval: 100 })),
  maxInFlight: 10,
  orderScope: 'none',
  persistent: true,
  leaseMs: PROCESSING_MS,
  makeTopic: async (topic) => void topics.push(topic),
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

const pendingOf = async (topic: string, group = 'tester'): Promise<number> => Number(((await raw.xpending(topic, group)) as [number])[0]);

describe('the layout of pubsub.redis', () => {
  test('a stream named like the topic holds data and, where there is any, metadata', async () => {
    const topic = newTopic();
    const { port } = await component();
    await port.publish(message(topic, 'plain'));
    await port.publish(message(topic, 'more', { a: 'b' }));
    const entries = await raw.xrange(topic, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['data', 'plain'],
      ['data', 'more', 'metadata', '{"a":"b"}'],
    ]);
  });

  test('a new group begins at the oldest entry, whoever wrote it', async () => {
    const topic = newTopic();
    await raw.xadd(topic, '*', 'data', Buffer.from([0, 255]), 'metadata', 'not json', 'extra', 'x');
    const { port } = await component();
    const { seen, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ topic, attempt: 1, metadata: {} });
    expect(Buffer.from(seen[0]?.data ?? [])).toEqual(Buffer.from([0, 255]));
    await until(async () => (await pendingOf(topic)) === 0);
  });

  test('a stream is trimmed to about maxLenApprox, or by age', async () => {
    const [byLength, byAge] = [newTopic(), newTopic()];
    const short = (await component({ maxLenApprox: 10 })).port;
    await short.publishBulk?.(Array.from({ length: 1000 }, (_, index) => message(byLength, String(index))));
    expect(await raw.xlen(byLength)).toBeLessThan(500);
    for (let index = 1; index <= 500; index += 1) await raw.xadd(byAge, `${index}-1`, 'data', 'old');
    await (await component({ streamTTL: 60_000 })).port.publish(message(byAge, 'new'));
    expect(await raw.xlen(byAge)).toBeLessThan(500);
  });

  test('a key that is no stream refuses events in words', async () => {
    const topic = newTopic();
    await raw.set(topic, 'x');
    const { port } = await component();
    await expect(port.publish(message(topic, 'x'))).rejects.toThrow('is not a stream');
    expect((await port.publishBulk?.([message(newTopic(), 'ok'), message(topic, 'x')]))?.failed.map(({ index }) => index)).toEqual([1]);
  });
});

describe('settling in pubsub.redis', () => {
  test('a retry comes again after its wait with a higher attempt, and holds up no other event', async () => {
    const topic = newTopic();
    const { port } = await component({ concurrency: 1 });
    const { seen, texts, deliver } = collector((delivery) => (textOf(delivery) === 'bad' && delivery.attempt < 3 ? { action: 'retry', delayMs: 100 } : { action: 'ack' }));
    await port.publish(message(topic, 'bad'));
    await port.publish(message(topic, 'good'));
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length === 4);
    expect(texts()).toEqual(['bad', 'good', 'bad', 'bad']);
    expect(seen.filter((delivery) => textOf(delivery) === 'bad').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    await until(async () => (await pendingOf(topic)) === 0 && (await raw.exists(`mecha:attempts:{${topic}}:tester`)) === 0);
  });

  test('an event stays pending until its delivery is settled', async () => {
    const topic = newTopic();
    const { port } = await component();
    const settled = Promise.withResolvers<Settlement>();
    const { seen, deliver } = collector(() => settled.promise);
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x'));
    await until(() => seen.length === 1);
    expect(await pendingOf(topic)).toBe(1);
    settled.resolve({ action: 'ack' });
    await until(async () => (await pendingOf(topic)) === 0);
  });

  test('no more than concurrency deliveries are under way, over all topics', async () => {
    const topics = [newTopic(), newTopic()];
    const { port } = await component({ concurrency: 3 });
    let [now, most] = [0, 0];
    const { seen, deliver } = collector(async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return { action: 'ack' };
    });
    for (const topic of topics) await port.publishBulk?.(Array.from({ length: 20 }, (_, index) => message(topic, String(index))));
    for (const topic of topics) await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length === 40);
    expect(most).toBe(3);
  });

  test('while paused nothing is delivered, and another replica has it', async () => {
    const topic = newTopic();
    const [first, second] = [(await component()).port, (await component()).port];
    const [one, two] = [collector(), collector()];
    const subscription = await first.subscribe({ topic, metadata: {}, deliver: one.deliver });
    await subscription.pause();
    await first.publish(message(topic, 'x'));
    await second.subscribe({ topic, metadata: {}, deliver: two.deliver });
    await until(() => two.seen.length === 1);
    expect(one.seen).toHaveLength(0);
    await subscription.resume();
  });

  test('a subscription that is begun while the component closes does not stand', async () => {
    const [topic, late] = [newTopic(), newTopic()];
    const { port } = await component();
    const settled = Promise.withResolvers<Settlement>();
    const { seen, deliver } = collector(() => settled.promise);
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x'));
    await until(() => seen.length === 1);
    const closing = port.close?.();
    await expect(port.subscribe({ topic: late, metadata: {}, deliver })).rejects.toThrow('the component was closed');
    settled.resolve({ action: 'ack' });
    await closing;
    expect(await raw.xinfo('CONSUMERS', late, 'tester')).toEqual([]);
  });
});

describe('replicas of pubsub.redis', () => {
  test('what a replica released or left at its close comes to another soon, with the attempts so far', async () => {
    const topic = newTopic();
    const [first, second] = [(await component()).port, (await component()).port];
    const one = collector((delivery) => (textOf(delivery) === 'failing' ? { action: 'retry', delayMs: 3_600_000 } : { action: 'release' }));
    const subscription = await first.subscribe({ topic, metadata: {}, deliver: one.deliver });
    await first.publish(message(topic, 'failing'));
    await until(async () => (await raw.hlen(`mecha:attempts:{${topic}}:tester`)) === 1);
    await first.publish(message(topic, 'released'));
    await until(() => one.seen.length >= 2);
    await subscription.close();
    const two = collector();
    await second.subscribe({ topic, metadata: {}, deliver: two.deliver });
    await until(() => two.seen.length === 2);
    expect(Object.fromEntries(two.seen.map((delivery) => [textOf(delivery), delivery.attempt]))).toEqual({ failing: 2, released: 1 });
    await until(async () => (await pendingOf(topic)) === 0);
  });

  test("a dead consumer's events are taken over after processingTimeout, also another sidecar's", async () => {
    const topic = newTopic();
    await raw.xgroup('CREATE', topic, 'tester', '0', 'MKSTREAM');
    await raw.xadd(topic, '*', 'data', 'orphan');
    await raw.xreadgroup('GROUP', 'tester', 'tester', 'STREAMS', topic, '>');
    const { port } = await component({ processingTimeout: 200, redeliverInterval: 50 });
    const { seen, texts, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => seen.length === 1);
    expect(texts()).toEqual(['orphan']);
    await until(async () => (await pendingOf(topic)) === 0);
  });

  test('a delivery that takes far longer than processingTimeout stays with its consumer', async () => {
    const topic = newTopic();
    // Only the second looks: a consumer that looks makes its own entries fresh by it.
    const [first, second] = [(await component({ processingTimeout: PROCESSING_MS, redeliverInterval: 0 })).port, (await component({ processingTimeout: PROCESSING_MS, redeliverInterval: 50 })).port];
    const settled = Promise.withResolvers<Settlement>();
    const one = collector(() => settled.promise);
    const two = collector();
    await first.subscribe({ topic, metadata: {}, deliver: one.deliver });
    await first.publish(message(topic, 'slow'));
    await until(() => one.seen.length === 1);
    await second.subscribe({ topic, metadata: {}, deliver: two.deliver });
    // The second replica has looked many times by then.
    await new Promise((resolve) => setTimeout(resolve, PROCESSING_MS * 1.5));
    expect(two.texts().filter((text) => text === 'slow')).toEqual([]);
    settled.resolve({ action: 'ack' });
    await until(async () => (await pendingOf(topic)) === 0);
  });

  test('after a sleep of the machine nothing is taken over before the living could say that they live; then what died is', async () => {
    const topic = newTopic();
    await raw.xgroup('CREATE', topic, 'tester', '0', 'MKSTREAM');
    for (const text of ['of the living', 'of the dead']) await raw.xadd(topic, '*', 'data', text);
    const [[, entries]] = (await raw.xreadgroup('GROUP', 'tester', 'neighbour', 'STREAMS', topic, '>')) as [[string, [string, string[]][]]];
    const idleFor = (ms: number, ids: readonly string[]) => raw.call('XCLAIM', topic, 'tester', 'neighbour', 0, ...ids, 'IDLE', ms, 'JUSTID');
    const ids = entries.map(([id]) => id);

    let [sleptMs, looks] = [0, 0];
    const redeliverInterval = 51;
    // The machine sleeps between two looks, none of which is under way then.
    const sleepsBefore = 3;
    const clock: Clock = {
      now: () => Date.now() + sleptMs,
      after: (ms, callback) =>
        realClock.after(ms, async () => {
          if (ms === redeliverInterval) looks += 1;
          if (ms === redeliverInterval && looks === sleepsBefore) await idleFor((sleptMs = 3_600_000), ids);
          callback();
        }),
    };
    // A round of saying so is 4 s, which are some 80 looks here.
    const port = await connected(buildComponent(redisPubSub, { redisHost, processingTimeout: 12_000, redeliverInterval }, { clock }));
    open.push(port);
    const { texts, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await until(() => looks > sleepsBefore + 5);
    expect(texts()).toEqual([]);
    await idleFor(0, ids.slice(0, 1));
    await until(() => texts().length > 0);
    expect(texts()).toEqual(['of the dead']);
  });

  test('a close waits for what is under way and forgets the consumer', async () => {
    const topic = newTopic();
    const { port } = await component();
    const settled = Promise.withResolvers<Settlement>();
    const { seen, deliver } = collector(() => settled.promise);
    const subscription = await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'x'));
    await until(() => seen.length === 1);
    let isClosed = false;
    const closing = subscription.close().then(() => {
      isClosed = true;
    });
    await raw.ping();
    expect(isClosed).toBe(false);
    settled.resolve({ action: 'ack' });
    await closing;
    expect(await pendingOf(topic)).toBe(0);
    const consumers = (await raw.xinfo('CONSUMERS', topic, 'tester')) as string[][];
    expect(consumers.map((info) => info[1])).toEqual([]);
  });
});

describe('healing in pubsub.redis', () => {
  test('(users 14) a group that was lost is made again without a restart, and says so once', async () => {
    const topic = newTopic();
    const { port, logs } = await component();
    const { seen, deliver } = collector();
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'one'));
    await until(() => seen.length === 1);
    for (const text of ['two', 'three']) {
      await raw.del(topic);
      await port.publish(message(topic, text));
      await until(() => seen.some((delivery) => textOf(delivery) === text));
    }
    expect(logs.filter(({ level }) => level === 'warn' || level === 'error').map(({ message: words }) => words)).toEqual([
      'the consumer group is gone; making it again from the oldest entry',
    ]);
  });

  test('(users 14) after a crash of Redis the subscription goes on, with no event lost and few log lines', async () => {
    const server = await startPrivateServer('redis');
    const log = createKeptLog();
    const options = { redisHost: server.address, readTimeout: 5_000, processingTimeout: PROCESSING_MS, redeliverInterval: 200 };
    const port = await connected(buildComponent(redisPubSub, options, { log }));
    const { texts, deliver } = collector();
    try {
      await port.subscribe({ topic: 'orders', metadata: {}, deliver });
      const acknowledged = new Set<string>();
      /** One after the other. */
      const publishAll = async (from: number, count = Number.POSITIVE_INFINITY): Promise<void> => {
        for (let index = from; index < from + count; index += 1) {
          await port.publish(message('orders', String(index)));
          acknowledged.add(String(index));
        }
      };
      const untilTheCrash = publishAll(0).catch((error: unknown) => error);
      await until(() => acknowledged.size > 20);
      await server.stop(true);
      expect(String(await untilTheCrash)).toMatch(/Redis/);
      await server.start();
      await until(() => port.ping?.().then(() => true, () => false) ?? true);
      await publishAll(1_000_000, 200);
      await until(() => new Set(texts()).size >= acknowledged.size && [...acknowledged].every((text) => texts().includes(text)));
      expect(log.lines.filter(({ level }) => level === 'warn').length).toBeLessThan(6);
    } finally {
      await port.close?.();
      await server.dispose();
    }
  });

  test('(users 10) a poison event is tried again and again without holding up the others', async () => {
    const topic = newTopic();
    const { port } = await component({ concurrency: 2 });
    const { seen, deliver } = collector((delivery) => (textOf(delivery) === 'poison' ? { action: 'retry', delayMs: 20 } : { action: 'ack' }));
    await port.subscribe({ topic, metadata: {}, deliver });
    await port.publish(message(topic, 'poison'));
    for (let index = 0; index < 50; index += 1) await port.publish(message(topic, `good ${index}`));
    await until(() => seen.filter((delivery) => textOf(delivery) !== 'poison').length === 50 && seen.some(({ attempt }) => attempt >= 5));
  });
});
