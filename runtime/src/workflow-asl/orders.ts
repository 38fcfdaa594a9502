/**
 * What an execution orders in one turn, from the language's commands to the engine's actions. A turn may order something and take it back
 * before anything was committed: what was ordered here is then not ordered at all, since the engine drops before it adds.
 */
import type { Command, ScheduleTask } from '../asl/messages.ts';
import { parseResource } from '../asl/resource.ts';
import type { Router, WorkflowAction } from '../engine/vocabulary.ts';
import type { KeptTrace } from '../telemetry/trace.ts';
import { POLLED_NAME } from '@mecha/components/kit/ledger-workflow.ts';
import { MACHINE_ATTRIBUTE, MAP_RUN_ATTRIBUTE, parseArn, STATES_WORKFLOW, TASK_ACTIVITY } from './arns.ts';
import type { MapTask } from './map-items.ts';
import { DEADLINES_FROM, type ExecutionExtra } from './turn-events.ts';
import type { AwaitedWorkflow } from './workflow-task.ts';

/** What an activity's request carries beside its input. */
export interface TaskExtra {
  readonly resource: string;
  readonly token?: string;
  readonly idempotencyKey: string;
  /** Set when the answer is the items of a Map, or its results are what the task was given. */
  readonly map?: MapTask;
}
/** Live children by the id of their task: to be stopped when they matter no more. Executions by their instance id. */
export type Children = Readonly<Record<string, string | ChildWorkflow>>;
/** Of SDK workers. */
export interface ChildWorkflow {
  readonly instanceId: string;
  /** Another app's. */
  readonly appId?: string;
}

export const activityQueue = (activityName: string): string => `${POLLED_NAME}activity/${activityName}`;

export interface ChildOrder {
  readonly id: string;
  readonly instanceId: string;
  readonly machine: string;
  readonly version: string;
  readonly input: string;
  readonly extra: ExecutionExtra;
  readonly wait: boolean;
  readonly mapRunArn?: string;
  readonly timeoutSeconds?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

export class Orders {
  readonly #now: number;
  readonly #actions = new Map<number, WorkflowAction>();
  readonly #others: WorkflowAction[] = [];
  readonly #children: Map<string, string | ChildWorkflow>;
  /** Goes along with all that is ordered. */
  readonly #trace: { readonly trace?: KeptTrace };

  constructor(now: number, children: Children, trace: KeptTrace | undefined) {
    this.#now = now;
    this.#trace = trace === undefined ? {} : { trace };
    this.#children = new Map(Object.entries(children));
  }

  get actions(): readonly WorkflowAction[] {
    return [...this.#others, ...this.#actions.values()];
  }
  get children(): Children {
    return Object.fromEntries(this.#children);
  }

  scheduleTask(command: Omit<ScheduleTask, 'type' | 'attempt' | 'stateName'>, map?: MapTask): void {
    const { id, resource: arn, timeoutSeconds, heartbeatSeconds, token, idempotencyKey } = command;
    const resource = parseResource(arn);
    const polled = resource?.family === 'activity';
    const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
    const extra: TaskExtra = { resource: arn, idempotencyKey, ...(token === undefined ? {} : { token }), ...(map ? { map } : {}) };
    this.#add(Number(id), {
      kind: 'scheduleTask',
      id: Number(id),
      name: polled ? activityQueue(resource.resource.slice('activity:'.length)) : TASK_ACTIVITY,
      input: JSON.stringify(command.arguments),
      extra: { ...extra },
      ...this.#trace,
      options: {
        // The clock of an activity starts when a worker takes it, that of every other task at once.
        ...(timeoutMs === undefined ? {} : polled ? { runTimeoutMs: timeoutMs } : { totalTimeoutMs: timeoutMs }),
        ...(heartbeatSeconds === undefined ? {} : { heartbeatTimeoutMs: heartbeatSeconds * 1000 }),
      },
    });
  }

