import { expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { NUMBER, NUMBER_DIGITS, padded, readNumber, templateOf, withNumber } from './template.ts';

const numbers = fc.integer({ min: 0, max: 99_999_999 });

test('a number stands in every place that is marked for it, and nothing else changes', () => {
  const template = templateOf(Buffer.from(`GET /${NUMBER}?again=${NUMBER} #######`));
  expect(template.bytes(42).toString()).toBe('GET /00000042?again=00000042 #######');
  expect(template.bytes(99_999_999).toString()).toBe('GET /99999999?again=99999999 #######');
  expect(template.bytes(0)).toHaveLength(template.length);
});

test('two places side by side are two', () => {
  expect(templateOf(Buffer.from(NUMBER + NUMBER)).bytes(7).toString()).toBe('0000000700000007');
});

test('each request has bytes of its own: a socket may still hold the last ones', () => {
  const template = templateOf(Buffer.from(NUMBER));
  const first = template.bytes(1);
  template.bytes(2);
  expect(first.toString()).toBe('00000001');
});

test('bytes that are no text stay as they are', () => {
  const bytes = Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(NUMBER), Buffer.from([255, 0])]);
  expect(templateOf(bytes).bytes(12_345_678)).toEqual(Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from('12345678'), Buffer.from([255, 0])]));
});

test('what is written is read back, in text as in bytes', () => {
  fc.assert(
    fc.property(numbers, fc.string().map((text) => text.replaceAll('#', '')), (number, before) => {
      const start = Buffer.byteLength(before);
      const bytes = templateOf(Buffer.from(before + NUMBER)).bytes(number);
      expect(readNumber(bytes, start)).toBe(number);
      expect(withNumber(`key-${NUMBER}`, number)).toBe(`key-${bytes.toString('utf8', start)}`);
    }),
  );
});

test('where no number stands none is read', () => {
  expect(readNumber(Buffer.from('1234567x'), 0)).toBe(-1);
  expect(readNumber(Buffer.from(NUMBER), 0)).toBe(-1);
  expect(readNumber(Buffer.from('1234567'), 0), 'it ends before the eighth digit').toBe(-1);
  expect(NUMBER_DIGITS).toBe(8);
});

test('text is filled up to a length, and never cut', () => {
  expect(padded('ab', 5)).toBe('abxxx');
  expect(padded('abcdef', 3)).toBe('abcdef');
  expect(padded('', 20)).not.toContain('#');
});
