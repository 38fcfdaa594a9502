/**
 * How threads move: into states, out of them, through Retry and Catch, and up to the thread that waits for them. The types
 * of states say only what is theirs (`states/`).
 *
 * 1. A thread is in exactly one of: about to enter a state, about to begin its work again, waiting for something.
 * 2. States.Runtime ends the execution whatever Retry and Catch say.
 * 3. Nothing happens in an execution that is closed; what it still waited for is cancelled.
 */
import { BLOCKED, type Behaviour, type Outcome } from './behaviour.ts';
import type { Catcher, State, StateType } from './definition.ts';
import { nestedDeeper, type Json, type JsonObject } from './json.ts';
import type { ExecutionStatus, TurnEvent } from './messages.ts';
import { errorOutput, matches, retryDelayMs } from './recovery.ts';
import { evaluateQueries } from './scope.ts';
import type { Thread } from './snapshot.ts';
import { runtimeError, STATES, StateError, type Failure } from './state-error.ts';
import { evaluateAssign, exitWithResult, isJsonata, placeResult, type Exit } from './state-io.ts';
import { choice } from './states/choice.ts';
import { mapRun } from './states/map-run.ts';
import { map } from './states/map.ts';
import { parallel } from './states/parallel.ts';
import { fail, pass, succeed } from './states/simple.ts';
import { task } from './states/task.ts';
import { wait } from './states/wait.ts';
import type { Turn } from './turn.ts';

const BEHAVIOURS: Readonly<Record<StateType, Behaviour>> = { Task: task, Wait: wait, Pass: pass, Succeed: succeed, Fail: fail, Choice: choice, Parallel: parallel, Map: map };
const behaviourOf = (state: State): Behaviour => (state.distributed ? mapRun : BEHAVIOURS[state.type]);

/** States whose being stopped half-way the history mentions. */
const ABORTABLE: ReadonlySet<StateType> = new Set<StateType>(['Task', 'Wait', 'Map', 'Parallel']);

/** Who the timer of the whole execution is for. */
export const EXECUTION = 'execution';

/** Lets ready threads go on until all wait, the execution is closed, or `most` states were entered. */
export async function drain(turn: Turn, most: number): Promise<number> {
  let entered = 0;
  for (; entered < most && !turn.closed; entered++) {
    const id = turn.ready.shift();
    if (id === undefined) break;
    if (!turn.has(id)) continue;
    if (turn.lastEventId >= turn.limits.historyEventsMax - 1) {
      close(turn, 'FAILED', turn.thread(id).at, { error: STATES.runtime, cause: `The execution reached the maximum number of history events (${turn.limits.historyEventsMax}).` });
      break;
    }
    const { doing } = turn.thread(id);
    if (doing.kind === 'enter') await enter(turn, id, doing.state, doing.input);
    else if (doing.kind === 'again') await work(turn, id);
  }
  return entered;
}

/** Gives an event to the thread that waits for it. */
export async function deliver(turn: Turn, threadId: string, event: TurnEvent): Promise<void> {
  const thread = turn.thread(threadId);
  if (event.type === 'timerFired') {
    turn.settled(event.id);
    if (thread.doing.kind === 'retry') {
      turn.does(threadId, { kind: 'again' });
      turn.ready.push(threadId);
      return;
    }
  }
  const state = turn.stateOf(thread);
  await settle(turn, threadId, () => behaviourOf(state).event?.(turn, thread, state, event) ?? BLOCKED);
}

async function enter(turn: Turn, id: string, name: string, input: Json): Promise<void> {
  const before = turn.thread(id);
  const state = turn.stateOf(before, name);
  const entered = turn.note(before.at, `${state.type}StateEntered`, 'stateEnteredEventDetails', { input: turn.text(input), inputDetails: { truncated: false }, name });
  turn.change(id, { state: name, input, at: entered, entered: { id: entered, previous: before.at, ms: turn.ports.now }, retryCount: 0, attempts: [], doing: { kind: 'again' } });
  await work(turn, id);
}

async function work(turn: Turn, id: string): Promise<void> {
  const thread = turn.thread(id);
  const state = turn.stateOf(thread);
  await settle(turn, id, () => behaviourOf(state).start(turn, thread, state));
}