  startTimer(id: number, dueMs: number): void {
    this.#add(id, { kind: 'createTimer', id, fireAt: new Date(Math.ceil(dueMs)).toISOString() });
  }

  startChild({ id, instanceId, machine, version, input, extra, wait, mapRunArn, timeoutSeconds, attributes }: ChildOrder): void {
    const tags = { [MACHINE_ATTRIBUTE]: machine, ...attributes, ...(mapRunArn === undefined ? {} : { [MAP_RUN_ATTRIBUTE]: mapRunArn }) };
    const common = { id: Number(id), name: STATES_WORKFLOW, instanceId, version, input, tags, idReuse: 'unique', extra: { ...extra }, ...this.#trace } as const;
    if (!wait) return this.#add(Number(id), { kind: 'createDetached', ...common });
    this.#add(Number(id), { kind: 'createChild', ...common });
    this.#wait(id, instanceId, timeoutSeconds);
  }

  /** A workflow of SDK workers: one of this id that has ended is replaced. */
  startWorkflow(id: string, { name, instanceId, input, appId }: AwaitedWorkflow, timeoutSeconds: number | undefined): void {
    this.#add(Number(id), { kind: 'createChild', id: Number(id), name, instanceId, ...(input === undefined ? {} : { input }), ...routerTo(appId), ...this.#trace });
    this.#wait(id, { instanceId, ...(appId === undefined ? {} : { appId }) }, timeoutSeconds);
  }
  isWorkflow(id: string): boolean {
    return typeof this.#children.get(id) === 'object';
  }
  #wait(id: string, child: string | ChildWorkflow, timeoutSeconds: number | undefined): void {
    this.#children.set(id, child);
    if (timeoutSeconds !== undefined) this.startTimer(DEADLINES_FROM + Number(id), this.#now + timeoutSeconds * 1000);
  }

  cancel({ ids }: Extract<Command, { readonly type: 'cancel' }>): void {
    for (const id of ids) this.#cancel(id);
  }
  #cancel(id: string): void {
    const number = Number(id);
    const ordered = this.#actions.get(number)?.kind;
    // Executions that nobody waits for go on.
    if (ordered === 'createDetached') return;
    const child = this.#children.get(id);
    if (ordered !== undefined) this.#actions.delete(number);
    else if (child === undefined) this.#others.push({ kind: 'cancelTask', id: -1, taskId: number }, { kind: 'cancelTimer', id: -1, timerId: number });
    else this.#stop(child);
    if (child !== undefined) this.forgetChild(id);
  }

  /** It has ended, or is too late: it is stopped if it still runs. */
  forgetChild(id: string, late = false): void {
    const child = this.#children.get(id);
    if (child === undefined) return;
    this.#children.delete(id);
    if (late) this.#stop(child);
    const deadline = DEADLINES_FROM + Number(id);
    if (!this.#actions.delete(deadline)) this.#others.push({ kind: 'cancelTimer', id: -1, timerId: deadline });
  }

  /** Executions stop their own children; those of other workflows are stopped with them. */
  #stop(child: string | ChildWorkflow): void {
    if (typeof child === 'string') this.#others.push({ kind: 'terminate', id: -1, instanceId: child, recurse: false });
    else this.#others.push({ kind: 'terminate', id: -1, instanceId: child.instanceId, recurse: true, ...routerTo(child.appId) });
  }

  complete(action: Extract<WorkflowAction, { readonly kind: 'complete' }>): void {
    this.#others.push(action);
  }

  #add(id: number, action: WorkflowAction): void {
    this.#actions.set(id, action);
  }
}

const routerTo = (appId: string | undefined): { readonly router?: Router } => (appId === undefined ? {} : { router: { targetAppId: appId } });

/** The instance id that an execution's ARN names. */
export function instanceOf(executionArn: string): string {
  const parsed = parseArn(executionArn);
  if (!parsed) throw new Error(`${executionArn} is no ARN of an execution`);
  return parsed.tail;
}
