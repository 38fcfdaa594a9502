import { connect as connectHttp2, constants } from 'node:http2';
import { Client, Metadata, compressionAlgorithms, credentials, status as codes, type StatusObject } from '@grpc/grpc-js';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { ErrorInfo } from '@mecha/specs/gen/error_details.gen.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { MechaError } from '../errors.ts';
import { streaming, type GrpcProxy } from './grpc-face.ts';
import { ask, closeAll, detailsOf, echo, getState, metadataOf, serve, toClose } from './test-grpc.ts';

afterEach(closeAll);

describe('answers', () => {
  test('a method gets its message and its answer goes back', async () => {
    const { client } = await serve([echo]);
    const { message, status } = await ask(client, { key: 'a' });
    expect(status.code).toBe(codes.OK);
    expect(message).toMatchObject({ data: Buffer.from('a'), etag: '1' });
  });

  test('an error carries code, text and details in their order', async () => {
    const { client } = await serve([
      getState(() => {
        throw new MechaError({
          code: 'ERR_X',
          kind: 'conflict',
          message: 'for HTTP',
          grpcMessage: 'a % and ü',
          details: [
            { type: 'ErrorInfo', reason: 'R', metadata: { a: 'b' } },
            { type: 'ResourceInfo', resourceType: 'state', resourceName: 's', description: 'd' },
            { type: 'BadRequest', violations: [{ field: 'f', description: 'd' }] },
            { type: 'Help', links: [{ url: 'u', description: 'd' }] },
          ],
        });
      }),
    ]);
    const { status } = await ask(client, {});
    expect([status.code, status.details]).toEqual([codes.ABORTED, 'a % and ü']);
    const rich = detailsOf(status);
    expect([rich.code, rich.message]).toEqual([codes.ABORTED, 'a % and ü']);
    expect(rich.details.map((detail) => detail.typeUrl.replace('type.googleapis.com/google.rpc.', ''))).toEqual(['ErrorInfo', 'ResourceInfo', 'BadRequest', 'Help']);
    expect(ErrorInfo.decode(rich.details[0]?.value ?? Buffer.alloc(0))).toMatchObject({ reason: 'R', domain: 'dapr.io', metadata: { a: 'b' } });
  });

  test('a plain error has no details', async () => {
    const { client } = await serve([
      getState(() => {
        throw new MechaError({ code: 'ERR_X', kind: 'invalid', message: 'no' });
      }),
    ]);
    const { status } = await ask(client, {});
    expect([status.code, status.details, status.metadata.get('grpc-status-details-bin')]).toEqual([codes.INVALID_ARGUMENT, 'no', []]);
  });

  test('what a face lets slip shows no text of its own', async () => {
    const { client } = await serve([
      getState(() => {
        throw new Error('secret');
      }),
    ]);
    const { status } = await ask(client, {});
    expect([status.code, status.details]).toEqual([codes.INTERNAL, 'internal error']);
  });

  test('text that no header can carry does not break the answer', async () => {
    const { client } = await serve([
      getState(() => {
        throw new MechaError({ code: 'ERR_X', kind: 'invalid', message: `half ${'\ud800'} and long ${'x'.repeat(10_000)}` });
      }),
    ]);
    const { status } = await ask(client, {});
    expect(status.code).toBe(codes.INVALID_ARGUMENT);
    expect(status.details.length).toBeLessThan(5000);
  });

  test('bytes that are no such message are refused as INTERNAL, and the next call works', async () => {
    const { client } = await serve([echo]);
    const bad = await new Promise<StatusObject>((resolve) => {
      client
        .makeUnaryRequest(Dapr.GetState.path, (bytes: Buffer) => bytes, (bytes) => bytes, Buffer.from([0x0a, 0x7f]), () => {})
        .on('status', resolve);
    });
    expect(bad.code).toBe(codes.INTERNAL);
    expect(bad.details).toContain('cannot be decoded');
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('a deadline aborts the call in the sidecar', async () => {
    const aborted = Promise.withResolvers<void>();
    const { client } = await serve([
      getState(
        (request) =>
          new Promise((_resolve, reject) => {
            request.signal.addEventListener('abort', () => {
              aborted.resolve();
              reject(new Error('gone'));
            });
          }),
      ),
    ]);
    const { status } = await ask(client, {}, new Metadata(), Dapr.GetState.path, { deadline: Date.now() + 150 });
    expect(status.code).toBe(codes.DEADLINE_EXCEEDED);
    await aborted.promise;
  });
});

describe('trace and baggage', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';

  test('a traceparent is continued, and the binary form comes back', async () => {
    const { client } = await serve([getState(({ trace }) => ({ etag: `${trace.traceId} ${trace.sampled}` }))]);
    const { message, headers } = await ask(client, {}, metadataOf({ traceparent: `00-${traceId}-b7ad6b7169203331-01` }));
    expect(message?.etag).toBe(`${traceId} true`);
    const binary = headers.get('grpc-trace-bin')[0] as Buffer;
    expect(binary).toHaveLength(29);
    expect(binary.toString('hex', 2, 18)).toBe(traceId);
    expect(binary.toString('hex', 19, 27)).not.toBe('b7ad6b7169203331');
  });

  test('the binary form wins over the text', async () => {
    const { client } = await serve([getState(({ trace }) => ({ etag: trace.traceId }))]);
    const binary = Buffer.from(`0000${'ab'.repeat(16)}01${'cd'.repeat(8)}0201`, 'hex');
    const { message } = await ask(client, {}, metadataOf({ traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'grpc-trace-bin': binary }));
    expect(message?.etag).toBe('ab'.repeat(16));
  });

  test('baggage is echoed when it is valid and refused when it is not', async () => {
    const { client } = await serve([echo]);
    const good = await ask(client, {}, metadataOf({ baggage: 'a=1;p=2, b=x%20y' }));
    expect(good.headers.get('baggage')).toEqual(['a=1;p=2, b=x%20y']);
    expect((await ask(client, {}, metadataOf({ baggage: ' ' }))).status.code).toBe(codes.OK);
    const bad = await ask(client, {}, metadataOf({ baggage: 'no member' }));
    expect(bad.status.code).toBe(codes.INVALID_ARGUMENT);
    expect(bad.status.details).toMatch(/^invalid baggage header: /);
  });
});

describe('limits', () => {
  test('(users 33) a message over the limit is RESOURCE_EXHAUSTED naming --max-body-size, and the connection survives', async () => {
    const { client } = await serve([echo], { maxBodyBytes: 1024 });
    await ask(client, { key: 'a' });
    const before = client.getChannel().getConnectivityState(false);
    const { status } = await ask(client, { key: 'x'.repeat(200_000) });
    expect([status.code, status.details]).toEqual([codes.RESOURCE_EXHAUSTED, 'the message is larger than 1024 bytes, the limit set by --max-body-size']);
    expect(client.getChannel().getConnectivityState(false)).toBe(before);
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('(users 33) a small compressed message that unfolds past the limit is refused as well', async () => {
    const { server } = await serve([echo], { maxBodyBytes: 1024 });
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    toClose.push(() => client.close());
    const { status } = await ask(client, { key: 'x'.repeat(1_000_000) });
    expect(status.code).toBe(codes.RESOURCE_EXHAUSTED);
    expect(status.details).toContain('--max-body-size');
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('an answer over the limit is RESOURCE_EXHAUSTED as well', async () => {
    const { client } = await serve([getState(() => ({ data: Buffer.alloc(5000) }))], { maxBodyBytes: 1024 });
    const { status } = await ask(client, {});
    expect([status.code, status.details]).toEqual([codes.RESOURCE_EXHAUSTED, 'the answer is larger than 1024 bytes, the limit set by --max-body-size']);
  });

  test('without a limit a message of several megabytes passes', async () => {
    const { client } = await serve([getState(({ message }) => ({ etag: String(message.key.length) }))], { maxBodyBytes: undefined });
    expect((await ask(client, { key: 'x'.repeat(6_000_000) })).message?.etag).toBe('6000000');
  });
});

describe('who may call', () => {
  const stream = streaming(Dapr.SubscribeTopicEventsAlpha1, async () => {});

  test('(users 48) without the token every method is refused, known or not, and none is run', async () => {
    let ran = 0;
    const proxy: GrpcProxy = { relay: async () => ({ code: ++ran, message: '', trailers: [] }) };
    const { client } = await serve([getState(() => ({ etag: String(++ran) })), stream], { apiToken: 'right', proxy });
    const paths = [...Object.values(Dapr).map((method) => method.path), '/dapr.proto.runtime.v1.Dapr/Nope', '/TaskHubSidecarService/Hello', '/my.Service/Do', '/x/healthz'];
    for (const path of paths) {
      const { status } = await ask(client, {}, new Metadata(), path);
      expect([path, status.code, status.details]).toEqual([path, codes.UNAUTHENTICATED, 'Unauthorized']);
    }
    expect(ran).toBe(0);
  });

  test.each([
    [{}, 'missing api token in request metadata'],
    [{ 'dapr-api-token': 'wrong' }, 'authentication error: api token mismatch'],
    [{ 'dapr-api-token': '' }, 'authentication error: api token mismatch'],
  ])('what was wrong with the token is said in the details: %j', async (given, reason) => {
    const { client } = await serve([echo], { apiToken: 'right' });
    const { status } = await ask(client, {}, metadataOf({ ...given }));
    const info = ErrorInfo.decode(detailsOf(status).details[0]?.value ?? Buffer.alloc(0));
    expect(info).toMatchObject({ reason: 'Unauthorized', domain: 'dapr.io', metadata: { 'http.code': '401', 'http.error_message': reason } });
  });

  test.each(['right', undefined])('the right token opens the door and goes no further; asked for: %s', async (apiToken) => {
    const { client } = await serve([getState(({ metadata }) => ({ etag: JSON.stringify(metadata) }))], { apiToken });
    const { message } = await ask(client, {}, metadataOf({ 'dapr-api-token': 'right', other: 'x' }));
    expect(message?.etag).toContain('"other":"x"');
    expect(message?.etag).not.toContain('right');
  });
});

describe('paths', () => {
  test('a method of the contract that nobody serves is UNIMPLEMENTED by name', async () => {
    const relayed: string[] = [];
    const proxy: GrpcProxy = { relay: async ({ path }) => (relayed.push(path), { code: 0, message: '', trailers: [] }) };
    const { client } = await serve([echo], { proxy });
    const { status } = await ask(client, {}, new Metadata(), Dapr.ScheduleJob.path);
    expect([status.code, status.details]).toEqual([codes.UNIMPLEMENTED, 'ScheduleJob: this API is currently not implemented']);
    expect((await ask(client, {}, new Metadata(), '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo')).status.code).toBe(codes.UNIMPLEMENTED);
    expect(relayed).toEqual([]);
  });

  test('(users 47) a path without its leading slash, or with more than two parts, reaches no method and no app', async () => {
    const relayed: string[] = [];
    let ran = 0;
    const proxy: GrpcProxy = { relay: async ({ path }) => (relayed.push(path), { code: 0, message: '', trailers: [] }) };
    const { server } = await serve([getState(() => ({ etag: String(++ran) }))], { proxy });
    const refused = String(codes.UNIMPLEMENTED);
    const expected = [
      // The HTTP/2 library resets what is not a path at all before anybody sees it.
      ['dapr.proto.runtime.v1.Dapr/GetState', 'reset'],
      ['my.Service/Do', 'reset'],
      ['*', 'reset'],
      ['//dapr.proto.runtime.v1.Dapr/GetState', refused],
      ['/dapr.proto.runtime.v1.Dapr/GetState/', refused],
      ['/./my.Service/Do', refused],
      ['/my.Service', refused],
      ['/', refused],
    ];
    const found: [string, string][] = [];
    for (const [path = ''] of expected) found.push([path, await rawStatus(server.port, path)]);
    expect(found).toEqual(expected);
    expect([ran, relayed]).toEqual([0, []]);
  });

  test('a method of another service goes to the proxy with its messages, metadata and deadline, and all of the answer comes back', async () => {
    const proxy: GrpcProxy = {
      async relay(call) {
        const messages: string[] = [];
        for await (const bytes of call.messages) messages.push(String(bytes));
        call.sendHeaders([['h', '1'], ['b-bin', Buffer.from([1, 2])]]);
        await call.send(Buffer.from(`${call.path} ${messages.join('+')} ${String(new Map(call.metadata).get('x'))} ${call.deadline !== undefined}`));
        return { code: 5, message: 'none', trailers: [['t', '2'], ['grpc-status-details-bin', Buffer.from([8, 5])]] };
      },
    };
    const { client } = await serve([], { proxy });
    const call = client.makeBidiStreamRequest('/my.Service/Do', (bytes: Buffer) => bytes, (bytes) => bytes, metadataOf({ x: 'y' }), { deadline: Date.now() + 20_000 });
    const answers: string[] = [];
    const headers = Promise.withResolvers<Metadata>();
    const status = Promise.withResolvers<StatusObject>();
    call.on('metadata', headers.resolve).on('data', (bytes) => answers.push(String(bytes))).on('status', status.resolve).on('error', () => {});
    call.write(Buffer.from('a'));
    call.write(Buffer.from('b'));
    call.end();
    expect(await status.promise).toMatchObject({ code: 5, details: 'none' });
    expect(answers).toEqual(['/my.Service/Do a+b y true']);
    expect([(await headers.promise).get('h'), (await headers.promise).get('b-bin')]).toEqual([['1'], [Buffer.from([1, 2])]]);
    expect((await status.promise).metadata.get('t')).toEqual(['2']);
    expect((await status.promise).metadata.get('grpc-status-details-bin')).toEqual([Buffer.from([8, 5])]);
  });

  test('without a proxy other services are UNIMPLEMENTED', async () => {
    const { client } = await serve([]);
    expect((await ask(client, {}, new Metadata(), '/my.Service/Do')).status.code).toBe(codes.UNIMPLEMENTED);
  });
});

/** The status of a call with any `:path`, which no gRPC client would send; `reset` when the stream was refused. */
function rawStatus(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    let status: string | undefined;
    const take = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
    };
    stream.on('response', take).on('trailers', take).on('error', () => (status ??= 'reset'));
    stream.on('close', () => {
      session.close();
      resolve(status ?? (stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'none' : 'reset'));
    });
    stream.resume();
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
}
