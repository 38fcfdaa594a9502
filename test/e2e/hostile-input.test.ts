/** (users 58) Input made to break a parser: it is refused by name or taken as the data that it is, and the sidecar lives on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../tools/processes.ts';
import { cleanUp, folderWith, mecha, startSidecar, testApp, type AppAnswer, type Sidecar } from './sidecar.ts';

const events: { path: string; text: string }[] = [];
let sidecar: Sidecar;

beforeAll(async () => {
  const app = await testApp(({ path, text }): AppAnswer | undefined => {
    if (path === '/dapr/subscribe') return { body: [{ pubsubname: 'pubsub', topic: 'hostile', route: '/hostile' }] };
    if (path === '/hostile') events.push({ path, text });
    return {};
  });
  await app.listen();
  sidecar = await startSidecar({ appPort: app.port, untilReady: 'all', args: ['--max-body-size', '16Mi'] });
});
afterAll(cleanUp);
/** Whatever came, nothing of it was an unexpected error, and the process stands. */
afterEach(async () => {
  const health = await sidecar.call('GET', '/healthz');
  const unexpected = sidecar.process.lines.filter((line) => /unexpected error|a face threw/.test(line));
  if (health.status !== 204 || unexpected.length > 0) throw new Error(`after this the sidecar is not well: ${health.status} ${unexpected.join('\n')}`);
});

const save = (body: string | Uint8Array) => sidecar.call('POST', '/state/statestore', body);
const read = (key: string) => sidecar.call('GET', `/state/statestore/${encodeURIComponent(key)}`);

