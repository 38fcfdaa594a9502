/**
 * Everything that can be known to be wrong before an execution begins. All faults are found, each with its place; those
 * that the real service words are worded as it does.
 */
import { rootsBelow } from '../compile.ts';
import { STATE_TYPES, type QueryLanguage, type StateType } from '../definition.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { referencesOf } from '../variable-references.ts';
import { checkChoices } from './choices.ts';
import { suggestion, type Context, type Inspected } from './context.ts';
import { COUNTERPART, FIELDS } from './fields.ts';
import { checkGraph } from './graph.ts';
import { checkSagaScope, hasCompensate } from './saga-fields.ts';
import { checkFields, checkNumber, checkObject, checkOneOf, checkText } from './values.ts';
import { assignmentsOf } from './variables.ts';

const MACHINE_FIELDS = new Set(['StartAt', 'States', 'Comment', 'Version', 'TimeoutSeconds', 'QueryLanguage', 'Mecha']);
const ROOT_FIELDS = new Set(['StartAt', 'States', 'Comment', 'QueryLanguage', 'ProcessorConfig', 'Mecha']);
const NAME_MAX = 80;
const SECONDS_MAX = 99_999_999;
/** Fields of which, with their twin for paths, only one may be set. */
const TWINS = ['TimeoutSeconds', 'HeartbeatSeconds', 'Error', 'Cause', 'MaxConcurrency', 'ToleratedFailureCount', 'ToleratedFailurePercentage'];
const WAITS = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'];
const REQUIRED: Readonly<Partial<Record<StateType, readonly string[]>>> = { Task: ['Resource'], Parallel: ['Branches'] };

/** What a nested root inherits. */
interface Outer {
  readonly language: QueryLanguage;
  /** Names that roots around it assign, with where. */
  readonly assigned: ReadonlyMap<string, string>;
}

interface Names {
  /** Every state with its root. */
  readonly states: Map<string, string>;
  readonly assigned: Set<string>;
  readonly read: [name: string, location: string][];
}

export function validate(definition: JsonObject, context: Context): void {
  const names: Names = { states: new Map(), assigned: new Set(), read: [] };
  collectNames(context, definition, '', names);
  checkFields(context, definition, '', MACHINE_FIELDS, 'a state machine');
  const { Version: version, TimeoutSeconds: timeout } = definition;
  if (version !== undefined) checkOneOf(context, version, '/Version', 'Version', ['1.0']);
  if (timeout !== undefined) checkNumber(context, timeout, '/TimeoutSeconds', { least: 1, most: SECONDS_MAX, integer: true }, 'JSONPath');
  checkRoot(context, definition, '', { language: 'JSONPath', assigned: new Map() }, names);
  for (const [name, location] of names.read) {
    if (!names.assigned.has(name)) context.diagnostics.warning(location, `The variable '${name}' is read but never assigned`, suggestion(context, name, names.assigned));
  }
}

/** Names must be unique over the whole machine. */
function collectNames(context: Context, fields: JsonObject, path: string, names: Names): void {
  const { States: states } = fields;
  if (!isObject(states)) return;
  for (const [name, state] of Object.entries(states)) {
    const other = names.states.get(name);
    if (other !== undefined) {
      const hint = `names are unique over the whole machine; the other is in ${other === '' ? 'the machine itself' : other}`;
      context.diagnostics.error(`${path}/States/${name}`, `The state name '${name}' is used twice`, hint, 'DUPLICATE_STATE_NAME');
    }
    names.states.set(name, path);
    if (isObject(state)) for (const [below, root] of rootsBelow(state, `${path}/States/${name}`)) collectNames(context, root, below, names);
  }
}

function checkRoot(context: Context, fields: JsonObject, path: string, outer: Outer, names: Names): void {
  const missing = ['States', 'StartAt'].filter((name) => fields[name] === undefined);
  if (missing.length > 0) context.diagnostics.error(path, `These fields are required: [${missing.join(', ')}]`);
  if (path !== '') checkFields(context, fields, path, ROOT_FIELDS, 'a branch or processor');
  const { StartAt: startAt, States: states, Comment: comment, Mecha: mecha } = fields;
  if (startAt !== undefined) checkText(context, startAt, `${path}/StartAt`);
  if (comment !== undefined) checkText(context, comment, `${path}/Comment`);
  if (mecha !== undefined) checkSagaScope(context, mecha, `${path}/Mecha`);
  const language = languageOf(context, fields, path, outer.language);
  if (states === undefined || !checkObject(context, states, `${path}/States`)) return;
  const entries = Object.entries(states);
  if (entries.length === 0) context.diagnostics.error(`${path}/States`, 'Value cannot be empty');
  const inspected = new Map<string, Inspected>();
  for (const [name, state] of entries) {
    const one = inspect(context, name, state, `${path}/States/${name}`, language);
    if (one) inspected.set(name, one);
  }
  const assigned = checkAssignments(context, inspected, outer, names);
  for (const state of inspected.values()) checkState(context, state, { language, assigned }, names);
  if (inspected.size === entries.length) checkGraph(context, path, startAt, inspected, names.states);
}

