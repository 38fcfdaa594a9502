/** Events all the way: published through the block, over a broker, into a real HTTP app and back. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import inMemory from '@mecha/components/in-memory/pubsub.ts';
import { buildComponent, realClock, until } from '@mecha/components/kit/testing.ts';
import type { Ledger } from '@mecha/components/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { createAppMonitor } from '../../channel/app-monitor.ts';
import { createHttpChannel } from '../../channel/http-channel.ts';
import type { AppSubscription } from '../../channel/channel.ts';
import { createPubSubBlock } from './pubsub.ts';
import { createSubscriptions } from './subscriptions.ts';
import { callOf, createBench, declared, subscriptionTo } from './testing.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

type Event = Record<string, unknown> & { data: unknown };
type Handler = (event: Event, request: IncomingMessage) => { status?: number; body?: unknown } | Promise<{ status?: number; body?: unknown }>;

/** A micrologic of a dozen lines; `subscriptions` is what it answers to GET /dapr/subscribe. */
async function startApp(handle: Handler, options: { port?: number; subscriptions?: () => unknown } = {}): Promise<{ port: number; stop: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/dapr/subscribe') {
        response.writeHead(options.subscriptions ? 200 : 404).end(JSON.stringify(options.subscriptions?.() ?? null));
        return;
      }
      const { status = 200, body } = await handle((await json(request)) as Event, request);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body));
    })();
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  cleanUp.push(stop);
  return { port: (server.address() as AddressInfo).port, stop };
}

/** One sidecar's worth of pub/sub beside the app on `port`; several of them over one `broker` are replicas. */
async function startSidecar(port: number, subscriptions: readonly AppSubscription[], more: { broker?: ReturnType<typeof createBroker> } = {}) {
  const bench = createBench({ clock: realClock });
  Object.assign(bench.instance, { port: more.broker ?? createBroker() });
  const block = createPubSubBlock(bench.parts);
  const { log } = bench.parts;
  const channel = createHttpChannel({
    appId: 'orders', protocol: 'http', address: '127.0.0.1', port, apiToken: undefined, maxConcurrency: undefined, responseHeaderBytesMax: 16_384, healthPath: '/healthz', asksSubscriptions: true, log,
  });
  const monitor = createAppMonitor({ channel, healthCheck: undefined, clock: realClock, log });
  const running = createSubscriptions({ ...bench.parts, block, channel, monitor, declared: declared(...subscriptions) });
  await running.start?.();
  await monitor.start?.();
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await running.drain?.(AbortSignal.timeout(5000));
    await running.stop?.();
    await monitor.stop?.();
    await channel.close();
  };
  cleanUp.push(stop);
  const publish = (topic: string, data: unknown) => block.publish(callOf(), { pubsubName: 'pubsub', topic, data: Buffer.from(JSON.stringify(data)), contentType: 'application/json', metadata: {} });
  const open = () => until(() => running.list().length > 0 && running.list().every(({ state }) => state === 'open'));
  return { ...bench, block, running, publish, open, stop };
}

function createBroker() {
  return buildComponent(inMemory, {}, { name: 'pubsub', appId: 'orders', ledger: {} as Ledger });
}

