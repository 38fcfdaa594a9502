import { expect, test } from 'vitest';
import { Lazy } from './lazy.ts';

test('it is loaded when it is first asked for, and once, however many ask at the same time', async () => {
  let loadings = 0;
  const lazy = new Lazy(async () => ({ number: ++loadings }));
  expect([lazy.loaded, await lazy.whenLoaded(), loadings]).toEqual([undefined, undefined, 0]);
  const [first, second] = await Promise.all([lazy.get(), lazy.get()]);
  expect(first).toBe(second);
  expect(await lazy.get()).toBe(first);
  expect(lazy.loaded).toBe(first);
  expect(loadings).toBe(1);
});

test.each(['rejects', 'throws'])('a loading that %s fails for all who waited, and whoever asks next tries anew', async (how) => {
  let isBroken = true;
  const lazy = new Lazy(() => {
    if (!isBroken) return Promise.resolve('there');
    if (how === 'throws') throw new Error('no such file');
    return Promise.reject(new Error('no such file'));
  });
  const waiting = [lazy.get(), lazy.get()];
  const shutDown = lazy.whenLoaded();
  for (const one of waiting) await expect(one).rejects.toThrow('no such file');
  expect([await shutDown, lazy.loaded]).toEqual([undefined, undefined]);
  isBroken = false;
  expect(await lazy.get()).toBe('there');
});

test('once it is refused nothing is loaded any more, and what was under way is given all the same', async () => {
  let refusal: Error | undefined;
  const slow = Promise.withResolvers<string>();
  const [under, late] = [new Lazy(() => slow.promise, () => refusal), new Lazy(() => Promise.resolve('late'), () => refusal)];
  const asked = under.get();
  refusal = new Error('shutting down');
  const ending = under.whenLoaded();
  slow.resolve('there');
  expect([await asked, await under.get(), await ending]).toEqual(['there', 'there', 'there']);
  await expect(late.get()).rejects.toThrow('shutting down');
  expect(await late.whenLoaded()).toBeUndefined();
});
