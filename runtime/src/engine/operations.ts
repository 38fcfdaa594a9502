/** What is done to instances from outside: start, raise an event, suspend, resume, terminate, purge. */
import { LedgerConflict, isTerminalStatus, type IdReuse, type Ledger, type NewWorkflow, type WorkflowQuery, type WorkflowRow, type WorkflowStatus } from '@mecha/components/kit';
import { appendOf, endMessage, isLarger, messageOf } from './compose-step.ts';
import { engineErrors } from './engine-errors.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import type { EngineParts, EngineSettings } from './engine-parts.ts';
import type { WorkflowExecutor } from './executor.ts';
import type { Limiter } from './limits.ts';
import { terminationOf, type TurnRunner } from './turn-runner.ts';
import { DistinctInstants, type HistoryEvent, type Router, type TraceContext } from './vocabulary.ts';

export interface StartRequest {
  readonly name: string;
  /** Made when absent. */
  readonly instanceId?: string;
  readonly executionId?: string;
  readonly version?: string;
  readonly input?: string;
  /** Milliseconds since the epoch. */
  readonly startAt?: number;
  /** Default `terminal`: an instance that has ended is replaced. */
  readonly idReuse?: IdReuse;
  /** For search. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly trace?: TraceContext;
  readonly router?: Router;
  readonly extra?: Readonly<Record<string, unknown>>;
}
export interface Started {
  readonly instanceId: string;
  /** False: one that was there already is the answer (`existing`). */
  readonly created: boolean;
}

export interface OperationsParts extends Pick<EngineParts, 'ledger' | 'clock' | 'newId'> {
  readonly app: string;
  readonly settings: EngineSettings;
  readonly metrics: EngineMetrics;
  readonly turns: Limiter;
  readonly runner: TurnRunner;
  readonly executorFor: (name: string) => WorkflowExecutor | undefined;
  readonly gracefulNames: () => readonly string[];
  readonly onControl: (row: number) => void;
  readonly onStatus: (app: string, instanceId: string, status: WorkflowStatus) => void;
}

export const INSTANCE_ID_MAX = 1024;
const PURGE_PAGE = 200;

