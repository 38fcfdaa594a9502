/** What can be asked of instances: one, a list, the history, what is waited for; and waiting for one to start or to end. */
import { isTerminalStatus, type Clock, type Ledger, type WorkflowQuery, type WorkflowRow, type WorkflowStatus } from '@mecha/components/kit';
import type { StoredRequest } from './compose-step.ts';
import { engineErrors } from './engine-errors.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import { fetched, isStoredApart, namesNothing } from './payloads.ts';
import type { FailureDetails, HistoryEvent } from './vocabulary.ts';

export interface WorkflowState extends WorkflowRow {
  readonly input?: string;
  readonly output?: string;
  readonly failure?: FailureDetails;
}

/** One thing that keeps an instance from going on, in words and in fields. */
export interface Wait {
  readonly on: 'activity' | 'timer' | 'event' | 'child' | 'turn' | 'worker' | 'retry' | 'resume' | 'start';
  readonly words: string;
  readonly name?: string;
  readonly taskId?: number;
  readonly instanceId?: string;
  /** Milliseconds since the epoch. */
  readonly until?: number;
  readonly attempt?: number;
}

const WAITS_MAX = 100;
/** What the history of an instance may have before its start is read. */
const BEFORE_START: ReadonlySet<HistoryEvent['kind']> = new Set(['workflowStarted', 'executionSuspended', 'executionResumed', 'executionStalled']);
const START_EVENTS = 4;
const WAITER_SWEEP_MS = 50;
/** Instances that a sweep reads at once. */
const SWEEP_READS = 500;

export interface QueriesParts {
  readonly app: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly metrics: EngineMetrics;
  readonly hasExecutor: (name: string) => boolean;
  readonly hasActivityExecutor: (name: string) => boolean;
}
interface Waiter {
  readonly app: string;
  readonly instanceId: string;
  readonly until: (status: WorkflowStatus) => boolean;
  readonly resolve: () => void;
}

function withoutLargeStatus(row: WorkflowRow): WorkflowRow {
  if (row.customStatus === undefined || !isStoredApart(row.customStatus)) return row;
  const { customStatus: _, ...rest } = row;
  return rest;
}

export class Queries {
  readonly #parts: QueriesParts;
  readonly #ledger: Ledger;
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #unwatch: () => void;
  #cancelSweep: (() => void) | undefined;

  constructor(parts: QueriesParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
    this.#unwatch = parts.ledger.watch(`workflow-status/${parts.app}`, () => this.#sweepSoon());
  }

  stop(): void {
    this.#unwatch();
    this.#cancelSweep?.();
  }

