/** How the children of a distributed Map stand. */
import type { MapRunCounts } from './messages.ts';
import type { MapRunDoing } from './snapshot.ts';

/** `over`: the run has ended, and what still ran was stopped. */
export function mapRunCounts({ results, inputs, next, running }: MapRunDoing, over = false): MapRunCounts {
  const counts = { pending: inputs.length - next, running: over ? 0 : running, succeeded: 0, failed: 0, timedOut: 0, aborted: over ? running : 0 };
  for (const result of results) if (result) counts[COUNTED[result.status]]++;
  return counts;
}

const COUNTED = { SUCCEEDED: 'succeeded', FAILED: 'failed', TIMED_OUT: 'timedOut', ABORTED: 'aborted' } as const;
