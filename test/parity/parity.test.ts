/**
 * Every operation in process, over HTTP and over gRPC: the same results, and the same errors with the code and status
 * that each protocol has for them. One table, three ways.
 */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultsOf } from '../tools/sidecar-options.ts';
import { temporaryFolder } from '../tools/processes.ts';
import { createHost, type Host } from '@mecha/runtime/host.ts';
import { MechaError } from '@mecha/runtime/errors.ts';
import { traceFrom } from '@mecha/runtime/telemetry/trace.ts';
import type { Blocks } from '@mecha/runtime/sidecar/sidecar.ts';
import type { Call } from '@mecha/runtime/pipeline.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';

let host: Host;
let blocks: Blocks;
let base: string;
let grpc: Client;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  const folder = await temporaryFolder();
  removeFolder = folder.remove;
  host = createHost(
    { dataDir: folder.path, metrics: { enabled: false, port: 0, listenAddress: '127.0.0.1' }, sidecars: [defaultsOf({ appId: 'parity', env: { SECRET: 'value' } })] },
    { writeLog: () => undefined },
  );
  await host.start();
  const [sidecar] = host.sidecars;
  if (!sidecar?.blocks) throw new Error('the sidecar has no blocks');
  await sidecar.outboundReady;
  blocks = sidecar.blocks;
  base = `http://127.0.0.1:${sidecar.httpPort}/v1.0`;
  grpc = new Client(`127.0.0.1:${sidecar.grpcPort}`, credentials.createInsecure());
});
afterAll(async () => {
  grpc.close();
  await host.stop();
  await removeFolder();
});

const call = (operation: string): Call => ({ operation, protocol: 'internal', trace: traceFrom(undefined), signal: new AbortController().signal });
const run = <T>(operation: string, work: (call: Call) => Promise<T>): Promise<T> => {
  const made = call(operation);
  return blocks.pipeline.run(made, () => work(made));
};

/** What came of a call, in words that all three ways share. */
type Outcome = { readonly ok: unknown } | { readonly code: string; readonly status: number; readonly message: string };

async function inProcess(work: () => Promise<unknown>): Promise<Outcome & { error?: MechaError }> {
  try {
    return { ok: (await work()) ?? null };
  } catch (error) {
    if (!(error instanceof MechaError)) throw error;
    return { code: error.code, status: error.httpStatus, message: error.message, error };
  }
}

async function overHttp(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Outcome & { text: string; etag: string | null; details: { '@type': string; reason?: string }[] }> {
  const answer = await fetch(base + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) });
  const text = await answer.text();
  const etag = answer.headers.get('etag');
  if (answer.ok) return { ok: text === '' ? null : text, text, etag, details: [] };
  const { errorCode, message, details = [] } = JSON.parse(text) as { errorCode: string; message: string; details?: { '@type': string; reason?: string }[] };
  return { code: errorCode, status: answer.status, message, text, etag, details };
}

type AnyMethod = { readonly path: string; readonly request: { encode(message: never): Uint8Array }; readonly response: { decode(bytes: Uint8Array): unknown } };
function overGrpc(method: AnyMethod, message: unknown): Promise<{ ok: unknown } | { grpcCode: number; message: string; rich: boolean }> {
  return new Promise((resolve) => {
    grpc.makeUnaryRequest(
      method.path,
      (value: unknown) => Buffer.from(method.request.encode(value as never)),
      (bytes: Buffer) => method.response.decode(bytes),
      message,
      (error: ServiceError | null, value?: unknown) =>
        resolve(error ? { grpcCode: error.code, message: error.details, rich: error.metadata.get('grpc-status-details-bin').length > 0 } : { ok: value }),
    );
  });
}

const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), binary: false });

