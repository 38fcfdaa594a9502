/** What tasks that start executions answer, as the real service words it. */
import { parseJson, type Json, type JsonObject } from '../json.ts';
import type { ChildDescription } from '../messages.ts';
import { STATES } from '../state-error.ts';

/** JSON text. */
export function childStartedOutput(child: { readonly executionArn: string; readonly startedMs: number }): string {
  return JSON.stringify({ ExecutionArn: child.executionArn, StartDate: child.startedMs });
}

/** The answer of `.sync` (texts stay texts) and of `.sync:2` (they are parsed), as JSON text. */
export function childOutput(child: ChildDescription, parsed: boolean, depthMax: number): string {
  const data = (text: string): Json => (parsed ? parseJson(text, depthMax) : text);
  return JSON.stringify({
    ...described(child),
    Input: data(child.input),
    InputDetails: { Included: true },
    ...(child.output === undefined ? {} : { Output: data(child.output), OutputDetails: { Included: true } }),
  });
}

/** Error and cause of a task whose execution did not succeed. */
export function failureOf(child: ChildDescription): [error: string, cause: string] {
  const cause: JsonObject = {
    ...(child.cause === undefined ? {} : { Cause: child.cause }),
    ...(child.error === undefined ? {} : { Error: child.error }),
    ...described(child),
    Input: child.input,
    InputDetails: { Included: true },
  };
  return [STATES.taskFailed, JSON.stringify(cause)];
}

function described(child: ChildDescription): JsonObject {
  return {
    ExecutionArn: child.executionArn,
    Name: child.name,
    StartDate: child.startedMs,
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    StopDate: child.stoppedMs,
  };
}
