/**
 * Counters, gauges and latency histograms whose series are looked up once and then only added to: a call passes several of
 * them, and prom-client hashes all labels at each. The registry of prom-client renders them like its own metrics.
 */
import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client';

/** Upper bounds in milliseconds (behaviour.md 1.4, `latencyDistributionBuckets`). */
const LATENCY_BUCKETS_MS = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1000, 2000,
  5000, 10_000, 20_000, 50_000, 100_000,
];

export type LabelValues = Readonly<Record<string, string>>;

/** Of a counter or a gauge. */
export interface NumberSeries {
  value: number;
}

/** What the registry of prom-client asks of a metric. */
type Rendered = MetricObjectWithValues<MetricValueWithName<string>>;

export abstract class SeriesSet<T> {
  readonly name: string;
  readonly help: string;
  readonly #type: 'counter' | 'gauge' | 'histogram';
  readonly #series = new Map<string, { readonly labels: LabelValues; readonly cell: T }>();

  constructor(name: string, help: string, type: 'counter' | 'gauge' | 'histogram') {
    this.name = name;
    this.help = help;
    this.#type = type;
  }

  get size(): number {
    return this.#series.size;
  }

  find(key: string): T | undefined {
    return this.#series.get(key)?.cell;
  }

  add(key: string, labels: LabelValues): T {
    const cell = this.create();
    this.#series.set(key, { labels, cell });
    return cell;
  }

  /** Called by the registry. */
  get(): Promise<Rendered> {
    const values = [...this.#series.values()].flatMap(({ labels, cell }) => this.render(labels, cell));
    // The type's constants are numbers in its declaration and words in what the registry prints.
    return Promise.resolve({ name: this.name, help: this.help, type: this.#type as unknown as Rendered['type'], values, aggregator: 'sum', collect: undefined as never });
  }

  /** Part of the registry's contract. */
  reset(): void {
    this.#series.clear();
  }

  protected abstract create(): T;
  protected abstract render(labels: LabelValues, cell: T): MetricValueWithName<string>[];
}

class Numbers extends SeriesSet<NumberSeries> {
  protected create(): NumberSeries {
    return { value: 0 };
  }

  protected render(labels: LabelValues, { value }: NumberSeries): MetricValueWithName<string>[] {
    return [{ metricName: this.name, labels, value }];
  }
}

export class Counters extends Numbers {
  constructor(name: string, help: string) {
    super(name, help, 'counter');
  }
}

export class Gauges extends Numbers {
  constructor(name: string, help: string) {
    super(name, help, 'gauge');
  }
}

export class LatencySeries {
  /** Per bucket, not summed up; the last holds what is above all bounds. */
  readonly buckets = new Float64Array(LATENCY_BUCKETS_MS.length + 1);
  sum = 0;

  observe(ms: number): void {
    this.sum += ms;
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MS.length && ms > (LATENCY_BUCKETS_MS[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}

export class Latencies extends SeriesSet<LatencySeries> {
  constructor(name: string, help: string) {
    super(name, help, 'histogram');
  }

  protected create(): LatencySeries {
    return new LatencySeries();
  }

  protected render(labels: LabelValues, { buckets, sum }: LatencySeries): MetricValueWithName<string>[] {
    let count = 0;
    const values = [...buckets].map((inBucket, index) => {
      count += inBucket;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le: String(LATENCY_BUCKETS_MS[index] ?? '+Inf') }, value: count };
    });
    return [...values, { metricName: `${this.name}_sum`, labels, value: sum }, { metricName: `${this.name}_count`, labels, value: count }];
  }
}
