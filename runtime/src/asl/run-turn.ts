/**
 * The interpreter's door: a snapshot and what happened go in; the next snapshot, what shall be done and what the history
 * says come out. Pure but for the ports: nothing is stored, called or awaited from outside.
 *
 * 1. Events are handled one by one in their order; how they are spread over turns makes no difference to the result.
 * 2. A turn ends: it enters at most `transitionsPerTurnMax` states. When there is more to do it sets a timer that is due at once.
 * 3. An event twice, too late, or about an unknown id changes nothing.
 */
import type { Machine } from './definition.ts';
import { advanceSagas, conclude, deliver, drain, EXECUTION, scopeTimedOut, stopLater } from './flow.ts';
import { bytesOf, JsonInvalid, parseJson, type Json } from './json.ts';
import type { Command, HistoryEvent, TurnEvent } from './messages.ts';
import type { Ports } from './ports.ts';
import { decide, isSagaWaiter, sagaEvent, timedScope } from './saga.ts';
import { threadOf, type Snapshot } from './snapshot.ts';
import { said } from './state-error.ts';
import { Turn } from './turn.ts';

export interface TurnInput {
  readonly machine: Machine;
  /** undefined: the first event must be executionStarted. */
  readonly snapshot: Snapshot | undefined;
  readonly events: readonly TurnEvent[];
  readonly ports: Ports;
}

export interface TurnResult {
  readonly snapshot: Snapshot;
  readonly commands: readonly Command[];
  readonly history: readonly HistoryEvent[];
}

/** Who the timer of a turn that gave way is for. */
const CONTINUE = 'continue';

/** The input of an execution that is no JSON, or too large: nothing was started. */
export class ExecutionInputInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExecutionInputInvalid';
  }
}

/** Throws ExecutionInputInvalid; anything else that is thrown is a fault of the interpreter. */
export async function runTurn({ machine, snapshot, events, ports }: TurnInput): Promise<TurnResult> {
  const [first, ...rest] = events;
  let turn: Turn;
  let left: readonly TurnEvent[] = events;
  if (snapshot) turn = new Turn(machine, snapshot, ports);
  else {
    if (first?.type !== 'executionStarted') throw new Error('an execution begins with the event executionStarted');
    turn = begin(machine, first, ports);
    left = rest;
  }
  let budget = machine.expressions.limits.transitionsPerTurnMax;
  budget -= await drain(turn, budget);
  for (const event of left) {
    if (turn.closed && event.type !== 'redriven') continue;
    await handle(turn, event);
    budget -= await drain(turn, budget);
  }
  if (turn.ready.length > 0 && !turn.awaits(CONTINUE)) turn.startTimer(CONTINUE, ports.now);
  return { snapshot: turn.snapshot(), commands: turn.commands, history: turn.history };
}

function begin(machine: Machine, event: Extract<TurnEvent, { readonly type: 'executionStarted' }>, ports: Ports): Turn {
  const { limits } = machine.expressions;
  const root = event.root ?? '';
  if (!machine.roots.has(root)) throw new ExecutionInputInvalid(`the definition has no root ${root}`);
  if (bytesOf(event.input) > limits.payloadBytesMax) throw new ExecutionInputInvalid(`the input has more than ${limits.payloadBytesMax} bytes`);
  let input: Json;
  try {
    input = parseJson(event.input, limits.jsonDepthMax);
  } catch (error) {
    if (error instanceof JsonInvalid) throw new ExecutionInputInvalid(error.message);
    throw error;
  }
  const turn = new Turn(
    machine,
    { version: 1, status: 'RUNNING', execution: event.execution, root, startedMs: ports.now, input, lastEventId: 0, lastThread: 0, lastCommand: 0, threads: {}, waiting: {}, ready: [] },
    ports,
  );
  turn.keepText(input, event.input);
  turn.note(0, 'ExecutionStarted', 'executionStartedEventDetails', { input: event.input, inputDetails: { truncated: false }, roleArn: event.execution.roleArn });
  if (machine.timeoutSeconds !== undefined && root === '') turn.startTimer(EXECUTION, ports.now + machine.timeoutSeconds * 1000);
  turn.spawn(root, { input, at: 0, index: 0 });
  return turn;
}

function redrive(turn: Turn, clientToken: string | undefined): void {
  if (!turn.resume()) return;
  const { timeoutSeconds } = turn.machine;
  const { now } = turn.ports;
  turn.redrives = { count: (turn.redrives?.count ?? 0) + 1, lastMs: now, ...(clientToken === undefined ? {} : { clientToken }) };
  turn.note(0, 'ExecutionRedriven', 'executionRedrivenEventDetails', { redriveCount: turn.redrives.count });
  if (timeoutSeconds !== undefined && turn.top.path === '') turn.startTimer(EXECUTION, now + timeoutSeconds * 1000);
}

async function handle(turn: Turn, event: TurnEvent): Promise<void> {
  switch (event.type) {
    case 'executionStarted':
      return;
    case 'stopRequested': {
      const failure = said(event);
      if (!stopLater(turn, failure)) await conclude(turn, 'ABORTED', 0, failure);
      return;
    }
    case 'mapRunChanged': {
      const thread = turn.threads().find(({ doing }) => doing.kind === 'mapRun' && doing.arn === event.mapRunArn);
      if (thread) await deliver(turn, thread.id, event);
      return;
    }
    case 'redriven':
      redrive(turn, event.clientToken);
      return;
    case 'compensationRetried':
    case 'compensationSkipped':
      decide(turn, event);
      await advanceSagas(turn);
      return;
    default: {
      const waiter = turn.waiter(event.id);
      if (waiter === undefined) return;
      if (waiter === CONTINUE) turn.settled(event.id);
      else if (waiter === EXECUTION) await conclude(turn, 'TIMED_OUT', 0, {});
      else if (isSagaWaiter(waiter)) {
        sagaEvent(turn, waiter, event);
        await advanceSagas(turn);
      } else if (timedScope(waiter) !== undefined) {
        turn.settled(event.id);
        await scopeTimedOut(turn, timedScope(waiter) ?? '');
      } else await deliver(turn, threadOf(waiter), event);
    }
  }
}
