import { LedgerRefused, PublishRefused } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import { MechaError } from '../../errors.ts';
import type { BulkPublishRequest, PublishRequest } from './pubsub.ts';
import { callOf, createBench, eventOf, settled } from './testing.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const request = (more: Partial<PublishRequest> = {}): PublishRequest => ({ pubsubName: 'pubsub', topic: 'placed', data: Buffer.from('hi'), contentType: '', metadata: {}, ...more });
const bulk = (count: number, more: Partial<BulkPublishRequest> = {}): BulkPublishRequest => ({
  pubsubName: 'pubsub',
  topic: 'placed',
  metadata: {},
  entries: Array.from({ length: count }, (_, index) => ({ entryId: String(index), data: Buffer.from(`event ${index}`), contentType: 'text/plain', metadata: {} })),
  ...more,
});
const failure = async (work: Promise<unknown>): Promise<MechaError> => {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(MechaError);
  return error as MechaError;
};

describe('publishing', () => {
  test('puts the event into an envelope of this app and this trace', async () => {
    const { block, broker } = createBench();
    await block.publish(callOf('pubsub.publish', PARENT), request({ contentType: 'application/json', data: Buffer.from('{"n":1}') }));
    const [message] = broker.published;
    expect(message).toMatchObject({ topic: 'placed', contentType: 'application/cloudevents+json', metadata: {} });
    expect(eventOf(message!.data)).toMatchObject({ source: 'orders', topic: 'placed', pubsubname: 'pubsub', data: { n: 1 }, traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c') });
  });

  test('a raw payload goes out as it is, its trace beside it', async () => {
    const { block, broker } = createBench();
    const data = Buffer.from([0, 255]);
    await block.publish(callOf('pubsub.publish', PARENT), request({ data, contentType: 'image/png', metadata: { rawPayload: 'true', k: 'v' } }));
    expect(broker.published[0]).toEqual({ topic: 'placed', data, contentType: 'image/png', metadata: { rawPayload: 'true', k: 'v', traceid: expect.stringContaining('0af7651916cd43dd8448eb211c80319c') } });
  });

  test('a time to live goes into the envelope unless the broker has its own', async () => {
    for (const [features, expires] of [[[], true], [['MESSAGE_TTL'], false]] as const) {
      const { block, broker } = createBench({ features });
      await block.publish(callOf(), request({ metadata: { ttlInSeconds: '10' } }));
      expect('expiration' in eventOf(broker.published[0]!.data)).toBe(expires);
      expect(broker.published[0]!.metadata).toEqual({ ttlInSeconds: '10' });
    }
  });

  test('(users 52) a namespaced component gets the namespace in front of the topic, in bulk and for dead letters too, and the envelope does not', async () => {
    const { block, broker } = createBench({ namespaced: true, namespace: 'test' });
    await block.publish(callOf(), request());
    await block.publishBulk(callOf(), bulk(1));
    await block.publishDirect({ pubsubName: 'pubsub', topic: 'dead', data: Buffer.from('x'), metadata: {} }, callOf().signal);
    expect(broker.published.map(({ topic }) => topic)).toEqual(['testplaced', 'testplaced', 'testdead']);
    expect(eventOf(broker.published[0]!.data)['topic']).toBe('placed');
  });

  test('each thing that can be wrong has its code, status and message on both protocols', async () => {
    const { block, broker } = createBench({ metadata: { allowedTopics: 'placed,broken,full' } });
    broker.refusals.set('broken', new Error('disk on fire'));
    broker.refusals.set('full', new PublishRefused('topic-full', 'topic full holds 1 GiB, the limit set by retentionBytes'));
    const cases: readonly (readonly [Partial<PublishRequest>, string, number, number, string, string])[] = [
      [{ pubsubName: '' }, 'ERR_PUBSUB_EMPTY', 404, 3, 'pubsub name is empty', 'DAPR_PUBSUB_NAME_EMPTY'],
      [{ pubsubName: 'x' }, 'ERR_PUBSUB_NOT_FOUND', 404, 3, 'pubsub x is not found', 'DAPR_PUBSUB_NOT_FOUND'],
      [{ topic: '' }, 'ERR_TOPIC_NAME_EMPTY', 404, 3, 'topic is empty in pubsub pubsub', 'DAPR_PUBSUB_TOPIC_NAME_EMPTY'],
      [{ metadata: { rawPayload: 'yes' } }, 'ERR_PUBSUB_REQUEST_METADATA', 400, 3, "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'yes'", 'DAPR_PUBSUB_METADATA_DESERIALIZATION'],
      [{ contentType: 'application/cloudevents+json', data: Buffer.from('[]') }, 'ERR_PUBSUB_CLOUD_EVENTS_SER', 500, 3, 'cannot create cloudevent', 'DAPR_PUBSUB_CLOUD_EVENT_CREATION'],
      [{ topic: 'other' }, 'ERR_PUBSUB_FORBIDDEN', 403, 7, 'topic other is not allowed for app id orders', 'DAPR_PUBSUB_FORBIDDEN'],
      [{ topic: 'broken' }, 'ERR_PUBSUB_PUBLISH_MESSAGE', 500, 13, 'error when publishing to topic broken in pubsub pubsub: disk on fire', 'DAPR_PUBSUB_PUBLISH_MESSAGE'],
      [{ topic: 'full' }, 'ERR_PUBSUB_PUBLISH_MESSAGE', 500, 13, 'error when publishing to topic full in pubsub pubsub: topic full holds 1 GiB, the limit set by retentionBytes', 'DAPR_PUBSUB_PUBLISH_MESSAGE'],
    ];
    for (const [change, code, http, grpc, message, reason] of cases) {
      const error = await failure(block.publish(callOf(), request(change)));
      expect([error.code, error.httpStatus, error.grpcCode, error.message]).toEqual([code, http, grpc, message]);
      expect(error.details.at(-1)).toMatchObject({ type: 'ErrorInfo', reason });
    }
    expect(broker.published).toEqual([]);
  });

  test('a component that is not connected is 503, and a ledger that is closed passes through', async () => {
    const { block, broker, setComponent } = createBench();
    setComponent('connecting');
    expect(await failure(block.publish(callOf(), request()))).toMatchObject({ httpStatus: 503, grpcCode: 14 });
    setComponent('ready');
    broker.refusals.set('placed', new LedgerRefused('closed', 'the ledger is closed'));
    await expect(block.publish(callOf(), request())).rejects.toBeInstanceOf(LedgerRefused);
  });

  test('an outbound policy tries again', async () => {
    const policy = { policy: 'constant', durationMs: 100, maxIntervalMs: 0, maxRetries: 5, matching: undefined } as const;
    const { block, broker, turn } = createBench({ resiliency: [{ retries: { r: policy }, components: { pubsub: { outbound: { retry: 'r' } } } }] });
    broker.refusals.set('placed', new Error('not now'));
    const publishing = block.publish(callOf(), request());
    await turn(150);
    broker.refusals.clear();
    await turn(150);
    await publishing;
    expect(broker.published).toHaveLength(1);
  });
});

describe('publishing in bulk', () => {
  test('gives every entry its own envelope, with the metadata of the request under its own', async () => {
    const { block, broker } = createBench();
    const entries = [
      { entryId: 'a', data: Buffer.from('1'), contentType: 'application/json', metadata: {} },
      { entryId: 'b', data: Buffer.from('x'), contentType: 'text/plain', metadata: { 'cloudevent.type': 'own', k: 'entry' } },
    ];
    const failed = await block.publishBulk(callOf(), bulk(0, { entries, metadata: { 'cloudevent.source': 'all', ttlInSeconds: '60', k: 'request' } }));
    expect(failed).toEqual([]);
    const [first, second] = broker.published;
    expect(eventOf(first!.data)).toMatchObject({ data: 1, source: 'all', expiration: expect.any(String) });
    expect(first!.metadata).toMatchObject({ k: 'request' });
    expect(eventOf(second!.data)).toMatchObject({ data: 'x', source: 'all', type: 'own' });
    expect(second!.metadata).toMatchObject({ k: 'entry' });
  });

  test('(users 20) names the entries that failed and no others, with and without a bulk operation of the broker', async () => {
    for (const native of [true, false]) {
      const { block, broker } = createBench();
      const isBad = (data: Uint8Array): boolean => /event [37]"/.test(Buffer.from(data).toString());
      const publish = broker.publish.bind(broker);
      broker.publish = (message) => (isBad(message.data) ? Promise.reject(new Error('refused')) : publish(message));
      if (native) {
        broker.publishBulk = async (messages) => ({ failed: messages.flatMap(({ data }, index) => (isBad(data) ? [{ index, error: new Error('refused') }] : [])) });
      }
      expect(await block.publishBulk(callOf(), bulk(10))).toEqual([{ entryId: '3', error: 'refused' }, { entryId: '7', error: 'refused' }]);
    }
  });

  test('(users 20) a policy sends only the failed entries again', async () => {
    const policy = { policy: 'constant', durationMs: 100, maxIntervalMs: 0, maxRetries: 1, matching: undefined } as const;
    const { block, broker, turn } = createBench({ resiliency: [{ retries: { r: policy }, components: { pubsub: { outbound: { retry: 'r' } } } }] });
    const sent: string[][] = [];
    broker.publishBulk = async (messages) => {
      sent.push(messages.map(({ data }) => String(eventOf(data)['data'])));
      return { failed: sent.length === 1 ? [{ index: 1, error: new Error('later') }] : [] };
    };
    const publishing = block.publishBulk(callOf(), bulk(3));
    await turn(200);
    expect(await publishing).toEqual([]);
    expect(sent).toEqual([['event 0', 'event 1', 'event 2'], ['event 1']]);
  });

  test('a broker that is gone fails all entries; what is wrong with the request fails the request', async () => {
    const { block, broker } = createBench({ metadata: { publishingScopes: 'orders=placed' } });
    broker.publishBulk = () => Promise.reject(new Error('gone'));
    expect((await block.publishBulk(callOf(), bulk(2))).map(({ entryId }) => entryId)).toEqual(['0', '1']);
    expect(await failure(block.publishBulk(callOf(), bulk(1, { topic: 'other' })))).toMatchObject({ httpStatus: 403 });
    const twice = bulk(1).entries;
    expect(await failure(block.publishBulk(callOf(), bulk(0, { entries: [...twice, ...twice] })))).toMatchObject({ code: 'ERR_PUBSUB_EVENTS_SER', httpStatus: 400 });
    expect(await failure(block.publishBulk(callOf(), bulk(0, { entries: twice.map((entry) => ({ ...entry, entryId: '' })) })))).toMatchObject({ httpStatus: 400, grpcCode: 3 });
    expect(await block.publishBulk(callOf(), bulk(0))).toEqual([]);
  });

  test('at most 100 publishes are under way at a time', async () => {
    const { block, broker } = createBench();
    let underWay = 0;
    let most = 0;
    broker.publish = async () => {
      most = Math.max(most, ++underWay);
      await settled(1);
      underWay--;
    };
    await block.publishBulk(callOf(), bulk(350));
    expect(most).toBe(100);
  });
});