/** Does what an outcome asks for; what is thrown on the way is the state's failure. */
async function settle(turn: Turn, id: string, find: () => Promise<Outcome> | Outcome): Promise<void> {
  const state = turn.stateOf(turn.thread(id));
  let exit: Exit;
  let next: string | undefined;
  try {
    const outcome = await find();
    if (outcome.kind === 'blocked') return;
    if (outcome.kind === 'failed') {
      await failState(turn, id, outcome.failure, false);
      return;
    }
    if (outcome.kind === 'exit') ({ exit, next } = outcome);
    else exit = await exitWithResult(turn.scope(turn.thread(id)), state, outcome.result);
    checkOutput(turn, exit.output);
    if (exit.assigned) turn.assign(id, exit.assigned);
  } catch (error) {
    await failState(turn, id, noteFault(turn, id, error), true);
    return;
  }
  await leave(turn, id, state, exit, next ?? state.next);
}

function checkOutput(turn: Turn, output: Json): void {
  if (nestedDeeper(turn.text(output), turn.limits.jsonDepthMax)) throw runtimeError(`The output is nested deeper than ${turn.limits.jsonDepthMax} levels.`);
}

/** The failure that something thrown stands for; JSONata's have an event of their own. */
function noteFault(turn: Turn, id: string, error: unknown): Failure {
  const { state, entered } = turn.thread(id);
  const prefix = `An error occurred while executing the state '${state}' (entered at the event id #${entered.id}). `;
  if (error instanceof RangeError) return { error: STATES.runtime, cause: `${prefix}A value is nested too deep.`, terminal: true };
  if (!(error instanceof StateError)) throw error;
  const cause = `${error.prefixed ? prefix : ''}${error.message}`;
  if (error.evaluation) {
    const { location, afterEntry } = error.evaluation;
    const at = turn.note(afterEntry ? entered.id : entered.previous, 'EvaluationFailed', 'evaluationFailedEventDetails', { error: error.error, cause, ...(location === undefined ? {} : { location }), state });
    turn.change(id, { at });
  }
  return { error: error.error, cause, ...(error.terminal ? { terminal: true } : {}) };
}

async function leave(turn: Turn, id: string, state: State, exit: Exit, next: string | undefined): Promise<void> {
  const { output, assigned } = exit;
  if (turn.tooLarge(output)) {
    const cause = `The state/task '${state.name}' returned a result with a size exceeding the maximum number of bytes service limit.`;
    await threadFailed(turn, id, { error: STATES.dataLimitExceeded, cause, terminal: true });
    return;
  }
  turn.emit(id, `${state.type}StateExited`, 'stateExitedEventDetails', {
    name: state.name,
    output: turn.text(output),
    outputDetails: { truncated: false },
    ...(assigned ? { assignedVariables: textsOf(turn, assigned), assignedVariablesDetails: { truncated: false } } : {}),
  });
  if (next !== undefined) {
    turn.does(id, { kind: 'enter', state: next, input: output });
    turn.ready.push(id);
  } else await end(turn, id, output);
}

function textsOf(turn: Turn, assigned: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(assigned).map(([name, value]) => [name, turn.text(value)]));
}

/** The thread's root is done. */
async function end(turn: Turn, id: string, output: Json): Promise<void> {
  const child = turn.thread(id);
  if (child.parent === undefined) {
    const text = turn.text(output);
    turn.note(child.at, 'ExecutionSucceeded', 'executionSucceededEventDetails', { output: text, outputDetails: { truncated: false } });
    turn.output = text;
    finish(turn, 'SUCCEEDED');
    return;
  }
  const parent = turn.thread(child.parent);
  const state = turn.stateOf(parent);
  turn.remove(id);
  await settle(turn, parent.id, () => behaviourOf(state).childDone?.(turn, parent, state, child, output) ?? BLOCKED);
}

/** A failure in the state that the thread stands in. `own`: it arose here, not in a thread below. */
async function failState(turn: Turn, id: string, failure: Failure, own: boolean): Promise<void> {
  const thread = turn.thread(id);
  const state = turn.stateOf(thread);
  stopChildren(turn, id);
  if (!failure.terminal && retry(turn, thread, state, failure)) return;
  if ((state.type === 'Map' || state.type === 'Parallel') && !(own && failure.terminal)) turn.emit(id, `${state.type}StateFailed`);
  const catcher = failure.terminal ? undefined : state.catch.find(({ errors }) => matches(errors, failure));
  if (!catcher) await threadFailed(turn, id, failure);
  else await recover(turn, id, state, catcher, failure);
}

