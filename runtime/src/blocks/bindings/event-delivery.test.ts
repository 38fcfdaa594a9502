/** One event and its settlement; how bindings are read is shown by `bindings.test.ts`. */
import { describe, expect, test } from 'vitest';
import type { BindingEvent, EventSettlement } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock, until } from '@mecha/components/kit/testing.ts';
import type { AppBindingReply, BindingAnswer, BindingDelivery } from '../../channel/channel.ts';
import type { ResiliencyResource } from '../../config/resource-types.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import { createResilience } from '../../resilience/resilience.ts';
import { createLog } from '../../telemetry/log.ts';
import { noMetrics } from '../../telemetry/testing.ts';
import { createEventDelivery, type EventDeliveryParts } from './event-delivery.ts';

const TAKEN: BindingAnswer = { outcome: 'success', body: Buffer.alloc(0), reply: undefined };
const FAILED: BindingAnswer = { outcome: 'retry', reason: 'the app answered with status 500', statusCode: 500 };
const AWAY: BindingAnswer = { outcome: 'away', reason: 'nobody there' };
const REPLY: AppBindingReply = { storeName: 's', states: [], to: ['b'], parallel: false, data: Buffer.from('1') };
const signal = new AbortController().signal;
const event: BindingEvent = { id: 'e1', data: Buffer.from('data'), metadata: { own: 'value' }, attempt: 1 };

type Policies = Pick<ResiliencyResource, 'retries'> & Partial<ResiliencyResource>;
const retries = (maxRetries: number): Policies => ({ retries: { some: { policy: 'constant', durationMs: 50, maxIntervalMs: 50, maxRetries, matching: undefined } } });

interface Setting {
  readonly source?: EventDeliveryParts['source'];
  readonly policies?: Policies;
  /** Of each call in its turn; the last one again and again. */
  readonly answers: readonly (BindingAnswer | Promise<BindingAnswer>)[];
  readonly carryOut?: EventDeliveryParts['carryOut'];
}

