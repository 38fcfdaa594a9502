/**
 * Histories in the words of the durabletask contract and in the engine's (workflow-protocol.md 7.1). Nothing is decided here.
 *
 * Invariants
 *  H1  An instant that a worker sent comes back with the nanoseconds that it had: workers compare them byte by byte.
 *  H2  Absent text stays absent, and empty text empty.
 *  H3  The same event always looks the same: nothing depends on when it is asked for.
 */
import type { Init } from '@mecha/specs/codec.ts';
import type { HistoryEvent as WireEvent, TimerCreatedEvent } from '@mecha/specs/gen/history_events.gen.ts';
import { OrchestrationStatus, StalledReason, type TaskFailureDetails, type TaskRouter, type TraceContext as WireTrace } from '@mecha/specs/gen/orchestration.gen.ts';
import type { Timestamp } from '@mecha/specs/gen/timestamp.gen.ts';
import type { WorkflowStatus } from '@mecha/components/kit';
import type { EndStatus, FailureDetails, HistoryEvent, Router, TimerOrigin, TraceContext } from '../../engine/vocabulary.ts';

export const STATUS_NUMBERS: Readonly<Record<WorkflowStatus, number>> = {
  pending: OrchestrationStatus.ORCHESTRATION_STATUS_PENDING,
  running: OrchestrationStatus.ORCHESTRATION_STATUS_RUNNING,
  suspended: OrchestrationStatus.ORCHESTRATION_STATUS_SUSPENDED,
  stalled: OrchestrationStatus.ORCHESTRATION_STATUS_STALLED,
  completed: OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED,
  failed: OrchestrationStatus.ORCHESTRATION_STATUS_FAILED,
  terminated: OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED,
  canceled: OrchestrationStatus.ORCHESTRATION_STATUS_CANCELED,
};
export function statusOfNumber(number: number): WorkflowStatus | undefined {
  return (Object.keys(STATUS_NUMBERS) as WorkflowStatus[]).find((status) => STATUS_NUMBERS[status] === number);
}
export function endStatusOf(number: number): EndStatus | undefined {
  const status = statusOfNumber(number);
  return status === 'completed' || status === 'failed' || status === 'terminated' || status === 'canceled' ? status : undefined;
}

const STALL_NUMBERS: Readonly<Record<string, number>> = {
  'version-not-available': StalledReason.VERSION_NOT_AVAILABLE,
  'payload-too-large': StalledReason.PAYLOAD_SIZE_EXCEEDED,
};

/** Absent and empty are two things (H2). */
export const text = (value: string | undefined): { value: string } | undefined => (value === undefined ? undefined : { value });

