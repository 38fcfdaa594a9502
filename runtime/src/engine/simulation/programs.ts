/**
 * What simulated workflows do: small programs as data, carried by the input, with an output that is known beforehand. Run by a generator
 * (replay, near or far) and by a state machine (snapshot), so that both kinds of executors are under the same schedules.
 */
import type { Turn, TurnResult, WorkflowExecutor } from '../executor.ts';
import type { WorkflowFunction } from '../testing.ts';
import type { ActivityOptions, HistoryEvent, WorkflowAction } from '../vocabulary.ts';
import type { Random } from './world.ts';

export const WORKFLOW_NAMES = ['near', 'far', 'state'] as const;
export type Op =
  | { readonly op: 'activities'; readonly values: readonly number[]; readonly appId?: string }
  /** Fails this often before it succeeds. */
  | { readonly op: 'flaky'; readonly fails: number }
  /** Completed from outside. */
  | { readonly op: 'deferred' }
  | { readonly op: 'timer'; readonly ms: number }
  | { readonly op: 'event' }
  /** Goes on with whichever is first, and leaves the other behind. */
  | { readonly op: 'race'; readonly ms: number; readonly child?: string }
  | { readonly op: 'child'; readonly name: string; readonly program: Program; readonly appId?: string };
export interface Program {
  readonly ops: readonly Op[];
  /** Times that it continues as new before it ends. */
  readonly loops: number;
  readonly sum: number;
}

/** The child of a race: still at work when its parent has gone on, perhaps to another execution that makes one of the same id. */
export const LEFT_BEHIND: Program = { ops: [{ op: 'activities', values: [1, 2] }, { op: 'timer', ms: 1500 }], loops: 0, sum: 0 };

const MODULUS = 1_000_003;
const mix = (sum: number, value: number): number => (sum * 31 + value) % MODULUS;
export const FLAKY: ActivityOptions = { retry: { attemptsMax: 1000, firstDelayMs: 200, backoff: 1.5, delayMaxMs: 2000 }, runTimeoutMs: 30_000 };

export function randomProgram(random: Random, depth = 0): Program {
  const ops = Array.from({ length: 1 + random.below(depth === 0 ? 5 : 3) }, (): Op => {
    const other = random.chance(0.2) ? { appId: 'b' } : {};
    switch (random.below(depth < 2 ? 9 : 6)) {
      case 0:
      case 1:
        return { op: 'activities', values: [random.below(100)], ...other };
      case 2:
        return { op: 'activities', values: Array.from({ length: 2 + random.below(4) }, () => random.below(100)), ...other };
      case 3:
        return { op: 'timer', ms: random.pick([0, 50, 1000, 20_000]) };
      case 4:
        return random.chance(0.5) ? { op: 'flaky', fails: 1 + random.below(2) } : { op: 'deferred' };
      case 5:
        return { op: 'race', ms: random.below(100), ...(random.chance(0.5) ? { child: random.pick(WORKFLOW_NAMES) } : {}) };
      case 6:
      case 7:
        return { op: 'child', name: random.pick(WORKFLOW_NAMES), program: randomProgram(random, depth + 1), ...other };
      default:
        return depth === 0 ? { op: 'event' } : { op: 'activities', values: [1] };
    }
  });
  return { ops, loops: random.chance(0.3) ? 1 + random.below(2) : 0, sum: 0 };
}

/** How many events it waits for, all loops together. */
export function eventsOf({ ops, loops }: Program): number {
  return ops.filter(({ op }) => op === 'event').length * (loops + 1);
}

export function expectedOf(program: Program, events: Iterator<number> = [][Symbol.iterator]()): number {
  let { sum } = program;
  for (let loop = 0; loop <= program.loops; loop++) for (const op of program.ops) sum = resultOf(op, sum, events);
  return sum;
}
function resultOf(op: Op, sum: number, events: Iterator<number>): number {
  switch (op.op) {
    case 'activities':
      return op.values.reduce(mix, sum);
    case 'flaky':
    case 'deferred':
      return mix(sum, 1);
    case 'timer':
    case 'race':
      return sum;
    case 'event':
      return mix(sum, Number(events.next().value));
    case 'child':
      return mix(sum, expectedOf(op.program));
  }
}

export const programFunction: WorkflowFunction = function* (context) {
  const program = context.input as Program;
  let { sum } = program;
  for (const op of program.ops) {
    switch (op.op) {
      case 'activities': {
        const values: unknown = yield context.all(op.values.map((value) => context.activity('echo', value, op.appId === undefined ? {} : { appId: op.appId })));
        sum = (op.values.length === 1 ? [values as number] : (values as number[])).reduce(mix, sum);
        break;
      }
      case 'flaky':
        sum = mix(sum, yield context.activity('flaky', op.fails, FLAKY));
        break;
      case 'deferred':
        sum = mix(sum, yield context.activity('deferred', 1));
        break;
      case 'timer':
        yield context.timer(op.ms);
        break;
      case 'race':
        yield context.any([op.child === undefined ? context.activity('echo', 1) : context.child(op.child, LEFT_BEHIND), context.timer(op.ms)]);
        break;
      case 'event':
        sum = mix(sum, yield context.event('go'));
        break;
      case 'child':
        sum = mix(sum, yield context.child(op.name, op.program, op.appId === undefined ? {} : { appId: op.appId }));
    }
  }
  return program.loops > 0 ? context.continueAsNew({ ...program, loops: program.loops - 1, sum }) : sum;
};

