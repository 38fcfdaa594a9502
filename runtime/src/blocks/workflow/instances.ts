/**
 * The eyes on workflow instances, for people and their tools: lists with filters, one with all that is known of it and what it waits for,
 * its history page by page, and a rerun from a step. Ours, beside the contract's API, which has none of this over HTTP.
 */
import type { WorkflowQuery, WorkflowRow, WorkflowStatus } from '@mecha/components/kit';
import type { Engine } from '../../engine/engine.ts';
import type { Wait, WorkflowState } from '../../engine/queries.ts';
import type { HistoryEvent } from '../../engine/vocabulary.ts';
import { errors } from './workflow-errors.ts';

export const WORKFLOW_STATUSES = ['pending', 'running', 'suspended', 'stalled', 'completed', 'failed', 'terminated', 'canceled'] as const satisfies readonly WorkflowStatus[];

export interface InstancesPage {
  readonly instances: readonly WorkflowRow[];
  /** Of the next page; undefined: this was the last. */
  readonly cursor: string | undefined;
}
export interface InstanceDetails extends WorkflowState {
  readonly waits: readonly Wait[];
}
export interface HistoryPage {
  readonly events: readonly { readonly number: number; readonly event: HistoryEvent }[];
  /** Number of the first event of the next page; undefined: this was the last. */
  readonly next: number | undefined;
}
export interface RerunFrom {
  readonly instanceId: string;
  readonly eventId: number;
  readonly newInstanceId?: string;
  /** JSON text; absent: as it was. */
  readonly input?: string;
}

export interface Instances {
  /** Of this app, newest first. */
  list(query: Omit<WorkflowQuery, 'app' | 'completedBefore'>): Promise<InstancesPage>;
  get(instanceId: string): Promise<InstanceDetails>;
  history(instanceId: string, from: number, limit: number): Promise<HistoryPage>;
  /** The id of the new instance. */
  rerun(request: RerunFrom): Promise<string>;
  /** With all children. `force`: at once, though it would have undone something before. */
  terminate(instanceId: string, force: boolean): Promise<void>;
  /** With all children. `force`: also what has not ended. */
  purge(instanceId: string, force: boolean): Promise<void>;
}

export function createInstances({ engine }: { readonly engine: () => Promise<Engine> }): Instances {
  return {
    async list(query) {
      const { instances, cursor } = await (await engine()).queries.list(query);
      return { instances, cursor };
    },
    async get(instanceId) {
      const { queries } = await engine();
      const found = await queries.get(instanceId);
      if (!found) throw errors.notFound(instanceId);
      return { ...found, waits: await queries.waits(instanceId) };
    },
    async history(instanceId, from, limit) {
      const { queries } = await engine();
      const found = await queries.history(instanceId, { from, limit: limit + 1 });
      const events = found.slice(0, limit);
      return { events, next: found[limit]?.number };
    },
    async rerun({ instanceId, eventId, newInstanceId, input }) {
      return (await engine()).rerun({ instanceId, eventId, ...(newInstanceId === undefined ? {} : { newInstanceId }), ...(input === undefined ? {} : { input }) });
    },
    async terminate(instanceId, force) {
      await (await engine()).operations.terminate(instanceId, { recurse: true, force });
    },
    async purge(instanceId, force) {
      await (await engine()).operations.purge(instanceId, { recurse: true, force });
    },
  };
}
