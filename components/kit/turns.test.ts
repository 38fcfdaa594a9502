import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

test('no more than the bound are at work, the others follow in order, and a failure gives its place on', async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  let [atWork, most] = [0, 0];
  const work = (number: number) => async (): Promise<number> => {
    order.push(number);
    most = Math.max(most, ++atWork);
    await tick();
    atWork--;
    if (number === 1) throw new Error('first');
    return number;
  };
  const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map((number) => turns.take(never, work(number))));
  expect(most).toBe(2);
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
});

test('who is called off while waiting leaves the line, and a full line refuses', async () => {
  const turns = new Turns(1, 1);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const first = turns.take(never, () => held);
  const leave = new AbortController();
  const second = turns.take(leave.signal, async () => 'second');
  await expect(turns.take(never, async () => 'third')).rejects.toMatchObject({ fault: 'unavailable' });
  leave.abort();
  await expect(second).rejects.toMatchObject({ fault: 'timeout' });
  const fourth = turns.take(never, async () => 'fourth');
  letGo();
  await first;
  await expect(fourth).resolves.toBe('fourth');
  await expect(turns.take(leave.signal, async () => 'fifth')).rejects.toMatchObject({ fault: 'timeout' });
});
