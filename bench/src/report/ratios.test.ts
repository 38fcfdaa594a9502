import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { compareFacts, compareMeasurements, spreadOf } from './ratios.ts';
import { factOf, measurementOf } from './testing.ts';

/** A figure a round: bare and sqlite under one load. */
function rounds(bare: readonly number[], sqlite: readonly number[]): ReturnType<typeof measurementOf>[] {
  return [
    ...bare.map((perSecond, index) => measurementOf({ variant: 'bare', perSecond, round: index + 1 })),
    ...sqlite.map((perSecond, index) => measurementOf({ variant: 'sqlite', perSecond, round: index + 1 })),
  ];
}

describe('spread', () => {
  test('the median of an even count lies between the two in the middle', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, count: 4 });
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, count: 3 });
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, count: 1 });
  });

  test('there is none of no figures', () => {
    expect(() => spreadOf([])).toThrow('at least one');
  });

  test('the median lies within, and the order of figures is no matter', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (figures) => {
        const { median, min, max } = spreadOf(figures);
        expect(median).toBeGreaterThanOrEqual(min);
        expect(median).toBeLessThanOrEqual(max);
        expect(spreadOf(figures.toReversed())).toEqual(spreadOf(figures));
      }),
    );
  });
});

describe('measurements', () => {
  test('1: ratios are taken within a round, so that a slow round of the machine does not move them', () => {
    const [group] = compareMeasurements(rounds([1000, 500, 2000], [400, 250, 700]));
    expect(group?.base).toBe('bare');
    const [bare, sqlite] = group?.variants ?? [];
    expect(bare?.variant).toBe('bare');
    expect(bare).not.toHaveProperty('ratio');
    expect(sqlite?.perSecond).toEqual({ median: 400, min: 250, max: 700, count: 3 });
    expect(sqlite?.ratio).toEqual({ median: 0.4, min: 0.35, max: 0.5, count: 3 });
  });

  test('each part of a load makes a group of its own, and optional parts are absent in it, not undefined', () => {
    const base = measurementOf();
    const groups = compareMeasurements([
      base,
      measurementOf({ scenario: 'publish' }),
      measurementOf({ protocol: 'grpc' }),
      measurementOf({ mode: 'open', rate: 100 }),
      measurementOf({ mode: 'open', rate: 200 }),
      measurementOf({ concurrency: 64 }),
      measurementOf({ payloadBytes: 10 }),
      measurementOf({ rows: 1000 }),
      measurementOf({ variant: 'sqlite' }),
    ]);
    expect(groups.map(({ variants }) => variants.length)).toEqual([2, 1, 1, 1, 1, 1, 1, 1]);
    expect(groups[0]?.load).toStrictEqual({ scenario: 'state-get', protocol: 'http', mode: 'closed', concurrency: 8, payloadBytes: 1024 });
    expect(groups[4]?.load.rate).toBe(200);
    expect(groups[7]?.load.rows).toBe(1000);
  });

  test('2: without a bare variant the first is the base', () => {
    const [group] = compareMeasurements([measurementOf({ variant: 'memory', perSecond: 100 }), measurementOf({ variant: 'sqlite', perSecond: 50 })]);
    expect(group?.base).toBe('memory');
    expect(group?.variants[1]?.ratio?.median).toBe(0.5);
  });

  test('2: bare is the base wherever it stands', () => {
    const [group] = compareMeasurements([measurementOf({ variant: 'memory', perSecond: 500 }), measurementOf({ variant: 'bare', perSecond: 1000 })]);
    expect(group?.base).toBe('bare');
    expect(group?.variants.map(({ ratio }) => ratio?.median)).toEqual([0.5, undefined]);
  });

  test('2: a bare variant that knows no protocol is the base of those that do', () => {
    const groups = compareMeasurements([
      measurementOf({ protocol: 'none', perSecond: 2000 }),
      measurementOf({ protocol: 'http', variant: 'redis', perSecond: 500 }),
      measurementOf({ protocol: 'grpc', variant: 'redis', perSecond: 1000 }),
    ]);
    expect(groups.map(({ base, variants }) => [base, variants[0]?.ratio?.median])).toEqual([['bare', undefined], ['bare', 0.25], ['bare', 0.5]]);
  });

  test('3: a round without a figure of the base, or with zero, gives no ratio', () => {
    const [group] = compareMeasurements(rounds([1000, 0], [500, 500, 500]));
    expect(group?.variants[1]?.ratio).toEqual({ median: 0.5, min: 0.5, max: 0.5, count: 1 });
    const [none] = compareMeasurements(rounds([0], [500]));
    expect(none?.variants[1]).not.toHaveProperty('ratio');
  });

  test('4: of two figures of a round the later counts', () => {
    const [group] = compareMeasurements([...rounds([1000], [100]), measurementOf({ variant: 'sqlite', perSecond: 400 })]);
    expect(group?.variants[1]?.measurements).toHaveLength(1);
    expect(group?.variants[1]?.ratio?.median).toBe(0.4);
  });

  test('an open loop has differences of latency, a closed one has not', () => {
    const open = (variant: string, round: number, p50: number, p99: number): ReturnType<typeof measurementOf> => measurementOf({ variant, round, mode: 'open', rate: 100, latency: { p50, p99 } });
    const [group] = compareMeasurements([open('bare', 1, 1, 5), open('bare', 2, 2, 5), open('sqlite', 1, 1.5, 4), open('sqlite', 2, 3, 9)]);
    expect(group?.variants[1]?.p50Difference).toEqual({ median: 0.75, min: 0.5, max: 1, count: 2 });
    expect(group?.variants[1]?.p99Difference).toEqual({ median: 1.5, min: -1, max: 4, count: 2 });
    expect(group?.variants[0]).not.toHaveProperty('p50Difference');
    expect(compareMeasurements(rounds([1], [1]))[0]?.variants[1]).not.toHaveProperty('p99Difference');
  });

  test('5: growth compares each variant with itself at the first number of rows, in latency too', () => {
    const size = (variant: string, rows: number, round: number, perSecond: number, p50: number, p99: number): ReturnType<typeof measurementOf> => measurementOf({ variant, rows, round, perSecond, latency: { p50, p99 } });
    const groups = compareMeasurements([
      size('sqlite', 1000, 1, 1000, 1, 4),
      size('redis', 1000, 1, 4000, 0.5, 2),
      size('sqlite', 100_000, 1, 900, 1.25, 3),
      size('redis', 100_000, 1, 2000, 0.75, 8),
      size('sqlite', 1000, 2, 500, 2, 8),
      size('sqlite', 100_000, 2, 500, 2.5, 8),
      // Another load, in which this is the first size.
      measurementOf({ variant: 'sqlite', rows: 100_000, concurrency: 64 }),
    ]);
    expect(groups.map(({ load, baseRows }) => [load.rows, baseRows])).toEqual([[1000, 1000], [100_000, 1000], [100_000, 100_000]]);
    expect(groups.every((group) => !('base' in group))).toBe(true);
    for (const first of [groups[0], groups[2]]) for (const one of first?.variants ?? []) expect(Object.keys(one)).toEqual(['variant', 'measurements', 'perSecond']);
    const [sqlite, redis] = groups[1]?.variants ?? [];
    expect(sqlite?.ratio).toEqual({ median: 0.95, min: 0.9, max: 1, count: 2 });
    expect(sqlite?.p50Difference).toEqual({ median: 0.375, min: 0.25, max: 0.5, count: 2 });
    expect(sqlite?.p99Difference).toEqual({ median: -0.5, min: -1, max: 0, count: 2 });
    expect(redis?.ratio?.median).toBe(0.5);
    expect(redis?.p99Difference?.median).toBe(6);
  });

  test('rounds come in order, whatever the order in which they were measured', () => {
    const [group] = compareMeasurements([measurementOf({ round: 2 }), measurementOf({ round: 1 })]);
    expect(group?.variants[0]?.measurements.map(({ round }) => round)).toEqual([1, 2]);
  });
});

test('facts are compared as measurements are, by scenario and name', () => {
  const groups = compareFacts([
    factOf({ value: 40 }),
    factOf({ value: 50, round: 2 }),
    factOf({ variant: 'sqlite', value: 200 }),
    factOf({ variant: 'sqlite', value: 200, round: 2 }),
    factOf({ name: 'idle memory', unit: 'bytes', variant: 'sqlite', value: 9e7 }),
  ]);
  expect(groups).toEqual([
    {
      scenario: 'startup',
      name: 'start to ready',
      unit: 'ms',
      base: 'bare',
      variants: [
        { variant: 'bare', value: { median: 45, min: 40, max: 50, count: 2 } },
        { variant: 'sqlite', value: { median: 200, min: 200, max: 200, count: 2 }, ratio: { median: 4.5, min: 4, max: 5, count: 2 } },
      ],
    },
    { scenario: 'startup', name: 'idle memory', unit: 'bytes', base: 'sqlite', variants: [{ variant: 'sqlite', value: { median: 9e7, min: 9e7, max: 9e7, count: 1 } }] },
  ]);
});
