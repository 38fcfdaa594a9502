/** One state by itself, with every value on its way through it: what TestState answers. */
import type { Machine } from './definition.ts';
import { answer, deliver, drain } from './flow.ts';
import { isObject, parseJson, type Json, type JsonObject } from './json.ts';
import type { ExecutionInfo, ScheduleTask } from './messages.ts';
import type { Ports } from './ports.ts';
import { parseResource } from './resource.ts';
import type { Stage } from './scope.ts';
import { Turn } from './turn.ts';

/** What a task came to; `output` is JSON text. */
export type Performed = { readonly output: string } | { readonly error?: string; readonly cause?: string };

export interface StateTest {
  readonly machine: Machine;
  /** Where the state is: a root and a name. Default: the machine's first. */
  readonly root?: string;
  readonly stateName?: string;
  /** JSON text. */
  readonly input: string;
  readonly variables?: JsonObject;
  /** Members of the context object in place of those made here. */
  readonly context?: JsonObject;
  readonly execution: ExecutionInfo;
  /** Retries made before. */
  readonly retryCount?: number;
  /** In place of the work of a Task, Parallel or Map. */
  readonly mock?: Performed;
  /** Does the work of a Task that is not mocked. */
  readonly perform?: (command: ScheduleTask) => Promise<Performed>;
  readonly ports: Ports;
}

export interface StateTested {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'RETRIABLE' | 'CAUGHT_ERROR';
  /** JSON text. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly nextState?: string;
  /** JSON texts, but for errorDetails. */
  readonly inspection: JsonObject;
}

/** Throws JsonInvalid for an input that is none, and an Error for a state that is not there or whose work nobody does. */
export async function testState(test: StateTest): Promise<StateTested> {
  const { machine, root = '', ports, execution } = test;
  const first = machine.roots.get(root)?.startAt;
  const name = test.stateName ?? first ?? '';
  if (!machine.roots.get(root)?.states.has(name)) throw new Error('State not found in definition');
  const input = parseJson(test.input, machine.expressions.limits.jsonDepthMax);
  const turn = new Turn(machine, { version: 1, status: 'RUNNING', execution, root, startedMs: ports.now, input, lastEventId: 1, lastThread: 0, lastCommand: 0, threads: {}, waiting: {}, ready: [] }, ports);
  const stages = new Map<Stage, Json>();
  turn.trace = (stage, value) => void stages.set(stage, value);
  turn.contextMembers = test.context ?? {};
  const { id } = turn.spawn(root, { input, at: 0, index: 0 });
  turn.change(id, { variables: test.variables ?? {}, doing: { kind: 'enter', state: name, input } });
  await drain(turn, 1);
  await work(turn, id, test);
  return tested(turn, id, input, stages);
}

async function work(turn: Turn, id: string, { mock, perform, retryCount = 0 }: StateTest): Promise<void> {
  if (turn.closed || !turn.has(id)) return;
  const { doing } = turn.thread(id);
  if (doing.kind === 'wait') return deliver(turn, id, { type: 'timerFired', id: doing.timer });
  if (doing.kind !== 'task' && doing.kind !== 'parallel' && doing.kind !== 'map' && doing.kind !== 'mapRun') return;
  const command = turn.commands.find((each) => each.type === 'scheduleTask');
  // What ends long after the call is no work for a test of one state.
  const isPlain = command !== undefined && parseResource(command.resource)?.pattern === 'request';
  const performed = mock ?? (command && perform && isPlain ? await perform(command) : undefined);
  if (!performed) throw new Error('nobody does the work of this state: a mock is needed');
  turn.change(id, { retryCount, attempts: turn.stateOf(turn.thread(id)).retry.map(() => retryCount) });
  if (doing.kind === 'task') {
    await deliver(turn, id, 'output' in performed ? { type: 'taskSucceeded', id: doing.id, output: performed.output } : { type: 'taskFailed', id: doing.id, ...performed });
  } else if ('output' in performed) await answer(turn, id, { kind: 'result', result: parseJson(performed.output, turn.limits.jsonDepthMax) });
  else await answer(turn, id, { kind: 'failed', failure: performed });
}

function tested(turn: Turn, id: string, input: Json, stages: ReadonlyMap<Stage, Json>): StateTested {
  const details = (['retried', 'caught'] as const).map((stage) => stages.get(stage)).find(isObject);
  const { error, cause, ...errorDetails } = details ?? {};
  const left = turn.history.findLast(({ type }) => type.endsWith('StateExited'))?.details?.['output'];
  const output = typeof left === 'string' ? left : undefined;
  const doing = turn.has(id) ? turn.thread(id).doing : undefined;
  const inspection: Record<string, Json> = { input: JSON.stringify(input) };
  for (const [stage, value] of stages) if (stage !== 'retried' && stage !== 'caught') inspection[stage] = JSON.stringify(value);
  if (details) inspection['errorDetails'] = errorDetails;
  const status = stages.has('retried') ? 'RETRIABLE' : stages.has('caught') && !turn.closed ? 'CAUGHT_ERROR' : turn.status === 'FAILED' ? 'FAILED' : 'SUCCEEDED';
  const failure = status === 'FAILED' ? { error: turn.error, cause: turn.cause } : { error, cause };
  return {
    status,
    ...(output === undefined || status === 'FAILED' ? {} : { output }),
    ...(typeof failure.error === 'string' ? { error: failure.error } : {}),
    ...(typeof failure.cause === 'string' ? { cause: failure.cause } : {}),
    ...(doing?.kind === 'enter' ? { nextState: doing.state } : {}),
    inspection,
  };
}
