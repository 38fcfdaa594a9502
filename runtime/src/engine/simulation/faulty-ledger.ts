/**
 * A process's way to the ledger, as bad as it can be. Each call takes time; before or after it takes effect the process may die; it may
 * be refused, or take effect and be answered with an error; wake-ups may be lost. A process that stands still has its calls take
 * effect when it goes on: long after its leases, if the seed wants it so.
 *
 * Mutants break a promise of the ledger on purpose: they prove that the simulation would notice.
 */
import { LedgerRefused, type ClaimedWorkflow, type Ledger, type LedgerOperation, type LedgerResult, type WorkflowLedger } from '@mecha/components/kit';
import type { SimulatedProcess, World } from './world.ts';

export const MUTANTS = ['no-fence', 'torn-step', 'early-timers', 'result-twice', 'child-end-lost', 'messages-lost', 'stale-memory', 'results-survive', 'attempts-mixed'] as const;
export type Mutant = (typeof MUTANTS)[number];

export interface Faults {
  /** Until this moment of virtual time. */
  readonly untilMs: number;
  readonly crash: number;
  readonly refuse: number;
  readonly ambiguous: number;
  readonly freeze: number;
  readonly lostWakeup: number;
}
export const NO_FAULTS: Faults = { untilMs: 0, crash: 0, refuse: 0, ambiguous: 0, freeze: 0, lostWakeup: 0 };

export interface FaultyLedgerParts {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly raw: Ledger;
  readonly faults: Faults;
  readonly mutant?: Mutant | undefined;
  /** Points at which something was done to the process, for the count of what was covered. */
  readonly hit: (point: string) => void;
  readonly onCrash: () => void;
  /** Around each call that writes. */
  readonly check: { before(batch: readonly LedgerOperation[]): Promise<void>; after(batch: readonly LedgerOperation[], results: readonly LedgerResult[]): Promise<void>; fired(): Promise<void> };
}

