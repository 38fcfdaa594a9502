/**
 * Prometheus metrics with the names that dashboards of this field know (behaviour.md 11.2), one registry per process,
 * each series labelled with its app id. A metric is declared where it is used, by name; the number of series per metric
 * is bounded, so that no caller can blow up the process by inventing label values.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Upper bounds in milliseconds (behaviour.md 1.4, `latencyDistributionBuckets`). */
const LATENCY_BUCKETS_MS = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1000, 2000,
  5000, 10_000, 20_000, 50_000, 100_000,
];
/** Further label combinations of a metric are counted under `overflow`. */
const SERIES_MAX = 2000;

export type Labels = Readonly<Record<string, string>>;

/** What blocks see. Names come without the `dapr_` prefix, with `_`: `component_state_count`. */
export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  /** Milliseconds into a histogram. */
  observe(name: string, labels: Labels, ms: number): void;
  gauge(name: string, labels: Labels, value: number): void;
}

type Series = { labels: readonly string[]; seen: Set<string>; metric: Counter | Gauge | Histogram };

export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #series = new Map<string, Series>();

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
        const series = this.#seriesOf(name, labels, (names) => new Counter({ name: `dapr_${name}`, help: helpOf(name), labelNames: names, registers: [this.#registry] }));
        (series.metric as Counter).inc(this.#bounded(series, appId, labels), by);
      },
      observe: (name, labels, ms) => {
        const series = this.#seriesOf(name, labels, (names) =>
          new Histogram({ name: `dapr_${name}`, help: helpOf(name), labelNames: names, buckets: LATENCY_BUCKETS_MS, registers: [this.#registry] }),
        );
        (series.metric as Histogram).observe(this.#bounded(series, appId, labels), ms);
      },
      gauge: (name, labels, value) => {
        const series = this.#seriesOf(name, labels, (names) => new Gauge({ name: `dapr_${name}`, help: helpOf(name), labelNames: names, registers: [this.#registry] }));
        (series.metric as Gauge).set(this.#bounded(series, appId, labels), value);
      },
    };
  }

  #seriesOf(name: string, labels: Labels, make: (labelNames: string[]) => Series['metric']): Series {
    let series = this.#series.get(name);
    if (!series) {
      const names = ['app_id', ...Object.keys(labels)];
      series = { labels: names, seen: new Set(), metric: make(names) };
      this.#series.set(name, series);
    }
    return series;
  }

  #bounded(series: Series, appId: string, labels: Labels): Record<string, string> {
    const key = `${appId}\u0000${Object.values(labels).join('\u0000')}`;
    if (!series.seen.has(key)) {
      if (series.seen.size >= SERIES_MAX) {
        return Object.fromEntries(series.labels.map((label) => [label, label === 'app_id' ? appId : 'overflow']));
      }
      series.seen.add(key);
    }
    return { app_id: appId, ...labels };
  }
}

function helpOf(name: string): string {
  return `${name.replaceAll('_', ' ')}.`;
}
