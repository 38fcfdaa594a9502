// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/workflow.proto; not by hand.
// Starting and steering workflow instances.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Timestamp } from './timestamp.gen.ts';

export interface GetWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeGetWorkflowRequest(m: Init<GetWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.appId !== undefined) w.uint32(26).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetWorkflowRequest(r: Reader, _depth: number, target?: GetWorkflowRequest): GetWorkflowRequest {
  const m: GetWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetWorkflowRequest: Codec<GetWorkflowRequest> = createCodec('dapr.proto.runtime.v1.GetWorkflowRequest', writeGetWorkflowRequest, readGetWorkflowRequest);

/** An instance that is not there gives its id back and nothing else. */
export interface GetWorkflowResponse {
  instanceId: string;
  workflowName: string;
  createdAt?: Timestamp | undefined;
  lastUpdatedAt?: Timestamp | undefined;
  runtimeStatus: string;
  properties: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeGetWorkflowResponse(m: Init<GetWorkflowResponse>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowName) w.uint32(18).string(m.workflowName);
  if (m.createdAt) Timestamp.write(m.createdAt, w.uint32(26).fork()).ldelim();
  if (m.lastUpdatedAt) Timestamp.write(m.lastUpdatedAt, w.uint32(34).fork()).ldelim();
  if (m.runtimeStatus) w.uint32(42).string(m.runtimeStatus);
  if (m.properties) {
    for (const [k, v] of Object.entries(m.properties)) {
      if (v === undefined) continue;
      w.uint32(50).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetWorkflowResponse(r: Reader, depth: number, target?: GetWorkflowResponse): GetWorkflowResponse {
  const m: GetWorkflowResponse = target ?? { instanceId: '', workflowName: '', createdAt: undefined, lastUpdatedAt: undefined, runtimeStatus: '', properties: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowName = r.stringVerify();
        break;
      case 26:
        m.createdAt = readNested(r, depth, Timestamp.read, m.createdAt);
        break;
      case 34:
        m.lastUpdatedAt = readNested(r, depth, Timestamp.read, m.lastUpdatedAt);
        break;
      case 42:
        m.runtimeStatus = r.stringVerify();
        break;
      case 50:
        readEntry(r, m.properties, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetWorkflowResponse: Codec<GetWorkflowResponse> = createCodec('dapr.proto.runtime.v1.GetWorkflowResponse', writeGetWorkflowResponse, readGetWorkflowResponse);

export interface StartWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  workflowName: string;
  options: Record<string, string>;
  /** Taken as text as it is. */
  input: Uint8Array;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeStartWorkflowRequest(m: Init<StartWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.workflowName) w.uint32(26).string(m.workflowName);
  if (m.options) {
    for (const [k, v] of Object.entries(m.options)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.input?.length) w.uint32(42).bytes(m.input);
  if (m.appId !== undefined) w.uint32(50).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStartWorkflowRequest(r: Reader, _depth: number, target?: StartWorkflowRequest): StartWorkflowRequest {
  const m: StartWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', workflowName: '', options: {}, input: NO_BYTES, appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.workflowName = r.stringVerify();
        break;
      case 34:
        readEntry(r, m.options, '', (r) => r.stringVerify(), 18);
        break;
      case 42:
        m.input = r.bytes();
        break;
      case 50:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StartWorkflowRequest: Codec<StartWorkflowRequest> = createCodec('dapr.proto.runtime.v1.StartWorkflowRequest', writeStartWorkflowRequest, readStartWorkflowRequest);

export interface StartWorkflowResponse {
  instanceId: string;
  unknown?: Uint8Array | undefined;
}
function writeStartWorkflowResponse(m: Init<StartWorkflowResponse>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readStartWorkflowResponse(r: Reader, _depth: number, target?: StartWorkflowResponse): StartWorkflowResponse {
  const m: StartWorkflowResponse = target ?? { instanceId: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const StartWorkflowResponse: Codec<StartWorkflowResponse> = createCodec('dapr.proto.runtime.v1.StartWorkflowResponse', writeStartWorkflowResponse, readStartWorkflowResponse);

export interface TerminateWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTerminateWorkflowRequest(m: Init<TerminateWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.appId !== undefined) w.uint32(26).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTerminateWorkflowRequest(r: Reader, _depth: number, target?: TerminateWorkflowRequest): TerminateWorkflowRequest {
  const m: TerminateWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TerminateWorkflowRequest: Codec<TerminateWorkflowRequest> = createCodec('dapr.proto.runtime.v1.TerminateWorkflowRequest', writeTerminateWorkflowRequest, readTerminateWorkflowRequest);

export interface PauseWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writePauseWorkflowRequest(m: Init<PauseWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.appId !== undefined) w.uint32(26).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPauseWorkflowRequest(r: Reader, _depth: number, target?: PauseWorkflowRequest): PauseWorkflowRequest {
  const m: PauseWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PauseWorkflowRequest: Codec<PauseWorkflowRequest> = createCodec('dapr.proto.runtime.v1.PauseWorkflowRequest', writePauseWorkflowRequest, readPauseWorkflowRequest);

export interface ResumeWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeResumeWorkflowRequest(m: Init<ResumeWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.appId !== undefined) w.uint32(26).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readResumeWorkflowRequest(r: Reader, _depth: number, target?: ResumeWorkflowRequest): ResumeWorkflowRequest {
  const m: ResumeWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ResumeWorkflowRequest: Codec<ResumeWorkflowRequest> = createCodec('dapr.proto.runtime.v1.ResumeWorkflowRequest', writeResumeWorkflowRequest, readResumeWorkflowRequest);

export interface RaiseEventWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  eventName: string;
  eventData: Uint8Array;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeRaiseEventWorkflowRequest(m: Init<RaiseEventWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.eventName) w.uint32(26).string(m.eventName);
  if (m.eventData?.length) w.uint32(34).bytes(m.eventData);
  if (m.appId !== undefined) w.uint32(42).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRaiseEventWorkflowRequest(r: Reader, _depth: number, target?: RaiseEventWorkflowRequest): RaiseEventWorkflowRequest {
  const m: RaiseEventWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', eventName: '', eventData: NO_BYTES, appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.eventName = r.stringVerify();
        break;
      case 34:
        m.eventData = r.bytes();
        break;
      case 42:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RaiseEventWorkflowRequest: Codec<RaiseEventWorkflowRequest> = createCodec('dapr.proto.runtime.v1.RaiseEventWorkflowRequest', writeRaiseEventWorkflowRequest, readRaiseEventWorkflowRequest);

export interface PurgeWorkflowRequest {
  instanceId: string;
  workflowComponent: string;
  appId?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writePurgeWorkflowRequest(m: Init<PurgeWorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.workflowComponent) w.uint32(18).string(m.workflowComponent);
  if (m.appId !== undefined) w.uint32(26).string(m.appId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPurgeWorkflowRequest(r: Reader, _depth: number, target?: PurgeWorkflowRequest): PurgeWorkflowRequest {
  const m: PurgeWorkflowRequest = target ?? { instanceId: '', workflowComponent: '', appId: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.workflowComponent = r.stringVerify();
        break;
      case 26:
        m.appId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PurgeWorkflowRequest: Codec<PurgeWorkflowRequest> = createCodec('dapr.proto.runtime.v1.PurgeWorkflowRequest', writePurgeWorkflowRequest, readPurgeWorkflowRequest);
