// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/appcallback.proto; not by hand.
// What an app serves when its sidecar is told that it speaks gRPC.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';
import { HTTPExtension, InvokeRequest, InvokeResponse, StateItem } from './common.gen.ts';
import { Empty } from './empty.gen.ts';
import { Struct } from './struct.gen.ts';

export const TopicEventResponseStatus = {
  SUCCESS: 0,
  RETRY: 1,
  DROP: 2,
} as const;

export const BindingEventResponseBindingEventConcurrency = {
  SEQUENTIAL: 0,
  PARALLEL: 1,
} as const;

export interface JobEventRequest {
  name: string;
  data?: Any | undefined;
  method: string;
  contentType: string;
  httpExtension?: HTTPExtension | undefined;
  unknown?: Uint8Array | undefined;
}
function writeJobEventRequest(m: Init<JobEventRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.data) Any.write(m.data, w.uint32(18).fork()).ldelim();
  if (m.method) w.uint32(26).string(m.method);
  if (m.contentType) w.uint32(34).string(m.contentType);
  if (m.httpExtension) HTTPExtension.write(m.httpExtension, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJobEventRequest(r: Reader, depth: number, target?: JobEventRequest): JobEventRequest {
  const m: JobEventRequest = target ?? { name: '', data: undefined, method: '', contentType: '', httpExtension: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 26:
        m.method = r.stringVerify();
        break;
      case 34:
        m.contentType = r.stringVerify();
        break;
      case 42:
        m.httpExtension = readNested(r, depth, HTTPExtension.read, m.httpExtension);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const JobEventRequest: Codec<JobEventRequest> = createCodec('dapr.proto.runtime.v1.JobEventRequest', writeJobEventRequest, readJobEventRequest);

export interface JobEventResponse {
  unknown?: Uint8Array | undefined;
}
function writeJobEventResponse(m: Init<JobEventResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJobEventResponse(r: Reader, _depth: number, target?: JobEventResponse): JobEventResponse {
  const m: JobEventResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const JobEventResponse: Codec<JobEventResponse> = createCodec('dapr.proto.runtime.v1.JobEventResponse', writeJobEventResponse, readJobEventResponse);

/** A CloudEvent, taken apart. */
export interface TopicEventRequest {
  id: string;
  source: string;
  type: string;
  specVersion: string;
  dataContentType: string;
  /** The topic subscribed to. */
  topic: string;
  data: Uint8Array;
  pubsubName: string;
  /** The route that the subscription's rules chose. */
  path: string;
  /** Attributes of the CloudEvent that have no field here. */
  extensions?: Struct | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventRequest(m: Init<TopicEventRequest>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.source) w.uint32(18).string(m.source);
  if (m.type) w.uint32(26).string(m.type);
  if (m.specVersion) w.uint32(34).string(m.specVersion);
  if (m.dataContentType) w.uint32(42).string(m.dataContentType);
  if (m.topic) w.uint32(50).string(m.topic);
  if (m.data?.length) w.uint32(58).bytes(m.data);
  if (m.pubsubName) w.uint32(66).string(m.pubsubName);
  if (m.path) w.uint32(74).string(m.path);
  if (m.extensions) Struct.write(m.extensions, w.uint32(82).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventRequest(r: Reader, depth: number, target?: TopicEventRequest): TopicEventRequest {
  const m: TopicEventRequest = target ?? { id: '', source: '', type: '', specVersion: '', dataContentType: '', topic: '', data: NO_BYTES, pubsubName: '', path: '', extensions: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.source = r.stringVerify();
        break;
      case 26:
        m.type = r.stringVerify();
        break;
      case 34:
        m.specVersion = r.stringVerify();
        break;
      case 42:
        m.dataContentType = r.stringVerify();
        break;
      case 50:
        m.topic = r.stringVerify();
        break;
      case 58:
        m.data = r.bytes();
        break;
      case 66:
        m.pubsubName = r.stringVerify();
        break;
      case 74:
        m.path = r.stringVerify();
        break;
      case 82:
        m.extensions = readNested(r, depth, Struct.read, m.extensions);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventRequest: Codec<TopicEventRequest> = createCodec('dapr.proto.runtime.v1.TopicEventRequest', writeTopicEventRequest, readTopicEventRequest);

/** RETRY asks for the event again, DROP gives it up (or to the dead-letter topic). */
export interface TopicEventResponse {
  status: number;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventResponse(m: Init<TopicEventResponse>, w: Writer): Writer {
  if (m.status) w.uint32(8).int32(m.status);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventResponse(r: Reader, _depth: number, target?: TopicEventResponse): TopicEventResponse {
  const m: TopicEventResponse = target ?? { status: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.status = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventResponse: Codec<TopicEventResponse> = createCodec('dapr.proto.runtime.v1.TopicEventResponse', writeTopicEventResponse, readTopicEventResponse);

export interface TopicEventCERequest {
  id: string;
  source: string;
  type: string;
  specVersion: string;
  dataContentType: string;
  data: Uint8Array;
  extensions?: Struct | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventCERequest(m: Init<TopicEventCERequest>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.source) w.uint32(18).string(m.source);
  if (m.type) w.uint32(26).string(m.type);
  if (m.specVersion) w.uint32(34).string(m.specVersion);
  if (m.dataContentType) w.uint32(42).string(m.dataContentType);
  if (m.data?.length) w.uint32(50).bytes(m.data);
  if (m.extensions) Struct.write(m.extensions, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventCERequest(r: Reader, depth: number, target?: TopicEventCERequest): TopicEventCERequest {
  const m: TopicEventCERequest = target ?? { id: '', source: '', type: '', specVersion: '', dataContentType: '', data: NO_BYTES, extensions: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.source = r.stringVerify();
        break;
      case 26:
        m.type = r.stringVerify();
        break;
      case 34:
        m.specVersion = r.stringVerify();
        break;
      case 42:
        m.dataContentType = r.stringVerify();
        break;
      case 50:
        m.data = r.bytes();
        break;
      case 58:
        m.extensions = readNested(r, depth, Struct.read, m.extensions);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventCERequest: Codec<TopicEventCERequest> = createCodec('dapr.proto.runtime.v1.TopicEventCERequest', writeTopicEventCERequest, readTopicEventCERequest);

export interface TopicEventBulkRequestEntry {
  entryId: string;
  /** The payload as published, for raw subscriptions. */
  bytes?: Uint8Array | undefined;
  cloudEvent?: TopicEventCERequest | undefined;
  contentType: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventBulkRequestEntry(m: Init<TopicEventBulkRequestEntry>, w: Writer): Writer {
  if (m.entryId) w.uint32(10).string(m.entryId);
  if (m.bytes !== undefined) w.uint32(18).bytes(m.bytes);
  if (m.cloudEvent) TopicEventCERequest.write(m.cloudEvent, w.uint32(26).fork()).ldelim();
  if (m.contentType) w.uint32(34).string(m.contentType);
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
function readTopicEventBulkRequestEntry(r: Reader, depth: number, target?: TopicEventBulkRequestEntry): TopicEventBulkRequestEntry {
  const m: TopicEventBulkRequestEntry = target ?? { entryId: '', bytes: undefined, cloudEvent: undefined, contentType: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entryId = r.stringVerify();
        break;
      case 18:
        m.bytes = r.bytes();
        m.cloudEvent = undefined;
        break;
      case 26:
        m.cloudEvent = readNested(r, depth, TopicEventCERequest.read, m.cloudEvent);
        m.bytes = undefined;
        break;
      case 34:
        m.contentType = r.stringVerify();
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
export const TopicEventBulkRequestEntry: Codec<TopicEventBulkRequestEntry> = createCodec('dapr.proto.runtime.v1.TopicEventBulkRequestEntry', writeTopicEventBulkRequestEntry, readTopicEventBulkRequestEntry);

export interface TopicEventBulkRequest {
  id: string;
  entries: TopicEventBulkRequestEntry[];
  metadata: Record<string, string>;
  topic: string;
  pubsubName: string;
  type: string;
  path: string;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventBulkRequest(m: Init<TopicEventBulkRequest>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.entries) for (const v of m.entries) TopicEventBulkRequestEntry.write(v, w.uint32(18).fork()).ldelim();
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.topic) w.uint32(34).string(m.topic);
  if (m.pubsubName) w.uint32(42).string(m.pubsubName);
  if (m.type) w.uint32(50).string(m.type);
  if (m.path) w.uint32(58).string(m.path);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventBulkRequest(r: Reader, depth: number, target?: TopicEventBulkRequest): TopicEventBulkRequest {
  const m: TopicEventBulkRequest = target ?? { id: '', entries: [], metadata: {}, topic: '', pubsubName: '', type: '', path: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.entries.push(readNested(r, depth, TopicEventBulkRequestEntry.read));
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 34:
        m.topic = r.stringVerify();
        break;
      case 42:
        m.pubsubName = r.stringVerify();
        break;
      case 50:
        m.type = r.stringVerify();
        break;
      case 58:
        m.path = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventBulkRequest: Codec<TopicEventBulkRequest> = createCodec('dapr.proto.runtime.v1.TopicEventBulkRequest', writeTopicEventBulkRequest, readTopicEventBulkRequest);

/** An entry that got no status counts as RETRY. */
export interface TopicEventBulkResponseEntry {
  entryId: string;
  status: number;
  unknown?: Uint8Array | undefined;
}
function writeTopicEventBulkResponseEntry(m: Init<TopicEventBulkResponseEntry>, w: Writer): Writer {
  if (m.entryId) w.uint32(10).string(m.entryId);
  if (m.status) w.uint32(16).int32(m.status);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventBulkResponseEntry(r: Reader, _depth: number, target?: TopicEventBulkResponseEntry): TopicEventBulkResponseEntry {
  const m: TopicEventBulkResponseEntry = target ?? { entryId: '', status: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entryId = r.stringVerify();
        break;
      case 16:
        m.status = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventBulkResponseEntry: Codec<TopicEventBulkResponseEntry> = createCodec('dapr.proto.runtime.v1.TopicEventBulkResponseEntry', writeTopicEventBulkResponseEntry, readTopicEventBulkResponseEntry);

export interface TopicEventBulkResponse {
  statuses: TopicEventBulkResponseEntry[];
  unknown?: Uint8Array | undefined;
}
function writeTopicEventBulkResponse(m: Init<TopicEventBulkResponse>, w: Writer): Writer {
  if (m.statuses) for (const v of m.statuses) TopicEventBulkResponseEntry.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicEventBulkResponse(r: Reader, depth: number, target?: TopicEventBulkResponse): TopicEventBulkResponse {
  const m: TopicEventBulkResponse = target ?? { statuses: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.statuses.push(readNested(r, depth, TopicEventBulkResponseEntry.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicEventBulkResponse: Codec<TopicEventBulkResponse> = createCodec('dapr.proto.runtime.v1.TopicEventBulkResponse', writeTopicEventBulkResponse, readTopicEventBulkResponse);

export interface BindingEventRequest {
  name: string;
  data: Uint8Array;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeBindingEventRequest(m: Init<BindingEventRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.data?.length) w.uint32(18).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBindingEventRequest(r: Reader, _depth: number, target?: BindingEventRequest): BindingEventRequest {
  const m: BindingEventRequest = target ?? { name: '', data: NO_BYTES, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.data = r.bytes();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BindingEventRequest: Codec<BindingEventRequest> = createCodec('dapr.proto.runtime.v1.BindingEventRequest', writeBindingEventRequest, readBindingEventRequest);

export interface BindingEventResponse {
  storeName: string;
  states: StateItem[];
  /** Output bindings that `data` goes to. */
  to: string[];
  data: Uint8Array;
  concurrency: number;
  unknown?: Uint8Array | undefined;
}
function writeBindingEventResponse(m: Init<BindingEventResponse>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.states) for (const v of m.states) StateItem.write(v, w.uint32(18).fork()).ldelim();
  if (m.to) for (const v of m.to) w.uint32(26).string(v);
  if (m.data?.length) w.uint32(34).bytes(m.data);
  if (m.concurrency) w.uint32(40).int32(m.concurrency);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBindingEventResponse(r: Reader, depth: number, target?: BindingEventResponse): BindingEventResponse {
  const m: BindingEventResponse = target ?? { storeName: '', states: [], to: [], data: NO_BYTES, concurrency: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.states.push(readNested(r, depth, StateItem.read));
        break;
      case 26:
        m.to.push(r.stringVerify());
        break;
      case 34:
        m.data = r.bytes();
        break;
      case 40:
        m.concurrency = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BindingEventResponse: Codec<BindingEventResponse> = createCodec('dapr.proto.runtime.v1.BindingEventResponse', writeBindingEventResponse, readBindingEventResponse);

export interface ListTopicSubscriptionsResponse {
  subscriptions: TopicSubscription[];
  unknown?: Uint8Array | undefined;
}
function writeListTopicSubscriptionsResponse(m: Init<ListTopicSubscriptionsResponse>, w: Writer): Writer {
  if (m.subscriptions) for (const v of m.subscriptions) TopicSubscription.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListTopicSubscriptionsResponse(r: Reader, depth: number, target?: ListTopicSubscriptionsResponse): ListTopicSubscriptionsResponse {
  const m: ListTopicSubscriptionsResponse = target ?? { subscriptions: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.subscriptions.push(readNested(r, depth, TopicSubscription.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListTopicSubscriptionsResponse: Codec<ListTopicSubscriptionsResponse> = createCodec('dapr.proto.runtime.v1.ListTopicSubscriptionsResponse', writeListTopicSubscriptionsResponse, readListTopicSubscriptionsResponse);

export interface TopicSubscription {
  pubsubName: string;
  topic: string;
  metadata: Record<string, string>;
  /** Without routes, events arrive with an empty path. */
  routes?: TopicRoutes | undefined;
  deadLetterTopic: string;
  bulkSubscribe?: BulkSubscribeConfig | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTopicSubscription(m: Init<TopicSubscription>, w: Writer): Writer {
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
  if (m.routes) TopicRoutes.write(m.routes, w.uint32(42).fork()).ldelim();
  if (m.deadLetterTopic) w.uint32(50).string(m.deadLetterTopic);
  if (m.bulkSubscribe) BulkSubscribeConfig.write(m.bulkSubscribe, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicSubscription(r: Reader, depth: number, target?: TopicSubscription): TopicSubscription {
  const m: TopicSubscription = target ?? { pubsubName: '', topic: '', metadata: {}, routes: undefined, deadLetterTopic: '', bulkSubscribe: undefined };
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
      case 42:
        m.routes = readNested(r, depth, TopicRoutes.read, m.routes);
        break;
      case 50:
        m.deadLetterTopic = r.stringVerify();
        break;
      case 58:
        m.bulkSubscribe = readNested(r, depth, BulkSubscribeConfig.read, m.bulkSubscribe);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicSubscription: Codec<TopicSubscription> = createCodec('dapr.proto.runtime.v1.TopicSubscription', writeTopicSubscription, readTopicSubscription);

export interface TopicRoutes {
  rules: TopicRule[];
  /** Taken when no rule matches. */
  default: string;
  unknown?: Uint8Array | undefined;
}
function writeTopicRoutes(m: Init<TopicRoutes>, w: Writer): Writer {
  if (m.rules) for (const v of m.rules) TopicRule.write(v, w.uint32(10).fork()).ldelim();
  if (m.default) w.uint32(18).string(m.default);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicRoutes(r: Reader, depth: number, target?: TopicRoutes): TopicRoutes {
  const m: TopicRoutes = target ?? { rules: [], default: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.rules.push(readNested(r, depth, TopicRule.read));
        break;
      case 18:
        m.default = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicRoutes: Codec<TopicRoutes> = createCodec('dapr.proto.runtime.v1.TopicRoutes', writeTopicRoutes, readTopicRoutes);

export interface TopicRule {
  /** A CEL expression over `event`. */
  match: string;
  path: string;
  unknown?: Uint8Array | undefined;
}
function writeTopicRule(m: Init<TopicRule>, w: Writer): Writer {
  if (m.match) w.uint32(10).string(m.match);
  if (m.path) w.uint32(18).string(m.path);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTopicRule(r: Reader, _depth: number, target?: TopicRule): TopicRule {
  const m: TopicRule = target ?? { match: '', path: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.match = r.stringVerify();
        break;
      case 18:
        m.path = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TopicRule: Codec<TopicRule> = createCodec('dapr.proto.runtime.v1.TopicRule', writeTopicRule, readTopicRule);

export interface BulkSubscribeConfig {
  enabled: boolean;
  maxMessagesCount: number;
  maxAwaitDurationMs: number;
  unknown?: Uint8Array | undefined;
}
function writeBulkSubscribeConfig(m: Init<BulkSubscribeConfig>, w: Writer): Writer {
  if (m.enabled) w.uint32(8).bool(m.enabled);
  if (m.maxMessagesCount) w.uint32(16).int32(m.maxMessagesCount);
  if (m.maxAwaitDurationMs) w.uint32(24).int32(m.maxAwaitDurationMs);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBulkSubscribeConfig(r: Reader, _depth: number, target?: BulkSubscribeConfig): BulkSubscribeConfig {
  const m: BulkSubscribeConfig = target ?? { enabled: false, maxMessagesCount: 0, maxAwaitDurationMs: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.enabled = r.bool();
        break;
      case 16:
        m.maxMessagesCount = r.int32();
        break;
      case 24:
        m.maxAwaitDurationMs = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BulkSubscribeConfig: Codec<BulkSubscribeConfig> = createCodec('dapr.proto.runtime.v1.BulkSubscribeConfig', writeBulkSubscribeConfig, readBulkSubscribeConfig);

export interface ListInputBindingsResponse {
  bindings: string[];
  unknown?: Uint8Array | undefined;
}
function writeListInputBindingsResponse(m: Init<ListInputBindingsResponse>, w: Writer): Writer {
  if (m.bindings) for (const v of m.bindings) w.uint32(10).string(v);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListInputBindingsResponse(r: Reader, _depth: number, target?: ListInputBindingsResponse): ListInputBindingsResponse {
  const m: ListInputBindingsResponse = target ?? { bindings: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.bindings.push(r.stringVerify());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListInputBindingsResponse: Codec<ListInputBindingsResponse> = createCodec('dapr.proto.runtime.v1.ListInputBindingsResponse', writeListInputBindingsResponse, readListInputBindingsResponse);

export interface HealthCheckResponse {
  unknown?: Uint8Array | undefined;
}
function writeHealthCheckResponse(m: Init<HealthCheckResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readHealthCheckResponse(r: Reader, _depth: number, target?: HealthCheckResponse): HealthCheckResponse {
  const m: HealthCheckResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const HealthCheckResponse: Codec<HealthCheckResponse> = createCodec('dapr.proto.runtime.v1.HealthCheckResponse', writeHealthCheckResponse, readHealthCheckResponse);

/** Every method may be left out; UNIMPLEMENTED then says so. */
export const AppCallback = {
  OnInvoke: {
    path: '/dapr.proto.runtime.v1.AppCallback/OnInvoke',
    requestStream: false,
    responseStream: false,
    request: InvokeRequest,
    response: InvokeResponse,
  },
  ListTopicSubscriptions: {
    path: '/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions',
    requestStream: false,
    responseStream: false,
    request: Empty,
    response: ListTopicSubscriptionsResponse,
  },
  OnTopicEvent: {
    path: '/dapr.proto.runtime.v1.AppCallback/OnTopicEvent',
    requestStream: false,
    responseStream: false,
    request: TopicEventRequest,
    response: TopicEventResponse,
  },
  ListInputBindings: {
    path: '/dapr.proto.runtime.v1.AppCallback/ListInputBindings',
    requestStream: false,
    responseStream: false,
    request: Empty,
    response: ListInputBindingsResponse,
  },
  OnBindingEvent: {
    path: '/dapr.proto.runtime.v1.AppCallback/OnBindingEvent',
    requestStream: false,
    responseStream: false,
    request: BindingEventRequest,
    response: BindingEventResponse,
  },
  OnBulkTopicEvent: {
    path: '/dapr.proto.runtime.v1.AppCallback/OnBulkTopicEvent',
    requestStream: false,
    responseStream: false,
    request: TopicEventBulkRequest,
    response: TopicEventBulkResponse,
  },
  OnJobEvent: {
    path: '/dapr.proto.runtime.v1.AppCallback/OnJobEvent',
    requestStream: false,
    responseStream: false,
    request: JobEventRequest,
    response: JobEventResponse,
  },
} as const;

/** Asked only when health checks of the app are switched on. */
export const AppCallbackHealthCheck = {
  HealthCheck: {
    path: '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck',
    requestStream: false,
    responseStream: false,
    request: Empty,
    response: HealthCheckResponse,
  },
} as const;

/** Earlier names of two methods, tried when the app does not know the later ones. */
export const AppCallbackAlpha = {
  OnBulkTopicEventAlpha1: {
    path: '/dapr.proto.runtime.v1.AppCallbackAlpha/OnBulkTopicEventAlpha1',
    requestStream: false,
    responseStream: false,
    request: TopicEventBulkRequest,
    response: TopicEventBulkResponse,
  },
  OnJobEventAlpha1: {
    path: '/dapr.proto.runtime.v1.AppCallbackAlpha/OnJobEventAlpha1',
    requestStream: false,
    responseStream: false,
    request: JobEventRequest,
    response: JobEventResponse,
  },
} as const;
