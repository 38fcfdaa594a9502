/**
 * What stands behind the engine: executors of turns and of activities. A worker's stream, the Amazon States Language interpreter and
 * functions in this process are attached here; the engine knows them by these two ports only.
 *
 * A *replay* executor is given the past and the new events and answers with actions; a *snapshot* executor is given its last state text
 * and the new events, and answers with actions and the next state. Either may be asked the same turn again: an answer counts
 * only when its step was committed.
 */
import type { WorkflowParent } from '@mecha/components/kit';
import type { FailureDetails, HistoryEvent, TraceContext, WorkerVersion, WorkflowAction } from './vocabulary.ts';

export interface TurnInstance {
  readonly app: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version?: string;
  readonly parent?: WorkflowParent;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface Turn {
  readonly instance: TurnInstance;
  /** Of this dispatch; a late answer to an earlier one is told by it. */
  readonly token: string;
  /** Turns of the instance committed so far; grows over continue-as-new. */
  readonly number: number;
  /** Events committed so far in this execution. */
  readonly pastCount: number;
  /** Replay only, otherwise empty: the committed history, oldest first. Held in memory: not to be changed. */
  readonly past: readonly HistoryEvent[];
  /** `workflowStarted` first, then what arrived, in order. */
  readonly newEvents: readonly HistoryEvent[];
  /** Snapshot only: absent in the first turn of an execution. */
  readonly snapshot?: string;
}

export interface TurnResult {
  readonly actions: readonly WorkflowAction[];
  /** Snapshot executors: the next state. Absent: as it was. */
  readonly snapshot?: string;
  /** Snapshot executors: records for the history, in order, in place of the engine's own. */
  readonly audit?: readonly unknown[];
  /** null removes it; absent leaves it. */
  readonly customStatus?: string | null;
  /** For search; null removes. */
  readonly attributes?: Readonly<Record<string, string | null>>;
  /** Replay: what the worker says of its code. */
  readonly version?: WorkerVersion;
}

export interface WorkflowExecutor {
  readonly style: 'replay' | 'snapshot';
  /** Quick, in this process, and without effects of its own: results and turn may share a commit, and a turn may be thrown away. */
  readonly inline: boolean;
  /** Names that it runs, asked at each claim; absent: all. */
  names?(): readonly string[];
  /** Asks for termination as an event (`executionTerminated`) and ends by itself, for example after compensating. */
  readonly endsGracefully?: boolean;
  /**
   * Throws `ExecutorUnavailable` when it went away (the turn is given out again), `TurnRejected` when this instance cannot go on, and
   * anything else as a failure of the turn, tried again a few times.
   */
  runTurn(turn: Turn, signal: AbortSignal): Promise<TurnResult> | TurnResult;
  /** Its answer was not committed, or the instance is no longer kept in memory: whatever it remembers of it is worth nothing. */
  forget?(instance: { readonly app: string; readonly instanceId: string; readonly executionId: string }): void;
}

export interface ActivityRequest {
  /** Of the instance. */
  readonly app: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflowName: string;
  readonly taskId: number;
  readonly name: string;
  readonly version?: string;
  readonly input?: string;
  readonly taskExecutionId?: string;
  readonly trace?: TraceContext;
  /** From 1: attempts that the engine made by the retry policy of the action. */
  readonly attempt: number;
  /** The same for every run of this task: instance, execution and task. */
  readonly idempotencyKey: string;
  /** Completes it from outside, when deferred, and sends heartbeats: `Engine.completeActivity`, `Engine.heartbeat`. */
  readonly token: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type ActivityOutcome =
  | { readonly kind: 'completed'; readonly result?: string }
  | { readonly kind: 'failed'; readonly failure: FailureDetails }
  /** Will be completed by its token. */
  | { readonly kind: 'deferred' };

export interface ActivityExecutor {
  /** Names that it runs, asked at each claim; absent: all. */
  names?(): readonly string[];
  /**
   * The signal aborts when the result is no longer wanted. Throwing `ExecutorUnavailable` gives the activity back, anything else is a failure.
   */
  runActivity(request: ActivityRequest, signal: AbortSignal): Promise<ActivityOutcome> | ActivityOutcome;
}

/** Whoever was asked is gone, or cannot take it now. No failure: it is given out again. */
export class ExecutorUnavailable extends Error {
  constructor(message = 'the executor is not there') {
    super(message);
    this.name = 'ExecutorUnavailable';
  }
}

/** Why an instance cannot go on by itself. */
export const STALL_REASONS = ['non-deterministic', 'patch-mismatch', 'version-not-available', 'payload-too-large', 'executor-failed', 'damaged'] as const;
export type StallReason = (typeof STALL_REASONS)[number];

/** This instance cannot go on with this answer: it is stalled by this name, its messages stay. */
export class TurnRejected extends Error {
  readonly reason: StallReason;
  constructor(reason: StallReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TurnRejected';
    this.reason = reason;
  }
}
