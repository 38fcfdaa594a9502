import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtagError, type OutboxRecord, type StateStore } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { stateStoreConformance } from '../kit/conformance/state-store.ts';
import { buildComponent, connected, createKeptLog, until } from '../kit/testing.ts';
import redisState from './state.ts';

const redisHost = serverAddress('redis');
const run = `test-${randomUUID()}`;
const newKey = (): string => `${run}||${randomUUID()}`;
const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
const record = (appId: string, id: string): OutboxRecord => ({
  id,
  pubsub: 'pubsub',
  topic: 'orders',
  appId,
  data: Buffer.from([0, 255, 10]),
  contentType: 'application/cloudevents+json',
  metadata: { partitionKey: 'a' },
  createdAt: 1_700_000_000_000,
});

let raw: Redis;
let store: StateStore;

beforeAll(async () => {
  raw = new Redis(`redis://${redisHost}`);
  store = await connected(buildComponent(redisState, { redisHost }));
});

afterAll(async () => {
  const keys = await raw.keys(`*${run}*`);
  if (keys.length > 0) await raw.del(...keys);
  raw.disconnect();
  await store.close?.();
});

stateStoreConformance('state.redis', {
  open: () => connected(buildComponent(redisState, { redisHost })),
  features: redisState.features,
  badEtag: '987654',
  setKeepsExpiry: true,
});

describe('the layout of state.redis', () => {
  test('a value lies in a hash with data and version, and the version is the etag', async () => {
    const key = newKey();
    await store.set({ key, value: json({ a: 1 }) });
    await store.set({ key, value: json({ a: 2 }) });
    expect(await raw.hgetall(key)).toEqual({ data: '{"a":2}', version: '2' });
    expect((await store.get({ key }))?.etag).toBe('2');
  });

  test('bytes come back as they went in', async () => {
    const key = newKey();
    const data = Buffer.from([0, 1, 2, 254, 255, 13, 10]);
    await store.set({ key, value: { data, binary: true } });
    expect(await raw.hgetBuffer(key, 'data')).toEqual(data);
    expect(Buffer.from((await store.get({ key }))?.data ?? [])).toEqual(data);
  });

  test('a first-write set leaves its mark', async () => {
    const key = newKey();
    await store.set({ key, value: json(1), options: { concurrency: 'first-write' } });
    expect(await raw.hgetall(key)).toEqual({ data: '1', version: '1', 'first-write': '0' });
  });

  test('data that another sidecar wrote is read, and changed with its etag', async () => {
    const key = newKey();
    await raw.hset(key, { data: '"old"', version: '41', 'first-write': '0' });
    expect(await store.get({ key })).toMatchObject({ etag: '41', data: Buffer.from('"old"') });
    await store.set({ key, value: json('new'), etag: '41' });
    expect(await raw.hgetall(key)).toEqual({ data: '"new"', version: '42', 'first-write': '0' });
  });

  test('a plain string of older data is read without an etag and replaced by the next write', async () => {
    const key = newKey();
    await raw.set(key, 'plain');
    const found = await store.get({ key });
    expect(Buffer.from(found?.data ?? []).toString()).toBe('plain');
    expect(found?.etag).toBeUndefined();
    await expect(store.set({ key, value: json(1), etag: '1' })).rejects.toMatchObject({ kind: 'mismatch' });
    await store.set({ key, value: json(1) });
    expect(await raw.hgetall(key)).toEqual({ data: '1', version: '1' });
  });

  test('a key of another type is an error that names the type, and is left alone', async () => {
    const key = newKey();
    await raw.rpush(key, 'x');
    await expect(store.get({ key })).rejects.toThrow('type list');
    expect(await raw.type(key)).toBe('list');
  });
});

describe('etags of state.redis', () => {
  test('an etag that is no number is invalid, and one that is stale or without a key is a mismatch', async () => {
    const key = newKey();
    await store.set({ key, value: json(1) });
    await expect(store.set({ key, value: json(2), etag: 'abc' })).rejects.toMatchObject({ name: 'EtagError', kind: 'invalid' });
    await expect(store.set({ key, value: json(2), etag: '9' })).rejects.toMatchObject({ kind: 'mismatch', key });
    await expect(store.set({ key: newKey(), value: json(2), etag: '1' })).rejects.toMatchObject({ kind: 'mismatch' });
    await expect(store.delete({ key, etag: '9' })).rejects.toBeInstanceOf(EtagError);
    expect((await store.get({ key }))?.etag).toBe('1');
  });

  test('a hash whose version is no number is replaced without an error', async () => {
    const key = newKey();
    await raw.hset(key, { data: '1', version: 'what' });
    await store.set({ key, value: json(2) });
    expect(await raw.hget(key, 'version')).toBe('1');
  });
});

