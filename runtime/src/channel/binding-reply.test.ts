import { describe, expect, test } from 'vitest';
import { BindingEventResponse, BindingEventResponseBindingEventConcurrency } from '@mecha/specs/gen/appcallback.gen.ts';
import { StateOptionsStateConcurrency, StateOptionsStateConsistency } from '@mecha/specs/gen/common.gen.ts';
import type { Init } from '@mecha/specs/codec.ts';
import { replyOfJson, replyOfMessage } from './binding-reply.ts';

const NOTHING = { reply: undefined };
const json = (answer: unknown) => replyOfJson(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)));
/** As it comes: encoded by the app, decoded by the sidecar. */
const message = (answer: Init<BindingEventResponse>) => replyOfMessage(BindingEventResponse.decode(BindingEventResponse.encode(answer)));
const bytes = (text: string) => Buffer.from(text);

describe('an answer over HTTP', () => {
  test('asks for all that an item of the state API can say, and for bindings with the data as they are written', () => {
    const item = { key: 'k', value: { n: 1 }, etag: '7', contentType: 'text/plain', metadata: { ttlInSeconds: '60' }, options: { concurrency: 'first-write', consistency: 'strong' } };
    const text = JSON.stringify({ storeName: 's', state: [item, { key: 'bare' }], to: ['a', 'b'], concurrency: 'PARALLEL' });
    expect(json(`${text.slice(0, -1)}, "data": 12345678901234567890.10 }`)).toEqual({
      reply: {
        storeName: 's',
        states: [
          { key: 'k', value: { data: bytes('{"n":1}'), binary: false }, etag: '7', concurrency: 'first-write', consistency: 'strong', metadata: { contentType: 'text/plain', ttlInSeconds: '60' } },
          { key: 'bare', value: { data: bytes('null'), binary: false }, etag: undefined, concurrency: undefined, consistency: undefined, metadata: {} },
        ],
        to: ['a', 'b'],
        parallel: true,
        data: bytes('12345678901234567890.10'),
      },
    });
  });

  test('may name one item without a list, names in any case, and a concurrency of its own words, which is one after the other', () => {
    expect(json({ STORENAME: 's', State: { Key: 'k' }, concurrency: 'serial' }).reply).toMatchObject({ storeName: 's', states: [{ key: 'k' }], to: [], parallel: false, data: bytes('null') });
  });

  test.each(['', 'thanks', '[]', 'null', '"to"', '{"data":1,"concurrency":5}', '{"storeName":7}', '{"storeName":"s","state":[],"to":[]}', '{"storeName":"s","state":null,"to":null}', '[{"to":["a"]}]'])(
    'that names nothing to be done is the app\'s own: %s',
    (answer) => expect(json(answer)).toEqual(NOTHING),
  );

  const good = { storeName: 's', state: [{ key: 'k', value: 1 }], to: ['a'] };
  test.each([
    ['state without a store', { storeName: undefined }, 'there is "state" and no "storeName"'],
    ['a store that is no text', { storeName: 7 }, '"storeName" must be a string, not number'],
    ['a word for state', { state: 'done' }, 'item 0 of "state" must be an object, not string'],
    ['an item that is none, behind one that is', { state: [...good.state, null] }, 'item 1 of "state" must be an object, not null'],
    ['an item without key', { state: [...good.state, { value: 2 }] }, 'an item of "state" has no "key"'],
    ['a key that is no text', { state: [{ key: 7 }] }, '"key" must be a string, not number'],
    ['an etag that is no text', { state: [{ key: 'k', etag: 7 }] }, '"etag" must be a string, not number'],
    ['metadata that are no texts', { state: [{ key: 'k', metadata: { ttlInSeconds: 60 } }] }, '"metadata.ttlInSeconds" must be a string, not number'],
    ['options that are none', { state: [{ key: 'k', options: 'first-write' }] }, '"options" must be an object, not string'],
    ['an option that is no text', { state: [{ key: 'k', options: { concurrency: 1 } }] }, '"concurrency" must be a string, not number'],
    ['one name for the list of bindings', { to: 'a' }, '"to" must be an array, not string'],
    ['a binding without name', { to: ['a', ''] }, '"to" must be a list of names of bindings'],
    ['a binding that is no text', { to: ['a', 1] }, '"to" must be a list of names of bindings'],
    ['a concurrency that is no text', { concurrency: true }, '"concurrency" must be a string, not boolean'],
  ])('with %s asks for nothing at all, and it is told why', (_what, wrong, malformed) => {
    expect(json(good).reply).toBeDefined();
    expect(json({ ...good, ...wrong })).toEqual({ reply: undefined, malformed });
  });

  test('with a number that no double holds, or nested too deeply to be written, asks for nothing at all', () => {
    expect(json('{"storeName":"s","state":[{"key":"k","value":1e999}],"to":["a"]}')).toEqual({ reply: undefined, malformed: 'a number is out of range' });
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(json(`{"storeName":"s","state":[{"key":"k","value":${deep}}],"to":["a"]}`).reply).toBeUndefined();
  });
});

