import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const WORDS = ['redisHost', 'redisPassword', 'redisDB', 'state.redis', 'topic'];

test.each([
  ['redisHots', 'redisHost'], // two neighbours swapped count once
  ['REDISHOST', 'redisHost'],
  ['redisPasword', 'redisPassword'],
  ['state.reddis', 'state.redis'],
  ['topci', 'topic'],
  ['redisD', 'redisDB'],
  ['password', 'redisPassword'], // the only one that contains it
  ['edis', undefined], // several do
  ['entirelyElse', undefined],
  ['', undefined],
  ['x', undefined],
])('%j is meant to be %j', (word, expected) => {
  expect(nearest(word, WORDS)).toBe(expected);
});

test('of equals the first is taken, and long words cost no more than their beginning', () => {
  expect(nearest('ab', ['aa', 'bb'])).toBe('aa');
  expect(nearest('topic'.padEnd(1_000_000, 'x'), WORDS)).toBeUndefined();
});
