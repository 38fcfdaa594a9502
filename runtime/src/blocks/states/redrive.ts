/** Redrive: an execution that ended badly goes on from where it failed, under its name and with its history. */
import { isTerminalStatus, type WorkflowRow } from '@mecha/components/kit';
import type { Snapshot } from '../../asl/snapshot.ts';
import { STATES_WORKFLOW, TOLD_EVENT } from '../../workflow-asl/arns.ts';
import { snapshotOf } from './kept-snapshot.ts';
import { arnField, optionalText, seconds, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

export function redriveOperations(parts: StatesBlockParts): Operations {
  const { engine, clock } = parts;
  return {
    async RedriveExecution(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const clientToken = optionalText(fields, 'clientToken', { max: 64 });
      const row = await engine.queries.get(tail, { payloads: false });
      if (row?.name !== STATES_WORKFLOW) throw errors.executionDoesNotExist(String(fields['executionArn']));
      const snapshot = await snapshotOf(parts, row);
      const { redrives } = snapshot ?? {};
      // The same request again is answered again, whatever became of it.
      if (redrives && clientToken !== undefined && redrives.clientToken === clientToken) return { redriveDate: seconds(redrives.lastMs) };
      const reason = (await refusal(parts, row, snapshot)) ?? ((await engine.operations.reopen(tail, TOLD_EVENT, JSON.stringify({ type: 'redriven', ...(clientToken === undefined ? {} : { clientToken }) }))) ? undefined : RUNNING);
      if (reason !== undefined) throw errors.notRedrivable(reason);
      return { redriveDate: seconds(clock.now()) };
    },
  };
}

const RUNNING = 'Execution is RUNNING and cannot be redriven';

async function refusal({ store }: StatesBlockParts, row: WorkflowRow, snapshot: Snapshot | undefined): Promise<string | undefined> {
  if (!isTerminalStatus(row.status)) return RUNNING;
  if (row.status === 'completed') return 'Execution is SUCCEEDED and cannot be redriven';
  if (row.parent) return 'Execution was started by another one, which is to be redriven';
  if (!snapshot?.resume) return snapshot?.saga ? 'Execution was compensated: what it did was undone, and it cannot go on' : 'Execution kept nothing to go on with and cannot be redriven';
  if ((await store.text(row.version ?? '')) === undefined) return 'The definition of the execution is gone with its state machine';
  return undefined;
}

/** As DescribeExecution has it. */
export async function redriveMembers(parts: StatesBlockParts, row: WorkflowRow, snapshot: Snapshot | undefined): Promise<Fields> {
  const reason = await refusal(parts, row, snapshot);
  const { count = 0, lastMs } = snapshot?.redrives ?? {};
  return { redriveCount: count, ...(lastMs === undefined ? {} : { redriveDate: seconds(lastMs) }), redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE', ...(reason === undefined ? {} : { redriveStatusReason: reason }) };
}
