/** The gRPC API of real sidecar processes, message by message: what the SDK's tests do not look at. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Metadata, status as codes, type StatusObject } from '@grpc/grpc-js';
import { AppCallback } from '@mecha/specs/gen/appcallback.gen.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import type { InvokeRequest, StateItem } from '@mecha/specs/gen/common.gen.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts, startMecha, temporaryFolder, until, untilStatus } from '../tools/processes.ts';
import { WireClient, detailsOf, metadataOf, serveRaw } from './client.ts';

const cleanups: (() => unknown)[] = [];
let dataDir = '';
let order: Sidecar;

interface Sidecar {
  readonly client: WireClient;
  readonly http: string;
  readonly exited: Promise<number | null>;
}

async function startSidecar(appId: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Sidecar> {
  const [http = 0, grpc = 0] = await freePorts(2);
  const running = startMecha(
    ['sidecar', '--app-id', appId, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', dataDir, ...args],
    env,
  );
  cleanups.push(() => running.kill('SIGTERM'));
  const url = `http://127.0.0.1:${http}`;
  await untilStatus(`${url}/v1.0/healthz/outbound`, 204, running);
  const client = new WireClient(grpc);
  cleanups.push(() => client.close());
  return { client, http: url, exited: running.exited };
}

beforeAll(async () => {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  dataDir = folder.path;
  order = await startSidecar('order', [], { SECRET_WORD: 'open sesame' });
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

describe('state', () => {
  const save = (states: readonly Init<StateItem>[]) =>
    order.client.ask(Dapr.SaveState, { storeName: 'statestore', states });

  test('bytes come back as they were, with an etag', async () => {
    const value = Buffer.from([0, 255, 128, 10]);
    await save([{ key: 'bytes', value }]);
    const { data, etag } = await order.client.get(Dapr.GetState, { storeName: 'statestore', key: 'bytes' });
    expect(Buffer.from(data)).toEqual(value);
    expect(etag).not.toBe('');
  });

  test('a value called JSON must be JSON', async () => {
    const good = await save([{ key: 'json', value: Buffer.from('{"a": 12345678901234567890}'), metadata: { contentType: 'application/json' } }]);
    expect(good.status.code).toBe(codes.OK);
    expect(String((await order.client.get(Dapr.GetState, { storeName: 'statestore', key: 'json' })).data)).toBe('{"a": 12345678901234567890}');
    const bad = await save([{ key: 'json', value: Buffer.from('{'), metadata: { contentType: 'application/json' } }]);
    expect(bad.status.code).not.toBe(codes.OK);
    expect(String((await order.client.get(Dapr.GetState, { storeName: 'statestore', key: 'json' })).data)).toBe('{"a": 12345678901234567890}');
  });

  test('a stale etag is ABORTED with the reason, and nothing of a transaction is left', async () => {
    await save([{ key: 'etag', value: Buffer.from('1') }]);
    const { status } = await save([{ key: 'etag', value: Buffer.from('2'), etag: { value: '999' } }]);
    expect(status.code).toBe(codes.ABORTED);
    expect(detailsOf(status)).toMatchObject([{ type: 'ErrorInfo', fields: { reason: 'ERR_STATE_SAVE', domain: 'dapr.io' } }]);
    const transaction = await order.client.ask(Dapr.ExecuteStateTransaction, {
      storeName: 'statestore',
      operations: [
        { operationType: 'upsert', request: { key: 'fresh', value: Buffer.from('x') } },
        { operationType: 'upsert', request: { key: 'etag', value: Buffer.from('2'), etag: { value: '999' } } },
      ],
    });
    expect(transaction.status.code).toBe(codes.INTERNAL);
    expect((await order.client.get(Dapr.GetState, { storeName: 'statestore', key: 'fresh' })).data).toHaveLength(0);
  });

  test('first-write is refused for a key that is there', async () => {
    await save([{ key: 'once', value: Buffer.from('1') }]);
    expect((await save([{ key: 'once', value: Buffer.from('2'), options: { concurrency: 1 } }])).status.code).toBe(codes.ABORTED);
  });

  test('an option that the contract does not have is refused by name', async () => {
    expect((await save([{ key: 'x', options: { concurrency: 9 } }])).status.details).toContain("unrecognized concurrency model '9'");
  });

  test('several are deleted at once, and expiry is told', async () => {
    await save([{ key: 'd1', value: Buffer.from('1') }, { key: 'd2', value: Buffer.from('1'), metadata: { ttlInSeconds: '3600' } }]);
    expect((await order.client.get(Dapr.GetState, { storeName: 'statestore', key: 'd2' })).metadata['ttlExpireTime']).toMatch(/^20\d\d-/);
    await order.client.get(Dapr.DeleteBulkState, { storeName: 'statestore', states: [{ key: 'd1' }, { key: 'd2' }] });
    const { items } = await order.client.get(Dapr.GetBulkState, { storeName: 'statestore', keys: ['d1', 'd2'] });
    expect(items.map(({ key, data, etag, error }) => [key, data.length, etag, error])).toEqual([['d1', 0, '', ''], ['d2', 0, '', '']]);
  });

  test.each([
    ['an unknown store', Dapr.GetState, { storeName: 'nowhere', key: 'a' }, codes.INVALID_ARGUMENT, 'state store nowhere is not found', ['ErrorInfo']],
    ['a key with two pipes', Dapr.GetState, { storeName: 'statestore', key: 'a||b' }, codes.INVALID_ARGUMENT, "input key/keyPrefix 'a||b' can't contain '||'", ['BadRequest', 'ResourceInfo', 'ErrorInfo']],
    ['an empty key', Dapr.SaveState, { storeName: 'statestore', states: [{ key: '' }] }, codes.INVALID_ARGUMENT, 'state key cannot be empty', ['ErrorInfo']],
    ['an unknown operation', Dapr.ExecuteStateTransaction, { storeName: 'statestore', operations: [{ operationType: 'swap' }] }, codes.UNIMPLEMENTED, 'operation type swap not supported', ['ErrorInfo']],
  ] as const)('%s: code, text and kinds of detail', async (_title, method, message, code, details, kinds) => {
    const { status } = await order.client.ask(method as never, message);
    expect([status.code, status.details, detailsOf(status).map(({ type }) => type)]).toEqual([code, details, kinds]);
  });
});

describe('secrets, metadata and what is not there', () => {
  test('a secret is read by name, and is among all', async () => {
    expect((await order.client.get(Dapr.GetSecret, { storeName: 'secretstore', key: 'SECRET_WORD' })).data).toEqual({ SECRET_WORD: 'open sesame' });
    expect((await order.client.get(Dapr.GetBulkSecret, { storeName: 'secretstore' })).data['SECRET_WORD']?.secrets).toEqual({ SECRET_WORD: 'open sesame' });
    const { status } = await order.client.ask(Dapr.GetSecret, { storeName: 'nowhere', key: 'a' });
    expect([status.code, status.details, detailsOf(status)]).toEqual([codes.INVALID_ARGUMENT, 'failed finding secret store with key nowhere', []]);
  });

  test('metadata tells who and what; an empty label changes nothing', async () => {
    await order.client.get(Dapr.SetMetadata, { key: 'colour', value: 'red' });
    await order.client.get(Dapr.SetMetadata, { key: '', value: 'x' });
    const metadata = await order.client.get(Dapr.GetMetadata, {});
    expect(metadata.id).toBe('order');
    expect(metadata.extendedMetadata).toMatchObject({ colour: 'red' });
    expect(metadata.extendedMetadata['']).toBeUndefined();
    expect(metadata.registeredComponents.map(({ name }) => name).sort()).toEqual(['pubsub', 'secretstore', 'statestore']);
  });

  test('an API that is not there says so by name', async () => {
    const { status } = await order.client.ask(Dapr.TryLockAlpha1, { storeName: 'a' });
    expect([status.code, status.details]).toEqual([codes.UNIMPLEMENTED, 'TryLockAlpha1: this API is currently not implemented']);
  });
});

describe('a subscription held as a stream', () => {
  const publish = (topic: string, data: unknown) =>
    order.client.get(Dapr.PublishEvent, { pubsubName: 'pubsub', topic, data: Buffer.from(JSON.stringify(data)), dataContentType: 'application/json' });
  const subscribe = async (topic: string, deadLetterTopic?: string) => {
    const stream = order.client.stream(Dapr.SubscribeTopicEventsAlpha1);
    stream.send({ initialRequest: { pubsubName: 'pubsub', topic, deadLetterTopic } });
    expect((await stream.next()).initialResponse).toBeDefined();
    return stream;
  };
  const nextEvent = async (stream: Awaited<ReturnType<typeof subscribe>>) => {
    const { eventMessage } = await stream.next();
    if (!eventMessage) throw new Error('not an event');
    return eventMessage;
  };

  test('events come after the confirmation, and are listed as STREAMING', async () => {
    const stream = await subscribe('s-plain');
    await publish('s-plain', { n: 12 });
    const event = await nextEvent(stream);
    expect(event).toMatchObject({ topic: 's-plain', pubsubName: 'pubsub', path: '/', source: 'order', type: 'com.dapr.event.sent', dataContentType: 'application/json' });
    expect(JSON.parse(String(event.data))).toEqual({ n: 12 });
    stream.send({ eventProcessed: { id: event.id, status: { status: 0 } } });
    const { subscriptions } = await order.client.get(Dapr.GetMetadata, {});
    expect(subscriptions.find(({ topic }) => topic === 's-plain')).toMatchObject({ pubsubName: 'pubsub', type: 3 });
    stream.cancel();
    await until('the subscription is gone', async () => !(await order.client.get(Dapr.GetMetadata, {})).subscriptions.some(({ topic }) => topic === 's-plain'));
  });

  test('RETRY brings it again, DROP sends it to the dead-letter topic', async () => {
    const dead = await subscribe('s-dead');
    const stream = await subscribe('s-answers', 's-dead');
    await publish('s-answers', 'x');
    const first = await nextEvent(stream);
    stream.send({ eventProcessed: { id: first.id, status: { status: 1 } } });
    const second = await nextEvent(stream);
    expect(second.id).toBe(first.id);
    stream.send({ eventProcessed: { id: second.id, status: { status: 2 } } });
    const letter = await nextEvent(dead);
    expect(String(letter.data)).toBe('"x"');
    dead.send({ eventProcessed: { id: letter.id } });
    stream.cancel();
    dead.cancel();
  });

  test('what a stream left unanswered goes to the next one', async () => {
    const lost = await subscribe('s-lost');
    await publish('s-lost', 1);
    const event = await nextEvent(lost);
    lost.cancel();
    const next = await subscribe('s-lost');
    const again = await nextEvent(next);
    expect(again.id).toBe(event.id);
    next.send({ eventProcessed: { id: again.id } });
    next.cancel();
  });

  test.each([
    ['nothing first', {}, 'initial request is required'],
    ['an answer first', { eventProcessed: { id: '1' } }, 'initial request is required'],
    ['no component', { initialRequest: { topic: 't' } }, 'pubsubName is required'],
    ['no topic', { initialRequest: { pubsubName: 'pubsub' } }, 'topic is required'],
  ])('%s is an UNKNOWN error with its text', async (_title, message, details) => {
    const stream = order.client.stream(Dapr.SubscribeTopicEventsAlpha1);
    stream.send(message);
    expect(await stream.status).toMatchObject({ code: codes.UNKNOWN, details });
  });

  test('a second initial request and a half-close end it, each with its text', async () => {
    const twice = await subscribe('s-twice');
    twice.send({ initialRequest: { pubsubName: 'pubsub', topic: 's-twice' } });
    expect(await twice.status).toMatchObject({ code: codes.UNKNOWN, details: 'duplicate initial request received' });
    const ended = await subscribe('s-ended');
    ended.end();
    expect(await ended.status).toMatchObject({ code: codes.UNKNOWN, details: 'EOF' });
  });
});

describe('publishing', () => {
  test.each([
    ['no component', { topic: 't' }, 'pubsub name is empty', ['ResourceInfo', 'ErrorInfo']],
    ['an unknown component', { pubsubName: 'nowhere', topic: 't' }, 'pubsub nowhere is not found', ['ErrorInfo']],
    ['no topic', { pubsubName: 'pubsub' }, 'topic is empty in pubsub pubsub', ['ResourceInfo', 'ErrorInfo']],
  ])('%s is INVALID_ARGUMENT with its details', async (_title, message, details, kinds) => {
    const { status } = await order.client.ask(Dapr.PublishEvent, message);
    expect([status.code, status.details, detailsOf(status).map(({ type }) => type)]).toEqual([codes.INVALID_ARGUMENT, details, kinds]);
  });

  test.each([Dapr.BulkPublishEvent, Dapr.BulkPublishEventAlpha1])('a bulk publish wants its entries named, each once', async (method) => {
    const entries = [{ entryId: '1', event: Buffer.from('a') }, { entryId: '1', event: Buffer.from('b') }];
    const { status } = await order.client.ask(method, { pubsubName: 'pubsub', topic: 't', entries });
    expect([status.code, status.details]).toEqual([codes.INVALID_ARGUMENT, expect.stringContaining('entryId is duplicated or not present for entry')]);
    const good = await order.client.get(method, { pubsubName: 'pubsub', topic: 't', entries: entries.slice(0, 1) });
    expect(good.failedEntries).toEqual([]);
  });
});

describe('InvokeService', () => {
  let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string } | undefined;

  beforeAll(async () => {
    const app = createServer((request, response) => {
      void text(request).then((body) => {
        seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
        const status = Number(/\/status\/(\d+)/.exec(request.url ?? '')?.[1] ?? 200);
        response.writeHead(status, { 'content-type': 'text/plain', 'x-own': 'yes', 'cache-control': 'no-store' }).end(`${'long '.repeat(30)}${body}`);
      });
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    cleanups.push(() => (app.closeAllConnections(), app.close()));
    await startSidecar('http-app', ['--app-port', String((app.address() as AddressInfo).port)]);
  });

  const invoke = (method: string, more: object = {}, metadata: Record<string, string> = {}) =>
    order.client.ask(Dapr.InvokeService, { id: 'http-app', message: { method, data: { value: Buffer.from('body') }, contentType: 'text/plain', ...more } }, metadata);

  test('a method of an HTTP app is called with verb, query, headers and body; its headers come back', async () => {
    const { message, headers } = await invoke('/a b/c', { httpExtension: { verb: 4, querystring: 'q=1' } }, { 'x-sent': 'v', 'dapr-caller-app-id': 'liar' });
    expect(seen).toMatchObject({ method: 'PUT', url: '/a%20b/c?q=1', body: 'body' });
    expect(seen?.headers).toMatchObject({ 'content-type': 'text/plain', 'x-sent': 'v', 'dapr-caller-app-id': 'order', 'dapr-callee-app-id': 'http-app' });
    expect(message?.contentType).toBe('text/plain');
    expect(String(message?.data?.value)).toContain('body');
    expect([headers.get('dapr-http-status'), headers.get('x-own'), headers.get('dapr-cache-control')]).toEqual([['200'], ['yes'], ['no-store']]);
  });

  test.each([[404, codes.NOT_FOUND, 'Not Found'], [400, codes.INTERNAL, 'Bad Request'], [503, codes.UNAVAILABLE, 'Service Unavailable'], [418, codes.UNKNOWN, "I'm a Teapot"]])(
    'status %i of an HTTP app becomes its code, with the beginning of the body',
    async (status, code, phrase) => {
      const answer = await invoke(`status/${status}`);
      expect([answer.status.code, answer.status.details]).toEqual([code, phrase]);
      expect(detailsOf(answer.status)).toEqual([
        { type: 'ErrorInfo', fields: { reason: phrase, domain: 'dapr.io', metadata: { 'http.code': String(status), 'http.error_message': 'long '.repeat(13).slice(0, 63) } } },
      ]);
      expect(answer.headers.get('dapr-http-status')).toEqual([String(status)]);
    },
  );

  test.each([['a#b', 'forbidden character'], ['a?b', 'forbidden character'], ['a\nb', 'control character at position 1'], ['../x%2f..%2f..', 'invalid method']])(
    'the method %j is refused before any app sees it',
    async (method, words) => {
      seen = undefined;
      const { status } = await invoke(method);
      expect([status.code, status.details]).toEqual([codes.INTERNAL, expect.stringContaining(words)]);
      expect(seen).toBeUndefined();
    },
  );
});

describe('gRPC apps', () => {
  let seen: { message: InvokeRequest; metadata: Metadata } | undefined;
  let metadataSeen = new Metadata();

  beforeAll(async () => {
    const app = await serveRaw({
      [AppCallback.OnInvoke.path]: (call) => {
        call.on('data', (bytes: Buffer) => {
          seen = { message: AppCallback.OnInvoke.request.decode(bytes), metadata: call.metadata };
          if (seen.message.method === 'missing') return void call.emit('error', { code: 5, details: 'no such order', metadata: metadataOf({}) });
          call.sendMetadata(metadataOf({ 'x-own': 'yes' }));
          call.write(AppCallback.OnInvoke.response.encode({ data: { typeUrl: 'type/Out', value: seen.message.data?.value }, contentType: 'application/json' }));
          call.end();
        });
      },
      '/shop.Orders/Chat': (call) => {
        metadataSeen = call.metadata;
        call.sendMetadata(metadataOf({ greeting: 'hello' }));
        call.on('data', (bytes: Buffer) => {
          if (String(bytes) === 'fail') call.emit('error', { code: 9, details: 'no more', metadata: metadataOf({ reason: 'asked' }) });
          else call.write(Buffer.from(`re: ${String(bytes)}`));
        });
        call.on('end', () => call.end(metadataOf({ farewell: 'bye' })));
      },
    });
    cleanups.push(app.close);
    await startSidecar('grpc-app', ['--app-port', String(app.port), '--app-protocol', 'grpc'], { APP_API_TOKEN: 'app-token' });
  });

  test('InvokeService hands type and bytes through, both ways', async () => {
    const { message, headers } = await order.client.ask(
      Dapr.InvokeService,
      { id: 'grpc-app', message: { method: 'Place', data: { typeUrl: 'type/In', value: Buffer.from([1, 2]) }, contentType: 'application/grpc' } },
      { 'x-sent': 'v' },
    );
    expect(seen?.message).toMatchObject({ method: 'Place', data: { typeUrl: 'type/In', value: Buffer.from([1, 2]) }, contentType: 'application/grpc' });
    expect([seen?.metadata.get('x-sent'), seen?.metadata.get('dapr-api-token'), seen?.metadata.get('dapr-caller-app-id')]).toEqual([['v'], ['app-token'], ['order']]);
    expect(message).toMatchObject({ data: { typeUrl: 'type/Out', value: Buffer.from([1, 2]) }, contentType: 'application/json' });
    expect(headers.get('x-own')).toEqual(['yes']);
    expect(headers.get('mecha-type-url')).toEqual([]);
  });

  test('an HTTP caller reaches it, and gets its status as HTTP', async () => {
    const good = await fetch(`${order.http}/v1.0/invoke/grpc-app/method/place`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    expect([good.status, good.headers.get('x-own'), await good.text()]).toEqual([200, 'yes', '{"a":1}']);
    const missing = await fetch(`${order.http}/v1.0/invoke/grpc-app/method/missing`, { method: 'POST', body: '{}' });
    expect([missing.status, await missing.json()]).toEqual([404, { code: 5, message: 'no such order' }]);
  });

  test('its status reaches a gRPC caller unchanged', async () => {
    const { status } = await order.client.ask(Dapr.InvokeService, { id: 'grpc-app', message: { method: 'missing' } });
    expect([status.code, status.details]).toEqual([5, 'no such order']);
  });

  const chat = async (metadata: Record<string, string>, words: readonly string[]) => {
    const call = order.client.raw('/shop.Orders/Chat', metadata);
    const got: string[] = [];
    let headers = new Metadata();
    const status = new Promise<StatusObject>((resolve) => call.once('status', resolve));
    call.on('metadata', (given: Metadata) => (headers = given)).on('data', (bytes: Buffer) => got.push(String(bytes))).on('error', () => undefined);
    for (const word of words) call.write(Buffer.from(word));
    call.end();
    return { status: await status, got, headers };
  };

  test('a call of its own service is relayed as a stream, with headers, trailers and identity', async () => {
    const { status, got, headers } = await chat({ 'dapr-app-id': 'grpc-app', 'x-sent': 'v', 'dapr-caller-app-id': 'liar' }, ['a', 'b', 'c']);
    expect([status.code, got]).toEqual([codes.OK, ['re: a', 're: b', 're: c']]);
    expect([headers.get('greeting'), status.metadata.get('farewell')]).toEqual([['hello'], ['bye']]);
    expect(metadataSeen.get('x-sent')).toEqual(['v']);
    expect(metadataSeen.get('dapr-caller-app-id')).toEqual(['order']);
    expect(metadataSeen.get('dapr-api-token')).toEqual(['app-token']);
    expect([metadataSeen.get('dapr-app-id'), metadataSeen.get('mecha-peer-to')]).toEqual([[], []]);
  });

  test('its error comes back with code, text and trailers', async () => {
    const { status } = await chat({ 'dapr-callee-app-id': 'grpc-app.default', 'dapr-app-id': 'nobody' }, ['fail']);
    expect([status.code, status.details, status.metadata.get('reason')]).toEqual([9, 'no more', ['asked']]);
  });

  test.each([
    [{}, 'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found'],
    [{ 'dapr-app-id': 'a.b.c' }, 'failed to proxy request: invalid app id a.b.c'],
    [{ 'dapr-app-id': 'nobody' }, "failed to proxy request: couldn't find service: nobody"],
  ])('a call that names no app is UNKNOWN: %j', async (metadata, details) => {
    const { status } = await chat({ ...metadata }, []);
    expect([status.code, status.details]).toEqual([codes.UNKNOWN, details]);
  });

  test('an app that speaks HTTP takes no such call', async () => {
    const { status } = await chat({ 'dapr-app-id': 'http-app' }, []);
    expect(status.code).toBe(codes.UNIMPLEMENTED);
  });
});

test('Shutdown is answered, then the process ends', async () => {
  const leaving = await startSidecar('leaving');
  await leaving.client.get(Dapr.Shutdown, {});
  expect(await leaving.exited).toBe(0);
});
