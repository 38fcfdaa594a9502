/**
 * State machines as an executor of the engine: a snapshot executor, inline. A turn of the engine is one turn of the language, or a few: what
 * the language asks and can be told at once (whether a machine is there) is answered within the same turn.
 *
 * 1. A turn has no effect of its own; it may be thrown away and asked again.
 * 2. The definition is the one whose version the instance began with, whatever became of the machine since.
 * 3. The history of the instance, between start and end, is that of the language, event by event.
 */
import { ExecutionInputInvalid, runTurn } from '../asl/run-turn.ts';
import type { Machine } from '../asl/definition.ts';
import type { Json } from '../asl/json.ts';
import type { Command, ExecutionInfo, ExecutionStatus, HistoryEvent as StatesEvent, MapRunCounts, ScheduleTask, TurnEvent } from '../asl/messages.ts';
import { parseResource } from '../asl/resource.ts';
import { sagaStatus } from '../asl/saga.ts';
import type { SagaStatus } from '../asl/saga-record.ts';
import type { Snapshot } from '../asl/snapshot.ts';
import { TurnRejected, type Turn, type TurnResult, type WorkflowExecutor } from '../engine/executor.ts';
import type { KeptTrace } from '../telemetry/trace.ts';
import { arnOf, executionTail, machineArn, mapRunAttribute, REDRIVES_ATTRIBUTE, SAGA_ATTRIBUTE, STATES_WORKFLOW } from './arns.ts';
import { writerArguments } from './map-items.ts';
import { instanceOf, Orders, type Children } from './orders.ts';
import { failureOf } from './task-arguments.ts';
import { mechaTask } from './task-resource.ts';
import { taskToken } from './task-token.ts';
import { exactFailure, turnEvent } from './turn-events.ts';
import { awaitedWorkflow } from './workflow-task.ts';

export interface StatesExecutorParts {
  /** undefined: no such version in the ledger. */
  readonly definition: (version: string) => Promise<Machine | undefined>;
  /** The machine that executions start from now; undefined: none. */
  readonly findMachine: (arn: string) => Promise<{ readonly name: string; readonly version: string; readonly roleArn: string; readonly attributes: Readonly<Record<string, string>> } | undefined>;
  readonly instanceExists: (instanceId: string) => Promise<boolean>;
  /** Throws when no workflow of SDK workers may be called so. */
  readonly checkNewInstanceId: (instanceId: string) => void;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** What an instance keeps between turns, and after its end when something of it can still be asked for. */
export interface Kept {
  readonly snapshot?: Snapshot;
  readonly children: Children;
  /** Oldest first. */
  readonly mapRuns?: readonly MapRunRecord[];
  /** Of the call that started it: its tasks and children belong to it. */
  readonly trace?: KeptTrace;
}
export interface MapRunRecord {
  readonly arn: string;
  readonly status: ExecutionStatus;
  readonly startedMs: number;
  readonly stoppedMs?: number;
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number;
  readonly toleratedFailurePercentage: number;
  readonly total: number;
  /** Once it has ended. */
  readonly counts?: MapRunCounts;
}
/** Of one execution; of older ones nothing is told any more. */
const MAP_RUNS_MAX = 50;
const ENDED = '{"children":{}}';
/** More answers in one turn than this are a loop of the interpreter's. */
const ROUNDS_MAX = 1000;

export function createStatesExecutor(parts: StatesExecutorParts): WorkflowExecutor {
  /** Parsed snapshots of instances that the engine remembers, with the text they stand for. */
  const parsed = new Map<string, { readonly text: string; readonly kept: Kept }>();
  const keyOf = ({ instanceId, executionId }: { readonly instanceId: string; readonly executionId: string }): string => `${instanceId}\n${executionId}`;
  const keptOf = (turn: Turn): Kept => {
    if (turn.snapshot === undefined) return { children: {} };
    const known = parsed.get(keyOf(turn.instance));
    return known?.text === turn.snapshot ? known.kept : (JSON.parse(turn.snapshot) as Kept);
  };

  return {
    style: 'snapshot',
    inline: true,
    endsGracefully: true,
    names: () => [STATES_WORKFLOW],
    forget: (instance) => void parsed.delete(keyOf(instance)),

    async runTurn(turn): Promise<TurnResult> {
      const { version = '' } = turn.instance;
      const machine = await parts.definition(version);
      if (!machine) throw new TurnRejected('version-not-available', `the definition ${version} is not in the ledger`);
      try {
        const { result, kept } = await new StatesTurn(parts, machine, turn, keptOf(turn)).run();
        if (!kept) return { ...result, snapshot: ENDED };
        const text = JSON.stringify(kept);
        if (kept.snapshot?.status === 'RUNNING') parsed.set(keyOf(turn.instance), { text, kept });
        return { ...result, snapshot: text };
      } catch (error) {
        if (!(error instanceof ExecutionInputInvalid)) throw error;
        return { actions: [{ kind: 'complete', id: -1, status: 'failed', failure: exactFailure({ status: 'FAILED', error: 'States.Runtime', cause: error.message }) }], snapshot: ENDED };
      }
    },
  };
}

class StatesTurn {
  readonly #parts: StatesExecutorParts;
  readonly #machine: Machine;
  readonly #turn: Turn;
  readonly #kept: Kept;
  readonly #now: number;
  readonly #orders: Orders;
  readonly #trace: KeptTrace | undefined;
  readonly #mapRuns: MapRunRecord[];
  readonly #attributes: Record<string, string | null> = {};
  readonly #sagaBefore: SagaStatus | undefined;

