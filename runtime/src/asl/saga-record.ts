/** What an execution remembers of the steps that can be undone. */
import type { Json } from './json.ts';
import type { ClosedStatus } from './messages.ts';

export interface Saga {
  /** In the order in which they completed; undone from the last. */
  readonly steps: readonly SagaStep[];
  readonly lastStep: number;
  /** Scopes that are being undone. */
  readonly undoings: readonly Undoing[];
  /** How many steps were undone; absent: none. */
  readonly undone?: number;
  /** Steps that stay done, because a person or the definition said so. */
  readonly leftDone?: readonly LeftDone[];
}

export interface LeftDone {
  readonly step: number;
  readonly stateName: string;
  readonly by: 'person' | 'definition';
  readonly reason?: string;
  readonly error?: string;
}

/** COMPENSATING: steps are being undone. FAILED_TO_COMPENSATE: one of them is stuck, or stayed done for good. */
export type SagaStatus = 'COMPENSATING' | 'COMPENSATED' | 'FAILED_TO_COMPENSATE';

/** A completed step, with the arguments of its undoing as they were when it completed. */
export interface SagaStep {
  readonly step: number;
  readonly stateName: string;
  /** Where its Compensate stands: root and state. */
  readonly root: string;
  /** The thread that is its scope. */
  readonly scope: string;
  readonly arguments: Json;
  /** PARKED: out of retries, waits for a person's word. */
  readonly status: 'DUE' | 'RUNNING' | 'WAITING' | 'PARKED';
  /** Attempts used of each retrier. */
  readonly used: readonly number[];
  /** Tries made so far. */
  readonly attempts: number;
  /** The task or timer that is under way. */
  readonly waitsFor?: string;
  readonly error?: string;
  readonly cause?: string;
}

interface UndoingOfScope {
  readonly scope: string;
  /** Last event of the undoing. */
  readonly at: number;
  readonly error?: string;
  readonly cause?: string;
}

/** What happens when a scope is undone. */
export type Undoing = UndoingOfScope &
  (
    | { readonly purpose: 'close'; readonly status: Exclude<ClosedStatus, 'SUCCEEDED'> }
    | { readonly purpose: 'fail'; readonly thread: string; readonly terminal: boolean }
    | { readonly purpose: 'catch'; readonly thread: string; readonly catcher: number }
    | { readonly purpose: 'resume'; readonly thread: string; readonly undone: readonly string[]; readonly after: number }
  );
