/** Waiting on a clock, cut short by a signal. */
import type { Clock } from '@mecha/components/kit';

/** Resolves after `ms`, or as soon as `signal` aborts; which of the two it was, the signal tells. */
export function waitFor(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
