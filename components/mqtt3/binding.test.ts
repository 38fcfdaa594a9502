import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Binding } from '@mecha/components/kit';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import { eventConsumer, inputBindingConformance } from '../kit/conformance/input-binding.ts';
import { outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { buildComponent, connected, until } from '../kit/testing.ts';
import mqtt3 from './binding.ts';

const url = `mqtt://${serverAddress('mosquitto')}`;
const never = new AbortController().signal;
const newTopic = (): string => `mecha/test/${randomUUID()}`;
const open: Binding[] = [];
let raw: MqttClient;

const build = (options: Record<string, unknown> = {}): Binding => buildComponent(mqtt3, { url, topic: newTopic(), consumerID: `test-${randomUUID()}`, ...options });
async function opened(options: Record<string, unknown> = {}): Promise<Binding> {
  const one = await connected(build(options));
  open.push(one);
  return one;
}
const publish = (one: Binding, data: string, metadata: Record<string, string> = {}, signal = never) => one.invoke?.({ operation: 'create', data: Buffer.from(data), metadata }, signal);
async function started(one: Binding, app: ReturnType<typeof eventConsumer>) {
  if (!one.start) throw new Error('no input');
  return one.start({ deliver: (event) => app.deliver(event) });
}

beforeAll(async () => {
  raw = await mqtt.connectAsync(url);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close?.()));
});
afterAll(() => raw.endAsync());

outputBindingConformance(mqtt3, {
  open: () => connected(build()),
  calls: [{ operation: 'create', data: '{"n":1}', metadata: { topic: newTopic(), qos: '2' } }],
  wrong: [
    { operation: 'create', metadata: { topic: 'a/+/b' } },
    { operation: 'create', metadata: { topic: '#' } },
    { operation: 'create', metadata: { qos: '3' } },
    { operation: 'create', metadata: { retain: 'maybe' } },
  ],
  away: () => build({ url: 'mqtt://ada:s3cret-word@127.0.0.1:1' }),
  secrets: ['s3cret-word'],
});

inputBindingConformance(mqtt3, {
  async source() {
    const [topic, consumerID] = [newTopic(), `test-${randomUUID()}`];
    const settings = { topic, consumerID };
    // The broker collects from the first time on that the reader was there.
    const first = await connected(build(settings));
    await (await started(first, eventConsumer())).close();
    await first.close?.();
    return { open: () => connected(build(settings)), send: async (text) => void (await raw.publishAsync(topic, text, { qos: 1 })) };
  },
  countsAttempts: true,
});

describe('events out', () => {
  test('are bytes as given, the quotes of a JSON string too, at the topic, quality and retention asked for', async () => {
    const [own, other] = [newTopic(), newTopic()];
    const heard: [topic: string, text: string, qos: number][] = [];
    raw.on('message', (topic, payload, { qos }) => void heard.push([topic, payload.toString(), qos]));
    await raw.subscribeAsync([own, other], { qos: 2 });
    const one = await opened({ topic: own });
    await publish(one, '{"a": 1}');
    await publish(one, '"text"', { topic: other, qos: '2', retain: 'True' });
    await until(() => heard.length >= 2);
    expect(heard).toEqual([[own, '{"a": 1}', 1], [other, '"text"', 2]]);
    const late = eventConsumer();
    await started(await opened({ topic: other }), late);
    await until(() => late.seen.length > 0);
    expect(late.seen[0]).toMatchObject({ metadata: { topic: other, retained: 'true' } });
  });
});

describe('events in', () => {
  test('come from all topics that a wildcard names, each saying which', async () => {
    const base = newTopic();
    const app = eventConsumer();
    await started(await opened({ topic: `${base}/+` }), app);
    for (const name of ['a', 'b']) await raw.publishAsync(`${base}/${name}`, name, { qos: 1 });
    await until(() => app.seen.length >= 2);
    expect(app.seen.map(({ metadata }) => metadata['topic'])).toEqual([`${base}/a`, `${base}/b`]);
  });

  test('of a clean session, or at quality 0, are not said to be redelivered', () => {
    expect([build().redelivers, build({ cleanSession: true }).redelivers, build({ qos: 0 }).redelivers]).toEqual([true, false, false]);
  });

  test('that are alike are two events', async () => {
    const topic = newTopic();
    const app = eventConsumer();
    await started(await opened({ topic }), app);
    for (let count = 0; count < 2; count++) await raw.publishAsync(topic, 'same', { qos: 1 });
    await until(() => app.seen.length >= 2);
    expect(new Set(app.seen.map(({ id }) => id)).size).toBe(2);
  });
});

