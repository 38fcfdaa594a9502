/** Bulk calls under a policy: what is tried again, and what the caller is told. */
import { EtagError, type SetState, type StateStore } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import { describe, expect, test } from 'vitest';
import type { ComponentLookup } from '../../component-set.ts';
import type { ResiliencyResource } from '../../config/resource-types.ts';
import { createResilience } from '../../resilience/resilience.ts';
import type { Log } from '../../telemetry/log.ts';
import { noMetrics } from '../../telemetry/testing.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import { createStateBlock } from './state.ts';

const CALL = { operation: 'state.save', protocol: 'http' as const, trace: traceFrom(undefined), signal: new AbortController().signal };
const RULES: ResiliencyResource = {
  kind: 'Resiliency', name: 'rules', apps: {}, scopes: [], source: { file: 'r.yaml', line: 1 },
  timeouts: { t: 1000 },
  retries: { r: { policy: 'constant', durationMs: 100, maxIntervalMs: 60_000, maxRetries: 2, matching: undefined } },
  circuitBreakers: { b: { maxRequests: 1, intervalMs: 0, timeoutMs: 60_000, trip: 'consecutiveFailures >= 2' } },
  components: { retried: { outbound: { retry: 'r' } }, guarded: { outbound: { circuitBreaker: 'b', retry: 'r' } }, hurried: { outbound: { timeout: 't', retry: 'r' } } },
};

/** `outcomes`: what each call of the store makes of its items. */
function bench(outcomes: readonly ((keys: readonly string[]) => Promise<readonly (Error | undefined)[]>)[]) {
  const asked: string[][] = [];
  const clock = createTurnedClock(0);
  const port = {
    bulkSet: (items: readonly SetState[]) => {
      const keys = items.map(({ key }) => key.replace(/^.*\|\|/, ''));
      asked.push(keys);
      return (outcomes[asked.length - 1] ?? (async () => keys.map(() => undefined)))(keys);
    },
  } as unknown as StateStore;
  const components = { find: (_category: string, name: string) => ({ name, metadata: {}, features: [], port }), all: () => [], ready: () => port } as unknown as ComponentLookup;
  const log: Log = { ...createKeptLog(), scoped: () => log };
  const resilience = createResilience([RULES], { appId: 'orders', clock, log, metrics: noMetrics });
  const block = createStateBlock({ appId: 'orders', namespaceOfEnv: undefined, components, metrics: noMetrics, resilience, clock, uuid: () => 'id' });
  return {
    asked,
    async save(store: string, keys: readonly string[]): Promise<string> {
      let said: string | undefined;
      const tell = (error?: unknown): void => void (said = error instanceof Error ? error.message : 'saved');
      void block.save(CALL, { store, items: keys.map((key) => ({ key, value: new Uint8Array() })) } as never).then(() => tell(), tell);
      while (said === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.turn(50);
      }
      return said;
    },
  };
}

const down = (...failed: readonly string[]) => async (keys: readonly string[]) => keys.map((key) => (failed.includes(key) ? new Error(`${key} is down`) : undefined));

describe('a bulk write under a policy', () => {
  test('(users 20) tries again what failed and nothing else', async () => {
    const { save, asked } = bench([down('b', 'c'), down('c')]);
    expect(await save('retried', ['a', 'b', 'c'])).toBe('saved');
    expect(asked).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c']]);
  });

  test('never tries a stale etag again, which the caller is told of before all else', async () => {
    const { save, asked } = bench([async () => [new EtagError('mismatch', 'a'), new Error('b is down')]]);
    expect(await save('retried', ['a', 'b'])).toMatch(/etag/i);
    expect(asked).toEqual([['a', 'b'], ['b']]);
  });

  test('whose retries are over fails with what the last of them said', async () => {
    const { save, asked } = bench([down('a'), down('a'), down('a')]);
    expect(await save('retried', ['a', 'b'])).toMatch(/a is down$/);
    expect(asked).toHaveLength(3);
  });

  test('counts against the breaker, whose refusal leaves the failures of the items standing', async () => {
    const { save, asked } = bench([down('a'), down('a')]);
    expect(await save('guarded', ['a', 'b'])).toMatch(/a is down$/);
    expect(asked).toEqual([['a', 'b'], ['a']]);
    expect(await save('guarded', ['a', 'b'])).toMatch(/circuit breaker is open$/);
    expect(asked).toHaveLength(2);
  });

  test('takes nothing from an attempt that its timeout has ended', async () => {
    const late = Promise.withResolvers<readonly (Error | undefined)[]>();
    const { save, asked } = bench([() => late.promise, down('a'), async (keys) => {
      late.resolve([undefined, undefined]);
      await late.promise;
      return keys.map(() => new Error('still down'));
    }]);
    expect(await save('hurried', ['a', 'b'])).toMatch(/still down$/);
    expect(asked).toEqual([['a', 'b'], ['a', 'b'], ['a']]);
  });
});
