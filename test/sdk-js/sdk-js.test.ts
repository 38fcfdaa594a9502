/**
 * The official JavaScript SDK, as it comes from the registry, against real sidecars: an app that is served (subscriptions,
 * methods) and an app that only calls, over HTTP and over gRPC, in all four pairings where the two meet.
 * Every call carries the sidecar's token.
 */
import dapr, { type DaprClient as Client, type DaprServer as App } from '@dapr/dapr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts, startMecha, temporaryFolder, until, untilStatus } from '../tools/processes.ts';

const { CommunicationProtocolEnum, DaprClient, DaprPubSubStatusEnum, DaprServer, HttpMethod } = dapr;
const HOST = '127.0.0.1';
const TOKEN = 'sidecar-token';
const silence = (): void => {};
/** Errors that are expected here would fill the output. */
const quiet = { service: { error: silence, warn: silence, info: silence, verbose: silence, debug: silence } };
const PROTOCOLS = ['http', 'grpc'] as const;
type Protocol = (typeof PROTOCOLS)[number];

interface Sidecar {
  readonly ports: Readonly<Record<Protocol, number>>;
  readonly client: Readonly<Record<Protocol, Client>>;
}

interface Received {
  readonly topic: string;
  readonly data: unknown;
}

const cleanups: (() => Promise<unknown>)[] = [];
let caller: Sidecar | undefined;
const received: Received[] = [];
const attempts = new Map<string, number>();

beforeAll(async () => {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  caller = await startSidecar('caller', folder.path);
  for (const protocol of PROTOCOLS) await startApp(protocol, folder.path);
});

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function startSidecar(appId: string, dataDir: string, app?: { port: number; protocol: Protocol }): Promise<Sidecar> {
  const [http = 0, grpc = 0] = await freePorts(2);
  const ports = { http, grpc };
  const appArgs = app ? ['--app-port', String(app.port), '--app-protocol', app.protocol] : [];
  const running = startMecha(
    ['sidecar', '--app-id', appId, '--dapr-http-port', String(http), '--dapr-grpc-port', String(grpc), '--metrics-port', '0', '--data-dir', dataDir, ...appArgs],
    { DAPR_API_TOKEN: TOKEN },
  );
  cleanups.push(() => running.kill('SIGTERM'));
  await untilStatus(`http://${HOST}:${http}/v1.0/healthz/outbound`, 204, running);
  const clientOver = (protocol: Protocol): Client => {
    const client = new DaprClient({ daprHost: HOST, daprPort: String(ports[protocol]), communicationProtocol: wire(protocol), daprApiToken: TOKEN, logger: quiet });
    cleanups.push(() => client.stop());
    return client;
  };
  return { ports, client: { http: clientOver('http'), grpc: clientOver('grpc') } };
}

/** An app with subscriptions and methods; its topics and its id carry the protocol's name. */
async function startApp(protocol: Protocol, dataDir: string): Promise<void> {
  const [appPort = 0] = await freePorts(1);
  const { ports } = await startSidecar(`${protocol}-app`, dataDir, { port: appPort, protocol });
  const app: App = new DaprServer({
    serverHost: HOST,
    serverPort: String(appPort),
    communicationProtocol: wire(protocol),
    logger: quiet,
    clientOptions: { daprHost: HOST, daprPort: String(ports[protocol]), communicationProtocol: wire(protocol), daprApiToken: TOKEN, logger: quiet },
  });
  const keep = (topic: string) => async (data: unknown) => void received.push({ topic, data });
  await app.pubsub.subscribe('pubsub', `${protocol}-plain`, keep(`${protocol}-plain`));
  await app.pubsub.subscribe('pubsub', `${protocol}-routed`, keep(`${protocol}-routed default`), {
    default: '/default',
    rules: [{ match: 'event.type == "order.placed"', path: '/placed' }],
  });
  app.pubsub.subscribeToRoute('pubsub', `${protocol}-routed`, '/placed', keep(`${protocol}-routed placed`));
  await app.pubsub.subscribeBulk('pubsub', `${protocol}-bulk`, keep(`${protocol}-bulk`), { maxMessagesCount: 10, maxAwaitDurationMs: 50 });
  await app.pubsub.subscribeWithOptions('pubsub', `${protocol}-retried`, {
    callback: async (data: unknown) => {
      const id = JSON.stringify(data);
      attempts.set(id, (attempts.get(id) ?? 0) + 1);
      return attempts.get(id) === 1 ? DaprPubSubStatusEnum.RETRY : DaprPubSubStatusEnum.SUCCESS;
    },
  });
  await app.pubsub.subscribeWithOptions('pubsub', `${protocol}-dropped`, { callback: async () => DaprPubSubStatusEnum.DROP, deadLetterTopic: `${protocol}-dead` });
  await app.pubsub.subscribe('pubsub', `${protocol}-dead`, keep(`${protocol}-dead`));
  await app.invoker.listen('echo', async ({ body, query }) => ({ body: parsed(body), query: query ?? '' }), { method: HttpMethod.POST });
  await app.invoker.listen('read', async () => ({ from: protocol }), { method: HttpMethod.GET });
  await app.start();
  cleanups.push(() => app.stop());
}

