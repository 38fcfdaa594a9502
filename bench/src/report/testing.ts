/** Measurements for tests, of which a test names only what it is about. */
import type { Fact, Measurement, Percentiles, Results } from './results.ts';

/** 10,000 operations in ten seconds, all but the slowest within a few milliseconds. */
export function measurementOf({ latency, ...differing }: Partial<Omit<Measurement, 'latency'>> & { readonly latency?: Partial<Percentiles> } = {}): Measurement {
  return {
    scenario: 'state-get',
    protocol: 'http',
    variant: 'bare',
    mode: 'closed',
    concurrency: 8,
    payloadBytes: 1024,
    round: 1,
    seconds: 10,
    operations: 10_000,
    errors: 0,
    perSecond: 1000,
    latency: { p50: 1, p90: 2, p99: 4, p999: 8, max: 16, mean: 1.2, ...latency },
    distribution: [[0, 0.5], [50, 1], [90, 2], [99, 4], [99.9, 8], [99.99, 12], [99.999, 16]],
    generator: { cpuCores: 0.2, limited: false, lagP99: 0.05 },
    ...differing,
  };
}

export function factOf(differing: Partial<Fact> = {}): Fact {
  return { scenario: 'startup', variant: 'bare', round: 1, name: 'start to ready', unit: 'ms', value: 40, ...differing };
}

export function resultsOf(differing: Partial<Results> = {}): Results {
  return {
    startedAt: '2026-03-01T14:05:09.123Z',
    machine: { cpu: 'Some CPU', cores: 2, memoryBytes: 24 * 1024 ** 3, kernel: 'Linux 6.1.0', node: 'v24.18.1' },
    arguments: [],
    measurements: [],
    facts: [],
    ...differing,
  };
}
