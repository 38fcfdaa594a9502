import { afterEach, describe, expect, test } from 'vitest';
import { BindingError, type Binding, type BindingEvent, type BindingRequest, type EventSettlement, type Ledger } from '@mecha/components/kit';
import { createKeptLog, createTurnedClock, until } from '@mecha/components/kit/testing.ts';
import type { AppChannel, AppMonitor, AppPresence, BindingAnswer, BindingDelivery } from '../../channel/channel.ts';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import type { ResiliencyResource } from '../../config/resource-types.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import type { Call } from '../../pipeline.ts';
import { createResilience } from '../../resilience/resilience.ts';
import { createLog } from '../../telemetry/log.ts';
import { noMetrics } from '../../telemetry/testing.ts';
import { traceFrom, traceparentOf } from '../../telemetry/trace.ts';
import { performTask, type TaskBlocks } from '../../workflow-asl/task-executor.ts';
import { createBindingsBlock } from './bindings.ts';
import { createInputBindings, type InputBindings, type SavesState } from './input-bindings.ts';

const OK: BindingAnswer = { outcome: 'success', body: Buffer.alloc(0), reply: undefined };
const FAILED: BindingAnswer = { outcome: 'retry', reason: 'the app answered with status 500', statusCode: 500 };
const AWAY: BindingAnswer = { outcome: 'away', reason: 'nobody there' };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const signal = new AbortController().signal;
const call: Call = { operation: 'bindings.invoke', protocol: 'internal', trace: traceFrom(undefined), signal };
const OPERATIONS = { create: { description: 'Creates.' }, get: { description: 'Gets.', metadata: { key: { description: 'Which', required: true } } } };

/** A source whose events the test makes, and which keeps what came of them. */
function createSource(more: Partial<Binding> = {}) {
  let deliver: ((event: BindingEvent) => Promise<EventSettlement>) | undefined;
  const state = { flows: false, settled: [] as EventSettlement[], started: 0 };
  const port: Binding = {
    async start(request) {
      state.started++;
      state.flows = true;
      ({ deliver } = request);
      const stop = async (): Promise<void> => void (state.flows = false);
      return { pause: stop, resume: async () => void (state.flows = true), close: stop };
    },
    ...more,
  };
  let count = 0;
  const emit = async (event: Partial<BindingEvent> = {}): Promise<EventSettlement> => {
    const settlement = (await deliver?.({ id: `e${++count}`, data: Buffer.from('data'), metadata: { own: 'value' }, attempt: 1, ...event })) ?? { action: 'release' };
    state.settled.push(settlement);
    return settlement;
  };
  return { port, state, emit };
}

interface BenchOptions {
  readonly ports: Readonly<Record<string, Binding>>;
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly resiliency?: Partial<ResiliencyResource>;
  readonly ledger?: Pick<Ledger, 'commit'>;
}

const running: InputBindings[] = [];
afterEach(async () => {
  for (const inputs of running.splice(0)) await inputs.stop?.();
});

