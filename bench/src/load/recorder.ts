/** Latencies in a histogram of three significant digits (HdrHistogram), from 1 µs to 10 minutes. */
import { build, type Histogram } from 'hdr-histogram-js';
import type { Percentiles } from '../report/results.ts';

const HIGHEST_US = 600e6;
/** Percentiles of the chart: closer together towards the tail. */
const CHART_PERCENTILES: readonly number[] = [
  ...Array.from({ length: 18 }, (_, step) => step * 5),
  ...Array.from({ length: 18 }, (_, step) => 90 + step * 0.5),
  ...Array.from({ length: 9 }, (_, step) => 99 + step * 0.1),
  99.9, 99.95, 99.99, 99.999,
];

export class Recorder {
  readonly #histogram: Histogram = build({ bitBucketSize: 32, autoResize: true, highestTrackableValue: HIGHEST_US, numberOfSignificantValueDigits: 3 });

  record(milliseconds: number): void {
    this.#histogram.recordValue(Math.min(Math.max(1, Math.round(milliseconds * 1000)), HIGHEST_US));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** Milliseconds; 0 when nothing was recorded. */
  at(percentile: number): number {
    return this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile) / 1000;
  }

  percentiles(): Percentiles {
    return {
      p50: this.at(50),
      p90: this.at(90),
      p99: this.at(99),
      p999: this.at(99.9),
      max: this.count === 0 ? 0 : this.#histogram.maxValue / 1000,
      mean: this.count === 0 ? 0 : this.#histogram.mean / 1000,
    };
  }

  distribution(): readonly (readonly [number, number])[] {
    return CHART_PERCENTILES.map((percentile) => [percentile, this.at(percentile)] as const);
  }
}
