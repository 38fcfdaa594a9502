/**
 * Executors in this process for tests, simulations and measurements: workflows as generator functions (replay), activities as functions.
 * A generator is kept between turns, so that its cost per step does not grow; when the engine forgets it, the past is replayed, and
 * compared with what the code orders now.
 */
import { ExecutorUnavailable, TurnRejected, type ActivityExecutor, type ActivityOutcome, type ActivityRequest, type Turn, type TurnResult, type WorkflowExecutor } from './executor.ts';
import type { ActivityOptions, HistoryEvent, WorkflowAction } from './vocabulary.ts';

export interface Awaited {
  readonly ids: readonly number[];
  readonly mode: 'all' | 'any';
}
export interface WorkflowContext {
  readonly instanceId: string;
  readonly input: unknown;
  /** Of the present turn; the same in a replay. */
  now(): number;
  activity(name: string, input?: unknown, options?: ActivityOptions & { readonly appId?: string }): Awaited;
  timer(ms: number): Awaited;
  event(name: string): Awaited;
  child(name: string, input?: unknown, options?: { readonly instanceId?: string; readonly appId?: string }): Awaited;
  all(awaited: readonly Awaited[]): Awaited;
  any(awaited: readonly Awaited[]): Awaited;
  send(instanceId: string, name: string, input?: unknown): void;
  setCustomStatus(status: string): void;
  continueAsNew(input: unknown): ContinueAsNew;
}
export class ContinueAsNew {
  readonly input: unknown;
  constructor(input: unknown) {
    this.input = input;
  }
}
/** Yields what it waits for and is given the results: one for one id, a list otherwise; a failure is thrown. */
export type WorkflowFunction = (context: WorkflowContext) => Generator<Awaited, unknown, never>;

interface Ordered {
  readonly kind: 'taskScheduled' | 'timerCreated' | 'childCreated' | 'eventSent' | 'wait';
  readonly name: string;
}
type Settled = { readonly value: unknown } | { readonly error: Error };

/** One execution of a workflow function, as far as it has come. */
class Run {
  turn = -1;
  readonly #script: WorkflowFunction;
  readonly #ordered = new Map<number, Ordered>();
  readonly #settled = new Map<number, Settled>();
  /** Ids that wait for an event, by its name, oldest first. */
  readonly #waits = new Map<string, number[]>();
  readonly #buffered: { name: string; value: unknown }[] = [];
  #generator: Generator<Awaited, unknown, never> | undefined;
  #waiting: Awaited | undefined;
  #actions: WorkflowAction[] = [];
  #nextId = 1;
  #now = 0;
  #customStatus: string | undefined;
  #ended = false;
  #seen = 0;

  constructor(script: WorkflowFunction) {
    this.#script = script;
  }

