/**
 * Workers that ask for tasks of an activity and wait until there is one. All who wait for the same activity share one look at the ledger, and a
 * look is taken when something changed, so that a thousand waiting workers cost no more than one. What was taken for a worker that went away
 * meanwhile goes to another, or back to the ledger.
 */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { Engine } from '../engine/engine.ts';
import type { ActivityRequest } from '../engine/executor.ts';
import { TOLD_EVENT } from './arns.ts';
import { activityQueue } from './orders.ts';

interface Waiter {
  readonly workerName: string | undefined;
  readonly signal: AbortSignal;
  readonly give: (request: ActivityRequest | undefined) => void;
}
/** The fallback for wake-ups that were lost. */
const LOOK_EVERY_MS = 2000;

export class ActivityQueue {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #looking = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  readonly #unwatch: () => void;
  readonly #onTrouble: (error: unknown) => void;
  #cancelLook: (() => void) | undefined;
  #stopped = false;

  constructor({ engine, ledger, clock, onTrouble }: { readonly engine: Engine; readonly ledger: Ledger; readonly clock: Clock; readonly onTrouble: (error: unknown) => void }) {
    this.#engine = engine;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
    this.#unwatch = ledger.watch(`workflow/${engine.app}`, () => this.#lookAll());
  }

  /** undefined when none came in time, or the caller went away. */
  async take(activityName: string, { workerName, waitMs, signal }: { readonly workerName?: string; readonly waitMs: number; readonly signal: AbortSignal }): Promise<ActivityRequest | undefined> {
    if (signal.aborted || this.#stopped) return undefined;
    const { promise, resolve } = Promise.withResolvers<ActivityRequest | undefined>();
    const waiter: Waiter = { workerName, signal, give: resolve };
    const giveUp = (): void => this.#leave(activityName, waiter);
    const waiters = this.#waiters.get(activityName) ?? [];
    this.#waiters.set(activityName, [...waiters, waiter]);
    const cancel = this.#clock.after(waitMs, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    this.#scheduleLook();
    void this.#look(activityName);
    try {
      return await promise;
    } finally {
      cancel();
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Those who wait are answered with nothing; resolves when nothing is held for anybody. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
    this.#cancelLook?.();
    for (const [name, waiters] of [...this.#waiters]) for (const waiter of waiters) this.#leave(name, waiter);
    await Promise.all([...this.#looking.values()].map(({ done }) => done));
  }

  #leave(activityName: string, waiter: Waiter): void {
    const left = (this.#waiters.get(activityName) ?? []).filter((other) => other !== waiter);
    if (left.length > 0) this.#waiters.set(activityName, left);
    else this.#waiters.delete(activityName);
    waiter.give(undefined);
  }

  #scheduleLook(): void {
    this.#cancelLook ??= this.#clock.after(LOOK_EVERY_MS, () => {
      this.#cancelLook = undefined;
      if (this.#waiters.size === 0 || this.#stopped) return;
      this.#lookAll();
      this.#scheduleLook();
    });
  }
  #lookAll(): void {
    for (const name of this.#waiters.keys()) void this.#look(name);
  }

  /** One look at a time for each activity; what wakes it meanwhile makes it look again. Never rejects. */
  async #look(name: string): Promise<void> {
    const under = this.#looking.get(name);
    if (under) {
      under.again = true;
      return;
    }
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const state = { again: true, done };
    this.#looking.set(name, state);
    try {
      while (state.again && this.#waiters.has(name) && !this.#stopped) {
        state.again = false;
        if (await this.#serve(name)) state.again = true;
      }
    } catch (error) {
      this.#onTrouble(error);
    } finally {
      this.#looking.delete(name);
      resolve();
    }
  }

  /** True when there was a task. One task at a time, so that each is told the name of the worker that gets it. */
  async #serve(name: string): Promise<boolean> {
    const waiter = this.#waiters.get(name)?.[0];
    if (!waiter) return false;
    const [request] = await this.#engine.takeActivities(activityQueue(name), 1, ({ taskId }) => ({
      kind: 'eventRaised', id: -1, at: this.#clock.now(), name: TOLD_EVENT,
      input: JSON.stringify({ type: 'taskStarted', id: String(taskId), ...(waiter.workerName === undefined ? {} : { workerName: waiter.workerName }) }),
    }));
    if (!request) return false;
    const waiters = this.#waiters.get(name) ?? [];
    const receiver = waiters.includes(waiter) ? waiter : waiters[0];
    if (!receiver) {
      await this.#engine.giveBackActivity(request.token);
      return true;
    }
    const rest = waiters.filter((other) => other !== receiver);
    if (rest.length > 0) this.#waiters.set(name, rest);
    else this.#waiters.delete(name);
    receiver.give(request);
    return true;
  }
}
