/**
 * Workflows written with the official JavaScript SDK, as it comes from the registry, run by worker processes against real sidecars: what the
 * SDK offers, one by one, and then workers and sidecars that are killed in the middle. Numbers in brackets are of the tests that a sidecar
 * should pass.
 */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, grpcClient } from '../e2e/sidecar.ts';
import { until } from '../tools/processes.ts';
import { World, distinct, inputsOf } from './workflow-world.ts';

describe('one worker', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.begin();
  });
  afterAll(async () => {
    await world.close();
  });

  test('activities run one after another, each once', async () => {
    const id = await world.start('chain', 1);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 6 });
    expect(inputsOf(await world.runs(id))).toEqual([1, 2, 3, 4, 5]);
  });

  test('the metadata count the worker', async () => {
    expect(await (await world.http('GET', 'v1.0/metadata')).json()).toMatchObject({ workflows: { connectedWorkers: 1 } });
  });

  test('fan out, fan in: sixty activities, beyond what the SDK runs at once', async () => {
    const id = await world.start('fan', 60);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 1890 });
    expect(distinct(inputsOf(await world.runs(id)))).toBe(60);
    expect(await world.runs(id)).toHaveLength(60);
  });

  test('three hundred activities at once: more than the SDK takes before it drops items in silence', async () => {
    const id = await world.start('fan', 300);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 45_450 });
    expect(await world.runs(id)).toHaveLength(300);
  });

  test('a timer fires after its time and not before', async () => {
    const id = await world.start('nap', 0.4);
    const { status, output } = await world.end(id);
    expect(status).toBe('COMPLETED');
    expect(output).toBeGreaterThanOrEqual(400);
  });

  test('an event is waited for and comes with its data', async () => {
    const id = await world.start('approval');
    expect(await world.status(id)).toBe('RUNNING');
    await world.client.raiseEvent(id, 'approve', { by: 'Ada' });
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: { first: { by: 'Ada' } } });
  });

  test('an event that comes early waits, and its name is taken in any case', async () => {
    const id = await world.start('late');
    await world.client.raiseEvent(id, 'EARLY', 'bird');
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 'bird' });
  });

  test('every event of a burst arrives, in order', async () => {
    const id = await world.start('collect', 20);
    for (let n = 1; n <= 20; n++) await world.client.raiseEvent(id, 'item', n);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: Array.from({ length: 20 }, (_, n) => n + 1) });
  });

  test('a state machine waits for it: its output is the result, its error is caught by its name, a stop ends it', async () => {
    const states = async (operation: string, fields: object): Promise<Record<string, string>> => (await (await world.http('POST', 'v1.0-mecha/states', JSON.stringify(fields), { 'x-amz-target': `AWSStepFunctions.${operation}` })).json()) as Record<string, string>;
    const task = (workflow: string, more: object): object => ({ Type: 'Task', Resource: `arn:mecha:workflow:::${workflow}:start.sync`, End: true, ...more });
    const definition = {
      StartAt: 'Chain',
      States: {
        Chain: task('chain', { Parameters: { 'Input.$': '$' }, End: undefined, Next: 'Broken' }),
        Broken: task('broken', { Parameters: { Input: 'x' }, ResultPath: '$.never', Catch: [{ ErrorEquals: ['States.TaskFailed'], ResultPath: null, Next: 'Wait' }], End: undefined, Next: 'Wait' }),
        Wait: task('approval', { Parameters: { InstanceId: 'awaited' } }),
      },
    };
    const { stateMachineArn } = await states('CreateStateMachine', { name: 'awaits', roleArn: 'arn:aws:iam::000000000000:role/r', definition: JSON.stringify(definition) });
    const { executionArn } = await states('StartExecution', { stateMachineArn, input: '1' });
    await until('the last workflow waits', async () => (await world.status('awaited').catch(() => '')) === 'RUNNING');
    const told = JSON.stringify(await states('GetExecutionHistory', { executionArn }));
    expect(told).toContain('"output":"6"');
    expect(told).toMatch(/taskFailedEventDetails":\{"resourceType":"mecha-workflow","resource":"broken:start.sync","error":"\w*Error"/);
    await states('StopExecution', { executionArn });
    expect(await world.end('awaited')).toMatchObject({ status: 'TERMINATED' });
  });

  test('an event wins against a long timer', async () => {
    const id = await world.start('race');
    await world.client.raiseEvent(id, 'approve');
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 'approved' });
  });

  test('child workflows, one after another and side by side', async () => {
    const id = await world.start('family', 1);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: [11, 12] });
  });

  test('a failing activity fails the workflow, with its words', async () => {
    const id = await world.start('broken', 'luck');
    const { status, failure } = await world.end(id);
    expect(status).toBe('FAILED');
    expect(failure).toContain('no luck with luck');
  });

  test('a failing child is caught by its parent', async () => {
    const id = await world.start('brokenFamily');
    const { status, output } = await world.end(id);
    expect(status).toBe('COMPLETED');
    expect(output).toContain('no luck with child');
  });

  test('an activity that fails twice is tried again by the workflow, after a timer each', async () => {
    const id = await world.start('retried', 'x');
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: [3, 'at last'] });
    expect(await world.runs(id)).toHaveLength(3);
  });

  test('(users 22) continue-as-new goes on with its input, five times over, and an event that nobody waits for does not disturb it', async () => {
    const id = await world.start('countdown', { left: 5, seen: [] });
    await world.client.raiseEvent(id, 'unknown', 'kept');
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: [6, 5, 4, 3, 2] });
  });

  test('a workflow that nobody registered fails with a name', async () => {
    const id = await world.start('nowhere');
    expect(await world.end(id)).toMatchObject({ status: 'FAILED' });
  });

  test('terminated: with its output, and no activity is begun after', async () => {
    const id = await world.start('slowChain', 1);
    await until('the first activity runs', async () => (await world.runs(id)).length > 0);
    await world.client.terminateWorkflow(id, { why: 'enough' });
    expect(await world.end(id)).toMatchObject({ status: 'TERMINATED', output: { why: 'enough' } });
    const begun = (await world.runs(id)).length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await world.runs(id)).length).toBe(begun);
  });

  test('suspended it stands still, resumed it goes on, and what came meanwhile is not lost', async () => {
    const id = await world.start('approval');
    await world.client.suspendWorkflow(id);
    expect(await world.status(id)).toBe('SUSPENDED');
    await world.client.raiseEvent(id, 'approve', 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await world.status(id)).toBe('SUSPENDED');
    await world.client.resumeWorkflow(id);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: { first: 1 } });
  });

  test('purged it is gone; a running one cannot be', async () => {
    const done = await world.start('echo', 'x');
    await world.end(done);
    expect(await world.client.purgeWorkflow(done)).toBe(true);
    expect(await world.client.getWorkflowState(done, true)).toBeUndefined();
    const running = await world.start('approval');
    await expect(world.client.purgeWorkflow(running)).rejects.toThrow(/not yet completed/);
    await world.client.terminateWorkflow(running, null);
  });

  test('an id that is in use is refused; one whose workflow has ended may be used again', async () => {
    const id = await world.start('approval', undefined, 'taken');
    await expect(world.start('approval', undefined, 'taken')).rejects.toThrow(/an active workflow with ID 'taken' already exists/);
    await world.client.raiseEvent(id, 'approve', 1);
    await world.end(id);
    await world.start('echo', 'again', 'taken');
    expect(await world.end('taken')).toMatchObject({ output: 'again' });
  });

  test('a start in the future is waited for', async () => {
    const startIn = (ms: number): Promise<string> => world.client.scheduleNewWorkflow('echo', ms, undefined, new Date(Date.now() + ms));
    const [later, soon] = [await startIn(3_600_000), await startIn(1_500)];
    expect(await world.end(soon)).toMatchObject({ status: 'COMPLETED', output: 1_500 });
    expect(await world.status(later)).toBe('PENDING');
  });

  test('(users 23) a storm of suspend, resume and terminate always comes to an end', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => world.start('slowChain', 1)));
    await Promise.all(
      ids.map(async (id, n) => {
        for (let round = 0; round < 3; round++) {
          await world.client.suspendWorkflow(id);
          await world.client.resumeWorkflow(id);
        }
        if (n % 2 === 0) await world.client.terminateWorkflow(id, n);
      }),
    );
    const ends = await Promise.all(ids.map((id) => world.end(id)));
    expect(ends.map(({ status }) => status)).toEqual(ids.map((_, n) => (n % 2 === 0 ? 'TERMINATED' : 'COMPLETED')));
  });

  test.each(['v1.0', 'v1.0-beta1', 'v1.0-alpha1'])('over HTTP under %s: start, get, raise, pause, resume, terminate, purge', async (version) => {
    const base = `${version}/workflows/dapr`;
    const id = `http-${version.replaceAll('.', '_')}`;
    const started = await world.http('POST', `${base}/approval/start?instanceID=${id}`, '{"n":1}');
    expect([started.status, await started.json()]).toEqual([202, { instanceID: id }]);
    const get = async (): Promise<Record<string, unknown>> => (await world.http('GET', `${base}/${id}`)).json() as Promise<Record<string, unknown>>;
    await until('it runs', async () => (await get())['runtimeStatus'] === 'RUNNING');
    expect(await get()).toMatchObject({ instanceID: id, workflowName: 'approval', properties: { 'dapr.workflow.input': '{"n":1}', 'dapr.workflow.custom_status': 'waiting' } });
    expect((await world.http('POST', `${base}/${id}/pause`)).status).toBe(202);
    expect((await get())['runtimeStatus']).toBe('SUSPENDED');
    expect((await world.http('POST', `${base}/${id}/resume`)).status).toBe(202);
    const raised = await world.http('POST', `${base}/${id}/raiseEvent/approve`, '"yes"');
    expect([raised.status, await raised.text()]).toEqual([202, '{}']);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: { first: 'yes' } });
    expect((await world.http('POST', `${base}/${id}/purge`)).status).toBe(202);
    const gone = await world.http('GET', `${base}/${id}`);
    expect([gone.status, await gone.json()]).toEqual([404, { errorCode: 'ERR_INSTANCE_ID_NOT_FOUND', message: `unable to find workflow with the provided instance ID: ${id}` }]);
    await world.http('POST', `${base}/approval/start?instanceID=${id}`);
    expect((await world.http('POST', `${base}/${id}/terminate`)).status).toBe(202);
    expect((await get())['runtimeStatus']).toBe('TERMINATED');
  });
});