describe('an event', () => {
  test('reaches the route that its rule names, with its trace and in its envelope', async () => {
    const seen = Promise.withResolvers<{ event: Event; request: IncomingMessage }>();
    const subscriptions = () => [{ pubsubname: 'pubsub', topic: 'orders', routes: { rules: [{ match: 'event.data.total > 100', path: '/big' }], default: '/small' } }];
    const app = await startApp((event, request) => (seen.resolve({ event, request }), {}), { subscriptions });
    const sidecar = await startSidecar(app.port, []);
    await sidecar.open();
    await sidecar.publish('orders', { total: 150 });
    const { event, request } = await seen.promise;
    expect(request.url).toBe('/big');
    expect(request.headers['content-type']).toBe('application/cloudevents+json');
    expect(event).toMatchObject({ data: { total: 150 }, topic: 'orders', source: 'orders' });
    expect(String(request.headers['traceparent']).split('-')[1]).toBe(String(event['traceparent']).split('-')[1]);
    await until(() => sidecar.counted('component_pubsub_ingress_count', { component: 'pubsub', process_status: 'success', topic: 'orders', status: '' }) === 1);
  });

  test('(users 10) that always fails ends among the dead letters after five attempts while the others proceed', async () => {
    const calls: unknown[] = [];
    const app = await startApp(({ data }) => (calls.push(data), data === 'poison' ? { status: 500 } : {}));
    const dead: unknown[] = [];
    const deadApp = await startApp(({ data }) => (dead.push(data), {}));
    const broker = createBroker();
    const sidecar = await startSidecar(app.port, [subscriptionTo('orders', { deadLetterTopic: 'dead' })], { broker });
    const second = await startSidecar(deadApp.port, [subscriptionTo('dead')], { broker });
    await Promise.all([sidecar.open(), second.open()]);
    await sidecar.publish('orders', 'poison');
    for (let index = 0; index < 50; index++) await sidecar.publish('orders', index);
    await until(() => dead.length === 1);
    expect(dead).toEqual(['poison']);
    expect(calls.filter((data) => data === 'poison')).toHaveLength(5);
    expect(new Set(calls)).toHaveLength(51);
    expect(sidecar.letters).toMatchObject([{ reason: 'the app answered with status 500', attempts: 5, topic: 'orders', deadLetterTopic: 'dead' }]);
  });

  test('(users 11) whose dead letter is refused is kept, and written once that is possible', async () => {
    const app = await startApp(() => ({ body: { status: 'DROP' } }));
    const broker = createBroker();
    const publish = broker.publish.bind(broker);
    let refused = 0;
    broker.publish = async (message) => {
      if (message.topic === 'dead' && refused < 3) {
        refused += 1;
        throw new Error('no leader for this topic');
      }
      await publish(message);
    };
    const sidecar = await startSidecar(app.port, [subscriptionTo('orders', { deadLetterTopic: 'dead' })], { broker });
    await sidecar.open();
    await sidecar.publish('orders', 'dropped');
    await until(() => sidecar.letters.length === 1);
    expect(refused).toBe(3);
    expect(sidecar.lines.some(({ message }) => message.includes('no leader for this topic'))).toBe(true);
  });

  test('(users 13) survives a stop under load: nothing is lost, nothing dead-lettered, at most what was under way comes twice', async () => {
    const seen = new Map<unknown, number>();
    const handle: Handler = async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.set(data, (seen.get(data) ?? 0) + 1);
      return {};
    };
    const first = await startApp(handle);
    const broker = createBroker();
    const subscription = subscriptionTo('orders', { deadLetterTopic: 'dead' });
    const one = await startSidecar(first.port, [subscription], { broker });
    await one.open();
    const total = 500;
    const publishing = (async () => {
      for (let index = 0; index < total; index++) {
        await one.publish('orders', index);
        if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await until(() => seen.size > 50, 1);
    // The app goes first, as it does when both get the signal.
    await Promise.all([first.stop(), one.stop()]);
    await publishing;
    const before = seen.size;
    expect(before).toBeLessThan(total);
    const second = await startApp(handle);
    const two = await startSidecar(second.port, [subscription], { broker });
    await until(() => seen.size === total);
    expect([...one.letters, ...two.letters]).toEqual([]);
    const twice = [...seen.values()].filter((count) => count > 1).length;
    expect(twice).toBeLessThanOrEqual(64);
    expect(Math.max(...seen.values())).toBeLessThanOrEqual(2);
  });

  test('(users 40) waits for an app that comes late, goes in the middle, and returns on its port with other routes', async () => {
    const seen: string[] = [];
    const note = (event: Event, request: IncomingMessage) => (seen.push(`${request.url}:${String(event.data)}`), {});
    const route = (path: string) => () => [{ pubsubname: 'pubsub', topic: 'orders', route: path }];
    const first = await startApp(note, { subscriptions: route('/first') });
    const sidecar = await startSidecar(first.port, []);
    await sidecar.open();
    await sidecar.publish('orders', 1);
    await until(() => seen.length === 1);
    await first.stop();
    await until(() => sidecar.running.list()[0]?.state === 'paused');
    await sidecar.publish('orders', 2);
    await startApp(note, { port: first.port, subscriptions: route('/second') });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['/first:1', '/second:2']);
  });

  test('(users 20) of a bulk subscription is settled by its own answer', async () => {
    const batches: string[][] = [];
    const app = await startApp((batch) => {
      const entries = (batch as unknown as { entries: { entryId: string; event: Event }[] }).entries;
      batches.push(entries.map(({ event }) => String(event.data)));
      return { body: { statuses: entries.map(({ entryId, event }) => ({ entryId, status: event.data === 'drop' ? 'DROP' : event.data === 'again' && batches.length === 1 ? 'RETRY' : 'SUCCESS' })) } };
    });
    const sidecar = await startSidecar(app.port, [subscriptionTo('orders', { bulk: { maxMessagesCount: 4, maxAwaitDurationMs: 50 }, deadLetterTopic: 'dead' })]);
    await sidecar.open();
    for (const data of ['a', 'drop', 'again', 'b']) await sidecar.publish('orders', data);
    await until(() => batches.length === 2);
    expect(batches).toEqual([['a', 'drop', 'again', 'b'], ['again']]);
    await until(() => sidecar.letters.length === 1);
    expect(sidecar.letters).toMatchObject([{ reason: 'the app answered DROP', attempts: 1 }]);
  });
});
