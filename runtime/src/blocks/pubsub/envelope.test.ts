import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { localTime, utcTime } from '../../cloud-event/cloud-event.ts';
import { adoptEvent, buildEnvelope, rawPayloadOf, ttlMsOf, type EnvelopeInput } from './envelope.ts';
import { membersOf } from '../../json/json-members.ts';
import { eventOf } from './testing.ts';

const NOW = Date.UTC(2026, 4, 1, 12, 0, 0, 500);
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const INPUT: EnvelopeInput = {
  id: 'an-id', source: 'orders', topic: 'placed', pubsubName: 'pubsub', contentType: 'text/plain', data: Buffer.from('hello'), metadata: {},
  traceparent: PARENT, tracestate: 'a=b', now: NOW, ttlMs: undefined,
};
const build = (input: Partial<EnvelopeInput>) => eventOf(buildEnvelope({ ...INPUT, ...input }));
const adopt = (event: string, input: Partial<EnvelopeInput> = {}) => Buffer.from(adoptEvent({ ...INPUT, data: Buffer.from(event), ...input })).toString();

describe('a new envelope', () => {
  test('has exactly the attributes of the contract', () => {
    expect(build({})).toEqual({
      id: 'an-id', specversion: '1.0', source: 'orders', type: 'com.dapr.event.sent', datacontenttype: 'text/plain', topic: 'placed', pubsubname: 'pubsub',
      time: localTime(NOW), traceid: PARENT, traceparent: PARENT, tracestate: 'a=b', data: 'hello',
    });
  });

  test('embeds JSON as it is written, whatever its case and parameters, so that no number loses digits', () => {
    const text = '{"n": 12345678901234567890, "x":1.10}';
    for (const contentType of ['application/json', 'Application/JSON;charset=utf-8']) {
      const envelope = Buffer.from(buildEnvelope({ ...INPUT, contentType, data: Buffer.from(text) })).toString();
      expect(envelope).toContain(`"data":${text}`);
      expect(JSON.parse(envelope)).toMatchObject({ datacontenttype: contentType });
    }
  });

  test('keeps as text what calls itself JSON and is none, and what only resembles the type', () => {
    expect(build({ contentType: 'application/json', data: Buffer.from('{"a":') })['data']).toBe('{"a":');
    expect(build({ contentType: 'application/json', data: Buffer.alloc(0) })['data']).toBe('');
    expect(build({ contentType: 'application/foo+json', data: Buffer.from('{"a":1}') })['data']).toBe('{"a":1}');
    expect(build({ contentType: 'application/json ; v=1', data: Buffer.from('{"a":1}') })['data']).toBe('{"a":1}');
  });

  test('carries bytes as base64, also those that are no text whatever they are called', () => {
    const bytes = Buffer.from([0, 255, 254, 10]);
    for (const contentType of ['application/octet-stream', 'application/cloudevents+protobuf', 'application/x-protobuf', 'image/png']) {
      const event = build({ contentType, data: bytes });
      expect(event['data_base64']).toBe(bytes.toString('base64'));
      expect(event).not.toHaveProperty('data');
    }
  });

  test('takes its overrides in any case, traceparent before traceid, and no attribute beyond the list', () => {
    const metadata = { 'CloudEvent.ID': 'mine', 'cloudevent.source': 's', 'cloudevent.type': 't', 'cloudevent.subject': 'sub', 'cloudevent.traceid': 'tid', 'cloudevent.traceparent': 'tp', 'cloudevent.tracestate': 'ts', 'cloudevent.topic': 'other', 'cloudevent.custom': 'x' };
    const event = build({ metadata });
    expect(event).toMatchObject({ id: 'mine', source: 's', type: 't', subject: 'sub', traceid: 'tp', traceparent: 'tp', tracestate: 'ts', topic: 'placed' });
    expect(event).not.toHaveProperty('custom');
    expect(build({ metadata: { 'cloudevent.traceid': 'tid' } })).toMatchObject({ traceid: 'tid', traceparent: 'tid' });
  });

  test('says when it expires, in UTC', () => {
    expect(build({ ttlMs: 10_000 })['expiration']).toBe('2026-05-01T12:00:10Z');
  });

  test('any text survives, quotes, line ends and all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (data, topic) => {
        const event = build({ data: Buffer.from(data), topic });
        expect([event['data'], event['topic']]).toEqual([Buffer.from(data).toString(), topic]);
      }),
    );
  });
});

