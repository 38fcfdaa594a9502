/**
 * Task: one call to the outside, and what becomes of its answer. The outside keeps the task's clocks (TimeoutSeconds,
 * HeartbeatSeconds) and says when one ran out.
 */
import { BLOCKED, type Behaviour, type Outcome } from '../behaviour.ts';
import type { State } from '../definition.ts';
import { isObject, JsonInvalid, member, parseJson, type Json, type JsonObject } from '../json.ts';
import { parseResource, type Resource } from '../resource.ts';
import { forget, scopeOf, stopClock } from '../saga.ts';
import { evaluateQueries, evaluateTemplate, type Scope } from '../scope.ts';
import type { NestedExecution, Thread } from '../snapshot.ts';
import { runtimeError, said, STATES, StateError } from '../state-error.ts';
import { effectiveInput, isJsonata, numberField, workInput } from '../state-io.ts';
import { noteFailed, noteOutput, noteScheduled, noteStarted } from '../task-history.ts';
import type { Turn } from '../turn.ts';
import { childOutput, childStartedOutput, failureOf } from './nested-execution.ts';

export const task: Behaviour = {
  async start(turn, thread, state) {
    const resource = resourceOf(state);
    const id = turn.nextId();
    const token = resource.pattern === 'token' ? turn.ports.taskToken(id) : undefined;
    const scope = turn.scope(thread, token === undefined || resource.family === 'activity' ? {} : { Task: { Token: token } });
    const input = await workInput(scope, state);
    const timeoutSeconds = await seconds(scope, state, 'TimeoutSeconds');
    const heartbeatSeconds = await seconds(scope, state, 'HeartbeatSeconds');
    const credentials = await credentialsOf(scope, state);
    const roleArn = isObject(credentials) ? member(credentials, 'RoleArn') : undefined;
    const times = { ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(heartbeatSeconds === undefined ? {} : { heartbeatSeconds }) };
    if (turn.tooLarge(input)) throw new StateError(STATES.dataLimitExceeded, `The state/task '${state.name}' was given arguments with a size exceeding the maximum number of bytes service limit.`, { prefixed: false });
    if (resource.saga) {
      noteScheduled(turn, thread.id, resource, { arguments: input });
      noteStarted(turn, thread.id, resource);
      return sagaOutcome(turn, thread, resource, input);
    }
    noteScheduled(turn, thread.id, resource, { arguments: input, ...times, ...(typeof roleArn === 'string' ? { roleArn } : {}) });
    turn.expect(id, thread.id);
    const nested = resource.nested ? startExecution(id, resource, input, state) : undefined;
    turn.does(thread.id, { kind: 'task', id, started: false, submitted: false, ...(nested ? { child: { machineArn: nested.stateMachineArn, input: nested.input } } : {}) });
    if (nested) turn.send({ ...nested, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) });
    else {
      turn.send({
        type: 'scheduleTask',
        id,
        resource: resource.arn,
        arguments: input,
        ...times,
        ...(token === undefined ? {} : { token }),
        ...(credentials === undefined ? {} : { credentials }),
        idempotencyKey: `${turn.execution.id}/${id}`,
        stateName: state.name,
        attempt: thread.retryCount,
      });
    }
    return BLOCKED;
  },

  event(turn, thread, state, event) {
    const resource = resourceOf(state);
    switch (event.type) {
      case 'taskStarted':
        started(turn, thread, resource, event.workerName);
        return BLOCKED;
      case 'taskSubmitted':
        submitted(turn, thread, resource, event.output ?? '{}');
        return BLOCKED;
      case 'childStarted': {
        started(turn, thread, resource);
        const doing = turn.doing(thread.id, 'task');
        if (!doing.child || doing.child.arn !== undefined) return BLOCKED;
        const child: NestedExecution = { ...doing.child, arn: event.executionArn, name: event.name, startedMs: turn.ports.now };
        turn.does(thread.id, { ...doing, child });
        if (resource.pattern === 'request') return succeeded(turn, thread, state, resource, childStartedOutput(child));
        submitted(turn, thread, resource, childStartedOutput(child));
        return BLOCKED;
      }
      case 'childEnded': {
        const { child } = turn.doing(thread.id, 'task');
        if (!child || resource.pattern === 'request') return BLOCKED;
        const { now } = turn.ports;
        if (event.status === 'SUCCEEDED') return succeeded(turn, thread, state, resource, childOutput(child, event, now, resource.pattern === 'sync2', turn.limits.jsonDepthMax));
        return failed(turn, thread, resource, 'Failed', ...failureOf(child, event, now));
      }
      case 'taskSucceeded':
        return succeeded(turn, thread, state, resource, event.output);
      case 'taskFailed':
        return failed(turn, thread, resource, event.stage === 'start' ? 'StartFailed' : event.stage === 'submit' ? 'SubmitFailed' : 'Failed', event.error, event.cause);
      case 'taskTimedOut': {
        settle(turn, thread, resource, true);
        noteFailed(turn, thread.id, resource, 'TimedOut', STATES.timeout);
        return { kind: 'failed', failure: { error: STATES.timeout, ...(event.heartbeat ? { alias: STATES.heartbeatTimeout } : {}) } };
      }
      default:
        return BLOCKED;
    }
  },
};

