/** How long to wait before each further attempt (behaviour.md 7.1). */
import type { RetryPolicy } from '../config/resource-types.ts';

/** What the exponential policy fixes and YAML cannot set. */
const INITIAL_MS = 500;
const MULTIPLIER = 1.5;
const SPREAD = 0.5;
const ELAPSED_MAX_MS = 15 * 60_000;

/**
 * Milliseconds before the attempt that follows `failed` failed ones, or undefined when the policy gives up.
 * `elapsedMs`: since the first attempt began. `random`: 0 <= x < 1.
 */
export function retryDelayMs(policy: RetryPolicy, failed: number, elapsedMs: number, random: () => number): number | undefined {
  if (policy.maxRetries >= 0 && failed > policy.maxRetries) return undefined;
  if (policy.policy === 'constant') return policy.durationMs;
  // The exponent is bounded, so that an endless policy never multiplies past the largest number.
  const interval = Math.min(policy.maxIntervalMs, INITIAL_MS * MULTIPLIER ** Math.min(failed - 1, 100));
  const delay = interval * (1 - SPREAD + 2 * SPREAD * random());
  return elapsedMs + delay > ELAPSED_MAX_MS ? undefined : delay;
}

export interface FailureCode {
  readonly http?: number | undefined;
  readonly grpc?: number | undefined;
}

/** Whether a failure with this code is retried; one without a code always is. */
export function matchesCode(policy: RetryPolicy, code: FailureCode): boolean {
  const { matching } = policy;
  if (!matching) return true;
  return within(matching.httpStatusCodes, code.http) && within(matching.gRPCStatusCodes, code.grpc);
}

/** Whether the policy says of just this status that it is to be retried. */
export function namesStatus(policy: RetryPolicy | undefined, status: number | undefined): boolean {
  const ranges = policy?.matching?.httpStatusCodes ?? [];
  return status !== undefined && ranges.length > 0 && within(ranges, status);
}

function within(ranges: readonly (readonly [number, number])[], code: number | undefined): boolean {
  return code === undefined || ranges.length === 0 || ranges.some(([low, high]) => low <= code && code <= high);
}
