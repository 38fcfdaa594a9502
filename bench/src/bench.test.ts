import { expect, test } from 'vitest';
import { parseArguments, type Options } from './arguments.ts';
import { Bench, NUMBERS_END } from './bench.ts';
import { NUMBER_DIGITS } from './load/template.ts';

test('numbers of loads do not repeat for long, and never have more digits than a request has room for', () => {
  const bench = new Bench(parseArguments(['--quick'], []) as Options, {}, () => undefined);
  const count = 3_000_000;
  const taken = Array.from({ length: 200 }, () => bench.takeNumbers(count));
  expect(new Set(taken.slice(0, 33)).size).toBe(33);
  expect(taken[33]).toBe(0);
  expect(Math.max(...taken) + count).toBeLessThanOrEqual(NUMBERS_END);
  expect(String(NUMBERS_END)).toHaveLength(NUMBER_DIGITS);
});
