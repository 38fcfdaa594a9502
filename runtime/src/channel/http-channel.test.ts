import { once } from 'node:events';
import { createServer as createH2Server } from 'node:http2';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../telemetry/log.ts';
import { traceFrom, traceparentOf } from '../telemetry/trace.ts';
import type { AppChannel, BulkEventDelivery, EventAnswer, EventDelivery } from './channel.ts';
import { AppAway } from './channel.ts';
import { createHttpChannel, type HttpChannelOptions } from './http-channel.ts';
import { streamOf } from './testing.ts';

const never = new AbortController().signal;
const trace = traceFrom('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'vendor=1');
const log = createLog({ level: 'fatal', json: true, appId: 'orders', version: 'test', write: () => {} });

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function startApp(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: portOf(server), server };
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

function channelTo(port: number, options: Partial<HttpChannelOptions> = {}): AppChannel {
  const channel = createHttpChannel({
    appId: 'orders',
    protocol: 'http',
    address: '127.0.0.1',
    port,
    apiToken: undefined,
    maxConcurrency: undefined,
    responseHeaderBytesMax: 16384,
    healthPath: '/healthz',
    asksSubscriptions: true,
    log,
    ...options,
  });
  open.push(channel);
  return channel;
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

function event(overrides: Partial<EventDelivery> = {}): EventDelivery {
  const body = Buffer.from('{"id":"1","data":12345678901234567890}');
  return { pubsubName: 'pubsub', topic: 'orders', path: 'on-order', body, event: {}, metadata: {}, trace, ...overrides };
}

describe('delivering an event', () => {
  it('posts the bytes as they are, with metadata, trace and token as headers', async () => {
    let seen: { request: IncomingMessage; body: string } | undefined;
    const { port } = await startApp(async (request, response) => {
      seen = { request, body: await text(request) };
      response.end();
    });
    const metadata = { key: 'k1', 'content-type': 'text/html', 'dapr-api-token': 'spoofed', 'bad name': 'x', broken: 'a\nb', script: 'zażółć' };
    await expect(channelTo(port, { apiToken: 'app-token' }).deliver(event({ metadata }), never)).resolves.toEqual({ outcome: 'success' });
    expect(seen?.body).toBe('{"id":"1","data":12345678901234567890}');
    expect(seen?.request).toMatchObject({ method: 'POST', url: '/on-order' });
    expect(seen?.request.headers).toMatchObject({
      'content-type': 'application/cloudevents+json',
      pubsubname: 'pubsub',
      key: 'k1',
      script: Buffer.from('zażółć').toString('latin1'), // UTF-8, as Node gives it
      traceparent: traceparentOf(trace),
      tracestate: 'vendor=1',
      'dapr-api-token': 'app-token',
    });
    expect(seen?.request.headers).not.toHaveProperty('broken');
  });

  it('lets nobody who made it speak for the sidecar or the connection, in any case of letters, on a topic or at a binding', async () => {
    const seen: string[][] = [];
    const { port } = await startApp((request, response) => {
      seen.push(request.rawHeaders);
      response.end();
    });
    const names = ['Dapr-Api-Token', 'dapr-API-token', 'Traceparent', 'TraceState', 'Content-Type', 'CONTENT-LENGTH', 'Host', 'PubSubName', 'Dapr-App-Id', 'Dapr-Caller-App-Id', 'dapr-caller-namespace', 'Mecha-Peer-From', 'Proxy-Connection', 'Transfer-Encoding'];
    const metadata = { ...Object.fromEntries(names.map((name) => [name, 'forged'])), Own: 'kept' };
    const channel = channelTo(port, { apiToken: 'app-token' });
    await expect(channel.deliver(event({ metadata }), never)).resolves.toEqual({ outcome: 'success' });
    await expect(channel.deliverBinding({ binding: 'b', route: 'b', data: Buffer.from('1'), metadata, trace }, never)).resolves.toMatchObject({ outcome: 'success' });
    expect(seen.map((headers) => [headers.includes('forged'), headers[headers.indexOf('Own') + 1], headers.filter((header) => header === 'app-token').length])).toEqual([[false, 'kept', 1], [false, 'kept', 1]]);
  });

  const success: EventAnswer = { outcome: 'success' };
  it.each<[number, string, Partial<EventAnswer>]>([
    [200, '', success],
    [204, '', success],
    [200, 'thanks', success],
    [200, '{}', success],
    [200, '{"status":""}', success],
    [200, '{"status":7}', success],
    [200, '["RETRY"]', success],
    [200, '{"status":"SUCCESS"}', success],
    [201, '{"STATUS":"SUCCESS"}', success],
    [200, '{"status":"RETRY"}', { outcome: 'retry' }],
    [200, '{"status":"retry"}', { outcome: 'retry' }],
    [200, '{"status":"DROP"}', { outcome: 'drop' }],
    [404, '', { outcome: 'drop' }],
    [302, '', { outcome: 'retry', statusCode: 302 }],
    [400, '', { outcome: 'retry', statusCode: 400 }],
    [500, '{"status":"SUCCESS"}', { outcome: 'retry', statusCode: 500 }],
  ])('takes status %i with body %j as %j', async (status, body, answer) => {
    const { port } = await startApp((_request, response) => void response.writeHead(status, { location: '/elsewhere' }).end(body));
    await expect(channelTo(port).deliver(event(), never)).resolves.toMatchObject(answer);
  });

  it('takes an endless answer as success without reading it', async () => {
    const { port } = await startApp((_request, response) => {
      Readable.from(endless()).pipe(response);
    });
    await expect(channelTo(port).deliver(event(), never)).resolves.toEqual(success);
  });

  it('uses up no attempt when nobody listens', async () => {
    await expect(channelTo(await freePort()).deliver(event(), never)).resolves.toMatchObject({ outcome: 'away' });
  });

  it('uses up no attempt while the app is unhealthy, and does not call it', async () => {
    let calls = 0;
    const { port } = await startApp((_request, response) => {
      calls++;
      response.end();
    });
    await expect(channelTo(port, { presence: () => 'unhealthy' }).deliver(event(), never)).resolves.toMatchObject({ outcome: 'away' });
    expect(calls).toBe(0);
  });

  it('counts an event that makes the app break the connection as an attempt', async () => {
    const { port } = await startApp((request) => void request.socket.destroy());
    await expect(channelTo(port).deliver(event(), never)).resolves.toMatchObject({ outcome: 'retry' });
  });

  it('counts a timeout as an attempt, a delivery taken back as none', async () => {
    const { port } = await startApp(() => {});
    const channel = channelTo(port);
    const timeout = new AbortController();
    const timedOut = channel.deliver(event(), timeout.signal);
    timeout.abort(new DOMException('too slow', 'TimeoutError'));
    await expect(timedOut).resolves.toMatchObject({ outcome: 'retry' });
    const shutdown = new AbortController();
    const takenBack = channel.deliver(event(), shutdown.signal);
    shutdown.abort();
    await expect(takenBack).resolves.toMatchObject({ outcome: 'away' });
  });

  it('never has more calls under way than the concurrency limit', async () => {
    let now = 0;
    let most = 0;
    const { port } = await startApp((_request, response) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now--;
        response.end();
      });
    });
    const channel = channelTo(port, { maxConcurrency: 3 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => channel.deliver(event(), never)));
    expect(answers).toEqual(Array.from({ length: 40 }, () => success));
    expect(most).toBeLessThanOrEqual(3);
  });

  it('speaks HTTP/2 without TLS when told so', async () => {
    const server = createH2Server((request, response) => {
      response.setHeader('x-version', request.httpVersion);
      response.end('{"status":"DROP"}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    const channel = channelTo(portOf(server), { protocol: 'h2c' });
    await expect(channel.deliver(event(), never)).resolves.toMatchObject({ outcome: 'drop' });
    const answer = await channel.invoke({ method: 'GET', path: 'x', queryText: '', headers: {}, body: undefined, trace }, never);
    expect(answer.headers['x-version']).toBe('2.0');
    await text(streamOf(answer.body));
    await channel.close();
  });
});

describe('delivering many events at once', () => {
  const bulk: BulkEventDelivery = {
    id: 'b1',
    pubsubName: 'pubsub',
    topic: 'orders',
    path: '/bulk',
    metadata: { a: 'b' },
    trace,
    entries: [
      { entryId: '1', event: { id: 'e1' }, body: Buffer.from('{"id":"e1","n":1.0}'), contentType: 'application/cloudevents+json', metadata: {} },
      { entryId: '2', body: Buffer.from([0, 255]), contentType: 'application/octet-stream', metadata: { k: 'v' } },
    ],
  };

  async function answersTo(status: number, body: string) {
    const { port } = await startApp((_request, response) => void response.writeHead(status).end(body));
    return channelTo(port).deliverBulk(bulk, never);
  }

  it('sends one JSON body with events as they are and raw payloads in base64', async () => {
    let body = '';
    const { port } = await startApp(async (request, response) => {
      body = await text(request);
      response.end('{"statuses":[]}');
    });
    await channelTo(port).deliverBulk(bulk, never);
    expect(body).toContain('"event":{"id":"e1","n":1.0}');
    expect(JSON.parse(body)).toEqual({
      id: 'b1',
      type: 'com.dapr.event.sent.bulk',
      topic: 'orders',
      pubsubname: 'pubsub',
      metadata: { a: 'b' },
      entries: [
        { entryId: '1', event: { id: 'e1', n: 1 }, metadata: {}, contentType: 'application/cloudevents+json' },
        { entryId: '2', event: 'AP8=', metadata: { k: 'v' }, contentType: 'application/octet-stream' },
      ],
    });
  });

  it('reads an answer per entry', async () => {
    const answers = await answersTo(200, '{"statuses":[{"entryId":"1","status":"SUCCESS"},{"entryId":"2","status":"DROP"},{"entryId":"3"}]}');
    expect(answers).toBeInstanceOf(Map);
    expect(Object.fromEntries(answers as ReadonlyMap<string, EventAnswer>)).toMatchObject({ 1: { outcome: 'success' }, 2: { outcome: 'drop' }, 3: { outcome: 'retry' } });
  });

  it.each([
    [200, '', 'retry'],
    [200, 'ok', 'retry'],
    [500, '', 'retry'],
    [404, '', 'drop'],
  ])('takes status %i with body %j as %s of all', async (status, body, outcome) => {
    await expect(answersTo(status, body)).resolves.toMatchObject({ outcome });
  });
});

describe('asking the app for its subscriptions', () => {
  async function subscriptionsOf(status: number, body: string) {
    let request: IncomingMessage | undefined;
    const { port } = await startApp((given, response) => {
      request = given;
      response.writeHead(status).end(body);
    });
    const subscriptions = await channelTo(port, { apiToken: 'app-token' }).subscriptions(never);
    expect(request).toMatchObject({ method: 'GET', url: '/dapr/subscribe' });
    expect(request?.headers).toMatchObject({ 'dapr-app-id': 'orders', 'dapr-api-token': 'app-token' });
    return subscriptions;
  }

  it('reads routes in their order with the default last, and leaves out what has no route', async () => {
    const answer = [
      {
        pubsubname: 'pubsub',
        topic: 'orders',
        route: 'ignored',
        routes: { rules: [{ match: 'event.type == "x"', path: '/x' }], default: 'plain' },
        deadLetterTopic: 'dead',
        metadata: { rawPayload: 'true' },
        bulkSubscribe: { enabled: true, maxMessagesCount: 0, maxAwaitDurationMs: 40 },
      },
      { pubsubName: 'pubsub', Topic: 'stock', Route: '/stock' },
      { pubsubname: 'pubsub', topic: 'nowhere' },
    ];
    await expect(subscriptionsOf(200, JSON.stringify(answer))).resolves.toEqual([
      {
        pubsubName: 'pubsub',
        topic: 'orders',
        routes: [
          { match: 'event.type == "x"', path: '/x' },
          { match: '', path: 'plain' },
        ],
        deadLetterTopic: 'dead',
        metadata: { rawPayload: 'true' },
        bulk: { maxMessagesCount: 100, maxAwaitDurationMs: 40 },
      },
      { pubsubName: 'pubsub', topic: 'stock', routes: [{ match: '', path: '/stock' }], deadLetterTopic: '', metadata: {} },
    ]);
  });

  it.each([
    [200, ''],
    [200, '[]'],
    [200, 'null'],
    [404, 'not here'],
    [405, ''],
  ])('takes status %i with body %j as none', async (status, body) => {
    await expect(subscriptionsOf(status, body)).resolves.toEqual([]);
  });

  it.each([
    [503, '', 'status 503'],
    [200, '{"a":1}', 'must be an array'],
    [200, '[{"topic":"t"}]', 'subscription 0: "pubsubname" is missing'],
    [200, '[{"pubsubname":"p","topic":"t","route":"/a"},{"pubsubname":"p","topic":5}]', 'subscription 1: "topic" must be a string'],
    [200, '[{"pubsubname":"p","topic":"t","routes":{"rules":[{"match":"x"}]}}]', 'has no path'],
    [200, '[{"pubsubname":"p","topic":"t","metadata":{"a":1}}]', '"metadata.a" must be a string'],
    [200, '[', 'not usable'],
  ])('rejects status %i with body %j, saying why', async (status, body, reason) => {
    await expect(subscriptionsOf(status, body)).rejects.toThrow(reason);
  });

  it('rejects when nobody is there', async () => {
    await expect(channelTo(await freePort()).subscriptions(never)).rejects.toBeInstanceOf(AppAway);
  });

  it('asks nobody when that is switched off', async () => {
    await expect(channelTo(await freePort(), { asksSubscriptions: false }).subscriptions(never)).resolves.toEqual([]);
  });
});

describe('asking the app whether it wants a binding', () => {
  const binding = { name: 'tick', route: 'ticks/of-mine' };

  async function wants(status: number): Promise<boolean> {
    let request: IncomingMessage | undefined;
    const { port } = await startApp((given, response) => {
      request = given;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    try {
      return await channelTo(port, { apiToken: 'app-token' }).wantsBinding(binding, never);
    } finally {
      expect(request).toMatchObject({ method: 'OPTIONS', url: '/ticks/of-mine', headers: { 'dapr-api-token': 'app-token' } });
    }
  }

  it.each([
    [200, true],
    [204, true],
    [299, true],
    [405, true],
    [302, false],
    [400, false],
    [401, false],
    [404, false],
    [410, false],
  ])('takes status %i as the answer %s', async (status, answer) => {
    await expect(wants(status)).resolves.toBe(answer);
  });

  it.each([408, 429, 500, 501, 503])('takes status %i as no answer', async (status) => {
    await expect(wants(status)).rejects.toThrow(`the app answered OPTIONS /ticks/of-mine with status ${status}`);
  });

  it('takes a connection that breaks and an absent app as no answer, and gives a silent app up when its caller does', async () => {
    const breaking = await startApp((request) => void request.socket.destroy());
    await expect(channelTo(breaking.port).wantsBinding(binding, never)).rejects.toThrow();
    await expect(channelTo(await freePort()).wantsBinding(binding, never)).rejects.toBeInstanceOf(AppAway);
    const asked = Promise.withResolvers<void>();
    const silent = await startApp(() => asked.resolve());
    const late = new AbortController();
    const answer = channelTo(silent.port).wantsBinding(binding, late.signal);
    await asked.promise;
    late.abort(new Error('late'));
    await expect(answer).rejects.toThrow('late');
  });
});

describe('invoking a method', () => {
  const request = { method: 'POST', path: 'a/b%2Fc', queryText: 'x=1&x=2', headers: {}, body: undefined, trace };

  it('streams both ways and passes status, headers and repeated values', async () => {
    const { port } = await startApp((given, response) => {
      response.writeHead(418, { 'set-cookie': ['a=1', 'b=2'], 'x-url': given.url ?? '', connection: 'close' });
      given.pipe(response);
    });
    let push: (() => void) | undefined;
    const body = new Readable({ read() {} });
    body.push('first');
    push = () => {
      body.push('second');
      body.push(null);
    };
    const answer = await channelTo(port).invoke({ ...request, body }, never);
    expect(answer.status).toBe(418);
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-url': '/a/b%2Fc?x=1&x=2' });
    expect(answer.headers).not.toHaveProperty('connection');
    const [chunk] = (await once(streamOf(answer.body), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('first');
    push();
    expect(await text(streamOf(answer.body))).toBe('second');
  });

  it('holds its place of the concurrency limit until the answer was read', async () => {
    const { port } = await startApp((_request, response) => void response.end('answer'));
    const channel = channelTo(port, { maxConcurrency: 1 });
    const first = await channel.invoke(request, never);
    let second: string | undefined;
    const waiting = channel.invoke(request, never).then(async (answer) => (second = await text(streamOf(answer.body))));
    await new Promise(setImmediate);
    expect(second).toBeUndefined();
    await buffer(streamOf(first.body));
    await waiting;
    expect(second).toBe('answer');
  });

  it('follows no redirect', async () => {
    const { port } = await startApp((_request, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end());
    const answer = await channelTo(port).invoke(request, never);
    expect(answer).toMatchObject({ status: 307, headers: { location: 'http://127.0.0.1:1/' } });
    streamOf(answer.body).destroy();
  });

  it('(users 36) ends the call to the app when the caller goes away', async () => {
    const gone = Promise.withResolvers<void>();
    const { port } = await startApp((given, response) => {
      given.socket.once('close', () => gone.resolve());
      response.write('first');
    });
    const abort = new AbortController();
    const answer = await channelTo(port).invoke(request, abort.signal);
    await once(streamOf(answer.body), 'data');
    abort.abort();
    await gone.promise;
  });

  it('rejects with AppAway when nobody listens', async () => {
    await expect(channelTo(await freePort()).invoke(request, never)).rejects.toBeInstanceOf(AppAway);
  });

  it('fails on response headers past their limit instead of taking them all', async () => {
    const { port } = await startApp((_request, response) => void response.writeHead(200, { big: 'x'.repeat(10_000) }).end());
    await expect(channelTo(port, { responseHeaderBytesMax: 4096 }).invoke(request, never)).rejects.toThrow(/header/i);
  });
});

describe('looking whether the app is there', () => {
  it('reaches a port where somebody listens and no other', async () => {
    const { port } = await startApp(() => {});
    await expect(channelTo(port).reach()).resolves.toBeUndefined();
    await expect(channelTo(await freePort()).reach()).rejects.toThrow('ECONNREFUSED');
  });

  it('probes without token and trace, and takes any 2xx as healthy', async () => {
    let status = 204;
    let headers: IncomingMessage['headers'] = {};
    const { port } = await startApp((request, response) => {
      headers = request.headers;
      response.writeHead(status).end();
    });
    const channel = channelTo(port, { apiToken: 'app-token' });
    await expect(channel.probe(1000)).resolves.toBe(true);
    expect(headers).not.toHaveProperty('dapr-api-token');
    expect(headers).not.toHaveProperty('traceparent');
    status = 500;
    await expect(channel.probe(1000)).resolves.toBe(false);
  });

  it('gives up a probe that is not answered in time', async () => {
    const { port } = await startApp(() => {});
    await expect(channelTo(port).probe(20)).rejects.toThrow(/abort|timeout/i);
  });
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(16 * 1024);
}
