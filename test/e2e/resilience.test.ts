/**
 * Resiliency resources in real sidecars, over HTTP and gRPC: components whose server falls silent (Redis behind a gate), apps that
 * fail, endpoints that hang; what callers are told, what is tried again and how often, and what the metrics say of it.
 */
import { randomUUID } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WireClient, metadataOf, serveRaw } from '../grpc/client.ts';
import { callStates } from '../corpus/states-client.ts';
import { serverAddress } from '../servers/servers.ts';
import { freePorts, until } from '../tools/processes.ts';
import { tcpGate, type TcpGate } from '../tools/tcp-gate.ts';
import { cleanUp, component, folder, folderWith, later, mecha, startSidecar, testApp, type Answer, type AppAnswer, type AppHandler, type Sidecar, type TestApp } from './sidecar.ts';

const run = randomUUID().replaceAll('-', '');

const RULES = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: policies }
spec:
  policies:
    timeouts: { short: 600ms, ample: 2s }
    retries:
      twice: { policy: constant, duration: 20ms, maxRetries: 2 }
      locked: { policy: constant, duration: 20ms, maxRetries: 2, matching: { httpStatusCodes: "404,409,423" } }
      busy: { policy: constant, duration: 20ms, maxRetries: 2, matching: { httpStatusCodes: "503", gRPCStatusCodes: "14" } }
      patient: { policy: constant, duration: 50ms, maxRetries: -1 }
    circuitBreakers:
      second: { trip: "consecutiveFailures >= 2", timeout: 10m }
      brief: { trip: "totalFailures > totalSuccesses", timeout: 5s }
scopes: [order]
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: targets }
spec:
  targets:
    apps:
      order: { retry: busy }
      grpc-app: { retry: busy }
      grpc-app.default: { timeout: ample, circuitBreaker: second }
      order.default: { circuitBreaker: second }
    components:
      hurried: { outbound: { timeout: short } }
      guarded: { outbound: { timeout: ample, circuitBreaker: second } }
      healing: { outbound: { timeout: short, circuitBreaker: brief } }
      lasting: { outbound: { timeout: short, retry: patient } }
      broker: { outbound: { timeout: short, retry: twice } }
      local: { inbound: { retry: twice } }
      web: { outbound: { retry: busy } }
      web-any: { outbound: { retry: twice } }
      api-any: { outbound: { retry: twice } }
      graph-any: { outbound: { retry: twice } }
      web-locked: { outbound: { retry: locked } }
      api-locked: { outbound: { retry: locked } }
      graph-locked: { outbound: { retry: locked } }
      tireless: { outbound: { retry: patient } }
      webcut: { outbound: { timeout: ample, circuitBreaker: second } }
      tick: { inbound: { retry: twice } }
