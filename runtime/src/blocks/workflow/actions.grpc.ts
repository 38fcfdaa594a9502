/** From a worker's answer to a turn to the engine's actions (workflow-protocol.md 7.2). Nothing is decided here. */
import type { WorkflowAction as WireAction } from '@mecha/specs/gen/orchestrator_actions.gen.ts';
import type { CompleteWorkflowAction } from '@mecha/specs/gen/orchestrator_actions.gen.ts';
import { OrchestrationStatus } from '@mecha/specs/gen/orchestration.gen.ts';
import type { WorkflowResponse } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import { TurnRejected, type TurnResult } from '../../engine/executor.ts';
import type { WorkflowAction } from '../../engine/vocabulary.ts';
import { carriedEvent, endStatusOf, failureOfWire, instantOf, msOf, originOfWire, routerOfWire, traceOfWire } from './history.grpc.ts';

/** Throws `TurnRejected` when the worker says that it cannot run this instance, and `Error` on what is no answer. */
export function turnResultOf({ actions, customStatus, version }: WorkflowResponse): TurnResult {
  return {
    actions: actions.map(actionOf),
    // A worker sends it at every turn that has one: without it, there is none.
    customStatus: customStatus?.value ?? null,
    ...(version === undefined ? {} : { version: { patches: version.patches, ...(version.name ? { name: version.name } : {}) } }),
  };
}

const input = (value: { readonly value: string } | undefined): { input?: string } => (value === undefined ? {} : { input: value.value });
const version = (value: { readonly value: string } | undefined): { version?: string } => (value === undefined || value.value === '' ? {} : { version: value.value });

function actionOf(action: WireAction): WorkflowAction {
  const router = routerOfWire(action.router);
  const base = { id: action.id, ...(router === undefined ? {} : { router }) };
  const { scheduleTask, createChildWorkflow, createDetachedWorkflow, createTimer, sendEvent, completeWorkflow, terminateWorkflow, workflowVersionNotAvailable } = action;
  if (scheduleTask) {
    const { name, taskExecutionId, historyPropagationScope } = scheduleTask;
    return {
      ...base, kind: 'scheduleTask', name, ...version(scheduleTask.version), ...input(scheduleTask.input),
      ...(taskExecutionId === '' ? {} : { taskExecutionId }),
      ...(historyPropagationScope === undefined ? {} : { extra: { historyPropagationScope } }),
    };
  }
  if (createChildWorkflow) {
    const { name, instanceId, historyPropagationScope, retryParentInstanceInfo } = createChildWorkflow;
    const extra = { ...(historyPropagationScope === undefined ? {} : { historyPropagationScope }), ...(retryParentInstanceInfo === undefined ? {} : { retryParent: retryParentInstanceInfo.instanceID }) };
    return {
      ...base, kind: 'createChild', name, ...version(createChildWorkflow.version), ...input(createChildWorkflow.input),
      ...(instanceId === '' ? {} : { instanceId }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
  }
  if (createDetachedWorkflow) {
    const { name, instanceId, executionId, scheduledStartTimestamp, tags, parentTraceContext } = createDetachedWorkflow;
    if (instanceId === '') throw new Error('a detached workflow needs an instance id');
    const trace = traceOfWire(parentTraceContext);
    return {
      ...base, kind: 'createDetached', name, instanceId, ...version(createDetachedWorkflow.version), ...input(createDetachedWorkflow.input),
      ...(executionId === undefined || executionId.value === '' ? {} : { executionId: executionId.value }),
      ...(scheduledStartTimestamp === undefined ? {} : { startAt: msOf(scheduledStartTimestamp) }),
      ...(Object.keys(tags).length === 0 ? {} : { tags }),
      ...(trace === undefined ? {} : { trace }),
    };
  }
  if (createTimer) {
    const { fireAt, name } = createTimer;
    if (!fireAt) throw new Error(`timer ${action.id} has no time`);
    const origin = originOfWire(createTimer);
    return { ...base, kind: 'createTimer', fireAt: instantOf(fireAt), ...(name === undefined ? {} : { name }), ...(origin === undefined ? {} : { origin }) };
  }
  if (sendEvent) return { ...base, kind: 'sendEvent', instanceId: sendEvent.instance?.instanceId ?? '', name: sendEvent.name, ...input(sendEvent.data) };
  if (terminateWorkflow) {
    const { instanceId, reason, recurse } = terminateWorkflow;
    return { ...base, kind: 'terminate', instanceId, recurse, ...(reason === undefined ? {} : { reason: reason.value }) };
  }
  if (completeWorkflow) return { ...base, ...completionOf(completeWorkflow) };
  if (workflowVersionNotAvailable) throw versionNotAvailable();
  throw new Error(`the worker answered with an action of an unknown kind under the id ${action.id}`);
}

const versionNotAvailable = (): TurnRejected => new TurnRejected('version-not-available', 'the worker does not have the version of the workflow that this instance began with');

type Completion = Pick<Extract<WorkflowAction, { kind: 'complete' }>, 'kind' | 'status' | 'result' | 'failure'> | Pick<Extract<WorkflowAction, { kind: 'continueAsNew' }>, 'kind' | 'input' | 'carryover'>;

function completionOf({ workflowStatus, result, details, failureDetails, carryoverEvents }: CompleteWorkflowAction): Completion {
  if (workflowStatus === OrchestrationStatus.ORCHESTRATION_STATUS_CONTINUED_AS_NEW) {
    return { kind: 'continueAsNew', ...input(result), carryover: carryoverEvents.flatMap((event) => carriedEvent(event) ?? []) };
  }
  // No end: .NET's SDK says with it that patches do not fit, and why; Java's, without a word, that it lacks the version.
  if (workflowStatus === OrchestrationStatus.ORCHESTRATION_STATUS_STALLED) throw details ? new TurnRejected('patch-mismatch', details.value) : versionNotAvailable();
  const status = endStatusOf(workflowStatus);
  if (!status) throw new Error(`the worker ends a workflow with the status ${workflowStatus}, which is no end`);
  return { kind: 'complete', status, ...(result === undefined ? {} : { result: result.value }), ...(failureDetails === undefined ? {} : { failure: failureOfWire(failureDetails) }) };
}
