/** (users 31) Compensation through a real sidecar: every way in which a saga can end badly undoes it in reverse, and what is stuck waits for a person, also over kill -9. */
import { SFNClient, DescribeExecutionCommand, StartExecutionCommand, StopExecutionCommand, type DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { cleanUp, folderWith, later, mecha, request, startSidecar, testApp, type AppRequest, type Sidecar, type TestApp } from '../e2e/sidecar.ts';
import { until } from '../tools/processes.ts';

afterEach(cleanUp);

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:trip';
const step = (name: string, next: string): string => `
      ${name}:
        Type: Task
        Resource: arn:mecha:invoke:::shop:${name}
        ResultPath: null
        Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::shop:undo-${name}', Retry: [{ ErrorEquals: [States.ALL], IntervalSeconds: 1, MaxAttempts: 1 }] } }
        Next: ${next}`;
/** Books a flight and a hotel, and then does as `last` says. */
const trip = (last: string, more = ''): string => `apiVersion: mecha.dev/v1alpha1
kind: Workflow
metadata: { name: trip }
spec:
  definition:
    StartAt: flight${more}
    States:${step('flight', 'hotel')}${step('hotel', 'last')}
      last: ${last}
`;
const REST = '{ Type: Wait, Seconds: 3600, End: true }';

interface Shop {
  readonly app: TestApp;
  /** Paths of the calls that were answered well, in order. */
  readonly done: () => string[];
  /** Idempotency keys of all calls of a path. */
  readonly keys: (path: string) => Set<unknown>;
  fail: (path: string) => boolean;
}
async function openShop(): Promise<Shop> {
  const calls: AppRequest[] = [];
  const done: string[] = [];
  const app = await testApp((asked) => {
    if (asked.method !== 'POST') return { body: {} };
    calls.push(asked);
    if (shop.fail(asked.path)) return { status: 503, body: 'down' };
    done.push(asked.path);
    return { body: {} };
  });
  await app.listen();
  const shop: Shop = { app, done: () => done, keys: (path) => new Set(calls.filter((asked) => asked.path === path).map(({ headers }) => headers['idempotency-key'])), fail: () => false };
  return shop;
}
const sidecarOf = async ({ app }: Shop, definition: string, dataDir?: string): Promise<Sidecar> => startSidecar({ appId: 'shop', appPort: app.port, resources: await folderWith({ 'trip.yaml': definition }), ...(dataDir === undefined ? {} : { dataDir }) });
function clientOf({ httpPort }: Sidecar): SFNClient {
  const client = new SFNClient({ endpoint: `http://127.0.0.1:${httpPort}/v1.0-mecha/states`, region: 'eu-central-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' }, maxAttempts: 1 });
  later(async () => client.destroy());
  return client;
}
const start = async (client: SFNClient): Promise<string> => (await client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name: 't-1', input: '{"trip":1}' }))).executionArn ?? '';
const ended = (client: SFNClient, executionArn: string): Promise<DescribeExecutionCommandOutput> =>
  until('the execution ends', async () => {
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    return described.status === 'RUNNING' ? undefined : described;
  });
const compensations = ({ httpPort }: Sidecar, arn: string): string => `http://127.0.0.1:${httpPort}/v1.0-mecha/compensations/${encodeURIComponent(arn)}`;
const sagaOf = async (sidecar: Sidecar, arn: string): Promise<{ status?: string; undone: number; steps: { stuck: boolean }[] }> => (await request('GET', compensations(sidecar, arn))).json();
const booked = (shop: Shop): Promise<unknown> => until('flight and hotel are booked', () => shop.done().includes('/hotel'));
const REVERSED = ['/flight', '/hotel', '/undo-hotel', '/undo-flight'];

describe('a saga is undone in reverse', () => {
  test.each([
    ['when a step fails', '{ Type: Fail, Error: SoldOut }', '', async () => undefined, { status: 'FAILED', error: 'SoldOut' }],
    ['when the execution is stopped', REST, '', async (client: SFNClient, executionArn: string) => client.send(new StopExecutionCommand({ executionArn, error: 'Enough' })), { status: 'ABORTED', error: 'Enough' }],
    ['when the time of the execution is over', REST, '\n    TimeoutSeconds: 5', async () => undefined, { status: 'TIMED_OUT' }],
    ['when the time of the saga is over', REST, '\n    Mecha: { Saga: { TimeoutSeconds: 5 } }', async () => undefined, { status: 'TIMED_OUT' }],
    ['when it is terminated by the workflow API', REST, '', async (_client: SFNClient, _arn: string, sidecar: Sidecar) => sidecar.call('POST', '/workflows/mecha/execution:trip:t-1/terminate'), { status: 'ABORTED' }],
  ] as const)('%s', async (_when, last, more, act, expected) => {
    const shop = await openShop();
    const sidecar = await sidecarOf(shop, trip(last, more));
    const client = clientOf(sidecar);
    // The first undoing of the hotel fails: each has retries of its own, under one key.
    let failures = 1;
    shop.fail = (path) => path === '/undo-hotel' && failures-- > 0;
    const arn = await start(client);
    await booked(shop);
    await act(client, arn, sidecar);
    expect(await ended(client, arn)).toMatchObject(expected);
    expect(await sagaOf(sidecar, arn)).toMatchObject({ status: 'COMPENSATED', undone: 2, steps: [] });
    expect(shop.done()).toEqual(REVERSED);
    expect([...shop.keys('/undo-hotel')]).toEqual([`${arn}/saga/2`]);
  });
});

