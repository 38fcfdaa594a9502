/**
 * One turn: what arrived goes to the executor, its answer becomes one step in the ledger. Two ways lead here. A *claimed* turn comes from
 * the dispatcher with a lease and the unread messages. A *fused* one is begun by a result of an activity that ended in this process, of
 * an instance remembered here with an inline executor: nothing is claimed, result and step are one commit under the remembered fence.
 *
 * Invariants
 *  T1  Of one instance at most one turn is under way in this process.
 *  T2  What is remembered is what is committed. A commit that failed, for whatever reason, forgets the instance.
 *  T3  A result that was offered is settled exactly once: true when its step is committed, false when its owner must record it.
 *  T4  No way out of a turn leaves the lease without an end: it is released by word, or runs out because nobody renews it.
 */
import { LedgerConflict, type ClaimedWorkflow, type Ledger, type NewWorkflow, type WorkflowAppend, type WorkflowOperation, type WorkflowResult, type WorkflowStatus, type WorkflowStep } from '@mecha/components/kit';
import { messageOf as wordsOf } from '../errors.ts';
import { appendOf, bytesOf, composeStep, endMessage, messageOf, type ComposeContext, type ComposedStep, type Termination } from './compose-step.ts';
import { appOf, type EngineParts, type EngineSettings } from './engine-parts.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import { ExecutorUnavailable, TurnRejected, type StallReason, type TurnResult, type WorkflowExecutor } from './executor.ts';
import { newMemory, remember, type FusedResult, type InstanceMemory, type Remembered } from './instance-memory.ts';
import { bytesNamed, fetched, parsed } from './payloads.ts';
import { DistinctInstants, type HistoryEvent } from './vocabulary.ts';

const REST_FIRST_MS = 1000;
const REST_MOST_MS = 60_000;
const UNAVAILABLE_REST_MS = 250;

export interface TurnRunnerParts extends Omit<EngineParts, 'settings' | 'metrics'> {
  readonly metrics: EngineMetrics;
  readonly settings: EngineSettings;
  readonly owner: string;
  readonly memory: InstanceMemory;
  readonly executorFor: (name: string) => WorkflowExecutor | undefined;
  /** A place in this process for an activity, or undefined; each is started or given back. */
  readonly claimActivity: (app: string, name: string) => WorkflowStepClaim | undefined;
  readonly startActivity: (started: StartedActivity) => void;
  readonly unclaimActivity: (name: string) => void;
  readonly onStatus: (app: string, instanceId: string, status: WorkflowStatus) => void;
  readonly onTerminate: (termination: Termination) => void;
}
type WorkflowStepClaim = { readonly owner: string; readonly leaseMs: number };

export interface StartedActivity {
  readonly activity: number;
  readonly row: number;
  readonly instanceApp: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  readonly attempt: number;
  readonly request: string;
}

interface TurnInput {
  readonly memory: Remembered;
  readonly newEvents: readonly HistoryEvent[];
  readonly fence: number;
  readonly consumed: readonly number[];
  readonly results: readonly FusedResult[];
}
type Claims = { name: string; taken: boolean }[];

export class TurnRunner {
  readonly #parts: TurnRunnerParts;
  readonly #ledger: Ledger;
  readonly #memory: InstanceMemory;
  /** Claimed turns under way, by row: what is renewed. */
  readonly #held = new Map<number, { readonly fence: number; readonly turn: number; readonly abort: AbortController; readonly over: Promise<void> }>();
  /** Workers make their unique ids of the instance and the instant of the turn: those of a next execution must be others. */
  readonly #instants = new DistinctInstants();
  #stopped = false;

  constructor(parts: TurnRunnerParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
    this.#memory = parts.memory;
  }

