/** All scenarios, in the order in which they run. */
import { bareGrpc, bareHttp } from './bare.ts';
import { bindingHttp } from './binding.ts';
import { growthRoundtrip, growthStateGet } from './growth.ts';
import { invoke } from './invoke.ts';
import { publish, roundtrip } from './publish.ts';
import { saga } from './saga.ts';
import type { Scenario } from './scenario.ts';
import { idleMemory, startup } from './startup.ts';
import { stateGet, stateSet, stateTransaction } from './state.ts';
import { twoProcesses } from './two-processes.ts';
import { aslChain, workflowChain, workflowFanout, workflowTimer } from './workflow.ts';

export const SCENARIOS: readonly Scenario[] = [bareHttp, bareGrpc, stateGet, stateSet, stateTransaction, publish, roundtrip, invoke, bindingHttp, twoProcesses, aslChain, workflowChain, workflowFanout, workflowTimer, growthStateGet, growthRoundtrip, startup, idleMemory, saga];
