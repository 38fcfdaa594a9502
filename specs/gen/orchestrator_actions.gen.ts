// Written by scripts/generate-proto.ts from specs/proto/durabletask/orchestrator_actions.proto; not by hand.
// What a workflow orders at the end of a turn.
import { createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { HistoryEvent, TimerOriginActivityRetry, TimerOriginChildWorkflowRetry, TimerOriginCreateTimer, TimerOriginExternalEvent } from './history_events.gen.ts';
import { RetryParentInstanceInfo, TaskFailureDetails, TaskRouter, TraceContext, WorkflowInstance } from './orchestration.gen.ts';
import { Timestamp } from './timestamp.gen.ts';
import { StringValue } from './wrappers.gen.ts';

export interface ScheduleTaskAction {
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  taskExecutionId: string;
  historyPropagationScope?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeScheduleTaskAction(m: Init<ScheduleTaskAction>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(18).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(26).fork()).ldelim();
  if (m.taskExecutionId) w.uint32(42).string(m.taskExecutionId);
  if (m.historyPropagationScope !== undefined) w.uint32(48).int32(m.historyPropagationScope);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readScheduleTaskAction(r: Reader, depth: number, target?: ScheduleTaskAction): ScheduleTaskAction {
  const m: ScheduleTaskAction = target ?? { name: '', version: undefined, input: undefined, taskExecutionId: '', historyPropagationScope: undefined };
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
      case 42:
        m.taskExecutionId = r.stringVerify();
        break;
      case 48:
        m.historyPropagationScope = r.int32();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ScheduleTaskAction: Codec<ScheduleTaskAction> = createCodec('ScheduleTaskAction', writeScheduleTaskAction, readScheduleTaskAction);

export interface CreateChildWorkflowAction {
  instanceId: string;
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  historyPropagationScope?: number | undefined;
  retryParentInstanceInfo?: RetryParentInstanceInfo | undefined;
  unknown?: Uint8Array | undefined;
}
function writeCreateChildWorkflowAction(m: Init<CreateChildWorkflowAction>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(34).fork()).ldelim();
  if (m.historyPropagationScope !== undefined) w.uint32(48).int32(m.historyPropagationScope);
  if (m.retryParentInstanceInfo) RetryParentInstanceInfo.write(m.retryParentInstanceInfo, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCreateChildWorkflowAction(r: Reader, depth: number, target?: CreateChildWorkflowAction): CreateChildWorkflowAction {
  const m: CreateChildWorkflowAction = target ?? { instanceId: '', name: '', version: undefined, input: undefined, historyPropagationScope: undefined, retryParentInstanceInfo: undefined };
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
      case 48:
        m.historyPropagationScope = r.int32();
        break;
      case 58:
        m.retryParentInstanceInfo = readNested(r, depth, RetryParentInstanceInfo.read, m.retryParentInstanceInfo);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const CreateChildWorkflowAction: Codec<CreateChildWorkflowAction> = createCodec('CreateChildWorkflowAction', writeCreateChildWorkflowAction, readCreateChildWorkflowAction);

/** An instance of its own, without a parent. */
export interface CreateDetachedWorkflowAction {
  instanceId: string;
  name: string;
  version?: StringValue | undefined;
  input?: StringValue | undefined;
  scheduledStartTimestamp?: Timestamp | undefined;
  executionId?: StringValue | undefined;
  tags: Record<string, string>;
  parentTraceContext?: TraceContext | undefined;
  unknown?: Uint8Array | undefined;
}
function writeCreateDetachedWorkflowAction(m: Init<CreateDetachedWorkflowAction>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.version) StringValue.write(m.version, w.uint32(26).fork()).ldelim();
  if (m.input) StringValue.write(m.input, w.uint32(34).fork()).ldelim();
  if (m.scheduledStartTimestamp) Timestamp.write(m.scheduledStartTimestamp, w.uint32(42).fork()).ldelim();
  if (m.executionId) StringValue.write(m.executionId, w.uint32(50).fork()).ldelim();
  if (m.tags) {
    for (const [k, v] of Object.entries(m.tags)) {
      if (v === undefined) continue;
      w.uint32(58).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.parentTraceContext) TraceContext.write(m.parentTraceContext, w.uint32(66).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCreateDetachedWorkflowAction(r: Reader, depth: number, target?: CreateDetachedWorkflowAction): CreateDetachedWorkflowAction {
  const m: CreateDetachedWorkflowAction = target ?? { instanceId: '', name: '', version: undefined, input: undefined, scheduledStartTimestamp: undefined, executionId: undefined, tags: {}, parentTraceContext: undefined };
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
      case 50:
        m.executionId = readNested(r, depth, StringValue.read, m.executionId);
        break;
      case 58:
        readEntry(r, m.tags, '', (r) => r.stringVerify(), 18);
        break;
      case 66:
        m.parentTraceContext = readNested(r, depth, TraceContext.read, m.parentTraceContext);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const CreateDetachedWorkflowAction: Codec<CreateDetachedWorkflowAction> = createCodec('CreateDetachedWorkflowAction', writeCreateDetachedWorkflowAction, readCreateDetachedWorkflowAction);

/** From year 9999 on a timer never fires, and says what is waited for. */
export interface CreateTimerAction {
  fireAt?: Timestamp | undefined;
  name?: string | undefined;
  createTimer?: TimerOriginCreateTimer | undefined;
  externalEvent?: TimerOriginExternalEvent | undefined;
  activityRetry?: TimerOriginActivityRetry | undefined;
  childWorkflowRetry?: TimerOriginChildWorkflowRetry | undefined;
  unknown?: Uint8Array | undefined;
}
function writeCreateTimerAction(m: Init<CreateTimerAction>, w: Writer): Writer {
  if (m.fireAt) Timestamp.write(m.fireAt, w.uint32(10).fork()).ldelim();
  if (m.name !== undefined) w.uint32(18).string(m.name);
  if (m.createTimer) TimerOriginCreateTimer.write(m.createTimer, w.uint32(26).fork()).ldelim();
  if (m.externalEvent) TimerOriginExternalEvent.write(m.externalEvent, w.uint32(34).fork()).ldelim();
  if (m.activityRetry) TimerOriginActivityRetry.write(m.activityRetry, w.uint32(42).fork()).ldelim();
  if (m.childWorkflowRetry) TimerOriginChildWorkflowRetry.write(m.childWorkflowRetry, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCreateTimerAction(r: Reader, depth: number, target?: CreateTimerAction): CreateTimerAction {
  const m: CreateTimerAction = target ?? { fireAt: undefined, name: undefined, createTimer: undefined, externalEvent: undefined, activityRetry: undefined, childWorkflowRetry: undefined };
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
        m.createTimer = readNested(r, depth, TimerOriginCreateTimer.read, m.createTimer);
        m.externalEvent = undefined;
        m.activityRetry = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 34:
        m.externalEvent = readNested(r, depth, TimerOriginExternalEvent.read, m.externalEvent);
        m.createTimer = undefined;
        m.activityRetry = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 42:
        m.activityRetry = readNested(r, depth, TimerOriginActivityRetry.read, m.activityRetry);
        m.createTimer = undefined;
        m.externalEvent = undefined;
        m.childWorkflowRetry = undefined;
        break;
      case 50:
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
export const CreateTimerAction: Codec<CreateTimerAction> = createCodec('CreateTimerAction', writeCreateTimerAction, readCreateTimerAction);

export interface SendEventAction {
  instance?: WorkflowInstance | undefined;
  name: string;
  data?: StringValue | undefined;
  unknown?: Uint8Array | undefined;
}
function writeSendEventAction(m: Init<SendEventAction>, w: Writer): Writer {
  if (m.instance) WorkflowInstance.write(m.instance, w.uint32(10).fork()).ldelim();
  if (m.name) w.uint32(18).string(m.name);
  if (m.data) StringValue.write(m.data, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readSendEventAction(r: Reader, depth: number, target?: SendEventAction): SendEventAction {
  const m: SendEventAction = target ?? { instance: undefined, name: '', data: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.instance = readNested(r, depth, WorkflowInstance.read, m.instance);
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 26:
        m.data = readNested(r, depth, StringValue.read, m.data);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const SendEventAction: Codec<SendEventAction> = createCodec('SendEventAction', writeSendEventAction, readSendEventAction);

/** The end of the instance, or of one execution of it. */
export interface CompleteWorkflowAction {
  workflowStatus: number;
  result?: StringValue | undefined;
  details?: StringValue | undefined;
  newVersion?: StringValue | undefined;
  carryoverEvents: HistoryEvent[];
  failureDetails?: TaskFailureDetails | undefined;
  unknown?: Uint8Array | undefined;
}
function writeCompleteWorkflowAction(m: Init<CompleteWorkflowAction>, w: Writer): Writer {
  if (m.workflowStatus) w.uint32(8).int32(m.workflowStatus);
  if (m.result) StringValue.write(m.result, w.uint32(18).fork()).ldelim();
  if (m.details) StringValue.write(m.details, w.uint32(26).fork()).ldelim();
  if (m.newVersion) StringValue.write(m.newVersion, w.uint32(34).fork()).ldelim();
  if (m.carryoverEvents) for (const v of m.carryoverEvents) HistoryEvent.write(v, w.uint32(42).fork()).ldelim();
  if (m.failureDetails) TaskFailureDetails.write(m.failureDetails, w.uint32(50).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readCompleteWorkflowAction(r: Reader, depth: number, target?: CompleteWorkflowAction): CompleteWorkflowAction {
  const m: CompleteWorkflowAction = target ?? { workflowStatus: 0, result: undefined, details: undefined, newVersion: undefined, carryoverEvents: [], failureDetails: undefined };
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
        m.details = readNested(r, depth, StringValue.read, m.details);
        break;
      case 34:
        m.newVersion = readNested(r, depth, StringValue.read, m.newVersion);
        break;
      case 42:
        m.carryoverEvents.push(readNested(r, depth, HistoryEvent.read));
        break;
      case 50:
        m.failureDetails = readNested(r, depth, TaskFailureDetails.read, m.failureDetails);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const CompleteWorkflowAction: Codec<CompleteWorkflowAction> = createCodec('CompleteWorkflowAction', writeCompleteWorkflowAction, readCompleteWorkflowAction);

export interface TerminateWorkflowAction {
  instanceId: string;
  reason?: StringValue | undefined;
  recurse: boolean;
  unknown?: Uint8Array | undefined;
}
function writeTerminateWorkflowAction(m: Init<TerminateWorkflowAction>, w: Writer): Writer {
  if (m.instanceId) w.uint32(10).string(m.instanceId);
  if (m.reason) StringValue.write(m.reason, w.uint32(18).fork()).ldelim();
  if (m.recurse) w.uint32(24).bool(m.recurse);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readTerminateWorkflowAction(r: Reader, depth: number, target?: TerminateWorkflowAction): TerminateWorkflowAction {
  const m: TerminateWorkflowAction = target ?? { instanceId: '', reason: undefined, recurse: false };
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
      case 24:
        m.recurse = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const TerminateWorkflowAction: Codec<TerminateWorkflowAction> = createCodec('TerminateWorkflowAction', writeTerminateWorkflowAction, readTerminateWorkflowAction);

export interface WorkflowVersionNotAvailableAction {
  unknown?: Uint8Array | undefined;
}
function writeWorkflowVersionNotAvailableAction(m: Init<WorkflowVersionNotAvailableAction>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowVersionNotAvailableAction(r: Reader, _depth: number, target?: WorkflowVersionNotAvailableAction): WorkflowVersionNotAvailableAction {
  const m: WorkflowVersionNotAvailableAction = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const WorkflowVersionNotAvailableAction: Codec<WorkflowVersionNotAvailableAction> = createCodec('WorkflowVersionNotAvailableAction', writeWorkflowVersionNotAvailableAction, readWorkflowVersionNotAvailableAction);

/** One order of a workflow; the id is the worker's choice. */
export interface WorkflowAction {
  id: number;
  scheduleTask?: ScheduleTaskAction | undefined;
  createChildWorkflow?: CreateChildWorkflowAction | undefined;
  createTimer?: CreateTimerAction | undefined;
  sendEvent?: SendEventAction | undefined;
  completeWorkflow?: CompleteWorkflowAction | undefined;
  terminateWorkflow?: TerminateWorkflowAction | undefined;
  router?: TaskRouter | undefined;
  workflowVersionNotAvailable?: WorkflowVersionNotAvailableAction | undefined;
  createDetachedWorkflow?: CreateDetachedWorkflowAction | undefined;
  unknown?: Uint8Array | undefined;
}
function writeWorkflowAction(m: Init<WorkflowAction>, w: Writer): Writer {
  if (m.id) w.uint32(8).int32(m.id);
  if (m.scheduleTask) ScheduleTaskAction.write(m.scheduleTask, w.uint32(18).fork()).ldelim();
  if (m.createChildWorkflow) CreateChildWorkflowAction.write(m.createChildWorkflow, w.uint32(26).fork()).ldelim();
  if (m.createTimer) CreateTimerAction.write(m.createTimer, w.uint32(34).fork()).ldelim();
  if (m.sendEvent) SendEventAction.write(m.sendEvent, w.uint32(42).fork()).ldelim();
  if (m.completeWorkflow) CompleteWorkflowAction.write(m.completeWorkflow, w.uint32(50).fork()).ldelim();
  if (m.terminateWorkflow) TerminateWorkflowAction.write(m.terminateWorkflow, w.uint32(58).fork()).ldelim();
  if (m.router) TaskRouter.write(m.router, w.uint32(74).fork()).ldelim();
  if (m.workflowVersionNotAvailable) WorkflowVersionNotAvailableAction.write(m.workflowVersionNotAvailable, w.uint32(82).fork()).ldelim();
  if (m.createDetachedWorkflow) CreateDetachedWorkflowAction.write(m.createDetachedWorkflow, w.uint32(90).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readWorkflowAction(r: Reader, depth: number, target?: WorkflowAction): WorkflowAction {
  const m: WorkflowAction = target ?? { id: 0, scheduleTask: undefined, createChildWorkflow: undefined, createTimer: undefined, sendEvent: undefined, completeWorkflow: undefined, terminateWorkflow: undefined, router: undefined, workflowVersionNotAvailable: undefined, createDetachedWorkflow: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.id = r.int32();
        break;
      case 18:
        m.scheduleTask = readNested(r, depth, ScheduleTaskAction.read, m.scheduleTask);
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 26:
        m.createChildWorkflow = readNested(r, depth, CreateChildWorkflowAction.read, m.createChildWorkflow);
        m.scheduleTask = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 34:
        m.createTimer = readNested(r, depth, CreateTimerAction.read, m.createTimer);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 42:
        m.sendEvent = readNested(r, depth, SendEventAction.read, m.sendEvent);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 50:
        m.completeWorkflow = readNested(r, depth, CompleteWorkflowAction.read, m.completeWorkflow);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 58:
        m.terminateWorkflow = readNested(r, depth, TerminateWorkflowAction.read, m.terminateWorkflow);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 74:
        m.router = readNested(r, depth, TaskRouter.read, m.router);
        break;
      case 82:
        m.workflowVersionNotAvailable = readNested(r, depth, WorkflowVersionNotAvailableAction.read, m.workflowVersionNotAvailable);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.createDetachedWorkflow = undefined;
        break;
      case 90:
        m.createDetachedWorkflow = readNested(r, depth, CreateDetachedWorkflowAction.read, m.createDetachedWorkflow);
        m.scheduleTask = undefined;
        m.createChildWorkflow = undefined;
        m.createTimer = undefined;
        m.sendEvent = undefined;
        m.completeWorkflow = undefined;
        m.terminateWorkflow = undefined;
        m.workflowVersionNotAvailable = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const WorkflowAction: Codec<WorkflowAction> = createCodec('WorkflowAction', writeWorkflowAction, readWorkflowAction);
