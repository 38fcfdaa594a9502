import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serverAddress } from '../../test/servers/servers.ts';
import { buildComponent, connected, until } from '../kit/testing.ts';
import kafkaPubSub from './pubsub.ts';

/** A way to the broker that lets connection number `held` (from 0) wait until it is let go. */
async function startGate(held: number) {
  const [host, port] = (serverAddress('kafka').split(',')[0] ?? '').split(':');
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    const isHeld = count++ === held;
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    if (isHeld) reached.resolve();
    void (isHeld ? released.promise : Promise.resolve()).then(() => {
      const onward = connect(Number(port), host).on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, reached: reached.promise, release: released.resolve, open };
}

test.each([
  ['looks for the brokers', 0],
  ['opens its producer', 1],
])('a try to connect to Kafka that is given up while it %s, and ends after the next one, leaves nothing open', async (_stage, held) => {
  const gate = await startGate(held);
  const port = buildComponent(kafkaPubSub, { brokers: [gate.address], authType: 'none' });
  const givingUp = new AbortController();
  const outcome = port.connect?.(givingUp.signal).then(() => 'connected', String);
  await gate.reached;
  givingUp.abort(new Error('given up'));
  await connected(port);
  gate.release();
  expect(await outcome).toContain('given up');
  await until(() => gate.open.size === 1);
  await port.publish({ topic: `test-${randomUUID()}`, data: Buffer.from('x'), metadata: {} });
  await port.close?.();
  await until(() => gate.open.size === 0);
});
