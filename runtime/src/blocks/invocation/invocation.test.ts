import { once } from 'node:events';
import { createExternalHttp } from '../../channel/external-http.ts';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { ErrorInfo } from '@mecha/specs/gen/error_details.gen.ts';
import { Status } from '@mecha/specs/gen/status.gen.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { AppGrpcError, type AppChannel } from '../../channel/channel.ts';
import { cleanUp, cleanUps, echo, echoed, makeHost, send, startApp, startPair, startSidecar, type Sent } from './testing.ts';

afterEach(cleanUp);

describe('naming the target', () => {
  it.each<[string, string, Sent, string]>([
    ['by path', '/v1.0/invoke/inventory/method/a/b?x=1&x=2', {}, '/a/b?x=1&x=2'],
    ['by path, its root', '/v1.0/invoke/inventory/method/', {}, '/'],
    ['by path with namespace', '/v1.0/invoke/inventory.default/method/a', {}, '/a'],
    ['by header', '/a/b?x=1', { headers: { 'dapr-app-id': 'inventory' } }, '/a/b?x=1'],
    ['by header, for a path under /v1.0', '/v1.0/orders', { headers: { 'dapr-app-id': 'inventory' } }, '/v1.0/orders'],
    ['by user name', '/a', { headers: { authorization: `Basic ${Buffer.from('Dapr-App-Id:inventory').toString('base64')}` } }, '/a'],
    ['by path, an escaped slash kept', '/v1.0/invoke/inventory/method/a%2Fb', {}, '/a%2Fb'],
  ])('works %s', async (_name, path, sent, url) => {
    const { order } = await startPair(echo);
    expect(echoed(await send(order.url, path, sent))).toMatchObject({ method: 'GET', url });
  });

  it.each(['/nothing/here', '/v1.0/invoke/inventory', '/v1.0/invoke/inventory/methods/x', '/v1.0/invoke/', '/v1.0/invoke//method/x'])(
    'answers %s, which names none, with 404',
    async (path) => {
      const { order } = await startPair(echo);
      const answer = await send(order.url, path);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toEqual({
        errorCode: 'ERR_DIRECT_INVOKE',
        message: 'failed getting app id either from the URL path or the header dapr-app-id',
      });
    },
  );

  it.each([
    ['/v1.0/invoke/a.b.c/method/x', 'failed to invoke, id: a.b.c, err: invalid app id a.b.c'],
    ['/v1.0/invoke/nobody/method/x', "failed to invoke, id: nobody, err: couldn't find service: nobody"],
    ['/v1.0/invoke/order/method/x', 'failed to invoke, id: order, err: cannot invoke local endpoint: app channel not initialized'],
    ['/v1.0/invoke/inventory/method/a%23b', 'failed to invoke, id: inventory, err: invalid method: method contains forbidden character: "a%23b"'],
    ['/v1.0/invoke/inventory/method/a%3Fb', 'failed to invoke, id: inventory, err: invalid method: method contains forbidden character: "a%3Fb"'],
  ])('answers %s with 500 and the reason', async (path, message) => {
    const { order } = await startPair(echo);
    const answer = await send(order.url, path);
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toEqual({ errorCode: 'ERR_DIRECT_INVOKE', message });
  });

  it.each(['/v1.0/invoke/inventory/method/admin%2F..%2Fpublic', '/v1.0/invoke/inventory/method/%2e%2e/x', '/v1.0/invoke/inventory/method/a%00', '/v1.0/invoke/inventory/method/a%'])(
    '(users 46) refuses %s before it reaches anybody',
    async (path) => {
      let calls = 0;
      const { order } = await startPair((_request, response) => {
        calls++;
        response.end();
      });
      expect((await send(order.url, path)).status).toBe(400);
      expect(calls).toBe(0);
    },
  );

  it('(users 46) never forwards a path that climbs out of what was named', async () => {
    const { order } = await startPair(echo);
    expect(echoed(await send(order.url, '/v1.0/invoke/inventory/method/public//../admin/./x/')).url).toBe('/admin/x');
    expect((await send(order.url, '/v1.0/invoke/inventory/method/../../../../etc')).status).toBe(404);
  });
});

