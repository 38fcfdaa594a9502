/** Which items a Map has, and what each iteration is given; the same for inline and distributed Maps. */
import type { State } from '../definition.ts';
import { isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { evaluateQueries, evaluateTemplate, evaluateTyped, findPath, type Scope } from '../scope.ts';
import type { Thread } from '../snapshot.ts';
import { queryError, runtimeError } from '../state-error.ts';
import { effectiveInput, isJsonata, numberField, traced } from '../state-io.ts';
import type { Turn } from '../turn.ts';

export interface Items {
  readonly values: readonly Json[];
  readonly keys?: readonly string[];
}

/** ItemsPath, Items, or the input itself. An object's members are items of distributed Maps only. */
export async function mapItems(turn: Turn, scope: Scope, state: State): Promise<Items> {
  const found = itemsOf(traced(scope, 'afterItemsPath', await candidate(scope, state)));
  if (found.values.length > turn.limits.mapItemsMax) throw runtimeError(`The Map has ${found.values.length} items, more than ${turn.limits.mapItemsMax}.`);
  return found;
}

async function candidate(scope: Scope, state: State): Promise<Json> {
  const distributed = state.distributed !== undefined;
  if (isJsonata(state)) {
    const { Items: template } = state.fields;
    if (template === undefined) {
      if (isArray(scope.input) || (distributed && isObject(scope.input))) return scope.input;
      throw queryError(`Map state input must be an array but was: ${JSON.stringify(scope.input)}`);
    }
    if (!distributed || typeof template !== 'string') return distributed ? evaluateQueries(scope, template, 'Items') : evaluateTyped(scope, template, 'Items', 'array');
    const value = await evaluateQueries(scope, template, 'Items');
    return isObject(value) ? value : evaluateTyped(scope, template, 'Items', 'array');
  }
  const { ItemsPath: path = '$' } = state.fields;
  const found = findPath(scope, String(path), effectiveInput(scope, state));
  if (found.missing) throw runtimeError(`Invalid path '${String(path)}' : ${found.reason}`);
  if (!isArray(found.value) && !(distributed && isObject(found.value))) throw runtimeError(`Reference path "${String(path)}" must point to array.`, false);
  return found.value;
}

/** A list's items, or an object's members as {Key, Value}. */
export function itemsOf(value: Json): Items {
  if (isArray(value)) return { values: value };
  if (isObject(value)) return { values: Object.values(value), keys: Object.keys(value) };
  throw runtimeError('Attempting to map over non-iterable node.', false);
}

/** `Map` of the context object. */
export function itemContext(items: Items, index: number, source?: string): JsonObject {
  const key = items.keys?.[index];
  return { Item: { Index: index, Value: items.values[index] ?? null, ...(key === undefined ? {} : { Key: key }), ...(source === undefined ? {} : { Source: source }) } };
}

/** ItemSelector (or Parameters, its old name), or the item as it is. */
export async function iterationInput(turn: Turn, thread: Thread, state: State, items: Items, map: JsonObject, index: number): Promise<Json> {
  const { ItemSelector: selector = state.fields['Parameters'] } = state.fields;
  const value = items.values[index] ?? null;
  const key = items.keys?.[index];
  if (selector === undefined) return key === undefined ? value : { Key: key, Value: value };
  const scope = turn.scope(thread, { Map: map });
  return traced(scope, 'afterItemSelector', isJsonata(state) ? await evaluateQueries(scope, selector, 'ItemSelector') : evaluateTemplate(scope, selector, effectiveInput(scope, state)));
}

/** 0: as many as the service allows. */
export async function maxConcurrency(scope: Scope, state: State, most: number): Promise<number> {
  const asked = (await numberField(scope, state, { name: 'MaxConcurrency', integer: true })) ?? 0;
  if (asked < 0) throw runtimeError(`The MaxConcurrency of the state must not be negative but was: ${asked}`);
  return asked === 0 ? most : Math.min(asked, most);
}

/** ToleratedFailureCount and ToleratedFailurePercentage. */
export async function tolerance(scope: Scope, state: State): Promise<{ readonly count?: number; readonly percentage?: number }> {
  const count = await numberField(scope, state, { name: 'ToleratedFailureCount', integer: true });
  if (count !== undefined && count < 0) throw runtimeError('ToleratedFailureCount cannot be negative.');
  const percentage = await numberField(scope, state, { name: 'ToleratedFailurePercentage', integer: false });
  if (percentage !== undefined && !(percentage >= 0 && percentage <= 100)) throw runtimeError('ToleratedFailurePercentage must be between 0 and 100.');
  return { ...(count === undefined ? {} : { count }), ...(percentage === undefined ? {} : { percentage }) };
}
