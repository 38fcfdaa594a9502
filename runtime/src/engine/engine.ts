/**
 * The durable engine of one app, put together: workflows as rows of the ledger, run by whatever executors are attached
 * (docs/adr/0006-durable-engine.md). Several engines, in one process or in several, may share a ledger, also of the same app.
 */
import { POLLED_NAME } from '@mecha/components/kit/ledger-workflow.ts';
import { isTerminalStatus, type WorkflowStatus } from '@mecha/components/kit';
import { ActivityRunner, activityOf, tokenOf } from './activity-runner.ts';
import type { Termination } from './compose-step.ts';
import { Dispatcher } from './dispatcher.ts';
import { engineErrors } from './engine-errors.ts';
import { EngineMetrics } from './engine-metrics.ts';
import { DEFAULT_SETTINGS, appOf, type EngineParts, type EngineSettings } from './engine-parts.ts';
import type { ActivityExecutor, ActivityOutcome, ActivityRequest, WorkflowExecutor } from './executor.ts';
import { InstanceMemory } from './instance-memory.ts';
import { Limiter } from './limits.ts';
import { Operations } from './operations.ts';
import { Queries } from './queries.ts';
import { Retention } from './retention.ts';
import { rerun, type RerunRequest } from './rerun.ts';
import { TurnRunner } from './turn-runner.ts';
import type { HistoryEvent } from './vocabulary.ts';

export interface EngineLoad {
  readonly turns: number;
  readonly activities: number;
  readonly remembered: number;
}

const IDLE_LOOK_MS = 20;

export class Engine {
  /** `namespace/app id`. */
  readonly app: string;
  readonly operations: Operations;
  readonly queries: Queries;
  readonly #parts: EngineParts;
  readonly #executors: WorkflowExecutor[] = [];
  readonly #activityExecutors: ActivityExecutor[] = [];
  readonly #runner: TurnRunner;
  readonly #activityRunner: ActivityRunner;
  readonly #dispatcher: Dispatcher;
  readonly #retention: Retention;
  readonly #metrics: EngineMetrics;
  readonly #memory: InstanceMemory;
  readonly #turns: Limiter;
  readonly #activities: Limiter;
  #stopped = false;