export function timestampOf(ms: number): Init<Timestamp> {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}
export function msOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): number {
  return seconds * 1000 + Math.floor(nanos / 1_000_000);
}
/** H1: RFC 3339 with nine digits. */
export function instantOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${String(nanos).padStart(9, '0')}Z`;
}
export function timestampOfInstant(instant: string): Init<Timestamp> {
  const fraction = /\.(\d+)/.exec(instant)?.[1] ?? '';
  return { seconds: Math.floor(Date.parse(instant) / 1000), nanos: Number(fraction.slice(0, 9).padEnd(9, '0')) };
}

export function failureToWire({ errorType, errorMessage, stackTrace, inner, isNonRetriable }: FailureDetails): Init<TaskFailureDetails> {
  return { errorType, errorMessage, stackTrace: text(stackTrace), innerFailure: inner && failureToWire(inner), isNonRetriable: isNonRetriable ?? false };
}
export function failureOfWire({ errorType, errorMessage, stackTrace, innerFailure, isNonRetriable }: TaskFailureDetails): FailureDetails {
  return {
    errorType,
    errorMessage,
    ...(stackTrace === undefined ? {} : { stackTrace: stackTrace.value }),
    ...(innerFailure === undefined ? {} : { inner: failureOfWire(innerFailure) }),
    ...(isNonRetriable ? { isNonRetriable } : {}),
  };
}

export function traceToWire(trace: TraceContext | undefined): Init<WireTrace> | undefined {
  return trace && { traceParent: trace.traceParent, spanID: trace.traceParent.split('-')[2] ?? '', traceState: text(trace.traceState) };
}
export function traceOfWire(trace: WireTrace | undefined): TraceContext | undefined {
  if (!trace || trace.traceParent === '') return undefined;
  return { traceParent: trace.traceParent, ...(trace.traceState === undefined ? {} : { traceState: trace.traceState.value }) };
}

export function routerOfWire(router: TaskRouter | undefined): Router | undefined {
  if (!router?.targetAppID) return undefined;
  return { targetAppId: router.targetAppID, ...(router.targetAppNamespace ? { targetNamespace: router.targetAppNamespace } : {}) };
}
function routerToWire(router: Router | undefined, ownAppId: string): Init<TaskRouter> {
  return { sourceAppID: router?.sourceAppId ?? ownAppId, targetAppID: router?.targetAppId, targetAppNamespace: router?.targetNamespace };
}

type OriginFields = Init<Pick<TimerCreatedEvent, 'createTimer' | 'externalEvent' | 'activityRetry' | 'childWorkflowRetry'>>;
function originToWire(origin: TimerOrigin | undefined): OriginFields {
  switch (origin?.type) {
    case undefined:
      return {};
    case 'createTimer':
      return { createTimer: {} };
    case 'externalEvent':
      return { externalEvent: { name: origin.name } };
    case 'activityRetry':
      return { activityRetry: { taskExecutionId: origin.taskExecutionId } };
    case 'childWorkflowRetry':
      return { childWorkflowRetry: { instanceId: origin.instanceId } };
  }
}
export function originOfWire({ createTimer, externalEvent, activityRetry, childWorkflowRetry }: Pick<TimerCreatedEvent, 'createTimer' | 'externalEvent' | 'activityRetry' | 'childWorkflowRetry'>): TimerOrigin | undefined {
  if (createTimer) return { type: 'createTimer' };
  if (externalEvent) return { type: 'externalEvent', name: externalEvent.name };
  if (activityRetry) return { type: 'activityRetry', taskExecutionId: activityRetry.taskExecutionId };
  if (childWorkflowRetry) return { type: 'childWorkflowRetry', instanceId: childWorkflowRetry.instanceId };
  return undefined;
}

/** What an action brought for its event alone, as `actions.grpc.ts` kept it, and what a rerun adds. */
function extraOf(event: HistoryEvent) {
  const { historyPropagationScope, retryParent, rerunOf } = event.extra ?? {};
  return {
    historyPropagationScope: typeof historyPropagationScope === 'number' ? historyPropagationScope : undefined,
    retryParentInstanceInfo: typeof retryParent === 'string' ? { instanceID: retryParent } : undefined,
    rerunParentInstanceInfo: typeof rerunOf === 'string' ? { instanceID: rerunOf } : undefined,
  };
}

/** Undefined: a record that workers have no word for. */
export function eventToWire(event: HistoryEvent, ownAppId: string): Init<WireEvent> | undefined {
  const said = saidBy(event);
  if (!said) return undefined;
  const hasRouter = event.router !== undefined || event.kind === 'executionStarted';
  return { eventId: event.id, timestamp: timestampOf(event.at), ...(hasRouter ? { router: routerToWire(event.router, ownAppId) } : {}), ...said };
}

function saidBy(event: HistoryEvent): Init<WireEvent> | undefined {
  switch (event.kind) {
    case 'executionStarted': {
      const { name, version, input, instanceId, executionId, parent, startAt, trace, tags } = event;
      const slash = parent?.app.indexOf('/') ?? -1;
      const parentInstance = parent && {
        taskScheduledId: parent.taskId,
        name: text(parent.name ?? ''),
        workflowInstance: { instanceId: parent.instanceId, executionId: text(parent.executionId) },
        appID: parent.app.slice(slash + 1),
        appNamespace: parent.app.slice(0, slash),
      };
      const scheduledStartTimestamp = startAt === undefined ? undefined : timestampOf(startAt);
      return { executionStarted: { name, version: text(version), input: text(input), workflowInstance: { instanceId, executionId: text(executionId) }, parentInstance, scheduledStartTimestamp, parentTraceContext: traceToWire(trace), tags } };
    }
    case 'executionCompleted':
      return { executionCompleted: { workflowStatus: STATUS_NUMBERS[event.status], result: text(event.result), failureDetails: event.failure && failureToWire(event.failure) } };
    case 'executionTerminated':
      return { executionTerminated: { input: text(event.input), recurse: event.recurse } };
    case 'taskScheduled': {
      const { name, version, input, taskExecutionId, trace } = event;
      const { historyPropagationScope, rerunParentInstanceInfo } = extraOf(event);
      return { taskScheduled: { name, version: text(version), input: text(input), taskExecutionId, parentTraceContext: traceToWire(trace), historyPropagationScope, rerunParentInstanceInfo } };
    }
    case 'taskCompleted':
      return { taskCompleted: { taskScheduledId: event.taskId, result: text(event.result), taskExecutionId: event.taskExecutionId } };
    case 'taskFailed':
      return { taskFailed: { taskScheduledId: event.taskId, failureDetails: failureToWire(event.failure), taskExecutionId: event.taskExecutionId } };
    case 'childCreated': {
      const { instanceId, name, version, input, trace } = event;
      return { childWorkflowInstanceCreated: { instanceId, name, version: text(version), input: text(input), parentTraceContext: traceToWire(trace), ...extraOf(event) } };
    }
    case 'childCompleted':
      return { childWorkflowInstanceCompleted: { taskScheduledId: event.taskId, result: text(event.result) } };
    case 'childFailed':
      return { childWorkflowInstanceFailed: { taskScheduledId: event.taskId, failureDetails: event.failure && failureToWire(event.failure) } };
    case 'timerCreated':
      return { timerCreated: { fireAt: timestampOfInstant(event.fireAt), name: event.name, rerunParentInstanceInfo: extraOf(event).rerunParentInstanceInfo, ...originToWire(event.origin) } };
    case 'timerFired':
      return { timerFired: { timerId: event.timerId, fireAt: timestampOfInstant(event.fireAt) } };
    case 'workflowStarted':
      return { workflowStarted: { version: event.version && { patches: event.version.patches, name: event.version.name } } };
    case 'eventSent':
      return { eventSent: { instanceId: event.instanceId, name: event.name, input: text(event.input) } };
    case 'eventRaised':
      return { eventRaised: { name: event.name, input: text(event.input) } };
    case 'executionSuspended':
      return { executionSuspended: { input: text(event.reason) } };
    case 'executionResumed':
      return { executionResumed: { input: text(event.reason) } };
    case 'executionStalled':
      return { executionStalled: { reason: STALL_NUMBERS[event.reason] ?? StalledReason.PATCH_MISMATCH, description: event.description } };
    case 'detachedCreated':
      return { detachedWorkflowInstanceCreated: { instanceId: event.instanceId } };
    case 'audit':
      return undefined;
  }
}

/** What workers carry over to a next execution: events from outside that nobody has waited for yet. Undefined: of another kind. */
export function carriedEvent(event: WireEvent): HistoryEvent | undefined {
  // With its fraction, by which an event differs from another of the same millisecond.
  const base = { id: -1, at: event.timestamp ? event.timestamp.seconds * 1000 + event.timestamp.nanos / 1_000_000 : 0 };
  const { eventRaised, executionSuspended, executionResumed } = event;
  if (eventRaised) return { ...base, kind: 'eventRaised', name: eventRaised.name, ...(eventRaised.input === undefined ? {} : { input: eventRaised.input.value }) };
  if (executionSuspended) return { ...base, kind: 'executionSuspended', ...(executionSuspended.input === undefined ? {} : { reason: executionSuspended.input.value }) };
  if (executionResumed) return { ...base, kind: 'executionResumed', ...(executionResumed.input === undefined ? {} : { reason: executionResumed.input.value }) };
  return undefined;
}
