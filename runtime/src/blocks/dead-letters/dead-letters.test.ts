import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LedgerRefused, type Clock, type DeadLetter, type Ledger } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import type { ComponentLookup } from '../../component-set.ts';
import { MechaError } from '../../errors.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import { openSqliteLedger } from '../../ledger/sqlite-ledger.ts';
import type { Resent, ResentEvent } from '../../resend.ts';
import { createLog } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createDeadLettersBlock, REPLAY_BEGINS_MS } from './dead-letters.ts';
import { claimLetter } from './letter-claim.ts';
import { LetterRetention } from './letter-retention.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const log = createLog({ level: 'error', json: true, appId: 'app', version: '0' });
async function openFile(clock: Clock): Promise<Ledger> {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-test-'));
  const ledger = await openSqliteLedger({ path: join(folder, 'ledger.db'), clock, log });
  undo.push(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  return ledger;
}

const letterOf = (n: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  id: `p/orders/app/m-${n}`, appId: 'app', pubsub: 'p', topic: 'orders', group: 'app', deadLetterTopic: 'dead', reason: 'the app answered with status 500', attempts: 5,
  data: Buffer.from(`data ${n}`), metadata: { n: String(n) }, at: 1000 + n, ...more,
});
const bindingLetter = (n: number, more: Partial<DeadLetter> = {}): DeadLetter => letterOf(n, { id: `tick/bindings%2Ftick/app/tick%2F${n}`, pubsub: 'tick', topic: 'bindings/tick', deadLetterTopic: '', ...more });

function countingMetrics() {
  const seen = new Map<string, number>();
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => void seen.set(`${name} ${Object.values(labels).join(' ')}`, (seen.get(`${name} ${Object.values(labels).join(' ')}`) ?? 0) + by),
    observe: () => undefined,
    gauge: (name, labels, value) => void seen.set(`${name} ${Object.values(labels).join(' ')}`, value),
    timing: () => ({ record: () => undefined }),
  };
  return { metrics, seen };
}

async function createBench(letters: readonly DeadLetter[], open: (clock: Clock) => Promise<Ledger> = async (clock) => createMemoryLedger({ clock })) {
  const clock = createTurnedClock();
  const ledger = await open(clock);
  await ledger.commit(letters.map((letter) => ({ type: 'dead-letter.add', letter })));
  const app = { given: [] as (ResentEvent & { readonly by: string })[], answer: (_event: ResentEvent, _signal: AbortSignal): Resent | Promise<Resent> => ({ outcome: 'taken' }) };
  const { metrics, seen } = countingMetrics();
  const deskOf = (by: string, commit: Ledger['commit'] = (batch) => ledger.commit(batch)) => {
    const resend = (kind: string) => async (event: ResentEvent, signal: AbortSignal): Promise<Resent> => {
      app.given.push({ ...event, by: `${by} ${kind}` });
      return app.answer(event, signal);
    };
    return createDeadLettersBlock({ appId: 'app', clock, metrics, ledger: { commit, deadLetters: (request) => ledger.deadLetters(request), deadLetter: (request) => ledger.deadLetter(request) }, resend: { topic: resend('topic'), binding: resend('binding') } });
  };
  return { clock, ledger, app, metrics, seen, deskOf, desk: deskOf('one'), find: (id: string) => ledger.deadLetter({ appId: 'app', id }) };
}
const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
};
const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'done', (error: unknown) => (error instanceof MechaError ? error.code : error));
const { id: ID } = letterOf(1);

describe('a list', () => {
  test('is newest first, by pages, and filters say what is meant', async () => {
    const { desk } = await createBench([...Array.from({ length: 700 }, (_, n) => letterOf(n)), bindingLetter(1, { reason: 'Too Late' }), letterOf(9, { id: 'q/orders/app/x', pubsub: 'q' }), letterOf(10, { id: 'p/stock/app/x', topic: 'stock' })]);
    const ids: string[] = [];
    for (let page = await desk.list({ filter: { topic: 'orders', component: 'p' }, limit: 300 }); ; page = await desk.list({ filter: { topic: 'orders', component: 'p' }, limit: 300, before: page.next })) {
      ids.push(...page.letters.map(({ id }) => id));
      if (!page.next) break;
    }
    expect(ids).toEqual(Array.from({ length: 700 }, (_, n) => `p/orders/app/m-${699 - n}`));
    const found = async (filter: Parameters<typeof desk.list>[0]['filter']) => (await desk.list({ filter, limit: 1000 })).letters.map(({ id }) => id);
    expect(await found({ kind: 'binding' })).toEqual([bindingLetter(1).id]);
    expect(await found({ topic: 'bindings/tick' })).toEqual([]);
    expect(await found({ reason: 'too late' })).toEqual([bindingLetter(1).id]);
    expect(await found({ component: 'p', topic: 'stock' })).toEqual(['p/stock/app/x']);
    expect(await found({ component: 'p', topic: 'orders', since: 1010, until: 1012 })).toEqual(['p/orders/app/m-11', 'p/orders/app/m-10']);
  });
});