describe('the same error by every way', () => {
  const empty = { metadata: {} };
  const cases: readonly (readonly [string, () => Promise<unknown>, readonly [string, string, unknown?, Record<string, string>?], readonly [AnyMethod, unknown]])[] = [
    ['state get, unknown store', () => run('state.get', (c) => blocks.state.get(c, { store: 'nope', key: 'k', ...empty })), ['GET', '/state/nope/k'], [Dapr.GetState, { storeName: 'nope', key: 'k' }]],
    ['state get, illegal key', () => run('state.get', (c) => blocks.state.get(c, { store: 'statestore', key: 'a||b', ...empty })), ['GET', '/state/statestore/a%7C%7Cb'], [Dapr.GetState, { storeName: 'statestore', key: 'a||b' }]],
    ['state save, no key', () => run('state.save', (c) => blocks.state.save(c, { store: 'statestore', items: [{ key: '', value: json(1) }] })), ['POST', '/state/statestore', [{ value: 1 }]], [Dapr.SaveState, { storeName: 'statestore', states: [{ value: Buffer.from('1') }] }]],
    ['state save, stale etag', () => run('state.save', (c) => blocks.state.save(c, { store: 'statestore', items: [{ key: 'never', value: json(1), etag: 'stale' }] })), ['POST', '/state/statestore', [{ key: 'never', value: 1, etag: 'stale' }]], [Dapr.SaveState, { storeName: 'statestore', states: [{ key: 'never', value: Buffer.from('1'), etag: { value: 'stale' } }] }]],
    ['state save, bad ttl', () => run('state.save', (c) => blocks.state.save(c, { store: 'statestore', items: [{ key: 'k', value: json(1), metadata: { ttlInSeconds: 'soon' } }] })), ['POST', '/state/statestore', [{ key: 'k', value: 1, metadata: { ttlInSeconds: 'soon' } }]], [Dapr.SaveState, { storeName: 'statestore', states: [{ key: 'k', value: Buffer.from('1'), metadata: { ttlInSeconds: 'soon' } }] }]],
    ['state delete, stale etag', () => run('state.delete', (c) => blocks.state.delete(c, { store: 'statestore', item: { key: 'never', etag: 'stale' } })), ['DELETE', '/state/statestore/never', undefined, { 'if-match': 'stale' }], [Dapr.DeleteState, { storeName: 'statestore', key: 'never', etag: { value: 'stale' } }]],
    ['state transaction, stale etag', () => run('state.transact', (c) => blocks.state.transact(c, { store: 'statestore', operations: [{ operation: 'upsert', key: 'never', value: json(1), etag: 'stale' }], ...empty })), ['POST', '/state/statestore/transaction', { operations: [{ operation: 'upsert', request: { key: 'never', value: 1, etag: 'stale' } }] }], [Dapr.ExecuteStateTransaction, { storeName: 'statestore', operations: [{ operationType: 'upsert', request: { key: 'never', value: Buffer.from('1'), etag: { value: 'stale' } } }] }]],
    ['publish, unknown component', () => run('pubsub.publish', (c) => blocks.pubsub.publish(c, { pubsubName: 'nope', topic: 't', data: Buffer.from('x'), contentType: 'text/plain', metadata: {} })), ['POST', '/publish/nope/t', 'x'], [Dapr.PublishEvent, { pubsubName: 'nope', topic: 't', data: Buffer.from('x') }]],
    ['publish, bad rawPayload', () => run('pubsub.publish', (c) => blocks.pubsub.publish(c, { pubsubName: 'pubsub', topic: 't', data: Buffer.from('x'), contentType: 'text/plain', metadata: { rawPayload: 'perhaps' } })), ['POST', '/publish/pubsub/t?metadata.rawPayload=perhaps', 'x'], [Dapr.PublishEvent, { pubsubName: 'pubsub', topic: 't', data: Buffer.from('x'), metadata: { rawPayload: 'perhaps' } }]],
    ['workflow start, bad id', () => run('workflow.start', () => blocks.workflow.start({ name: 'w', instanceId: 'a.b', input: '' })), ['POST', '/workflows/dapr/w/start?instanceID=a.b'], [Dapr.StartWorkflowBeta1, { workflowName: 'w', instanceId: 'a.b' }]],
    ['workflow start, long id', () => run('workflow.start', () => blocks.workflow.start({ name: 'w', instanceId: 'x'.repeat(65), input: '' })), ['POST', `/workflows/dapr/w/start?instanceID=${'x'.repeat(65)}`], [Dapr.StartWorkflowAlpha1, { workflowName: 'w', instanceId: 'x'.repeat(65) }]],
    ['workflow terminate, none', () => run('workflow.terminate', () => blocks.workflow.terminate({ instanceId: 'none' })), ['POST', '/workflows/dapr/none/terminate'], [Dapr.TerminateWorkflowBeta1, { instanceId: 'none' }]],
    ['workflow purge, none', () => run('workflow.purge', () => blocks.workflow.purge({ instanceId: 'none' })), ['POST', '/workflows/dapr/none/purge'], [Dapr.PurgeWorkflowBeta1, { instanceId: 'none' }]],
    ['workflow pause, none', () => run('workflow.pause', () => blocks.workflow.pause({ instanceId: 'none' })), ['POST', '/workflows/dapr/none/pause'], [Dapr.PauseWorkflowBeta1, { instanceId: 'none' }]],
    ['workflow resume, none', () => run('workflow.resume', () => blocks.workflow.resume({ instanceId: 'none' })), ['POST', '/workflows/dapr/none/resume'], [Dapr.ResumeWorkflowAlpha1, { instanceId: 'none' }]],
    ['workflow event, none', () => run('workflow.raiseEvent', () => blocks.workflow.raiseEvent({ instanceId: 'none', event: 'e', data: undefined })), ['POST', '/workflows/dapr/none/raiseEvent/e'], [Dapr.RaiseEventWorkflowBeta1, { instanceId: 'none', eventName: 'e' }]],
    ['workflow of an app with a bad id', () => run('workflow.pause', () => blocks.workflow.pause({ instanceId: 'i', appId: 'a/b' })), ['POST', '/workflows/dapr/i/pause?appID=a%2Fb'], [Dapr.PauseWorkflowBeta1, { instanceId: 'i', appId: 'a/b' }]],
    ['job, empty', () => run('jobs.schedule', async () => (await blocks.jobs()).schedule({ name: 'j', overwrite: false })), ['POST', '/jobs/j', {}], [Dapr.ScheduleJob, { job: { name: 'j' } }]],
    ['job, no name', () => run('jobs.schedule', async () => (await blocks.jobs()).schedule({ name: ' ', overwrite: false })), ['POST', '/jobs/%20', {}], [Dapr.ScheduleJobAlpha1, { job: { name: ' ' } }]],
    ['job, bad schedule', () => run('jobs.schedule', async () => (await blocks.jobs()).schedule({ name: 'j', schedule: '0 12 * * *', overwrite: false })), ['POST', '/jobs/j', { schedule: '0 12 * * *' }], [Dapr.ScheduleJob, { job: { name: 'j', schedule: '0 12 * * *' } }]],
    ['job, none', () => run('jobs.get', async () => (await blocks.jobs()).get('none')), ['GET', '/jobs/none'], [Dapr.GetJob, { name: 'none' }]],
    ['binding, unknown', () => run('bindings.invoke', async (c) => (await blocks.bindings()).invoke(c, { binding: 'nope', operation: 'create', data: Buffer.alloc(0), metadata: {} })), ['POST', '/bindings/nope', { operation: 'create' }], [Dapr.InvokeBinding, { name: 'nope', operation: 'create' }]],
    ['secret, unknown store', () => run('secrets.get', (c) => blocks.secrets.get(c, { store: 'nope', key: 'k', ...empty })), ['GET', '/secrets/nope/k'], [Dapr.GetSecret, { storeName: 'nope', key: 'k' }]],
  ];

  test.each(cases)('%s', async (_name, direct, http, rpc) => {
    const wanted = await inProcess(direct);
    if (!('error' in wanted) || !wanted.error) throw new Error('the case was meant to fail');
    const [method, path, body, headers] = http;
    const byHttp = await overHttp(method, path, body, headers);
    expect({ code: 'code' in byHttp && byHttp.code, status: 'status' in byHttp && byHttp.status, message: 'message' in byHttp && byHttp.message }).toEqual({ code: wanted.error.code, status: wanted.error.httpStatus, message: wanted.error.message });
    expect(byHttp.details.map((detail) => detail['@type'].split('.').at(-1))).toEqual(wanted.error.details.map(({ type }) => type));
    const byGrpc = await overGrpc(...rpc);
    expect(byGrpc).toEqual({ grpcCode: wanted.error.grpcCode, message: wanted.error.grpcMessage, rich: wanted.error.grpcDetails.length > 0 });
  });
});

