/**
 * What measurements say beside each other: within a group of equal loads, every variant against the base.
 *
 * 1. A ratio is taken within a round, where base and variant ran minutes apart on the same machine; only then the median
 *    is taken over rounds. A machine that slows down for a round slows both, and the ratio stands.
 * 2. The base is the variant `bare` of the group; else `bare` of the same load with protocol `none` (an operation done
 *    without a sidecar that knows neither HTTP nor gRPC); else the group's first variant.
 * 3. A round in which the base has no figure, or zero, gives no ratio. No rounds, no ratio: absent, never 0 or NaN.
 * 4. A load measured twice in a round counts with the later figure.
 * 5. Growth (measurements with `rows`): each variant is compared with itself at the first number of rows, under the same load
 *    otherwise. Its question is not what a sidecar costs, but whether that stays the same.
 *
 * Pure functions; the order of groups and variants is that of the measurements.
 */
import type { Fact, Measurement } from './results.ts';

/** Over rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many figures it was taken from, at least one. */
  readonly count: number;
}

/** The load that the measurements of a group have in common. */
export type Load = Pick<Measurement, 'scenario' | 'protocol' | 'mode' | 'concurrency' | 'rate' | 'payloadBytes' | 'rows'>;

export interface Group {
  readonly load: Load;
  /** The variant with which the others are compared; of growth none. */
  readonly base?: string;
  /** Growth: the number of rows at which a variant is the base of its other sizes. */
  readonly baseRows?: number;
  readonly variants: readonly Compared[];
}

/** A variant of a group. Of the base itself there are no ratio and no differences. */
export interface Compared {
  readonly variant: string;
  /** One a round, in order. */
  readonly measurements: readonly Measurement[];
  readonly perSecond: Spread;
  /** Of operations a second: 0.5 = half of what the base does. */
  readonly ratio?: Spread;
  /** Open loop and growth: milliseconds more (or less) than the base at the percentile. Beside another target in a closed loop they would follow from the ratio. */
  readonly p50Difference?: Spread;
  readonly p99Difference?: Spread;
}

export interface FactGroup {
  readonly scenario: string;
  readonly name: string;
  readonly unit: Fact['unit'];
  readonly base: string;
  readonly variants: readonly { readonly variant: string; readonly value: Spread; readonly ratio?: Spread }[];
}

const BASE = 'bare';

export function compareMeasurements(measurements: readonly Measurement[]): readonly Group[] {
  const groups = Map.groupBy(measurements, (measurement) => keyOf(measurement));
  return [...groups.values()].map((members) => {
    const load = loadOf(members);
    const variants = Map.groupBy(members, ({ variant }) => variant);
    if (load.rows !== undefined) return growthGroup({ ...load, rows: load.rows }, variants, measurements);
    const bare = variants.get(BASE) ?? groups.get(keyOf({ ...load, protocol: 'none' }))?.filter(({ variant }) => variant === BASE);
    const [first = ''] = variants.keys();
    const base = bare?.length ? BASE : first;
    const baseByRound = byRound(bare?.length ? bare : (variants.get(first) ?? []));
    return { load, base, variants: [...variants].map(([variant, own]) => compare(variant, [...byRound(own).values()], variant === base ? new Map() : baseByRound)) };
  });
}

function growthGroup(load: Load & { readonly rows: number }, variants: ReadonlyMap<string, readonly Measurement[]>, measurements: readonly Measurement[]): Group {
  const sizes = measurements.filter((one) => one.rows !== undefined && keyOf({ ...one, rows: load.rows }) === keyOf(load));
  const baseRows = sizes[0]?.rows ?? 0;
  const compared = [...variants].map(([variant, own]) => {
    const base = load.rows === baseRows ? [] : sizes.filter((one) => one.variant === variant && one.rows === baseRows);
    return compare(variant, [...byRound(own).values()], byRound(base));
  });
  return { load, baseRows, variants: compared };
}

export function compareFacts(facts: readonly Fact[]): readonly FactGroup[] {
  const groups = Map.groupBy(facts, ({ scenario, name, unit }) => JSON.stringify([scenario, name, unit]));
  return [...groups.values()].map((members) => {
    const variants = Map.groupBy(members, ({ variant }) => variant);
    const [first = ''] = variants.keys();
    const base = variants.has(BASE) ? BASE : first;
    const baseByRound = byRound(variants.get(base) ?? []);
    const { scenario = '', name = '', unit = 'count' } = members[0] ?? {};
    return {
      scenario,
      name,
      unit,
      base,
      variants: [...variants].map(([variant, own]) => {
        const inRounds = [...byRound(own).values()];
        const ratio = variant === base ? undefined : overRounds(inRounds, baseByRound, (fact, of) => quotient(fact.value, of.value));
        return { variant, value: spreadOf(inRounds.map(({ value }) => value)), ...(ratio && { ratio }) };
      }),
    };
  });
}

/** The spread of at least one figure; throws for none. The median of an even count is the middle between two. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('a spread is taken over at least one figure');
  const [low = min, high = max] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return { median: (low + high) / 2, min, max, count: sorted.length };
}

function compare(variant: string, measurements: readonly Measurement[], base: ReadonlyMap<number, Measurement>): Compared {
  const [first] = measurements;
  const latencies = first?.mode === 'open' || first?.rows !== undefined;
  const ratio = overRounds(measurements, base, (own, of) => quotient(own.perSecond, of.perSecond));
  const p50Difference = latencies ? overRounds(measurements, base, (own, of) => own.latency.p50 - of.latency.p50) : undefined;
  const p99Difference = latencies ? overRounds(measurements, base, (own, of) => own.latency.p99 - of.latency.p99) : undefined;
  return {
    variant,
    measurements,
    perSecond: spreadOf(measurements.map(({ perSecond }) => perSecond)),
    ...(ratio && { ratio }),
    ...(p50Difference && { p50Difference }),
    ...(p99Difference && { p99Difference }),
  };
}

function overRounds<T extends { readonly round: number }>(own: readonly T[], base: ReadonlyMap<number, T>, figure: (own: T, base: T) => number | undefined): Spread | undefined {
  const figures = own.flatMap((one) => {
    const of = base.get(one.round);
    return of === undefined ? [] : (figure(one, of) ?? []);
  });
  return figures.length === 0 ? undefined : spreadOf(figures);
}

const quotient = (of: number, by: number): number | undefined => (by === 0 ? undefined : of / by);

/** In the order of rounds; the later of two figures of a round replaces the earlier. */
function byRound<T extends { readonly round: number }>(items: readonly T[]): ReadonlyMap<number, T> {
  return new Map(items.toSorted((a, b) => a.round - b.round).map((item) => [item.round, item]));
}

function keyOf(load: Load): string {
  return JSON.stringify([load.scenario, load.protocol, load.mode, load.concurrency, load.rate, load.payloadBytes, load.rows]);
}

function loadOf([first]: readonly Measurement[]): Load {
  if (!first) throw new Error('a group has at least one measurement');
  const { scenario, protocol, mode, concurrency, rate, payloadBytes, rows } = first;
  return { scenario, protocol, mode, concurrency, payloadBytes, ...(rate === undefined ? {} : { rate }), ...(rows === undefined ? {} : { rows }) };
}
