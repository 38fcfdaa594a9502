/**
 * Prometheus metrics with the names that dashboards of this field know (behaviour.md 11.2), one registry per process,
 * each series labelled with its app id. A metric is declared where it is used, by name; the number of series per metric
 * is bounded, so that no caller can blow up the process by inventing label values.
 *
 * What renders them, and watches the process itself, is loaded with the first scrape: nobody may ever ask.
 */
import type { Metric, Registry } from 'prom-client';
import { Lazy } from '../lazy.ts';
import { Counters, Gauges, Latencies, type SeriesSet } from './series.ts';

/** Of the Prometheus text. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Further label combinations of a metric are counted under `overflow`. */
const SERIES_MAX = 2000;

export type Labels = Readonly<Record<string, string>>;

/** One kind of event that is counted and timed. */
export interface Timing {
  /** Counts one that took so many milliseconds. */
  record(ms: number): void;
}

/** What blocks see. Names come without the `dapr_` prefix, with `_`: `component_state_count`. */
export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  /** Milliseconds into a histogram. */
  observe(name: string, labels: Labels, ms: number): void;
  gauge(name: string, labels: Labels, value: number): void;
  /** A counter and a histogram of the same labels, looked up once: for what every call passes. */
  timing(countName: string, latencyName: string, labels: Labels): Timing;
}

/** A table of timings by a word of their own, for labels that are known only when the call ends. */
export class Timings<Word extends string = string> {
  readonly #make: (word: Word) => Timing;
  readonly #known = new Map<Word, Timing>();

  constructor(make: (word: Word) => Timing) {
    this.#make = make;
  }

  record(word: Word, ms: number): void {
    let timing = this.#known.get(word);
    if (!timing) this.#known.set(word, (timing = this.#make(word)));
    timing.record(ms);
  }
}

interface SeriesTable<T> {
  readonly size: number;
  find(key: string): T | undefined;
  add(key: string, labels: Labels): T;
}

export class MetricsRegistry {
  readonly #renderer: Lazy<Registry>;
  readonly #sets = new Map<string, SeriesSet<unknown>>();

  /** `processMetrics`: also CPU, memory, garbage collection and event loop of the process; counted from the first scrape on. */
  constructor(options: { processMetrics: boolean }) {
    this.#renderer = new Lazy(async () => {
      const { Registry, collectDefaultMetrics } = await import('prom-client');
      const registry = new Registry();
      if (options.processMetrics) collectDefaultMetrics({ register: registry });
      return registry;
    });
  }

  /** Prometheus text. */
  async render(): Promise<string> {
    const registry = await this.#renderer.get();
    for (const set of this.#sets.values()) if (!registry.getSingleMetric(set.name)) registry.registerMetric(asMetric(set));
    return registry.metrics();
  }

  forApp(appId: string): Metrics {
    return {
      count: (name, labels = {}, by = 1) => {
        seriesOf(this.#countersOf(name), appId, labels).value += by;
      },
      observe: (name, labels, ms) => seriesOf(this.#latenciesOf(name), appId, labels).observe(ms),
      gauge: (name, labels, value) => {
        seriesOf(this.#gaugesOf(name), appId, labels).value = value;
      },
      timing: (countName, latencyName, labels) => {
        const counted = seriesOf(this.#countersOf(countName), appId, labels);
        const latency = seriesOf(this.#latenciesOf(latencyName), appId, labels);
        return {
          record(ms) {
            counted.value += 1;
            latency.observe(ms);
          },
        };
      },
    };
  }

  #countersOf(name: string): Counters {
    return this.#ofName(name, Counters);
  }

  #gaugesOf(name: string): Gauges {
    return this.#ofName(name, Gauges);
  }

  #latenciesOf(name: string): Latencies {
    return this.#ofName(name, Latencies);
  }

  #ofName<T extends SeriesSet<unknown>>(name: string, Kind: new (name: string, help: string) => T): T {
    const known = this.#sets.get(name);
    if (known instanceof Kind) return known;
    if (known) throw new Error(`the metric ${name} is already one of another kind`);
    const made = new Kind(`dapr_${name}`, helpOf(name));
    this.#sets.set(name, made);
    return made;
  }
}

/** The registry asks of a metric what a set of series has: a name, and its values. */
function asMetric(set: SeriesSet<unknown>): Metric {
  return set as unknown as Metric;
}

function seriesOf<T>(table: SeriesTable<T>, appId: string, labels: Labels): T {
  const key = keyOf(appId, labels);
  const found = table.find(key);
  if (found) return found;
  if (table.size < SERIES_MAX) return table.add(key, { app_id: appId, ...labels });
  const others = overflow(appId, labels);
  const otherKey = keyOf(appId, others);
  return table.find(otherKey) ?? table.add(otherKey, others);
}

function overflow(appId: string, labels: Labels): Record<string, string> {
  return { app_id: appId, ...Object.fromEntries(Object.keys(labels).map((label) => [label, 'overflow'])) };
}

function keyOf(appId: string, labels: Labels): string {
  let key = appId;
  for (const name in labels) key += `\u0000${labels[name] ?? ''}`;
  return key;
}

function helpOf(name: string): string {
  return `${name.replaceAll('_', ' ')}.`;
}
