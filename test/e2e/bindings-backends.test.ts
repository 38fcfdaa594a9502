/** Bindings of databases and brokers in a real sidecar process, against real servers. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AppCallback } from '@mecha/specs/gen/appcallback.gen.ts';
import { serverAddress } from '../servers/servers.ts';
import { until, untilStatus } from '../tools/processes.ts';
import { tcpGate } from '../tools/tcp-gate.ts';
import { cleanUp, component, folder, folderWith, grpcApp, later, startSidecar, testApp } from './sidecar.ts';

afterEach(cleanUp);

const run = randomUUID().replaceAll('-', '');
/** Names by which only sidecars speak, as whoever writes to a broker may send them. */
const FORGED = Object.fromEntries(['Mecha-Event-Id', 'Dapr-Api-Token', 'Dapr-Caller-App-Id', 'Traceparent', 'Content-Type', 'Mecha-Peer-From'].map((name) => [name, 'forged']));

describe('an app behind bindings of databases', () => {
  test.each([
    ['bindings.postgresql', () => ({ url: `postgres://mecha@${serverAddress('postgresql')}/postgres` }), '$1, $2', [['a', "it's"]]],
    ['bindings.mysql', () => ({ url: `mecha:mecha-password@tcp(${serverAddress('mysql')})/mecha` }), '?, ?', [{ id: 'a', words: "it's" }]],
    ['bindings.sqlite', async () => ({ connectionString: join(await folder(), 'app.db') }), '$1, $2', [['a', "it's"]]],
  ] as const)('%s writes a row with bind values and reads it again', async (type, metadata, places, rows) => {
    const sidecar = await startSidecar({ resources: await folderWith({ 'db.yaml': component('db', type, await metadata()) }) });
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    const table = `e2e_${run}`;
    const call = (operation: string, sql: string, params?: readonly unknown[]) =>
      sidecar.call('POST', '/bindings/db', { operation, metadata: { sql, ...(params === undefined ? {} : { params: JSON.stringify(params) }) } });
    await call('exec', `CREATE TABLE ${table} (id varchar(20), words varchar(50))`);
    const inserted = await call('exec', `INSERT INTO ${table} VALUES (${places})`, ['a', "it's"]);
    expect(inserted.headers.get('metadata.rows-affected')).toBe('1');
    const read = await call('query', `SELECT id, words FROM ${table}`);
    expect([read.status, read.json()]).toEqual([200, rows]);
    const wrong = await call('query', 'SELECT nonsense FROM nowhere');
    expect([wrong.status, wrong.json()]).toEqual([500, { errorCode: 'ERR_INVOKE_OUTPUT_BINDING', message: expect.stringContaining('error invoking output binding db: ') }]);
    expect((await call('exec', `DROP TABLE ${table}`)).status).toBeLessThan(300);
  });

  test('is told that a database is not there, and served when it is, without a restart', async () => {
    const network = await tcpGate(serverAddress('postgresql'));
    later(() => network.close());
    await network.shut();
    const sidecar = await startSidecar({ resources: await folderWith({ 'db.yaml': component('db', 'bindings.postgresql', { url: `postgres://mecha:not-to-be-seen@${network.address}/postgres` }) }) });
    const call = () => sidecar.call('POST', '/bindings/db', { operation: 'query', metadata: { sql: 'SELECT 1' } });
    const refused = await call();
    expect([refused.status, refused.json()]).toEqual([503, { errorCode: 'ERR_COMPONENT_NOT_READY', message: expect.stringContaining('ECONNREFUSED') }]);
    await network.open();
    await until('it is served', async () => (await call()).status === 200, { about: sidecar.process });
    await network.shut();
    await until('it is told as lost', async () => (await call()).status === 503, { about: sidecar.process });
    await network.open();
    await until('it is served again', async () => (await call()).status === 200, { about: sidecar.process });
    expect(sidecar.output()).not.toContain('not-to-be-seen');
  });
});

describe('an app behind bindings of brokers', () => {
  test.each([
    ['bindings.kafka', () => ({ brokers: serverAddress('kafka'), authType: 'none', topics: `e2e-${run}`, publishTopic: `e2e-${run}`, consumerGroup: run, initialOffset: 'oldest' })],
    ['bindings.rabbitmq', () => ({ host: `amqp://guest:guest@${serverAddress('rabbitmq')}/`, queueName: `e2e-${run}`, deleteWhenUnused: 'true' })],
  ] as const)('%s brings what was created to the app, again until it is taken', async (type, metadata) => {
    const seen: string[] = [];
    const app = await testApp(({ method, path, text }) => {
      if (path !== '/events') return undefined;
      if (method === 'OPTIONS') return { status: 200 };
      seen.push(text);
      return { status: seen.length < 3 ? 500 : 200 };
    });
    await app.listen();
    const sidecar = await startSidecar({ appPort: app.port, resources: await folderWith({ 'queue.yaml': component('queue', type, { ...metadata(), route: '/events' }) }) });
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await sidecar.call('POST', '/bindings/queue', { operation: 'create', data: { order: 7 }, metadata: { Own: 'kept', ...FORGED } })).status).toBe(204);
    await until('the app has taken it', () => seen.length === 3, { about: sidecar.process });
    expect(seen).toEqual(Array.from({ length: 3 }, () => '{"order":7}'));
    const ids = app.requests.filter(({ method }) => method === 'POST').map(({ headers }) => headers['mecha-event-id']);
    expect([[...new Set(ids)], app.requests.filter(({ headers }) => Object.values(headers).join().includes('forged')), app.requests.at(-1)?.headers['own']]).toEqual([[expect.any(String)], [], 'kept']);
  });

  test('bindings.rabbitmq brings a gRPC app the id that the sidecar gives, and not what who made the event says', async () => {
    const seen: Record<string, string>[] = [];
    const appPort = await grpcApp((serve) => serve(AppCallback.OnBindingEvent, ({ request, metadata }, reply) => {
      seen.push({ ...request.metadata }, Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)])));
      reply(null, {});
    }));
    const queue = { host: `amqp://guest:guest@${serverAddress('rabbitmq')}/`, queueName: `e2e-grpc-${run}`, deleteWhenUnused: 'true', direction: 'input, output' };
    const sidecar = await startSidecar({ appPort, resources: await folderWith({ 'queue.yaml': component('queue', 'bindings.rabbitmq', queue) }), args: ['--app-protocol', 'grpc'] });
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    expect((await sidecar.call('POST', '/bindings/queue', { operation: 'create', data: 1, metadata: { Own: 'kept', ...FORGED } })).status).toBe(204);
    await until('the app has it', () => seen.length === 2, { about: sidecar.process });
    const [event = {}, call = {}] = seen;
    expect(Object.keys(event).filter((name) => name.toLowerCase() === 'mecha-event-id')).toEqual(['mecha-event-id']);
    expect([event['Own'], event['mecha-event-id']?.includes('forged'), Object.values(call).join().includes('forged')]).toEqual(['kept', false, false]);
  });

  test('bindings.redis keeps what was created until it is deleted', async () => {
    const sidecar = await startSidecar({ resources: await folderWith({ 'keys.yaml': component('keys', 'bindings.redis', { redisHost: serverAddress('redis') }) }) });
    await untilStatus(`${sidecar.base}/healthz`, 204, sidecar.process);
    const call = (operation: string, data?: unknown) => sidecar.call('POST', '/bindings/keys', { operation, data, metadata: { key: run } });
    await call('create', { order: 7 });
    expect((await call('get')).json()).toEqual({ order: 7 });
    await call('delete');
    expect((await call('get')).status).toBe(204);
  });
});
