import { expect, test } from 'vitest';
import { countWords, differenceWords, memoryWords, numberWords, ratioWords, shortWords, sizeWords } from './figures.ts';

test('a number has three figures below a hundred, and commas above', () => {
  expect([0, 0.0004, 0.1234, 0.9996, 1.234, 9.996, 12.34, 99.96, 123.4, 1234.5, 1_234_567].map(numberWords)).toEqual(['0', '0.000', '0.123', '1.00', '1.23', '10.0', '12.3', '100', '123', '1,235', '1,234,567']);
  expect(numberWords(-1234.5)).toBe('-1,235');
});

test('a count is never cut', () => {
  expect([0, 12, 1234, 10_000_000].map(countWords)).toEqual(['0', '12', '1,234', '10,000,000']);
});

test('ticks are short', () => {
  expect([0.05, 1, 64, 256, 1000, 12_500, 1e6, 2.5e9].map(shortWords)).toEqual(['0.05', '1', '64', '256', '1k', '12.5k', '1M', '2.5G']);
});

test('payloads are of 1024, memory is of millions', () => {
  expect([0, 512, 1024, 1536, 64 * 1024, 2 ** 20].map(sizeWords)).toEqual(['0 B', '512 B', '1 KB', '1.5 KB', '64 KB', '1 MB']);
  expect([90e6, 123_456_789, 3e9].map(memoryWords)).toEqual(['90.0 MB', '123 MB', '3,000 MB']);
});

test('a difference has its sign', () => {
  expect([0.31, -0.02, 0].map(differenceWords)).toEqual(['+0.310', '-0.020', '0']);
});

test('a small ratio keeps two figures', () => {
  expect([0, 0.00423, 0.0996, 0.45, 1, 7.5, 12.34, 1234].map(ratioWords)).toEqual(['0.00', '0.0042', '0.10', '0.45', '1.00', '7.50', '12.3', '1,234']);
});
