/** A definition that was loaded and found valid: what an execution runs. */
import type { Expressions } from './expressions.ts';
import type { JsonObject } from './json.ts';

export const STATE_TYPES = ['Task', 'Wait', 'Pass', 'Succeed', 'Fail', 'Choice', 'Parallel', 'Map'] as const;
export type StateType = (typeof STATE_TYPES)[number];
export type QueryLanguage = 'JSONPath' | 'JSONata';

export interface Machine {
  /** As it was submitted. */
  readonly text: string;
  readonly definition: JsonObject;
  /** By path: '' the machine itself, `/States/P/Branches/0`, `/States/M/ItemProcessor` ... */
  readonly roots: ReadonlyMap<string, Root>;
  readonly expressions: Expressions;
  readonly timeoutSeconds?: number;
  /** Names of the variables that each state reads, for DescribeStateMachine. */
  readonly variableReferences: Readonly<Record<string, readonly string[]>>;
}

/** States that run as one thread: the machine, a branch, the processor of a Map. */
export interface Root {
  readonly path: string;
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  readonly saga?: SagaSettings;
}

export interface State {
  readonly name: string;
  readonly path: string;
  readonly type: StateType;
  readonly language: QueryLanguage;
  readonly fields: JsonObject;
  /** undefined: the state ends its root (or is a Choice). */
  readonly next?: string;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
  /** Paths of the roots below a Parallel (in order) or a Map (one). */
  readonly roots: readonly string[];
  readonly distributed?: { readonly executionType: 'STANDARD' | 'EXPRESS'; readonly label?: string };
  readonly compensate?: JsonObject;
}

export interface Retrier {
  readonly errors: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds?: number;
  readonly fullJitter: boolean;
}

export interface Catcher {
  readonly errors: readonly string[];
  readonly next: string;
  readonly fields: JsonObject;
  /** Completed steps of the scope are undone before the next state is entered. */
  readonly compensate: boolean;
}

export interface SagaSettings {
  readonly on: ReadonlySet<'Failure' | 'Timeout' | 'Abort'>;
  readonly onCompensationFailure: 'Park' | 'Continue' | 'Fail';
  readonly maxConcurrency: number;
  /** From the scope's beginning; then it is undone. Undoing itself has no end in time. */
  readonly timeoutSeconds?: number;
  /** A nested root that is undone by itself, not with the root around it. */
  readonly ownScope: boolean;
}
