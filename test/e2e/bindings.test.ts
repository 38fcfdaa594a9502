/** Bindings of a real sidecar process: what callers are told, apps that come late, answers that ask for more, dead letters. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { until, untilStatus } from '../tools/processes.ts';
import { cleanUp, component, folder, folderWith, grpcClient, later, mecha, startSidecar, testApp, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

interface Status {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly operations?: readonly string[];
  readonly input?: { readonly state: string; readonly route: string; readonly reason?: string };
}
const statusOf = async (sidecar: Sidecar, name: string): Promise<Status | undefined> =>
  (await sidecar.call('GET', '/metadata')).json<{ components: Status[] }>().components.find((status) => status.name === name);

describe('an output binding', () => {
  test('says the same over both protocols: results, metadata and every refusal', async () => {
    const root = join(await folder(), 'files');
    const service = createServer((request, response) => {
      if (request.url !== '/hang') response.writeHead(418, { 'x-own': 'yes' }).end('{}');
    });
    await new Promise<void>((resolve) => void service.listen(0, '127.0.0.1', resolve));
    later(async () => {
      service.closeAllConnections();
      service.close();
    });
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const resources = await folderWith({
      'all.yaml': component('files', 'bindings.localstorage', { rootPath: root }) + component('web', 'bindings.http', { url, responseTimeout: '200ms' }) + component('away', 'bindings.http', { url: 'http://127.0.0.1:1' }) + component('tick', 'bindings.cron', { schedule: '@hourly' }),
    });
    const sidecar = await startSidecar({ resources });
    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);

    const made = await sidecar.call('POST', '/bindings/files', { operation: 'create', data: 'hello', metadata: { fileName: 'a' } });
    expect([made.status, made.json(), made.headers.get('metadata.filename'), made.headers.get('content-type')]).toEqual([200, { fileName: 'a' }, 'a', 'application/json']);
    const read = await grpc.call<{ data: Buffer; metadata: Record<string, string> }>(Dapr.InvokeBinding, { name: 'files', operation: 'get', metadata: { fileName: 'a' } });
    expect([Buffer.from(read.data).toString(), { ...read.metadata }]).toEqual(['hello', { fileName: 'a' }]);
    expect((await sidecar.call('PUT', '/bindings/files', { operation: 'delete', metadata: { fileName: 'a' } })).status).toBe(204);

    const long = 'x'.repeat(100_000);
    const named = await sidecar.call('POST', '/bindings/files', { operation: 'create', data: long, metadata: { fileName: 'gęś' } });
    expect(Buffer.from(named.headers.get('metadata.filename') ?? '', 'latin1').toString()).toBe('gęś');
    const streamed = await sidecar.call('POST', '/bindings/files', { operation: 'get', metadata: { fileName: 'gęś' } });
    expect([streamed.headers.get('content-type'), streamed.headers.get('content-length'), streamed.text === long]).toEqual(['application/json', null, true]);

    const refusals: readonly [string, string, Record<string, string>, RegExp][] = [
      ['nobody', 'create', {}, /^error invoking output binding nobody: couldn't find output binding nobody$/],
      ['tick', 'create', {}, /couldn't find output binding tick$/],
      ['files', '', {}, /operation field is missing from request$/],
      ['files', 'fly', {}, /binding files does not support operation fly\. supported operations:create get list delete$/],
      ['files', 'get', {}, /operation get needs metadata fileName$/],
      ['files', 'get', { fileName: 'a' }, /file not found$/],
      ['files', 'get', { fileName: '../a' }, /leads out of rootPath$/],
      ['web', 'get', { path: 'x' }, /received status code 418$/],
      ['web', 'get', { path: 'hang' }, /no answer within 200 ms$/],
      ['web', 'get', { path: 'http://169.254.169.254/' }, /may not be followed/],
      ['away', 'get', {}, /cannot be reached: .*ECONNREFUSED/],
    ];
    for (const [name, operation, metadata, words] of refusals) {
      const answer = await sidecar.call('POST', `/bindings/${name}`, { operation, metadata });
      const { errorCode, message } = answer.json<{ errorCode: string; message: string }>();
      expect([answer.status, errorCode]).toEqual([500, 'ERR_INVOKE_OUTPUT_BINDING']);
      expect(message).toMatch(words);
      await expect(grpc.call(Dapr.InvokeBinding, { name, operation, metadata })).rejects.toMatchObject({ code: 13, details: message });
    }
    const failed = await sidecar.call('POST', '/bindings/web', { operation: 'get', metadata: { path: 'x' } });
    expect([failed.headers.get('metadata.statuscode'), failed.headers.get('metadata.x-own')]).toEqual(['418', 'yes']);

    for (const body of ['{', '[]', '{"operation":7}', '{"operation":"create","metadata":{"fileName":1}}', JSON.stringify({ operation: 'create', data: 'x'.repeat(5_000_000) })]) {
      const answer = await sidecar.call('POST', '/bindings/files', body, { 'content-type': 'application/json' });
      expect([answer.status, answer.json<{ errorCode: string }>().errorCode]).toEqual([400, 'ERR_MALFORMED_REQUEST']);
    }
    expect(await statusOf(sidecar, 'files')).toMatchObject({ state: 'ready', operations: ['create', 'get', 'list', 'delete'] });
  });

  test('whose backend is away at the start, and later, is told as not ready with the reason, and recovers by itself', async () => {
    const parent = await folder();
    const root = join(parent, 'sub', 'files');
    await writeFile(join(parent, 'sub'), 'a file in the way');
    const resources = await folderWith({ 'all.yaml': component('files', 'bindings.localstorage', { rootPath: root }) });
    const sidecar = await startSidecar({ resources });
    const create = () => sidecar.call('POST', '/bindings/files', { operation: 'create', data: 'x', metadata: { fileName: 'a' } });
    const refused = await create();
    expect([refused.status, refused.json()]).toEqual([503, { errorCode: 'ERR_COMPONENT_NOT_READY', message: expect.stringMatching(/^component files \(bindings\.localstorage\) is not ready: /) }]);
    expect(await statusOf(sidecar, 'files')).toMatchObject({ state: 'failed', reason: expect.stringContaining('ENOTDIR') });

    await rm(join(parent, 'sub'));
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await create()).status).toBe(200);

    await rm(root, { recursive: true });
    await until('it is told as lost', async () => (await statusOf(sidecar, 'files'))?.state === 'failed', { about: sidecar.process });
    expect((await create()).status).toBe(503);
    await mkdir(root);
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await create()).status).toBe(200);
  });

  test('is described by the command line, with its operations', async () => {
    const { code, out } = await mecha(['components', 'describe', 'bindings.localstorage']);
    expect([code, out]).toEqual([0, expect.stringMatching(/Operations:\n {2}create: .*\n {4}fileName: /)]);
  });
});

describe('an input binding', () => {
  test('reaches an app that comes late, says nothing when it is first asked and is not ready the next time, and what the app answers is done', async () => {
    const root = join(await folder(), 'files');
    let asked = 0;
    const app = await testApp(({ method, path }) => {
      if (method === 'OPTIONS' && path === '/ticks/of-mine') return ++asked === 1 ? new Promise(() => undefined) : { status: asked < 3 ? 503 : 200 };
      if (method !== 'POST' || path !== '/ticks/of-mine') return undefined;
      return { body: { storeName: 'statestore', state: [{ key: 'last', value: { n: 1 } }], to: ['files'], data: { from: 'tick' } } };
    });
    const resources = await folderWith({
      'all.yaml': component('statestore', 'state.sqlite') + component('files', 'bindings.localstorage', { rootPath: root }) + component('tick', 'bindings.cron', { schedule: '@every 1s', route: '/ticks/of-mine' }),
    });
    const sidecar = await startSidecar({ appPort: app.port, resources, args: ['--app-binding-options-timeout', '300ms'] });
    expect(await statusOf(sidecar, 'tick')).toMatchObject({ input: { state: 'waiting', reason: 'waiting for the app', route: 'ticks/of-mine' } });
    await app.listen();
    await until('a tick has come', () => app.requests.some(({ method }) => method === 'POST'), { about: sidecar.process });
    const [tick] = app.requests.filter(({ method }) => method === 'POST');
    expect(tick?.headers).toMatchObject({ 'content-type': 'application/json', 'mecha-event-id': expect.stringMatching(/^tick\/20/), timezone: expect.any(String) });
    await until('its answer is done', async () => (await sidecar.call('GET', '/state/statestore/last')).status === 200, { about: sidecar.process });
    const [file = ''] = await until('the file is there', async () => {
      const listed = (await sidecar.call('POST', '/bindings/files', { operation: 'list' })).json<string[]>();
      return listed.length > 0 && listed;
    });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ from: 'tick' });
    await access(file);
    expect(await statusOf(sidecar, 'tick')).toMatchObject({ input: { state: 'open' } });
  });

  test('whose event the app never takes becomes a dead letter with its reason, and the next one comes', async () => {
    const app = await testApp(({ method }) => (method === 'OPTIONS' ? { status: 405 } : { status: 500 }));
    const resources = await folderWith({ 'all.yaml': component('tick', 'bindings.cron', { schedule: '@every 1s' }) });
    const sidecar = await startSidecar({ appPort: app.port, resources });
    await app.listen();
    await until('a second tick has come', () => new Set(app.requests.map(({ headers }) => headers['mecha-event-id'])).size > 2, { about: sidecar.process });
    await sidecar.process.kill('SIGTERM');
    const ledger = await openSqliteLedger({ path: join(sidecar.dataDir, 'ledger.db'), clock: systemClock, log: createLog({ level: 'error', json: true, appId: 'test', version: '0' }) });
    later(() => ledger.close());
    const letters = await ledger.deadLetters({ appId: 'app', limit: 10 });
    expect(letters.at(-1)).toMatchObject({ pubsub: 'tick', topic: 'bindings/tick', attempts: 5, reason: 'the app answered with status 500', metadata: { tickId: expect.stringMatching(/^tick\/20/) } });
  });
});
