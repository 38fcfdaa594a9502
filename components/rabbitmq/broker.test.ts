import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { serverAddress } from '../../test/servers/servers.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import type { BindingEvent, Clock, EventSettlement } from '../kit/index.ts';
import { createKeptLog, createTurnedClock, realClock, until } from '../kit/testing.ts';
import { Broker, readUrl } from './broker.ts';
import { QueueIntake } from './queue-intake.ts';

const address = serverAddress('rabbitmq');
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** A broker at that address with a queue of its own, which goes a minute after its last use. */
function brokerAt(at: string) {
  const queue = `test-${randomUUID()}`;
  const broker = new Broker({
    url: readUrl(`amqp://guest:guest@${at}/`), tls: {}, externalSasl: false, queue, queueOptions: { durable: false, expires: 60_000 },
    prefetchCount: 10, reconnectWaitMs: 50, clock: realClock, log: createKeptLog(),
  });
  ending.push(() => broker.close());
  const read = async (deliver: (event: BindingEvent) => Promise<EventSettlement>, clock: Clock): Promise<QueueIntake> => {
    const intake = new QueueIntake({ broker, queue, deliver, clock, log: createKeptLog() });
    await intake.start();
    ending.push(() => intake.close());
    return intake;
  };
  return { broker, queue, read };
}

/** Keeps back what the server says to the first client, from where it has signed in until it is let go. */
async function holdingGate() {
  const clients: { readonly client: Socket; readonly behind: Socket }[] = [];
  const signedIn = Promise.withResolvers<void>();
  const server = createServer((client) => {
    const behind = connectSocket(Number(address.split(':')[1]), address.split(':')[0]);
    let toHold = clients.push({ client, behind }) === 1;
    client.on('data', (chunk: Buffer) => {
      // Frames of the connection itself are on channel 0.
      if (toHold && chunk[0] === 1 && chunk.readUInt16BE(1) !== 0) {
        toHold = false;
        behind.pause();
        signedIn.resolve();
      }
      behind.write(chunk);
    });
    behind.on('data', (chunk: Buffer) => void client.write(chunk));
    for (const [one, other] of [[client, behind], [behind, client]] as const) one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ending.push(async () => {
    for (const { client } of clients) client.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    signedIn: signedIn.promise,
    letGo: () => void clients[0]?.behind.resume(),
    open: () => clients.filter(({ client }) => !client.destroyed).length,
  };
}

test('a connection that comes after its connect was called off does not replace the one that came meanwhile, and is closed', async () => {
  const gate = await holdingGate();
  const { broker } = brokerAt(gate.address);
  const leave = new AbortController();
  const first = broker.connect(leave.signal);
  await gate.signedIn;
  leave.abort(new Error('too long'));
  await broker.connect(AbortSignal.timeout(20_000));
  const { session } = broker;
  gate.letGo();
  await expect(first).rejects.toThrow('too long');
  await until(() => gate.open() === 1);
  expect(broker.session).toBe(session);
  await broker.ping();
});

test('a message that waits to be tried again waits once, on the connection that brought it last', async () => {
  const network = await tcpGate(address);
  ending.push(() => network.close());
  const { broker, queue, read } = brokerAt(network.address);
  await broker.connect(AbortSignal.timeout(20_000));
  const clock = createTurnedClock();
  const seen: BindingEvent[] = [];
  let mended = false;
  const intake = await read(async (event) => {
    seen.push(event);
    return mended ? { action: 'ack' } : { action: 'retry', delayMs: 1_000, reason: 'not yet' };
  }, clock);
  broker.session?.writing.sendToQueue(queue, Buffer.from('x'));
  await until(() => seen.length === 1);

  for (let times = 0; times < 2; times++) {
    await network.shut();
    await until(() => broker.session === undefined);
    // Nor while there is none: the queue has it.
    clock.turn(1_000);
    await network.open();
    await until(() => seen.filter(({ attempt }) => attempt === 1).length === 2 + times);
  }
  for (let tries = 0; tries < 3; tries++) {
    clock.turn(1_000);
    await broker.ping();
  }
  expect(seen.map(({ attempt, metadata }) => [attempt, metadata['redelivered'] ?? 'false'])).toEqual([[1, 'false'], [1, 'true'], [1, 'true'], [2, 'true'], [3, 'true'], [4, 'true']]);
  mended = true;
  clock.turn(1_000);
  await until(() => seen.length === 7);
  await intake.close();
  // What was not acknowledged would be back in the queue.
  await broker.close();
  await broker.connect(AbortSignal.timeout(20_000));
  expect(await broker.session?.writing.checkQueue(queue)).toMatchObject({ messageCount: 0 });
});