describe('expiry in state.redis', () => {
  test('a TTL is set with the value, kept by a set without one, and taken away by zero', async () => {
    const key = newKey();
    await store.set({ key, value: json(1), ttlSeconds: 1000 });
    const expiresAt = (await store.get({ key }))?.expiresAt ?? 0;
    expect(Math.abs(expiresAt - Date.now() - 1_000_000)).toBeLessThan(60_000);
    await store.set({ key, value: json(2) });
    expect(await raw.ttl(key)).toBeGreaterThan(0);
    await store.set({ key, value: json(3), ttlSeconds: 0 });
    expect(await raw.ttl(key)).toBe(-1);
    await store.set({ key, value: json(4), ttlSeconds: 1000 });
    await store.set({ key, value: json(5), ttlSeconds: -1 });
    expect(await raw.ttl(key)).toBe(-1);
  });

  test("the component's ttlInSeconds counts where a set names none", async () => {
    const expiring = await connected(buildComponent(redisState, { redisHost, ttlInSeconds: 500 }));
    const [inherited, own] = [newKey(), newKey()];
    await expiring.set({ key: inherited, value: json(1) });
    await expiring.set({ key: own, value: json(1), ttlSeconds: -1 });
    expect(await raw.ttl(inherited)).toBeGreaterThan(0);
    expect(await raw.ttl(own)).toBe(-1);
    await expiring.close?.();
  });
});

describe('a transaction of state.redis', () => {
  test('with one stale etag changes nothing: no key, no expiry, no outbox record', async () => {
    const appId = `${run}-nothing`;
    const [first, second] = [newKey(), newKey()];
    await store.set({ key: second, value: json('before') });
    const refused = store.transact?.({
      operations: [
        { type: 'upsert', key: first, value: json(1), ttlSeconds: 100 },
        { type: 'upsert', key: second, value: json('after'), etag: '7' },
      ],
      outbox: [record(appId, 'event-1')],
    });
    await expect(refused).rejects.toMatchObject({ kind: 'mismatch', key: second });
    expect(await raw.exists(first)).toBe(0);
    expect(await raw.hgetall(second)).toEqual({ data: '"before"', version: '1' });
    expect(await store.outbox?.pending(appId)).toBe(0);
  });

  test('sees its own earlier operations', async () => {
    const key = newKey();
    await store.transact?.({
      operations: [
        { type: 'upsert', key, value: json(1) },
        { type: 'upsert', key, value: json(2), etag: '1' },
        { type: 'delete', key, etag: '2' },
        { type: 'upsert', key, value: json(3), options: { concurrency: 'first-write' } },
      ],
    });
    expect(await raw.hgetall(key)).toEqual({ data: '3', version: '1', 'first-write': '0' });
    const twice = store.transact?.({
      operations: [
        { type: 'delete', key },
        { type: 'upsert', key, value: json(4), options: { concurrency: 'first-write' } },
        { type: 'upsert', key, value: json(5), options: { concurrency: 'first-write' } },
      ],
    });
    await expect(twice).rejects.toMatchObject({ kind: 'mismatch' });
    expect(await raw.hget(key, 'data')).toBe('3');
  });

  test('replaces a key of another type only when all of it goes through', async () => {
    const [foreign, other] = [newKey(), newKey()];
    await raw.rpush(foreign, 'x');
    await expect(
      store.transact?.({
        operations: [
          { type: 'upsert', key: foreign, value: json(1) },
          { type: 'upsert', key: other, value: json(1), etag: '3' },
        ],
      }),
    ).rejects.toMatchObject({ kind: 'mismatch' });
    expect(await raw.type(foreign)).toBe('list');
    await store.transact?.({ operations: [{ type: 'upsert', key: foreign, value: json(1) }] });
    expect(await raw.hgetall(foreign)).toEqual({ data: '1', version: '1' });
  });
});

