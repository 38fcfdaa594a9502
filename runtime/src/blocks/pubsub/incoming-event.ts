/**
 * Events as brokers hand them over (http-api.md 21.4): our own envelopes, other producers' structured CloudEvents,
 * CloudEvents in binary mode (attributes beside the data), and raw payloads.
 */
import { randomUUID } from 'node:crypto';
import type { Delivery } from '@mecha/components/kit';
import { EVENT_TYPE, OCTET_STREAM, SPEC_VERSION, UNKNOWN_SOURCE, mediaType } from '../../cloud-event/cloud-event.ts';
import { messageOf } from '../../errors.ts';
import { traceFrom, type TraceContext } from '../../telemetry/trace.ts';

/** An event ready to be routed and delivered. */
export interface IncomingEvent {
  /** The CloudEvent, for routing and for gRPC apps. */
  readonly event: Readonly<Record<string, unknown>>;
  /** For HTTP apps; the broker's own bytes unless there was no envelope in them. */
  readonly body: Uint8Array;
  readonly trace: TraceContext;
  /** Its `expiration` has passed. */
  readonly expired: boolean;
}

/** What the message holds cannot be delivered, now or later. */
export class NotAnEvent extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'NotAnEvent';
  }
}

export interface ReadOptions {
  readonly pubsubName: string;
  /** The subscription asks for raw payloads. */
  readonly raw: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Rejects with `NotAnEvent`. A promise only for foreign events, whose reading loads a library. */
export function readEvent(delivery: Delivery, options: ReadOptions): IncomingEvent | Promise<IncomingEvent> {
  if (options.raw) return wrapRaw(delivery, options);
  if (isBinaryMode(delivery)) return readBinary(delivery, options);
  // Bytes that say of themselves that they are no text get an envelope, rather than a content type that is not theirs.
  if (mediaType(metadataOf(delivery, 'content-type') ?? '') === OCTET_STREAM) return wrapRaw(delivery, options);
  return finish(parseObject(delivery.data), delivery.data, delivery, options);
}

function parseObject(data: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch (error) {
    throw new NotAnEvent(`the message is not JSON: ${messageOf(error).slice(0, 200)}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotAnEvent('the message is not a JSON object');
  return value as Record<string, unknown>;
}

function wrapRaw(delivery: Delivery, options: ReadOptions): IncomingEvent {
  const event: Record<string, unknown> = {
    data_base64: Buffer.from(delivery.data).toString('base64'),
    datacontenttype: OCTET_STREAM,
    id: randomUUID(),
    pubsubname: options.pubsubName,
    source: UNKNOWN_SOURCE,
    specversion: SPEC_VERSION,
    topic: delivery.topic,
    type: EVENT_TYPE,
  };
  addTrace(event, delivery);
  return finish(event, Buffer.from(JSON.stringify(event)), delivery, options);
}

/** Binary mode of the broker bindings: `ce_*` metadata beside data that is no CloudEvent itself. */
function isBinaryMode(delivery: Delivery): boolean {
  if (metadataOf(delivery, 'ce_specversion') === undefined || metadataOf(delivery, 'ce_type') === undefined) return false;
  return !mediaType(metadataOf(delivery, 'content-type') ?? '').startsWith('application/cloudevents');
}

async function readBinary(delivery: Delivery, options: ReadOptions): Promise<IncomingEvent> {
  const { CloudEvent, Kafka } = await import('cloudevents');
  const contentType = metadataOf(delivery, 'content-type') ?? OCTET_STREAM;
  const headers: Record<string, string> = { 'content-type': contentType };
  for (const [name, value] of Object.entries(delivery.metadata)) if (/^ce_/i.test(name)) headers[name.toLowerCase()] = value;
  const isText = mediaType(contentType) !== OCTET_STREAM;
  const value = isText ? Buffer.from(delivery.data).toString('utf8') : Buffer.from(delivery.data);
  try {
    const found = Kafka.toEvent({ headers, body: value, value, key: '' } as Parameters<typeof Kafka.toEvent>[0]);
    if (!(found instanceof CloudEvent)) throw new NotAnEvent('the message is a batch of CloudEvents');
    found.validate();
    const { partitionkey, ...attributes } = JSON.parse(JSON.stringify(found)) as Record<string, unknown>;
    const event = { ...attributes, ...(partitionkey ? { partitionkey } : {}), topic: delivery.topic, pubsubname: options.pubsubName };
    addTrace(event, delivery);
    return finish(event, Buffer.from(JSON.stringify(event)), delivery, options);
  } catch (error) {
    if (error instanceof NotAnEvent) throw error;
    throw new NotAnEvent(`the message is not a CloudEvent in binary mode: ${messageOf(error)}`, error);
  }
}

function finish(event: Record<string, unknown>, body: Uint8Array, delivery: Delivery, options: ReadOptions): IncomingEvent {
  addTrace(event, delivery);
  const expiration = event['expiration'];
  const expiresAt = typeof expiration === 'string' ? Date.parse(expiration) : Number.NaN;
  const trace = traceFrom(text(event['traceparent']) ?? text(event['traceid']), text(event['tracestate']), metadataOf(delivery, 'baggage'));
  return { event, body, trace, expired: expiresAt <= options.now };
}

/** Trace fields that the broker carried beside the message, where the event has none of its own. */
function addTrace(event: Record<string, unknown>, delivery: Delivery): void {
  if (event['traceparent'] !== undefined || event['traceid'] !== undefined) return;
  const parent = metadataOf(delivery, 'traceparent') ?? metadataOf(delivery, 'traceid');
  if (parent === undefined) return;
  event['traceid'] = parent;
  event['traceparent'] = parent;
  event['tracestate'] ??= metadataOf(delivery, 'tracestate') ?? '';
}

function metadataOf(delivery: Delivery, name: string): string | undefined {
  const exact = delivery.metadata[name];
  if (exact !== undefined) return exact;
  for (const key in delivery.metadata) if (key.length === name.length && key.toLowerCase() === name) return delivery.metadata[key];
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
