import { expect, test } from 'vitest';
import type { EventSettlement } from './bindings.ts';
import { PolledIntake, type PolledSource, type PollSignals } from './polled-intake.ts';
import { createKeptLog, createTurnedClock, until } from './testing.ts';

interface Question {
  readonly free: number;
  readonly signals: PollSignals;
  give(...messages: string[]): void;
  end(): void;
  fail(words: string): void;
}

/** All that needs no time has happened. */
const settledDown = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A source that is answered by hand, and an app that takes what `let` lets it take. */
function scene(inFlightMax = 2, own: Partial<PolledSource<string>> = {}) {
  const questions: Question[] = [];
  const settled: string[] = [];
  const kept: string[] = [];
  const offered = new Map<string, (settlement: EventSettlement) => void>();
  const source: PolledSource<string> = {
    poll: (free, take, signals) =>
      new Promise((resolve, reject) => {
        questions.push({ free, signals, give: (...messages) => messages.forEach((message) => take(message)), end: resolve, fail: (words) => reject(new Error(words)) });
        signals.closing.addEventListener('abort', () => resolve());
      }),
    eventOf: (id) => ({ id, data: Buffer.from(id), metadata: {}, attempt: 1 }),
    settle: async (message, { action }) => void settled.push(`${message} ${action}`),
    keep: async (message) => void kept.push(message),
    ...own,
  };
  const clock = createTurnedClock();
  const log = createKeptLog();
  const request = { deliver: ({ id }: { id: string }) => new Promise<EventSettlement>((resolve) => offered.set(id, resolve)) };
  const intake = new PolledIntake({ source, title: 'the source', inFlightMax, keepEveryMs: 100, request, clock, log });
  const asked = async (count: number): Promise<Question> => {
    await until(() => questions.length >= count);
    return questions[count - 1] as Question;
  };
  return { intake, asked, questions, settled, kept, offered, clock, log };
}

test('it asks for as many as have room, and for none when there is none', async () => {
  const { asked, questions, offered, settled, intake } = scene(2);
  const first = await asked(1);
  first.give('a', 'b');
  first.end();
  await until(() => offered.size === 2);
  expect([first.free, questions.length]).toEqual([2, 1]);
  offered.get('a')?.({ action: 'ack' });
  expect((await asked(2)).free).toBe(1);
  offered.get('b')?.({ action: 'reject', reason: 'no' });
  await intake.close();
  expect(settled).toEqual(['a ack', 'b reject']);
});

test('what arrives while paused is given back at once, and the question under way hears of the pause; resumed, it asks anew', async () => {
  const { asked, questions, offered, settled, intake } = scene();
  const first = await asked(1);
  await intake.pause();
  expect([first.signals.stopping.aborted, first.signals.closing.aborted]).toEqual([true, false]);
  first.give('a');
  first.end();
  await until(() => settled.length === 1);
  expect([settled, offered.size, questions.length]).toEqual([['a release'], 0, 1]);
  await intake.resume();
  const second = await asked(2);
  expect(second.signals.stopping.aborted).toBe(false);
  second.give('b');
  await until(() => offered.has('b'));
  offered.get('b')?.({ action: 'ack' });
  await intake.close();
});

test('closing ends when what is under way is settled; what comes meanwhile is given back, and nothing is asked any more', async () => {
  const { asked, questions, offered, settled, intake } = scene();
  const first = await asked(1);
  first.give('a');
  await until(() => offered.has('a'));
  let over = false;
  const closed = intake.close().then(() => void (over = true));
  first.give('b');
  await intake.resume();
  await settledDown();
  expect(over).toBe(false);
  offered.get('a')?.({ action: 'ack' });
  await closed;
  expect([settled.toSorted(), questions.length]).toEqual([['a ack', 'b release'], 1]);
});

test('the source is told, again and again, that an event is under way, until it is settled', async () => {
  const { asked, offered, kept, clock, intake } = scene();
  (await asked(1)).give('a');
  await until(() => offered.has('a'));
  for (let turn = 0; turn < 3; turn++) clock.turn(100);
  expect(kept).toEqual(['a', 'a', 'a']);
  offered.get('a')?.({ action: 'ack' });
  await intake.close();
  clock.turn(1000);
  expect(kept.length).toBe(3);
});

test('a source that cannot be read is told once, and asked again after a while that doubles', async () => {
  const { asked, questions, log, clock, intake } = scene();
  for (const [count, waitMs] of [[1, 500], [2, 1000], [3, 2000]] as const) {
    (await asked(count)).fail('gone');
    await settledDown();
    clock.turn(waitMs - 1);
    await settledDown();
    expect(questions.length).toBe(count);
    clock.turn(1);
  }
  await asked(4);
  expect(log.lines.map(({ message }) => message)).toEqual(['the source cannot be read; trying again']);
  await intake.close();
});

test.each<[string, Partial<PolledSource<string>>]>([
  ['its eventOf throws', { eventOf: () => { throw new Error('broken'); } }],
  ['its settle rejects', { settle: () => Promise.reject(new Error('broken')) }],
  ['its keep rejects', { keep: () => Promise.reject(new Error('broken')) }],
  ['its keep throws at once', { keep: () => { throw new Error('broken'); } }],
])('a source that fails at an event is told of, and the event leaves its place to the next: %s', async (_, failing) => {
  const { asked, offered, clock, log, intake } = scene(1, failing);
  const first = await asked(1);
  first.give('a');
  first.end();
  await settledDown();
  clock.turn(100);
  offered.get('a')?.({ action: 'ack' });
  expect((await asked(2)).free).toBe(1);
  expect(log.lines.map(({ fields }) => fields['reason'])).toEqual(['broken']);
  await intake.close();
});

test('what cannot be given back while closing holds nothing up', async () => {
  const { asked, log, intake } = scene(1, { settle: () => Promise.reject(new Error('broken')) });
  const first = await asked(1);
  const closed = intake.close();
  first.give('a');
  await closed;
  expect(log.lines.length).toBe(1);
});
