/** The engine over the memory ledger and real time: what each operation does. Schedules, crashes and races are the simulation's. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { Engine } from './engine.ts';
import type { EngineSettings } from './engine-parts.ts';
import { ExecutorUnavailable, TurnRejected, type WorkflowExecutor } from './executor.ts';
import { DEFERRED, functionActivities, functionExecutor, type ActivityFunction, type WorkflowFunction } from './testing.ts';
import { dueAtOf, type HistoryEvent } from './vocabulary.ts';

let ledger: Ledger;
let engines: Engine[] = [];
const log = createKeptLog();
beforeEach(() => {
  ledger = createMemoryLedger({ clock: realClock });
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.stop()));
  engines = [];
  await ledger.close();
});

interface Given {
  readonly workflows?: Readonly<Record<string, WorkflowFunction>>;
  readonly activities?: Readonly<Record<string, ActivityFunction>>;
  readonly executor?: WorkflowExecutor;
  readonly inline?: boolean;
  readonly appId?: string;
  readonly settings?: Partial<EngineSettings>;
}
function createEngine({ workflows, activities, executor, inline = true, appId = 'a', settings = {} }: Given = {}): Engine {
  const engine = new Engine({ appId, namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log, settings: { pollMs: 200, ...settings } });
  engines.push(engine);
  if (workflows) engine.attachExecutor(functionExecutor(workflows, { inline }));
  if (executor) engine.attachExecutor(executor);
  if (activities) engine.attachActivities(functionActivities(activities));
  engine.start();
  return engine;
}
const ended = (engine: Engine, instanceId: string) => engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000)).then(() => engine.queries.get(instanceId));
const kinds = async (engine: Engine, instanceId: string) => (await engine.queries.history(instanceId)).map(({ event }) => event.kind);
const isCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

const chain: WorkflowFunction = function* (context) {
  let value: unknown = context.input;
  for (let n = 0; n < 3; n++) value = yield context.activity('add', value);
  return value;
};
const add: ActivityFunction = (input) => Number(input) + 1;

test.each(['small', 'x'.repeat(100_000)])('an instance that ends before its first turn, or was suspended before it, shows its input', async (text) => {
  const engine = createEngine();
  const input = JSON.stringify(text);
  for (const instanceId of ['1', '2', '3']) await engine.operations.start({ name: 'nobody', instanceId, input });
  await engine.operations.terminate('1');
  for (let n = 0; n < 3; n++) {
    await engine.operations.suspend('2');
    expect(await engine.queries.get('2')).toMatchObject({ status: 'suspended', input });
    await engine.operations.resume('2');
  }
  await engine.operations.suspend('3');
  await engine.operations.terminate('3');
  engine.attachExecutor({ style: 'replay', inline: true, runTurn: () => ({ actions: [{ kind: 'complete', id: 1, status: 'completed' }] }) });
  expect(await ended(engine, '2')).toMatchObject({ status: 'completed', input });
  for (const instanceId of ['1', '3']) expect(await engine.queries.get(instanceId)).toMatchObject({ status: 'terminated', input });
  expect(await kinds(engine, '3')).toEqual(['executionSuspended', 'executionStarted', 'workflowStarted', 'executionTerminated', 'executionCompleted']);
});

describe.each([{ inline: true }, { inline: false }])('workflows and activities, inline $inline', ({ inline }) => {
  test('a chain of activities ends with its output, and its history says how', async () => {
    const engine = createEngine({ workflows: { chain }, activities: { add }, inline });
    const { instanceId } = await engine.operations.start({ name: 'chain', input: '1' });
    expect(await ended(engine, instanceId)).toMatchObject({ status: 'completed', input: '1', output: '4', name: 'chain' });
    const step = ['workflowStarted', 'taskCompleted', 'taskScheduled'];
    expect(await kinds(engine, instanceId)).toEqual(['workflowStarted', 'executionStarted', 'taskScheduled', ...step, ...step, 'workflowStarted', 'taskCompleted', 'executionCompleted']);
    await until(() => engine.load.turns === 0 && engine.load.activities === 0);
    expect(engine.load).toEqual({ turns: 0, activities: 0, remembered: 0 });
  });

  test('a hundred activities at once', async () => {
    const fan: WorkflowFunction = function* (context) {
      const results = (yield context.all(Array.from({ length: 100 }, (_, n) => context.activity('add', n)))) as number[];
      return results.reduce((sum, one) => sum + one, 0);
    };
    const engine = createEngine({ workflows: { fan }, activities: { add }, inline });
    await engine.operations.start({ name: 'fan', instanceId: '1' });
    expect(await ended(engine, '1')).toMatchObject({ output: '5050' });
  });

  test('a failure fails the workflow, with its words; the parent of a child hears of it', async () => {
    const parent: WorkflowFunction = function* (context) {
      try {
        return yield context.child('child', 1);
      } catch (error) {
        return `caught ${(error as Error).message}`;
      }
    };
    const child: WorkflowFunction = function* (context) {
      return yield context.activity('fail');
    };
    const engine = createEngine({ workflows: { parent, child }, activities: { fail: () => { throw new TypeError('no luck'); } }, inline });
    await engine.operations.start({ name: 'parent', instanceId: 'p' });
    expect(await ended(engine, 'p')).toMatchObject({ status: 'completed', output: '"caught no luck"' });
    expect(await engine.queries.get('p:0001')).toMatchObject({ status: 'failed', failure: { errorMessage: 'no luck' }, parent: { instanceId: 'p', taskId: 1 } });
  });

  test('timers, and events that come before they are waited for, in order', async () => {
    const waiting: WorkflowFunction = function* (context) {
      yield context.timer(30);
      return [yield context.event('go'), yield context.event('go')];
    };
    const engine = createEngine({ workflows: { waiting }, inline });
    const before = Date.now();
    await engine.operations.start({ name: 'waiting', instanceId: '1' });
    await engine.operations.raiseEvent('1', 'go', '1');
    await engine.operations.raiseEvent('1', 'go', '2');
    expect(await ended(engine, '1')).toMatchObject({ output: '[1,2]' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(30);
  });

  test('(users 22) continue-as-new begins a short history and keeps events that were not read', async () => {
    const loop: WorkflowFunction = function* (context) {
      const { left, sum } = context.input as { left: number; sum: number };
      if (left === 0) return sum;
      const more = (yield context.event('n')) as number;
      yield context.activity('add', 1);
      return context.continueAsNew({ left: left - 1, sum: sum + more });
    };
    const engine = createEngine({ workflows: { loop }, activities: { add }, inline });
    await engine.operations.start({ name: 'loop', instanceId: '1', input: '{"left":5,"sum":0}' });
    for (let n = 1; n <= 5; n++) await engine.operations.raiseEvent('1', 'n', String(n));
    expect(await ended(engine, '1')).toMatchObject({ output: '15' });
    expect((await kinds(engine, '1')).length).toBeLessThan(6);
  });

  test('suspend holds everything back, resume goes on; both are recorded', async () => {
    const engine = createEngine({ workflows: { chain }, activities: { add: async (input) => { await new Promise((resolve) => setTimeout(resolve, 20)); return Number(input) + 1; } }, inline });
    await engine.operations.start({ name: 'chain', instanceId: '1', input: '0' });
    expect(await engine.operations.suspend('1', 'lunch')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const row = await engine.queries.get('1');
    expect(row?.status).toBe('suspended');
    expect(await engine.queries.waits('1')).toMatchObject([{ on: 'resume' }]);
    expect(await engine.operations.suspend('1'), 'it is').toBe(false);
    expect(await engine.operations.resume('1')).toBe(true);
    expect(await ended(engine, '1')).toMatchObject({ status: 'completed', output: '3' });
    expect(await kinds(engine, '1')).toEqual(expect.arrayContaining(['executionSuspended', 'executionResumed']));
  });

  test('(users 23) terminate needs no worker, takes the children along, and late results change nothing', async () => {
    const parent: WorkflowFunction = function* (context) {
      yield context.child('chain', 1, { instanceId: 'child' });
    };
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const engine = createEngine({ workflows: { parent, chain }, activities: { add: async () => { await gate; return 1; } }, inline });
    await engine.operations.start({ name: 'parent', instanceId: 'p' });
    await until(async () => (await engine.queries.get('child'))?.status === 'running');
    expect(await engine.operations.terminate('p', { output: '"enough"', recurse: true })).toBe(true);
    expect(await engine.queries.get('p')).toMatchObject({ status: 'terminated', output: '"enough"' });
    expect(await engine.queries.get('child')).toMatchObject({ status: 'terminated' });
    const turn = (await engine.queries.get('child'))?.turn;
    release();
    await until(() => engine.load.activities === 0);
    expect((await engine.queries.get('child'))?.turn).toBe(turn);
    expect(await engine.operations.terminate('p')).toBe(false);
    expect(await engine.operations.purge('p', { recurse: true })).toBe(2);
    await expect(engine.operations.terminate('p')).rejects.toSatisfy(isCode('ERR_INSTANCE_ID_NOT_FOUND'));
  });
});

describe('activities', () => {
  const once: WorkflowFunction = function* (context) {
    const { options } = (context.input ?? {}) as { options?: object };
    return yield context.activity('work', 1, options);
  };

  test('an activity is retried by its policy under one idempotency key, and told its attempt', async () => {
    const seen: [number, string][] = [];
    const engine = createEngine({ workflows: { once }, activities: { work: (_input, { attempt, idempotencyKey }) => { seen.push([attempt, idempotencyKey]); if (attempt < 3) throw new Error('again'); return attempt; } } });
    await engine.operations.start({ name: 'once', instanceId: '1', input: JSON.stringify({ options: { retry: { attemptsMax: 3, firstDelayMs: 5 } } }) });
    expect(await ended(engine, '1')).toMatchObject({ status: 'completed', output: '3' });
    expect(seen.map(([attempt]) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(seen.map(([, key]) => key)).size).toBe(1);
  });

  test('an activity that is late fails by name, and its late answer is not recorded', async () => {
    let aborted = false;
    const engine = createEngine({ workflows: { once }, activities: { work: async (_input, _request, signal) => { signal.addEventListener('abort', () => (aborted = true)); await new Promise((resolve) => setTimeout(resolve, 300)); return 1; } } });
    await engine.operations.start({ name: 'once', instanceId: '1', input: JSON.stringify({ options: { runTimeoutMs: 50 } }) });
    expect(await ended(engine, '1')).toMatchObject({ status: 'failed', failure: { errorMessage: expect.stringContaining('did not end') as unknown } });
    expect(aborted).toBe(true);
    await until(() => engine.load.activities === 0);
  });

  test('a deferred activity waits for its token; heartbeats put off its deadline; a token counts once', async () => {
    let token = '';
    const engine = createEngine({ workflows: { once }, activities: { work: (_input, request) => { token = request.token; return DEFERRED; } } });
    await engine.operations.start({ name: 'once', instanceId: '1', input: JSON.stringify({ options: { heartbeatTimeoutMs: 3000 } }) });
    await until(async () => token !== '' && (await engine.queries.waits('1'))[0]?.words.includes('from outside') === true);
    for (let n = 0; n < 4; n++) {
      await new Promise((resolve) => setTimeout(resolve, 900));
      await engine.heartbeat(token);
    }
    await engine.completeActivity(token, { kind: 'completed', result: '"by hand"' });
    expect(await ended(engine, '1')).toMatchObject({ output: '"by hand"' });
    await expect(engine.completeActivity(token, { kind: 'completed' })).rejects.toSatisfy(isCode('ERR_WORKFLOW_ACTIVITY_GONE'));
    await expect(engine.heartbeat('nonsense')).rejects.toSatisfy(isCode('ERR_WORKFLOW_ACTIVITY_TOKEN_INVALID'));
  });

  test('an activity for another app runs there', async () => {
    const cross: WorkflowFunction = function* (context) {
      return [yield context.activity('where', 1, { appId: 'b' }), yield context.child('there', 1, { appId: 'b' })];
    };
    const there: WorkflowFunction = function* (context) {
      return yield context.activity('where');
    };
    const engine = createEngine({ workflows: { cross }, activities: { where: () => 'a' } });
    await engine.operations.start({ name: 'cross', instanceId: '1' });
    await until(async () => (await engine.queries.waits('1'))[0]?.words.includes('app b') === true);
    createEngine({ appId: 'b', workflows: { there }, activities: { where: () => 'b' } });
    expect(await ended(engine, '1')).toMatchObject({ output: '["b","b"]' });
  });

  test('limits: no more at once than allowed, and a name with a limit holds up no other', async () => {
    let [running, most, slow] = [0, 0, 0];
    const fan: WorkflowFunction = function* (context) {
      yield context.all([...Array.from({ length: 20 }, () => context.activity('slow')), ...Array.from({ length: 20 }, () => context.activity('work'))]);
    };
    const wait = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const engine = createEngine({ workflows: { fan }, activities: { work: wait, slow: async () => { expect(++slow).toBe(1); await wait(); slow--; } }, settings: { activities: { max: 4, perName: { slow: 1 } } } });
    await engine.operations.start({ name: 'fan', instanceId: '1' });
    expect(await ended(engine, '1')).toMatchObject({ status: 'completed' });
    expect(most).toBeLessThanOrEqual(4);
  });
});

test.each([{ inline: true }, { inline: false }])('a step reads nothing of the history that is there, inline $inline; a process that does not know the instance reads it once', async ({ inline }) => {
  const ticks: WorkflowFunction = function* (context) {
    for (;;) if ((yield context.event('tick')) === 'end') return 'done';
  };
  let pages = 0;
  const plain = ledger;
  const workflows: Ledger['workflows'] = { ...plain.workflows, history: async (...asked) => { const read = await plain.workflows.history(...asked); pages += read.length; return read; } };
  ledger = new Proxy(plain, { get: (target, name) => { const value: unknown = name === 'workflows' ? workflows : Reflect.get(target, name, target); return typeof value === 'function' ? (value.bind(target) as unknown) : value; } });
  const turn = async (engine: Engine) => (await engine.queries.get('1', { payloads: false }))?.turn ?? 0;
  const tick = async (engine: Engine) => {
    const before = await turn(engine);
    await engine.operations.raiseEvent('1', 'tick', '1');
    await until(async () => (await turn(engine)) > before, 1);
  };
  const first = createEngine({ workflows: { ticks }, inline });
  await first.operations.start({ name: 'ticks', instanceId: '1' });
  for (let n = 0; n < 10; n++) await tick(first);
  const afterTen = pages;
  for (let n = 0; n < 10; n++) await Promise.all(Array.from({ length: 200 }, () => first.operations.raiseEvent('1', 'tick', '1')));
  await until(async () => ((await first.queries.get('1', { payloads: false }))?.events ?? 0) > 2000);
  for (let n = 0; n < 10; n++) await tick(first);
  expect([afterTen, pages]).toEqual([0, 0]);
  await first.stop();
  const second = createEngine({ workflows: { ticks }, inline });
  await tick(second);
  const onceRead = pages;
  expect(onceRead).toBeGreaterThan(0);
  for (let n = 0; n < 10; n++) await tick(second);
  expect(pages).toBe(onceRead);
});

describe('one bad instance', () => {
  const good: WorkflowFunction = function* (context) {
    return yield context.activity('add', 1);
  };

  test('an executor that throws: tried again, then stalled with its words, and again by hand; others go on', async () => {
    let broken = true;
    const executor: WorkflowExecutor = {
      style: 'snapshot', inline: true, names: () => ['bad'],
      runTurn: () => {
        if (broken) throw new Error('boom');
        return { actions: [{ kind: 'complete', id: 1, status: 'completed' }] };
      },
    };
    const engine = createEngine({ executor, workflows: { good }, activities: { add }, settings: { turnFailuresMax: 2 } });
    await engine.operations.start({ name: 'bad', instanceId: 'bad' });
    await engine.operations.start({ name: 'good', instanceId: 'good' });
    expect(await ended(engine, 'good')).toMatchObject({ status: 'completed' });
    await until(async () => (await engine.queries.get('bad'))?.status === 'stalled');
    expect(await engine.queries.get('bad')).toMatchObject({ reason: 'executor-failed: boom' });
    expect(await engine.queries.waits('bad')).toMatchObject([{ on: 'retry', words: 'stalled: executor-failed: boom' }]);
    broken = false;
    await engine.operations.retry('bad');
    expect(await ended(engine, 'bad')).toMatchObject({ status: 'completed' });
  });

  test('(users 28) code that changed is told by the event and both names; the executor of old goes on', async () => {
    const one: WorkflowFunction = function* (context) {
      yield context.activity('add', 1);
      yield context.event('go');
      return 'old';
    };
    const other: WorkflowFunction = function* (context) {
      yield context.activity('subtract', 1);
      yield context.event('go');
      return 'new';
    };
    const first = createEngine({ workflows: { one }, activities: { add } });
    await first.operations.start({ name: 'one', instanceId: '1' });
    await until(async () => (await first.queries.get('1'))?.turn === 2);
    await first.stop();
    const second = createEngine({ workflows: { one: other } });
    await second.operations.raiseEvent('1', 'go');
    await until(async () => (await second.queries.get('1'))?.status === 'stalled');
    expect((await second.queries.get('1'))?.reason).toMatch(/^non-deterministic: event 2 .*taskScheduled add .*subtract/);
    await second.stop();
    const third = createEngine({ workflows: { one } });
    expect(await ended(third, '1')).toMatchObject({ status: 'completed', output: '"old"' });
  });

  test('(users 27) a payload over the bound fails its task, or its workflow, by name', async () => {
    const big = 'x'.repeat(2000);
    const caught: WorkflowFunction = function* (context) {
      const outcomes: string[] = [];
      for (const awaited of [() => context.activity('big'), () => context.activity('add', big)]) {
        try {
          yield awaited();
        } catch (error) {
          outcomes.push((error as Error).message);
        }
      }
      return outcomes;
    };
    const output: WorkflowFunction = function* (context) {
      yield context.timer(1);
      return big;
    };
    const engine = createEngine({ workflows: { caught, output }, activities: { big: () => big, add }, settings: { payloadBytesMax: 1000 } });
    await engine.operations.start({ name: 'caught', instanceId: '1' });
    await engine.operations.start({ name: 'output', instanceId: '2' });
    expect(await ended(engine, '1')).toMatchObject({ output: JSON.stringify(['the result of activity big is larger than 1000 bytes', 'the input of activity add is larger than 1000 bytes']) });
    expect(await ended(engine, '2')).toMatchObject({ status: 'failed', failure: { errorType: 'PayloadTooLarge' } });
    await expect(engine.operations.start({ name: 'caught', input: JSON.stringify(big) })).rejects.toSatisfy(isCode('ERR_WORKFLOW_PAYLOAD_TOO_LARGE'));
  });

  test('an executor that goes away is no failure: the turn is given out again', async () => {
    let asked = 0;
    const executor: WorkflowExecutor = {
      style: 'replay', inline: false,
      runTurn: async () => {
        if (asked++ < 2) throw new ExecutorUnavailable();
        return { actions: [{ kind: 'complete', id: 0, status: 'completed', result: '1' }] };
      },
    };
    const engine = createEngine({ executor });
    await engine.operations.start({ name: 'any', instanceId: '1' });
    expect(await ended(engine, '1')).toMatchObject({ status: 'completed', failures: 0 });
  });

  test('patches must go on from those recorded; a version that is not there stalls by its name', async () => {
    let patches: string[] = ['p1'];
    const executor: WorkflowExecutor = {
      style: 'replay', inline: false,
      runTurn: async ({ newEvents }) => {
        if (newEvents.some(({ kind }) => kind === 'eventRaised')) return { actions: [{ kind: 'complete', id: 2, status: 'completed' }], version: { patches } };
        return { actions: [], version: { patches } };
      },
    };
    const engine = createEngine({ executor });
    await engine.operations.start({ name: 'any', instanceId: '1' });
    await engine.queries.waitFor('1', 'start', AbortSignal.timeout(5000));
    patches = ['p2'];
    await engine.operations.raiseEvent('1', 'x');
    await until(async () => (await engine.queries.get('1'))?.status === 'stalled');
    expect((await engine.queries.get('1'))?.reason).toMatch(/^patch-mismatch/);
    patches = ['p1', 'p2'];
    await engine.operations.retry('1');
    expect(await ended(engine, '1')).toMatchObject({ status: 'completed' });
    const versions = (await engine.queries.history('1')).flatMap(({ event }) => (event.kind === 'workflowStarted' && event.version ? [event.version] : []));
    expect(versions).toEqual([{ patches: ['p1'] }, { patches: ['p2'] }]);
    expect(new TurnRejected('version-not-available', 'x').reason).toBe('version-not-available');
  });
});

describe('operations', () => {
  test('ids: refused or replaced as the start says; nonsense is refused', async () => {
    const engine = createEngine({ workflows: { chain }, activities: { add } });
    const start = (idReuse: 'unique' | 'terminal' | 'existing' | 'restart') => engine.operations.start({ name: 'chain', instanceId: '1', input: '0', idReuse });
    expect(await start('existing')).toEqual({ instanceId: '1', created: true });
    await ended(engine, '1');
    expect(await start('existing')).toEqual({ instanceId: '1', created: false });
    await expect(start('unique')).rejects.toSatisfy(isCode('ERR_WORKFLOW_ALREADY_EXISTS'));
    expect(await start('terminal')).toEqual({ instanceId: '1', created: true });
    expect(await ended(engine, '1')).toMatchObject({ output: '3' });
    await expect(engine.operations.start({ name: 'chain', instanceId: '' })).rejects.toSatisfy(isCode('ERR_WORKFLOW_INSTANCE_ID_INVALID'));
    await expect(engine.operations.raiseEvent('nobody', 'x')).rejects.toSatisfy(isCode('ERR_INSTANCE_ID_NOT_FOUND'));
  });

  test('a scheduled start, a wait for what is not there yet, and what is waited for', async () => {
    const event: WorkflowFunction = function* (context) {
      yield context.any([context.event('go'), context.timer(60_000)]);
      return 1;
    };
    const engine = createEngine({ workflows: { event } });
    const waited = engine.queries.waitFor('1', 'start', AbortSignal.timeout(5000));
    await engine.operations.start({ name: 'event', instanceId: '1', startAt: Date.now() + 100 });
    expect(await engine.queries.waits('1')).toMatchObject([{ on: 'start' }]);
    expect(await waited).toMatchObject({ status: 'running' });
    expect(await engine.queries.waits('1')).toMatchObject([{ on: 'timer', taskId: 2 }]);
    await engine.operations.raiseEvent('1', 'go');
    expect(await ended(engine, '1')).toMatchObject({ output: '1' });
    const nobody = createEngine({ appId: 'c' });
    await nobody.operations.start({ name: 'lonely', instanceId: '1' });
    expect(await nobody.queries.waits('1')).toMatchObject([{ on: 'worker', name: 'lonely' }]);
  });

  test('search by attribute, status and time; purge by filter; retention', async () => {
    const engine = createEngine({ workflows: { chain }, activities: { add } });
    for (let n = 0; n < 5; n++) await engine.operations.start({ name: 'chain', instanceId: `i${n}`, input: '0', attributes: { parity: n % 2 === 0 ? 'even' : 'odd' } });
    for (let n = 0; n < 5; n++) await ended(engine, `i${n}`);
    expect((await engine.queries.list({ limit: 10, attribute: { name: 'parity', value: 'odd' } })).instances.map(({ instanceId }) => instanceId)).toEqual(['i3', 'i1']);
    expect(await engine.operations.purgeMany({ attribute: { name: 'parity', value: 'odd' } })).toBe(2);
    expect(await engine.operations.purgeMany({ statuses: ['completed'], completedBefore: Date.now() + 1 })).toBe(3);
    expect(await engine.operations.purgeMany({ statuses: ['running'] }), 'only what has ended').toBe(0);
  });

  test('rerun from a step keeps what came before it, and runs it and what follows again', async () => {
    let calls = 0;
    const engine = createEngine({ workflows: { chain }, activities: { add: (input) => { calls++; return Number(input) + 1; } } });
    await engine.operations.start({ name: 'chain', instanceId: '1', input: '0' });
    await ended(engine, '1');
    calls = 0;
    const again = await engine.rerun({ instanceId: '1', eventId: 2, newInstanceId: '2', input: '10' });
    expect(await ended(engine, again)).toMatchObject({ status: 'completed', output: '12' });
    expect(calls).toBe(2);
    await expect(engine.rerun({ instanceId: '1', eventId: 99 })).rejects.toSatisfy(isCode('ERR_WORKFLOW_RERUN_TARGET'));
  });

  test('rerun from one of several steps of a turn orders those that came with it again, too', async () => {
    const ran: unknown[] = [];
    const fan: WorkflowFunction = function* (context) {
      return yield context.all([1, 2, 3].map((n) => context.activity('note', n)));
    };
    const engine = createEngine({ workflows: { fan }, activities: { note: (input) => { ran.push(input); return input; } } });
    await engine.operations.start({ name: 'fan', instanceId: '1' });
    await ended(engine, '1');
    const orders = (await engine.queries.history('1')).filter(({ event }) => event.kind === 'taskScheduled').map(({ event }) => event.id);
    ran.length = 0;
    await engine.rerun({ instanceId: '1', eventId: orders[1] ?? -1, newInstanceId: '2' });
    expect(await ended(engine, '2')).toMatchObject({ status: 'completed', output: '[1,2,3]' });
    expect(ran.toSorted()).toEqual([1, 2, 3]);
  });

  test('an instance whose history is a record is not rerun, and says what to do instead', async () => {
    const executor: WorkflowExecutor = { style: 'snapshot', inline: true, runTurn: () => ({ actions: [{ kind: 'complete', id: 0, status: 'completed' }], audit: [{ type: 'Done' }], snapshot: '1' }) };
    const engine = createEngine({ executor });
    await engine.operations.start({ name: 'machine', instanceId: '1' });
    await ended(engine, '1');
    await expect(engine.rerun({ instanceId: '1', eventId: 1 })).rejects.toThrow(/'1' cannot be rerun from event 1: .* is redriven/);
  });

  test('an executor that ends gracefully is told of termination and has the last word; force does not ask', async () => {
    const executor: WorkflowExecutor = {
      style: 'snapshot', inline: true, endsGracefully: true, names: () => ['saga'],
      runTurn: ({ newEvents, snapshot }) => {
        if (newEvents.some(({ kind }) => kind === 'executionTerminated')) return { actions: [{ kind: 'scheduleTask', id: 2, name: 'undo' }], snapshot: 'undoing', audit: [{ type: 'Undoing' }] };
        if (snapshot === 'undoing') return { actions: [{ kind: 'complete', id: 3, status: 'terminated', result: '"undone"' }], audit: [{ type: 'Undone' }] };
        return { actions: [], snapshot: 'waiting' };
      },
    };
    const engine = createEngine({ executor, activities: { undo: () => 1 } });
    await engine.operations.start({ name: 'saga', instanceId: '1', input: '1' });
    await engine.operations.start({ name: 'saga', instanceId: '2' });
    await engine.operations.terminate('1');
    expect(await ended(engine, '1')).toMatchObject({ status: 'terminated', input: '1', output: '"undone"' });
    const events = (await engine.queries.history('1')).map(({ event }) => event);
    expect(events.map((event: HistoryEvent) => (event.kind === 'audit' ? event.data : event.kind))).toEqual(['executionStarted', 'executionTerminated', { type: 'Undoing' }, { type: 'Undone' }, 'executionCompleted']);
    await engine.operations.start({ name: 'saga', instanceId: '3' });
    await engine.operations.suspend('3');
    await engine.operations.terminate('3');
    expect(await ended(engine, '3')).toMatchObject({ status: 'terminated', output: '"undone"' });
    await engine.operations.terminate('2', { force: true });
    expect(await engine.queries.get('2')).toMatchObject({ status: 'terminated' });
  });
});

test('instants: never early, to the nanosecond; the last of all never fires', () => {
  expect(dueAtOf('2026-01-01T00:00:00.123Z')).toBe(Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  expect(dueAtOf('2026-01-01T00:00:00.123000001Z')).toBe(Date.UTC(2026, 0, 1, 0, 0, 0, 124));
  expect(dueAtOf('9999-12-31T23:59:59.999999999Z')).toBeUndefined();
  expect(() => dueAtOf('soon')).toThrow(/no instant/);
});
