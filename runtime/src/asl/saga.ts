/**
 * Sagas: steps that completed are remembered with what undoes them, and undone from the last when their scope fails.
 *
 * 1. A step is recorded in the turn in which it completed. One whose outcome is unknown (it timed out, or was stopped
 *    half-way) counts as completed.
 * 2. The arguments of its undoing are evaluated then and never again.
 * 3. The undoing of a step is tried until it succeeds, is skipped by a person or runs out of retries; each try carries the
 *    same idempotency key.
 * 4. A step is forgotten when it was undone, skipped, or when its scope ended well.
 */
import type { Retrier, Root, SagaSettings, State } from './definition.ts';
import { retrier } from './compile.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import type { ExecutionStatus, TurnEvent } from './messages.ts';
import { matches, retryDelayMs } from './recovery.ts';
import type { Resource } from './resource.ts';
import type { LeftDone, Saga, SagaStatus, SagaStep, Undoing } from './saga-record.ts';
import { evaluateQueries, evaluateTemplate } from './scope.ts';
import type { Thread } from './snapshot.ts';
import { said, StateError, STATES, type Failure } from './state-error.ts';
import type { Turn } from './turn.ts';

const EMPTY: Saga = { steps: [], lastStep: 0, undoings: [] };
const WAITER = 'saga:';
const CLOCK = 'scope:';
/** Undoing without a Retry of its own: eleven tries over some ten minutes. */
const PATIENT: readonly Retrier[] = [{ errors: [STATES.all], intervalSeconds: 1, maxAttempts: 10, backoffRate: 2, maxDelaySeconds: 120, fullJitter: false }];
const DEFAULTS: SagaSettings = { on: new Set(['Failure', 'Timeout', 'Abort']), onCompensationFailure: 'Park', maxConcurrency: 1, ownScope: true };

export const isSagaWaiter = (waiter: string): boolean => waiter.startsWith(WAITER);

/** The thread whose scope this waiter's timer ends; undefined: it is for something else. */
export const timedScope = (waiter: string): string | undefined => (waiter.startsWith(CLOCK) ? waiter.slice(CLOCK.length) : undefined);

/** A new thread may open a scope that has a time to end in. */
export function startClock(turn: Turn, thread: Thread): void {
  const { timeoutSeconds, ownScope } = turn.root(thread.root).saga ?? DEFAULTS;
  if (timeoutSeconds !== undefined && (thread.parent === undefined || ownScope)) turn.startTimer(`${CLOCK}${thread.id}`, turn.ports.now + timeoutSeconds * 1000);
}

export function stopClock(turn: Turn, thread: Thread): void {
  if (turn.root(thread.root).saga?.timeoutSeconds !== undefined) turn.cancelAll((waiter) => waiter !== `${CLOCK}${thread.id}`);
}

/** undefined: nothing was undone or is being undone. */
export function sagaStatus({ status, saga }: { readonly status: ExecutionStatus; readonly saga?: Saga | undefined }): SagaStatus | undefined {
  if (!saga) return undefined;
  const { steps, undoings, undone = 0, leftDone = [] } = saga;
  const given = leftDone.some(({ by }) => by === 'definition');
  if (status === 'RUNNING' && undoings.length > 0) return given || undoings.some((undoing) => stuckIn(steps, undoing)) ? 'FAILED_TO_COMPENSATE' : 'COMPENSATING';
  if (given || (status !== 'RUNNING' && steps.length > 0)) return 'FAILED_TO_COMPENSATE';
  return undone + leftDone.length > 0 ? 'COMPENSATED' : undefined;
}

const stuckIn = (steps: readonly SagaStep[], undoing: Undoing): boolean => stepsIn(steps, undoing).some(({ status }) => status === 'PARKED');

/** What is waited for by somebody: steps of scopes that are being undone. */
export function stuckSteps({ steps, undoings }: Saga): readonly SagaStep[] {
  return steps.filter((step) => step.status === 'PARKED' && undoings.some((undoing) => stepsIn([step], undoing).length > 0));
}

