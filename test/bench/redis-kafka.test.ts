/** The same loads on real servers: nothing changes but the name of the backend. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { serverAddress } from '../servers/servers.ts';
import { temporaryFolder } from '../tools/processes.ts';
import { buildInto, cleanUp, measuredIn, resultsOf, runBench, SHORT } from './run-bench.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  place = await temporaryFolder();
  await buildInto(place.path);
});
afterAll(async () => place.remove());
afterEach(cleanUp);

test('state on Redis, events on Redis and Kafka: measured, without an error or a loss', async () => {
  const env = { MECHA_REDIS_HOST: serverAddress('redis'), MECHA_KAFKA_BROKERS: serverAddress('kafka') };
  const results = await resultsOf(await runBench(['state-get', 'publish', 'pubsub-roundtrip', ...SHORT, '--build', join(place.path, 'mecha'), '--backends', 'redis,kafka', '--protocols', 'http'], env));
  expect(measuredIn(results)).toEqual(['state-get http bare', 'state-get http redis', 'publish http bare', 'publish http redis', 'publish http kafka', 'pubsub-roundtrip http redis', 'pubsub-roundtrip http kafka']);
  for (const one of results.measurements) {
    expect(one.operations).toBeGreaterThan(0);
    expect(one.errors + (one.lost ?? 0), JSON.stringify({ ...one, distribution: undefined })).toBe(0);
  }
});
