/**
 * One simulated life: three processes of two apps on one ledger in memory, a handful of workflows, a client, and everything that can go
 * wrong until half a minute is over; then the faults end, and everything must come to its end. The seed decides all of it.
 */
import { createKeptLog } from '@mecha/components/kit/testing.ts';
import type { Ledger } from '@mecha/components/kit';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import { Engine } from '../engine.ts';
import { ExecutorUnavailable, type ActivityExecutor, type ActivityOutcome, type WorkflowExecutor } from '../executor.ts';
import { functionExecutor } from '../testing.ts';
import { NO_FAULTS, faultyLedger, type Faults, type Mutant } from './faulty-ledger.ts';
import { Invariants } from './invariants.ts';
import { WORKFLOW_NAMES, eventsOf, expectedOf, programFunction, randomProgram, stateExecutor } from './programs.ts';
import { INLINE_MAX } from '../payloads.ts';
import { Random, SimulatedProcess, World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly mutant?: Mutant | undefined;
  /** Another ledger than the one in memory; its own time passes meanwhile. */
  readonly open?: (now: () => number) => Promise<Ledger>;
  readonly workflows?: number;
}
export interface SimulationReport {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Virtual milliseconds, entries of the queue, steps committed. */
  readonly elapsed: number;
  readonly events: number;
  readonly steps: number;
  /** Named points at which a fault struck, and how often. */
  readonly hits: ReadonlyMap<string, number>;
}

