/**
 * Activities that this process holds: run, and what came of it recorded.
 *
 * Invariants
 *  A1  One attempt of an activity runs at most once at a time in this process.
 *  A2  An outcome is recorded under its attempt, first come; what is recorded by nobody (a crash, a ledger that refuses for long) runs again.
 *  A3  A place taken from the limiter is given back exactly once, when the outcome is recorded or given up.
 */
import type { Ledger, WorkflowActivity, WorkflowOperation } from '@mecha/components/kit';
import { messageOf as wordsOf } from '../errors.ts';
import { waitFor } from '../wait.ts';
import { isLarger, messageOf, tooLarge, type StoredRequest } from './compose-step.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import type { EngineParts, EngineSettings } from './engine-parts.ts';
import { ExecutorUnavailable, type ActivityExecutor, type ActivityOutcome, type ActivityRequest } from './executor.ts';
import type { FusedResult } from './instance-memory.ts';
import type { Limiter } from './limits.ts';
import { fetched, parsed } from './payloads.ts';
import type { StartedActivity } from './turn-runner.ts';
import type { ActivityRetry, FailureDetails, HistoryEvent } from './vocabulary.ts';

export interface ActivityRunnerParts extends Pick<EngineParts, 'ledger' | 'clock' | 'random' | 'log'> {
  readonly settings: EngineSettings;
  readonly owner: string;
  readonly limiter: Limiter;
  readonly metrics: EngineMetrics;
  readonly executorFor: (name: string) => ActivityExecutor | undefined;
  /** `TurnRunner.offer`. */
  readonly offer: (row: number, result: Omit<FusedResult, 'settle'>) => Promise<boolean> | undefined;
  /** A place has become free. */
  readonly onFree: () => void;
}

/** Types of failures that nobody reported. */
export const ACTIVITY_TIMEOUT = 'ActivityTimeout';
export const ACTIVITY_SILENT = 'ActivityHeartbeatTimeout';

const RECORD_AGAIN_MS = 200;
const UNAVAILABLE_REST_MS = 250;

/** `activity id.attempt`, so that the answer to an attempt that was given up is told from that to the next. */
export const tokenOf = (activity: number, attempt: number): string => `${activity}.${attempt}`;
export function activityOf(token: string): { readonly activity: number; readonly attempt: number } | undefined {
  const parts = /^(\d{1,15})\.(\d{1,9})$/.exec(token);
  return parts ? { activity: Number(parts[1]), attempt: Number(parts[2]) } : undefined;
}

export class ActivityRunner {
  readonly #parts: ActivityRunnerParts;
  readonly #ledger: Ledger;
  readonly #running = new Map<number, { readonly attempt: number; readonly row: number; readonly abort: AbortController }>();
  readonly #closing = new AbortController();

  constructor(parts: ActivityRunnerParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
  }

