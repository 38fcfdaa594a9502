/**
 * The workers that are connected, as one executor of turns and activities for the engine. A worker is a stream that takes items; its
 * answers come by other calls. Owns who has which item, and what becomes of it when the worker goes.
 *
 * Invariants
 *  P1  An item is settled once: answered, given up by the engine, or given back because its worker is gone.
 *  P2  An activity is not given to another as long as its worker may still be running it: a stream that ended says nothing of that, a
 *      connection that is gone does. After `LEAVING_MS` it is given away all the same.
 *  P3  A worker never has more than `ITEMS_MAX` items: the JavaScript SDK drops what is beyond a hundred and never says so.
 *  P4  An answer with a token settles the item of that token or nothing. An answer without one settles the oldest item of its key,
 *      also when that was given up: its answer is not taken for that to a later item.
 *  P5  A worker that keeps history is sent what it lacks, told from which event on; never after its execution has changed.
 */
import type { Clock } from '@mecha/components/kit';
import type { Engine } from '../../engine/engine.ts';
import { ExecutorUnavailable, type ActivityOutcome, type ActivityRequest, type Turn, type TurnResult } from '../../engine/executor.ts';

export type WorkItem =
  /** `known`: events of the past that the worker has already. */
  | { readonly kind: 'turn'; readonly token: string; readonly turn: Turn; readonly known: number }
  | { readonly kind: 'activity'; readonly token: string; readonly request: ActivityRequest };

export interface Worker {
  readonly keepsHistory: boolean;
  /** Aborts when its process is out of reach; absent: its stream is all that is known of it. */
  readonly connection?: AbortSignal | undefined;
  /** Resolves when the item is on its way; rejects when the worker is gone, or with what is wrong with the item (`TurnRejected`). */
  send(item: WorkItem): Promise<void>;
}

export interface WorkerPoolParts {
  readonly clock: Clock;
  readonly newId: () => string;
}

export const ITEMS_MAX = 100;
/** A worker that has not answered a turn by then is taken for one that lost it. Activities may take as long as they like. */
const TURN_ANSWER_MS = 240_000;
/** How long a worker whose stream has ended may still answer what it runs. */
export const LEAVING_MS = 60_000;
/** How long an answer is expected that nobody waits for any more. */
const GIVEN_UP_MS = 600_000;

/** What is to be done, by whomever. */
interface Job {
  readonly key: string;
  readonly instanceId: string;
  readonly item: (worker: Connected) => WorkItem;
  readonly answerMs: number | undefined;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  over: boolean;
  given: Given | undefined;
}
/** An item at a worker. */
interface Given {
  readonly job: Job;
  readonly worker: Connected;
  readonly token: string;
  /** An answer came after it was given, and was counted as that to an older one. */
  passedOver: boolean;
}
interface Connected {
  readonly worker: Worker;
  /** By key, the oldest first; also those that were given up and are not answered. */
  readonly items: Map<string, Given[]>;
  /** Instances whose past it keeps: of which execution, and how many events. */
  readonly known: Map<string, { readonly executionId: string; readonly events: number }>;
  count: number;
}

const turnKey = (instanceId: string): string => `turn ${instanceId}`;
const activityKey = (instanceId: string, taskId: number): string => `activity ${taskId} ${instanceId}`;

export class WorkerPool {
  readonly #parts: WorkerPoolParts;
  readonly #workers = new Set<Connected>();
  /** Their streams have ended, their connections have not: what they run they may still answer. */
  readonly #leaving = new Set<Connected>();
  readonly #waiting = new Set<Job>();
  readonly #engine: Engine;
  #detach: (() => void) | undefined;

