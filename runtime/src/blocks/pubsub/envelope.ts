/**
 * Envelopes of published events (http-api.md 6.1-6.3): a new one around ordinary data, or a caller's own CloudEvent with
 * what is missing filled in. Reading events that a broker hands over is `incoming-event.ts`.
 */
import { EVENT_TYPE, SPEC_VERSION, UNKNOWN_SOURCE, dataMember, localTime, utcTime } from '../../cloud-event/cloud-event.ts';
import { messageOf } from '../../errors.ts';
import { membersOf } from '../../json/json-members.ts';

export interface EnvelopeInput {
  /** Of a new envelope. */
  readonly id: string;
  /** This app's id. */
  readonly source: string;
  readonly topic: string;
  readonly pubsubName: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string;
  readonly tracestate: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds after which nobody wants it; absent when the broker sees to that, or it never ends. */
  readonly ttlMs: number | undefined;
}

const OVERRIDE_PREFIX = 'cloudevent.';

/** A new envelope around `data`, as UTF-8 JSON. */
export function buildEnvelope(input: EnvelopeInput): Uint8Array {
  const overrides = overridesOf(input.metadata);
  const trace = quote(overrides?.get('traceparent') ?? overrides?.get('traceid') ?? input.traceparent);
  const subject = overrides?.get('subject');
  return Buffer.from(
    `{${dataMember(input.data, input.contentType)},"datacontenttype":${quote(input.contentType)}` +
      (input.ttlMs === undefined ? '' : `,"expiration":"${utcTime(input.now + input.ttlMs)}"`) +
      `,"id":${quote(overrides?.get('id') ?? input.id)},"pubsubname":${quote(input.pubsubName)}` +
      `,"source":${quote(overrides?.get('source') ?? input.source)},"specversion":"${SPEC_VERSION}"` +
      (subject === undefined ? '' : `,"subject":${quote(subject)}`) +
      `,"time":"${localTime(input.now)}","topic":${quote(input.topic)},"traceid":${trace},"traceparent":${trace}` +
      `,"tracestate":${quote(overrides?.get('tracestate') ?? input.tracestate)},"type":${quote(overrides?.get('type') ?? EVENT_TYPE)}}`,
  );
}

/**
 * The caller's own CloudEvent: kept as written, `topic` and `pubsubname` set, trace, time and the attributes without
 * which it would be none filled in. `id` never is. Throws with words when it is not a JSON object.
 */
export function adoptEvent(input: EnvelopeInput): Uint8Array {
  const text = Buffer.from(input.data).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`the event is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('the event is not a JSON object');
  const members = new Map(membersOf(text).map((member) => [member.name, member.text]));
  const isMissing = (name: string): boolean => (members.get(name) ?? 'null') === 'null';
  const fill = (name: string, value: string): void => {
    if (isMissing(name)) members.set(name, quote(value));
  };
  if (isMissing('traceid')) {
    members.set('traceid', quote(input.traceparent));
    members.set('traceparent', quote(input.traceparent));
  }
  fill('tracestate', input.tracestate);
  fill('time', localTime(input.now));
  fill('source', UNKNOWN_SOURCE);
  fill('type', EVENT_TYPE);
  fill('specversion', SPEC_VERSION);
  members.set('topic', quote(input.topic));
  members.set('pubsubname', quote(input.pubsubName));
  if (input.ttlMs !== undefined) members.set('expiration', quote(utcTime(input.now + input.ttlMs)));
  return Buffer.from(`{${Array.from(members, ([name, value]) => `${quote(name)}:${value}`).join(',')}}`);
}

/** The `cloudevent.<attribute>` entries by attribute in lower case; undefined when there are none. */
function overridesOf(metadata: Readonly<Record<string, string>>): Map<string, string> | undefined {
  let overrides: Map<string, string> | undefined;
  for (const name in metadata) {
    const value = metadata[name];
    if (value === undefined || value === '' || name.slice(0, OVERRIDE_PREFIX.length).toLowerCase() !== OVERRIDE_PREFIX) continue;
    overrides ??= new Map();
    overrides.set(name.slice(OVERRIDE_PREFIX.length).toLowerCase(), value);
  }
  return overrides;
}

const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Longer lives end beyond what a date can say. */
const TTL_MS_MAX = 100 * 365 * 86_400_000;

/** `ttlInSeconds`, else `ttl`: whole seconds or a Go duration, as milliseconds; undefined when absent, unreadable or not positive. */
export function ttlMsOf(metadata: Readonly<Record<string, string>>): number | undefined {
  const text = (metadata['ttlInSeconds'] ?? metadata['ttl'])?.trim();
  if (text === undefined || text === '') return undefined;
  const ms = /^\+?\d+$/.test(text) ? Number(text) * 1000 : durationMs(text);
  return ms !== undefined && ms > 0 ? Math.min(ms, TTL_MS_MAX) : undefined;
}

function durationMs(text: string): number | undefined {
  let total = 0;
  DURATION_PART.lastIndex = 0;
  while (DURATION_PART.lastIndex < text.length) {
    const part = DURATION_PART.exec(text);
    if (!part) return undefined;
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? 0);
  }
  return total;
}

const TRUE_WORDS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_WORDS = new Set(['', '0', 'f', 'F', 'FALSE', 'false', 'False']);

/** `rawPayload` of publish or subscription metadata; undefined when its value is no boolean. */
export function rawPayloadOf(metadata: Readonly<Record<string, string>>): boolean | undefined {
  const word = metadata['rawPayload'] ?? '';
  return TRUE_WORDS.has(word) ? true : FALSE_WORDS.has(word) ? false : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
