// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/pubsub.proto; not by hand.
// Publishing events, and taking them over a stream that the app opens.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { TopicEventRequest, TopicEventResponse } from './appcallback.gen.ts';

export interface PublishEventRequest {
  pubsubName: string;
  topic: string;
  data: Uint8Array;
  /** Default text/plain; application/cloudevents+json says that data is the envelope itself. */
  dataContentType: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writePublishEventRequest(m: Init<PublishEventRequest>, w: Writer): Writer {
  if (m.pubsubName) w.uint32(10).string(m.pubsubName);
  if (m.topic) w.uint32(18).string(m.topic);
  if (m.data?.length) w.uint32(26).bytes(m.data);
  if (m.dataContentType) w.uint32(34).string(m.dataContentType);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(42).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPublishEventRequest(r: Reader, _depth: number, target?: PublishEventRequest): PublishEventRequest {
  const m: PublishEventRequest = target ?? { pubsubName: '', topic: '', data: NO_BYTES, dataContentType: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.pubsubName = r.stringVerify();
        break;
      case 18:
        m.topic = r.stringVerify();
        break;
      case 26:
        m.data = r.bytes();
        break;
      case 34:
        m.dataContentType = r.stringVerify();
        break;
      case 42:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PublishEventRequest: Codec<PublishEventRequest> = createCodec('dapr.proto.runtime.v1.PublishEventRequest', writePublishEventRequest, readPublishEventRequest);

export interface BulkPublishRequest {
  pubsubName: string;
  topic: string;
  entries: BulkPublishRequestEntry[];
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeBulkPublishRequest(m: Init<BulkPublishRequest>, w: Writer): Writer {
  if (m.pubsubName) w.uint32(10).string(m.pubsubName);
  if (m.topic) w.uint32(18).string(m.topic);
  if (m.entries) for (const v of m.entries) BulkPublishRequestEntry.write(v, w.uint32(26).fork()).ldelim();
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBulkPublishRequest(r: Reader, depth: number, target?: BulkPublishRequest): BulkPublishRequest {
  const m: BulkPublishRequest = target ?? { pubsubName: '', topic: '', entries: [], metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.pubsubName = r.stringVerify();
        break;
      case 18:
        m.topic = r.stringVerify();
        break;
      case 26:
        m.entries.push(readNested(r, depth, BulkPublishRequestEntry.read));
        break;
      case 34:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BulkPublishRequest: Codec<BulkPublishRequest> = createCodec('dapr.proto.runtime.v1.BulkPublishRequest', writeBulkPublishRequest, readBulkPublishRequest);

export interface BulkPublishRequestEntry {
  /** Unique in the request, not empty. */
  entryId: string;
  event: Uint8Array;
  contentType: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeBulkPublishRequestEntry(m: Init<BulkPublishRequestEntry>, w: Writer): Writer {
  if (m.entryId) w.uint32(10).string(m.entryId);
  if (m.event?.length) w.uint32(18).bytes(m.event);
  if (m.contentType) w.uint32(26).string(m.contentType);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBulkPublishRequestEntry(r: Reader, _depth: number, target?: BulkPublishRequestEntry): BulkPublishRequestEntry {
  const m: BulkPublishRequestEntry = target ?? { entryId: '', event: NO_BYTES, contentType: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entryId = r.stringVerify();
        break;
      case 18:
        m.event = r.bytes();
        break;
      case 26:
        m.contentType = r.stringVerify();
        break;
      case 34:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BulkPublishRequestEntry: Codec<BulkPublishRequestEntry> = createCodec('dapr.proto.runtime.v1.BulkPublishRequestEntry', writeBulkPublishRequestEntry, readBulkPublishRequestEntry);

export interface BulkPublishResponse {
  /** Entries that were not published; none of those that are missing here failed. */
  failedEntries: BulkPublishResponseFailedEntry[];
  unknown?: Uint8Array | undefined;
}
function writeBulkPublishResponse(m: Init<BulkPublishResponse>, w: Writer): Writer {
  if (m.failedEntries) for (const v of m.failedEntries) BulkPublishResponseFailedEntry.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBulkPublishResponse(r: Reader, depth: number, target?: BulkPublishResponse): BulkPublishResponse {
  const m: BulkPublishResponse = target ?? { failedEntries: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.failedEntries.push(readNested(r, depth, BulkPublishResponseFailedEntry.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BulkPublishResponse: Codec<BulkPublishResponse> = createCodec('dapr.proto.runtime.v1.BulkPublishResponse', writeBulkPublishResponse, readBulkPublishResponse);

export interface BulkPublishResponseFailedEntry {
  entryId: string;
  error: string;
  unknown?: Uint8Array | undefined;
}
function writeBulkPublishResponseFailedEntry(m: Init<BulkPublishResponseFailedEntry>, w: Writer): Writer {
  if (m.entryId) w.uint32(10).string(m.entryId);
  if (m.error) w.uint32(18).string(m.error);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBulkPublishResponseFailedEntry(r: Reader, _depth: number, target?: BulkPublishResponseFailedEntry): BulkPublishResponseFailedEntry {
  const m: BulkPublishResponseFailedEntry = target ?? { entryId: '', error: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entryId = r.stringVerify();
        break;
      case 18:
        m.error = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BulkPublishResponseFailedEntry: Codec<BulkPublishResponseFailedEntry> = createCodec('dapr.proto.runtime.v1.BulkPublishResponseFailedEntry', writeBulkPublishResponseFailedEntry, readBulkPublishResponseFailedEntry);

/** First the initial request, once; then one answer per event. */
export interface SubscribeTopicEventsRequestAlpha1 {
  initialRequest?: SubscribeTopicEventsRequestInitialAlpha1 | undefined;
  eventProcessed?: SubscribeTopicEventsRequestProcessedAlpha1 | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeTopicEventsRequestAlpha1(m: Init<SubscribeTopicEventsRequestAlpha1>, w: Writer): Writer {
  if (m.initialRequest) SubscribeTopicEventsRequestInitialAlpha1.write(m.initialRequest, w.uint32(10).fork()).ldelim();
  if (m.eventProcessed) SubscribeTopicEventsRequestProcessedAlpha1.write(m.eventProcessed, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeTopicEventsRequestAlpha1(r: Reader, depth: number, target?: SubscribeTopicEventsRequestAlpha1): SubscribeTopicEventsRequestAlpha1 {
  const m: SubscribeTopicEventsRequestAlpha1 = target ?? { initialRequest: undefined, eventProcessed: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.initialRequest = readNested(r, depth, SubscribeTopicEventsRequestInitialAlpha1.read, m.initialRequest);
        m.eventProcessed = undefined;
        break;
      case 18:
        m.eventProcessed = readNested(r, depth, SubscribeTopicEventsRequestProcessedAlpha1.read, m.eventProcessed);
        m.initialRequest = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeTopicEventsRequestAlpha1: Codec<SubscribeTopicEventsRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeTopicEventsRequestAlpha1', writeSubscribeTopicEventsRequestAlpha1, readSubscribeTopicEventsRequestAlpha1);

export interface SubscribeTopicEventsRequestInitialAlpha1 {
  pubsubName: string;
  topic: string;
  metadata: Record<string, string>;
  deadLetterTopic?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeTopicEventsRequestInitialAlpha1(m: Init<SubscribeTopicEventsRequestInitialAlpha1>, w: Writer): Writer {
  if (m.pubsubName) w.uint32(10).string(m.pubsubName);
  if (m.topic) w.uint32(18).string(m.topic);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.deadLetterTopic !== undefined) w.uint32(34).string(m.deadLetterTopic);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeTopicEventsRequestInitialAlpha1(r: Reader, _depth: number, target?: SubscribeTopicEventsRequestInitialAlpha1): SubscribeTopicEventsRequestInitialAlpha1 {
  const m: SubscribeTopicEventsRequestInitialAlpha1 = target ?? { pubsubName: '', topic: '', metadata: {}, deadLetterTopic: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.pubsubName = r.stringVerify();
        break;
      case 18:
        m.topic = r.stringVerify();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 34:
        m.deadLetterTopic = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeTopicEventsRequestInitialAlpha1: Codec<SubscribeTopicEventsRequestInitialAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeTopicEventsRequestInitialAlpha1', writeSubscribeTopicEventsRequestInitialAlpha1, readSubscribeTopicEventsRequestInitialAlpha1);

export interface SubscribeTopicEventsRequestProcessedAlpha1 {
  /** The id of the event that is answered. */
  id: string;
  status?: TopicEventResponse | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeTopicEventsRequestProcessedAlpha1(m: Init<SubscribeTopicEventsRequestProcessedAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.status) TopicEventResponse.write(m.status, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeTopicEventsRequestProcessedAlpha1(r: Reader, depth: number, target?: SubscribeTopicEventsRequestProcessedAlpha1): SubscribeTopicEventsRequestProcessedAlpha1 {
  const m: SubscribeTopicEventsRequestProcessedAlpha1 = target ?? { id: '', status: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.status = readNested(r, depth, TopicEventResponse.read, m.status);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeTopicEventsRequestProcessedAlpha1: Codec<SubscribeTopicEventsRequestProcessedAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeTopicEventsRequestProcessedAlpha1', writeSubscribeTopicEventsRequestProcessedAlpha1, readSubscribeTopicEventsRequestProcessedAlpha1);

/** First the initial response, when the subscription is live; then events. */
export interface SubscribeTopicEventsResponseAlpha1 {
  initialResponse?: SubscribeTopicEventsResponseInitialAlpha1 | undefined;
  eventMessage?: TopicEventRequest | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeTopicEventsResponseAlpha1(m: Init<SubscribeTopicEventsResponseAlpha1>, w: Writer): Writer {
  if (m.initialResponse) SubscribeTopicEventsResponseInitialAlpha1.write(m.initialResponse, w.uint32(10).fork()).ldelim();
  if (m.eventMessage) TopicEventRequest.write(m.eventMessage, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeTopicEventsResponseAlpha1(r: Reader, depth: number, target?: SubscribeTopicEventsResponseAlpha1): SubscribeTopicEventsResponseAlpha1 {
  const m: SubscribeTopicEventsResponseAlpha1 = target ?? { initialResponse: undefined, eventMessage: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.initialResponse = readNested(r, depth, SubscribeTopicEventsResponseInitialAlpha1.read, m.initialResponse);
        m.eventMessage = undefined;
        break;
      case 18:
        m.eventMessage = readNested(r, depth, TopicEventRequest.read, m.eventMessage);
        m.initialResponse = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeTopicEventsResponseAlpha1: Codec<SubscribeTopicEventsResponseAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeTopicEventsResponseAlpha1', writeSubscribeTopicEventsResponseAlpha1, readSubscribeTopicEventsResponseAlpha1);

export interface SubscribeTopicEventsResponseInitialAlpha1 {
  unknown?: Uint8Array | undefined;
}
function writeSubscribeTopicEventsResponseInitialAlpha1(m: Init<SubscribeTopicEventsResponseInitialAlpha1>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeTopicEventsResponseInitialAlpha1(r: Reader, _depth: number, target?: SubscribeTopicEventsResponseInitialAlpha1): SubscribeTopicEventsResponseInitialAlpha1 {
  const m: SubscribeTopicEventsResponseInitialAlpha1 = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const SubscribeTopicEventsResponseInitialAlpha1: Codec<SubscribeTopicEventsResponseInitialAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeTopicEventsResponseInitialAlpha1', writeSubscribeTopicEventsResponseInitialAlpha1, readSubscribeTopicEventsResponseInitialAlpha1);
