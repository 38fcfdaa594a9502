/** The bare servers alone: what this machine can do, and whether the generator is fast enough to tell. */
import type { LoadScenario } from './scenario.ts';
import { stateGet } from './state.ts';

export const bareHttp: LoadScenario = { ...withoutPrepare(stateGet), name: 'bare-http', words: 'fastify alone, an answer of the payload’s size', backends: [], protocols: ['http'] };
export const bareGrpc: LoadScenario = { ...withoutPrepare(stateGet), name: 'bare-grpc', words: 'grpc-js alone, an answer of the payload’s size', backends: [], protocols: ['grpc'] };

function withoutPrepare({ prepare: _prepare, ...scenario }: LoadScenario): LoadScenario {
  return scenario;
}
