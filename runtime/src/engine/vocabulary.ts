/**
 * What histories are made of and what executors ask for. Kind by kind the vocabulary of the durabletask protocol (workflow-protocol.md
 * 7.1 and 7.2), so that a door translates without deciding anything; the names are ours, and nothing of the protocol is imported.
 *
 * Payloads are text and are passed on unread: absent and empty are two things. `at` is milliseconds since the epoch. Instants that
 * executors compare byte by byte (`fireAt`) stay the text that they sent. `extra` is a door's own, copied from an action to its event.
 */
import type { IdReuse, WorkflowParent } from '@mecha/components/kit';

export interface FailureDetails {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: string;
  readonly inner?: FailureDetails;
  readonly isNonRetriable?: boolean;
}

export interface TraceContext {
  readonly traceParent: string;
  readonly traceState?: string;
}

/** Where an action goes, if not to the own app. */
export interface Router {
  readonly sourceAppId?: string;
  readonly targetAppId?: string;
  readonly targetNamespace?: string;
}

export type TimerOrigin =
  | { readonly type: 'createTimer' }
  | { readonly type: 'externalEvent'; readonly name: string }
  | { readonly type: 'activityRetry'; readonly taskExecutionId: string }
  | { readonly type: 'childWorkflowRetry'; readonly instanceId: string };

/** What a worker says of its code: patches it took, or the name of the version. */
export interface WorkerVersion {
  readonly patches?: readonly string[];
  readonly name?: string;
}

export type EndStatus = 'completed' | 'failed' | 'terminated' | 'canceled';

interface EventBase {
  /** The id of the action that it stands for, or -1. */
  readonly id: number;
  readonly at: number;
  readonly router?: Router;
  readonly extra?: Readonly<Record<string, unknown>>;
}
export type HistoryEvent = EventBase &
  (
    | {
        readonly kind: 'executionStarted';
        readonly name: string;
        readonly version?: string;
        readonly input?: string;
        readonly instanceId: string;
        readonly executionId: string;
        readonly parent?: WorkflowParent & { readonly name?: string };
        /** Milliseconds since the epoch. */
        readonly startAt?: number;
        readonly trace?: TraceContext;
        readonly tags?: Readonly<Record<string, string>>;
      }
    | { readonly kind: 'executionCompleted'; readonly status: EndStatus; readonly result?: string; readonly failure?: FailureDetails }
    | { readonly kind: 'executionTerminated'; readonly input?: string; readonly recurse: boolean }
    | { readonly kind: 'taskScheduled'; readonly name: string; readonly version?: string; readonly input?: string; readonly taskExecutionId?: string; readonly trace?: TraceContext }
    | { readonly kind: 'taskCompleted'; readonly taskId: number; readonly result?: string; readonly taskExecutionId?: string }
    | { readonly kind: 'taskFailed'; readonly taskId: number; readonly failure: FailureDetails; readonly taskExecutionId?: string }
    | { readonly kind: 'childCreated'; readonly instanceId: string; readonly name: string; readonly version?: string; readonly input?: string; readonly trace?: TraceContext }
    | { readonly kind: 'childCompleted'; readonly taskId: number; readonly result?: string }
    | { readonly kind: 'childFailed'; readonly taskId: number; readonly failure?: FailureDetails }
    | { readonly kind: 'timerCreated'; readonly fireAt: string; readonly name?: string; readonly origin?: TimerOrigin }
    | { readonly kind: 'timerFired'; readonly timerId: number; readonly fireAt: string }
    | { readonly kind: 'workflowStarted'; readonly version?: WorkerVersion }
    | { readonly kind: 'eventSent'; readonly instanceId: string; readonly name: string; readonly input?: string }
    | { readonly kind: 'eventRaised'; readonly name: string; readonly input?: string }
    | { readonly kind: 'executionSuspended'; readonly reason?: string }
    | { readonly kind: 'executionResumed'; readonly reason?: string }
    | { readonly kind: 'executionStalled'; readonly reason: string; readonly description?: string }
    | { readonly kind: 'detachedCreated'; readonly instanceId: string }
    /** A snapshot executor's own record; opaque. */
    | { readonly kind: 'audit'; readonly data: unknown }
  );
