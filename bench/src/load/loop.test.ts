/** A loop on a clock and on connections that the test moves by hand: what counts, and with which latency. */
import { describe, expect, test } from 'vitest';
import { Deliveries } from './deliveries.ts';
import { LoadLoop, numbersOf } from './loop.ts';
import type { Load, Mode } from './plan.ts';
import { Recorder } from './recorder.ts';

interface Sent {
  readonly number: number;
  readonly sentMs: number;
  answer(error?: string): void;
}

interface SetupOptions {
  readonly mode: Mode;
  readonly ends?: Load['ends'];
  /** Called for each request; unless given, requests wait in `sent` for their answer. */
  readonly onSent?: (sent: Sent) => void;
  readonly drainMs?: number;
}

function setUp({ mode, ends = 'answer', onSent, drainMs = 1000 }: SetupOptions) {
  let nowMs = 5000;
  const sent: Sent[] = [];
  const latency = new Recorder();
  const deliveries = new Deliveries();
  const count = mode.kind === 'closed' ? mode.concurrency : mode.connections;
  const slots = Array.from({ length: count }, () => {
    let busy = false;
    return {
      send(number: number, done: (error?: string) => void): void {
        expect(busy, 'a slot carries one operation at a time').toBe(false);
        busy = true;
        const one: Sent = {
          number,
          sentMs: nowMs,
          answer(error) {
            busy = false;
            done(error);
          },
        };
        sent.push(one);
        onSent?.(one);
      },
    };
  });
  const connections = { slots, broken: new Promise<string>(() => undefined), close: () => undefined };
  const request = { kind: 'http', method: 'GET', path: '/', headers: {}, body: '', status: 200 } as const;
  const load: Load = { label: 'test', host: '', port: 0, request, numbers: { from: 100, count: 1000, order: 'sequential' }, mode, ends };
  const loop = new LoadLoop(load, { connections, deliveries, latency, now: () => nowMs, drainMs });
  return {
    loop,
    sent,
    latency,
    deliveries,
    now: () => nowMs,
    /** No tick comes meanwhile. */
    skip(ms: number): void {
      nowMs += ms;
    },
    /** In steps of a tick, with what happens at each. */
    pass(ms: number, each?: () => void): void {
      for (let step = 0; step < ms; step++) {
        nowMs++;
        each?.();
        loop.tick();
      }
    },
    async drained(): Promise<void> {
      const done = loop.drained();
      nowMs += drainMs + 1;
      await done;
    },
  };
}

describe('a closed loop', () => {
  test('keeps each slot at work, and counts what began and ended in the measured time', () => {
    const { loop, sent, latency, pass } = setUp({ mode: { kind: 'closed', concurrency: 2 } });
    const answerOldest = (): void => sent.shift()?.answer();
    loop.start();
    expect(sent.map(({ number }) => number)).toEqual([100, 101]);
    pass(10, answerOldest);
    loop.measure();
    // Two that began in the warm-up end first and do not count.
    pass(10, answerOldest);
    expect(sent).toHaveLength(2);
    loop.end();
    // And two that end after the time count with their latency, not in the rate.
    pass(1, () => sent.splice(0).forEach((one) => one.answer()));
    expect(sent, 'none begins after the end').toHaveLength(0);
    expect(loop.result()).toEqual({ label: 'test', seconds: 0.01, operations: 8, errors: 0, lagP99: 0 });
    expect(latency.count).toBe(10);
    expect(latency.percentiles()).toMatchObject({ p50: expect.closeTo(2, 2), max: expect.closeTo(2, 2) });
  });

  test('counts failures apart, with their latency and the words of the first', () => {
    const { loop, sent, latency, pass } = setUp({ mode: { kind: 'closed', concurrency: 1 } });
    loop.start();
    sent.shift()?.answer('warming up');
    loop.measure();
    sent.shift()?.answer();
    pass(1);
    for (const error of ['status 500', undefined, 'reset']) sent.shift()?.answer(error);
    loop.end();
    expect(loop.result()).toMatchObject({ operations: 1, errors: 2, firstError: 'status 500' });
    expect(latency.count).toBe(3);
  });

  test('an operation that is never answered is an error after the drain, as late as it is by then', async () => {
    const { loop, sent, latency, drained, pass } = setUp({ mode: { kind: 'closed', concurrency: 1 }, drainMs: 2000 });
    loop.start();
    loop.measure();
    sent.shift()?.answer();
    pass(10);
    expect(sent).toHaveLength(1);
    loop.end();
    await drained();
    expect(loop.result()).toMatchObject({ operations: 0, errors: 1, firstError: 'did not end within 2 s after the run' });
    expect(latency.percentiles().max).toBeGreaterThan(2000);
    sent.shift()?.answer();
    expect(latency.count, 'an answer after that changes nothing').toBe(1);
  });

  test.each([['answered well', undefined], ['refused', 'status 500']])('that has no outcome yet when its time is over goes on until one operation is %s', async (_how, error) => {
    const { loop, sent, pass } = setUp({ mode: { kind: 'closed', concurrency: 1 } });
    loop.start();
    loop.measure();
    let isRipe = false;
    const ripe = loop.ripened(new AbortController().signal).then(() => (isRipe = true));
    // The first began in the warm-up: its end is no outcome.
    pass(10, () => sent.length === 1 && sent[0]?.number === 100 && sent.shift()?.answer());
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isRipe).toBe(false);
    sent.shift()?.answer(error);
    await ripe;
    loop.end();
    expect(loop.result()).toMatchObject(error === undefined ? { operations: 1, errors: 0 } : { operations: 0, errors: 1 });
  });

  test('that never has an outcome is given up after the time of the drain', async () => {
    const { loop, skip } = setUp({ mode: { kind: 'closed', concurrency: 1 }, drainMs: 2000 });
    loop.start();
    loop.measure();
    const ripe = loop.ripened(new AbortController().signal);
    skip(2001);
    await ripe;
    loop.end();
    expect(loop.result()).toMatchObject({ operations: 0, seconds: 2.001 });
  });

  test('to end twice is to end once', () => {
    const { loop, sent, pass } = setUp({ mode: { kind: 'closed', concurrency: 1 } });
    loop.start();
    sent.shift()?.answer();
    loop.measure();
    pass(100);
    loop.end();
    pass(100);
    loop.end();
    expect(loop.result().seconds).toBe(0.1);
  });
});

