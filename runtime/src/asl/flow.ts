/**
 * How threads move: into states, out of them, through Retry and Catch, and up to the thread that waits for them. The types
 * of states say only what is theirs (`states/`).
 *
 * 1. A thread is in exactly one of: about to enter a state, about to begin its work again, waiting for something.
 * 2. States.Runtime ends the execution whatever Retry and Catch say.
 * 3. Nothing happens in an execution that is closed; what it still waited for is cancelled.
 */
import { dropThreads, recordUncertain, stopChildren } from './abort.ts';
import { BLOCKED, type Behaviour, type Outcome } from './behaviour.ts';
import type { Catcher, State, StateType } from './definition.ts';
import { JsonInvalid, nestedDeeper, type Json, type JsonObject } from './json.ts';
import type { ExecutionStatus, TurnEvent } from './messages.ts';
import { errorOutput, matches, retryDelayMs } from './recovery.ts';
import { noteOutput } from './task-history.ts';
import { abandon, advance, begin, forget, isSagaWaiter, leaveAllDone, mayHaveHappened, record, sagaStatus, scopeOf, settingsOf, stepsOf, stopClock } from './saga.ts';
import type { Undoing } from './saga-record.ts';
import { evaluateQueries } from './scope.ts';
import type { Thread } from './snapshot.ts';
import { runtimeError, said, STATES, StateError, type Failure } from './state-error.ts';
import { evaluateAssign, exitWithResult, isJsonata, placeResult, type Exit } from './state-io.ts';
import { choice } from './states/choice.ts';
import { mapRun } from './states/map-run.ts';
import { map } from './states/map.ts';
import { parallel } from './states/parallel.ts';
import { fail, pass, succeed } from './states/simple.ts';
import { resourceOf, task } from './states/task.ts';
import { wait } from './states/wait.ts';
import type { Turn } from './turn.ts';

const BEHAVIOURS: Readonly<Record<StateType, Behaviour>> = { Task: task, Wait: wait, Pass: pass, Succeed: succeed, Fail: fail, Choice: choice, Parallel: parallel, Map: map };
const behaviourOf = (state: State): Behaviour => (state.distributed ? mapRun : BEHAVIOURS[state.type]);

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
      await conclude(turn, 'FAILED', turn.thread(id).at, { error: STATES.runtime, cause: `The execution reached the maximum number of history events (${turn.limits.historyEventsMax}).` });
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

/** What the state's work came to, said by somebody else than the state: its children are gone, its questions taken back. */
export async function answer(turn: Turn, threadId: string, outcome: Outcome): Promise<void> {
  turn.cancelAll();
  for (const child of turn.threads()) if (child.id !== threadId) turn.remove(child.id);
  await settle(turn, threadId, () => outcome);
}

async function enter(turn: Turn, id: string, name: string, input: Json): Promise<void> {
  const before = turn.thread(id);
  const state = turn.stateOf(before, name);
  const entered = turn.note(before.at, `${state.type}StateEntered`, 'stateEnteredEventDetails', { input: turn.text(input), inputDetails: { truncated: false }, name });
  turn.change(id, {
    state: name,
    input,
    at: entered,
    entered: { id: entered, previous: before.at, ms: turn.ports.now },
    retryCount: 0,
    attempts: [],
    ...(before.uncertain ? { uncertain: false } : {}),
    doing: { kind: 'again' },
  });
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
    if (outcome.kind === 'compensate') {
      await undoOnRequest(turn, id, outcome.upTo);
      return;
    }
    if (outcome.kind === 'exit') ({ exit, next } = outcome);
    else exit = await exitWithResult(turn.scope(turn.thread(id)), state, outcome.result);
    checkOutput(turn, exit.output);
    if (exit.assigned) turn.assign(id, exit.assigned);
    if (state.compensate) await record(turn, turn.thread(id), state, outcome.kind === 'result' ? outcome.result : exit.output, exit.output);
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
  if (error instanceof JsonInvalid) return { error: STATES.runtime, cause: `${prefix}What came from outside is not JSON: ${error.message}`, terminal: true };
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
    forget(turn);
    finish(turn, 'SUCCEEDED');
    return;
  }
  const parent = turn.thread(child.parent);
  const state = turn.stateOf(parent);
  if (scopeOf(turn, child) === id) forget(turn, id);
  turn.remove(id);
  await settle(turn, parent.id, () => behaviourOf(state).childDone?.(turn, parent, state, child, output) ?? BLOCKED);
}