  get held(): readonly { readonly row: number; readonly fence: number }[] {
    return Array.from(this.#held, ([row, { fence }]) => ({ row, fence }));
  }
  get isIdle(): boolean {
    return this.#held.size === 0;
  }

  /** Another has them by now: their answers will not be committed. */
  lost(rows: readonly number[]): void {
    for (const row of rows) this.#held.get(row)?.abort.abort();
  }

  stop(): void {
    this.#stopped = true;
    for (const { abort } of this.#held.values()) abort.abort();
  }

  /** Never rejects. */
  async run(claimed: ClaimedWorkflow): Promise<void> {
    const { row, fence, app, instanceId } = claimed;
    for (let running = this.#held.get(row); running; running = this.#held.get(row)) {
      // T1. Either it has just been committed, or its lease had been given up for it, and its answer is worth nothing any more.
      if (running.turn === claimed.turn) running.abort.abort();
      await running.over;
    }
    const abort = new AbortController();
    const { promise: over, resolve: isOver } = Promise.withResolvers<void>();
    this.#held.set(row, { fence, turn: claimed.turn, abort, over });
    try {
      await this.#runClaimed(claimed, abort);
    } catch (error) {
      // T4: the lease is not renewed from here on.
      this.#parts.log.error({ app, instanceId, err: error }, 'a workflow turn could not be recorded; it is given out again');
    } finally {
      this.#held.delete(row);
      isOver();
      const kept = this.#memory.get(row);
      if (kept) this.#drain(kept);
    }
  }

  async #runClaimed(claimed: ClaimedWorkflow, abort: AbortController): Promise<void> {
    const { row, fence, name } = claimed;
    const executor = this.#parts.executorFor(name);
    if (!executor) return this.#release(row, fence, { restUntil: this.#parts.clock.now() + UNAVAILABLE_REST_MS });
    // A fused turn that was under way fails by its fence.
    for (let kept = this.#memory.get(row); kept?.working; kept = this.#memory.get(row)) await kept.working;
    let memory: Remembered | undefined;
    try {
      memory = await this.#memory.recall(claimed, executor);
      const messages = await this.#readMessages(claimed);
      const newEvents = this.#newEvents(messages.map(({ event }) => event));
      const terminated = newEvents.find((event) => event.kind === 'executionTerminated');
      if (terminated && !executor.endsGracefully) {
        this.#forget(memory);
        return await this.#terminate(claimed, terminated);
      }
      const turn = this.#turn({ memory, newEvents, fence, consumed: messages.map(({ sequence }) => sequence), results: [] }, abort.signal);
      memory.working = turn.then(undefined, () => undefined);
      await turn;
    } catch (error) {
      if (memory) this.#forget(memory);
      await this.#failed(claimed, error);
    } finally {
      if (memory) memory.working = undefined;
    }
  }

  /** In order, with what they name; those that are too much for one turn are left for the next. */
  async #readMessages({ row, messages }: ClaimedWorkflow): Promise<readonly { readonly sequence: number; readonly event: HistoryEvent }[]> {
    const read: { readonly sequence: number; readonly event: HistoryEvent }[] = [];
    let bytes = 0;
    for (const { sequence, event: text } of messages) {
      bytes += text.length + bytesNamed(text);
      if (bytes > this.#parts.settings.historyBytesMax / 2 && read.length > 0) break;
      read.push({ sequence, event: parsed<HistoryEvent>(text) ?? (await fetched<HistoryEvent>(this.#ledger.workflows, row, text)) });
    }
    return read;
  }

  /**
   * Takes the result of an activity into a turn of its own, if its instance is here. The promise tells whether it was recorded; undefined:
   * not taken at all.
   */
  offer(row: number, result: Omit<FusedResult, 'settle'>): Promise<boolean> | undefined {
    const memory = this.#memory.get(row);
    if (this.#stopped || !memory?.executor.inline || memory.status !== 'running') return undefined;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    memory.mailbox.push({ ...result, settle: resolve });
    this.#drain(memory);
    return promise;
  }

  #drain(memory: Remembered): void {
    // T1: also while a claimed turn has not got so far as to work.
    if (memory.working || memory.mailbox.length === 0 || this.#held.has(memory.row)) return;
    if (this.#memory.get(memory.row) !== memory) return this.#forget(memory);
    memory.working = this.#fused(memory).finally(() => {
      memory.working = undefined;
      this.#drain(memory);
    });
  }

  /** Never rejects. */
  async #fused(memory: Remembered): Promise<void> {
    const results = memory.mailbox;
    memory.mailbox = [];
    try {
      await this.#turn({ memory, newEvents: this.#newEvents(results.map(({ event }) => event)), fence: memory.fence, consumed: [], results }, new AbortController().signal);
      for (const { settle } of results) settle(true);
    } catch (error) {
      // Whatever it was: recorded one by one, and met again by a claimed turn, which knows what to do about it.
      this.#parts.log.debug({ instanceId: memory.instanceId, err: error }, 'a fused workflow turn was not committed');
      this.#forget(memory);
      for (const { settle } of results) settle(false);
    }
  }

  /** Creation and first turn in one commit, for an inline executor; throws what the commit throws. */
  async start(workflow: NewWorkflow, started: HistoryEvent, executor: WorkflowExecutor): Promise<WorkflowResult> {
    const { app, instanceId, executionId, name, version, parent } = workflow;
    const now = this.#parts.clock.now();
    const known = { row: 0, app, instanceId, executionId, name, version, parent, createdAt: now, fence: 0, turn: 0, events: 0, bytes: 0, status: 'pending' as const };
    const memory = newMemory(known, executor);
    const newEvents = this.#newEvents([started]);
    const claims: Claims = [];
    let answer: TurnResult | undefined;
    try {
      answer = await this.#ask(memory, newEvents, 0, new AbortController().signal);
    } catch (error) {
      // Created all the same: a claimed turn meets the failure again, with its name.
      this.#parts.log.debug({ instanceId, err: error }, 'the first turn of a workflow is tried again after its creation');
    }
    const composed = answer === undefined ? undefined : this.#composeOr(memory, newEvents, answer, claims);
    const create = { type: 'workflow.create' as const, ...workflow };
    const batch: WorkflowOperation[] = composed ? [create, { type: 'workflow.first-step', app, instanceId, executionId, ...composed.body }] : [create];
    try {
      const [created, stepped] = await this.#ledger.commit(batch);
      if (composed && stepped?.workflow) {
        const begun: Remembered = { ...memory, row: stepped.workflow.row ?? 0 };
        this.#committed(begun, composed, stepped.workflow, claims);
      }
      return created?.workflow ?? { applied: false };
    } catch (error) {
      this.#giveBack(claims);
      this.#forget(memory);
      throw error;
    }
  }

  #composeOr(memory: Remembered, newEvents: readonly HistoryEvent[], answer: TurnResult, claims: Claims): ComposedStep | undefined {
    try {
      return composeStep(memory, newEvents, answer, this.#context(claims));
    } catch {
      this.#giveBack(claims);
      this.#forget(memory);
      return undefined;
    }
  }

  #newEvents(arrived: readonly HistoryEvent[]): HistoryEvent[] {
    const now = this.#parts.clock.now();
    // A timer's message was written when it was set; it happened when it fired.
    return [{ kind: 'workflowStarted', id: -1, at: this.#instants.next(now) }, ...arrived.map((event) => (event.kind === 'timerFired' ? { ...event, at: now } : event))];
  }

  /** Asks, composes, commits. Throws, with nothing committed. */
  async #turn(input: TurnInput, signal: AbortSignal): Promise<void> {
    const { memory, newEvents, fence, consumed, results } = input;
    const answer = await this.#ask(memory, newEvents, fence, signal);
    const claims: Claims = [];
    try {
      const composed = composeStep(memory, newEvents, answer, this.#context(claims));
      const step: WorkflowStep = { type: 'workflow.step', row: memory.row, fence, consumed, ...(results.length > 0 ? { resolved: results.map(({ activity, attempt }) => ({ activity, attempt })) } : {}), ...composed.body };
      const [outcome] = await this.#ledger.commit([step]);
      if (!outcome?.workflow) throw new Error('the ledger answered a step with nothing');
      this.#committed(memory, composed, outcome.workflow, claims);
    } catch (error) {
      this.#giveBack(claims);
      if (error instanceof LedgerConflict && error.key === 'task') throw new TurnRejected('non-deterministic', 'the answer orders a task or a timer under an id that is open already', error);
      throw error;
    }
  }

  async #ask(memory: Remembered, newEvents: readonly HistoryEvent[], fence: number, signal: AbortSignal): Promise<TurnResult> {
    const { executor, app, instanceId, executionId, name, version, parent, createdAt, turn, events, past, snapshot } = memory;
    const wanted = new AbortController();
    const answer = executor.runTurn(
      {
        instance: { app, instanceId, executionId, name, createdAt, ...(version === undefined ? {} : { version }), ...(parent === undefined ? {} : { parent }) },
        token: `${memory.row}.${fence}`,
        number: turn,
        pastCount: events,
        past,
        newEvents,
        ...(snapshot === undefined ? {} : { snapshot }),
      },
      wanted.signal,
    );
    if (!(answer instanceof Promise)) return answer;
    return this.#inTime(answer, signal, wanted);
  }

  /** Whoever was asked is told when it is too late: it may still have the turn before it, and would begin on a past that is over. */
  async #inTime(answer: Promise<TurnResult>, signal: AbortSignal, wanted: AbortController): Promise<TurnResult> {
    const { clock, settings } = this.#parts;
    const late = Promise.withResolvers<never>();
    const giveUp = (why: string): void => {
      late.reject(new ExecutorUnavailable(why));
      wanted.abort();
    };
    const cancel = clock.after(settings.turnTimeoutMs, () => giveUp(`no answer within ${settings.turnTimeoutMs} ms`));
    const onAbort = (): void => giveUp('the turn is no longer wanted');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #context(claims: Claims): ComposeContext {
    const { clock, newId, namespace, appId, settings } = this.#parts;
    const own = appOf(namespace, appId);
    return {
      app: own,
      appOf: (router) => (router?.targetAppId ? appOf(router.targetNamespace || namespace, router.targetAppId) : own),
      newId,
      payloadBytesMax: settings.payloadBytesMax,
      historyBytesMax: settings.historyBytesMax,
      now: clock.now(),
      claim: (app, name) => {
        const claim = this.#stopped ? undefined : this.#parts.claimActivity(app, name);
        if (claim) claims.push({ name, taken: false });
        return claim;
      },
    };
  }

  /** The step is in the ledger: memory follows (T2), and what it scheduled for this process begins. */
  #committed(memory: Remembered, { body, appended, executionId, ended, terminates }: ComposedStep, result: WorkflowResult, claims: Claims): void {
    const { settings, log } = this.#parts;
    const { app, instanceId, row } = memory;
    const before = memory.status;
    memory.fence = result.fence ?? 0;
    memory.turn = result.turn ?? 0;
    memory.status = body.status;
    if (body.reset) {
      memory.executor.forget?.({ app, instanceId, executionId: memory.executionId });
      memory.executionId = executionId;
      memory.events = memory.bytes = memory.payloadBytes = 0;
      memory.past = [];
      memory.patches = [];
      memory.ids.clear();
      memory.eventTimers.clear();
      memory.snapshot = undefined;
    } else {
      if (memory.events < settings.historyWarnEvents && memory.events + appended.length >= settings.historyWarnEvents) {
        log.warn({ app, instanceId, name: memory.name, events: memory.events + appended.length }, 'the history of a workflow grows long; continue-as-new would begin it anew');
      }
      memory.events += appended.length;
      memory.bytes += body.append?.data.length ?? 0;
      memory.payloadBytes += bytesOf(body.append) - (body.append?.data.length ?? 0);
      if (memory.executor.style === 'replay') remember(memory, appended);
      if (body.snapshot !== undefined) memory.snapshot = body.snapshot ?? undefined;
    }
    this.#measure(memory, appended, ended);
    if (ended) this.#forget(memory);
    else this.#memory.keep(memory);
    if (before !== body.status) this.#parts.onStatus(app, instanceId, body.status);
    for (const termination of terminates) this.#parts.onTerminate(termination);
    const ids = result.activities ?? [];
    for (const [n, { taskId, name, request, claim }] of (body.activities ?? []).entries()) {
      const activity = ids[n];
      if (!claim || activity === undefined) continue;
      const place = claims.find((one) => one.name === name && !one.taken);
      if (place) place.taken = true;
      this.#parts.startActivity({ activity, row, instanceApp: app, instanceId, executionId: memory.executionId, taskId, name, attempt: 1, request });
    }
    this.#giveBack(claims);
  }

  #measure({ name, status, createdAt }: Remembered, appended: readonly HistoryEvent[], ended: boolean): void {
    const { metrics } = this.#parts;
    const started = appended.slice(0, 2).find((event) => event.kind === 'executionStarted');
    if (started) metrics.begun(name, started.startAt ?? started.at);
    if (ended) metrics.ended(name, status, createdAt);
  }

  #giveBack(claims: Claims): void {
    for (const claim of claims) {
      if (claim.taken) continue;
      claim.taken = true;
      this.#parts.unclaimActivity(claim.name);
    }
  }

  /** T2. */
  #forget(memory: Remembered): void {
    this.#memory.forget(memory);
  }

