/** Sagas: what completed is undone from the last, each step until it succeeds or a person decides. */
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from './json.ts';
import { loadDefinition } from './load.ts';
import type { Machine } from './definition.ts';
import type { ScheduleTask } from './messages.ts';
import { sagaStatus } from './saga.ts';
import { drive, type Answer, type Driven, type DriveOptions } from './testing.ts';

const call = (name: string): string => `arn:mecha:invoke:::shop:${name}`;
/** A step that reserves `name`, and gives it back. */
const step = (name: string, next: string | undefined, more: JsonObject = {}, undo: JsonObject = {}): JsonObject => ({
  Type: 'Task',
  Resource: call(name),
  ResultPath: '$.last',
  Mecha: { Compensate: { Resource: call(`undo-${name}`), Parameters: { 'id.$': '$.last.id' }, ...undo } },
  ...(next === undefined ? { End: true } : { Next: next }),
  ...more,
});
const chain = (...names: readonly string[]): JsonObject => Object.fromEntries(names.map((name, at) => [name, step(name, names[at + 1])]));
const refused: JsonObject = { Type: 'Fail', Error: 'Refused', Cause: 'no' };

function load(states: JsonObject, more: JsonObject = {}): Machine {
  const { machine, diagnostics } = loadDefinition({ StartAt: Object.keys(states)[0] ?? '', States: states, ...more });
  if (!machine) throw new Error(JSON.stringify(diagnostics));
  return machine;
}

const operation = ({ resource }: ScheduleTask): string => resource.slice(resource.lastIndexOf(':') + 1);
const answer = (command: ScheduleTask): Answer => ({ output: { id: operation(command) } });
const calls = ({ commands }: Driven): string[] => commands.filter((command) => command.type === 'scheduleTask').map(operation);
const undone = (driven: Driven): string[] => calls(driven).filter((name) => name.startsWith('undo-'));
const undoneIn = async (states: JsonObject, options: DriveOptions = {}, more: JsonObject = {}): Promise<Driven> => drive(load(states, more), { task: answer, ...options });
const failing = (name: string, times: number): DriveOptions => {
  let left = times;
  return { task: (command) => (operation(command) === name && left-- > 0 ? { error: 'Down', cause: 'gone' } : answer(command)) };
};

