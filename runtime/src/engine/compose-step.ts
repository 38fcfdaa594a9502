/**
 * From an executor's answer to the one operation that commits it. Pure: what it returns depends on its arguments alone, and nothing has
 * happened yet when it throws.
 *
 * Throws `TurnRejected`: an id used twice (a stale answer, or code that is not deterministic), patches that do not go on from those
 * recorded; a history over its bound. A payload over the bound fails the task it was for, or else the workflow, by the name `PayloadTooLarge`.
 */
import type { NewActivity, NewTimer, NewWorkflow, WorkflowAppend, WorkflowMessage, WorkflowParent, WorkflowStatus, WorkflowStep } from '@mecha/components/kit';
import { TurnRejected, type TurnResult } from './executor.ts';
import { timerFor, type Remembered } from './instance-memory.ts';
import { store, storeStatus } from './payloads.ts';
import { dueAtOf, type ActivityRetry, type EndStatus, type EventOf, type FailureDetails, type HistoryEvent, type Router, type TraceContext, type WorkerVersion, type WorkflowAction } from './vocabulary.ts';

export interface ComposeContext {
  readonly app: string;
  readonly appOf: (router: Router | undefined) => string;
  readonly newId: () => string;
  readonly payloadBytesMax: number;
  /** Of a history with its payloads. */
  readonly historyBytesMax: number;
  readonly now: number;
  /** A place for this activity in this process, to be claimed by the step itself. */
  readonly claim: (app: string, name: string) => NewActivity['claim'];
}