  constructor(parts: EngineParts) {
    const settings: EngineSettings = { ...DEFAULT_SETTINGS, ...parts.settings };
    const { ledger, clock, log } = parts;
    this.#parts = parts;
    const app = (this.app = appOf(parts.namespace, parts.appId));
    const owner = `${parts.appId}-${parts.newId()}`;
    const metrics = (this.#metrics = new EngineMetrics({ port: parts.metrics, clock, log, namespace: parts.namespace, app, workflows: ledger.workflows, load: () => this.load }));
    const executorFor = (name: string): WorkflowExecutor | undefined => chosen(this.#executors, name);
    const activityExecutorFor = (name: string): ActivityExecutor | undefined => chosen(this.#activityExecutors, name);
    const onStatus = (ofApp: string, instanceId: string, status: WorkflowStatus): void => this.queries.onStatus(ofApp, instanceId, status);
    const limiter = (this.#activities = new Limiter(settings.activities));
    const turns = (this.#turns = new Limiter(settings.turns));
    const memory = (this.#memory = new InstanceMemory(ledger.workflows, settings.memoryBytesMax, settings.memoryInstancesMax, settings.historyBytesMax));
    this.#runner = new TurnRunner({
      ...parts, settings, owner, memory, executorFor, onStatus, metrics, onTerminate: (termination) => void this.#terminateUnread(termination),
      claimActivity: (ofApp, name) => (!this.#stopped && ofApp === app && activityExecutorFor(name) && limiter.tryTake(name) ? { owner, leaseMs: settings.leaseMs } : undefined),
      startActivity: (started) => void this.#activityRunner.run(started),
      unclaimActivity: (name) => limiter.give(name),
    });
    this.#activityRunner = new ActivityRunner({ ...parts, settings, owner, limiter, metrics, executorFor: activityExecutorFor, offer: (row, result) => this.#runner.offer(row, result), onFree: () => this.#dispatcher.freed() });
    this.#dispatcher = new Dispatcher({
      app, owner, ledger, clock, log, settings, turns, activities: limiter,
      workflowNames: () => namesOf(this.#executors),
      activityNames: () => namesOf(this.#activityExecutors),
      runTurn: (claimed) => this.#runner.run(claimed),
      runActivity: (activity) => void this.#activityRunner.run(activity),
      expire: (activity) => this.#activityRunner.expire(activity),
      held: () => ({ instances: this.#runner.held, activities: this.#activityRunner.held }),
      lost: (instances, activities) => {
        this.#runner.lost(instances);
        this.#activityRunner.abort(activities);
      },
    });
    this.queries = new Queries({ app, ledger, clock, metrics, hasExecutor: (name) => executorFor(name) !== undefined, hasActivityExecutor: (name) => activityExecutorFor(name) !== undefined });
    this.operations = new Operations({
      ledger, clock, newId: parts.newId, app, settings, metrics, turns, runner: this.#runner, executorFor, onStatus,
      gracefulNames: () => this.#executors.flatMap((executor) => (executor.endsGracefully ? (executor.names?.() ?? []) : [])),
      onControl: (row) => this.#activityRunner.abortOf(row),
    });
    this.#retention = new Retention({ clock, log, policy: settings.retention, purgeMany: (filter, options) => this.operations.purgeMany(filter, options) });
  }

  get load(): EngineLoad {
    return { turns: this.#turns.taken, activities: this.#activities.taken, remembered: this.#memory.size };
  }

  start(): void {
    this.#dispatcher.start();
    this.#retention.start();
    this.#metrics.start();
  }

  /** Stalled instances are tried again: what they lacked may be here now. Returns the detacher. */
  attachExecutor(executor: WorkflowExecutor): () => void {
    this.#executors.push(executor);
    this.#dispatcher.wake();
    void this.#wakeStalled(executor);
    return () => remove(this.#executors, executor);
  }
  attachActivities(executor: ActivityExecutor): () => void {
    this.#activityExecutors.push(executor);
    this.#dispatcher.wake();
    return () => remove(this.#activityExecutors, executor);
  }

  async #wakeStalled(executor: WorkflowExecutor): Promise<void> {
    try {
      const { instances } = await this.#parts.ledger.workflows.list({ app: this.app, statuses: ['stalled'], limit: 1000 });
      const names = executor.names?.();
      const rows = instances.filter(({ name }) => names?.includes(name) ?? true);
      if (rows.length > 0) await this.#parts.ledger.commit(rows.map(({ row }) => ({ type: 'workflow.wake' as const, row })));
    } catch (error) {
      this.#parts.log.warn({ app: this.app, err: error }, 'stalled workflows wait for their rest to end');
    }
  }

  /** Whom nobody runs here, and who is suspended, ends all the same; the word that it was sent stays for a crash in between. Never rejects. */
  async #terminateUnread({ app, instanceId, reason, recurse }: Termination): Promise<void> {
    try {
      const found = await this.#parts.ledger.workflows.find(app, instanceId);
      if (!found || isTerminalStatus(found.status) || (found.status !== 'suspended' && chosen(this.#executors, found.name))) return;
      await this.operations.terminate(instanceId, { app, recurse, ...(reason === undefined ? {} : { output: reason }) });
    } catch (error) {
      this.#parts.log.debug({ app, instanceId, err: error }, 'a workflow that is to end does so when somebody runs it');
    }
  }

  /** The result of an activity that was deferred, or that an executor cannot give any more. Throws by name when nobody waits for it. */
  async completeActivity(token: string, outcome: Exclude<ActivityOutcome, { kind: 'deferred' }>): Promise<void> {
    const of = activityOf(token);
    if (!of) throw engineErrors.invalidToken();
    if (!(await this.#activityRunner.complete(of, outcome))) throw engineErrors.activityGone();
  }
  async heartbeat(token: string): Promise<void> {
    const of = activityOf(token);
    if (!of) throw engineErrors.invalidToken();
    if (!(await this.#activityRunner.heartbeat(of))) throw engineErrors.activityGone();
  }

  /** The token of an open task; undefined: it has ended, or never was. */
  async findActivity({ instanceId, executionId, taskId }: { readonly instanceId: string; readonly executionId: string; readonly taskId: number }): Promise<string | undefined> {
    const { workflows } = this.#parts.ledger;
    const row = await workflows.find(this.app, instanceId);
    if (row?.executionId !== executionId) return undefined;
    const [found] = await workflows.activities(row.row, 1, taskId);
    return found?.taskId === taskId ? tokenOf(found.activity, found.attempt) : undefined;
  }
  /** Activities for workers who ask for them by name (`POLLED_NAME`); their workflows get the event that `told` gives. */
  takeActivities(name: string, limit: number, told: (request: ActivityRequest) => HistoryEvent): Promise<readonly ActivityRequest[]> {
    return this.#activityRunner.take(this.app, name, limit, told);
  }
  /** One of those, by its token, when the worker has gone without it. */
  async giveBackActivity(token: string): Promise<void> {
    const of = activityOf(token);
    if (!of) throw engineErrors.invalidToken();
    await this.#activityRunner.giveBack(of);
  }

  rerun(request: RerunRequest): Promise<string> {
    return rerun(request, { app: this.app, ledger: this.#parts.ledger, clock: this.#parts.clock, newId: this.#parts.newId });
  }

  /** Claims no more and waits for what is under way, until the signal aborts; the rest is given back by the end of its lease. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#stopped = true;
    await this.#dispatcher.stop();
    while (!signal.aborted && !(this.#runner.isIdle && this.#activityRunner.isIdle)) await new Promise<void>((resolve) => void this.#parts.clock.after(IDLE_LOOK_MS, resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retention.stop();
    this.#metrics.stop();
    await this.#dispatcher.stop();
    this.#runner.stop();
    this.#activityRunner.stop();
    this.#dispatcher.close();
    this.queries.stop();
  }
}

/** Who says that it runs this name comes before who runs whatever comes, in whichever order they were attached. */
function namesOf(executors: readonly { names?(): readonly string[] }[]): readonly string[] | undefined {
  const names: string[] = [];
  for (const executor of executors) {
    const own = executor.names?.();
    if (own === undefined) return undefined;
    names.push(...own);
  }
  return names;
}
/** Whoever asks for the name itself comes before those who take all. */
function chosen<T extends { names?(): readonly string[] }>(executors: readonly T[], name: string): T | undefined {
  return executors.find((executor) => executor.names?.().includes(name)) ?? (name.startsWith(POLLED_NAME) ? undefined : executors.find((executor) => !executor.names));
}
function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

