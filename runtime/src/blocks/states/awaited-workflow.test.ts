/** Tasks that wait for a workflow of SDK workers: `arn:mecha:workflow:::<name>:start.sync`. */
import { describe, expect, test } from 'vitest';
import { until } from '@mecha/components/kit/testing.ts';
import { functionExecutor, type WorkflowFunction } from '../../engine/testing.ts';
import { createStatesBench } from './testing.ts';
import type { Fields } from './request-fields.ts';

const bench = createStatesBench();
const SHIP = 'arn:mecha:workflow:::ship:start.sync';
const one = (state: Fields): Fields => ({ StartAt: 'S', States: { S: { Type: 'Task', Resource: SHIP, End: true, ...state } } });

/** A worker of the app; the ids of what it began. */
async function worker(ship: WorkflowFunction): Promise<string[]> {
  const begun: string[] = [];
  (await bench.engine()).attachExecutor(functionExecutor({
    * ship(context): ReturnType<WorkflowFunction> {
      if (!begun.includes(context.instanceId)) begun.push(context.instanceId);
      return yield* ship(context);
    },
  }));
  return begun;
}
const statusOf = async (instanceId: string): Promise<string | undefined> => (await (await bench.engine()).queries.get(instanceId))?.status;
const waits: WorkflowFunction = function* (context) {
  return yield context.event('go');
};

describe('what is paused', () => {
  const WAIT: Fields = { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 600, End: true } } };
  test('ends when it is stopped, also by an execution that gives it up', async () => {
    const child = await bench.create('child', WAIT);
    const [alone, nested, paused] = [await bench.started(child, {}, { name: 'alone' }), await bench.started(await bench.create('parent', one({ Resource: 'arn:aws:states:::states:startExecution.sync', Parameters: { StateMachineArn: child, Name: 'nested' } }))), await bench.started(await bench.create('m', one({ Parameters: { InstanceId: 'ship-7' } })))];
    const begun = await worker(waits);
    await until(() => begun.length === 1);
    const { operations } = await bench.engine();
    for (const instanceId of ['execution:child:alone', 'execution:child:nested', 'ship-7']) await operations.suspend(instanceId);
    for (const executionArn of [alone, nested, paused]) await bench.call('StopExecution', { executionArn });
    for (const executionArn of [alone, nested, paused, alone.replace('alone', 'nested')]) expect((await bench.ended(executionArn)).status).toBe('ABORTED');
    await until(async () => (await statusOf('ship-7')) === 'terminated');
  });
});

