/** Against small servers on real sockets, which answer byte by byte as no library would. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connections, Slot } from './connection.ts';
import { encodeRequest, openHttpConnections, ResponseReader } from './http-connections.ts';
import type { HttpRequest } from './plan.ts';

const HOST = '127.0.0.1';
const request: HttpRequest = { kind: 'http', method: 'GET', path: '/key-########', headers: {}, body: '', status: 200 };

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function listen<T extends Server | TcpServer>(server: T): Promise<{ server: T; port: number }> {
  server.listen(0, HOST);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Calls `answer` for each whole request head that comes on a connection. */
async function rawServer(answer: (socket: Socket, head: string, connection: number) => void): Promise<{ port: number; connections: () => number; close(): Promise<void> }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const { server, port } = await listen(
    createTcpServer({ noDelay: true }, (socket) => {
      const connection = connections++;
      sockets.add(socket);
      let text = '';
      socket.on('error', () => socket.destroy()).on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
          const head = text.slice(0, end);
          text = text.slice(end + 4);
          answer(socket, head, connection);
        }
      });
    }),
  );
  const close = async (): Promise<void> => {
    // First, so that whoever comes back is refused.
    const closed = server.listening && new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  undo.push(close);
  return { port, connections: () => connections, close };
}

async function httpServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ port: number }> {
  const { server, port } = await listen(createServer(answer));
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port };
}

async function connectTo(port: number, count = 1, of: HttpRequest = request): Promise<Connections> {
  const connections = await openHttpConnections(HOST, port, of, count);
  undo.push(() => connections.close());
  return connections;
}

