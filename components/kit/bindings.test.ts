import { describe, expect, test } from 'vitest';
import { bytesOf, flagOf, textOf, ttlMsOf } from './bindings.ts';
import { fc } from './test-properties.ts';

describe('the data of a request', () => {
  test('lose the quotes of a JSON string, and are nothing where they are null', () => {
    expect([textOf(Buffer.from('"a \\"b\\" ż"')), textOf(Buffer.from('null')), textOf(Buffer.from('{"a": 1.10}'))]).toEqual(['a "b" ż', '', '{"a": 1.10}']);
    expect(bytesOf(Buffer.from('"ż"'))).toEqual(Buffer.from('ż'));
    expect(bytesOf(Buffer.from('null'))).toHaveLength(0);
  });

  test('stay byte for byte what they are when they are no JSON string, whatever they begin with', () => {
    for (const bytes of [[0x22, 0xff, 0x00], [0x22, 0xff, 0x22], [0x22], [0x6e, 0x75, 0xff, 0x6c]]) expect(Buffer.from(bytesOf(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (tail) => {
        const bytes = Buffer.concat([Buffer.from([0x22]), tail, Buffer.from([0xc3])]);
        expect(Buffer.from(bytesOf(bytes))).toEqual(bytes);
      }),
    );
  });
});

describe('a flag of a request', () => {
  test.each(['true', 'True', 'TRUE', '1', 'yes', 'on', ' t '])('is set by %j', (text) => {
    expect(flagOf({ flag: text }, 'flag', false)).toBe(true);
  });
  test.each(['false', 'False', '0', 'no', 'off'])('is unset by %j', (text) => {
    expect(flagOf({ flag: text }, 'flag', true)).toBe(false);
  });
  test('is what it usually is when absent or empty, and refused by name when it is neither', () => {
    expect([flagOf({}, 'flag', true), flagOf({ flag: '' }, 'flag', true)]).toEqual([true, true]);
    expect(() => flagOf({ flag: 'perhaps' }, 'flag', true)).toThrow('metadata flag must be true or false');
  });
});

describe('the time to live of a request', () => {
  test.each([
    [{}, undefined], [{ ttlInSeconds: '', ttl: '' }, undefined],
    [{ ttlInSeconds: '30' }, 30_000], [{ ttl: '30' }, 30_000], [{ ttlInSeconds: '5m' }, 300_000], [{ ttl: '1h30m' }, 5_400_000], [{ ttl: ' 500ms ' }, 500],
    [{ ttlInSeconds: '', ttl: '2' }, 2_000], [{ ttlInSeconds: '1', ttl: '2' }, 1_000],
  ] as const)('is read from %j', (metadata, ttlMs) => {
    expect(ttlMsOf(metadata, 10_000_000)).toBe(ttlMs);
  });

  test.each(['soon', '0', '-1', '1.5', '100us', '10001', '3h', 'NaN'])('is refused by its name when it is %j', (text) => {
    for (const name of ['ttlInSeconds', 'ttl']) expect(() => ttlMsOf({ [name]: text }, 10_000_999)).toThrow(`metadata ${name} takes a time from 1 ms to 10000 s, such as 30 (seconds), 500ms or 1h30m`);
  });
});