/** Closing a saga early forgets its steps; undoing is for the flow. */
function sagaOutcome(turn: Turn, thread: Thread, resource: Resource, input: Json): Outcome {
  const upTo = isObject(input) ? member(input, 'UpTo') : undefined;
  if (resource.saga === 'compensate') return { kind: 'compensate', ...(typeof upTo === 'string' ? { upTo } : {}) };
  const scope = scopeOf(turn, thread);
  stopClock(turn, turn.thread(scope));
  const result = forget(turn, scope);
  noteOutput(turn, thread.id, resource, 'Succeeded', JSON.stringify(result));
  return { kind: 'result', result };
}

export function resourceOf(state: State): Resource {
  const resource = parseResource(String(state.fields['Resource']));
  if (!resource) throw runtimeError(`The resource ${String(state.fields['Resource'])} is not recognized.`);
  return resource;
}

async function seconds(scope: Scope, state: State, name: 'TimeoutSeconds' | 'HeartbeatSeconds'): Promise<number | undefined> {
  const value = await numberField(scope, state, { name, integer: true });
  if (value !== undefined && value < 1) throw runtimeError(`The ${name} of the state must be positive but was: ${value}`);
  return value;
}

async function credentialsOf(scope: Scope, state: State): Promise<Json | undefined> {
  const { Credentials: template } = state.fields;
  if (template === undefined) return undefined;
  return isJsonata(state) ? evaluateQueries(scope, template, 'Credentials') : evaluateTemplate(scope, template, effectiveInput(scope, state));
}

function startExecution(id: string, resource: Resource, input: Json, state: State): Extract<Parameters<Turn['send']>[0], { readonly type: 'startExecution' }> {
  const given: JsonObject = isObject(input) ? input : {};
  const { StateMachineArn: arn, Name: name, Input: childInput = {} } = given;
  if (typeof arn !== 'string') throw runtimeError(`The Parameters of the state '${state.name}' name no StateMachineArn.`);
  return { type: 'startExecution', id, stateMachineArn: arn, ...(typeof name === 'string' ? { name } : {}), input: childInput, wait: resource.pattern !== 'request' };
}

function started(turn: Turn, thread: Thread, resource: Resource, workerName?: string): void {
  const doing = turn.doing(thread.id, 'task');
  if (doing.started) return;
  noteStarted(turn, thread.id, resource, workerName);
  turn.does(thread.id, { ...doing, started: true });
}

function submitted(turn: Turn, thread: Thread, resource: Resource, output: string): void {
  started(turn, thread, resource);
  const doing = turn.doing(thread.id, 'task');
  if (doing.submitted) return;
  noteOutput(turn, thread.id, resource, 'Submitted', output);
  turn.does(thread.id, { ...doing, submitted: true });
}

/** The id is answered; a task that nobody said was started was started all the same. */
function settle(turn: Turn, thread: Thread, resource: Resource, wasStarted: boolean): void {
  const doing = turn.doing(thread.id, 'task');
  if (wasStarted) started(turn, thread, resource);
  turn.settled(doing.id);
}

function succeeded(turn: Turn, thread: Thread, state: State, resource: Resource, output: string): Outcome {
  settle(turn, thread, resource, true);
  let result: Json;
  try {
    result = parseJson(output, turn.limits.jsonDepthMax);
  } catch (error) {
    if (!(error instanceof JsonInvalid)) throw error;
    return fault(turn, thread, resource, STATES.runtime, `The output of the task is not JSON: ${error.message}`);
  }
  turn.keepText(result, output);
  if (turn.tooLarge(result)) {
    const what = resource.family === 'lambda' ? resource.arn : resource.family === 'activity' ? state.name : resource.resourceType;
    return fault(turn, thread, resource, STATES.dataLimitExceeded, `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes service limit.`);
  }
  noteOutput(turn, thread.id, resource, 'Succeeded', output);
  return { kind: 'result', result };
}

function fault(turn: Turn, thread: Thread, resource: Resource, error: string, cause: string): Outcome {
  noteFailed(turn, thread.id, resource, 'Failed', error, cause);
  return { kind: 'failed', failure: { error, cause, ...(error === STATES.runtime ? { terminal: true } : {}) } };
}

function failed(turn: Turn, thread: Thread, resource: Resource, stage: 'Failed' | 'StartFailed' | 'SubmitFailed', error?: string, cause?: string): Outcome {
  settle(turn, thread, resource, stage !== 'StartFailed');
  noteFailed(turn, thread.id, resource, stage, error, cause);
  return { kind: 'failed', failure: said({ error, cause }) };
}

