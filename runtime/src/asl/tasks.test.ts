/** Tasks as commands and history: the three families, callbacks, timeouts, nested executions, siblings that are stopped. */
import { describe, expect, test } from 'vitest';
import type { Machine } from './definition.ts';
import type { JsonObject } from './json.ts';
import { loadDefinition } from './load.ts';
import type { Command, HistoryEvent, TurnEvent } from './messages.ts';
import { runTurn } from './run-turn.ts';
import { drive, type Driven, type DriveOptions } from './testing.ts';

function load(states: JsonObject, more: JsonObject = {}): Machine {
  const { machine, diagnostics } = loadDefinition({ StartAt: Object.keys(states)[0] ?? '', States: states, ...more });
  if (!machine) throw new Error(JSON.stringify(diagnostics));
  return machine;
}

const LAMBDA = 'arn:aws:lambda:us-east-1:000000000000:function:charge';
const ACTIVITY = 'arn:aws:states:us-east-1:000000000000:activity:pack';
const QUEUE = 'arn:aws:states:::sqs:sendMessage.waitForTaskToken';
const CHILD = 'arn:aws:states:us-east-1:000000000000:stateMachine:child';
const task = (Resource: string, more: JsonObject = {}): JsonObject => ({ T: { Type: 'Task', Resource, End: true, ...more } });
const trace = (history: readonly HistoryEvent[]): string[] => history.map(({ id, previousEventId, type }) => `${id}<-${previousEventId} ${type}`);
const run = (states: JsonObject, options: DriveOptions = {}): Promise<Driven> => drive(load(states), options);
const detailsOf = (history: readonly HistoryEvent[], type: string): JsonObject | undefined => history.find((event) => event.type === type)?.details;

