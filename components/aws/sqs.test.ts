import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Binding } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, until } from '../kit/testing.ts';
import sqs from './sqs.ts';

const endpoint = `http://${serverAddress('moto')}`;
const SECRET = 'secret-of-the-access-key';
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: SECRET };
const raw = new SQSClient({ endpoint, region: 'us-east-1', credentials });
const never = new AbortController().signal;
const open: Binding[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close?.()));
});
afterAll(() => raw.destroy());

const build = (options: Record<string, unknown>): Binding => buildComponent(sqs, { endpoint, accessKey: credentials.accessKeyId, secretKey: SECRET, visibilityTimeout: 2_000, waitTime: 1_000, ...options });
async function newQueue(attributes: Record<string, string> = {}, client = raw): Promise<{ queueName: string; QueueUrl: string }> {
  const queueName = `mecha-${randomUUID()}${attributes['FifoQueue'] ? '.fifo' : ''}`;
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: queueName, Attributes: attributes }));
  return { queueName, QueueUrl };
}
async function opened(options: Record<string, unknown>): Promise<Binding> {
  const one = await connected(build(options));
  open.push(one);
  return one;
}
const send = (one: Binding, data: string, metadata: Record<string, string> = {}) => one.invoke?.({ operation: 'create', data: Buffer.from(data), metadata }, never);
async function started(one: Binding, app: ReturnType<typeof eventConsumer>) {
  if (!one.start) throw new Error('no input');
  return one.start({ deliver: (event) => app.deliver(event) });
}

const { queueName } = await newQueue();
outputBindingConformance(sqs, {
  open: () => connected(build({ queueName })),
  calls: [{ operation: 'create', data: '"hello"', metadata: { delaySeconds: '1' } }],
  wrong: [
    { operation: 'create', data: '' },
    { operation: 'create', data: '\0' },
    { operation: 'create', data: 'x'.repeat(256 * 1024 + 1) },
    { operation: 'create', data: 'x', metadata: { delaySeconds: '901' } },
  ],
  away: () => build({ queueName, endpoint: 'http://127.0.0.1:1' }),
  secrets: [SECRET],
});

inputBindingConformance(sqs, {
  async source() {
    const queue = await newQueue();
    return {
      open: () => connected(build({ queueName: queue.queueName })),
      send: async (text) => void (await raw.send(new SendMessageCommand({ QueueUrl: queue.QueueUrl, MessageBody: text }))),
    };
  },
  countsAttempts: true,
  leaseMs: 2_000,
});

describe('a queue', () => {
  test('gives what was sent, with the attributes that came along', async () => {
    const queue = await newQueue();
    const one = await opened({ queueName: queue.queueName });
    const app = eventConsumer();
    await started(one, app);
    await send(one, '{"a": 1}');
    await send(one, '"text"');
    await expect(one.invoke?.({ operation: 'create', data: Buffer.from([0x22, 0xff]), metadata: {} }, never)).rejects.toMatchObject({ fault: 'invalid-data' });
    await raw.send(new SendMessageCommand({ QueueUrl: queue.QueueUrl, MessageBody: 'other', MessageAttributes: { colour: { DataType: 'String', StringValue: 'red' } } }));
    await until(() => app.seen.length >= 3);
    expect(app.texts().toSorted()).toEqual(['"text"', 'other', '{"a": 1}']);
    expect(app.seen.find(({ data }) => Buffer.from(data).toString() === 'other')).toMatchObject({ metadata: { colour: 'red', messageId: expect.any(String) as string } });
  });

  test('of kind FIFO takes group and deduplication id', async () => {
    const queue = await newQueue({ FifoQueue: 'true' });
    const one = await opened({ queueName: queue.queueName });
    for (const id of ['1', '1', '2']) await send(one, id, { messageGroupId: 'g', messageDeduplicationId: id });
    const app = eventConsumer();
    await started(one, app);
    await until(() => app.seen.length >= 2);
    expect(app.texts()).toEqual(['1', '2']);
    expect(app.seen[0]?.metadata['messageGroupId']).toBe('g');
  });

  test('does not give an event to another reader however long the app takes', async () => {
    const queue = await newQueue();
    // It is prolonged at half of this, which leaves a busy machine two seconds to stand still.
    const options = { queueName: queue.queueName, visibilityTimeout: 4_000 };
    const [one, other] = [await opened(options), await opened(options)];
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const app = eventConsumer(async () => {
      await held;
      return { action: 'ack' };
    });
    await started(one, app);
    await send(one, 'long');
    await until(() => app.seen.length === 1);
    const second = eventConsumer();
    await started(other, second);
    // Behind the end of the time for which it would have stayed invisible; the marker shows that the queue is read.
    await send(one, 'marker', { delaySeconds: '6' });
    await until(() => second.seen.length + app.seen.length > 1);
    expect([...second.texts(), ...app.texts()].filter((text) => text === 'long')).toHaveLength(1);
    letGo();
    await until(async () => {
      const { Attributes } = await raw.send(new GetQueueAttributesCommand({ QueueUrl: queue.QueueUrl, AttributeNames: ['All'] }));
      return Attributes?.['ApproximateNumberOfMessages'] === '0' && Attributes['ApproximateNumberOfMessagesNotVisible'] === '0';
    });
  });
});

test('a service that is away, or has no such queue, is waited for, and read again after it was gone', { timeout: 240_000 }, async () => {
  const server = await startPrivateServer('moto');
  const own = new SQSClient({ endpoint: `http://${server.address}`, region: 'us-east-1', credentials });
  try {
    await server.stop(true);
    const one = build({ queueName: 'later', endpoint: `http://${server.address}` });
    open.push(one);
    await expect(one.connect?.(never)).rejects.toMatchObject({ fault: 'unavailable' });
    await server.start();
    await expect(one.connect?.(never)).rejects.toThrow('there is no queue later');
    await own.send(new CreateQueueCommand({ QueueName: 'later' }));
    await one.connect?.(never);
    const app = eventConsumer();
    await started(one, app);
    await send(one, 'before');
    await until(() => app.seen.length === 1);
    await server.stop(true);
    await expect(send(one, 'lost')).rejects.toMatchObject({ fault: 'unavailable' });
    await server.start();
    await own.send(new CreateQueueCommand({ QueueName: 'later' }));
    await send(one, 'after');
    await until(() => app.texts().includes('after'));
  } finally {
    await Promise.all(open.splice(0).map((one) => one.close?.()));
    own.destroy();
    await server.dispose();
  }
});

test('(users 50) an endpoint at a link-local address, or with a password in it, is refused', () => {
  for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '2852039166', 'user:word@127.0.0.1']) expect(() => build({ queueName: 'q', endpoint: `http://${host}` }), host).toThrow(/link-local|user name or password/);
});
