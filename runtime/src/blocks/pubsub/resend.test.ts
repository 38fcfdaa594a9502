import { until } from '@mecha/components/kit/testing.ts';
import { afterEach, describe, expect, test } from 'vitest';
import type { DeadLetter } from '@mecha/components/kit';
import type { AppSubscription, EventAnswer } from '../../channel/channel.ts';
import type { Resent } from '../../resend.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { callOf, createBench, declared, settled, subscriptionTo, type BenchOptions } from './testing.ts';

const open: Subscriptions[] = [];
afterEach(async () => {
  for (const subscriptions of open.splice(0)) await subscriptions.stop?.();
});

const DROP: EventAnswer = { outcome: 'drop', reason: 'the app answered DROP' };
const never = new AbortController().signal;

/** One event of topic `placed` that is dead, and an app that takes everything from then on. */
async function bench(subscription: Partial<AppSubscription> = {}, options: BenchOptions & { metadata?: Readonly<Record<string, string>> } = {}) {
  const made = createBench(options);
  const running = createSubscriptions({ ...made.parts, block: made.block, channel: made.app.channel, monitor: made.app, declared: declared(subscriptionTo('placed', { deadLetterTopic: 'dead', ...subscription })) });
  open.push(running);
  await running.start?.();
  await until(() => running.list()[0]?.state === 'open');
  const die = async (metadata: Readonly<Record<string, string>> = {}): Promise<DeadLetter> => {
    made.app.answer = () => DROP;
    made.app.answerBatch = ({ entries }) => new Map(entries.map(({ entryId }) => [entryId, DROP]));
    await made.block.publish(callOf(), { pubsubName: 'pubsub', topic: 'placed', data: Buffer.from('hello'), contentType: 'text/plain', metadata });
    const before = made.letters.length;
    await until(() => made.turn(200).then(() => made.letters.length > before));
    made.app.answer = () => ({ outcome: 'success' });
    made.app.answerBatch = () => ({ outcome: 'success' });
    const letter = made.letters.at(-1);
    if (!letter) throw new Error('it is not dead');
    return letter;
  };
  const resend = (letter: DeadLetter, signal = never): Promise<Resent> => {
    const { pubsub: component, topic, data, metadata } = letter;
    return running.resend({ component, topic, id: '7', data, metadata, attempt: letter.attempts + 1 }, signal);
  };
  return { ...made, running, die, resend };
}

describe('a dead letter that is sent again', () => {
  test('comes to the same route as it came before, and nothing of it comes to the broker', async () => {
    const { die, resend, app, broker } = await bench();
    const letter = await die({ k: 'v' });
    const published = broker.published.length;
    expect(await resend(letter)).toEqual({ outcome: 'taken' });
    const [first, second] = app.delivered.map(({ trace, ...event }) => ({ ...event, traceId: trace.traceId }));
    expect(second).toEqual(first);
    expect([broker.published.length, broker.acked.length]).toEqual([published, 1]);
  });

  test('is tried once, and what the app says is told', async () => {
    const { die, resend, app, letters } = await bench();
    const letter = await die();
    app.answer = () => ({ outcome: 'retry', reason: 'status 503', statusCode: 503 });
    expect(await resend(letter)).toEqual({ outcome: 'failed', reason: 'status 503', attempts: 1 });
    app.answer = () => DROP;
    expect(await resend(letter)).toEqual({ outcome: 'failed', reason: DROP.reason, attempts: 1 });
    app.answer = () => ({ outcome: 'away', reason: 'nobody there' });
    expect(await resend(letter)).toEqual({ outcome: 'away', reason: 'nobody there' });
    expect([app.delivered.length, letters.length], 'it is not buried again').toEqual([4, 1]);
  });

  test('goes to an app that takes batches as a batch of one, to one that wants raw payloads raw', async () => {
    const batches = await bench({ bulk: { maxMessagesCount: 10, maxAwaitDurationMs: 100 } });
    expect(await batches.resend(await batches.die())).toEqual({ outcome: 'taken' });
    expect(batches.app.batches.map(({ entries }) => entries.length)).toEqual([1, 1]);
    const raw = await bench({ metadata: { rawPayload: 'true' } });
    const letter = await raw.die({ rawPayload: 'true' });
    expect(await raw.resend(letter)).toEqual({ outcome: 'taken' });
    expect(raw.app.delivered.map(({ event }) => event['data_base64'])).toEqual([Buffer.from('hello').toString('base64'), Buffer.from('hello').toString('base64')]);
  });

  test('is sent though its expiration has passed, and not where no route matches it', async () => {
    const { die, resend, turn, app } = await bench();
    const letter = await die({ ttlInSeconds: '1' });
    await turn(2000);
    expect([await resend(letter), app.delivered.length]).toEqual([{ outcome: 'taken' }, 2]);
    const routed = await bench({ routes: [{ match: 'event.type == "other"', path: '/other' }] });
    expect(await routed.resend(letter)).toEqual({ outcome: 'failed', reason: 'no route matches it', attempts: 0 });
    expect(await routed.resend({ ...letter, data: Buffer.from('no event') })).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('not JSON'), attempts: 0 });
  });

  test('is called off by its signal, under a policy too', async () => {
    const retries = { slow: { policy: 'constant' as const, durationMs: 60_000, maxIntervalMs: 60_000, maxRetries: -1, matching: undefined } };
    const { die, resend, app } = await bench({}, { resiliency: [{ retries, components: { pubsub: { inbound: { retry: 'slow' }, outbound: {} } } }] });
    const letter = await die();
    app.answer = () => ({ outcome: 'retry', reason: 'status 503' });
    const called = new AbortController();
    const resending = resend(letter, called.signal);
    await until(() => app.delivered.length === 2);
    await settled();
    called.abort();
    expect(await resending).toMatchObject({ outcome: 'failed', reason: 'status 503' });
  });

  test('finds a subscription to all topics that begin so, a stream, or none', async () => {
    const { running, die, resend, app } = await bench();
    const letter = await die();
    const wide = await bench({ topic: 'pl*', routes: [{ match: '', path: '/all' }] });
    expect([await wide.resend(letter), wide.app.delivered.at(-1)?.path]).toEqual([{ outcome: 'taken' }, '/all']);
    expect(await resend({ ...letter, topic: 'others' })).toEqual({ outcome: 'no-receiver', reason: 'the app has no subscription to topic others of pubsub' });
    const sent: string[] = [];
    const stream = await running.openStream({ pubsubName: 'pubsub', topic: 'others', metadata: {}, deadLetterTopic: '' }, (id) => sent.push(id));
    const resending = resend({ ...letter, topic: 'others' });
    await until(() => sent.length === 1);
    expect(stream.answer(sent[0] ?? '', 'success')).toBe(true);
    expect([await resending, app.delivered.length]).toEqual([{ outcome: 'taken' }, 1]);
  });
});