describe('(users 58) deserialisation', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'])('%s is a key and a member like any other', async (name) => {
    const value = `{"${name}":{"polluted":true},"list":[{"${name}":1}]}`;
    expect((await save(`[{"key":"${name}","value":${value},"metadata":{"${name}":"x"}}]`)).status).toBe(204);
    expect((await read(name)).text).toBe(value);
    const bulk = await sidecar.call('POST', '/state/statestore/bulk', JSON.stringify({ keys: [name], metadata: { [name]: 'x' } }));
    expect(bulk.text).toContain(`"data":${value}`);
    const transaction = await sidecar.call('POST', '/state/statestore/transaction', `{"${name}":1,"operations":[{"operation":"upsert","request":{"key":"${name}","value":${value}}}],"metadata":{"${name}":"x"}}`);
    expect(transaction.status, transaction.text).toBe(204);
    expect((await sidecar.call('GET', `/state/statestore/absent-${name}?metadata.${name}=x`)).status).toBe(204);
    expect((await sidecar.call('PUT', `/metadata/${name}`, 'x')).status).toBe(204);
    expect((await sidecar.call('GET', '/metadata')).json<{ extended: object }>().extended).toHaveProperty([name]);
    expect((await sidecar.call('GET', `/secrets/secretstore/${name}`)).text).not.toContain('native code');
    expect((await sidecar.call('GET', `/state/${name}/k`)).status).toBe(400);
    expect((await sidecar.call('POST', `/publish/${name}/t`, '1')).status).toBe(404);
    const published = await sidecar.call('POST', `/publish/pubsub/hostile?metadata.${name}=x`, value);
    expect(published.status, published.text).toBe(204);
    const event = await until('the event came', () => events.find(({ text }) => text.includes(`"${name}"`) && text.includes('polluted')), { about: sidecar.process });
    expect(event.text).toContain(`"data":${value}`);
    expect((await sidecar.call('POST', '/publish/pubsub/hostile', `{"specversion":"1.0","id":"1","source":"s","type":"t","${name.toLowerCase().replaceAll('_', '')}":"x","data":1,"__proto__":{"x":1}}`, { 'content-type': 'application/cloudevents+json' })).status).toBeLessThan(500);
  });

  test('nesting 100,000 deep is kept byte for byte or refused by name, never a crash', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    for (const [name, text] of [['arrays', deep], ['objects', objects]] as const) {
      const saved = await save(`[{"key":"deep-${name}","value":${text}}]`);
      expect([name, saved.status === 204 || saved.status === 400], saved.text.slice(0, 200)).toEqual([name, true]);
      const stored = await read(`deep-${name}`);
      expect(stored.text === (saved.status === 204 ? text : '')).toBe(true);
      for (const [method, path, body] of [
        ['POST', '/publish/pubsub/hostile', text],
        ['POST', '/state/statestore', text],
        ['POST', '/state/statestore/bulk', text],
        ['POST', '/state/statestore/transaction', text],
        ['POST', '/publish/bulk/pubsub/hostile', text],
        ['POST', '/publish/bulk/pubsub/hostile', `[{"entryId":"1","contentType":"application/json","event":${text}}]`],
      ] as const) {
        const answer = await sidecar.call(method, path, body);
        expect([path, answer.status < 500], answer.text.slice(0, 200)).toEqual([path, true]);
      }
      const event = await sidecar.call('POST', '/publish/pubsub/hostile', text, { 'content-type': 'application/cloudevents+json' });
      expect(event.status === 204 || event.json()['errorCode'] === 'ERR_PUBSUB_CLOUD_EVENTS_SER', event.text.slice(0, 200)).toBe(true);
    }
  });

  test('a number that a double cannot hold is refused where values are decoded, and kept as written where they are not', async () => {
    for (const [key, number, stored] of [
      ['huge', '1e400', undefined],
      ['digits', '9'.repeat(5_000), undefined],
      ['inside', '{"a":[null,-1e999]}', undefined],
      ['long', '12345678901234567890', '12345678901234567000'],
      ['largest', '1.7976931348623157e308', '1.7976931348623157e+308'],
      ['nothing', '{"a":null}', '{"a":null}'],
    ] as const) {
      const saved = await save(`[{"key":"${key}","value":${number}}]`);
      expect([key, saved.status, (await read(key)).text]).toEqual([key, stored === undefined ? 400 : 204, stored ?? '']);
      const data = `{"${key}":${number}}`;
      expect((await sidecar.call('POST', '/publish/pubsub/hostile', data)).status).toBe(204);
      const event = await until('the event came', () => events.find(({ text }) => text.includes(`"${key}":`)), { about: sidecar.process });
      expect(event.text).toContain(`"data":${data}`);
    }
    const ttl = await save('[{"key":"ttl","value":1,"metadata":{"ttlInSeconds":"99999999999999999999999"}}]');
    expect([ttl.json()['errorCode'], (await read('ttl')).status]).toEqual(['ERR_STATE_SAVE', 204]);
    for (const body of ['{"keys":["a"],"parallelism":1e400}', '{"keys":["a"],"parallelism":-99999999999999999999}']) expect((await sidecar.call('POST', '/state/statestore/bulk', body)).status).toBeLessThan(500);
  });

  test('invalid UTF-8 is refused or kept, and a valid neighbour is not half written', async () => {
    const invalid = Buffer.concat([Buffer.from('[{"key":"before","value":1},{"key":"bad","value":"'), Buffer.from([0xff, 0xfe, 0xc3, 0x28]), Buffer.from('"}]')]);
    const answer = await save(invalid);
    expect([204, 400]).toContain(answer.status);
    const both = [(await read('before')).text !== '', (await read('bad')).text !== ''];
    expect(both).toEqual(answer.status === 204 ? [true, true] : [false, false]);
    const published = await sidecar.call('POST', '/publish/pubsub/hostile', invalid, { 'content-type': 'text/plain' });
    expect(published.status).toBeLessThan(500);
    expect((await sidecar.call('GET', '/state/statestore/%ff%fe')).status).toBeLessThan(500);
    expect((await sidecar.call('GET', '/state/statestore/%zz')).status).toBe(400);
  });

  test('of duplicate keys the last counts, in every place that reads JSON', async () => {
    expect((await save('[{"key":"first","key":"second","value":1,"value":2}]')).status).toBe(204);
    expect([(await read('first')).status, (await read('second')).text]).toEqual([204, '2']);
    expect((await save('[{"key":"kept","value":{"a":1,"a":2}}]')).status).toBe(204);
    expect(JSON.parse((await read('kept')).text)).toEqual({ a: 2 });
    const transaction = await sidecar.call('POST', '/state/statestore/transaction', '{"operations":[{"operation":"delete","operation":"upsert","request":{"key":"twice","value":1,"value":3}}]}');
    expect([transaction.status, (await read('twice')).text], transaction.text).toEqual([204, '3']);
  });

  test.each([
    ['nothing', '', 400],
    ['no JSON', '{', 400],
    ['more than one value', '[] []', 400],
    ['a text', '"x"', 400],
    ['a number for a key', '[{"key":7,"value":1}]', 400],
    ['a list for metadata', '[{"key":"k","value":1,"metadata":["a"]}]', 400],
    ['a bare NUL', '\u0000', 400],
    ['a trailing comma', '[{"key":"comma","value":1},]', 400],
  ])('%s where a list of items is expected is refused', async (_what, body, status) => {
    const answer = await save(body);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.json()).toMatchObject({ errorCode: 'ERR_MALFORMED_REQUEST' });
  });

  test('YAML that doubles with each line, or nests without end, is refused with its line', async () => {
    const bomb = `${Array.from({ length: 30 }, (_none, index) => (index === 0 ? 'a0: &a0 [x, x]' : `a${index}: &a${index} [*a${index - 1}, *a${index - 1}]`)).join('\n')}\n`;
    for (const text of [`apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: b }\nspec:\n  type: state.sqlite\n  metadata:\n    - { name: x, value: *a29 }\n${bomb}`, `${bomb}kind: Component\n`, `kind: ${'['.repeat(20_000)}\n`, '"\\xZZ"\n', '\u0000\u0001']) {
      const { code, out, err } = await mecha(['validate', await folderWith({ 'bomb.yaml': text })]);
      expect([code, err]).toEqual([1, '']);
      expect(out).toMatch(/bomb\.yaml(:\d+)?: error: /);
    }
  });
});
