import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Binding } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, createKeptLog, until } from '../kit/testing.ts';
import nats from './binding.ts';

const address = serverAddress('nats');
const never = new AbortController().signal;
/** Longer than a busy machine stands still: an event whose sign of life comes too late would come twice. */
const ACK_WAIT_MS = 2_500;
const open: Binding[] = [];
const streams: string[] = [];
let raw: NatsConnection;

const build = (options: Record<string, unknown> = {}): Binding => buildComponent(nats, { natsURL: `nats://${address}`, subject: `test.${randomUUID()}`, ackWait: ACK_WAIT_MS, ...options });
async function opened(options: Record<string, unknown> = {}): Promise<Binding> {
  const one = await connected(build(options));
  open.push(one);
  return one;
}
async function newStream(connection = raw): Promise<{ subject: string; streamName: string }> {
  const name = randomUUID();
  await (await jetstreamManager(connection)).streams.add({ name, subjects: [`${name}.>`] });
  if (connection === raw) streams.push(name);
  return { subject: `${name}.events`, streamName: name };
}
const publish = (one: Binding, data: string, metadata: Record<string, string> = {}, signal = never) => one.invoke?.({ operation: 'create', data: Buffer.from(data), metadata }, signal);
async function started(one: Binding, app: ReturnType<typeof eventConsumer>) {
  if (!one.start) throw new Error('no input');
  return one.start({ deliver: (event) => app.deliver(event) });
}

/** Speaks as much of the protocol as signing in takes, and breaks it where `hear` says so. */
async function scriptedServer(hear: (line: string, socket: Socket, state: { readonly connection: number; readonly pings: number }) => void) {
  const lines: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const heard: string[] = [];
    const connection = lines.push(heard);
    let rest = '';
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      const parts = `${rest}${chunk.toString()}`.split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        heard.push(line);
        hear(line, socket, { connection, pings: heard.filter((earlier) => earlier === 'PING').length });
        if (line === 'PING' && socket.writable) socket.write('PONG\r\n');
      }
    });
    socket.write('INFO {"server_id":"scripted","version":"2.10.0","max_payload":1048576,"headers":true}\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What came, a list for each connection. */
    lines,
    drop,
    async close() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}

beforeAll(async () => {
  raw = await connect({ servers: address });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close?.()));
});
afterAll(async () => {
  const manager = await jetstreamManager(raw);
  for (const name of streams) await manager.streams.delete(name);
  await raw.close();
});

outputBindingConformance(nats, {
  open: () => connected(build()),
  calls: [{ operation: 'create', data: '{"n":1}' }],
  wrong: [
    { operation: 'create', metadata: { subject: 'a.*' } },
    { operation: 'create', metadata: { subject: 'a b' } },
    { operation: 'create', metadata: { subject: 'a\r\nPUB x 0' } },
    { operation: 'create', metadata: { subject: '$SYS.REQ' } },
    { operation: 'create', metadata: { messageId: 'a\r\nb' } },
  ],
  away: () => build({ natsURL: 'nats://127.0.0.1:1', user: 'ada', password: 's3cret-word' }),
  secrets: ['s3cret-word'],
});

describe('with a stream', () => {
  inputBindingConformance(nats, {
    async source() {
      const stream = await newStream();
      return { open: () => connected(build(stream)), send: async (text) => void (await publish(await opened(stream), text)) };
    },
    countsAttempts: true,
    leaseMs: ACK_WAIT_MS,
  });

  test('an event is stored, once for an id, and comes with its headers and its number', async () => {
    const stream = await newStream();
    const one = await opened(stream);
    await expect(publish(one, '"text"', { messageId: 'a' })).resolves.toEqual({ metadata: { sequence: '1' } });
    await expect(publish(one, '"text"', { messageId: 'a' })).resolves.toEqual({ metadata: { sequence: '1', duplicate: 'true' } });
    const app = eventConsumer();
    await started(one, app);
    await until(() => app.seen.length > 0);
    expect(app.seen[0]).toMatchObject({ id: `${stream.streamName}-1`, metadata: { subject: stream.subject, 'Nats-Msg-Id': 'a' }, attempt: 1 });
    expect(app.texts()).toEqual(['"text"']);
  });

  test('an event that the app takes long for does not come a second time', async () => {
    const stream = await newStream();
    const ackWait = 4_000;
    const one = await opened({ ...stream, ackWait });
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const app = eventConsumer(async (event) => {
      if (Buffer.from(event.data).toString() === 'long') await held;
      return { action: 'ack' };
    });
    await started(one, app);
    await publish(one, 'long');
    await until(() => app.seen.length === 1);
    const manager = await jetstreamManager(raw);
    const pending = async () => (await manager.consumers.info(stream.streamName, 'tester')).num_redelivered;
    // Longer than the server waits without a sign of life.
    await new Promise((resolve) => setTimeout(resolve, ackWait * 1.5));
    expect([app.seen.length, await pending()]).toEqual([1, 0]);
    letGo();
    await until(async () => (await manager.consumers.info(stream.streamName, 'tester')).num_ack_pending === 0);
  });

  test('that does not exist the component is not ready, and says so', async () => {
    await expect(build({ streamName: 'no-such-stream' }).connect?.(never)).rejects.toThrow(/stream not found/);
  });
});

