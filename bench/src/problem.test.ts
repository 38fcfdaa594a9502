import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isRefusal, Problem, wordsOf } from './problem.ts';

test('words are one line, and those of the first attempt where there were several', () => {
  expect(wordsOf(new Error('first\nsecond'))).toBe('first');
  expect(wordsOf(new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('other')], ''))).toBe('connect ECONNREFUSED ::1:1');
  expect(wordsOf(new AggregateError([], 'none'))).toBe('none');
  expect(wordsOf('text')).toBe('text');
});

test('what the system refused is no mistake of ours, and the rest is', async () => {
  expect(isRefusal(await readFile('/no/such/file').catch((error: unknown) => error))).toBe(true);
  expect(isRefusal(await new Promise((resolve) => connect({ host: '127.0.0.1', port: 1 }).once('error', resolve)))).toBe(true);
  expect(isRefusal(new TypeError('x is not a function'))).toBe(false);
  expect(isRefusal(new Problem('words'))).toBe(false);
  expect(isRefusal('text')).toBe(false);
});