  /** What the past ordered must be what the code orders. */
  replay(past: readonly HistoryEvent[]): void {
    for (const event of past) {
      this.#check(event);
      this.#feed(event);
    }
    this.#actions = [];
  }
  answer(newEvents: readonly HistoryEvent[]): TurnResult {
    for (const event of newEvents) this.#feed(event);
    // Also events that came in the same turn, after the one that ended it.
    const carryover = this.#buffered.map(({ name, value }): HistoryEvent => ({ kind: 'eventRaised', id: -1, at: this.#now, name, input: JSON.stringify(value) }));
    const actions = this.#actions.map((action) => (action.kind === 'continueAsNew' ? { ...action, carryover } : action));
    this.#actions = [];
    return { actions, ...(this.#customStatus === undefined ? {} : { customStatus: this.#customStatus }) };
  }

  #check(event: HistoryEvent): void {
    this.#seen++;
    if (event.kind !== 'taskScheduled' && event.kind !== 'timerCreated' && event.kind !== 'childCreated') return;
    const ordered = this.#ordered.get(event.id);
    const name = 'name' in event ? (event.name ?? '') : '';
    if (ordered?.kind === event.kind && (event.kind === 'timerCreated' || ordered.name === name)) return;
    throw new TurnRejected('non-deterministic', `event ${this.#seen - 1} of the history is ${event.kind} ${name} under id ${event.id}, and the code now orders ${ordered ? `${ordered.kind} ${ordered.name}` : 'nothing'} there`);
  }

  #feed(event: HistoryEvent): void {
    switch (event.kind) {
      case 'workflowStarted':
        this.#now = event.at;
        return;
      case 'executionStarted':
        this.#generator = this.#script(this.#context(event.instanceId, event.input === undefined ? undefined : JSON.parse(event.input)));
        return this.#advance();
      case 'taskCompleted':
      case 'childCompleted':
        return this.#settle(event.taskId, { value: event.result === undefined ? undefined : JSON.parse(event.result) });
      case 'taskFailed':
        return this.#settle(event.taskId, { error: new Error(event.failure.errorMessage) });
      case 'childFailed':
        return this.#settle(event.taskId, { error: new Error(event.failure?.errorMessage ?? 'terminated') });
      case 'timerFired':
        return this.#settle(event.timerId, { value: undefined });
      case 'eventRaised': {
        const value: unknown = event.input === undefined ? undefined : JSON.parse(event.input);
        const waiting = this.#waits.get(event.name)?.shift();
        if (waiting !== undefined) return this.#settle(waiting, { value });
        this.#buffered.push({ name: event.name, value });
        return;
      }
      default:
    }
  }

  #settle(id: number, outcome: Settled): void {
    if (this.#settled.has(id)) throw new Error(`the task ${id} was resolved twice`);
    this.#settled.set(id, outcome);
    this.#advance();
  }

  #advance(): void {
    while (!this.#ended && this.#generator) {
      let next: IteratorResult<Awaited, unknown>;
      try {
        if (this.#waiting === undefined) next = this.#generator.next(undefined as never);
        else {
          const done = this.#waiting.ids.filter((id) => this.#settled.has(id));
          if (this.#waiting.mode === 'any' ? done.length === 0 : done.length < this.#waiting.ids.length) return;
          const outcomes = this.#waiting.ids.map((id) => this.#settled.get(id));
          const failed = outcomes.find((outcome) => outcome !== undefined && 'error' in outcome);
          const values = outcomes.map((outcome) => (outcome && 'value' in outcome ? outcome.value : undefined));
          const value = this.#waiting.mode === 'any' ? done[0] : this.#waiting.ids.length === 1 ? values[0] : values;
          next = failed && 'error' in failed ? this.#generator.throw(failed.error) : this.#generator.next(value as never);
        }
      } catch (error) {
        this.#end({ kind: 'complete', id: this.#nextId++, status: 'failed', failure: { errorType: error instanceof Error ? error.name : 'Error', errorMessage: error instanceof Error ? error.message : String(error) } });
        return;
      }
      if (!next.done) {
        this.#waiting = next.value;
        continue;
      }
      const { value } = next;
      if (value instanceof ContinueAsNew) {
        this.#end({ kind: 'continueAsNew', id: this.#nextId++, input: JSON.stringify(value.input) });
      } else this.#end({ kind: 'complete', id: this.#nextId++, status: 'completed', ...(value === undefined ? {} : { result: JSON.stringify(value) }) });
    }
  }
  #end(action: WorkflowAction): void {
    this.#ended = true;
    this.#actions.push(action);
  }

