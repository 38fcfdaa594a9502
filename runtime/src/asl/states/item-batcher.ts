/** ItemBatcher: several items for one child, `{BatchInput, Items}`, bounded by count and by bytes. */
import type { State } from '../definition.ts';
import { bytesOf, isObject, type Json, type JsonObject } from '../json.ts';
import { evaluateQueries, evaluateTemplate, type Scope } from '../scope.ts';
import type { Thread } from '../snapshot.ts';
import { runtimeError } from '../state-error.ts';
import { effectiveInput, isJsonata, numberField } from '../state-io.ts';
import type { Turn } from '../turn.ts';

/** The children's inputs: the items themselves when the state has no batcher. */
export async function batched(turn: Turn, thread: Thread, state: State, items: readonly Json[]): Promise<readonly Json[]> {
  const { ItemBatcher: batcher } = state.fields;
  if (!isObject(batcher)) return items;
  const scope = turn.scope(thread);
  const count = await positive(scope, state, batcher, 'MaxItemsPerBatch');
  const bytes = await positive(scope, state, batcher, 'MaxInputBytesPerBatch');
  const { BatchInput: template } = batcher;
  const shared: JsonObject =
    template === undefined ? {} : { BatchInput: isJsonata(state) ? await evaluateQueries(scope, template, 'ItemBatcher/BatchInput') : evaluateTemplate(scope, template, effectiveInput(scope, state)) };
  const overhead = bytesOf(turn.text({ ...shared, Items: [] }));
  const most = Math.min(bytes ?? Infinity, turn.limits.payloadBytesMax);
  const batches: Json[][] = [];
  let size = 0;
  for (const item of items) {
    const itemBytes = bytesOf(turn.text(item)) + 1;
    const last = batches.at(-1);
    if (last && last.length < (count ?? Infinity) && size + itemBytes <= most) {
      last.push(item);
      size += itemBytes;
    } else {
      batches.push([item]);
      size = overhead + itemBytes;
    }
  }
  return batches.map((batch) => ({ ...shared, Items: batch }));
}

async function positive(scope: Scope, state: State, batcher: JsonObject, name: string): Promise<number | undefined> {
  const value = await numberField(scope, state, { name, integer: true }, batcher, 'ItemBatcher/');
  if (value !== undefined && value < 1) throw runtimeError(`field ${name} must be positive`, false);
  return value;
}