function createBench({ source = {}, policies, answers, carryOut = async () => undefined }: Setting) {
  const clock = createTurnedClock();
  const ledger = createMemoryLedger({ clock });
  const kept = createKeptLog();
  const log = createLog({ level: 'warn', json: true, appId: 'app', version: '0', write: (line) => kept.error({}, line) });
  const none = { timeouts: {}, circuitBreakers: {}, apps: {}, scopes: [] };
  const names = { retry: 'some', ...(policies?.timeouts ? { timeout: 'some' } : {}), ...(policies?.circuitBreakers ? { circuitBreaker: 'some' } : {}) };
  const resource = { kind: 'Resiliency', name: 'policies', ...none, components: { b: { inbound: names, outbound: {} } }, ...policies } as ResiliencyResource;
  const resilience = createResilience(policies ? [resource] : [], { appId: 'app', clock, metrics: noMetrics, log });
  const calls: BindingDelivery[] = [];
  const draining = new AbortController();
  const delivery = createEventDelivery({
    appId: 'app', binding: 'b', route: 'b', source, ledger, clock, random: () => 0, log, metrics: noMetrics, carryOut,
    channel: {
      deliverBinding: async (made) => {
        calls.push(made);
        return (answers[calls.length - 1] ?? answers.at(-1)) as BindingAnswer;
      },
    },
    policy: resilience.forComponent('b', 'Binding', 'inbound'),
    onAway: () => undefined,
    appBack: async () => undefined,
    draining: draining.signal,
    cut: signal,
  });
  const turn = async (ms: number, isOver = (): boolean => false): Promise<void> => {
    for (let passed = 0; passed < ms && !isOver(); passed += 100) {
      clock.turn(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** Turns the clock until the work is done. */
  const done = async <T>(work: Promise<T>): Promise<T> => {
    let ended = false;
    void work.finally(() => (ended = true));
    await turn(200_000, () => ended);
    return work;
  };
  const deliver = (more: Partial<BindingEvent> = {}): Promise<EventSettlement> => done(delivery.deliver({ ...event, ...more }));
  const resend = () => done(delivery.resend({ ...event, attempt: 6 }, signal));
  const attempts = async () => (await ledger.deadLetters({ appId: 'app', limit: 10 })).map((letter) => letter.attempts);
  return { delivery, deliver, resend, turn, attempts, calls, draining, kept };
}

const breaker = { circuitBreakers: { some: { maxRequests: 1, intervalMs: 0, timeoutMs: 5000, trip: 'consecutiveFailures >= 2' } } };

describe('a breaker that the event itself opens, time and again,', () => {
  test('ends with the attempts that the policy has', async () => {
    const bench = createBench({ policies: { ...retries(5), ...breaker }, answers: [FAILED] });
    expect(await bench.deliver()).toEqual({ action: 'reject', reason: FAILED.reason });
    expect([bench.calls.length, await bench.attempts()]).toEqual([6, [6]]);
  });

  test('tells the time-out of its last attempt', async () => {
    const bench = createBench({ policies: { ...retries(2), ...breaker, timeouts: { some: 300 } }, answers: [new Promise<BindingAnswer>(() => undefined)] });
    expect(await bench.deliver()).toMatchObject({ action: 'reject', reason: expect.stringContaining('deadline exceeded') });
    expect(bench.calls.length).toBe(3);
  });

  test('is waited for without end when the policy says so', async () => {
    const bench = createBench({ policies: { ...retries(-1), ...breaker }, answers: [...Array.from({ length: 30 }, () => FAILED), TAKEN] });
    expect(await bench.deliver()).toEqual({ action: 'ack' });
    expect(bench.calls.length).toBe(31);
  });
});

describe('a dead letter counts the calls of the app', () => {
  test('that an inbound policy made, of a source that does not redeliver', async () => {
    const bench = createBench({ policies: retries(120), answers: [FAILED] });
    expect(await bench.deliver()).toEqual({ action: 'reject', reason: FAILED.reason });
    expect([bench.calls.length, await bench.attempts()]).toEqual([121, [121]]);
  });

  test('that an inbound policy made in the last round of a source that redelivers, and one for each earlier round', async () => {
    const bench = createBench({ source: { redelivers: true, attemptsMax: 5 }, policies: retries(1), answers: [FAILED] });
    expect(await bench.deliver({ attempt: 4 })).toMatchObject({ action: 'retry' });
    expect(await bench.deliver({ attempt: 5 })).toMatchObject({ action: 'reject' });
    expect([bench.calls.length, await bench.attempts()]).toEqual([4, [4 + 2]]);
  });

  test('also those that had no answer in time', async () => {
    const bench = createBench({ policies: { ...retries(2), timeouts: { some: 500 } }, answers: [Promise.withResolvers<BindingAnswer>().promise] });
    expect(await bench.deliver()).toEqual({ action: 'reject', reason: 'context deadline exceeded: no answer within 500 ms' });
    expect([bench.calls.length, await bench.attempts()]).toEqual([3, [3]]);
  });

  test('also those whose answer asked for what cannot be done', async () => {
    const bench = createBench({ policies: retries(1), answers: [{ ...TAKEN, reply: REPLY }], carryOut: () => Promise.reject(new Error('not there')) });
    expect(await bench.deliver()).toEqual({ action: 'reject', reason: 'not there' });
    expect([bench.calls.length, await bench.attempts()]).toEqual([2, [2]]);
  });

  test('and not those that found nobody there', async () => {
    const bench = createBench({ policies: retries(1), answers: [FAILED, AWAY, AWAY, FAILED] });
    expect(await bench.deliver()).toEqual({ action: 'reject', reason: FAILED.reason });
    expect([bench.calls.length, await bench.attempts()]).toEqual([5, [3]]);
  });

  test('also where the sidecar is stopped while the event waits for an open breaker', async () => {
    const breaker = { maxRequests: 1, intervalMs: 0, timeoutMs: 60_000, trip: 'consecutiveFailures >= 1' };
    const bench = createBench({ policies: { ...retries(1), circuitBreakers: { some: breaker } }, answers: [FAILED] });
    const settling = bench.delivery.deliver(event);
    await until(() => bench.calls.length === 1);
    await bench.turn(30_000);
    bench.draining.abort();
    expect(await settling).toMatchObject({ action: 'reject', reason: expect.stringContaining('stopped before') });
    expect([bench.calls.length, await bench.attempts()]).toEqual([1, [1]]);
  });

  test('also of a replay that fails under a policy, which buries nothing', async () => {
    const bench = createBench({ policies: retries(2), answers: [FAILED] });
    expect(await bench.resend()).toEqual({ outcome: 'failed', reason: FAILED.reason, attempts: 3 });
    expect([bench.calls.length, await bench.attempts()]).toEqual([3, []]);
  });

  test('of a replay without a policy: one; that finds the app away in the end: none', async () => {
    expect(await createBench({ answers: [FAILED] }).resend()).toEqual({ outcome: 'failed', reason: FAILED.reason, attempts: 1 });
    expect(await createBench({ policies: retries(2), answers: [FAILED, AWAY] }).resend()).toEqual({ outcome: 'away', reason: AWAY.reason });
  });
});

describe('the id of an event', () => {
  test.each(['mecha-event-id', 'Mecha-Event-Id', 'MECHA-EVENT-ID'])('is what the source says, also where whoever made the event says another: %s', async (name) => {
    const bench = createBench({ answers: [TAKEN] });
    await bench.deliver({ metadata: { own: 'value', [name]: 'forged' } });
    expect(bench.calls[0]?.metadata).toEqual({ own: 'value', 'mecha-event-id': 'e1' });
  });
});

describe('an answer that asks in another form', () => {
  test('takes the event, asks for nothing, and the log says why', async () => {
    const carriedOut: AppBindingReply[] = [];
    const bench = createBench({ answers: [{ ...TAKEN, malformed: 'there is "state" and no "storeName"' }], carryOut: async (reply) => void carriedOut.push(reply) });
    expect(await bench.deliver()).toEqual({ action: 'ack' });
    expect([bench.calls.length, carriedOut]).toEqual([1, []]);
    expect(bench.kept.lines.map(({ message }) => JSON.parse(message) as unknown)).toMatchObject([{ id: 'e1', binding: 'b', msg: 'the answer to an event of binding b asks for nothing: there is "state" and no "storeName"' }]);
  });
});
