/** The AWS SDK for JavaScript, unmodified, against a real sidecar: versions, aliases, tags, redrive, map runs; and what a changed resource leaves alone. */
import {
  CreateStateMachineAliasCommand, CreateStateMachineCommand, DescribeExecutionCommand, DescribeMapRunCommand, DescribeStateMachineForExecutionCommand, GetExecutionHistoryCommand, ListMapRunsCommand,
  ListStateMachineVersionsCommand, ListTagsForResourceCommand, PublishStateMachineVersionCommand, RedriveExecutionCommand, SendTaskSuccessCommand, SFNClient, StartExecutionCommand, TagResourceCommand, UpdateStateMachineAliasCommand, UpdateStateMachineCommand,
  type DescribeExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, component, folderWith, later, startSidecar, testApp, type Sidecar } from '../e2e/sidecar.ts';
import { until } from '../tools/processes.ts';

afterEach(cleanUp);

const roleArn = 'arn:aws:iam::000000000000:role/test';
function clientOf({ httpPort }: Sidecar): SFNClient {
  const client = new SFNClient({ endpoint: `http://127.0.0.1:${httpPort}/v1.0-mecha/states`, region: 'eu-central-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' }, maxAttempts: 1 });
  later(async () => client.destroy());
  return client;
}
const ended = (client: SFNClient, executionArn: string | undefined): Promise<DescribeExecutionCommandOutput> =>
  until('the execution ends', async () => {
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    return described.status === 'RUNNING' ? undefined : described;
  });
const passing = (result: number): string => JSON.stringify({ StartAt: 'S', States: { S: { Type: 'Pass', Result: result, End: true } } });

