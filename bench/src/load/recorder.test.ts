import { expect, test } from 'vitest';
import { Recorder } from './recorder.ts';

/** Three significant digits. */
const near = (value: number) => expect.closeTo(value, 2 - Math.ceil(Math.log10(value))) as number;

test('percentiles of a thousand latencies are those of the sorted list', () => {
  const recorder = new Recorder();
  for (let ms = 1000; ms >= 1; ms--) recorder.record(ms);
  expect(recorder.count).toBe(1000);
  expect(recorder.percentiles()).toEqual({ p50: near(500), p90: near(900), p99: near(990), p999: near(999), max: near(1000), mean: near(500) });
});

test('one slow answer in a hundred is not seen at p90, and is at p99.9', () => {
  const recorder = new Recorder();
  for (let count = 0; count < 990; count++) recorder.record(0.25);
  for (let count = 0; count < 10; count++) recorder.record(80);
  expect(recorder.at(90)).toBeCloseTo(0.25, 2);
  expect(recorder.percentiles().p999).toBeCloseTo(80, 0);
});

test('without latencies everything is 0, not NaN', () => {
  expect(new Recorder().percentiles()).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 });
  expect(new Set(new Recorder().distribution().map(([, ms]) => ms))).toEqual(new Set([0]));
});

test('what is too short or too long to be told apart counts as the least or the most', () => {
  const recorder = new Recorder();
  recorder.record(0);
  recorder.record(-1);
  expect(recorder.at(100)).toBe(0.001);
  recorder.record(3_600_000);
  expect(recorder.percentiles().max).toBeCloseTo(600_000, -3);
  expect(recorder.count).toBe(3);
});

test('the distribution rises in percentile and in latency, and ends beyond 99.99', () => {
  const recorder = new Recorder();
  for (let ms = 1; ms <= 10_000; ms++) recorder.record(ms);
  const distribution = recorder.distribution();
  expect(distribution[0]?.[0]).toBe(0);
  expect(distribution.at(-1)?.[0]).toBeGreaterThan(99.99);
  for (const [index, [percentile, ms]] of distribution.slice(1).entries()) {
    expect(percentile).toBeGreaterThan(distribution[index]![0]);
    expect(ms).toBeGreaterThanOrEqual(distribution[index]![1]);
  }
});
