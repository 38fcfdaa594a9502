/**
 * The states block: the operations of the Step Functions API over the state machines of this app.
 *
 * Owns: what an operation is called, and who does it. Does not own: machines (`machines.ts`, `versions.ts`, `tags.ts`), executions (`executions.ts`, `redrive.ts`, `map-runs.ts`), tasks and activities
 * (`tasks.ts`), single states (`test-state.ts`), undoings that a person decides (`compensations.ts`), nor the interpreter, the engine and what joins them (`workflow-asl/`).
 */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { Engine } from '../../engine/engine.ts';
import type { Call } from '../../pipeline.ts';
import type { ActivityQueue } from '../../workflow-asl/activity-queue.ts';
import type { MachineStore } from '../../workflow-asl/machine-store.ts';
import type { TaskBlocks } from '../../workflow-asl/task-executor.ts';
import { createCompensations, type Compensations } from './compensations.ts';
import { executionOperations } from './executions.ts';
import { machineOperations } from './machines.ts';
import type { Fields } from './request-fields.ts';
import { mapRunOperations } from './map-runs.ts';
import { redriveOperations } from './redrive.ts';
import { errors } from './states-errors.ts';
import { tagOperations } from './tags.ts';
import { taskOperations } from './tasks.ts';
import { testStateOperations } from './test-state.ts';
import { versionOperations } from './versions.ts';

export interface StatesBlockParts {
  readonly engine: Engine;
  readonly store: MachineStore;
  readonly queue: ActivityQueue;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly blocks: TaskBlocks;
  readonly onMachineDeleted: () => void;
}

export type Operation = (fields: Fields, call: Call) => Promise<Fields>;
export type Operations = Readonly<Record<string, Operation>>;

export interface StatesBlock {
  readonly operations: readonly string[];
  /** Rejects with `MechaError`. */
  perform(operation: string, fields: Fields, call: Call): Promise<Fields>;
  readonly compensations: Compensations;
}

export function createStatesBlock(parts: StatesBlockParts): StatesBlock {
  const operations = new Map(Object.entries({ ...machineOperations(parts), ...executionOperations(parts), ...taskOperations(parts), ...testStateOperations(parts), ...redriveOperations(parts), ...versionOperations(parts), ...tagOperations(parts), ...mapRunOperations(parts) }));
  return {
    operations: [...operations.keys()],
    compensations: createCompensations(parts),
    async perform(name, fields, call) {
      const operation = operations.get(name);
      if (!operation) throw errors.unknownOperation(name);
      return operation(fields, call);
    },
  };
}
