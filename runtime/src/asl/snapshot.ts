/**
 * An execution between two turns.
 *
 * 1. It is JSON: what is stored and loaded again behaves as what was not.
 * 2. It holds what is live: threads that still run, results that are still to be put together, variables. A state that was
 *    left leaves nothing behind, so that a turn costs the same after ten events and after ten thousand.
 * 3. A snapshot is never changed: a turn makes a new one, which shares what did not change.
 */
import type { Json, JsonObject } from './json.ts';
import type { ExecutionInfo, ExecutionStatus, MapResult } from './messages.ts';
import type { Saga } from './saga-record.ts';

export interface Snapshot {
  readonly version: 1;
  readonly status: ExecutionStatus;
  readonly execution: ExecutionInfo;
  /** The root that it runs: '' but for children of a distributed Map. */
  readonly root: string;
  readonly startedMs: number;
  readonly input: Json;
  /** Ids given so far. */
  readonly lastEventId: number;
  readonly lastThread: number;
  readonly lastCommand: number;
  readonly threads: Readonly<Record<string, Thread>>;
  /** Who waits for an id: a thread, a child's place in one (`t1/17`), a step of a saga, or the execution. */
  readonly waiting: Readonly<Record<string, string>>;
  /** Threads that can go on at once, first first. */
  readonly ready: readonly string[];
  /** JSON text, once SUCCEEDED. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly saga?: Saga;
  /** Once it ended badly: where it stood before, for whoever lets it go on. */
  readonly resume?: Resume;
  /** How often it went on after an end, and last when and by whose word. */
  readonly redrives?: { readonly count: number; readonly lastMs: number; readonly clientToken?: string };
}

export interface Resume {
  readonly threads: Readonly<Record<string, Thread>>;
  readonly saga?: Saga;
}

/** Who waits for the outcome of a child of a map run. */
export const placeOf = (thread: string, index: number | ''): string => `${thread}/${index}`;

/** The thread of a waiter. */
export const threadOf = (waiter: string): string => waiter.split('/', 1)[0] ?? waiter;

/** One root under way, standing in one state. */
export interface Thread {
  readonly id: string;
  readonly root: string;
  readonly parent?: string;
  /** Which branch or iteration of its parent. */
  readonly index: number;
  readonly variables: JsonObject;
  /** Bytes of each variable. */
  readonly variableBytes: Readonly<Record<string, number>>;
  /** The last event of this thread: what its next one follows. */
  readonly at: number;
  readonly state: string;
  /** The state's input as it came in. */
  readonly input: Json;
  readonly entered: { readonly id: number; readonly previous: number; readonly ms: number };
  readonly retryCount: number;
  /** Attempts used of each retrier. */
  readonly attempts: readonly number[];
  /** `Map` of the context object, in an iteration. */
  readonly item?: JsonObject;
  /** A try of the state timed out: its work may have been done. */
  readonly uncertain?: boolean;
  readonly doing: Doing;
}

/** What a thread waits for. */
export type Doing =
  | { readonly kind: 'enter'; readonly state: string; readonly input: Json }
  | { readonly kind: 'again' }
  | { readonly kind: 'retry'; readonly timer: string }
  | { readonly kind: 'wait'; readonly timer: string }
  | TaskDoing
  | ParallelDoing
  | MapDoing
  | MapRunDoing
  /** For its scope, or what it did since a step, to be undone. */
  | { readonly kind: 'undo' };

export interface TaskDoing {
  readonly kind: 'task';
  readonly id: string;
  readonly started: boolean;
  readonly submitted: boolean;
  /** The execution that the task started. */
  readonly child?: NestedExecution;
}

export interface NestedExecution {
  readonly machineArn: string;
  readonly input: Json;
  /** Set when it was started. */
  readonly arn?: string;
  readonly name?: string;
  readonly startedMs?: number;
}

export interface ParallelDoing {
  readonly kind: 'parallel';
  readonly results: readonly Json[];
  readonly running: number;
}

export interface MapDoing {
  readonly kind: 'map';
  readonly items: readonly Json[];
  /** Names of the items when an object is iterated. */
  readonly keys?: readonly string[];
  readonly concurrency: number;
  readonly next: number;
  readonly running: number;
  readonly results: readonly Json[];
}

export interface MapRunDoing {
  readonly kind: 'mapRun';
  readonly arn: string;
  readonly stage: 'read' | 'run' | 'write';
  /** The reader or writer that is asked. */
  readonly asked?: string;
  /** Inputs of children still to be started; those before `next` are gone. */
  readonly inputs: readonly Json[];
  readonly next: number;
  /** How many children run; which ids they have is in `waiting`, under `<thread>/<index>`. */
  readonly running: number;
  readonly failed: number;
  readonly concurrency: number;
  readonly toleratedCount?: number;
  readonly toleratedPercentage?: number;
  readonly results: readonly (MapResult | null)[];
}