describe('the outbox of state.redis', () => {
  const claimOf = (appId: string, leaseMs = 60_000) => store.outbox?.claim({ appId, owner: 'relay', limit: 10, leaseMs }) ?? Promise.reject(new Error('no outbox'));
  const write = (appId: string, ...ids: readonly string[]) =>
    store.transact?.({ operations: [{ type: 'upsert', key: newKey(), value: json(1) }], outbox: ids.map((id) => record(appId, id)) });

  test('gives records whole, in the order of their writing, once per lease', async () => {
    const appId = `${run}-order`;
    await write(appId, 'c', 'a');
    await write(appId, 'b');
    const claimed = await claimOf(appId);
    expect(claimed.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(claimed[0]).toEqual({ ...record(appId, 'c'), attempt: 0 });
    expect(await claimOf(appId)).toEqual([]);
    expect(await store.outbox?.pending(appId)).toBe(3);
    await store.outbox?.remove(['a', 'b', 'c', 'never-was']);
    expect(await store.outbox?.pending(appId)).toBe(0);
    expect(await raw.keys(`mecha:outbox:{${appId}}*`)).toEqual([]);
  });

  test('gives a record again when its lease ran out or it was released, and counts the claims', async () => {
    const appId = `${run}-lease`;
    await write(appId, 'x');
    await claimOf(appId, 1);
    let second = await claimOf(appId);
    await until(async () => second.length > 0 || (second = await claimOf(appId)).length > 0);
    expect(second[0]?.attempt).toBe(1);
    await store.outbox?.release(['x'], 0);
    expect((await claimOf(appId))[0]?.attempt).toBe(2);
    await store.outbox?.release(['x'], 60_000);
    expect(await claimOf(appId)).toEqual([]);
  });

  test('calls back after a write of this process, and when another process left a record', async () => {
    const appId = `${run}-wake`;
    let calls = 0;
    const unsubscribe = store.outbox?.onRecords(appId, () => void (calls += 1));
    await write(appId, 'mine');
    await until(() => calls > 0);
    await claimOf(appId);
    const before = calls;
    const other = await connected(buildComponent(redisState, { redisHost }));
    await other.transact?.({ operations: [], outbox: [record(appId, 'theirs')] });
    await until(() => calls > before);
    unsubscribe?.();
    await other.close?.();
  });

  test('is absent in a cluster, where one script cannot reach both keys', () => {
    expect(buildComponent(redisState, { redisHost, redisType: 'cluster' }).outbox).toBeUndefined();
  });
});

describe('strong consistency in state.redis', () => {
  test('waits until the replica has the write', async () => {
    const [master, replica] = await Promise.all([startPrivateServer('redis', ['--repl-diskless-sync-delay', '0']), startPrivateServer('redis')]);
    const [onReplica, onMaster] = [new Redis(`redis://${replica.address}`), new Redis(`redis://${master.address}`)];
    const [host = '', port = ''] = master.address.split(':');
    await onReplica.replicaof(host, port);
    await until(async () => (await onReplica.info('replication')).includes('master_link_status:up') && (await onMaster.info('replication')).includes('state=online'));
    const log = createKeptLog();
    const replicated = await connected(buildComponent(redisState, { redisHost: master.address }, { log }));
    try {
      for (let index = 0; index < 50; index += 1) {
        await replicated.set({ key: 'k', value: json(index), options: { consistency: 'strong' } });
        expect(await onReplica.hget('k', 'data')).toBe(String(index));
      }
      expect(log.lines).toEqual([]);
    } finally {
      for (const client of [onReplica, onMaster]) client.disconnect();
      await replicated.close?.();
      await Promise.all([master.dispose(), replica.dispose()]);
    }
  });
});

describe('state.redis in a cluster', () => {
  test('serves keys of all slots, and refuses a transaction over several in words', async () => {
    const server = await startPrivateServer('redis', ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
    const node = new Redis(`redis://${server.address}`);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(async () => String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const clustered = await connected(buildComponent(redisState, { redisHost: server.address, redisType: 'cluster' }));
    try {
      const requests = Array.from({ length: 40 }, (_, index) => ({ key: `app||${index}`, value: json(index) }));
      expect(await clustered.bulkSet?.(requests)).toEqual(requests.map(() => undefined));
      const found = (await clustered.bulkGet?.(requests)) ?? [];
      expect(found.map((one) => one && 'data' in one && Buffer.from(one.data).toString())).toEqual(requests.map((_request, index) => String(index)));
      const upsert = (key: string) => ({ type: 'upsert' as const, key, value: json('t') });
      await clustered.transact?.({ operations: [upsert('app||{7}a'), upsert('app||{7}b')] });
      await expect(clustered.transact?.({ operations: [upsert('app||1'), upsert('app||2')] })).rejects.toThrow('different slots');
    } finally {
      node.disconnect();
      await clustered.close?.();
      await server.dispose();
    }
  });
});

describe('a Redis that goes away', () => {
  test('a call that was on its way when the connection broke is an error, not a wait without end', async () => {
    const server = await startPrivateServer('redis');
    const port = await connected(buildComponent(redisState, { redisHost: server.address, readTimeout: -1 }));
    const admin = new Redis(`redis://${server.address}`);
    try {
      await port.get({ key: 'a' });
      await admin.client('PAUSE', 60_000, 'ALL');
      const calls = ['a', 'b', 'c'].map((key) => expect(port.get({ key })).rejects.toThrow('lost before the answer'));
      // Their bytes are with the server, which answers nobody now.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      admin.disconnect();
      await server.stop(true);
      await Promise.all(calls);
      await server.start();
      expect(await port.get({ key: 'a' })).toBeUndefined();
    } finally {
      await port.close?.();
      await server.dispose();
    }
  });

  test('(users 14) is an error while it is gone, and serves again after a restart, with every acknowledged write', async () => {
    const server = await startPrivateServer('redis');
    const log = createKeptLog();
    const port = await connected(buildComponent(redisState, { redisHost: server.address, readTimeout: 500 }, { log }));
    try {
      await port.set({ key: 'kept', value: json('kept') });
      await server.stop(true);
      await expect(port.get({ key: 'kept' })).rejects.toThrow();
      await expect(port.ping?.()).rejects.toThrow();
      await server.start();
      await until(() => port.ping?.().then(() => true, () => false) ?? true);
      expect(Buffer.from((await port.get({ key: 'kept' }))?.data ?? []).toString()).toBe('"kept"');
      await until(() => log.lines.some(({ message }) => message.includes('is back')));
      expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    } finally {
      await port.close?.();
      await server.dispose();
    }
  });
});