describe('an answer over gRPC', () => {
  const { PARALLEL } = BindingEventResponseBindingEventConcurrency;

  test('asks for all that an item of the state API can say, and for bindings with the data as they are', () => {
    const options = { concurrency: StateOptionsStateConcurrency.CONCURRENCY_FIRST_WRITE, consistency: StateOptionsStateConsistency.CONSISTENCY_STRONG };
    const states = [{ key: 'k', value: bytes('{"n":1}'), etag: { value: '7' }, metadata: { contentType: 'application/json', ttlInSeconds: '60' }, options }, { key: 'bare', value: Buffer.from([0xff]) }];
    expect(message({ storeName: 's', states, to: ['a', 'b'], data: Buffer.from([0xfe]), concurrency: PARALLEL })).toMatchObject({
      reply: {
        storeName: 's',
        states: [
          { key: 'k', value: { data: bytes('{"n":1}'), binary: false }, etag: '7', concurrency: 'first-write', consistency: 'strong', metadata: { contentType: 'application/json', ttlInSeconds: '60' } },
          { key: 'bare', value: { data: Buffer.from([0xff]), binary: true }, etag: undefined, concurrency: undefined, consistency: undefined },
        ],
        to: ['a', 'b'],
        parallel: true,
        data: Buffer.from([0xfe]),
      },
    });
  });

  test('with a number for an option that the contract does not have asks for it, so that the state block refuses it by name', () => {
    expect(message({ storeName: 's', states: [{ key: 'k', options: { concurrency: 9 } }] }).reply?.states[0]).toMatchObject({ concurrency: '9', consistency: undefined });
  });

  test('that names nothing to be done asks for nothing', () => {
    expect([message({}), message({ storeName: 's', data: bytes('x'), concurrency: PARALLEL })]).toEqual([NOTHING, NOTHING]);
  });

  const good = { storeName: 's', states: [{ key: 'k', value: bytes('1') }], to: ['a'] };
  test.each([
    ['state without a store', { storeName: '' }, 'there is "state" and no "storeName"'],
    ['an item without key', { states: [...good.states, { value: bytes('2') }] }, 'an item of "state" has no "key"'],
    ['a value that is said to be JSON and is not', { states: [{ key: 'k', value: bytes('s3cret'), metadata: { contentType: 'application/json' } }] }, 'the value of item 0 of "state" is said to be JSON and is not'],
    ['a binding without name', { to: ['a', ''] }, '"to" must be a list of names of bindings'],
  ])('with %s asks for nothing at all, and it is told why', (_what, wrong, malformed) => {
    expect(message(good).reply).toBeDefined();
    expect(message({ ...good, ...wrong })).toEqual({ reply: undefined, malformed });
  });
});