/** The thread whose failure undoes what this one does. */
export function scopeOf(turn: Turn, thread: Thread): string {
  if (thread.parent === undefined || turn.root(thread.root).saga?.ownScope) return thread.id;
  return scopeOf(turn, turn.thread(thread.parent));
}

export function settingsOf(turn: Turn, scope: string): SagaSettings {
  return (turn.has(scope) ? turn.root(turn.thread(scope).root).saga : turn.top.saga) ?? DEFAULTS;
}

export const stepsOf = (turn: Turn, undoing: Undoing): readonly SagaStep[] => stepsIn((turn.saga ?? EMPTY).steps, undoing);

function stepsIn(steps: readonly SagaStep[], { scope, purpose, ...undoing }: Undoing): readonly SagaStep[] {
  const after = 'after' in undoing ? undoing.after : 0;
  return steps.filter((step) => (purpose === 'close' || step.scope === scope) && step.step > after);
}

/** Remembers that a state with Compensate completed. `result` is null when the outcome is unknown. */
export async function record(turn: Turn, thread: Thread, state: State, result: Json, output: Json): Promise<void> {
  const { compensate } = state;
  if (!compensate) return;
  const saga = turn.saga ?? EMPTY;
  const step = saga.lastStep + 1;
  const common = { step, stateName: state.name, root: thread.root, scope: scopeOf(turn, thread), used: [], attempts: 0 } as const;
  let recorded: SagaStep;
  try {
    recorded = { ...common, arguments: await argumentsOf(turn, thread, compensate, result, output), status: 'DUE' };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    // What was done must not be lost because its undoing cannot be described: a person decides.
    recorded = { ...common, arguments: null, status: 'PARKED', error: error.error, cause: error.message };
  }
  turn.saga = { ...saga, lastStep: step, steps: [...saga.steps, recorded] };
}

async function argumentsOf(turn: Turn, thread: Thread, compensate: JsonObject, result: Json, output: Json): Promise<Json> {
  const { Arguments: queries, Parameters: template } = compensate;
  const scope = turn.scope(thread);
  if (queries !== undefined) return evaluateQueries(scope, queries, 'Mecha/Compensate/Arguments', { result });
  return template === undefined ? output : evaluateTemplate(scope, template, output);
}

/** Whether a failed state may have done its work all the same. */
export function mayHaveHappened(state: State, thread: Thread, failure: Failure): boolean {
  return state.compensate !== undefined && (thread.uncertain === true || failure.error === STATES.timeout || (state.compensate['When'] === 'StartedOrCompleted' && thread.doing.kind === 'task'));
}

/** Forgets the steps of a scope, or all. */
export function forget(turn: Turn, scope?: string): readonly string[] {
  if (!turn.saga) return [];
  const gone = turn.saga.steps.filter((step) => scope === undefined || step.scope === scope);
  turn.saga = { ...turn.saga, steps: turn.saga.steps.filter((step) => !gone.includes(step)) };
  return gone.map(({ stateName }) => stateName);
}

/** A scope is gone before its steps were undone: they belong to the scope around it. */
export function promote(turn: Turn, from: string, to: string): void {
  if (!turn.saga) return;
  turn.saga = { ...turn.saga, steps: turn.saga.steps.map((step) => (step.scope === from ? { ...step, scope: to } : step)), undoings: turn.saga.undoings.filter(({ scope }) => scope !== from) };
}

export function begin(turn: Turn, undoing: Undoing): void {
  const saga = turn.saga ?? EMPTY;
  turn.saga = { ...saga, undoings: [...saga.undoings, undoing] };
}

/** Undoings that a thread waits for end with it. */
export function abandon(turn: Turn, threadId: string): void {
  if (turn.saga) turn.saga = { ...turn.saga, undoings: turn.saga.undoings.filter((undoing) => !('thread' in undoing) || undoing.thread !== threadId) };
}

