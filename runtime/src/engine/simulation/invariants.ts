/**
 * What must hold after every step, whatever happened. Looked at from outside: in the ledger itself, and at the seams to the executors.
 *
 *  S1  A step takes effect only under the fence that is in the row: whoever was overtaken commits nothing.
 *  S2  The history of an execution only grows; what was committed never changes.
 *  S3  A history is legal: it begins with its start; ids are used once; what is resolved was ordered before, once; nothing follows the end.
 *  S4  An instance that has ended never changes.
 *  S5  No timer fires before its time, by the clock of that moment.
 *  S6  The past that a replay executor is given is what is committed.
 *  S7  In one process, one turn per instance and one run per attempt of an activity at a time.
 *  S8  In the end every workflow has ended, with the output that its program says; nothing is unread, leased or left over; what was purged is gone.
 *  S9  A parent has heard of the end of every child that it waited for, as it was.
 *  S10 In the end no process holds a place of a limiter.
 *  S11 What is recorded of an activity is the answer to its present attempt.
 */
import { isTerminalStatus, type Ledger, type LedgerOperation, type LedgerResult, type WorkflowRow } from '@mecha/components/kit';
import type { Turn } from '../executor.ts';
import { fetched, parsed } from '../payloads.ts';
import type { HistoryEvent } from '../vocabulary.ts';
import { LEFT_BEHIND } from './programs.ts';

export const APPS = ['default/a', 'default/b'] as const;

interface Seen {
  executionId: string;
  text: string;
  ended: string | undefined;
}

export class Invariants {
  readonly #raw: Ledger;
  readonly #now: () => number;
  readonly #seen = new Map<number, Seen>();
  readonly violations: string[] = [];
  /** As they were before the batch: fences by row, attempts by activity. */
  readonly #fences = new Map<number, number | undefined>();
  readonly #attempts = new Map<number, number | undefined>();
  /** Set and not yet seen fired or dropped. */
  readonly #timers = new Map<number, Map<number, number>>();
  readonly #places = new Map<number, { readonly app: string; readonly instanceId: string }>();
  steps = 0;

  constructor(raw: Ledger, now: () => number) {
    this.#raw = raw;
    this.#now = now;
  }

  violate(number: string, words: string): void {
    this.violations.push(`${number}: ${words}`);
  }

