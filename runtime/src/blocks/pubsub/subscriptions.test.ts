import { until } from '@mecha/components/kit/testing.ts';
import { afterEach, describe, expect, test } from 'vitest';
import type { AppSubscription, EventAnswer } from '../../channel/channel.ts';
import { createSubscriptions, type Subscriptions, type SubscriptionsParts } from './subscriptions.ts';
import { callOf, createBench, declared, eventOf, settled, subscriptionTo, type BenchOptions } from './testing.ts';

const open: Subscriptions[] = [];
afterEach(async () => {
  for (const subscriptions of open.splice(0)) await subscriptions.stop?.();
});

const CUT = AbortSignal.abort();
const RETRY: EventAnswer = { outcome: 'retry', reason: 'the app answered with status 500', statusCode: 500 };
const DROP: EventAnswer = { outcome: 'drop', reason: 'the app answered DROP' };

async function bench(subscriptions: readonly AppSubscription[], options: BenchOptions & { parts?: Partial<SubscriptionsParts> } = {}) {
  const made = createBench(options);
  const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: declared(...subscriptions), ...options.parts });
  open.push(running);
  await running.start?.();
  await until(() => options.parts !== undefined || running.list().length === subscriptions.length);
  await settled();
  const publish = (topic: string, data = 'x', more = {}) => made.block.publish(callOf(), { pubsubName: 'pubsub', topic, data: Buffer.from(data), contentType: 'text/plain', metadata: {}, ...more });
  const delivered = () => made.app.delivered.map(({ event }) => event['data']);
  return { ...made, running, publish, delivered };
}

