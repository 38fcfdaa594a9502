/** What tasks that start executions answer, as the real service words it. */
import { parseJson, type Json, type JsonObject } from '../json.ts';
import type { TurnEvent } from '../messages.ts';
import type { NestedExecution } from '../snapshot.ts';
import { STATES } from '../state-error.ts';

export type ChildEnded = Extract<TurnEvent, { readonly type: 'childEnded' }>;

/** JSON text. */
export function childStartedOutput({ arn = '', startedMs = 0 }: NestedExecution): string {
  return JSON.stringify({ ExecutionArn: arn, StartDate: startedMs });
}

/** The answer of `.sync` (texts stay texts) and of `.sync:2` (they are parsed), as JSON text. */
export function childOutput(child: NestedExecution, ended: ChildEnded, nowMs: number, parsed: boolean, depthMax: number): string {
  const data = (text: string): Json => (parsed ? parseJson(text, depthMax) : text);
  return JSON.stringify({
    ...described(child, ended, nowMs),
    Input: parsed ? child.input : JSON.stringify(child.input),
    InputDetails: { Included: true },
    ...(ended.output === undefined ? {} : { Output: data(ended.output), OutputDetails: { Included: true } }),
  });
}

/** Error and cause of a task whose execution did not succeed. */
export function failureOf(child: NestedExecution, ended: ChildEnded, nowMs: number): [error: string, cause: string] {
  const cause: JsonObject = {
    ...(ended.cause === undefined ? {} : { Cause: ended.cause }),
    ...(ended.error === undefined ? {} : { Error: ended.error }),
    ...described(child, ended, nowMs),
    Input: JSON.stringify(child.input),
    InputDetails: { Included: true },
  };
  return [STATES.taskFailed, JSON.stringify(cause)];
}

function described({ arn = '', name = '', startedMs = 0, machineArn }: NestedExecution, { status }: ChildEnded, nowMs: number): JsonObject {
  return { ExecutionArn: arn, Name: name, StartDate: startedMs, StateMachineArn: machineArn, Status: status, StopDate: nowMs };
}
