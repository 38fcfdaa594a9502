/**
 * What workers' clients do to instances (workflow-protocol.md 4). The same engine as the block's own API, other manners: a start waits for
 * the first turn, waiting is a call, and errors have other codes.
 */
import { MechaError } from '../../errors.ts';
import { errors as pipelineErrors } from '../../pipeline.ts';
import type { Engine } from '../../engine/engine.ts';
import type { WorkflowState } from '../../engine/queries.ts';
import type { HistoryEvent, Router, TraceContext } from '../../engine/vocabulary.ts';
import type { WorkflowStatus } from '@mecha/components/kit';
import { errors } from './workflow-errors.ts';

export interface NewInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly input: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startAt: number | undefined;
  readonly unique: boolean;
  readonly trace: TraceContext | undefined;
}
export interface PurgeFilter {
  readonly createdFrom: number | undefined;
  readonly createdTo: number | undefined;
  readonly statuses: readonly WorkflowStatus[];
}
export interface RerunFrom {
  readonly instanceId: string;
  readonly eventId: number;
  readonly newInstanceId: string | undefined;
  /** Absent: as it was; null: none. */
  readonly input?: string | null;
  readonly newChildInstanceId: string | undefined;
}

export interface TaskHubParts {
  readonly namespace: string;
  readonly engine: Engine;
  /** Aborts when nobody is to wait any longer. */
  readonly closing: AbortSignal;
}

const HISTORY_PAGE = 10_000;
const IDS_DEFAULT = 1024;

export class TaskHub {
  readonly #engine: Engine;
  readonly #parts: TaskHubParts;

  constructor(parts: TaskHubParts) {
    this.#engine = parts.engine;
    this.#parts = parts;
  }

  /** The name of the app in the ledger; the own without a router. */
  #app(router: Router | undefined): string {
    if (!router?.targetAppId) return this.#engine.app;
    if (!/^[\w-]+$/.test(router.targetAppId)) throw errors.appIdInvalid(router.targetAppId);
    return `${router.targetNamespace || this.#parts.namespace}/${router.targetAppId}`;
  }

  /** Resolves when its first turn is committed, at once with a start time. */
  async start({ instanceId, name, input, startAt, unique, trace }: NewInstance, router: Router | undefined, signal: AbortSignal): Promise<string> {
    const app = this.#app(router);
    const request = {
      name, idReuse: unique ? ('unique' as const) : ('terminal' as const),
      ...(instanceId === '' ? {} : { instanceId }), ...(input === undefined ? {} : { input }), ...(startAt === undefined ? {} : { startAt }), ...(trace === undefined ? {} : { trace }),
      ...(router === undefined ? {} : { router }),
    };
    let started: string;
    try {
      ({ instanceId: started } = await this.#engine.operations.start(request, app));
    } catch (error) {
      if (error instanceof MechaError && error.kind === 'already-exists') throw errors.exists(instanceId, unique, error);
      throw error;
    }
    if (startAt === undefined) await this.#wait(started, 'start', app, signal);
    return started;
  }

  async get(instanceId: string, payloads: boolean, router: Router | undefined): Promise<WorkflowState | undefined> {
    return this.#engine.queries.get(instanceId, { payloads, app: this.#app(router) });
  }
  /** Also for one that is not there yet. */
  async waitFor(instanceId: string, what: 'start' | 'end', payloads: boolean, router: Router | undefined, signal: AbortSignal): Promise<WorkflowState | undefined> {
    const app = this.#app(router);
    await this.#wait(instanceId, what, app, signal);
    return this.#engine.queries.get(instanceId, { payloads, app });
  }
  async #wait(instanceId: string, what: 'start' | 'end', app: string, signal: AbortSignal): Promise<void> {
    const { closing } = this.#parts;
    try {
      await this.#engine.queries.waitFor(instanceId, what, AbortSignal.any([signal, closing]), app);
    } catch (error) {
      if (closing.aborted) throw pipelineErrors.shuttingDown();
      if (signal.aborted) throw errors.callerGone();
      throw error;
    }
  }

  async raiseEvent(instanceId: string, name: string, input: string | undefined, router: Router | undefined): Promise<void> {
    await this.#told('raise event', () => this.#engine.operations.raiseEvent(instanceId, name, input, this.#app(router)));
  }
  async terminate(instanceId: string, output: string | undefined, recurse: boolean, router: Router | undefined): Promise<void> {
    await this.#told('submit termination request', () => this.#engine.operations.terminate(instanceId, { recurse, app: this.#app(router), ...(output === undefined ? {} : { output }) }));
  }
  async suspend(instanceId: string, reason: string | undefined, router: Router | undefined): Promise<void> {
    await this.#told('suspend workflow', () => this.#engine.operations.suspend(instanceId, reason, this.#app(router)));
  }
  async resume(instanceId: string, reason: string | undefined, router: Router | undefined): Promise<void> {
    await this.#told('resume workflow', () => this.#engine.operations.resume(instanceId, reason, this.#app(router)));
  }

  /** How many are gone. */
  async purge(instanceId: string, recurse: boolean, force: boolean, router: Router | undefined): Promise<number> {
    return this.#told('purge workflow state', async () => {
      try {
        return await this.#engine.operations.purge(instanceId, { recurse, force, app: this.#app(router) });
      } catch (error) {
        if (error instanceof MechaError && error.kind === 'precondition') throw errors.notCompleted(error);
        throw error;
      }
    });
  }
  purgeMany({ createdFrom, createdTo, statuses }: PurgeFilter, recurse: boolean): Promise<number> {
    return this.#engine.operations.purgeMany(
      { ...(createdFrom === undefined ? {} : { createdFrom }), ...(createdTo === undefined ? {} : { createdTo }), ...(statuses.length === 0 ? {} : { statuses }) },
      { recurse },
    );
  }

  async rerun({ instanceId, eventId, newInstanceId, input, newChildInstanceId }: RerunFrom): Promise<string> {
    if (instanceId === '') throw errors.rerunSourceMissing();
    return this.#engine.rerun({ instanceId, eventId, ...(newInstanceId === undefined ? {} : { newInstanceId }), ...(input === undefined ? {} : { input }), ...(newChildInstanceId === undefined ? {} : { newChildInstanceId }) });
  }

  async list(cursor: string | undefined, limit: number | undefined): Promise<{ readonly instanceIds: readonly string[]; readonly cursor: string | undefined }> {
    const page = await this.#engine.queries.list({ limit: limit || IDS_DEFAULT, ...(cursor === undefined ? {} : { cursor }) });
    return { instanceIds: page.instances.map(({ instanceId }) => instanceId), cursor: page.cursor };
  }

  async history(instanceId: string): Promise<readonly HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    try {
      for (;;) {
        const page = await this.#engine.queries.history(instanceId, { from: events.length, limit: HISTORY_PAGE });
        events.push(...page.map(({ event }) => event));
        if (page.length < HISTORY_PAGE) return events;
      }
    } catch (error) {
      if (error instanceof MechaError && error.kind === 'not-found') throw errors.historyNotFound(instanceId, error);
      throw error;
    }
  }

  async #told<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof MechaError && error.kind === 'not-found') throw errors.noSuchInstance(what, error);
      throw error;
    }
  }
}
