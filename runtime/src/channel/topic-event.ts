/**
 * A CloudEvent as gRPC apps get it: taken apart into the fields of a message (grpc-api.md 7). Used for apps that are
 * called and for apps that hold a stream.
 */
import type { Init } from '@mecha/specs/codec.ts';
import type { TopicEventBulkRequestEntry, TopicEventCERequest, TopicEventRequest } from '@mecha/specs/gen/appcallback.gen.ts';
import { membersOf } from '../json/json-members.ts';
import { structOf } from '../json/struct-value.ts';
import { CLOUD_EVENT_JSON, mediaType } from '../cloud-event/cloud-event.ts';
import type { BulkEventDelivery, EventDelivery } from './channel.ts';

type CloudEvent = Readonly<Record<string, unknown>>;

/** Attributes with a field of their own; all others are extensions. */
const WITH_FIELD = new Set(['id', 'source', 'type', 'specversion', 'datacontenttype', 'data', 'data_base64']);

/** `id` stands for the event's own, where answers have to name it. */
export function topicEventOf(delivery: EventDelivery, id?: string): Init<TopicEventRequest> {
  const { event, topic, pubsubName, path } = delivery;
  return { ...attributesOf(event, delivery.body), ...(id === undefined ? {} : { id }), topic, pubsubName, path };
}

export function bulkEntryOf(entry: BulkEventDelivery['entries'][number]): Init<TopicEventBulkRequestEntry> {
  const { entryId, contentType, metadata, event, body } = entry;
  return { entryId, contentType, metadata, ...(event ? { cloudEvent: attributesOf(event, body) } : { bytes: body }) };
}

function attributesOf(event: CloudEvent, body: Uint8Array): Init<TopicEventCERequest> {
  return {
    id: textOf(event['id']),
    source: textOf(event['source']),
    type: textOf(event['type']),
    specVersion: textOf(event['specversion']),
    dataContentType: textOf(event['datacontenttype']),
    data: dataOf(event, body),
    extensions: structOf(Object.entries(event).filter(([name]) => !WITH_FIELD.has(name))),
  };
}

/** JSON goes out as it is written in the event, so that no number loses digits. */
function dataOf(event: CloudEvent, body: Uint8Array): Uint8Array {
  const { data, data_base64: base64 } = event;
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  const type = mediaType(textOf(event['datacontenttype']));
  if (data === undefined) return Buffer.alloc(0);
  if (type === 'application/json' || type === CLOUD_EVENT_JSON || type.endsWith('+json')) return Buffer.from(writtenData(body) ?? JSON.stringify(data));
  if ((type.startsWith('text/') || type === 'application/xml' || type === '') && typeof data === 'string') return Buffer.from(data);
  return Buffer.alloc(0);
}

function writtenData(body: Uint8Array): string | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return membersOf(text).findLast(({ name }) => name === 'data')?.text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}