describe('delivery', () => {
  test('hands the event to the route, byte for byte, in its trace, and acknowledges after success', async () => {
    const { publish, app, broker } = await bench([subscriptionTo('placed')]);
    await publish('placed', 'hello', { metadata: { k: 'v' } });
    await settled();
    const [event] = app.delivered;
    expect(event).toMatchObject({ path: '/placed', pubsubName: 'pubsub', topic: 'placed', metadata: { k: 'v' } });
    expect(event!.body).toEqual(broker.published[0]!.data);
    expect(eventOf(event!.body)['traceparent']).toContain(event!.trace.traceId);
    expect(broker.acked).toHaveLength(1);
  });

  test('what the app could not take comes again after 100 ms doubling, and without a dead-letter topic it stays, at most 60 s apart', async () => {
    const { publish, app, broker, turn, lines, counted } = await bench([subscriptionTo('placed')]);
    app.answer = () => RETRY;
    await publish('placed');
    await turn(400_000, 500);
    const delays = broker.settlements.map(({ settlement }) => (settlement.action === 'retry' ? settlement.delayMs : settlement.action));
    expect(delays.slice(0, 12)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
    expect(broker.settlements.map(({ attempt }) => attempt).slice(0, 3)).toEqual([1, 2, 3]);
    expect(lines.some(({ level, message }) => level === 'warn' && message.includes('cannot be delivered and has no dead-letter topic'))).toBe(true);
    expect(counted('component_pubsub_redelivery_count', { component: 'pubsub', topic: 'placed' })).toBe(delays.length);
    expect(broker.acked).toEqual([]);
  });

  test('(users 10) a poison message is tried five times, then dead-lettered with reason, attempts and trace, while the others proceed', async () => {
    const { publish, app, broker, turn, letters, delivered } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    app.answer = ({ event }) => (event['data'] === 'poison' ? RETRY : { outcome: 'success' });
    await publish('placed', 'poison');
    for (let index = 0; index < 20; index++) await publish('placed', `good ${index}`);
    await settled();
    expect(broker.acked).toHaveLength(20);
    await turn(5000);
    expect(delivered().filter((data) => data === 'poison')).toHaveLength(5);
    const [original, letter] = [broker.published[0]!, broker.published.find(({ topic }) => topic === 'dead')!];
    expect(letter.data).toEqual(original.data);
    expect(letters).toEqual([
      expect.objectContaining({
        appId: 'orders', pubsub: 'pubsub', topic: 'placed', group: 'orders', deadLetterTopic: 'dead', reason: 'the app answered with status 500', attempts: 5,
        traceparent: expect.stringContaining(eventOf(original.data)['traceid']!.toString().split('-')[1]!), data: original.data,
      }),
    ]);
    expect(broker.acked).toHaveLength(21);
  });

  test('(users 11) while its dead letter cannot be written a message stays, is not acknowledged, does not bother the app again, and is named in the log', async () => {
    const { publish, app, broker, turn, letters, lines } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    app.answer = () => DROP;
    broker.refusals.set('dead', new Error('broker has no room'));
    await publish('placed', 'poison');
    await turn(30_000);
    expect(broker.acked).toEqual([]);
    expect(broker.settlements.length).toBeGreaterThan(5);
    expect(app.delivered).toHaveLength(1);
    expect(lines.filter(({ message }) => message.includes('could not be written')).length).toBeGreaterThan(0);
    expect(lines.filter(({ message }) => message.includes('could not be written')).length).toBeLessThan(6);
    broker.refusals.clear();
    await turn(60_000);
    expect(broker.acked).toHaveLength(1);
    expect(broker.published.filter(({ topic }) => topic === 'dead')).toHaveLength(1);
    expect(letters).toMatchObject([{ attempts: 1, reason: 'the app answered DROP' }]);
  });

  test('(users 11) a ledger that cannot write the row keeps the message too, and the topic gets no second copy', async () => {
    const { publish, app, broker, turn, letters, ledgerFaults } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    app.answer = () => DROP;
    ledgerFaults.push(new Error('disk full'), new Error('disk full'));
    await publish('placed', 'poison');
    await settled();
    expect(broker.acked).toEqual([]);
    await turn(2000);
    expect(broker.acked).toHaveLength(1);
    expect(letters).toHaveLength(1);
    expect(broker.published.filter(({ topic }) => topic === 'dead')).toHaveLength(1);
  });

  test('DROP goes to the dead letters at once, without a topic for them it is dropped with a warning', async () => {
    const { publish, app, broker, letters, lines } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' }), subscriptionTo('other')]);
    app.answer = () => DROP;
    await publish('placed');
    await publish('other');
    await settled();
    expect(broker.acked.map(({ topic }) => topic).toSorted()).toEqual(['other', 'placed']);
    expect(letters).toHaveLength(1);
    expect(lines.find(({ level, message }) => level === 'warn' && message.includes('was dropped'))?.message).toContain('topic other');
  });

  test('an expired event and one that no route matches are dropped; a drop that says so leaves no dead letter', async () => {
    const route = [{ match: 'event.type == "wanted"', path: '/wanted' }];
    const { publish, broker, app, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' }), subscriptionTo('routed', { routes: route, deadLetterTopic: 'dead' }), subscriptionTo('silent', { deadLetterTopic: 'dead' })]);
    await broker.publish({ topic: 'placed', data: Buffer.from('{"expiration":"2020-01-01T00:00:00Z"}'), metadata: {} });
    await publish('routed');
    await settled();
    expect(letters.map(({ reason }) => reason).toSorted()).toEqual(['its expiration has passed', 'no route matches it']);
    expect(app.delivered).toEqual([]);
    app.answer = () => ({ outcome: 'drop', reason: 'the app does not know this call', deadLetter: false });
    await publish('silent');
    await settled();
    expect(letters).toHaveLength(2);
    expect(broker.acked.filter(({ topic }) => topic !== 'dead')).toHaveLength(3);
  });

  test('what can never be delivered goes to the dead letters at once, or stays', async () => {
    const route = [{ match: 'event.data.size > 3', path: '/big' }];
    const { broker, letters, app, publish } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' }), subscriptionTo('ruled', { routes: route, deadLetterTopic: 'dead' }), subscriptionTo('other')]);
    await broker.publish({ topic: 'placed', data: Buffer.from('not json'), metadata: {} });
    await publish('ruled');
    await broker.publish({ topic: 'other', data: Buffer.from('not json'), metadata: {} });
    await settled();
    expect(app.delivered).toEqual([]);
    expect(letters.map(({ reason, attempts }) => [reason.slice(0, 22), attempts])).toEqual([['the message is not JSO', 0], ['the rule "event.data.s', 0]]);
    expect(broker.settlements.filter(({ topic }) => topic === 'other')).toMatchObject([{ settlement: { action: 'retry', delayMs: 100 } }]);
  });

  test('an app that is away gets its events later, no attempt is used up, and intake rests meanwhile', async () => {
    const { publish, app, broker, turn, running } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    app.answer = () => ({ outcome: 'away', reason: 'connection refused' });
    await publish('placed');
    await settled();
    expect(app.suspected).toBe(1);
    app.become('waiting');
    await turn(20_000);
    expect(app.delivered).toHaveLength(1);
    expect(running.list()).toMatchObject([{ state: 'paused', reason: 'the app is not there' }]);
    app.answer = () => ({ outcome: 'success' });
    app.become('up');
    await settled();
    expect(broker.settlements.map(({ attempt, settlement }) => [attempt, settlement.action])).toEqual([[1, 'release'], [1, 'ack']]);
  });

  test('an app that stays away though its monitor sees it is not called in a tight loop', async () => {
    const { publish, app, turn } = await bench([subscriptionTo('placed')]);
    app.answer = () => ({ outcome: 'away', reason: 'connection refused' });
    await publish('placed');
    await turn(5000);
    expect(app.delivered.length).toBeGreaterThan(5);
    expect(app.delivered.length).toBeLessThan(15);
  });

  test('(users 13) a shutdown hands back what waits or fails, dead-letters nothing, and lets a call under way end', async () => {
    const { publish, app, broker, running, letters, turn } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    const slow = Promise.withResolvers<EventAnswer>();
    app.answer = ({ event }) => (event['data'] === 'slow' ? slow.promise : RETRY);
    await publish('placed', 'failing');
    await turn(800);
    await publish('placed', 'slow');
    await settled();
    const draining = running.drain?.(new AbortController().signal);
    await settled();
    app.answer = () => RETRY;
    slow.resolve({ outcome: 'success' });
    await draining;
    expect(broker.acked.map(({ message }) => eventOf(message.data)['data'])).toEqual(['slow']);
    expect(letters).toEqual([]);
    expect(broker.subscriptions.size).toBe(0);
    await publish('placed', 'late');
    await turn(2000);
    expect(broker.waiting('placed')).toBe(2);
  });

  test('(users 13) a failure during the drain is the stopping app\'s, not the event\'s; at the deadline calls are called off and handed back', async () => {
    const { publish, app, broker, running, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })]);
    const failing = Promise.withResolvers<EventAnswer>();
    app.answer = ({ event }, signal) =>
      event['data'] === 'failing'
        ? failing.promise
        : new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve({ outcome: 'away', reason: 'the delivery was cancelled' }));
          });
    await publish('placed', 'failing');
    await publish('placed', 'hanging');
    await settled();
    const deadline = new AbortController();
    const draining = running.drain?.(deadline.signal);
    failing.resolve(RETRY);
    await settled();
    deadline.abort();
    await draining;
    expect(broker.settlements.map(({ attempt, settlement }) => [attempt, settlement.action])).toEqual([[1, 'release'], [1, 'release']]);
    expect(letters).toEqual([]);
    expect(app.suspected).toBe(0);
  });

  test('a namespaced component delivers topics without the namespace', async () => {
    const { publish, app, broker } = await bench([subscriptionTo('placed')], { namespaced: true, namespace: 'test' });
    await publish('placed');
    await settled();
    expect(broker.published[0]!.topic).toBe('testplaced');
    expect(app.delivered).toMatchObject([{ topic: 'placed', path: '/placed' }]);
  });

  test('a dead letter does not inherit a time to live', async () => {
    const { publish, app, broker } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { features: ['MESSAGE_TTL'] });
    app.answer = () => DROP;
    await publish('placed', 'x', { metadata: { ttlInSeconds: '60', k: 'v' } });
    await settled();
    expect(broker.published.find(({ topic }) => topic === 'dead')?.metadata).toEqual({ k: 'v' });
  });
});