describe('the AWS SDK', () => {
  test('publishes versions, routes by an alias over a restart, and tags', async () => {
    const first = await startSidecar();
    let client = clientOf(first);
    const { stateMachineArn, stateMachineVersionArn: one } = await client.send(new CreateStateMachineCommand({ name: 'm', roleArn, definition: passing(1), publish: true, tags: [{ key: 'team', value: 'a' }] }));
    await client.send(new UpdateStateMachineCommand({ stateMachineArn, definition: passing(2) }));
    const { stateMachineVersionArn: two } = await client.send(new PublishStateMachineVersionCommand({ stateMachineArn, description: 'two' }));
    const { stateMachineAliasArn } = await client.send(new CreateStateMachineAliasCommand({ name: 'live', routingConfiguration: [{ stateMachineVersionArn: one, weight: 100 }] }));
    await client.send(new TagResourceCommand({ resourceArn: stateMachineArn, tags: [{ key: 'env', value: 'test' }] }));
    await first.process.kill('SIGKILL');
    client = clientOf(await startSidecar({ dataDir: first.dataDir }));
    const run = async (): Promise<DescribeExecutionCommandOutput> => ended(client, (await client.send(new StartExecutionCommand({ stateMachineArn: stateMachineAliasArn }))).executionArn);
    expect(await run()).toMatchObject({ output: '1', stateMachineVersionArn: one, stateMachineAliasArn });
    await client.send(new UpdateStateMachineAliasCommand({ stateMachineAliasArn, routingConfiguration: [{ stateMachineVersionArn: two, weight: 100 }] }));
    expect(await run()).toMatchObject({ output: '2', stateMachineVersionArn: two });
    expect((await client.send(new ListStateMachineVersionsCommand({ stateMachineArn }))).stateMachineVersions?.map(({ stateMachineVersionArn }) => stateMachineVersionArn)).toEqual([two, one]);
    expect((await client.send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }))).tags).toEqual([{ key: 'team', value: 'a' }, { key: 'env', value: 'test' }]);
  });

  test('redrives what failed before a kill, and counts the items of a map run', async () => {
    let isDown = true;
    const app = await testApp((asked) => (asked.method === 'POST' ? (isDown && asked.text === '2' ? { status: 500, body: { errorType: 'Down' } } : { body: 'done' }) : { body: {} }));
    await app.listen();
    const first = await startSidecar({ appId: 'shop', appPort: app.port });
    let client = clientOf(first);
    const definition = JSON.stringify({
      StartAt: 'Check',
      States: {
        Check: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:check', InputPath: '$[1]', ResultPath: null, Next: 'Each' },
        Each: { Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'Do', States: { Do: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:do', End: true } } }, End: true },
      },
    });
    const { stateMachineArn } = await client.send(new CreateStateMachineCommand({ name: 'm', roleArn, definition }));
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '[1,2,3]' }));
    expect(await ended(client, executionArn)).toMatchObject({ status: 'FAILED', error: 'Down', redriveStatus: 'REDRIVABLE' });
    await first.process.kill('SIGKILL');
    isDown = false;
    client = clientOf(await startSidecar({ appId: 'shop', appPort: app.port, dataDir: first.dataDir }));
    expect((await client.send(new RedriveExecutionCommand({ executionArn }))).redriveDate).toBeInstanceOf(Date);
    expect(await ended(client, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '["done","done","done"]', redriveCount: 1 });
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1));
    expect(events.find(({ type }) => type === 'ExecutionRedriven')?.executionRedrivenEventDetails).toEqual({ redriveCount: 1 });
    const [run] = (await client.send(new ListMapRunsCommand({ executionArn }))).mapRuns ?? [];
    expect(await client.send(new DescribeMapRunCommand({ mapRunArn: run?.mapRunArn }))).toMatchObject({ executionArn, status: 'SUCCEEDED', itemCounts: { total: 3, succeeded: 3 } });
  });

  test('a distributed Map reads its items from a binding and writes what became of them to another', async () => {
    const folder = await folderWith({ 'items.csv': 'item,quantity\nbolt,3\nnut,5\n' });
    const client = clientOf(await startSidecar({ resources: await folderWith({ 'files.yaml': component('files', 'bindings.localstorage', { rootPath: folder }) }), untilReady: 'all' }));
    const definition = JSON.stringify({
      StartAt: 'All',
      States: {
        All: {
          Type: 'Map', End: true,
          ItemReader: { Resource: 'arn:mecha:binding:::files:get', Parameters: { Metadata: { fileName: 'items.csv' } }, ReaderConfig: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' } },
          ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'One', States: { One: { Type: 'Pass', OutputPath: '$.item', End: true } } },
          ResultWriter: { Resource: 'arn:mecha:binding:::files:create', Parameters: { Metadata: { fileName: 'results.json' } }, WriterConfig: { Transformation: 'COMPACT' } },
        },
      },
    });
    const { stateMachineArn } = await client.send(new CreateStateMachineCommand({ name: 'files', roleArn, definition }));
    const { status, output } = await ended(client, (await client.send(new StartExecutionCommand({ stateMachineArn }))).executionArn);
    expect([status, JSON.parse(output ?? '{}')]).toMatchObject(['SUCCEEDED', { ResultWriterDetails: { Binding: 'files', Operation: 'create', Metadata: { fileName: 'results.json' } } }]);
    expect(await readFile(join(folder, 'results.json'), 'utf8')).toBe('["bolt","nut"]');
  });

  test('a task calls a binding, waits for the token that it gave to one, and is undone by one', async () => {
    const folder = await folderWith({});
    const client = clientOf(await startSidecar({ resources: await folderWith({ 'files.yaml': component('files', 'bindings.localstorage', { rootPath: folder }) }), untilReady: 'all' }));
    const binding = (operation: string, more: object): object => ({ Type: 'Task', Resource: `arn:mecha:binding:::files:${operation}`, ...more });
    const named = (fileName: string): object => ({ Metadata: { fileName } });
    const definition = JSON.stringify({
      StartAt: 'Write',
      States: {
        Write: binding('create', { Parameters: { 'Data.$': '$', ...named('order.json') }, ResultPath: null, Mecha: { Compensate: { Resource: 'arn:mecha:binding:::files:delete', Parameters: named('order.json') } }, Next: 'Ask' }),
        Ask: binding('create.waitForTaskToken', { Parameters: { Data: { 'token.$': '$$.Task.Token' }, ...named('token.json') }, ResultPath: '$.answer', Next: 'Read' }),
        Read: binding('get', { Parameters: named('order.json'), ResultPath: '$.read', Next: 'Missing' }),
        Missing: binding('get', { Parameters: named('none.json'), End: true }),
      },
    });
    const { stateMachineArn } = await client.send(new CreateStateMachineCommand({ name: 'tasks', roleArn, definition }));
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '{"id":7}' }));
    const textOf = (name: string): Promise<string | undefined> => readFile(join(folder, name), 'utf8').catch(() => undefined);
    const { token: taskToken } = JSON.parse((await until('the token is given out', () => textOf('token.json'))) ?? '{}') as { token: string };
    expect(await textOf('order.json')).toBe('{"id":7}');
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '"yes"' }));
    expect(await ended(client, executionArn)).toMatchObject({ status: 'FAILED', error: 'ERR_INVOKE_OUTPUT_BINDING', cause: 'error invoking output binding files: file not found' });
    expect(await textOf('order.json'), 'it was undone').toBeUndefined();
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const read = events.find(({ type, stateExitedEventDetails: details }) => type === 'TaskStateExited' && details?.name === 'Read')?.stateExitedEventDetails?.output;
    expect(JSON.parse(read ?? '{}')).toMatchObject({ id: 7, answer: 'yes', read: { Data: { id: 7 }, Metadata: { fileName: 'order.json' } } });
  });

  test('one trace goes from the call that starts an execution through its tasks and nested executions, over a restart, to apps and events', async () => {
    const seen = new Map<string, string | undefined>();
    const app = await testApp(({ method, path, headers }) => {
      if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'told', route: '/told' }] };
      if (method === 'POST') seen.set(path, String(headers['traceparent']));
      return { body: {} };
    });
    await app.listen();
    const first = await startSidecar({ appId: 'shop', appPort: app.port });
    const invoke = (method: string, more: object): object => ({ Type: 'Task', Resource: `arn:mecha:invoke:::shop:${method}`, ...more });
    const create = async (client: SFNClient, name: string, definition: object): Promise<string | undefined> => (await client.send(new CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify(definition) }))).stateMachineArn;
    const child = await create(clientOf(first), 'child', { StartAt: 'In', States: { In: invoke('inner', { End: true }) } });
    const stateMachineArn = await create(clientOf(first), 'parent', {
      StartAt: 'Out',
      States: {
        Out: invoke('outer', { Next: 'Rest' }),
        Rest: { Type: 'Wait', Seconds: 2, Next: 'Nested' },
        Nested: { Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync:2', Parameters: { StateMachineArn: child }, Next: 'Tell' },
        Tell: { Type: 'Task', Resource: 'arn:mecha:pubsub:::pubsub:publish', Parameters: { Topic: 'told', Data: {} }, End: true },
      },
    });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await fetch(`http://127.0.0.1:${first.httpPort}/v1.0-mecha/states`, {
      method: 'POST', body: JSON.stringify({ stateMachineArn }),
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AWSStepFunctions.StartExecution', traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    const { executionArn } = (await answer.json()) as { executionArn: string };
    await until('the first task has run', () => seen.has('/outer'));
    await first.process.kill('SIGKILL');
    const second = await startSidecar({ appId: 'shop', appPort: app.port, dataDir: first.dataDir });
    expect((await ended(clientOf(second), executionArn)).status).toBe('SUCCEEDED');
    await until('the event has come', () => seen.has('/told'));
    expect([...seen.keys()].sort()).toEqual(['/inner', '/outer', '/told']);
    for (const [path, traceparent] of seen) expect(traceparent, path).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    expect(new Set(seen.values()).size).toBe(3);
  });

  test('an execution stays on the text of the resource that it began with, over a restart with another one', async () => {
    const app = await testApp((asked) => (asked.method === 'POST' ? { body: 'done' } : { body: {} }));
    await app.listen();
    const resource = (result: string, seconds: number): Promise<string> => folderWith({ 'job.yaml': `apiVersion: mecha.dev/v1alpha1\nkind: Workflow\nmetadata: {name: job}\nspec:\n  definition:\n    StartAt: W\n    States:\n      W: {Type: Wait, Seconds: ${seconds}, Next: P}\n      P: {Type: Pass, Result: ${result}, End: true}\n` });
    const first = await startSidecar({ appId: 'shop', appPort: app.port, resources: await resource('old', 3) });
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:job';
    const { executionArn } = await clientOf(first).send(new StartExecutionCommand({ stateMachineArn }));
    await first.process.kill('SIGTERM');
    await first.process.exited;
    const client = clientOf(await startSidecar({ appId: 'shop', appPort: app.port, dataDir: first.dataDir, resources: await resource('new', 0) }));
    const second = await client.send(new StartExecutionCommand({ stateMachineArn }));
    expect(await ended(client, second.executionArn)).toMatchObject({ output: '"new"' });
    expect(await ended(client, executionArn)).toMatchObject({ output: '"old"' });
    expect((await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }))).definition).toContain('"old"');
  });
});
