/** Log lines that an outage could repeat a thousand times a second, written at most once per key and interval. */
import type { Clock } from '@mecha/components/kit';

/** Keys remembered at a time; past that all are forgotten, which costs at most an extra line each. */
const KEYS_MAX = 1000;

/**
 * Returns how many lines of `key` were held back since the last one that was written, or undefined when this one is to
 * be held back too.
 */
export function createLogLimit(clock: Clock, intervalMs: number): (key: string) => number | undefined {
  const seen = new Map<string, { since: number; heldBack: number }>();
  return (key) => {
    const now = clock.now();
    const entry = seen.get(key);
    if (entry && now - entry.since < intervalMs) {
      entry.heldBack += 1;
      return undefined;
    }
    if (seen.size >= KEYS_MAX) seen.clear();
    seen.set(key, { since: now, heldBack: 0 });
    return entry?.heldBack ?? 0;
  };
}