describe('a task that waits for a workflow', () => {
  test('has its output as result, under an id that the history tells when it was begun', async () => {
    const begun = await worker(function* (context) {
      yield context.timer(1);
      return { shipped: (context.input as { order: number }).order };
    });
    const executionArn = await bench.started(await bench.create('m', one({ Parameters: { Input: { 'order.$': '$.order' } } })), { order: 7 });
    expect(await bench.ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"shipped":7}' });
    expect(begun).toEqual([expect.stringMatching(/^task-[0-9a-f]{32}$/)]);
    expect(await bench.types(executionArn)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    const { events } = await bench.call<{ events: Fields[] }>('GetExecutionHistory', { executionArn });
    expect(events[4]).toMatchObject({ taskSubmittedEventDetails: { output: JSON.stringify({ InstanceId: begun[0] }), resourceType: 'mecha-workflow', resource: 'ship:start.sync' } });
  });

  test('an output that is no JSON is text, and none is null', async () => {
    (await bench.engine()).attachExecutor({
      style: 'replay', inline: true, names: () => ['ship'],
      runTurn: ({ instance: { instanceId } }) => ({ actions: [{ kind: 'complete', id: 1, status: 'completed', ...(instanceId === 'words' ? { result: 'all shipped' } : {}) }] }),
    });
    const machine = await bench.create('m', one({ Parameters: { 'InstanceId.$': '$' } }));
    expect((await bench.ended(await bench.started(machine, 'words'))).output).toBe('"all shipped"');
    expect((await bench.ended(await bench.started(machine, 'none'))).output).toBe('null');
  });

  test('fails by the name and words of its failure, which can be caught; a retry begins another one', async () => {
    const begun = await worker(function* (context) {
      yield context.timer(1);
      throw Object.assign(new Error(`no carrier for ${String(context.input)}`), { name: 'NoCarrier' });
    });
    const retried = one({ Parameters: { Input: 3 }, Retry: [{ ErrorEquals: ['NoCarrier'], IntervalSeconds: 1, MaxAttempts: 1 }] });
    expect(await bench.ended(await bench.started(await bench.create('m', retried)))).toMatchObject({ status: 'FAILED', error: 'NoCarrier', cause: 'no carrier for 3' });
    expect(new Set(begun).size).toBe(2);
  });

  test('is stopped with the execution, which is aborted, and with its children', async () => {
    const begun = await worker(waits);
    const executionArn = await bench.started(await bench.create('m', one({ Parameters: { InstanceId: 'ship-7' } })));
    await until(() => begun.length === 1);
    await bench.call('StopExecution', { executionArn, error: 'E' });
    expect(await bench.ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'E' });
    await until(async () => (await statusOf('ship-7')) === 'terminated');
  });

  test('is stopped with the execution also when no worker is there, and before any was', async () => {
    const machine = await bench.create('m', one({ Parameters: { 'InstanceId.$': '$' } }));
    const other = await bench.create('n', one({ Parameters: { 'InstanceId.$': '$', AppId: 'other' } }));
    const executions = [await bench.started(machine, 'a'), await bench.started(other, 'b')];
    expect(await statusOf('a')).toBe('pending');
    for (const executionArn of executions) await bench.call('StopExecution', { executionArn });
    await until(async () => (await statusOf('a')) === 'terminated');
    await until(async () => (await bench.ledger.workflows.find('default/other', 'b'))?.status === 'terminated');
  });

  test('is stopped by the time of the task', async () => {
    await worker(waits);
    const executionArn = await bench.started(await bench.create('m', one({ Parameters: { InstanceId: 'ship-7' }, TimeoutSeconds: 1 })));
    expect(await bench.ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    await until(async () => (await statusOf('ship-7')) === 'terminated');
  });

  test('one that somebody terminates or purges fails the task by that name', async () => {
    const begun = await worker(waits);
    const machine = await bench.create('m', one({ Parameters: { 'InstanceId.$': '$' } }));
    const executions = [await bench.started(machine, 'a'), await bench.started(machine, 'b')];
    await until(() => begun.length === 2);
    const { operations } = await bench.engine();
    await operations.terminate('a');
    await operations.purge('b', { force: true });
    expect((await Promise.all(executions.map((each) => bench.ended(each)))).map(({ error }) => error)).toEqual(['WorkflowTerminated', 'WorkflowPurged']);
  });

  test('an id in use fails the task and leaves whoever has it alone; one that has ended is replaced', async () => {
    const begun = await worker(waits);
    const machine = await bench.create('m', one({ Parameters: { InstanceId: 'ship-7' } }));
    const first = await bench.started(machine);
    await until(() => begun.length === 1);
    expect(await bench.ended(await bench.started(machine))).toMatchObject({ status: 'FAILED', error: 'WorkflowExists', cause: expect.stringContaining('ship-7') as unknown });
    const { operations } = await bench.engine();
    await operations.raiseEvent('ship-7', 'go', '1');
    expect((await bench.ended(first)).output).toBe('1');
    const third = await bench.started(machine);
    await until(async () => (await statusOf('ship-7')) === 'running');
    await operations.raiseEvent('ship-7', 'go', '2');
    expect((await bench.ended(third)).output).toBe('2');
  });

  test('goes on over a restart while it waits', async () => {
    await worker(waits);
    const executionArn = await bench.started(await bench.create('m', one({ Parameters: { InstanceId: 'ship-7' } })));
    await until(async () => (await statusOf('ship-7')) === 'running');
    await bench.restart();
    await worker(waits);
    await (await bench.engine()).operations.raiseEvent('ship-7', 'go', '"gone"');
    expect((await bench.ended(executionArn)).output).toBe('"gone"');
  });

  test('arguments that it cannot take fail it before anything is begun', async () => {
    const begun = await worker(waits);
    for (const [name, parameters, error, words] of [
      ['a', { InstanceId: 'execution:m:1' }, 'ERR_INSTANCE_ID_INVALID', 'only alphanumeric'],
      ['b', { InstanceId: 7 }, 'States.Runtime', 'InstanceId'],
      ['c', { StartTime: '2030-01-01T00:00:00Z' }, 'States.Runtime', 'StartTime'],
      ['d', { AppId: 'no app' }, 'States.Runtime', 'AppId'],
    ] as const) {
      const executionArn = await bench.started(await bench.create(name, one({ Parameters: parameters })));
      expect(await bench.ended(executionArn)).toMatchObject({ status: 'FAILED', error, cause: expect.stringContaining(words) as unknown });
      expect(await bench.types(executionArn)).toContain('TaskStartFailed');
    }
    expect(begun).toEqual([]);
  });

  test('is refused where nothing can wait: at other operations, in EXPRESS machines, as an undoing; and tested by a mock alone', async () => {
    const create = (definition: Fields, more: Fields = {}): Promise<string> => bench.failing('CreateStateMachine', { name: 'm', roleArn: 'arn:aws:iam::000000000000:role/r', definition: JSON.stringify(definition), ...more });
    expect(await create(one({ Resource: 'arn:mecha:workflow:::ship:raise.sync' }))).toContain("'.sync' exists for nested executions and for arn:mecha:workflow:::<name>:start");
    expect(await create(one({}), { type: 'EXPRESS' })).toContain("Express state machine does not support '.sync' service integration");
    expect(await create(one({ Mecha: { Compensate: { Resource: SHIP } } }))).toContain('no .sync');
    const definition = JSON.stringify({ Type: 'Task', Resource: SHIP, End: true });
    expect(await bench.failing('TestState', { definition, input: '{}' })).toContain('a mock is needed');
    expect(await bench.call('TestState', { definition, input: '{}', mock: { result: '{"shipped":7}' } })).toMatchObject({ status: 'SUCCEEDED', output: '{"shipped":7}' });
  });
});