describe('the same result by every way', () => {
  test('what one way schedules, each way finds', async () => {
    const job = { schedule: '0 0 3 * * *', repeats: 2, dueTime: '1h' };
    await run('jobs.schedule', async () => (await blocks.jobs()).schedule({ name: 'p', ...job, overwrite: false, data: { value: Buffer.from('{"n":1}') } }));
    await overHttp('POST', '/jobs/h', { ...job, data: { n: 1 } });
    const { ok: found } = (await overGrpc(Dapr.GetJob, { name: 'h' })) as { ok: { job: object } };
    await overGrpc(Dapr.ScheduleJob, { job: { ...found.job, name: 'g' } });
    for (const name of ['p', 'h', 'g']) {
      const direct = await run('jobs.get', async () => (await blocks.jobs()).get(name));
      const byGrpc = (await overGrpc(Dapr.GetJobAlpha1, { name })) as { ok: { job: object } };
      expect(direct).toMatchObject(job);
      expect(JSON.parse((await overHttp('GET', `/jobs/${name}`)).text)).toEqual({ name, ...job, data: { '@type': 'type.googleapis.com/google.protobuf.Value', value: { n: 1 } } });
      expect({ ...byGrpc.ok.job, name: 'h' }).toEqual(found.job);
    }
    expect(await overHttp('POST', '/jobs/p', job)).toMatchObject({ status: 409 });
    expect(await overGrpc(Dapr.ScheduleJob, { job: { name: 'p', ...job } })).toMatchObject({ grpcCode: 6, rich: true });
    expect(await overGrpc(Dapr.DeleteJobsByPrefix, {})).toEqual({ ok: {} });
    expect(await run('jobs.list', async () => (await blocks.jobs()).listAll())).toEqual([]);
  });

  test('what one way saves, each way reads: value, etag, expiry', async () => {
    const value = { text: 'ä€😀', number: 1.5, list: [1, null, { a: true }] };
    const save = {
      process: () => run('state.save', (c) => blocks.state.save(c, { store: 'statestore', items: [{ key: 'p', value: json(value), metadata: { ttlInSeconds: '600' } }] })),
      http: () => overHttp('POST', '/state/statestore', [{ key: 'h', value, metadata: { ttlInSeconds: '600' } }]),
      grpc: () => overGrpc(Dapr.SaveState, { storeName: 'statestore', states: [{ key: 'g', value: Buffer.from(JSON.stringify(value)), metadata: { ttlInSeconds: '600' } }] }),
    };
    await Promise.all(Object.values(save).map((work) => work()));
    for (const key of ['p', 'h', 'g']) {
      const direct = await run('state.get', (c) => blocks.state.get(c, { store: 'statestore', key, metadata: {} }));
      const byHttp = await overHttp('GET', `/state/statestore/${key}`);
      const byGrpc = (await overGrpc(Dapr.GetState, { storeName: 'statestore', key })) as { ok: { data: Uint8Array; etag: string; metadata: Record<string, string> } };
      expect(JSON.parse(byHttp.text)).toEqual(value);
      expect(JSON.parse(Buffer.from(direct?.data ?? []).toString())).toEqual(value);
      expect(JSON.parse(Buffer.from(byGrpc.ok.data).toString())).toEqual(value);
      expect([byHttp.etag, byGrpc.ok.etag]).toEqual([direct?.etag, direct?.etag]);
      expect(byGrpc.ok.metadata).toEqual(direct?.metadata);
      expect(Object.keys(direct?.metadata ?? {})).toEqual(['ttlExpireTime']);
    }
  });

  test('a key that is not there is nothing by every way, and deleting it is no error', async () => {
    expect(await run('state.get', (c) => blocks.state.get(c, { store: 'statestore', key: 'none', metadata: {} }))).toBeUndefined();
    expect(await overHttp('GET', '/state/statestore/none')).toMatchObject({ ok: null });
    expect(await overGrpc(Dapr.GetState, { storeName: 'statestore', key: 'none' })).toMatchObject({ ok: { etag: '' } });
    expect(await overHttp('DELETE', '/state/statestore/none')).toMatchObject({ ok: null });
    expect(await overGrpc(Dapr.DeleteState, { storeName: 'statestore', key: 'none' })).toMatchObject({ ok: {} });
  });

  test('bulk get keeps the order of the keys and says of a missing one its key alone', async () => {
    await run('state.save', (c) => blocks.state.save(c, { store: 'statestore', items: [{ key: 'b1', value: json(1) }, { key: 'b2', value: json('two') }] }));
    const keys = ['b2', 'gone', 'b1'];
    const direct = await run('state.bulkGet', (c) => blocks.state.bulkGet(c, { store: 'statestore', keys, parallelism: 0, metadata: {} }));
    const byHttp = JSON.parse((await overHttp('POST', '/state/statestore/bulk', { keys })).text) as { key: string; data?: unknown; etag?: string }[];
    const byGrpc = ((await overGrpc(Dapr.GetBulkState, { storeName: 'statestore', keys })) as { ok: { items: { key: string; data: Uint8Array; etag: string }[] } }).ok.items;
    expect(direct.map(({ key }) => key)).toEqual(keys);
    expect(byHttp).toEqual(direct.map(({ key, data, etag }) => (data ? { key, data: JSON.parse(Buffer.from(data).toString()) as unknown, etag } : { key })));
    expect(byGrpc.map(({ key, data, etag }) => [key, Buffer.from(data).toString(), etag])).toEqual(direct.map(({ key, data, etag }) => [key, Buffer.from(data ?? []).toString(), etag ?? '']));
  });

  test('a transaction by one way is seen by the others, whole', async () => {
    await overHttp('POST', '/state/statestore/transaction', { operations: [{ operation: 'upsert', request: { key: 't1', value: 1 } }, { operation: 'upsert', request: { key: 't2', value: 2 } }, { operation: 'delete', request: { key: 't1' } }] });
    expect(await overGrpc(Dapr.GetState, { storeName: 'statestore', key: 't1' })).toMatchObject({ ok: { etag: '' } });
    expect((await overHttp('GET', '/state/statestore/t2')).text).toBe('2');
  });

  test('a workflow that one way starts, each way sees, and no way makes again', async () => {
    for (const [id, start] of [
      ['wp', () => run('workflow.start', () => blocks.workflow.start({ name: 'order', instanceId: 'wp', input: '1' }))],
      ['wh', () => overHttp('POST', '/workflows/dapr/order/start?instanceID=wh', 1)],
      ['wg', () => overGrpc(Dapr.StartWorkflowBeta1, { workflowName: 'order', instanceId: 'wg', input: Buffer.from('1') })],
    ] as const) {
      await start();
      const direct = await run('workflow.get', () => blocks.workflow.get({ instanceId: id }));
      const byHttp = JSON.parse((await overHttp('GET', `/workflows/dapr/${id}`)).text) as Record<string, unknown>;
      const byGrpc = (await overGrpc(Dapr.GetWorkflowBeta1, { instanceId: id })) as { ok: Record<string, unknown> };
      const seen = { workflowName: 'order', runtimeStatus: 'PENDING', properties: { 'dapr.workflow.input': '1' } };
      expect([direct?.name, direct?.status, direct?.properties]).toEqual([seen.workflowName, seen.runtimeStatus, seen.properties]);
      expect(byHttp).toMatchObject({ instanceID: id, ...seen });
      expect(byGrpc.ok).toMatchObject({ instanceId: id, ...seen });
      await expect(run('workflow.start', () => blocks.workflow.start({ name: 'order', instanceId: id, input: '1' }))).rejects.toMatchObject({ code: 'ERR_START_WORKFLOW' });
    }
    expect(await overGrpc(Dapr.GetWorkflowAlpha1, { instanceId: 'nobody' })).toMatchObject({ ok: { instanceId: 'nobody', workflowName: '' } });
  });

  test('secrets and metadata', async () => {
    expect(await run('secrets.get', (c) => blocks.secrets.get(c, { store: 'secretstore', key: 'SECRET', metadata: {} }))).toEqual({ SECRET: 'value' });
    expect(JSON.parse((await overHttp('GET', '/secrets/secretstore/SECRET')).text)).toEqual({ SECRET: 'value' });
    expect(await overGrpc(Dapr.GetSecret, { storeName: 'secretstore', key: 'SECRET' })).toMatchObject({ ok: { data: { SECRET: 'value' } } });
    const byHttp = JSON.parse((await overHttp('GET', '/metadata')).text) as { id: string; components: { name: string }[] };
    const byGrpc = (await overGrpc(Dapr.GetMetadata, {})) as { ok: { id: string; registeredComponents: { name: string }[] } };
    expect([byHttp.id, byGrpc.ok.id]).toEqual(['parity', 'parity']);
    expect(byGrpc.ok.registeredComponents.map(({ name }) => name)).toEqual(byHttp.components.map(({ name }) => name));
  });
});
