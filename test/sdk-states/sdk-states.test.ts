/** The AWS SDK for JavaScript, unmodified, against a real sidecar: machines, executions, histories, activities, tokens. */
import {
  CreateActivityCommand, CreateStateMachineCommand, DescribeExecutionCommand, GetActivityTaskCommand, GetExecutionHistoryCommand, ListExecutionsCommand, ListStateMachinesCommand,
  paginateGetExecutionHistory, SendTaskFailureCommand, SendTaskHeartbeatCommand, SendTaskSuccessCommand, SFNClient, StartExecutionCommand, StartSyncExecutionCommand, StopExecutionCommand, TestStateCommand, ValidateStateMachineDefinitionCommand,
  type DescribeExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, folderWith, later, mecha, request, startSidecar, testApp, type AppRequest, type Sidecar, type SidecarSetup, type TestApp } from '../e2e/sidecar.ts';
import { until } from '../tools/processes.ts';

afterEach(cleanUp);

const ROLE = 'arn:aws:iam::000000000000:role/test';
const endpointOf = ({ httpPort }: Sidecar): string => `http://127.0.0.1:${httpPort}/v1.0-mecha/states`;
function clientOf(sidecar: Sidecar, accessKeyId = 'any'): SFNClient {
  const client = new SFNClient({ endpoint: endpointOf(sidecar), region: 'eu-central-1', credentials: { accessKeyId, secretAccessKey: 'any' }, disableHostPrefix: true, maxAttempts: 1 });
  later(async () => client.destroy());
  return client;
}
async function ended(client: SFNClient, executionArn: string | undefined): Promise<DescribeExecutionCommandOutput> {
  return until('the execution ends', async () => {
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    return described.status === 'RUNNING' ? undefined : described;
  });
}
const create = async (client: SFNClient, name: string, definition: unknown, type: 'STANDARD' | 'EXPRESS' = 'STANDARD') =>
  (await client.send(new CreateStateMachineCommand({ name, roleArn: ROLE, type, definition: JSON.stringify(definition) }))).stateMachineArn;
const nameOf = (error: unknown): string => (error as Error).name;

/** A service whose handlers take what they are told to. */
async function service(handle: (body: unknown, request: AppRequest) => { status?: number; body?: unknown }): Promise<TestApp> {
  const app = await testApp((asked) => (asked.method === 'POST' ? handle(JSON.parse(asked.text || 'null'), asked) : { body: {} }));
  await app.listen();
  return app;
}
const withApp = async (app: TestApp, more: SidecarSetup = {}): Promise<Sidecar> => startSidecar({ appId: 'shop', appPort: app.port, ...more });

