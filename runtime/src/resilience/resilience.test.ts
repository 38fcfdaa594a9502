import { getEventListeners } from 'node:events';
import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import { BindingError, EtagError, PublishRefused, type Clock } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import type { ResiliencyResource } from '../config/resource-types.ts';
import type { Log } from '../telemetry/log.ts';
import { CircuitOpen, PermanentFailure, createResilience } from './resilience.ts';
import type { Labels, Metrics } from '../telemetry/metrics.ts';
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
  const series = new Map<string, number>();
  const keyOf = (name: string, labels: Labels = {}): string => [name, ...Object.entries(labels).filter(([label]) => label !== 'name' && label !== 'namespace').map(([, value]) => value)].join(' ').trimEnd();
  const metrics: Metrics = {
    ...noMetrics,
    count: (name, labels) => void series.set(keyOf(name, labels), (series.get(keyOf(name, labels)) ?? 0) + 1),
    gauge: (name, labels, value) => void series.set(keyOf(name, labels), value),
  };
  const resilience = createResilience([{ ...RESOURCE, ...resource }], { appId: 'orders', clock, log, metrics, random });
  const began: number[] = [];
  return {
    clock,
    resilience,
    lines: kept.lines,
    began,
    /** Values by name and labels, in the order in which they are given. */
    series,
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

  test('a status that matching names is tried again and counts for the breaker, whatever a binding makes of it; without matching its word counts', async () => {
    const gone = new BindingError('not-found', 'there is no such object', { httpStatus: 404 });
    const matching = (...codes: readonly (readonly [number, number])[]) => ({ httpStatusCodes: codes, gRPCStatusCodes: [] });
    for (const [rule, error, attempts, state] of [
      [matching([404, 404]), gone, 2, 'open'],
      [matching([400, 499]), new BindingError('denied', 'the guard refuses it'), 1, 'closed'],
      [matching([500, 599]), gone, 1, 'closed'],
      [matching(), gone, 1, 'closed'],
      [undefined, gone, 1, 'closed'],
      [undefined, new BindingError('failed', 'received status code 404', { httpStatus: 404 }), 2, 'open'],
    ] as const) {
      const { resilience, failing, finish, began } = bench({ retries: { r: { ...CONSTANT, maxRetries: 1, matching: rule } }, circuitBreakers: { b: BREAKER }, ...onComponent({ retry: 'r', circuitBreaker: 'b' }) });
      const runner = resilience.forComponent('store', 'Binding', 'outbound');
      await expect(finish(runner.run(NEVER, failing(9, error)))).rejects.toBe(error);
      const next = await runner.run(NEVER, async () => 'closed').catch((refusal: unknown) => (refusal instanceof CircuitOpen ? 'open' : refusal));
      expect([rule, began.length, next]).toEqual([rule, attempts, state]);
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

  test('an app has a breaker per endpoint, and keeps as many as its cache size says', async () => {
    const { resilience, failing } = bench({ circuitBreakers: { b: BREAKER }, apps: { inventory: { circuitBreaker: 'b', circuitBreakerCacheSize: 2 } } });
    const opened = async (endpoint: string): Promise<boolean> => {
      const outcome = await resilience.forApp('inventory', endpoint).run(NEVER, failing(999)).catch((error: unknown) => error);
      return outcome instanceof CircuitOpen;
    };
    for (let call = 0; call < 2; call++) expect(await opened('a')).toBe(false);
    expect([await opened('a'), await opened('b')]).toEqual([true, false]);
    expect([await opened('a'), await opened('c'), await opened('a')]).toEqual([true, false, true]);
    // Two others were asked for since: `a` is the one unused longest.
    await opened('b');
    await opened('c');
    expect(await opened('a')).toBe(false);
  });

  test('targets that callers make up are forgotten one for one, while those that a resource names stay', async () => {
    const { resilience, failing, series } = bench({ circuitBreakers: { DefaultAppCircuitBreakerPolicy: BREAKER, b: BREAKER }, apps: { inventory: { circuitBreaker: 'b' } } });
    const fail = (target: string) => resilience.forApp(target, 'x').run(NEVER, failing(9999)).catch((error: unknown) => error);
    for (const target of ['inventory', 'inventory', 'http://one', 'http://one']) await fail(target);
    expect(await fail('http://one')).toBeInstanceOf(CircuitOpen);
    const first = resilience.forApp('http://two');
    for (let number = 0; number < 256; number++) resilience.forApp(`http://${number}`, 'x');
    expect(await fail('http://one')).not.toBeInstanceOf(CircuitOpen);
    expect(resilience.forApp('http://two')).not.toBe(first);
    expect(await fail('inventory')).toBeInstanceOf(CircuitOpen);
    expect(series.get('resiliency_cb_state outbound app_inventory circuitbreaker open')).toBe(1);
  });

  test('a breaker that was forgotten leaves the gauge, and one that is open shows before those that are not', async () => {
    const { resilience, failing, series } = bench({ circuitBreakers: { b: BREAKER }, apps: { inventory: { circuitBreaker: 'b', circuitBreakerCacheSize: 2 } } });
    const state = () => ['closed', 'half-open', 'open', 'unknown'].filter((status) => series.get(`resiliency_cb_state outbound app_inventory circuitbreaker ${status}`) === 1);
    const fail = (endpoint: string) => resilience.forApp('inventory', endpoint).run(NEVER, failing(999)).catch(() => undefined);
    await fail('a');
    expect(state()).toEqual(['closed']);
    await fail('a');
    await fail('b');
    expect(state()).toEqual(['open']);
    resilience.forApp('inventory', 'c');
    expect(state()).toEqual(['closed']);
  });

  test('every use and every activation is counted, with the state of the breaker', async () => {
    const { resilience, finish, series, clock, failing } = bench({
      timeouts: { t: 100 }, retries: { r: { ...CONSTANT, maxRetries: 1 } }, circuitBreakers: { b: BREAKER }, ...onComponent({ timeout: 't', retry: 'r', circuitBreaker: 'b' }),
    });
    const runner = resilience.forComponent('store', 'Statestore', 'outbound');
    await expect(finish(runner.run(NEVER, () => new Promise(() => {})))).rejects.toThrow('context deadline exceeded');
    await expect(runner.run(NEVER, failing(99))).rejects.toThrow('circuit breaker is open');
    clock.turn(30_000);
    expect(await runner.run(NEVER, async () => 'done')).toBe('done');
    const of = 'outbound Statestore_store';
    expect(Object.fromEntries([...series].toSorted())).toEqual({
      resiliency_loaded: 1,
      [`resiliency_count ${of} timeout`]: 3,
      [`resiliency_count ${of} retry`]: 3,
      [`resiliency_count ${of} circuitbreaker closed`]: 1,
      [`resiliency_count ${of} circuitbreaker open`]: 1,
      [`resiliency_count ${of} circuitbreaker half-open`]: 1,
      [`resiliency_activations_total ${of} timeout`]: 2,
      [`resiliency_activations_total ${of} retry`]: 1,
      [`resiliency_activations_total ${of} circuitbreaker open`]: 1,
      [`resiliency_activations_total ${of} circuitbreaker half-open`]: 1,
      [`resiliency_activations_total ${of} circuitbreaker closed`]: 1,
      [`resiliency_cb_state ${of} circuitbreaker closed`]: 1,
      [`resiliency_cb_state ${of} circuitbreaker half-open`]: 0,
      [`resiliency_cb_state ${of} circuitbreaker open`]: 0,
      [`resiliency_cb_state ${of} circuitbreaker unknown`]: 0,
    });
  });

  test('whoever asks to be left alone is, as long as the policy waits at most', async () => {
    for (const [retryAfterMs, expected] of [[5000, 5000], [500, 1000], [3_600_000, 60_000]] as const) {
      for (const error of [Object.assign(new Error('busy'), { retryAfterMs }), new BindingError('failed', 'busy', { httpStatus: 503, retryAfterMs })]) {
        const { resilience, failing, finish, began } = bench({ retries: { r: { ...CONSTANT, maxRetries: 1 } }, apps: { inventory: { retry: 'r' } } });
        await finish(resilience.forApp('inventory', 'x').run(NEVER, failing(1, error)));
        expect(began).toEqual([0, expected]);
      }
    }
  });

  test('a target may name a policy that is built in', async () => {
    const { resilience, failing, finish, began } = bench(onComponent({ retry: 'DaprBuiltInInitializationRetries' }));
    await expect(finish(resilience.forComponent('store', 'Statestore', 'outbound').run(NEVER, failing(99)))).rejects.toThrow('down');
    expect(began).toEqual([0, 500, 1250, 2250]);
  });

  test('inbound and outbound share a breaker only where they name the same', async () => {
    const { resilience, failing } = bench({ circuitBreakers: { b: BREAKER, c: BREAKER }, components: { store: { inbound: { circuitBreaker: 'c' }, outbound: { circuitBreaker: 'b' } } } });
    for (let call = 0; call < 2; call++) await expect(resilience.forComponent('store', 'Pubsub', 'outbound').run(NEVER, failing(99))).rejects.toThrow('down');
    expect(await resilience.forComponent('store', 'Pubsub', 'inbound').run(NEVER, async () => 'served')).toBe('served');
  });

  test('a run leaves nothing behind: no timer, no listener, and every attempt that was given up knows it', async () => {
    const pending = new Set<object>();
    const kept = createTurnedClock(0);
    const clock: Clock = {
      now: () => kept.now(),
      after(ms, callback) {
        const timer = {};
        pending.add(timer);
        const cancel = kept.after(ms, () => {
          pending.delete(timer);
          callback();
        });
        return () => {
          pending.delete(timer);
          cancel();
        };
      },
    };
    const log: Log = { ...createKeptLog(), scoped: () => log };
    const resource = { ...RESOURCE, timeouts: { t: 100 }, retries: { r: { ...CONSTANT, maxRetries: 2 } }, ...onComponent({ timeout: 't', retry: 'r' }) };
    const runner = createResilience([resource], { appId: 'x', clock, log, metrics: noMetrics }).forComponent('store', 'Statestore', 'outbound');
    for (const outcome of ['hangs', 'fails', 'succeeds'] as const) {
      const caller = new AbortController();
      const signals: AbortSignal[] = [];
      const work = runner.run(caller.signal, async (signal) => {
        signals.push(signal);
        if (outcome === 'hangs') await new Promise(() => {});
        if (outcome === 'fails') throw new Error('down');
      });
      let over = false;
      const end = (): void => void (over = true);
      work.then(end, end);
      while (!over) {
        await new Promise((resolve) => setImmediate(resolve));
        if (!over) kept.turn(50);
      }
      expect([outcome, pending.size, getEventListeners(caller.signal, 'abort').length]).toEqual([outcome, 0, 0]);
      if (outcome === 'hangs') expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    }
  });
});