  constructor(parts: StatesExecutorParts, machine: Machine, turn: Turn, kept: Kept) {
    this.#parts = parts;
    this.#machine = machine;
    this.#turn = turn;
    this.#kept = kept;
    this.#now = turn.newEvents[0]?.at ?? 0;
    this.#mapRuns = [...(kept.mapRuns ?? [])];
    this.#sagaBefore = kept.snapshot && sagaStatus(kept.snapshot);
    const started = turn.newEvents.find(({ kind }) => kind === 'executionStarted');
    this.#trace = started?.kind === 'executionStarted' ? started.trace : kept.trace;
    this.#orders = new Orders(this.#now, kept.children, this.#trace);
  }

  /** `kept` is undefined when the execution has ended and left nothing to ask for. */
  async run(): Promise<{ readonly result: TurnResult; readonly kept: Kept | undefined }> {
    const { instanceId, executionId } = this.#turn.instance;
    const ports = { now: this.#now, random: this.#parts.random, uuid: this.#parts.uuid, taskToken: (id: string) => taskToken({ instanceId, executionId, taskId: Number(id) }) };
    const history: StatesEvent[] = [];
    let { snapshot } = this.#kept;
    let events = this.#arrived();
    const isRedriven = snapshot !== undefined && snapshot.status !== 'RUNNING';
    for (let round = 0; ; round++) {
      if (round > ROUNDS_MAX) throw new Error('an execution asks and is answered without end');
      const turned = await runTurn({ machine: this.#machine, snapshot, events, ports });
      snapshot = turned.snapshot;
      history.push(...turned.history);
      const answers: TurnEvent[] = [];
      for (const command of turned.commands) answers.push(...(await this.#obey(command, snapshot)));
      events = answers;
      if (events.length === 0 || snapshot.status !== 'RUNNING') break;
    }
    const closed = snapshot.status !== 'RUNNING';
    if (closed) this.#close(snapshot);
    const saga = sagaStatus(snapshot);
    return {
      result: {
        actions: this.#orders.actions, audit: history, ...(snapshot.status === 'TIMED_OUT' ? { customStatus: 'TIMED_OUT' } : isRedriven ? { customStatus: null } : {}),
        attributes: { ...this.#attributes, ...(saga === this.#sagaBefore ? {} : { [SAGA_ATTRIBUTE]: saga ?? null }), ...(isRedriven ? { [REDRIVES_ATTRIBUTE]: String(snapshot.redrives?.count ?? 0) } : {}) },
      },
      kept: this.#keep(snapshot, saga !== undefined),
    };
  }

  /** Of an execution that ended well only what is told of its map runs and its undoing. */
  #keep(snapshot: Snapshot, hasSaga: boolean): Kept | undefined {
    const mapRuns = this.#mapRuns.length === 0 ? {} : { mapRuns: this.#mapRuns };
    const more = { ...mapRuns, ...(this.#trace === undefined ? {} : { trace: this.#trace }) };
    if (snapshot.status === 'RUNNING') return { snapshot, children: this.#orders.children, ...more };
    if (snapshot.status !== 'SUCCEEDED' || hasSaga || snapshot.redrives) return { snapshot, children: {}, ...more };
    return this.#mapRuns.length === 0 ? undefined : { children: {}, ...mapRuns };
  }

  #arrived(): TurnEvent[] {
    const events: TurnEvent[] = [];
    for (const arrived of this.#turn.newEvents) {
      const event = turnEvent(arrived, (id) => this.#orders.isWorkflow(id));
      if (!event) continue;
      if (event.type === 'childEnded' || event.type === 'taskSucceeded' || event.type === 'taskFailed' || event.type === 'taskTimedOut') this.#orders.forgetChild(event.id, event.type === 'taskTimedOut');
      events.push(event);
    }
    return events;
  }

  #close({ status, output, error, cause }: Snapshot): void {
    const said = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
    if (status === 'SUCCEEDED') this.#orders.complete({ kind: 'complete', id: -1, status: 'completed', result: output ?? 'null' });
    else if (status !== 'RUNNING') this.#orders.complete({ kind: 'complete', id: -1, status: status === 'ABORTED' ? 'terminated' : 'failed', failure: exactFailure({ status, ...said }) });
  }

  /** What can be answered at once. */
  async #obey(command: Command, { execution }: Snapshot): Promise<readonly TurnEvent[]> {
    switch (command.type) {
      case 'scheduleTask':
        if (parseResource(command.resource)?.pattern === 'sync') return [this.#startWorkflow(command)];
        this.#orders.scheduleTask(command);
        return [];
      case 'startTimer':
        this.#orders.startTimer(Number(command.id), command.dueMs);
        return [];
      case 'cancel':
        this.#orders.cancel(command);
        return [];
      case 'startExecution':
        return [await this.#startExecution(command, execution)];
      case 'startMapChild':
        this.#orders.startChild({
          id: command.id,
          instanceId: instanceOf(command.execution.id),
          machine: command.execution.stateMachineName,
          version: this.#turn.instance.version ?? '',
          input: JSON.stringify(command.input),
          extra: { execution: command.execution, root: command.root },
          wait: true,
          mapRunArn: command.mapRunArn,
        });
        return [];
      case 'readItems': {
        const { id, mapRunArn, resource, arguments: given, config } = command;
        this.#orders.scheduleTask({ id, resource, arguments: given, idempotencyKey: `${mapRunArn}/read` }, { reads: config });
        return [];
      }
      case 'writeResults': {
        const { id, mapRunArn, resource } = command;
        const { arguments: filled, details } = writerArguments(command);
        this.#orders.scheduleTask({ id, resource, arguments: filled as Json, idempotencyKey: `${mapRunArn}/write` }, { writes: { mapRunArn, details } });
        return [];
      }
      case 'openMapRun':
        this.#openMapRun(command);
        return [];
      case 'closeMapRun':
        this.#closeMapRun(command);
        return [];
    }
  }

  #openMapRun({ type: _, mapRunArn: arn, ...settings }: Extract<Command, { readonly type: 'openMapRun' }>): void {
    this.#mapRuns.push({ arn, status: 'RUNNING', startedMs: this.#now, ...settings });
    this.#attributes[mapRunAttribute(arn)] = 'parent';
    const oldest = this.#mapRuns.length > MAP_RUNS_MAX ? this.#mapRuns.shift() : undefined;
    if (oldest) this.#attributes[mapRunAttribute(oldest.arn)] = null;
  }
  /** One that could not read its items was never opened, and is not told of. */
  #closeMapRun({ mapRunArn, status, counts }: Extract<Command, { readonly type: 'closeMapRun' }>): void {
    const at = this.#mapRuns.findIndex(({ arn }) => arn === mapRunArn);
    const run = this.#mapRuns[at];
    if (run) this.#mapRuns[at] = { ...run, status, stoppedMs: this.#now, counts };
  }

  /** Its end will be the answer of the task. */
  #startWorkflow({ id, resource, arguments: given, idempotencyKey, timeoutSeconds }: ScheduleTask): TurnEvent {
    const task = mechaTask(resource);
    if (!task) throw new Error(`${resource} names no workflow`);
    try {
      const workflow = awaitedWorkflow(task, { resource, arguments: given, idempotencyKey });
      this.#parts.checkNewInstanceId(workflow.instanceId);
      this.#orders.startWorkflow(id, workflow, timeoutSeconds);
      return { type: 'taskSubmitted', id, output: JSON.stringify({ InstanceId: workflow.instanceId }) };
    } catch (error) {
      return { type: 'taskFailed', id, stage: 'start', ...failureOf(error) };
    }
  }

  async #startExecution(command: Extract<Command, { readonly type: 'startExecution' }>, starter: ExecutionInfo): Promise<TurnEvent> {
    const { id, stateMachineArn: arn, wait, timeoutSeconds } = command;
    const machine = await this.#parts.findMachine(arn);
    if (!machine) return { type: 'taskFailed', id, error: 'StepFunctions.StateMachineDoesNotExistException', cause: `State Machine Does Not Exist: '${arn}'` };
    const name = command.name ?? this.#parts.uuid();
    const instanceId = executionTail(machine.name, name);
    const executionArn = arnOf(instanceId);
    if (await this.#parts.instanceExists(instanceId)) return { type: 'taskFailed', id, error: 'StepFunctions.ExecutionAlreadyExistsException', cause: `Execution Already Exists: '${executionArn}'` };
    const execution: ExecutionInfo = { id: executionArn, name, roleArn: machine.roleArn || starter.roleArn, stateMachineId: machineArn(machine.name), stateMachineName: machine.name };
    this.#orders.startChild({
      id, instanceId, machine: machine.name, version: machine.version, input: JSON.stringify(command.input), extra: { execution }, wait, attributes: machine.attributes,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    });
    return { type: 'childStarted', id, executionArn, name };
  }
}
