/**
 * Runs an execution to its end in memory: virtual time, scripted answers of tasks, and every snapshot written as text and
 * read again between two turns. For tests of definitions, here and elsewhere.
 */
import type { Machine } from './definition.ts';
import type { Json } from './json.ts';
import type { ClosedStatus, Command, HistoryEvent, ScheduleTask, TurnEvent } from './messages.ts';
import type { Ports } from './ports.ts';
import { runTurn } from './run-turn.ts';
import type { Snapshot } from './snapshot.ts';
import { said } from './state-error.ts';

/** What a task answers. `afterMs` is virtual; a task without an answer waits for its timeout. */
export interface Answer {
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
  readonly stage?: 'start' | 'submit';
  readonly afterMs?: number;
  readonly heartbeatsMs?: readonly number[];
}

export interface DriveOptions {
  readonly input?: string;
  readonly startMs?: number;
  readonly seed?: number;
  /** Called for each scheduled task; undefined: no answer. */
  readonly task?: (command: ScheduleTask, nowMs: number) => Answer | undefined;
  /** Machines that startExecution may name, by ARN. */
  readonly machines?: Readonly<Record<string, Machine>>;
  readonly items?: (command: Extract<Command, { readonly type: 'readItems' }>) => Json;
  /** Events from outside at instants after the start. */
  readonly at?: readonly { readonly ms: number; readonly event: TurnEvent }[];
  /** false: snapshots are handed on as they are, but so that a change of one throws. */
  readonly serialise?: boolean;
  /** Several events of the same instant in one turn. */
  readonly batch?: boolean;
  readonly turnsMax?: number;
  readonly execution?: Partial<Snapshot['execution']>;
  readonly root?: string;
}

export interface Driven {
  readonly snapshot: Snapshot;
  readonly history: readonly HistoryEvent[];
  readonly commands: readonly Command[];
  readonly turns: number;
  readonly endMs: number;
  /** Length of the snapshot's text after each turn. */
  readonly sizes: readonly number[];
}

const START_MS = Date.UTC(2025, 0, 1);
const EXECUTION: Snapshot['execution'] = {
  id: 'arn:aws:states:us-east-1:000000000000:execution:machine:run',
  name: 'run',
  roleArn: 'arn:aws:iam::000000000000:role/test',
  stateMachineId: 'arn:aws:states:us-east-1:000000000000:stateMachine:machine',
  stateMachineName: 'machine',
};

interface Due {
  readonly ms: number;
  readonly order: number;
  readonly id?: string;
  readonly event: TurnEvent;
}

