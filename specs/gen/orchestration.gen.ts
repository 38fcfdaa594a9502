// Written by scripts/generate-proto.ts from specs/proto/durabletask/orchestration.proto; not by hand.
// What actions, events and answers of workflows have in common.
import { createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Timestamp } from './timestamp.gen.ts';
import { StringValue } from './wrappers.gen.ts';

export const StalledReason = {
  PATCH_MISMATCH: 0,
  VERSION_NOT_AVAILABLE: 1,
  PAYLOAD_SIZE_EXCEEDED: 2,
} as const;

export const OrchestrationStatus = {
  ORCHESTRATION_STATUS_RUNNING: 0,
  ORCHESTRATION_STATUS_COMPLETED: 1,
  ORCHESTRATION_STATUS_CONTINUED_AS_NEW: 2,
  ORCHESTRATION_STATUS_FAILED: 3,
  ORCHESTRATION_STATUS_CANCELED: 4,
  ORCHESTRATION_STATUS_TERMINATED: 5,
  ORCHESTRATION_STATUS_PENDING: 6,
  ORCHESTRATION_STATUS_SUSPENDED: 7,
  ORCHESTRATION_STATUS_STALLED: 8,
} as const;

export const HistoryPropagationScope = {
  HISTORY_PROPAGATION_SCOPE_NONE: 0,
  HISTORY_PROPAGATION_SCOPE_OWN_HISTORY: 1,
  HISTORY_PROPAGATION_SCOPE_LINEAGE: 2,
} as const;

