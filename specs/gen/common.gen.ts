// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/common/v1/common.proto; not by hand.
// What the sidecar's API and the app's callbacks have in common.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, toNumber, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';
import { Duration } from './duration.gen.ts';

export const HTTPExtensionVerb = {
  NONE: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  CONNECT: 6,
  OPTIONS: 7,
  TRACE: 8,
  PATCH: 9,
} as const;

export const StateOptionsStateConcurrency = {
  CONCURRENCY_UNSPECIFIED: 0,
  CONCURRENCY_FIRST_WRITE: 1,
  CONCURRENCY_LAST_WRITE: 2,
} as const;

export const StateOptionsStateConsistency = {
  CONSISTENCY_UNSPECIFIED: 0,
  CONSISTENCY_EVENTUAL: 1,
  CONSISTENCY_STRONG: 2,
} as const;

/** How a method call looks as HTTP, for targets that speak HTTP. */
export interface HTTPExtension {
  verb: number;
  /** Encoded as in a URL, without the question mark. */
  querystring: string;
  unknown?: Uint8Array | undefined;
}
function writeHTTPExtension(m: Init<HTTPExtension>, w: Writer): Writer {
  if (m.verb) w.uint32(8).int32(m.verb);
  if (m.querystring) w.uint32(18).string(m.querystring);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readHTTPExtension(r: Reader, _depth: number, target?: HTTPExtension): HTTPExtension {
  const m: HTTPExtension = target ?? { verb: 0, querystring: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.verb = r.int32();
        break;
      case 18:
        m.querystring = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const HTTPExtension: Codec<HTTPExtension> = createCodec('dapr.proto.common.v1.HTTPExtension', writeHTTPExtension, readHTTPExtension);

/** A call of a method of an app. */
export interface InvokeRequest {
  method: string;
  /** Only the bytes of `value` are the body; the type URL is free. */
  data?: Any | undefined;
  contentType: string;
  httpExtension?: HTTPExtension | undefined;
  unknown?: Uint8Array | undefined;
}
function writeInvokeRequest(m: Init<InvokeRequest>, w: Writer): Writer {
  if (m.method) w.uint32(10).string(m.method);
  if (m.data) Any.write(m.data, w.uint32(18).fork()).ldelim();
  if (m.contentType) w.uint32(26).string(m.contentType);
  if (m.httpExtension) HTTPExtension.write(m.httpExtension, w.uint32(34).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeRequest(r: Reader, depth: number, target?: InvokeRequest): InvokeRequest {
  const m: InvokeRequest = target ?? { method: '', data: undefined, contentType: '', httpExtension: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.method = r.stringVerify();
        break;
      case 18:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 26:
        m.contentType = r.stringVerify();
        break;
      case 34:
        m.httpExtension = readNested(r, depth, HTTPExtension.read, m.httpExtension);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeRequest: Codec<InvokeRequest> = createCodec('dapr.proto.common.v1.InvokeRequest', writeInvokeRequest, readInvokeRequest);

/** What the method answered. */
export interface InvokeResponse {
  data?: Any | undefined;
  contentType: string;
  unknown?: Uint8Array | undefined;
}
function writeInvokeResponse(m: Init<InvokeResponse>, w: Writer): Writer {
  if (m.data) Any.write(m.data, w.uint32(10).fork()).ldelim();
  if (m.contentType) w.uint32(18).string(m.contentType);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeResponse(r: Reader, depth: number, target?: InvokeResponse): InvokeResponse {
  const m: InvokeResponse = target ?? { data: undefined, contentType: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 18:
        m.contentType = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeResponse: Codec<InvokeResponse> = createCodec('dapr.proto.common.v1.InvokeResponse', writeInvokeResponse, readInvokeResponse);

/** One piece of a byte stream that is cut into messages. */
export interface StreamPayload {
  data: Uint8Array;
  /** Counts from 0 in each direction, without gaps. */
  seq: number;
  unknown?: Uint8Array | undefined;
}
function writeStreamPayload(m: Init<StreamPayload>, w: Writer): Writer {
  if (m.data?.length) w.uint32(10).bytes(m.data);
  if (m.seq) w.uint32(16).uint64(m.seq);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStreamPayload(r: Reader, _depth: number, target?: StreamPayload): StreamPayload {
  const m: StreamPayload = target ?? { data: NO_BYTES, seq: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = r.bytes();
        break;
      case 16:
        m.seq = toNumber(r.uint64());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StreamPayload: Codec<StreamPayload> = createCodec('dapr.proto.common.v1.StreamPayload', writeStreamPayload, readStreamPayload);

/** A value to be written under a key. */
export interface StateItem {
  key: string;
  value: Uint8Array;
  /** Absent: written whatever is there. Present, also with an empty value: compared first. */
  etag?: Etag | undefined;
  metadata: Record<string, string>;
  options?: StateOptions | undefined;
  unknown?: Uint8Array | undefined;
}
function writeStateItem(m: Init<StateItem>, w: Writer): Writer {
  if (m.key) w.uint32(10).string(m.key);
  if (m.value?.length) w.uint32(18).bytes(m.value);
  if (m.etag) Etag.write(m.etag, w.uint32(26).fork()).ldelim();
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.options) StateOptions.write(m.options, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStateItem(r: Reader, depth: number, target?: StateItem): StateItem {
  const m: StateItem = target ?? { key: '', value: NO_BYTES, etag: undefined, metadata: {}, options: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.stringVerify();
        break;
      case 18:
        m.value = r.bytes();
        break;
      case 26:
        m.etag = readNested(r, depth, Etag.read, m.etag);
        break;
      case 34:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 42:
        m.options = readNested(r, depth, StateOptions.read, m.options);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StateItem: Codec<StateItem> = createCodec('dapr.proto.common.v1.StateItem', writeStateItem, readStateItem);

/** A message of its own, so that no etag and an empty one can be told apart. */
export interface Etag {
  value: string;
  unknown?: Uint8Array | undefined;
}
function writeEtag(m: Init<Etag>, w: Writer): Writer {
  if (m.value) w.uint32(10).string(m.value);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEtag(r: Reader, _depth: number, target?: Etag): Etag {
  const m: Etag = target ?? { value: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.value = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Etag: Codec<Etag> = createCodec('dapr.proto.common.v1.Etag', writeEtag, readEtag);

export interface StateOptions {
  concurrency: number;
  consistency: number;
  unknown?: Uint8Array | undefined;
}
function writeStateOptions(m: Init<StateOptions>, w: Writer): Writer {
  if (m.concurrency) w.uint32(8).int32(m.concurrency);
  if (m.consistency) w.uint32(16).int32(m.consistency);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStateOptions(r: Reader, _depth: number, target?: StateOptions): StateOptions {
  const m: StateOptions = target ?? { concurrency: 0, consistency: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.concurrency = r.int32();
        break;
      case 16:
        m.consistency = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StateOptions: Codec<StateOptions> = createCodec('dapr.proto.common.v1.StateOptions', writeStateOptions, readStateOptions);

export interface ConfigurationItem {
  value: string;
  /** Set by the store. */
  version: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeConfigurationItem(m: Init<ConfigurationItem>, w: Writer): Writer {
  if (m.value) w.uint32(10).string(m.value);
  if (m.version) w.uint32(18).string(m.version);
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
function readConfigurationItem(r: Reader, _depth: number, target?: ConfigurationItem): ConfigurationItem {
  const m: ConfigurationItem = target ?? { value: '', version: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.value = r.stringVerify();
        break;
      case 18:
        m.version = r.stringVerify();
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
export const ConfigurationItem: Codec<ConfigurationItem> = createCodec('dapr.proto.common.v1.ConfigurationItem', writeConfigurationItem, readConfigurationItem);

/** What becomes of a job whose trigger the app did not accept. */
export interface JobFailurePolicy {
  drop?: JobFailurePolicyDrop | undefined;
  constant?: JobFailurePolicyConstant | undefined;
  unknown?: Uint8Array | undefined;
}
function writeJobFailurePolicy(m: Init<JobFailurePolicy>, w: Writer): Writer {
  if (m.drop) JobFailurePolicyDrop.write(m.drop, w.uint32(10).fork()).ldelim();
  if (m.constant) JobFailurePolicyConstant.write(m.constant, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJobFailurePolicy(r: Reader, depth: number, target?: JobFailurePolicy): JobFailurePolicy {
  const m: JobFailurePolicy = target ?? { drop: undefined, constant: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.drop = readNested(r, depth, JobFailurePolicyDrop.read, m.drop);
        m.constant = undefined;
        break;
      case 18:
        m.constant = readNested(r, depth, JobFailurePolicyConstant.read, m.constant);
        m.drop = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const JobFailurePolicy: Codec<JobFailurePolicy> = createCodec('dapr.proto.common.v1.JobFailurePolicy', writeJobFailurePolicy, readJobFailurePolicy);

export interface JobFailurePolicyDrop {
  unknown?: Uint8Array | undefined;
}
function writeJobFailurePolicyDrop(m: Init<JobFailurePolicyDrop>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJobFailurePolicyDrop(r: Reader, _depth: number, target?: JobFailurePolicyDrop): JobFailurePolicyDrop {
  const m: JobFailurePolicyDrop = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const JobFailurePolicyDrop: Codec<JobFailurePolicyDrop> = createCodec('dapr.proto.common.v1.JobFailurePolicyDrop', writeJobFailurePolicyDrop, readJobFailurePolicyDrop);

export interface JobFailurePolicyConstant {
  interval?: Duration | undefined;
  /** Absent: tried for ever. */
  maxRetries?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeJobFailurePolicyConstant(m: Init<JobFailurePolicyConstant>, w: Writer): Writer {
  if (m.interval) Duration.write(m.interval, w.uint32(10).fork()).ldelim();
  if (m.maxRetries !== undefined) w.uint32(16).uint32(m.maxRetries);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJobFailurePolicyConstant(r: Reader, depth: number, target?: JobFailurePolicyConstant): JobFailurePolicyConstant {
  const m: JobFailurePolicyConstant = target ?? { interval: undefined, maxRetries: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.interval = readNested(r, depth, Duration.read, m.interval);
        break;
      case 16:
        m.maxRetries = r.uint32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const JobFailurePolicyConstant: Codec<JobFailurePolicyConstant> = createCodec('dapr.proto.common.v1.JobFailurePolicyConstant', writeJobFailurePolicyConstant, readJobFailurePolicyConstant);