function retry(turn: Turn, thread: Thread, state: State, failure: Failure): boolean {
  const at = state.retry.findIndex(({ errors }) => matches(errors, failure));
  const retrier = state.retry[at];
  if (!retrier) return false;
  const used = thread.attempts[at] ?? 0;
  if (used >= retrier.maxAttempts) return false;
  const timer = turn.startTimer(thread.id, turn.ports.now + retryDelayMs(retrier, used, turn.ports.random));
  const attempts = state.retry.map((_, index) => (thread.attempts[index] ?? 0) + (index === at ? 1 : 0));
  turn.change(thread.id, { attempts, retryCount: thread.retryCount + 1, doing: { kind: 'retry', timer } });
  return true;
}

/** Leaves the state by way of a catcher. */
async function recover(turn: Turn, id: string, state: State, catcher: Catcher, failure: Failure): Promise<void> {
  const caught = errorOutput(failure);
  let exit: Exit;
  try {
    const scope = turn.scope(turn.thread(id));
    const assigned = await evaluateAssign(scope, state, catcher.fields, caught, { errorOutput: caught });
    const { Output: template, ResultPath: path } = catcher.fields;
    const output = !isJsonata(state) ? placeResult(scope, path, caught) : template === undefined ? caught : await evaluateQueries(scope, template, 'Output', { errorOutput: caught });
    checkOutput(turn, output);
    if (assigned) turn.assign(id, assigned);
    exit = { output, ...(assigned ? { assigned } : {}) };
  } catch (error) {
    await threadFailed(turn, id, noteFault(turn, id, error));
    return;
  }
  await leave(turn, id, state, exit, catcher.next);
}

/** The thread cannot go on: the state above it fails, or the execution. */
async function threadFailed(turn: Turn, id: string, failure: Failure): Promise<void> {
  const child = turn.thread(id);
  if (child.parent === undefined) {
    close(turn, 'FAILED', child.at, failure);
    return;
  }
  const parent = turn.thread(child.parent);
  const state = turn.stateOf(parent);
  turn.remove(id);
  turn.change(parent.id, { at: child.at });
  behaviourOf(state).childFailed?.(turn, parent, state, child);
  await failState(turn, parent.id, failure, false);
}

/** Ends everything below a thread, and what it waits for itself. */
function stopChildren(turn: Turn, id: string): void {
  const { at, doing } = turn.thread(id);
  if ('timer' in doing) turn.cancel([doing.timer]);
  if ('id' in doing) turn.cancel([doing.id]);
  if (doing.kind !== 'parallel' && doing.kind !== 'map') return;
  const state = turn.stateOf(turn.thread(id));
  for (const child of turn.childrenOf(id)) abort(turn, child, state, at);
}

function abort(turn: Turn, thread: Thread, above: State, at: number): void {
  const state = turn.stateOf(thread);
  for (const child of turn.childrenOf(thread.id)) abort(turn, child, state, at);
  if (thread.entered.id > 0 && thread.doing.kind !== 'enter' && ABORTABLE.has(state.type)) turn.note(at, `${state.type}StateAborted`);
  if (above.type === 'Map') turn.note(at, 'MapIterationAborted', 'mapIterationAbortedEventDetails', { name: above.name, index: thread.index });
  const { doing } = thread;
  if ('timer' in doing) turn.cancel([doing.timer]);
  if ('id' in doing) turn.cancel([doing.id]);
  turn.remove(thread.id);
}

const CLOSING = { FAILED: 'executionFailedEventDetails', TIMED_OUT: 'executionTimedOutEventDetails', ABORTED: 'executionAbortedEventDetails' } as const;
const CLOSED_TYPES = { FAILED: 'ExecutionFailed', TIMED_OUT: 'ExecutionTimedOut', ABORTED: 'ExecutionAborted' } as const;

/** Ends the execution without success. */
export function close(turn: Turn, status: 'FAILED' | 'TIMED_OUT' | 'ABORTED', previousEventId: number, failure: Failure): void {
  const { error, cause } = failure;
  turn.note(previousEventId, CLOSED_TYPES[status], CLOSING[status], { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) });
  turn.error = error;
  turn.cause = cause;
  finish(turn, status);
}

function finish(turn: Turn, status: ExecutionStatus): void {
  turn.status = status;
  turn.cancelAll();
  turn.removeAll();
}