const wire = (protocol: Protocol) => (protocol === 'http' ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC);
/** The SDK's HTTP server hands over text, its gRPC server too, but for JSON bodies. */
const parsed = (body: unknown): unknown => (typeof body === 'string' && body !== '' ? JSON.parse(body) : body);
const callerOver = (protocol: Protocol): Client => {
  if (!caller) throw new Error('the caller has not started');
  return caller.client[protocol];
};
const untilReceived = (topic: string, data: unknown) =>
  until(`${JSON.stringify(data)} arrives on ${topic}; so far: ${JSON.stringify(received)}`, () => received.some((one) => one.topic === topic && same(one.data, data)));
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

describe.each(PROTOCOLS)('state over %s', (protocol) => {
  const key = (name: string): string => `${protocol}-${name}`;

  test('what is saved can be read, objects and text', async () => {
    const { state } = callerOver(protocol);
    await state.save('statestore', [{ key: key('a'), value: { n: 1, words: 'grün' } }, { key: key('b'), value: 'text' }]);
    expect(await state.get('statestore', key('a'))).toEqual({ n: 1, words: 'grün' });
    expect(await state.get('statestore', key('b'))).toBe('text');
  });

  test('a key that was never saved is empty', async () => {
    expect(await callerOver(protocol).state.get('statestore', key('none'))).toBe('');
  });

  test('several keys are read at once', async () => {
    const { state } = callerOver(protocol);
    await state.save('statestore', [{ key: key('c'), value: { n: 1 } }, { key: key('d'), value: { n: 2 } }]);
    const items = await state.getBulk('statestore', [key('c'), key('d'), key('none')]);
    expect(items.map(({ key: name, data }) => [name, data || undefined]).sort()).toEqual([[key('c'), { n: 1 }], [key('d'), { n: 2 }], [key('none'), undefined]]);
  });

  test('what is deleted is gone', async () => {
    const { state } = callerOver(protocol);
    await state.save('statestore', [{ key: key('e'), value: 'x' }]);
    await state.delete('statestore', key('e'));
    expect(await state.get('statestore', key('e'))).toBe('');
  });

  test('a stale etag leaves the value alone, the right one changes it', async () => {
    const { state } = callerOver(protocol);
    await state.save('statestore', [{ key: key('f'), value: 'first' }]);
    const [item] = await state.getBulk('statestore', [key('f')]);
    const etag = String(item?.['etag']);
    expect(etag).not.toBe('');
    expect(await failed(state.save('statestore', [{ key: key('f'), value: 'stale', etag: '999999' }]))).toBe(true);
    expect(await failed(state.delete('statestore', key('f'), { etag: '999999' }))).toBe(true);
    expect(await state.get('statestore', key('f'))).toBe('first');
    expect(await failed(state.save('statestore', [{ key: key('f'), value: 'second', etag }]))).toBe(false);
    expect(await state.get('statestore', key('f'))).toBe('second');
  });

  test('a transaction is done as a whole', async () => {
    const { state } = callerOver(protocol);
    await state.save('statestore', [{ key: key('h'), value: 'old' }]);
    await state.transaction('statestore', [
      { operation: 'upsert', request: { key: key('g'), value: 'new' } },
      { operation: 'delete', request: { key: key('h') } },
    ]);
    expect([await state.get('statestore', key('g')), await state.get('statestore', key('h'))]).toEqual(['new', '']);
  });

  test('an unknown store is an error', async () => {
    expect(await failed(callerOver(protocol).state.save('nowhere', [{ key: 'a', value: 'b' }]))).toBe(true);
  });
});

