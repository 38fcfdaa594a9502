/**
 * Rerun from a step: a new instance with the history of an old one up to, not including, the event of one task, timer or child; what was
 * open at that point, that event's work itself, and what the same turn ordered after it, is ordered again. Replay executors only: a snapshot executor's history is no state.
 */
import { LedgerConflict, isTerminalStatus, type Clock, type Ledger, type NewActivity, type NewTimer, type NewWorkflow, type WorkflowMessage } from '@mecha/components/kit';
import { appendOf, messageOf, type StoredRequest } from './compose-step.ts';
import { engineErrors } from './engine-errors.ts';
import { fetched, store } from './payloads.ts';
import { dueAtOf, type EventOf, type HistoryEvent } from './vocabulary.ts';

export interface RerunRequest {
  readonly instanceId: string;
  readonly eventId: number;
  readonly newInstanceId?: string;
  /** In place of the input of that task or child; absent: as it was; null: none. */
  readonly input?: string | null;
  readonly newChildInstanceId?: string;
}
interface RerunParts {
  readonly app: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: () => string;
}
type Order = EventOf<'taskScheduled'> | EventOf<'timerCreated'> | EventOf<'childCreated'>;
const isOrder = (event: HistoryEvent): event is Order => event.kind === 'taskScheduled' || event.kind === 'timerCreated' || event.kind === 'childCreated';

/** The id of the new instance. */
export async function rerun(request: RerunRequest, { app, ledger, clock, newId }: RerunParts): Promise<string> {
  const { instanceId, eventId } = request;
  const newInstanceId = request.newInstanceId ?? newId();
  const source = await ledger.workflows.find(app, instanceId);
  if (!source) throw engineErrors.notFound(instanceId);
  if (!isTerminalStatus(source.status)) throw engineErrors.rerunNotEnded(instanceId);
  if (source.parent) throw engineErrors.rerunChild(instanceId);
  if (newInstanceId === instanceId) throw engineErrors.invalidInstanceId('rerun workflow instance ID must be different from the original instance ID');
  const history: HistoryEvent[] = [];
  for (const { data } of await ledger.workflows.history(source.row, 0, Number.MAX_SAFE_INTEGER)) history.push(...(await fetched<HistoryEvent[]>(ledger.workflows, source.row, data)));
  const at = history.findIndex((event) => event.id === eventId && event.kind !== 'executionCompleted');
  const found = history[at];
  if (!found) throw engineErrors.rerunTarget(instanceId, eventId, history.some(({ kind }) => kind === 'audit') ? 'its history is a record and no steps; an execution of a state machine is redriven' : 'its history does not have this event');
  if (!isOrder(found)) throw engineErrors.rerunTarget(instanceId, eventId, `${found.kind} is not an event that can be rerun`);
  if (request.input !== undefined && found.kind === 'timerCreated') throw engineErrors.rerunTarget(instanceId, eventId, 'a timer has no input');

  const before = history.slice(0, at);
  const executionId = newId();
  const now = clock.now();
  const kept = before.map((event): HistoryEvent => (event.kind === 'executionStarted' ? { ...event, instanceId: newInstanceId, executionId } : event));
  const openOrders = before.filter((event): event is Order => isOrder(event) && !isResolved(event, before));
  const target = withInput(found, request.input);
  const siblings = sameTurn(history.slice(at + 1));
  const marked: HistoryEvent = { ...target, at: now, extra: { ...target.extra, rerunOf: instanceId } };
  const work = orderAgain([...openOrders, target, ...siblings.filter(isOrder)], { app, instanceId: newInstanceId, executionId, name: source.name, now, newId, ...(request.newChildInstanceId === undefined ? {} : { childId: request.newChildInstanceId, childOf: eventId }) });
  const started = kept.find((event) => event.kind === 'executionStarted');
  if (!started) throw engineErrors.rerunTarget(instanceId, eventId, 'it stands before the start');
  const appended = [...kept, marked, ...siblings];
  try {
    await ledger.commit([
      { type: 'workflow.create', app, instanceId: newInstanceId, executionId, name: source.name, ifExists: 'unique', message: messageOf(started), ...(source.version === undefined ? {} : { version: source.version }) },
      { type: 'workflow.first-step', app, instanceId: newInstanceId, executionId, status: 'running', append: appendOf(appended), ...work },
    ]);
  } catch (error) {
    if (error instanceof LedgerConflict) throw engineErrors.alreadyExists(newInstanceId, 'there');
    throw error;
  }
  return newInstanceId;
}