describe.each([['memory', async (clock: Clock) => createMemoryLedger({ clock })], ['sqlite', openFile]])('a replay on the %s ledger', (_name, open) => {
  test('brings the letter back as it came, and removes it when the app took it', async () => {
    const { desk, app, find, seen } = await createBench([letterOf(1, { contentType: 'text/plain' }), bindingLetter(2)], open);
    await desk.replay(ID);
    await desk.replay(bindingLetter(2).id);
    expect(app.given.map(({ data, ...event }) => ({ ...event, data: Buffer.from(data).toString() }))).toEqual([
      { by: 'one topic', component: 'p', topic: 'orders', id: 'm-1', data: 'data 1', metadata: { n: '1' }, contentType: 'text/plain', attempt: 6 },
      { by: 'one binding', component: 'tick', topic: '', id: 'tick/2', data: 'data 2', metadata: { n: '2' }, attempt: 6 },
    ]);
    expect([await find(ID), await codeOf(desk.replay(ID)), app.given.length]).toEqual([undefined, 'ERR_DEAD_LETTER_NOT_FOUND', 2]);
    expect(seen.get('dead_letter_replay_count p orders taken')).toBe(1);
  });

  test('in vain leaves it in its place, with the new reason and the attempts counted', async () => {
    const { desk, app, find, clock } = await createBench([letterOf(1)], open);
    app.answer = () => ({ outcome: 'failed', reason: 'status 503', attempts: 3 });
    expect(await codeOf(desk.replay(ID))).toBe('ERR_DEAD_LETTER_NOT_TAKEN');
    expect(await find(ID)).toMatchObject({ at: 1001, attempts: 8, reason: 'status 503', resentAt: clock.now() });
    app.answer = () => ({ outcome: 'away', reason: 'nobody there' });
    expect(await codeOf(desk.replay(ID))).toBe('ERR_DEAD_LETTER_APP_AWAY');
    app.answer = () => ({ outcome: 'no-receiver', reason: 'no subscription' });
    expect(await codeOf(desk.replay(ID))).toBe('ERR_DEAD_LETTER_NO_RECEIVER');
    expect(await find(ID)).toMatchObject({ attempts: 8, reason: 'status 503' });
  });

  test('is one at a time, at whichever sidecar; meanwhile the letter is neither sent nor dropped', async () => {
    const { desk, deskOf, app, find } = await createBench([letterOf(1)], open);
    const other = deskOf('other');
    const { promise, resolve } = Promise.withResolvers<Resent>();
    app.answer = () => promise;
    const replaying = desk.replay(ID);
    while (app.given.length === 0) await turns();
    expect([await codeOf(other.replay(ID)), await codeOf(other.drop(ID)), await other.dropMany({ filter: {}, limit: 10 })]).toEqual(['ERR_DEAD_LETTER_BUSY', 'ERR_DEAD_LETTER_BUSY', { dropped: 0, busy: 1 }]);
    resolve({ outcome: 'taken' });
    await replaying;
    expect([app.given.length, await find(ID)]).toEqual([1, undefined]);
  });
});

