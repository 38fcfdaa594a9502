import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { MechaError } from '../errors.ts';
import { createLog } from '../telemetry/log.ts';
import { MetricsRegistry } from '../telemetry/metrics.ts';
import { HttpServer, type HttpServerOptions } from './http.ts';
import type { HttpRequest, HttpRoute } from './http-face.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
let open: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(open.map((server) => server.stop()));
  open = [];
});

async function serve(options: Partial<HttpServerOptions> & { routes: readonly HttpRoute[] }): Promise<string> {
  const server = new HttpServer({
    name: 'HTTP API server',
    portFlag: '--dapr-http-port',
    addresses: ['127.0.0.1'],
    port: 0,
    apiToken: undefined,
    maxBodyBytes: 1024,
    readBufferBytes: 4096,
    allowedOrigins: '',
    apiLogging: false,
    log,
    metrics: new MetricsRegistry({ processMetrics: false }).forApp('test'),
    ...options,
  });
  open.push(server);
  await server.start();
  return `http://127.0.0.1:${server.port}`;
}

const route = (path: string, handle: HttpRoute['handle'], extra: Partial<HttpRoute> = {}): HttpRoute => ({
  methods: ['GET', 'POST'],
  versions: ['v1.0'],
  path,
  group: 'test',
  handle,
  ...extra,
});
const echo = (request: HttpRequest) => ({ status: 200, body: JSON.stringify({ params: request.params, metadata: request.metadata, path: request.path }) });