/** What an activity's row carries for its executor. */
export interface StoredRequest {
  readonly workflow: string;
  readonly version?: string;
  readonly input?: string;
  readonly taskExecutionId?: string;
  readonly trace?: TraceContext;
  readonly retry?: ActivityRetry;
  readonly router?: Router;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Of a worker's message in the reason of a stalled instance. */
const WORDS_MAX = 500;

export type StepBody = Omit<WorkflowStep, 'type' | 'row' | 'fence' | 'consumed' | 'resolved'>;
export interface ComposedStep {
  readonly body: StepBody;
  /** To the history, as the executor will see it as its past. */
  readonly appended: readonly HistoryEvent[];
  /** The execution that goes on: another one after continue-as-new. */
  readonly executionId: string;
  readonly ended: boolean;
  /** Who is told to end. The word waits in the inbox; whom nobody runs here cannot read it. */
  readonly terminates: readonly Termination[];
}
export interface Termination {
  readonly app: string;
  readonly instanceId: string;
  readonly reason?: string;
  readonly recurse: boolean;
}

export function messageOf(event: HistoryEvent): WorkflowMessage {
  const { text, payloads } = store(event);
  return { event: text, kind: isResult(event) ? 'result' : 'event', ...(payloads ? { payloads } : {}) };
}
export function appendOf(events: readonly HistoryEvent[]): WorkflowAppend {
  const { text, payloads } = store(events);
  return { count: events.length, data: text, ...(payloads ? { payloads } : {}) };
}

/** Belongs to one execution and goes with it. */
function isResult({ kind }: HistoryEvent): boolean {
  return kind === 'taskCompleted' || kind === 'taskFailed' || kind === 'childCompleted' || kind === 'childFailed' || kind === 'timerFired';
}

/** What a parent hears of a child's end. */
export function endMessage(parent: WorkflowParent, status: EndStatus, at: number, result?: string, failure?: FailureDetails): WorkflowMessage {
  const { taskId } = parent;
  if (status === 'completed') return messageOf({ kind: 'childCompleted', id: -1, at, taskId, ...(result === undefined ? {} : { result }) });
  // Terminated: without details, by which executors tell it from a failure.
  return messageOf({ kind: 'childFailed', id: -1, at, taskId, ...(failure === undefined ? {} : { failure }) });
}

/** What a page adds to a history, payloads included. */
export const bytesOf = (append: WorkflowAppend | undefined): number => (append?.payloads ?? []).reduce((sum, { data }) => sum + data.length, append?.data.length ?? 0);

export function tooLarge(what: string, bytesMax: number): FailureDetails {
  return { errorType: 'PayloadTooLarge', errorMessage: `${what} is larger than ${bytesMax} bytes`, isNonRetriable: true };
}
/** Whether the text has more bytes than that, found out without counting where it can be. */
export function isLarger(text: string | undefined, bytesMax: number): boolean {
  return text !== undefined && text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

export function composeStep(memory: Remembered, newEvents: readonly HistoryEvent[], answer: TurnResult, context: ComposeContext): ComposedStep {
  return new Composition(memory, newEvents, answer, context).compose();
}

class Composition {
  readonly #memory: Remembered;
  readonly #newEvents: readonly HistoryEvent[];
  readonly #answer: TurnResult;
  readonly #context: ComposeContext;
  readonly #made: HistoryEvent[] = [];
  readonly #usedIds = new Set<number>();
  readonly #activities: NewActivity[] = [];
  readonly #timers: NewTimer[] = [];
  readonly #creates: (NewWorkflow & { refused?: WorkflowMessage })[] = [];
  readonly #sends: { app: string; instanceId: string; message: WorkflowMessage }[] = [];
  readonly #dropActivities: number[] = [];
  readonly #dropTimers: number[] = [];
  readonly #terminates: Termination[] = [];
  #end: EventOf<'executionCompleted'> | undefined;
  #again: Extract<WorkflowAction, { kind: 'continueAsNew' }> | undefined;

  constructor(memory: Remembered, newEvents: readonly HistoryEvent[], answer: TurnResult, context: ComposeContext) {
    this.#memory = memory;
    this.#newEvents = newEvents;
    this.#answer = answer;
    this.#context = context;
  }

  compose(): ComposedStep {
    const { now } = this.#context;
    this.#dropTimersOfEvents();
    for (const action of this.#answer.actions) this.#apply(action);
    const oversize = this.#oversize();
    if (oversize && !this.#end?.failure) {
      this.#again = undefined;
      this.#creates.length = 0;
      this.#sends.length = 0;
      this.#terminates.length = 0;
      this.#end = { kind: 'executionCompleted', id: this.#end?.id ?? -1, at: now, status: 'failed', failure: oversize };
    }
    return this.#again && !this.#end ? this.#composeAgain(this.#again) : this.#composeOn();
  }

  #composeOn(): ComposedStep {
    const { now } = this.#context;
    const { customStatus, attributes, snapshot } = this.#answer;
    const end = this.#end;
    const appended = [...this.#recorded(), ...(end ? [end] : [])];
    const status: WorkflowStatus = end?.status ?? 'running';
    const parent = this.#memory.parent;
    const keepsSnapshot = snapshot !== undefined && !(end?.failure?.errorType === 'PayloadTooLarge');
    const body: StepBody = {
      status,
      reason: null,
      append: appendOf(appended),
      ...(end && parent ? { toParent: endMessage(parent, end.status, now, end.result, end.failure) } : {}),
      ...(isLarger(customStatus ?? undefined, this.#context.payloadBytesMax) ? {} : statusOf(customStatus)),
      ...(attributes === undefined ? {} : { attributes }),
      ...(keepsSnapshot ? { snapshot } : {}),
      ...this.#workOrdered(),
    };
    this.#checkHistory(body.append);
    return { body, appended, executionId: this.#memory.executionId, ended: end !== undefined, terminates: this.#terminates };
  }

  /** The old execution's history goes; the new one begins with its start in the inbox, before whatever else is unread. */
  #composeAgain({ input, carryover = [], extra }: Extract<WorkflowAction, { kind: 'continueAsNew' }>): ComposedStep {
    const { now, newId } = this.#context;
    const { name, instanceId, parent, version } = this.#memory;
    const executionId = newId();
    const started: HistoryEvent = {
      kind: 'executionStarted', id: -1, at: now, name, instanceId, executionId,
      ...(input === undefined ? {} : { input }),
      ...(parent === undefined ? {} : { parent }),
      ...(version === undefined ? {} : { version }),
      ...(extra === undefined ? {} : { extra }),
    };
    const { customStatus, attributes } = this.#answer;
    const body: StepBody = {
      status: 'running',
      reason: null,
      reset: { executionId, messages: [started, ...carryover].map(messageOf) },
      ...(this.#memory.executor.style === 'snapshot' ? { snapshot: null } : {}),
      ...statusOf(customStatus),
      ...(attributes === undefined ? {} : { attributes }),
      ...(this.#creates.length > 0 ? { create: this.#creates.filter(({ parent: awaits }) => awaits === undefined) } : {}),
      ...(this.#sends.length > 0 ? { send: this.#sends } : {}),
    };
    return { body, appended: [], executionId, ended: false, terminates: this.#terminates };
  }

  /** One that could not be read again by anybody is not written. An end is: it makes nothing longer after it. */
  #checkHistory(append: WorkflowAppend | undefined): void {
    const { historyBytesMax } = this.#context;
    const bytes = this.#memory.bytes + this.#memory.payloadBytes + bytesOf(append);
    if (bytes > historyBytesMax && !this.#end) throw new TurnRejected('payload-too-large', `the history would have ${bytes} bytes, and the limit is ${historyBytesMax}; continue-as-new would begin it anew`);
  }

  #workOrdered(): Partial<StepBody> {
    return {
      ...(this.#activities.length > 0 ? { activities: this.#activities } : {}),
      ...(this.#timers.length > 0 ? { timers: this.#timers } : {}),
      ...(this.#creates.length > 0 ? { create: this.#creates } : {}),
      ...(this.#sends.length > 0 ? { send: this.#sends } : {}),
      ...(this.#dropActivities.length > 0 ? { dropActivities: this.#dropActivities } : {}),
      ...(this.#dropTimers.length > 0 ? { dropTimers: this.#dropTimers } : {}),
    };
  }

  /** Replay: all that was seen and ordered. Snapshot: the executor's own records between start and end. */
  #recorded(): HistoryEvent[] {
    if (this.#memory.executor.style === 'replay') return [...this.#newEvents.map((event) => (event.kind === 'workflowStarted' ? this.#withVersion(event) : event)), ...this.#made];
    const { now } = this.#context;
    const kept = this.#newEvents.filter(({ kind }) => kind === 'executionStarted' || kind === 'executionTerminated');
    return [...kept, ...(this.#answer.audit ?? []).map((data): HistoryEvent => ({ kind: 'audit', id: -1, at: now, data }))];
  }

  /** Patches may only be added to; only the new ones are recorded. */
  #withVersion(started: EventOf<'workflowStarted'>): HistoryEvent {
    const { version } = this.#answer;
    const recorded = this.#memory.patches;
    const reported = version?.patches ?? [];
    if (recorded.some((patch, n) => reported[n] !== patch)) throw new TurnRejected('patch-mismatch', `the workflow began with the patches ${recorded.join(', ')}, and the worker reports ${reported.join(', ') || 'none'}`);
    const added = reported.slice(recorded.length);
    const stored: WorkerVersion = added.length > 0 ? { patches: added } : reported.length === 0 && version?.name ? { name: version.name } : {};
    return Object.keys(stored).length > 0 ? { ...started, version: stored } : started;
  }

  #dropTimersOfEvents(): void {
    const waiting = { eventTimers: new Map(this.#memory.eventTimers) };
    for (const event of this.#newEvents) {
      if (event.kind !== 'eventRaised') continue;
      const timerId = timerFor(waiting, event.name);
      if (timerId === undefined) continue;
      waiting.eventTimers.delete(timerId);
      this.#dropTimers.push(timerId);
    }
  }

  #useId(id: number, what: string): void {
    if (this.#usedIds.has(id) || this.#memory.ids.has(id)) throw new TurnRejected('non-deterministic', this.#usedTwice(id, what));
    this.#usedIds.add(id);
  }
  /** What stands there, and what the executor says itself: Go's SDK fails the workflow in the same answer. */
  #usedTwice(id: number, what: string): string {
    const at = this.#memory.past.findIndex((event) => event.id === id);
    const recorded = this.#memory.past[at];
    const there = recorded ? `where event ${at} of the history is ${recorded.kind}${'name' in recorded && recorded.name ? ` ${recorded.name}` : ''}` : 'which the history or the answer has already';
    const failed = this.#answer.actions.find((action) => action.kind === 'complete' && action.failure !== undefined);
    const said = failed?.kind === 'complete' && failed.failure ? `; the worker says: ${failed.failure.errorMessage.slice(0, WORDS_MAX)}` : '';
    return `the answer orders ${what} under the id ${id}, ${there}: a stale answer, or code that does not repeat itself${said}`;
  }

  #base(id: number, action: WorkflowAction): { readonly id: number; readonly at: number; readonly router?: Router; readonly extra?: Readonly<Record<string, unknown>> } {
    return { id, at: this.#context.now, ...(action.router === undefined ? {} : { router: action.router }), ...(action.extra === undefined ? {} : { extra: action.extra }) };
  }

  #apply(action: WorkflowAction): void {
    switch (action.kind) {
      case 'scheduleTask':
        return this.#scheduleTask(action);
      case 'createChild':
        return this.#createChild(action);
      case 'createDetached':
        return this.#createDetached(action);
      case 'createTimer':
        return this.#createTimer(action);
      case 'sendEvent': {
        const { id, instanceId, name, input } = action;
        const event: HistoryEvent = { kind: 'eventRaised', id: -1, at: this.#context.now, name, ...(input === undefined ? {} : { input }) };
        this.#sends.push({ app: this.#context.appOf(action.router), instanceId, message: messageOf(event) });
        this.#made.push({ ...this.#base(id, action), kind: 'eventSent', instanceId, name, ...(input === undefined ? {} : { input }) });
        return;
      }
      case 'terminate': {
        const { instanceId, reason, recurse } = action;
        const event: HistoryEvent = { kind: 'executionTerminated', id: -1, at: this.#context.now, recurse, ...(reason === undefined ? {} : { input: reason }) };
        const app = this.#context.appOf(action.router);
        this.#sends.push({ app, instanceId, message: messageOf(event) });
        this.#terminates.push({ app, instanceId, recurse, ...(reason === undefined ? {} : { reason }) });
        return;
      }
      case 'complete': {
        const { id, status, result, failure } = action;
        this.#end ??= { ...this.#base(id, action), kind: 'executionCompleted', status, ...(result === undefined ? {} : { result }), ...(failure === undefined ? {} : { failure }) };
        return;
      }
      case 'continueAsNew':
        this.#again ??= action;
        return;
      case 'cancelTask':
        this.#dropActivities.push(action.taskId);
        return;
      case 'cancelTimer':
        this.#dropTimers.push(action.timerId);
    }
  }

  #scheduleTask(action: Extract<WorkflowAction, { kind: 'scheduleTask' }>): void {
    const { id, name, version, input, taskExecutionId, trace, options = {}, router, extra } = action;
    const { now, payloadBytesMax } = this.#context;
    this.#useId(id, `the activity ${name}`);
    const oversize = isLarger(input, payloadBytesMax);
    const said = {
      ...(version === undefined ? {} : { version }),
      ...(input === undefined || oversize ? {} : { input }),
      ...(taskExecutionId === undefined ? {} : { taskExecutionId }),
      ...(trace === undefined ? {} : { trace }),
    };
    this.#made.push({ ...this.#base(id, action), kind: 'taskScheduled', name, ...said });
    if (oversize) {
      const failure = tooLarge(`the input of activity ${name}`, payloadBytesMax);
      this.#sends.push({ app: this.#memory.app, instanceId: this.#memory.instanceId, message: messageOf({ kind: 'taskFailed', id: -1, at: now, taskId: id, failure, ...(taskExecutionId === undefined ? {} : { taskExecutionId }) }) });
      return;
    }
    const { retry, runTimeoutMs, totalTimeoutMs, heartbeatTimeoutMs } = options;
    const request: StoredRequest = { workflow: this.#memory.name, ...said, ...(retry === undefined ? {} : { retry }), ...(router === undefined ? {} : { router }), ...(extra === undefined ? {} : { extra }) };
    const app = this.#context.appOf(router);
    const claim = this.#context.claim(app, name);
    const { text, payloads } = store(request);
    this.#activities.push({
      taskId: id, app, name, request: text,
      ...(payloads ? { payloads } : {}),
      ...(totalTimeoutMs === undefined ? {} : { endBy: now + totalTimeoutMs }),
      ...(runTimeoutMs === undefined ? {} : { runMs: runTimeoutMs }),
      ...(heartbeatTimeoutMs === undefined ? {} : { beatMs: heartbeatTimeoutMs }),
      ...(claim === undefined ? {} : { claim }),
    });
  }

  #createChild(action: Extract<WorkflowAction, { kind: 'createChild' }>): void {
    const { id, name, version, input, tags, idReuse, trace, router, extra } = action;
    const { now, newId } = this.#context;
    const { app, instanceId: parentId, executionId: parentExecution, name: parentName } = this.#memory;
    this.#useId(id, `the child workflow ${name}`);
    const instanceId = action.instanceId || `${parentId}:${(id >>> 0).toString(16).padStart(4, '0')}`;
    const parent: WorkflowParent = { app, instanceId: parentId, executionId: parentExecution, taskId: id };
    const executionId = newId();
    const said = { name, ...(version === undefined ? {} : { version }), ...(input === undefined ? {} : { input }), ...(trace === undefined ? {} : { trace }) };
    this.#made.push({ ...this.#base(id, action), kind: 'childCreated', instanceId, ...said });
    const started: HistoryEvent = { kind: 'executionStarted', id: -1, at: now, instanceId, executionId, parent: { ...parent, name: parentName }, ...said, ...(tags === undefined ? {} : { tags }), ...(router === undefined ? {} : { router }), ...(extra === undefined ? {} : { extra }) };
    const failure: FailureDetails = { errorType: 'ChildWorkflowExists', errorMessage: `a workflow with the id ${instanceId} is active already` };
    this.#creates.push({
      app: this.#context.appOf(router), instanceId, executionId, name, parent, ifExists: idReuse ?? 'terminal', message: messageOf(started),
      refused: messageOf({ kind: 'childFailed', id: -1, at: now, taskId: id, failure }),
      ...(version === undefined ? {} : { version }), ...(tags === undefined ? {} : { attributes: tags }),
    });
  }

  #createDetached(action: Extract<WorkflowAction, { kind: 'createDetached' }>): void {
    const { id, name, instanceId, version, input, startAt, tags, idReuse, trace, router, extra } = action;
    const { now, newId } = this.#context;
    this.#useId(id, `the detached workflow ${name}`);
    const executionId = action.executionId ?? newId();
    this.#made.push({ ...this.#base(id, action), kind: 'detachedCreated', instanceId });
    const started: HistoryEvent = {
      kind: 'executionStarted', id: -1, at: now, name, instanceId, executionId,
      ...(version === undefined ? {} : { version }), ...(input === undefined ? {} : { input }), ...(startAt === undefined ? {} : { startAt }),
      ...(tags === undefined ? {} : { tags }), ...(trace === undefined ? {} : { trace }), ...(router === undefined ? {} : { router }), ...(extra === undefined ? {} : { extra }),
    };
    this.#creates.push({
      app: this.#context.appOf(router), instanceId, executionId, name, ifExists: idReuse ?? 'terminal', message: messageOf(started),
      ...(version === undefined ? {} : { version }), ...(startAt === undefined ? {} : { startAt }), ...(tags === undefined ? {} : { attributes: tags }),
    });
  }

  #createTimer(action: Extract<WorkflowAction, { kind: 'createTimer' }>): void {
    const { id, fireAt, name, origin } = action;
    this.#useId(id, 'a timer');
    const dueAt = dueAtOf(fireAt);
    this.#made.push({ ...this.#base(id, action), kind: 'timerCreated', fireAt, ...(name === undefined ? {} : { name }), ...(origin === undefined ? {} : { origin }) });
    this.#timers.push({
      timerId: id,
      message: messageOf({ kind: 'timerFired', id: -1, at: this.#context.now, timerId: id, fireAt, ...(origin?.type === 'externalEvent' ? { extra: { waitsFor: origin.name } } : {}) }),
      ...(dueAt === undefined ? {} : { dueAt }),
    });
  }

  #oversize(): FailureDetails | undefined {
    const { payloadBytesMax: most } = this.#context;
    if (isLarger(this.#end?.result, most)) return tooLarge('the output of the workflow', most);
    if (isLarger(this.#again?.input, most)) return tooLarge('the input for the next execution', most);
    if (isLarger(this.#answer.customStatus ?? undefined, most)) return tooLarge('the custom status', most);
    // State of a whole workflow, not one payload: it holds several.
    if (isLarger(this.#answer.snapshot, most * 2)) return tooLarge('the state of the workflow', most * 2);
    for (const action of this.#answer.actions) {
      if ((action.kind === 'createChild' || action.kind === 'createDetached') && isLarger(action.input, most)) return tooLarge('the input of a child workflow', most);
      if (action.kind === 'sendEvent' && isLarger(action.input, most)) return tooLarge('the data of an event', most);
    }
    return undefined;
  }
}

function statusOf(customStatus: string | null | undefined): Pick<StepBody, 'customStatus' | 'customStatusPayload'> {
  if (customStatus === undefined) return {};
  return customStatus === null ? { customStatus } : storeStatus(customStatus);
}
