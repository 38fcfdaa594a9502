// Written by scripts/generate-proto.ts from specs/proto/durabletask/orchestrator_service.proto; not by hand.
// What a workflow worker and its sidecar say to each other, and what clients ask of instances.
import { createCodec, enter, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Empty } from './empty.gen.ts';
import { HistoryEvent, PropagatedHistory } from './history_events.gen.ts';
import { TaskFailureDetails, TaskRouter, TraceContext, WorkflowInstance, WorkflowState, WorkflowVersion } from './orchestration.gen.ts';
import { WorkflowAction } from './orchestrator_actions.gen.ts';
import { Timestamp } from './timestamp.gen.ts';
import { BoolValue, Int32Value, StringValue } from './wrappers.gen.ts';

export const WorkerCapability = {
  WORKER_CAPABILITY_UNSPECIFIED: 0,
  WORKER_CAPABILITY_STATEFUL_HISTORY: 2,
} as const;

/** One task of a workflow, to be run by a worker. */
export interface ActivityRequest {
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  workflowInstance?: WorkflowInstance | undefined;
  taskId: number;
  parentTraceContext?: TraceContext | undefined;
  taskExecutionId: string;
  propagatedHistory?: PropagatedHistory | undefined;
  unknown?: Uint8Array | undefined;
}
function writeActivityRequest(m: Init<ActivityRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(18).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.workflowInstance) WorkflowInstance.write(m.workflowInstance, w.uint32(34).fork()).ldelim();
  if (m.taskId) w.uint32(40).int32(m.taskId);
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(50).fork()).ldelim();
  if (m.taskExecutionId) w.uint32(58).string(m.taskExecutionId);
  if (m.propagatedHistory) PropagatedHistory.write(m.propagatedHistory, w.uint32(66).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActivityRequest(r: Reader, depth: number, target?: ActivityRequest): ActivityRequest {
  const m: ActivityRequest = target ?? { name: '', version: undefined, input: undefined, workflowInstance: undefined, taskId: 0, parentTraceContext: undefined, taskExecutionId: '', propagatedHistory: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.version = readNested(r, depth, StringValue.read, m.version);
        break;
      case 26:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 34:
        m.workflowInstance = readNested(r, depth, WorkflowInstance.read, m.workflowInstance);
        break;
      case 40:
        m.taskId = r.int32();
        break;
      case 50:
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      case 58:
        m.taskExecutionId = r.stringVerify();
        break;
      case 66:
        m.propagatedHistory = readNested(r, depth, PropagatedHistory.read, m.propagatedHistory);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActivityRequest: Codec<ActivityRequest> = createCodec('ActivityRequest', writeActivityRequest, readActivityRequest);

/** The outcome of an activity. */
export interface ActivityResponse {
  instanceId: string;
  taskId: number;
  result?: StringValue | undefined;
  failureDetails?: TaskFailureDetails | undefined;
  completionToken: string;
  unknown?: Uint8Array | undefined;
}
function writeActivityResponse(m: Init<ActivityResponse>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.taskId) w.uint32(16).int32(m.taskId);
  if (m.result) StringValue.write(m.result, w.uint32(26).fork()).ldelim();
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(34).fork()).ldelim();
  if (m.completionToken) w.uint32(42).string(m.completionToken);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readActivityResponse(r: Reader, depth: number, target?: ActivityResponse): ActivityResponse {
  const m: ActivityResponse = target ?? { instanceId: '', taskId: 0, result: undefined, failureDetails: undefined, completionToken: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 16:
        m.taskId = r.int32();
        break;
      case 26:
        m.result = readNested(r, depth, StringValue.read, m.result);
        break;
      case 34:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      case 42:
        m.completionToken = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ActivityResponse: Codec<ActivityResponse> = createCodec('ActivityResponse', writeActivityResponse, readActivityResponse);

/** How many of the past events the worker has already, and was therefore not sent. */
export interface CachedHistory {
  eventCount: number;
  unknown?: Uint8Array | undefined;
}
function writeCachedHistory(m: Init<CachedHistory>, w: Writer): Writer {
  if (m.eventCount) w.uint32(8).int32(m.eventCount);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCachedHistory(r: Reader, _depth: number, target?: CachedHistory): CachedHistory {
  const m: CachedHistory = target ?? { eventCount: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.eventCount = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const CachedHistory: Codec<CachedHistory> = createCodec('CachedHistory', writeCachedHistory, readCachedHistory);

/** A turn: the history so far, and what has arrived since. */
export interface WorkflowRequest {
  instanceId: string;
  executionId?: StringValue | undefined;
  pastEvents: HistoryEvent[];
  newEvents: HistoryEvent[];
  requiresHistoryStreaming: boolean;
  router?: TaskRouter | undefined;
  propagatedHistory?: PropagatedHistory | undefined;
  cachedHistory?: CachedHistory | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowRequest(m: Init<WorkflowRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.executionId) StringValue.write(m.executionId, w.uint32(18).fork()).ldelim();
  if (m.pastEvents) for (const v of m.pastEvents) HistoryEvent.write(v, w.uint32(26).fork()).ldelim();
  if (m.newEvents) for (const v of m.newEvents) HistoryEvent.write(v, w.uint32(34).fork()).ldelim();
  if (m.requiresHistoryStreaming) w.uint32(48).bool(m.requiresHistoryStreaming);
  if (m.router) TaskRouter.write(m.router, w.uint32(58).fork()).ldelim();
  if (m.propagatedHistory) PropagatedHistory.write(m.propagatedHistory, w.uint32(66).fork()).ldelim();
  if (m.cachedHistory) CachedHistory.write(m.cachedHistory, w.uint32(74).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowRequest(r: Reader, depth: number, target?: WorkflowRequest): WorkflowRequest {
  const m: WorkflowRequest = target ?? { instanceId: '', executionId: undefined, pastEvents: [], newEvents: [], requiresHistoryStreaming: false, router: undefined, propagatedHistory: undefined, cachedHistory: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.executionId = readNested(r, depth, StringValue.read, m.executionId);
        break;
      case 26:
        m.pastEvents.push(readNested(r, depth, HistoryEvent.read));
        break;
      case 34:
        m.newEvents.push(readNested(r, depth, HistoryEvent.read));
        break;
      case 48:
        m.requiresHistoryStreaming = r.bool();
        break;
      case 58:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      case 66:
        m.propagatedHistory = readNested(r, depth, PropagatedHistory.read, m.propagatedHistory);
        break;
      case 74:
        m.cachedHistory = readNested(r, depth, CachedHistory.read, m.cachedHistory);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowRequest: Codec<WorkflowRequest> = createCodec('WorkflowRequest', writeWorkflowRequest, readWorkflowRequest);

/** The answer to a turn. */
export interface WorkflowResponse {
  instanceId: string;
  actions: WorkflowAction[];
  customStatus?: StringValue | undefined;
  completionToken: string;
  numEventsProcessed?: Int32Value | undefined;
  version?: WorkflowVersion | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowResponse(m: Init<WorkflowResponse>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.actions) for (const v of m.actions) WorkflowAction.write(v, w.uint32(18).fork()).ldelim();
  if (m.customStatus) StringValue.write(m.customStatus, w.uint32(26).fork()).ldelim();
  if (m.completionToken) w.uint32(34).string(m.completionToken);
  if (m.numEventsProcessed) Int32Value.write(m.numEventsProcessed, w.uint32(42).fork()).ldelim();
  if (m.version) WorkflowVersion.write(m.version, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowResponse(r: Reader, depth: number, target?: WorkflowResponse): WorkflowResponse {
  const m: WorkflowResponse = target ?? { instanceId: '', actions: [], customStatus: undefined, completionToken: '', numEventsProcessed: undefined, version: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.actions.push(readNested(r, depth, WorkflowAction.read));
        break;
      case 26:
        m.customStatus = readNested(r, depth, StringValue.read, m.customStatus);
        break;
      case 34:
        m.completionToken = r.stringVerify();
        break;
      case 42:
        m.numEventsProcessed = readNested(r, depth, Int32Value.read, m.numEventsProcessed);
        break;
      case 50:
        m.version = readNested(r, depth, WorkflowVersion.read, m.version);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowResponse: Codec<WorkflowResponse> = createCodec('WorkflowResponse', writeWorkflowResponse, readWorkflowResponse);

/** Starts an instance. */
export interface CreateInstanceRequest {
  instanceId: string;
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  scheduledStartTimestamp?: Timestamp | undefined;
  executionId?: StringValue | undefined;
  tags: Record<string, string>;
  parentTraceContext?: TraceContext | undefined;
  /** Refuse the id even when its instance has ended. */
  enforceUniqueInstanceId: boolean;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeCreateInstanceRequest(m: Init<CreateInstanceRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(34).fork()).ldelim();
  if (m.scheduledStartTimestamp) Timestamp.write(m.scheduledStartTimestamp, w.uint32(42).fork()).ldelim();
  if (m.executionId) StringValue.write(m.executionId, w.uint32(58).fork()).ldelim();
  if (m.tags) {
    for (const [k, v] of Object.entries(m.tags)) {
      if (v === undefined) continue;
      w.uint32(66).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(74).fork()).ldelim();
  if (m.enforceUniqueInstanceId) w.uint32(80).bool(m.enforceUniqueInstanceId);
  if (m.router) TaskRouter.write(m.router, w.uint32(90).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCreateInstanceRequest(r: Reader, depth: number, target?: CreateInstanceRequest): CreateInstanceRequest {
  const m: CreateInstanceRequest = target ?? { instanceId: '', name: '', version: undefined, input: undefined, scheduledStartTimestamp: undefined, executionId: undefined, tags: {}, parentTraceContext: undefined, enforceUniqueInstanceId: false, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 26:
        m.version = readNested(r, depth, StringValue.read, m.version);
        break;
      case 34:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 42:
        m.scheduledStartTimestamp = readNested(r, depth, Timestamp.read, m.scheduledStartTimestamp);
        break;
      case 58:
        m.executionId = readNested(r, depth, StringValue.read, m.executionId);
        break;
      case 66:
        readEntry(r, m.tags, '', (r) => r.stringVerify(), 18);
        break;
      case 74:
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      case 80:
        m.enforceUniqueInstanceId = r.bool();
        break;
      case 90:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const CreateInstanceRequest: Codec<CreateInstanceRequest> = createCodec('CreateInstanceRequest', writeCreateInstanceRequest, readCreateInstanceRequest);

export interface CreateInstanceResponse {
  instanceId: string;
  unknown?: Uint8Array | undefined;
}
function writeCreateInstanceResponse(m: Init<CreateInstanceResponse>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCreateInstanceResponse(r: Reader, _depth: number, target?: CreateInstanceResponse): CreateInstanceResponse {
  const m: CreateInstanceResponse = target ?? { instanceId: '' };
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
export const CreateInstanceResponse: Codec<CreateInstanceResponse> = createCodec('CreateInstanceResponse', writeCreateInstanceResponse, readCreateInstanceResponse);

export interface GetInstanceRequest {
  instanceId: string;
  getInputsAndOutputs: boolean;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeGetInstanceRequest(m: Init<GetInstanceRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.getInputsAndOutputs) w.uint32(16).bool(m.getInputsAndOutputs);
  if (m.router) TaskRouter.write(m.router, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetInstanceRequest(r: Reader, depth: number, target?: GetInstanceRequest): GetInstanceRequest {
  const m: GetInstanceRequest = target ?? { instanceId: '', getInputsAndOutputs: false, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 16:
        m.getInputsAndOutputs = r.bool();
        break;
      case 26:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetInstanceRequest: Codec<GetInstanceRequest> = createCodec('GetInstanceRequest', writeGetInstanceRequest, readGetInstanceRequest);

export interface GetInstanceResponse {
  exists: boolean;
  workflowState?: WorkflowState | undefined;
  unknown?: Uint8Array | undefined;
}
function writeGetInstanceResponse(m: Init<GetInstanceResponse>, w: Writer): Writer {
  if (m.exists) w.uint32(8).bool(m.exists);
  if (m.workflowState) WorkflowState.write(m.workflowState, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetInstanceResponse(r: Reader, depth: number, target?: GetInstanceResponse): GetInstanceResponse {
  const m: GetInstanceResponse = target ?? { exists: false, workflowState: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.exists = r.bool();
        break;
      case 18:
        m.workflowState = readNested(r, depth, WorkflowState.read, m.workflowState);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetInstanceResponse: Codec<GetInstanceResponse> = createCodec('GetInstanceResponse', writeGetInstanceResponse, readGetInstanceResponse);

export interface RaiseEventRequest {
  instanceId: string;
  name: string;
  input?: StringValue | undefined;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeRaiseEventRequest(m: Init<RaiseEventRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.router) TaskRouter.write(m.router, w.uint32(34).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRaiseEventRequest(r: Reader, depth: number, target?: RaiseEventRequest): RaiseEventRequest {
  const m: RaiseEventRequest = target ?? { instanceId: '', name: '', input: undefined, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 26:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 34:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RaiseEventRequest: Codec<RaiseEventRequest> = createCodec('RaiseEventRequest', writeRaiseEventRequest, readRaiseEventRequest);

export interface RaiseEventResponse {
  unknown?: Uint8Array | undefined;
}
function writeRaiseEventResponse(m: Init<RaiseEventResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRaiseEventResponse(r: Reader, _depth: number, target?: RaiseEventResponse): RaiseEventResponse {
  const m: RaiseEventResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const RaiseEventResponse: Codec<RaiseEventResponse> = createCodec('RaiseEventResponse', writeRaiseEventResponse, readRaiseEventResponse);

export interface TerminateRequest {
  instanceId: string;
  output?: StringValue | undefined;
  recursive: boolean;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTerminateRequest(m: Init<TerminateRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.output) StringValue.write(m.output, w.uint32(18).fork()).ldelim();
  if (m.recursive) w.uint32(24).bool(m.recursive);
  if (m.router) TaskRouter.write(m.router, w.uint32(34).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTerminateRequest(r: Reader, depth: number, target?: TerminateRequest): TerminateRequest {
  const m: TerminateRequest = target ?? { instanceId: '', output: undefined, recursive: false, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.output = readNested(r, depth, StringValue.read, m.output);
        break;
      case 24:
        m.recursive = r.bool();
        break;
      case 34:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TerminateRequest: Codec<TerminateRequest> = createCodec('TerminateRequest', writeTerminateRequest, readTerminateRequest);

export interface TerminateResponse {
  unknown?: Uint8Array | undefined;
}
function writeTerminateResponse(m: Init<TerminateResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTerminateResponse(r: Reader, _depth: number, target?: TerminateResponse): TerminateResponse {
  const m: TerminateResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const TerminateResponse: Codec<TerminateResponse> = createCodec('TerminateResponse', writeTerminateResponse, readTerminateResponse);

export interface SuspendRequest {
  instanceId: string;
  reason?: StringValue | undefined;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSuspendRequest(m: Init<SuspendRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.reason) StringValue.write(m.reason, w.uint32(18).fork()).ldelim();
  if (m.router) TaskRouter.write(m.router, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSuspendRequest(r: Reader, depth: number, target?: SuspendRequest): SuspendRequest {
  const m: SuspendRequest = target ?? { instanceId: '', reason: undefined, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.reason = readNested(r, depth, StringValue.read, m.reason);
        break;
      case 26:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SuspendRequest: Codec<SuspendRequest> = createCodec('SuspendRequest', writeSuspendRequest, readSuspendRequest);

export interface SuspendResponse {
  unknown?: Uint8Array | undefined;
}
function writeSuspendResponse(m: Init<SuspendResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSuspendResponse(r: Reader, _depth: number, target?: SuspendResponse): SuspendResponse {
  const m: SuspendResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const SuspendResponse: Codec<SuspendResponse> = createCodec('SuspendResponse', writeSuspendResponse, readSuspendResponse);

export interface ResumeRequest {
  instanceId: string;
  reason?: StringValue | undefined;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeResumeRequest(m: Init<ResumeRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.reason) StringValue.write(m.reason, w.uint32(18).fork()).ldelim();
  if (m.router) TaskRouter.write(m.router, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readResumeRequest(r: Reader, depth: number, target?: ResumeRequest): ResumeRequest {
  const m: ResumeRequest = target ?? { instanceId: '', reason: undefined, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        break;
      case 18:
        m.reason = readNested(r, depth, StringValue.read, m.reason);
        break;
      case 26:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ResumeRequest: Codec<ResumeRequest> = createCodec('ResumeRequest', writeResumeRequest, readResumeRequest);

export interface ResumeResponse {
  unknown?: Uint8Array | undefined;
}
function writeResumeResponse(m: Init<ResumeResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readResumeResponse(r: Reader, _depth: number, target?: ResumeResponse): ResumeResponse {
  const m: ResumeResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const ResumeResponse: Codec<ResumeResponse> = createCodec('ResumeResponse', writeResumeResponse, readResumeResponse);

/** Removes what is left of instances that have ended. */
export interface PurgeInstancesRequest {
  instanceId?: string | undefined;
  purgeInstanceFilter?: PurgeInstanceFilter | undefined;
  recursive: boolean;
  /** Whatever the status. */
  force?: boolean | undefined;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writePurgeInstancesRequest(m: Init<PurgeInstancesRequest>, w: Writer): Writer {
  if (m.instanceId !== undefined) w.uint32(10).string(m.instanceId);
  if (m.purgeInstanceFilter) PurgeInstanceFilter.write(m.purgeInstanceFilter, w.uint32(18).fork()).ldelim();
  if (m.recursive) w.uint32(24).bool(m.recursive);
  if (m.force !== undefined) w.uint32(32).bool(m.force);
  if (m.router) TaskRouter.write(m.router, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPurgeInstancesRequest(r: Reader, depth: number, target?: PurgeInstancesRequest): PurgeInstancesRequest {
  const m: PurgeInstancesRequest = target ?? { instanceId: undefined, purgeInstanceFilter: undefined, recursive: false, force: undefined, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceId = r.stringVerify();
        m.purgeInstanceFilter = undefined;
        break;
      case 18:
        m.purgeInstanceFilter = readNested(r, depth, PurgeInstanceFilter.read, m.purgeInstanceFilter);
        m.instanceId = undefined;
        break;
      case 24:
        m.recursive = r.bool();
        break;
      case 32:
        m.force = r.bool();
        break;
      case 42:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PurgeInstancesRequest: Codec<PurgeInstancesRequest> = createCodec('PurgeInstancesRequest', writePurgeInstancesRequest, readPurgeInstancesRequest);

export interface PurgeInstanceFilter {
  createdTimeFrom?: Timestamp | undefined;
  createdTimeTo?: Timestamp | undefined;
  runtimeStatus: number[];
  unknown?: Uint8Array | undefined;
}
function writePurgeInstanceFilter(m: Init<PurgeInstanceFilter>, w: Writer): Writer {
  if (m.createdTimeFrom) Timestamp.write(m.createdTimeFrom, w.uint32(10).fork()).ldelim();
  if (m.createdTimeTo) Timestamp.write(m.createdTimeTo, w.uint32(18).fork()).ldelim();
  if (m.runtimeStatus?.length) {
    w.uint32(26).fork();
    for (const v of m.runtimeStatus) w.int32(v);
    w.ldelim();
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPurgeInstanceFilter(r: Reader, depth: number, target?: PurgeInstanceFilter): PurgeInstanceFilter {
  const m: PurgeInstanceFilter = target ?? { createdTimeFrom: undefined, createdTimeTo: undefined, runtimeStatus: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.createdTimeFrom = readNested(r, depth, Timestamp.read, m.createdTimeFrom);
        break;
      case 18:
        m.createdTimeTo = readNested(r, depth, Timestamp.read, m.createdTimeTo);
        break;
      case 24:
        m.runtimeStatus.push(r.int32());
        break;
      case 26: {
        const end = enter(r);
        while (r.pos < r.len) m.runtimeStatus.push(r.int32());
        r.len = end;
        break;
      }
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PurgeInstanceFilter: Codec<PurgeInstanceFilter> = createCodec('PurgeInstanceFilter', writePurgeInstanceFilter, readPurgeInstanceFilter);

export interface PurgeInstancesResponse {
  deletedInstanceCount: number;
  isComplete?: BoolValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writePurgeInstancesResponse(m: Init<PurgeInstancesResponse>, w: Writer): Writer {
  if (m.deletedInstanceCount) w.uint32(8).int32(m.deletedInstanceCount);
  if (m.isComplete) BoolValue.write(m.isComplete, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPurgeInstancesResponse(r: Reader, depth: number, target?: PurgeInstancesResponse): PurgeInstancesResponse {
  const m: PurgeInstancesResponse = target ?? { deletedInstanceCount: 0, isComplete: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.deletedInstanceCount = r.int32();
        break;
      case 18:
        m.isComplete = readNested(r, depth, BoolValue.read, m.isComplete);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PurgeInstancesResponse: Codec<PurgeInstancesResponse> = createCodec('PurgeInstancesResponse', writePurgeInstancesResponse, readPurgeInstancesResponse);

export interface GetWorkItemsRequest {
  capabilities: number[];
  unknown?: Uint8Array | undefined;
}
function writeGetWorkItemsRequest(m: Init<GetWorkItemsRequest>, w: Writer): Writer {
  if (m.capabilities?.length) {
    w.uint32(34).fork();
    for (const v of m.capabilities) w.int32(v);
    w.ldelim();
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetWorkItemsRequest(r: Reader, _depth: number, target?: GetWorkItemsRequest): GetWorkItemsRequest {
  const m: GetWorkItemsRequest = target ?? { capabilities: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 32:
        m.capabilities.push(r.int32());
        break;
      case 34: {
        const end = enter(r);
        while (r.pos < r.len) m.capabilities.push(r.int32());
        r.len = end;
        break;
      }
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetWorkItemsRequest: Codec<GetWorkItemsRequest> = createCodec('GetWorkItemsRequest', writeGetWorkItemsRequest, readGetWorkItemsRequest);

/** One thing to do for a worker: a turn of a workflow, or an activity. */
export interface WorkItem {
  workflowRequest?: WorkflowRequest | undefined;
  activityRequest?: ActivityRequest | undefined;
  /** To be given back with the answer; older workers do not. */
  completionToken: string;
  unknown?: Uint8Array | undefined;
}
function writeWorkItem(m: Init<WorkItem>, w: Writer): Writer {
  if (m.workflowRequest) WorkflowRequest.write(m.workflowRequest, w.uint32(10).fork()).ldelim();
  if (m.activityRequest) ActivityRequest.write(m.activityRequest, w.uint32(18).fork()).ldelim();
  if (m.completionToken) w.uint32(82).string(m.completionToken);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkItem(r: Reader, depth: number, target?: WorkItem): WorkItem {
  const m: WorkItem = target ?? { workflowRequest: undefined, activityRequest: undefined, completionToken: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.workflowRequest = readNested(r, depth, WorkflowRequest.read, m.workflowRequest);
        m.activityRequest = undefined;
        break;
      case 18:
        m.activityRequest = readNested(r, depth, ActivityRequest.read, m.activityRequest);
        m.workflowRequest = undefined;
        break;
      case 82:
        m.completionToken = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkItem: Codec<WorkItem> = createCodec('WorkItem', writeWorkItem, readWorkItem);

export interface CompleteTaskResponse {
  unknown?: Uint8Array | undefined;
}
function writeCompleteTaskResponse(m: Init<CompleteTaskResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCompleteTaskResponse(r: Reader, _depth: number, target?: CompleteTaskResponse): CompleteTaskResponse {
  const m: CompleteTaskResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const CompleteTaskResponse: Codec<CompleteTaskResponse> = createCodec('CompleteTaskResponse', writeCompleteTaskResponse, readCompleteTaskResponse);

/** A new instance that goes on from an event in the history of another. */
export interface RerunWorkflowFromEventRequest {
  sourceInstanceID: string;
  eventID: number;
  newInstanceID?: string | undefined;
  input?: StringValue | undefined;
  overwriteInput: boolean;
  newChildWorkflowInstanceID?: string | undefined;
  router?: TaskRouter | undefined;
  unknown?: Uint8Array | undefined;
}
function writeRerunWorkflowFromEventRequest(m: Init<RerunWorkflowFromEventRequest>, w: Writer): Writer {
  if (m.sourceInstanceID) w.uint32(10).string(m.sourceInstanceID);
  if (m.eventID) w.uint32(16).uint32(m.eventID);
  if (m.newInstanceID !== undefined) w.uint32(26).string(m.newInstanceID);
  if (m.input) StringValue.write(m.input, w.uint32(34).fork()).ldelim();
  if (m.overwriteInput) w.uint32(40).bool(m.overwriteInput);
  if (m.newChildWorkflowInstanceID !== undefined) w.uint32(50).string(m.newChildWorkflowInstanceID);
  if (m.router) TaskRouter.write(m.router, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRerunWorkflowFromEventRequest(r: Reader, depth: number, target?: RerunWorkflowFromEventRequest): RerunWorkflowFromEventRequest {
  const m: RerunWorkflowFromEventRequest = target ?? { sourceInstanceID: '', eventID: 0, newInstanceID: undefined, input: undefined, overwriteInput: false, newChildWorkflowInstanceID: undefined, router: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.sourceInstanceID = r.stringVerify();
        break;
      case 16:
        m.eventID = r.uint32();
        break;
      case 26:
        m.newInstanceID = r.stringVerify();
        break;
      case 34:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 40:
        m.overwriteInput = r.bool();
        break;
      case 50:
        m.newChildWorkflowInstanceID = r.stringVerify();
        break;
      case 58:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RerunWorkflowFromEventRequest: Codec<RerunWorkflowFromEventRequest> = createCodec('RerunWorkflowFromEventRequest', writeRerunWorkflowFromEventRequest, readRerunWorkflowFromEventRequest);

export interface RerunWorkflowFromEventResponse {
  newInstanceID: string;
  unknown?: Uint8Array | undefined;
}
function writeRerunWorkflowFromEventResponse(m: Init<RerunWorkflowFromEventResponse>, w: Writer): Writer {
  if (m.newInstanceID) w.uint32(10).string(m.newInstanceID);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRerunWorkflowFromEventResponse(r: Reader, _depth: number, target?: RerunWorkflowFromEventResponse): RerunWorkflowFromEventResponse {
  const m: RerunWorkflowFromEventResponse = target ?? { newInstanceID: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.newInstanceID = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RerunWorkflowFromEventResponse: Codec<RerunWorkflowFromEventResponse> = createCodec('RerunWorkflowFromEventResponse', writeRerunWorkflowFromEventResponse, readRerunWorkflowFromEventResponse);

export interface ListInstanceIDsRequest {
  continuationToken?: string | undefined;
  pageSize?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeListInstanceIDsRequest(m: Init<ListInstanceIDsRequest>, w: Writer): Writer {
  if (m.continuationToken !== undefined) w.uint32(10).string(m.continuationToken);
  if (m.pageSize !== undefined) w.uint32(16).uint32(m.pageSize);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListInstanceIDsRequest(r: Reader, _depth: number, target?: ListInstanceIDsRequest): ListInstanceIDsRequest {
  const m: ListInstanceIDsRequest = target ?? { continuationToken: undefined, pageSize: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.continuationToken = r.stringVerify();
        break;
      case 16:
        m.pageSize = r.uint32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListInstanceIDsRequest: Codec<ListInstanceIDsRequest> = createCodec('ListInstanceIDsRequest', writeListInstanceIDsRequest, readListInstanceIDsRequest);

export interface ListInstanceIDsResponse {
  instanceIds: string[];
  continuationToken?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeListInstanceIDsResponse(m: Init<ListInstanceIDsResponse>, w: Writer): Writer {
  if (m.instanceIds) for (const v of m.instanceIds) w.uint32(10).string(v);
  if (m.continuationToken !== undefined) w.uint32(18).string(m.continuationToken);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListInstanceIDsResponse(r: Reader, _depth: number, target?: ListInstanceIDsResponse): ListInstanceIDsResponse {
  const m: ListInstanceIDsResponse = target ?? { instanceIds: [], continuationToken: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceIds.push(r.stringVerify());
        break;
      case 18:
        m.continuationToken = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListInstanceIDsResponse: Codec<ListInstanceIDsResponse> = createCodec('ListInstanceIDsResponse', writeListInstanceIDsResponse, readListInstanceIDsResponse);

export interface GetInstanceHistoryRequest {
  instanceId: string;
  unknown?: Uint8Array | undefined;
}
function writeGetInstanceHistoryRequest(m: Init<GetInstanceHistoryRequest>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetInstanceHistoryRequest(r: Reader, _depth: number, target?: GetInstanceHistoryRequest): GetInstanceHistoryRequest {
  const m: GetInstanceHistoryRequest = target ?? { instanceId: '' };
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
export const GetInstanceHistoryRequest: Codec<GetInstanceHistoryRequest> = createCodec('GetInstanceHistoryRequest', writeGetInstanceHistoryRequest, readGetInstanceHistoryRequest);

export interface GetInstanceHistoryResponse {
  events: HistoryEvent[];
  unknown?: Uint8Array | undefined;
}
function writeGetInstanceHistoryResponse(m: Init<GetInstanceHistoryResponse>, w: Writer): Writer {
  if (m.events) for (const v of m.events) HistoryEvent.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetInstanceHistoryResponse(r: Reader, depth: number, target?: GetInstanceHistoryResponse): GetInstanceHistoryResponse {
  const m: GetInstanceHistoryResponse = target ?? { events: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.events.push(readNested(r, depth, HistoryEvent.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetInstanceHistoryResponse: Codec<GetInstanceHistoryResponse> = createCodec('GetInstanceHistoryResponse', writeGetInstanceHistoryResponse, readGetInstanceHistoryResponse);

/** On the ordinary gRPC port; without a package, as workers expect it. */
export const TaskHubSidecarService = {
  Hello: {
    path: '/TaskHubSidecarService/Hello',
    requestStream: false,
    responseStream: false,
    request: Empty,
    response: Empty,
  },
  StartInstance: {
    path: '/TaskHubSidecarService/StartInstance',
    requestStream: false,
    responseStream: false,
    request: CreateInstanceRequest,
    response: CreateInstanceResponse,
  },
  GetInstance: {
    path: '/TaskHubSidecarService/GetInstance',
    requestStream: false,
    responseStream: false,
    request: GetInstanceRequest,
    response: GetInstanceResponse,
  },
  WaitForInstanceStart: {
    path: '/TaskHubSidecarService/WaitForInstanceStart',
    requestStream: false,
    responseStream: false,
    request: GetInstanceRequest,
    response: GetInstanceResponse,
  },
  WaitForInstanceCompletion: {
    path: '/TaskHubSidecarService/WaitForInstanceCompletion',
    requestStream: false,
    responseStream: false,
    request: GetInstanceRequest,
    response: GetInstanceResponse,
  },
  RaiseEvent: {
    path: '/TaskHubSidecarService/RaiseEvent',
    requestStream: false,
    responseStream: false,
    request: RaiseEventRequest,
    response: RaiseEventResponse,
  },
  TerminateInstance: {
    path: '/TaskHubSidecarService/TerminateInstance',
    requestStream: false,
    responseStream: false,
    request: TerminateRequest,
    response: TerminateResponse,
  },
  SuspendInstance: {
    path: '/TaskHubSidecarService/SuspendInstance',
    requestStream: false,
    responseStream: false,
    request: SuspendRequest,
    response: SuspendResponse,
  },
  ResumeInstance: {
    path: '/TaskHubSidecarService/ResumeInstance',
    requestStream: false,
    responseStream: false,
    request: ResumeRequest,
    response: ResumeResponse,
  },
  PurgeInstances: {
    path: '/TaskHubSidecarService/PurgeInstances',
    requestStream: false,
    responseStream: false,
    request: PurgeInstancesRequest,
    response: PurgeInstancesResponse,
  },
  GetWorkItems: {
    path: '/TaskHubSidecarService/GetWorkItems',
    requestStream: false,
    responseStream: true,
    request: GetWorkItemsRequest,
    response: WorkItem,
  },
  CompleteActivityTask: {
    path: '/TaskHubSidecarService/CompleteActivityTask',
    requestStream: false,
    responseStream: false,
    request: ActivityResponse,
    response: CompleteTaskResponse,
  },
  CompleteOrchestratorTask: {
    path: '/TaskHubSidecarService/CompleteOrchestratorTask',
    requestStream: false,
    responseStream: false,
    request: WorkflowResponse,
    response: CompleteTaskResponse,
  },
  CompleteWorkflowTask: {
    path: '/TaskHubSidecarService/CompleteWorkflowTask',
    requestStream: false,
    responseStream: false,
    request: WorkflowResponse,
    response: CompleteTaskResponse,
  },
  RerunWorkflowFromEvent: {
    path: '/TaskHubSidecarService/RerunWorkflowFromEvent',
    requestStream: false,
    responseStream: false,
    request: RerunWorkflowFromEventRequest,
    response: RerunWorkflowFromEventResponse,
  },
  ListInstanceIDs: {
    path: '/TaskHubSidecarService/ListInstanceIDs',
    requestStream: false,
    responseStream: false,
    request: ListInstanceIDsRequest,
    response: ListInstanceIDsResponse,
  },
  GetInstanceHistory: {
    path: '/TaskHubSidecarService/GetInstanceHistory',
    requestStream: false,
    responseStream: false,
    request: GetInstanceHistoryRequest,
    response: GetInstanceHistoryResponse,
  },
} as const;
