import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Binding, type BindingResponse } from '../kit/index.ts';
import { bytesOfResponse, outputBindingConformance, requestOf, type ConformanceCall } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, createTurnedClock } from '../kit/testing.ts';
import httpBinding from './binding.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const never = new AbortController().signal;
const seen: Seen[] = [];
/** Ends what hangs, at the end. */
const hanging = new Set<ServerResponse>();
let server: Server;
/** Another origin on the same host. */
let other: Server;

const addressOf = (one: Server): string => `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = '', url = '', headers } = request;
  seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
  const [, status, location] = /^\/api\/(?:redirect)\/(\d+)\?(.+)$/.exec(url) ?? [];
  if (location !== undefined) response.writeHead(Number(status), { location: decodeURIComponent(location) }).end('elsewhere');
  else if (url === '/api/script') response.writeHead(200, { 'x-own': Buffer.from('zażółć').toString('latin1'), 'x-latin': 'é' }).end(Buffer.from('{}'));
  else if (url.startsWith('/api/status/')) response.writeHead(Number(url.slice(12)), { 'x-own': 'one', 'set-cookie': ['a=1', 'b=2'] }).end('{"problem":"here"}');
  else if (url.startsWith('/api/busy?')) response.writeHead(429, { 'retry-after': decodeURIComponent(url.slice(10)) }).end();
  else if (url === '/api/hang') hanging.add(response);
  else if (url === '/api/hang-in-body') {
    hanging.add(response);
    response.writeHead(200, { 'content-length': '100' }).write('begun');
  } else if (url === '/api/long') response.writeHead(200).end(Buffer.alloc(500_000, 7));
  else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
}
const listening = (one: Server): Promise<void> => new Promise((resolve) => void one.listen(0, '127.0.0.1', resolve));

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  other = createServer((request, response) => void answer(request, response));
  await Promise.all([listening(server), listening(other)]);
});
afterAll(() => {
  for (const response of hanging) response.destroy();
  for (const one of [server, other]) {
    one.closeAllConnections();
    one.close();
  }
});
beforeEach(() => void seen.splice(0));

const open = (options: Record<string, unknown> = {}): Promise<Binding> => connected(buildComponent(httpBinding, { url: `${addressOf(server)}/api`, ...options }));
async function call(binding: Binding, one: ConformanceCall, signal = never): Promise<BindingResponse> {
  const response = await binding.invoke?.(requestOf(one), signal);
  if (!response) throw new Error('there was no answer');
  return response;
}

outputBindingConformance(httpBinding, {
  open: () => open(),
  away: () => buildComponent(httpBinding, { url: 'http://127.0.0.1:1', securityToken: 'TOKEN-1', securityTokenHeader: 'X-Token' }),
  calls: ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'].map((operation) => ({ operation, data: '{"n":1}', metadata: { path: 'orders' } })),
  wrong: [
    ...['//127.0.0.1:1/', 'http://127.0.0.1:1/', '../up', '..%2fup', '\\\\evil', 'http://169.254.169.254/', 'a b'].map((path) => ({ operation: 'get', metadata: { path } })),
    { operation: 'get', metadata: { errorIfNot2XX: 'perhaps' } },
    { operation: 'get', metadata: { 'X-Split': 'a\r\nHost: evil' } },
    { operation: 'get', metadata: { 'Bad Name': 'x' } },
  ],
  slow: { operation: 'get', metadata: { path: 'hang' } },
  secrets: ['TOKEN-1'],
});

describe('bindings.http', () => {
  test('method, path, query, headers and body arrive as they were given', async () => {
    const binding = await open();
    const response = await call(binding, { operation: 'put', data: '{"n":1.0}', metadata: { path: '/orders/7?full=1', 'X-Own': 'value', 'Content-Type': 'text/plain', traceparent: 'tp', lower: 'no header', Host: 'evil' } });
    expect(seen[0]).toMatchObject({ method: 'PUT', url: '/api/orders/7?full=1', body: '{"n":1.0}', headers: { 'x-own': 'value', 'content-type': 'text/plain', traceparent: 'tp', host: addressOf(server).slice(7) } });
    expect(seen[0]?.headers).not.toHaveProperty('lower');
    expect((await bytesOfResponse(response)).toString()).toBe('{"ok":true}');
    expect(response.metadata).toMatchObject({ statusCode: '200', status: '200 OK', 'content-type': 'application/json' });
  });

  test('text of any script goes out in headers as UTF-8, and comes back from them', async () => {
    const binding = await open();
    const { metadata } = await call(binding, { operation: 'get', metadata: { path: 'script', 'X-Own': 'żółć €' } });
    expect(Buffer.from(String(seen[0]?.headers['x-own']), 'latin1').toString()).toBe('żółć €');
    expect(metadata).toMatchObject({ 'x-own': 'zażółć', 'x-latin': 'é' });
    await expect(call(binding, { operation: 'get', metadata: { 'X-Own': 'a\nb' } })).rejects.toThrow('metadata X-Own holds a line break');
  });

  test('only methods with a body carry one', async () => {
    const binding = await open();
    for (const operation of ['get', 'delete', 'options', 'post']) await bytesOfResponse(await call(binding, { operation, data: '"x"' }));
    expect(seen.map(({ method, body }) => [method, body])).toEqual([['GET', ''], ['DELETE', ''], ['OPTIONS', ''], ['POST', '"x"']]);
  });

  test('an answer other than 2xx is an error with its metadata, unless the request or the component says otherwise', async () => {
    const strict = await open();
    const failing = { operation: 'get', metadata: { path: 'status/418' } };
    await expect(call(strict, failing)).rejects.toMatchObject({
      message: 'received status code 418', httpStatus: 418, response: { metadata: { statusCode: '418', 'x-own': 'one', 'set-cookie': 'a=1, b=2' } },
    });
    const lenient = { operation: 'get', metadata: { ...failing.metadata, errorIfNot2XX: 'false' } };
    expect((await bytesOfResponse(await call(strict, lenient))).toString()).toBe('{"problem":"here"}');
    expect((await call(await open({ errorIfNot2XX: false }), failing)).metadata).toMatchObject({ statusCode: '418' });
  });

  test('a service that asks to be left alone is heard, in seconds and by a date', async () => {
    const clock = createTurnedClock(Date.UTC(2026, 0, 1));
    const binding = await connected(buildComponent(httpBinding, { url: `${addressOf(server)}/api` }, { clock }));
    for (const [header, asked] of [['3', 3_000], ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000], ['soon', undefined]] as const) {
      const refused = call(binding, { operation: 'get', metadata: { path: `busy?${encodeURIComponent(header)}` } });
      await expect(refused, header).rejects.toMatchObject({ fault: 'failed', httpStatus: 429, retryAfterMs: asked });
    }
  });

  test('the key of a repetition arrives as Idempotency-Key, unless the request gives that header itself', async () => {
    const binding = await open();
    for (const metadata of [{ idempotencyKey: 'execution/1' }, { idempotencyKey: 'execution/1', 'Idempotency-Key': 'own' }, { idempotencyKey: '' }]) await call(binding, { operation: 'post', metadata });
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['execution/1', 'own', undefined]);
  });

  test('a long answer streams; one past the limit is an error and not cut off', async () => {
    const long = { operation: 'get', metadata: { path: 'long' } };
    expect(await bytesOfResponse(await call(await open(), long))).toHaveLength(500_000);
    await expect(call(await open({ maxResponseBodySize: 1000 }), long).then(bytesOfResponse)).rejects.toMatchObject({ fault: 'too-large' });
  });

  test.each(['hang', 'hang-in-body'])('a service that hangs is named by its timeout: %s', async (path) => {
    const binding = await open({ responseTimeout: 100 });
    await expect(call(binding, { operation: 'get', metadata: { path } }).then(bytesOfResponse)).rejects.toMatchObject({ fault: 'timeout' });
  });

  test('a service that comes late is reached by the same instance', async () => {
    const late = createServer((_request, response) => void response.end('here'));
    await listening(late);
    const { port } = late.address() as AddressInfo;
    await new Promise((resolve) => late.close(resolve));
    const binding = await open({ url: `http://127.0.0.1:${port}` });
    await expect(call(binding, { operation: 'get' })).rejects.toMatchObject({ fault: 'unavailable' });
    await new Promise<void>((resolve) => late.listen(port, '127.0.0.1', resolve));
    expect((await bytesOfResponse(await call(binding, { operation: 'get' }))).toString()).toBe('here');
    late.closeAllConnections();
    late.close();
  });

  test.each([['ftp://x/'], ['no url'], ['http://169.254.169.254/'], ['http://user:secret@127.0.0.1/'], ['http://[::ffff:a9fe:a9fe]/']])('(users 50) %s is no base URL', (url) => {
    expect(() => buildComponent(httpBinding, { url })).toThrow();
  });
});

