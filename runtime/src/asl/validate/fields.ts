/** Which fields a state may have, by its type and query language, and what each must look like. */
import type { QueryLanguage, StateType } from '../definition.ts';
import { INTRINSIC_ARITY } from '../intrinsic-call.ts';
import type { Json } from '../json.ts';
import { checkCatch } from './catch-field.ts';
import type { Context, Inspected } from './context.ts';
import { checkBranches, checkItemBatcher, checkItemReader, checkLabel, checkProcessorField, checkResultWriter } from './map-fields.ts';
import { checkResource } from './resource-field.ts';
import { checkRetry } from './retry-field.ts';
import { checkCompensateField } from './saga-fields.ts';
import { checkNumber, checkObject, checkPath, checkPathOrCall, checkQueries, checkTemplate, checkText, checkTimestamp, type NumberRange, type Place } from './values.ts';
import { checkAssign } from './variables.ts';

type Check = (context: Context, value: Json, location: string, state: Inspected) => void;

interface Field {
  readonly types: readonly StateType[];
  readonly language?: QueryLanguage;
  readonly check: Check;
}

const EVERY: readonly StateType[] = ['Task', 'Wait', 'Pass', 'Succeed', 'Fail', 'Choice', 'Parallel', 'Map'];
const but = (...types: readonly StateType[]): readonly StateType[] => EVERY.filter((type) => !types.includes(type));

const anything: Check = () => undefined;
const text: Check = (context, value, location) => void checkText(context, value, location);
const path: Check = checkPathOf({});
const nullablePath: Check = checkPathOf({ nullable: true });
const template: Check = (context, value, location) => checkTemplate(context, value, location);
const queries = (place: Place = {}): Check => (context, value, location) => checkQueries(context, value, location, place);
const number = (least: number, most: number, integer = true): Check => {
  const range: NumberRange = { least, most, integer };
  return (context, value, location, state) => checkNumber(context, value, location, range, state.language);
};

function checkPathOf(options: { readonly nullable?: boolean; readonly reference?: boolean }): Check {
  return (context, value, location) => checkPath(context, value, location, options);
}

/** Output of a state that has a result may read it. */
const output: Check = (context, value, location, state) => checkQueries(context, value, location, hasResult(state.type) ? { result: true } : {});
const templateOrQueries: Check = (context, value, location, state) => (state.language === 'JSONata' ? checkQueries(context, value, location) : checkTemplate(context, value, location));

export const hasResult = (type: StateType): boolean => type === 'Task' || type === 'Parallel' || type === 'Map';

const failText: Check = (context, value, location, state) => {
  if (checkText(context, value, location) && state.language === 'JSONata') checkQueries(context, value, location);
};
const failPath: Check = (context, value, location) => {
  if (!checkText(context, value, location)) return;
  checkPathOrCall(context, value, location.slice(location.lastIndexOf('/') + 1), location);
  const name = /^\s*(States\.\w+)/.exec(value)?.[1];
  if (name !== undefined && Object.hasOwn(INTRINSIC_ARITY, name) && !TEXT_FUNCTIONS.has(name)) context.diagnostics.error(location, `The function ${name} can not be used here`, `it must give a text: ${[...TEXT_FUNCTIONS].join(', ')}`);
};
/** Those that may stand in ErrorPath and CausePath. */
const TEXT_FUNCTIONS: ReadonlySet<string> = new Set(['States.Format', 'States.JsonToString', 'States.ArrayGetItem', 'States.Base64Encode', 'States.Base64Decode', 'States.Hash', 'States.UUID']);

const SECONDS_MAX = 99_999_999;

