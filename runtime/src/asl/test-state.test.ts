import { describe, expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { loadDefinition } from './load.ts';
import { testState, type StateTest, type StateTested } from './test-state.ts';

const ports = { now: Date.UTC(2025, 0, 1), random: () => 0.5, uuid: () => 'u', taskToken: (id: string) => id };
const execution = { id: 'arn:aws:states:r:a:execution:m:e', name: 'e', roleArn: 'role', stateMachineId: 'arn:aws:states:r:a:stateMachine:m', stateMachineName: 'm' };
const other: JsonObject = { Type: 'Pass', End: true };

async function inspect(state: JsonObject, test: Partial<StateTest> = {}): Promise<StateTested> {
  const states: JsonObject = { S: state, ...(JSON.stringify(state).includes('"N"') ? { N: other } : {}) };
  const { machine, diagnostics } = loadDefinition({ StartAt: 'S', States: states });
  if (!machine) throw new Error(JSON.stringify(diagnostics));
  return testState({ machine, input: '{}', execution, ports, ...test });
}

const task: JsonObject = { Type: 'Task', Resource: 'arn:mecha:invoke:::a:b', Next: 'N' };

describe('one state by itself', () => {
  test('shows every stage of a task', async () => {
    const state = { ...task, InputPath: '$.i', Parameters: { 'p.$': '$.x' }, ResultSelector: { 's.$': '$.r' }, ResultPath: '$.out', OutputPath: '$.out' };
    expect(await inspect(state, { input: '{"i":{"x":1}}', mock: { output: '{"r":2}' } })).toEqual({
      status: 'SUCCEEDED',
      output: '{"s":2}',
      nextState: 'N',
      inspection: {
        input: '{"i":{"x":1}}',
        afterInputPath: '{"x":1}',
        afterParameters: '{"p":1}',
        result: '{"r":2}',
        afterResultSelector: '{"s":2}',
        afterResultPath: '{"i":{"x":1},"out":{"s":2}}',
      },
    });
  });

  test('says whether an error is retried, caught or final', async () => {
    const state = { ...task, Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 3, MaxAttempts: 2 }], Catch: [{ ErrorEquals: ['E'], Next: 'N' }] };
    const mock = { error: 'E', cause: 'C' };
    expect(await inspect(state, { mock, retryCount: 1 })).toMatchObject({ status: 'RETRIABLE', error: 'E', cause: 'C', inspection: { errorDetails: { retryIndex: 0, retryBackoffIntervalSeconds: 6 } } });
    expect(await inspect(state, { mock, retryCount: 2 })).toMatchObject({ status: 'CAUGHT_ERROR', error: 'E', nextState: 'N', output: '{"Error":"E","Cause":"C"}', inspection: { errorDetails: { catchIndex: 0 } } });
    expect(await inspect(task, { mock })).toMatchObject({ status: 'FAILED', error: 'E', cause: 'C' });
  });

  test('takes variables and context from outside, and waits for nobody', async () => {
    expect(await inspect({ Type: 'Wait', Seconds: 100, OutputPath: '$v', Next: 'N' }, { variables: { v: 7 } })).toMatchObject({ status: 'SUCCEEDED', output: '7', nextState: 'N' });
    expect(await inspect({ Type: 'Pass', Parameters: { 'n.$': '$$.Execution.Name' }, End: true }, { context: { Execution: { Name: 'mine' } } })).toMatchObject({ output: '{"n":"mine"}' });
  });

  test('a task that is not mocked is performed; Parallel and Map take a mocked result', async () => {
    expect(await inspect(task, { perform: async ({ resource }) => Promise.resolve({ output: JSON.stringify(resource) }) })).toMatchObject({ output: '"arn:mecha:invoke:::a:b"' });
    const map: JsonObject = { Type: 'Map', ItemSelector: { 'v.$': '$$.Map.Item.Value' }, ItemProcessor: { StartAt: 'I', States: { I: other } }, End: true };
    expect(await inspect(map, { input: '[1]', mock: { output: '["r"]' } })).toMatchObject({ status: 'SUCCEEDED', output: '["r"]', inspection: { afterItemsPath: '[1]', afterItemSelector: '{"v":1}' } });
    await expect(inspect(task)).rejects.toThrow('a mock is needed');
    await expect(inspect(task, { stateName: 'no' })).rejects.toThrow('State not found in definition');
  });
});