function languageOf(context: Context, fields: JsonObject, path: string, inherited: QueryLanguage): QueryLanguage {
  const { QueryLanguage: own } = fields;
  if (own === undefined || !checkOneOf(context, own, `${path}/QueryLanguage`, 'QueryLanguage', ['JSONPath', 'JSONata'])) return inherited;
  if (own === 'JSONPath' && inherited === 'JSONata') context.diagnostics.error(path, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine");
  return own === 'JSONata' ? 'JSONata' : 'JSONPath';
}

function inspect(context: Context, name: string, state: Json, path: string, inherited: QueryLanguage): Inspected | undefined {
  if (name === '' || name.length > NAME_MAX) context.diagnostics.error(path, `A state name has 1 to ${NAME_MAX} characters`);
  if (!checkObject(context, state, path)) return undefined;
  const language = languageOf(context, state, path, inherited);
  const { Type: type } = state;
  if (type === undefined) context.diagnostics.error(path, "The field 'Type' is required but was missing");
  else if (!(STATE_TYPES as readonly Json[]).includes(type)) {
    context.diagnostics.error(`${path}/Type`, `The field 'Type' should have one of these values: [${STATE_TYPES.join(', ')}]`, suggestion(context, String(type), STATE_TYPES));
  } else return { name, path, type: type as StateType, language, fields: state };
  return undefined;
}

/** A name that a root around this one assigns cannot be assigned here; returns the names visible below. */
function checkAssignments(context: Context, states: ReadonlyMap<string, Inspected>, outer: Outer, names: Names): ReadonlyMap<string, string> {
  const visible = new Map(outer.assigned);
  for (const { fields, path, language } of states.values()) {
    for (const [name, location] of assignmentsOf(fields, path, language)) {
      const other = outer.assigned.get(name);
      if (other !== undefined) context.diagnostics.error(location, `The variable '${name}' is assigned outside of this branch already`, `at ${other}; a branch or iteration reads it but cannot assign it`);
      names.assigned.add(name);
      visible.set(name, location);
    }
    for (const name of referencesOf(fields, language)) names.read.push([name, path]);
  }
  return visible;
}

function checkState(context: Context, state: Inspected, outer: Outer, names: Names): void {
  const { fields, path, type } = state;
  for (const [name, value] of Object.entries(fields)) checkField(context, state, name, value);
  for (const name of REQUIRED[type] ?? []) if (fields[name] === undefined) context.diagnostics.error(path, `The field '${name}' is required but was missing`);
  for (const name of TWINS) if (fields[name] !== undefined && fields[`${name}Path`] !== undefined) context.diagnostics.error(path, `You cannot set both '${name}' and '${name}Path' at the same time`);
  checkNextAndEnd(context, state);
  if (type === 'Choice') checkChoices(context, state);
  if (type === 'Wait' && WAITS.filter((name) => fields[name] !== undefined).length !== 1) context.diagnostics.error(path, `Exactly one of these fields is required: [${WAITS.join(', ')}]`);
  if (type === 'Map') checkMap(context, state);
  if (type === 'Task') checkHeartbeat(context, state);
  const distributed = distributedProcessor(state);
  for (const [below, root] of rootsBelow(fields, path)) {
    if (distributed && anyCompensate(root)) {
      const hint = 'the children of a distributed Map are executions of their own';
      context.diagnostics.warning(below, 'Steps of children that succeeded are not undone when the state around them fails', hint, 'NOT_SUPPORTED');
    }
    checkRoot(context, root, below, { language: outer.language, assigned: distributed ? new Map() : outer.assigned }, names);
  }
}

function checkField(context: Context, state: Inspected, name: string, value: Json): void {
  const { type, language, path } = state;
  const location = `${path}/${name}`;
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  const possible = Object.keys(FIELDS).filter((each) => FIELDS[each]?.types.includes(type) && (FIELDS[each].language ?? language) === language);
  if (!field) context.diagnostics.error(location, `The field '${name}' is not a field of a ${type} state`, suggestion(context, name, possible));
  else if (!field.types.includes(type)) context.diagnostics.error(location, `The field '${name}' is not a field of a ${type} state`, `it is one of ${field.types.join(', ')}`);
  else if (field.language !== undefined && field.language !== language) {
    const other = COUNTERPART[name];
    context.diagnostics.error(location, `The field '${name}' can not be used in a ${language} state`, other === undefined ? undefined : `${language} states say it with '${other}'`);
  } else field.check(context, value, location, state);
}

function checkNextAndEnd(context: Context, { type, fields, path }: Inspected): void {
  if (type === 'Choice' || type === 'Succeed' || type === 'Fail') return;
  const { Next: next, End: end } = fields;
  if (end !== undefined && typeof end !== 'boolean') context.diagnostics.error(`${path}/End`, 'Value must be true or false');
  if (next !== undefined && end === true) context.diagnostics.error(path, "You cannot set both 'Next' and 'End' at the same time");
  if (next === undefined && end !== true) context.diagnostics.error(path, "One of 'Next' and 'End' is required", "'Next' names a state; 'End': true ends the machine or branch");
}

function checkMap(context: Context, { fields, path }: Inspected): void {
  if (fields['ItemProcessor'] === undefined && fields['Iterator'] === undefined) context.diagnostics.error(path, "The field 'ItemProcessor' is required but was missing");
  if (fields['ItemSelector'] !== undefined && fields['Parameters'] !== undefined) context.diagnostics.error(path, "You cannot set both 'ItemSelector' and 'Parameters' at the same time", "'Parameters' is the old name");
}

function checkHeartbeat(context: Context, { fields, path }: Inspected): void {
  const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = fields;
  if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) context.diagnostics.error(`${path}/HeartbeatSeconds`, "Value must be smaller than 'TimeoutSeconds'");
}

function distributedProcessor({ type, fields }: Inspected): boolean {
  const processor = fields['ItemProcessor'] ?? fields['Iterator'];
  const config = isObject(processor) ? processor['ProcessorConfig'] : undefined;
  return type === 'Map' && isObject(config) && config['Mode'] === 'DISTRIBUTED';
}

function anyCompensate(root: JsonObject): boolean {
  const { States: states } = root;
  return isObject(states) && Object.values(states).some((state) => isObject(state) && hasCompensate(state));
}
