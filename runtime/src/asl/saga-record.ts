/** What an execution remembers of the steps that can be undone. */
import type { Json } from './json.ts';
import type { ExecutionStatus } from './messages.ts';

export interface Saga {
  readonly steps: readonly SagaStep[];
  readonly lastStep: number;
  /** Set while steps are undone. */
  readonly undoing?: Undoing;
}

/** A completed step, with the arguments of its undoing as they were when it completed. */
export interface SagaStep {
  readonly step: number;
  readonly stateName: string;
  readonly statePath: string;
  /** The thread whose root opened the scope. */
  readonly scope: string;
  readonly resource: string;
  readonly arguments: Json;
  /** PARKED: out of retries, waiting for a person's word. */
  readonly status: 'DUE' | 'RUNNING' | 'WAITING' | 'PARKED';
  readonly attempts: readonly number[];
  readonly attempt: number;
  readonly command?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** Who asked for the undoing, and what happens when it is done. */
export type Undoing =
  | { readonly scope: string; readonly then: 'fail'; readonly thread: string; readonly error?: string; readonly cause?: string; readonly terminal: boolean }
  | { readonly scope: string; readonly then: 'close'; readonly status: ExecutionStatus; readonly error?: string; readonly cause?: string }
  | { readonly scope: string; readonly then: 'resume'; readonly thread: string; readonly undone: readonly string[]; readonly upTo?: string };