describe('tasks', () => {
  test('a function has events and details of its own', async () => {
    const { history } = await run(task(LAMBDA, { TimeoutSeconds: 9 }), { input: '{"a":1}', task: () => ({ output: [1] }) });
    expect(trace(history).slice(2)).toEqual(['3<-2 LambdaFunctionScheduled', '4<-3 LambdaFunctionStarted', '5<-4 LambdaFunctionSucceeded', '6<-5 TaskStateExited', '7<-6 ExecutionSucceeded']);
    expect(history[2]).toMatchObject({ detailsName: 'lambdaFunctionScheduledEventDetails', details: { resource: LAMBDA, input: '{"a":1}', timeoutInSeconds: 9 } });
    expect(history[3]).not.toHaveProperty('details');
  });

  test('a function that is caught and one that is tried again leave the traces of the real service', async () => {
    const fails = { task: () => ({ error: 'E', cause: 'C' }) };
    const caught = await run({ ...task(LAMBDA, { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'P' }] }), P: { Type: 'Pass', End: true } }, fails);
    expect(trace(caught.history).slice(2, 6)).toEqual(['3<-2 LambdaFunctionScheduled', '4<-3 LambdaFunctionStarted', '5<-4 LambdaFunctionFailed', '6<-5 TaskStateExited']);
    expect(detailsOf(caught.history, 'TaskStateExited')).toMatchObject({ output: '{"Error":"E","Cause":"C"}' });
    const again = await run(task(LAMBDA, { Retry: [{ ErrorEquals: ['E'], MaxAttempts: 1 }] }), fails);
    expect(trace(again.history).slice(4)).toEqual(['5<-4 LambdaFunctionFailed', '6<-5 LambdaFunctionScheduled', '7<-6 LambdaFunctionStarted', '8<-7 LambdaFunctionFailed', '9<-8 ExecutionFailed']);
  });

  test('an activity says who works on it', async () => {
    const machine = load(task(ACTIVITY, { HeartbeatSeconds: 5 }));
    const first = await turn(machine, undefined, started());
    const [command] = first.commands;
    expect(command).toMatchObject({ type: 'scheduleTask', resource: ACTIVITY, token: 'token-1', heartbeatSeconds: 5 });
    const second = await turn(machine, first.snapshot, { type: 'taskStarted', id: '1', workerName: 'w' });
    const third = await turn(machine, second.snapshot, { type: 'taskSucceeded', id: '1', output: '{ "a": 1 }' });
    expect(trace([...first.history, ...second.history, ...third.history]).slice(2)).toEqual(['3<-2 ActivityScheduled', '4<-3 ActivityStarted', '5<-4 ActivitySucceeded', '6<-5 TaskStateExited', '7<-6 ExecutionSucceeded']);
    expect(second.history[0]?.details).toEqual({ workerName: 'w' });
    expect(third.snapshot.output).toBe('{ "a": 1 }');
  });

  test('a callback hands its token out, and each try a new one', async () => {
    const seen: unknown[] = [];
    const driven = await run(task(QUEUE, { Parameters: { MessageBody: { 'token.$': '$$.Task.Token', 'try.$': '$$.State.RetryCount' } }, Retry: [{ ErrorEquals: ['E'] }] }), {
      task: (command) => {
        seen.push(command.arguments, command.token);
        return seen.length === 2 ? { error: 'E' } : { output: 'done' };
      },
    });
    expect(seen).toEqual([{ MessageBody: { token: 'token-1', try: 0 } }, 'token-1', { MessageBody: { token: 'token-3', try: 1 } }, 'token-3']);
    expect(detailsOf(driven.history, 'TaskScheduled')).toEqual({ resourceType: 'sqs', resource: 'sendMessage.waitForTaskToken', region: 'us-east-1', parameters: '{"MessageBody":{"token":"token-1","try":0}}' });
  });

  test('a callback that was sent, and that failed to be sent', async () => {
    const machine = load(task(QUEUE));
    const first = await turn(machine, undefined, started());
    const second = await turn(machine, first.snapshot, { type: 'taskSubmitted', id: '1', output: '{"MessageId":"m"}' });
    expect(trace(second.history)).toEqual(['4<-3 TaskStarted', '5<-4 TaskSubmitted']);
    const third = await turn(machine, second.snapshot, { type: 'taskTimedOut', id: '1', heartbeat: true });
    expect(trace(third.history)).toEqual(['6<-5 TaskTimedOut', '7<-6 ExecutionFailed']);
    expect(third.history.map(({ details }) => details)).toEqual([{ resourceType: 'sqs', resource: 'sendMessage.waitForTaskToken', error: 'States.Timeout' }, { error: 'States.Timeout' }]);
    const failed = await turn(machine, first.snapshot, { type: 'taskFailed', id: '1', error: 'SQS.Down', stage: 'submit' });
    expect(trace(failed.history)).toEqual(['4<-3 TaskStarted', '5<-4 TaskSubmitFailed', '6<-5 ExecutionFailed']);
  });

  test.each<[string, string, JsonObject]>([
    ['', 'SUCCEEDED', { ExecutionArn: 'arn:aws:states:us-east-1:000000000000:execution:child:child-of-1', StartDate: Date.UTC(2025, 0, 1) }],
    ['.sync', 'SUCCEEDED', { Input: '{"a":1}', Output: '{"a":1}', Status: 'SUCCEEDED', Name: 'child-of-1' }],
    ['.sync:2', 'SUCCEEDED', { Input: { a: 1 }, Output: { a: 1 }, Status: 'SUCCEEDED' }],
  ])('startExecution%s', async (suffix, status, output) => {
    const { snapshot } = await run(task(`arn:aws:states:::states:startExecution${suffix}`, { Parameters: { StateMachineArn: CHILD, Input: { 'a.$': '$.a' } } }), { input: '{"a":1}', machines: { [CHILD]: load({ P: { Type: 'Pass', End: true } }) } });
    expect(snapshot.status).toBe(status);
    expect(JSON.parse(snapshot.output ?? 'null')).toMatchObject(output);
  });

  test('a nested execution that fails fails the task with its description', async () => {
    const { snapshot, history } = await run(task('arn:aws:states:::states:startExecution.sync', { Parameters: { StateMachineArn: CHILD } }), { machines: { [CHILD]: load({ F: { Type: 'Fail', Error: 'E', Cause: 'C' } }) } });
    expect(snapshot.error).toBe('States.TaskFailed');
    expect(JSON.parse(snapshot.cause ?? '')).toMatchObject({ Cause: 'C', Error: 'E', Status: 'FAILED', Input: '{}' });
    expect(trace(history).slice(2)).toEqual(['3<-2 TaskScheduled', '4<-3 TaskStarted', '5<-4 TaskSubmitted', '6<-5 TaskFailed', '7<-6 ExecutionFailed']);
    const slow = await run(task('arn:aws:states:::states:startExecution.sync', { TimeoutSeconds: 5, Parameters: { StateMachineArn: CHILD } }), { machines: { [CHILD]: load({ W: { Type: 'Wait', Seconds: 9, End: true } }) } });
    expect(slow.snapshot).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    const missing = await run(task('arn:aws:states:::states:startExecution', { Parameters: { StateMachineArn: 'arn:no' } }));
    expect(missing.snapshot.error).toBe('StepFunctions.StateMachineDoesNotExistException');
  });

  test('a result that is too large fails the task and can be caught', async () => {
    const { snapshot, history } = await run({ ...task('arn:mecha:invoke:::a:b', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'P' }] }), P: { Type: 'Pass', OutputPath: '$.Error', End: true } }, { task: () => ({ output: 'x'.repeat(262_144) }) });
    expect(snapshot.output).toBe('"States.DataLimitExceeded"');
    expect(detailsOf(history, 'TaskFailed')).toMatchObject({ cause: "The state/task 'mecha-invoke' returned a result with a size exceeding the maximum number of bytes service limit." });
  });

  test('events twice, too late or about others change nothing', async () => {
    const machine = load({ ...task('arn:mecha:invoke:::a:b', { Next: 'W', End: false }), W: { Type: 'Wait', Seconds: 5, End: true } });
    const first = await turn(machine, undefined, started());
    const second = await turn(machine, first.snapshot, { type: 'taskSucceeded', id: '1', output: '1' });
    const late: TurnEvent[] = [
      { type: 'taskSucceeded', id: '1', output: '2' },
      { type: 'taskFailed', id: '1' },
      { type: 'taskTimedOut', id: '9' },
      { type: 'timerFired', id: '1' },
      { type: 'childEnded', id: '2', status: 'SUCCEEDED' },
      { type: 'taskSucceeded', id: '2', output: '3' },
      { type: 'compensationRetried', step: 1 },
    ];
    const third = await runTurn({ machine, snapshot: second.snapshot, events: late, ports });
    expect(third).toMatchObject({ commands: [], history: [] });
    expect(third.snapshot).toEqual(second.snapshot);
    const closed = await turn(machine, third.snapshot, { type: 'timerFired', id: '2' });
    expect(closed.snapshot.status).toBe('SUCCEEDED');
    expect((await turn(machine, closed.snapshot, { type: 'stopRequested' })).snapshot).toEqual(closed.snapshot);
  });

  test('a branch that fails stops the others: their work is cancelled and the history says so', async () => {
    const branch = (name: string, state: JsonObject): JsonObject => ({ StartAt: name, States: { [name]: state } });
    const states: JsonObject = {
      P: { Type: 'Parallel', End: true, Branches: [branch('A', { Type: 'Task', Resource: 'arn:mecha:invoke:::a:b', End: true }), branch('B', { Type: 'Wait', Seconds: 9, End: true }), branch('C', { Type: 'Task', Resource: LAMBDA, End: true })] },
    };
    const { history, commands } = await run(states, { task: ({ resource }) => (resource === LAMBDA ? { error: 'E', afterMs: 10 } : undefined) });
    expect(trace(history).slice(-5)).toEqual(['10<-9 LambdaFunctionFailed', '11<-10 TaskStateAborted', '12<-10 WaitStateAborted', '13<-10 ParallelStateFailed', '14<-13 ExecutionFailed']);
    expect(commands.filter(({ type }) => type === 'cancel')).toEqual([
      { type: 'cancel', ids: ['1'] },
      { type: 'cancel', ids: ['2'] },
    ]);
  });

  test('an iteration that fails stops the others', async () => {
    const states: JsonObject = { M: { Type: 'Map', End: true, ItemProcessor: { StartAt: 'T', States: { T: { Type: 'Task', Resource: LAMBDA, End: true } } } } };
    const { history } = await run(states, { input: '[1,2]', task: ({ arguments: item }) => (item === 2 ? { error: 'E', afterMs: 10 } : undefined) });
    expect(trace(history).slice(3)).toEqual([
      '4<-3 MapIterationStarted',
      '5<-3 MapIterationStarted',
      '6<-4 TaskStateEntered',
      '7<-6 LambdaFunctionScheduled',
      '8<-5 TaskStateEntered',
      '9<-8 LambdaFunctionScheduled',
      '10<-9 LambdaFunctionStarted',
      '11<-10 LambdaFunctionFailed',
      '12<-11 MapIterationFailed',
      '13<-11 MapStateFailed',
      '14<-11 TaskStateAborted',
      '15<-11 MapIterationAborted',
      '16<-13 ExecutionFailed',
    ]);
  });

  test('the execution times out and is stopped with the traces of the real service', async () => {
    const waiting: JsonObject = { W: { Type: 'Wait', Seconds: 100, End: true } };
    const late = await drive(load(waiting, { TimeoutSeconds: 7 }));
    expect(late.snapshot.status).toBe('TIMED_OUT');
    expect(trace(late.history)).toEqual(['1<-0 ExecutionStarted', '2<-0 WaitStateEntered', '3<-0 ExecutionTimedOut']);
    const stopped = await run(waiting, { at: [{ ms: 1, event: { type: 'stopRequested', error: 'E', cause: 'C' } }] });
    expect(stopped.snapshot).toMatchObject({ status: 'ABORTED', error: 'E', cause: 'C', threads: {}, waiting: {} });
    expect(stopped.history.at(-1)).toMatchObject({ type: 'ExecutionAborted', previousEventId: 0, details: { error: 'E', cause: 'C' } });
    expect(stopped.commands.at(-1)).toEqual({ type: 'cancel', ids: ['1'] });
  });

  test('full jitter waits a share of the delay that chance decides', async () => {
    const jitter = async (seed: number): Promise<number> => (await run(task(LAMBDA, { Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 100, MaxAttempts: 1, JitterStrategy: 'FULL' }] }), { seed, task: () => ({ error: 'E' }) })).endMs - Date.UTC(2025, 0, 1);
    const waits = [await jitter(1), await jitter(2), await jitter(1)];
    expect(waits[0]).toBe(waits[2]);
    expect(waits[0]).not.toBe(waits[1]);
    for (const wait of waits) expect(wait >= 0 && wait < 100_000).toBe(true);
  });

  test('a distributed Map starts as many children as may run, and stops them when it fails', async () => {
    const states: JsonObject = { M: { Type: 'Map', MaxConcurrency: 2, Label: 'L', End: true, ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }, StartAt: 'I', States: { I: { Type: 'Pass', End: true } } } } };
    const machine = load(states);
    const first = await turn(machine, undefined, { ...started(), input: '["a","b","c"]' });
    const children = (commands: readonly Command[]): unknown[] => commands.filter((command) => command.type === 'startMapChild').map(({ index, input, root, execution, executionType }) => [index, input, root, execution.stateMachineName, executionType]);
    expect(children(first.commands)).toEqual([
      [0, 'a', '/States/M/ItemProcessor', 'm/L', 'EXPRESS'],
      [1, 'b', '/States/M/ItemProcessor', 'm/L', 'EXPRESS'],
    ]);
    const second = await turn(machine, first.snapshot, { type: 'childEnded', id: '2', status: 'SUCCEEDED', output: '"B"' });
    expect(children(second.commands)).toEqual([[2, 'c', '/States/M/ItemProcessor', 'm/L', 'EXPRESS']]);
    expect((await turn(machine, second.snapshot, { type: 'childEnded', id: '2', status: 'FAILED' })).history).toEqual([]);
    const third = await turn(machine, second.snapshot, { type: 'childEnded', id: '1', status: 'FAILED', error: 'E' });
    expect(third.commands).toMatchObject([{ type: 'closeMapRun', status: 'FAILED' }, { type: 'cancel', ids: ['3'] }]);
    expect(trace(third.history)).toEqual(['5<-4 MapRunFailed', '6<-5 MapStateFailed', '7<-6 ExecutionFailed']);
  });
});

const ports = { now: Date.UTC(2025, 0, 1), random: () => 0.5, uuid: () => 'u', taskToken: (id: string) => `token-${id}` };
const started = (): Extract<TurnEvent, { readonly type: 'executionStarted' }> => ({
  type: 'executionStarted',
  execution: { id: 'arn:aws:states:r:a:execution:m:e', name: 'e', roleArn: 'role', stateMachineId: 'arn:aws:states:r:a:stateMachine:m', stateMachineName: 'm' },
  input: '{}',
});
const turn = (machine: Machine, snapshot: Parameters<typeof runTurn>[0]['snapshot'], event: TurnEvent): ReturnType<typeof runTurn> => runTurn({ machine, snapshot: snapshot && (JSON.parse(JSON.stringify(snapshot)) as typeof snapshot), events: [event], ports });
