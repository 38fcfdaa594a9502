/** What one app stores stays its own, and no name that a caller gives is ever a path on the disk. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { serverAddress } from '../servers/servers.ts';
import { cleanUp, component, folder, folderWith, grpcClient, mecha, startSidecar, type Sidecar } from './sidecar.ts';

afterEach(cleanUp);

/** Paths of all files under `path`. */
async function filesOf(path: string): Promise<string[]> {
  return (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory()).map((entry) => relative(path, join(entry.parentPath, entry.name))).sort();
}

describe('(users 49) path traversal', () => {
  const NAMES = ['../../escaped', '..%2f..%2fescaped', '/etc/passwd', '..\\..\\escaped', '.', '..', 'a/../../b', 'C:\\escaped', '%00escaped', 'a\u0000b', '....//escaped', '~/escaped', '$HOME', '`touch escaped`', '-rf'];

  test('state keys and topics with path syntax are plain names: each is stored under itself, and no file is made anywhere', async () => {
    const around = await folder();
    const dataDir = join(around, 'a', 'b', 'data');
    const resources = await folderWith({
      'all.yaml': component('statestore', 'state.sqlite') + component('file', 'state.sqlite', { connectionString: join(around, 'own.db') }) + component('pubsub', 'pubsub.sqlite'),
    });
    const sidecar = await startSidecar({ dataDir, resources });
    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    const before = await filesOf(around);
    for (const store of ['statestore', 'file']) {
      const saved = await sidecar.call('POST', `/state/${store}`, NAMES.map((key, index) => ({ key, value: index })));
      expect([saved.status, saved.text]).toEqual([204, '']);
      const bulk = (await sidecar.call('POST', `/state/${store}/bulk`, { keys: NAMES })).json<{ key: string; data: number }[]>();
      expect(bulk.map(({ key, data }) => [key, data]).sort()).toEqual(NAMES.map((key, index) => [key, index]).sort());
      for (const [index, key] of NAMES.entries()) {
        const got = await grpc.call<{ data: Uint8Array }>(Dapr.GetState, { storeName: store, key });
        expect([key, Buffer.from(got.data).toString()]).toEqual([key, String(index)]);
      }
    }
    for (const topic of NAMES) {
      await grpc.call(Dapr.PublishEvent, { pubsubName: 'pubsub', topic, data: Buffer.from('x') });
      const answer = await sidecar.call('POST', `/publish/pubsub/${encodeURIComponent(topic)}`, '"x"');
      // A dot segment is taken away before there is a topic.
      expect([topic, answer.status < 500]).toEqual([topic, true]);
    }
    const journal = /-(wal|shm|journal)$/;
    expect((await filesOf(around)).filter((file) => !journal.test(file))).toEqual(before.filter((file) => !journal.test(file)));
  });

  test('names of components, stores, secrets and apps never reach the file system', async () => {
    const secrets = await folderWith({ 'secrets.json': '{"known":"value"}' });
    const resources = await folderWith({ 'all.yaml': component('vault', 'secretstores.local.file', { secretsFile: join(secrets, 'secrets.json') }) });
    const sidecar = await startSidecar({ resources });
    for (const name of NAMES) {
      const encoded = encodeURIComponent(name);
      for (const path of [`/secrets/vault/${encoded}`, `/secrets/${encoded}/known`, `/state/${encoded}/key`, `/invoke/${encoded}/method/x`]) {
        const answer = await sidecar.call('GET', path);
        expect([path, answer.status >= 400 && answer.status < 600], answer.text).toEqual([path, true]);
        expect(answer.text).not.toMatch(/root:|ENOENT|EACCES|at \w+ \(/);
      }
    }
    expect((await sidecar.call('GET', '/secrets/vault/known')).json()).toEqual({ known: 'value' });
    expect(sidecar.output()).not.toMatch(/level=error/);

    for (const name of ['../x', 'a/b', '..', 'a%2fb']) {
      const wrong = await mecha(['validate', await folderWith({ 'a.yaml': component(JSON.stringify(name), 'state.sqlite') })]);
      expect([name, wrong.code, wrong.out]).toEqual([name, 1, expect.stringContaining('a name is a path segment')]);
    }
    for (const appId of ['../x', 'a/b', 'a.b', 'a||b', '..']) expect([appId, (await mecha(['sidecar', '--app-id', appId])).code]).toEqual([appId, 2]);
  });
});

describe('(users 52) prefix isolation', () => {
  const stores = (): readonly (readonly [string, string])[] => [
    ['state.sqlite', component('store', 'state.sqlite')],
    ['state.redis', component('store', 'state.redis', { redisHost: serverAddress('redis') })],
  ];

  test.each(['state.sqlite', 'state.redis'])('on %s two apps whose ids and keys look alike never meet, over HTTP or gRPC', async (type) => {
    const resources = await folderWith({ 'all.yaml': stores().find(([name]) => name === type)?.[1] ?? '' });
    const dataDir = await folder();
    const mark = `mark-${process.pid}-${Date.now()}`;
    // The last two are the same to the eye: a Latin and a Cyrillic letter.
    const appIds = ['test', 'test-1', 'Test', 'tes', 'te\u0455t'];
    const sidecars: Sidecar[] = [];
    for (const appId of appIds) sidecars.push(await startSidecar({ appId, dataDir, resources }));
    // Composed and decomposed, look-alikes, blanks, case, wildcards of SQL and of Redis.
    const keys = ['a', 'A', '\u0430', '\u00e9', 'e\u0301', '1', ' 1', '1 ', '-1', '%', '_', '*', '?', '[a]', "'", '"', ';', '|', 'a|b', 'K', '\u212a'].map((key) => `${mark}${key}`);
    const value = (appId: string, key: string): string => `${appId} has ${key}`;

    for (const [index, sidecar] of sidecars.entries()) {
      const items = keys.map((key) => ({ key, value: value(sidecar.appId, key) }));
      if (index % 2 === 0) expect((await sidecar.call('POST', '/state/store', items)).status).toBe(204);
      else await grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call(Dapr.SaveState, { storeName: 'store', states: items.map((item) => ({ key: item.key, value: Buffer.from(JSON.stringify(item.value)) })) });
    }
    const readAll = async (sidecar: Sidecar): Promise<(string | null)[]> => {
      const bulk = (await sidecar.call('POST', '/state/store/bulk', { keys, parallelism: 4 })).json<{ key: string; data?: string }[]>();
      const grpc = await grpcClient(`127.0.0.1:${sidecar.grpcPort}`).call<{ items: { key: string; data: Uint8Array }[] }>(Dapr.GetBulkState, { storeName: 'store', keys });
      const byHttp = keys.map((key) => bulk.find((item) => item.key === key)?.data ?? null);
      const byGrpc = keys.map((key) => grpc.items.find((item) => item.key === key)?.data).map((data) => (data && data.length > 0 ? (JSON.parse(Buffer.from(data).toString()) as string) : null));
      expect(byGrpc).toEqual(byHttp);
      return byHttp;
    };
    for (const sidecar of sidecars) expect(await readAll(sidecar)).toEqual(keys.map((key) => value(sidecar.appId, key)));
    for (const sidecar of sidecars) {
      const one = await sidecar.call('GET', `/state/store/${encodeURIComponent(keys[0] ?? '')}`);
      expect(one.json()).toBe(value(sidecar.appId, keys[0] ?? ''));
    }

    // What one deletes, by each way there is, the others keep.
    const [first, second, third] = sidecars as [Sidecar, Sidecar, Sidecar];
    expect((await first.call('DELETE', `/state/store/${encodeURIComponent(keys[0] ?? '')}`)).status).toBe(204);
    await grpcClient(`127.0.0.1:${second.grpcPort}`).call(Dapr.DeleteBulkState, { storeName: 'store', states: keys.map((key) => ({ key })) });
    expect((await third.call('POST', '/state/store/transaction', { operations: keys.slice(1).map((key) => ({ operation: 'delete', request: { key } })) })).status).toBe(204);
    expect(await readAll(first)).toEqual(keys.map((key, index) => (index === 0 ? null : value(first.appId, key))));
    expect(await readAll(second)).toEqual(keys.map(() => null));
    expect(await readAll(third)).toEqual(keys.map((key, index) => (index === 0 ? value(third.appId, key) : null)));
    for (const other of sidecars.slice(3)) expect(await readAll(other)).toEqual(keys.map((key) => value(other.appId, key)));
  });

  test('a key that holds the separator is refused on get, set, delete, bulk and in a transaction, which then writes nothing', async () => {
    const sidecar = await startSidecar({ appId: 'test' });
    const grpc = grpcClient(`127.0.0.1:${sidecar.grpcPort}`);
    const key = 'test-1||secret';
    const encoded = encodeURIComponent(key);
    const answers = [
      await sidecar.call('GET', `/state/statestore/${encoded}`),
      await sidecar.call('DELETE', `/state/statestore/${encoded}`),
      await sidecar.call('POST', '/state/statestore', [{ key: 'good', value: 1 }, { key, value: 1 }]),
      await sidecar.call('POST', '/state/statestore/transaction', { operations: [{ operation: 'upsert', request: { key: 'good', value: 1 } }, { operation: 'upsert', request: { key, value: 1 } }] }),
    ];
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("can't contain '||'")]);
    const bulk = await sidecar.call('POST', '/state/statestore/bulk', { keys: ['good', key] });
    expect(bulk.text).toContain("can't contain '||'");
    for (const [method, message] of [
      [Dapr.GetState, { storeName: 'statestore', key }],
      [Dapr.DeleteState, { storeName: 'statestore', key }],
      [Dapr.SaveState, { storeName: 'statestore', states: [{ key, value: Buffer.from('1') }] }],
      [Dapr.DeleteBulkState, { storeName: 'statestore', states: [{ key }] }],
    ] as const) {
      await expect(grpc.call(method, message), method.path).rejects.toMatchObject({ details: expect.stringContaining("can't contain '||'") });
    }
    expect((await sidecar.call('GET', '/state/statestore/good')).status).toBe(204);
  });
});