describe('an open loop', () => {
  test('begins operations by the clock, whatever became of those before', () => {
    const { loop, sent, pass } = setUp({ mode: { kind: 'open', rate: 100, connections: 8 } });
    loop.start();
    pass(50);
    expect(sent.map(({ sentMs }) => sentMs)).toEqual([5001, 5010, 5020, 5030, 5040, 5050]);
  });

  test('a server that stalls shows in p99 with all that had to wait for it', () => {
    const stalledFromMs = 5500;
    const stalledToMs = 5800;
    const waiting: Sent[] = [];
    const { loop, latency, pass, now } = setUp({
      mode: { kind: 'open', rate: 1000, connections: 1 },
      onSent: (one) => {
        if (one.sentMs >= stalledFromMs && one.sentMs < stalledToMs) waiting.push(one);
        else one.answer();
      },
    });
    loop.start();
    loop.measure();
    pass(2000, () => now() >= stalledToMs && waiting.splice(0).forEach((one) => one.answer()));
    loop.end();
    // By the request alone it would be one slow answer of two thousand, and p99 would be 0.
    const { p50, p90, p99, max } = latency.percentiles();
    expect(loop.result()).toMatchObject({ errors: 0, operations: 2001 });
    expect(p50).toBeLessThan(1.5);
    expect(p90).toBeGreaterThan(90);
    expect(p99).toBeGreaterThan(270);
    expect(max).toBeCloseTo(300, 0);
  });

  test('a tick that came late is lag of the generator; waiting for a connection is not', () => {
    const late = setUp({ mode: { kind: 'open', rate: 1000, connections: 8 }, onSent: (one) => one.answer() });
    late.loop.start();
    late.loop.measure();
    late.pass(10);
    expect(late.loop.result().lagP99).toBeLessThan(1.5);
    late.skip(40);
    late.loop.tick();
    expect(late.loop.result().lagP99).toBeGreaterThan(38);

    const slow = setUp({ mode: { kind: 'open', rate: 1000, connections: 1 } });
    slow.loop.start();
    slow.loop.measure();
    slow.pass(100);
    for (let count = 0; count < 90; count++) slow.sent.shift()?.answer();
    slow.loop.end();
    expect(slow.loop.result().lagP99).toBeLessThan(1.5);
    expect(slow.latency.at(50)).toBeGreaterThan(40);
  });

  test('what was due and never sent is an error, as late as it is at the end', () => {
    const { loop, sent, latency, pass } = setUp({ mode: { kind: 'open', rate: 100, connections: 1 } });
    loop.start();
    loop.measure();
    pass(100);
    loop.end();
    expect(sent).toHaveLength(1);
    expect(loop.result()).toMatchObject({ operations: 0, errors: 9, firstError: 'was due but no connection became free for it' });
    expect(latency.percentiles().max).toBeCloseTo(90, 0);
  });

  test('what was due in the warm-up does not count, even if it begins later', () => {
    const { loop, sent, latency, pass } = setUp({ mode: { kind: 'open', rate: 1000, connections: 1 } });
    loop.start();
    pass(500);
    loop.measure();
    // The server recovers at once: 500 are behind.
    for (let count = 0; count < 500; count++) sent.shift()?.answer();
    expect(latency.count).toBe(0);
    pass(10, () => sent.shift()?.answer());
    loop.end();
    expect(loop.result().errors).toBe(0);
    expect(latency.percentiles().max).toBeLessThan(3);
  });

  test('operations that end after the measured time count, in rate and latency', () => {
    const { loop, sent, latency, pass } = setUp({ mode: { kind: 'open', rate: 100, connections: 8 } });
    loop.start();
    loop.measure();
    pass(30);
    loop.end();
    pass(20, () => sent.splice(0).forEach((one) => one.answer()));
    expect(loop.result()).toMatchObject({ operations: 4, errors: 0 });
    expect(latency.count).toBe(4);
  });
});

