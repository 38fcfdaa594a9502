/**
 * One turn under way: the working copy of a snapshot, and what the turn has produced so far. Owns ids, history entries,
 * commands, threads and their scopes; knows nothing of what the types of states do.
 */
import type { Machine, Root, State } from './definition.ts';
import { bytesOf, isArray, isObject, type Json, type JsonObject } from './json.ts';
import type { Limits } from './limits.ts';
import type { Command, ExecutionStatus, HistoryEvent } from './messages.ts';
import type { Ports } from './ports.ts';
import { startClock, stopClock } from './saga.ts';
import type { Saga } from './saga-record.ts';
import type { Scope, Trace } from './scope.ts';
import type { Doing, Resume, Snapshot, Thread } from './snapshot.ts';
import { runtimeError } from './state-error.ts';
import { formatTimestamp } from './timestamp.ts';

type ThreadChange = Partial<Omit<Thread, 'id' | 'parent' | 'root'>>;

export class Turn {
  readonly machine: Machine;
  readonly limits: Limits;
  readonly ports: Ports;
  readonly history: HistoryEvent[] = [];
  readonly commands: Command[] = [];
  readonly ready: string[];
  status: ExecutionStatus;
  output: string | undefined;
  error: string | undefined;
  cause: string | undefined;
  saga: Saga | undefined;
  redrives: Snapshot['redrives'];
  lastEventId: number;
  /** Set when a single state is inspected. */
  trace: Trace | undefined;
  /** Members of the context object that an inspection sets. */
  contextMembers: JsonObject = {};
  /** How things stood when a failure began to rise; undefined once it was caught. */
  #failedAt: Resume | undefined;
  #resume: Resume | undefined;
  readonly #before: Snapshot;
  readonly #threads: Map<string, Thread>;
  readonly #waiting: Map<string, string>;
  readonly #texts = new WeakMap<object, string>();
  /** Lists made in this turn, which no snapshot holds yet. */
  readonly #own = new WeakSet<object>();
  #lastThread: number;
  #lastCommand: number;

  constructor(machine: Machine, snapshot: Snapshot, ports: Ports) {
    this.machine = machine;
    this.limits = machine.expressions.limits;
    this.ports = ports;
    this.#before = snapshot;
    this.status = snapshot.status;
    this.output = snapshot.output;
    this.error = snapshot.error;
    this.cause = snapshot.cause;
    this.saga = snapshot.saga;
    this.redrives = snapshot.redrives;
    this.#resume = snapshot.resume;
    this.ready = [...snapshot.ready];
    this.lastEventId = snapshot.lastEventId;
    this.#lastThread = snapshot.lastThread;
    this.#lastCommand = snapshot.lastCommand;
    this.#threads = new Map(Object.entries(snapshot.threads));
    this.#waiting = new Map(Object.entries(snapshot.waiting));
  }