describe('what reaches the app and what comes back', () => {
  it.each(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('keeps the verb %s', async (method) => {
    const { order } = await startPair(echo);
    expect(echoed(await send(order.url, '/v1.0/invoke/inventory/method/x', { method })).method).toBe(method);
  });

  it('sends an unknown verb as POST', async () => {
    const { order } = await startPair(echo);
    expect(echoed(await send(order.url, '/v1.0/invoke/inventory/method/x', { method: 'PROPFIND' })).method).toBe('POST');
  });

  it.each([
    ['of known length', { body: 'hello', headers: { 'content-length': '5' } }],
    ['in chunks', { body: Readable.from(['hel', 'lo']) }],
  ])('passes a body %s', async (_name, sent) => {
    const { order } = await startPair(echo);
    const answer = echoed(await send(order.url, '/v1.0/invoke/inventory/method/x', { method: 'POST', ...sent }));
    expect(answer.body).toBe('hello');
  });

  it.each([200, 201, 302, 404, 418, 500, 503])('(users 35) gives back status %i, headers, length and body as the app gave them', async (status) => {
    const given = { 'content-type': 'text/odd', 'content-length': '4', 'set-cookie': ['a=1', 'b=2'], etag: '"1"' };
    const { order } = await startPair((_request, response) => void response.writeHead(status, given).end('body'));
    expect(await send(order.url, '/v1.0/invoke/inventory/method/x')).toMatchObject({ status, body: 'body', headers: given });
  });

  it.each([204, 304])('(users 35) gives back status %i, which has no body', async (status) => {
    const { order } = await startPair((_request, response) => void response.writeHead(status, { etag: '"1"' }).end());
    expect(await send(order.url, '/v1.0/invoke/inventory/method/x')).toMatchObject({ status, body: '', headers: { etag: '"1"' } });
  });

  it('(users 35) gives back an empty 200, and to HEAD the headers alone', async () => {
    const { order } = await startPair((request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': request.method === 'HEAD' ? 11 : 0 }).end();
    });
    const empty = await send(order.url, '/v1.0/invoke/inventory/method/x');
    expect(empty).toMatchObject({ status: 200, body: '', headers: { 'content-length': '0' } });
    const head = await send(order.url, '/v1.0/invoke/inventory/method/x', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-type': 'text/plain' } });
  });

  it('(users 44) drops hop-by-hop headers and those that Connection names', async () => {
    const { order } = await startPair(echo);
    const answer = await send(order.url, '/v1.0/invoke/inventory/method/x', {
      headers: { connection: 'close, x-hop', 'x-hop': '1', te: 'trailers', 'proxy-authorization': 'x', 'x-kept': '1' },
    });
    const { headers } = echoed(answer);
    expect(headers).toMatchObject({ 'x-kept': '1' });
    for (const name of ['x-hop', 'te', 'proxy-authorization']) expect(headers).not.toHaveProperty(name);
  });

  it.each([
    ['another app', '/v1.0/invoke/inventory/method/x', 'inventory'],
    ['the own app', '/v1.0/invoke/order/method/x', 'order'],
  ])('(users 45) says who calls whom, whatever the caller says, to %s', async (_name, path, callee) => {
    const { order } = await startPair(echo, { order: { appPort: await startApp(echo) } });
    const spoofed = { 'dapr-caller-app-id': 'admin', 'dapr-caller-namespace': 'prod', 'dapr-callee-app-id': 'x', 'mecha-peer-from': 'admin', 'destination-app-id': 'x' };
    const { headers } = echoed(await send(order.url, path, { headers: spoofed }));
    expect(headers).toMatchObject({ 'dapr-caller-app-id': 'order', 'dapr-caller-namespace': 'default', 'dapr-callee-app-id': callee });
    expect(headers).not.toHaveProperty('destination-app-id');
    expect(Object.keys(headers).filter((name) => name.startsWith('mecha-'))).toEqual([]);
  });

  it('(users 48) forwards no token of the caller and adds the one of the callee', async () => {
    const { order } = await startPair(echo, { order: { server: { apiToken: 'callers' } }, inventory: { appApiToken: 'inventorys', server: { apiToken: 'other' } } });
    const answer = await send(order.url, '/v1.0/invoke/inventory/method/x', { headers: { 'dapr-api-token': 'callers' } });
    expect(answer.body).not.toContain('callers"');
    expect(echoed(answer).headers['dapr-api-token']).toBe('inventorys');
    expect((await send(order.url, '/v1.0/invoke/inventory/method/x')).status).toBe(401);
  });

  it('(users 48) drops a token header even when the sidecar asks for none', async () => {
    const { order } = await startPair(echo);
    const answer = await send(order.url, '/v1.0/invoke/inventory/method/x', { headers: { 'dapr-api-token': 'stray' } });
    expect(answer.body).not.toContain('stray');
  });

  it('continues the trace and names the host to apps behind another sidecar', async () => {
    const { order } = await startPair(echo);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = echoed(await send(order.url, '/v1.0/invoke/inventory/method/x', { headers: { traceparent, tracestate: 'a=1', 'x-forwarded-for': '10.0.0.1' } }));
    expect(headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
    expect(headers).toMatchObject({ tracestate: 'a=1', 'x-forwarded-for': '10.0.0.1, 127.0.0.1' });
    expect(headers['forwarded']).toMatch(/^for=127\.0\.0\.1;by=127\.0\.0\.1;host=/);
  });

  it('sends events to a caller that accepts them as they come, headers first', async () => {
    const next = Promise.withResolvers<void>();
    const { order } = await startPair(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      await next.promise;
      response.write('data: 1\n\n');
    });
    const { hostname, port } = new URL(order.url);
    const request = httpRequest({ hostname, port, path: '/v1.0/invoke/inventory/method/events', headers: { accept: 'text/event-stream' }, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    next.resolve();
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('data: 1\n\n');
    request.destroy();
  });

  it('(users 36) a caller that hangs up in mid-stream ends the work of the app two sidecars away', async () => {
    const ended = Promise.withResolvers<void>();
    const { order } = await startPair((_request, response) => {
      response.once('close', () => ended.resolve());
      response.write('first');
    });
    const { hostname, port } = new URL(order.url);
    const socket = connect(Number(port), hostname);
    socket.write('GET /v1.0/invoke/inventory/method/x HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await ended.promise;
  });

  it('(users 36) callers that hang up leave nothing open behind them', async () => {
    let open = 0;
    const { order } = await startPair((_request, response) => {
      open++;
      response.once('close', () => open--);
      response.write('first');
    });
    const { hostname, port } = new URL(order.url);
    async function hangUp(): Promise<void> {
      const socket = connect(Number(port), hostname);
      socket.write('GET /v1.0/invoke/inventory/method/x HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
      await once(socket, 'close');
    }
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap' || name === 'TCPSocketWrap').length;
    await hangUp();
    await expect.poll(() => open).toBe(0);
    const before = sockets();
    for (let cycle = 0; cycle < 200; cycle++) await hangUp();
    await expect.poll(() => open).toBe(0);
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });

  it('answers a body past the limit with 500 and the flag that sets it', async () => {
    const { order } = await startPair(echo, { order: { server: { maxBodyBytes: 10 } } });
    const headers = { 'content-length': '11' };
    for (const sent of [{ body: 'x'.repeat(11), headers }, { body: Readable.from(['x'.repeat(11)]) }]) {
      const answer = await send(order.url, '/v1.0/invoke/inventory/method/x', { method: 'POST', ...sent });
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body)).toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE', message: expect.stringContaining('--max-body-size') as string });
    }
  });
});

describe('an app that is not there', () => {
  it('(users 40) is a named failure while it is away, and answers as soon as it is back', async () => {
    const host = await makeHost();
    const order = await startSidecar(host, { appId: 'order' });
    const reserved = createServer().listen(0, '127.0.0.1');
    await once(reserved, 'listening');
    const { port } = reserved.address() as AddressInfo;
    reserved.close();
    await once(reserved, 'close');
    const inventory = await startSidecar(host, { appId: 'inventory', appPort: port });

    const absent = await send(order.url, '/v1.0/invoke/inventory/method/x');
    expect(absent.status).toBe(500);
    expect(absent.body).toContain('failed to invoke, id: inventory, err: the app cannot be reached');
    expect(inventory.suspected).toBe(1);

    const app = createServer(echo).listen(port, '127.0.0.1');
    await once(app, 'listening');
    expect((await send(order.url, '/v1.0/invoke/inventory/method/x')).status).toBe(200);
    app.closeAllConnections();
    app.close();
    await once(app, 'close');
    expect((await send(order.url, '/v1.0/invoke/inventory/method/x')).status).toBe(500);
    const again = createServer(echo).listen(port, '127.0.0.1');
    cleanUps.push(() => {
      again.closeAllConnections();
      again.close();
    });
    await once(again, 'listening');
    expect((await send(order.url, '/v1.0/invoke/inventory/method/x')).status).toBe(200);
  });

  it('is not called while it is unhealthy', async () => {
    const { order, inventory } = await startPair(echo);
    inventory.presence = 'unhealthy';
    const answer = await send(order.url, '/v1.0/invoke/inventory/method/x');
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.body).toContain('app is not in a healthy state');
  });
});

describe('an app that speaks gRPC', () => {
  function grpcChannel(error: Error): AppChannel {
    return { invoke: () => Promise.reject(error), close: async () => {} } as unknown as AppChannel;
  }
  it.each([
    [5, 404],
    [7, 403],
    [11, 400],
    [14, 503],
    [99, 500],
  ])('has its status %i answered as %i with the status as JSON', async (code, status) => {
    const { order } = await startPair(echo, { inventory: { channel: grpcChannel(new AppGrpcError(code, 'why')) } });
    const answer = await send(order.url, '/v1.0/invoke/inventory/method/x');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ code, message: 'why' });
  });

  it('has the details of its status written out, known or not', async () => {
    const details = Status.encode({
      code: 5,
      message: 'why',
      details: [
        { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: ErrorInfo.encode({ reason: 'GONE', domain: 'shop', metadata: { item: 'a' } }) },
        { typeUrl: 'type.googleapis.com/shop.Odd', value: Buffer.from([1, 2]) },
      ],
    });
    const { order } = await startPair(echo, { inventory: { channel: grpcChannel(new AppGrpcError(5, 'why', details)) } });
    expect(JSON.parse((await send(order.url, '/v1.0/invoke/inventory/method/x')).body)).toEqual({
      code: 5,
      message: 'why',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'GONE', domain: 'shop', metadata: { item: 'a' } },
        { '@type': 'type.googleapis.com/shop.Odd', value: 'AQI=' },
      ],
    });
  });

  it('has its code and message answered when its details are no details', async () => {
    const { order } = await startPair(echo, { inventory: { channel: grpcChannel(new AppGrpcError(5, 'why', Buffer.from([255]))) } });
    expect(JSON.parse((await send(order.url, '/v1.0/invoke/inventory/method/x')).body)).toEqual({ code: 5, message: 'why' });
  });
});

