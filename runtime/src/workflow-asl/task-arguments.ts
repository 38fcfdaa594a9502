/** What tasks are called with and what they answer, as far as all kinds of tasks share it. */
import { MechaError, messageOf } from '../errors.ts';
import type { KeptTrace } from '../telemetry/trace.ts';
import type { ExactFailure } from './turn-events.ts';

export interface TaskRequest {
  readonly resource: string;
  readonly arguments: unknown;
  readonly idempotencyKey: string;
  /** Of the execution; absent: it began before executions kept one. */
  readonly trace?: KeptTrace;
}

/** A task that failed by a name of the language's. */
export class TaskFailure extends Error {
  readonly failure: ExactFailure;
  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.name = 'TaskFailure';
    this.failure = { error, cause };
  }
}

/** By the name that a block gave it, or as the language calls what has none. */
export function failureOf(error: unknown): ExactFailure {
  if (error instanceof TaskFailure) return error.failure;
  return { error: error instanceof MechaError ? error.code : 'States.TaskFailed', cause: messageOf(error) };
}

export function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TaskFailure('States.Runtime', 'the arguments of this task, and what has names in them, must be objects');
  return value as Record<string, unknown>;
}
export function textField(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TaskFailure('States.Runtime', `the argument ${name} of this task must be text`);
  return value;
}
export const optionalTextField = (name: string, value: unknown): string | undefined => (value === undefined ? undefined : textField(name, value));

/** JSON as it is, nothing as null, other text as a string. */
export function asJson(text: string): string {
  if (text === '') return 'null';
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