  snapshot(): Snapshot {
    const { version, execution, root, startedMs, input } = this.#before;
    return {
      version,
      status: this.status,
      execution,
      root,
      startedMs,
      input,
      lastEventId: this.lastEventId,
      lastThread: this.#lastThread,
      lastCommand: this.#lastCommand,
      threads: Object.fromEntries(this.#threads),
      waiting: Object.fromEntries(this.#waiting),
      ready: this.ready,
      ...(this.output === undefined ? {} : { output: this.output }),
      ...(this.error === undefined ? {} : { error: this.error }),
      ...(this.cause === undefined ? {} : { cause: this.cause }),
      ...(this.saga === undefined ? {} : { saga: this.saga }),
      ...(this.#resume === undefined ? {} : { resume: this.#resume }),
      ...(this.redrives === undefined ? {} : { redrives: this.redrives }),
    };
  }

  get execution(): Snapshot['execution'] {
    return this.#before.execution;
  }

  get input(): Json {
    return this.#before.input;
  }

  get closed(): boolean {
    return this.status !== 'RUNNING';
  }

  // Going on after an end

  /** A failure begins to rise: what it takes with it is remembered until it is caught. */
  markFailure(): void {
    this.#failedAt ??= { threads: Object.fromEntries(this.#threads), ...(this.saga === undefined ? {} : { saga: this.saga }) };
  }
  failureCaught(): void {
    this.#failedAt = undefined;
  }
  /** The execution ends where the failure began; unless `keep`, nothing of it will be wanted. */
  endAtFailure(keep: boolean): void {
    this.#resume = keep ? this.#failedAt : undefined;
  }
  /** Everything that was under way is under way again, from the beginning of its state. False: there is nothing to go on with. */
  resume(): boolean {
    const resume = this.#resume;
    if (!resume) return false;
    this.#resume = undefined;
    this.status = 'RUNNING';
    this.error = this.cause = undefined;
    this.saga = resume.saga;
    const parents = new Set(Object.values(resume.threads).map(({ parent }) => parent));
    for (const { uncertain: _, ...thread } of Object.values(resume.threads)) {
      const { kind } = thread.doing;
      const waits = (kind === 'parallel' || kind === 'map') && parents.has(thread.id);
      const doing: Doing = waits || kind === 'enter' ? thread.doing : { kind: 'again' };
      this.#threads.set(thread.id, { ...thread, retryCount: 0, attempts: [], doing });
      if (!waits) this.ready.push(thread.id);
      startClock(this, thread);
    }
    return true;
  }

  // Texts

  /** JSON text of a value; the same value is written once per turn. */
  text(value: Json): string {
    if (!isArray(value) && !isObject(value)) return JSON.stringify(value);
    let text = this.#texts.get(value);
    if (text === undefined) {
      text = JSON.stringify(value);
      this.#texts.set(value, text);
    }
    return text;
  }

  /** Text as it came from outside is kept for the value parsed from it. */
  keepText(value: Json, text: string): void {
    if (isArray(value) || isObject(value)) this.#texts.set(value, text);
  }

  tooLarge(value: Json): boolean {
    const text = this.text(value);
    return text.length > this.limits.payloadBytesMax || bytesOf(text) > this.limits.payloadBytesMax;
  }

  // History

  /** Writes an event that follows `previousEventId`; returns its id. */
  note(previousEventId: number, type: string, detailsName?: string, details?: JsonObject): number {
    const id = ++this.lastEventId;
    this.history.push({ id, previousEventId, timestampMs: this.ports.now, type, ...(detailsName === undefined ? {} : { detailsName }), ...(details === undefined ? {} : { details }) });
    return id;
  }

  /** Writes an event that follows the thread's last one, and is now its last one. */
  emit(threadId: string, type: string, detailsName?: string, details?: JsonObject): number {
    const id = this.note(this.thread(threadId).at, type, detailsName, details);
    this.change(threadId, { at: id });
    return id;
  }

  // Threads

  has(id: string): boolean {
    return this.#threads.has(id);
  }

  thread(id: string): Thread {
    const thread = this.#threads.get(id);
    if (!thread) throw new Error(`there is no thread ${id}`);
    return thread;
  }

  change(id: string, change: ThreadChange): Thread {
    const changed = { ...this.thread(id), ...change };
    this.#threads.set(id, changed);
    return changed;
  }

  does(id: string, doing: Doing): void {
    this.change(id, { doing });
  }

  /** What the thread does, when it is of that kind. */
  doing<K extends Doing['kind']>(id: string, kind: K): Extract<Doing, { readonly kind: K }> {
    const { doing } = this.thread(id);
    if (doing.kind !== kind) throw new Error(`thread ${id} is at ${doing.kind}, not ${kind}`);
    return doing as Extract<Doing, { readonly kind: K }>;
  }

  /** A new thread that is about to enter its root's first state. */
  spawn(rootPath: string, options: { readonly input: Json; readonly at: number; readonly index: number; readonly parent?: string; readonly item?: JsonObject }): Thread {
    const id = `t${++this.#lastThread}`;
    const root = this.root(rootPath);
    const thread: Thread = {
      id,
      root: rootPath,
      ...(options.parent === undefined ? {} : { parent: options.parent }),
      index: options.index,
      variables: {},
      variableBytes: {},
      at: options.at,
      state: root.startAt,
      input: options.input,
      entered: { id: 0, previous: 0, ms: this.ports.now },
      retryCount: 0,
      attempts: [],
      ...(options.item === undefined ? {} : { item: options.item }),
      doing: { kind: 'enter', state: root.startAt, input: options.input },
    };
    this.#threads.set(id, thread);
    this.ready.push(id);
    startClock(this, thread);
    return thread;
  }

  remove(id: string): void {
    const thread = this.#threads.get(id);
    if (thread) stopClock(this, thread);
    this.#threads.delete(id);
  }

  threads(): readonly Thread[] {
    return [...this.#threads.values()];
  }

  removeAll(): void {
    this.#threads.clear();
    this.ready.length = 0;
  }

  childrenOf(id: string): Thread[] {
    return [...this.#threads.values()].filter(({ parent }) => parent === id);
  }

  root(path: string): Root {
    const root = this.machine.roots.get(path);
    if (!root) throw new Error(`the definition has no root ${path}`);
    return root;
  }

  /** The root of the whole execution. */
  get top(): Root {
    return this.root(this.#before.root);
  }

  stateOf(thread: Thread, name = thread.state): State {
    const state = this.root(thread.root).states.get(name);
    if (!state) throw new Error(`the definition has no state ${name} in ${thread.root}`);
    return state;
  }

  // Commands

  nextId(): string {
    return String(++this.#lastCommand);
  }

  /** From now on what is said about the id is for the thread (or for the part with that name). */
  expect(id: string, waiter: string): void {
    this.#waiting.set(id, waiter);
  }

  waiter(id: string): string | undefined {
    return this.#waiting.get(id);
  }

  /** Whether anything is under way for the waiter. */
  awaits(waiter: string): boolean {
    return [...this.#waiting.values()].includes(waiter);
  }

  settled(id: string): void {
    this.#waiting.delete(id);
  }

  send(command: Command): void {
    this.commands.push(command);
  }

  startTimer(waiter: string, dueMs: number): string {
    const id = this.nextId();
    this.expect(id, waiter);
    this.send({ type: 'startTimer', id, dueMs });
    return id;
  }

  cancel(ids: readonly string[]): void {
    const live = ids.filter((id) => this.#waiting.delete(id));
    if (live.length > 0) this.send({ type: 'cancel', ids: live });
  }

  /** Cancels what is under way for waiters that begin so. */
  cancelFor(prefix: string): void {
    this.cancelAll((waiter) => !waiter.startsWith(prefix));
  }

  cancelAll(keep: (waiter: string) => boolean = () => false): void {
    this.cancel([...this.#waiting].filter(([, waiter]) => !keep(waiter)).map(([id]) => id));
  }

  /** The list with one item replaced: copied once in a turn, however often it changes. */
  place<T>(items: readonly T[], index: number, value: T): readonly T[] {
    if (this.#own.has(items)) {
      (items as T[])[index] = value;
      return items;
    }
    const copy = items.with(index, value);
    this.#own.add(copy);
    return copy;
  }

  // Scopes

  /** What the state's expressions see. `context` adds to the context object. */
  scope(thread: Thread, context: JsonObject = {}): Scope {
    let made: JsonObject | undefined;
    const variable = (name: string): Json | undefined => {
      for (let at: Thread | undefined = thread; at; at = at.parent === undefined ? undefined : this.thread(at.parent)) {
        if (Object.hasOwn(at.variables, name)) return at.variables[name];
      }
      return undefined;
    };
    return {
      expressions: this.machine.expressions,
      ports: this.ports,
      input: thread.input,
      context: () => (made ??= this.#context(thread, context)),
      variable,
      variables: () => this.#variables(thread),
      ...(this.trace ? { trace: this.trace } : {}),
    };
  }

  #variables(thread: Thread): JsonObject {
    const outer = thread.parent === undefined ? {} : this.#variables(this.thread(thread.parent));
    return { ...outer, ...thread.variables };
  }

  #context(thread: Thread, more: JsonObject): JsonObject {
    const { execution, startedMs, input } = this.#before;
    const state = this.stateOf(thread);
    const retried = state.type === 'Task' || state.type === 'Parallel' || state.type === 'Map';
    const item = this.#item(thread);
    return {
      Execution: { Id: execution.id, Input: input, StartTime: formatTimestamp(startedMs), Name: execution.name, RoleArn: execution.roleArn, RedriveCount: this.redrives?.count ?? 0, ...(this.redrives ? { RedriveTime: formatTimestamp(this.redrives.lastMs) } : {}) },
      StateMachine: { Id: execution.stateMachineId, Name: execution.stateMachineName },
      State: { Name: thread.state, EnteredTime: formatTimestamp(thread.entered.ms), ...(retried ? { RetryCount: thread.retryCount } : {}) },
      ...(item ? { Map: item } : {}),
      ...more,
      ...this.contextMembers,
    };
  }

  #item(thread: Thread): JsonObject | undefined {
    return thread.item ?? (thread.parent === undefined ? undefined : this.#item(this.thread(thread.parent)));
  }

  // Variables

  /** Writes the variables of one Assign together. */
  assign(threadId: string, assigned: JsonObject): void {
    const thread = this.thread(threadId);
    const bytes: Record<string, number> = { ...thread.variableBytes };
    let sum = 0;
    for (const [name, value] of Object.entries(assigned)) {
      const size = bytesOf(this.text(value));
      if (size > this.limits.variableBytesMax) throw runtimeError(`The variable '${name}' has ${size} bytes, more than ${this.limits.variableBytesMax}.`);
      sum += size;
      bytes[name] = size;
    }
    if (sum > this.limits.assignBytesMax) throw runtimeError(`The variables of one Assign have ${sum} bytes, more than ${this.limits.assignBytesMax}.`);
    let total = 0;
    for (const other of this.#threads.values()) for (const size of Object.values(other.id === threadId ? bytes : other.variableBytes)) total += size;
    if (total > this.limits.executionVariableBytesMax) throw runtimeError(`The variables of the execution have ${total} bytes, more than ${this.limits.executionVariableBytesMax}.`);
    this.change(threadId, { variables: { ...thread.variables, ...assigned }, variableBytes: bytes });
  }
}
