import type { StateOperation } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import { traceFrom } from '../telemetry/trace.ts';
import { ProjectionWithoutUpsert, outboxRecordsFor } from './outbox-event.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
const bytes = (data: string | Uint8Array) => ({ data: Buffer.from(data), binary: true });
const upsert = (key: string, value: { data: Uint8Array; binary: boolean }, metadata?: Record<string, string>): StateOperation => ({ type: 'upsert', key, value, ...(metadata ? { metadata } : {}) });

function records(...operations: StateOperation[]) {
  let next = 0;
  const made = outboxRecordsFor({
    operations, config: { pubsub: 'broker', topic: 'changes' }, appId: 'orders', trace: traceFrom(PARENT, 'a=b'), now: Date.UTC(2026, 0, 1), uuid: () => `uuid-${++next}`,
  });
  return { ...made, events: made.records.map(({ data }) => JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>) };
}

describe('the events of a transaction', () => {
  test('every upsert speaks, in order, deletes do not, and nothing is taken from the transaction', () => {
    const operations = [upsert('a', json({ n: 1 })), { type: 'delete', key: 'b' } as const, upsert('c', json([2]))];
    const made = records(...operations);
    expect(made.operations).toEqual(operations);
    expect(made.records).toMatchObject([
      { id: 'outbox-uuid-1', pubsub: 'broker', topic: 'changes', appId: 'orders', contentType: 'application/cloudevents+json', createdAt: Date.UTC(2026, 0, 1) },
      { id: 'outbox-uuid-2' },
    ]);
    expect(made.events.map((event) => event['data'])).toEqual([{ n: 1 }, [2]]);
    expect(made.events[0]).toMatchObject({
      id: 'outbox-uuid-1', source: 'orders', type: 'com.dapr.event.sent', specversion: '1.0', topic: 'changes', pubsubname: 'broker', datacontenttype: 'application/json', tracestate: 'a=b',
      traceid: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'), traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'),
    });
  });

  test('values are what they were given as, whatever the content type', () => {
    const cases: readonly (readonly [{ data: Uint8Array; binary: boolean }, string | undefined, Record<string, unknown>])[] = [
      [json({ n: 1 }), undefined, { data: { n: 1 }, datacontenttype: 'application/json' }],
      [json('text'), undefined, { data: 'text', datacontenttype: 'application/json' }],
      [json({ n: 1 }), 'application/vnd.order+json', { data: { n: 1 }, datacontenttype: 'application/vnd.order+json' }],
      [json('text'), 'text/plain', { data: 'text', datacontenttype: 'text/plain' }],
      [json({ n: 1 }), 'text/plain', { data: '{"n":1}' }],
      [json('AP8='), 'application/octet-stream', { data_base64: 'AP8=' }],
      [bytes('{"n":1}'), 'application/json', { data: { n: 1 } }],
      [bytes('{"n":1}'), undefined, { data: '{"n":1}', datacontenttype: 'text/plain' }],
      [bytes('hello'), 'text/plain', { data: 'hello' }],
      [bytes(Buffer.from([0, 255])), undefined, { data_base64: 'AP8=' }],
      [bytes(Buffer.from([0, 255])), 'application/octet-stream', { data_base64: 'AP8=' }],
    ];
    for (const [value, contentType, expected] of cases) {
      const { events } = records(upsert('k', value, contentType === undefined ? {} : { contentType }));
      expect([contentType, events[0]]).toEqual([contentType, expect.objectContaining(expected)]);
    }
  });

  test('big numbers keep their digits', () => {
    const { records: made } = records(upsert('k', { data: Buffer.from('{"n":12345678901234567890}'), binary: false }));
    expect(Buffer.from(made[0]!.data).toString()).toContain('"data":{"n":12345678901234567890}');
  });

  test('metadata becomes attributes, except for what the event is about and where it goes', () => {
    const metadata = { type: 'order.placed', 'cloudevent.source': 'shop', custom: 'x', id: 'no', data: 'no', topic: 'no', ttlInSeconds: '9', partitionKey: 'p', contentType: 'application/json', 'cloudevent.id': 'no' };
    const { events, records: made } = records(upsert('k', json(1), metadata));
    expect(events[0]).toMatchObject({ type: 'order.placed', source: 'shop', custom: 'x', id: 'outbox-uuid-1', data: 1, topic: 'changes' });
    expect(events[0]).not.toHaveProperty('ttlInSeconds');
    expect(made[0]!.metadata).toEqual({ type: 'order.placed', custom: 'x', id: 'no', data: 'no', topic: 'no', partitionKey: 'p' });
  });
});

describe('projections', () => {
  const projection = (key: string, value: unknown, metadata = {}) => upsert(key, json(value), { 'outbox.projection': 'true', ...metadata });

  test('are not written, and are what the event of their key carries; the first of a key counts', () => {
    const normal = [upsert('a', json('stored a')), upsert('b', json('stored b'))];
    const made = records(projection('b', 'first'), normal[0]!, projection('b', 'second'), normal[1]!);
    expect(made.operations).toEqual(normal);
    expect(made.events.map((event) => event['data'])).toEqual(['stored a', 'first']);
  });

  test('whose key has no upsert fail the transaction', () => {
    expect(() => records(upsert('a', json(1)), projection('b', 2))).toThrow(ProjectionWithoutUpsert);
    expect(() => records({ type: 'delete', key: 'b' }, projection('b', 2))).toThrow('key b');
  });

  test('are marked by any true word, and by nothing else', () => {
    for (const word of ['1', 'y', 'YES', 'true', 'on', 'T']) expect(records(upsert('a', json(1)), upsert('a', json(2), { 'outbox.projection': word })).records).toHaveLength(1);
    for (const word of ['', '0', 'no', 'false', '2']) expect(records(upsert('a', json(1)), upsert('a', json(2), { 'outbox.projection': word })).records).toHaveLength(2);
  });
});