describe('the lease of a letter', () => {
  test('is renewed while the app takes its time, and free soon after its holder was killed', async () => {
    const { ledger, clock } = await createBench([letterOf(1)]);
    const parts = { ledger, clock };
    const claim = await claimLetter(parts, ID);
    for (let n = 0; n < 10; n++) {
      clock.turn(3000);
      await turns();
      expect(await claimLetter(parts, ID)).toBeUndefined();
    }
    expect(await claim?.end()).toBe(true);
    const killed = await claimLetter({ ledger, clock: { now: clock.now, after: () => () => undefined } }, ID);
    clock.turn(9_999);
    expect(await claimLetter(parts, ID)).toBeUndefined();
    clock.turn(1);
    expect(await claimLetter(parts, ID)).toBeDefined();
    expect(await killed?.end([{ type: 'dead-letter.remove', id: ID }]), 'a claim that was lost changes nothing').toBe(false);
    expect(await ledger.deadLetter({ appId: 'app', id: ID })).toBeDefined();
  });

  test('that was lost calls the call into the app off, and the letter stays with whoever has it now', async () => {
    const { desk, app, clock, ledger, find } = await createBench([letterOf(1)]);
    app.answer = (_event, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ outcome: 'away', reason: 'called off' })));
    const replaying = codeOf(desk.replay(ID));
    await turns();
    // The machine slept, and another took it.
    clock.sleep(11_000);
    const other = await claimLetter({ ledger, clock }, ID);
    expect(other).toBeDefined();
    clock.turn(3000);
    expect(await replaying).toBe('ERR_DEAD_LETTER_NOT_SETTLED');
    expect([await other?.end(), await find(ID)]).toEqual([true, letterOf(1, { data: new Uint8Array(Buffer.from('data 1')) })]);
  });
});

describe('a replay', () => {
  test('whose removal the ledger refuses says that it may be sent once more, and it can be', async () => {
    const { deskOf, ledger, app, clock, find } = await createBench([letterOf(1)]);
    let refused = 0;
    const desk = deskOf('one', (batch) => (batch.some(({ type }) => type === 'dead-letter.remove') && refused++ === 0 ? Promise.reject(new LedgerRefused('disk-full', 'the disk is full')) : ledger.commit(batch)));
    expect(await desk.replay(ID).catch((error: unknown) => (error as Error).message)).toBe('the dead letter may be sent once more: the app took it, and the ledger could not be told: the disk is full');
    expect(await find(ID)).toBeDefined();
    clock.turn(11_000);
    await desk.replay(ID);
    expect([app.given.length, await find(ID)]).toEqual([2, undefined]);
  });

  test.each<[Resent, number]>([
    [{ outcome: 'away', reason: 'called off' }, 1],
    [{ outcome: 'failed', reason: 'called off', attempts: 3 }, 3],
  ])('is given up when the app does not answer within a minute, and the calls that were made count: %o', async (calledOff, calls) => {
    const { desk, app, clock, find } = await createBench([letterOf(1)]);
    app.answer = (_event, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(calledOff)));
    const replaying = codeOf(desk.replay(ID));
    for (let n = 0; n < 60; n++) {
      await turns();
      clock.turn(1000);
    }
    expect(await replaying).toBe('ERR_DEAD_LETTER_NOT_TAKEN');
    expect(await find(ID)).toMatchObject({ attempts: 5 + calls, reason: expect.stringContaining('no answer within 60000 ms') });
  });

  test('that is under way when the sidecar stops is waited for, none begins after it, and what is cut off stays', async () => {
    const { desk, app, find } = await createBench([letterOf(1), letterOf(2)]);
    app.answer = ({ id }, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ outcome: 'away', reason: `called off ${id}` })));
    const many = desk.replayMany({ filter: {}, limit: 10 });
    await turns();
    const late = new AbortController();
    const draining = desk.drain?.(late.signal);
    await turns();
    expect(await codeOf(desk.replay(ID))).toBe('ERR_SHUTTING_DOWN');
    late.abort();
    await draining;
    expect(await many).toEqual({ replayed: 0, left: [{ id: ID, replay: { outcome: 'away', reason: 'called off m-1' } }], next: { at: 1001, id: ID } });
    expect([app.given.length, await find(ID)]).toEqual([1, expect.objectContaining({ attempts: 5 })]);
  });
});