describe('the AWS SDK', () => {
  test('creates, starts, describes and reads the history of an execution whose task the app does', async () => {
    const app = await service((body) => ({ body: { charged: body } }));
    const client = clientOf(await withApp(app));
    const stateMachineArn = await create(client, 'order', { StartAt: 'Pay', States: { Pay: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:charge', ResultPath: '$.paid', End: true } } });
    const { executionArn, startDate } = await client.send(new StartExecutionCommand({ stateMachineArn, name: 'o-1', input: '{"sum":5}' }));
    expect(Math.abs((startDate?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await ended(client, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"sum":5,"paid":{"charged":{"sum":5}}}', name: 'o-1', stateMachineArn });
    expect(app.requests.filter(({ method }) => method === 'POST').map(({ path }) => path)).toEqual(['/charge']);
    const types: (string | undefined)[] = [];
    for await (const { events = [] } of paginateGetExecutionHistory({ client, pageSize: 2 }, { executionArn })) types.push(...events.map(({ type }) => type));
    expect(types).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    const newest = await client.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }));
    expect(newest.events).toMatchObject([{ id: 7, previousEventId: 6, type: 'ExecutionSucceeded', executionSucceededEventDetails: { output: '{"sum":5,"paid":{"charged":{"sum":5}}}' } }]);
    expect((await client.send(new ListStateMachinesCommand({}))).stateMachines).toMatchObject([{ name: 'order', type: 'STANDARD' }]);
    expect((await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED' }))).executions).toMatchObject([{ name: 'o-1', status: 'SUCCEEDED' }]);
  });

  test('starts a workflow of SDK workers from a task, and ends it from another', async () => {
    const sidecar = await startSidecar();
    const client = clientOf(sidecar);
    const stateMachineArn = await create(client, 'steer', {
      StartAt: 'Begin',
      States: {
        Begin: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:start', Parameters: { Input: { order: 7 } }, Next: 'Tell' },
        Tell: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:raise', Parameters: { 'InstanceId.$': '$.InstanceId', Event: 'paid' }, ResultPath: null, Next: 'End' },
        End: { Type: 'Task', Resource: 'arn:mecha:workflow:::ship:terminate', Parameters: { 'InstanceId.$': '$.InstanceId' }, ResultPath: null, End: true },
      },
    });
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    const { status, output } = await ended(client, executionArn);
    expect(status).toBe('SUCCEEDED');
    const { InstanceId: instanceId } = JSON.parse(output ?? '{}') as { InstanceId: string };
    const shown = await sidecar.call('GET', `/workflows/mecha/${instanceId}`);
    expect(shown.json()).toMatchObject({ workflowName: 'ship', runtimeStatus: 'TERMINATED' });
  });

  test('knows the errors by their names', async () => {
    const client = clientOf(await startSidecar());
    const attempts: [string, () => Promise<unknown>][] = [
      ['InvalidDefinition', () => create(client, 'bad', {})],
      ['InvalidName', () => create(client, 'a b', { StartAt: 'S', States: { S: { Type: 'Succeed' } } })],
      ['StateMachineDoesNotExist', () => client.send(new StartExecutionCommand({ stateMachineArn: 'arn:aws:states:eu-central-1:000000000000:stateMachine:none' }))],
      ['ExecutionDoesNotExist', () => client.send(new DescribeExecutionCommand({ executionArn: 'arn:aws:states:eu-central-1:000000000000:execution:none:x' }))],
      ['InvalidToken', () => client.send(new SendTaskSuccessCommand({ taskToken: 'x', output: '1' }))],
    ];
    for (const [name, attempt] of attempts) expect(await attempt().then(() => 'nothing', nameOf)).toBe(name);
    expect(await client.send(new ValidateStateMachineDefinitionCommand({ definition: '{}' }))).toMatchObject({ result: 'FAIL', diagnostics: [{ severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED' }] });
    expect(await client.send(new TestStateCommand({ definition: '{"Type":"Pass","Result":1,"Next":"N"}', input: '{}', roleArn: ROLE }))).toMatchObject({ status: 'SUCCEEDED', output: '1', nextState: 'N' });
    const stateMachineArn = await create(client, 'quick', { StartAt: 'P', States: { P: { Type: 'Pass', Result: 3, End: true } } }, 'EXPRESS');
    expect(await client.send(new StartSyncExecutionCommand({ stateMachineArn }))).toMatchObject({ status: 'SUCCEEDED', output: '3' });
  });

  test('works off activities, and holds a task by its token over a kill of the sidecar', async () => {
    const tokens: string[] = [];
    const app = await service((body) => {
      tokens.push((body as { token: string }).token);
      return { body: 'asked' };
    });
    const first = await withApp(app);
    let client = clientOf(first);
    const { activityArn } = await client.send(new CreateActivityCommand({ name: 'pack' }));
    const polled = client.send(new GetActivityTaskCommand({ activityArn, workerName: 'worker-1' }));
    const stateMachineArn = await create(client, 'ship', {
      StartAt: 'Pack',
      States: { Pack: { Type: 'Task', Resource: activityArn, Next: 'Approve' }, Approve: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:approve.waitForTaskToken', Parameters: { 'token.$': '$$.Task.Token', 'box.$': '$.box' }, End: true } },
    });
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '{"n":1}' }));
    const { taskToken, input } = await polled;
    expect(input).toBe('{"n":1}');
    await client.send(new SendTaskHeartbeatCommand({ taskToken }));
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '{"box":7}' }));
    await until('the app is asked', () => tokens.length === 1);
    await until('the asking is recorded', async () => (await client.send(new GetExecutionHistoryCommand({ executionArn }))).events?.some(({ type }) => type === 'TaskSubmitted'));
    await first.process.kill('SIGKILL');
    client = clientOf(await withApp(app, { dataDir: first.dataDir }));
    await client.send(new SendTaskSuccessCommand({ taskToken: tokens[0], output: '"yes"' }));
    expect(await ended(client, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"yes"' });
    expect(tokens.length).toBe(1);
    expect(await client.send(new SendTaskFailureCommand({ taskToken: tokens[0] })).then(() => 'nothing', nameOf)).toBe('TaskTimedOut');
  });

  test('is let in by the access key id or the header when there is an API token, and by nothing else', async () => {
    const sidecar = await startSidecar({ env: { DAPR_API_TOKEN: 'secret' } });
    expect((await clientOf(sidecar, 'secret').send(new ListStateMachinesCommand({}))).stateMachines).toEqual([]);
    expect(await clientOf(sidecar, 'secrets').send(new ListStateMachinesCommand({})).then(() => 'nothing', nameOf)).toBe('UnrecognizedClientException');
    const plain = (headers: Record<string, string>) => request('POST', endpointOf(sidecar), '{}', { 'x-amz-target': 'AWSStepFunctions.ListStateMachines', ...headers });
    expect((await plain({})).status).toBe(400);
    expect((await plain({ 'dapr-api-token': 'secret' })).status).toBe(200);
    expect((await plain({ 'dapr-api-token': 'no', authorization: 'AWS4-HMAC-SHA256 Credential=secret/1/r/states/aws4_request' })).status).toBe(400);
    expect((await sidecar.call('GET', '/metadata', undefined, { authorization: 'AWS4-HMAC-SHA256 Credential=secret/1/r/states/aws4_request' })).status).toBe(401);
  });

  test('stops what a Workflow resource declared; a faulty one ends the start with file and line', async () => {
    const yaml = (next: string): string => `apiVersion: mecha.dev/v1alpha1\nkind: Workflow\nmetadata: {name: nap}\nspec:\n  definition:\n    StartAt: W\n    States:\n      W: {Type: Wait, Seconds: 600, ${next}}\n`;
    const client = clientOf(await startSidecar({ resources: await folderWith({ 'nap.yaml': yaml('End: true') }) }));
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:nap' }));
    await client.send(new StopExecutionCommand({ executionArn, error: 'Enough' }));
    expect(await ended(client, executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough' });
    const faulty = await folderWith({ 'nap.yaml': yaml('Next: X') });
    const { code, out, err } = await mecha(['validate', faulty]);
    expect([code, out + err]).toEqual([1, expect.stringMatching(/nap\.yaml:8: error: .* at \/States\/W\/Next/)]);
  });

  test('a sidecar that ends while a task runs gives it back, and the next one does it', async () => {
    let hold = true;
    let asked = 0;
    const app = await testApp(async ({ method }) => {
      if (method !== 'POST') return { body: {} };
      asked++;
      if (hold) await new Promise((resolve) => setTimeout(resolve, 20_000));
      return { body: 'done' };
    });
    await app.listen();
    const first = await withApp(app, { args: ['--dapr-graceful-shutdown-seconds', '1'] });
    const client = clientOf(first);
    const stateMachineArn = await create(client, 'slow', { StartAt: 'T', States: { T: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:work', End: true } } });
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    await until('the app is asked', () => asked === 1);
    await first.process.kill('SIGTERM');
    hold = false;
    const next = clientOf(await withApp(app, { dataDir: first.dataDir }));
    expect(await ended(next, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"done"' });
    expect(asked).toBe(2);
  });
});
