import { expect, test } from 'vitest';
import { startTicker } from './ticker.ts';

test.each([0.5, 20])('every %s ms a tick comes at a point of the grid or later, never earlier', async (everyMs) => {
  const timesMs: number[] = [];
  const enough = Promise.withResolvers<void>();
  const ticker = startTicker(everyMs, () => {
    timesMs.push(performance.now());
    if (timesMs.length === 20) enough.resolve();
  });
  const fromMs = await ticker.fromMs;
  await enough.promise;
  await ticker.stop();
  const earlyMs = timesMs.map((atMs, tick) => fromMs + tick * everyMs - atMs);
  expect(Math.max(...earlyMs)).toBeLessThan(0.05);
  const after = timesMs.length;
  await new Promise((resolve) => setTimeout(resolve, 3 * everyMs));
  expect(timesMs.length, 'none comes after the end').toBe(after);
});
