/**
 * What happened, from the engine's words to the language's. Failures that cross the engine carry error, cause and status exactly, absent
 * ones included, in `inner`: the engine's own two texts cannot tell absent from empty.
 */
import type { ClosedStatus, ExecutionInfo, TurnEvent } from '../asl/messages.ts';
import { ACTIVITY_SILENT, ACTIVITY_TIMEOUT } from '../engine/activity-runner.ts';
import type { FailureDetails, HistoryEvent } from '../engine/vocabulary.ts';
import { TOLD_EVENT } from './arns.ts';
import { asJson } from './task-arguments.ts';

const EXACT = 'Mecha.States';
/** Timers with ids from here on end what has the id below and keeps no clock of its own: an execution that a task waits for. */
export const DEADLINES_FROM = 2 ** 40;

export interface ExactFailure {
  readonly error?: string;
  readonly cause?: string;
  readonly status?: ClosedStatus;
  readonly stage?: 'start' | 'submit';
}

export function exactFailure(failure: ExactFailure): FailureDetails {
  return { errorType: failure.error ?? failure.status ?? '', errorMessage: failure.cause ?? '', inner: { errorType: EXACT, errorMessage: JSON.stringify(failure) } };
}
export function readFailure({ errorType, errorMessage, inner }: FailureDetails): ExactFailure {
  if (inner?.errorType === EXACT) return JSON.parse(inner.errorMessage) as ExactFailure;
  return { error: errorType, cause: errorMessage };
}

/** `extra` of executions: how they are called, and which part of the definition they run. */
export interface ExecutionExtra {
  readonly execution: ExecutionInfo;
  readonly root?: string;
}

/** Words that somebody outside may say to an execution. */
const TOLD: ReadonlySet<string> = new Set<TurnEvent['type']>(['taskStarted', 'taskSubmitted', 'compensationRetried', 'compensationSkipped', 'redriven', 'mapRunChanged']);

/** undefined: nothing that the language hears of. `isWorkflow`: whether the child of that task is a workflow of SDK workers. */
export function turnEvent(event: HistoryEvent, isWorkflow: (taskId: string) => boolean): TurnEvent | undefined {
  switch (event.kind) {
    case 'executionStarted': {
      const { execution, root } = event.extra as unknown as ExecutionExtra;
      return { type: 'executionStarted', execution, input: event.input ?? '{}', ...(root === undefined ? {} : { root }) };
    }
    case 'taskCompleted':
      return { type: 'taskSucceeded', id: String(event.taskId), output: event.result ?? 'null' };
    case 'taskFailed':
      return taskFailed(String(event.taskId), event.failure);
    case 'timerFired':
      if (event.timerId >= DEADLINES_FROM) return { type: 'taskTimedOut', id: String(event.timerId - DEADLINES_FROM) };
      return { type: 'timerFired', id: String(event.timerId) };
    case 'childCompleted':
      if (isWorkflow(String(event.taskId))) return { type: 'taskSucceeded', id: String(event.taskId), output: asJson(event.result ?? '') };
      return { type: 'childEnded', id: String(event.taskId), status: 'SUCCEEDED', output: event.result ?? 'null' };
    case 'childFailed':
      if (isWorkflow(String(event.taskId))) return workflowFailed(String(event.taskId), event.failure);
      return childFailed(String(event.taskId), event.failure);
    case 'executionTerminated':
      return { type: 'stopRequested', ...stopReason(event.input) };
    case 'eventRaised':
      return event.name === TOLD_EVENT ? told(event.input) : undefined;
    default:
      return undefined;
  }
}

function taskFailed(id: string, failure: FailureDetails): TurnEvent {
  if (failure.inner === undefined && (failure.errorType === ACTIVITY_TIMEOUT || failure.errorType === ACTIVITY_SILENT)) {
    return { type: 'taskTimedOut', id, heartbeat: failure.errorType === ACTIVITY_SILENT };
  }
  const { error, cause, stage } = readFailure(failure);
  return { type: 'taskFailed', id, ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }), ...(stage === undefined ? {} : { stage }) };
}

function childFailed(id: string, failure: FailureDetails | undefined): TurnEvent {
  if (!failure) return { type: 'childEnded', id, status: 'ABORTED' };
  // Between the look whether the name is free and the commit somebody else took it.
  if (failure.errorType === 'ChildWorkflowExists') return { type: 'taskFailed', id, error: 'StepFunctions.ExecutionAlreadyExistsException', cause: failure.errorMessage };
  const { status = 'FAILED', error, cause } = readFailure(failure);
  return { type: 'childEnded', id, status, ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
}

/** The names of the engine's own reasons are those of the task that waited; all others are what the workflow failed with. */
const WORKFLOW_FAULTS: Readonly<Record<string, string>> = { ChildWorkflowExists: 'WorkflowExists', ChildWorkflowPurged: 'WorkflowPurged' };
function workflowFailed(id: string, failure: FailureDetails | undefined): TurnEvent {
  if (!failure) return { type: 'taskFailed', id, error: 'WorkflowTerminated', cause: 'the workflow was terminated' };
  const { errorType, errorMessage } = failure;
  return { type: 'taskFailed', id, error: WORKFLOW_FAULTS[errorType] ?? (errorType === '' ? 'States.TaskFailed' : errorType), cause: errorMessage };
}

/** What StopExecution gave; from other doors a termination's output is any text. */
function stopReason(input: string | undefined): { readonly error?: string; readonly cause?: string } {
  if (input === undefined) return {};
  const value = parsed(input);
  if (typeof value !== 'object' || value === null) return { cause: input };
  const { error, cause } = value as Record<string, unknown>;
  return { ...(typeof error === 'string' ? { error } : {}), ...(typeof cause === 'string' ? { cause } : {}) };
}

function told(input: string | undefined): TurnEvent | undefined {
  const value = parsed(input ?? '');
  return typeof value === 'object' && value !== null && TOLD.has(String((value as { type?: unknown }).type)) ? (value as TurnEvent) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
