/** The states block over the memory ledger: what each operation does, with the engine and the interpreter behind it and blocks that are functions. */
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import { createLog } from '../../telemetry/log.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import type { TaskBlocks, TaskJob } from '../../workflow-asl/task-executor.ts';
import { createWorkflows, type Workflows } from '../../sidecar/workflows.ts';
import type { Fields } from './request-fields.ts';

type Invoked = Parameters<TaskBlocks['invocation']['invoke']>[1];
let ledger: Ledger;
let running: Workflows[];
let invoked: Invoked[];
let published: Parameters<TaskBlocks['pubsub']['publish']>[1][];
let steered: unknown[];
let scheduled: TaskJob[];
let deleted: string[];
let stored: Map<string, string>;
let answer: (request: Invoked, signal: AbortSignal) => Promise<{ status: number; text: string }> | { status: number; text: string };
let states: Workflows;

const blocks: TaskBlocks = {
  invocation: {
    invoke: async (call, request) => {
      invoked.push(request);
      const { status, text } = await answer(request, call.signal);
      return { status, headers: {}, body: Readable.from([Buffer.from(text)]) };
    },
  },
  state: {
    get: async (_call, { key }) => (stored.has(key) ? { data: Buffer.from(stored.get(key) ?? ''), etag: '1' } : undefined),
    save: async (_call, { items }) => items.forEach(({ key, value }) => stored.set(key, Buffer.from(value.data).toString('utf8'))),
    delete: async (_call, { item }) => void stored.delete(item.key),
  },
  pubsub: { publish: async (_call, request) => void published.push(request) },
  bindings: { invoke: async (_call, { data, metadata }) => ({ data, metadata }) },
  workflow: {
    start: async (request) => {
      steered.push(request);
      return request.instanceId;
    },
    raiseEvent: async (request) => void steered.push(request),
    terminate: async (request) => void steered.push(request),
  },
  jobs: { schedule: async (job) => void scheduled.push(job), delete: async (name) => void deleted.push(name) },
};

beforeEach(() => {
  ledger = createMemoryLedger({ clock: realClock });
  running = [];
  invoked = [];
  published = [];
  steered = [];
  scheduled = [];
  deleted = [];
  stored = new Map();
  answer = ({ body }) => ({ status: 200, text: Buffer.from(body ?? []).toString('utf8') });
  states = begin();
});
afterEach(async () => {
  for (const one of running) await one.stop?.();
  await ledger.close();
});

