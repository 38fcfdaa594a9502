import { randomUUID } from 'node:crypto';
import { logLevel, type Admin, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress } from '../../test/servers/servers.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import type { Binding, BindingEvent } from '../kit/bindings.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, until } from '../kit/testing.ts';
import kafka from './binding.ts';
import { createClient } from './client.ts';

const SECRET = 'not-to-be-seen';
const server = serverAddress('kafka');
const brokers = server.split(',');
const run = `test-${randomUUID()}`;
const never = new AbortController().signal;
const nowhere = await freePort();
const build = (options: Record<string, unknown>, appId = `app-${randomUUID()}`): Binding =>
  buildComponent(kafka, { brokers, authType: 'none', initialOffset: 'oldest', heartbeatInterval: 300, ...options }, { appId });

let admin: Admin;
let producer: Producer;
beforeAll(async () => {
  const raw = await createClient({ brokers, logLevel: logLevel.NOTHING });
  admin = raw.admin();
  producer = raw.producer();
  await Promise.all([admin.connect(), producer.connect()]);
});
afterAll(async () => {
  const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(run));
  if (mine.length > 0) await admin.deleteTopics({ topics: mine });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

async function makeTopic(partitions = 1): Promise<string> {
  const topic = `${run}-${randomUUID()}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  return topic;
}
const create = (binding: Binding, data: string, metadata: Record<string, string> = {}) => binding.invoke?.(requestOf({ operation: 'create', data, metadata }), never);

const output = `${run}-output`;
outputBindingConformance(kafka, {
  open: () => connected(build({ publishTopic: output })),
  calls: [{ operation: 'create', data: '"text"', metadata: { partitionKey: 'k' } }],
  wrong: [
    { operation: 'create', data: '1', metadata: { partitionNumber: 'first' } },
    { operation: 'create', data: '1', metadata: { partitionNumber: '4711' } },
  ],
  away: () => build({ brokers: [`127.0.0.1:${nowhere}`], authType: 'password', disableTls: true, saslUsername: 'u', saslPassword: SECRET, publishTopic: output, dialTimeout: 500 }),
  secrets: [SECRET],
});

inputBindingConformance(kafka, {
  async source() {
    const topic = await makeTopic(3);
    const appId = `app-${randomUUID()}`;
    let sent = 0;
    return {
      open: () => connected(build({ topics: [topic] }, appId)),
      send: async (text) => void (await producer.send({ topic, messages: [{ partition: sent++ % 3, value: text }] })),
    };
  },
  countsAttempts: true,
});

describe('records of Kafka', () => {
  test('carry the data as it came, with the key and all metadata as headers, and come in with them', async () => {
    const topic = await makeTopic();
    const binding = await connected(build({ publishTopic: topic, topics: [topic] }));
    const app = eventConsumer();
    const intake = await binding.start?.({ deliver: (event) => app.deliver(event) });
    await create(binding, '"in quotes"', { partitionKey: 'order-7', colour: 'red' });
    await until(() => app.seen.length > 0);
    const [event] = app.seen;
    expect(app.texts()).toEqual(['"in quotes"']);
    expect(event).toMatchObject({ id: `${topic}-0-0`, metadata: { __key: 'order-7', colour: 'red', __topic: topic, __partition: '0', __offset: '0' } });
    await intake?.close();
    await binding.close?.();
  });

  test('of several topics are told apart, and one group shares them', async () => {
    const topics = [await makeTopic(), await makeTopic()];
    const members = await Promise.all([1, 2].map(() => connected(build({ topics, consumerGroup: `${run}-shared` }))));
    const app = eventConsumer();
    for (const member of members) await member.start?.({ deliver: (event: BindingEvent) => app.deliver(event) });
    for (const topic of topics) await producer.send({ topic, messages: [{ value: topic }] });
    await until(() => app.seen.length >= 2);
    expect(app.texts().toSorted()).toEqual(topics.toSorted());
    expect(new Set(app.seen.map(({ id }) => id)).size).toBe(2);
    await Promise.all(members.map((member) => member.close?.()));
  });

  test('cannot be written without publishTopic, nor read without topics', async () => {
    const binding = await connected(build({}));
    await expect(create(binding, '1')).rejects.toMatchObject({ fault: 'invalid-metadata' });
    await expect(binding.start?.({ deliver: () => Promise.resolve({ action: 'ack' }) })).rejects.toThrow('names no topics');
    await binding.close?.();
  });

  test('past the bound on their size are refused as such', async () => {
    const binding = await connected(build({ publishTopic: output, maxMessageBytes: 100 }));
    await expect(create(binding, 'x'.repeat(101))).rejects.toMatchObject({ fault: 'too-large', permanent: true });
    await binding.close?.();
  });
});

test('a Kafka that is away at start is connected to when it comes', async () => {
  const network = await tcpGate(server);
  const binding = build({ brokers: [network.address], publishTopic: output, dialTimeout: 500 });
  await network.shut();
  await expect(connected(binding)).rejects.toThrow(/connect|ECONNREFUSED/i);
  await network.open();
  await connected(binding);
  await create(binding, '"here"');
  await binding.close?.();
  await network.close();
});