/** What the turn of the event did after it: a code that is replayed up to here has done that, too. */
function sameTurn(after: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const end = after.findIndex((event) => !isOrder(event) && event.kind !== 'eventSent' && event.kind !== 'detachedCreated');
  return end < 0 ? after : after.slice(0, end);
}

function isResolved(order: Order, history: readonly HistoryEvent[]): boolean {
  return history.some((event) =>
    order.kind === 'taskScheduled'
      ? (event.kind === 'taskCompleted' || event.kind === 'taskFailed') && event.taskId === order.id
      : order.kind === 'timerCreated'
        ? event.kind === 'timerFired' && event.timerId === order.id
        : (event.kind === 'childCompleted' || event.kind === 'childFailed') && event.taskId === order.id,
  );
}

function withInput(order: Order, input: string | null | undefined): Order {
  if (input === undefined || order.kind === 'timerCreated') return order;
  const { input: _, ...rest } = order;
  return input === null ? rest : { ...rest, input };
}

interface Into {
  readonly app: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly now: number;
  readonly newId: () => string;
  readonly childId?: string;
  readonly childOf?: number;
}
function orderAgain(orders: readonly Order[], into: Into): { activities: NewActivity[]; timers: NewTimer[]; create: (NewWorkflow & { refused: WorkflowMessage })[] } {
  const activities: NewActivity[] = [];
  const timers: NewTimer[] = [];
  const create: (NewWorkflow & { refused: WorkflowMessage })[] = [];
  for (const order of orders) {
    if (order.kind === 'taskScheduled') {
      const { version, input, taskExecutionId, trace, router, extra } = order;
      const request: StoredRequest = {
        workflow: into.name, ...(version === undefined ? {} : { version }), ...(input === undefined ? {} : { input }), ...(taskExecutionId === undefined ? {} : { taskExecutionId }),
        ...(trace === undefined ? {} : { trace }), ...(router === undefined ? {} : { router }), ...(extra === undefined ? {} : { extra }),
      };
      const { text, payloads } = store(request);
      activities.push({ taskId: order.id, app: targetOf(order, into.app), name: order.name, request: text, ...(payloads ? { payloads } : {}) });
    } else if (order.kind === 'timerCreated') {
      const dueAt = dueAtOf(order.fireAt);
      timers.push({ timerId: order.id, message: messageOf({ kind: 'timerFired', id: -1, at: into.now, timerId: order.id, fireAt: order.fireAt }), ...(dueAt === undefined ? {} : { dueAt }) });
    } else create.push(childAgain(order, into));
  }
  return { activities, timers, create };
}

function childAgain({ id, name, version, input, trace, router }: EventOf<'childCreated'>, into: Into): NewWorkflow & { refused: WorkflowMessage } {
  const { app, now, newId } = into;
  const instanceId = id === into.childOf && into.childId !== undefined ? into.childId : `${into.instanceId}:${(id >>> 0).toString(16).padStart(4, '0')}`;
  const executionId = newId();
  const parent = { app, instanceId: into.instanceId, executionId: into.executionId, taskId: id };
  const said = { name, ...(version === undefined ? {} : { version }), ...(input === undefined ? {} : { input }), ...(trace === undefined ? {} : { trace }) };
  return {
    app: targetOf({ ...(router === undefined ? {} : { router }) }, app), instanceId, executionId, name, parent, ifExists: 'terminal',
    message: messageOf({ kind: 'executionStarted', id: -1, at: now, instanceId, executionId, parent: { ...parent, name: into.name }, ...said }),
    refused: messageOf({ kind: 'childFailed', id: -1, at: now, taskId: id, failure: { errorType: 'ChildWorkflowExists', errorMessage: `a workflow with the id ${instanceId} is active already` } }),
    ...(version === undefined ? {} : { version }),
  };
}

function targetOf({ router }: Pick<HistoryEvent, 'router'>, app: string): string {
  if (!router?.targetAppId) return app;
  return `${router.targetNamespace || app.slice(0, app.indexOf('/'))}/${router.targetAppId}`;
}