  get(instanceId: string, options: { readonly payloads?: boolean; readonly app?: string } = {}): Promise<WorkflowState | undefined> {
    return this.#parts.metrics.operation('get_workflow', () => this.#get(instanceId, options));
  }
  async #get(instanceId: string, { payloads = true, app = this.#parts.app }: Parameters<Queries['get']>[1] & object): Promise<WorkflowState | undefined> {
    const row = await this.#ledger.workflows.find(app, instanceId);
    if (!row || !payloads) return row && withoutLargeStatus(row);
    const [started, ended, customStatus] = await Promise.all([
      this.#start(row) as Promise<Extract<HistoryEvent, { kind: 'executionStarted' }> | undefined>,
      isTerminalStatus(row.status) ? this.#end(row) : undefined,
      row.customStatus === undefined ? undefined : this.#customStatus(row),
    ]);
    return {
      ...row,
      ...(customStatus === undefined ? {} : { customStatus }),
      ...(started?.input === undefined ? {} : { input: started.input }),
      ...(ended?.result === undefined ? {} : { output: ended.result }),
      ...(ended?.failure === undefined ? {} : { failure: ended.failure }),
    };
  }

  /** The beginning of the history is read, or the inbox; whatever comes of one that has not begun, its start is not after it. */
  async #start(row: WorkflowRow): Promise<HistoryEvent | undefined> {
    const isStart = ({ kind }: HistoryEvent): boolean => kind === 'executionStarted';
    for (let from = 0; from < row.events; ) {
      const pages = await this.#ledger.workflows.history(row.row, from, START_EVENTS);
      const events = pages.flatMap(({ data }) => JSON.parse(data) as HistoryEvent[]);
      const found = events.find(isStart);
      if (found) return this.#whole(row, found);
      if (events.length === 0 || events.some(({ kind }) => !BEFORE_START.has(kind))) break;
      from += events.length;
    }
    const [first] = await this.#ledger.workflows.inbox(row.row, 1);
    const event = first && (JSON.parse(first.event) as HistoryEvent);
    return event && isStart(event) ? this.#whole(row, event) : undefined;
  }
  /** With the payloads that it names. */
  #whole<T extends HistoryEvent>({ row }: WorkflowRow, event: T): Promise<T> {
    return fetched<T>(this.#ledger.workflows, row, JSON.stringify(event));
  }
  async #customStatus({ row, customStatus = '' }: WorkflowRow): Promise<string> {
    return isStoredApart(customStatus) ? fetched<string>(this.#ledger.workflows, row, customStatus) : customStatus;
  }
  async #end(row: WorkflowRow): Promise<Extract<HistoryEvent, { kind: 'executionCompleted' }> | undefined> {
    for (const { data } of await this.#ledger.workflows.history(row.row, row.events - 1, 1)) {
      for (const event of (JSON.parse(data) as HistoryEvent[]).toReversed()) if (event.kind === 'executionCompleted') return this.#whole(row, event);
    }
    return undefined;
  }

  /** Without a custom status that is too large to lie in the row. */
  async list(query: Omit<WorkflowQuery, 'app'>, app = this.#parts.app): ReturnType<Ledger['workflows']['list']> {
    const page = await this.#ledger.workflows.list({ ...query, app });
    return { ...page, instances: page.instances.map(withoutLargeStatus) };
  }

  /** Committed events of the present execution from number `from` on, with their numbers. */
  async history(instanceId: string, { from = 0, limit = 1000, app = this.#parts.app }: { readonly from?: number; readonly limit?: number; readonly app?: string } = {}): Promise<readonly { readonly number: number; readonly event: HistoryEvent }[]> {
    const row = await this.#ledger.workflows.find(app, instanceId);
    if (!row) throw engineErrors.notFound(instanceId);
    const pages = await this.#ledger.workflows.history(row.row, from, limit);
    const events = pages.flatMap(({ first, data }) => (JSON.parse(data) as HistoryEvent[]).map((event, n) => ({ number: first + n, event }))).filter(({ number }) => number >= from).slice(0, limit);
    // Most pages name nothing: then they are whole as they are.
    if (pages.every(({ data }) => namesNothing(data))) return events;
    const whole: (typeof events)[number][] = [];
    for (const { number, event } of events) whole.push({ number, event: await this.#whole(row, event) });
    return whole;
  }

  async waits(instanceId: string, app = this.#parts.app): Promise<readonly Wait[]> {
    const row = await this.#ledger.workflows.find(app, instanceId);
    if (!row) throw engineErrors.notFound(instanceId);
    if (isTerminalStatus(row.status)) return [];
    const own: Wait[] = [];
    if (row.status === 'suspended') own.push({ on: 'resume', words: 'suspended, until it is resumed' });
    else if (row.owner !== undefined) own.push({ on: 'turn', words: `a turn is under way at ${row.owner}` });
    else if (row.freeAt !== undefined && row.turn === 0 && row.failures === 0) own.push({ on: 'start', words: 'its start is scheduled', until: row.freeAt });
    else if (row.freeAt !== undefined) own.push({ on: 'retry', words: `${row.status === 'stalled' ? 'stalled' : 'a turn failed'}: ${row.reason ?? ''}`, until: row.freeAt });
    else if (row.ready) own.push(this.#parts.hasExecutor(row.name) ? { on: 'turn', words: 'a turn is due' } : { on: 'worker', words: `no worker for workflows named ${row.name} is connected here`, name: row.name });
    return [...own, ...(await this.#activityWaits(row)), ...(await this.#timerWaits(row)), ...(await this.#childWaits(row))];
  }

  async #activityWaits({ row }: WorkflowRow): Promise<Wait[]> {
    return (await this.#ledger.workflows.activities(row, WAITS_MAX)).map(({ taskId, name, attempt, state, owner, freeAt, expiresAt, error, app, request }) => {
      const isHere = app !== this.#parts.app || this.#parts.hasActivityExecutor(name);
      const { workflow: _, ...known } = JSON.parse(request) as StoredRequest;
      const words = {
        ready: isHere ? `activity ${name} is due` : `activity ${name} waits for a worker`,
        leased: `activity ${name} runs at ${owner}`,
        resting: `activity ${name} is tried again: ${error ?? ''}`,
        deferred: `activity ${name} waits for its completion from outside`,
      }[state];
      const until = state === 'resting' ? freeAt : expiresAt;
      return { on: 'activity' as const, words: known.router?.targetAppId ? `${words} (app ${known.router.targetAppId})` : words, name, taskId, attempt, ...(until === undefined ? {} : { until }) };
    });
  }
  async #timerWaits({ row }: WorkflowRow): Promise<Wait[]> {
    return (await this.#ledger.workflows.timers(row, WAITS_MAX)).map(({ timerId, dueAt, message }): Wait => {
      const event = JSON.parse(message.event) as HistoryEvent;
      const until = dueAt === undefined ? {} : { until: dueAt };
      const waitsFor = event.extra?.['waitsFor'];
      if (typeof waitsFor === 'string') return { on: 'event', words: `event ${waitsFor}`, name: waitsFor, taskId: timerId, ...until };
      return { on: 'timer', words: 'a timer', taskId: timerId, ...until };
    });
  }
  async #childWaits({ app, instanceId, executionId }: WorkflowRow): Promise<Wait[]> {
    const children = await this.#ledger.workflows.children({ app, instanceId, executionId }, WAITS_MAX);
    return children.filter(({ status }) => !isTerminalStatus(status)).map((child) => ({ on: 'child', words: `child workflow ${child.name} (${child.status})`, name: child.name, instanceId: child.instanceId, ...(child.parent ? { taskId: child.parent.taskId } : {}) }));
  }

  /** Resolves when the instance has started, or ended; one that is not there is waited for. */
  async waitFor(instanceId: string, what: 'start' | 'end', signal: AbortSignal, app = this.#parts.app): Promise<WorkflowRow> {
    const until = what === 'end' ? isTerminalStatus : (status: WorkflowStatus): boolean => status !== 'pending';
    for (;;) {
      signal.throwIfAborted();
      const changed = this.#nextChange(app, instanceId, until, signal);
      const row = await this.#ledger.workflows.find(app, instanceId);
      if (row && until(row.status)) {
        changed.cancel();
        return row;
      }
      await changed.promise;
    }
  }

  #nextChange(app: string, instanceId: string, until: Waiter['until'], signal: AbortSignal): { readonly promise: Promise<void>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const key = `${app}\n${instanceId}`;
    const waiter: Waiter = { app, instanceId, until, resolve: () => cancel() };
    const cancel = (): void => {
      const waiters = this.#waiters.get(key);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiters.delete(key);
      signal.removeEventListener('abort', cancel);
      resolve();
    };
    this.#waiters.set(key, (this.#waiters.get(key) ?? new Set()).add(waiter));
    signal.addEventListener('abort', cancel, { once: true });
    return { promise, cancel };
  }

  /** A status that this process committed. */
  onStatus(app: string, instanceId: string, status: WorkflowStatus): void {
    for (const waiter of this.#waiters.get(`${app}\n${instanceId}`) ?? []) if (waiter.until(status)) waiter.resolve();
  }

  /** Another process may have committed one: looked at soon, and the less often the more wait. */
  #sweepSoon(): void {
    if (this.#waiters.size === 0 || this.#cancelSweep) return;
    this.#cancelSweep = this.#parts.clock.after(WAITER_SWEEP_MS + this.#waiters.size / 10, () => {
      this.#cancelSweep = undefined;
      void this.#sweep();
    });
  }
  async #sweep(): Promise<void> {
    // Side by side: a ledger that is far reads many rows by one statement.
    const all = [...this.#waiters.values()];
    for (let n = 0; n < all.length; n += SWEEP_READS) await Promise.all(all.slice(n, n + SWEEP_READS).map((waiters) => this.#look([...waiters])));
  }
  /** All of these wait for the same instance. */
  async #look(waiters: readonly Waiter[]): Promise<void> {
    const [one] = waiters;
    if (!one) return;
    // A ledger that cannot be read now is asked again by the waiter itself.
    const status = await this.#ledger.workflows.find(one.app, one.instanceId).then((row) => row?.status, () => 'completed' as const);
    for (const waiter of waiters) if (status !== undefined && waiter.until(status)) waiter.resolve();
  }
}