const FAULTY_MS = 30_000;
const END_MS = 3_600_000;
const EVENTS_MAX = 60_000;
const SETTINGS = { leaseMs: 15_000, pollMs: 5000, turnTimeoutMs: 20_000, stalledRestMs: 30_000, turns: { max: 20, perName: { far: 3 } }, activities: { max: 6, perName: { flaky: 2 } }, memoryInstancesMax: 4 };

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  return simulation.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #faults: Faults;
  readonly #hits = new Map<string, number>();
  readonly #expected = new Map<string, number | undefined | 'gone'>();
  /** Of its own, so that what it decides moves nothing else of a seed's life. */
  readonly #padding: Random;
  readonly #log = createKeptLog();
  #raw!: Ledger;
  #invariants!: Invariants;
  #client!: Engine;
  readonly #engines = new Map<string, Engine>();
  #pendingClients = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World(options.seed);
    this.#padding = new Random(options.seed ^ 0x5eed);
    const { random } = this.#world;
    const scale = random.pick([0, 1, 1, 3]);
    this.#faults = { untilMs: FAULTY_MS, crash: 0.004 * scale, refuse: 0.01 * scale, ambiguous: 0.01 * scale, freeze: 0.003 * scale, lostWakeup: 0.1 * scale };
  }

  /** The same JSON, now and then too large for a row. */
  readonly #padded = (json: string): string => (this.#padding.chance(0.03) ? json.padEnd(INLINE_MAX + 1) : json);

  readonly #hit = (point: string): void => void this.#hits.set(point, (this.#hits.get(point) ?? 0) + 1);

  async run(): Promise<SimulationReport> {
    const world = this.#world;
    this.#raw = this.#options.open ? await this.#options.open(world.now) : createMemoryLedger({ clock: { now: world.now, after: (ms, run) => world.schedule(ms, run) } });
    this.#invariants = new Invariants(this.#raw, world.now);
    this.#client = this.#engine(new SimulatedProcess('client', world), 'a', NO_FAULTS);
    for (const [name, appId] of [['p1', 'a'], ['p2', 'a'], ['p3', 'b']] as const) this.#begin(name, appId);
    const { random } = world;
    const count = this.#options.workflows ?? 2 + random.below(4);
    for (let n = 0; n < count; n++) world.schedule(random.below(3000), () => this.#beginClient(n));
    if (random.chance(0.4)) world.schedule(random.below(20_000), () => {
      this.#hit('clock:jump');
      world.jump(random.pick([-300_000, -20_000, 20_000, 300_000]));
    });
    this.#pendingClients = count;
    let open = 1;
    const look = (): void => {
      void world.outside(this.#invariants.instances()).then((instances) => {
        open = this.#pendingClients + instances.filter(({ completedAt }) => completedAt === undefined).length + this.#busy();
        world.schedule(1000, look);
      });
    };
    look();
    await world.run(() => (open === 0 && world.elapsed > 5000) || this.#invariants.violations.length > 0, END_MS, EVENTS_MAX);
    if (this.#invariants.violations.length === 0) {
      await this.#invariants.checkEnd(this.#expected);
      for (const [name, { load }] of this.#engines) if (load.turns + load.activities > 0) this.#invariants.violate('S10', `${name} holds ${load.turns} turns and ${load.activities} activities`);
    }
    await this.#raw.close();
    return { seed: this.#options.seed, violations: this.#invariants.violations, elapsed: world.elapsed, events: world.events, steps: this.#invariants.steps, hits: this.#hits };
  }

  #busy(): number {
    return [...this.#engines.values()].reduce((sum, { load }) => sum + load.turns + load.activities, 0);
  }

  #engine(process: SimulatedProcess, appId: string, faults: Faults, onCrash = (): void => undefined): Engine {
    const world = this.#world;
    const ledger = faultyLedger({ world, process, raw: this.#raw, faults, mutant: this.#options.mutant, hit: this.#hit, onCrash, check: this.#invariants });
    return new Engine({ appId, namespace: 'default', ledger, clock: process.clock, random: world.random.next, newId: world.newId, log: this.#log, settings: SETTINGS });
  }

  /** A process of an app begins, and begins anew some time after it died. */
  #begin(name: string, appId: string): void {
    const world = this.#world;
    const process = new SimulatedProcess(name, world);
    const engine = this.#engine(process, appId, this.#faults, () => {
      process.kill();
      this.#engines.delete(name);
      world.schedule(world.random.below(8000), () => this.#begin(name, appId));
    });
    this.#engines.set(name, engine);
    engine.attachExecutor(this.#watched(functionExecutor({ near: programFunction })));
    engine.attachExecutor(this.#watched(stateExecutor));
    engine.attachExecutor(this.#far(this.#watched(functionExecutor({ far: programFunction }, { inline: false })), process));
    engine.attachActivities(this.#activities(process));
    engine.start();
  }

  /** S6, and S7 for turns. */
  #watched(executor: WorkflowExecutor): WorkflowExecutor {
    const underWay = new Set<string>();
    return {
      ...executor,
      runTurn: (turn, signal) => {
        const key = `${turn.instance.app}/${turn.instance.instanceId}`;
        if (underWay.has(key)) this.#invariants.violate('S7', `two turns of ${key} in one process`);
        if (executor.style === 'replay') void this.#world.outside(this.#invariants.checkPast(turn));
        const answer = executor.runTurn(turn, signal);
        if (!(answer instanceof Promise)) return answer;
        underWay.add(key);
        return answer.finally(() => underWay.delete(key));
      },
    };
  }

  /** A worker beyond a wire: slow, silent, gone, wrong. */
  #far(executor: WorkflowExecutor, process: SimulatedProcess): WorkflowExecutor {
    const world = this.#world;
    const { random } = world;
    return {
      ...executor,
      runTurn: async (turn, signal) => {
        const isFaulty = world.elapsed < FAULTY_MS && this.#faults.crash > 0;
        await new Promise<void>((resolve) => void world.schedule(random.below(50), () => process.deliver(resolve)));
        if (isFaulty && random.chance(0.05)) {
          this.#hit('worker:gone');
          throw new ExecutorUnavailable();
        }
        if (isFaulty && random.chance(0.03)) {
          this.#hit('worker:threw');
          throw new Error('the worker is confused');
        }
        const answer = await executor.runTurn(turn, signal);
        if (isFaulty && random.chance(0.02)) {
          this.#hit('worker:silent');
          return new Promise(() => undefined);
        }
        await new Promise<void>((resolve) => void world.schedule(random.below(50), () => process.deliver(resolve)));
        return answer;
      },
    };
  }

  #activities(process: SimulatedProcess): ActivityExecutor {
    const world = this.#world;
    const { random } = world;
    const running = new Set<string>();
    return {
      names: () => ['echo', 'flaky', 'deferred'],
      runActivity: async (request): Promise<ActivityOutcome> => {
        if (running.has(request.token)) this.#invariants.violate('S7', `two runs of ${request.idempotencyKey} attempt ${request.attempt} in one process`);
        running.add(request.token);
        try {
          const isFaulty = world.elapsed < FAULTY_MS && this.#faults.crash > 0;
          const longMs = isFaulty && random.chance(0.05) ? 40_000 : random.below(200);
          await new Promise<void>((resolve) => void world.schedule(longMs, () => process.deliver(resolve)));
          if (isFaulty && random.chance(0.03)) throw new ExecutorUnavailable();
          if (request.name === 'echo') return { kind: 'completed', result: this.#padded(request.input ?? '') };
          if (request.name === 'flaky') {
            if (request.attempt <= Number(request.input)) throw new Error('not yet');
            return { kind: 'completed', result: '1' };
          }
          world.schedule(random.below(2000), () => this.#completeLater(request.token));
          if (random.chance(0.5)) this.#completeLater(request.token);
          return { kind: 'deferred' };
        } finally {
          running.delete(request.token);
        }
      },
    };
  }

  /** From outside, until somebody takes it or nobody waits for it; twice is no harm. */
  #completeLater(token: string): void {
    void this.#client.completeActivity(token, { kind: 'completed', result: '1' }).then(undefined, (error: { code?: string }) => {
      if (error.code !== 'ERR_WORKFLOW_ACTIVITY_GONE') this.#world.schedule(1000, () => this.#completeLater(token));
    });
  }

  /** Starts a workflow through a process that may fail, by the sure way if it did; sends its events; meddles with it. */
  #beginClient(n: number): void {
    const { random } = this.#world;
    const instanceId = `w${n}`;
    const program = randomProgram(random);
    const events = Array.from({ length: eventsOf(program) }, () => random.below(100));
    this.#expected.set(instanceId, expectedOf(program, events.values()));
    const request = { name: random.pick(WORKFLOW_NAMES), instanceId, input: JSON.stringify(program), ...(random.chance(0.2) ? { startAt: this.#world.now() + random.below(10_000) } : {}) };
    const meddling = random.below(10);
    void this.#drive(request, events, meddling).then(
      () => (this.#pendingClients -= 1),
      (error: unknown) => this.#invariants.violate('client', error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  }

  async #drive(request: { name: string; instanceId: string; input: string }, events: readonly number[], meddling: number): Promise<void> {
    const { random } = this.#world;
    const client = this.#client.operations;
    const { instanceId } = request;
    const first = this.#engines.get(random.pick(['p1', 'p2']));
    // Its answer may never come, or say that it failed though it did not.
    let isAnswered = false;
    const answered = (): void => void (isAnswered = true);
    await Promise.race([first?.operations.start({ ...request, idReuse: 'unique' }).then(answered, answered), this.#sleep(1000)]);
    await client.start({ ...request, idReuse: 'existing' });
    const raise = async (): Promise<void> => {
      for (const value of events) {
        await this.#sleep(random.below(3000));
        await client.raiseEvent(instanceId, 'go', this.#padded(String(value)));
      }
    };
    // Nobody hears of an event once the instance is purged.
    const raising = raise().catch((error: { code?: string }) => {
      if (this.#expected.get(instanceId) !== 'gone' || error.code !== 'ERR_INSTANCE_ID_NOT_FOUND') throw error;
    });
    await this.#sleep(random.below(15_000));
    if (meddling < 3) {
      this.#hit('client:suspend');
      await client.suspend(instanceId);
      await this.#sleep(random.below(10_000));
      await client.resume(instanceId);
    } else if (meddling === 3) {
      this.#hit('client:terminate');
      this.#expected.set(instanceId, undefined);
      await client.terminate(instanceId, { recurse: random.chance(0.7) });
    } else if (meddling === 4 && events.length === 0) {
      this.#hit('client:restart');
      const program = { ...randomProgram(random), loops: 0 };
      if (eventsOf(program) === 0) {
        this.#expected.set(instanceId, expectedOf(program));
        await client.start({ name: random.pick(WORKFLOW_NAMES), instanceId, input: JSON.stringify(program), idReuse: 'restart' });
      }
    } else if (meddling === 5 && isAnswered) {
      // A start that is still on its way would begin it anew.
      this.#hit('client:purge');
      this.#expected.set(instanceId, 'gone');
      await client.purge(instanceId, { force: true, recurse: random.chance(0.7) });
    } else if (meddling === 6 && request.name !== 'state' && canRerun(request.input)) await this.#rerun(instanceId, random);
    await raising;
  }

  /** From a step by chance, once it has ended: the new instance comes to the same end. */
  async #rerun(instanceId: string, random: Random): Promise<void> {
    const { status } = await this.#client.queries.waitFor(instanceId, 'end', new AbortController().signal);
    const orders = (await this.#client.queries.history(instanceId)).filter(({ event }) => ['taskScheduled', 'timerCreated', 'childCreated'].includes(event.kind));
    if (status !== 'completed' || orders.length === 0) return;
    this.#hit('client:rerun');
    const newInstanceId = `${instanceId}-again`;
    this.#expected.set(newInstanceId, this.#expected.get(instanceId));
    await this.#client.rerun({ instanceId, eventId: random.pick(orders).event.id, newInstanceId });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.schedule(ms, resolve));
  }
}

/** Not what waits for events, which are not raised again, nor what is retried by the engine: a history does not say how often. */
function canRerun(input: string): boolean {
  return !/"op":"(event|flaky)"/.test(input);
}
