/** What an execution keeps between its turns and after its end, read from the ledger. */
import type { WorkflowRow } from '@mecha/components/kit';
import type { Snapshot } from '../../asl/snapshot.ts';
import type { Kept } from '../../workflow-asl/states-executor.ts';
import type { StatesBlockParts } from './states.ts';

export async function keptOf({ ledger }: Pick<StatesBlockParts, 'ledger'>, { row }: WorkflowRow): Promise<Kept | undefined> {
  const text = await ledger.workflows.snapshot(row);
  return text === undefined ? undefined : (JSON.parse(text) as Kept);
}
export const snapshotOf = async (parts: Pick<StatesBlockParts, 'ledger'>, row: WorkflowRow): Promise<Snapshot | undefined> => (await keptOf(parts, row))?.snapshot;