  #order(ordered: Ordered, action?: (id: number) => WorkflowAction): Awaited {
    const id = this.#nextId++;
    this.#ordered.set(id, ordered);
    if (action) this.#actions.push(action(id));
    return { ids: [id], mode: 'all' };
  }

  #context(instanceId: string, input: unknown): WorkflowContext {
    const text = (value: unknown): { input?: string } => (value === undefined ? {} : { input: JSON.stringify(value) });
    const route = (appId: string | undefined): { router?: { targetAppId: string } } => (appId === undefined ? {} : { router: { targetAppId: appId } });
    return {
      instanceId,
      input,
      now: () => this.#now,
      activity: (name, data, { appId, ...options } = {}) => this.#order({ kind: 'taskScheduled', name }, (id) => ({ kind: 'scheduleTask', id, name, options, ...text(data), ...route(appId) })),
      timer: (ms) => this.#order({ kind: 'timerCreated', name: '' }, (id) => ({ kind: 'createTimer', id, fireAt: new Date(this.#now + ms).toISOString() })),
      event: (name) => {
        const awaited = this.#order({ kind: 'wait', name });
        const early = this.#buffered.findIndex((event) => event.name === name);
        if (early < 0) this.#waits.set(name, [...(this.#waits.get(name) ?? []), awaited.ids[0] ?? 0]);
        else this.#settled.set(awaited.ids[0] ?? 0, { value: this.#buffered.splice(early, 1)[0]?.value });
        return awaited;
      },
      child: (name, data, { instanceId: childId, appId } = {}) => this.#order({ kind: 'childCreated', name }, (id) => ({ kind: 'createChild', id, name, ...text(data), ...route(appId), ...(childId === undefined ? {} : { instanceId: childId }) })),
      all: (awaited) => ({ ids: awaited.flatMap(({ ids }) => ids), mode: 'all' }),
      any: (awaited) => ({ ids: awaited.flatMap(({ ids }) => ids), mode: 'any' }),
      send: (to, name, data) => void this.#order({ kind: 'eventSent', name }, (id) => ({ kind: 'sendEvent', id, instanceId: to, name, ...text(data) })),
      setCustomStatus: (status) => void (this.#customStatus = status),
      continueAsNew: (next) => new ContinueAsNew(next),
    };
  }
}

/** Runs workflow functions by name. `inline`: a turn shares a commit with the result that began it. */
export function functionExecutor(functions: Readonly<Record<string, WorkflowFunction>>, { inline = true }: { readonly inline?: boolean } = {}): WorkflowExecutor & { readonly replays: () => number } {
  const runs = new Map<string, Run>();
  const keyOf = ({ app, instanceId, executionId }: { app: string; instanceId: string; executionId: string }): string => `${app}\n${instanceId}\n${executionId}`;
  let replays = 0;
  function runTurn(turn: Turn): TurnResult {
    const { instance, number, past, newEvents } = turn;
    const script = functions[instance.name];
    if (!script) throw new TurnRejected('version-not-available', `there is no workflow ${instance.name} here`);
    const key = keyOf(instance);
    let run = runs.get(key);
    if (run?.turn !== number) {
      run = new Run(script);
      if (past.length > 0) replays++;
      run.replay(past);
      runs.set(key, run);
    }
    // Whatever becomes of this answer, the run is one turn further; the same turn again finds it so, and replays.
    run.turn = number + 1;
    const answer = run.answer(newEvents);
    if (answer.actions.some(({ kind }) => kind === 'complete' || kind === 'continueAsNew')) runs.delete(key);
    return answer;
  }
  // Too late it would leave behind a run that has not seen what came since.
  const inTime: WorkflowExecutor['runTurn'] = async (turn, signal) => {
    if (signal.aborted) throw new ExecutorUnavailable();
    return runTurn(turn);
  };
  return { style: 'replay', inline, names: () => Object.keys(functions), runTurn: inline ? runTurn : inTime, forget: (instance) => void runs.delete(keyOf(instance)), replays: () => replays };
}

export type ActivityFunction = (input: unknown, request: ActivityRequest, signal: AbortSignal) => unknown;
export const DEFERRED = Symbol('deferred');

/** Runs activity functions by name; a thrown error is a failure, `DEFERRED` a deferral. */
export function functionActivities(functions: Readonly<Record<string, ActivityFunction>>): ActivityExecutor {
  return {
    names: () => Object.keys(functions),
    async runActivity(request, signal): Promise<ActivityOutcome> {
      const value = await functions[request.name]?.(request.input === undefined ? undefined : JSON.parse(request.input), request, signal);
      if (value === DEFERRED) return { kind: 'deferred' };
      return { kind: 'completed', ...(value === undefined ? {} : { result: JSON.stringify(value) }) };
    },
  };
}