/** Runs until the execution is closed or nothing is left to happen. */
export async function drive(machine: Machine, options: DriveOptions = {}): Promise<Driven> {
  const { startMs = START_MS, serialise = true, turnsMax = 100_000 } = options;
  const random = randomFrom(options.seed ?? 1);
  let uuids = 0;
  let now = startMs;
  let order = 0;
  let due: Due[] = [];
  const history: HistoryEvent[] = [];
  const commands: Command[] = [];
  const sizes: number[] = [];
  const schedule = (ms: number, event: TurnEvent, id?: string): void => {
    due.push({ ms, order: order++, event, ...(id === undefined ? {} : { id }) });
  };
  const ports = (): Ports => ({ now, random, uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`, taskToken: (id) => `token-${id}` });
  for (const { ms, event } of options.at ?? []) schedule(startMs + ms, event);

  let snapshot: Snapshot | undefined;
  let events: TurnEvent[] = [{ type: 'executionStarted', execution: { ...EXECUTION, ...options.execution }, input: options.input ?? '{}', ...(options.root === undefined ? {} : { root: options.root }) }];
  let turns = 0;
  for (;;) {
    if (++turns > turnsMax) throw new Error(`the execution did not end in ${turnsMax} turns`);
    const result = await runTurn({ machine, snapshot, events, ports: ports() });
    history.push(...result.history);
    commands.push(...result.commands);
    const text = JSON.stringify(result.snapshot);
    sizes.push(text.length);
    snapshot = serialise ? (JSON.parse(text) as Snapshot) : frozen(result.snapshot);
    for (const command of result.commands) {
      if (command.type === 'cancel') due = due.filter(({ id }) => id === undefined || !command.ids.includes(id));
      else await obey(command, options, now, schedule);
    }
    events = [];
    if (snapshot.status !== 'RUNNING' || due.length === 0) return { snapshot, history, commands, turns, endMs: now, sizes };
    due.sort((a, b) => a.ms - b.ms || a.order - b.order);
    const [next] = due;
    now = Math.max(now, next?.ms ?? now);
    const together = options.batch ? due.filter(({ ms }) => ms <= now) : due.slice(0, 1);
    due = due.slice(together.length);
    events = together.map(({ event }) => event);
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

type Schedule = (ms: number, event: TurnEvent, id?: string) => void;

async function obey(command: Command, options: DriveOptions, now: number, schedule: Schedule): Promise<void> {
  switch (command.type) {
    case 'scheduleTask':
      answerTask(command, options, now, schedule);
      return;
    case 'startTimer':
      schedule(command.dueMs, { type: 'timerFired', id: command.id }, command.id);
      return;
    case 'startExecution':
      await runNested(command, options, now, schedule);
      return;
    case 'startMapChild': {
      const machine = options.machines?.['map'];
      if (!machine) throw new Error('a distributed Map needs its own machine in machines.map');
      const { snapshot, endMs } = await drive(machine, { ...inherited(options), execution: command.execution, root: command.root, input: JSON.stringify(command.input), startMs: now });
      schedule(endMs, { type: 'childEnded', id: command.id, ...outcomeOf(snapshot) }, command.id);
      return;
    }
    case 'readItems': {
      const { id } = command;
      const items = options.items?.(command);
      if (items === undefined) schedule(now, { type: 'taskFailed', id, error: 'States.ItemReaderFailed', cause: 'nothing there' }, id);
      else schedule(now, { type: 'taskSucceeded', id, output: JSON.stringify(items) }, id);
      return;
    }
    case 'writeResults':
      schedule(now, { type: 'taskSucceeded', id: command.id, output: JSON.stringify({ MapRunArn: command.mapRunArn, ResultWriterDetails: { Bucket: 'bucket', Key: 'manifest.json' } }) }, command.id);
      return;
    case 'cancel':
    case 'openMapRun':
    case 'closeMapRun':
  }
}

function answerTask(command: ScheduleTask, options: DriveOptions, now: number, schedule: Schedule): void {
  const { id, timeoutSeconds, heartbeatSeconds } = command;
  const answer = options.task?.(command, now);
  const answeredMs = answer ? now + (answer.afterMs ?? 0) : Infinity;
  const deadline = now + (timeoutSeconds ?? Infinity) * 1000;
  let missed = Infinity;
  if (heartbeatSeconds !== undefined) {
    missed = now + heartbeatSeconds * 1000;
    for (const beat of answer?.heartbeatsMs ?? []) if (now + beat < missed) missed = now + beat + heartbeatSeconds * 1000;
  }
  const first = Math.min(answeredMs, deadline, missed);
  if (first === Infinity) return;
  if (first === answeredMs && answer) {
    const { output, error, cause, stage } = answer;
    if (output !== undefined) schedule(first, { type: 'taskSucceeded', id, output: JSON.stringify(output) }, id);
    else schedule(first, { type: 'taskFailed', id, ...said({ error, cause }), ...(stage === undefined ? {} : { stage }) }, id);
  } else schedule(first, { type: 'taskTimedOut', id, heartbeat: missed < deadline }, id);
}

async function runNested(command: Extract<Command, { readonly type: 'startExecution' }>, options: DriveOptions, now: number, schedule: Schedule): Promise<void> {
  const { id, stateMachineArn, wait } = command;
  const machine = options.machines?.[stateMachineArn];
  if (!machine) {
    schedule(now, { type: 'taskFailed', id, error: 'StepFunctions.StateMachineDoesNotExistException', cause: `State Machine Does Not Exist: '${stateMachineArn}'` }, id);
    return;
  }
  const name = command.name ?? `child-of-${id}`;
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  schedule(now, { type: 'childStarted', id, executionArn, name }, id);
  if (!wait) return;
  const input = JSON.stringify(command.input);
  const { snapshot, endMs } = await drive(machine, { ...inherited(options), execution: { id: executionArn, name, stateMachineId: stateMachineArn }, input, startMs: now });
  const deadline = now + (command.timeoutSeconds ?? Infinity) * 1000;
  if (endMs > deadline) schedule(deadline, { type: 'taskTimedOut', id }, id);
  else schedule(endMs, { type: 'childEnded', id, ...outcomeOf(snapshot) }, id);
}

function inherited({ task, machines, items, serialise, seed }: DriveOptions): DriveOptions {
  return { ...(task ? { task } : {}), ...(machines ? { machines } : {}), ...(items ? { items } : {}), ...(serialise === undefined ? {} : { serialise }), ...(seed === undefined ? {} : { seed }) };
}

function outcomeOf({ status, output, error, cause }: Snapshot): { readonly status: ClosedStatus; readonly output?: string; readonly error?: string; readonly cause?: string } {
  return { status: status === 'RUNNING' ? 'ABORTED' : status, ...(output === undefined ? {} : { output }), ...said({ error, cause }) };
}

/** Numbers of [0, 1) that the seed decides. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
