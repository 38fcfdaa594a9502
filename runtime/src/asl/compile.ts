/** From the JSON of a definition that was found valid to what an execution runs. */
import type { Catcher, Machine, QueryLanguage, Retrier, Root, SagaSettings, State, StateType } from './definition.ts';
import type { Expressions } from './expressions.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { referencesOf } from './variable-references.ts';

export function compile(text: string, definition: JsonObject, expressions: Expressions): Machine {
  const roots = new Map<string, Root>();
  const references: Record<string, readonly string[]> = {};
  const language = (fields: JsonObject, inherited: QueryLanguage): QueryLanguage => (fields['QueryLanguage'] === 'JSONata' ? 'JSONata' : fields['QueryLanguage'] === 'JSONPath' ? 'JSONPath' : inherited);

  const addRoot = (fields: JsonObject, path: string, inherited: QueryLanguage): void => {
    const own = language(fields, inherited);
    const states = new Map<string, State>();
    for (const [name, state] of Object.entries(objectAt(fields, 'States'))) if (isObject(state)) states.set(name, addState(name, state, `${path}/States/${name}`, own));
    const saga = sagaSettings(fields);
    roots.set(path, { path, startAt: String(fields['StartAt']), states, ...(saga ? { saga } : {}) });
  };

  const addState = (name: string, fields: JsonObject, path: string, inherited: QueryLanguage): State => {
    const own = language(fields, inherited);
    const below = rootsBelow(fields, path);
    for (const [at, root] of below) addRoot(root, at, inherited);
    const read = referencesOf(fields, own);
    if (read.length > 0) references[name] = read;
    const distributed = distribution(fields);
    const compensate = memberObject(memberObject(fields, 'Mecha'), 'Compensate');
    return {
      name,
      path,
      type: fields['Type'] as StateType,
      language: own,
      fields,
      ...(typeof fields['Next'] === 'string' ? { next: fields['Next'] } : {}),
      retry: objectsAt(fields, 'Retry').map(retrier),
      catch: objectsAt(fields, 'Catch').map(catcher),
      roots: below.map(([at]) => at),
      ...(distributed ? { distributed } : {}),
      ...(compensate ? { compensate } : {}),
    };
  };

  addRoot(definition, '', 'JSONPath');
  return { text, definition, roots, expressions, ...(typeof definition['TimeoutSeconds'] === 'number' ? { timeoutSeconds: definition['TimeoutSeconds'] } : {}), variableReferences: references };
}

/** Nested roots with their paths. */
export function rootsBelow(fields: JsonObject, path: string): [path: string, root: JsonObject][] {
  const branches = objectsAt(fields, 'Branches').map((root, index): [string, JsonObject] => [`${path}/Branches/${index}`, root]);
  const processors = ['ItemProcessor', 'Iterator'].flatMap((name): [string, JsonObject][] => {
    const root = memberObject(fields, name);
    return root ? [[`${path}/${name}`, root]] : [];
  });
  return fields['Type'] === 'Parallel' ? branches : fields['Type'] === 'Map' ? processors.slice(0, 1) : [];
}

function distribution(fields: JsonObject): State['distributed'] {
  const config = memberObject(memberObject(fields, 'ItemProcessor') ?? memberObject(fields, 'Iterator'), 'ProcessorConfig');
  if (fields['Type'] !== 'Map' || config?.['Mode'] !== 'DISTRIBUTED') return undefined;
  return { executionType: config['ExecutionType'] === 'EXPRESS' ? 'EXPRESS' : 'STANDARD', ...(typeof fields['Label'] === 'string' ? { label: fields['Label'] } : {}) };
}

export function retrier(fields: JsonObject): Retrier {
  const { MaxDelaySeconds: most } = fields;
  return {
    errors: texts(fields['ErrorEquals']),
    intervalSeconds: numberOr(fields['IntervalSeconds'], 1),
    maxAttempts: numberOr(fields['MaxAttempts'], 3),
    backoffRate: numberOr(fields['BackoffRate'], 2),
    ...(typeof most === 'number' ? { maxDelaySeconds: most } : {}),
    fullJitter: fields['JitterStrategy'] === 'FULL',
  };
}

function catcher(fields: JsonObject): Catcher {
  return { errors: texts(fields['ErrorEquals']), next: String(fields['Next']), fields, compensate: memberObject(fields, 'Mecha')?.['Compensate'] === true };
}

const EVERY_TRIGGER = ['Failure', 'Timeout', 'Abort'] as const;

/** What a root says about the scope it opens; without a word the defaults hold. */
function sagaSettings(fields: JsonObject): SagaSettings | undefined {
  const settings = memberObject(memberObject(fields, 'Mecha'), 'Saga');
  if (!settings) return undefined;
  const { On: on, OnCompensationFailure: after } = settings;
  return {
    on: new Set(EVERY_TRIGGER.filter((trigger) => on === undefined || (isArray(on) && on.includes(trigger)))),
    onCompensationFailure: after === 'Continue' || after === 'Fail' ? after : 'Park',
    maxConcurrency: numberOr(settings['MaxConcurrency'], 1),
    ...(typeof settings['TimeoutSeconds'] === 'number' ? { timeoutSeconds: settings['TimeoutSeconds'] } : {}),
    ownScope: settings['Propagation'] === 'REQUIRES_NEW',
  };
}

function memberObject(fields: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
  return isObject(value) ? value : undefined;
}

const objectAt = (fields: JsonObject, name: string): JsonObject => memberObject(fields, name) ?? {};
const objectsAt = (fields: JsonObject, name: string): JsonObject[] => (isArray(fields[name]) ? fields[name].filter(isObject) : []);
const texts = (value: Json | undefined): string[] => (isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const numberOr = (value: Json | undefined, fallback: number): number => (typeof value === 'number' ? value : fallback);
