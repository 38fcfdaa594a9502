/** Against real grpc-js servers: frames written by hand must mean to others what they mean here. */
import { Server, ServerCredentials, status, type Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connections, Slot } from './connection.ts';
import { GRPC_MESSAGE_BYTES_MAX, openGrpcConnections } from './grpc-connections.ts';
import type { GrpcRequest } from './plan.ts';

const HOST = '127.0.0.1';
const PATH = '/test.Echo/Call';

interface Call {
  readonly request: Buffer;
  readonly metadata: Metadata;
  getPath(): string;
}
type Reply = (error: { readonly code: number; readonly details: string } | null, bytes?: Buffer) => void;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function startServer(answer: (call: Call, reply: Reply) => void): Promise<{ port: number; stop(): void }> {
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  server.addService({ call: { path: PATH, requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same } }, { call: answer });
  const port = await new Promise<number>((resolve, reject) => server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  undo.push(() => server.forceShutdown());
  return { port, stop: () => server.forceShutdown() };
}

function requestOf(message: Buffer | string, metadata: Readonly<Record<string, string>> = {}, path = PATH): GrpcRequest {
  return { kind: 'grpc', path, metadata, message: Buffer.from(message).toString('base64') };
}

async function connectTo(port: number, request: GrpcRequest, count = 1): Promise<Connections> {
  const connections = await openGrpcConnections(HOST, port, request, count);
  undo.push(() => connections.close());
  return connections;
}

const send = (slot: Slot, number = 1): Promise<string | undefined> => new Promise((resolve) => slot.send(number, resolve));

/** As a closed loop does: each slot sends its next when its last was answered. */
async function sendMany(slots: readonly Slot[], count: number): Promise<readonly (string | undefined)[]> {
  const outcomes: (string | undefined)[] = [];
  let next = 0;
  await Promise.all(
    slots.map(async (slot) => {
      while (next < count) outcomes.push(await send(slot, next++));
    }),
  );
  return outcomes;
}

test('each call has its number, the path and the metadata, from the first headers to those that follow', async () => {
  const seen: { text: string; key: unknown; long: unknown }[] = [];
  const { port } = await startServer(({ request, metadata }, reply) => {
    seen.push({ text: request.toString(), key: metadata.get('dapr-app-id')[0], long: metadata.get('x-long')[0] });
    reply(null, Buffer.from('fine'));
  });
  const long = 'v'.repeat(300);
  const { slots } = await connectTo(port, requestOf('number-########', { 'dapr-app-id': 'echo', 'x-long': long }));
  expect(await sendMany(slots, 5)).toEqual(Array.from({ length: 5 }));
  expect(seen).toEqual([0, 1, 2, 3, 4].map((number) => ({ text: `number-0000000${number}`, key: 'echo', long })));
});

test.each([
  ['1 KB', 1024, 10_000],
  ['20 KB, which take two frames', 20_000, 3000],
  ['nothing', 0, 10_000],
])('thousands of calls with %s never run out of a window, in either direction', { timeout: 60_000 }, async (_words, bytes, calls) => {
  const message = Buffer.alloc(bytes, 'x');
  let received = 0;
  const { port } = await startServer(({ request }, reply) => {
    received += request.length;
    reply(null, message);
  });
  const { slots } = await connectTo(port, requestOf(message), 64);
  const outcomes = await sendMany(slots, calls);
  expect(outcomes.filter((error) => error !== undefined)).toEqual([]);
  expect(outcomes).toHaveLength(calls);
  expect(received).toBe(bytes * calls);
});

test('more slots than fit on a connection take several, and all of them work at once', async () => {
  let underWay = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const { port } = await startServer((_call, reply) => {
    most = Math.max(most, ++underWay);
    waiting.push(() => {
      underWay--;
      reply(null, Buffer.from('x'));
    });
    if (underWay === 250) for (const answer of waiting.splice(0)) answer();
  });
  const { slots } = await connectTo(port, requestOf('x'), 250);
  expect(await Promise.all(slots.map((slot) => send(slot)))).toEqual(Array.from({ length: 250 }));
  expect(most).toBe(250);
});

test('an error status is an error, with and without a message before it, and the connection goes on', async () => {
  const { port } = await startServer(({ request }, reply) => {
    if (request.toString() === '00000002') reply({ code: status.NOT_FOUND, details: 'no such store' });
    else reply(null, Buffer.from('fine'));
  });
  const { slots } = await connectTo(port, requestOf('########'));
  expect([await send(slots[0]!, 1), await send(slots[0]!, 2), await send(slots[0]!, 3)]).toEqual([undefined, 'the call ended with an error', undefined]);
});

test('a method that the server does not have is an error', async () => {
  const { port } = await startServer((_call, reply) => reply(null, Buffer.alloc(0)));
  const { slots } = await connectTo(port, requestOf('x', {}, '/test.Echo/Other'));
  expect(await send(slots[0]!)).toBe('the call ended with an error');
});

test('an empty message is an answer like any other', async () => {
  const { port } = await startServer((_call, reply) => reply(null, Buffer.alloc(0)));
  const { slots } = await connectTo(port, requestOf(''));
  expect(await send(slots[0]!)).toBeUndefined();
});

describe('a server that goes away', () => {
  test('fails all calls under way and breaks the connections in words; what is sent then is answered with them', async () => {
    const { port, stop } = await startServer((_call, reply) => {
      setTimeout(() => reply(null, Buffer.alloc(0)), 60_000).unref();
    });
    const { slots, broken } = await connectTo(port, requestOf('x'), 3);
    const underWay = slots.map((slot) => send(slot));
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop();
    expect(await broken).toMatch(/^the server is gone: (the server went away|the connection was closed|read ECONNRESET)/);
    for (const error of await Promise.all(underWay)) expect(error).toMatch(/the server (went away|reset the stream)|the connection was closed|ECONNRESET/);
    expect(await send(slots[0]!)).toMatch(/went away|closed|ECONNRESET/);
  });

  test('is told at once where nobody listens', async () => {
    const { port, stop } = await startServer((_call, reply) => reply(null, Buffer.alloc(0)));
    stop();
    await expect(openGrpcConnections(HOST, port, requestOf('x'), 2)).rejects.toThrow('ECONNREFUSED');
  });

  test('is not confused with connections that were closed here', async () => {
    const { port } = await startServer((_call, reply) => reply(null, Buffer.alloc(0)));
    const connections = await connectTo(port, requestOf('x'));
    expect(await send(connections.slots[0]!)).toBeUndefined();
    connections.close();
    const later = new Promise((resolve) => setTimeout(resolve, 50, 'nothing'));
    expect(await Promise.race([connections.broken, later])).toBe('nothing');
  });
});

test('a message larger than a stream takes unasked is refused in one line, the largest below is sent', async () => {
  const { port } = await startServer(({ request }, reply) => reply(null, request.subarray(0, 1)));
  await expect(openGrpcConnections(HOST, port, requestOf(Buffer.alloc(GRPC_MESSAGE_BYTES_MAX + 1)), 1)).rejects.toThrow(
    'a request of 65531 bytes is larger than this generator sends over gRPC (65530 at most)',
  );
  const { slots } = await connectTo(port, requestOf(Buffer.alloc(GRPC_MESSAGE_BYTES_MAX)), 2);
  expect(await sendMany(slots, 50)).toEqual(Array.from({ length: 50 }));
});
