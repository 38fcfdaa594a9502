import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Clock } from '@mecha/components/kit';
import { createExternalHttp } from '../../channel/external-http.ts';
import { systemClock } from '../../clock.ts';
import type { ResiliencyResource, RetryPolicy } from '../../config/resource-types.ts';
import { MechaError } from '../../errors.ts';
import { PeerNotFound, PeerUnreachable } from '../../peers/peer-errors.ts';
import { createResilience } from '../../resilience/resilience.ts';
import { createLog } from '../../telemetry/log.ts';
import { MetricsRegistry } from '../../telemetry/metrics.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import { createInvocationBlock, type InvocationBlockParts, type InvocationRequest } from './invocation.ts';
import { streamOf } from '../../channel/testing.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'order', version: 'test', write: () => {} });
const metrics = new MetricsRegistry({ processMetrics: false }).forApp('test');
const never = new AbortController().signal;

describe('retries', () => {
  /** Waits are over at once, and counted. */
  function impatientClock() {
    const waits: number[] = [];
    return {
      waits,
      clock: {
        now: () => 0,
        after(ms: number, callback: () => void) {
          waits.push(ms);
          setImmediate(callback);
          return () => {};
        },
      },
    };
  }
  const response = () => ({ status: 200, headers: {}, body: Readable.from(['ok']) });

  function blockWith(parts: Partial<InvocationBlockParts>) {
    const block = createInvocationBlock({
      appId: 'order',
      namespace: 'default',
      channel: undefined,
      monitor: { presence: 'none', suspect: () => {} },
      peers: { call: () => Promise.reject(new Error('not given')) },
      external: createExternalHttp(() => []),
      endpoints: [],
      resilience: createResilience([], { appId: 'order', clock: systemClock, metrics, log }),
      clock: systemClock,
      metrics,
      ...parts,
    });
    const call = { operation: 'invocation.invoke', protocol: 'http' as const, trace: traceFrom(undefined), signal: never };
    const ask = (more: Partial<InvocationRequest> = {}) =>
      block.invoke(call, { target: 'inventory', method: 'POST', path: 'x', queryText: '', headers: {}, body: undefined, ...more });
    return ask;
  }

  it('are three, a second apart, when no connection to the other sidecar comes about', async () => {
    const { clock, waits } = impatientClock();
    let calls = 0;
    const ask = blockWith({
      clock,
      peers: {
        call: async () => {
          if (++calls < 4) throw new PeerUnreachable('inventory', false, new Error('refused'));
          return response();
        },
      },
    });
    await expect(ask()).resolves.toMatchObject({ status: 200 });
    expect(waits).toEqual([1000, 1000, 1000]);
    calls = -1;
    await expect(ask()).rejects.toThrow('cannot be reached');
  });

  it.each<[string, Partial<InvocationRequest>, boolean, number]>([
    ['a POST that may have been seen', { method: 'POST' }, true, 1],
    ['a PUT that may have been seen', { method: 'PUT' }, true, 4],
    ['a streamed body', { body: Readable.from(['x']) }, false, 1],
    ['bytes', { body: Buffer.from('x') }, false, 4],
  ])('for %s: %j, sent %s, make %i calls', async (_name, more, sent, expected) => {
    const { clock } = impatientClock();
    let calls = 0;
    const ask = blockWith({
      clock,
      peers: {
        call: () => {
          calls++;
          return Promise.reject(new PeerUnreachable('inventory', sent, new Error('broken')));
        },
      },
    });
    await expect(ask(more)).rejects.toBeInstanceOf(MechaError);
    expect(calls).toBe(expected);
  });

  it('never follow an answer of the app, nor an app that nobody serves', async () => {
    const { clock, waits } = impatientClock();
    const ask = blockWith({ clock, peers: { call: async () => ({ ...response(), status: 503 }) } });
    await expect(ask()).resolves.toMatchObject({ status: 503 });
    const askNobody = blockWith({ clock, peers: { call: () => Promise.reject(new PeerNotFound('inventory')) } });
    await expect(askNobody()).rejects.toThrow("couldn't find service: inventory");
    expect(waits).toEqual([]);
  });

  const retry: RetryPolicy = { policy: 'constant', durationMs: 50, maxIntervalMs: 0, maxRetries: 2, matching: { httpStatusCodes: [[500, 599]], gRPCStatusCodes: [] } };
  function resilienceFor(clock: Clock, policies: Partial<ResiliencyResource>) {
    const none = { timeouts: {}, retries: {}, circuitBreakers: {}, apps: {}, components: {}, scopes: [], source: { file: 'r.yaml', line: 1 } };
    return createResilience([{ kind: 'Resiliency', name: 'r', ...none, ...policies }], { appId: 'order', clock, metrics, log });
  }
  function answering(statuses: readonly number[]) {
    const given: Readable[] = [];
    const peers: InvocationBlockParts['peers'] = {
      async call() {
        const body = Readable.from([`try ${given.length + 1}`]);
        given.push(body);
        return { status: statuses[given.length - 1] ?? 0, headers: {}, body };
      },
    };
    return { given, peers };
  }

  it('belong to the policy when one names the app: it sees failing statuses, and the last answer is passed on', async () => {
    const { clock, waits } = impatientClock();
    const { given, peers } = answering([500, 503, 599]);
    const ask = blockWith({ clock, peers, resilience: resilienceFor(clock, { retries: { again: retry }, apps: { inventory: { retry: 'again' } } }) });
    const answer = await ask();
    expect(answer.status).toBe(599);
    expect(await text(streamOf(answer.body))).toBe('try 3');
    expect(waits).toEqual([50, 50]);
    expect(given.slice(0, 2).map((body) => body.destroyed)).toEqual([true, true]);
  });

  it('by a policy end at a status that it does not match, and at a streamed body', async () => {
    const { clock, waits } = impatientClock();
    const resilience = resilienceFor(clock, { retries: { again: retry }, apps: { inventory: { retry: 'again' } } });
    const unmatched = await blockWith({ clock, resilience, ...answering([500, 418]) })();
    expect(unmatched.status).toBe(418);
    expect(waits).toEqual([50]);
    const streamed = await blockWith({ clock, resilience, ...answering([500, 200]) })({ body: Readable.from(['x']) });
    expect(streamed.status).toBe(500);
    expect(waits).toEqual([50]);
  });

  it('of the built-in kind stay when a policy only sets a timeout', async () => {
    const { clock, waits } = impatientClock();
    const resilience = resilienceFor(systemClock, { timeouts: { long: 60_000 }, apps: { inventory: { timeout: 'long' } } });
    const ask = blockWith({ clock, resilience, peers: { call: () => Promise.reject(new PeerUnreachable('inventory', false, new Error('refused'))) } });
    await expect(ask()).rejects.toThrow('cannot be reached');
    expect(waits).toEqual([1000, 1000, 1000]);
  });
});