describe('targets outside', () => {
  it.each([
    ['a full URL', (port: number) => `/v1.0/invoke/http://127.0.0.1:${port}/base/method/a/b?x=1`],
    ['an escaped URL', (port: number) => `/v1.0/invoke/${encodeURIComponent(`http://127.0.0.1:${port}/base`)}/method/a/b?x=1`],
    ['an endpoint by name', () => '/v1.0/invoke/weather/method/a/b?x=1'],
  ])('are called by %s, with no token and no identity', async (_name, pathOf) => {
    const host = await makeHost();
    const port = await startApp(echo);
    const endpoints = [{ name: 'weather', baseUrl: `http://127.0.0.1:${port}/base/`, headers: { 'x-key': 'k' } }];
    const order = await startSidecar(host, { appId: 'order', appPort: port, appApiToken: 'app-token', parts: { endpoints } });
    const headers = { 'dapr-api-token': 'mine', 'dapr-caller-app-id': 'admin', 'x-key': 'callers', authorization: 'Bearer for-the-endpoint' };
    const answer = echoed(await send(order.url, pathOf(port), { headers }));
    expect(answer.url).toBe('/base/a/b?x=1');
    expect(answer.headers).toMatchObject({ authorization: 'Bearer for-the-endpoint' });
    expect(answer.headers['host']).toBe(`127.0.0.1:${port}`);
    for (const name of ['dapr-api-token', 'dapr-caller-app-id', 'dapr-callee-app-id', 'x-forwarded-host']) expect(answer.headers).not.toHaveProperty(name);
    expect(answer.headers['x-key']).toBe(pathOf(port).includes('weather') ? 'k' : 'callers');
  });

  it('do not see the user name that addressed the sidecar', async () => {
    const host = await makeHost();
    const port = await startApp(echo);
    const order = await startSidecar(host, { appId: 'order', parts: { endpoints: [{ name: 'weather', baseUrl: `http://127.0.0.1:${port}`, headers: {} }] } });
    const authorization = `Basic ${Buffer.from('dapr-app-id:weather').toString('base64')}`;
    expect(echoed(await send(order.url, '/x', { headers: { authorization } })).headers).not.toHaveProperty('authorization');
  });

  it('do not lead on: a redirect is the answer', async () => {
    const host = await makeHost();
    const port = await startApp((_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    const order = await startSidecar(host, { appId: 'order', parts: { endpoints: [{ name: 'weather', baseUrl: `http://127.0.0.1:${port}`, headers: {} }] } });
    expect(await send(order.url, `/v1.0/invoke/http://127.0.0.1:${port}/method/x`)).toMatchObject({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
  });

  it('(users 50) are not of this host or its networks, however they are spelled, unless an endpoint names them', async () => {
    const host = await makeHost();
    let calls = 0;
    const port = await startApp((_request, response) => {
      calls++;
      response.end();
    });
    const order = await startSidecar(host, { appId: 'order' });
    const spellings = ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost', 'LOCALHOST.', 'printer', 'db.internal', '10.0.0.1', '192.168.1.1', '169.254.169.254', '[fe80::1]', '0.0.0.0'];
    for (const target of spellings) {
      const answer = await send(order.url, '/x', { headers: { 'dapr-app-id': `http://${target}:${port}` } });
      expect({ target, status: answer.status }).toEqual({ target, status: 403 });
      expect(answer.body).toContain('ERR_DIRECT_INVOKE');
    }
    expect(calls).toBe(0);
  });

  it('(users 50) are not reached by a public name that leads to this host', async () => {
    const external = createExternalHttp(() => [], async () => ['127.0.0.1']);
    await expect(external.call(new URL('http://rebound.example.com/'), { method: 'GET', headers: {}, body: undefined }, AbortSignal.timeout(5000))).rejects.toThrow(/loopback address/);
    await external.close();
  });

  it('must not carry credentials, which are not repeated in the error', async () => {
    const host = await makeHost();
    const order = await startSidecar(host, { appId: 'order' });
    const answer = await send(order.url, '/x', { headers: { 'dapr-app-id': 'http://user:secret@127.0.0.1:1' } });
    expect(answer.status).toBe(500);
    expect(answer.body).toContain('must not carry credentials');
    expect(answer.body).not.toContain('secret');
  });
});
