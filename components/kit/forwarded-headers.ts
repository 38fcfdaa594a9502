/**
 * What of a request's metadata goes along with every HTTP request, whatever the binding: the trace, and the key by which the
 * service knows a repetition.
 */
const NAMES = { traceparent: 'traceparent', tracestate: 'tracestate', baggage: 'baggage', idempotencyKey: 'idempotency-key' } as const;

/** For docs: the metadata name that becomes the header `Idempotency-Key`; state machines give one to each task. */
export const idempotencyKeyMetadata = { idempotencyKey: { description: 'Sent as the header `Idempotency-Key`, unless the request gives that header itself.' } } as const;

/** Headers, names in lower case, as the first that what the request gives by itself goes before. */
export function forwardedHeaders(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(NAMES).flatMap(([name, header]) => {
      const text = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
      return text ? [[header, text] as const] : [];
    }),
  );
}