describe('without a stream', () => {
  inputBindingConformance(nats, {
    async source() {
      const [subject, durableName] = [`test.${randomUUID()}`, randomUUID()];
      return {
        open: () => connected(build({ subject, durableName })),
        async send(text) {
          raw.publish(subject, text);
          await raw.flush();
        },
      };
    },
  });

  test('readers of one name share the events', async () => {
    const subject = `test.${randomUUID()}`;
    const [one, other] = [eventConsumer(), eventConsumer()];
    for (const app of [one, other]) await started(await opened({ subject: `${subject}.*`, durableName: 'shared' }), app);
    const sender = await opened({ subject: `${subject}.a` });
    for (let count = 0; count < 50; count++) await publish(sender, String(count));
    await until(() => one.seen.length + other.seen.length >= 50);
    expect(new Set([...one.texts(), ...other.texts()]).size).toBe(50);
  });
});

describe('a server', () => {
  test('that is away at start and again later is reconnected to by the same instance, which loses no event of a stream', async () => {
    const server = await startPrivateServer('nats');
    try {
      const own = await connect({ servers: server.address });
      const stream = await newStream(own);
      await own.close();
      await server.stop();
      const one = build({ natsURL: server.address, ...stream });
      open.push(one);
      await expect(one.connect?.(never)).rejects.toMatchObject({ fault: 'unavailable' });
      await server.start();
      await one.connect?.(never);
      const app = eventConsumer();
      await started(one, app);
      await publish(one, 'first');
      await until(() => app.seen.length === 1);
      await server.stop(true);
      await until(async () => one.ping?.().then(() => false, () => true) ?? false);
      await expect(publish(one, 'lost')).rejects.toMatchObject({ fault: 'unavailable', permanent: false });
      await server.start();
      await until(async () => publish(one, 'second')?.then(() => true, () => false) ?? false);
      await until(() => app.texts().includes('second'));
    } finally {
      await Promise.all(open.splice(0).map((one) => one.close?.()));
      await server.dispose();
    }
  });

  test('that refuses to sign in again and again, as one that just began may, is reconnected to once it takes us', async () => {
    const served = await scriptedServer((line, socket, { connection }) => {
      if (!line.startsWith('CONNECT') || connection === 1 || connection > 3) return;
      socket.end("-ERR 'Authorization Violation'\r\n");
    });
    const log = createKeptLog();
    const one = await connected(buildComponent(nats, { natsURL: served.address, subject: 'a' }, { log }));
    open.push(one);
    served.drop();
    await until(async () => one.ping?.().then(() => true, () => false) ?? false);
    expect(served.lines.length).toBe(4);
    expect(log.lines.map(({ fields, message }) => fields['reason'] ?? message)).toEqual(['NATS is away; trying again', 'Authorization Violation']);
    await one.close?.();
    await served.close();
  });

  test('that breaks off as intake begins leaves no intake behind', async () => {
    const served = await scriptedServer((line, socket, { connection, pings }) => {
      // The first is of the sign-in.
      if (line === 'PING' && connection === 1 && pings === 2) socket.destroy();
    });
    const one = await connected(build({ natsURL: served.address }));
    open.push(one);
    await expect(started(one, eventConsumer())).rejects.toThrow();
    await until(async () => one.ping?.().then(() => true, () => false) ?? false);
    expect(served.lines.map((lines) => lines.filter((line) => line.startsWith('SUB')).length)).toEqual([1, 0]);
    await one.close?.();
    await served.close();
  });

  test('that takes the connection and says nothing holds nobody longer than his signal', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const place = silent.address();
    const leave = new AbortController();
    const connecting = build({ natsURL: `127.0.0.1:${typeof place === 'object' && place ? place.port : 0}` }).connect?.(leave.signal);
    leave.abort(new Error('too long'));
    await expect(connecting).rejects.toThrow();
    silent.close();
  });

  test('is not asked when the YAML contradicts itself, or puts a password where it would be shown', () => {
    expect(() => build({ natsURL: 'nats://ada:word@host' })).toThrow(/neither user nor password/);
    expect(() => build({ user: 'ada' })).toThrow(/both/);
    expect(() => build({ jwt: 'x' })).toThrow(/both/);
  });
});
