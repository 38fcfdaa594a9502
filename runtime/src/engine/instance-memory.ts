/**
 * The instances that this process ran last, so that the next turn loads nothing. A memory is worth something only as long as `turn` in
 * the ledger is the one remembered; whoever finds that it is not, forgets. Bounded by bytes and by number; the least recently
 * used goes first, unless it is at work.
 */
import { LedgerRefused, type WorkflowLedger, type WorkflowParent, type WorkflowRow } from '@mecha/components/kit';
import { TurnRejected, type WorkflowExecutor } from './executor.ts';
import { Budget, fetched, parsed } from './payloads.ts';
import { dueAtOf, type HistoryEvent } from './vocabulary.ts';

/** A result of an activity that ended here, on its way into a turn. */
export interface FusedResult {
  readonly activity: number;
  readonly attempt: number;
  readonly event: HistoryEvent;
  readonly settle: (recorded: boolean) => void;
}

/** A timer set with a wait for an event; without an end it never fires. */
export interface EventTimer {
  readonly name: string;
  readonly ends: boolean;
}
export interface Remembered {
  readonly row: number;
  readonly app: string;
  readonly instanceId: string;
  readonly name: string;
  readonly createdAt: number;
  readonly executor: WorkflowExecutor;
  readonly parent?: WorkflowParent;
  executionId: string;
  version?: string;
  fence: number;
  turn: number;
  /** In the history of this execution. */
  events: number;
  bytes: number;
  /** Of the payloads that it names, as far as they are known here. */
  payloadBytes: number;
  status: WorkflowRow['status'];
  /** Replay: the committed history, and what is known from it. */
  past: HistoryEvent[];
  readonly ids: Set<number>;
  /** Timers that wait for an event, oldest first, by id. */
  readonly eventTimers: Map<number, EventTimer>;
  patches: string[];
  snapshot: string | undefined;
  /** Results for the next turn, while one is under way. */
  mailbox: FusedResult[];
  /** Set while a turn is under way. */
  working: Promise<void> | undefined;
}

export type Known = Pick<WorkflowRow, 'row' | 'app' | 'instanceId' | 'executionId' | 'name' | 'createdAt' | 'fence' | 'turn' | 'events' | 'bytes' | 'status'> & {
  readonly parent?: WorkflowParent | undefined;
  readonly version?: string | undefined;
};

export function newMemory(known: Known, executor: WorkflowExecutor): Remembered {
  const { row, app, instanceId, name, createdAt, parent, executionId, version, fence, turn, events, bytes, status } = known;
  return {
    row, app, instanceId, name, createdAt, executor, executionId, fence, turn, events, bytes, payloadBytes: 0, status,
    past: [], ids: new Set(), eventTimers: new Map(), patches: [], snapshot: undefined, mailbox: [], working: undefined,
    ...(parent === undefined ? {} : { parent }),
    ...(version === undefined ? {} : { version }),
  };
}

/** Takes committed events into the memory of a replay executor's instance. */
export function remember(memory: Remembered, events: readonly HistoryEvent[]): void {
  for (const event of events) {
    memory.past.push(event);
    switch (event.kind) {
      case 'taskScheduled':
      case 'childCreated':
        memory.ids.add(event.id);
        break;
      case 'timerCreated':
        memory.ids.add(event.id);
        if (event.origin?.type === 'externalEvent') memory.eventTimers.set(event.id, { name: event.origin.name, ends: dueAtOf(event.fireAt) !== undefined });
        break;
      case 'timerFired':
        memory.eventTimers.delete(event.timerId);
        break;
      case 'eventRaised': {
        const timerId = timerFor(memory, event.name);
        if (timerId !== undefined) memory.eventTimers.delete(timerId);
        break;
      }
      case 'workflowStarted':
        memory.patches.push(...(event.version?.patches ?? []));
        break;
      default:
    }
  }
}

/**
 * The oldest timer that waits for an event of this name. Most SDKs take the name in any case, Java's does not: a wait that would end by
 * itself is only ended by an event that all of them take for it, and otherwise fires for nothing.
 */
