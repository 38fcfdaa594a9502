// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/state.proto; not by hand.
// Keys and values in a state store.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Etag, StateItem, StateOptions } from './common.gen.ts';

export interface GetStateRequest {
  storeName: string;
  key: string;
  consistency: number;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetStateRequest(m: Init<GetStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.key) w.uint32(18).string(m.key);
  if (m.consistency) w.uint32(24).int32(m.consistency);
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
function readGetStateRequest(r: Reader, _depth: number, target?: GetStateRequest): GetStateRequest {
  const m: GetStateRequest = target ?? { storeName: '', key: '', consistency: 0, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.key = r.stringVerify();
        break;
      case 24:
        m.consistency = r.int32();
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
export const GetStateRequest: Codec<GetStateRequest> = createCodec('dapr.proto.runtime.v1.GetStateRequest', writeGetStateRequest, readGetStateRequest);

export interface GetBulkStateRequest {
  storeName: string;
  keys: string[];
  /** Keys read at a time; 0 or less: no bound. */
  parallelism: number;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetBulkStateRequest(m: Init<GetBulkStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.keys) for (const v of m.keys) w.uint32(18).string(v);
  if (m.parallelism) w.uint32(24).int32(m.parallelism);
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
function readGetBulkStateRequest(r: Reader, _depth: number, target?: GetBulkStateRequest): GetBulkStateRequest {
  const m: GetBulkStateRequest = target ?? { storeName: '', keys: [], parallelism: 0, metadata: {} };
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
      case 24:
        m.parallelism = r.int32();
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
export const GetBulkStateRequest: Codec<GetBulkStateRequest> = createCodec('dapr.proto.runtime.v1.GetBulkStateRequest', writeGetBulkStateRequest, readGetBulkStateRequest);

export interface GetBulkStateResponse {
  items: BulkStateItem[];
  unknown?: Uint8Array | undefined;
}
function writeGetBulkStateResponse(m: Init<GetBulkStateResponse>, w: Writer): Writer {
  if (m.items) for (const v of m.items) BulkStateItem.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetBulkStateResponse(r: Reader, depth: number, target?: GetBulkStateResponse): GetBulkStateResponse {
  const m: GetBulkStateResponse = target ?? { items: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.items.push(readNested(r, depth, BulkStateItem.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetBulkStateResponse: Codec<GetBulkStateResponse> = createCodec('dapr.proto.runtime.v1.GetBulkStateResponse', writeGetBulkStateResponse, readGetBulkStateResponse);

export interface BulkStateItem {
  key: string;
  data: Uint8Array;
  etag: string;
  /** Why this key could not be read; empty when it could. */
  error: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeBulkStateItem(m: Init<BulkStateItem>, w: Writer): Writer {
  if (m.key) w.uint32(10).string(m.key);
  if (m.data?.length) w.uint32(18).bytes(m.data);
  if (m.etag) w.uint32(26).string(m.etag);
  if (m.error) w.uint32(34).string(m.error);
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
function readBulkStateItem(r: Reader, _depth: number, target?: BulkStateItem): BulkStateItem {
  const m: BulkStateItem = target ?? { key: '', data: NO_BYTES, etag: '', error: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.stringVerify();
        break;
      case 18:
        m.data = r.bytes();
        break;
      case 26:
        m.etag = r.stringVerify();
        break;
      case 34:
        m.error = r.stringVerify();
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
export const BulkStateItem: Codec<BulkStateItem> = createCodec('dapr.proto.runtime.v1.BulkStateItem', writeBulkStateItem, readBulkStateItem);

/** A key that is not there gives an empty answer, not an error. */
export interface GetStateResponse {
  data: Uint8Array;
  etag: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetStateResponse(m: Init<GetStateResponse>, w: Writer): Writer {
  if (m.data?.length) w.uint32(10).bytes(m.data);
  if (m.etag) w.uint32(18).string(m.etag);
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
function readGetStateResponse(r: Reader, _depth: number, target?: GetStateResponse): GetStateResponse {
  const m: GetStateResponse = target ?? { data: NO_BYTES, etag: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = r.bytes();
        break;
      case 18:
        m.etag = r.stringVerify();
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
export const GetStateResponse: Codec<GetStateResponse> = createCodec('dapr.proto.runtime.v1.GetStateResponse', writeGetStateResponse, readGetStateResponse);

export interface DeleteStateRequest {
  storeName: string;
  key: string;
  etag?: Etag | undefined;
  options?: StateOptions | undefined;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeDeleteStateRequest(m: Init<DeleteStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.key) w.uint32(18).string(m.key);
  if (m.etag) Etag.write(m.etag, w.uint32(26).fork()).ldelim();
  if (m.options) StateOptions.write(m.options, w.uint32(34).fork()).ldelim();
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
function readDeleteStateRequest(r: Reader, depth: number, target?: DeleteStateRequest): DeleteStateRequest {
  const m: DeleteStateRequest = target ?? { storeName: '', key: '', etag: undefined, options: undefined, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.key = r.stringVerify();
        break;
      case 26:
        m.etag = readNested(r, depth, Etag.read, m.etag);
        break;
      case 34:
        m.options = readNested(r, depth, StateOptions.read, m.options);
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
export const DeleteStateRequest: Codec<DeleteStateRequest> = createCodec('dapr.proto.runtime.v1.DeleteStateRequest', writeDeleteStateRequest, readDeleteStateRequest);

export interface DeleteBulkStateRequest {
  storeName: string;
  states: StateItem[];
  unknown?: Uint8Array | undefined;
}
function writeDeleteBulkStateRequest(m: Init<DeleteBulkStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.states) for (const v of m.states) StateItem.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteBulkStateRequest(r: Reader, depth: number, target?: DeleteBulkStateRequest): DeleteBulkStateRequest {
  const m: DeleteBulkStateRequest = target ?? { storeName: '', states: [] };
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
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DeleteBulkStateRequest: Codec<DeleteBulkStateRequest> = createCodec('dapr.proto.runtime.v1.DeleteBulkStateRequest', writeDeleteBulkStateRequest, readDeleteBulkStateRequest);

export interface SaveStateRequest {
  storeName: string;
  states: StateItem[];
  unknown?: Uint8Array | undefined;
}
function writeSaveStateRequest(m: Init<SaveStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.states) for (const v of m.states) StateItem.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSaveStateRequest(r: Reader, depth: number, target?: SaveStateRequest): SaveStateRequest {
  const m: SaveStateRequest = target ?? { storeName: '', states: [] };
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
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SaveStateRequest: Codec<SaveStateRequest> = createCodec('dapr.proto.runtime.v1.SaveStateRequest', writeSaveStateRequest, readSaveStateRequest);

export interface QueryStateRequest {
  storeName: string;
  /** JSON with filter, sort and page. */
  query: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeQueryStateRequest(m: Init<QueryStateRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.query) w.uint32(18).string(m.query);
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
function readQueryStateRequest(r: Reader, _depth: number, target?: QueryStateRequest): QueryStateRequest {
  const m: QueryStateRequest = target ?? { storeName: '', query: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.query = r.stringVerify();
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
export const QueryStateRequest: Codec<QueryStateRequest> = createCodec('dapr.proto.runtime.v1.QueryStateRequest', writeQueryStateRequest, readQueryStateRequest);

export interface QueryStateItem {
  key: string;
  data: Uint8Array;
  etag: string;
  error: string;
  unknown?: Uint8Array | undefined;
}
function writeQueryStateItem(m: Init<QueryStateItem>, w: Writer): Writer {
  if (m.key) w.uint32(10).string(m.key);
  if (m.data?.length) w.uint32(18).bytes(m.data);
  if (m.etag) w.uint32(26).string(m.etag);
  if (m.error) w.uint32(34).string(m.error);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readQueryStateItem(r: Reader, _depth: number, target?: QueryStateItem): QueryStateItem {
  const m: QueryStateItem = target ?? { key: '', data: NO_BYTES, etag: '', error: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.key = r.stringVerify();
        break;
      case 18:
        m.data = r.bytes();
        break;
      case 26:
        m.etag = r.stringVerify();
        break;
      case 34:
        m.error = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const QueryStateItem: Codec<QueryStateItem> = createCodec('dapr.proto.runtime.v1.QueryStateItem', writeQueryStateItem, readQueryStateItem);

export interface QueryStateResponse {
  results: QueryStateItem[];
  /** Where the next page begins; empty on the last one. */
  token: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeQueryStateResponse(m: Init<QueryStateResponse>, w: Writer): Writer {
  if (m.results) for (const v of m.results) QueryStateItem.write(v, w.uint32(10).fork()).ldelim();
  if (m.token) w.uint32(18).string(m.token);
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
function readQueryStateResponse(r: Reader, depth: number, target?: QueryStateResponse): QueryStateResponse {
  const m: QueryStateResponse = target ?? { results: [], token: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.results.push(readNested(r, depth, QueryStateItem.read));
        break;
      case 18:
        m.token = r.stringVerify();
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
export const QueryStateResponse: Codec<QueryStateResponse> = createCodec('dapr.proto.runtime.v1.QueryStateResponse', writeQueryStateResponse, readQueryStateResponse);

export interface TransactionalStateOperation {
  /** `upsert` or `delete`. */
  operationType: string;
  request?: StateItem | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTransactionalStateOperation(m: Init<TransactionalStateOperation>, w: Writer): Writer {
  if (m.operationType) w.uint32(10).string(m.operationType);
  if (m.request) StateItem.write(m.request, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTransactionalStateOperation(r: Reader, depth: number, target?: TransactionalStateOperation): TransactionalStateOperation {
  const m: TransactionalStateOperation = target ?? { operationType: '', request: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.operationType = r.stringVerify();
        break;
      case 18:
        m.request = readNested(r, depth, StateItem.read, m.request);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TransactionalStateOperation: Codec<TransactionalStateOperation> = createCodec('dapr.proto.runtime.v1.TransactionalStateOperation', writeTransactionalStateOperation, readTransactionalStateOperation);

/** All operations or none. */
export interface ExecuteStateTransactionRequest {
  storeName: string;
  operations: TransactionalStateOperation[];
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeExecuteStateTransactionRequest(m: Init<ExecuteStateTransactionRequest>, w: Writer): Writer {
  if (m.storeName) w.uint32(10).string(m.storeName);
  if (m.operations) for (const v of m.operations) TransactionalStateOperation.write(v, w.uint32(18).fork()).ldelim();
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
function readExecuteStateTransactionRequest(r: Reader, depth: number, target?: ExecuteStateTransactionRequest): ExecuteStateTransactionRequest {
  const m: ExecuteStateTransactionRequest = target ?? { storeName: '', operations: [], metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.storeName = r.stringVerify();
        break;
      case 18:
        m.operations.push(readNested(r, depth, TransactionalStateOperation.read));
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
export const ExecuteStateTransactionRequest: Codec<ExecuteStateTransactionRequest> = createCodec('dapr.proto.runtime.v1.ExecuteStateTransactionRequest', writeExecuteStateTransactionRequest, readExecuteStateTransactionRequest);