describe('an inbound policy', () => {
  const retry = { policy: 'constant', durationMs: 1000, maxIntervalMs: 0, maxRetries: 2, matching: undefined } as const;

  test('replaces the built-in retries: its attempts, then the dead letters', async () => {
    const { publish, app, broker, turn, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { resiliency: [{ retries: { r: retry }, components: { pubsub: { inbound: { retry: 'r' } } } }] });
    app.answer = () => RETRY;
    await publish('placed');
    await turn(2500);
    expect(app.delivered).toHaveLength(3);
    expect(letters).toMatchObject([{ attempts: 3 }]);
    expect(broker.settlements).toMatchObject([{ topic: 'placed', settlement: { action: 'ack' } }]);
  });

  test('is cut short by a shutdown, which hands the event back', async () => {
    const { publish, app, broker, running, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { resiliency: [{ retries: { r: { ...retry, maxRetries: -1 } }, components: { pubsub: { inbound: { retry: 'r' } } } }] });
    app.answer = () => RETRY;
    await publish('placed');
    await settled();
    await running.drain?.(new AbortController().signal);
    expect(broker.settlements).toMatchObject([{ settlement: { action: 'release' } }]);
    expect(letters).toEqual([]);
  });

  test('that only has a timeout leaves the built-in retries in force', async () => {
    const { publish, app, turn, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { resiliency: [{ timeouts: { t: 100 }, components: { pubsub: { inbound: { timeout: 't' } } } }] });
    app.answer = () => new Promise(() => {});
    await publish('placed');
    await turn(10_000);
    expect(app.delivered).toHaveLength(5);
    expect(letters).toMatchObject([{ attempts: 5, reason: expect.stringContaining('deadline exceeded') }]);
  });

  test('events wait for an open breaker in their place and use up no attempt', async () => {
    const circuitBreakers = { b: { maxRequests: 1, intervalMs: 0, timeoutMs: 5000, trip: 'consecutiveFailures >= 1' } };
    const { publish, app, broker, turn, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { resiliency: [{ circuitBreakers, components: { pubsub: { inbound: { circuitBreaker: 'b' } } } }] });
    app.answer = () => RETRY;
    await publish('placed', 'a');
    await publish('placed', 'b');
    await turn(1000);
    app.answer = () => ({ outcome: 'success' });
    await turn(20_000);
    expect(broker.acked).toHaveLength(2);
    expect(letters).toEqual([]);
    expect(Math.max(...broker.settlements.map(({ attempt }) => attempt))).toBeLessThanOrEqual(2);
  });

  test('ends with its attempts, though the event itself opens the breaker time and again', async () => {
    const circuitBreakers = { b: { maxRequests: 1, intervalMs: 0, timeoutMs: 5000, trip: 'consecutiveFailures >= 2' } };
    const { publish, app, turn, letters } = await bench([subscriptionTo('placed', { deadLetterTopic: 'dead' })], { resiliency: [{ retries: { r: { ...retry, maxRetries: 4 } }, circuitBreakers, components: { pubsub: { inbound: { retry: 'r', circuitBreaker: 'b' } } } }] });
    app.answer = () => RETRY;
    await publish('placed');
    await turn(60_000);
    expect(app.delivered).toHaveLength(5);
    expect(letters).toMatchObject([{ attempts: 5 }]);
  });
});

