import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Metadata, Server, ServerCredentials, status as codes, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import type { Init, Method } from '@mecha/specs/codec.ts';
import {
  AppCallback,
  AppCallbackAlpha,
  AppCallbackHealthCheck,
  type TopicEventBulkRequest,
  type TopicEventRequest,
} from '@mecha/specs/gen/appcallback.gen.ts';
import type { InvokeRequest } from '@mecha/specs/gen/common.gen.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { createLog } from '../telemetry/log.ts';
import { traceFrom, traceparentOf } from '../telemetry/trace.ts';
import { AppAway, AppGrpcError, type AppChannel, type AppRequest, type BulkEventDelivery, type EventDelivery } from './channel.ts';
import { createGrpcChannel, type GrpcChannelOptions } from './grpc-channel.ts';
import { streamOf } from './testing.ts';

const never = new AbortController().signal;
const trace = traceFrom('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'vendor=1');
const log = createLog({ level: 'fatal', json: true, appId: 'orders', version: 'test', write: () => {} });
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

type Serve = (call: { path: string; metadata: Metadata; request: Buffer }) => Promise<Answer> | Answer;
type Answer = { bytes: Buffer; headers?: Metadata; trailers?: Metadata } | { code: number; details: string; metadata?: Metadata };

/** What one method of the app answers. */
function served<Request, Response>(
  method: Method<Request, Response>,
  handle: (message: NoInfer<Request>, metadata: Metadata) => Init<NoInfer<Response>> | Promise<Init<NoInfer<Response>>>,
  rest: { headers?: Metadata; trailers?: Metadata } = {},
): [string, Serve] {
  return [method.path, async ({ request, metadata }) => ({ bytes: method.response.encode(await handle(method.request.decode(request), metadata)), ...rest })];
}

async function startApp(methods: [string, Serve][], port = 0): Promise<{ port: number; stop: () => void }> {
  const server = new Server();
  for (const [path, serve] of methods) {
    const same = (bytes: Buffer): Buffer => bytes;
    const handler = async (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): Promise<void> => {
      const answer = await serve({ path, metadata: call.metadata, request: call.request });
      if ('code' in answer) return done(answer);
      if (answer.headers) call.sendMetadata(answer.headers);
      done(null, answer.bytes, answer.trailers);
    };
    server.register(path, (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void handler(call, done), same, same, 'unary');
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) => (error ? reject(error) : resolve(found)));
  });
  open.push({ close: () => server.forceShutdown() });
  return { port: bound, stop: () => server.forceShutdown() };
}

