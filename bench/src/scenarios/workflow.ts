/**
 * Workflows from start to end: those of a worker of the official SDK over gRPC (the start is one call, its end another), and those of the
 * States Language, which the sidecar runs by itself (one call for both). Every step is durable before the next begins.
 */
import { TaskHubSidecarService } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import { NUMBER } from '../load/template.ts';
import type { HttpRequest } from '../load/plan.ts';
import { Problem } from '../problem.ts';
import { ask } from '../targets/ready.ts';
import type { LoadScenario, RequestContext } from './scenario.ts';
import { grpcRequest, payloadText } from './state.ts';

const COMPLETED = 1;
const STATES_PATH = '/v1.0-mecha/states';
const MACHINE = 'chain';
const TASKS = 5;

const common = { kind: 'load', backends: ['sqlite', 'postgresql'], bare: false, numbers: { from: 0, count: 1, order: 'sequential' }, ends: 'answer', unique: true } as const;

function ofWorker(name: string, workflow: string, output: string, words: string, openRate: number): LoadScenario {
  const instanceId = `bench-${NUMBER}`;
  return {
    ...common,
    name,
    words,
    protocols: ['grpc'],
    app: 'worker',
    openRate,
    request: () => grpcRequest(TaskHubSidecarService.StartInstance.path, TaskHubSidecarService.StartInstance.request.encode({ instanceId, name: workflow })),
    next: () => grpcRequest(TaskHubSidecarService.WaitForInstanceCompletion.path, TaskHubSidecarService.WaitForInstanceCompletion.request.encode({ instanceId, getInputsAndOutputs: true })),
    check(answer) {
    const { exists, workflowState: state } = TaskHubSidecarService.WaitForInstanceCompletion.response.decode(answer);
      if (!exists || state?.workflowStatus !== COMPLETED) return `the workflow ended with status ${state?.workflowStatus ?? 'unknown'}: ${state?.failureDetails?.errorMessage ?? ''}`;
      return state.output?.value === output ? undefined : `the workflow's output is ${state.output?.value ?? 'missing'}, not ${output}`;
    },
  };
}

export const workflowChain = ofWorker('workflow-chain', 'chain', '6', 'a workflow of the official SDK: five activities, one after the other', 50);
export const workflowFanout = ofWorker('workflow-fanout', 'fanout', '100', 'a workflow of the official SDK: a hundred activities at once', 5);
export const workflowTimer = ofWorker('workflow-timer', 'timer', '1', 'a workflow of the official SDK: a timer of one second; latency beyond that is the sidecar’s', 50);

function statesRequest(operation: string, fields: Readonly<Record<string, unknown>>): HttpRequest {
  return { kind: 'http', method: 'POST', path: STATES_PATH, headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AWSStepFunctions.${operation}` }, body: JSON.stringify(fields), status: 200 };
}
const machineArn = `arn:aws:states:us-east-1:000000000000:stateMachine:${MACHINE}`;

/** Each reads a value, and hands on what it was given. */
function chainOf(store: string): string {
  const names = Array.from({ length: TASKS }, (_, n) => `Step${n + 1}`);
  const states = names.map((name, n) => [name, { Type: 'Task', Resource: `arn:mecha:state:::${store}:get`, Parameters: { Key: 'bench' }, ResultPath: '$.last', ...(n + 1 < TASKS ? { Next: names[n + 1] } : { End: true }) }]);
  return JSON.stringify({ StartAt: names[0], States: Object.fromEntries(states) as unknown });
}

export const aslChain: LoadScenario = {
  ...common,
  name: 'asl-chain',
  words: 'a workflow in the States Language: five tasks that read state, one after the other, in the sidecar',
  protocols: ['http'],
  app: 'none',
  openRate: 100,
  async prepare({ http, variant }, { store }) {
    const { headers, path, body } = statesRequest('CreateStateMachine', { name: MACHINE, type: 'EXPRESS', roleArn: 'arn:aws:iam::000000000000:role/bench', definition: chainOf(store) });
    const answers = [
      await ask(http, `/v1.0/state/${store}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[{"key":"bench","value":"here"}]' }),
      await ask(http, path, { method: 'POST', headers, body }),
    ];
    const bad = answers.find(({ status }) => status >= 300 || status === 0);
    if (bad) throw new Problem(`asl-chain: preparing ${variant}: status ${bad.status} ${bad.body.slice(0, 300)}`);
  },
  request: (_protocol, { payloadBytes }: RequestContext) => statesRequest('StartSyncExecution', { stateMachineArn: machineArn, input: `{"payload":${payloadText(payloadBytes)}}` }),
  check(answer) {
    const { status, output, error, cause } = JSON.parse(answer.toString()) as { status?: string; output?: string; error?: string; cause?: string };
    return status === 'SUCCEEDED' && output?.includes('"here"') ? undefined : `the execution ended ${status ?? ''}: ${error ?? ''} ${cause ?? ''} ${output ?? ''}`;
  },
};