/** A failure in the state that the thread stands in. `own`: it arose here, not in a thread below. */
async function failState(turn: Turn, id: string, failure: Failure, own: boolean): Promise<void> {
  const thread = turn.thread(id);
  const state = turn.stateOf(thread);
  const retrier = failure.terminal ? -1 : usableRetrier(thread, state, failure);
  const ends = retrier < 0 && !(own && failure.terminal);
  // The history of a Map mentions its failure before the iterations that it stops, a Parallel's after its branches.
  if (ends && state.type === 'Map') turn.emit(id, 'MapStateFailed');
  await stopChildren(turn, id, thread.at);
  if (retrier >= 0) {
    turn.failureCaught();
    retry(turn, thread, state, retrier, failure);
    return;
  }
  if (mayHaveHappened(state, thread, failure)) await record(turn, thread, state, null, thread.input);
  if (ends && state.type === 'Parallel') turn.emit(id, 'ParallelStateFailed');
  const at = failure.terminal ? -1 : state.catch.findIndex(({ errors }) => matches(errors, failure));
  const catcher = state.catch[at];
  if (catcher) turn.trace?.('caught', { catchIndex: at, ...said(failure) });
  if (!catcher) {
    await threadFailed(turn, id, failure);
    return;
  }
  turn.failureCaught();
  if (catcher.compensate && (await undo(turn, id, { ...said(failure), scope: scopeOf(turn, thread), at: turn.thread(id).at, purpose: 'catch', thread: id, catcher: at }))) return;
  else await recover(turn, id, state, catcher, failure);
}

/** The first retrier that means the failure decides; -1 when there is none or it has no attempt left. */
function usableRetrier(thread: Thread, state: State, failure: Failure): number {
  const at = state.retry.findIndex(({ errors }) => matches(errors, failure));
  return (thread.attempts[at] ?? 0) < (state.retry[at]?.maxAttempts ?? 0) ? at : -1;
}

function retry(turn: Turn, thread: Thread, state: State, at: number, failure: Failure): void {
  const retrier = state.retry[at];
  if (!retrier) return;
  const delayMs = retryDelayMs(retrier, thread.attempts[at] ?? 0, turn.ports.random);
  turn.trace?.('retried', { retryIndex: at, retryBackoffIntervalSeconds: delayMs / 1000, ...said(failure) });
  const timer = turn.startTimer(thread.id, turn.ports.now + delayMs);
  const attempts = state.retry.map((_, index) => (thread.attempts[index] ?? 0) + (index === at ? 1 : 0));
  turn.change(thread.id, { attempts, retryCount: thread.retryCount + 1, ...(failure.error === STATES.timeout ? { uncertain: true } : {}), doing: { kind: 'retry', timer } });
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
  turn.markFailure();
  const child = turn.thread(id);
  if (child.parent === undefined) {
    await conclude(turn, 'FAILED', child.at, failure);
    return;
  }
  await failScope(turn, id, failure, 'Failure');
}

/** A thread below another has failed: what its own scope did is undone first, if it has one that says so. */
async function failScope(turn: Turn, id: string, failure: Failure, trigger: 'Failure' | 'Timeout'): Promise<void> {
  const child = turn.thread(id);
  if (scopeOf(turn, child) === id) {
    stopClock(turn, child);
    if (!settingsOf(turn, id).on.has(trigger)) forget(turn, id);
    else if (await undo(turn, id, { ...said(failure), scope: id, at: child.at, purpose: 'fail', thread: id, terminal: failure.terminal ?? false })) return;
  }
  await passUp(turn, id, failure);
}

/** The time of a saga is over. What is being undone already goes on. */
export async function scopeTimedOut(turn: Turn, id: string): Promise<void> {
  const thread = turn.thread(id);
  if (thread.parent === undefined) {
    await conclude(turn, 'TIMED_OUT', 0, {});
    return;
  }
  await stopChildren(turn, id, thread.at);
  await recordUncertain(turn, thread);
  abandon(turn, id);
  await failScope(turn, id, { error: STATES.timeout, cause: 'The saga did not end in time.' }, 'Timeout');
}

/** A thread's failure becomes the failure of the state above it. */
async function passUp(turn: Turn, id: string, failure: Failure): Promise<void> {
  const child = turn.thread(id);
  if (child.parent === undefined) throw new Error(`thread ${id} has nothing above it`);
  const parent = turn.thread(child.parent);
  const state = turn.stateOf(parent);
  turn.remove(id);
  turn.change(parent.id, { at: child.at });
  behaviourOf(state).childFailed?.(turn, parent, state, child);
  await failState(turn, parent.id, failure, false);
}

const CLOSING = { FAILED: 'executionFailedEventDetails', TIMED_OUT: 'executionTimedOutEventDetails', ABORTED: 'executionAbortedEventDetails' } as const;
const CLOSED_TYPES = { FAILED: 'ExecutionFailed', TIMED_OUT: 'ExecutionTimedOut', ABORTED: 'ExecutionAborted' } as const;