describe('bulk subscriptions', () => {
  const bulk = { maxMessagesCount: 3, maxAwaitDurationMs: 1000 };

  test('go out when there are enough, or when the first has waited long enough', async () => {
    const { publish, app, broker, turn } = await bench([subscriptionTo('placed', { bulk })]);
    for (let index = 0; index < 4; index++) await publish('placed', `event ${index}`);
    await settled();
    expect(app.batches.map(({ entries }) => entries.length)).toEqual([3]);
    await turn(1000);
    expect(app.batches.map(({ entries }) => entries.length)).toEqual([3, 1]);
    expect(app.batches[0]).toMatchObject({ pubsubName: 'pubsub', topic: 'placed', path: '/placed', entries: [{ contentType: 'application/cloudevents+json', event: { data: 'event 0' } }, {}, {}] });
    expect(broker.acked).toHaveLength(4);
  });

  test('(users 20) each entry is settled by its own answer, and only what failed comes again', async () => {
    const { publish, app, broker, turn, letters } = await bench([subscriptionTo('placed', { bulk, deadLetterTopic: 'dead' })]);
    let first = true;
    app.answerBatch = ({ entries }) => {
      if (!first) return { outcome: 'success' };
      first = false;
      return new Map<string, EventAnswer>([[entries[0]!.entryId, { outcome: 'success' }], [entries[1]!.entryId, DROP]]);
    };
    for (const data of ['taken', 'dropped', 'unanswered']) await publish('placed', data);
    await turn(3000);
    expect(app.batches.map(({ entries }) => entries.map(({ event }) => event!['data']))).toEqual([['taken', 'dropped', 'unanswered'], ['unanswered']]);
    expect(letters.map(({ data }) => eventOf(data)['data'])).toEqual(['dropped']);
    expect(broker.acked.filter(({ topic }) => topic === 'placed')).toHaveLength(3);
  });

  test('one call per route, raw payloads as their bytes', async () => {
    const routes = [{ match: 'event.data == "a"', path: '/a' }, { match: '', path: '/rest' }];
    const { publish, app, broker } = await bench([subscriptionTo('placed', { bulk, routes }), subscriptionTo('raw', { bulk: { ...bulk, maxMessagesCount: 1 }, metadata: { rawPayload: 'true' } })]);
    for (const data of ['a', 'b', 'a']) await publish('placed', data);
    await broker.publish({ topic: 'raw', data: Buffer.from([1, 255]), metadata: {} });
    await settled();
    expect(app.batches.map(({ path, entries }) => [path, entries.length])).toEqual([['/a', 2], ['/rest', 1], ['/raw', 1]]);
    const entry = app.batches[2]!.entries[0]!;
    expect([entry.contentType, [...entry.body], 'event' in entry]).toEqual(['application/octet-stream', [1, 255], false]);
  });

  test('(users 20) a policy sends only the failed entries again, and a shutdown hands back what was not sent', async () => {
    const retry = { policy: 'constant', durationMs: 100, maxIntervalMs: 0, maxRetries: 3, matching: undefined } as const;
    const { publish, app, broker, turn, running } = await bench([subscriptionTo('placed', { bulk })], { resiliency: [{ retries: { r: retry }, components: { pubsub: { inbound: { retry: 'r' } } } }] });
    app.answerBatch = ({ entries }) => new Map(entries.map(({ entryId, event }): [string, EventAnswer] => [entryId, event!['data'] === 'bad' && app.batches.length < 3 ? RETRY : { outcome: 'success' }]));
    for (const data of ['a', 'bad', 'c']) await publish('placed', data);
    await turn(500);
    expect(app.batches.map(({ entries }) => entries.length)).toEqual([3, 1, 1]);
    expect(broker.acked).toHaveLength(3);
    await publish('placed', 'waiting');
    await settled();
    await running.drain?.(new AbortController().signal);
    expect(broker.settlements.at(-1)).toMatchObject({ attempt: 1, settlement: { action: 'release' } });
  });
});