describe('the id of an event', () => {
  /** Takes the reader's place for a moment, without a session: the broker forgets it, and numbers anew. */
  async function forgetSession(consumerID: string): Promise<void> {
    const other = await mqtt.connectAsync(url, { clientId: `${consumerID}-consumer`, clean: true, reconnectPeriod: 0 });
    await other.endAsync();
  }
  /** Resolves when the topic is read (again). Events of quality 0 use up no number. */
  async function read(topic: string, app: ReturnType<typeof eventConsumer>): Promise<void> {
    const probe = `probe ${randomUUID()}`;
    await until(async () => {
      await raw.publishAsync(topic, probe, { qos: 0 });
      return app.texts().includes(probe);
    });
  }
  const idsOf = (app: ReturnType<typeof eventConsumer>, text: string): readonly string[] => app.seen.filter(({ data }) => Buffer.from(data).toString() === text).map(({ id }) => id);

  test('is the same when it comes again over a new connection, and another for a like event that got the number of one before', async () => {
    const gate = await tcpGate(serverAddress('mosquitto'));
    try {
      const [topic, consumerID] = [newTopic(), `test-${randomUUID()}`];
      let held = Promise.withResolvers<void>();
      const app = eventConsumer(async ({ data }, before) => {
        if (before === 0 && Buffer.from(data).toString() === 'same') await held.promise;
        return { action: 'ack' };
      });
      await started(await opened({ url: `mqtt://${gate.address}`, topic, consumerID }), app);
      for (const times of [1, 2]) {
        held = Promise.withResolvers<void>();
        await read(topic, app);
        await raw.publishAsync(topic, 'same', { qos: 1 });
        await until(() => idsOf(app, 'same').length === 2 * times - 1);
        // Acknowledged into a broken connection: the broker does not hear of it.
        await gate.shut();
        held.resolve();
        await gate.open();
        await until(() => idsOf(app, 'same').length === 2 * times);
        await forgetSession(consumerID);
      }
      const [first = '', again, second, secondAgain] = idsOf(app, 'same');
      expect([again, secondAgain]).toEqual([first, second]);
      expect(second).not.toBe(first);
      // It did get the number of the first.
      expect(second?.startsWith(first)).toBe(true);
    } finally {
      await Promise.all(open.splice(0).map((one) => one.close?.()));
      await gate.close();
    }
  });

  test('is one that no other event has where the broker keeps no session', async () => {
    const [topic, app] = [newTopic(), eventConsumer()];
    for (const times of [1, 2]) {
      const one = await opened({ topic, cleanSession: true });
      await started(one, app);
      await raw.publishAsync(topic, 'same', { qos: 1 });
      await until(() => app.seen.length === times);
      await one.close?.();
    }
    expect(new Set(app.seen.map(({ id }) => id)).size).toBe(2);
  });
});

describe('a broker', () => {
  test('that is away at start and again later is reconnected to by the same instance, which loses no event', async () => {
    const server = await startPrivateServer('mosquitto');
    const [topic, consumerID] = [newTopic(), 'reader'];
    try {
      await server.stop(true);
      const one = build({ url: `mqtt://${server.address}`, topic, consumerID });
      open.push(one);
      await expect(one.connect?.(never)).rejects.toMatchObject({ fault: 'unavailable' });
      await expect(publish(one, 'too early')).rejects.toMatchObject({ fault: 'unavailable' });
      await server.start();
      await one.connect?.(never);
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      const app = eventConsumer(async () => {
        await held;
        return { action: 'ack' };
      });
      await started(one, app);
      await publish(one, 'first');
      await until(() => app.seen.length === 1);

      // Gone while the event is under way: it comes again from the broker, and is known to be the same.
      await server.stop();
      await until(async () => one.ping?.().then(() => false, () => true) ?? false);
      await expect(publish(one, 'lost')).rejects.toMatchObject({ fault: 'unavailable', permanent: false });
      await server.start();
      await until(async () => publish(one, 'second')?.then(() => true, () => false) ?? false);
      await until(() => app.texts().includes('second'));
      expect(app.texts()).toEqual(['first', 'second']);
      letGo();
      await until(() => app.inFlight === 0);
    } finally {
      await Promise.all(open.splice(0).map((one) => one.close?.()));
      await server.dispose();
    }
  });

  test('that takes connections and says nothing keeps neither a connection nor a caller waiting for ever', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const leave = new AbortController();
    const connecting = build({ url: `mqtt://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` }).connect?.(leave.signal);
    leave.abort(new Error('too long'));
    await expect(connecting).rejects.toThrow(/too long/);
    await new Promise<void>((resolve) => void silent.close(() => resolve()));
  });

  test('whose answer somebody does not wait for is asked on by the others', async () => {
    const one = await opened();
    const leave = new AbortController();
    const under = publish(one, 'x', {}, leave.signal);
    leave.abort(new Error('too long'));
    await expect(under).rejects.toMatchObject({ fault: 'timeout' });
    await expect(publish(one, 'next')).resolves.toBeUndefined();
  });
});
