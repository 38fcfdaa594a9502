/** Retry and Catch: which errors they mean, how long to wait, what a catcher is given. */
import type { Retrier } from './definition.ts';
import type { JsonObject } from './json.ts';
import { STATES, type Failure } from './state-error.ts';

/** Whether ErrorEquals names the failure. */
export function matches(errors: readonly string[], { error, alias }: Failure): boolean {
  return errors.some((name) => {
    if (name === STATES.all || (error !== undefined && (name === error || name === alias))) return true;
    return name === STATES.taskFailed && error !== STATES.timeout;
  });
}

/** Before attempt number `used + 1` after the first; never more than MaxDelaySeconds, and finite. */
export function retryDelayMs(retrier: Retrier, used: number, random: () => number): number {
  const seconds = Math.min(retrier.intervalSeconds * retrier.backoffRate ** used, retrier.maxDelaySeconds ?? DELAY_SECONDS_MAX);
  return Math.round(seconds * 1000 * (retrier.fullJitter ? random() : 1));
}

const DELAY_SECONDS_MAX = 31_622_400;

/** What `$` (JSONPath) or `$states.errorOutput` is for a catcher. */
export function errorOutput({ error, cause }: Failure): JsonObject {
  return { Error: error ?? null, Cause: cause ?? null };
}
