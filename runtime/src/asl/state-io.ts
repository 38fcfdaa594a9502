/** How data goes into a state and out of it, in both query languages. */
import type { State } from './definition.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { writeAt } from './reference-path.ts';
import { evaluateQueries, evaluateTemplate, evaluateTyped, findPath, selectPath, type QueryExtras, type Scope, type Stage } from './scope.ts';
import { queryError, runtimeError } from './state-error.ts';
import { isInteger, numberText } from './numbers.ts';

/** What a state hands on. */
export interface Exit {
  readonly output: Json;
  readonly assigned?: JsonObject;
}

export const isJsonata = (state: State): boolean => state.language === 'JSONata';

/** The input after InputPath. */
export function effectiveInput(scope: Scope, state: State): Json {
  return isJsonata(state) ? scope.input : traced(scope, 'afterInputPath', selectPath(scope, state.fields['InputPath'], scope.input));
}

/** What the work is given: Arguments, or the effective input through Parameters. */
export async function workInput(scope: Scope, state: State): Promise<Json> {
  if (isJsonata(state)) {
    const { Arguments: template } = state.fields;
    return traced(scope, 'afterArguments', template === undefined ? scope.input : await evaluateQueries(scope, template, 'Arguments'));
  }
  const input = effectiveInput(scope, state);
  const { Parameters: template } = state.fields;
  return traced(scope, 'afterParameters', template === undefined ? input : evaluateTemplate(scope, template, input));
}

/** The value, which whoever inspects the state is told of. */
export function traced(scope: Scope, stage: Stage, value: Json): Json {
  scope.trace?.(stage, value);
  return value;
}

/** Assign; undefined when the fields have none. `data` is what `$` stands for in JSONPath. */
export async function evaluateAssign(scope: Scope, state: State, fields: JsonObject, data: Json, extras: QueryExtras = {}): Promise<JsonObject | undefined> {
  const { Assign: template } = fields;
  if (template === undefined) return undefined;
  const assigned = isJsonata(state) ? await evaluateQueries(scope, template, 'Assign', extras) : evaluateTemplate(scope, template, data);
  return isObject(assigned) ? assigned : undefined;
}

/** From the result of a Task, Parallel, Map or Pass to the state's output. */
export async function exitWithResult(scope: Scope, state: State, result: Json): Promise<Exit> {
  const { fields } = state;
  traced(scope, 'result', result);
  const assigned = await evaluateAssign(scope, state, fields, result, { result });
  const withAssigned = assigned ? { assigned } : {};
  if (isJsonata(state)) {
    const { Output: template } = fields;
    return { output: template === undefined ? result : await evaluateQueries(scope, template, 'Output', { result }), ...withAssigned };
  }
  const { ResultSelector: selector } = fields;
  const selected = traced(scope, 'afterResultSelector', selector === undefined ? result : evaluateTemplate(scope, selector, result));
  const placed = traced(scope, 'afterResultPath', placeResult(scope, fields['ResultPath'], selected));
  return { output: selectPath(scope, fields['OutputPath'], placed), ...withAssigned };
}

/** From the effective input of a state that makes no result to its output. `fields` may be a rule's. */
export async function exitWithInput(scope: Scope, state: State, fields: JsonObject = state.fields): Promise<Exit> {
  const input = effectiveInput(scope, state);
  const assigned = await evaluateAssign(scope, state, fields, input);
  const withAssigned = assigned ? { assigned } : {};
  if (!isJsonata(state)) return { output: selectPath(scope, state.fields['OutputPath'], input), ...withAssigned };
  const { Output: template } = fields;
  return { output: template === undefined ? input : await evaluateQueries(scope, template, 'Output'), ...withAssigned };
}

/** ResultPath: into the state's input as it came in. */
export function placeResult(scope: Scope, path: Json | undefined, result: Json): Json {
  if (path === undefined) return result;
  return path === null ? scope.input : writeAt(scope.input, scope.expressions.path(String(path)), result);
}

export interface NumberField {
  /** MaxConcurrency ...; its JSONPath twin is the name with `Path`. */
  readonly name: string;
  readonly integer: boolean;
}

/** A number that is a literal, a path or an expression; undefined when the state has neither. */
export async function numberField(scope: Scope, state: State, { name, integer }: NumberField, fields: JsonObject = state.fields, prefix = ''): Promise<number | undefined> {
  const { [name]: literal, [`${name}Path`]: path } = fields;
  if (typeof literal === 'number') return literal;
  if (typeof literal === 'string') {
    const value = await evaluateTyped(scope, literal, `${prefix}${name}`, 'number');
    if (integer && !isInteger(value)) throw queryError(`The field '${prefix}${name}' must be an integer but was: ${JSON.stringify(value)}`, `${prefix}${name}`);
    return Number(value);
  }
  if (typeof path !== 'string') return undefined;
  const found = findPath(scope, path, effectiveInput(scope, state));
  if (found.missing) throw runtimeError(`Invalid path '${path}' : ${found.reason}`);
  if (typeof found.value !== 'number' || (integer && !isInteger(found.value))) {
    throw runtimeError(`The ${name}Path field refers to value "${numberText(found.value)}" which is not a valid ${integer ? 'integer' : 'float'}: ${path}`);
  }
  return found.value;
}