interface State {
  readonly program: Program;
  sum: number;
  /** The op under way. */
  at: number;
  nextId: number;
  /** Ids of the op under way, and what came of them. */
  open: { [id: number]: number | null };
  /** Left behind by a race. */
  late: number[];
  /** Unread events. */
  events: number[];
}

/** The same by a state machine; pure. */
export const stateExecutor: WorkflowExecutor = {
  style: 'snapshot',
  inline: true,
  names: () => ['state'],
  runTurn({ newEvents, snapshot }: Turn): TurnResult {
    let state = snapshot === undefined ? undefined : (JSON.parse(snapshot) as State);
    const actions: WorkflowAction[] = [];
    for (const event of newEvents) {
      if (event.kind === 'executionStarted') {
        const program = JSON.parse(event.input ?? '{}') as Program;
        state = { program, sum: program.sum, at: -1, nextId: 1, open: {}, late: [], events: state?.events ?? [] };
        proceed(state, event.at, actions);
      } else if (state) hear(state, event, actions);
    }
    const carryover = (state?.events ?? []).map((value): HistoryEvent => ({ kind: 'eventRaised', id: -1, at: 0, name: 'go', input: String(value) }));
    return { actions: actions.map((action) => (action.kind === 'continueAsNew' ? { ...action, carryover } : action)), snapshot: JSON.stringify(state), audit: newEvents.map(({ kind }) => ({ saw: kind })) };
  },
};

function hear(state: State, event: HistoryEvent, actions: WorkflowAction[]): void {
  if (event.kind === 'eventRaised') state.events.push(JSON.parse(event.input ?? '0') as number);
  else if (event.kind === 'taskCompleted' || event.kind === 'childCompleted') settle(state, event.taskId, JSON.parse(event.result ?? '0') as number);
  else if (event.kind === 'timerFired') settle(state, event.timerId, 0);
  else if (event.kind === 'childFailed' || event.kind === 'taskFailed') {
    actions.push({ kind: 'complete', id: state.nextId++, status: 'failed', failure: { errorType: 'Child', errorMessage: 'a task failed' } });
    return;
  }
  proceed(state, event.at, actions);
}

function settle(state: State, id: number, value: number): void {
  const late = state.late.indexOf(id);
  if (late >= 0) return void state.late.splice(late, 1);
  if (state.open[id] !== null) throw new Error(`task ${id} is not open: ${state.open[id] === undefined ? 'never ordered in this execution' : 'resolved before'}`);
  state.open[id] = value;
}

/** Ends the op under way if it can, and goes on until one waits. */
function proceed(state: State, now: number, actions: WorkflowAction[]): void {
  const { program } = state;
  for (;;) {
    const op = program.ops[state.at];
    if (op?.op === 'event') {
      const value = state.events.shift();
      if (value === undefined) return;
      state.sum = mix(state.sum, value);
    } else if (op) {
      const values = Object.values(state.open);
      if (op.op === 'race' ? values.every((value) => value === null) : values.includes(null)) return;
      if (op.op === 'race') for (const [id, value] of Object.entries(state.open)) if (value === null) state.late.push(Number(id));
      if (op.op !== 'timer' && op.op !== 'race') state.sum = (values as number[]).reduce(mix, state.sum);
    }
    state.open = {};
    state.at++;
    const next = program.ops[state.at];
    if (!next) break;
    order(state, next, now, actions);
  }
  if (program.loops > 0) actions.push({ kind: 'continueAsNew', id: state.nextId, input: JSON.stringify({ ...program, loops: program.loops - 1, sum: state.sum }) });
  else actions.push({ kind: 'complete', id: state.nextId, status: 'completed', result: String(state.sum) });
}

function order(state: State, op: Op, now: number, actions: WorkflowAction[]): void {
  const add = (make: (id: number) => WorkflowAction): void => {
    const id = state.nextId++;
    state.open[id] = null;
    actions.push(make(id));
  };
  const routed = (appId: string | undefined): object => (appId === undefined ? {} : { router: { targetAppId: appId } });
  switch (op.op) {
    case 'activities':
      for (const value of op.values) add((id) => ({ kind: 'scheduleTask', id, name: 'echo', input: JSON.stringify(value), ...routed(op.appId) }));
      return;
    case 'flaky':
      return add((id) => ({ kind: 'scheduleTask', id, name: 'flaky', input: JSON.stringify(op.fails), options: FLAKY }));
    case 'deferred':
      return add((id) => ({ kind: 'scheduleTask', id, name: 'deferred', input: '1' }));
    case 'race':
      add((id) => (op.child === undefined ? { kind: 'scheduleTask', id, name: 'echo', input: '1' } : { kind: 'createChild', id, name: op.child, input: JSON.stringify(LEFT_BEHIND) }));
      return add((id) => ({ kind: 'createTimer', id, fireAt: new Date(now + op.ms).toISOString() }));
    case 'timer':
      return add((id) => ({ kind: 'createTimer', id, fireAt: new Date(now + op.ms).toISOString() }));
    case 'child':
      return add((id) => ({ kind: 'createChild', id, name: op.name, input: JSON.stringify(op.program), ...routed(op.appId) }));
    case 'event':
  }
}
