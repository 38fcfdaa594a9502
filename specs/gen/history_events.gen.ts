// Written by scripts/generate-proto.ts from specs/proto/durabletask/history_events.proto; not by hand.
// What has happened to a workflow instance, event by event.
import { createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { ActivityCompletionAttestation, ChildCompletionAttestation } from './attestation.gen.ts';
import { ParentInstanceInfo, RerunParentInstanceInfo, RetryParentInstanceInfo, TaskFailureDetails, TaskRouter, TraceContext, WorkflowInstance, WorkflowVersion } from './orchestration.gen.ts';
import { Timestamp } from './timestamp.gen.ts';
import { StringValue } from './wrappers.gen.ts';

export interface ExecutionStartedEvent {
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  workflowInstance?: WorkflowInstance | undefined;
  parentInstance?: ParentInstanceInfo | undefined;
  scheduledStartTimestamp?: Timestamp | undefined;
  parentTraceContext?: TraceContext | undefined;
  workflowSpanID?: StringValue | undefined;
  tags: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeExecutionStartedEvent(m: Init<ExecutionStartedEvent>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(18).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.workflowInstance) WorkflowInstance.write(m.workflowInstance, w.uint32(34).fork()).ldelim();
  if (m.parentInstance) ParentInstanceInfo.write(m.parentInstance, w.uint32(42).fork()).ldelim();
  if (m.scheduledStartTimestamp) Timestamp.write(m.scheduledStartTimestamp, w.uint32(50).fork()).ldelim();
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(58).fork()).ldelim();
  if (m.workflowSpanID) StringValue.write(m.workflowSpanID, w.uint32(66).fork()).ldelim();
  if (m.tags) {
    for (const [k, v] of Object.entries(m.tags)) {
      if (v === undefined) continue;
      w.uint32(74).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionStartedEvent(r: Reader, depth: number, target?: ExecutionStartedEvent): ExecutionStartedEvent {
  const m: ExecutionStartedEvent = target ?? { name: '', version: undefined, input: undefined, workflowInstance: undefined, parentInstance: undefined, scheduledStartTimestamp: undefined, parentTraceContext: undefined, workflowSpanID: undefined, tags: {} };
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
      case 42:
        m.parentInstance = readNested(r, depth, ParentInstanceInfo.read, m.parentInstance);
        break;
      case 50:
        m.scheduledStartTimestamp = readNested(r, depth, Timestamp.read, m.scheduledStartTimestamp);
        break;
      case 58:
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      case 66:
        m.workflowSpanID = readNested(r, depth, StringValue.read, m.workflowSpanID);
        break;
      case 74:
        readEntry(r, m.tags, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionStartedEvent: Codec<ExecutionStartedEvent> = createCodec('ExecutionStartedEvent', writeExecutionStartedEvent, readExecutionStartedEvent);

export interface ExecutionCompletedEvent {
  workflowStatus: number;
  result?: StringValue | undefined;
  failureDetails?: TaskFailureDetails | undefined;
  unknown?: Uint8Array | undefined;
}
function writeExecutionCompletedEvent(m: Init<ExecutionCompletedEvent>, w: Writer): Writer {
  if (m.workflowStatus) w.uint32(8).int32(m.workflowStatus);
  if (m.result) StringValue.write(m.result, w.uint32(18).fork()).ldelim();
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionCompletedEvent(r: Reader, depth: number, target?: ExecutionCompletedEvent): ExecutionCompletedEvent {
  const m: ExecutionCompletedEvent = target ?? { workflowStatus: 0, result: undefined, failureDetails: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.workflowStatus = r.int32();
        break;
      case 18:
        m.result = readNested(r, depth, StringValue.read, m.result);
        break;
      case 26:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionCompletedEvent: Codec<ExecutionCompletedEvent> = createCodec('ExecutionCompletedEvent', writeExecutionCompletedEvent, readExecutionCompletedEvent);

export interface ExecutionTerminatedEvent {
  input?: StringValue | undefined;
  recurse: boolean;
  unknown?: Uint8Array | undefined;
}
function writeExecutionTerminatedEvent(m: Init<ExecutionTerminatedEvent>, w: Writer): Writer {
  if (m.input) StringValue.write(m.input, w.uint32(10).fork()).ldelim();
  if (m.recurse) w.uint32(16).bool(m.recurse);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionTerminatedEvent(r: Reader, depth: number, target?: ExecutionTerminatedEvent): ExecutionTerminatedEvent {
  const m: ExecutionTerminatedEvent = target ?? { input: undefined, recurse: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      case 16:
        m.recurse = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionTerminatedEvent: Codec<ExecutionTerminatedEvent> = createCodec('ExecutionTerminatedEvent', writeExecutionTerminatedEvent, readExecutionTerminatedEvent);

export interface TaskScheduledEvent {
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  parentTraceContext?: TraceContext | undefined;
  taskExecutionId: string;
  rerunParentInstanceInfo?: RerunParentInstanceInfo | undefined;
  historyPropagationScope?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTaskScheduledEvent(m: Init<TaskScheduledEvent>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(18).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(34).fork()).ldelim();
  if (m.taskExecutionId) w.uint32(42).string(m.taskExecutionId);
  if (m.rerunParentInstanceInfo) RerunParentInstanceInfo.write(m.rerunParentInstanceInfo, w.uint32(50).fork()).ldelim();
  if (m.historyPropagationScope !== undefined) w.uint32(56).int32(m.historyPropagationScope);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTaskScheduledEvent(r: Reader, depth: number, target?: TaskScheduledEvent): TaskScheduledEvent {
  const m: TaskScheduledEvent = target ?? { name: '', version: undefined, input: undefined, parentTraceContext: undefined, taskExecutionId: '', rerunParentInstanceInfo: undefined, historyPropagationScope: undefined };
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
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      case 42:
        m.taskExecutionId = r.stringVerify();
        break;
      case 50:
        m.rerunParentInstanceInfo = readNested(r, depth, RerunParentInstanceInfo.read, m.rerunParentInstanceInfo);
        break;
      case 56:
        m.historyPropagationScope = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TaskScheduledEvent: Codec<TaskScheduledEvent> = createCodec('TaskScheduledEvent', writeTaskScheduledEvent, readTaskScheduledEvent);

export interface TaskCompletedEvent {
  taskScheduledId: number;
  result?: StringValue | undefined;
  taskExecutionId: string;
  attestation?: ActivityCompletionAttestation | undefined;
  signerCertificate?: Uint8Array | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTaskCompletedEvent(m: Init<TaskCompletedEvent>, w: Writer): Writer {
  if (m.taskScheduledId) w.uint32(8).int32(m.taskScheduledId);
  if (m.result) StringValue.write(m.result, w.uint32(18).fork()).ldelim();
  if (m.taskExecutionId) w.uint32(26).string(m.taskExecutionId);
  if (m.attestation) ActivityCompletionAttestation.write(m.attestation, w.uint32(34).fork()).ldelim();
  if (m.signerCertificate !== undefined) w.uint32(42).bytes(m.signerCertificate);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTaskCompletedEvent(r: Reader, depth: number, target?: TaskCompletedEvent): TaskCompletedEvent {
  const m: TaskCompletedEvent = target ?? { taskScheduledId: 0, result: undefined, taskExecutionId: '', attestation: undefined, signerCertificate: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.taskScheduledId = r.int32();
        break;
      case 18:
        m.result = readNested(r, depth, StringValue.read, m.result);
        break;
      case 26:
        m.taskExecutionId = r.stringVerify();
        break;
      case 34:
        m.attestation = readNested(r, depth, ActivityCompletionAttestation.read, m.attestation);
        break;
      case 42:
        m.signerCertificate = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TaskCompletedEvent: Codec<TaskCompletedEvent> = createCodec('TaskCompletedEvent', writeTaskCompletedEvent, readTaskCompletedEvent);

export interface TaskFailedEvent {
  taskScheduledId: number;
  failureDetails?: TaskFailureDetails | undefined;
  taskExecutionId: string;
  attestation?: ActivityCompletionAttestation | undefined;
  signerCertificate?: Uint8Array | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTaskFailedEvent(m: Init<TaskFailedEvent>, w: Writer): Writer {
  if (m.taskScheduledId) w.uint32(8).int32(m.taskScheduledId);
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(18).fork()).ldelim();
  if (m.taskExecutionId) w.uint32(26).string(m.taskExecutionId);
  if (m.attestation) ActivityCompletionAttestation.write(m.attestation, w.uint32(34).fork()).ldelim();
  if (m.signerCertificate !== undefined) w.uint32(42).bytes(m.signerCertificate);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTaskFailedEvent(r: Reader, depth: number, target?: TaskFailedEvent): TaskFailedEvent {
  const m: TaskFailedEvent = target ?? { taskScheduledId: 0, failureDetails: undefined, taskExecutionId: '', attestation: undefined, signerCertificate: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.taskScheduledId = r.int32();
        break;
      case 18:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      case 26:
        m.taskExecutionId = r.stringVerify();
        break;
      case 34:
        m.attestation = readNested(r, depth, ActivityCompletionAttestation.read, m.attestation);
        break;
      case 42:
        m.signerCertificate = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TaskFailedEvent: Codec<TaskFailedEvent> = createCodec('TaskFailedEvent', writeTaskFailedEvent, readTaskFailedEvent);

export interface ChildWorkflowInstanceCreatedEvent {
  instanceId: string;
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  parentTraceContext?: TraceContext | undefined;
  rerunParentInstanceInfo?: RerunParentInstanceInfo | undefined;
  historyPropagationScope?: number | undefined;
  retryParentInstanceInfo?: RetryParentInstanceInfo | undefined;
  unknown?: Uint8Array | undefined;
}
function writeChildWorkflowInstanceCreatedEvent(m: Init<ChildWorkflowInstanceCreatedEvent>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(34).fork()).ldelim();
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(42).fork()).ldelim();
  if (m.rerunParentInstanceInfo) RerunParentInstanceInfo.write(m.rerunParentInstanceInfo, w.uint32(50).fork()).ldelim();
  if (m.historyPropagationScope !== undefined) w.uint32(56).int32(m.historyPropagationScope);
  if (m.retryParentInstanceInfo) RetryParentInstanceInfo.write(m.retryParentInstanceInfo, w.uint32(66).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readChildWorkflowInstanceCreatedEvent(r: Reader, depth: number, target?: ChildWorkflowInstanceCreatedEvent): ChildWorkflowInstanceCreatedEvent {
  const m: ChildWorkflowInstanceCreatedEvent = target ?? { instanceId: '', name: '', version: undefined, input: undefined, parentTraceContext: undefined, rerunParentInstanceInfo: undefined, historyPropagationScope: undefined, retryParentInstanceInfo: undefined };
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
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      case 50:
        m.rerunParentInstanceInfo = readNested(r, depth, RerunParentInstanceInfo.read, m.rerunParentInstanceInfo);
        break;
      case 56:
        m.historyPropagationScope = r.int32();
        break;
      case 66:
        m.retryParentInstanceInfo = readNested(r, depth, RetryParentInstanceInfo.read, m.retryParentInstanceInfo);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ChildWorkflowInstanceCreatedEvent: Codec<ChildWorkflowInstanceCreatedEvent> = createCodec('ChildWorkflowInstanceCreatedEvent', writeChildWorkflowInstanceCreatedEvent, readChildWorkflowInstanceCreatedEvent);

export interface ChildWorkflowInstanceCompletedEvent {
  taskScheduledId: number;
  result?: StringValue | undefined;
  attestation?: ChildCompletionAttestation | undefined;
  signerCertificate?: Uint8Array | undefined;
  unknown?: Uint8Array | undefined;
}
function writeChildWorkflowInstanceCompletedEvent(m: Init<ChildWorkflowInstanceCompletedEvent>, w: Writer): Writer {
  if (m.taskScheduledId) w.uint32(8).int32(m.taskScheduledId);
  if (m.result) StringValue.write(m.result, w.uint32(18).fork()).ldelim();
  if (m.attestation) ChildCompletionAttestation.write(m.attestation, w.uint32(26).fork()).ldelim();
  if (m.signerCertificate !== undefined) w.uint32(34).bytes(m.signerCertificate);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readChildWorkflowInstanceCompletedEvent(r: Reader, depth: number, target?: ChildWorkflowInstanceCompletedEvent): ChildWorkflowInstanceCompletedEvent {
  const m: ChildWorkflowInstanceCompletedEvent = target ?? { taskScheduledId: 0, result: undefined, attestation: undefined, signerCertificate: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.taskScheduledId = r.int32();
        break;
      case 18:
        m.result = readNested(r, depth, StringValue.read, m.result);
        break;
      case 26:
        m.attestation = readNested(r, depth, ChildCompletionAttestation.read, m.attestation);
        break;
      case 34:
        m.signerCertificate = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ChildWorkflowInstanceCompletedEvent: Codec<ChildWorkflowInstanceCompletedEvent> = createCodec('ChildWorkflowInstanceCompletedEvent', writeChildWorkflowInstanceCompletedEvent, readChildWorkflowInstanceCompletedEvent);

export interface ChildWorkflowInstanceFailedEvent {
  taskScheduledId: number;
  failureDetails?: TaskFailureDetails | undefined;
  attestation?: ChildCompletionAttestation | undefined;
  signerCertificate?: Uint8Array | undefined;
  unknown?: Uint8Array | undefined;
}
function writeChildWorkflowInstanceFailedEvent(m: Init<ChildWorkflowInstanceFailedEvent>, w: Writer): Writer {
  if (m.taskScheduledId) w.uint32(8).int32(m.taskScheduledId);
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(18).fork()).ldelim();
  if (m.attestation) ChildCompletionAttestation.write(m.attestation, w.uint32(26).fork()).ldelim();
  if (m.signerCertificate !== undefined) w.uint32(34).bytes(m.signerCertificate);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readChildWorkflowInstanceFailedEvent(r: Reader, depth: number, target?: ChildWorkflowInstanceFailedEvent): ChildWorkflowInstanceFailedEvent {
  const m: ChildWorkflowInstanceFailedEvent = target ?? { taskScheduledId: 0, failureDetails: undefined, attestation: undefined, signerCertificate: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.taskScheduledId = r.int32();
        break;
      case 18:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      case 26:
        m.attestation = readNested(r, depth, ChildCompletionAttestation.read, m.attestation);
        break;
      case 34:
        m.signerCertificate = r.bytes();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ChildWorkflowInstanceFailedEvent: Codec<ChildWorkflowInstanceFailedEvent> = createCodec('ChildWorkflowInstanceFailedEvent', writeChildWorkflowInstanceFailedEvent, readChildWorkflowInstanceFailedEvent);

export interface DetachedWorkflowInstanceCreatedEvent {
  instanceId: string;
  unknown?: Uint8Array | undefined;
}
function writeDetachedWorkflowInstanceCreatedEvent(m: Init<DetachedWorkflowInstanceCreatedEvent>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDetachedWorkflowInstanceCreatedEvent(r: Reader, _depth: number, target?: DetachedWorkflowInstanceCreatedEvent): DetachedWorkflowInstanceCreatedEvent {
  const m: DetachedWorkflowInstanceCreatedEvent = target ?? { instanceId: '' };
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
export const DetachedWorkflowInstanceCreatedEvent: Codec<DetachedWorkflowInstanceCreatedEvent> = createCodec('DetachedWorkflowInstanceCreatedEvent', writeDetachedWorkflowInstanceCreatedEvent, readDetachedWorkflowInstanceCreatedEvent);

export interface TimerOriginCreateTimer {
  unknown?: Uint8Array | undefined;
}
function writeTimerOriginCreateTimer(m: Init<TimerOriginCreateTimer>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerOriginCreateTimer(r: Reader, _depth: number, target?: TimerOriginCreateTimer): TimerOriginCreateTimer {
  const m: TimerOriginCreateTimer = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const TimerOriginCreateTimer: Codec<TimerOriginCreateTimer> = createCodec('TimerOriginCreateTimer', writeTimerOriginCreateTimer, readTimerOriginCreateTimer);

export interface TimerOriginExternalEvent {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeTimerOriginExternalEvent(m: Init<TimerOriginExternalEvent>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerOriginExternalEvent(r: Reader, _depth: number, target?: TimerOriginExternalEvent): TimerOriginExternalEvent {
  const m: TimerOriginExternalEvent = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TimerOriginExternalEvent: Codec<TimerOriginExternalEvent> = createCodec('TimerOriginExternalEvent', writeTimerOriginExternalEvent, readTimerOriginExternalEvent);

export interface TimerOriginActivityRetry {
  taskExecutionId: string;
  unknown?: Uint8Array | undefined;
}
function writeTimerOriginActivityRetry(m: Init<TimerOriginActivityRetry>, w: Writer): Writer {
  if (m.taskExecutionId) w.uint32(10).string(m.taskExecutionId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerOriginActivityRetry(r: Reader, _depth: number, target?: TimerOriginActivityRetry): TimerOriginActivityRetry {
  const m: TimerOriginActivityRetry = target ?? { taskExecutionId: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.taskExecutionId = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TimerOriginActivityRetry: Codec<TimerOriginActivityRetry> = createCodec('TimerOriginActivityRetry', writeTimerOriginActivityRetry, readTimerOriginActivityRetry);

export interface TimerOriginChildWorkflowRetry {
  instanceId: string;
  unknown?: Uint8Array | undefined;
}
function writeTimerOriginChildWorkflowRetry(m: Init<TimerOriginChildWorkflowRetry>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerOriginChildWorkflowRetry(r: Reader, _depth: number, target?: TimerOriginChildWorkflowRetry): TimerOriginChildWorkflowRetry {
  const m: TimerOriginChildWorkflowRetry = target ?? { instanceId: '' };
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
export const TimerOriginChildWorkflowRetry: Codec<TimerOriginChildWorkflowRetry> = createCodec('TimerOriginChildWorkflowRetry', writeTimerOriginChildWorkflowRetry, readTimerOriginChildWorkflowRetry);

export interface TimerCreatedEvent {
  fireAt?: Timestamp | undefined;
  name?: string | undefined;
  rerunParentInstanceInfo?: RerunParentInstanceInfo | undefined;
  createTimer?: TimerOriginCreateTimer | undefined;
  externalEvent?: TimerOriginExternalEvent | undefined;
  activityRetry?: TimerOriginActivityRetry | undefined;
  childWorkflowRetry?: TimerOriginChildWorkflowRetry | undefined;
  unknown?: Uint8Array | undefined;
}
function writeTimerCreatedEvent(m: Init<TimerCreatedEvent>, w: Writer): Writer {
  if (m.fireAt) Timestamp.write(m.fireAt, w.uint32(10).fork()).ldelim();
  if (m.name !== undefined) w.uint32(18).string(m.name);
  if (m.rerunParentInstanceInfo) RerunParentInstanceInfo.write(m.rerunParentInstanceInfo, w.uint32(26).fork()).ldelim();
  if (m.createTimer) TimerOriginCreateTimer.write(m.createTimer, w.uint32(34).fork()).ldelim();
  if (m.externalEvent) TimerOriginExternalEvent.write(m.externalEvent, w.uint32(42).fork()).ldelim();
  if (m.activityRetry) TimerOriginActivityRetry.write(m.activityRetry, w.uint32(50).fork()).ldelim();
  if (m.childWorkflowRetry) TimerOriginChildWorkflowRetry.write(m.childWorkflowRetry, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerCreatedEvent(r: Reader, depth: number, target?: TimerCreatedEvent): TimerCreatedEvent {
  const m: TimerCreatedEvent = target ?? { fireAt: undefined, name: undefined, rerunParentInstanceInfo: undefined, createTimer: undefined, externalEvent: undefined, activityRetry: undefined, childWorkflowRetry: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.fireAt = readNested(r, depth, Timestamp.read, m.fireAt);
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 26:
        m.rerunParentInstanceInfo = readNested(r, depth, RerunParentInstanceInfo.read, m.rerunParentInstanceInfo);
        break;
      case 34:
        m.createTimer = readNested(r, depth, TimerOriginCreateTimer.read, m.createTimer);
        m.externalEvent = undefined;
        m.activityRetry = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 42:
        m.externalEvent = readNested(r, depth, TimerOriginExternalEvent.read, m.externalEvent);
        m.createTimer = undefined;
        m.activityRetry = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 50:
        m.activityRetry = readNested(r, depth, TimerOriginActivityRetry.read, m.activityRetry);
        m.createTimer = undefined;
        m.externalEvent = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 58:
        m.childWorkflowRetry = readNested(r, depth, TimerOriginChildWorkflowRetry.read, m.childWorkflowRetry);
        m.createTimer = undefined;
        m.externalEvent = undefined;
        m.activityRetry = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TimerCreatedEvent: Codec<TimerCreatedEvent> = createCodec('TimerCreatedEvent', writeTimerCreatedEvent, readTimerCreatedEvent);

export interface TimerFiredEvent {
  fireAt?: Timestamp | undefined;
  timerId: number;
  unknown?: Uint8Array | undefined;
}
function writeTimerFiredEvent(m: Init<TimerFiredEvent>, w: Writer): Writer {
  if (m.fireAt) Timestamp.write(m.fireAt, w.uint32(10).fork()).ldelim();
  if (m.timerId) w.uint32(16).int32(m.timerId);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTimerFiredEvent(r: Reader, depth: number, target?: TimerFiredEvent): TimerFiredEvent {
  const m: TimerFiredEvent = target ?? { fireAt: undefined, timerId: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.fireAt = readNested(r, depth, Timestamp.read, m.fireAt);
        break;
      case 16:
        m.timerId = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TimerFiredEvent: Codec<TimerFiredEvent> = createCodec('TimerFiredEvent', writeTimerFiredEvent, readTimerFiredEvent);

export interface WorkflowStartedEvent {
  version?: WorkflowVersion | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowStartedEvent(m: Init<WorkflowStartedEvent>, w: Writer): Writer {
  if (m.version) WorkflowVersion.write(m.version, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowStartedEvent(r: Reader, depth: number, target?: WorkflowStartedEvent): WorkflowStartedEvent {
  const m: WorkflowStartedEvent = target ?? { version: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.version = readNested(r, depth, WorkflowVersion.read, m.version);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowStartedEvent: Codec<WorkflowStartedEvent> = createCodec('WorkflowStartedEvent', writeWorkflowStartedEvent, readWorkflowStartedEvent);

export interface WorkflowCompletedEvent {
  unknown?: Uint8Array | undefined;
}
function writeWorkflowCompletedEvent(m: Init<WorkflowCompletedEvent>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowCompletedEvent(r: Reader, _depth: number, target?: WorkflowCompletedEvent): WorkflowCompletedEvent {
  const m: WorkflowCompletedEvent = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const WorkflowCompletedEvent: Codec<WorkflowCompletedEvent> = createCodec('WorkflowCompletedEvent', writeWorkflowCompletedEvent, readWorkflowCompletedEvent);

export interface EventSentEvent {
  instanceId: string;
  name: string;
  input?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeEventSentEvent(m: Init<EventSentEvent>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEventSentEvent(r: Reader, depth: number, target?: EventSentEvent): EventSentEvent {
  const m: EventSentEvent = target ?? { instanceId: '', name: '', input: undefined };
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
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const EventSentEvent: Codec<EventSentEvent> = createCodec('EventSentEvent', writeEventSentEvent, readEventSentEvent);

export interface EventRaisedEvent {
  name: string;
  input?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeEventRaisedEvent(m: Init<EventRaisedEvent>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.input) StringValue.write(m.input, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readEventRaisedEvent(r: Reader, depth: number, target?: EventRaisedEvent): EventRaisedEvent {
  const m: EventRaisedEvent = target ?? { name: '', input: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const EventRaisedEvent: Codec<EventRaisedEvent> = createCodec('EventRaisedEvent', writeEventRaisedEvent, readEventRaisedEvent);

export interface ContinueAsNewEvent {
  input?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeContinueAsNewEvent(m: Init<ContinueAsNewEvent>, w: Writer): Writer {
  if (m.input) StringValue.write(m.input, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readContinueAsNewEvent(r: Reader, depth: number, target?: ContinueAsNewEvent): ContinueAsNewEvent {
  const m: ContinueAsNewEvent = target ?? { input: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ContinueAsNewEvent: Codec<ContinueAsNewEvent> = createCodec('ContinueAsNewEvent', writeContinueAsNewEvent, readContinueAsNewEvent);

export interface ExecutionSuspendedEvent {
  input?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeExecutionSuspendedEvent(m: Init<ExecutionSuspendedEvent>, w: Writer): Writer {
  if (m.input) StringValue.write(m.input, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionSuspendedEvent(r: Reader, depth: number, target?: ExecutionSuspendedEvent): ExecutionSuspendedEvent {
  const m: ExecutionSuspendedEvent = target ?? { input: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionSuspendedEvent: Codec<ExecutionSuspendedEvent> = createCodec('ExecutionSuspendedEvent', writeExecutionSuspendedEvent, readExecutionSuspendedEvent);

export interface ExecutionResumedEvent {
  input?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeExecutionResumedEvent(m: Init<ExecutionResumedEvent>, w: Writer): Writer {
  if (m.input) StringValue.write(m.input, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionResumedEvent(r: Reader, depth: number, target?: ExecutionResumedEvent): ExecutionResumedEvent {
  const m: ExecutionResumedEvent = target ?? { input: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.input = readNested(r, depth, StringValue.read, m.input);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionResumedEvent: Codec<ExecutionResumedEvent> = createCodec('ExecutionResumedEvent', writeExecutionResumedEvent, readExecutionResumedEvent);

export interface ExecutionStalledEvent {
  reason: number;
  description?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeExecutionStalledEvent(m: Init<ExecutionStalledEvent>, w: Writer): Writer {
  if (m.reason) w.uint32(8).int32(m.reason);
  if (m.description !== undefined) w.uint32(18).string(m.description);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readExecutionStalledEvent(r: Reader, _depth: number, target?: ExecutionStalledEvent): ExecutionStalledEvent {
  const m: ExecutionStalledEvent = target ?? { reason: 0, description: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.reason = r.int32();
        break;
      case 18:
        m.description = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ExecutionStalledEvent: Codec<ExecutionStalledEvent> = createCodec('ExecutionStalledEvent', writeExecutionStalledEvent, readExecutionStalledEvent);

/** The id is that of the action that the event stands for, or -1. */
export interface HistoryEvent {
  eventId: number;
  timestamp?: Timestamp | undefined;
  executionStarted?: ExecutionStartedEvent | undefined;
  executionCompleted?: ExecutionCompletedEvent | undefined;
  executionTerminated?: ExecutionTerminatedEvent | undefined;
  taskScheduled?: TaskScheduledEvent | undefined;
  taskCompleted?: TaskCompletedEvent | undefined;
  taskFailed?: TaskFailedEvent | undefined;
  childWorkflowInstanceCreated?: ChildWorkflowInstanceCreatedEvent | undefined;
  childWorkflowInstanceCompleted?: ChildWorkflowInstanceCompletedEvent | undefined;
  childWorkflowInstanceFailed?: ChildWorkflowInstanceFailedEvent | undefined;
  timerCreated?: TimerCreatedEvent | undefined;
  timerFired?: TimerFiredEvent | undefined;
  workflowStarted?: WorkflowStartedEvent | undefined;
  workflowCompleted?: WorkflowCompletedEvent | undefined;
  eventSent?: EventSentEvent | undefined;
  eventRaised?: EventRaisedEvent | undefined;
  continueAsNew?: ContinueAsNewEvent | undefined;
  executionSuspended?: ExecutionSuspendedEvent | undefined;
  executionResumed?: ExecutionResumedEvent | undefined;
  router?: TaskRouter | undefined;
  executionStalled?: ExecutionStalledEvent | undefined;
  detachedWorkflowInstanceCreated?: DetachedWorkflowInstanceCreatedEvent | undefined;
  unknown?: Uint8Array | undefined;
}
function writeHistoryEvent(m: Init<HistoryEvent>, w: Writer): Writer {
  if (m.eventId) w.uint32(8).int32(m.eventId);
  if (m.timestamp) Timestamp.write(m.timestamp, w.uint32(18).fork()).ldelim();
  if (m.executionStarted) ExecutionStartedEvent.write(m.executionStarted, w.uint32(26).fork()).ldelim();
  if (m.executionCompleted) ExecutionCompletedEvent.write(m.executionCompleted, w.uint32(34).fork()).ldelim();
  if (m.executionTerminated) ExecutionTerminatedEvent.write(m.executionTerminated, w.uint32(42).fork()).ldelim();
  if (m.taskScheduled) TaskScheduledEvent.write(m.taskScheduled, w.uint32(50).fork()).ldelim();
  if (m.taskCompleted) TaskCompletedEvent.write(m.taskCompleted, w.uint32(58).fork()).ldelim();
  if (m.taskFailed) TaskFailedEvent.write(m.taskFailed, w.uint32(66).fork()).ldelim();
  if (m.childWorkflowInstanceCreated) ChildWorkflowInstanceCreatedEvent.write(m.childWorkflowInstanceCreated, w.uint32(74).fork()).ldelim();
  if (m.childWorkflowInstanceCompleted) ChildWorkflowInstanceCompletedEvent.write(m.childWorkflowInstanceCompleted, w.uint32(82).fork()).ldelim();
  if (m.childWorkflowInstanceFailed) ChildWorkflowInstanceFailedEvent.write(m.childWorkflowInstanceFailed, w.uint32(90).fork()).ldelim();
  if (m.timerCreated) TimerCreatedEvent.write(m.timerCreated, w.uint32(98).fork()).ldelim();
  if (m.timerFired) TimerFiredEvent.write(m.timerFired, w.uint32(106).fork()).ldelim();
  if (m.workflowStarted) WorkflowStartedEvent.write(m.workflowStarted, w.uint32(114).fork()).ldelim();
  if (m.workflowCompleted) WorkflowCompletedEvent.write(m.workflowCompleted, w.uint32(122).fork()).ldelim();
  if (m.eventSent) EventSentEvent.write(m.eventSent, w.uint32(130).fork()).ldelim();
  if (m.eventRaised) EventRaisedEvent.write(m.eventRaised, w.uint32(138).fork()).ldelim();
  if (m.continueAsNew) ContinueAsNewEvent.write(m.continueAsNew, w.uint32(162).fork()).ldelim();
  if (m.executionSuspended) ExecutionSuspendedEvent.write(m.executionSuspended, w.uint32(170).fork()).ldelim();
  if (m.executionResumed) ExecutionResumedEvent.write(m.executionResumed, w.uint32(178).fork()).ldelim();
  if (m.router) TaskRouter.write(m.router, w.uint32(242).fork()).ldelim();
  if (m.executionStalled) ExecutionStalledEvent.write(m.executionStalled, w.uint32(250).fork()).ldelim();
  if (m.detachedWorkflowInstanceCreated) DetachedWorkflowInstanceCreatedEvent.write(m.detachedWorkflowInstanceCreated, w.uint32(258).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readHistoryEvent(r: Reader, depth: number, target?: HistoryEvent): HistoryEvent {
  const m: HistoryEvent = target ?? { eventId: 0, timestamp: undefined, executionStarted: undefined, executionCompleted: undefined, executionTerminated: undefined, taskScheduled: undefined, taskCompleted: undefined, taskFailed: undefined, childWorkflowInstanceCreated: undefined, childWorkflowInstanceCompleted: undefined, childWorkflowInstanceFailed: undefined, timerCreated: undefined, timerFired: undefined, workflowStarted: undefined, workflowCompleted: undefined, eventSent: undefined, eventRaised: undefined, continueAsNew: undefined, executionSuspended: undefined, executionResumed: undefined, router: undefined, executionStalled: undefined, detachedWorkflowInstanceCreated: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.eventId = r.int32();
        break;
      case 18:
        m.timestamp = readNested(r, depth, Timestamp.read, m.timestamp);
        break;
      case 26:
        m.executionStarted = readNested(r, depth, ExecutionStartedEvent.read, m.executionStarted);
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 34:
        m.executionCompleted = readNested(r, depth, ExecutionCompletedEvent.read, m.executionCompleted);
        m.executionStarted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 42:
        m.executionTerminated = readNested(r, depth, ExecutionTerminatedEvent.read, m.executionTerminated);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 50:
        m.taskScheduled = readNested(r, depth, TaskScheduledEvent.read, m.taskScheduled);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 58:
        m.taskCompleted = readNested(r, depth, TaskCompletedEvent.read, m.taskCompleted);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 66:
        m.taskFailed = readNested(r, depth, TaskFailedEvent.read, m.taskFailed);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 74:
        m.childWorkflowInstanceCreated = readNested(r, depth, ChildWorkflowInstanceCreatedEvent.read, m.childWorkflowInstanceCreated);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 82:
        m.childWorkflowInstanceCompleted = readNested(r, depth, ChildWorkflowInstanceCompletedEvent.read, m.childWorkflowInstanceCompleted);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 90:
        m.childWorkflowInstanceFailed = readNested(r, depth, ChildWorkflowInstanceFailedEvent.read, m.childWorkflowInstanceFailed);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 98:
        m.timerCreated = readNested(r, depth, TimerCreatedEvent.read, m.timerCreated);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 106:
        m.timerFired = readNested(r, depth, TimerFiredEvent.read, m.timerFired);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 114:
        m.workflowStarted = readNested(r, depth, WorkflowStartedEvent.read, m.workflowStarted);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 122:
        m.workflowCompleted = readNested(r, depth, WorkflowCompletedEvent.read, m.workflowCompleted);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 130:
        m.eventSent = readNested(r, depth, EventSentEvent.read, m.eventSent);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 138:
        m.eventRaised = readNested(r, depth, EventRaisedEvent.read, m.eventRaised);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 162:
        m.continueAsNew = readNested(r, depth, ContinueAsNewEvent.read, m.continueAsNew);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 170:
        m.executionSuspended = readNested(r, depth, ExecutionSuspendedEvent.read, m.executionSuspended);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 178:
        m.executionResumed = readNested(r, depth, ExecutionResumedEvent.read, m.executionResumed);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionStalled = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 242:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      case 250:
        m.executionStalled = readNested(r, depth, ExecutionStalledEvent.read, m.executionStalled);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.detachedWorkflowInstanceCreated = undefined;
        break;
      case 258:
        m.detachedWorkflowInstanceCreated = readNested(r, depth, DetachedWorkflowInstanceCreatedEvent.read, m.detachedWorkflowInstanceCreated);
        m.executionStarted = undefined;
        m.executionCompleted = undefined;
        m.executionTerminated = undefined;
        m.taskScheduled = undefined;
        m.taskCompleted = undefined;
        m.taskFailed = undefined;
        m.childWorkflowInstanceCreated = undefined;
        m.childWorkflowInstanceCompleted = undefined;
        m.childWorkflowInstanceFailed = undefined;
        m.timerCreated = undefined;
        m.timerFired = undefined;
        m.workflowStarted = undefined;
        m.workflowCompleted = undefined;
        m.eventSent = undefined;
        m.eventRaised = undefined;
        m.continueAsNew = undefined;
        m.executionSuspended = undefined;
        m.executionResumed = undefined;
        m.executionStalled = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const HistoryEvent: Codec<HistoryEvent> = createCodec('HistoryEvent', writeHistoryEvent, readHistoryEvent);

export interface PropagatedHistoryChunk {
  rawEvents: Uint8Array[];
  appId: string;
  instanceId: string;
  workflowName: string;
  rawSignatures: Uint8Array[];
  signingCertChains: Uint8Array[];
  unknown?: Uint8Array | undefined;
}
function writePropagatedHistoryChunk(m: Init<PropagatedHistoryChunk>, w: Writer): Writer {
  if (m.rawEvents) for (const v of m.rawEvents) w.uint32(10).bytes(v);
  if (m.appId) w.uint32(18).string(m.appId);
  if (m.instanceId) w.uint32(26).string(m.instanceId);
  if (m.workflowName) w.uint32(34).string(m.workflowName);
  if (m.rawSignatures) for (const v of m.rawSignatures) w.uint32(42).bytes(v);
  if (m.signingCertChains) for (const v of m.signingCertChains) w.uint32(50).bytes(v);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPropagatedHistoryChunk(r: Reader, _depth: number, target?: PropagatedHistoryChunk): PropagatedHistoryChunk {
  const m: PropagatedHistoryChunk = target ?? { rawEvents: [], appId: '', instanceId: '', workflowName: '', rawSignatures: [], signingCertChains: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.rawEvents.push(r.bytes());
        break;
      case 18:
        m.appId = r.stringVerify();
        break;
      case 26:
        m.instanceId = r.stringVerify();
        break;
      case 34:
        m.workflowName = r.stringVerify();
        break;
      case 42:
        m.rawSignatures.push(r.bytes());
        break;
      case 50:
        m.signingCertChains.push(r.bytes());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PropagatedHistoryChunk: Codec<PropagatedHistoryChunk> = createCodec('PropagatedHistoryChunk', writePropagatedHistoryChunk, readPropagatedHistoryChunk);

/** History of a caller, carried to what it calls. */
export interface PropagatedHistory {
  scope: number;
  chunks: PropagatedHistoryChunk[];
  unknown?: Uint8Array | undefined;
}
function writePropagatedHistory(m: Init<PropagatedHistory>, w: Writer): Writer {
  if (m.scope) w.uint32(8).int32(m.scope);
  if (m.chunks) for (const v of m.chunks) PropagatedHistoryChunk.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readPropagatedHistory(r: Reader, depth: number, target?: PropagatedHistory): PropagatedHistory {
  const m: PropagatedHistory = target ?? { scope: 0, chunks: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.scope = r.int32();
        break;
      case 18:
        m.chunks.push(readNested(r, depth, PropagatedHistoryChunk.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const PropagatedHistory: Codec<PropagatedHistory> = createCodec('PropagatedHistory', writePropagatedHistory, readPropagatedHistory);
