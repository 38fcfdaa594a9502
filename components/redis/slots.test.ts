import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('a place that is given back goes to the next who waits and still wants it', () => {
  const slots = new Slots(1);
  const got: string[] = [];
  const taker = (name: string, wants: boolean) => () => {
    if (wants && slots.take(() => undefined)) got.push(name);
  };
  expect(slots.take(() => undefined)).toBe(true);
  expect(slots.take(taker('gone meanwhile', false))).toBe(false);
  expect(slots.take(taker('first', true))).toBe(false);
  expect(slots.take(taker('second', true))).toBe(false);
  slots.give();
  expect(got).toEqual(['first']);
  slots.give();
  expect(got).toEqual(['first', 'second']);
});
