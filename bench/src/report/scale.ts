/** Scales of a chart's axes: where on an axis a value stands, 0 at its beginning and 1 at its end, and which values are named. */
import { shortWords } from './figures.ts';

export interface Scale {
  /** 0..1 for what lies within, less or more outside. */
  at(value: number): number;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  readonly value: number;
  /** Empty: a line in the grid without words. */
  readonly words: string;
}

/** Over more decades than this there is no room for the words of 2 and 5. */
const ALL_NAMED_DECADES = 3.5;

/** Ends on 1, 2 or 5 times a power of ten around the positive ones of the values, whose powers (and, in a short range, 2 and 5) are named. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const [low, high] = positive.length === 0 ? [1, 10] : [Math.min(...positive), Math.max(...positive)];
  const steps = roundSteps(low, high);
  const [first = 1, last = 10] = [steps[0], steps.at(-1)];
  const decades = Math.log10(last / first);
  const position = (value: number): number => Math.log10(Math.max(value, first / 10) / first) / decades;
  const named = (value: number): boolean => decades <= ALL_NAMED_DECADES || isPowerOfTen(value);
  return { at: position, ticks: steps.map((value) => ({ value, words: named(value) ? shortWords(value) : '' })) };
}

/** From zero to a round number that is not under any of the values, in four to eight steps. */
export function linearScale(values: readonly number[]): Scale {
  const high = Math.max(...values, 0) || 1;
  const step = [1, 2, 2.5, 5, 10].map((size) => size * 10 ** Math.floor(Math.log10(high / 4))).find((size) => high / size <= 6) ?? high;
  const count = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: count + 1 }, (_value, index) => ({ value: index * step, words: shortWords(index * step) }));
  return { at: (value) => value / (count * step), ticks };
}

/** Logarithmic, with just these values named: 1, 8, 64, 256. Zero stands a step before the least of the others. */
export function stepScale(values: readonly number[]): Scale {
  const sorted = [...new Set(values)].toSorted((a, b) => a - b);
  const positive = sorted.filter((value) => value > 0).map((value) => Math.log2(value));
  const [low = 0, high = 0] = [positive[0], positive.at(-1)];
  const step = positive.length > 1 ? (high - low) / (positive.length - 1) : 1;
  const place = (value: number): number => (value > 0 ? Math.log2(value) : low - step);
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)].map((value) => place(value ?? 0));
  const room = (last - first) * 0.04 || 1;
  return { at: (value) => (place(value) - first + room) / (last - first + 2 * room), ticks: sorted.map((value) => ({ value, words: shortWords(value) })) };
}

const NINES = [0, 50, 90, 99, 99.9, 99.99];

/** Percentiles by their nines: from 90 to 99 it is as far as from 99 to 99.9. */
export const ninesScale: Scale = {
  at: (percentile) => -Math.log10(Math.max(1 - percentile / 100, 1e-9)) / 4,
  ticks: NINES.map((value) => ({ value, words: String(value) })),
};

/** 1, 2 and 5 times powers of ten: from the last that is not over `low` to the first that is not under `high`, at least two. */
function roundSteps(low: number, high: number): readonly number[] {
  const exponent = Math.floor(Math.log10(low)) - 1;
  const count = Math.ceil(Math.log10(high / low)) + 4;
  const all = Array.from({ length: count }, (_value, index) => [1, 2, 5].map((size) => Number(`${size}e${exponent + index}`))).flat();
  const from = all.findLastIndex((value) => value <= low);
  const to = all.findIndex((value) => value >= high);
  return all.slice(from, Math.max(to, from + 1) + 1);
}

function isPowerOfTen(value: number): boolean {
  return Number.isInteger(Number(Math.log10(value).toFixed(9)));
}
