/**
 * The events that a state transaction leaves behind when its store has an outbox (behaviour.md 4.8): which operations
 * speak, and what each event looks like. Pure: the state block writes what this returns in the store's own transaction.
 *
 * Rules
 *  1. Every upsert speaks, deletes do not.
 *  2. An upsert with metadata `outbox.projection` is not written: its value is what the event of the same key carries
 *     instead. Of several projections of one key the first counts; one whose key has no upsert fails the transaction.
 *  3. The id is `outbox-<uuid>`, fixed at writing, so that consumers recognise an event that was published twice.
 */
import type { OutboxRecord, StateOperation, StateValue } from '@mecha/components/kit';
import { CLOUD_EVENT_JSON, EVENT_TYPE, OCTET_STREAM, SPEC_VERSION, dataMember, localTime, mediaType } from '../cloud-event/cloud-event.ts';
import { traceparentOf, type TraceContext } from '../telemetry/trace.ts';
import type { OutboxConfig } from './outbox-config.ts';

export interface OutboxInput {
  readonly operations: readonly StateOperation[];
  readonly config: OutboxConfig;
  readonly appId: string;
  /** Of the call that brought the transaction. */
  readonly trace: TraceContext;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly uuid: () => string;
}

export interface OutboxOutput {
  /** What is to be written: the operations without the projections. */
  readonly operations: readonly StateOperation[];
  /** One per upsert, in their order. */
  readonly records: readonly OutboxRecord[];
}

/** A projection names a key that the transaction does not write. */
export class ProjectionWithoutUpsert extends Error {
  constructor(key: string) {
    super(`the projection for key ${key} has no matching upsert in the transaction`);
    this.name = 'ProjectionWithoutUpsert';
  }
}

type Upsert = Extract<StateOperation, { type: 'upsert' }>;
type Words = Readonly<Record<string, string>>;

/** Throws `ProjectionWithoutUpsert`. */
export function outboxRecordsFor(input: OutboxInput): OutboxOutput {
  const projections = new Map<string, Upsert>();
  const operations: StateOperation[] = [];
  for (const operation of input.operations) {
    if (operation.type !== 'upsert' || !isProjection(operation)) operations.push(operation);
    else if (!projections.has(operation.key)) projections.set(operation.key, operation);
  }
  const upserts = operations.filter((operation) => operation.type === 'upsert');
  const written = new Set(upserts.map(({ key }) => key));
  for (const key of projections.keys()) if (!written.has(key)) throw new ProjectionWithoutUpsert(key);
  return { operations, records: upserts.map((upsert) => recordOf(upsert, projections.get(upsert.key), input)) };
}

const PROJECTION = 'outbox.projection';
const TRUE_WORDS = new Set(['y', 'yes', 'true', 't', 'on', '1']);

function isProjection(upsert: Upsert): boolean {
  return TRUE_WORDS.has((upsert.metadata?.[PROJECTION] ?? '').trim().toLowerCase());
}

function recordOf(upsert: Upsert, projection: Upsert | undefined, input: OutboxInput): OutboxRecord {
  const { config, appId, now } = input;
  const id = `outbox-${input.uuid()}`;
  const metadata: Words = { ...upsert.metadata, ...projection?.metadata };
  return {
    id,
    pubsub: config.pubsub,
    topic: config.topic,
    appId,
    data: Buffer.from(eventText(id, (projection ?? upsert).value, metadata, input)),
    contentType: CLOUD_EVENT_JSON,
    // What the broker is to see: a partition key, for instance.
    metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !STEERING.has(name.toLowerCase()) && !name.toLowerCase().startsWith(OVERRIDE_PREFIX))),
    createdAt: now,
  };
}

const OVERRIDE_PREFIX = 'cloudevent.';
/** Metadata that speaks to the runtime or the state store, not about the event; compared in lower case. */
const STEERING = new Set([PROJECTION, 'contenttype', 'ttlinseconds']);
/** Attributes that metadata cannot change: what the event is about and where it goes. */
const FIXED = new Set(['id', 'data', 'data_base64', 'datacontenttype', 'topic', 'pubsubname']);

function eventText(id: string, value: StateValue, metadata: Words, { config, appId, trace, now }: OutboxInput): string {
  const contentType = contentTypeOf(value, metadata);
  const traceparent = traceparentOf(trace);
  const attributes = new Map<string, string>([
    ['datacontenttype', contentType],
    ['id', id],
    ['pubsubname', config.pubsub],
    ['source', appId],
    ['specversion', SPEC_VERSION],
    ['time', localTime(now)],
    ['topic', config.topic],
    ['traceid', traceparent],
    ['traceparent', traceparent],
    ['tracestate', trace.tracestate],
    ['type', EVENT_TYPE],
  ]);
  for (const [name, text] of Object.entries(metadata)) {
    const attribute = name.toLowerCase().startsWith(OVERRIDE_PREFIX) ? name.slice(OVERRIDE_PREFIX.length).toLowerCase() : name;
    if (!FIXED.has(attribute.toLowerCase()) && !STEERING.has(attribute.toLowerCase())) attributes.set(attribute, text);
  }
  const members = Array.from(attributes, ([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`);
  return `{${dataOf(value, contentType)},${members.join(',')}}`;
}

/** As given with the operation; else what the value shows itself to be. */
function contentTypeOf(value: StateValue, metadata: Words): string {
  const name = Object.keys(metadata).find((key) => key.toLowerCase() === 'contenttype');
  const given = name === undefined ? '' : (metadata[name] ?? '');
  if (given !== '') return given;
  return value.binary ? 'text/plain' : 'application/json';
}

/**
 * A value that was given as JSON is JSON in the event too, unless its content type says that it is something else: then a
 * string is that text (or those bytes, in base64), and anything else its JSON text. Bytes are read by their content type.
 */
function dataOf(value: StateValue, contentType: string): string {
  const type = mediaType(contentType).trim();
  const isJson = type === 'application/json' || type.endsWith('+json');
  if (value.binary) return dataMember(value.data, isJson ? 'application/json' : contentType);
  const text = Buffer.from(value.data).toString('utf8');
  if (isJson) return `"data":${text}`;
  if (type === OCTET_STREAM && BASE64_STRING.test(text)) return `"data_base64":${text}`;
  return `"data":${text.startsWith('"') ? text : JSON.stringify(text)}`;
}

const BASE64_STRING = /^"[A-Za-z0-9+/]*={0,2}"$/;