---
`;

let gate: TcpGate;
let app: TestApp;
let sidecar: Sidecar;
let client: WireClient;
let metricsPort = 0;
/** What the app answers, by path. */
let answers: Record<string, AppHandler> = {};
/** gRPC calls that the gRPC app has seen, and what it does with them. */
const relayed: string[] = [];
let onRelayed: (call: ServerDuplexStream<Buffer, Buffer>, number: number) => void = () => undefined;

beforeAll(async () => {
  gate = await tcpGate(serverAddress('redis'));
  later(() => gate.close());
  app = await testApp((request) => {
    const { path, method } = request;
    if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'local', topic: 'orders', route: '/orders', deadLetterTopic: 'dead' }, { pubsubname: 'local', topic: 'dead', route: '/dead' }] };
    if (method === 'OPTIONS') return { status: path === '/tick' ? 200 : 404 };
    return answers[path.split('?')[0] ?? '']?.(request);
  });
  await app.listen();
  const service = `http://127.0.0.1:${app.port}`;
  const redis = { redisHost: gate.address };
  const dataDir = await folder();
  const resources = await folderWith({
    'components.yaml': [
      ...['hurried', 'guarded', 'healing', 'lasting'].map((name) => component(name, 'state.redis', { ...redis, keyPrefix: `${run}-${name}` })),
      component('broker', 'pubsub.redis', { ...redis, consumerID: run }), component('local', 'pubsub.in-memory'),
      ...['web', 'webcut', 'tireless'].map((name) => component(name, 'bindings.http', { url: service })),
      ...['any', 'locked'].flatMap((policy) => [
        component(`web-${policy}`, 'bindings.http', { url: service }),
        component(`api-${policy}`, 'bindings.openapi', { url: service, document: JSON.stringify({ openapi: '3.1.0', paths: { '/partner': { post: { operationId: 'ask', responses: { '2XX': { description: 'done' } } } } } }) }),
        component(`graph-${policy}`, 'bindings.graphql', { endpoint: `${service}/partner` }),
      ]),
      component('tick', 'bindings.cron', { schedule: '@every 1s', direction: 'input' }),
    ].join(''),
    'resiliency.yaml': RULES,
  });
  const grpcApp = await serveRaw({
    '/shop.Orders/Place': (call) => {
      const number = relayed.push(String(call.metadata.get('dapr-stream')[0] ?? ''));
      onRelayed(call, number);
    },
  });
  later(async () => grpcApp.close());
  [metricsPort = 0] = await freePorts(1);
  await startSidecar({ appId: 'grpc-app', appPort: grpcApp.port, args: ['--app-protocol', 'grpc'], dataDir });
  sidecar = await startSidecar({ appId: 'order', appPort: app.port, resources, dataDir, args: ['--metrics-port', String(metricsPort)], untilReady: 'all' });
  client = new WireClient(sidecar.grpcPort);
  later(async () => client.close());
});
afterAll(cleanUp);
beforeEach(async () => {
  answers = {};
  relayed.length = 0;
  await gate.open();
});