describe('(users 50) redirects of bindings.http', () => {
  const redirect = (status: number, location: string): string => `redirect/${status}?${encodeURIComponent(location)}`;
  const withToken = { securityToken: 'TOKEN-1', securityTokenHeader: 'X-Token' };
  const metadata = { Authorization: 'Bearer SECRET', Cookie: 'session=SECRET', 'X-Harmless': 'kept' };

  test('on the same origin are followed with everything', async () => {
    const binding = await open(withToken);
    await bytesOfResponse(await call(binding, { operation: 'get', metadata: { ...metadata, path: redirect(302, '/api/there') } }));
    expect(seen[1]).toMatchObject({ url: '/api/there', headers: { authorization: 'Bearer SECRET', 'x-token': 'TOKEN-1' } });
  });

  test('to another origin are refused, and nothing is sent there', async () => {
    const binding = await open(withToken);
    for (const location of [addressOf(other), `//127.0.0.1:${addressOf(other).split(':')[2]}/x`, 'http://169.254.169.254/latest', 'file:///etc/passwd']) {
      await expect(call(binding, { operation: 'get', metadata: { path: redirect(302, location) } })).rejects.toMatchObject({ fault: 'denied' });
    }
    expect(seen).toHaveLength(4);
  });

  test('to an allowed origin leave credentials and cookies behind, also on the way back', async () => {
    const binding = await open({ ...withToken, allowedOrigins: [addressOf(other)] });
    const back = `${addressOf(server)}/api/back`;
    await bytesOfResponse(await call(binding, { operation: 'post', data: '{"n":1}', metadata: { ...metadata, path: redirect(307, `${addressOf(other)}/api/${redirect(307, back)}`) } }));
    expect(seen.map(({ method, body, headers: { authorization, cookie, 'x-token': token, 'x-harmless': harmless } }) => [method, body, authorization, cookie, token, harmless])).toEqual([
      ['POST', '{"n":1}', 'Bearer SECRET', 'session=SECRET', 'TOKEN-1', 'kept'],
      ['POST', '{"n":1}', undefined, undefined, undefined, 'kept'],
      ['POST', '{"n":1}', undefined, undefined, undefined, 'kept'],
    ]);
  });

  test('a path that names an allowed origin does not get the token', async () => {
    const binding = await open({ ...withToken, allowedOrigins: [addressOf(other)] });
    await bytesOfResponse(await call(binding, { operation: 'get', metadata: { path: `${addressOf(other)}/api/x` } }));
    expect(seen[0]?.headers).not.toHaveProperty('x-token');
  });

  test('a POST becomes a GET where HTTP says so, and there are at most 10', async () => {
    const binding = await open();
    await bytesOfResponse(await call(binding, { operation: 'post', data: '{"n":1}', metadata: { path: redirect(303, '/api/there') } }));
    expect(seen[1]).toMatchObject({ method: 'GET', body: '' });
    let location = '/api/end';
    for (let count = 0; count < 11; count++) location = `/api/${redirect(302, location)}`;
    await expect(call(binding, { operation: 'get', metadata: { path: location.slice('/api/'.length) } })).rejects.toMatchObject({ fault: 'failed' });
  });
});
