import type { Delivery } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import { NotAnEvent, readEvent, type ReadOptions } from './incoming-event.ts';
import { eventOf } from './testing.ts';

const NOW = Date.UTC(2026, 4, 1);
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OPTIONS: ReadOptions = { pubsubName: 'pubsub', raw: false, now: NOW };
const message = (data: string | Uint8Array, metadata: Record<string, string> = {}): Delivery => ({ id: '1', topic: 'placed', data: Buffer.from(data), metadata, attempt: 1 });

describe('reading what a broker hands over', () => {
  test('an envelope is handed on byte for byte', async () => {
    const text = '{ "id":"1", "data":12345678901234567890 }';
    const { body, event, expired } = await readEvent(message(text), OPTIONS);
    expect(Buffer.from(body).toString()).toBe(text);
    expect(event['id']).toBe('1');
    expect(expired).toBe(false);
  });

  test('what is no JSON object is no event', () => {
    for (const text of ['', 'plain', '[1]', '"x"', 'null', '{"a":']) expect(() => readEvent(message(text), OPTIONS)).toThrow(NotAnEvent);
  });

  test('the trace continues from traceparent, else traceid, else what the broker carried', async () => {
    const traceIdOf = async (text: string, metadata = {}) => (await readEvent(message(text, metadata), OPTIONS)).trace.traceId;
    expect(await traceIdOf(`{"traceparent":"${PARENT}"}`)).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(await traceIdOf(`{"traceid":"${PARENT}"}`)).toBe('0af7651916cd43dd8448eb211c80319c');
    const { event, body, trace } = await readEvent(message('{}', { traceparent: PARENT, tracestate: 'a=b' }), OPTIONS);
    expect(trace).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', tracestate: 'a=b' });
    expect(event['traceparent']).toBe(PARENT);
    expect(Buffer.from(body).toString()).toBe('{}');
  });

  test('trace fields and expirations of the wrong type disturb nothing', async () => {
    const read = await readEvent(message('{"traceparent":5,"traceid":{},"tracestate":[],"expiration":7}'), OPTIONS);
    expect(read.trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(read.expired).toBe(false);
  });

  test('an expiration that has passed is noticed, in any zone', async () => {
    const isExpired = async (text: string) => (await readEvent(message(`{"expiration":"${text}"}`), OPTIONS)).expired;
    expect(await isExpired('2026-04-30T23:59:59Z')).toBe(true);
    expect(await isExpired('2026-05-01T00:00:01Z')).toBe(false);
    expect(await isExpired('2026-05-01T01:59:59+02:00')).toBe(true);
    expect(await isExpired('never')).toBe(false);
  });

  test('a raw subscription gets a new envelope around the bytes', async () => {
    const bytes = Buffer.from([0, 1, 255]);
    for (const [options, metadata] of [[{ ...OPTIONS, raw: true }, {}], [OPTIONS, { 'Content-Type': 'application/octet-stream' }]] as const) {
      const { body, event } = await readEvent(message(bytes, { ...metadata, traceid: PARENT }), options);
      expect(eventOf(body)).toEqual(event);
      expect(event).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/), specversion: '1.0', type: 'com.dapr.event.sent', source: 'Dapr', datacontenttype: 'application/octet-stream',
        topic: 'placed', pubsubname: 'pubsub', data_base64: bytes.toString('base64'), traceid: PARENT, traceparent: PARENT, tracestate: '',
      });
    }
  });

  test('binary mode of another producer becomes a structured event, for HTTP apps too', async () => {
    const metadata = { ce_id: '7', ce_source: '/shop', ce_type: 'order.placed', ce_specversion: '1.0', ce_custom: 'x', 'content-type': 'application/json' };
    const { event, body } = await readEvent(message('{"n":1}', metadata), OPTIONS);
    expect(event).toMatchObject({ id: '7', source: '/shop', type: 'order.placed', custom: 'x', data: { n: 1 }, datacontenttype: 'application/json', topic: 'placed', pubsubname: 'pubsub' });
    expect(eventOf(body)).toEqual(event);
    const bytes = await readEvent(message(Buffer.from([0, 255]), { ...metadata, 'content-type': 'application/octet-stream' }), OPTIONS);
    expect(bytes.event['data_base64']).toBe('AP8=');
  });

  test('binary mode without what makes a CloudEvent is no event, and says so', async () => {
    const broken = { ce_specversion: '1.0', ce_type: 't', ce_id: '1', 'content-type': 'application/json' };
    await expect(readEvent(message('{}', broken), OPTIONS)).rejects.toThrow(NotAnEvent);
  });
});