/** Starts what can be undone now; returns an undoing that is complete, taken off the list. */
export function advance(turn: Turn): Undoing | undefined {
  for (const undoing of turn.saga?.undoings ?? []) {
    const steps = stepsOf(turn, undoing).toReversed();
    const { maxConcurrency, onCompensationFailure } = settingsOf(turn, undoing.scope);
    const stuck = steps.find(({ status }) => status === 'PARKED');
    if (steps.length === 0 || (stuck && onCompensationFailure === 'Fail')) {
      turn.saga = { ...(turn.saga ?? EMPTY), undoings: (turn.saga ?? EMPTY).undoings.filter((other) => other !== undoing) };
      return undoing;
    }
    if (stuck && onCompensationFailure === 'Continue') {
      leaveDone(turn, stuck, 'definition', 'OnCompensationFailure is Continue');
      return advance(turn);
    }
    for (const step of steps.slice(0, maxConcurrency)) if (step.status === 'DUE') startUndo(turn, step);
  }
  return undefined;
}

/** What is said about a step that is being undone. */
export function sagaEvent(turn: Turn, waiter: string, event: TurnEvent): void {
  const step = turn.saga?.steps.find((each) => `${WAITER}${each.step}` === waiter);
  if (!step || !('id' in event)) return;
  switch (event.type) {
    case 'timerFired':
      turn.settled(event.id);
      change(turn, step.step, { status: 'DUE' }, 'waitsFor');
      return;
    case 'taskSucceeded':
      turn.settled(event.id);
      noteUndo(turn, step, 'TaskSucceeded', { output: event.output, outputDetails: { truncated: false } });
      finished(turn, step);
      return;
    case 'taskFailed':
    case 'taskTimedOut': {
      turn.settled(event.id);
      const failure: Failure = event.type === 'taskTimedOut' ? { error: STATES.timeout } : said(event);
      noteUndo(turn, step, event.type === 'taskTimedOut' ? 'TaskTimedOut' : 'TaskFailed', said(failure));
      failed(turn, step, failure);
      return;
    }
    default:
  }
}

/** A person's word about a parked step. Anything else changes nothing. */
export function decide(turn: Turn, word: Extract<TurnEvent, { readonly type: 'compensationRetried' | 'compensationSkipped' }>): void {
  const step = turn.saga?.steps.find((each) => each.step === word.step);
  if (step?.status !== 'PARKED' || (word.attempts !== undefined && word.attempts !== step.attempts)) return;
  if (word.type === 'compensationRetried') {
    change(turn, step.step, { status: 'DUE', used: [], ...(word.arguments === undefined ? {} : { arguments: word.arguments }) }, 'error', 'cause');
    return;
  }
  const { reason } = word;
  noteUndo(turn, step, 'TaskSucceeded', { output: JSON.stringify({ skipped: true, ...(reason === undefined ? {} : { reason }) }), outputDetails: { truncated: false } });
  leaveDone(turn, step, 'person', reason);
}

function startUndo(turn: Turn, step: SagaStep): void {
  const { compensate, resource } = undoOf(turn, step);
  const id = turn.nextId();
  const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = compensate;
  turn.expect(id, `${WAITER}${step.step}`);
  noteUndo(turn, step, 'TaskScheduled', { region: 'local', parameters: turn.text(step.arguments), ...(typeof timeout === 'number' ? { timeoutInSeconds: timeout } : {}) });
  noteUndo(turn, step, 'TaskStarted', {});
  turn.send({
    type: 'scheduleTask',
    id,
    resource,
    arguments: step.arguments,
    ...(typeof timeout === 'number' ? { timeoutSeconds: timeout } : {}),
    ...(typeof heartbeat === 'number' ? { heartbeatSeconds: heartbeat } : {}),
    idempotencyKey: `${turn.execution.id}/saga/${step.step}`,
    stateName: step.stateName,
    attempt: step.attempts,
    compensates: { step: step.step, stateName: step.stateName },
  });
  change(turn, step.step, { status: 'RUNNING', attempts: step.attempts + 1, waitsFor: id });
}

