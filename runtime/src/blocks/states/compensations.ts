/**
 * Undoings as a person sees them: which executions have one that is stuck, and the word that retries or skips it.
 *
 * 1. A word is an event in the inbox of its execution: on the disk before it is answered, and heard by whichever process goes on.
 * 2. A word is about a step and the number of tries made of it. Said twice, or too late, it changes nothing.
 */
import type { WorkflowRow } from '@mecha/components/kit';
import type { Json } from '../../asl/json.ts';
import { sagaStatus, stuckSteps } from '../../asl/saga.ts';
import type { LeftDone, SagaStatus, SagaStep } from '../../asl/saga-record.ts';
import type { Snapshot } from '../../asl/snapshot.ts';
import { arnOf, executionNames, parseArn, SAGA_ATTRIBUTE, STATES_WORKFLOW, TOLD_EVENT } from '../../workflow-asl/arns.ts';
import { snapshotOf } from './kept-snapshot.ts';
import { errors } from './states-errors.ts';
import type { StatesBlockParts } from './states.ts';

export interface CompensationStep {
  readonly step: number;
  readonly state: string;
  readonly status: SagaStep['status'];
  /** It holds up the undoing until somebody decides. */
  readonly stuck: boolean;
  /** Tries made. */
  readonly attempts: number;
  readonly resource: string;
  readonly arguments: Json;
  readonly idempotencyKey: string;
  readonly error?: string;
  readonly cause?: string;
}
export interface SagaState {
  /** Absent: nothing was undone so far. */
  readonly status?: SagaStatus;
  /** Those that are still to be undone if it comes to that, in the order in which they completed. */
  readonly steps: readonly CompensationStep[];
  readonly undone: number;
  readonly leftDone: readonly LeftDone[];
}
export interface CompensationsOf extends SagaState {
  /** The instance id, as the commands take it. */
  readonly execution: string;
  readonly executionArn: string;
  readonly stateMachine: string;
}

export interface CompensationsQuery {
  /** Default: those that are stuck. */
  readonly status?: SagaStatus;
  readonly limit: number;
  readonly cursor?: string;
}
/** What a person says of a step. */
export interface Word {
  /** Its instance id or its ARN. */
  readonly execution: string;
  readonly step: number;
  /** How many tries the person knows of; absent: as many as there are now. */
  readonly attempts?: number;
}

export interface Compensations {
  list(query: CompensationsQuery): Promise<{ readonly executions: readonly CompensationsOf[]; readonly cursor?: string }>;
  get(execution: string): Promise<CompensationsOf>;
  /** False: the step is not stuck, or not any more. */
  retry(word: Word & { readonly arguments?: Json }): Promise<boolean>;
  skip(word: Word & { readonly reason?: string }): Promise<boolean>;
}

export function createCompensations(parts: StatesBlockParts): Compensations {
  const { engine } = parts;

  async function found(execution: string): Promise<WorkflowRow> {
    const row = await engine.queries.get(parseArn(execution)?.tail ?? execution, { payloads: false });
    if (row?.name !== STATES_WORKFLOW) throw errors.sagaNotFound(execution);
    return row;
  }
  const described = (row: WorkflowRow, saga: SagaState | undefined): CompensationsOf => ({
    execution: row.instanceId, executionArn: arnOf(row.instanceId), stateMachine: executionNames(row.instanceId).machine, ...(saga ?? { steps: [], undone: 0, leftDone: [] }),
  });

  /** The step as it is, when a word about it counts. */
  async function decidable({ execution, step, attempts }: Word): Promise<{ readonly row: WorkflowRow; readonly at: SagaStep } | undefined> {
    const row = await found(execution);
    const snapshot = await snapshotOf(parts, row);
    if (step > (snapshot?.saga?.lastStep ?? 0)) throw errors.stepNotFound(execution, String(step));
    const at = snapshot?.saga?.steps.find((each) => each.step === step);
    return at?.status === 'PARKED' && snapshot?.status === 'RUNNING' && (attempts === undefined || attempts === at.attempts) ? { row, at } : undefined;
  }
  const say = (row: WorkflowRow, word: object): Promise<boolean> => engine.operations.raiseEvent(row.instanceId, TOLD_EVENT, JSON.stringify(word));

  return {
    async list({ status = 'FAILED_TO_COMPENSATE', limit, cursor }) {
      const page = await engine.queries.list({ attribute: { name: SAGA_ATTRIBUTE, value: status }, limit, ...(cursor === undefined ? {} : { cursor }) });
      const executions: CompensationsOf[] = [];
      for (const row of page.instances) executions.push(described(row, await sagaOf(parts, row, await snapshotOf(parts, row))));
      return { executions, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) };
    },

    async get(execution) {
      const row = await found(execution);
      return described(row, await sagaOf(parts, row, await snapshotOf(parts, row)));
    },

    async retry(word) {
      const decided = await decidable(word);
      if (!decided) return false;
      const { row, at } = decided;
      // Parked without a try: there was nothing to try it with.
      if (at.attempts === 0 && word.arguments === undefined) throw errors.argumentsMissing(word.execution, at.step);
      return say(row, { type: 'compensationRetried', step: at.step, attempts: at.attempts, ...(word.arguments === undefined ? {} : { arguments: word.arguments }) });
    },

    async skip(word) {
      const decided = await decidable(word);
      if (!decided) return false;
      const { row, at } = decided;
      return say(row, { type: 'compensationSkipped', step: at.step, attempts: at.attempts, ...(word.reason === undefined ? {} : { reason: word.reason }) });
    },
  };
}

/** undefined: the execution has nothing to undo, and undid nothing. */
export async function sagaOf({ store }: Pick<StatesBlockParts, 'store'>, row: WorkflowRow, snapshot: Snapshot | undefined): Promise<SagaState | undefined> {
  if (!snapshot?.saga) return undefined;
  const { saga, execution } = snapshot;
  const status = sagaStatus(snapshot);
  const machine = await store.machine(row.version ?? '');
  const stuck = stuckSteps(saga);
  return {
    ...(status === undefined ? {} : { status }),
    steps: saga.steps.map((step) => ({
      step: step.step, state: step.stateName, status: step.status, stuck: stuck.includes(step), attempts: step.attempts,
      resource: String(machine?.roots.get(step.root)?.states.get(step.stateName)?.compensate?.['Resource'] ?? ''),
      arguments: step.arguments, idempotencyKey: `${execution.id}/saga/${step.step}`,
      ...(step.error === undefined ? {} : { error: step.error }), ...(step.cause === undefined ? {} : { cause: step.cause }),
    })),
    undone: saga.undone ?? 0,
    leftDone: saga.leftDone ?? [],
  };
}