function channelTo(port: number, options: Partial<GrpcChannelOptions> = {}): AppChannel {
  const channel = createGrpcChannel({
    protocol: 'grpc',
    address: '127.0.0.1',
    port,
    apiToken: undefined,
    maxConcurrency: undefined,
    maxBodyBytes: 64 * 1024,
    asksSubscriptions: true,
    log,
    ...options,
  });
  open.push(channel);
  return channel;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function event(attributes: Record<string, unknown>, overrides: Partial<EventDelivery> = {}): EventDelivery {
  const whole = { id: '1', source: 'shop', type: 'com.dapr.event.sent', specversion: '1.0', ...attributes };
  return { pubsubName: 'pubsub', topic: 'orders', path: '/on-order', body: Buffer.from(JSON.stringify(whole)), event: whole, metadata: {}, trace, ...overrides };
}

const request = (overrides: Partial<AppRequest> = {}): AppRequest => ({ method: 'POST', path: 'do', queryText: '', headers: {}, body: undefined, trace, ...overrides });
const metadataOf = (entries: Record<string, string>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
};

describe('an event', () => {
  test('comes taken apart, with the route, the token, the trace and the broker metadata beside it', async () => {
    let seen: TopicEventRequest | undefined;
    let metadata = new Metadata();
    const { port } = await startApp([served(AppCallback.OnTopicEvent, (message, given) => ((seen = message), (metadata = given), {}))]);
    const delivery = event(
      { datacontenttype: 'application/json', data: { a: 1 }, topic: 'orders', pubsubname: 'pubsub', subject: 's', n: 3, ok: true, list: ['x', { y: null }] },
      { metadata: { key: 'k1', 'Dapr-Api-Token': 'spoofed', Traceparent: 'spoofed', 'dapr-caller-app-id': 'admin', 'Mecha-Peer-From': 'admin', 'content-type': 'text/html', 'x y': 'bad', umlaut: 'grün' } },
    );
    expect(await channelTo(port, { apiToken: 'app-token' }).deliver(delivery, never)).toEqual({ outcome: 'success' });
    expect(seen).toMatchObject({
      id: '1', source: 'shop', type: 'com.dapr.event.sent', specVersion: '1.0', dataContentType: 'application/json', topic: 'orders', pubsubName: 'pubsub', path: '/on-order',
    });
    expect(JSON.parse(String(seen?.data))).toEqual({ a: 1 });
    expect(Object.keys(seen?.extensions?.fields ?? {}).sort()).toEqual(['list', 'n', 'ok', 'pubsubname', 'subject', 'topic']);
    expect(seen?.extensions?.fields).toMatchObject({
      n: { numberValue: 3 }, ok: { boolValue: true }, subject: { stringValue: 's' },
      list: { listValue: { values: [{ stringValue: 'x' }, { structValue: { fields: { y: { nullValue: 0 } } } }] } },
    });
    expect(metadata.get('dapr-api-token')).toEqual(['app-token']);
    expect(metadata.get('traceparent')).toEqual([traceparentOf(trace)]);
    expect((metadata.get('grpc-trace-bin')[0] as Buffer).toString('hex', 2, 18)).toBe(trace.traceId);
    expect(metadata.get('key')).toEqual(['k1']);
    for (const name of ['umlaut', 'dapr-caller-app-id', 'mecha-peer-from', 'dapr-content-type']) expect(metadata.get(name)).toEqual([]);
  });

  test.each([
    ['application/json', { data: 1 }, '{"data": 12345678901234567890}', '12345678901234567890'],
    ['text/plain; charset=utf-8', { data: 'grün' }, '', 'grün'],
    ['application/xml', { data: '<a/>' }, '', '<a/>'],
    ['application/octet-stream', { data_base64: Buffer.from([1, 2]).toString('base64') }, '', '\u0001\u0002'],
    ['application/vnd.x+json', { data: { a: 1 } }, '', '{"a":1}'],
    ['image/png', { data: 'text of no known type' }, '', ''],
    ['application/json', {}, '', ''],
  ])('data of type %s arrives as its bytes: %j', async (datacontenttype, attributes, body, expected) => {
    let data: Uint8Array | undefined;
    const { port } = await startApp([served(AppCallback.OnTopicEvent, (message) => ((data = message.data), {}))]);
    const delivery = event({ datacontenttype, ...attributes });
    await channelTo(port).deliver(body === '' ? delivery : { ...delivery, body: Buffer.from(body) }, never);
    expect(String(data)).toBe(expected);
  });

  test.each([
    [0, { outcome: 'success' }],
    [1, { outcome: 'retry', reason: 'the app answered RETRY' }],
    [2, { outcome: 'drop', reason: 'the app answered DROP' }],
    [7, { outcome: 'retry', reason: 'the app answered with an unknown status 7' }],
  ])('status %j of the app is %j', async (status, outcome) => {
    const { port } = await startApp([served(AppCallback.OnTopicEvent, () => ({ status }))]);
    expect(await channelTo(port).deliver(event({}), never)).toEqual(outcome);
  });

  test('an error of the app asks for a retry, with its code', async () => {
    const { port } = await startApp([[AppCallback.OnTopicEvent.path, () => ({ code: codes.INVALID_ARGUMENT, details: 'no' })]]);
    expect(await channelTo(port).deliver(event({}), never)).toMatchObject({ outcome: 'retry', statusCode: 3 });
  });

  test('an app that serves no topic events drops them without a dead letter', async () => {
    const { port } = await startApp([]);
    expect(await channelTo(port).deliver(event({}), never)).toMatchObject({ outcome: 'drop', deadLetter: false });
  });

  test('nobody on the port means away; an app that comes later gets the next one', async () => {
    const port = await freePort();
    const channel = channelTo(port);
    expect(await channel.deliver(event({}), never)).toMatchObject({ outcome: 'away' });
    const app = await startApp([served(AppCallback.OnTopicEvent, () => ({}))], port);
    expect(await channel.deliver(event({}), never)).toEqual({ outcome: 'success' });
    app.stop();
    expect((await channel.deliver(event({}), never)).outcome).not.toBe('success');
    await startApp([served(AppCallback.OnTopicEvent, () => ({}))], port);
    expect(await channel.deliver(event({}), never)).toEqual({ outcome: 'success' });
  });

  test('an app that dies over an event has used up an attempt', async () => {
    const { port, stop } = await startApp([[AppCallback.OnTopicEvent.path, () => new Promise<Answer>(() => stop())]]);
    expect(await channelTo(port).deliver(event({}), never)).toMatchObject({ outcome: 'retry' });
  });

  test('a delivery that is taken back is no attempt, one that runs out of time is', async () => {
    const entered = Promise.withResolvers<void>();
    const { port } = await startApp([[AppCallback.OnTopicEvent.path, () => (entered.resolve(), new Promise<Answer>(() => {}))]]);
    const channel = channelTo(port);
    const taken = new AbortController();
    const delivery = channel.deliver(event({}), taken.signal);
    await entered.promise;
    taken.abort();
    expect(await delivery).toMatchObject({ outcome: 'away' });
    expect(await channel.deliver(event({}), AbortSignal.timeout(50))).toMatchObject({ outcome: 'retry' });
  });

  test('an unhealthy app is not called', async () => {
    const { port } = await startApp([served(AppCallback.OnTopicEvent, () => ({}))]);
    expect(await channelTo(port, { presence: () => 'unhealthy' }).deliver(event({}), never)).toEqual({ outcome: 'away', reason: 'app is not in a healthy state' });
  });
});

describe('a batch of events', () => {
  const batch: BulkEventDelivery = {
    id: 'b', pubsubName: 'pubsub', topic: 'orders', path: '/bulk', metadata: { m: '1' }, trace,
    entries: [
      { entryId: 'a', event: { id: '1', type: 't', datacontenttype: 'text/plain', data: 'x' }, body: Buffer.from('{"data":"x"}'), contentType: 'application/cloudevents+json', metadata: {} },
      { entryId: 'b', body: Buffer.from([9]), contentType: 'application/octet-stream', metadata: { k: 'v' } },
    ],
  };

  test.each([
    ['its stable name', AppCallback.OnBulkTopicEvent],
    ['its earlier name', AppCallbackAlpha.OnBulkTopicEventAlpha1],
  ])('reaches the app under %s and is answered entry by entry', async (_title, method) => {
    let seen: TopicEventBulkRequest | undefined;
    const { port } = await startApp([served(method, (message) => ((seen = message), { statuses: [{ entryId: 'a', status: 0 }, { entryId: 'b', status: 2 }] }))]);
    const answers = await channelTo(port).deliverBulk(batch, never);
    expect([...(answers as ReadonlyMap<string, unknown>)]).toEqual([['a', { outcome: 'success' }], ['b', { outcome: 'drop', reason: 'the app answered DROP' }]]);
    expect(seen).toMatchObject({ id: 'b', topic: 'orders', pubsubName: 'pubsub', path: '/bulk', type: 'com.dapr.event.sent.bulk', metadata: { m: '1' } });
    expect(seen?.entries[0]?.cloudEvent).toMatchObject({ id: '1', dataContentType: 'text/plain', data: Buffer.from('x') });
    expect(seen?.entries[1]).toMatchObject({ entryId: 'b', bytes: Buffer.from([9]), cloudEvent: undefined, metadata: { k: 'v' } });
  });

  test('an app that serves neither name drops it', async () => {
    const { port } = await startApp([]);
    expect(await channelTo(port).deliverBulk(batch, never)).toMatchObject({ outcome: 'drop', deadLetter: false });
  });
});

describe('subscriptions', () => {
  test('come in full form, the default route last', async () => {
    const { port } = await startApp([
      served(AppCallback.ListTopicSubscriptions, () => ({
        subscriptions: [
          {
            pubsubName: 'p', topic: 't', metadata: { a: 'b' }, deadLetterTopic: 'd',
            routes: { rules: [{ match: 'event.type == "x"', path: '/x' }], default: '/rest' }, bulkSubscribe: { enabled: true, maxMessagesCount: 5 },
          },
          { pubsubName: 'p', topic: 'plain' },
        ],
      })),
    ]);
    expect(await channelTo(port).subscriptions(never)).toEqual([
      {
        pubsubName: 'p', topic: 't', metadata: { a: 'b' }, deadLetterTopic: 'd', bulk: { maxMessagesCount: 5, maxAwaitDurationMs: 1000 },
        routes: [{ match: 'event.type == "x"', path: '/x' }, { match: '', path: '/rest' }],
      },
      { pubsubName: 'p', topic: 'plain', metadata: {}, deadLetterTopic: '', routes: [{ match: '', path: '' }] },
    ]);
  });

  test('an app that does not serve the question has none; one that fails, or is not there, is to be asked again', async () => {
    const none = await startApp([]);
    expect(await channelTo(none.port).subscriptions(never)).toEqual([]);
    const failing = await startApp([[AppCallback.ListTopicSubscriptions.path, () => ({ code: codes.INTERNAL, details: 'not yet' })]]);
    await expect(channelTo(failing.port).subscriptions(never)).rejects.toThrow('not yet');
    await expect(channelTo(await freePort()).subscriptions(never)).rejects.toThrow(AppAway);
  });

  test('an app that is not to be asked is not asked', async () => {
    let asked = 0;
    const { port } = await startApp([served(AppCallback.ListTopicSubscriptions, () => (asked++, {}))]);
    expect(await channelTo(port, { asksSubscriptions: false }).subscriptions(never)).toEqual([]);
    expect(asked).toBe(0);
  });
});

describe('which bindings the app wants', () => {
  const tick = { name: 'tick', route: 'not-for-grpc' };

  test('are those that it lists by name; an app that does not serve the question wants none', async () => {
    const { port } = await startApp([served(AppCallback.ListInputBindings, () => ({ bindings: ['tick', 'tock'] }))]);
    const channel = channelTo(port);
    expect(await channel.wantsBinding(tick, never)).toBe(true);
    expect(await channel.wantsBinding({ name: 'not-for-grpc', route: 'tick' }, never)).toBe(false);
    expect(await channelTo((await startApp([])).port).wantsBinding(tick, never)).toBe(false);
  });

  test.each(Object.entries(codes).filter(([, code]) => typeof code === 'number' && code !== codes.OK && code !== codes.UNIMPLEMENTED))('are not told by an answer with %s', async (name, code) => {
    const { port } = await startApp([[AppCallback.ListInputBindings.path, () => ({ code: Number(code), details: `it said ${name}` })]]);
    await expect(channelTo(port).wantsBinding(tick, never)).rejects.toThrow(`it said ${name}`);
  });

  test('are not told by an absent app either, and a silent one is given up when its caller does', async () => {
    await expect(channelTo(await freePort()).wantsBinding(tick, never)).rejects.toThrow(AppAway);
    const entered = Promise.withResolvers<void>();
    const { port } = await startApp([[AppCallback.ListInputBindings.path, () => (entered.resolve(), new Promise<Answer>(() => {}))]]);
    const late = new AbortController();
    const answer = channelTo(port).wantsBinding(tick, late.signal);
    await entered.promise;
    late.abort(new Error('late'));
    await expect(answer).rejects.toThrow('late');
  });
});

describe('a call of a method', () => {
  test('goes out as OnInvoke and its answer comes back as HTTP', async () => {
    let seen: InvokeRequest | undefined;
    let metadata = new Metadata();
    const { port } = await startApp([
      served(AppCallback.OnInvoke, (message, given) => ((seen = message), (metadata = given), { data: { typeUrl: 'x/Y', value: Buffer.from('{"b":2}') }, contentType: 'application/json' }), {
        headers: metadataOf({ h: '1', 'grpc-own': 'x' }),
        trailers: metadataOf({ t: '2' }),
      }),
    ]);
    const headers = { 'content-type': 'text/plain', 'x-own': 'v', cookie: 'c', 'grpc-own': 'g', 'mecha-type-url': 'a/B', umlaut: 'grün' };
    const answer = await channelTo(port, { apiToken: 'app-token' }).invoke(request({ method: 'PUT', path: 'a/b%20c', queryText: 'q=1', headers, body: Readable.from([Buffer.from('he'), Buffer.from('y')]) }), never);
    expect(seen).toMatchObject({ method: 'a/b%20c', contentType: 'text/plain', httpExtension: { verb: 4, querystring: 'q=1' }, data: { typeUrl: 'a/B', value: Buffer.from('hey') } });
    expect([metadata.get('x-own'), metadata.get('dapr-cookie'), metadata.get('dapr-grpc-own'), metadata.get('dapr-api-token'), metadata.get('mecha-type-url')]).toEqual([['v'], ['c'], ['g'], ['app-token'], []]);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ h: '1', t: '2', 'content-type': 'application/json', 'mecha-type-url': 'x/Y' });
    expect(answer.headers['grpc-own']).toBeUndefined();
    expect(await text(streamOf(answer.body))).toBe('{"b":2}');
  });

  test('the status of the app comes back with its details', async () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from([8, 5]));
    const { port } = await startApp([[AppCallback.OnInvoke.path, () => ({ code: 5, details: 'no such order', metadata })]]);
    const failure = await channelTo(port).invoke(request(), never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AppGrpcError);
    expect(failure).toMatchObject({ code: 5, message: 'no such order', details: Buffer.from([8, 5]) });
  });

  test('UNAVAILABLE said by the app is its answer, not its absence', async () => {
    const { port } = await startApp([[AppCallback.OnInvoke.path, () => ({ code: 14, details: 'busy' })]]);
    await expect(channelTo(port).invoke(request(), never)).rejects.toThrow(AppGrpcError);
    await expect(channelTo(await freePort()).invoke(request(), never)).rejects.toThrow(AppAway);
  });

  test('a body over the limit is refused by the name of the limit', async () => {
    const { port } = await startApp([served(AppCallback.OnInvoke, () => ({}))]);
    await expect(channelTo(port, { maxBodyBytes: 10 }).invoke(request({ body: Readable.from([Buffer.alloc(11)]) }), never)).rejects.toThrow('--max-body-size');
  });

  test('calls beyond the concurrency limit wait their turn', async () => {
    let now = 0;
    let most = 0;
    const { port } = await startApp([
      served(AppCallback.OnInvoke, async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        return {};
      }),
    ]);
    const channel = channelTo(port, { maxConcurrency: 2 });
    await Promise.all(Array.from({ length: 12 }, () => channel.invoke(request(), never)));
    expect(most).toBe(2);
  });
});

describe('health', () => {
  test('an answered probe is healthy; an error, UNIMPLEMENTED or silence is not', async () => {
    const good = await startApp([served(AppCallbackHealthCheck.HealthCheck, () => ({}))]);
    expect(await channelTo(good.port).probe(5000)).toBe(true);
    const without = await startApp([]);
    expect(await channelTo(without.port).probe(5000)).toBe(false);
    const silent = await startApp([[AppCallbackHealthCheck.HealthCheck.path, () => new Promise<Answer>(() => {})]]);
    await expect(channelTo(silent.port).probe(50)).rejects.toThrow();
    await expect(channelTo(await freePort()).probe(5000)).rejects.toThrow(AppAway);
  });

  test('reach needs no more than a listener', async () => {
    const { port } = await startApp([]);
    await channelTo(port).reach();
    await expect(channelTo(await freePort()).reach()).rejects.toThrow();
  });
});
