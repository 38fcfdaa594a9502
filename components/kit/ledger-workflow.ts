/**
 * The part of the ledger's port that durable execution stands on: instances with their inbox, history and snapshot,
 * activities, timers. The ledger knows rows, leases and fences; what an event means, it does not (`event` is text of the engine's).
 *
 * Invariants, which the conformance suite holds on every implementation:
 * W1  A step is applied whole or not at all, and only under the fence it was built on. A terminal instance never changes,
 *     unless it is reopened.
 * W2  An instance with unread messages that is neither leased, resting nor suspended is found by a claim. Nothing else need be remembered.
 * W3  An activity or a timer is resolved once: the transaction that writes its result removes its row, and a second answer,
 *     or one for another attempt, is not applied.
 * W4  The end of a child is in its parent's inbox by the transaction that ends the child, if the parent is still the execution that made it.
 * W5  A claim never gives an owner what it holds already; what an owner holds comes free when its lease ends or its process is gone.
 * W6  A new execution of an instance (reset, replaced) is reached by no result of the one before; external events stay, in order.
 * W7  Claims, firing and reading cost the same with a million rows that are not concerned.
 * W8  A payload is there as long as a message or the history of its execution may name it: it comes with what names it, in the same
 *     transaction, belongs to the instance that got it, and goes with the execution (reset: unless an unread message brought it) or the instance.
 *
 * Durable when it resolves (L2): create, step, send, control, reopen, purge, and `complete` with `told`. Everything else is as safe from a crash of the
 * process, and a power failure may undo the last of it: it happens again.
 */

export const WORKFLOW_STATUSES = ['pending', 'running', 'suspended', 'stalled', 'completed', 'failed', 'terminated', 'canceled'] as const;
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number];
export const isTerminalStatus = (status: WorkflowStatus): boolean => status === 'completed' || status === 'failed' || status === 'terminated' || status === 'canceled';

export interface WorkflowParent {
  readonly app: string;
  readonly instanceId: string;
  /** The parent's execution that made this child: another one is not told of its end. */
  readonly executionId: string;
  readonly taskId: number;
}

/** What is known of an instance without its payloads. */
export interface WorkflowRow {
  /** Unique for ever, also when the id is used again. */
  readonly row: number;
  /** `namespace/app id`; opaque here. */
  readonly app: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version?: string;
  readonly status: WorkflowStatus;
  /** Milliseconds since the epoch, all four. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly parent?: WorkflowParent;
  /** Grows with every claim and every step. */
  readonly fence: number;
  /** Grows with every step. */
  readonly turn: number;
  /** Events in the history of this execution: the number of the next. */
  readonly events: number;
  /** Bytes of that history. */
  readonly bytes: number;
  /** Turns in a row that failed. */
  readonly failures: number;
  /** Why it rests or is stalled. */
  readonly reason?: string;
  readonly customStatus?: string;
  /** Who has it under a lease. */
  readonly owner?: string;
  /** End of the lease, or of the rest after a failure. */
  readonly freeAt?: number;
  /** Has unread messages and may be claimed. */
  readonly ready: boolean;
}

/** A text too large for rows that are read often; what names it by its id, does so in a text that is opaque here. */
export interface WorkflowPayload {
  /** Made of its content: the same id, the same content. */
  readonly id: string;
  readonly data: string;
}

export interface WorkflowMessage {
  /** The event as text; opaque. */
  readonly event: string;
  readonly payloads?: readonly WorkflowPayload[];
  /** `result`: belongs to one execution and goes with it. `event`: for whatever execution comes next. */
  readonly kind: 'event' | 'result';
}
export interface UnreadMessage extends WorkflowMessage {
  readonly sequence: number;
}

/**
 * What a creation does when the id is taken: refuse, or replace a finished one, a failed one, any; or be content with it. One that has not
 * ended goes with its descendants. Never replaced is a child that its parent waits for; always the child of an earlier execution of the
 * same parent.
 */
export type IdReuse = 'unique' | 'terminal' | 'failed' | 'restart' | 'existing';