describe('sagas', () => {
  test.each([1, 2, 3, 4])('a failure of step %i undoes the steps before it from the last', async (at) => {
    const driven = await undoneIn(chain('a', 'b', 'c', 'd'), failing(['a', 'b', 'c', 'd'][at - 1] ?? '', 1));
    expect(undone(driven)).toEqual(['undo-c', 'undo-b', 'undo-a'].slice(4 - at));
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Down', cause: 'gone' });
  });

  test('the arguments of an undoing are those of the moment when the step completed', async () => {
    const driven = await undoneIn({ ...chain('a', 'b'), b: step('b', 'F'), F: refused });
    const given = driven.commands.filter((command) => command.type === 'scheduleTask' && command.compensates).map((command) => (command as ScheduleTask).arguments);
    expect(given).toEqual([{ id: 'b' }, { id: 'a' }]);
  });

  test('the history tells the undoing as tasks of the type mecha-saga, and then the first error', async () => {
    const { history } = await undoneIn({ a: step('a', 'F'), F: refused });
    expect(history.slice(-5).map(({ type, previousEventId, details }) => [type, previousEventId, details?.['resource'] ?? details?.['error']])).toEqual([
      ['FailStateEntered', 6, undefined],
      ['TaskScheduled', 7, 'compensate:a'],
      ['TaskStarted', 8, 'compensate:a'],
      ['TaskSucceeded', 9, 'compensate:a'],
      ['ExecutionFailed', 10, 'Refused'],
    ]);
  });

  test('an undoing that fails is tried again with the same idempotency key', async () => {
    const driven = await undoneIn({ a: step('a', 'F'), F: refused }, failing('undo-a', 3));
    const tries = driven.commands.filter((command): command is ScheduleTask => command.type === 'scheduleTask' && command.compensates !== undefined);
    expect(tries.map(({ attempt }) => attempt)).toEqual([0, 1, 2, 3]);
    expect(new Set(tries.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Refused' });
  });

  test('out of retries it parks: the execution runs on, and says what it waits for', async () => {
    const { snapshot } = await undoneIn({ a: step('a', 'b'), b: step('b', 'F', {}, { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] }), F: refused }, failing('undo-b', 9));
    expect(snapshot.status).toBe('RUNNING');
    expect(snapshot.saga?.steps.map(({ stateName, status, error, attempts }) => [stateName, status, error, attempts])).toEqual([
      ['a', 'DUE', undefined, 0],
      ['b', 'PARKED', 'Down', 2],
    ]);
  });

  test.each([
    ['compensationRetried', ['undo-b', 'undo-b', 'undo-a']],
    ['compensationSkipped', ['undo-b', 'undo-a']],
  ] as const)('%s lets a parked undoing go on', async (type, expected) => {
    const driven = await undoneIn({ a: step('a', 'b'), b: step('b', 'F', {}, { Retry: [] }), F: refused }, { ...failing('undo-b', 1), at: [{ ms: 60_000, event: { type, step: 2 } }] });
    expect(undone(driven)).toEqual(expected);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Refused' });
  });

  test.each([
    ['Continue', ['undo-b', 'undo-a'], []],
    ['Fail', ['undo-b'], ['a', 'b']],
  ])('OnCompensationFailure %s', async (after, expected, left) => {
    const driven = await undoneIn({ a: step('a', 'b'), b: step('b', 'F', {}, { Retry: [] }), F: refused }, failing('undo-b', 9), { Mecha: { Saga: { OnCompensationFailure: after } } });
    expect(undone(driven)).toEqual(expected);
    expect(driven.snapshot.saga?.steps.map(({ stateName }) => stateName)).toEqual(left);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Refused' });
  });

  test('an execution that ends well forgets its steps', async () => {
    const driven = await undoneIn(chain('a', 'b'));
    expect(driven.snapshot.saga?.steps).toEqual([]);
    expect(undone(driven)).toEqual([]);
  });

  test('a stop request undoes, a running task among them, and ends as ABORTED', async () => {
    const driven = await undoneIn(chain('a', 'b'), { task: (command) => (operation(command) === 'b' ? undefined : answer(command)), at: [{ ms: 5, event: { type: 'stopRequested', error: 'Stop', cause: 'by hand' } }] });
    expect(undone(driven)).toEqual(['undo-b', 'undo-a']);
    expect(driven.snapshot).toMatchObject({ status: 'ABORTED', error: 'Stop', cause: 'by hand' });
    expect(driven.history.at(-1)).toMatchObject({ type: 'ExecutionAborted', previousEventId: 0 });
  });

  test('a stop request while steps are undone does not stop the undoing', async () => {
    const slow: DriveOptions['task'] = (command) => ({ ...answer(command), ...(operation(command) === 'undo-b' ? { afterMs: 1_000 } : {}) });
    const driven = await undoneIn({ a: step('a', 'b'), b: step('b', 'F'), F: refused }, { task: slow, at: [{ ms: 500, event: { type: 'stopRequested' } }] });
    expect(undone(driven)).toEqual(['undo-b', 'undo-a']);
    // It said nothing of its own: what went wrong first is still told.
    expect(driven.snapshot).toMatchObject({ status: 'ABORTED', error: 'Refused', cause: 'no' });
  });

  test('of two stop requests the first is told', async () => {
    const slow: DriveOptions['task'] = (command) => ({ ...answer(command), ...(operation(command) === 'undo-a' ? { afterMs: 1_000 } : {}) });
    const stop = (ms: number, error: string) => ({ ms, event: { type: 'stopRequested' as const, error } });
    const driven = await undoneIn({ a: step('a', 'W'), W: { Type: 'Wait', Seconds: 100, End: true } }, { task: slow, at: [stop(50, 'First'), stop(500, 'Second')] });
    expect(driven.snapshot).toMatchObject({ status: 'ABORTED', error: 'First' });
  });

  test('the timeout of the execution undoes and ends as TIMED_OUT', async () => {
    const driven = await undoneIn({ a: step('a', 'W'), W: { Type: 'Wait', Seconds: 100, End: true } }, {}, { TimeoutSeconds: 10 });
    expect(undone(driven)).toEqual(['undo-a']);
    expect(driven.snapshot.status).toBe('TIMED_OUT');
  });

  test('the time of a saga is over: it is undone and ends as TIMED_OUT', async () => {
    const driven = await undoneIn({ a: step('a', 'W'), W: { Type: 'Wait', Seconds: 100, End: true } }, {}, { Mecha: { Saga: { TimeoutSeconds: 10 } } });
    expect(undone(driven)).toEqual(['undo-a']);
    expect(driven.snapshot).toMatchObject({ status: 'TIMED_OUT', waiting: {} });
    expect(sagaStatus(driven.snapshot)).toBe('COMPENSATED');
    expect(driven.endMs - Date.UTC(2025, 0, 1)).toBe(10_000);
  });

  test('the time of a branch of its own is over: it alone is undone, and the state above can catch States.Timeout', async () => {
    const own: JsonObject = { Mecha: { Saga: { Propagation: 'REQUIRES_NEW', TimeoutSeconds: 10 } }, StartAt: 'x', States: { x: step('x', 'W'), W: { Type: 'Wait', Seconds: 100, End: true } } };
    const states: JsonObject = { a: step('a', 'P'), P: { Type: 'Parallel', Branches: [own], Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.e', Next: 'Z' }], End: true }, Z: { Type: 'Pass', OutputPath: '$.e', End: true } };
    const driven = await undoneIn(states);
    expect(undone(driven)).toEqual(['undo-x']);
    expect(driven.snapshot).toMatchObject({ status: 'SUCCEEDED', output: '{"Error":"States.Timeout","Cause":"The saga did not end in time."}', waiting: {} });
  });

  test('a saga that ended in time leaves no clock behind, be it by its end, its failure or complete', async () => {
    const timed = { Mecha: { Saga: { TimeoutSeconds: 1000 } } };
    expect((await undoneIn(chain('a'), {}, timed)).snapshot.waiting).toEqual({});
    expect((await undoneIn({ a: step('a', 'F'), F: refused }, {}, timed)).snapshot.waiting).toEqual({});
    const complete: JsonObject = { a: step('a', 'K'), K: { Type: 'Task', Resource: 'arn:mecha:saga:::complete', ResultPath: null, Next: 'W' }, W: { Type: 'Wait', Seconds: 2000, End: true } };
    expect((await undoneIn(complete, {}, timed)).snapshot.status).toBe('SUCCEEDED');
  });

  test('a timeout in a part of the saga around it is refused', () => {
    const branch: JsonObject = { Mecha: { Saga: { TimeoutSeconds: 10 } }, StartAt: 'x', States: { x: step('x', undefined) } };
    const { diagnostics } = loadDefinition({ StartAt: 'P', States: { P: { Type: 'Parallel', Branches: [branch], End: true } } });
    expect(diagnostics.map(({ location }) => location)).toEqual(['/States/P/Branches/0/Mecha/Saga/TimeoutSeconds']);
  });

  test('a word of a person about an older state of things changes nothing', async () => {
    const states: JsonObject = { a: step('a', 'F', {}, { Retry: [] }), F: refused };
    const stale = await undoneIn(states, { ...failing('undo-a', 1), at: [{ ms: 60_000, event: { type: 'compensationSkipped', step: 1, attempts: 0 } }] });
    expect([stale.snapshot.status, sagaStatus(stale.snapshot)]).toEqual(['RUNNING', 'FAILED_TO_COMPENSATE']);
    const skipped = await undoneIn(states, { ...failing('undo-a', 1), at: [{ ms: 60_000, event: { type: 'compensationSkipped', step: 1, attempts: 1, reason: 'paid back by hand' } }] });
    expect(sagaStatus(skipped.snapshot)).toBe('COMPENSATED');
    expect(skipped.snapshot.saga?.leftDone).toEqual([{ step: 1, stateName: 'a', by: 'person', reason: 'paid back by hand', error: 'Down' }]);
    expect(skipped.history.at(-2)).toMatchObject({ type: 'TaskSucceeded', details: { resource: 'compensate:a', output: '{"skipped":true,"reason":"paid back by hand"}' } });
  });

  test('what could not be described is undone with the arguments that a person gives', async () => {
    const driven = await undoneIn({ a: step('a', 'F', {}, { Parameters: { 'x.$': '$.no' } }), F: refused }, { at: [{ ms: 1_000, event: { type: 'compensationRetried', step: 1, attempts: 0, arguments: { x: 1 } } }] });
    expect(driven.commands.filter((command) => command.type === 'scheduleTask' && command.compensates).map((command) => (command as ScheduleTask).arguments)).toEqual([{ x: 1 }]);
    expect(driven.snapshot.status).toBe('FAILED');
  });

  test('On without a trigger leaves things as they are', async () => {
    const driven = await undoneIn({ a: step('a', 'F'), F: refused }, {}, { Mecha: { Saga: { On: ['Abort'] } } });
    expect(undone(driven)).toEqual([]);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Refused' });
  });

  test('a step that timed out counts as completed, one that failed does not', async () => {
    const once = step('a', undefined, { TimeoutSeconds: 5 }, { Parameters: { k: 1 } });
    expect(undone(await undoneIn({ a: once }, { task: (command) => (operation(command) === 'a' ? undefined : answer(command)) }))).toEqual(['undo-a']);
    expect(undone(await undoneIn({ a: once }, failing('a', 1)))).toEqual([]);
    expect(undone(await undoneIn({ a: step('a', undefined, {}, { Parameters: { k: 1 }, When: 'StartedOrCompleted' }) }, failing('a', 1)))).toEqual(['undo-a']);
  });

  test('a step that timed out once and then failed counts as completed', async () => {
    let tries = 0;
    const task: DriveOptions['task'] = (command) => (operation(command) !== 'a' ? answer(command) : tries++ === 0 ? undefined : { error: 'No' });
    const driven = await undoneIn({ a: step('a', undefined, { TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.Timeout'] }] }, { Parameters: { k: 1 } }) }, { task });
    expect(undone(driven)).toEqual(['undo-a']);
    expect(driven.snapshot.error).toBe('No');
  });

  test('that an earlier step timed out says nothing about a later one', async () => {
    let tries = 0;
    const task: DriveOptions['task'] = (command) => (operation(command) === 'a' && tries++ === 0 ? undefined : operation(command) === 'b' ? { error: 'No' } : answer(command));
    const driven = await undoneIn({ a: step('a', 'b', { TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.Timeout'] }] }), b: step('b', undefined) }, { task });
    expect(undone(driven)).toEqual(['undo-a']);
  });

  test('a step whose undoing cannot be described is kept for a person', async () => {
    const driven = await undoneIn({ a: step('a', 'F', {}, { Parameters: { 'x.$': '$.no' } }), F: refused });
    expect(driven.snapshot.status).toBe('RUNNING');
    expect(driven.snapshot.saga?.steps).toMatchObject([{ stateName: 'a', status: 'PARKED', error: 'States.Runtime' }]);
  });

  test('branches and iterations belong to the scope around them', async () => {
    const branch = (name: string): JsonObject => ({ StartAt: name, States: { [name]: step(name, undefined) } });
    const states: JsonObject = { a: step('a', 'P'), P: { Type: 'Parallel', Branches: [branch('x'), branch('y')], ResultPath: null, Next: 'F' }, F: refused };
    expect(undone(await undoneIn(states))).toEqual(['undo-y', 'undo-x', 'undo-a']);
    const items: JsonObject = { M: { Type: 'Map', ItemsPath: '$.l', ItemProcessor: { StartAt: 'i', States: { i: { ...step('i', undefined), ResultPath: '$.last' } } }, ResultPath: null, Next: 'F' }, F: refused };
    expect(undone(await undoneIn(items, { input: '{"l":[{},{},{}]}' }))).toEqual(['undo-i', 'undo-i', 'undo-i']);
  });

  test('a branch with a scope of its own is undone before its failure goes up, and not again', async () => {
    const own: JsonObject = { Mecha: { Saga: { Propagation: 'REQUIRES_NEW' } }, StartAt: 'x', States: { x: step('x', 'X'), X: { Type: 'Fail', Error: 'Inner' } } };
    const states: JsonObject = { a: step('a', 'P'), P: { Type: 'Parallel', Branches: [own], Catch: [{ ErrorEquals: ['Inner'], ResultPath: null, Next: 'Z' }], End: true }, Z: { Type: 'Pass', End: true } };
    const driven = await undoneIn(states);
    expect(undone(driven)).toEqual(['undo-x']);
    expect(driven.snapshot.status).toBe('SUCCEEDED');
  });

  test('a Catch with Compensate undoes first and then goes on', async () => {
    const states: JsonObject = { a: step('a', 'b'), b: step('b', undefined, { Catch: [{ ErrorEquals: ['Down'], ResultPath: '$.error', Mecha: { Compensate: true }, Next: 'Z' }] }), Z: { Type: 'Pass', OutputPath: '$.error', End: true } };
    const driven = await undoneIn(states, failing('b', 1));
    expect(undone(driven)).toEqual(['undo-a']);
    expect(driven.snapshot).toMatchObject({ status: 'SUCCEEDED', output: '{"Error":"Down","Cause":"gone"}' });
  });

  test('the task saga compensate undoes back to a state; complete forgets', async () => {
    const undo = (args: Json): JsonObject => ({ Type: 'Task', Resource: 'arn:mecha:saga:::compensate', Parameters: args, ResultPath: '$.undone', Next: 'K' });
    const states: JsonObject = { ...chain('a', 'b', 'c'), c: step('c', 'U'), U: undo({ UpTo: 'b' }), K: { Type: 'Task', Resource: 'arn:mecha:saga:::complete', ResultPath: '$.kept', Next: 'F' }, F: { Type: 'Fail', Error: 'E', CausePath: "States.Format('{} {}', $.undone[0], $.kept[0])" } };
    const driven = await undoneIn(states);
    expect(undone(driven)).toEqual(['undo-c', 'undo-b']);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'E', cause: 'c a' });
  });

  test('MaxConcurrency undoes several at a time', async () => {
    const driven = await undoneIn({ ...chain('a', 'b', 'c'), c: step('c', 'F'), F: refused }, { task: (command) => ({ ...answer(command), ...(operation(command).startsWith('undo') ? { afterMs: 1_000 } : {}) }) }, { Mecha: { Saga: { MaxConcurrency: 3 } } });
    expect(driven.endMs - Date.UTC(2025, 0, 1)).toBe(1_000);
  });

  test('a thousand steps are undone', async () => {
    const states: JsonObject = {
      N: { Type: 'Pass', Assign: { n: 0 }, Next: 'a' },
      a: { Type: 'Task', Resource: call('a'), ResultPath: null, Assign: { 'n.$': 'States.MathAdd($n, 1)' }, Mecha: { Compensate: { Resource: call('undo-a'), Parameters: { 'n.$': '$n' } } }, Next: 'C' },
      C: { Type: 'Choice', Choices: [{ Variable: '$n', NumericLessThan: 1000, Next: 'a' }], Default: 'F' },
      F: refused,
    };
    const driven = await undoneIn(states);
    expect(undone(driven).length).toBe(1000);
    expect(driven.snapshot).toMatchObject({ status: 'FAILED', error: 'Refused' });
  });
});
