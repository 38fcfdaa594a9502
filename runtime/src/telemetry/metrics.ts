/**
 * Prometheus metrics with the names that dashboards of this field know (behaviour.md 11.2), one registry per process,
 * each series labelled with its app id. A metric is declared where it is used, by name; the number of series per metric
 * is bounded, so that no caller can blow up the process by inventing label values.
 */
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { Counters, Latencies } from './series.ts';

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
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counters>();
  readonly #latencies = new Map<string, Latencies>();
  readonly #gauges = new Map<string, { readonly gauge: Gauge; readonly seen: Set<string> }>();

  constructor(options: { processMetrics: boolean }) {
    if (options.processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  /** Prometheus text. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  forApp(appId: string): Metrics {
    return {
      count: (name, labels = {}, by = 1) => {
        seriesOf(this.#countersOf(name), appId, labels).value += by;
      },
      observe: (name, labels, ms) => seriesOf(this.#latenciesOf(name), appId, labels).observe(ms),
      gauge: (name, labels, value) => {
        const { gauge, seen } = this.#gaugeOf(name, labels);
        gauge.set(bounded(seen, appId, labels), value);
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
    return this.#ofName(this.#counters, name, () => new Counters(`dapr_${name}`, helpOf(name)));
  }

  #latenciesOf(name: string): Latencies {
    return this.#ofName(this.#latencies, name, () => new Latencies(`dapr_${name}`, helpOf(name)));
  }

  #ofName<T extends Counters | Latencies>(known: Map<string, T>, name: string, make: () => T): T {
    let found = known.get(name);
    if (!found) {
      found = make();
      known.set(name, found);
      this.#registry.registerMetric(found as unknown as Gauge);
    }
    return found;
  }

  #gaugeOf(name: string, labels: Labels) {
    let found = this.#gauges.get(name);
    if (!found) {
      const gauge = new Gauge({ name: `dapr_${name}`, help: helpOf(name), labelNames: ['app_id', ...Object.keys(labels)], registers: [this.#registry] });
      found = { gauge, seen: new Set() };
      this.#gauges.set(name, found);
    }
    return found;
  }
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

function bounded(seen: Set<string>, appId: string, labels: Labels): Record<string, string> {
  const key = keyOf(appId, labels);
  if (!seen.has(key) && seen.size >= SERIES_MAX) return overflow(appId, labels);
  seen.add(key);
  return { app_id: appId, ...labels };
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
