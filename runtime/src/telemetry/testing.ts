/** Metrics for tests that do not look at them. */
import type { Metrics } from './metrics.ts';

export const noMetrics: Metrics = { count: () => {}, observe: () => {}, gauge: () => {}, timing: () => ({ record: () => {} }) };
