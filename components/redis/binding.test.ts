import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress } from '../../test/servers/servers.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import { BindingError, type Binding, type BindingFault } from '../kit/bindings.ts';
import { bytesOfResponse, outputBindingConformance, requestOf, type ConformanceCall } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import redisBinding from './binding.ts';

const SECRET = 'not-to-be-seen';
const server = serverAddress('redis');
const never = new AbortController().signal;
const nowhere = await freePort();
const run = randomUUID();
const open = () => connected(buildComponent(redisBinding, { redisHost: server }));
const ask = async (binding: Binding, call: ConformanceCall): Promise<string> => (await bytesOfResponse(await binding.invoke?.(requestOf(call), never))).toString();
const faultOf = async (work: Promise<unknown>): Promise<BindingFault | undefined> => work.then(() => undefined, (error: unknown) => (error instanceof BindingError ? error.fault : undefined));

outputBindingConformance(redisBinding, {
  open,
  calls: [
    { operation: 'create', data: '"value"', metadata: { key: `${run}-a` } },
    { operation: 'get', metadata: { key: `${run}-a` } },
    { operation: 'delete', metadata: { key: `${run}-a` } },
    { operation: 'increment', metadata: { key: `${run}-count` } },
  ],
  wrong: [
    { operation: 'create', data: '1', metadata: { key: `${run}-b`, ttlInSeconds: 'soon' } },
    { operation: 'create', data: '1', metadata: { key: `${run}-b`, ttlInSeconds: '0' } },
    { operation: 'increment', metadata: { key: `${run}-c`, ttlInSeconds: '-1' } },
    { operation: 'create', data: '1', metadata: { key: `${run}-b`, ttl: '25000000000' } },
  ],
  away: () => buildComponent(redisBinding, { redisHost: `127.0.0.1:${nowhere}`, redisPassword: SECRET }),
  secrets: [SECRET],
});

describe('keys of Redis', () => {
  let binding: Binding;
  const redis = new Redis(`redis://${server}`);
  beforeAll(async () => {
    binding = await open();
  });
  afterAll(async () => {
    await binding.close?.();
    redis.disconnect();
  });

  test('hold the bytes of the request, and come back as they were', async () => {
    const key = `${run} {any} key`;
    for (const data of ['"text"', '{"a":1}', '', Buffer.from([0, 255, 13, 10])]) {
      await ask(binding, { operation: 'create', data, metadata: { key } });
      expect(await redis.getBuffer(key)).toEqual(Buffer.from(data));
      expect(await bytesOfResponse(await binding.invoke?.(requestOf({ operation: 'get', metadata: { key } }), never))).toEqual(Buffer.from(data));
    }
  });

  test('that are not there answer nothing, and are deleted without an error', async () => {
    const key = `${run}-absent`;
    expect(await binding.invoke?.(requestOf({ operation: 'get', metadata: { key } }), never)).toBeUndefined();
    await ask(binding, { operation: 'delete', metadata: { key } });
  });

  test('are read and deleted in one step with delete=true', async () => {
    const key = `${run}-once`;
    await ask(binding, { operation: 'create', data: '7', metadata: { key } });
    const taken = await Promise.all(Array.from({ length: 10 }, () => ask(binding, { operation: 'get', metadata: { key, delete: 'True' } })));
    expect(taken.filter((text) => text === '7')).toHaveLength(1);
    expect(await redis.exists(key)).toBe(0);
  });

  test('expire when told to, and lose their expiry when set without one', async () => {
    const key = `${run}-ttl`;
    await ask(binding, { operation: 'create', data: '1', metadata: { key, ttlInSeconds: '100' } });
    expect(await redis.ttl(key)).toBeGreaterThan(90);
    await ask(binding, { operation: 'create', data: '1', metadata: { key } });
    expect(await redis.ttl(key)).toBe(-1);
  });

  test.each([[{ ttl: '100' }, 100_000], [{ ttlInSeconds: '5m' }, 300_000], [{ ttl: '1m30s' }, 90_000], [{ ttlInSeconds: '2147483647' }, 2_147_483_647_000]] as const)('expire by either name, in seconds or as a duration: %j', async (metadata, ttlMs) => {
    const key = `${run}-age-${ttlMs}`;
    for (const operation of ['create', 'increment']) {
      await ask(binding, { operation, data: '1', metadata: { key, ...metadata } });
      expect(await redis.pttl(key)).toBeGreaterThan(ttlMs - 20_000);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(ttlMs);
    }
  });

  test('count up, each call once, and expire from the last one on', async () => {
    const key = `${run}-counted`;
    await Promise.all(Array.from({ length: 50 }, () => ask(binding, { operation: 'increment', metadata: { key, ttlInSeconds: '100' } })));
    expect(await redis.get(key)).toBe('50');
    expect(await redis.ttl(key)).toBeGreaterThan(90);
  });

  test('of another kind, and values that are no numbers, are errors that no repetition mends', async () => {
    await redis.hset(`${run}-hash`, 'data', '1');
    await redis.set(`${run}-words`, 'words');
    expect(await faultOf(ask(binding, { operation: 'get', metadata: { key: `${run}-hash` } }))).toBe('invalid-data');
    expect(await faultOf(ask(binding, { operation: 'increment', metadata: { key: `${run}-words` } }))).toBe('invalid-data');
  });
});

test('a Redis that is away at start is connected to when it comes; away or silent later it is said so, and used again', async () => {
  const network = await tcpGate(server);
  const binding = buildComponent(redisBinding, { redisHost: network.address, redisMaxRetries: 0, readTimeout: 500 });
  const get: ConformanceCall = { operation: 'get', metadata: { key: `${run}-away` } };
  await network.shut();
  await expect(connected(binding)).rejects.toThrow('ECONNREFUSED');
  await network.open();
  await connected(binding);
  await ask(binding, { operation: 'create', data: '1', metadata: { key: `${run}-away` } });

  await network.shut();
  expect(await faultOf(ask(binding, get))).toBe('unavailable');
  await network.open();
  await expect.poll(() => ask(binding, get).catch((error: unknown) => String(error)), { timeout: 10_000 }).toBe('1');

  network.freeze();
  expect(await faultOf(ask(binding, get))).toBe('timeout');
  await network.open();
  await expect.poll(() => ask(binding, get).catch((error: unknown) => String(error)), { timeout: 10_000 }).toBe('1');
  await binding.close?.();
  await network.close();
});