function failed(turn: Turn, step: SagaStep, failure: Failure): void {
  const retriers = retriersOf(undoOf(turn, step).compensate);
  const at = retriers.findIndex(({ errors }) => matches(errors, failure));
  const chosen = retriers[at];
  const used = step.used[at] ?? 0;
  if (!chosen || used >= chosen.maxAttempts) return change(turn, step.step, { status: 'PARKED', ...said(failure) }, 'waitsFor');
  const timer = turn.startTimer(`${WAITER}${step.step}`, turn.ports.now + retryDelayMs(chosen, used, turn.ports.random));
  change(turn, step.step, { status: 'WAITING', used: retriers.map((_, index) => (step.used[index] ?? 0) + (index === at ? 1 : 0)), waitsFor: timer, ...said(failure) });
}

function retriersOf(compensate: JsonObject): readonly Retrier[] {
  const { Retry: list } = compensate;
  return isArray(list) ? list.filter(isObject).map(retrier) : PATIENT;
}

function finished(turn: Turn, step: SagaStep): void {
  dropStep(turn, step.step);
  const saga = turn.saga ?? EMPTY;
  turn.saga = { ...saga, undone: (saga.undone ?? 0) + 1, undoings: saga.undoings.map((undoing) => (undoing.purpose === 'resume' && undoing.scope === step.scope ? { ...undoing, undone: [...undoing.undone, step.stateName] } : undoing)) };
}

/** It stays done, and that is remembered. */
function leaveDone(turn: Turn, { step, stateName, error }: SagaStep, by: LeftDone['by'], reason: string | undefined): void {
  dropStep(turn, step);
  const saga = turn.saga ?? EMPTY;
  const left: LeftDone = { step, stateName, by, ...(reason === undefined ? {} : { reason }), ...(error === undefined ? {} : { error }) };
  turn.saga = { ...saga, leftDone: [...(saga.leftDone ?? []), left] };
}

/** Steps of a scope that fails with one of them stuck. */
export function leaveAllDone(turn: Turn, undoing: Undoing): void {
  for (const step of stepsOf(turn, undoing)) leaveDone(turn, step, 'definition', 'OnCompensationFailure is Fail');
}

function dropStep(turn: Turn, number: number): void {
  if (turn.saga) turn.saga = { ...turn.saga, steps: turn.saga.steps.filter(({ step }) => step !== number) };
}

function change(turn: Turn, number: number, changes: Partial<SagaStep>, ...without: readonly ('waitsFor' | 'error' | 'cause')[]): void {
  if (!turn.saga) return;
  const changed = (step: SagaStep): SagaStep => {
    const next: Partial<Record<string, unknown>> = { ...step, ...changes };
    for (const name of without) delete next[name];
    return next as unknown as SagaStep;
  };
  turn.saga = { ...turn.saga, steps: turn.saga.steps.map((step) => (step.step === number ? changed(step) : step)) };
}

function undoOf(turn: Turn, { root, stateName }: SagaStep): { readonly compensate: JsonObject; readonly resource: string } {
  const compensate = stateIn(turn.root(root), stateName).compensate ?? {};
  return { compensate, resource: String(compensate['Resource']) };
}

function stateIn(root: Root, name: string): State {
  const state = root.states.get(name);
  if (!state) throw new Error(`the definition has no state ${name}`);
  return state;
}

/** Undoing is an ordinary task in the history, of a type that no service has. */
function noteUndo(turn: Turn, step: SagaStep, type: string, details: JsonObject): void {
  const saga = turn.saga ?? EMPTY;
  const undoing = saga.undoings.find((each) => stepsOf(turn, each).some((other) => other.step === step.step));
  const common: Pick<Resource, 'resourceType' | 'resource'> = { resourceType: 'mecha-saga', resource: `compensate:${step.stateName}` };
  const at = turn.note(undoing?.at ?? 0, type, `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`, { ...common, ...details });
  if (undoing) turn.saga = { ...saga, undoings: saga.undoings.map((other) => (other === undoing ? { ...undoing, at } : other)) };
}