describe('replaying many', () => {
  test('goes through them oldest first, in bounded steps, each once, whatever becomes of it', async () => {
    const { desk, app } = await createBench(Array.from({ length: 25 }, (_, n) => letterOf(n)));
    app.answer = ({ id }) => (id === 'm-9' ? { outcome: 'failed', reason: 'no', attempts: 1 } : { outcome: 'taken' });
    const steps: unknown[] = [];
    for (let step = await desk.replayMany({ filter: {}, limit: 10 }); ; step = await desk.replayMany({ filter: {}, limit: 10, after: step.next })) {
      steps.push([step.replayed, step.left.length]);
      if (!step.next) break;
    }
    expect(steps).toEqual([[9, 1], [10, 0], [5, 0]]);
    expect(app.given.map(({ id }) => id)).toEqual(Array.from({ length: 25 }, (_, n) => `m-${n}`));
  });

  test('asks an app that is away once, not once per letter, and goes on with other sources', async () => {
    const { desk, app } = await createBench([letterOf(1), letterOf(2), bindingLetter(3)]);
    app.answer = ({ topic }) => (topic === 'orders' ? { outcome: 'away', reason: 'gone' } : { outcome: 'taken' });
    expect(await desk.replayMany({ filter: {}, limit: 10 })).toMatchObject({ replayed: 1, left: [{ id: ID }, { id: letterOf(2).id }] });
    expect(app.given).toHaveLength(2);
  });

  test('begins with no further one after a while, and tells where it stands', async () => {
    const { desk, app, clock } = await createBench([letterOf(1), letterOf(2), letterOf(3)]);
    app.answer = () => {
      clock.turn(REPLAY_BEGINS_MS / 2);
      return { outcome: 'taken' };
    };
    const step = await desk.replayMany({ filter: {}, limit: 10 });
    expect(step).toEqual({ replayed: 2, left: [], next: { at: 1002, id: letterOf(2).id } });
  });
});

describe('dropping', () => {
  test('one, or many by filter in bounded steps, leaves the others', async () => {
    const { desk, ledger, seen } = await createBench([...Array.from({ length: 120 }, (_, n) => letterOf(n)), bindingLetter(1)]);
    await desk.drop(ID);
    expect(await codeOf(desk.drop(ID))).toBe('ERR_DEAD_LETTER_NOT_FOUND');
    const first = await desk.dropMany({ filter: { kind: 'topic' }, limit: 100 });
    expect(first).toEqual({ dropped: 100, busy: 0, next: { at: 1100, id: letterOf(100).id } });
    expect(await desk.dropMany({ filter: { kind: 'topic' }, limit: 100, ...(first.next ? { after: first.next } : {}) })).toEqual({ dropped: 19, busy: 0 });
    expect((await ledger.deadLetters({ appId: 'app', limit: 10 })).map(({ id }) => id)).toEqual([bindingLetter(1).id]);
    expect(seen.get('dead_letter_dropped_count p orders request')).toBe(120);
  });
});

describe('retention', () => {
  test('keeps of each topic and binding what is young enough, the newest of it, as its component says; the rest goes by the defaults', async () => {
    const { ledger, clock, metrics, seen } = await createBench([]);
    const now = clock.now();
    const at = (hours: number): number => now - hours * 3600_000;
    const letters = [
      ...[1, 2, 3, 25].map((hours) => letterOf(hours, { at: at(hours) })),
      ...[1, 25].map((hours) => letterOf(hours, { id: `p/stock/app/m-${hours}`, topic: 'stock', at: at(hours) })),
      ...[1, 25, 721].map((hours) => bindingLetter(hours, { at: at(hours) })),
      letterOf(9, { id: 'p/orders/other/m-9', appId: 'other', at: at(9000) }),
    ];
    await ledger.commit(letters.map((letter) => ({ type: 'dead-letter.add', letter })));
    const kept = createKeptLog();
    const components = { find: (category: string, name: string) => (category === 'pubsub' && name === 'p' ? { metadata: { deadLetterRetention: '24h', deadLettersMax: '2' } } : undefined) } as unknown as ComponentLookup;
    const retention = new LetterRetention({ appId: 'app', ledger, components, clock, metrics, log: { ...kept, scoped: () => log } });
    await retention.sweep();
    expect((await ledger.deadLetters({ appId: 'app', limit: 20 })).map(({ id }) => id).toSorted()).toEqual(['p/orders/app/m-1', 'p/orders/app/m-2', 'p/stock/app/m-1', 'tick/bindings%2Ftick/app/tick%2F1', 'tick/bindings%2Ftick/app/tick%2F25']);
    expect(await ledger.deadLetters({ appId: 'other', limit: 20 })).toHaveLength(1);
    expect([seen.get('dead_letters p orders'), seen.get('dead_letters tick '), seen.get('dead_letter_dropped_count p orders age'), seen.get('dead_letter_dropped_count p orders number')]).toEqual([2, 2, 1, 1]);
    expect(kept.lines.map(({ fields }) => fields)).toEqual(expect.arrayContaining([{ component: 'p', topic: 'orders', tooOld: 1, tooMany: 1, kept: 2 }]));
    await ledger.commit([{ type: 'dead-letter.remove', id: 'p/stock/app/m-1' }]);
    await retention.sweep();
    expect(seen.get('dead_letters p stock'), 'what is gone counts as none').toBe(0);
  });
});