const send = (slot: Slot, number = 1): Promise<string | undefined> => new Promise((resolve) => slot.send(number, resolve));
const pause = (ms = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a response', () => {
  const whole: readonly (readonly [string, string])[] = [
    ['of a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;note=1\r\n world\r\n0\r\n\r\n'],
    ['in chunks that look like ends', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n'],
    ['in chunks, with trailers', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nsum: 1\r\nlast: 2\r\n\r\n'],
    ['without a body', 'HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n'],
    ['with an empty body', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ];

  test.each(whole)('%s ends where it ends, split at every byte', (_words, text) => {
    const bytes = Buffer.from(text);
    const reader = new ResponseReader();
    for (let at = 1; at < bytes.length; at++) {
      reader.reset();
      expect(reader.push(bytes.subarray(0, at)), `its first ${at} bytes`).toBe('more');
      expect(reader.push(bytes.subarray(at)), `split at ${at}`).toBe('whole');
    }
    reader.reset();
    expect([...bytes].map((byte) => reader.push(Buffer.from([byte]))), 'byte by byte').toEqual([...bytes.subarray(1)].map(() => 'more').concat('whole'));
    reader.reset();
    expect(reader.push(bytes), 'at once').toBe('whole');
    expect(reader.status).toBe(Number(text.slice(9, 12)));
  });

  test.each([
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['longer than it said', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabc'],
    ['with a chunk of no size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nsize\r\n'],
    ['with a head without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
  ])('%s is bad', (_words, text) => {
    expect(new ResponseReader().push(Buffer.from(text))).toBe('bad');
  });

  test('says what its body begins with, and whether the server hangs up behind it', () => {
    const reader = new ResponseReader();
    reader.push(Buffer.from('HTTP/1.1 500 Oh\r\nConnection: close\r\ncontent-length: 4\r\n\r\nwhy?'));
    expect([reader.status, reader.start(), reader.closes]).toEqual([500, 'why?', true]);
    reader.reset();
    reader.push(Buffer.from('HTTP/1.1 204 No\r\nx-connection: close\r\n\r\n'));
    expect([reader.status, reader.start(), reader.closes]).toEqual([204, '', false]);
  });
});

test('a request is encoded with its length in bytes, and one without a body has none', () => {
  const post: HttpRequest = { ...request, method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'größer' };
  expect(encodeRequest('host', 80, post).toString()).toBe('POST /key-######## HTTP/1.1\r\nhost: host:80\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\ngrößer');
  expect(encodeRequest('host', 80, request).toString()).toBe('GET /key-######## HTTP/1.1\r\nhost: host:80\r\n\r\n');
});

describe('connections', () => {
  test('a real server gets each request with its number, one after the other on each connection', async () => {
    const paths: string[] = [];
    const ports = new Set<number | undefined>();
    const { port } = await httpServer((incoming, response) => {
      paths.push(incoming.url ?? '');
      ports.add(incoming.socket.remotePort);
      response.end('x'.repeat(100_000));
    });
    const { slots } = await connectTo(port, 3);
    for (let round = 0; round < 20; round++) {
      const errors = await Promise.all(slots.map((slot, index) => send(slot, round * 3 + index)));
      expect(errors).toEqual([undefined, undefined, undefined]);
    }
    expect(paths.toSorted()).toEqual(Array.from({ length: 60 }, (_, number) => `/key-${String(number).padStart(8, '0')}`));
    expect(ports.size).toBe(3);
  });

  test('a body that comes in pieces is waited for', async () => {
    const { port } = await rawServer((socket) => {
      void (async () => {
        for (const part of ['HTTP/1.1 200 OK\r\ncontent-le', 'ngth: 10\r\n\r', '\nhello', 'world']) {
          socket.write(part);
          await pause();
        }
      })();
    });
    const [slot] = (await connectTo(port)).slots;
    expect(await send(slot!)).toBeUndefined();
    expect(await send(slot!), 'the next begins where the last ended').toBeUndefined();
  });

  test('another status is an error with the words of the answer, and the connection goes on', async () => {
    const { port } = await httpServer((incoming, response) => {
      if (incoming.url === '/key-00000002') response.writeHead(404).end('{\n "errorCode": "ERR_STATE_STORE_NOT_FOUND"\n}');
      else response.end('fine');
    });
    const [slot] = (await connectTo(port)).slots;
    expect([await send(slot!, 1), await send(slot!, 2), await send(slot!, 3)]).toEqual([undefined, 'status 404 instead of 200: { "errorCode": "ERR_STATE_STORE_NOT_FOUND" }', undefined]);
  });

  test('a connection that is closed in the middle of an answer is an error, and the slot comes back', async () => {
    const { port, connections } = await rawServer((socket, _head, connection) => {
      if (connection > 0) return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      return void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal');
    });
    const [slot] = (await connectTo(port)).slots;
    expect(await send(slot!)).toBe('the connection was closed');
    expect(await send(slot!)).toBeUndefined();
    expect(connections()).toBe(2);
  });

  test('what is no HTTP is an error, and the slot comes back', async () => {
    const { port } = await rawServer((socket, _head, connection) => void socket.write(connection === 0 ? 'what?\r\n\r\n' : 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
    const [slot] = (await connectTo(port)).slots;
    expect([await send(slot!), await send(slot!)]).toEqual(['the response is not HTTP/1.1 as expected', undefined]);
  });

  test('a server that closes an idle connection costs no operation', async () => {
    const { port, connections } = await rawServer((socket, _head, connection) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      if (connection === 0) setTimeout(() => socket.end(), 10);
    });
    const [slot] = (await connectTo(port)).slots;
    expect(await send(slot!)).toBeUndefined();
    await expect.poll(connections, { message: 'it connects again by itself', timeout: 10_000 }).toBe(2);
    expect(await send(slot!)).toBeUndefined();
    expect(connections()).toBe(2);
  });

  test('a server that announces its hanging up with each answer gets each request on a connection of its own', async () => {
    const { port, connections } = await rawServer((socket) => void socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'));
    const [slot] = (await connectTo(port)).slots;
    // At once, as a closed loop does: there is no connection yet when the second is sent.
    const outcomes = await new Promise<(string | undefined)[]>((resolve) => {
      const seen: (string | undefined)[] = [];
      const next = (): void => slot!.send(seen.length, (error) => (seen.push(error) === 10 ? resolve(seen) : next()));
      next();
    });
    expect(outcomes).toEqual(Array.from({ length: 10 }));
    expect(connections()).toBeGreaterThanOrEqual(10);
  });

  test('a server that is gone breaks the connections in words; what is sent then is answered with them', async () => {
    const server = await rawServer((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
    const { slots, broken } = await connectTo(server.port, 2);
    expect(await send(slots[0]!)).toBeUndefined();
    await server.close();
    const words = `the server is gone: connect ECONNREFUSED ${HOST}:${server.port}`;
    expect(await broken).toBe(words);
    await pause();
    expect(await Promise.all(slots.map((slot) => send(slot)))).toEqual([words, words]);
  });

  test('a port where nobody listens is told at once', async () => {
    const { port, close } = await rawServer(() => undefined);
    await close();
    await expect(openHttpConnections(HOST, port, request, 2)).rejects.toThrow(`connect ECONNREFUSED ${HOST}:${port}`);
  });
});
