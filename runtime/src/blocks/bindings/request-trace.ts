/**
 * The trace of a call among the metadata of a request to a binding (behaviour.md 5.1). A backend whose messages or requests have
 * headers passes it on there; the others pass it over.
 */
import { traceparentOf, type TraceContext } from '../../telemetry/trace.ts';

type Words = Readonly<Record<string, string>>;

export const TRACE_NAMES: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage']);

export function traceMetadata(trace: TraceContext): Words {
  const { tracestate, baggage } = trace;
  return { traceparent: traceparentOf(trace), ...(tracestate === '' ? {} : { tracestate }), ...(baggage === '' ? {} : { baggage }) };
}

/** What the request itself says stays, in whatever case it is spelt; a trace of its own gets no state of the call's. */
export function withTrace(metadata: Words, trace: TraceContext): Words {
  const named = new Set(Object.keys(metadata).map((name) => name.toLowerCase()));
  const fitting = named.has('traceparent') ? { ...trace, tracestate: '' } : trace;
  return { ...metadata, ...Object.fromEntries(Object.entries(traceMetadata(fitting)).filter(([name]) => !named.has(name))) };
}
