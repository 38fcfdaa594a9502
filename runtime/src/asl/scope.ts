/** What the expressions of a state see, and the two languages in which they are written. */
import type { Expressions } from './expressions.ts';
import { evaluateIntrinsic } from './intrinsic-functions.ts';
import { isArray, isObject, setMember, typeName, type Json, type JsonObject } from './json.ts';
import { evaluateQuery, expressionIn } from './jsonata-query.ts';
import type { Found } from './jsonpath-ast.ts';
import { evaluatePath } from './jsonpath.ts';
import type { Ports } from './ports.ts';
import { queryError, runtimeError } from './state-error.ts';

export interface Scope {
  readonly expressions: Expressions;
  readonly ports: Ports;
  /** The state's input as it came in. */
  readonly input: Json;
  readonly context: () => JsonObject;
  /** The variable as it was when the state was entered, from this scope or one around it. */
  readonly variable: (name: string) => Json | undefined;
  readonly variables: () => JsonObject;
  /** Told of each value on its way through the state, when somebody inspects it. */
  readonly trace?: Trace;
}

export type Trace = (stage: Stage, value: Json) => void;
export type Stage = 'afterInputPath' | 'afterParameters' | 'afterArguments' | 'result' | 'afterResultSelector' | 'afterResultPath' | 'afterItemsPath' | 'afterItemSelector' | 'retried' | 'caught';

/** Members of `$states` besides `input` and `context`. */
export interface QueryExtras {
  readonly result?: Json;
  readonly errorOutput?: Json;
}

export function findPath(scope: Scope, text: string, data: Json): Found {
  return evaluatePath(scope.expressions.path(text), { data, context: scope.context, variable: scope.variable });
}

/** The value of InputPath, OutputPath and the like; `null` selects an empty object. */
export function selectPath(scope: Scope, path: Json | undefined, data: Json): Json {
  if (path === undefined) return data;
  if (path === null) return {};
  const text = String(path);
  const found = findPath(scope, text, data);
  if (found.missing) throw runtimeError(`Invalid path '${text}' : ${found.reason}`);
  return found.value;
}

/** A path or a call, as a value of a template's `.$` member; `field` is the name in the message. */
export function evaluateTemplateValue(scope: Scope, text: string, field: string, data: Json): Json {
  const value = (path: string): Json => {
    const found = findPath(scope, path, data);
    if (found.missing) throw runtimeError(`The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${JSON.stringify(data)}'`);
    return found.value;
  };
  if (text.trimStart().startsWith('$')) return value(text);
  const { ports, expressions } = scope;
  return evaluateIntrinsic(expressions.call(text), {
    random: ports.random,
    uuid: ports.uuid,
    jsonDepthMax: expressions.limits.jsonDepthMax,
    path: ({ path }) => value(path.text),
  });
}

/** Parameters, ItemSelector, ResultSelector, Assign ...: members whose name ends in `.$` are evaluated against `data`. */
export function evaluateTemplate(scope: Scope, template: Json, data: Json): Json {
  if (isArray(template)) return template.map((item) => evaluateTemplate(scope, item, data));
  if (!isObject(template)) return template;
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(template)) {
    if (name.endsWith('.$') && typeof value === 'string') setMember(result, name.slice(0, -2), evaluateTemplateValue(scope, value, name, data));
    else setMember(result, name, evaluateTemplate(scope, value, data));
  }
  return result;
}

/** Any JSON with `{% %}` texts in it; `field` is where it stands, such as `Output` or `Assign/total`. */
export async function evaluateQueries(scope: Scope, template: Json, field: string, extras: QueryExtras = {}): Promise<Json> {
  if (typeof template === 'string') {
    const expression = expressionIn(template);
    return expression === undefined ? template : evaluateExpression(scope, expression, field, extras);
  }
  if (isArray(template)) {
    const items: Json[] = [];
    for (const [at, item] of template.entries()) items.push(await evaluateQueries(scope, item, `${field}[${at}]`, extras));
    return items;
  }
  if (!isObject(template)) return template;
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(template)) setMember(result, name, await evaluateQueries(scope, value, `${field}/${name}`, extras));
  return result;
}

async function evaluateExpression(scope: Scope, expression: string, field: string, extras: QueryExtras): Promise<Json> {
  const { expressions, ports } = scope;
  const states = { input: scope.input, context: scope.context(), ...extras };
  const evaluated = await evaluateQuery(expressions.query(expression), { ...scope.variables(), states }, ports, expressions.limits);
  const about = `The JSONata expression '${expression}' specified for the field '${field}'`;
  switch (evaluated.kind) {
    case 'value':
      return evaluated.value;
    case 'nothing':
      throw queryError(`${about} returned nothing (undefined).`, field);
    case 'unsupported':
      throw queryError(`${about} returned an unsupported result type.`, field);
    case 'failed':
      throw queryError(`${about} threw an error during evaluation. ${evaluated.text}`, field);
  }
}

/** A field whose value must have a type; literals have been checked when the definition was loaded. */
export async function evaluateTyped(scope: Scope, template: Json, field: string, type: ReturnType<typeof typeName>, extras: QueryExtras = {}): Promise<Json> {
  const value = await evaluateQueries(scope, template, field, extras);
  if (typeName(value) === type) return value;
  const expression = (typeof template === 'string' ? expressionIn(template) : undefined) ?? JSON.stringify(template);
  const found = `Expected '${type}', but was '${typeName(value)}' for value: ${JSON.stringify(value)}`;
  throw queryError(`The JSONata expression '${expression}' specified for the field '${field}' returned an unexpected result type. ${found}`, field);
}