describe.each(['http', 'grpc'] as const)('a workflow that is started over %s', (protocol) => {
  let world: World;
  afterAll(async () => {
    await cleanUp();
    await world.close();
  });

  test('belongs to the trace of the call', async () => {
    world = await World.begin();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    if (protocol === 'http') await world.http('POST', 'v1.0/workflows/dapr/chain/start?instanceID=traced', '1', { traceparent, tracestate: 'a=b' });
    else await grpcClient(`127.0.0.1:${world.grpcPort}`).call(Dapr.StartWorkflowBeta1, { workflowName: 'chain', instanceId: 'traced', input: Buffer.from('1') }, { traceparent, tracestate: 'a=b' });
    expect(await world.end('traced')).toMatchObject({ status: 'COMPLETED', output: 6 });
    const { events } = (await (await world.http('GET', 'v1.0-mecha/workflows/traced/history')).json()) as { events: { kind: string; trace?: { traceParent: string; traceState: string } }[] };
    const { trace } = events.find(({ kind }) => kind === 'executionStarted') ?? {};
    expect(trace).toEqual({ traceParent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/), traceState: 'a=b' });
  });
});

describe('workers and sidecars that die', () => {
  let world: World;
  afterAll(async () => {
    await world.close();
  });

  test('(users 24) one of two workers is killed in the middle: the other ends all of it, and nothing that was recorded runs again', async () => {
    world = await World.begin(2);
    const ids = await Promise.all(Array.from({ length: 20 }, () => world.start('slowChain', 1)));
    const [first] = world.workers;
    if (!first) throw new Error('there is no worker');
    await until('both have run something', async () => distinct((await Promise.all(ids.map((id) => world.runs(id)))).flat().map(({ pid }) => pid)) === 2);
    await first.kill('SIGKILL');
    for (const id of ids) expect(await world.end(id, 60)).toMatchObject({ status: 'COMPLETED', output: 6 });
    for (const id of ids) {
      const runs = await world.runs(id);
      expect(distinct(inputsOf(runs))).toBe(5);
      // Only what the dead worker had under way ran a second time, and by the other.
      for (const again of runs.filter((run, n) => runs.findIndex(({ input }) => input === run.input) !== n)) expect(again.pid).not.toBe(first.pid);
    }
    await world.close();
  });

  test('(users 24) a worker that is stopped in order ends the activities that it runs, and none of them runs twice', async () => {
    world = await World.begin(2);
    const ids = await Promise.all(Array.from({ length: 12 }, () => world.start('slowChain', 1)));
    const [first] = world.workers;
    if (!first) throw new Error('there is no worker');
    await until('both have run something', async () => distinct((await Promise.all(ids.map((id) => world.runs(id)))).flat().map(({ pid }) => pid)) === 2);
    first.child.kill('SIGTERM');
    for (const id of ids) expect(await world.end(id, 60)).toMatchObject({ status: 'COMPLETED', output: 6 });
    for (const id of ids) expect(inputsOf(await world.runs(id))).toEqual([1, 2, 3, 4, 5]);
    await world.close();
  });

  test('(users 5, 6) the sidecar is killed in the middle and started again: every workflow ends, each result is used once', async () => {
    world = await World.begin(1);
    const ids = await Promise.all(Array.from({ length: 10 }, () => world.start('slowChain', 1)));
    const napping = await world.start('nap', 2);
    const waiting = await world.start('approval');
    await until('some activities have run', async () => (await Promise.all(ids.map((id) => world.runs(id)))).flat().length > 12);
    await world.restart('SIGKILL');
    // This SDK's worker ends for good when its first stream breaks; its app would be started again.
    await world.addWorker();
    for (const id of ids) expect(await world.end(id, 60)).toMatchObject({ status: 'COMPLETED', output: 6 });
    expect(await world.end(napping, 60)).toMatchObject({ status: 'COMPLETED' });
    await world.client.raiseEvent(waiting, 'approve', 'after');
    expect(await world.end(waiting)).toMatchObject({ output: { first: 'after' } });
    await world.close();
  });

  test('the sidecar is stopped and started again: the worker comes back by itself, and everything ends', async () => {
    world = await World.begin(1);
    const ids = await Promise.all(Array.from({ length: 10 }, () => world.start('slowChain', 1)));
    await until('some activities have run', async () => (await Promise.all(ids.map((id) => world.runs(id)))).flat().length > 12);
    await world.restart('SIGTERM');
    for (const id of ids) expect(await world.end(id, 60)).toMatchObject({ status: 'COMPLETED', output: 6 });
    for (const id of ids) expect(distinct(inputsOf(await world.runs(id)))).toBe(5);
    await world.close();
  });

  test('(users 26, 27) a history too large for a message stops its own workflow by name; others do not feel it', async () => {
    world = await World.begin(1, { args: ['--dapr-http-max-request-size', '1'] });
    const big = await world.start('collect', 1000);
    const piece = 'x'.repeat(200_000);
    for (let n = 0; n < 8; n++) await world.client.raiseEvent(big, 'item', piece);
    const other = await world.start('chain', 1);
    expect(await world.end(other)).toMatchObject({ status: 'COMPLETED', output: 6 });
    await until('it is stalled', () => world.sidecar.lines.some((line) => line.includes('a workflow is stalled') && line.includes('payload-too-large')));
    await world.client.terminateWorkflow(big, 'too big');
    expect(await world.end(big)).toMatchObject({ status: 'TERMINATED' });
    await world.close();
  });
});