  constructor(engine: Engine, parts: WorkerPoolParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Returns what to call when its stream is over; `atOnce`: its activities are not waited for. */
  connect(worker: Worker): (atOnce?: boolean) => void {
    const connected: Connected = { worker, items: new Map(), known: new Map(), count: 0 };
    this.#workers.add(connected);
    if (!this.#detach) this.#attach();
    this.#pump();
    return (atOnce = false) => this.#disconnect(connected, atOnce);
  }

  #attach(): void {
    const detachTurns = this.#engine.attachExecutor({
      style: 'replay',
      inline: false,
      runTurn: (turn, signal) => this.#runTurn(turn, signal),
      forget: ({ instanceId }) => {
        for (const { known } of this.#workers) known.delete(instanceId);
      },
    });
    const detachActivities = this.#engine.attachActivities({ runActivity: (request, signal) => this.#runActivity(request, signal) });
    this.#detach = () => {
      detachTurns();
      detachActivities();
    };
  }

  #disconnect(connected: Connected, atOnce: boolean): void {
    if (!this.#workers.delete(connected)) return;
    if (this.#workers.size === 0) {
      this.#detach?.();
      this.#detach = undefined;
      for (const job of this.#waiting) this.#settle(job, new ExecutorUnavailable('no worker is connected'));
    }
    const { connection } = connected.worker;
    const given = [...connected.items.values()].flat();
    // A turn has no effects of its own: another may run it at once, and the answer of this one is known for a late one.
    for (const { job } of given) if (job.answerMs !== undefined) this.#settle(job, new ExecutorUnavailable('the worker is gone'));
    if (atOnce || connection === undefined || connection.aborted || given.every(({ job }) => job.over)) return this.#giveBack(connected);
    this.#leaving.add(connected);
    const giveBack = (): void => {
      cancel();
      connection.removeEventListener('abort', giveBack);
      this.#giveBack(connected);
    };
    const cancel = this.#parts.clock.after(LEAVING_MS, giveBack);
    connection.addEventListener('abort', giveBack, { once: true });
  }

  #giveBack(connected: Connected): void {
    this.#leaving.delete(connected);
    for (const { job } of [...connected.items.values()].flat()) this.#settle(job, new ExecutorUnavailable('the worker is gone'));
    connected.items.clear();
  }

  #runTurn(turn: Turn, signal: AbortSignal): Promise<TurnResult> {
    const { instanceId, executionId } = turn.instance;
    const item = (connected: Connected): WorkItem => {
      const { worker, known } = connected;
      const kept = known.get(instanceId);
      const has = worker.keepsHistory && kept?.executionId === executionId && kept.events <= turn.past.length ? kept.events : 0;
      if (worker.keepsHistory) known.set(instanceId, { executionId, events: turn.past.length });
      return { kind: 'turn', token: this.#parts.newId(), turn, known: has };
    };
    return this.#run(turnKey(instanceId), instanceId, item, signal, TURN_ANSWER_MS) as Promise<TurnResult>;
  }

  #runActivity(request: ActivityRequest, signal: AbortSignal): Promise<ActivityOutcome> {
    const item = (): WorkItem => ({ kind: 'activity', token: this.#parts.newId(), request });
    return this.#run(activityKey(request.instanceId, request.taskId), request.instanceId, item, signal, undefined) as Promise<ActivityOutcome>;
  }

  #run(key: string, instanceId: string, item: Job['item'], signal: AbortSignal, answerMs: number | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#settle(job, new ExecutorUnavailable('no longer wanted'));
      const end = (): void => signal.removeEventListener('abort', onAbort);
      const job: Job = {
        key, instanceId, item, answerMs, over: false, given: undefined,
        resolve: (answer) => {
          end();
          resolve(answer);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(job);
      this.#pump();
    });
  }

  /** P1. An item that is given up stays in its worker's list, so that its answer is known for what it is (P4). */
  #settle(job: Job, outcome: Error | { readonly answer: unknown }): void {
    if (job.over) return;
    job.over = true;
    this.#waiting.delete(job);
    const given = job.given;
    // Its answer may have been counted as that to an older item: waited for no more, or each answer would be counted for the one before.
    if (given?.passedOver) this.#drop(given);
    else if (given && outcome instanceof Error) this.#parts.clock.after(GIVEN_UP_MS, () => this.#drop(given));
    if (outcome instanceof Error) job.reject(outcome);
    else job.resolve(outcome.answer);
  }

  #drop(given: Given): void {
    const { worker, job } = given;
    const list = worker.items.get(job.key);
    const at = list?.indexOf(given) ?? -1;
    if (!list || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) worker.items.delete(job.key);
    worker.count--;
    this.#pump();
  }

  #pump(): void {
    for (const job of this.#waiting) {
      const connected = this.#choose(job);
      if (!connected) return;
      this.#waiting.delete(job);
      this.#give(job, connected);
    }
  }

  /** Who has the past of the instance, or else who has least to do. */
  #choose({ key, instanceId }: Job): Connected | undefined {
    let best: Connected | undefined;
    for (const one of this.#workers) {
      if (one.count >= ITEMS_MAX) continue;
      if (key === turnKey(instanceId) && one.known.has(instanceId)) return one;
      if (!best || one.count < best.count) best = one;
    }
    return best;
  }

  #give(job: Job, connected: Connected): void {
    const item = job.item(connected);
    const given: Given = { job, worker: connected, token: item.token, passedOver: false };
    job.given = given;
    const list = connected.items.get(job.key);
    if (list) list.push(given);
    else connected.items.set(job.key, [given]);
    connected.count++;
    connected.worker.send(item).catch((error: unknown) => {
      // It never came to the worker.
      connected.known.delete(job.instanceId);
      this.#drop(given);
      this.#settle(job, error instanceof Error ? error : new Error(String(error)));
    });
    if (job.answerMs !== undefined) {
      const cancel = this.#parts.clock.after(job.answerMs, () => this.#settle(job, new ExecutorUnavailable(`no answer within ${job.answerMs} ms`)));
      const { resolve, reject } = job;
      job.resolve = (answer) => {
        cancel();
        resolve(answer);
      };
      job.reject = (error) => {
        cancel();
        reject(error);
      };
    }
  }

  /** `read` throws what is wrong with the answer. False: nobody waits for it. */
  answerTurn(instanceId: string, token: string, read: () => TurnResult): boolean {
    const given = this.#take(turnKey(instanceId), token);
    if (!given || given.job.over) return false;
    try {
      this.#settle(given.job, { answer: read() });
    } catch (error) {
      this.#settle(given.job, error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }
  answerActivity(instanceId: string, taskId: number, token: string, outcome: ActivityOutcome): boolean {
    const given = this.#take(activityKey(instanceId, taskId), token);
    if (!given || given.job.over) return false;
    this.#settle(given.job, { answer: outcome });
    return true;
  }

  /** P4. Among workers, one whose oldest is still waited for comes first. */
  #take(key: string, token: string): Given | undefined {
    const workers = [...this.#workers, ...this.#leaving];
    const lists = workers.flatMap(({ items }) => items.get(key) ?? []);
    const oldest = workers.flatMap(({ items }) => items.get(key)?.[0] ?? []);
    const found = token === '' ? (oldest.find(({ job }) => !job.over) ?? oldest[0]) : lists.find((given) => given.token === token);
    if (!found) return undefined;
    if (found.job.over) for (const later of found.worker.items.get(key) ?? []) later.passedOver = later !== found;
    this.#drop(found);
    return found;
  }
}
