/** The gRPC face of the workflow block (grpc-api.md 5.14): the same seven methods under both of their names. */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { GetWorkflowRequest, PauseWorkflowRequest, StartWorkflowRequest, RaiseEventWorkflowRequest } from '@mecha/specs/gen/workflow.gen.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod, type GrpcRequest } from '../../servers/grpc-face.ts';
import { keptTrace } from '../../telemetry/trace.ts';
import type { WorkflowBlock } from './workflow.ts';

const START_TIME = 'dapr.workflow.start_time';

export function workflowGrpc(workflow: WorkflowBlock, pipeline: Pipeline): GrpcMethod[] {
  const start = async (request: GrpcRequest<StartWorkflowRequest>) => {
    const { instanceId, workflowName, options, input, appId } = request.message;
    const startTime = options[START_TIME];
    return { instanceId: await pipeline.run(request.call('workflow.start'), () => workflow.start({ name: workflowName, instanceId, input: Buffer.from(input).toString('utf8'), startTime, appId, trace: keptTrace(request.trace) })) };
  };
  const get = async (request: GrpcRequest<GetWorkflowRequest>) => {
    const { instanceId, appId } = request.message;
    const found = await pipeline.run(request.call('workflow.get'), () => workflow.get({ instanceId, appId }));
    if (!found) return { instanceId };
    return { instanceId, workflowName: found.name, createdAt: timestampOf(found.createdAt), lastUpdatedAt: timestampOf(found.updatedAt), runtimeStatus: found.status, properties: found.properties };
  };
  const steer = (verb: 'pause' | 'resume' | 'terminate' | 'purge') => async (request: GrpcRequest<PauseWorkflowRequest>) => {
    const { instanceId, appId } = request.message;
    await pipeline.run(request.call(`workflow.${verb}`), () => workflow[verb]({ instanceId, appId }));
    return {};
  };
  const raiseEvent = async (request: GrpcRequest<RaiseEventWorkflowRequest>) => {
    const { instanceId, appId, eventName, eventData } = request.message;
    // Without bytes there is no data, which workers tell from an empty text.
    const data = eventData.length === 0 ? undefined : Buffer.from(eventData).toString('utf8');
    await pipeline.run(request.call('workflow.raiseEvent'), () => workflow.raiseEvent({ instanceId, appId, event: eventName, data }));
    return {};
  };
  return [
    unary(Dapr.StartWorkflowBeta1, start),
    unary(Dapr.StartWorkflowAlpha1, start),
    unary(Dapr.GetWorkflowBeta1, get),
    unary(Dapr.GetWorkflowAlpha1, get),
    unary(Dapr.TerminateWorkflowBeta1, steer('terminate')),
    unary(Dapr.TerminateWorkflowAlpha1, steer('terminate')),
    unary(Dapr.PauseWorkflowBeta1, steer('pause')),
    unary(Dapr.PauseWorkflowAlpha1, steer('pause')),
    unary(Dapr.ResumeWorkflowBeta1, steer('resume')),
    unary(Dapr.ResumeWorkflowAlpha1, steer('resume')),
    unary(Dapr.PurgeWorkflowBeta1, steer('purge')),
    unary(Dapr.PurgeWorkflowAlpha1, steer('purge')),
    unary(Dapr.RaiseEventWorkflowBeta1, raiseEvent),
    unary(Dapr.RaiseEventWorkflowAlpha1, raiseEvent),
  ];
}

function timestampOf(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
}
