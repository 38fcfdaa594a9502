import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import { EtagError, PublishRefused } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import type { ResiliencyResource } from '../config/resource-types.ts';
import type { Log } from '../telemetry/log.ts';
import { CircuitOpen, PermanentFailure, createResilience } from './resilience.ts';
import { noMetrics } from '../telemetry/testing.ts';

const CONSTANT = { policy: 'constant', durationMs: 1000, maxIntervalMs: 60_000, maxRetries: 3, matching: undefined } as const;
const EXPONENTIAL = { policy: 'exponential', durationMs: 5000, maxIntervalMs: 2000, maxRetries: -1, matching: undefined } as const;
const BREAKER = { maxRequests: 1, intervalMs: 0, timeoutMs: 30_000, trip: 'consecutiveFailures > 1' } as const;
const RESOURCE: ResiliencyResource = {
  kind: 'Resiliency', name: 'rules', timeouts: {}, retries: {}, circuitBreakers: {}, apps: {}, components: {}, scopes: [], source: { file: 'r.yaml', line: 1 },
};

function bench(resource: Partial<ResiliencyResource>, random = () => 0.5) {
  const clock = createTurnedClock(0);
  const kept = createKeptLog();
  const log: Log = { ...kept, scoped: () => log };
  const metrics = noMetrics;
  const resilience = createResilience([{ ...RESOURCE, ...resource }], { appId: 'orders', clock, log, metrics, random });
  const began: number[] = [];
  return {
    clock,
    resilience,
    lines: kept.lines,
    began,
    /** An operation that fails `times` times, noting when each attempt began. */
    failing: (times: number, error: Error = new Error('down')) => async (): Promise<string> => {
      began.push(clock.now());
      if (began.length <= times) throw error;
      return 'done';
    },
    /** Turns the clock until `work` has settled. */
    async finish<T>(work: Promise<T>): Promise<T> {
      let over = false;
      const end = (): void => {
        over = true;
      };
      work.then(end, end);
      for (let turns = 0; !over; turns++) {
        if (turns > 20_000) throw new Error('the work does not end');
        await new Promise((resolve) => setImmediate(resolve));
        if (!over) clock.turn(50);
      }
      return work;
    },
  };
}

const NEVER = new AbortController().signal;
const onComponent = (policies: { timeout?: string; retry?: string; circuitBreaker?: string }) => ({ components: { store: { outbound: policies } } });

