/** The face of `task-hub.ts`: the management methods of the workers' service (workflow-protocol.md 4). Decode, pipeline, encode. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '@mecha/components/kit';
import type { Init } from '@mecha/specs/codec.ts';
import { TaskHubSidecarService as Service, type GetInstanceRequest, type GetInstanceResponse } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import type { WorkflowState as WireState } from '@mecha/specs/gen/orchestration.gen.ts';
import type { WorkflowState } from '../../engine/queries.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod, type GrpcRequest } from '../../servers/grpc-face.ts';
import { STATUS_NUMBERS, failureToWire, msOf, routerOfWire, statusOfNumber, text, timestampOf, traceOfWire } from './history.grpc.ts';
import { workItemMethods, eventsToWire, type WorkItemParts } from './work-items.grpc.ts';
import { TaskHub, type TaskHubParts } from './task-hub.ts';
import { WorkerPool } from './worker-pool.ts';

/** All that the workers' service stands on, and its methods. */
export function openTaskHub(parts: TaskHubParts & Omit<WorkItemParts, 'pool'> & { readonly clock: Clock }, pipeline: Pipeline): { readonly methods: GrpcMethod[]; connectedWorkers(): number } {
  const pool = new WorkerPool(parts.engine, { clock: parts.clock, newId: randomUUID });
  return { methods: taskHubGrpc(new TaskHub(parts), pipeline, { ...parts, pool }), connectedWorkers: () => pool.size };
}

function taskHubGrpc(hub: TaskHub, pipeline: Pipeline, parts: WorkItemParts): GrpcMethod[] {
  const wait = (what: 'start' | 'end') => async (request: GrpcRequest<GetInstanceRequest>) => {
    const { instanceId, getInputsAndOutputs, router } = request.message;
    return answerOf(await pipeline.run(request.call('workflow.wait'), () => hub.waitFor(instanceId, what, getInputsAndOutputs, routerOfWire(router), request.signal)), getInputsAndOutputs);
  };
  return [
    ...workItemMethods(parts),
    unary(Service.StartInstance, async (request) => {
      const { instanceId, name, input, scheduledStartTimestamp, enforceUniqueInstanceId, parentTraceContext, router } = request.message;
      const startAt = scheduledStartTimestamp && msOf(scheduledStartTimestamp);
      const wanted = { instanceId, name, input: input?.value, startAt, unique: enforceUniqueInstanceId, trace: traceOfWire(parentTraceContext) };
      return { instanceId: await pipeline.run(request.call('workflow.start'), () => hub.start(wanted, routerOfWire(router), request.signal)) };
    }),
    unary(Service.GetInstance, async (request) => {
      const { instanceId, getInputsAndOutputs, router } = request.message;
      return answerOf(await pipeline.run(request.call('workflow.get'), () => hub.get(instanceId, getInputsAndOutputs, routerOfWire(router))), getInputsAndOutputs);
    }),
    unary(Service.WaitForInstanceStart, wait('start')),
    unary(Service.WaitForInstanceCompletion, wait('end')),
    unary(Service.RaiseEvent, async (request) => {
      const { instanceId, name, input, router } = request.message;
      await pipeline.run(request.call('workflow.raiseEvent'), () => hub.raiseEvent(instanceId, name, input?.value, routerOfWire(router)));
      return {};
    }),
    unary(Service.TerminateInstance, async (request) => {
      const { instanceId, output, recursive, router } = request.message;
      await pipeline.run(request.call('workflow.terminate'), () => hub.terminate(instanceId, output?.value, recursive, routerOfWire(router)));
      return {};
    }),
    unary(Service.SuspendInstance, async (request) => {
      const { instanceId, reason, router } = request.message;
      await pipeline.run(request.call('workflow.pause'), () => hub.suspend(instanceId, reason?.value || undefined, routerOfWire(router)));
      return {};
    }),
    unary(Service.ResumeInstance, async (request) => {
      const { instanceId, reason, router } = request.message;
      await pipeline.run(request.call('workflow.resume'), () => hub.resume(instanceId, reason?.value || undefined, routerOfWire(router)));
      return {};
    }),
    unary(Service.PurgeInstances, async (request) => {
      const { instanceId, purgeInstanceFilter: filter, recursive, force, router } = request.message;
      const call = request.call('workflow.purge');
      if (!filter) return { deletedInstanceCount: await pipeline.run(call, () => hub.purge(instanceId ?? '', recursive, force ?? false, routerOfWire(router))) };
      const wanted = {
        createdFrom: filter.createdTimeFrom && msOf(filter.createdTimeFrom),
        createdTo: filter.createdTimeTo && msOf(filter.createdTimeTo),
        statuses: filter.runtimeStatus.flatMap((number) => statusOfNumber(number) ?? []),
      };
      return { deletedInstanceCount: await pipeline.run(call, () => hub.purgeMany(wanted, recursive)), isComplete: { value: true } };
    }),
    unary(Service.RerunWorkflowFromEvent, async (request) => {
      const { sourceInstanceID, eventID, newInstanceID, input, overwriteInput, newChildWorkflowInstanceID } = request.message;
      const from = { instanceId: sourceInstanceID, eventId: eventID, newInstanceId: newInstanceID, newChildInstanceId: newChildWorkflowInstanceID, ...(overwriteInput ? { input: input?.value ?? null } : {}) };
      return { newInstanceID: await pipeline.run(request.call('workflow.rerun'), () => hub.rerun(from)) };
    }),
    unary(Service.ListInstanceIDs, async (request) => {
      const { continuationToken, pageSize } = request.message;
      const { instanceIds, cursor } = await pipeline.run(request.call('workflow.list'), () => hub.list(continuationToken, pageSize));
      return { instanceIds, continuationToken: cursor };
    }),
    unary(Service.GetInstanceHistory, async (request) => ({
      events: eventsToWire(await pipeline.run(request.call('workflow.history'), () => hub.history(request.message.instanceId)), parts.appId),
    })),
  ];
}

function answerOf(state: WorkflowState | undefined, payloads: boolean): Init<GetInstanceResponse> {
  return state ? { exists: true, workflowState: stateToWire(state, payloads) } : { exists: false };
}

function stateToWire(state: WorkflowState, payloads: boolean): Init<WireState> {
  const { instanceId, name, version, status, createdAt, updatedAt, startedAt, parent, input, output, customStatus, failure } = state;
  const slash = parent?.app.indexOf('/') ?? -1;
  return {
    instanceId, name, version: text(version), workflowStatus: STATUS_NUMBERS[status],
    createdTimestamp: timestampOf(createdAt), lastUpdatedTimestamp: timestampOf(updatedAt),
    startedAt: startedAt === undefined ? undefined : timestampOf(startedAt),
    parentInstanceId: text(parent?.instanceId), parentAppId: text(parent?.app.slice(slash + 1)),
    input: text(input), output: text(output), customStatus: payloads ? text(customStatus) : undefined, failureDetails: failure && failureToWire(failure),
  };
}