/** Ends the execution without success; what completed is undone first, if its scope says so. */
export async function conclude(turn: Turn, status: keyof typeof CLOSED_TYPES, previousEventId: number, failure: Failure): Promise<void> {
  turn.markFailure();
  if (status !== 'FAILED') for (const thread of turn.threads()) await recordUncertain(turn, thread);
  const undoing: Undoing = { ...said(failure), scope: '', at: previousEventId, purpose: 'close', status };
  if (!turn.top.saga?.on.has(TRIGGERS[status]) && turn.top.saga) forget(turn);
  if (stepsOf(turn, undoing).length === 0) {
    // What was undone cannot be gone on with.
    turn.endAtFailure(sagaStatus(turn) === undefined);
    return close(turn, status, previousEventId, failure);
  }
  turn.cancelAll(isSagaWaiter);
  dropThreads(turn);
  turn.saga = { ...(turn.saga ?? { steps: [], lastStep: 0 }), undoings: [] };
  begin(turn, undoing);
  await advanceSagas(turn);
}

const TRIGGERS = { FAILED: 'Failure', TIMED_OUT: 'Timeout', ABORTED: 'Abort' } as const;

/** Undoes steps before something goes on; false when there is nothing to undo. */
async function undo(turn: Turn, id: string, undoing: Undoing): Promise<boolean> {
  if (stepsOf(turn, undoing).length === 0) return false;
  turn.does(id, { kind: 'undo' });
  begin(turn, undoing);
  await advanceSagas(turn);
  return true;
}

/** The task arn:mecha:saga:::compensate: its result is the list of the states that were undone. */
async function undoOnRequest(turn: Turn, id: string, upTo: string | undefined): Promise<void> {
  const thread = turn.thread(id);
  const scope = scopeOf(turn, thread);
  const after = upTo === undefined ? 0 : (turn.saga?.steps.findLast((step) => step.scope === scope && step.stateName === upTo)?.step ?? 0) - 1;
  const undoing = { scope, at: thread.at, purpose: 'resume', thread: id, undone: [], after } as const;
  if (!(await undo(turn, id, undoing))) await resume(turn, undoing);
}

async function resume(turn: Turn, { thread: id, undone }: Extract<Undoing, { readonly purpose: 'resume' }>): Promise<void> {
  noteOutput(turn, id, resourceOf(turn.stateOf(turn.thread(id))), 'Succeeded', JSON.stringify(undone));
  await settle(turn, id, () => ({ kind: 'result', result: undone }));
}

const COMPENSATION_FAILED: Failure = { error: 'Mecha.CompensationFailed', cause: 'A step could not be undone.', terminal: true };

/** Lets undoings go on; those that are complete hand over to what waited for them. */
export async function advanceSagas(turn: Turn): Promise<void> {
  for (let done = advance(turn); done && !turn.closed; done = advance(turn)) {
    const failure: Failure = said(done);
    if (done.purpose === 'close') return close(turn, done.status, done.status === 'FAILED' ? done.at : 0, failure);
    const { thread: id } = done;
    turn.change(id, { at: done.at });
    const state = turn.stateOf(turn.thread(id));
    const catcher = done.purpose === 'catch' ? state.catch[done.catcher] : undefined;
    const stuck = stepsOf(turn, done).length > 0;
    if (done.purpose === 'fail') {
      leaveAllDone(turn, done);
      await passUp(turn, id, { ...failure, ...(done.terminal ? { terminal: true } : {}) });
    } else if (stuck || (done.purpose === 'catch' && !catcher)) await threadFailed(turn, id, COMPENSATION_FAILED);
    else if (done.purpose === 'resume') await resume(turn, done);
    else if (catcher) await recover(turn, id, state, catcher, failure);
  }
}

/** A stop request while steps are undone for good: they are undone all the same. Of two the first is told, and one without words hides no failure. */
export function stopLater(turn: Turn, failure: Failure): boolean {
  const { saga } = turn;
  const closing = saga?.undoings.find((undoing) => undoing.purpose === 'close');
  if (!saga || !closing) return false;
  const { scope, at } = closing;
  const told = closing.status === 'ABORTED' || failure.error === undefined ? closing : failure;
  turn.saga = { ...saga, undoings: [{ ...said(told), scope, at, purpose: 'close', status: 'ABORTED' }] };
  return true;
}

function close(turn: Turn, status: keyof typeof CLOSED_TYPES, previousEventId: number, failure: Failure): void {
  turn.note(previousEventId, CLOSED_TYPES[status], CLOSING[status], said(failure));
  turn.error = failure.error;
  turn.cause = failure.cause;
  finish(turn, status);
}

function finish(turn: Turn, status: ExecutionStatus): void {
  turn.status = status;
  turn.cancelAll();
  dropThreads(turn);
}