export function timerFor(memory: Pick<Remembered, 'eventTimers'>, name: string): number | undefined {
  const lower = name.toLowerCase();
  for (const [timerId, waits] of memory.eventTimers) if (waits.name === name || (!waits.ends && waits.name.toLowerCase() === lower)) return timerId;
  return undefined;
}

export class InstanceMemory {
  readonly #ledger: WorkflowLedger;
  readonly #bytesMax: number;
  readonly #instancesMax: number;
  readonly #historyBytesMax: number;
  /** In order of use, the least recent first. */
  readonly #rows = new Map<number, Remembered>();
  /** As they were counted. */
  readonly #sizes = new Map<number, number>();
  #bytes = 0;

  constructor(ledger: WorkflowLedger, bytesMax: number, instancesMax: number, historyBytesMax: number) {
    this.#ledger = ledger;
    this.#historyBytesMax = historyBytesMax;
    this.#bytesMax = bytesMax;
    this.#instancesMax = instancesMax;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(row: number): Remembered | undefined {
    return this.#rows.get(row);
  }

  /** The instance as it is in the ledger: from memory if that is up to date, otherwise read. */
  async recall(known: Known, executor: WorkflowExecutor): Promise<Remembered> {
    const found = this.#rows.get(known.row);
    if (found && found.turn === known.turn && found.executionId === known.executionId && found.executor === executor) {
      found.fence = known.fence;
      found.status = known.status;
      return found;
    }
    if (found) this.forget(found);
    const memory = newMemory(known, executor);
    try {
      if (executor.style === 'snapshot') memory.snapshot = known.turn === 0 ? undefined : await this.#ledger.snapshot(known.row);
      else if (known.events > 0) await this.#recallHistory(memory);
    } catch (error) {
      if (error instanceof SyntaxError || (error instanceof LedgerRefused && error.code === 'damaged')) throw new TurnRejected('damaged', error.message, error);
      throw error;
    }
    return memory;
  }

  async #recallHistory(memory: Remembered): Promise<void> {
    const budget = new Budget(this.#historyBytesMax);
    budget.take(memory.bytes);
    for (const { data } of await this.#ledger.history(memory.row, 0, Number.MAX_SAFE_INTEGER)) {
      remember(memory, parsed<HistoryEvent[]>(data) ?? (await fetched<HistoryEvent[]>(this.#ledger, memory.row, data, budget)));
    }
    memory.payloadBytes = budget.taken - memory.bytes;
  }

  /**
   * Kept, or kept still, after its step was committed. Answers of the ledger may overtake each other, so that two memories of one instance
   * meet here: the one that knows the later turn stays, and what was offered to the other is settled.
   */
  keep(memory: Remembered): void {
    const other = this.#rows.get(memory.row);
    if (other && other !== memory) {
      if (other.turn > memory.turn) return this.forget(memory);
      this.forget(other);
    }
    this.#drop(memory.row);
    const size = sizeOf(memory);
    this.#rows.set(memory.row, memory);
    this.#sizes.set(memory.row, size);
    this.#bytes += size;
    for (const oldest of this.#rows.values()) {
      if (this.#bytes <= this.#bytesMax && this.#rows.size <= this.#instancesMax) return;
      if (oldest.working || oldest.mailbox.length > 0 || oldest === memory) continue;
      this.forget(oldest);
    }
  }

  /** Its results under way are not recorded by it. */
  forget(memory: Remembered): void {
    if (this.#rows.get(memory.row) === memory) this.#drop(memory.row);
    const results = memory.mailbox;
    memory.mailbox = [];
    for (const { settle } of results) settle(false);
    memory.executor.forget?.({ app: memory.app, instanceId: memory.instanceId, executionId: memory.executionId });
  }

  #drop(row: number): void {
    const found = this.#rows.get(row);
    if (!found) return;
    this.#rows.delete(row);
    this.#bytes -= this.#sizes.get(row) ?? 0;
    this.#sizes.delete(row);
  }
}

const OVERHEAD_BYTES = 1000;
function sizeOf(memory: Remembered): number {
  return OVERHEAD_BYTES + (memory.executor.style === 'replay' ? (memory.bytes + memory.payloadBytes) * 2 : (memory.snapshot?.length ?? 0) * 2);
}