export interface NewWorkflow {
  readonly app: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version?: string;
  readonly parent?: WorkflowParent;
  readonly ifExists: IdReuse;
  /** Its first message; with `startAt` (milliseconds since the epoch) it arrives then. */
  readonly message: WorkflowMessage;
  readonly startAt?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface NewActivity {
  readonly taskId: number;
  /** The app whose workers run it. */
  readonly app: string;
  readonly name: string;
  /** What its executor is given, as text; opaque. */
  readonly request: string;
  readonly payloads?: readonly WorkflowPayload[];
  /** Milliseconds since the epoch by which it must have ended, all attempts together. */
  readonly endBy?: number;
  /** Milliseconds from the claim of an attempt to its end. */
  readonly runMs?: number;
  /** Milliseconds between heartbeats. */
  readonly beatMs?: number;
  /** Leased at once, by the transaction that adds it. */
  readonly claim?: { readonly owner: string; readonly leaseMs: number };
}

export interface NewTimer {
  readonly timerId: number;
  /** Milliseconds since the epoch; absent: it never fires, and says what is waited for. */
  readonly dueAt?: number;
  readonly message: WorkflowMessage;
}

/** History events: `data` is their text, opaque. */
export interface WorkflowAppend {
  readonly count: number;
  readonly data: string;
  /** What it names, as far as the instance does not have it already. */
  readonly payloads?: readonly WorkflowPayload[];
}

export interface WorkflowStep {
  readonly type: 'workflow.step';
  readonly row: number;
  readonly fence: number;
  /** Messages that it has seen. */
  readonly consumed: readonly number[];
  /** Activities whose results it has seen without their having been in the inbox. */
  readonly resolved?: readonly { readonly activity: number; readonly attempt: number }[];
  readonly status: WorkflowStatus;
  readonly version?: string;
  /** null removes; absent leaves as it is. */
  readonly customStatus?: string | null;
  /** What the custom status names; it goes when that is replaced, and not before. */
  readonly customStatusPayload?: WorkflowPayload;
  readonly reason?: string | null;
  readonly append?: WorkflowAppend;
  /** A new execution begins: history, activities, timers and unread results of the old one go; `messages` come before what is unread. */
  readonly reset?: { readonly executionId: string; readonly messages: readonly WorkflowMessage[] };
  readonly snapshot?: string | null;
  readonly activities?: readonly NewActivity[];
  readonly timers?: readonly NewTimer[];
  /** Task ids and timer ids; removed before the new ones are added. */
  readonly dropActivities?: readonly number[];
  readonly dropTimers?: readonly number[];
  /** An id that is taken: `refused`, if there is one, goes to this instance's inbox instead. */
  readonly create?: readonly (NewWorkflow & { readonly refused?: WorkflowMessage })[];
  /** Messages to others; `executionId`: to that execution only. Whoever is not there or finished does not get it. */
  readonly send?: readonly { readonly app: string; readonly instanceId: string; readonly executionId?: string; readonly message: WorkflowMessage }[];
  /** For its parent, if it has one (W4). */
  readonly toParent?: WorkflowMessage;
  /** null removes. */
  readonly attributes?: Readonly<Record<string, string | null>>;
  /** Not to be claimed before (milliseconds since the epoch), whatever arrives. */
  readonly restUntil?: number;
}

export type WorkflowOperation =
  /** Result: `{ workflow: { row, applied } }`; `applied: false` with `existing`. Rejects with `LedgerConflict` (the id) when it is taken. */
  | ({ readonly type: 'workflow.create' } & NewWorkflow)
  /**
   * Result: `{ workflow: { applied: true, fence, turn, ready, activities } }`. Rejects with `LedgerConflict`, key `fence`, `activity` (one
   * of `resolved` is not there), `message` (one of `consumed`) or `task` (an activity or timer of this id is there already).
   */
  | WorkflowStep
  /** A first step of an instance that the same batch creates; `row` and `fence` are those of the creation. */
  | ({ readonly type: 'workflow.first-step' } & Omit<WorkflowStep, 'type' | 'row' | 'fence' | 'consumed'> & { readonly app: string; readonly instanceId: string; readonly executionId: string })
  /** A message from outside. Result: `applied: false` when nobody is there, or it has ended. */
  | { readonly type: 'workflow.send'; readonly app: string; readonly instanceId: string; readonly executionId?: string; readonly message: WorkflowMessage }
  /** The result of an activity goes to the inbox and its row away. `told`: whoever reports it is told and will not do so again. */
  | { readonly type: 'workflow.complete'; readonly activity: number; readonly attempt: number; readonly message: WorkflowMessage; readonly told?: boolean }
  /** Another attempt, not before `freeAt`. */
  | { readonly type: 'workflow.retry'; readonly activity: number; readonly attempt: number; readonly freeAt: number; readonly error: string }
  /** Waits for a completion from outside, under its deadlines alone. */
  | { readonly type: 'workflow.defer'; readonly activity: number; readonly attempt: number }
  /** Puts off the deadline of the running attempt. */
  | { readonly type: 'workflow.heartbeat'; readonly activity: number; readonly attempt: number }
  /** Given back by its holder, same attempt. */
  | { readonly type: 'workflow.return'; readonly activity: number; readonly owner: string }
  /** Given back without a step; not to be claimed before `restUntil`. */
  | { readonly type: 'workflow.release'; readonly row: number; readonly fence: number; readonly restUntil?: number; readonly failed?: string }
  /** Ends the rest of a stalled or failing instance. */
  | { readonly type: 'workflow.wake'; readonly row: number }
  /**
   * A terminal instance runs again, as the same execution, with its history and its snapshot, and this message in its inbox. Result:
   * `applied: false` with the status found when it has not ended.
   */
  | { readonly type: 'workflow.reopen'; readonly row: number; readonly message: WorkflowMessage }
  /**
   * Overtakes whatever turn is under way: the status is set and `append` added to the history. `recurse`: of all descendants too,
   * those that are not finished. Instances of the names in `graceful` get its message instead, and read it at once, though suspended or resting. `keepUnread`: who ends with its oldest unread
   * message beginning so has it in the history before `append`, as a list of one. Result: `count` of those it reached.
   */
  | {
      readonly type: 'workflow.control';
      readonly row: number;
      readonly status: 'terminated' | 'suspended' | 'running';
      readonly append: WorkflowAppend;
      readonly recurse?: boolean;
      readonly toParent?: WorkflowMessage;
      readonly graceful?: { readonly names: readonly string[]; readonly message: WorkflowMessage };
      readonly keepUnread?: string;
    }
  /**
   * Everything of the instance is removed, with `recurse` of all its descendants too; result: `count`. Not when one of them has not ended,
   * unless by `force`: the parent of the first then gets `toParent`.
   */
  | { readonly type: 'workflow.purge'; readonly row: number; readonly recurse?: boolean; readonly force?: { readonly toParent: WorkflowMessage } };

export interface WorkflowResult {
  readonly applied: boolean;
  readonly row?: number;
  readonly fence?: number;
  readonly turn?: number;
  /** There is more to read, and it may be claimed. */
  readonly ready?: boolean;
  /** Ids of the new activities, in order. */
  readonly activities?: readonly number[];
  /** Status found: of what stands in the way, of whom a message did not reach. */
  readonly status?: WorkflowStatus;
  readonly count?: number;
}

export interface ClaimedWorkflow extends WorkflowRow {
  /** Unread messages in order, as many as fit a turn. */
  readonly messages: readonly UnreadMessage[];
}

export interface WorkflowActivity {
  /** Unique for ever. */
  readonly activity: number;
  readonly row: number;
  /** The app of the instance. */
  readonly instanceApp: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly app: string;
  readonly name: string;
  /** From 1. */
  readonly attempt: number;
  readonly request: string;
  readonly state: 'ready' | 'leased' | 'resting' | 'deferred';
  readonly owner?: string;
  /** End of its lease or of its rest. */
  readonly freeAt?: number;
  /** When the running attempt, or the activity, is late. */
  readonly expiresAt?: number;
  /** It is a heartbeat that is missed then, and no other deadline. */
  readonly expiresSilent?: boolean;
  /** Of the attempt before. */
  readonly error?: string;
}

export interface WorkflowTimer {
  readonly timerId: number;
  readonly dueAt?: number;
  readonly message: WorkflowMessage;
}

/** Names of activities that begin so are claimed by name only. */
export const POLLED_NAME = 'mecha.polled/';

export interface WorkflowClaimRequest {
  readonly app: string;
  readonly owner: string;
  readonly limit: number;
  readonly leaseMs: number;
  /** Only these names; absent: all, but for those that begin with `POLLED_NAME`: they are for workers who ask for them by name. */
  readonly names?: readonly string[];
  /** Most of a name; absent: `limit`. */
  readonly limits?: Readonly<Record<string, number>>;
}

export interface WorkflowQuery {
  readonly app: string;
  readonly statuses?: readonly WorkflowStatus[];
  readonly name?: string;
  readonly idPrefix?: string;
  /** Milliseconds since the epoch, from inclusive, to exclusive. */
  readonly createdFrom?: number;
  readonly createdTo?: number;
  /** Ended before, those first that ended first; there is no further page, what is found is meant to be purged. */
  readonly completedBefore?: number;
  readonly attribute?: { readonly name: string; readonly value: string };
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
}

export interface WorkflowOverview {
  readonly open: Readonly<Partial<Record<WorkflowStatus, number>>>;
  readonly nextDueAt?: number;
}

export interface WorkflowLedger {
  /** Leases instances with unread messages, name by name, oldest first within a name. */
  claimInstances(request: WorkflowClaimRequest): Promise<{ readonly instances: readonly ClaimedWorkflow[]; readonly more: boolean }>;
  claimActivities(request: WorkflowClaimRequest): Promise<{ readonly activities: readonly WorkflowActivity[]; readonly more: boolean }>;
  /** Puts off the end of leases; returns what is no longer this owner's. */
  renew(request: {
    readonly owner: string;
    readonly leaseMs: number;
    readonly instances: readonly { readonly row: number; readonly fence: number }[];
    readonly activities: readonly { readonly activity: number; readonly attempt: number }[];
  }): Promise<{ readonly lostInstances: readonly number[]; readonly lostActivities: readonly number[] }>;
  /** Timers that are due go to their instances' inboxes, earliest first. `nextDueAt`: of the earliest that remains, due or not. */
  fireTimers(request: { readonly app: string; readonly limit: number }): Promise<{ readonly fired: number; readonly nextDueAt?: number }>;
  /** Activities past their deadline, to be retried or failed under their attempt; `nextAt`: when the next may be, or a rest or lease ends. */
  expired(request: { readonly app: string; readonly limit: number }): Promise<{ readonly activities: readonly WorkflowActivity[]; readonly nextAt?: number }>;

