import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Metadata, credentials, status as codes, type StatusObject } from '@grpc/grpc-js';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsResponseAlpha1 } from '@mecha/specs/gen/pubsub.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { MechaError } from '../errors.ts';
import { MetricsRegistry } from '../telemetry/metrics.ts';
import { streaming } from './grpc-face.ts';
import { ask, closeAll, echo, getState, metadataOf, serve, toClose } from './test-grpc.ts';

afterEach(closeAll);

describe('streams', () => {
  const topics = streaming(Dapr.SubscribeTopicEventsAlpha1, async (stream) => {
    for await (const message of stream.messages) {
      const id = message.eventProcessed?.id ?? '';
      if (id === 'fail') throw new MechaError({ code: 'ERR_X', kind: 'precondition', message: 'asked to fail' });
      await stream.send({ eventMessage: { id, topic: String(stream.metadata['x'] ?? '') } });
    }
  });
  const open = (client: Client) =>
    client.makeBidiStreamRequest(
      Dapr.SubscribeTopicEventsAlpha1.path,
      (message: Init<SubscribeTopicEventsRequestAlpha1>) => SubscribeTopicEventsRequestAlpha1.encode(message),
      (bytes) => SubscribeTopicEventsResponseAlpha1.decode(bytes),
      metadataOf({ x: 'y' }),
    );

  test('messages go both ways until the caller has no more', async () => {
    const { client } = await serve([topics]);
    const call = open(client);
    const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
    const got: string[] = [];
    call.on('data', (message: SubscribeTopicEventsResponseAlpha1) => got.push(`${message.eventMessage?.id}${message.eventMessage?.topic}`));
    for (const id of ['1', '2', '3']) call.write({ eventProcessed: { id } });
    call.end();
    expect((await ended).code).toBe(codes.OK);
    expect(got).toEqual(['1y', '2y', '3y']);
  });

  test('an error ends the stream with its status', async () => {
    const { client } = await serve([topics]);
    const call = open(client);
    const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
    call.on('error', () => {}).on('data', () => {});
    call.write({ eventProcessed: { id: 'fail' } });
    expect(await ended).toMatchObject({ code: codes.FAILED_PRECONDITION, details: 'asked to fail' });
  });

  test('a caller that goes away aborts the signal and ends the messages', async () => {
    const seen = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const method = streaming(Dapr.SubscribeTopicEventsAlpha1, async (stream) => {
      stream.signal.addEventListener('abort', () => aborted.resolve());
      for await (const _message of stream.messages) seen.resolve();
      over.resolve();
      await aborted.promise;
    });
    const { client } = await serve([method]);
    const call = open(client);
    call.on('error', () => {});
    call.write({});
    await seen.promise;
    call.cancel();
    await Promise.all([over.promise, aborted.promise]);
  });

  test('draining lets a call under way finish, tells streams to end, and takes no new calls', async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = getState(async () => {
      entered.resolve();
      await release.promise;
      return { etag: 'finished' };
    });
    const endless = streaming(Dapr.SubscribeTopicEventsAlpha1, async (stream) => {
      await stream.send({ initialResponse: {} });
      await new Promise((resolve) => stream.closing.addEventListener('abort', resolve));
      throw new MechaError({ code: 'ERR_SHUTTING_DOWN', kind: 'unavailable', message: 'api server closed' });
    });
    const { server, client } = await serve([slow, endless]);
    const call = open(client);
    const streamEnd = new Promise<StatusObject>((resolve) => call.on('status', resolve).on('error', () => {}));
    await new Promise((resolve) => call.once('data', resolve));
    const answer = ask(client, {});
    await entered.promise;
    const drained = server.drain(new AbortController().signal);
    expect((await streamEnd).details).toBe('api server closed');
    release.resolve();
    expect((await answer).message?.etag).toBe('finished');
    await drained;
    expect((await ask(client, {})).status.code).toBe(codes.UNAVAILABLE);
  });

  test('draining gives up at its deadline, and stop cuts what is left', async () => {
    const entered = Promise.withResolvers<void>();
    const stuck = getState(() => {
      entered.resolve();
      return new Promise(() => {});
    });
    const { server, client } = await serve([stuck]);
    const answer = ask(client, {});
    await entered.promise;
    await server.drain(AbortSignal.timeout(50));
    await server.stop();
    expect([codes.UNAVAILABLE, codes.CANCELLED]).toContain((await answer).status.code);
  });
});

describe('listening', () => {
  test('a taken port says which, by whom, and the flag to change it', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    toClose.push(() => void blocker.close());
    const { port } = blocker.address() as { port: number };
    await expect(serve([], { port })).rejects.toThrow(`the gRPC API server cannot listen on 127.0.0.1:${port}: the port is taken by another process; choose another with --dapr-grpc-port`);
  });

  test('all addresses get the port that the first one found', async () => {
    const { server } = await serve([echo], { addresses: ['127.0.0.1', '127.0.0.2'] });
    const client = new Client(`127.0.0.2:${server.port}`, credentials.createInsecure());
    toClose.push(() => client.close());
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('a socket file serves as well, and is gone afterwards', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mecha-grpc-'));
    toClose.push(() => rm(folder, { recursive: true, force: true }));
    const { client } = await serve([echo], { socketPath: join(folder, 'dapr-a-grpc.socket') });
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('bytes that are not HTTP/2 close their connection and disturb nobody', async () => {
    const { server, client } = await serve([echo]);
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
      socket.on('error', () => {}).on('close', () => resolve()).resume();
    });
    expect((await ask(client, { key: 'a' })).status.code).toBe(codes.OK);
  });

  test('calls are counted by method and status', async () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    const { client } = await serve([echo], { metrics: registry.forApp('test') });
    await ask(client, { key: 'a' });
    await ask(client, {}, new Metadata(), '/x.Y/Z');
    const text = await registry.render();
    expect(text).toContain('dapr_grpc_io_server_completed_rpcs{app_id="test",grpc_server_method="/dapr.proto.runtime.v1.Dapr/GetState",grpc_server_status="OK"} 1');
    expect(text).not.toContain('x.Y');
  });
});