  async instances(): Promise<WorkflowRow[]> {
    return (await Promise.all(APPS.map((app) => this.#raw.workflows.list({ app, limit: 1000 })))).flatMap(({ instances }) => instances);
  }

  readonly before = async (batch: readonly LedgerOperation[]): Promise<void> => {
    for (const operation of batch) {
      if (operation.type === 'workflow.step') this.#fences.set(operation.row, (await this.#locate(operation.row))?.fence);
      if (operation.type === 'workflow.complete' || operation.type === 'workflow.retry') this.#attempts.set(operation.activity, (await this.#raw.workflows.activity(operation.activity))?.attempt);
    }
  };

  readonly after = async (batch: readonly LedgerOperation[], results: readonly LedgerResult[]): Promise<void> => {
    for (const [n, operation] of batch.entries()) {
      const result = results[n]?.workflow;
      if (!result?.applied) continue;
      if (operation.type === 'workflow.step' && this.#fences.get(operation.row) !== operation.fence) this.violate('S1', `a step built on fence ${operation.fence} of row ${operation.row} took effect at ${this.#fences.get(operation.row)}`);
      if ((operation.type === 'workflow.complete' || operation.type === 'workflow.retry') && this.#attempts.get(operation.activity) !== operation.attempt) this.violate('S11', `an answer to attempt ${operation.attempt} of activity ${operation.activity} was taken for attempt ${this.#attempts.get(operation.activity)}`);
      if (operation.type !== 'workflow.step' && operation.type !== 'workflow.first-step' && operation.type !== 'workflow.control') continue;
      this.steps++;
      const row = result.row ?? ('row' in operation ? operation.row : 0);
      if (operation.type !== 'workflow.control') {
        const timers = operation.reset ? new Map<number, number>() : (this.#timers.get(row) ?? new Map<number, number>());
        for (const { timerId, dueAt } of operation.timers ?? []) if (dueAt !== undefined) timers.set(timerId, dueAt);
        for (const timerId of operation.dropTimers ?? []) timers.delete(timerId);
        this.#timers.set(row, timers);
      }
      const found = await this.#locate(row);
      if (!found) continue;
      if (isTerminalStatus(found.status)) this.#timers.delete(row);
      await this.#checkInstance(found);
    }
  };

  readonly fired = async (): Promise<void> => {
    for (const [row, timers] of this.#timers) {
      if (timers.size === 0) continue;
      const found = await this.#locate(row);
      if (!found || isTerminalStatus(found.status)) {
        this.#timers.delete(row);
        continue;
      }
      const left = new Set((await this.#raw.workflows.timers(row, 1000)).map(({ timerId }) => timerId));
      for (const [timerId, dueAt] of timers) {
        if (left.has(timerId)) continue;
        timers.delete(timerId);
        if (dueAt > this.#now()) this.violate('S5', `timer ${timerId} of row ${row} fired ${dueAt - this.#now()} ms early`);
      }
    }
  };

  async #locate(row: number): Promise<WorkflowRow | undefined> {
    if (!this.#places.has(row)) for (const { row: known, app, instanceId } of await this.instances()) this.#places.set(known, { app, instanceId });
    const place = this.#places.get(row);
    const found = place && (await this.#raw.workflows.find(place.app, place.instanceId));
    return found?.row === row ? found : undefined;
  }

  async #checkInstance(row: WorkflowRow): Promise<void> {
    const pages = await this.#raw.workflows.history(row.row, 0, 100_000);
    const events = await this.#eventsOf(row.row, pages);
    const text = pages.map(({ data }) => data).join('');
    const seen = this.#seen.get(row.row);
    if (seen?.executionId === row.executionId && !text.startsWith(seen.text)) this.violate('S2', `the history of ${row.instanceId} changed`);
    this.#seen.set(row.row, { executionId: row.executionId, text, ended: seen?.ended });
    if (events.length !== row.events) this.violate('S2', `${row.instanceId} counts ${row.events} events and has ${events.length}`);
    if (row.name !== 'state') this.#checkLegal(row, events);
    this.#checkEnded(row, text);
  }

  async #eventsOf(row: number, pages: readonly { readonly data: string }[]): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for (const { data } of pages) events.push(...(parsed<HistoryEvent[]>(data) ?? (await fetched<HistoryEvent[]>(this.#raw.workflows, row, data))));
    return events;
  }

  /** S4; also called for all instances now and then. */
  #checkEnded(row: WorkflowRow, text: string): void {
    const seen = this.#seen.get(row.row);
    if (!seen || !isTerminalStatus(row.status)) {
      if (seen?.ended !== undefined) this.violate('S4', `${row.instanceId} had ended and is ${row.status}`);
      return;
    }
    const now = JSON.stringify([row, text]);
    if (seen.ended !== undefined && seen.ended !== now) this.violate('S4', `${row.instanceId} changed after its end`);
    seen.ended = now;
  }

  #checkLegal({ instanceId }: WorkflowRow, events: readonly HistoryEvent[]): void {
    const illegal = (words: string): void => this.violate('S3', `history of ${instanceId}: ${words}`);
    const ordered = new Map<number, string>();
    const resolved = new Set<number>();
    for (const [n, event] of events.entries()) {
      const previous = events[n - 1];
      if (previous?.kind === 'executionCompleted') illegal(`${event.kind} after the end`);
      switch (event.kind) {
        case 'executionStarted':
          if (events.slice(0, n).some(({ kind }) => kind === 'executionStarted' || kind === 'taskScheduled')) illegal('a second start');
          break;
        case 'taskScheduled':
        case 'childCreated':
        case 'timerCreated':
          if (ordered.has(event.id)) illegal(`id ${event.id} is used twice`);
          ordered.set(event.id, event.kind);
          break;
        case 'taskCompleted':
        case 'taskFailed':
        case 'childCompleted':
        case 'childFailed':
        case 'timerFired': {
          const id = event.kind === 'timerFired' ? event.timerId : event.taskId;
          const kind = event.kind.startsWith('task') ? 'taskScheduled' : event.kind === 'timerFired' ? 'timerCreated' : 'childCreated';
          if (ordered.get(id) !== kind) illegal(`${event.kind} ${id} resolves what was not ordered`);
          if (resolved.has(id)) illegal(`${event.kind} ${id} is resolved twice`);
          resolved.add(id);
          break;
        }
        default:
      }
    }
  }

  /** S6: told by the executor's seam as a turn begins. */
  async checkPast(turn: Turn): Promise<void> {
    const { app, instanceId, executionId } = turn.instance;
    const row = await this.#raw.workflows.find(app, instanceId);
    // An answer to a turn that was overtaken is not committed, so what it was built on does not matter.
    if (!row || row.executionId !== executionId || row.turn !== turn.number) return;
    const pages = await this.#raw.workflows.history(row.row, 0, 100_000);
    const committed = await this.#eventsOf(row.row, pages);
    const again = await this.#raw.workflows.find(app, instanceId);
    if (again?.turn !== turn.number) return;
    if (JSON.stringify(committed) !== JSON.stringify(turn.past.slice(0, committed.length)) || turn.pastCount !== committed.length) this.violate('S6', `turn ${turn.number} of ${instanceId} was given ${turn.pastCount} past events, and ${committed.length} are committed`);
  }

  /** S8 and S9, at the end. `expected`: outputs by instance id, undefined where it was terminated, `gone` where it was purged. */
  async checkEnd(expected: ReadonlyMap<string, number | undefined | 'gone'>): Promise<void> {
    const instances = await this.instances();
    for (const row of instances) {
      await this.#checkInstance(row);
      const open = isTerminalStatus(row.status) ? [] : [...(await this.#raw.workflows.activities(row.row, 5)), ...(await this.#raw.workflows.timers(row.row, 5))];
      if (!isTerminalStatus(row.status)) this.violate('S8', `${row.app}/${row.instanceId} (${row.name}) is ${row.status}, ${row.ready ? 'ready, ' : ''}${row.owner ? `leased by ${row.owner}, ` : ''}${row.reason ?? ''} at turn ${row.turn}, with ${JSON.stringify(open)}`);
      const [unread, activities, timers] = await Promise.all([this.#raw.workflows.inbox(row.row, 10), this.#raw.workflows.activities(row.row, 10), this.#raw.workflows.timers(row.row, 10)]);
      if (isTerminalStatus(row.status) && unread.length + activities.length + timers.length > 0) this.violate('S8', `${row.instanceId} left something over`);
    }
    for (const [instanceId, sum] of expected) {
      const row = instances.find((one) => one.instanceId === instanceId);
      if (sum === 'gone') {
        if (row) this.violate('S8', `${instanceId} was purged and is there`);
      } else if (!row) this.violate('S8', `${instanceId} is not there`);
      else if (isTerminalStatus(row.status)) await this.#checkOutput(row, sum);
    }
    for (const row of instances) if (row.name !== 'state') await this.#checkChildren(row, instances);
  }

  async #checkOutput(row: WorkflowRow, sum: number | undefined): Promise<void> {
    if (row.status === 'terminated' && sum === undefined) return;
    const [page] = await this.#raw.workflows.history(row.row, row.events - 1, 1);
    const end = (JSON.parse(page?.data ?? '[]') as HistoryEvent[]).at(-1);
    const output = end?.kind === 'executionCompleted' ? end.result : undefined;
    if (row.status !== 'completed') this.violate('S8', `${row.instanceId} is ${row.status}: ${JSON.stringify(end)}`);
    else if (sum !== undefined && output !== String(sum)) this.violate('S8', `${row.instanceId} ended with ${output}, and its program says ${sum}`);
  }

  async #checkChildren(parent: WorkflowRow, instances: readonly WorkflowRow[]): Promise<void> {
    if (parent.status !== 'completed') return;
    const events = await this.#eventsOf(parent.row, await this.#raw.workflows.history(parent.row, 0, 100_000));
    for (const event of events) {
      if (event.kind !== 'childCreated' || event.input === JSON.stringify(LEFT_BEHIND)) continue;
      const heard = events.find((one) => (one.kind === 'childCompleted' || one.kind === 'childFailed') && one.taskId === event.id);
      const child = instances.find(({ instanceId }) => instanceId === event.instanceId);
      if (!heard || !child) this.violate('S9', `${parent.instanceId} did not hear of the end of ${event.instanceId}`);
      else if ((heard.kind === 'childCompleted') !== (child.status === 'completed') && child.parent?.executionId === parent.executionId) this.violate('S9', `${parent.instanceId} heard ${heard.kind} of ${event.instanceId}, which is ${child.status}`);
    }
  }
}