test('state saved over one protocol is read over the other', async () => {
  const [http, grpc] = PROTOCOLS.map((protocol) => callerOver(protocol).state);
  await http?.save('statestore', [{ key: 'by-http', value: { n: 1 } }]);
  await grpc?.save('statestore', [{ key: 'by-grpc', value: { n: 2 } }]);
  expect(await grpc?.get('statestore', 'by-http')).toEqual({ n: 1 });
  expect(await http?.get('statestore', 'by-grpc')).toEqual({ n: 2 });
});

describe.each(PROTOCOLS)('publishing over %s', (publisher) => {
  describe.each(PROTOCOLS)('to an app served over %s', (served) => {
    const data = (name: string) => ({ from: publisher, name });

    test('an event arrives', async () => {
      const event = data('plain');
      await callerOver(publisher).pubsub.publish('pubsub', `${served}-plain`, event);
      await untilReceived(`${served}-plain`, event);
    });

    test('text arrives as text', async () => {
      await callerOver(publisher).pubsub.publish('pubsub', `${served}-plain`, `text from ${publisher}`);
      await untilReceived(`${served}-plain`, `text from ${publisher}`);
    });

    test('an event takes the route that its rule names, others the default', async () => {
      const { pubsub } = callerOver(publisher);
      const placed = { specversion: '1.0', id: `placed-${publisher}-${served}`, source: 'shop', type: 'order.placed', datacontenttype: 'application/json', data: data('placed') };
      await pubsub.publish('pubsub', `${served}-routed`, placed, { contentType: 'application/cloudevents+json' });
      await pubsub.publish('pubsub', `${served}-routed`, data('other'));
      await untilReceived(`${served}-routed placed`, data('placed'));
      await untilReceived(`${served}-routed default`, data('other'));
    });

    test('a bulk publish arrives, all of it, in bulk', async () => {
      const events = ['1', '2', '3'].map(data);
      const { failedMessages } = await callerOver(publisher).pubsub.publishBulk('pubsub', `${served}-bulk`, events);
      expect(failedMessages).toEqual([]);
      for (const event of events) await untilReceived(`${served}-bulk`, event);
    });

    test('an event that the app wants again comes again', async () => {
      const event = data('retried');
      await callerOver(publisher).pubsub.publish('pubsub', `${served}-retried`, event);
      await until('the second attempt', () => (attempts.get(JSON.stringify(event)) ?? 0) >= 2);
    });

    test('an event that the app drops goes to the dead-letter topic', async () => {
      const event = data('dropped');
      await callerOver(publisher).pubsub.publish('pubsub', `${served}-dropped`, event);
      await untilReceived(`${served}-dead`, event);
    });
  });

  test('an unknown component is an error', async () => {
    expect(await failed(callerOver(publisher).pubsub.publish('nowhere', 'topic', {}))).toBe(true);
    expect((await callerOver(publisher).pubsub.publishBulk('nowhere', 'topic', ['a'])).failedMessages).toHaveLength(1);
  });
});

describe.each(PROTOCOLS)('invoking over %s', (protocol) => {
  describe.each(PROTOCOLS)('an app served over %s', (served) => {
    test('a method gets its body and its answer comes back', async () => {
      const answer = (await callerOver(protocol).invoker.invoke(`${served}-app`, 'echo', HttpMethod.POST, { n: 1, words: 'grün' })) as { body: unknown };
      expect(answer.body).toEqual({ n: 1, words: 'grün' });
    });

    test('a method without a body is called', async () => {
      expect(await callerOver(protocol).invoker.invoke(`${served}-app`, 'read', HttpMethod.GET)).toEqual({ from: served });
    });
  });

  test('an app that nobody serves is an error', async () => {
    expect(await failed(callerOver(protocol).invoker.invoke('nobody', 'read', HttpMethod.GET))).toBe(true);
  });
});

describe.each(PROTOCOLS)('the rest over %s', (protocol) => {
  test('metadata is read and labelled', async () => {
    const { metadata } = callerOver(protocol);
    expect(await metadata.set(`label-${protocol}`, 'x')).toBe(true);
    expect(JSON.stringify(await metadata.get())).toContain(`label-${protocol}`);
  });
});

/** The SDK's HTTP client returns some errors, its gRPC client throws them. */
async function failed(call: Promise<unknown>): Promise<boolean> {
  try {
    const answer = await call;
    return typeof answer === 'object' && answer !== null && 'error' in answer && answer.error !== undefined;
  } catch {
    return true;
  }
}