describe('resilience', () => {
  test('without a resource, or for another app, a call is made once and nothing is in between', async () => {
    for (const resilience of [createResilience([], { ...bench({}), appId: 'x' } as never), bench({ scopes: ['billing'], retries: { DefaultRetryPolicy: CONSTANT } }).resilience]) {
      const runner = resilience.forComponent('store', 'Statestore', 'outbound');
      expect(runner.active).toBe(false);
      let calls = 0;
      await expect(runner.run(NEVER, async () => { calls++; throw new Error('down'); })).rejects.toThrow('down');
      expect(calls).toBe(1);
    }
  });

  test('a constant policy tries again after the same time, as often as it says and no oftener', async () => {
    const { resilience, failing, finish, began } = bench({ retries: { r: CONSTANT }, ...onComponent({ retry: 'r' }) });
    const runner = resilience.forComponent('store', 'Statestore', 'outbound');
    await expect(finish(runner.run(NEVER, failing(99)))).rejects.toThrow('down');
    expect(began).toEqual([0, 1000, 2000, 3000]);
  });

  test('an exponential policy starts at 500 ms, grows by half, and stays under its cap, around which it spreads', async () => {
    const { resilience, failing, finish, began } = bench({ retries: { r: EXPONENTIAL }, ...onComponent({ retry: 'r' }) });
    await finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(6)));
    const delays = began.slice(1).map((at, index) => at - began[index]!);
    expect(delays).toEqual([500, 750, 1150, 1700, 2000, 2000]);
  });

  test('an exponential policy gives up after fifteen minutes', async () => {
    const slow = { ...EXPONENTIAL, maxIntervalMs: 60_000 };
    const { resilience, failing, finish, clock } = bench({ retries: { r: slow }, ...onComponent({ retry: 'r' }) });
    await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(9999)))).rejects.toThrow('down');
    expect(clock.now()).toBeLessThanOrEqual(15 * 60_000 + 50);
    expect(clock.now()).toBeGreaterThan(12 * 60_000);
  });

  test('matching lets other codes fail at once, and failures without a code are always retried', async () => {
    const matching = { httpStatusCodes: [[500, 503]], gRPCStatusCodes: [[14, 14]] } as const;
    for (const [fields, attempts] of [[{ httpStatus: 404 }, 1], [{ httpStatus: 502 }, 2], [{ grpcCode: 5 }, 1], [{ grpcCode: 14 }, 2], [{}, 2]] as const) {
      const { resilience, failing, finish, began } = bench({ retries: { r: { ...CONSTANT, maxRetries: 1, matching } }, ...onComponent({ retry: 'r' }) });
      const error = Object.assign(new Error('coded'), fields);
      await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(9, error)))).rejects.toBe(error);
      expect([fields, began.length]).toEqual([fields, attempts]);
    }
  });

  test('what says that the request is at fault is not tried again', async () => {
    const inner = new Error('no such method');
    for (const error of [new EtagError('mismatch', 'k'), new PublishRefused('message-too-large', 'too large'), new PermanentFailure(inner)]) {
      const { resilience, failing, finish, began } = bench({ retries: { r: CONSTANT }, ...onComponent({ retry: 'r' }) });
      await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(9, error)))).rejects.toBe(error instanceof PermanentFailure ? inner : error);
      expect(began).toHaveLength(1);
    }
  });

  test('an attempt that takes too long is abandoned, its signal aborted, and the next one begun', async () => {
    const { resilience, finish } = bench({ timeouts: { t: 200 }, retries: { r: { ...CONSTANT, maxRetries: 1 } }, ...onComponent({ timeout: 't', retry: 'r' }) });
    const signals: AbortSignal[] = [];
    const hang = (signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      return new Promise(() => {});
    };
    await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, hang))).rejects.toThrow('context deadline exceeded');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(signals[0]?.reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('an abort ends the waiting with the last failure, and so does the wish to retry no more', async () => {
    for (const which of ['signal', 'stopRetrying'] as const) {
      const { resilience, failing, began } = bench({ retries: { r: { ...CONSTANT, maxRetries: -1 } }, ...onComponent({ retry: 'r' }) });
      const stop = new AbortController();
      const options = which === 'stopRetrying' ? { stopRetrying: stop.signal } : {};
      const work = resilience.forComponent('store', 'Statestore', 'outbound').run(which === 'signal' ? stop.signal : NEVER, failing(9), options);
      setImmediate(() => stop.abort());
      await expect(work).rejects.toThrow('down');
      expect(began).toHaveLength(1);
    }
  });

  test('a breaker opens as its rule says, refuses without calling, tries again after its time and closes on success', async () => {
    const { resilience, failing, clock, began } = bench({ circuitBreakers: { b: BREAKER }, ...onComponent({ circuitBreaker: 'b' }) });
    const runner = resilience.forComponent('store', 'Statestore', 'outbound');
    const work = failing(3);
    for (let call = 0; call < 2; call++) await expect(runner.run(NEVER, work)).rejects.toThrow('down');
    const refusal = await runner.run(NEVER, work).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CircuitOpen);
    expect((refusal as CircuitOpen).message).toBe('circuit breaker is open');
    expect((refusal as CircuitOpen).retryAfterMs).toBe(30_000);
    expect(began).toHaveLength(2);
    clock.turn(30_000);
    await expect(runner.run(NEVER, work)).rejects.toThrow('down');
    await expect(runner.run(NEVER, work)).rejects.toThrow('circuit breaker is open');
    clock.turn(30_000);
    expect(await runner.run(NEVER, work)).toBe('done');
    expect(await runner.run(NEVER, work)).toBe('done');
  });

  test('a half-open breaker lets only so many through at a time', async () => {
    const { resilience, failing, clock } = bench({ circuitBreakers: { b: { ...BREAKER, maxRequests: 2 } }, ...onComponent({ circuitBreaker: 'b' }) });
    const runner = resilience.forComponent('store', 'Statestore', 'outbound');
    const work = failing(2);
    for (let call = 0; call < 2; call++) await expect(runner.run(NEVER, work)).rejects.toThrow('down');
    clock.turn(30_000);
    const held = Promise.withResolvers<string>();
    const trials = [runner.run(NEVER, () => held.promise), runner.run(NEVER, () => held.promise)];
    await expect(runner.run(NEVER, work)).rejects.toThrow('too many requests');
    held.resolve('back');
    expect(await Promise.all(trials)).toEqual(['back', 'back']);
    expect(await runner.run(NEVER, work)).toBe('done');
  });

  test('one breaker serves both directions of a component, and etag conflicts do not trip it', async () => {
    const { resilience, failing } = bench({ circuitBreakers: { b: BREAKER }, components: { store: { inbound: { circuitBreaker: 'b' }, outbound: { circuitBreaker: 'b' } } } });
    const outbound = resilience.forComponent('store', 'Pubsub', 'outbound');
    for (let call = 0; call < 5; call++) {
      await expect(outbound.run(NEVER, async () => { throw new EtagError('mismatch', 'k'); })).rejects.toThrow(EtagError);
    }
    for (let call = 0; call < 2; call++) await expect(outbound.run(NEVER, failing(99))).rejects.toThrow('down');
    await expect(resilience.forComponent('store', 'Pubsub', 'inbound').run(NEVER, async () => 'never')).rejects.toThrow('circuit breaker is open');
  });

  test('a refusal by the breaker ends the retrying', async () => {
    const { resilience, failing, finish, began } = bench({ retries: { r: { ...CONSTANT, maxRetries: -1 } }, circuitBreakers: { b: BREAKER }, ...onComponent({ retry: 'r', circuitBreaker: 'b' }) });
    await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(99)))).rejects.toThrow('circuit breaker is open');
    expect(began).toHaveLength(2);
  });

  test('a trip rule may use every count; one that cannot be evaluated does not trip, one that is none is reported', async () => {
    const rule = (trip: string) => bench({ circuitBreakers: { b: { ...BREAKER, trip } }, ...onComponent({ circuitBreaker: 'b' }) });
    const outcome = async (trip: string, failures: number): Promise<string> => {
      const { resilience, failing } = rule(trip);
      const runner = resilience.forComponent('store', 'Statestore', 'outbound');
      for (let call = 0; call < failures; call++) await runner.run(NEVER, failing(999)).catch(() => undefined);
      return runner.run(NEVER, failing(999)).catch((error: unknown) => (error as Error).message);
    };
    expect(await outcome('totalFailures >= 3 && requests >= 3', 2)).toBe('down');
    expect(await outcome('totalFailures >= 3 && requests >= 3', 3)).toBe('circuit breaker is open');
    expect(await outcome('totalFailures / totalSuccesses > 1', 5)).toBe('down');
    const bad = rule('consecutiveFailure > 3');
    expect(bad.resilience.forComponent('store', 'Statestore', 'outbound').active).toBe(true);
    await expect(bad.resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, async () => 'served')).resolves.toBe('served');
    expect(bad.lines.find(({ level }) => level === 'error')?.message).toContain('consecutiveFailure');
  });

  test('unnamed targets get the defaults by name, the narrowest first; named ones get nothing they do not name', async () => {
    const { resilience } = bench({
      retries: { DefaultRetryPolicy: CONSTANT, DefaultPubsubComponentInboundRetryPolicy: { ...CONSTANT, maxRetries: 0 }, DefaultAppRetryPolicy: CONSTANT },
      timeouts: { DefaultComponentOutboundTimeoutPolicy: 100 },
      components: { named: { outbound: {} } },
      apps: { quiet: {} },
    });
    expect(resilience.forComponent('any', 'Pubsub', 'inbound').retries).toBe(true);
    expect(resilience.forComponent('named', 'Pubsub', 'inbound').active).toBe(false);
    expect(resilience.forComponent('named', 'Pubsub', 'outbound').active).toBe(false);
    expect(resilience.forApp('inventory').retries).toBe(true);
    expect(resilience.forApp('quiet').active).toBe(false);
    let calls = 0;
    await expect(resilience.forComponent('any', 'Pubsub', 'inbound').run(NEVER, async () => { calls++; throw new Error('once'); })).rejects.toThrow('once');
    expect(calls).toBe(1);
  });

  test('the built-in retries of an invocation are three, a second apart, unless a policy of their name says otherwise, and never fewer', () => {
    const delays = (retries: ResiliencyResource['retries']): (number | undefined)[] => [1, 2, 3, 4, 5, 6].map((failed) => bench({ retries }).resilience.serviceRetryDelayMs(failed, 0));
    const none = undefined;
    expect(delays({})).toEqual([1000, 1000, 1000, none, none, none]);
    expect(delays({ DaprBuiltInServiceRetries: { ...CONSTANT, durationMs: 200, maxRetries: 5 } })).toEqual([200, 200, 200, 200, 200, none]);
    for (const maxRetries of [-1, 0, 2]) expect(delays({ DaprBuiltInServiceRetries: { ...CONSTANT, durationMs: 200, maxRetries } })).toEqual([200, 200, 200, none, none, none]);
  });

  test('later resources win over earlier ones, name by name', async () => {
    const clock = createTurnedClock(0);
    const log: Log = { ...createKeptLog(), scoped: () => log };
    const first = { ...RESOURCE, name: 'first', retries: { r: CONSTANT, kept: CONSTANT }, components: { a: { outbound: { retry: 'kept' } }, b: { outbound: { retry: 'r' } } } };
    const second = { ...RESOURCE, name: 'second', retries: { r: { ...CONSTANT, maxRetries: 0 } } };
    const resilience = createResilience([first, second], { appId: 'x', clock, log, metrics: noMetrics });
    expect(resilience.names).toEqual(['first', 'second']);
    let calls = 0;
    await expect(resilience.forComponent('b', 'Pubsub', 'outbound').run(NEVER, async () => { calls++; throw new Error('once'); })).rejects.toThrow('once');
    expect(calls).toBe(1);
    expect(resilience.forComponent('a', 'Pubsub', 'outbound').retries).toBe(true);
  });
});