export function faultyLedger(parts: FaultyLedgerParts): Ledger {
  const { world, process, raw, faults, hit, check } = parts;
  const { random } = world;
  const active = (): boolean => world.elapsed < faults.untilMs;
  const latencyMs = (): number => (random.chance(0.05) ? random.below(300) : random.below(4));
  const mutants = createMutants(parts);

  function call<T>(point: string, writes: boolean, apply: (torn: boolean) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (give: () => void): void => void world.schedule(latencyMs(), () => process.deliver(give));
      const die = (where: string): void => {
        hit(`${point}:${where}`);
        parts.onCrash();
      };
      const arrive = (): void => {
        if (active() && random.chance(faults.freeze)) {
          hit(`${point}:freeze`);
          process.freeze(random.pick([100, 5000, 16_000, 40_000]));
          process.deliver(arrive);
          return;
        }
        if (active() && random.chance(faults.crash)) {
          if (parts.mutant !== 'torn-step' || !writes) return die('before');
          void world.outside(apply(true)).then(undefined, () => undefined);
          return die('before');
        }
        if (active() && random.chance(faults.refuse)) {
          hit(`${point}:refused`);
          return answer(() => reject(new LedgerRefused('busy', 'simulated')));
        }
        void world.outside(apply(false)).then(
          (value) => {
            if (active() && random.chance(faults.crash)) return die('after');
            if (active() && writes && random.chance(faults.ambiguous)) {
              hit(`${point}:ambiguous`);
              return answer(() => reject(new LedgerRefused('io', 'simulated, though it took effect')));
            }
            return answer(() => resolve(value));
          },
          (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
        );
      };
      world.schedule(latencyMs(), () => process.deliver(arrive));
    });
  }

  const workflows: WorkflowLedger = {
    claimInstances: (request) => call('claimInstances', true, async () => mutants.claimed(await raw.workflows.claimInstances(request))),
    claimActivities: (request) => call('claimActivities', true, () => raw.workflows.claimActivities(request)),
    renew: (request) => call('renew', true, () => raw.workflows.renew(request)),
    fireTimers: (request) =>
      call('fireTimers', true, async () => {
        const outcome = await mutants.firing(() => raw.workflows.fireTimers(request));
        if (outcome.fired > 0) await check.fired();
        return outcome;
      }),
    expired: (request) => call('read', false, () => raw.workflows.expired(request)),
    find: (app, id) => call('read', false, () => raw.workflows.find(app, id)),
    list: (query) => call('read', false, () => raw.workflows.list(query)),
    history: (row, from, limit) => call('read', false, () => raw.workflows.history(row, from, limit)),
    snapshot: (row) => call('read', false, () => raw.workflows.snapshot(row)),
    payload: (row, id) => call('read', false, () => raw.workflows.payload(row, id)),
    inbox: (row, limit) => call('read', false, () => raw.workflows.inbox(row, limit)),
    activities: (row, limit, from) => call('read', false, () => raw.workflows.activities(row, limit, from)),
    activity: (id) => call('read', false, () => raw.workflows.activity(id)),
    timers: (row, limit) => call('read', false, () => raw.workflows.timers(row, limit)),
    children: (parent, limit) => call('read', false, () => raw.workflows.children(parent, limit)),
    overview: (app) => call('read', false, () => raw.workflows.overview(app)),
    attributes: (row) => call('read', false, () => raw.workflows.attributes(row)),
  };

  return new Proxy(raw, {
    get(target, name) {
      if (name === 'workflows') return workflows;
      if (name === 'commit')
        return (batch: readonly LedgerOperation[]) =>
          call(`commit ${batch.map(({ type }) => type.replace('workflow.', '')).slice(0, 2).join('+')}`, true, async (torn) => {
            const changed = await mutants.batch(batch, torn);
            await check.before(batch);
            const results = await raw.commit(changed);
            mutants.committed(batch, results);
            await check.after(batch, results);
            return results;
          });
      if (name === 'watch')
        return (channel: string, listener: () => void) =>
          raw.watch(channel, () => {
            if (active() && random.chance(faults.lostWakeup)) return hit('wake-up:lost');
            world.schedule(latencyMs(), () => process.deliver(listener));
          });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Each changes what the ledger is asked, or answers, in one way. */
function createMutants({ mutant, raw, world }: FaultyLedgerParts) {
  const turns = new Map<number, number>();
  async function changed(operation: LedgerOperation, torn: boolean): Promise<LedgerOperation> {
    switch (mutant) {
      case 'no-fence':
        if (operation.type === 'workflow.step') return { ...operation, fence: (await rowOf(raw, operation.row))?.fence ?? operation.fence, consumed: await existing(raw, operation.row, operation.consumed) };
        return operation;
      case 'torn-step': {
        if (!torn || (operation.type !== 'workflow.step' && operation.type !== 'workflow.first-step')) return operation;
        const { activities: _activities, timers: _timers, create: _create, toParent: _toParent, ...rest } = operation;
        return rest;
      }
      case 'result-twice':
        if (operation.type !== 'workflow.complete') return operation;
        return await sendInstead(raw, operation);
      case 'child-end-lost': {
        if (operation.type !== 'workflow.step' || !operation.toParent || !world.random.chance(0.2)) return operation;
        const { toParent: _, ...rest } = operation;
        return rest;
      }
      case 'messages-lost':
        if (operation.type !== 'workflow.step') return operation;
        return { ...operation, consumed: (await raw.workflows.inbox(operation.row, 1000)).map(({ sequence }) => sequence) };
      case 'results-survive':
        if (operation.type === 'workflow.complete') return { ...operation, message: { ...operation.message, kind: 'event' } };
        return operation;
      case 'attempts-mixed':
        if (operation.type === 'workflow.complete' || operation.type === 'workflow.retry') return { ...operation, attempt: (await raw.workflows.activity(operation.activity))?.attempt ?? operation.attempt };
        return operation;
      default:
        return operation;
    }
  }
  return {
    batch: async (batch: readonly LedgerOperation[], torn: boolean): Promise<LedgerOperation[]> => Promise.all(batch.map((operation) => changed(operation, torn))),
    committed(batch: readonly LedgerOperation[], results: readonly LedgerResult[]): void {
      if (mutant !== 'stale-memory') return;
      for (const [n, { type }] of batch.entries()) if (type === 'workflow.step') turns.set(results[n]?.workflow?.row ?? 0, results[n]?.workflow?.turn ?? 0);
    },
    /** The process is told the turn that it remembers, whatever others have done since. */
    claimed<T extends { readonly instances: readonly ClaimedWorkflow[] }>(claim: T): T {
      if (mutant !== 'stale-memory') return claim;
      return { ...claim, instances: claim.instances.map((one) => ({ ...one, turn: turns.get(one.row) ?? one.turn })) };
    },
    /** The request reads the clock as it is called. */
    firing<T>(fire: () => Promise<T>): Promise<T> {
      if (mutant !== 'early-timers') return fire();
      world.jump(2000);
      const fired = fire();
      world.jump(-2000);
      return fired;
    },
  };
}

async function rowOf(raw: Ledger, row: number) {
  for (const app of ['default/a', 'default/b']) {
    const { instances } = await raw.workflows.list({ app, limit: 1000 });
    const found = instances.find((one) => one.row === row);
    if (found) return found;
  }
  return undefined;
}
async function existing(raw: Ledger, row: number, consumed: readonly number[]): Promise<number[]> {
  const there = new Set((await raw.workflows.inbox(row, 1000)).map(({ sequence }) => sequence));
  return consumed.filter((sequence) => there.has(sequence));
}
/** The result is delivered, and its activity stays: it will run, and be delivered, again. */
async function sendInstead(raw: Ledger, operation: Extract<LedgerOperation, { type: 'workflow.complete' }>): Promise<LedgerOperation> {
  const activity = await raw.workflows.activity(operation.activity);
  if (!activity) return operation;
  return { type: 'workflow.send', app: activity.instanceApp, instanceId: activity.instanceId, message: operation.message };
}
