/** What doors with workers of their own need of the engine: activities asked for by name, tokens found by task, children with tags. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { POLLED_NAME, type Ledger } from '@mecha/components/kit';
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { Engine } from './engine.ts';
import type { Turn, TurnResult, WorkflowExecutor } from './executor.ts';
import type { WorkflowAction } from './vocabulary.ts';

let ledger: Ledger;
let engine: Engine;
const seen: Turn[] = [];
beforeEach(() => {
  seen.length = 0;
  ledger = createMemoryLedger({ clock: realClock });
  engine = new Engine({ appId: 'a', namespace: 'default', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), settings: { pollMs: 100 } });
});
afterEach(async () => {
  await engine.stop();
  await ledger.close();
});

/** First turn: these actions; each turn is remembered; ends with the result of a task. */
function scripted(actions: readonly WorkflowAction[], names = ['w']): WorkflowExecutor {
  return {
    style: 'snapshot',
    inline: true,
    names: () => names,
    runTurn: (turn): TurnResult => {
      seen.push(turn);
      if (turn.snapshot === undefined) return { snapshot: '{}', actions };
      const ended = turn.newEvents.find(({ kind }) => kind === 'taskCompleted' || kind === 'taskFailed' || kind === 'childCompleted' || kind === 'childFailed');
      return { actions: ended ? [{ kind: 'complete', id: -1, status: 'completed', result: JSON.stringify(ended) }] : [] };
    },
  };
}
const outputOf = async (instanceId: string): Promise<Record<string, unknown>> => {
  await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(10_000));
  return JSON.parse((await engine.queries.get(instanceId))?.output ?? '{}') as Record<string, unknown>;
};
const eventKinds = (): string[] => seen.flatMap(({ newEvents }) => newEvents.map(({ kind }) => kind)).filter((kind) => kind !== 'workflowStarted');

test('an activity for those who ask is left alone by executors that take all, and its workflow hears who took it', async () => {
  const run: string[] = [];
  engine.attachActivities({ runActivity: (request) => (run.push(request.name), { kind: 'completed' }) });
  engine.attachExecutor(scripted([{ kind: 'scheduleTask', id: 7, name: `${POLLED_NAME}pack`, input: '"x"' }]));
  engine.start();
  await engine.operations.start({ name: 'w', instanceId: '1' });
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(run).toEqual([]);
  expect(await engine.takeActivities(`${POLLED_NAME}other`, 5, () => ({ kind: 'eventRaised', id: -1, at: 0, name: 'no' }))).toEqual([]);
  const [taken, ...more] = await engine.takeActivities(`${POLLED_NAME}pack`, 5, ({ taskId }) => ({ kind: 'eventRaised', id: -1, at: 0, name: `taken ${taskId}` }));
  expect([taken?.input, more]).toEqual(['"x"', []]);
  await until(() => eventKinds().includes('eventRaised'));
  expect(await engine.takeActivities(`${POLLED_NAME}pack`, 5, () => ({ kind: 'eventRaised', id: -1, at: 0, name: 'no' }))).toEqual([]);
  const row = await ledger.workflows.find('default/a', '1');
  const token = await engine.findActivity({ instanceId: '1', executionId: row?.executionId ?? '', taskId: 7 });
  expect(token).toBe(taken?.token);
  expect(await engine.findActivity({ instanceId: '1', executionId: row?.executionId ?? '', taskId: 6 })).toBeUndefined();
  expect(await engine.findActivity({ instanceId: '1', executionId: 'another', taskId: 7 })).toBeUndefined();
  await engine.completeActivity(token ?? '', { kind: 'completed', result: '1' });
  expect(await outputOf('1')).toMatchObject({ kind: 'taskCompleted', result: '1' });
  expect(await engine.findActivity({ instanceId: '1', executionId: row?.executionId ?? '', taskId: 7 })).toBeUndefined();
});

test.each([
  ['silence', { heartbeatTimeoutMs: 60, totalTimeoutMs: 5000 }, 'ActivityHeartbeatTimeout'],
  ['lateness', { heartbeatTimeoutMs: 5000, totalTimeoutMs: 60 }, 'ActivityTimeout'],
])('%s of an activity fails it by its own name', async (_what, options, errorType) => {
  engine.attachActivities({ runActivity: () => ({ kind: 'deferred' }) });
  engine.attachExecutor(scripted([{ kind: 'scheduleTask', id: 1, name: 'wait', options }]));
  engine.start();
  await engine.operations.start({ name: 'w', instanceId: '1' });
  expect(await outputOf('1')).toMatchObject({ kind: 'taskFailed', failure: { errorType } });
});

test('a child is given tags and extra, and may be refused an id that was used', async () => {
  engine.attachExecutor(scripted([{ kind: 'createChild', id: 1, name: 'c', instanceId: 'child', tags: { machine: 'm' }, extra: { n: 1 }, idReuse: 'unique' }]));
  engine.attachExecutor({ style: 'snapshot', inline: true, names: () => ['c'], runTurn: (turn) => ({ actions: [{ kind: 'complete', id: -1, status: 'completed', result: JSON.stringify(turn.newEvents[1]?.extra) }] }) });
  engine.start();
  await engine.operations.start({ name: 'w', instanceId: '1' });
  expect(await outputOf('1')).toMatchObject({ kind: 'childCompleted', result: '{"n":1}' });
  const { instances } = await engine.queries.list({ attribute: { name: 'machine', value: 'm' }, limit: 10 });
  expect(instances.map(({ instanceId }) => instanceId)).toEqual(['child']);
  await engine.operations.start({ name: 'w', instanceId: '2' });
  expect(await outputOf('2')).toMatchObject({ kind: 'childFailed', failure: { errorType: 'ChildWorkflowExists' } });
});

test('an executor that asks for a name comes before one that takes all', async () => {
  engine.attachExecutor({ style: 'snapshot', inline: true, runTurn: () => ({ actions: [{ kind: 'complete', id: -1, status: 'completed', result: 'all' }] }) });
  engine.attachExecutor({ style: 'snapshot', inline: true, names: () => ['mine'], runTurn: () => ({ actions: [{ kind: 'complete', id: -1, status: 'completed', result: 'mine' }] }) });
  engine.start();
  for (const name of ['mine', 'other']) await engine.operations.start({ name, instanceId: name });
  await Promise.all(['mine', 'other'].map((id) => engine.queries.waitFor(id, 'end', AbortSignal.timeout(10_000))));
  expect([(await engine.queries.get('mine'))?.output, (await engine.queries.get('other'))?.output]).toEqual(['mine', 'all']);
});
