import { describe, expect, test } from 'vitest';
import type { EventDelivery } from '../../channel/channel.ts';
import { createSubscriptions } from './subscriptions.ts';
import { callOf, createBench, eventOf, settled, type BenchOptions } from './testing.ts';

async function bench(options: BenchOptions = {}) {
  const made = createBench(options);
  const running = createSubscriptions({ ...made.parts, block: made.block, declared: [] });
  await running.start?.();
  const open = async (more: Partial<{ pubsubName: string; topic: string; deadLetterTopic: string }> = {}) => {
    const sent: { id: string; event: EventDelivery }[] = [];
    const stream = await running.openStream({ pubsubName: 'pubsub', topic: 'placed', metadata: {}, deadLetterTopic: '', ...more }, (id, event) => sent.push({ id, event }));
    return { stream, sent };
  };
  const publish = (data: string, metadata = {}) => made.block.publish(callOf(), { pubsubName: 'pubsub', topic: 'placed', data: Buffer.from(data), contentType: 'text/plain', metadata });
  return { ...made, running, open, publish };
}

describe('a stream', () => {
  test('gets events with their ids and settles each by its answer', async () => {
    const { open, publish, broker, turn, letters, running } = await bench();
    const { stream, sent } = await open({ deadLetterTopic: 'dead' });
    expect(running.list()).toMatchObject([{ type: 'STREAMING', state: 'open', subscription: { topic: 'placed' } }]);
    for (const data of ['taken', 'later', 'never']) await publish(data, { 'cloudevent.id': data });
    await settled();
    expect(sent.map(({ id, event }) => [id, event.path, event.event['data']])).toEqual([['taken', '/', 'taken'], ['later', '/', 'later'], ['never', '/', 'never']]);
    expect(broker.settlements).toEqual([]);
    expect(stream.answer('taken', 'success')).toBe(true);
    expect(stream.answer('later', 'retry')).toBe(true);
    expect(stream.answer('never', 'drop')).toBe(true);
    expect(stream.answer('unknown', 'success')).toBe(false);
    await turn(200);
    expect(sent.map(({ id }) => id)).toEqual(['taken', 'later', 'never', 'later']);
    expect(letters.map(({ data }) => eventOf(data)['data'])).toEqual(['never']);
    await running.stop?.();
  });

  test('two events of one id are answered in the order in which they were sent', async () => {
    const { open, publish, broker, running } = await bench();
    const { stream, sent } = await open();
    await publish('first', { 'cloudevent.id': 'same' });
    await publish('second', { 'cloudevent.id': 'same' });
    await settled();
    expect(sent).toHaveLength(2);
    stream.answer('same', 'success');
    await settled();
    expect(broker.acked.map(({ message }) => eventOf(message.data)['data'])).toEqual(['first']);
    stream.answer('same', 'success');
    await settled();
    expect(broker.acked).toHaveLength(2);
    await running.stop?.();
  });

  test('that ends hands back what was not answered, as if it had never been delivered, to whoever is there next', async () => {
    const { open, publish, broker, running } = await bench();
    const first = await open();
    await publish('x');
    await settled();
    await first.stream.close();
    await first.stream.ended;
    expect(broker.settlements).toMatchObject([{ attempt: 1, settlement: { action: 'release' } }]);
    expect(running.list()).toEqual([]);
    const second = await open();
    await settled();
    expect(second.sent).toHaveLength(1);
    second.stream.answer(second.sent[0]!.id, 'success');
    await settled();
    expect(broker.acked).toMatchObject([{ attempt: 1 }]);
    await running.stop?.();
  });

  test('is ended by a shutdown, which waits for answers until its deadline', async () => {
    const { open, publish, broker, running } = await bench();
    const { stream, sent } = await open();
    await publish('answered', { 'cloudevent.id': 'answered' });
    await publish('ignored', { 'cloudevent.id': 'ignored' });
    await settled();
    const deadline = new AbortController();
    const draining = running.drain?.(deadline.signal);
    await settled();
    stream.answer('answered', 'success');
    await settled();
    deadline.abort();
    await draining;
    await stream.ended;
    expect(sent).toHaveLength(2);
    expect(broker.settlements.map(({ settlement }) => settlement.action)).toEqual(['ack', 'release']);
  });

  test('that cannot be opened says why', async () => {
    const { open, setComponent, broker, running } = await bench({ metadata: { subscriptionScopes: 'orders=placed,broken' } });
    await expect(open({ pubsubName: '' })).rejects.toMatchObject({ grpcCode: 2, message: 'pubsubName is required' });
    await expect(open({ topic: '' })).rejects.toMatchObject({ grpcCode: 2, message: 'topic is required' });
    await expect(open({ pubsubName: 'nope' })).rejects.toMatchObject({ grpcCode: 2, message: 'pubsub nope is not found' });
    await expect(open({ topic: 'secret' })).rejects.toMatchObject({ grpcCode: 7 });
    broker.refusals.set('broken', new Error('no such partition'));
    await expect(open({ topic: 'broken' })).rejects.toMatchObject({ grpcCode: 2, message: 'no such partition' });
    setComponent('connecting');
    await expect(open()).rejects.toMatchObject({ grpcCode: 14 });
    expect([running.list(), broker.subscriptions.size]).toEqual([[], 0]);
  });

  test('whose caller cannot be sent to is ended, not called again and again', async () => {
    const { running, publish, broker } = await bench();
    let calls = 0;
    const stream = await running.openStream({ pubsubName: 'pubsub', topic: 'placed', metadata: {}, deadLetterTopic: '' }, () => {
      calls++;
      throw new Error('broken pipe');
    });
    await publish('x');
    await stream.ended;
    expect(calls).toBe(1);
    expect(broker.settlements).toMatchObject([{ settlement: { action: 'release' } }]);
    expect(running.list()).toEqual([]);
  });

  test('stands beside its siblings: one that ends leaves the other alone', async () => {
    const { open, publish, running } = await bench();
    const [first, second] = [await open(), await open()];
    await first.stream.close();
    await publish('x');
    await settled();
    expect([first.sent.length, second.sent.length]).toEqual([0, 1]);
    second.stream.answer(second.sent[0]!.id, 'success');
    await running.stop?.();
  });
});
