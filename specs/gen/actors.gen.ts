// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/actors.proto; not by hand.
// Actors: state, timers, reminders, calls, and the stream on which an app hosts them.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';
import { JobFailurePolicy } from './common.gen.ts';
import { Duration } from './duration.gen.ts';

export interface RegisterActorTimerRequest {
  actorType: string;
  actorId: string;
  name: string;
  dueTime: string;
  period: string;
  callback: string;
  data: Uint8Array;
  ttl: string;
  unknown?: Uint8Array | undefined;
}
function writeRegisterActorTimerRequest(m: Init<RegisterActorTimerRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.name) w.uint32(26).string(m.name);
  if (m.dueTime) w.uint32(34).string(m.dueTime);
  if (m.period) w.uint32(42).string(m.period);
  if (m.callback) w.uint32(50).string(m.callback);
  if (m.data?.length) w.uint32(58).bytes(m.data);
  if (m.ttl) w.uint32(66).string(m.ttl);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRegisterActorTimerRequest(r: Reader, _depth: number, target?: RegisterActorTimerRequest): RegisterActorTimerRequest {
  const m: RegisterActorTimerRequest = target ?? { actorType: '', actorId: '', name: '', dueTime: '', period: '', callback: '', data: NO_BYTES, ttl: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.name = r.stringVerify();
        break;
      case 34:
        m.dueTime = r.stringVerify();
        break;
      case 42:
        m.period = r.stringVerify();
        break;
      case 50:
        m.callback = r.stringVerify();
        break;
      case 58:
        m.data = r.bytes();
        break;
      case 66:
        m.ttl = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RegisterActorTimerRequest: Codec<RegisterActorTimerRequest> = createCodec('dapr.proto.runtime.v1.RegisterActorTimerRequest', writeRegisterActorTimerRequest, readRegisterActorTimerRequest);

export interface UnregisterActorTimerRequest {
  actorType: string;
  actorId: string;
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeUnregisterActorTimerRequest(m: Init<UnregisterActorTimerRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.name) w.uint32(26).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnregisterActorTimerRequest(r: Reader, _depth: number, target?: UnregisterActorTimerRequest): UnregisterActorTimerRequest {
  const m: UnregisterActorTimerRequest = target ?? { actorType: '', actorId: '', name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnregisterActorTimerRequest: Codec<UnregisterActorTimerRequest> = createCodec('dapr.proto.runtime.v1.UnregisterActorTimerRequest', writeUnregisterActorTimerRequest, readUnregisterActorTimerRequest);

export interface RegisterActorReminderRequest {
  actorType: string;
  actorId: string;
  name: string;
  dueTime: string;
  period: string;
  data: Uint8Array;
  ttl: string;
  /** Absent means true. */
  overwrite?: boolean | undefined;
  failurePolicy?: JobFailurePolicy | undefined;
  unknown?: Uint8Array | undefined;
}
function writeRegisterActorReminderRequest(m: Init<RegisterActorReminderRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.name) w.uint32(26).string(m.name);
  if (m.dueTime) w.uint32(34).string(m.dueTime);
  if (m.period) w.uint32(42).string(m.period);
  if (m.data?.length) w.uint32(50).bytes(m.data);
  if (m.ttl) w.uint32(58).string(m.ttl);
  if (m.overwrite !== undefined) w.uint32(64).bool(m.overwrite);
  if (m.failurePolicy) JobFailurePolicy.write(m.failurePolicy, w.uint32(74).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRegisterActorReminderRequest(r: Reader, depth: number, target?: RegisterActorReminderRequest): RegisterActorReminderRequest {
  const m: RegisterActorReminderRequest = target ?? { actorType: '', actorId: '', name: '', dueTime: '', period: '', data: NO_BYTES, ttl: '', overwrite: undefined, failurePolicy: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.name = r.stringVerify();
        break;
      case 34:
        m.dueTime = r.stringVerify();
        break;
      case 42:
        m.period = r.stringVerify();
        break;
      case 50:
        m.data = r.bytes();
        break;
      case 58:
        m.ttl = r.stringVerify();
        break;
      case 64:
        m.overwrite = r.bool();
        break;
      case 74:
        m.failurePolicy = readNested(r, depth, JobFailurePolicy.read, m.failurePolicy);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RegisterActorReminderRequest: Codec<RegisterActorReminderRequest> = createCodec('dapr.proto.runtime.v1.RegisterActorReminderRequest', writeRegisterActorReminderRequest, readRegisterActorReminderRequest);

export interface UnregisterActorReminderRequest {
  actorType: string;
  actorId: string;
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeUnregisterActorReminderRequest(m: Init<UnregisterActorReminderRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.name) w.uint32(26).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnregisterActorReminderRequest(r: Reader, _depth: number, target?: UnregisterActorReminderRequest): UnregisterActorReminderRequest {
  const m: UnregisterActorReminderRequest = target ?? { actorType: '', actorId: '', name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnregisterActorReminderRequest: Codec<UnregisterActorReminderRequest> = createCodec('dapr.proto.runtime.v1.UnregisterActorReminderRequest', writeUnregisterActorReminderRequest, readUnregisterActorReminderRequest);

export interface GetActorStateRequest {
  actorType: string;
  actorId: string;
  key: string;
  unknown?: Uint8Array | undefined;
}
function writeGetActorStateRequest(m: Init<GetActorStateRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.key) w.uint32(26).string(m.key);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetActorStateRequest(r: Reader, _depth: number, target?: GetActorStateRequest): GetActorStateRequest {
  const m: GetActorStateRequest = target ?? { actorType: '', actorId: '', key: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.key = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetActorStateRequest: Codec<GetActorStateRequest> = createCodec('dapr.proto.runtime.v1.GetActorStateRequest', writeGetActorStateRequest, readGetActorStateRequest);

export interface GetActorStateResponse {
  data: Uint8Array;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetActorStateResponse(m: Init<GetActorStateResponse>, w: Writer): Writer {
  if (m.data?.length) w.uint32(10).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(18).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetActorStateResponse(r: Reader, _depth: number, target?: GetActorStateResponse): GetActorStateResponse {
  const m: GetActorStateResponse = target ?? { data: NO_BYTES, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = r.bytes();
        break;
      case 18:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetActorStateResponse: Codec<GetActorStateResponse> = createCodec('dapr.proto.runtime.v1.GetActorStateResponse', writeGetActorStateResponse, readGetActorStateResponse);

export interface ExecuteActorStateTransactionRequest {
  actorType: string;
  actorId: string;
  operations: TransactionalActorStateOperation[];
  unknown?: Uint8Array | undefined;
}
function writeExecuteActorStateTransactionRequest(m: Init<ExecuteActorStateTransactionRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.operations) for (const v of m.operations) TransactionalActorStateOperation.write(v, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecuteActorStateTransactionRequest(r: Reader, depth: number, target?: ExecuteActorStateTransactionRequest): ExecuteActorStateTransactionRequest {
  const m: ExecuteActorStateTransactionRequest = target ?? { actorType: '', actorId: '', operations: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.operations.push(readNested(r, depth, TransactionalActorStateOperation.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecuteActorStateTransactionRequest: Codec<ExecuteActorStateTransactionRequest> = createCodec('dapr.proto.runtime.v1.ExecuteActorStateTransactionRequest', writeExecuteActorStateTransactionRequest, readExecuteActorStateTransactionRequest);

export interface TransactionalActorStateOperation {
  operationType: string;
  key: string;
  value?: Any | undefined;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeTransactionalActorStateOperation(m: Init<TransactionalActorStateOperation>, w: Writer): Writer {
  if (m.operationType) w.uint32(10).string(m.operationType);
  if (m.key) w.uint32(18).string(m.key);
  if (m.value) Any.write(m.value, w.uint32(26).fork()).ldelim();
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
function readTransactionalActorStateOperation(r: Reader, depth: number, target?: TransactionalActorStateOperation): TransactionalActorStateOperation {
  const m: TransactionalActorStateOperation = target ?? { operationType: '', key: '', value: undefined, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.operationType = r.stringVerify();
        break;
      case 18:
        m.key = r.stringVerify();
        break;
      case 26:
        m.value = readNested(r, depth, Any.read, m.value);
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
export const TransactionalActorStateOperation: Codec<TransactionalActorStateOperation> = createCodec('dapr.proto.runtime.v1.TransactionalActorStateOperation', writeTransactionalActorStateOperation, readTransactionalActorStateOperation);

export interface InvokeActorRequest {
  actorType: string;
  actorId: string;
  method: string;
  data: Uint8Array;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeInvokeActorRequest(m: Init<InvokeActorRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.method) w.uint32(26).string(m.method);
  if (m.data?.length) w.uint32(34).bytes(m.data);
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
function readInvokeActorRequest(r: Reader, _depth: number, target?: InvokeActorRequest): InvokeActorRequest {
  const m: InvokeActorRequest = target ?? { actorType: '', actorId: '', method: '', data: NO_BYTES, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.method = r.stringVerify();
        break;
      case 34:
        m.data = r.bytes();
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
export const InvokeActorRequest: Codec<InvokeActorRequest> = createCodec('dapr.proto.runtime.v1.InvokeActorRequest', writeInvokeActorRequest, readInvokeActorRequest);

export interface InvokeActorResponse {
  data: Uint8Array;
  unknown?: Uint8Array | undefined;
}
function writeInvokeActorResponse(m: Init<InvokeActorResponse>, w: Writer): Writer {
  if (m.data?.length) w.uint32(10).bytes(m.data);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readInvokeActorResponse(r: Reader, _depth: number, target?: InvokeActorResponse): InvokeActorResponse {
  const m: InvokeActorResponse = target ?? { data: NO_BYTES };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.data = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const InvokeActorResponse: Codec<InvokeActorResponse> = createCodec('dapr.proto.runtime.v1.InvokeActorResponse', writeInvokeActorResponse, readInvokeActorResponse);

export interface GetActorReminderRequest {
  actorType: string;
  actorId: string;
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeGetActorReminderRequest(m: Init<GetActorReminderRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.name) w.uint32(26).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetActorReminderRequest(r: Reader, _depth: number, target?: GetActorReminderRequest): GetActorReminderRequest {
  const m: GetActorReminderRequest = target ?? { actorType: '', actorId: '', name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 26:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetActorReminderRequest: Codec<GetActorReminderRequest> = createCodec('dapr.proto.runtime.v1.GetActorReminderRequest', writeGetActorReminderRequest, readGetActorReminderRequest);

export interface GetActorReminderResponse {
  actorType: string;
  actorId: string;
  dueTime?: string | undefined;
  period?: string | undefined;
  data?: Any | undefined;
  ttl?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeGetActorReminderResponse(m: Init<GetActorReminderResponse>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.dueTime !== undefined) w.uint32(34).string(m.dueTime);
  if (m.period !== undefined) w.uint32(42).string(m.period);
  if (m.data) Any.write(m.data, w.uint32(50).fork()).ldelim();
  if (m.ttl !== undefined) w.uint32(58).string(m.ttl);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetActorReminderResponse(r: Reader, depth: number, target?: GetActorReminderResponse): GetActorReminderResponse {
  const m: GetActorReminderResponse = target ?? { actorType: '', actorId: '', dueTime: undefined, period: undefined, data: undefined, ttl: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 34:
        m.dueTime = r.stringVerify();
        break;
      case 42:
        m.period = r.stringVerify();
        break;
      case 50:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 58:
        m.ttl = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetActorReminderResponse: Codec<GetActorReminderResponse> = createCodec('dapr.proto.runtime.v1.GetActorReminderResponse', writeGetActorReminderResponse, readGetActorReminderResponse);

export interface ListActorRemindersRequest {
  actorType: string;
  actorId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeListActorRemindersRequest(m: Init<ListActorRemindersRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId !== undefined) w.uint32(18).string(m.actorId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListActorRemindersRequest(r: Reader, _depth: number, target?: ListActorRemindersRequest): ListActorRemindersRequest {
  const m: ListActorRemindersRequest = target ?? { actorType: '', actorId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListActorRemindersRequest: Codec<ListActorRemindersRequest> = createCodec('dapr.proto.runtime.v1.ListActorRemindersRequest', writeListActorRemindersRequest, readListActorRemindersRequest);

export interface ListActorRemindersResponse {
  reminders: NamedActorReminder[];
  unknown?: Uint8Array | undefined;
}
function writeListActorRemindersResponse(m: Init<ListActorRemindersResponse>, w: Writer): Writer {
  if (m.reminders) for (const v of m.reminders) NamedActorReminder.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListActorRemindersResponse(r: Reader, depth: number, target?: ListActorRemindersResponse): ListActorRemindersResponse {
  const m: ListActorRemindersResponse = target ?? { reminders: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.reminders.push(readNested(r, depth, NamedActorReminder.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListActorRemindersResponse: Codec<ListActorRemindersResponse> = createCodec('dapr.proto.runtime.v1.ListActorRemindersResponse', writeListActorRemindersResponse, readListActorRemindersResponse);

export interface NamedActorReminder {
  name: string;
  reminder?: ActorReminder | undefined;
  unknown?: Uint8Array | undefined;
}
function writeNamedActorReminder(m: Init<NamedActorReminder>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.reminder) ActorReminder.write(m.reminder, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readNamedActorReminder(r: Reader, depth: number, target?: NamedActorReminder): NamedActorReminder {
  const m: NamedActorReminder = target ?? { name: '', reminder: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.reminder = readNested(r, depth, ActorReminder.read, m.reminder);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const NamedActorReminder: Codec<NamedActorReminder> = createCodec('dapr.proto.runtime.v1.NamedActorReminder', writeNamedActorReminder, readNamedActorReminder);

export interface ActorReminder {
  actorType: string;
  actorId: string;
  dueTime?: string | undefined;
  period?: string | undefined;
  data?: Any | undefined;
  ttl?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeActorReminder(m: Init<ActorReminder>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId) w.uint32(18).string(m.actorId);
  if (m.dueTime !== undefined) w.uint32(34).string(m.dueTime);
  if (m.period !== undefined) w.uint32(42).string(m.period);
  if (m.data) Any.write(m.data, w.uint32(50).fork()).ldelim();
  if (m.ttl !== undefined) w.uint32(58).string(m.ttl);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActorReminder(r: Reader, depth: number, target?: ActorReminder): ActorReminder {
  const m: ActorReminder = target ?? { actorType: '', actorId: '', dueTime: undefined, period: undefined, data: undefined, ttl: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      case 34:
        m.dueTime = r.stringVerify();
        break;
      case 42:
        m.period = r.stringVerify();
        break;
      case 50:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 58:
        m.ttl = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActorReminder: Codec<ActorReminder> = createCodec('dapr.proto.runtime.v1.ActorReminder', writeActorReminder, readActorReminder);

export interface UnregisterActorRemindersByTypeRequest {
  actorType: string;
  actorId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeUnregisterActorRemindersByTypeRequest(m: Init<UnregisterActorRemindersByTypeRequest>, w: Writer): Writer {
  if (m.actorType) w.uint32(10).string(m.actorType);
  if (m.actorId !== undefined) w.uint32(18).string(m.actorId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnregisterActorRemindersByTypeRequest(r: Reader, _depth: number, target?: UnregisterActorRemindersByTypeRequest): UnregisterActorRemindersByTypeRequest {
  const m: UnregisterActorRemindersByTypeRequest = target ?? { actorType: '', actorId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.actorType = r.stringVerify();
        break;
      case 18:
        m.actorId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const UnregisterActorRemindersByTypeRequest: Codec<UnregisterActorRemindersByTypeRequest> = createCodec('dapr.proto.runtime.v1.UnregisterActorRemindersByTypeRequest', writeUnregisterActorRemindersByTypeRequest, readUnregisterActorRemindersByTypeRequest);

export interface UnregisterActorRemindersByTypeResponse {
  unknown?: Uint8Array | undefined;
}
function writeUnregisterActorRemindersByTypeResponse(m: Init<UnregisterActorRemindersByTypeResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readUnregisterActorRemindersByTypeResponse(r: Reader, _depth: number, target?: UnregisterActorRemindersByTypeResponse): UnregisterActorRemindersByTypeResponse {
  const m: UnregisterActorRemindersByTypeResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const UnregisterActorRemindersByTypeResponse: Codec<UnregisterActorRemindersByTypeResponse> = createCodec('dapr.proto.runtime.v1.UnregisterActorRemindersByTypeResponse', writeUnregisterActorRemindersByTypeResponse, readUnregisterActorRemindersByTypeResponse);

/** First the initial request, once; then answers, each with the id of what it answers. */
export interface SubscribeActorEventsRequestAlpha1 {
  initialRequest?: SubscribeActorEventsRequestInitialAlpha1 | undefined;
  invokeResponse?: SubscribeActorEventsRequestInvokeResponseAlpha1 | undefined;
  reminderResponse?: SubscribeActorEventsRequestReminderResponseAlpha1 | undefined;
  timerResponse?: SubscribeActorEventsRequestReminderResponseAlpha1 | undefined;
  deactivateResponse?: SubscribeActorEventsRequestDeactivateResponseAlpha1 | undefined;
  requestFailed?: SubscribeActorEventsRequestFailedAlpha1 | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestAlpha1(m: Init<SubscribeActorEventsRequestAlpha1>, w: Writer): Writer {
  if (m.initialRequest) SubscribeActorEventsRequestInitialAlpha1.write(m.initialRequest, w.uint32(10).fork()).ldelim();
  if (m.invokeResponse) SubscribeActorEventsRequestInvokeResponseAlpha1.write(m.invokeResponse, w.uint32(18).fork()).ldelim();
  if (m.reminderResponse) SubscribeActorEventsRequestReminderResponseAlpha1.write(m.reminderResponse, w.uint32(26).fork()).ldelim();
  if (m.timerResponse) SubscribeActorEventsRequestReminderResponseAlpha1.write(m.timerResponse, w.uint32(34).fork()).ldelim();
  if (m.deactivateResponse) SubscribeActorEventsRequestDeactivateResponseAlpha1.write(m.deactivateResponse, w.uint32(42).fork()).ldelim();
  if (m.requestFailed) SubscribeActorEventsRequestFailedAlpha1.write(m.requestFailed, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestAlpha1(r: Reader, depth: number, target?: SubscribeActorEventsRequestAlpha1): SubscribeActorEventsRequestAlpha1 {
  const m: SubscribeActorEventsRequestAlpha1 = target ?? { initialRequest: undefined, invokeResponse: undefined, reminderResponse: undefined, timerResponse: undefined, deactivateResponse: undefined, requestFailed: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.initialRequest = readNested(r, depth, SubscribeActorEventsRequestInitialAlpha1.read, m.initialRequest);
        m.invokeResponse = undefined;
        m.reminderResponse = undefined;
        m.timerResponse = undefined;
        m.deactivateResponse = undefined;
        m.requestFailed = undefined;
        break;
      case 18:
        m.invokeResponse = readNested(r, depth, SubscribeActorEventsRequestInvokeResponseAlpha1.read, m.invokeResponse);
        m.initialRequest = undefined;
        m.reminderResponse = undefined;
        m.timerResponse = undefined;
        m.deactivateResponse = undefined;
        m.requestFailed = undefined;
        break;
      case 26:
        m.reminderResponse = readNested(r, depth, SubscribeActorEventsRequestReminderResponseAlpha1.read, m.reminderResponse);
        m.initialRequest = undefined;
        m.invokeResponse = undefined;
        m.timerResponse = undefined;
        m.deactivateResponse = undefined;
        m.requestFailed = undefined;
        break;
      case 34:
        m.timerResponse = readNested(r, depth, SubscribeActorEventsRequestReminderResponseAlpha1.read, m.timerResponse);
        m.initialRequest = undefined;
        m.invokeResponse = undefined;
        m.reminderResponse = undefined;
        m.deactivateResponse = undefined;
        m.requestFailed = undefined;
        break;
      case 42:
        m.deactivateResponse = readNested(r, depth, SubscribeActorEventsRequestDeactivateResponseAlpha1.read, m.deactivateResponse);
        m.initialRequest = undefined;
        m.invokeResponse = undefined;
        m.reminderResponse = undefined;
        m.timerResponse = undefined;
        m.requestFailed = undefined;
        break;
      case 50:
        m.requestFailed = readNested(r, depth, SubscribeActorEventsRequestFailedAlpha1.read, m.requestFailed);
        m.initialRequest = undefined;
        m.invokeResponse = undefined;
        m.reminderResponse = undefined;
        m.timerResponse = undefined;
        m.deactivateResponse = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestAlpha1: Codec<SubscribeActorEventsRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestAlpha1', writeSubscribeActorEventsRequestAlpha1, readSubscribeActorEventsRequestAlpha1);

export interface SubscribeActorEventsRequestInitialAlpha1 {
  entities: string[];
  actorIdleTimeout?: Duration | undefined;
  drainOngoingCallTimeout?: Duration | undefined;
  drainRebalancedActors?: boolean | undefined;
  reentrancy?: ActorReentrancyConfig | undefined;
  entitiesConfig: ActorEntityConfig[];
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestInitialAlpha1(m: Init<SubscribeActorEventsRequestInitialAlpha1>, w: Writer): Writer {
  if (m.entities) for (const v of m.entities) w.uint32(10).string(v);
  if (m.actorIdleTimeout) Duration.write(m.actorIdleTimeout, w.uint32(18).fork()).ldelim();
  if (m.drainOngoingCallTimeout) Duration.write(m.drainOngoingCallTimeout, w.uint32(26).fork()).ldelim();
  if (m.drainRebalancedActors !== undefined) w.uint32(32).bool(m.drainRebalancedActors);
  if (m.reentrancy) ActorReentrancyConfig.write(m.reentrancy, w.uint32(42).fork()).ldelim();
  if (m.entitiesConfig) for (const v of m.entitiesConfig) ActorEntityConfig.write(v, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestInitialAlpha1(r: Reader, depth: number, target?: SubscribeActorEventsRequestInitialAlpha1): SubscribeActorEventsRequestInitialAlpha1 {
  const m: SubscribeActorEventsRequestInitialAlpha1 = target ?? { entities: [], actorIdleTimeout: undefined, drainOngoingCallTimeout: undefined, drainRebalancedActors: undefined, reentrancy: undefined, entitiesConfig: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entities.push(r.stringVerify());
        break;
      case 18:
        m.actorIdleTimeout = readNested(r, depth, Duration.read, m.actorIdleTimeout);
        break;
      case 26:
        m.drainOngoingCallTimeout = readNested(r, depth, Duration.read, m.drainOngoingCallTimeout);
        break;
      case 32:
        m.drainRebalancedActors = r.bool();
        break;
      case 42:
        m.reentrancy = readNested(r, depth, ActorReentrancyConfig.read, m.reentrancy);
        break;
      case 50:
        m.entitiesConfig.push(readNested(r, depth, ActorEntityConfig.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestInitialAlpha1: Codec<SubscribeActorEventsRequestInitialAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestInitialAlpha1', writeSubscribeActorEventsRequestInitialAlpha1, readSubscribeActorEventsRequestInitialAlpha1);

export interface SubscribeActorEventsRequestInvokeResponseAlpha1 {
  id: string;
  data: Uint8Array;
  metadata: Record<string, string>;
  error: boolean;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestInvokeResponseAlpha1(m: Init<SubscribeActorEventsRequestInvokeResponseAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.data?.length) w.uint32(18).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.error) w.uint32(32).bool(m.error);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestInvokeResponseAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsRequestInvokeResponseAlpha1): SubscribeActorEventsRequestInvokeResponseAlpha1 {
  const m: SubscribeActorEventsRequestInvokeResponseAlpha1 = target ?? { id: '', data: NO_BYTES, metadata: {}, error: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.data = r.bytes();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 32:
        m.error = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestInvokeResponseAlpha1: Codec<SubscribeActorEventsRequestInvokeResponseAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestInvokeResponseAlpha1', writeSubscribeActorEventsRequestInvokeResponseAlpha1, readSubscribeActorEventsRequestInvokeResponseAlpha1);

export interface SubscribeActorEventsRequestReminderResponseAlpha1 {
  id: string;
  cancel: boolean;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestReminderResponseAlpha1(m: Init<SubscribeActorEventsRequestReminderResponseAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.cancel) w.uint32(16).bool(m.cancel);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestReminderResponseAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsRequestReminderResponseAlpha1): SubscribeActorEventsRequestReminderResponseAlpha1 {
  const m: SubscribeActorEventsRequestReminderResponseAlpha1 = target ?? { id: '', cancel: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 16:
        m.cancel = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestReminderResponseAlpha1: Codec<SubscribeActorEventsRequestReminderResponseAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestReminderResponseAlpha1', writeSubscribeActorEventsRequestReminderResponseAlpha1, readSubscribeActorEventsRequestReminderResponseAlpha1);

export interface SubscribeActorEventsRequestDeactivateResponseAlpha1 {
  id: string;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestDeactivateResponseAlpha1(m: Init<SubscribeActorEventsRequestDeactivateResponseAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestDeactivateResponseAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsRequestDeactivateResponseAlpha1): SubscribeActorEventsRequestDeactivateResponseAlpha1 {
  const m: SubscribeActorEventsRequestDeactivateResponseAlpha1 = target ?? { id: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestDeactivateResponseAlpha1: Codec<SubscribeActorEventsRequestDeactivateResponseAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestDeactivateResponseAlpha1', writeSubscribeActorEventsRequestDeactivateResponseAlpha1, readSubscribeActorEventsRequestDeactivateResponseAlpha1);

export interface SubscribeActorEventsRequestFailedAlpha1 {
  id: string;
  /** A gRPC status code; NOT_FOUND on a call is final. */
  code: number;
  message: string;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsRequestFailedAlpha1(m: Init<SubscribeActorEventsRequestFailedAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.code) w.uint32(16).uint32(m.code);
  if (m.message) w.uint32(26).string(m.message);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsRequestFailedAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsRequestFailedAlpha1): SubscribeActorEventsRequestFailedAlpha1 {
  const m: SubscribeActorEventsRequestFailedAlpha1 = target ?? { id: '', code: 0, message: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 16:
        m.code = r.uint32();
        break;
      case 26:
        m.message = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsRequestFailedAlpha1: Codec<SubscribeActorEventsRequestFailedAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsRequestFailedAlpha1', writeSubscribeActorEventsRequestFailedAlpha1, readSubscribeActorEventsRequestFailedAlpha1);

/** First the initial response; then requests to the app, numbered per stream. */
export interface SubscribeActorEventsResponseAlpha1 {
  initialResponse?: SubscribeActorEventsResponseInitialAlpha1 | undefined;
  invokeRequest?: SubscribeActorEventsResponseInvokeRequestAlpha1 | undefined;
  reminderRequest?: SubscribeActorEventsResponseReminderRequestAlpha1 | undefined;
  timerRequest?: SubscribeActorEventsResponseTimerRequestAlpha1 | undefined;
  deactivateRequest?: SubscribeActorEventsResponseDeactivateRequestAlpha1 | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseAlpha1(m: Init<SubscribeActorEventsResponseAlpha1>, w: Writer): Writer {
  if (m.initialResponse) SubscribeActorEventsResponseInitialAlpha1.write(m.initialResponse, w.uint32(10).fork()).ldelim();
  if (m.invokeRequest) SubscribeActorEventsResponseInvokeRequestAlpha1.write(m.invokeRequest, w.uint32(18).fork()).ldelim();
  if (m.reminderRequest) SubscribeActorEventsResponseReminderRequestAlpha1.write(m.reminderRequest, w.uint32(26).fork()).ldelim();
  if (m.timerRequest) SubscribeActorEventsResponseTimerRequestAlpha1.write(m.timerRequest, w.uint32(34).fork()).ldelim();
  if (m.deactivateRequest) SubscribeActorEventsResponseDeactivateRequestAlpha1.write(m.deactivateRequest, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseAlpha1(r: Reader, depth: number, target?: SubscribeActorEventsResponseAlpha1): SubscribeActorEventsResponseAlpha1 {
  const m: SubscribeActorEventsResponseAlpha1 = target ?? { initialResponse: undefined, invokeRequest: undefined, reminderRequest: undefined, timerRequest: undefined, deactivateRequest: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.initialResponse = readNested(r, depth, SubscribeActorEventsResponseInitialAlpha1.read, m.initialResponse);
        m.invokeRequest = undefined;
        m.reminderRequest = undefined;
        m.timerRequest = undefined;
        m.deactivateRequest = undefined;
        break;
      case 18:
        m.invokeRequest = readNested(r, depth, SubscribeActorEventsResponseInvokeRequestAlpha1.read, m.invokeRequest);
        m.initialResponse = undefined;
        m.reminderRequest = undefined;
        m.timerRequest = undefined;
        m.deactivateRequest = undefined;
        break;
      case 26:
        m.reminderRequest = readNested(r, depth, SubscribeActorEventsResponseReminderRequestAlpha1.read, m.reminderRequest);
        m.initialResponse = undefined;
        m.invokeRequest = undefined;
        m.timerRequest = undefined;
        m.deactivateRequest = undefined;
        break;
      case 34:
        m.timerRequest = readNested(r, depth, SubscribeActorEventsResponseTimerRequestAlpha1.read, m.timerRequest);
        m.initialResponse = undefined;
        m.invokeRequest = undefined;
        m.reminderRequest = undefined;
        m.deactivateRequest = undefined;
        break;
      case 42:
        m.deactivateRequest = readNested(r, depth, SubscribeActorEventsResponseDeactivateRequestAlpha1.read, m.deactivateRequest);
        m.initialResponse = undefined;
        m.invokeRequest = undefined;
        m.reminderRequest = undefined;
        m.timerRequest = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsResponseAlpha1: Codec<SubscribeActorEventsResponseAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseAlpha1', writeSubscribeActorEventsResponseAlpha1, readSubscribeActorEventsResponseAlpha1);

export interface SubscribeActorEventsResponseInitialAlpha1 {
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseInitialAlpha1(m: Init<SubscribeActorEventsResponseInitialAlpha1>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseInitialAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsResponseInitialAlpha1): SubscribeActorEventsResponseInitialAlpha1 {
  const m: SubscribeActorEventsResponseInitialAlpha1 = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const SubscribeActorEventsResponseInitialAlpha1: Codec<SubscribeActorEventsResponseInitialAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseInitialAlpha1', writeSubscribeActorEventsResponseInitialAlpha1, readSubscribeActorEventsResponseInitialAlpha1);

export interface SubscribeActorEventsResponseInvokeRequestAlpha1 {
  id: string;
  actorType: string;
  actorId: string;
  method: string;
  data: Uint8Array;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseInvokeRequestAlpha1(m: Init<SubscribeActorEventsResponseInvokeRequestAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.actorType) w.uint32(18).string(m.actorType);
  if (m.actorId) w.uint32(26).string(m.actorId);
  if (m.method) w.uint32(34).string(m.method);
  if (m.data?.length) w.uint32(42).bytes(m.data);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(50).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseInvokeRequestAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsResponseInvokeRequestAlpha1): SubscribeActorEventsResponseInvokeRequestAlpha1 {
  const m: SubscribeActorEventsResponseInvokeRequestAlpha1 = target ?? { id: '', actorType: '', actorId: '', method: '', data: NO_BYTES, metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.actorType = r.stringVerify();
        break;
      case 26:
        m.actorId = r.stringVerify();
        break;
      case 34:
        m.method = r.stringVerify();
        break;
      case 42:
        m.data = r.bytes();
        break;
      case 50:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsResponseInvokeRequestAlpha1: Codec<SubscribeActorEventsResponseInvokeRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseInvokeRequestAlpha1', writeSubscribeActorEventsResponseInvokeRequestAlpha1, readSubscribeActorEventsResponseInvokeRequestAlpha1);

export interface SubscribeActorEventsResponseReminderRequestAlpha1 {
  id: string;
  actorType: string;
  actorId: string;
  name: string;
  dueTime: string;
  period: string;
  data?: Any | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseReminderRequestAlpha1(m: Init<SubscribeActorEventsResponseReminderRequestAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.actorType) w.uint32(18).string(m.actorType);
  if (m.actorId) w.uint32(26).string(m.actorId);
  if (m.name) w.uint32(34).string(m.name);
  if (m.dueTime) w.uint32(42).string(m.dueTime);
  if (m.period) w.uint32(50).string(m.period);
  if (m.data) Any.write(m.data, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseReminderRequestAlpha1(r: Reader, depth: number, target?: SubscribeActorEventsResponseReminderRequestAlpha1): SubscribeActorEventsResponseReminderRequestAlpha1 {
  const m: SubscribeActorEventsResponseReminderRequestAlpha1 = target ?? { id: '', actorType: '', actorId: '', name: '', dueTime: '', period: '', data: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.actorType = r.stringVerify();
        break;
      case 26:
        m.actorId = r.stringVerify();
        break;
      case 34:
        m.name = r.stringVerify();
        break;
      case 42:
        m.dueTime = r.stringVerify();
        break;
      case 50:
        m.period = r.stringVerify();
        break;
      case 58:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsResponseReminderRequestAlpha1: Codec<SubscribeActorEventsResponseReminderRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseReminderRequestAlpha1', writeSubscribeActorEventsResponseReminderRequestAlpha1, readSubscribeActorEventsResponseReminderRequestAlpha1);

export interface SubscribeActorEventsResponseTimerRequestAlpha1 {
  id: string;
  actorType: string;
  actorId: string;
  name: string;
  dueTime: string;
  period: string;
  callback: string;
  data?: Any | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseTimerRequestAlpha1(m: Init<SubscribeActorEventsResponseTimerRequestAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.actorType) w.uint32(18).string(m.actorType);
  if (m.actorId) w.uint32(26).string(m.actorId);
  if (m.name) w.uint32(34).string(m.name);
  if (m.dueTime) w.uint32(42).string(m.dueTime);
  if (m.period) w.uint32(50).string(m.period);
  if (m.callback) w.uint32(58).string(m.callback);
  if (m.data) Any.write(m.data, w.uint32(66).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseTimerRequestAlpha1(r: Reader, depth: number, target?: SubscribeActorEventsResponseTimerRequestAlpha1): SubscribeActorEventsResponseTimerRequestAlpha1 {
  const m: SubscribeActorEventsResponseTimerRequestAlpha1 = target ?? { id: '', actorType: '', actorId: '', name: '', dueTime: '', period: '', callback: '', data: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.actorType = r.stringVerify();
        break;
      case 26:
        m.actorId = r.stringVerify();
        break;
      case 34:
        m.name = r.stringVerify();
        break;
      case 42:
        m.dueTime = r.stringVerify();
        break;
      case 50:
        m.period = r.stringVerify();
        break;
      case 58:
        m.callback = r.stringVerify();
        break;
      case 66:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsResponseTimerRequestAlpha1: Codec<SubscribeActorEventsResponseTimerRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseTimerRequestAlpha1', writeSubscribeActorEventsResponseTimerRequestAlpha1, readSubscribeActorEventsResponseTimerRequestAlpha1);

export interface SubscribeActorEventsResponseDeactivateRequestAlpha1 {
  id: string;
  actorType: string;
  actorId: string;
  unknown?: Uint8Array | undefined;
}
function writeSubscribeActorEventsResponseDeactivateRequestAlpha1(m: Init<SubscribeActorEventsResponseDeactivateRequestAlpha1>, w: Writer): Writer {
  if (m.id) w.uint32(10).string(m.id);
  if (m.actorType) w.uint32(18).string(m.actorType);
  if (m.actorId) w.uint32(26).string(m.actorId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSubscribeActorEventsResponseDeactivateRequestAlpha1(r: Reader, _depth: number, target?: SubscribeActorEventsResponseDeactivateRequestAlpha1): SubscribeActorEventsResponseDeactivateRequestAlpha1 {
  const m: SubscribeActorEventsResponseDeactivateRequestAlpha1 = target ?? { id: '', actorType: '', actorId: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.actorType = r.stringVerify();
        break;
      case 26:
        m.actorId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SubscribeActorEventsResponseDeactivateRequestAlpha1: Codec<SubscribeActorEventsResponseDeactivateRequestAlpha1> = createCodec('dapr.proto.runtime.v1.SubscribeActorEventsResponseDeactivateRequestAlpha1', writeSubscribeActorEventsResponseDeactivateRequestAlpha1, readSubscribeActorEventsResponseDeactivateRequestAlpha1);

export interface ActorEntityConfig {
  entities: string[];
  actorIdleTimeout?: Duration | undefined;
  drainOngoingCallTimeout?: Duration | undefined;
  drainRebalancedActors?: boolean | undefined;
  reentrancy?: ActorReentrancyConfig | undefined;
  unknown?: Uint8Array | undefined;
}
function writeActorEntityConfig(m: Init<ActorEntityConfig>, w: Writer): Writer {
  if (m.entities) for (const v of m.entities) w.uint32(10).string(v);
  if (m.actorIdleTimeout) Duration.write(m.actorIdleTimeout, w.uint32(18).fork()).ldelim();
  if (m.drainOngoingCallTimeout) Duration.write(m.drainOngoingCallTimeout, w.uint32(26).fork()).ldelim();
  if (m.drainRebalancedActors !== undefined) w.uint32(32).bool(m.drainRebalancedActors);
  if (m.reentrancy) ActorReentrancyConfig.write(m.reentrancy, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActorEntityConfig(r: Reader, depth: number, target?: ActorEntityConfig): ActorEntityConfig {
  const m: ActorEntityConfig = target ?? { entities: [], actorIdleTimeout: undefined, drainOngoingCallTimeout: undefined, drainRebalancedActors: undefined, reentrancy: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.entities.push(r.stringVerify());
        break;
      case 18:
        m.actorIdleTimeout = readNested(r, depth, Duration.read, m.actorIdleTimeout);
        break;
      case 26:
        m.drainOngoingCallTimeout = readNested(r, depth, Duration.read, m.drainOngoingCallTimeout);
        break;
      case 32:
        m.drainRebalancedActors = r.bool();
        break;
      case 42:
        m.reentrancy = readNested(r, depth, ActorReentrancyConfig.read, m.reentrancy);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActorEntityConfig: Codec<ActorEntityConfig> = createCodec('dapr.proto.runtime.v1.ActorEntityConfig', writeActorEntityConfig, readActorEntityConfig);

export interface ActorReentrancyConfig {
  enabled: boolean;
  maxStackDepth?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeActorReentrancyConfig(m: Init<ActorReentrancyConfig>, w: Writer): Writer {
  if (m.enabled) w.uint32(8).bool(m.enabled);
  if (m.maxStackDepth !== undefined) w.uint32(16).int32(m.maxStackDepth);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActorReentrancyConfig(r: Reader, _depth: number, target?: ActorReentrancyConfig): ActorReentrancyConfig {
  const m: ActorReentrancyConfig = target ?? { enabled: false, maxStackDepth: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.enabled = r.bool();
        break;
      case 16:
        m.maxStackDepth = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActorReentrancyConfig: Codec<ActorReentrancyConfig> = createCodec('dapr.proto.runtime.v1.ActorReentrancyConfig', writeActorReentrancyConfig, readActorReentrancyConfig);