  async #failed(claimed: ClaimedWorkflow, error: unknown): Promise<void> {
    const { row, fence, app, instanceId, failures } = claimed;
    const { clock, settings, random, log } = this.#parts;
    if (error instanceof LedgerConflict) return log.debug({ app, instanceId, key: error.key }, 'a workflow turn was overtaken');
    if (error instanceof ExecutorUnavailable) return this.#release(row, fence, { restUntil: clock.now() + UNAVAILABLE_REST_MS });
    if (error instanceof TurnRejected) return this.#stall(claimed, error.reason, error.message);
    // The ledger's own trouble is nobody's failure: the turn comes again when its lease ends.
    if (error instanceof Error && error.name === 'LedgerRefused') throw error;
    if (failures + 1 >= settings.turnFailuresMax) return this.#stall(claimed, 'executor-failed', wordsOf(error));
    const restMs = Math.min(REST_MOST_MS, REST_FIRST_MS * 2 ** failures) * (0.75 + 0.25 * random());
    this.#parts.metrics.turnFailed(claimed.name);
    log.warn({ app, instanceId, name: claimed.name, failures: failures + 1, err: error }, 'a workflow turn failed and is tried again');
    return this.#release(row, fence, { restUntil: Math.ceil(clock.now() + restMs), failed: wordsOf(error) });
  }

  /** It stops by itself, with a name; its messages stay, and it is tried again now and then. */
  async #stall(claimed: ClaimedWorkflow, reason: StallReason, description: string): Promise<void> {
    const { row, fence, app, instanceId, name, status } = claimed;
    const { clock, settings, log } = this.#parts;
    const restUntil = clock.now() + settings.stalledRestMs;
    const why = `${reason}: ${description}`.slice(0, 4000);
    if (status === 'stalled' && claimed.reason === why) return this.#release(row, fence, { restUntil, failed: why });
    log.error({ app, instanceId, name, reason, description }, 'a workflow is stalled');
    const event: HistoryEvent = { kind: 'executionStalled', id: -1, at: clock.now(), reason, description };
    const append = reason === 'damaged' ? {} : { append: appendOf([event]) };
    try {
      await this.#ledger.commit([{ type: 'workflow.step', row, fence, consumed: [], status: 'stalled', reason: why, restUntil, ...append }]);
      this.#parts.onStatus(app, instanceId, 'stalled');
    } catch (error) {
      if (!(error instanceof LedgerConflict)) throw error;
    }
  }

  async #terminate(claimed: ClaimedWorkflow, terminated: Extract<HistoryEvent, { kind: 'executionTerminated' }>): Promise<void> {
    const { row, parent, app, instanceId, name, createdAt } = claimed;
    await this.#ledger.commit([{ type: 'workflow.control', row, status: 'terminated', recurse: terminated.recurse, ...terminationOf(terminated, this.#parts.clock.now()), ...(parent ? { toParent: endMessage(parent, 'terminated', this.#parts.clock.now()) } : {}) }]);
    this.#parts.metrics.ended(name, 'terminated', createdAt);
    this.#parts.onStatus(app, instanceId, 'terminated');
  }

  async #release(row: number, fence: number, how: { readonly restUntil?: number; readonly failed?: string }): Promise<void> {
    await this.#ledger.commit([{ type: 'workflow.release', row, fence, ...how }]);
  }
}

/** What the history says of a termination. */
export function terminationOf(terminated: Extract<HistoryEvent, { kind: 'executionTerminated' }>, at: number): { readonly append: WorkflowAppend; readonly keepUnread: string } {
  const { input } = terminated;
  const events: HistoryEvent[] = [
    { kind: 'workflowStarted', id: -1, at },
    terminated,
    { kind: 'executionCompleted', id: -1, at, status: 'terminated', ...(input === undefined ? {} : { result: input }) },
  ];
  return { append: appendOf(events), keepUnread: START_MESSAGE };
}
/** How the text of a start begins: one that ends unread stays in the history, which would not say with what it was started. */
const START_MESSAGE = messageOf({ kind: 'executionStarted', id: -1, at: 0, name: '', instanceId: '', executionId: '' }).event.slice(0, '{"kind":"executionStarted"'.length);