  find(app: string, instanceId: string): Promise<WorkflowRow | undefined>;
  /** Newest first. A page may be short of `limit`; there is more as long as there is a cursor. */
  list(query: WorkflowQuery): Promise<{ readonly instances: readonly WorkflowRow[]; readonly cursor?: string }>;
  /** Pages of history as they were appended, from the one that holds event number `from`, until `limit` events are reached. */
  history(row: number, from: number, limit: number): Promise<readonly { readonly first: number; readonly count: number; readonly data: string }[]>;
  snapshot(row: number): Promise<string | undefined>;
  /** Of this instance; undefined: it has none of this id. */
  payload(row: number, id: string): Promise<string | undefined>;
  inbox(row: number, limit: number): Promise<readonly UnreadMessage[]>;
  /** In order of task id, from `from` on. */
  activities(row: number, limit: number, from?: number): Promise<readonly WorkflowActivity[]>;
  /** The activity with this id (a completion's token). */
  activity(activity: number): Promise<WorkflowActivity | undefined>;
  timers(row: number, limit: number): Promise<readonly WorkflowTimer[]>;
  /** Children of this execution, or of all executions of the instance. */
  children(parent: { readonly app: string; readonly instanceId: string; readonly executionId?: string }, limit: number): Promise<readonly WorkflowRow[]>;
  attributes(row: number): Promise<Readonly<Record<string, string>>>;
  /** How many have not ended, by status, and when the earliest timer is due; costs what the open ones cost to count in an index. */
  overview(app: string): Promise<WorkflowOverview>;
}
