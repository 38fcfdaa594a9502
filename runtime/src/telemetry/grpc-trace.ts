/**
 * Trace context in gRPC metadata: W3C text in `traceparent`, and the older binary form in `grpc-trace-bin`, which wins
 * when both come (grpc-api.md 3).
 */
import { traceFrom, type TraceContext } from './trace.ts';

/** version, then field 0 with 16 bytes of trace id, field 1 with 8 bytes of span id, field 2 with one byte of flags. */
const BINARY_LENGTH = 29;

export function binaryTraceOf(trace: TraceContext): Buffer {
  const bytes = Buffer.allocUnsafe(BINARY_LENGTH);
  bytes[0] = 0;
  bytes[1] = 0;
  bytes.write(trace.traceId, 2, 16, 'hex');
  bytes[18] = 1;
  bytes.write(trace.spanId, 19, 8, 'hex');
  bytes[27] = 2;
  bytes[28] = trace.sampled ? 1 : 0;
  return bytes;
}

/** As a `traceparent`, or undefined when the bytes are not of that form. */
export function traceparentOfBinary(bytes: Buffer): string | undefined {
  if (bytes.length !== BINARY_LENGTH || bytes[0] !== 0 || bytes[1] !== 0 || bytes[18] !== 1 || bytes[27] !== 2) return undefined;
  return `00-${bytes.toString('hex', 2, 18)}-${bytes.toString('hex', 19, 27)}-${bytes.toString('hex', 28, 29)}`;
}

export function traceFromMetadata(binary: Buffer | undefined, traceparent: string | undefined, tracestate: string | undefined, baggage: string | undefined): TraceContext {
  return traceFrom((binary && traceparentOfBinary(binary)) ?? traceparent, tracestate, baggage);
}