export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { readonly kind: K }>;

/** When a failed attempt of an activity is followed by another, by the engine. SDKs retry by themselves and send none. */
export interface ActivityRetry {
  /** Attempts in all. */
  readonly attemptsMax: number;
  readonly firstDelayMs: number;
  /** Each delay is the one before times this; default 2. */
  readonly backoff?: number;
  readonly delayMaxMs?: number;
}
export interface ActivityOptions {
  readonly retry?: ActivityRetry;
  /** From the claim of an attempt to its end. */
  readonly runTimeoutMs?: number;
  /** From the schedule to the end, all attempts together. */
  readonly totalTimeoutMs?: number;
  readonly heartbeatTimeoutMs?: number;
}

interface ActionBase {
  /** Chosen by the executor; unique in the execution among tasks, timers and children. */
  readonly id: number;
  readonly router?: Router;
  readonly extra?: Readonly<Record<string, unknown>>;
}
export type WorkflowAction = ActionBase &
  (
    | { readonly kind: 'scheduleTask'; readonly name: string; readonly version?: string; readonly input?: string; readonly taskExecutionId?: string; readonly trace?: TraceContext; readonly options?: ActivityOptions }
    | { readonly kind: 'createChild'; readonly name: string; readonly instanceId?: string; readonly version?: string; readonly input?: string; readonly tags?: Readonly<Record<string, string>>; readonly idReuse?: IdReuse; readonly trace?: TraceContext }
    | {
        readonly kind: 'createDetached';
        readonly name: string;
        readonly instanceId: string;
        readonly executionId?: string;
        readonly version?: string;
        readonly input?: string;
        readonly startAt?: number;
        readonly tags?: Readonly<Record<string, string>>;
        readonly idReuse?: IdReuse;
        readonly trace?: TraceContext;
      }
    /** `fireAt`: RFC 3339, to the nanosecond. From year 9999 on it never fires and says what is waited for. */
    | { readonly kind: 'createTimer'; readonly fireAt: string; readonly name?: string; readonly origin?: TimerOrigin }
    | { readonly kind: 'sendEvent'; readonly instanceId: string; readonly name: string; readonly input?: string }
    | { readonly kind: 'terminate'; readonly instanceId: string; readonly reason?: string; readonly recurse: boolean }
    | { readonly kind: 'complete'; readonly status: EndStatus; readonly result?: string; readonly failure?: FailureDetails }
    | { readonly kind: 'continueAsNew'; readonly input?: string; readonly carryover?: readonly HistoryEvent[] }
    /** The two that only executors in this house use. */
    | { readonly kind: 'cancelTask'; readonly taskId: number }
    | { readonly kind: 'cancelTimer'; readonly timerId: number }
  );

const YEAR_9999_MS = Date.UTC(9999, 0, 1);

/** When to fire, in whole milliseconds and never early; undefined: never. Throws on what is no instant. */
export function dueAtOf(fireAt: string): number | undefined {
  const ms = Date.parse(fireAt);
  if (Number.isNaN(ms)) throw new RangeError(`${fireAt.slice(0, 40)} is no instant`);
  if (ms >= YEAR_9999_MS) return undefined;
  const fraction = /\.(\d+)/.exec(fireAt)?.[1] ?? '';
  return /[1-9]/.test(fraction.slice(3)) ? ms + 1 : ms;
}

/** In milliseconds; instants of today come in numbers a quarter of that apart. */
const MICROSECOND = 0.001;

/** The instants of one clock, in milliseconds, told apart: within a millisecond each is a microsecond after the one before. */
export class DistinctInstants {
  #last = 0;

  next(now: number): number {
    this.#last = Math.floor(this.#last) === now ? this.#last + MICROSECOND : now;
    return this.#last;
  }
}
