/**
 * What the engine counts and times, by the names that dashboards know (behaviour.md 11.2), and four gauges of our own. Names of workflows
 * and activities are labels; how many series that makes is bounded where they are kept.
 */
import type { Clock, WorkflowLedger, WorkflowStatus } from '@mecha/components/kit';
import type { EngineLog, EngineMetricsPort } from './engine-parts.ts';

export type MeasuredOperation = 'create_workflow' | 'get_workflow' | 'add_event' | 'purge_workflow';
/** `recoverable`: it will be tried again. */
export type MeasuredStatus = 'success' | 'failed' | 'recoverable' | 'terminated';

const GAUGES_EVERY_MS = 15_000;
const OPEN = ['pending', 'running', 'suspended', 'stalled'] as const;

export interface EngineMetricsParts {
  readonly port: EngineMetricsPort | undefined;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly namespace: string;
  /** `namespace/app id`. */
  readonly app: string;
  readonly workflows: WorkflowLedger;
  /** Turns and activities under way in this process. */
  readonly load: () => { readonly turns: number; readonly activities: number };
}

export class EngineMetrics {
  readonly #parts: EngineMetricsParts;
  #cancel = (): void => undefined;
  #stopped = true;

  constructor(parts: EngineMetricsParts) {
    this.#parts = parts;
  }

  /** Gauges are looked up from now on. */
  start(): void {
    if (!this.#parts.port) return;
    this.#stopped = false;
    void this.#look();
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async operation<T>(operation: MeasuredOperation, run: () => Promise<T>): Promise<T> {
    const { port, clock, namespace } = this.#parts;
    if (!port) return run();
    const from = clock.now();
    let status: MeasuredStatus = 'failed';
    try {
      const result = await run();
      status = 'success';
      return result;
    } finally {
      this.#timed('runtime_workflow_operation', { namespace, operation, status }, clock.now() - from);
    }
  }

  /** From its creation, or the time that it was to start, to its first turn. */
  begun(name: string, dueAt: number): void {
    const { port, clock, namespace } = this.#parts;
    port?.observe('runtime_workflow_scheduling_latency', { namespace, workflow_name: name }, Math.max(0, clock.now() - dueAt));
  }
  ended(name: string, status: WorkflowStatus, createdAt: number): void {
    const word: MeasuredStatus = status === 'completed' ? 'success' : status === 'terminated' || status === 'canceled' ? 'terminated' : 'failed';
    this.#timed('runtime_workflow_execution', { namespace: this.#parts.namespace, workflow_name: name, status: word }, this.#parts.clock.now() - createdAt);
  }
  turnFailed(name: string): void {
    this.#parts.port?.count('runtime_workflow_execution_count', { namespace: this.#parts.namespace, workflow_name: name, status: 'recoverable' satisfies MeasuredStatus });
  }

  /** One run of an activity, from when this process has it to its outcome. */
  activityRun(name: string, status: MeasuredStatus, ms: number): void {
    this.#timed('runtime_workflow_activity_execution', { namespace: this.#parts.namespace, activity_name: name, status }, ms);
  }
  /** Its outcome was recorded. */
  activityRecorded(name: string, status: MeasuredStatus, ms: number): void {
    this.#timed('runtime_workflow_activity_operation', { namespace: this.#parts.namespace, activity_name: name, status }, ms);
  }

  #timed(name: string, labels: Readonly<Record<string, string>>, ms: number): void {
    const { port } = this.#parts;
    port?.count(`${name}_count`, labels);
    port?.observe(`${name}_latency`, labels, Math.max(0, ms));
  }

  async #look(): Promise<void> {
    const { port, clock, log, app, namespace, workflows, load } = this.#parts;
    try {
      const { open, nextDueAt } = await workflows.overview(app);
      for (const status of OPEN) port?.gauge('runtime_workflow_open', { namespace, status }, open[status] ?? 0);
      port?.gauge('runtime_workflow_oldest_due_ms', { namespace }, nextDueAt === undefined ? 0 : Math.max(0, clock.now() - nextDueAt));
      const { turns, activities } = load();
      port?.gauge('runtime_workflow_turns_in_flight', { namespace }, turns);
      port?.gauge('runtime_workflow_activities_in_flight', { namespace }, activities);
    } catch (error) {
      log.debug({ app, err: error }, 'gauges of workflows could not be read');
    }
    if (!this.#stopped) this.#cancel = clock.after(GAUGES_EVERY_MS, () => void this.#look());
  }
}