describe("a caller's own CloudEvent", () => {
  test('is kept, big numbers included, with topic and component set and what is missing filled in', () => {
    const text = adopt('{"id":"1","data":{"n":12345678901234567890},"topic":"other","pubsubname":"x","custom":true}');
    expect(text).toContain('"data":{"n":12345678901234567890}');
    expect(JSON.parse(text)).toMatchObject({
      id: '1', topic: 'placed', pubsubname: 'pubsub', custom: true, source: 'Dapr', type: 'com.dapr.event.sent', specversion: '1.0', traceid: PARENT, traceparent: PARENT, tracestate: 'a=b', time: localTime(NOW),
    });
  });

  test('keeps its own attributes, null ones excepted, and gets no id and no overrides', () => {
    const event = JSON.parse(adopt('{"source":"s","type":null,"traceid":"t","tracestate":"x","time":"then"}', { metadata: { 'cloudevent.source': 'no' } })) as Record<string, unknown>;
    expect(event).toMatchObject({ source: 's', type: 'com.dapr.event.sent', traceid: 't', tracestate: 'x', time: 'then' });
    expect(event).not.toHaveProperty('id');
    expect(event).not.toHaveProperty('traceparent');
  });

  test('must be a JSON object', () => {
    for (const text of ['', '[]', '"x"', '1', 'null', '{"a":', '{"a":1} x']) expect(() => adopt(text)).toThrow(/the event is not/);
  });

  test('survives hostile keys and depth', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const text = adopt(`{"__proto__":{"polluted":1},"constructor":2,"data":${deep},"id":"a","id":"b"}`);
    expect(text).toContain('"__proto__":{"polluted":1}');
    expect(text).toContain(deep);
    expect(text).toContain('"id":"b"');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('members taken apart and put together again are the same value', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 1, 2), (json, indent) => {
      const value = JSON.parse(json) as unknown;
      const text = JSON.stringify(value, null, indent);
      if (typeof value !== 'object' || value === null) return;
      const members = membersOf(`  ${text}\n`);
      const again = Array.isArray(value) ? `[${members.map((member) => member.text).join(',')}]` : `{${members.map((member) => `${JSON.stringify(member.name)}:${member.text}`).join(',')}}`;
      expect(JSON.parse(again)).toEqual(value);
      expect(members).toHaveLength(Object.keys(value).length);
    }),
  );
});

test('a time to live is whole seconds or a Go duration; anything else is ignored', () => {
  const cases: readonly (readonly [Record<string, string>, number | undefined])[] = [
    [{ ttlInSeconds: '10' }, 10_000], [{ ttl: '2' }, 2000], [{ ttlInSeconds: '1m30s' }, 90_000], [{ ttlInSeconds: '1.5s' }, 1500], [{ ttlInSeconds: '250ms' }, 250],
    [{ ttlInSeconds: '0' }, undefined], [{ ttlInSeconds: '-5' }, undefined], [{ ttlInSeconds: 'soon' }, undefined], [{ ttlInSeconds: '10 s' }, undefined], [{}, undefined],
    [{ ttlInSeconds: '99999999999999' }, 100 * 365 * 86_400_000],
  ];
  for (const [metadata, ms] of cases) expect([metadata, ttlMsOf(metadata)]).toEqual([metadata, ms]);
});

test('rawPayload is a Go boolean, and nothing else is one', () => {
  for (const word of ['1', 't', 'T', 'TRUE', 'true', 'True']) expect(rawPayloadOf({ rawPayload: word })).toBe(true);
  for (const word of ['', '0', 'f', 'F', 'FALSE', 'false', 'False']) expect(rawPayloadOf({ rawPayload: word })).toBe(false);
  for (const word of ['yes', 'tRUE', ' true']) expect(rawPayloadOf({ rawPayload: word })).toBeUndefined();
  expect(rawPayloadOf({ rawpayload: 'true' })).toBe(false);
});

test('times carry the zone of the machine and mean the same instant', () => {
  expect(utcTime(NOW)).toBe('2026-05-01T12:00:00Z');
  expect(localTime(NOW)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/);
  expect(Date.parse(localTime(NOW))).toBe(Math.floor(NOW / 1000) * 1000);
});