  get held(): readonly { readonly activity: number; readonly attempt: number }[] {
    return Array.from(this.#running, ([activity, { attempt }]) => ({ activity, attempt }));
  }
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** No longer this process's, or no longer wanted. */
  abort(activities: readonly number[]): void {
    for (const activity of activities) this.#running.get(activity)?.abort.abort();
  }
  abortOf(row: number): void {
    for (const one of this.#running.values()) if (one.row === row) one.abort.abort();
  }
  stop(): void {
    this.#closing.abort();
    for (const { abort } of this.#running.values()) abort.abort();
  }

  /** Its place has been taken. Never rejects. */
  async run(started: StartedActivity): Promise<void> {
    const { activity, attempt, row, name, instanceId } = started;
    const running = this.#running.get(activity);
    if (running?.attempt === attempt) {
      // A1: claimed again while it runs, because its lease was given up for it.
      this.#free(name);
      return;
    }
    // An earlier attempt that was given up: its answer counts no more.
    running?.abort.abort();
    const abort = new AbortController();
    const own = { attempt, row, abort };
    this.#running.set(activity, own);
    const over = (): void => void (this.#running.get(activity) === own && this.#running.delete(activity));
    try {
      const request = await this.#requestOf(started);
      const ranMs = this.#stopwatch();
      const outcome = await this.#outcome(started, request, abort.signal);
      if (outcome) await this.#record(started, request, outcome, ranMs());
      else await this.#return(started, over);
    } catch (error) {
      const level = this.#closing.signal.aborted ? 'debug' : 'error';
      this.#parts.log[level]({ instanceId, name, err: error }, 'the outcome of an activity could not be recorded; it runs again');
    } finally {
      over();
      this.#free(name);
    }
  }

  async #requestOf({ row, request }: StartedActivity): Promise<StoredRequest> {
    return parsed<StoredRequest>(request) ?? (await fetched<StoredRequest>(this.#ledger.workflows, row, request));
  }

  #free(name: string): void {
    this.#parts.limiter.give(name);
    this.#parts.onFree();
  }

  /** Undefined: nobody is there to run it. */
  async #outcome(started: StartedActivity, request: StoredRequest, signal: AbortSignal): Promise<ActivityOutcome | undefined> {
    const { name } = started;
    const executor = this.#parts.executorFor(name);
    try {
      if (!executor) throw new ExecutorUnavailable();
      const outcome = await executor.runActivity(requestOf(started, request), signal);
      return outcome.kind === 'completed' && isLarger(outcome.result, this.#parts.settings.payloadBytesMax) ? { kind: 'failed', failure: tooLarge(`the result of activity ${name}`, this.#parts.settings.payloadBytesMax) } : outcome;
    } catch (error) {
      return error instanceof ExecutorUnavailable ? undefined : { kind: 'failed', failure: failureOf(error) };
    }
  }

  /** `over` first: it may be claimed here again, as the same attempt, before this process hears that it was given back. */
  async #return({ activity, attempt }: StartedActivity, over: () => void): Promise<void> {
    // Not at once, or it would come back to the same closed door.
    await waitFor(this.#parts.clock, UNAVAILABLE_REST_MS, this.#closing.signal);
    over();
    await this.#commit({ type: 'workflow.return', activity, owner: this.#parts.owner }).catch((failed: unknown) => this.#parts.log.warn({ activity, attempt, err: failed }, 'an activity waits for the end of its lease'));
  }

  async #record(started: StartedActivity, request: StoredRequest, outcome: ActivityOutcome, ranMs: number): Promise<void> {
    const { activity, attempt, name } = started;
    const { metrics } = this.#parts;
    if (outcome.kind === 'deferred') return void (await this.#until({ type: 'workflow.defer', activity, attempt }));
    const again = outcome.kind === 'failed' ? this.#retry(activity, attempt, request.retry, outcome.failure) : undefined;
    const status = again ? 'recoverable' : outcome.kind === 'failed' ? 'failed' : 'success';
    metrics.activityRun(name, status, ranMs);
    const recordedMs = this.#stopwatch();
    await this.#recordEnd(started, request, outcome, again);
    metrics.activityRecorded(name, status, recordedMs());
  }

  #stopwatch(): () => number {
    const from = this.#parts.clock.now();
    return () => this.#parts.clock.now() - from;
  }

  async #recordEnd(started: StartedActivity, request: StoredRequest, outcome: Exclude<ActivityOutcome, { kind: 'deferred' }>, again: WorkflowOperation | undefined): Promise<void> {
    const { activity, attempt, row } = started;
    if (again) return void (await this.#until(again));
    const event = outcomeEvent(started.taskId, request, outcome, this.#parts.clock.now());
    if (await this.#parts.offer(row, { activity, attempt, event })) return;
    await this.#until({ type: 'workflow.complete', activity, attempt, message: messageOf(event) });
  }

  #retry(activity: number, attempt: number, retry: ActivityRetry | undefined, failure: FailureDetails): WorkflowOperation | undefined {
    if (!retry || failure.isNonRetriable || attempt >= retry.attemptsMax) return undefined;
    const { firstDelayMs, backoff = 2, delayMaxMs = Number.MAX_SAFE_INTEGER } = retry;
    const delayMs = Math.min(delayMaxMs, firstDelayMs * backoff ** (attempt - 1));
    return { type: 'workflow.retry', activity, attempt, freeAt: Math.ceil(this.#parts.clock.now() + delayMs), error: `${failure.errorType}: ${failure.errorMessage}`.slice(0, 1000) };
  }

  /** An attempt is late, or the activity is: another attempt, or the end of it. Any process may say so; the first is heard. */
  async expire(late: WorkflowActivity): Promise<void> {
    const { activity, attempt, taskId } = late;
    const request = JSON.parse(late.request) as StoredRequest;
    const failure: FailureDetails = late.expiresSilent
      ? { errorType: ACTIVITY_SILENT, errorMessage: `activity ${late.name} gave no sign of life in its time` }
      : { errorType: ACTIVITY_TIMEOUT, errorMessage: `activity ${late.name} did not end in its time` };
    // Past the end of all attempts there is no row left that a retry could change in time.
    const isOver = late.state === 'ready' || late.state === 'resting';
    const again = isOver ? undefined : this.#retry(activity, attempt, request.retry, failure);
    const event = outcomeEvent(taskId, request, { kind: 'failed', failure }, this.#parts.clock.now());
    await this.#commit(again ?? { type: 'workflow.complete', activity, attempt, message: messageOf(event) });
    this.#running.get(activity)?.abort.abort();
  }

  /** From outside, by token. False: nobody waits for it. */
  async complete(token: { readonly activity: number; readonly attempt: number }, outcome: Exclude<ActivityOutcome, { kind: 'deferred' }>): Promise<boolean> {
    const found = await this.#ledger.workflows.activity(token.activity);
    if (!found || found.attempt !== token.attempt) return false;
    const request = JSON.parse(found.request) as StoredRequest;
    const again = outcome.kind === 'failed' ? this.#retry(token.activity, token.attempt, request.retry, outcome.failure) : undefined;
    const event = outcomeEvent(found.taskId, request, outcome, this.#parts.clock.now());
    return this.#commit(again ?? { type: 'workflow.complete', ...token, message: messageOf(event), told: true });
  }

  /**
   * For workers who ask by name, as many as there are up to `limit`: deferred at once, under their deadlines, and `told` to their workflows
   * in the same commit.
   */
  async take(app: string, name: string, limit: number, told: (request: ActivityRequest) => HistoryEvent): Promise<readonly ActivityRequest[]> {
    const { activities } = await this.#ledger.workflows.claimActivities({ app, owner: `${this.#parts.owner}/asked`, limit, leaseMs: this.#parts.settings.leaseMs, names: [name] });
    return Promise.all(
      activities.map(async (claimed) => {
        const { activity, attempt, instanceApp, instanceId, executionId } = claimed;
        const request = requestOf(claimed, await this.#requestOf(claimed));
        await this.#ledger.commit([
          { type: 'workflow.defer', activity, attempt },
          { type: 'workflow.send', app: instanceApp, instanceId, executionId, message: messageOf(told(request)) },
        ]);
        return request;
      }),
    );
  }

  /** One that `take` gave, and that nobody has: for the next who asks, in whichever process. Tried until the ledger takes it, or this stops. */
  async giveBack(token: { readonly activity: number; readonly attempt: number }): Promise<void> {
    await this.#until({ type: 'workflow.retry', ...token, freeAt: this.#parts.clock.now(), error: 'the worker that asked for it had gone' });
  }

  heartbeat(token: { readonly activity: number; readonly attempt: number }): Promise<boolean> {
    return this.#commit({ type: 'workflow.heartbeat', ...token });
  }

  async #commit(operation: WorkflowOperation): Promise<boolean> {
    const [outcome] = await this.#ledger.commit([operation]);
    return outcome?.workflow?.applied ?? false;
  }

  /** Until the ledger takes it; meanwhile the lease is renewed. */
  async #until(operation: WorkflowOperation): Promise<boolean> {
    for (;;) {
      try {
        return await this.#commit(operation);
      } catch (error) {
        if (this.#closing.signal.aborted) throw error;
        this.#parts.log.warn({ err: error }, 'the outcome of an activity waits for the ledger');
        await waitFor(this.#parts.clock, RECORD_AGAIN_MS, this.#closing.signal);
      }
    }
  }
}

function requestOf({ activity, attempt, instanceApp, instanceId, executionId, taskId, name }: StartedActivity, request: StoredRequest): ActivityRequest {
  const { workflow, version, input, taskExecutionId, trace, extra } = request;
  return {
    app: instanceApp, instanceId, executionId, workflowName: workflow, taskId, name, attempt,
    idempotencyKey: `${instanceApp}/${instanceId}/${executionId}/${taskId}`,
    token: tokenOf(activity, attempt),
    ...(version === undefined ? {} : { version }),
    ...(input === undefined ? {} : { input }),
    ...(taskExecutionId === undefined ? {} : { taskExecutionId }),
    ...(trace === undefined ? {} : { trace }),
    ...(extra === undefined ? {} : { extra }),
  };
}

function outcomeEvent(taskId: number, { taskExecutionId, router }: StoredRequest, outcome: Exclude<ActivityOutcome, { kind: 'deferred' }>, at: number): HistoryEvent {
  const base = { id: -1, at, taskId, ...(taskExecutionId === undefined ? {} : { taskExecutionId }), ...(router === undefined ? {} : { router }) };
  if (outcome.kind === 'failed') return { ...base, kind: 'taskFailed', failure: outcome.failure };
  return { ...base, kind: 'taskCompleted', ...(outcome.result === undefined ? {} : { result: outcome.result }) };
}

function failureOf(error: unknown): FailureDetails {
  return { errorType: error instanceof Error ? error.name : 'Error', errorMessage: wordsOf(error), ...(error instanceof Error && error.stack !== undefined ? { stackTrace: error.stack } : {}) };
}
