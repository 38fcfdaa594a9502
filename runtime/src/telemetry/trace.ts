/**
 * W3C trace context (https://www.w3.org/TR/trace-context/): parsed at the edge, carried as an explicit argument, one
 * child per hop. Exporting spans is not done here.
 */
import { randomBytes } from 'node:crypto';
import { baggageProblem } from './baggage.ts';

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: this hop's span. */
  readonly spanId: string;
  readonly sampled: boolean;
  readonly tracestate: string;
  /** W3C baggage as received; '' when there is none, or none that is valid. */
  readonly baggage: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

/** 256 random span ids at a time: one system call for many hops. */
let pool = Buffer.alloc(0);
let used = 0;
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  return hex;
}

/** The parent's fields, or undefined when the header is absent or not valid (then a new trace begins, as W3C asks). */
export function parseTraceparent(header: string | undefined): { traceId: string; spanId: string; sampled: boolean } | undefined {
  if (header === undefined) return undefined;
  const match = TRACEPARENT.exec(header.trim());
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** This hop's context: a child of the caller's, or the root of a new trace. */
export function traceFrom(traceparent: string | undefined, tracestate?: string, baggage?: string): TraceContext {
  const parent = parseTraceparent(traceparent);
  return {
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    sampled: parent?.sampled ?? false,
    tracestate: parent ? (tracestate ?? '') : '',
    baggage: baggage !== undefined && baggageProblem(baggage) === undefined ? baggage.trim() : '',
  };
}

/** What W3C asks everybody to carry; a longer state is left out of what is kept with each step. */
const KEPT_STATE_MAX = 512;
/** As records of workflows keep it; `traceFrom` takes its parts. */
export interface KeptTrace {
  readonly traceParent: string;
  readonly traceState?: string;
}
export function keptTrace(trace: TraceContext): KeptTrace {
  const { tracestate } = trace;
  return { traceParent: traceparentOf(trace), ...(tracestate === '' || tracestate.length > KEPT_STATE_MAX ? {} : { traceState: tracestate }) };
}

/** The next hop's context within the same trace. */
export function childTrace(trace: TraceContext): TraceContext {
  return { ...trace, spanId: randomHex(8) };
}

export function traceparentOf(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;
}