/** Sends bytes as they are, which no client library would, and reads until the server closes. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (got += chunk)).on('close', () => resolve(got)).on('error', reject);
  });
}
const get = (url: string, path: string, headers = '') => raw(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`);

describe('paths and parameters', () => {
  test('a parameter may hold an escaped slash, and + is a blank', async () => {
    const url = await serve({ routes: [route('/state/:store/:key', echo)] });
    const answer = await fetch(`${url}/v1.0/state/a+b/x%2Fy%25z`);
    expect(((await answer.json()) as { params: unknown }).params).toEqual({ store: 'a b', key: 'x/y%z' });
  });

  test('a rest parameter takes slashes', async () => {
    const url = await serve({ routes: [route('/publish/:pubsub/*', echo)] });
    const answer = await fetch(`${url}/v1.0/publish/p/a/b%2Fc`);
    expect(((await answer.json()) as { params: unknown }).params).toEqual({ pubsub: 'p', '*': 'a/b/c' });
  });

  test('literal segments beat parameters, and doubled or trailing slashes do not matter', async () => {
    const url = await serve({
      routes: [route('/state/:store/bulk', () => ({ status: 201 })), route('/state/:store/:key', () => ({ status: 202 }))],
    });
    expect(await get(url, '/v1.0//state/s/./bulk/')).toContain('HTTP/1.1 201');
    expect(await get(url, '/v1.0/state/s/other')).toContain('HTTP/1.1 202');
  });

  test('a path without a canonical form is refused before any route or fallback sees it', async () => {
    let seen = 0;
    const url = await serve({ routes: [], fallback: () => ({ status: 200, body: String(++seen) }) });
    for (const path of ['/a/%zz', '/a/%00', '/a%']) expect(await get(url, path)).toContain('HTTP/1.1 400');
    expect(seen).toBe(0);
  });

  test('only metadata.* query parameters become metadata, the first of a name counts, __proto__ is a name like another', async () => {
    const url = await serve({ routes: [route('/x', echo)] });
    const answer = await fetch(`${url}/v1.0/x?metadata.a=1&metadata.a=2&b=3&Metadata.c=4&metadata.__proto__=5`);
    expect(await answer.text()).toContain('"metadata":{"a":"1","__proto__":"5"}');
  });

  test('what matches no route goes to the fallback with its canonical path, whatever the method', async () => {
    const url = await serve({ routes: [route('/x', echo, { methods: ['GET'] })], fallback: (request) => ({ status: 200, body: `${request.method} ${request.path}` }) });
    expect(await (await fetch(`${url}/v1.0/x`, { method: 'PATCH' })).text()).toBe('PATCH /v1.0/x');
    expect(await (await fetch(`${url}/any/..//thing`)).text()).toBe('GET /thing');
  });
});

describe('the API token', () => {
  const routes = [
    route('/healthz', () => ({ status: 204 }), { tokenFree: true }),
    route('/healthz/outbound', () => ({ status: 204 }), { tokenFree: true }),
    route('/state/:store/:key', (request) => ({ status: 200, body: JSON.stringify(request.headers['dapr-api-token'] ?? 'gone') })),
    route('/invoke/*', echo),
  ];

  test('(users 48) nothing but the two health paths is served without the token, however the path is dressed', async () => {
    const url = await serve({ routes, fallback: echo, apiToken: 'secret' });
    const paths = ['/v1.0/state/s/k', '/v1.0/invoke/a/method/healthz', '/x/healthz', '/v1.0/state/s/k?/healthz', '/V1.0/HEALTHZ', '/v1.0/state/healthz/k', '/v1.0/healthz/x', '/'];
    for (const path of paths) expect(await get(url, path), path).toContain('HTTP/1.1 401');
    for (const path of ['/v1.0/healthz', '/v1.0/healthz/outbound', '/v1.0//healthz']) expect(await get(url, path), path).toContain('HTTP/1.1 204');
  });

  test('(users 48) a wrong token is told in plain text, and the right one is taken off before a handler sees it', async () => {
    const url = await serve({ routes, apiToken: 'secret' });
    const wrong = await fetch(`${url}/v1.0/state/s/k`, { headers: { 'dapr-api-token': 'secret2' } });
    expect([wrong.status, wrong.headers.get('content-type'), await wrong.text()]).toEqual([401, 'text/plain; charset=utf-8', 'invalid api token\n']);
    const right = await fetch(`${url}/v1.0/state/s/k`, { headers: { 'dapr-api-token': 'secret' } });
    expect(await right.json()).toBe('gone');
  });
});

describe('answers', () => {
  test('an error has the contract shape: code, message, and details with their type', async () => {
    const url = await serve({
      routes: [
        route('/x', () => {
          throw new MechaError({ code: 'ERR_X', kind: 'unavailable', message: 'not now', retryAfterSeconds: 2, details: [{ type: 'ErrorInfo', reason: 'X', metadata: { a: 'b' } }] });
        }),
      ],
    });
    const answer = await fetch(`${url}/v1.0/x`);
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      503,
      '2',
      { errorCode: 'ERR_X', message: 'not now', details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'dapr.io', metadata: { a: 'b' }, reason: 'X' }] },
    ]);
  });

  test('baggage is answered when it is valid, and refused, after the token, when it is not', async () => {
    const url = await serve({ routes: [route('/x', ({ trace }) => ({ status: 200, body: JSON.stringify(trace.baggage) }))], apiToken: 'secret' });
    const ask = (baggage: string, token = 'secret'): Promise<Response> => fetch(`${url}/v1.0/x`, { headers: { baggage, 'dapr-api-token': token } });
    const good = await ask('a=1;p=2;q, b=x%20y=z');
    expect([await good.json(), good.headers.get('baggage')]).toEqual(['a=1;p=2;q, b=x%20y=z', 'a=1;p=2;q, b=x%20y=z']);
    expect([(await ask('')).status, (await ask('no member', 'wrong')).status]).toEqual([200, 401]);
    for (const bad of ['no member', 'a', 'a=b c', 'a=1,', 'a=1;=2', 'a(=1', 'a=\\', 'a=1,'.repeat(180)]) {
      const refused = await ask(bad);
      expect([refused.status, await refused.text(), refused.headers.get('baggage')], bad).toEqual([400, expect.stringMatching(/^invalid baggage header: /), null]);
    }
  });

  test('a traceparent is continued in a new span and answered', async () => {
    const url = await serve({ routes: [route('/x', echo)] });
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await fetch(`${url}/v1.0/x`, { headers: { traceparent: parent, tracestate: 'a=b' } });
    const got = answer.headers.get('traceparent') ?? '';
    expect([got.slice(3, 35), got.slice(-2), answer.headers.get('tracestate')]).toEqual(['0af7651916cd43dd8448eb211c80319c', '01', 'a=b']);
    expect(got.slice(36, 52)).not.toBe('b7ad6b7169203331');
  });

  test('a body past the limit is refused by its announced length and by what comes, and says which setting it is', async () => {
    const url = await serve({ routes: [route('/x', async (request) => ({ status: 200, body: await request.body() }))] });
    const announced = await fetch(`${url}/v1.0/x`, { method: 'POST', body: 'x'.repeat(2000) });
    expect([announced.status, await announced.text()]).toEqual([400, expect.stringContaining('--max-body-size')]);
    const chunk = `400\r\n${'y'.repeat(0x400)}\r\n`;
    const streamed = await raw(url, `POST /v1.0/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}`);
    expect(streamed).toContain('HTTP/1.1 400');
    expect(streamed.toLowerCase()).toContain('connection: close');
  });

  test.each([['announced', 'content-length: 8000000\r\n'], ['in chunks', 'transfer-encoding: chunked\r\n']])('a caller that writes a refused body to its end reads the answer, and no broken pipe: %s', async (_title, framing) => {
    const url = new URL(await serve({ routes: [route('/x', async (request) => ({ status: 200, body: await request.body() }))] }));
    const socket = connect(Number(url.port), url.hostname);
    const answer = Promise.withResolvers<string>();
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part)).on('end', () => answer.resolve(text)).on('error', answer.reject);
    socket.write(`POST /v1.0/x HTTP/1.1\r\nhost: x\r\n${framing}\r\n`);
    const piece = framing.startsWith('content') ? 'z'.repeat(80_000) : `13880\r\n${'z'.repeat(80_000)}\r\n`;
    for (let sent = 0; sent < 100; sent++) {
      // Long after the answer came.
      if (!socket.write(piece)) await once(socket, 'drain');
    }
    if (!framing.startsWith('content')) socket.write('0\r\n\r\n');
    expect(await answer.promise).toMatch(/^HTTP\/1\.1 400[^]*connection: close[^]*--max-body-size/i);
    socket.destroy();
  });

  test('cross-origin access is closed unless origins are allowed', async () => {
    const closed = await serve({ routes: [route('/x', echo)] });
    expect((await fetch(`${closed}/v1.0/x`, { headers: { origin: 'http://evil.example' } })).headers.get('access-control-allow-origin')).toBeNull();
    const some = await serve({ routes: [route('/x', echo)], allowedOrigins: 'http://good.example' });
    expect((await fetch(`${some}/v1.0/x`, { headers: { origin: 'http://evil.example' } })).headers.get('access-control-allow-origin')).toBeNull();
    expect((await fetch(`${some}/v1.0/x`, { headers: { origin: 'http://good.example' } })).headers.get('access-control-allow-origin')).toBe('http://good.example');
  });

  test('a caller that goes away aborts the signal of its call', async () => {
    let aborted: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (aborted = resolve));
    const url = await serve({
      routes: [
        route('/x', async (request) => {
          await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
          aborted?.();
          return { status: 200 };
        }),
      ],
    });
    const abort = new AbortController();
    const call = fetch(`${url}/v1.0/x`, { signal: abort.signal }).catch(() => 'aborted');
    setTimeout(() => abort.abort(), 50);
    expect(await call).toBe('aborted');
    await gone;
  });
});

test('a port that is taken is told with the flag that changes it', async () => {
  const url = await serve({ routes: [] });
  await expect(serve({ routes: [], port: Number(new URL(url).port) })).rejects.toThrow(/port is taken.*--dapr-http-port/);
});

describe('framing of answers', () => {
  test('names of headers are joined whatever their case, bytes and text come as they are, at every size', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const large = Buffer.alloc(20_000, bytes);
    const url = await serve({
      routes: [
        route('/bytes', () => ({ status: 200, headers: { 'Content-Type': 'application/octet-stream', ETag: '7' }, body: bytes })),
        route('/large', () => ({ status: 200, body: large })),
        route('/text', () => ({ status: 200, body: '"grüße €"' })),
      ],
    });
    const answer = await fetch(`${url}/v1.0/bytes`);
    expect([answer.headers.get('content-type'), answer.headers.get('etag')]).toEqual(['application/octet-stream', '7']);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
    expect(Buffer.from(await (await fetch(`${url}/v1.0/large`)).arrayBuffer())).toEqual(large);
    expect(await (await fetch(`${url}/v1.0/text`)).text()).toBe('"grüße €"');
  });

  test('headers hold the bytes they were given, whether the body is text or bytes', async () => {
    const headers = { 'x-own': Buffer.from('zażółć').toString('latin1') };
    const url = await serve({ routes: [route('/text', () => ({ status: 200, headers, body: '"grüße"' })), route('/bytes', () => ({ status: 200, headers, body: Buffer.from('1') })), route('/stream', () => ({ status: 200, headers, body: Readable.from([Buffer.from('1')]) }))] });
    for (const path of ['text', 'bytes', 'stream']) {
      const answer = await fetch(`${url}/v1.0/${path}`);
      expect([path, Buffer.from(answer.headers.get('x-own') ?? '', 'latin1').toString()]).toEqual([path, 'zażółć']);
      await answer.text();
    }
  });

  test('204 has no length and no type; an empty 200 has a length of nothing', async () => {
    const url = await serve({ routes: [route('/none', () => ({ status: 204, headers: { 'content-type': 'text/plain' }, body: 'unwanted' })), route('/empty', () => ({ status: 200 }))] });
    const none = await get(url, '/v1.0/none');
    expect(none).toContain('HTTP/1.1 204');
    expect(none).not.toMatch(/content-(?:length|type)/i);
    expect(none).not.toContain('unwanted');
    expect(await get(url, '/v1.0/empty')).toMatch(/HTTP\/1\.1 200[^]*content-length: 0\r\n/);
  });

  test('a HEAD that an app answered keeps the length that the app gave, without a body', async () => {
    const url = await serve({ routes: [], fallback: () => ({ status: 200, headers: { 'content-length': '1234' } }) });
    const answer = await raw(url, 'HEAD /anything HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/HTTP\/1\.1 200[^]*content-length: 1234\r\n[^]*\r\n\r\n$/);
  });

  test('a header that HTTP forbids is an internal error of that answer alone', async () => {
    const url = await serve({ routes: [route('/bad', () => ({ status: 200, headers: { etag: 'a\r\nset-cookie: b' }, body: '1' })), route('/good', () => ({ status: 200, body: '1' }))] });
    const answers = await Promise.all([get(url, '/v1.0/bad'), get(url, '/v1.0/good')]);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 500 [^]*ERR_INTERNAL/);
    expect(answers[0]).not.toContain('set-cookie');
    expect(answers[1]).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('callers on many connections at the same time each get their own answer', async () => {
    const url = await serve({ routes: [route('/echo/:key', (request) => ({ status: 200, body: request.params['key'] ?? '' }))] });
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    expect(await Promise.all(keys.map(async (key) => (await fetch(`${url}/v1.0/echo/${key}`)).text()))).toEqual(keys);
  });
});