describe('operations that end with their delivery', () => {
  const published = { mode: { kind: 'closed', concurrency: 1 }, ends: 'delivery' } as const;

  test.each(['answer first', 'delivery first'])('last until the event is there and the slot is free (%s)', (order) => {
    const { loop, sent, latency, deliveries, pass } = setUp(published);
    loop.start();
    loop.measure();
    for (const number of [100, 101, 102]) {
      const one = sent.shift();
      expect(one?.number).toBe(number);
      const [early, late] = order === 'answer first' ? [() => one?.answer(), () => deliveries.arrive(number)] : [() => deliveries.arrive(number), () => one?.answer()];
      pass(3);
      early();
      expect(sent).toHaveLength(0);
      pass(4);
      late();
      expect(sent).toHaveLength(1);
    }
    loop.end();
    expect(loop.result()).toMatchObject({ operations: 2, errors: 0 });
    expect(latency.percentiles().max).toBeCloseTo(order === 'answer first' ? 7 : 3, 1);
    expect(deliveries.settle()).toEqual({ lost: 1, duplicates: 0 });
  });

  test('an event that never comes is lost, and an error after the drain', async () => {
    const { loop, sent, deliveries, drained } = setUp({ ...published, mode: { kind: 'open', rate: 100, connections: 4 } });
    loop.start();
    loop.measure();
    loop.tick();
    sent.shift()?.answer();
    loop.end();
    await drained();
    expect(loop.result()).toMatchObject({ operations: 0, errors: 1 });
    expect(deliveries.settle()).toEqual({ lost: 1, duplicates: 0 });
  });

  test('an event of the warm-up that arrives after the run is waited for: it is not lost', async () => {
    const { loop, sent, deliveries } = setUp({ ...published, mode: { kind: 'open', rate: 100, connections: 4 } });
    loop.start();
    loop.tick();
    sent.shift()?.answer();
    loop.measure();
    loop.end();
    let isDrained = false;
    const draining = loop.drained().then(() => (isDrained = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isDrained).toBe(false);
    deliveries.arrive(100);
    await draining;
    expect(deliveries.settle()).toEqual({ lost: 0, duplicates: 0 });
  });

  test('an event that comes again is one operation and one duplicate', () => {
    const { loop, sent, deliveries } = setUp({ ...published, mode: { kind: 'open', rate: 100, connections: 4 } });
    loop.start();
    loop.measure();
    loop.tick();
    for (let time = 0; time < 3; time++) deliveries.arrive(100);
    sent.shift()?.answer();
    loop.end();
    expect(loop.result()).toMatchObject({ operations: 1, errors: 0 });
    expect(deliveries.settle()).toEqual({ lost: 0, duplicates: 2 });
    expect(deliveries.settle()).toEqual({ lost: 0, duplicates: 0 });
  });

  test('a publish that fails is an error and loses nothing: nobody waits for its event', () => {
    const { loop, sent, deliveries } = setUp(published);
    loop.start();
    loop.measure();
    sent.shift()?.answer('warming up');
    sent.shift()?.answer('status 500');
    expect(sent.map(({ number }) => number), 'the slot goes on').toEqual([102]);
    deliveries.arrive(101);
    deliveries.arrive(102);
    sent.shift()?.answer();
    loop.end();
    expect(loop.result()).toMatchObject({ operations: 1, errors: 1, firstError: 'status 500' });
    expect(deliveries.settle()).toEqual({ lost: 1, duplicates: 0 });
  });

  test('an open loop begins its next publish when the last is answered, and does not wait for the event', () => {
    const { loop, sent, pass } = setUp({ mode: { kind: 'open', rate: 100, connections: 1 }, ends: 'delivery', onSent: (one) => one.answer() });
    loop.start();
    pass(30);
    expect(sent).toHaveLength(4);
  });
});

describe('the numbers of requests', () => {
  test('go in order and round', () => {
    const next = numbersOf({ from: 7, count: 3, order: 'sequential' });
    expect(Array.from({ length: 5 }, next)).toEqual([7, 8, 9, 7, 8]);
  });

  test('are drawn evenly, within their range, and the same in every run', () => {
    const draw = (): number[] => Array.from({ length: 10_000 }, numbersOf({ from: 50, count: 10, order: 'random' }));
    const counts = Map.groupBy(draw(), (number) => number);
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
    for (const drawn of counts.values()) expect(drawn.length).toBeGreaterThan(800);
    expect(draw()).toEqual(draw());
  });
});