const callsOf = (path: string): number => app.requests.filter((request) => request.path.split('?')[0] === path).length;
/** Of metrics whose name and labels hold all of these words. */
async function metric(name: string, ...words: readonly string[]): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`dapr_${name}{`) && words.every((word) => line.includes(`"${word}"`)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
const told = (answer: Answer): unknown => [answer.status, answer.json()];
/** Answers once with each status, then with 200. */
function failing(...statuses: readonly number[]): () => AppAnswer {
  const left = [...statuses];
  return () => ({ status: left.shift() ?? 200, body: {} });
}

describe('a state store whose server falls silent', () => {
  const DEADLINE = 'context deadline exceeded: no answer within';

  test('is given up after the timeout, over both protocols alike', async () => {
    gate.freeze();
    const message = `fail to get k from state store hurried: ${DEADLINE} 600 ms`;
    expect(told(await sidecar.call('GET', '/state/hurried/k'))).toEqual([500, expect.objectContaining({ errorCode: 'ERR_STATE_GET', message })]);
    const { status } = await client.ask(Dapr.GetState, { storeName: 'hurried', key: 'k' });
    expect([status.code, status.details]).toEqual([13, message]);
    const save = await client.ask(Dapr.SaveState, { storeName: 'hurried', states: [{ key: 'a', value: Buffer.from('1') }, { key: 'b', value: Buffer.from('2') }] });
    expect([save.status.code, save.status.details]).toEqual([13, expect.stringContaining(DEADLINE)]);
    await gate.open();
    await until('it is served again', async () => (await sidecar.call('POST', '/state/hurried', [{ key: 'k', value: 1 }])).status === 204, { about: sidecar.process });
    await until('it tells what was saved', async () => (await sidecar.call('GET', '/state/hurried/k')).text === '1', { about: sidecar.process });
  });

  test('is not asked any more once its breaker is open, which both protocols and the metrics say', async () => {
    const open = () => metric('resiliency_cb_state', 'Statestore_guarded', 'outbound', 'open');
    expect([(await sidecar.call('GET', '/state/guarded/k')).status, await open()]).toEqual([204, 0]);
    gate.freeze();
    for (let call = 0; call < 2; call++) expect((await sidecar.call('GET', '/state/guarded/k')).text).toContain(DEADLINE);
    const message = 'fail to get k from state store guarded: circuit breaker is open';
    expect(told(await sidecar.call('GET', '/state/guarded/k'))).toEqual([500, expect.objectContaining({ errorCode: 'ERR_STATE_GET', message })]);
    const { status } = await client.ask(Dapr.GetState, { storeName: 'guarded', key: 'k' });
    expect([status.code, status.details]).toEqual([13, message]);
    expect([await open(), await metric('resiliency_activations_total', 'Statestore_guarded', 'circuitbreaker', 'open'), await metric('resiliency_activations_total', 'Statestore_guarded', 'timeout')]).toEqual([1, 1, 2]);
    expect(await metric('resiliency_count', 'Statestore_guarded', 'circuitbreaker', 'open')).toBe(2);
  });

  test('is found again by the breaker that tries it after its time', async () => {
    gate.freeze();
    expect((await sidecar.call('GET', '/state/healing/k')).text).toContain(DEADLINE);
    expect((await sidecar.call('GET', '/state/healing/k')).text).toContain('circuit breaker is open');
    await gate.open();
    await until('the breaker closes', async () => (await sidecar.call('GET', '/state/healing/k')).status === 204, { about: sidecar.process });
    expect(await metric('resiliency_cb_state', 'Statestore_healing', 'closed')).toBe(1);
  });

  test('answers a call that was tried again for as long as it took', async () => {
    gate.freeze();
    const saved = sidecar.call('POST', '/state/lasting', [{ key: 'k', value: 'kept' }]);
    await until('it is tried again', async () => (await metric('resiliency_activations_total', 'Statestore_lasting', 'retry')) > 0, { about: sidecar.process });
    await gate.open();
    expect((await saved).status).toBe(204);
    expect((await sidecar.call('GET', '/state/lasting/k')).json()).toBe('kept');
  });
});

describe('a broker', () => {
  test('that is silent fails a publish after all tries, over both protocols alike', async () => {
    gate.freeze();
    const message = `error when publishing to topic ${run} in pubsub broker: context deadline exceeded: no answer within 600 ms`;
    expect(told(await sidecar.call('POST', `/publish/broker/${run}`, { a: 1 }))).toEqual([500, expect.objectContaining({ errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE', message })]);
    expect(await metric('resiliency_activations_total', 'Pubsub_broker', 'retry')).toBe(2);
    const { status } = await client.ask(Dapr.PublishEvent, { pubsubName: 'broker', topic: run, data: Buffer.from('1') });
    expect([status.code, status.details]).toEqual([13, message]);
  });

  test('offers an event as often as the inbound policy says, and to the dead-letter topic then: no second set of retries', async () => {
    answers = { '/orders': failing(500, 503), '/dead': failing() };
    expect((await sidecar.call('POST', '/publish/local/orders', { order: 1 })).status).toBe(204);
    await until('it is taken', () => callsOf('/orders') === 3, { about: sidecar.process });
    answers = { '/orders': () => ({ status: 500 }), '/dead': failing() };
    await sidecar.call('POST', '/publish/local/orders', { order: 2 });
    await until('it is a dead letter', () => callsOf('/dead') === 1, { about: sidecar.process });
    expect([callsOf('/orders'), callsOf('/dead')]).toEqual([6, 1]);
    expect(await metric('resiliency_activations_total', 'Pubsub_local', 'inbound', 'retry')).toBe(4);
  });
});

describe('a binding', () => {
  test('is called again for the codes that match, and never for others', async () => {
    answers = { '/again': failing(503, 503), '/not-again': failing(500), '/again-grpc': failing(503) };
    const invoke = (path: string) => sidecar.call('POST', '/bindings/web', { operation: 'get', metadata: { path } });
    expect([(await invoke('again')).status, callsOf('/again')]).toEqual([200, 3]);
    expect(told(await invoke('not-again'))).toEqual([500, { errorCode: 'ERR_INVOKE_OUTPUT_BINDING', message: 'error invoking output binding web: received status code 500' }]);
    expect(callsOf('/not-again')).toBe(1);
    await client.get(Dapr.InvokeBinding, { name: 'web', operation: 'get', metadata: { path: 'again-grpc' } });
    expect(callsOf('/again-grpc')).toBe(2);
  });

  test.each([['web', { operation: 'post', metadata: { path: 'partner' } }], ['api', { operation: 'ask' }], ['graph', { operation: 'query', metadata: { query: 'query { a }' } }]] as const)(
    'is called again for each status that matches, 404 and 423 too, and without matching for any, whichever speaks HTTP: %s',
    async (sort, request) => {
      for (const [policy, statuses, status, calls] of [['locked', [404, 423], 200, 3], ['locked', [422], 500, 1], ['any', [404, 409], 200, 3]] as const) {
        const left = [...statuses];
        const before = callsOf('/partner');
        answers = { '/partner': () => ({ status: left.shift() ?? 200, body: { data: {} } }) };
        const answer = await sidecar.call('POST', `/bindings/${sort}-${policy}`, request);
        expect([policy, answer.status, callsOf('/partner') - before], answer.text).toEqual([policy, status, calls]);
      }
    },
  );

  test('that hangs is cut off and then left alone, over both protocols alike', async () => {
    const hung: PromiseWithResolvers<undefined>[] = [];
    answers = {
      '/hang': () => {
        hung.push(Promise.withResolvers());
        return hung.at(-1)?.promise;
      },
    };
    const request = { operation: 'get', metadata: { path: 'hang' } };
    const cut = 'error invoking output binding webcut: context deadline exceeded: no answer within 2000 ms';
    expect(told(await sidecar.call('POST', '/bindings/webcut', request))).toEqual([500, { errorCode: 'ERR_INVOKE_OUTPUT_BINDING', message: cut }]);
    const second = await client.ask(Dapr.InvokeBinding, { name: 'webcut', ...request });
    expect([second.status.code, second.status.details]).toEqual([13, cut]);
    const open = 'error invoking output binding webcut: circuit breaker is open';
    expect(told(await sidecar.call('POST', '/bindings/webcut', request))).toEqual([500, { errorCode: 'ERR_INVOKE_OUTPUT_BINDING', message: open }]);
    const fourth = await client.ask(Dapr.InvokeBinding, { name: 'webcut', ...request });
    expect([fourth.status.code, fourth.status.details, callsOf('/hang')]).toEqual([13, open, 2]);
    for (const { resolve } of hung) resolve(undefined);
  });

  test('is not called any more for a caller who has gone, or whose deadline has passed', async () => {
    answers = { '/busy-for-ever': () => ({ status: 503 }) };
    const request = { operation: 'get', metadata: { path: 'busy-for-ever' } };
    const gone = new AbortController();
    const asked = fetch(`${sidecar.base}/bindings/tireless`, { method: 'POST', body: JSON.stringify(request), signal: gone.signal });
    await until('it is tried again', () => callsOf('/busy-for-ever') > 2, { about: sidecar.process });
    gone.abort();
    await expect(asked).rejects.toThrow(/aborted/);
    const late = await client.ask(Dapr.InvokeBinding, { name: 'tireless', ...request }, {}, { deadline: Date.now() + 300 });
    expect(late.status.code).toBe(4);
    // Each of these takes as long as several of the tries would; one that was on its way has come after the first.
    gate.freeze();
    expect((await sidecar.call('GET', '/state/hurried/k')).status).toBe(500);
    const atThen = callsOf('/busy-for-ever');
    expect((await sidecar.call('GET', '/state/hurried/k')).status).toBe(500);
    expect(callsOf('/busy-for-ever')).toBe(atThen);
  });

  test('offers its event again as the inbound policy says, always the same', async () => {
    const seen = new Map<unknown, number>();
    answers = {
      '/tick': ({ headers }) => {
        const id = headers['mecha-event-id'];
        const times = (seen.get(id) ?? 0) + 1;
        seen.set(id, times);
        return { status: times < 3 ? 500 : 200 };
      },
    };
    await until('one is taken, and the next ones come', () => [...seen.values()].includes(3) && seen.size > 2, { about: sidecar.process });
    expect(Math.max(...seen.values())).toBe(3);
  });
});

describe('an app', () => {
  test('is called again for the statuses that match, with the last answer for the caller, over both protocols', async () => {
    answers = { '/place': failing(503, 503), '/busy': () => ({ status: 503, body: { busy: true } }), '/broken': failing(500), '/place-grpc': failing(503) };
    const invoke = (path: string) => sidecar.call('POST', `/invoke/order/method/${path}`, { order: 7 });
    expect([(await invoke('place')).status, callsOf('/place')]).toEqual([200, 3]);
    expect(app.requests.filter(({ path }) => path === '/place').map(({ text }) => text)).toEqual(Array.from({ length: 3 }, () => '{"order":7}'));
    expect([told(await invoke('busy')), callsOf('/busy')]).toEqual([[503, { busy: true }], 3]);
    expect([(await invoke('broken')).status, callsOf('/broken')]).toEqual([500, 1]);
    await client.get(Dapr.InvokeService, { id: 'order', message: { method: 'place-grpc', data: { value: Buffer.from('{}') } } });
    expect(callsOf('/place-grpc')).toBe(2);
    expect(await metric('resiliency_activations_total', 'app_order', 'retry')).toBe(5);
  });

  test('is sent a streamed body once', async () => {
    answers = { '/upload': () => ({ status: 503 }) };
    const body = new Blob(['x'.repeat(1_000_000)]).stream();
    const answer = await fetch(`${sidecar.base}/invoke/order/method/upload`, { method: 'POST', body, duplex: 'half' });
    expect([answer.status, callsOf('/upload')]).toEqual([503, 1]);
  });

  test('has a breaker per method, found by the target as it was typed', async () => {
    answers = { '/a': () => ({ status: 500 }), '/b': failing() };
    const invoke = (method: string) => sidecar.call('GET', `/invoke/order.default/method/${method}`);
    for (let call = 0; call < 2; call++) expect((await invoke('a')).status).toBe(500);
    const message = 'failed to invoke, id: order.default, err: circuit breaker is open';
    expect(told(await invoke('a'))).toEqual([500, { errorCode: 'ERR_DIRECT_INVOKE', message }]);
    const { status } = await client.ask(Dapr.InvokeService, { id: 'order.default', message: { method: 'a', httpExtension: { verb: 1 } } });
    expect([status.code, status.details, callsOf('/a')]).toEqual([13, message, 2]);
    expect((await invoke('b')).status).toBe(200);
    expect((await sidecar.call('GET', '/invoke/order/method/a')).text).toBe('');
  });
});

test.each([
  ['arn:mecha:invoke:::order:ship', {}, { shipped: true }],
  ['arn:mecha:binding:::web:post', { Metadata: { path: 'ship' } }, { Data: { shipped: true } }],
])('a task of a state machine passes the same policies as the call itself, under one idempotency key: %s', async (Resource, Parameters, result) => {
  const keys = new Set<unknown>();
  const statuses = [503, 503, 200];
  const before = app.requests.length;
  answers = { '/ship': () => ({ status: statuses.shift() ?? 0, body: { shipped: true } }) };
  const states = `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/states`;
  const definition = JSON.stringify({ StartAt: 'Ship', States: { Ship: { Type: 'Task', Resource, Parameters, End: true } } });
  const { stateMachineArn } = await callStates(states, 'CreateStateMachine', { name: `ship-${randomUUID()}`, type: 'EXPRESS', definition, roleArn: 'arn:aws:iam::000000000000:role/x' });
  const { status, output } = await callStates(states, 'StartSyncExecution', { stateMachineArn, input: '{}' });
  expect([status, JSON.parse(String(output)), statuses]).toMatchObject(['SUCCEEDED', result, []]);
  for (const { path, headers } of app.requests.slice(before)) if (path === '/ship') keys.add(headers['idempotency-key']);
  expect([...keys]).toEqual([expect.stringMatching(/ship-.*\/1$/)]);
});

describe('a relayed gRPC call', () => {
  async function relay(metadata: Readonly<Record<string, string>>, words: readonly string[]) {
    const call = client.raw('/shop.Orders/Place', { 'dapr-app-id': 'grpc-app', ...metadata });
    const got: string[] = [];
    const greetings: unknown[] = [];
    call.on('data', (bytes: Buffer) => got.push(String(bytes))).on('metadata', (given) => greetings.push(...given.get('greeting'))).on('error', () => undefined);
    const status = new Promise<{ code: number; details: string }>((resolve) => call.once('status', resolve));
    for (const word of words) call.write(Buffer.from(word));
    call.end();
    const { code, details } = await status;
    return { code, details, got, greetings };
  }
  const refuse = (call: ServerDuplexStream<Buffer, Buffer>, code: number): boolean => call.emit('error', { code, details: `code ${code}`, metadata: metadataOf({}) });
  const echo = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    call.sendMetadata(metadataOf({ greeting: 'hello' }));
    call.on('data', (bytes: Buffer) => call.write(Buffer.from(`re: ${String(bytes)}`))).on('end', () => call.end());
  };

  test('is sent again with the same message for the codes that match', async () => {
    onRelayed = (call, number) => void (number < 3 ? refuse(call, 14) : echo(call));
    expect(await relay({}, ['order 7'])).toEqual({ code: 0, details: 'OK', got: ['re: order 7'], greetings: ['hello'] });
    expect(relayed).toHaveLength(3);
  });

  test('ends with the status of the last attempt, and at once with one that does not match', async () => {
    onRelayed = (call) => void refuse(call, 14);
    expect(await relay({}, ['x'])).toMatchObject({ code: 14, details: 'code 14' });
    expect(relayed).toHaveLength(3);
    onRelayed = (call) => void refuse(call, 9);
    expect(await relay({}, ['x'])).toMatchObject({ code: 9, details: 'code 9' });
    expect(relayed).toHaveLength(4);
  });

  test('is cut off by the timeout, and the app is told', async () => {
    const cancelled: Promise<void>[] = [];
    onRelayed = (call) => void cancelled.push(new Promise((resolve) => void call.once('cancelled', () => resolve())));
    expect(await relay({ 'dapr-callee-app-id': 'grpc-app.default' }, ['x'])).toMatchObject({ code: 4, details: 'context deadline exceeded: no answer within 2000 ms' });
    await Promise.all(cancelled);
    expect(cancelled).toHaveLength(1);
  });

  test('a relayed call is refused by an open breaker', async () => {
    onRelayed = (call) => void refuse(call, 14);
    const call = () => relay({ 'dapr-callee-app-id': 'grpc-app.default' }, ['x']);
    for (let failures = 0; failures < 2; failures++) await call();
    const before = relayed.length;
    expect([await call(), relayed.length]).toMatchObject([{ code: 2, details: 'failed to proxy request: circuit breaker is open' }, before]);
  });

  test('with a second message cannot be tried again, unless it says that it is a stream', async () => {
    onRelayed = echo;
    expect(await relay({}, ['a', 'b'])).toMatchObject({ code: 9, details: 'cannot use resiliency policies with retries on streaming RPCs' });
    expect(await relay({ 'dapr-stream': 'true' }, ['a', 'b', 'c'])).toMatchObject({ code: 0, got: ['re: a', 're: b', 're: c'] });
  });

  test('is not tried again once a message of the app has gone to the caller', async () => {
    onRelayed = (call) => call.write(Buffer.from('first'), () => setImmediate(() => refuse(call, 14)));
    expect(await relay({}, ['x'])).toMatchObject({ code: 14, got: ['first'] });
    expect(relayed).toHaveLength(1);
  });
});

test('resources of the app are listed and counted, those of others are not', async () => {
  const { resiliencies } = (await sidecar.call('GET', '/metadata')).json<{ resiliencies: { name: string }[] }>();
  expect(resiliencies.map(({ name }) => name)).toEqual(['policies', 'targets']);
  expect(await metric('resiliency_loaded', 'policies', 'order')).toBe(1);
});

test('mecha validate tells every fault of a Resiliency, and a sidecar does not start with one', async () => {
  const resources = await folderWith({ 'wrong.yaml': RULES.replace('timeout: short }', 'timeout: shrot }').replace('consecutiveFailures >= 2', 'consecutiveFailure >= 2') });
  const { code, out } = await mecha(['validate', resources]);
  expect(code).toBe(1);
  expect(out).toMatch(/wrong\.yaml:13: error: the trip rule "consecutiveFailure >= 2" is not usable: .*consecutiveFailure.* \(spec\.policies\.circuitBreakers\.second\.trip\)/);
  expect(out).toMatch(/wrong\.yaml:28: error: there is no timeout policy named shrot \(spec\.targets\.components\.hurried\.outbound\.timeout\); did you mean short\?/);
  const wrong = await startSidecar({ appId: 'order', resources, untilReady: 'nothing' });
  expect(await wrong.process.exited).toBe(1);
  expect(wrong.output()).toContain('there is no timeout policy named shrot');
});