export class Operations {
  readonly #parts: OperationsParts;
  readonly #ledger: Ledger;
  /** Java's SDK carries equal events over as one, though they be two of the same millisecond. */
  readonly #instants = new DistinctInstants();

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
  }

  /** In another app's name when `app` is given. */
  start(request: StartRequest, app = this.#parts.app): Promise<Started> {
    return this.#parts.metrics.operation('create_workflow', () => this.#start(request, app));
  }
  async #start(request: StartRequest, app: string): Promise<Started> {
    const { name, input, startAt, idReuse = 'terminal', version, attributes, trace, router, extra } = request;
    const { clock, newId, turns, runner, executorFor } = this.#parts;
    const instanceId = request.instanceId ?? newId();
    checkInstanceId(instanceId);
    this.#checkSize('the input', input);
    const executionId = request.executionId ?? newId();
    const event: HistoryEvent = {
      kind: 'executionStarted', id: -1, at: clock.now(), name, instanceId, executionId,
      ...(version === undefined ? {} : { version }), ...(input === undefined ? {} : { input }), ...(startAt === undefined ? {} : { startAt }),
      ...(attributes === undefined ? {} : { tags: attributes }), ...(trace === undefined ? {} : { trace }), ...(router === undefined ? {} : { router }), ...(extra === undefined ? {} : { extra }),
    };
    const workflow: NewWorkflow = {
      app, instanceId, executionId, name, ifExists: idReuse, message: messageOf(event),
      ...(version === undefined ? {} : { version }), ...(startAt === undefined ? {} : { startAt }), ...(attributes === undefined ? {} : { attributes }),
    };
    const executor = app === this.#parts.app && startAt === undefined && idReuse !== 'existing' && turns.roomFor(name) > 0 ? executorFor(name) : undefined;
    try {
      if (executor?.inline) {
        turns.take(name);
        try {
          await runner.start(workflow, event, executor);
        } finally {
          turns.give(name);
        }
        return { instanceId, created: true };
      }
      const [created] = await this.#ledger.commit([{ type: 'workflow.create', ...workflow }]);
      return { instanceId, created: created?.workflow?.applied ?? false };
    } catch (error) {
      if (!(error instanceof LedgerConflict)) throw error;
      const there = await this.#ledger.workflows.find(app, instanceId);
      throw engineErrors.alreadyExists(instanceId, there?.status ?? 'unknown');
    }
  }

  /** False: it has ended and will not hear of it. */
  raiseEvent(instanceId: string, name: string, input?: string, app = this.#parts.app): Promise<boolean> {
    return this.#parts.metrics.operation('add_event', () => this.#raiseEvent(instanceId, name, input, app));
  }
  async #raiseEvent(instanceId: string, name: string, input: string | undefined, app: string): Promise<boolean> {
    this.#checkSize('the data of the event', input);
    const event: HistoryEvent = { kind: 'eventRaised', id: -1, at: this.#instants.next(this.#parts.clock.now()), name, ...(input === undefined ? {} : { input }) };
    const [sent] = await this.#ledger.commit([{ type: 'workflow.send', app, instanceId, message: messageOf(event) }]);
    if (sent?.workflow?.applied) return true;
    if (sent?.workflow?.status === undefined) throw engineErrors.notFound(instanceId);
    return false;
  }

  suspend(instanceId: string, reason?: string, app?: string): Promise<boolean> {
    return this.#control(instanceId, 'suspended', { kind: 'executionSuspended', id: -1, at: this.#parts.clock.now(), ...(reason === undefined ? {} : { reason }) }, app);
  }
  resume(instanceId: string, reason?: string, app?: string): Promise<boolean> {
    return this.#control(instanceId, 'running', { kind: 'executionResumed', id: -1, at: this.#parts.clock.now(), ...(reason === undefined ? {} : { reason }) }, app);
  }
  async #control(instanceId: string, status: 'suspended' | 'running', event: HistoryEvent, app = this.#parts.app): Promise<boolean> {
    const { row } = await this.#found(app, instanceId);
    const [outcome] = await this.#ledger.commit([{ type: 'workflow.control', row, status, append: appendOf([event]) }]);
    const applied = outcome?.workflow?.applied ?? false;
    if (applied) this.#parts.onStatus(app, instanceId, status);
    return applied;
  }

  /**
   * Ends it now, whatever it does, with all its descendants when `recurse`; no worker is needed. Executors that end by themselves are told
   * instead, unless `force`. False: it had ended.
   */
  async terminate(instanceId: string, { output, recurse = false, force = false, app = this.#parts.app }: { readonly output?: string; readonly recurse?: boolean; readonly force?: boolean; readonly app?: string } = {}): Promise<boolean> {
    this.#checkSize('the output', output);
    const { clock, gracefulNames, onControl, onStatus, metrics } = this.#parts;
    const { row, name, parent, createdAt } = await this.#found(app, instanceId);
    const now = clock.now();
    const terminated = { kind: 'executionTerminated' as const, id: -1, at: now, recurse, ...(output === undefined ? {} : { input: output }) };
    const graceful = force ? [] : gracefulNames();
    const [outcome] = await this.#ledger.commit([
      {
        type: 'workflow.control', row, status: 'terminated', recurse, ...terminationOf(terminated, now),
        ...(parent ? { toParent: endMessage(parent, 'terminated', now) } : {}),
        ...(graceful.length > 0 ? { graceful: { names: graceful, message: messageOf(terminated) } } : {}),
      },
    ]);
    const applied = outcome?.workflow?.applied ?? false;
    if (applied && !graceful.includes(name)) {
      onControl(row);
      metrics.ended(name, 'terminated', createdAt);
      onStatus(app, instanceId, 'terminated');
    }
    return applied;
  }

  /** How many instances were removed. */
  purge(instanceId: string, options: { readonly recurse?: boolean; readonly force?: boolean; readonly app?: string } = {}): Promise<number> {
    return this.#parts.metrics.operation('purge_workflow', () => this.#purge(instanceId, options));
  }
  async #purge(instanceId: string, { recurse = false, force = false, app = this.#parts.app }: Parameters<Operations['purge']>[1] & object): Promise<number> {
    const { row, parent } = await this.#found(app, instanceId);
    const gone = parent ? endMessage(parent, 'failed', this.#parts.clock.now(), undefined, { errorType: 'ChildWorkflowPurged', errorMessage: `the child workflow ${instanceId} was purged before it had ended` }) : { event: '', kind: 'result' as const };
    const [outcome] = await this.#ledger.commit([{ type: 'workflow.purge', row, recurse, ...(force ? { force: { toParent: gone } } : {}) }]);
    const { count = 0, status } = outcome?.workflow ?? {};
    if (status !== undefined) throw engineErrors.notEnded(instanceId, status);
    this.#parts.onControl(row);
    return count;
  }

  /** Those of the filter that have ended, in steps; how many were removed. */
  async purgeMany(filter: Omit<WorkflowQuery, 'app' | 'limit' | 'cursor'>, { recurse = false, max = Number.MAX_SAFE_INTEGER }: { readonly recurse?: boolean; readonly max?: number } = {}): Promise<number> {
    const statuses = (filter.statuses ?? ['completed', 'failed', 'terminated', 'canceled']).filter(isTerminalStatus);
    if (statuses.length === 0) return 0;
    let removed = 0;
    for (let cursor: string | undefined; removed < max; ) {
      const page = await this.#ledger.workflows.list({ ...filter, statuses, app: this.#parts.app, limit: PURGE_PAGE, ...(cursor === undefined ? {} : { cursor }) });
      const outcomes = page.instances.length === 0 ? [] : await this.#ledger.commit(page.instances.map(({ row }) => ({ type: 'workflow.purge' as const, row, recurse })));
      const gone = outcomes.reduce((sum, { workflow }) => sum + (workflow?.count ?? 0), 0);
      removed += gone;
      // Pages by end time have no cursor: what was purged is off them, and what could not be would come for ever.
      cursor = page.cursor;
      if (filter.completedBefore !== undefined ? gone === 0 || cursor === undefined : cursor === undefined) break;
    }
    return removed;
  }

  /**
   * One that has ended goes on as the same execution, with this event: for executors that kept in their snapshot how. False: it has
   * not ended.
   */
  async reopen(instanceId: string, name: string, input?: string): Promise<boolean> {
    const { app, clock, onStatus } = this.#parts;
    const { row } = await this.#found(app, instanceId);
    const event: HistoryEvent = { kind: 'eventRaised', id: -1, at: clock.now(), name, ...(input === undefined ? {} : { input }) };
    const [outcome] = await this.#ledger.commit([{ type: 'workflow.reopen', row, message: messageOf(event) }]);
    const applied = outcome?.workflow?.applied ?? false;
    if (applied) onStatus(app, instanceId, 'running');
    return applied;
  }

  /** Ends the rest of a stalled instance at once. */
  async retry(instanceId: string, app = this.#parts.app): Promise<boolean> {
    const { row } = await this.#found(app, instanceId);
    const [outcome] = await this.#ledger.commit([{ type: 'workflow.wake', row }]);
    return outcome?.workflow?.applied ?? false;
  }

  async #found(app: string, instanceId: string): Promise<WorkflowRow> {
    const row = await this.#ledger.workflows.find(app, instanceId);
    if (!row) throw engineErrors.notFound(instanceId);
    return row;
  }

  #checkSize(what: string, text: string | undefined): void {
    const { payloadBytesMax } = this.#parts.settings;
    if (isLarger(text, payloadBytesMax)) throw engineErrors.payloadTooLarge(what, Buffer.byteLength(text ?? ''), payloadBytesMax);
  }
}

/** Doors have narrower rules of their own; children append to the id of their parent. */
function checkInstanceId(instanceId: string): void {
  if (instanceId === '') throw engineErrors.invalidInstanceId('it is empty');
  if (instanceId.length > INSTANCE_ID_MAX) throw engineErrors.invalidInstanceId(`it is longer than ${INSTANCE_ID_MAX} characters`);
  if (/[\u0000-\u001f\u007f]/.test(instanceId)) throw engineErrors.invalidInstanceId('it has control characters');
}