describe('which subscriptions stand', () => {
  test("the app's own replace declared ones; among declared ones the first counts, among its own the last", async () => {
    const made = createBench();
    made.app.subscriptions = async () => [subscriptionTo('b', { routes: [{ match: '', path: '/own' }] }), subscriptionTo('c', { routes: [] }), subscriptionTo('c', { routes: [{ match: '', path: '/last' }] })];
    const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: declared(subscriptionTo('a', { routes: [{ match: '', path: '/first' }] }), subscriptionTo('a'), subscriptionTo('b')) });
    open.push(running);
    await running.start?.();
    await settled();
    expect(running.list().map(({ subscription, type, state }) => [subscription.topic, subscription.routes[0]?.path, type, state])).toEqual([
      ['a', '/first', 'DECLARATIVE', 'open'], ['b', '/own', 'PROGRAMMATIC', 'open'], ['c', '/last', 'PROGRAMMATIC', 'open'],
    ]);
  });

  test('one bad rule, a topic that is not allowed or an unknown component keeps off that subscription only, and says why', async () => {
    const { running, publish, app } = await bench(
      [subscriptionTo('ruled', { routes: [{ match: 'event.type ==', path: '/x' }] }), subscriptionTo('secret'), subscriptionTo('elsewhere', { pubsubName: 'nope' }), subscriptionTo('placed')],
      { metadata: { protectedTopics: 'secret' } },
    );
    expect(Object.fromEntries(running.list().map(({ subscription, state, reason }) => [subscription.topic, [state, reason]]))).toEqual({
      placed: ['open', undefined],
      ruled: ['rejected', expect.stringContaining('not usable')],
      secret: ['rejected', 'the topic is not allowed for app id orders'],
      elsewhere: ['failed', 'pubsub nope is not found'],
    });
    await publish('placed');
    await settled();
    expect(app.delivered).toHaveLength(1);
  });

  test('an app that answers nonsense keeps its own off, by name, and is asked again; the declared ones flow', async () => {
    const made = createBench();
    made.app.subscriptions = async () => Promise.reject(new Error('the answer to GET /dapr/subscribe is not usable: entry 0 has no topic'));
    const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: declared(subscriptionTo('a')) });
    open.push(running);
    await running.start?.();
    await settled();
    expect(running.list()).toMatchObject([{ subscription: { topic: 'a' }, state: 'open' }]);
    expect(running.problem).toContain('entry 0 has no topic');
    made.app.subscriptions = async () => [subscriptionTo('b')];
    await made.turn(600);
    expect(made.app.asked).toBe(2);
    expect(running.problem).toBeUndefined();
    expect(running.list().map(({ subscription, state }) => [subscription.topic, state])).toEqual([['a', 'open'], ['b', 'open']]);
  });

  test('(users 40) an app that comes late, goes, comes back with other subscriptions is served by what it says last', async () => {
    const made = createBench();
    made.app.presence = 'waiting';
    made.app.subscriptions = async () => [subscriptionTo('a'), subscriptionTo('b')];
    const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: [] });
    open.push(running);
    await running.start?.();
    await settled();
    expect(made.app.asked).toBe(0);
    made.app.become('up');
    await settled();
    expect(made.broker.subscribeCount).toBe(2);
    made.app.become('unhealthy');
    await settled();
    expect(running.list().map(({ state }) => state)).toEqual(['paused', 'paused']);
    made.app.subscriptions = async () => [subscriptionTo('a'), subscriptionTo('c')];
    made.app.become('up');
    await settled();
    expect(running.list().map(({ subscription, state }) => [subscription.topic, state])).toEqual([['a', 'open'], ['c', 'open']]);
    // The one that stayed the same was not begun anew (users 21).
    expect(made.broker.subscribeCount).toBe(3);
  });

  test('(users 40) an app that never answers about its subscriptions gets the declared ones after a while', async () => {
    const made = createBench();
    made.app.subscriptions = () => new Promise(() => {});
    const asks: AbortSignal[] = [];
    const channel = { ...made.app.channel, subscriptions: (signal: AbortSignal) => new Promise<never>((_, reject) => { asks.push(signal); signal.addEventListener('abort', () => reject(new Error('called off'))); }) };
    const running = createSubscriptions({ ...made.parts, block: made.block, channel, monitor: made.app, declared: declared(subscriptionTo('a')) });
    open.push(running);
    await running.start?.();
    await settled();
    expect(running.list()).toEqual([]);
    await made.turn(10_000);
    expect(running.problem).toContain('within 10000 ms');
    expect(running.list()).toMatchObject([{ state: 'open' }]);
    expect(asks[0]?.aborted).toBe(true);
  });

  test('without an app port nothing is subscribed, and the log says what is left lying', async () => {
    const { running, lines, broker } = await bench([subscriptionTo('a')], { parts: { channel: undefined, monitor: undefined } });
    expect(running.list()).toEqual([]);
    expect(broker.subscribeCount).toBe(0);
    expect(lines.some(({ message }) => message.includes('no app port'))).toBe(true);
  });

  test('a subscription that cannot stand is tried again with back-off, and at once when its component becomes ready', async () => {
    const made = createBench();
    made.setComponent('connecting');
    const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: declared(subscriptionTo('a'), subscriptionTo('b')) });
    open.push(running);
    await running.start?.();
    await settled();
    expect(running.list()).toMatchObject([{ state: 'failed', reason: 'component pubsub is not ready' }, { state: 'failed' }]);
    made.broker.refusals.set('b', new Error('no such partition'));
    made.setComponent('ready');
    await settled();
    expect(running.list().map(({ state }) => state)).toEqual(['open', 'failed']);
    made.broker.refusals.clear();
    await made.turn(2000);
    expect(running.list().map(({ state }) => state)).toEqual(['open', 'open']);
  });

  test('(users 15) restarting one subscription leaves its siblings untouched', async () => {
    const { running, app, broker, publish } = await bench([]);
    app.subscriptions = async () => [subscriptionTo('a'), subscriptionTo('b')];
    app.become('up');
    await settled();
    const sibling = [...broker.subscriptions].find(({ request }) => request.topic === 'a');
    const held = Promise.withResolvers<EventAnswer>();
    app.answer = ({ topic }) => (topic === 'a' ? held.promise : { outcome: 'success' });
    await publish('a', 'under way');
    await settled();
    app.subscriptions = async () => [subscriptionTo('a'), subscriptionTo('b', { routes: [{ match: '', path: '/new' }] })];
    app.become('up');
    await settled();
    expect([...broker.subscriptions]).toContain(sibling);
    expect(sibling?.inFlight.size).toBe(1);
    await publish('b', 'to the new route');
    held.resolve({ outcome: 'success' });
    await settled();
    expect(app.delivered.map(({ path }) => path)).toEqual(['/a', '/new']);
    expect(broker.acked).toHaveLength(2);
    expect(running.list().map(({ state }) => state)).toEqual(['open', 'open']);
  });

  test('stopping twice, or without draining, is harmless', async () => {
    const { running, broker } = await bench([subscriptionTo('a')]);
    await running.drain?.(CUT);
    await running.stop?.();
    await running.stop?.();
    expect(broker.subscriptions.size).toBe(0);
  });
});