describe('a stuck compensation', () => {
  test('is listed over HTTP and by the command, survives kill -9, is retried by hand, and the rest is undone', async () => {
    const shop = await openShop();
    const first = await sidecarOf(shop, trip('{ Type: Fail, Error: SoldOut }'));
    shop.fail = (path) => path === '/undo-hotel';
    const arn = await start(clientOf(first));
    const listed = async ({ httpPort }: Sidecar): Promise<{ executions: { execution: string; steps: { step: number; stuck: boolean }[] }[] }> => (await request('GET', `http://127.0.0.1:${httpPort}/v1.0-mecha/compensations`)).json();
    await until('it is stuck', async () => (await listed(first)).executions.length === 1);
    await first.process.kill('SIGKILL');

    const second = await sidecarOf(shop, trip('{ Type: Fail, Error: SoldOut }'), first.dataDir);
    const at = ['--dapr-http-port', String(second.httpPort)];
    const told = await mecha(['workflow', 'compensations', 'list', ...at]);
    expect(told).toMatchObject({ code: 0, out: expect.stringMatching(/^execution:trip:t-1 2 {2}hotel, 2 tries: States\.Http\.StatusCode\.503/) as string });
    shop.fail = () => false;
    expect((await mecha(['workflow', 'compensations', 'retry', 'execution:trip:t-1', '2', ...at])).code).toBe(0);
    expect(await ended(clientOf(second), arn)).toMatchObject({ status: 'FAILED', error: 'SoldOut' });
    expect(await sagaOf(second, arn)).toMatchObject({ status: 'COMPENSATED', undone: 2 });
    expect(shop.done()).toEqual(REVERSED);
    expect([...shop.keys('/undo-hotel')]).toEqual([`${arn}/saga/2`]);
    expect((await listed(second)).executions).toEqual([]);
    expect((await mecha(['workflow', 'compensations', 'retry', 'execution:trip:t-1', '2', ...at])).code).toBe(3);
  });

  test('that was stopped too is skipped by hand, and a word that was answered is heard also when the process is killed at once', async () => {
    const shop = await openShop();
    const definition = trip('{ Type: Fail, Error: SoldOut }');
    const first = await sidecarOf(shop, definition);
    shop.fail = (path) => path === '/undo-hotel';
    const arn = await start(clientOf(first));
    await until('it is stuck', async () => (await sagaOf(first, arn)).steps[1]?.stuck);
    // A stop in the middle of undoing changes how it ends, and stops no undoing.
    await clientOf(first).send(new StopExecutionCommand({ executionArn: arn, error: 'Enough' }));
    const skipped = await request('POST', `${compensations(first, arn)}/2/skip`, { attempts: 2, reason: 'the hotel is bankrupt' });
    expect([skipped.status, skipped.json()]).toEqual([202, { applied: true }]);
    await first.process.kill('SIGKILL');
    const second = await sidecarOf(shop, definition, first.dataDir);
    expect(await ended(clientOf(second), arn)).toMatchObject({ status: 'ABORTED', error: 'Enough' });
    expect(await sagaOf(second, arn)).toMatchObject({ status: 'COMPENSATED', undone: 1, leftDone: [{ step: 2, stateName: 'hotel', by: 'person', reason: 'the hotel is bankrupt' }] });
    // The flight may have been undone, and not yet recorded, when the process died: then it is again, under its key.
    expect([...new Set(shop.done())]).toEqual(['/flight', '/hotel', '/undo-flight']);
    expect([...shop.keys('/undo-flight')]).toEqual([`${arn}/saga/1`]);
    expect((await request('POST', `${compensations(second, arn)}/2/skip`, { attempts: 2 })).json()).toEqual({ applied: false });
  });

  test('is named by code where the request is at fault', async () => {
    const shop = await openShop();
    const sidecar = await sidecarOf(shop, trip(REST));
    const base = `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/compensations`;
    const codes = await Promise.all(
      [
        request('GET', `${base}?status=odd`), request('GET', `${base}?limit=0`), request('GET', `${base}/execution:trip:none`),
        request('POST', `${base}/x/zero/retry`), request('POST', `${base}/x/1/skip`, 'no json'), request('POST', `${base}/x/1/skip`, { reason: 1 }),
      ].map(async (answer) => [(await answer).status, (await answer).json<{ errorCode: string }>().errorCode]),
    );
    expect(codes).toEqual([
      [400, 'ERR_COMPENSATION_REQUEST'], [400, 'ERR_COMPENSATION_REQUEST'], [404, 'ERR_COMPENSATION_EXECUTION_NOT_FOUND'],
      [404, 'ERR_COMPENSATION_STEP_NOT_FOUND'], [400, 'ERR_COMPENSATION_REQUEST'], [400, 'ERR_COMPENSATION_REQUEST'],
    ]);
  });
});
