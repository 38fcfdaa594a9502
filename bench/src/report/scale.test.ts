import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { linearScale, logScale, ninesScale, stepScale, type Scale } from './scale.ts';

const named = ({ ticks }: Scale): readonly string[] => ticks.flatMap(({ words }) => (words === '' ? [] : words));
const magnitude = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: -4, max: 8 })).map(([size, power]) => size * 10 ** power);

describe('the logarithmic scale', () => {
  test('it ends on round numbers around the values', () => {
    const scale = logScale([0.03, 4, 45]);
    expect(named(scale)).toEqual(['0.02', '0.05', '0.1', '0.2', '0.5', '1', '2', '5', '10', '20', '50']);
    expect(scale.at(0.02)).toBeCloseTo(0, 9);
    expect(scale.at(50)).toBeCloseTo(1, 9);
    expect(scale.at(1)).toBeCloseTo(0.5, 9);
  });

  test('over many decades only powers of ten have words', () => {
    expect(named(logScale([0.001, 5000]))).toEqual(['0.001', '0.01', '0.1', '1', '10', '100', '1k']);
  });

  test.each([[[]], [[0]], [[7]], [[1]], [[1e-6]], [[0, 3]]])('there is a scale for %j', (values) => {
    const scale = logScale(values);
    expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
    for (const value of [...values, 1]) expect(Number.isFinite(scale.at(value))).toBe(true);
  });

  test('every positive value lies within, and a greater one higher', () => {
    fc.assert(
      fc.property(fc.array(magnitude, { minLength: 1, maxLength: 20 }), (values) => {
        const scale = logScale(values);
        const places = values.toSorted((a, b) => a - b).map((value) => scale.at(value));
        for (const place of places) expect(place).toSatisfy((at: number) => at >= -1e-9 && at <= 1 + 1e-9);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('the linear scale', () => {
  test('it goes from zero to a round number', () => {
    expect(named(linearScale([40_100, 3]))).toEqual(['0', '10k', '20k', '30k', '40k', '50k']);
    expect(named(linearScale([40_000]))).toEqual(['0', '10k', '20k', '30k', '40k']);
    expect(named(linearScale([]))).toEqual(named(linearScale([1])));
  });

  test('every value lies within, with three to eight steps', () => {
    fc.assert(
      fc.property(magnitude, (value) => {
        const scale = linearScale([value]);
        expect(scale.at(value)).toSatisfy((at: number) => at > 0.5 && at <= 1 + 1e-9);
        expect(scale.ticks.length).toSatisfy((count: number) => count >= 3 && count <= 9);
      }),
    );
  });
});

describe('the scale of steps', () => {
  test('it names just its values, a doubling being the same way everywhere', () => {
    const scale = stepScale([64, 1, 8, 256, 8]);
    expect(named(scale)).toEqual(['1', '8', '64', '256']);
    expect(scale.at(64) - scale.at(8)).toBeCloseTo(scale.at(8) - scale.at(1), 9);
    expect(scale.at(256) - scale.at(64)).toBeCloseTo(((scale.at(8) - scale.at(1)) * 2) / 3, 9);
  });

  test('zero stands a step before the least', () => {
    const scale = stepScale([0, 1000, 10_000, 100_000]);
    expect(scale.at(1000) - scale.at(0)).toBeCloseTo(scale.at(10_000) - scale.at(1000), 9);
  });

  test.each([[[5], 5], [[0], 0], [[0, 0], 0]])('a single value of %j stands in the middle', (values, value) => {
    expect(stepScale(values).at(value)).toBeCloseTo(0.5, 9);
  });
});

test('from nine to nine it is the same way', () => {
  expect(ninesScale.at(0)).toBeCloseTo(0, 12);
  expect(ninesScale.at(99) - ninesScale.at(90)).toBeCloseTo(0.25, 9);
  expect(ninesScale.at(99.99)).toBeCloseTo(1, 9);
  expect(Number.isFinite(ninesScale.at(100))).toBe(true);
});
