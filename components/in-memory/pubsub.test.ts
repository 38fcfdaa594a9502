import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Delivery, Settlement } from '../kit/index.ts';
import { pubSubConformance } from '../kit/conformance/pubsub.ts';
import { buildComponent } from '../kit/testing.ts';
import { GROUP_BYTES_MAX, GROUP_MESSAGES_MAX, IN_FLIGHT_MAX } from './bus.ts';
import inMemoryPubSub from './pubsub.ts';

pubSubConformance('pubsub.in-memory', {
  open: async (group) => buildComponent(inMemoryPubSub, {}, { appId: group }),
  maxInFlight: IN_FLIGHT_MAX,
  orderScope: 'topic',
  persistent: false,
  topicBytesMax: GROUP_BYTES_MAX,
  refused: (topic) => ({ topic, data: Buffer.alloc(GROUP_BYTES_MAX + 1), metadata: {} }),
});

describe('the bus of pubsub.in-memory', () => {
  const instance = (name: string = randomUUID(), appId = 'app') => buildComponent(inMemoryPubSub, {}, { name, appId });
  const hang = () => new Promise<Settlement>(() => undefined);
  const send = (topic: string, text = 'x') => ({ topic, data: Buffer.from(text), metadata: {} });

  test('a topic that ends in a star is given every topic that is longer and begins so', async () => {
    const pubsub = instance();
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: string[] = [];
    await pubsub.subscribe({
      topic: 'orders/*',
      metadata: {},
      deliver: async ({ topic }: Delivery) => {
        seen.push(topic);
        if (topic === 'orders/last') resolve();
        return { action: 'ack' };
      },
    });
    for (const topic of ['orders/', 'orders', 'other/1', 'orders/1', 'orders/1/2', 'orders/last']) await pubsub.publish(send(topic));
    await promise;
    expect(seen).toEqual(['orders/1', 'orders/1/2', 'orders/last']);
  });

  test('components of different names do not hear each other, apps of one process do', async () => {
    const name = randomUUID();
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    const listener = instance(name, 'listener');
    await listener.subscribe({
      topic: 't',
      metadata: {},
      deliver: async (delivery) => {
        resolve(delivery);
        return { action: 'ack' };
      },
    });
    await instance(randomUUID(), 'stranger').publish(send('t', 'unheard'));
    await instance(name, 'sender').publish(send('t', 'heard'));
    expect(Buffer.from((await promise).data).toString()).toBe('heard');
  });

  test('a full group refuses by name, and no other group is given what was refused', async () => {
    const name = randomUUID();
    const [stuck, free] = [instance(name, 'stuck'), instance(name, 'free')];
    await stuck.subscribe({ topic: 't', metadata: {}, deliver: hang });
    for (let count = 0; count < GROUP_MESSAGES_MAX; count++) await stuck.publish(send('t'));
    const seen: string[] = [];
    await free.subscribe({
      topic: 't',
      metadata: {},
      deliver: async (delivery) => {
        seen.push(Buffer.from(delivery.data).toString());
        return { action: 'ack' };
      },
    });
    await expect(free.publish(send('t', 'refused'))).rejects.toMatchObject({ reason: 'topic-full', message: expect.stringContaining('consumer group stuck') });
    expect(seen).toEqual([]);
  });
});
