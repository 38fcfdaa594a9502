/**
 * The methods of the workers' service by name. What stands behind them (engine, codecs, workers) is loaded by the first call: most sidecars
 * never see one, and stay small.
 */
import { Lazy } from '../../lazy.ts';
import type { GrpcMethod } from '../../servers/grpc-face.ts';

export const TASK_HUB = '/TaskHubSidecarService/';
const STREAM = 'GetWorkItems';
const UNARY = [
  'Hello', 'StartInstance', 'GetInstance', 'WaitForInstanceStart', 'WaitForInstanceCompletion', 'RaiseEvent', 'TerminateInstance', 'SuspendInstance', 'ResumeInstance',
  'PurgeInstances', 'CompleteActivityTask', 'CompleteOrchestratorTask', 'CompleteWorkflowTask', 'RerunWorkflowFromEvent', 'ListInstanceIDs', 'GetInstanceHistory',
] as const;

export function taskHubDoor(open: () => Promise<readonly GrpcMethod[]>): GrpcMethod[] {
  const byPath = new Lazy(async () => new Map((await open()).map((method) => [method.path, method])));
  const found = async <K extends GrpcMethod['kind']>(path: string, kind: K): Promise<Extract<GrpcMethod, { kind: K }>> => {
    const method = (await byPath.get()).get(path);
    if (method?.kind !== kind) throw new Error(`there is no ${kind} method ${path}`);
    return method as Extract<GrpcMethod, { kind: K }>;
  };
  return [
    ...UNARY.map((name): GrpcMethod => {
      const path = TASK_HUB + name;
      return { kind: 'unary', path, answer: async (bytes, context) => (await found(path, 'unary')).answer(bytes, context) };
    }),
    { kind: 'stream', path: TASK_HUB + STREAM, serve: async (stream) => (await found(TASK_HUB + STREAM, 'stream')).serve(stream) },
  ];
}