function createBench({ ports, metadata = {}, resiliency, ledger: otherLedger }: BenchOptions) {
  const clock = createTurnedClock();
  const ledger = createMemoryLedger({ clock });
  const kept = createKeptLog();
  const log = createLog({ level: 'error', json: true, appId: 'app', version: '0', write: (line) => kept.error({}, line) });
  const instances = Object.entries(ports).map(([name, port]): Instance<'bindings'> => ({
    name, type: 'bindings.fake', port, metadata: metadata[name] ?? {}, features: [], operations: OPERATIONS, namespaced: false,
    status: { name, type: 'bindings.fake', version: 'v1', capabilities: [], state: 'ready', since: 0 },
  }));
  const components = {
    find: (_category: string, name: string) => instances.find((instance) => instance.name === name),
    all: () => instances,
    ready: (instance: Instance<'bindings'>) => instance.port,
    onChange: () => () => undefined,
  } as unknown as ComponentLookup;
  const none = { timeouts: {}, retries: {}, circuitBreakers: {}, apps: {}, components: {}, scopes: [] };
  const resilience = createResilience(resiliency ? [{ kind: 'Resiliency', name: 'policies', ...none, ...resiliency } as ResiliencyResource] : [], { appId: 'app', clock, metrics: noMetrics, log });
  const block = createBindingsBlock({ components, metrics: noMetrics, resilience });

  const listeners = new Set<(presence: AppPresence) => void>();
  const app = {
    presence: 'up' as AppPresence,
    asked: [] as string[],
    delivered: [] as BindingDelivery[],
    wants: async (_name: string, _question: AbortSignal): Promise<boolean> => true,
    answer: (_event: BindingDelivery): BindingAnswer | Promise<BindingAnswer> => OK,
    become(presence: AppPresence): void {
      app.presence = presence;
      for (const listener of listeners) listener(presence);
    },
  };
  const channel = {
    wantsBinding: async ({ name }: { name: string }, question: AbortSignal) => {
      app.asked.push(name);
      return app.wants(name, question);
    },
    deliverBinding: async (event: BindingDelivery) => {
      app.delivered.push(event);
      return app.answer(event);
    },
  } as unknown as AppChannel;
  const monitor: AppMonitor = {
    get presence() {
      return app.presence;
    },
    since: 0,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    suspect: () => undefined,
  };
  const saved: Parameters<SavesState['save']>[1][] = [];
  const inputs = createInputBindings({
    appId: 'app', components, block, channel, monitor, askTimeoutMs: 3000, ledger: otherLedger ?? ledger, clock, random: () => 0, log, metrics: noMetrics, resilience,
    state: { save: async (_call, request) => void saved.push(request) },
  });
  running.push(inputs);
  const turn = async (ms: number, step = 100): Promise<void> => {
    for (let passed = 0; passed < ms; passed += step) {
      clock.turn(step);
      for (let round = 0; round < 8; round++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const letters = async () => {
    const rows = await ledger.deadLetters({ appId: 'app', limit: 100 });
    return Promise.all(rows.map(({ id }) => ledger.deadLetter({ appId: 'app', id })));
  };
  return { block, inputs, app, saved, turn, clock, ledger, letters, kept };
}

async function started(options: BenchOptions) {
  const bench = createBench(options);
  await bench.inputs.start?.();
  await bench.turn(100);
  return bench;
}

describe('calling a binding', () => {
  const echo: Binding = { invoke: async ({ data, metadata }) => ({ data, metadata }) };
  const invoke = (bench: ReturnType<typeof createBench>, more: Partial<Parameters<typeof bench.block.invoke>[1]> = {}) =>
    bench.block.invoke(call, { binding: 'b', operation: 'create', data: Buffer.from('1'), metadata: {}, ...more });

  test.each([
    ['an unknown binding', { binding: 'nope' }, "couldn't find output binding nope"],
    ['a binding that is only read', { binding: 'source' }, "couldn't find output binding source"],
    ['a binding whose direction is input', { binding: 'inward' }, "couldn't find output binding inward"],
    ['no operation', { operation: '' }, 'operation field is missing from request'],
    ['an unknown operation', { operation: 'fly' }, 'binding b does not support operation fly. supported operations:create get'],
    ['a name of every object', { operation: 'constructor' }, 'binding b does not support operation constructor. supported operations:create get'],
    ['missing metadata', { operation: 'get' }, 'operation get needs metadata key'],
    ['empty metadata', { operation: 'get', metadata: { key: '' } }, 'operation get needs metadata key'],
  ])('%s is named, with the contract\'s code', async (_what, more, text) => {
    const bench = createBench({ ports: { b: echo, source: createSource().port, inward: echo }, metadata: { inward: { Direction: 'Input' } } });
    await expect(invoke(bench, more)).rejects.toMatchObject({ code: 'ERR_INVOKE_OUTPUT_BINDING', httpStatus: 500, grpcCode: 13, message: expect.stringContaining(text) });
  });

  test('carries the trace of its call whoever calls, a task of a state machine too; what the request itself says of a trace stays', async () => {
    const seen: BindingRequest['metadata'][] = [];
    const bench = createBench({ ports: { b: { invoke: async ({ metadata }) => void seen.push(metadata) } } });
    const trace = traceFrom(TRACEPARENT, 'vendor=1', 'tenant=a');
    const traced = { traceparent: traceparentOf(trace), tracestate: 'vendor=1', baggage: 'tenant=a' };
    for (const metadata of [{ key: 'k' }, { traceparent: 'own' }, { Traceparent: 'own', tracestate: 'mine', baggage: 'mine=1' }]) await bench.block.invoke({ ...call, trace }, { binding: 'b', operation: 'create', data: Buffer.from('1'), metadata });
    expect(seen).toEqual([{ key: 'k', ...traced }, { traceparent: 'own', baggage: 'tenant=a' }, { Traceparent: 'own', tracestate: 'mine', baggage: 'mine=1' }]);

    const task = { resource: 'arn:mecha:binding:::b:create', arguments: { Data: 1, Metadata: { key: 'k' } }, idempotencyKey: 'once' };
    await performTask({ bindings: bench.block } as TaskBlocks, task, signal);
    expect(seen[3]).toEqual({ idempotencyKey: 'once', key: 'k', traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/) });
  });

  test('a failure keeps the metadata that the backend gave', async () => {
    const bench = createBench({ ports: { b: { invoke: () => Promise.reject(new BindingError('failed', 'received status code 404', { response: { metadata: { statusCode: '404' } } })) } } });
    await expect(invoke(bench)).rejects.toMatchObject({ message: 'error invoking output binding b: received status code 404', metadata: { statusCode: '404' } });
  });

  test('a policy tries again what the backend failed, and not what the request is at fault for', async () => {
    const seen: BindingRequest[] = [];
    let fault: 'failed' | 'denied' = 'failed';
    const failing: Binding = { invoke: (request) => Promise.reject(new BindingError((seen.push(request), fault), 'no')) };
    const bench = createBench({
      ports: { b: failing },
      resiliency: { retries: { three: { policy: 'constant', durationMs: 10, maxIntervalMs: 10, maxRetries: 2, matching: undefined } }, components: { b: { inbound: {}, outbound: { retry: 'three' } } } },
    });
    const [error] = await Promise.all([invoke(bench).catch((reason: unknown) => reason), bench.turn(500)]);
    expect(error).toMatchObject({ code: 'ERR_INVOKE_OUTPUT_BINDING' });
    expect(seen).toHaveLength(3);
    fault = 'denied';
    await expect(invoke(bench)).rejects.toMatchObject({ code: 'ERR_INVOKE_OUTPUT_BINDING' });
    expect(seen).toHaveLength(4);
  });

  test('a policy ends a call that hangs', async () => {
    const bench = createBench({
      ports: { b: { invoke: () => new Promise(() => undefined) } },
      resiliency: { timeouts: { short: 500 }, components: { b: { inbound: {}, outbound: { timeout: 'short' } } } },
    });
    const [error] = await Promise.all([invoke(bench).catch((reason: unknown) => reason), bench.turn(600)]);
    expect(error).toMatchObject({ message: expect.stringContaining('context deadline exceeded') });
  });
});

describe('which bindings are read', () => {
  test('direction input is read without asking, direction output never, the others when the app wants them', async () => {
    const sources = { asked: createSource(), forced: createSource(), never: createSource(), unwanted: createSource() };
    const bench = createBench({
      ports: Object.fromEntries(Object.entries(sources).map(([name, { port }]) => [name, port])),
      metadata: { forced: { direction: 'output, INPUT' }, never: { direction: 'output' } },
    });
    bench.app.wants = async (name) => name !== 'unwanted';
    await bench.inputs.start?.();
    await until(() => sources.asked.state.flows && sources.forced.state.flows && bench.app.asked.length === 2);
    await bench.turn(100);
    expect(bench.app.asked.toSorted()).toEqual(['asked', 'unwanted']);
    expect(bench.inputs.list().map(({ binding, state }) => [binding, state])).toEqual([['asked', 'open'], ['forced', 'open'], ['unwanted', 'unwanted']]);
    expect(sources.never.state.started + sources.unwanted.state.started).toBe(0);
  });

  test('an app that is slow, or fails, is asked again until it answers; the other bindings do not wait for that', async () => {
    const [slow, quick] = [createSource(), createSource()];
    const bench = createBench({ ports: { slow: slow.port, quick: quick.port } });
    let tries = 0;
    bench.app.wants = (name) => {
      if (name === 'quick') return Promise.resolve(true);
      tries++;
      return tries < 3 ? new Promise((_resolve, reject) => void setImmediate(() => reject(new Error('503')))) : Promise.resolve(true);
    };
    await bench.inputs.start?.();
    await bench.turn(100);
    expect([slow.state.flows, quick.state.flows]).toEqual([false, true]);
    expect(bench.inputs.list()[0]).toMatchObject({ state: 'waiting', reason: expect.stringContaining('has not said whether it wants binding slow') });
    await bench.turn(2000);
    expect([slow.state.flows, tries]).toEqual([true, 3]);
  });

  test('an app that takes the question and says nothing is given up after the timeout, and asked again until it answers', async () => {
    const source = createSource();
    const bench = createBench({ ports: { s: source.port } });
    const questions: AbortSignal[] = [];
    bench.app.wants = (_name, question) => {
      questions.push(question);
      // As channels do: nothing is heard until the caller gives up.
      return questions.length < 3 ? new Promise((_resolve, reject) => question.addEventListener('abort', () => reject(question.reason as Error))) : Promise.resolve(true);
    };
    await bench.inputs.start?.();
    await bench.turn(2900);
    expect([questions.length, questions[0]?.aborted, bench.inputs.list()[0]]).toMatchObject([1, false, { state: 'waiting', reason: 'waiting for the app to say whether it wants it' }]);
    await bench.turn(100);
    expect([questions[0]?.aborted, bench.inputs.list()[0]]).toMatchObject([true, { reason: 'the app has not said whether it wants binding s: no answer within 3000 ms' }]);
    await bench.turn(4000);
    expect([questions.map(({ aborted }) => aborted), source.state.flows]).toEqual([[true, true, false], true]);
  });

  test('an app that comes late is asked then, and what it no longer wants ends', async () => {
    const source = createSource();
    const bench = createBench({ ports: { s: source.port } });
    bench.app.presence = 'waiting';
    await bench.inputs.start?.();
    await bench.turn(1000);
    expect([bench.app.asked.length, source.state.started]).toEqual([0, 0]);
    bench.app.become('up');
    await bench.turn(100);
    expect(source.state.flows).toBe(true);
    bench.app.become('waiting');
    await bench.turn(100);
    expect(source.state.flows).toBe(false);
    bench.app.wants = async () => false;
    bench.app.become('up');
    await bench.turn(100);
    expect(source.state.flows).toBe(false);
  });
});

describe('an event', () => {
  test('comes with route, data, metadata, its id, and in its trace', async () => {
    const source = createSource();
    const bench = await started({ ports: { s: source.port }, metadata: { s: { route: '/orders/new' } } });
    expect(await source.emit({ id: 'e-7', metadata: { own: 'value', traceparent: TRACEPARENT } })).toEqual({ action: 'ack' });
    expect(bench.app.delivered[0]).toMatchObject({ binding: 's', route: 'orders/new', metadata: { own: 'value', 'mecha-event-id': 'e-7' }, trace: { traceId: TRACE_ID } });
  });

  test('gives its answer back to sources that can pass it on', async () => {
    const source = createSource();
    const bench = await started({ ports: { s: source.port } });
    bench.app.answer = () => ({ outcome: 'success', body: Buffer.from('thanks'), reply: undefined });
    expect(await source.emit()).toEqual({ action: 'ack', response: { data: Buffer.from('thanks') } });
  });

  test('of a source that redelivers goes back to it with a growing delay, for ever', async () => {
    const source = createSource({ redelivers: true });
    const bench = await started({ ports: { s: source.port } });
    bench.app.answer = () => FAILED;
    const delays: number[] = [];
    for (const attempt of [1, 2, 3, 10, 30]) {
      const settlement = await source.emit({ attempt });
      if (settlement.action === 'retry') delays.push(settlement.delayMs);
    }
    expect(delays).toEqual([100, 200, 400, 51_200, 60_000]);
    expect(await bench.letters()).toEqual([]);
  });

  test('of a source that redelivers so many times only is a dead letter in the end', async () => {
    const source = createSource({ redelivers: true, attemptsMax: 3 });
    const bench = await started({ ports: { s: source.port } });
    bench.app.answer = () => FAILED;
    expect(await source.emit({ attempt: 2 })).toMatchObject({ action: 'retry' });
    expect(await source.emit({ id: 'bad', attempt: 3 })).toEqual({ action: 'reject', reason: FAILED.reason });
    expect(await bench.letters()).toMatchObject([{ pubsub: 's', topic: 'bindings/s', attempts: 3, reason: FAILED.reason, data: new Uint8Array(Buffer.from('data')), metadata: { own: 'value' } }]);
  });

  test('of a source that does not redeliver is tried five times here, then it is a dead letter with reason and attempts', async () => {
    const source = createSource();
    const bench = await started({ ports: { s: source.port } });
    bench.app.answer = () => FAILED;
    const settled = source.emit();
    await bench.turn(5000);
    expect(await settled).toEqual({ action: 'reject', reason: FAILED.reason });
    expect(bench.app.delivered).toHaveLength(5);
    expect(await bench.letters()).toMatchObject([{ id: 's/bindings%2Fs/app/e1', attempts: 5, reason: FAILED.reason, appId: 'app' }]);
  });

  test('is tried as an inbound policy says, by status', async () => {
    const source = createSource();
    const bench = await started({
      ports: { s: source.port },
      resiliency: { retries: { two: { policy: 'constant', durationMs: 50, maxIntervalMs: 50, maxRetries: 1, matching: { httpStatusCodes: [[500, 599]], gRPCStatusCodes: [] } } }, components: { s: { inbound: { retry: 'two' }, outbound: {} } } },
    });
    bench.app.answer = () => FAILED;
    const settled = source.emit();
    await bench.turn(1000);
    expect(await settled).toMatchObject({ action: 'reject' });
    expect(bench.app.delivered).toHaveLength(2);
    bench.app.answer = () => ({ ...FAILED, statusCode: 400 });
    expect(await source.emit()).toMatchObject({ action: 'reject' });
    expect(bench.app.delivered).toHaveLength(3);
    expect((await bench.letters()).map((letter) => letter?.attempts).toSorted()).toEqual([1, 2]);
  });

  test('waits for an open breaker in its place, and an app that hangs is given up after the timeout', async () => {
    const source = createSource();
    const bench = await started({
      ports: { s: source.port },
      resiliency: {
        timeouts: { short: 500 }, circuitBreakers: { b: { maxRequests: 1, intervalMs: 0, timeoutMs: 60_000, trip: 'consecutiveFailures >= 1' } },
        components: { s: { inbound: { timeout: 'short', circuitBreaker: 'b' }, outbound: {} } },
      },
    });
    bench.app.answer = () => new Promise(() => {});
    const settled = source.emit();
    await bench.turn(30_000);
    expect(bench.app.delivered).toHaveLength(1);
    bench.app.answer = () => OK;
    await bench.turn(40_000);
    expect(await settled).toEqual({ action: 'ack' });
    expect(bench.app.delivered).toHaveLength(2);
  });

  test('that finds the app away uses up no attempt: the source keeps it, or it waits here', async () => {
    const [keeping, other] = [createSource({ redelivers: true }), createSource()];
    const bench = await started({ ports: { keeping: keeping.port, other: other.port } });
    bench.app.answer = () => AWAY;
    expect(await keeping.emit()).toEqual({ action: 'release' });
    expect(keeping.state.flows).toBe(false);
    const waiting = other.emit();
    await bench.turn(100);
    bench.app.answer = () => OK;
    await bench.turn(600);
    expect(await waiting).toEqual({ action: 'ack' });
    expect([keeping.state.flows, await bench.letters()]).toEqual([true, []]);
  });

  test('under way at a shutdown is finished; one that was not taken goes back, or becomes a dead letter: none is lost', async () => {
    const [keeping, other] = [createSource({ redelivers: true }), createSource()];
    const bench = await started({ ports: { keeping: keeping.port, other: other.port } });
    const { promise: answer, resolve } = Promise.withResolvers<BindingAnswer>();
    bench.app.answer = () => answer;
    const [taken, failing, failingThere] = [other.emit({ id: 'taken' }), other.emit({ id: 'failing' }), keeping.emit()];
    await bench.turn(100);
    bench.app.answer = () => FAILED;
    const draining = bench.inputs.drain?.(new AbortController().signal);
    resolve(FAILED);
    await draining;
    expect(await failingThere).toEqual({ action: 'release' });
    expect([await taken, await failing]).toEqual([{ action: 'reject', reason: expect.stringContaining('stopped before') }, { action: 'reject', reason: expect.stringContaining('stopped before') }]);
    expect((await bench.letters()).map((letter) => letter?.attempts)).toEqual([1, 1]);
  });

  test('whose dead letter cannot be written is kept until it can', async () => {
    const source = createSource();
    let refusals = 2;
    const bench = createBench({
      ports: { s: source.port },
      ledger: { commit: (batch) => (refusals-- > 0 ? Promise.reject(new Error('disk full')) : bench.ledger.commit(batch)) },
    });
    await bench.inputs.start?.();
    await bench.turn(100);
    bench.app.answer = () => FAILED;
    const settled = source.emit();
    await bench.turn(8000);
    expect(await settled).toMatchObject({ action: 'reject' });
    expect(await bench.letters()).toHaveLength(1);
  });
});

describe('a dead letter that is sent again', () => {
  const letter = { component: 's', topic: '', id: 'e1', data: Buffer.from('data'), metadata: { own: 'value' }, attempt: 6 };

  test('comes to the route with its id, past the source; what the app says is told, and nothing is buried again', async () => {
    const source = createSource();
    const bench = await started({ ports: { s: source.port }, metadata: { s: { route: 'in/there' } } });
    expect(await bench.inputs.resend(letter, signal)).toEqual({ outcome: 'taken' });
    expect(bench.app.delivered).toMatchObject([{ binding: 's', route: 'in/there', metadata: { own: 'value', 'mecha-event-id': 'e1' } }]);
    bench.app.answer = () => FAILED;
    expect(await bench.inputs.resend(letter, signal)).toEqual({ outcome: 'failed', reason: FAILED.reason, attempts: 1 });
    bench.app.answer = () => AWAY;
    expect(await bench.inputs.resend(letter, signal)).toEqual({ outcome: 'away', reason: AWAY.reason });
    expect([bench.app.delivered.length, source.state.settled, await bench.letters()]).toEqual([3, [], []]);
  });

  test('finds nobody where the app does not want the binding, or there is none', async () => {
    const bench = createBench({ ports: { s: createSource().port } });
    bench.app.wants = async () => false;
    await bench.inputs.start?.();
    await bench.turn(100);
    expect(await bench.inputs.resend(letter, signal)).toEqual({ outcome: 'no-receiver', reason: 'the app does not want binding s' });
    expect(await bench.inputs.resend({ ...letter, component: 'gone' }, signal)).toEqual({ outcome: 'no-receiver', reason: 'no input binding gone is read for the app' });
    bench.app.become('waiting');
    expect(await bench.inputs.resend(letter, signal)).toMatchObject({ outcome: 'away' });
  });
});

describe('what an answer asks for', () => {
  const answerWith = (more: { storeName?: string; to?: readonly string[]; parallel?: boolean }): BindingAnswer => ({
    outcome: 'success',
    body: Buffer.alloc(0),
    reply: { storeName: more.storeName ?? '', states: more.storeName === undefined ? [] : [{ key: 'k', value: { data: Buffer.from('1'), binary: false } }], to: more.to ?? [], parallel: more.parallel ?? false, data: Buffer.from('"mail"') },
  });
  const recorder = (order: string[], name: string): Binding => ({
    async invoke({ operation, data }) {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends ${operation} ${Buffer.from(data).toString()}`);
      return undefined;
    },
  });

  test.each([[false, ['a begins', 'a ends create "mail"', 'b begins', 'b ends create "mail"']], [true, ['a begins', 'b begins', 'a ends create "mail"', 'b ends create "mail"']]])('is done before the event is acknowledged: state first, then bindings, in parallel %s', async (parallel, wanted) => {
    const [source, order] = [createSource({ redelivers: true }), [] as string[]];
    const bench = await started({ ports: { s: source.port, a: recorder(order, 'a'), b: recorder(order, 'b') } });
    bench.app.answer = () => answerWith({ storeName: 'orders', to: ['a', 'b'], parallel });
    expect(await source.emit()).toEqual({ action: 'ack' });
    expect([bench.saved.length, order]).toEqual([1, wanted]);
    expect(bench.saved[0]).toMatchObject({ store: 'orders', items: [{ key: 'k' }] });
  });

  test('is done in the trace of the event', async () => {
    const source = createSource();
    const seen: string[] = [];
    const bench = await started({ ports: { s: source.port, a: { invoke: async ({ metadata }) => void seen.push(metadata['traceparent'] ?? '') } } });
    bench.app.answer = () => answerWith({ to: ['a', 'a'] });
    expect(await source.emit({ metadata: { traceparent: TRACEPARENT } })).toEqual({ action: 'ack' });
    expect(seen.map((traceparent) => traceparent.split('-')[1])).toEqual([TRACE_ID, TRACE_ID]);
    // A span of its own for each call.
    expect(new Set([TRACEPARENT, ...seen]).size).toBe(3);
  });

  test('and cannot be done makes the event one that was not taken', async () => {
    const source = createSource({ redelivers: true });
    const bench = await started({ ports: { s: source.port } });
    bench.app.answer = () => answerWith({ to: ['nobody'] });
    expect(await source.emit()).toMatchObject({ action: 'retry', reason: expect.stringContaining("couldn't find output binding nobody") });
  });
});
