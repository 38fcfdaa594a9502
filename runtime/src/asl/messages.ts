/**
 * What goes into a turn and what comes out of it. All of it is JSON: the engine stores and carries it and need not
 * understand it.
 */
import type { Json, JsonObject } from './json.ts';

export interface ExecutionInfo {
  readonly id: string;
  readonly name: string;
  readonly roleArn: string;
  readonly stateMachineId: string;
  readonly stateMachineName: string;
}

/** What happened. An event about an id that nobody waits for any more is ignored, so that each may come twice. Outputs are JSON text. */
export type TurnEvent =
  /** `input` is JSON text. `root` is set for the children of a distributed Map, as their command gave it. */
  | { readonly type: 'executionStarted'; readonly execution: ExecutionInfo; readonly input: string; readonly root?: string }
  /** Optional, for the history: somebody works on the task. */
  | { readonly type: 'taskStarted'; readonly id: string; readonly workerName?: string }
  /** Optional, for the history: the call that waits for a token was made. */
  | { readonly type: 'taskSubmitted'; readonly id: string; readonly output?: string }
  | { readonly type: 'taskSucceeded'; readonly id: string; readonly output: string }
  | { readonly type: 'taskFailed'; readonly id: string; readonly error?: string; readonly cause?: string; readonly stage?: 'start' | 'submit' }
  | { readonly type: 'taskTimedOut'; readonly id: string; readonly heartbeat?: boolean }
  | { readonly type: 'timerFired'; readonly id: string }
  /** The execution that a startExecution command asked for; a startMapChild command needs no such word. */
  | { readonly type: 'childStarted'; readonly id: string; readonly executionArn: string; readonly name: string }
  /** An execution that was to be waited for. */
  | { readonly type: 'childEnded'; readonly id: string; readonly status: ClosedStatus; readonly output?: string; readonly error?: string; readonly cause?: string }
  | { readonly type: 'stopRequested'; readonly error?: string; readonly cause?: string }
  /** A map run that is under way goes on by other limits; 0 is no limit of concurrency of one's own. */
  | { readonly type: 'mapRunChanged'; readonly mapRunArn: string; readonly maxConcurrency?: number; readonly toleratedFailureCount?: number; readonly toleratedFailurePercentage?: number }
  /** One that ended badly goes on from where it failed. */
  | { readonly type: 'redriven'; readonly clientToken?: string }
  /**
   * A person's word about a compensation that is stuck. `attempts`: how many tries the person knew of; when more were made since, it was
   * said of another state of things and changes nothing. `arguments`: in place of those that were recorded.
   */
  | { readonly type: 'compensationRetried'; readonly step: number; readonly attempts?: number; readonly arguments?: Json }
  | { readonly type: 'compensationSkipped'; readonly step: number; readonly attempts?: number; readonly reason?: string };

export type ClosedStatus = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
export type ExecutionStatus = 'RUNNING' | ClosedStatus;

/**
 * What shall be done. Ids are numbers as text, each given once in an execution. Everything with an `id` can be cancelled and is
 * answered by events with that id: what is scheduled, read or written by task events, what is started by child events, a timer by
 * its own. A map run is only told of, by its ARN.
 */
export type Command =
  | ScheduleTask
  | { readonly type: 'startTimer'; readonly id: string; readonly dueMs: number }
  /** Tasks, timers and children whose outcome no longer matters. */
  | { readonly type: 'cancel'; readonly ids: readonly string[] }
  | { readonly type: 'startExecution'; readonly id: string; readonly stateMachineArn: string; readonly name?: string; readonly input: Json; readonly wait: boolean; readonly timeoutSeconds?: number }
  | {
      readonly type: 'openMapRun';
      readonly mapRunArn: string;
      readonly maxConcurrency: number;
      readonly toleratedFailureCount: number;
      readonly toleratedFailurePercentage: number;
      readonly total: number;
    }
  | { readonly type: 'readItems'; readonly id: string; readonly mapRunArn: string; readonly resource: string; readonly arguments: Json; readonly config: JsonObject }
  | {
      readonly type: 'startMapChild';
      readonly id: string;
      readonly mapRunArn: string;
      /** Which item or batch. */
      readonly index: number;
      readonly execution: ExecutionInfo;
      readonly executionType: 'STANDARD' | 'EXPRESS';
      readonly root: string;
      readonly input: Json;
    }
  | { readonly type: 'writeResults'; readonly id: string; readonly mapRunArn: string; readonly resource: string; readonly arguments: Json; readonly config: JsonObject; readonly results: readonly MapResult[] }
  | { readonly type: 'closeMapRun'; readonly mapRunArn: string; readonly status: ClosedStatus; readonly counts: MapRunCounts };

export interface ScheduleTask {
  readonly type: 'scheduleTask';
  readonly id: string;
  readonly resource: string;
  readonly arguments: Json;
  readonly timeoutSeconds?: number;
  readonly heartbeatSeconds?: number;
  /** Who holds the token completes the task; absent: the answer of the call does. */
  readonly token?: string;
  readonly credentials?: Json;
  /** The same each time the same attempt is made again. */
  readonly idempotencyKey: string;
  readonly stateName: string;
  /** 0 for the first. */
  readonly attempt: number;
  /** Set when the task undoes a step. */
  readonly compensates?: { readonly step: number; readonly stateName: string };
}

/** Children of a distributed Map, by what became of them. */
export interface MapRunCounts {
  readonly pending: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly aborted: number;
}

/** One child of a distributed Map, for a ResultWriter. */
export interface MapResult {
  readonly index: number;
  readonly status: ClosedStatus;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

/** An event of the history. `details` stands under `detailsName` on the wire. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestampMs: number;
  readonly type: string;
  readonly detailsName?: string;
  readonly details?: JsonObject;
}
