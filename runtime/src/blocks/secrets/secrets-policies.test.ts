/** Reading secrets under the outbound policy of the store. */
import type { SecretStore } from '@mecha/components/kit';
import { createKeptLog, realClock } from '@mecha/components/kit/testing.ts';
import { expect, test } from 'vitest';
import type { ComponentLookup } from '../../component-set.ts';
import { createResilience } from '../../resilience/resilience.ts';
import type { Log } from '../../telemetry/log.ts';
import { noMetrics } from '../../telemetry/testing.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import { createSecretsBlock } from './secrets.ts';

const CALL = { operation: 'secrets.get', protocol: 'http' as const, trace: traceFrom(undefined), signal: new AbortController().signal };

test('a store that fails is asked again, one that hangs is cut off, and one that is broken is left alone', async () => {
  let calls = 0;
  let answer = async (): Promise<Record<string, string>> => ({ word: 'sesame' });
  const port = {
    get: () => {
      calls++;
      return answer();
    },
    getAll: async () => ({}),
  } as unknown as SecretStore;
  const components = { find: () => ({ name: 'vault', metadata: {}, port }), all: () => [], ready: () => port } as unknown as ComponentLookup;
  const log: Log = { ...createKeptLog(), scoped: () => log };
  const rules = {
    kind: 'Resiliency', name: 'rules', apps: {}, components: {}, scopes: [], source: { file: 'r.yaml', line: 1 },
    timeouts: { DefaultSecretstoreComponentOutboundTimeoutPolicy: 50 },
    retries: { DefaultComponentOutboundRetryPolicy: { policy: 'constant', durationMs: 1, maxIntervalMs: 1, maxRetries: 1, matching: undefined } },
    circuitBreakers: { DefaultCircuitBreakerPolicy: { maxRequests: 1, intervalMs: 0, timeoutMs: 60_000, trip: 'consecutiveFailures >= 3' } },
  } as const;
  const resilience = createResilience([rules], { appId: 'orders', clock: realClock, log, metrics: noMetrics });
  const block = createSecretsBlock({ components, scopes: [], metrics: noMetrics, resilience });
  const get = () => block.get(CALL, { store: 'vault', key: 'word', metadata: {} });

  answer = async () => {
    if (calls === 1) throw new Error('busy');
    return { word: 'sesame' };
  };
  expect([await get(), calls]).toEqual([{ word: 'sesame' }, 2]);
  answer = () => new Promise(() => {});
  await expect(get()).rejects.toThrow('context deadline exceeded');
  await expect(get()).rejects.toThrow('circuit breaker is open');
  expect(calls).toBe(5);
});