const log = createKeptLog();
function begin(declared: Parameters<typeof createWorkflows>[0]['declared'] = []): Workflows {
  const workflows = createWorkflows({ appId: 'app', namespace: 'default', ledger, clock: realClock, random: Math.random, log: createLog({ level: 'error', json: true, appId: 'app', version: '0', write: (line) => log.error({}, line) }), blocks, declared, gracefulShutdownMs: 5000 });
  void workflows.start?.();
  running.push(workflows);
  return workflows;
}
async function call<T = Fields>(operation: string, fields: Fields = {}, signal = AbortSignal.timeout(20_000)): Promise<T> {
  return (await (await states.states()).perform(operation, fields, { operation: `states.${operation}`, protocol: 'http', trace: traceFrom(undefined), signal })) as T;
}
const failing = async (operation: string, fields: Fields): Promise<string> => call(operation, fields).then(() => 'nothing', (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`);

const ROLE = 'arn:aws:iam::000000000000:role/r';
const arn = (tail: string): string => `arn:aws:states:us-east-1:000000000000:${tail}`;
const one = (state: Fields, more: Fields = {}): Fields => ({ StartAt: 'S', States: { S: { End: true, ...state } }, ...more });
async function create(name: string, definition: Fields, type = 'STANDARD'): Promise<string> {
  return (await call<{ stateMachineArn: string }>('CreateStateMachine', { name, definition: JSON.stringify(definition), roleArn: ROLE, type })).stateMachineArn;
}
async function started(stateMachineArn: string, input: unknown = {}, name?: string): Promise<string> {
  return (await call<{ executionArn: string }>('StartExecution', { stateMachineArn, input: JSON.stringify(input), ...(name === undefined ? {} : { name }) })).executionArn;
}
interface Described extends Fields {
  readonly status: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}
async function ended(executionArn: string): Promise<Described> {
  let found: Described | undefined;
  await until(async () => (found = await call<Described>('DescribeExecution', { executionArn })).status !== 'RUNNING');
  return found ?? { status: 'none' };
}
const run = async (definition: Fields, input: unknown = {}, name = 'm'): Promise<Described> => ended(await started(await create(name, definition), input));
async function history(executionArn: string, fields: Fields = {}): Promise<{ id: number; type: string }[]> {
  const events: { id: number; type: string }[] = [];
  for (let nextToken: string | undefined; ; ) {
    const page = await call<{ events: { id: number; type: string }[]; nextToken?: string }>('GetExecutionHistory', { executionArn, ...fields, ...(nextToken === undefined ? {} : { nextToken }) });
    events.push(...page.events);
    nextToken = page.nextToken;
    if (nextToken === undefined) return events;
  }
}
const types = async (executionArn: string): Promise<string[]> => (await history(executionArn)).map(({ type }) => type);
const INVOKE = 'arn:mecha:invoke:::stock:reserve';

describe('state machines', () => {
  test('a machine is created once, described as it was given, listed in pages, updated and deleted', async () => {
    const definition = JSON.stringify(one({ Type: 'Pass' }), undefined, 1);
    const given = { name: 'b', definition, roleArn: ROLE };
    const { stateMachineArn } = await call<{ stateMachineArn: string }>('CreateStateMachine', given);
    expect(stateMachineArn).toBe(arn('stateMachine:b'));
    expect(await call('CreateStateMachine', { ...given, roleArn: `${ROLE}2` })).toMatchObject({ stateMachineArn });
    expect(await failing('CreateStateMachine', { ...given, definition: JSON.stringify(one({ Type: 'Succeed', End: undefined })) })).toBe(`StateMachineAlreadyExists: State Machine Already Exists: '${stateMachineArn}'`);
    expect(await call('DescribeStateMachine', { stateMachineArn })).toMatchObject({ definition, name: 'b', type: 'STANDARD', status: 'ACTIVE', roleArn: ROLE });
    await Promise.all(['c', 'a', 'd'].map((name) => create(name, one({ Type: 'Pass' }))));
    const first = await call<{ stateMachines: Fields[]; nextToken: string }>('ListStateMachines', { maxResults: 3 });
    const second = await call<{ stateMachines: Fields[]; nextToken?: string }>('ListStateMachines', { maxResults: 3, nextToken: first.nextToken });
    expect([...first.stateMachines, ...second.stateMachines].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(second.nextToken).toBeUndefined();
    expect(await failing('UpdateStateMachine', { stateMachineArn })).toMatch(/^MissingRequiredParameter/);
    await call('UpdateStateMachine', { stateMachineArn, definition: JSON.stringify(one({ Type: 'Pass', Result: 2 })) });
    expect((await ended(await started(stateMachineArn))).output).toBe('2');
    await call('DeleteStateMachine', { stateMachineArn });
    await call('DeleteStateMachine', { stateMachineArn });
    expect(await failing('DescribeStateMachine', { stateMachineArn })).toBe(`StateMachineDoesNotExist: State Machine Does Not Exist: '${stateMachineArn}'`);
    expect((await call<{ stateMachines: Fields[] }>('ListStateMachines')).stateMachines.map(({ name }) => name)).toEqual(['a', 'c', 'd']);
  });

  test.each<[string, string, Fields, string | RegExp]>([
    ['a name with a blank', 'CreateStateMachine', { name: 'a b', definition: '{}', roleArn: ROLE }, "InvalidName: Invalid Name: 'a b'"],
    ['a definition without states', 'CreateStateMachine', { name: 'a', definition: '{}', roleArn: ROLE }, /^InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: \[States, StartAt\] at \//],
    ['a task that is not served', 'CreateStateMachine', { name: 'a', definition: JSON.stringify(one({ Type: 'Task', Resource: 'arn:mecha:lock:::mutex:take' })), roleArn: ROLE }, /NOT_SUPPORTED: .*arn:mecha:lock:::mutex:take is not supported at \/States\/S\/Resource \(tasks of the block 'lock' are not served yet/],
    ['a misspelt operation', 'CreateStateMachine', { name: 'a', definition: JSON.stringify(one({ Type: 'Task', Resource: 'arn:mecha:pubsub:::bus:publsh' })), roleArn: ROLE }, /did you mean 'publish'/],
    ['a missing member', 'CreateStateMachine', { name: 'a' }, "ValidationException: 1 validation error detected: Value 'null' at 'definition' failed to satisfy constraint: Member must not be null"],
    ['too long a page', 'ListStateMachines', { maxResults: 1001 }, "ValidationException: 1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"],
    ['a page token of nobody', 'ListStateMachines', { nextToken: '***' }, "InvalidToken: Invalid Token: 'Invalid token'"],
    ['no ARN', 'StartExecution', { stateMachineArn: 'm' }, "InvalidArn: Invalid Arn: 'Invalid ARN prefix: m'"],
    ['an ARN of another kind', 'StartExecution', { stateMachineArn: arn('activity:a') }, "InvalidArn: Invalid Arn: 'Resource type not valid in this context: activity'"],
    ['a machine that is not there', 'StartExecution', { stateMachineArn: arn('stateMachine:x') }, /^StateMachineDoesNotExist/],
    ['an execution that is not there', 'DescribeExecution', { executionArn: arn('execution:x:y') }, `ExecutionDoesNotExist: Execution Does Not Exist: '${arn('execution:x:y')}'`],
    ['the history of one', 'GetExecutionHistory', { executionArn: arn('execution:x:y') }, /^ExecutionDoesNotExist/],
    ['an activity that is not there', 'GetActivityTask', { activityArn: arn('activity:x') }, /^ActivityDoesNotExist/],
    ['a token of nobody', 'SendTaskSuccess', { taskToken: 'abc', output: '1' }, "InvalidToken: Invalid Token: 'Invalid token'"],
    ['an operation of another day', 'TestEverything', {}, 'UnknownOperationException: The operation TestEverything is not served here'],
  ])('%s is refused by name', async (_what, operation, fields, expected) => {
    const said = await failing(operation, fields);
    if (typeof expected === 'string') expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  });

  test('a definition is validated without a machine', async () => {
    expect(await call('ValidateStateMachineDefinition', { definition: JSON.stringify(one({ Type: 'Pass' })) })).toEqual({ result: 'OK', diagnostics: [], truncated: false });
    const bad = await call<{ result: string; diagnostics: Fields[]; truncated: boolean }>('ValidateStateMachineDefinition', { definition: JSON.stringify(one({ Type: 'Task', Resource: 'x', Retry: [{}] })), maxResults: 1 });
    expect([bad.result, bad.diagnostics.length, bad.truncated]).toEqual(['FAIL', 1, true]);
  });

  test('what a resource declares is there, is not changed over the API, and goes on after the resource is gone', async () => {
    await states.stop?.();
    states = begin([{ name: 'yaml', type: 'STANDARD', definition: JSON.stringify(one({ Type: 'Wait', Seconds: 1 })) }]);
    expect((await call<{ stateMachines: Fields[] }>('ListStateMachines')).stateMachines).toMatchObject([{ name: 'yaml' }]);
    expect(await failing('DeleteStateMachine', { stateMachineArn: arn('stateMachine:yaml') })).toMatch(/^ConflictException/);
    const executionArn = await started(arn('stateMachine:yaml'), { a: 1 });
    await states.stop?.();
    states = begin();
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}' });
    expect(await failing('StartExecution', { stateMachineArn: arn('stateMachine:yaml') })).toMatch(/^StateMachineDoesNotExist/);
  });
});

describe('executions', () => {
  test('the same start twice is one execution; another input, or one that has ended, is not', async () => {
    const stateMachineArn = await create('m', one({ Type: 'Wait', Seconds: 60 }));
    const first = await call('StartExecution', { stateMachineArn, name: 'x', input: '{"a":1}' });
    expect(await call('StartExecution', { stateMachineArn, name: 'x', input: '{"a":1}' })).toEqual(first);
    expect(await failing('StartExecution', { stateMachineArn, name: 'x', input: '{"a":2}' })).toBe(`ExecutionAlreadyExists: Execution Already Exists: '${arn('execution:m:x')}'`);
    expect(await failing('StartExecution', { stateMachineArn, name: 'y', input: 'not' })).toMatch(/^InvalidExecutionInput: /);
    await call('StopExecution', { executionArn: arn('execution:m:x'), error: 'E', cause: 'because' });
    expect(await call('DescribeExecution', { executionArn: arn('execution:m:x') })).toMatchObject({ status: 'ABORTED', error: 'E', cause: 'because', input: '{"a":1}' });
    expect((await history(arn('execution:m:x'))).slice(-1)).toMatchObject([{ type: 'ExecutionAborted', previousEventId: 0, executionAbortedEventDetails: { error: 'E', cause: 'because' } }]);
    expect(await failing('StartExecution', { stateMachineArn, name: 'x', input: '{"a":1}' })).toMatch(/^ExecutionAlreadyExists/);
  });

  test('each way to end has its status, and lists choose by it', async () => {
    const endings: [string, Fields][] = [['SUCCEEDED', one({ Type: 'Pass' })], ['FAILED', { StartAt: 'F', States: { F: { Type: 'Fail', Error: 'E', Cause: 'C' } } }], ['TIMED_OUT', one({ Type: 'Wait', Seconds: 60 }, { TimeoutSeconds: 1 })]];
    for (const [status, definition] of endings) expect(await run(definition, {}, status)).toMatchObject({ status, ...(status === 'FAILED' ? { error: 'E', cause: 'C' } : {}) });
    const stateMachineArn = await create('many', { StartAt: 'C', States: { C: { Type: 'Choice', Choices: [{ Variable: '$.bad', BooleanEquals: true, Next: 'F' }], Default: 'G' }, F: { Type: 'Fail' }, G: { Type: 'Succeed' } } });
    for (let n = 0; n < 6; n++) await ended(await started(stateMachineArn, { bad: n % 2 === 0 }, `n${n}`));
    const names = async (fields: Fields): Promise<unknown[]> => (await call<{ executions: Fields[] }>('ListExecutions', { stateMachineArn, ...fields })).executions.map(({ name }) => name);
    expect(await names({})).toEqual(['n5', 'n4', 'n3', 'n2', 'n1', 'n0']);
    expect(await names({ statusFilter: 'FAILED' })).toEqual(['n4', 'n2', 'n0']);
    expect(await names({ statusFilter: 'TIMED_OUT' })).toEqual([]);
    const page = await call<{ executions: Fields[]; nextToken: string }>('ListExecutions', { stateMachineArn, maxResults: 4 });
    expect(await names({ nextToken: page.nextToken })).toEqual(['n1', 'n0']);
  });

  test('a history is the same in pages of any size, forwards and backwards', async () => {
    const executionArn = await started(await create('m', one({ Type: 'Map', ItemProcessor: { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } } })), [1, 2, 3]);
    await ended(executionArn);
    const whole = await history(executionArn);
    expect(whole.map(({ id }) => id)).toEqual(whole.map((_, n) => n + 1));
    for (const maxResults of [1, 2, 3, 7, whole.length, 1000]) {
      expect(await history(executionArn, { maxResults })).toEqual(whole);
      expect(await history(executionArn, { maxResults, reverseOrder: true })).toEqual(whole.toReversed());
    }
    expect(JSON.stringify(await history(executionArn, { includeExecutionData: false }))).not.toContain('"input"');
  });

  test('an execution goes on after its process was stopped, by what the ledger holds alone', async () => {
    const stateMachineArn = await create('m', { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1, Next: 'T' }, T: { Type: 'Task', Resource: INVOKE, End: true } } });
    const executionArn = await started(stateMachineArn, { n: 1 });
    await states.stop?.();
    expect(invoked).toEqual([]);
    states = begin();
    await until(() => invoked.length === 1);
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"n":1}' });
  });

  test('a running execution keeps its definition, whatever becomes of its machine', async () => {
    const stateMachineArn = await create('m', { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1, Next: 'P' }, P: { Type: 'Pass', Result: 'old', End: true } } });
    const executionArn = await started(stateMachineArn);
    await call('UpdateStateMachine', { stateMachineArn, definition: JSON.stringify(one({ Type: 'Pass', Result: 'new' })) });
    await call('DeleteStateMachine', { stateMachineArn });
    expect((await ended(executionArn)).output).toBe('"old"');
    expect(JSON.stringify(await call('DescribeStateMachineForExecution', { executionArn }))).toContain('old');
  });

  test('an EXPRESS machine answers at once, and has no history', async () => {
    const stateMachineArn = await create('m', one({ Type: 'Pass', Result: 7 }), 'EXPRESS');
    const answered = await call('StartSyncExecution', { stateMachineArn, input: '{}' });
    expect(answered).toMatchObject({ status: 'SUCCEEDED', output: '7', billingDetails: { billedMemoryUsedInMB: 64 } });
    expect(await failing('DescribeExecution', { executionArn: answered['executionArn'] })).toBe("InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'");
    expect(await failing('ListExecutions', { stateMachineArn })).toMatch(/^StateMachineTypeNotSupported/);
    expect(await failing('StartSyncExecution', { stateMachineArn: await create('s', one({ Type: 'Pass' })) })).toMatch(/^StateMachineTypeNotSupported/);
  });

  test('nested executions are followed, named, refused when they are not there, and stopped with the task', async () => {
    const child = await create('child', { StartAt: 'C', States: { C: { Type: 'Choice', Choices: [{ Variable: '$.wait', BooleanEquals: true, Next: 'W' }], Default: 'P' }, W: { Type: 'Wait', Seconds: 60, End: true }, P: { Type: 'Pass', Result: { ok: true }, End: true } } });
    const nested = (suffix: string, parameters: Fields, more: Fields = {}): Fields => one({ Type: 'Task', Resource: `arn:aws:states:::states:startExecution${suffix}`, Parameters: { StateMachineArn: child, ...parameters }, ...more });
    expect(JSON.parse((await run(nested('.sync:2', { Name: 'n', Input: { wait: false } }, { OutputPath: '$.Output' }), {}, 'sync')).output ?? '')).toEqual({ ok: true });
    expect(await run(nested('.sync', { Name: 'n', Input: { wait: false } }), {}, 'again')).toMatchObject({ status: 'FAILED', error: 'StepFunctions.ExecutionAlreadyExistsException' });
    expect(await run(nested('', { StateMachineArn: arn('stateMachine:missing') }), {}, 'none')).toMatchObject({ status: 'FAILED', error: 'StepFunctions.StateMachineDoesNotExistException' });
    expect(JSON.parse((await run(nested('', { Name: 'alone', Input: { wait: true } }), {}, 'ask')).output ?? '')).toMatchObject({ ExecutionArn: arn('execution:child:alone') });
    expect(await call('DescribeExecution', { executionArn: arn('execution:child:alone') })).toMatchObject({ status: 'RUNNING' });
    const parent = await started(await create('parent', nested('.sync', { Name: 'w', Input: { wait: true } })));
    await until(async () => (await types(parent)).includes('TaskSubmitted'));
    await call('StopExecution', { executionArn: parent });
    expect((await ended(arn('execution:child:w'))).status).toBe('ABORTED');
    expect(await run(nested('.sync', { Name: 'late', Input: { wait: true } }, { TimeoutSeconds: 1 }), {}, 'late')).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect((await ended(arn('execution:child:late'))).status).toBe('ABORTED');
  });

  test('children of a distributed Map are executions of their own, listed by their run', async () => {
    const definition = one({ Type: 'Map', Label: 'L', MaxConcurrency: 2, ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'T', States: { T: { Type: 'Task', Resource: INVOKE, End: true } } } });
    const executionArn = await started(await create('m', definition), [1, 2, 3, 4, 5]);
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[1,2,3,4,5]' });
    const run = (await history(executionArn)).find(({ type }) => type === 'MapRunStarted') as unknown as { mapRunStartedEventDetails: { mapRunArn: string } };
    const { executions } = await call<{ executions: Fields[] }>('ListExecutions', { mapRunArn: run.mapRunStartedEventDetails.mapRunArn });
    expect(executions.map(({ status, stateMachineArn }) => [status, stateMachineArn])).toEqual(Array.from({ length: 5 }, () => ['SUCCEEDED', arn('stateMachine:m/L')]));
  });
});

describe('tasks', () => {
  test('an app is invoked with the arguments, under one idempotency key for each attempt', async () => {
    let calls = 0;
    answer = () => (++calls < 3 ? { status: 503, text: '{"errorType":"Busy"}' } : { status: 200, text: 'plain' });
    const definition = one({ Type: 'Task', Resource: INVOKE, Parameters: { 'item.$': '$.item' }, Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, BackoffRate: 1 }] });
    expect(await run(definition, { item: 'bolt' })).toMatchObject({ status: 'SUCCEEDED', output: '"plain"' });
    expect(invoked.map(({ target, method, path, body }) => [target, method, path, Buffer.from(body ?? []).toString('utf8')])).toEqual(Array.from({ length: 3 }, () => ['stock', 'POST', 'reserve', '{"item":"bolt"}']));
    expect(new Set(invoked.map(({ headers }) => headers['idempotency-key'])).size).toBe(3);
  });

  test.each<[string, () => { status: number; text: string }, Fields]>([
    ['a status', () => ({ status: 409, text: 'taken' }), { error: 'States.Http.StatusCode.409', cause: 'taken' }],
    ['a name of the app', () => ({ status: 500, text: '{"errorType":"OutOfStock","n":1}' }), { error: 'OutOfStock', cause: '{"errorType":"OutOfStock","n":1}' }],
    ['an exception', () => { throw new Error('no route'); }, { error: 'States.TaskFailed', cause: 'no route' }],
  ])('a call that fails by %s fails the task so', async (_how, given, expected) => {
    answer = given;
    expect(await run(one({ Type: 'Task', Resource: INVOKE }))).toMatchObject({ status: 'FAILED', ...expected });
  });

  test('state is written, read and deleted, an event published under the idempotency key, and any HTTP request made', async () => {
    const task = (resource: string, parameters: Fields, next?: string): Fields => ({ Type: 'Task', Resource: resource, Parameters: parameters, ResultPath: '$.r', ...(next === undefined ? { End: true } : { Next: next }) });
    answer = ({ method, path, queryText }) => ({ status: 200, text: JSON.stringify(`${method} ${path}?${queryText}`) });
    const { output } = await run({
      StartAt: 'A',
      States: {
        A: task('arn:mecha:state:::store:set', { Key: 'k', 'Value.$': '$.v' }, 'B'),
        B: { ...task('arn:mecha:state:::store:get', { Key: 'k' }, 'C'), ResultPath: '$.read' },
        C: task('arn:mecha:state:::store:delete', { Key: 'k' }, 'D'),
        D: { ...task('arn:mecha:state:::store:get', { Key: 'k' }, 'E'), ResultPath: '$.gone' },
        E: task('arn:mecha:pubsub:::bus:publish', { Topic: 't', Data: { a: 1 } }, 'F'),
        F: { ...task('arn:mecha:http:::stock:request', { Method: 'get', Path: '/items/1', Query: { q: 'x y' } }), ResultPath: '$.http' },
      },
    }, { v: [1, 2] });
    expect(JSON.parse(output ?? '')).toMatchObject({ read: { Value: [1, 2], ETag: '1' }, gone: { Value: null }, http: { StatusCode: 200, ResponseBody: 'GET items/1?q=x+y' } });
    expect(published).toMatchObject([{ pubsubName: 'bus', topic: 't', metadata: { 'cloudevent.id': expect.stringMatching(/^arn:aws:states/) as unknown } }]);
  });

  test('a workflow of an SDK is started under an id that is the same however often the task runs, told an event, terminated', async () => {
    const { status, output } = await run({
      StartAt: 'A',
      States: {
        A: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:start', Parameters: { Input: { 'order.$': '$.order' } }, ResultPath: '$.started', Next: 'B' },
        B: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:raise', Parameters: { 'InstanceId.$': '$.started.InstanceId', Event: 'paid', Data: 3 }, ResultPath: null, Next: 'C' },
        C: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:terminate', Parameters: { 'InstanceId.$': '$.started.InstanceId', AppId: 'other' }, ResultPath: null, End: true },
      },
    }, { order: 7 });
    expect(status).toBe('SUCCEEDED');
    const { InstanceId: instanceId } = (JSON.parse(output ?? '{}') as { started: { InstanceId: string } }).started;
    expect(instanceId).toMatch(/^task-[0-9a-f]{32}$/);
    expect(steered).toEqual([
      { name: 'ship', instanceId, input: '{"order":7}', existing: true, trace: { traceParent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) } },
      { instanceId, event: 'paid', data: '3' },
      { instanceId, appId: 'other' },
    ]);
  });

  test('a job is scheduled and deleted, under the name that its input gives', async () => {
    const { status } = await run({
      StartAt: 'A',
      States: {
        A: { Type: 'Task', Resource: 'arn:mecha:jobs:::nightly:schedule', Parameters: { Schedule: '@daily', Repeats: 3, Data: { a: 1 }, FailurePolicy: { IntervalSeconds: 0.5 }, Missed: 'skip' }, ResultPath: null, Next: 'B' },
        B: { Type: 'Task', Resource: 'arn:mecha:jobs:::reminder:schedule', Parameters: { 'Name.$': "States.Format('reminder-{}', $.order)", DueTime: '1h' }, ResultPath: null, Next: 'C' },
        C: { Type: 'Task', Resource: 'arn:mecha:jobs:::nightly:delete', End: true },
      },
    }, { order: 7 });
    expect(status).toBe('SUCCEEDED');
    expect(scheduled).toMatchObject([
      { name: 'nightly', schedule: '@daily', repeats: 3, failurePolicy: { intervalMs: 500 }, missed: 'skip', overwrite: false },
      { name: 'reminder-7', dueTime: '1h', schedule: undefined, data: undefined },
    ]);
    expect(Buffer.from(scheduled[0]?.data?.value ?? []).toString()).toBe('{"a":1}');
    expect(new Set(scheduled.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
    expect(deleted).toEqual(['nightly']);
  });

  test('a task that takes too long times out, and the call is given up', async () => {
    let gaveUp = false;
    answer = (_request, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => {
      gaveUp = true;
      reject(new Error('aborted'));
    }));
    const executionArn = await started(await create('m', one({ Type: 'Task', Resource: INVOKE, TimeoutSeconds: 1 })));
    expect(await ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    await until(() => gaveUp);
    expect(await types(executionArn)).toContain('TaskTimedOut');
  });

  const CALLBACK = one({ Type: 'Task', Resource: `${INVOKE}.waitForTaskToken`, Parameters: { 'token.$': '$$.Task.Token' } });
  const tokenOf = async (): Promise<string> => {
    await until(() => invoked.length > 0);
    return (JSON.parse(Buffer.from(invoked.at(-1)?.body ?? []).toString('utf8')) as { token: string }).token;
  };
  test('a task with a token waits for who holds it, also over a restart, and hears one answer', async () => {
    const executionArn = await started(await create('m', CALLBACK));
    const taskToken = await tokenOf();
    await until(async () => (await types(executionArn)).includes('TaskSubmitted'));
    await states.stop?.();
    states = begin();
    expect(await failing('SendTaskSuccess', { taskToken, output: 'no json' })).toMatch(/^InvalidOutput/);
    await call('SendTaskSuccess', { taskToken, output: '{"done":1}' });
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"done":1}' });
    expect(await types(executionArn)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    expect(await failing('SendTaskSuccess', { taskToken, output: '2' })).toBe("TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'");
  });

  test('a failure of who holds the token is the failure of the task, absent words included', async () => {
    const machine = await create('m', CALLBACK);
    const first = await started(machine);
    await call('SendTaskFailure', { taskToken: await tokenOf(), error: 'E', cause: '' });
    expect(await ended(first)).toMatchObject({ status: 'FAILED', error: 'E', cause: '' });
    invoked = [];
    const second = await started(machine);
    await call('SendTaskFailure', { taskToken: await tokenOf() });
    const described = await ended(second);
    expect([described.status, described.error, described.cause]).toEqual(['FAILED', undefined, undefined]);
  });

  test('heartbeats put off the end of a task, and silence ends it by a name that can be caught', async () => {
    const definition = { StartAt: 'S', States: { S: { Type: 'Task', Resource: `${INVOKE}.waitForTaskToken`, Parameters: { 'token.$': '$$.Task.Token' }, HeartbeatSeconds: 3, TimeoutSeconds: 30, Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'Q' }], End: true }, Q: { Type: 'Pass', Result: 'silent', End: true } } };
    const executionArn = await started(await create('m', definition));
    const taskToken = await tokenOf();
    for (let n = 0; n < 4; n++) {
      await new Promise((resolve) => setTimeout(resolve, 900));
      await call('SendTaskHeartbeat', { taskToken });
    }
    expect((await call<Described>('DescribeExecution', { executionArn })).status).toBe('RUNNING');
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"silent"' });
    expect(await failing('SendTaskHeartbeat', { taskToken })).toMatch(/^TaskTimedOut/);
  });
});

describe('activities', () => {
  const ACTIVITY = arn('activity:pack');
  const poll = (workerName: string, signal?: AbortSignal): Promise<{ taskToken?: string; input?: string }> => call('GetActivityTask', { activityArn: ACTIVITY, workerName }, signal);
  beforeEach(async () => void (await call('CreateActivity', { name: 'pack' })));

  test('workers that wait get a task each, the history names them, and their answers go on', async () => {
    const waiting = [poll('w1'), poll('w2')];
    const stateMachineArn = await create('m', one({ Type: 'Task', Resource: ACTIVITY }));
    const executions = [await started(stateMachineArn, { n: 1 }), await started(stateMachineArn, { n: 2 })];
    const tasks = await Promise.all(waiting);
    expect(tasks.map(({ input }) => input).sort()).toEqual(['{"n":1}', '{"n":2}']);
    for (const { taskToken, input } of tasks) await call('SendTaskSuccess', { taskToken, output: JSON.stringify({ packed: JSON.parse(input ?? '') as unknown }) });
    expect((await Promise.all(executions.map(ended))).map(({ output }) => output)).toEqual(['{"packed":{"n":1}}', '{"packed":{"n":2}}']);
    const workers = (await Promise.all(executions.map((executionArn) => history(executionArn)))).flat().flatMap((event) => ('activityStartedEventDetails' in event ? [(event.activityStartedEventDetails as Fields)['workerName']] : []));
    expect(workers.sort()).toEqual(['w1', 'w2']);
  });

  test('a worker that went away loses no task to the next, and the clock starts when a task is taken', async () => {
    const gone = new AbortController();
    const first = poll('gone', gone.signal);
    gone.abort();
    expect(await first).toEqual({});
    const executionArn = await started(await create('m', one({ Type: 'Task', Resource: ACTIVITY, TimeoutSeconds: 1 })), { n: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect((await call<Described>('DescribeExecution', { executionArn })).status).toBe('RUNNING');
    expect((await poll('w')).input).toBe('{"n":1}');
    expect(await ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(await types(executionArn)).toContain('ActivityTimedOut');
  });

  test.each<[string, (gone: AbortController) => Promise<void>]>([
    ['the worker went away', async (gone) => gone.abort()],
    ['the sidecar is told to end, which waits for it,', async () => {
      let over = false;
      const drained = Promise.resolve(states.drain?.(AbortSignal.timeout(15_000))).then(() => (over = true));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(over).toBe(false);
      return drained.then(() => undefined);
    }],
  ])('a task that was being taken when %s goes to a worker of another process', async (_what, interrupt) => {
    const [taking, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const commit = ledger.commit.bind(ledger);
    ledger.commit = async (batch) => {
      if (batch.some(({ type }) => type === 'workflow.defer')) {
        taking.resolve();
        await gate.promise;
      }
      return commit(batch);
    };
    const executionArn = await started(await create('m', one({ Type: 'Task', Resource: ACTIVITY })), { n: 1 });
    const gone = new AbortController();
    const first = poll('gone', gone.signal);
    await taking.promise;
    const interrupted = interrupt(gone);
    expect(await first).toEqual({});
    setTimeout(gate.resolve, 400);
    await interrupted;
    states = begin();
    const { taskToken, input } = await poll('w');
    expect(input).toBe('{"n":1}');
    await call('SendTaskSuccess', { taskToken, output: '"packed"' });
    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"packed"' });
  });

  test('activities are listed and removed; a stop answers workers that wait', async () => {
    await call('CreateActivity', { name: 'pack' });
    expect((await call<{ activities: Fields[] }>('ListActivities')).activities).toMatchObject([{ name: 'pack', activityArn: ACTIVITY }]);
    expect(await call('DescribeActivity', { activityArn: ACTIVITY })).toMatchObject({ name: 'pack' });
    const waiting = poll('w');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await states.drain?.(AbortSignal.timeout(1000));
    expect(await waiting).toEqual({});
    await call('DeleteActivity', { activityArn: ACTIVITY });
    expect((await call<{ activities: Fields[] }>('ListActivities')).activities).toEqual([]);
  });
});

describe('a state by itself', () => {
  test('is run with every value on its way, mocked or for real, and leads where it leads', async () => {
    const state = { Type: 'Task', Resource: INVOKE, Parameters: { 'x.$': '$.a' }, ResultPath: '$.r', Next: 'N', Catch: [{ ErrorEquals: ['E'], Next: 'C' }] };
    expect(await call('TestState', { definition: JSON.stringify(state), input: '{"a":1}', inspectionLevel: 'DEBUG' })).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1,"r":{"x":1}}', nextState: 'N', inspectionData: { afterParameters: '{"x":1}', result: '{"x":1}' } });
    expect(await call('TestState', { definition: JSON.stringify(state), input: '{"a":1}', mock: { errorOutput: { error: 'E', cause: 'c' } } })).toMatchObject({ status: 'CAUGHT_ERROR', nextState: 'C', error: 'E' });
    expect(invoked.length).toBe(1);
    expect(await failing('TestState', { definition: JSON.stringify(state), mock: { result: '{' } })).toBe('ValidationException: Mocked result must be valid JSON');
  });
});