export const FIELDS: Readonly<Record<string, Field>> = {
  Type: { types: EVERY, check: anything },
  Comment: { types: EVERY, check: text },
  QueryLanguage: { types: EVERY, check: anything },
  Mecha: { types: EVERY, check: checkCompensateField },
  Next: { types: but('Choice', 'Succeed', 'Fail'), check: text },
  End: { types: but('Choice', 'Succeed', 'Fail'), check: anything },
  InputPath: { types: but('Fail'), language: 'JSONPath', check: nullablePath },
  OutputPath: { types: but('Fail'), language: 'JSONPath', check: nullablePath },
  Parameters: { types: ['Pass', 'Task', 'Parallel', 'Map'], language: 'JSONPath', check: template },
  ResultSelector: { types: ['Task', 'Parallel', 'Map'], language: 'JSONPath', check: template },
  ResultPath: { types: ['Pass', 'Task', 'Parallel', 'Map'], language: 'JSONPath', check: checkPathOf({ nullable: true, reference: true }) },
  Result: { types: ['Pass'], language: 'JSONPath', check: anything },
  Arguments: { types: ['Task', 'Parallel'], language: 'JSONata', check: queries() },
  Output: { types: but('Fail'), language: 'JSONata', check: output },
  Assign: { types: but('Succeed', 'Fail'), check: (context, value, location, state) => checkAssign(context, value, location, state.language, hasResult(state.type) ? { result: true } : {}) },
  Retry: { types: ['Task', 'Parallel', 'Map'], check: checkRetry },
  Catch: { types: ['Task', 'Parallel', 'Map'], check: checkCatch },
  Resource: { types: ['Task'], check: checkResource },
  Credentials: { types: ['Task'], check: checkCredentials },
  TimeoutSeconds: { types: ['Task'], check: number(1, SECONDS_MAX) },
  HeartbeatSeconds: { types: ['Task'], check: number(1, SECONDS_MAX) },
  TimeoutSecondsPath: { types: ['Task'], language: 'JSONPath', check: path },
  HeartbeatSecondsPath: { types: ['Task'], language: 'JSONPath', check: path },
  Choices: { types: ['Choice'], check: anything },
  Default: { types: ['Choice'], check: text },
  Seconds: { types: ['Wait'], check: number(0, SECONDS_MAX) },
  Timestamp: { types: ['Wait'], check: (context, value, location, state) => checkTimestamp(context, value, location, state.language) },
  SecondsPath: { types: ['Wait'], language: 'JSONPath', check: path },
  TimestampPath: { types: ['Wait'], language: 'JSONPath', check: path },
  Error: { types: ['Fail'], check: failText },
  Cause: { types: ['Fail'], check: failText },
  ErrorPath: { types: ['Fail'], language: 'JSONPath', check: failPath },
  CausePath: { types: ['Fail'], language: 'JSONPath', check: failPath },
  Branches: { types: ['Parallel'], check: checkBranches },
  ItemProcessor: { types: ['Map'], check: checkProcessorField },
  Iterator: { types: ['Map'], check: checkProcessorField },
  ItemsPath: { types: ['Map'], language: 'JSONPath', check: path },
  Items: { types: ['Map'], language: 'JSONata', check: queries() },
  ItemSelector: { types: ['Map'], check: templateOrQueries },
  ItemReader: { types: ['Map'], check: checkItemReader },
  ItemBatcher: { types: ['Map'], check: checkItemBatcher },
  ResultWriter: { types: ['Map'], check: checkResultWriter },
  MaxConcurrency: { types: ['Map'], check: number(0, Infinity) },
  MaxConcurrencyPath: { types: ['Map'], language: 'JSONPath', check: path },
  ToleratedFailureCount: { types: ['Map'], check: number(0, Infinity) },
  ToleratedFailureCountPath: { types: ['Map'], language: 'JSONPath', check: path },
  ToleratedFailurePercentage: { types: ['Map'], check: number(0, 100, false) },
  ToleratedFailurePercentagePath: { types: ['Map'], language: 'JSONPath', check: path },
  Label: { types: ['Map'], check: checkLabel },
};

/** What the other language calls it. */
export const COUNTERPART: Readonly<Record<string, string>> = {
  Parameters: 'Arguments',
  Arguments: 'Parameters',
  ResultSelector: 'Output',
  ResultPath: 'Output',
  OutputPath: 'Output',
  InputPath: 'Arguments',
  Output: 'OutputPath or Parameters',
  Result: 'Output',
  Items: 'ItemsPath',
  ItemsPath: 'Items',
};

function checkCredentials(context: Context, value: Json, location: string, state: Inspected): void {
  if (!checkObject(context, value, location)) return;
  if (!Object.hasOwn(value, 'RoleArn') && !Object.hasOwn(value, 'RoleArn.$')) context.diagnostics.error(location, "The field 'RoleArn' is required but was missing");
  templateOrQueries(context, value, location, state);
}
