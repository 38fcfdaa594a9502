/** History entries in the shape of GetExecutionHistory. */
import type { Json } from './json.ts';
import type { HistoryEvent } from './messages.ts';

/** `timestamp` is in seconds, as the service's JSON protocol writes it. */
export function serviceEvent({ id, previousEventId, timestampMs, type, detailsName, details }: HistoryEvent): { readonly id: number; readonly previousEventId: number; readonly type: string; readonly [name: string]: Json } {
  return { timestamp: timestampMs / 1000, type, id, previousEventId, ...(detailsName === undefined ? {} : { [detailsName]: details ?? {} }) };
}
