// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/configuration.proto; not by hand.
// Configuration items, read or watched.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { ConfigurationItem } from './common.gen.ts';

export interface GetConfigurationRequest {
  storeName: string;
  /** None: all of them. */
  keys: string[];
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetConfigurationRequest(m: Init<GetConfigurationRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.keys) for (const v of m.keys) w.uint32(18).string(v);
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
function readGetConfigurationRequest(r: Reader, _depth: number, target?: GetConfigurationRequest): GetConfigurationRequest {
  const m: GetConfigurationRequest = target ?? { storeName: '', keys: [], metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.keys.push(r.stringVerify());
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
export const GetConfigurationRequest: Codec<GetConfigurationRequest> = createCodec('dapr.proto.runtime.v1.GetConfigurationRequest', writeGetConfigurationRequest, readGetConfigurationRequest);

export interface GetConfigurationResponse {
  items: Record<string, ConfigurationItem>;
  unknown?: Uint8Array | undefined;
}
function writeGetConfigurationResponse(m: Init<GetConfigurationResponse>, w: Writer): Writer {
  if (m.items) {
    for (const [k, v] of Object.entries(m.items)) {
      if (v === undefined) continue;
      w.uint32(10).fork().uint32(10).string(k);
      ConfigurationItem.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetConfigurationResponse(r: Reader, depth: number, target?: GetConfigurationResponse): GetConfigurationResponse {
  const m: GetConfigurationResponse = target ?? { items: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        readEntry(r, m.items, ConfigurationItem.decode(NO_BYTES), (r) => readNested(r, depth, ConfigurationItem.read), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetConfigurationResponse: Codec<GetConfigurationResponse> = createCodec('dapr.proto.runtime.v1.GetConfigurationResponse', writeGetConfigurationResponse, readGetConfigurationResponse);

export interface SubscribeConfigurationRequest {
  storeName: string;
  keys: string[];
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeConfigurationRequest(m: Init<SubscribeConfigurationRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.keys) for (const v of m.keys) w.uint32(18).string(v);
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
function readSubscribeConfigurationRequest(r: Reader, _depth: number, target?: SubscribeConfigurationRequest): SubscribeConfigurationRequest {
  const m: SubscribeConfigurationRequest = target ?? { storeName: '', keys: [], metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.keys.push(r.stringVerify());
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
export const SubscribeConfigurationRequest: Codec<SubscribeConfigurationRequest> = createCodec('dapr.proto.runtime.v1.SubscribeConfigurationRequest', writeSubscribeConfigurationRequest, readSubscribeConfigurationRequest);

export interface UnsubscribeConfigurationRequest {
  storeName: string;
  id: string;
  unknown?: Uint8Array | undefined;
}
function writeUnsubscribeConfigurationRequest(m: Init<UnsubscribeConfigurationRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.id) w.uint32(18).string(m.id);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnsubscribeConfigurationRequest(r: Reader, _depth: number, target?: UnsubscribeConfigurationRequest): UnsubscribeConfigurationRequest {
  const m: UnsubscribeConfigurationRequest = target ?? { storeName: '', id: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.id = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnsubscribeConfigurationRequest: Codec<UnsubscribeConfigurationRequest> = createCodec('dapr.proto.runtime.v1.UnsubscribeConfigurationRequest', writeUnsubscribeConfigurationRequest, readUnsubscribeConfigurationRequest);

/** The first one carries the id alone; later ones the items that changed. */
export interface SubscribeConfigurationResponse {
  id: string;
  items: Record<string, ConfigurationItem>;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeConfigurationResponse(m: Init<SubscribeConfigurationResponse>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.items) {
    for (const [k, v] of Object.entries(m.items)) {
      if (v === undefined) continue;
      w.uint32(18).fork().uint32(10).string(k);
      ConfigurationItem.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeConfigurationResponse(r: Reader, depth: number, target?: SubscribeConfigurationResponse): SubscribeConfigurationResponse {
  const m: SubscribeConfigurationResponse = target ?? { id: '', items: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        readEntry(r, m.items, ConfigurationItem.decode(NO_BYTES), (r) => readNested(r, depth, ConfigurationItem.read), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeConfigurationResponse: Codec<SubscribeConfigurationResponse> = createCodec('dapr.proto.runtime.v1.SubscribeConfigurationResponse', writeSubscribeConfigurationResponse, readSubscribeConfigurationResponse);

export interface UnsubscribeConfigurationResponse {
  ok: boolean;
  message: string;
  unknown?: Uint8Array | undefined;
}
function writeUnsubscribeConfigurationResponse(m: Init<UnsubscribeConfigurationResponse>, w: Writer): Writer {
  if (m.ok) w.uint32(8).bool(m.ok);
  if (m.message) w.uint32(18).string(m.message);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnsubscribeConfigurationResponse(r: Reader, _depth: number, target?: UnsubscribeConfigurationResponse): UnsubscribeConfigurationResponse {
  const m: UnsubscribeConfigurationResponse = target ?? { ok: false, message: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.ok = r.bool();
        break;
      case 18:
        m.message = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnsubscribeConfigurationResponse: Codec<UnsubscribeConfigurationResponse> = createCodec('dapr.proto.runtime.v1.UnsubscribeConfigurationResponse', writeUnsubscribeConfigurationResponse, readUnsubscribeConfigurationResponse);
