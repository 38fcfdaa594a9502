/** Texts too large for rows: what is stored apart, how it is read, and that one instance with too much of it stops alone. */
import { DatabaseSync } from 'node:sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { realClock } from '@mecha/components/kit/testing.ts';
import { openSqliteLedger } from '../ledger/sqlite-ledger.ts';
import { createLog } from '../telemetry/log.ts';
import { Engine } from './engine.ts';
import type { EngineSettings } from './engine-parts.ts';
import { INLINE_MAX, fetched, isStoredApart, namesNothing, store, storeStatus } from './payloads.ts';
import { functionActivities, functionExecutor, type ActivityFunction, type WorkflowFunction } from './testing.ts';

const large = (letter: string, length = INLINE_MAX * 3): string => letter.repeat(length);
const sourceOf = (stored: { readonly payloads?: readonly { readonly id: string; readonly data: string }[] }) => ({ payload: async (_row: number, id: string) => stored.payloads?.find((one) => one.id === id)?.data });

describe('what is stored apart', () => {
  test('a text over the bound is named in the row, once for the same content, and read as it was', async () => {
    const value = { kind: 'x', input: large('a'), deep: [{ again: large('a'), other: large('b') }], small: 'c', none: null, n: 1 };
    const stored = store(value);
    expect([stored.text.length < 600, stored.payloads?.length]).toEqual([true, 2]);
    expect(await fetched(sourceOf(stored), 1, stored.text)).toEqual(value);
  });

  test('small texts stay, however many, and an object that looks like a name is not taken for one', async () => {
    const many = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(1000));
    expect(store(many)).toEqual({ text: JSON.stringify(many) });
    const forged = { data: { '$mecha.payload': 'AAAA', bytes: 3, inner: [{ '$mecha.payload': 'BBBB' }] }, word: '$mecha.payload', quoted: '{"$mecha.payload":"CCCC"}' };
    const stored = store(forged);
    expect(namesNothing(stored.text)).toBe(false);
    expect(await fetched(sourceOf(stored), 1, stored.text)).toEqual(forged);
  });

  test('a payload that is gone is damage with a name', async () => {
    await expect(fetched(sourceOf({}), 7, store([large('a')]).text)).rejects.toThrow(/payload \S+ of workflow row 7 is not there/);
  });

  test('a custom status is named by a text that no status of anybody is stored as', () => {
    expect(storeStatus('half')).toEqual({ customStatus: 'half' });
    for (const status of [large('s'), '{"$mecha.payload":"AAAA","bytes":3}']) {
      const { customStatus, customStatusPayload } = storeStatus(status);
      expect([isStoredApart(customStatus), customStatusPayload?.data]).toEqual([true, status]);
    }
  });
});