/** Which app is meant, if not the own. */
export interface TaskRouter {
  sourceAppID: string;
  targetAppID?: string | undefined;
  targetAppNamespace?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTaskRouter(m: Init<TaskRouter>, w: Writer): Writer {
  if (m.sourceAppID) w.uint32(10).string(m.sourceAppID);
  if (m.targetAppID !== undefined) w.uint32(18).string(m.targetAppID);
  if (m.targetAppNamespace !== undefined) w.uint32(26).string(m.targetAppNamespace);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTaskRouter(r: Reader, _depth: number, target?: TaskRouter): TaskRouter {
  const m: TaskRouter = target ?? { sourceAppID: '', targetAppID: undefined, targetAppNamespace: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.sourceAppID = r.stringVerify();
        break;
      case 18:
        m.targetAppID = r.stringVerify();
        break;
      case 26:
        m.targetAppNamespace = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TaskRouter: Codec<TaskRouter> = createCodec('TaskRouter', writeTaskRouter, readTaskRouter);

/** What the worker says of its code. */
export interface WorkflowVersion {
  patches: string[];
  name?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowVersion(m: Init<WorkflowVersion>, w: Writer): Writer {
  if (m.patches) for (const v of m.patches) w.uint32(10).string(v);
  if (m.name !== undefined) w.uint32(18).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowVersion(r: Reader, _depth: number, target?: WorkflowVersion): WorkflowVersion {
  const m: WorkflowVersion = target ?? { patches: [], name: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.patches.push(r.stringVerify());
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowVersion: Codec<WorkflowVersion> = createCodec('WorkflowVersion', writeWorkflowVersion, readWorkflowVersion);

export interface WorkflowInstance {
  instanceId: string;
  executionId?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowInstance(m: Init<WorkflowInstance>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.executionId) StringValue.write(m.executionId, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowInstance(r: Reader, depth: number, target?: WorkflowInstance): WorkflowInstance {
  const m: WorkflowInstance = target ?? { instanceId: '', executionId: undefined };
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
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowInstance: Codec<WorkflowInstance> = createCodec('WorkflowInstance', writeWorkflowInstance, readWorkflowInstance);

/** Opaque to the sidecar. */
export interface TaskFailureDetails {
  errorType: string;
  errorMessage: string;
  stackTrace?: StringValue | undefined;
  innerFailure?: TaskFailureDetails | undefined;
  isNonRetriable: boolean;
  unknown?: Uint8Array | undefined;
}
function writeTaskFailureDetails(m: Init<TaskFailureDetails>, w: Writer): Writer {
  if (m.errorType) w.uint32(10).string(m.errorType);
  if (m.errorMessage) w.uint32(18).string(m.errorMessage);
  if (m.stackTrace) StringValue.write(m.stackTrace, w.uint32(26).fork()).ldelim();
  if (m.innerFailure) TaskFailureDetails.write(m.innerFailure, w.uint32(34).fork()).ldelim();
  if (m.isNonRetriable) w.uint32(40).bool(m.isNonRetriable);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTaskFailureDetails(r: Reader, depth: number, target?: TaskFailureDetails): TaskFailureDetails {
  const m: TaskFailureDetails = target ?? { errorType: '', errorMessage: '', stackTrace: undefined, innerFailure: undefined, isNonRetriable: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.errorType = r.stringVerify();
        break;
      case 18:
        m.errorMessage = r.stringVerify();
        break;
      case 26:
        m.stackTrace = readNested(r, depth, StringValue.read, m.stackTrace);
        break;
      case 34:
        m.innerFailure = readNested(r, depth, TaskFailureDetails.read, m.innerFailure);
        break;
      case 40:
        m.isNonRetriable = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TaskFailureDetails: Codec<TaskFailureDetails> = createCodec('TaskFailureDetails', writeTaskFailureDetails, readTaskFailureDetails);

export interface ParentInstanceInfo {
  taskScheduledId: number;
  name?: StringValue | undefined;
  version?: StringValue | undefined;
  workflowInstance?: WorkflowInstance | undefined;
  appID?: string | undefined;
  appNamespace?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeParentInstanceInfo(m: Init<ParentInstanceInfo>, w: Writer): Writer {
  if (m.taskScheduledId) w.uint32(8).int32(m.taskScheduledId);
  if (m.name) StringValue.write(m.name, w.uint32(18).fork()).ldelim();
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.workflowInstance) WorkflowInstance.write(m.workflowInstance, w.uint32(34).fork()).ldelim();
  if (m.appID !== undefined) w.uint32(42).string(m.appID);
  if (m.appNamespace !== undefined) w.uint32(50).string(m.appNamespace);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readParentInstanceInfo(r: Reader, depth: number, target?: ParentInstanceInfo): ParentInstanceInfo {
  const m: ParentInstanceInfo = target ?? { taskScheduledId: 0, name: undefined, version: undefined, workflowInstance: undefined, appID: undefined, appNamespace: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.taskScheduledId = r.int32();
        break;
      case 18:
        m.name = readNested(r, depth, StringValue.read, m.name);
        break;
      case 26:
        m.version = readNested(r, depth, StringValue.read, m.version);
        break;
      case 34:
        m.workflowInstance = readNested(r, depth, WorkflowInstance.read, m.workflowInstance);
        break;
      case 42:
        m.appID = r.stringVerify();
        break;
      case 50:
        m.appNamespace = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ParentInstanceInfo: Codec<ParentInstanceInfo> = createCodec('ParentInstanceInfo', writeParentInstanceInfo, readParentInstanceInfo);

export interface RerunParentInstanceInfo {
  instanceID: string;
  unknown?: Uint8Array | undefined;
}
function writeRerunParentInstanceInfo(m: Init<RerunParentInstanceInfo>, w: Writer): Writer {
  if (m.instanceID) w.uint32(10).string(m.instanceID);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRerunParentInstanceInfo(r: Reader, _depth: number, target?: RerunParentInstanceInfo): RerunParentInstanceInfo {
  const m: RerunParentInstanceInfo = target ?? { instanceID: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceID = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RerunParentInstanceInfo: Codec<RerunParentInstanceInfo> = createCodec('RerunParentInstanceInfo', writeRerunParentInstanceInfo, readRerunParentInstanceInfo);

export interface RetryParentInstanceInfo {
  instanceID: string;
  unknown?: Uint8Array | undefined;
}
function writeRetryParentInstanceInfo(m: Init<RetryParentInstanceInfo>, w: Writer): Writer {
  if (m.instanceID) w.uint32(10).string(m.instanceID);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readRetryParentInstanceInfo(r: Reader, _depth: number, target?: RetryParentInstanceInfo): RetryParentInstanceInfo {
  const m: RetryParentInstanceInfo = target ?? { instanceID: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instanceID = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const RetryParentInstanceInfo: Codec<RetryParentInstanceInfo> = createCodec('RetryParentInstanceInfo', writeRetryParentInstanceInfo, readRetryParentInstanceInfo);

export interface TraceContext {
  traceParent: string;
  spanID: string;
  traceState?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTraceContext(m: Init<TraceContext>, w: Writer): Writer {
  if (m.traceParent) w.uint32(10).string(m.traceParent);
  if (m.spanID) w.uint32(18).string(m.spanID);
  if (m.traceState) StringValue.write(m.traceState, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTraceContext(r: Reader, depth: number, target?: TraceContext): TraceContext {
  const m: TraceContext = target ?? { traceParent: '', spanID: '', traceState: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.traceParent = r.stringVerify();
        break;
      case 18:
        m.spanID = r.stringVerify();
        break;
      case 26:
        m.traceState = readNested(r, depth, StringValue.read, m.traceState);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TraceContext: Codec<TraceContext> = createCodec('TraceContext', writeTraceContext, readTraceContext);

/** An instance as clients see it. */
export interface WorkflowState {
  instanceId: string;
  name: string;
  version?: StringValue | undefined;
  workflowStatus: number;
  scheduledStartTimestamp?: Timestamp | undefined;
  createdTimestamp?: Timestamp | undefined;
  lastUpdatedTimestamp?: Timestamp | undefined;
  input?: StringValue | undefined;
  output?: StringValue | undefined;
  customStatus?: StringValue | undefined;
  failureDetails?: TaskFailureDetails | undefined;
  executionId?: StringValue | undefined;
  completedTimestamp?: Timestamp | undefined;
  parentInstanceId?: StringValue | undefined;
  tags: Record<string, string>;
  parentAppId?: StringValue | undefined;
  startedAt?: Timestamp | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowState(m: Init<WorkflowState>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.workflowStatus) w.uint32(32).int32(m.workflowStatus);
  if (m.scheduledStartTimestamp) Timestamp.write(m.scheduledStartTimestamp, w.uint32(42).fork()).ldelim();
  if (m.createdTimestamp) Timestamp.write(m.createdTimestamp, w.uint32(50).fork()).ldelim();
  if (m.lastUpdatedTimestamp) Timestamp.write(m.lastUpdatedTimestamp, w.uint32(58).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(66).fork()).ldelim();
  if (m.output) StringValue.write(m.output, w.uint32(74).fork()).ldelim();
  if (m.customStatus) StringValue.write(m.customStatus, w.uint32(82).fork()).ldelim();
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(90).fork()).ldelim();
  if (m.executionId) StringValue.write(m.executionId, w.uint32(98).fork()).ldelim();
  if (m.completedTimestamp) Timestamp.write(m.completedTimestamp, w.uint32(106).fork()).ldelim();
  if (m.parentInstanceId) StringValue.write(m.parentInstanceId, w.uint32(114).fork()).ldelim();
  if (m.tags) {
    for (const [k, v] of Object.entries(m.tags)) {
      if (v === undefined) continue;
      w.uint32(122).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.parentAppId) StringValue.write(m.parentAppId, w.uint32(130).fork()).ldelim();
  if (m.startedAt) Timestamp.write(m.startedAt, w.uint32(138).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowState(r: Reader, depth: number, target?: WorkflowState): WorkflowState {
  const m: WorkflowState = target ?? { instanceId: '', name: '', version: undefined, workflowStatus: 0, scheduledStartTimestamp: undefined, createdTimestamp: undefined, lastUpdatedTimestamp: undefined, input: undefined, output: undefined, customStatus: undefined, failureDetails: undefined, executionId: undefined, completedTimestamp: undefined, parentInstanceId: undefined, tags: {}, parentAppId: undefined, startedAt: undefined };
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
      case 32:
        m.workflowStatus = r.int32();
        break;
      case 42:
        m.scheduledStartTimestamp = readNested(r, depth, Timestamp.read, m.scheduledStartTimestamp);
        break;
      case 50:
        m.createdTimestamp = readNested(r, depth, Timestamp.read, m.createdTimestamp);
        break;
      case 58:
        m.lastUpdatedTimestamp = readNested(r, depth, Timestamp.read, m.lastUpdatedTimestamp);
        break;
      case 66:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 74:
        m.output = readNested(r, depth, StringValue.read, m.output);
        break;
      case 82:
        m.customStatus = readNested(r, depth, StringValue.read, m.customStatus);
        break;
      case 90:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      case 98:
        m.executionId = readNested(r, depth, StringValue.read, m.executionId);
        break;
      case 106:
        m.completedTimestamp = readNested(r, depth, Timestamp.read, m.completedTimestamp);
        break;
      case 114:
        m.parentInstanceId = readNested(r, depth, StringValue.read, m.parentInstanceId);
        break;
      case 122:
        readEntry(r, m.tags, '', (r) => r.stringVerify(), 18);
        break;
      case 130:
        m.parentAppId = readNested(r, depth, StringValue.read, m.parentAppId);
        break;
      case 138:
        m.startedAt = readNested(r, depth, Timestamp.read, m.startedAt);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowState: Codec<WorkflowState> = createCodec('WorkflowState', writeWorkflowState, readWorkflowState);
