/**
 * Finds work: claims instances and activities for which there is an executor and room, fires timers, ends what is late, renews leases.
 * Woken by commits of its app, here or elsewhere; polling is the fallback. Loads nothing that it does not claim, so that a start with
 * a hundred thousand open instances costs no more than one with none.
 *
 * Invariants
 *  D1  At most one claim of a kind is under way; what wakes it meanwhile makes it look again.
 *  D2  Never more is claimed than there is room for.
 *  D3  Whatever goes wrong with the ledger, it looks again after a pause.
 */
import type { ClaimedWorkflow, Clock, Ledger, WorkflowActivity } from '@mecha/components/kit';
import { createLogLimit } from '../log-limit.ts';
import type { EngineLog, EngineSettings } from './engine-parts.ts';
import type { Limiter } from './limits.ts';

const CLAIM_MAX = 128;
const TIMERS_MAX = 500;
const EXPIRED_MAX = 100;
const TROUBLE_PAUSE_MS = 500;
const LOG_AGAIN_MS = 60_000;

export interface DispatcherParts {
  readonly app: string;
  readonly owner: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly settings: EngineSettings;
  readonly turns: Limiter;
  readonly activities: Limiter;
  /** Names for which there is an executor; undefined: all; empty: none. */
  readonly workflowNames: () => readonly string[] | undefined;
  readonly activityNames: () => readonly string[] | undefined;
  readonly runTurn: (claimed: ClaimedWorkflow) => Promise<void>;
  /** Gives the place back itself. */
  readonly runActivity: (activity: WorkflowActivity) => void;
  readonly expire: (activity: WorkflowActivity) => Promise<void>;
  readonly held: () => { readonly instances: readonly { readonly row: number; readonly fence: number }[]; readonly activities: readonly { readonly activity: number; readonly attempt: number }[] };
  readonly lost: (instances: readonly number[], activities: readonly number[]) => void;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #loops: readonly Loop[];
  readonly #mayLog: (key: string) => number | undefined;
  #unwatch: (() => void) | undefined;
  #cancelPoll = (): void => undefined;
  #cancelRenew = (): void => undefined;
  #cancelDue = (): void => undefined;
  #stopped = true;
  #closed = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#mayLog = createLogLimit(parts.clock, LOG_AGAIN_MS);
    this.#loops = [this.#loop(() => this.#claimInstances()), this.#loop(() => this.#claimActivities()), this.#loop(() => this.#lookAtTime())];
  }

  #loop(look: () => Promise<boolean>): Loop {
    return new Loop(look, (error) => {
      if (this.#stopped) return;
      const heldBack = this.#mayLog('ledger');
      if (heldBack !== undefined) this.#parts.log.error({ app: this.#parts.app, err: error, notLogged: heldBack }, 'workflows wait for the ledger; trying on');
      this.#parts.clock.after(TROUBLE_PAUSE_MS, () => this.wake());
    });
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#unwatch = this.#parts.ledger.watch(`workflow/${this.#parts.app}`, () => this.wake());
    this.#poll();
    this.#scheduleRenewal();
  }

  /** Ends claiming; work under way goes on, and its leases are renewed until `close`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    this.#cancelPoll();
    this.#cancelDue();
    await Promise.all(this.#loops.map((loop) => loop.idle()));
  }
  close(): void {
    this.#closed = true;
    this.#cancelRenew();
  }

  wake(): void {
    if (this.#stopped) return;
    for (const loop of this.#loops) loop.wake();
  }

  #poll(): void {
    this.wake();
    this.#cancelPoll = this.#parts.clock.after(this.#parts.settings.pollMs, () => this.#poll());
  }

  /** D2; true: look again. */
  async #claimInstances(): Promise<boolean> {
    const { app, owner, ledger, settings, turns, workflowNames, runTurn } = this.#parts;
    const names = workflowNames();
    const limit = Math.min(turns.room, CLAIM_MAX);
    if (this.#stopped || limit === 0 || names?.length === 0) return false;
    const { instances, more } = await ledger.workflows.claimInstances({ app, owner, limit, leaseMs: settings.leaseMs, limits: turns.claimLimits, ...(names ? { names } : {}) });
    for (const claimed of instances) {
      turns.take(claimed.name);
      void runTurn(claimed).finally(() => {
        turns.give(claimed.name);
        if (turns.room === 1 || this.#instancesWait) this.#loops[0]?.wake();
      });
    }
    this.#instancesWait = more || settings.turns.perName !== undefined;
    return more;
  }
  #instancesWait = false;

  async #claimActivities(): Promise<boolean> {
    const { app, owner, ledger, settings, activities: limiter, activityNames, runActivity } = this.#parts;
    const names = activityNames();
    const limit = Math.min(limiter.room, CLAIM_MAX);
    if (this.#stopped || limit === 0 || names?.length === 0) return false;
    const { activities, more } = await ledger.workflows.claimActivities({ app, owner, limit, leaseMs: settings.leaseMs, limits: limiter.claimLimits, ...(names ? { names } : {}) });
    for (const activity of activities) {
      limiter.take(activity.name);
      runActivity(activity);
    }
    this.#activitiesWait = more || settings.activities.perName !== undefined;
    return more;
  }
  #activitiesWait = false;

  /** A place for an activity has become free. */
  freed(): void {
    const { activities } = this.#parts;
    if (!this.#stopped && (this.#activitiesWait || activities.room === 1)) this.#loops[1]?.wake();
  }

  /** Timers and deadlines; then sleeps until the next of them. */
  async #lookAtTime(): Promise<boolean> {
    const { app, ledger, clock, settings, expire } = this.#parts;
    if (this.#stopped) return false;
    const lookedAt = clock.now();
    const { fired, nextDueAt } = await ledger.workflows.fireTimers({ app, limit: TIMERS_MAX });
    if (fired === TIMERS_MAX) return true;
    const { activities, nextAt } = await ledger.workflows.expired({ app, limit: EXPIRED_MAX });
    for (const late of activities) await expire(late);
    if (activities.length === EXPIRED_MAX) return true;
    const next = Math.min(nextDueAt ?? Infinity, nextAt ?? Infinity);
    this.#cancelDue();
    // What was due then and was not taken is somebody's who holds it, or has no executor: no reason to hurry. What fell due since then is next.
    if (next < Infinity && !this.#stopped) this.#cancelDue = clock.after(Math.min(settings.pollMs, next <= lookedAt ? TROUBLE_PAUSE_MS : Math.max(1, next - clock.now())), () => this.wake());
    return false;
  }

  #scheduleRenewal(): void {
    if (this.#closed) return;
    this.#cancelRenew = this.#parts.clock.after(this.#parts.settings.leaseMs / 3, () => {
      void this.#renew().finally(() => this.#scheduleRenewal());
    });
  }

  /** Also when nothing is held: what was claimed and never heard of is freed by it. */
  async #renew(): Promise<void> {
    const { owner, ledger, settings, held, lost, log, app } = this.#parts;
    try {
      const { lostInstances, lostActivities } = await ledger.workflows.renew({ owner, leaseMs: settings.leaseMs, ...held() });
      lost(lostInstances, lostActivities);
    } catch (error) {
      if (this.#mayLog('renew') !== undefined) log.warn({ app, err: error }, 'leases of workflows could not be renewed; trying on');
    }
  }
}

/** Runs `look` when woken, once more if it was woken meanwhile or says that there is more. */
class Loop {
  readonly #look: () => Promise<boolean>;
  readonly #onTrouble: (error: unknown) => void;
  #again = false;
  #running: Promise<void> | undefined;

  constructor(look: () => Promise<boolean>, onTrouble: (error: unknown) => void) {
    this.#look = look;
    this.#onTrouble = onTrouble;
  }

  wake(): void {
    this.#again = true;
    this.#running ??= this.#run();
  }
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Never within the call that woke it.
    await Promise.resolve();
    try {
      while (this.#again) {
        this.#again = false;
        if (await this.#look()) this.#again = true;
      }
    } catch (error) {
      this.#onTrouble(error);
    }
    this.#running = undefined;
  }
}