describe('an engine with large payloads', () => {
  let folder: string;
  let ledger: Ledger;
  let engines: Engine[] = [];
  const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
  const open = () => openSqliteLedger({ path: join(folder, 'ledger.db'), clock: realClock, log });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mecha-payloads-'));
    ledger = await open();
  });
  afterEach(async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
    engines = [];
    await ledger.close();
    await rm(folder, { recursive: true });
  });
  function createEngine(workflows: Readonly<Record<string, WorkflowFunction>>, activities: Readonly<Record<string, ActivityFunction>>, { inline = false, settings = {} }: { inline?: boolean; settings?: Partial<EngineSettings> } = {}): Engine {
    const engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log, settings: { pollMs: 200, ...settings } });
    engines.push(engine);
    engine.attachExecutor(functionExecutor(workflows, { inline }));
    engine.attachActivities(functionActivities(activities));
    engine.start();
    return engine;
  }
  const ended = (engine: Engine, instanceId: string) => engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(20_000)).then(() => engine.queries.get(instanceId));
  const tables = async <T>(read: (db: DatabaseSync) => T): Promise<T> => {
    const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true });
    try {
      return read(db);
    } finally {
      db.close();
    }
  };
  const payloadRows = () => tables((db) => (db.prepare('SELECT COUNT(*) AS n FROM wf_payloads').get() as { n: number }).n);

  const double: ActivityFunction = (input) => `${String(input)}${String(input)}`;
  /** An input, a result, a child's input and output, an event and a custom status, all large, in an order that a replay repeats. */
  const everything: WorkflowFunction = function* (context) {
    const doubled = (yield context.activity('double', context.input)) as string;
    context.setCustomStatus(doubled);
    const fromChild = (yield context.child('echo', doubled)) as string;
    const fromEvent = (yield context.event('go')) as string;
    yield context.timer(1);
    return [doubled.length, fromChild === doubled, fromEvent[0], large('o')];
  };
  const echo: WorkflowFunction = function* (context) {
    yield context.timer(1);
    return context.input;
  };

  for (const inline of [true, false]) {
    test(`(users 27) large inputs, results, events, outputs and a status arrive whole, leave the rows small, also after a restart, and go with a purge (${inline ? 'in process' : 'through the inbox'})`, async () => {
      const first = createEngine({ everything, echo }, { double }, { inline });
      await first.operations.start({ name: 'everything', instanceId: '1', input: JSON.stringify(large('i')) });
      await expect.poll(async () => (await first.queries.history('1')).map(({ event }) => event.kind), { timeout: 10_000 }).toContain('childCompleted');
      await first.stop();
      await ledger.close();
      ledger = await open();
      const second = createEngine({ everything, echo }, { double }, { inline });
      await second.operations.raiseEvent('1', 'go', JSON.stringify(large('e')));
      const found = await ended(second, '1');
      expect(found).toMatchObject({ status: 'completed', input: JSON.stringify(large('i')), output: JSON.stringify([INLINE_MAX * 6, true, 'e', large('o')]), customStatus: large('i', INLINE_MAX * 6) });
      const largest = await tables((db) => (db.prepare('SELECT MAX(LENGTH(data)) AS n FROM wf_history').get() as { n: number }).n);
      expect(largest).toBeLessThan(INLINE_MAX);
      const events = (await second.queries.history('1')).map(({ event }) => event);
      expect(events.find((event) => event.kind === 'taskCompleted')).toMatchObject({ result: JSON.stringify(large('i', INLINE_MAX * 6)) });
      expect((await second.queries.list({ limit: 10 })).instances.map(({ customStatus }) => customStatus), 'a list has no large texts').not.toContain(expect.anything());
      await second.operations.purge('1', { recurse: true });
      expect(await payloadRows()).toBe(0);
    });
  }

  test('a new execution begins with its large input, and nothing of the old one stays', async () => {
    const again: WorkflowFunction = function* (context) {
      const text = context.input as string;
      yield context.activity('double', text);
      return text.startsWith('aaa') ? text : context.continueAsNew(`a${text}`);
    };
    const engine = createEngine({ again }, { double: () => large('r') });
    await engine.operations.start({ name: 'again', instanceId: '1', input: JSON.stringify(large('i')) });
    expect((await ended(engine, '1'))?.output).toBe(JSON.stringify(`aaa${large('i')}`));
    // The last execution's input, its result and its output, which is the input.
    expect(await payloadRows()).toBe(2);
  });

  test('(users 27) a history over its bound stalls its own instance by name, and others go on', async () => {
    const collects: WorkflowFunction = function* (context) {
      for (let n = 0; n < 20; n++) yield context.activity('big', n);
      return 'all';
    };
    const small: WorkflowFunction = function* (context) {
      return yield context.activity('small');
    };
    const engine = createEngine({ collects, small }, { big: (n) => `${String(n)}${large('r')}`, small: () => 'done' }, { settings: { historyBytesMax: INLINE_MAX * 10 } });
    await engine.operations.start({ name: 'collects', instanceId: '1' });
    await expect.poll(async () => (await engine.queries.get('1'))?.status, { timeout: 10_000 }).toBe('stalled');
    expect((await engine.queries.get('1'))?.reason).toMatch(/^payload-too-large: the history would have \d+ bytes/);
    await engine.operations.start({ name: 'small', instanceId: '2' });
    expect(await ended(engine, '2')).toMatchObject({ status: 'completed', output: '"done"' });
    // With more room it goes on from where it stood.
    await engine.stop();
    const roomy = createEngine({ collects, small }, { big: (n) => `${String(n)}${large('r')}`, small: () => 'done' });
    await roomy.operations.retry('1');
    expect(await ended(roomy, '1')).toMatchObject({ status: 'completed', output: '"all"' });
  });

  test('messages that are too much for one turn are given to several, in order', async () => {
    const listens: WorkflowFunction = function* (context) {
      const seen: string[] = [];
      for (let n = 0; n < 6; n++) seen.push(((yield context.event('go')) as string)[0] ?? '');
      return seen.join('');
    };
    const engine = createEngine({ listens }, {}, { settings: { historyBytesMax: INLINE_MAX * 40, memoryBytesMax: 0 } });
    await engine.operations.start({ name: 'listens', instanceId: '1', startAt: Date.now() + 300 });
    for (const letter of 'abcdef') await engine.operations.raiseEvent('1', 'go', JSON.stringify(large(letter, INLINE_MAX * 6)));
    expect((await ended(engine, '1'))?.output).toBe('"abcdef"');
    const turns = (await engine.queries.history('1')).filter(({ event }) => event.kind === 'workflowStarted');
    expect(turns.length).toBeGreaterThan(1);
  });

  test('a rerun has the payloads of the history that it begins with', async () => {
    const two: WorkflowFunction = function* (context) {
      const first = (yield context.activity('double', context.input)) as string;
      return yield context.activity('tail', first);
    };
    const engine = createEngine({ two }, { double, tail: (text) => `${String(text).length}` });
    await engine.operations.start({ name: 'two', instanceId: '1', input: JSON.stringify(large('i')) });
    expect((await ended(engine, '1'))?.output).toBe(JSON.stringify(String(INLINE_MAX * 6)));
    const target = (await engine.queries.history('1')).find(({ event }) => event.kind === 'taskScheduled' && event.name === 'tail')?.event.id ?? -1;
    const rerunId = await engine.rerun({ instanceId: '1', eventId: target });
    await engine.operations.purge('1');
    expect(await ended(engine, rerunId)).toMatchObject({ status: 'completed', input: JSON.stringify(large('i')), output: JSON.stringify(String(INLINE_MAX * 6)) });
  });
});
