/** The extension `Mecha`: what undoes a step, and the scope in which it is undone. */
import { isObject, type Json, type JsonObject } from '../json.ts';
import { parseResource } from '../resource.ts';
import type { Context, Inspected } from './context.ts';
import { checkResource } from './resource-field.ts';
import { checkRetry } from './retry-field.ts';
import { checkFields, checkList, checkNumber, checkObject, checkOneOf, checkQueries, checkTemplate } from './values.ts';

const COMPENSATE_FIELDS = new Set(['Resource', 'Arguments', 'Parameters', 'TimeoutSeconds', 'HeartbeatSeconds', 'Retry', 'When', 'Comment']);
const SAGA_FIELDS = new Set(['On', 'OnCompensationFailure', 'MaxConcurrency', 'TimeoutSeconds', 'Propagation', 'Comment']);
const TRIGGERS = ['Failure', 'Timeout', 'Abort'];
const SECONDS_MAX = 99_999_999;
const NOT_PLAIN = 'no .sync, no .waitForTaskToken, no activity, no nested execution and no saga';

/** `Mecha` of a state. */
export function checkCompensateField(context: Context, value: Json, location: string, state: Inspected): void {
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, new Set(['Compensate']), "a state's Mecha");
  const { Compensate: compensate } = value;
  const here = `${location}/Compensate`;
  if (compensate === undefined || !checkObject(context, compensate, here)) return;
  if (!['Task', 'Pass', 'Parallel', 'Map'].includes(state.type)) context.diagnostics.error(here, `A ${state.type} state cannot be undone`, 'Compensate stands in Task, Pass, Parallel and Map states');
  checkFields(context, compensate, here, COMPENSATE_FIELDS, 'Compensate');
  const { Resource: resource, When: when, Retry: retry } = compensate;
  if (resource === undefined) context.diagnostics.error(here, "The field 'Resource' is required but was missing");
  else {
    checkResource(context, resource, `${here}/Resource`);
    const parsed = typeof resource === 'string' ? parseResource(resource) : undefined;
    const plain = !parsed || (parsed.pattern === 'request' && !parsed.nested && !parsed.saga);
    if (!plain) context.diagnostics.error(`${here}/Resource`, 'What undoes a step must be a plain call', NOT_PLAIN, 'NOT_SUPPORTED');
  }
  if (when !== undefined) checkOneOf(context, when, `${here}/When`, 'When', ['Completed', 'StartedOrCompleted']);
  if (retry !== undefined) checkRetry(context, retry, `${here}/Retry`);
  for (const name of ['TimeoutSeconds', 'HeartbeatSeconds']) {
    if (compensate[name] !== undefined) checkNumber(context, compensate[name], `${here}/${name}`, { least: 1, most: SECONDS_MAX, integer: true }, 'JSONPath');
  }
  checkArguments(context, compensate, here, state);
}

function checkArguments(context: Context, compensate: JsonObject, here: string, state: Inspected): void {
  const { Arguments: queries, Parameters: template } = compensate;
  if (state.language === 'JSONata') {
    if (template !== undefined) context.diagnostics.error(`${here}/Parameters`, "The field 'Parameters' can not be used in a JSONata state", "JSONata states say it with 'Arguments'");
    if (queries !== undefined) checkQueries(context, queries, `${here}/Arguments`, { result: true });
  } else {
    if (queries !== undefined) context.diagnostics.error(`${here}/Arguments`, "The field 'Arguments' can not be used in a JSONPath state", "JSONPath states say it with 'Parameters'");
    if (template !== undefined) checkTemplate(context, template, `${here}/Parameters`);
  }
}

/** `Mecha` of a root. */
export function checkSagaScope(context: Context, value: Json, location: string): void {
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, new Set(['Saga']), "a machine's Mecha");
  const { Saga: saga } = value;
  const here = `${location}/Saga`;
  if (saga === undefined || !checkObject(context, saga, here)) return;
  checkFields(context, saga, here, SAGA_FIELDS, 'Saga');
  const { On: on, OnCompensationFailure: after, MaxConcurrency: most, TimeoutSeconds: timeout, Propagation: propagation } = saga;
  if (on !== undefined) for (const [at, trigger] of checkList(context, on, `${here}/On`, true).entries()) checkOneOf(context, trigger, `${here}/On/${at}`, 'On', TRIGGERS);
  if (after !== undefined) checkOneOf(context, after, `${here}/OnCompensationFailure`, 'OnCompensationFailure', ['Park', 'Continue', 'Fail']);
  if (most !== undefined) checkNumber(context, most, `${here}/MaxConcurrency`, { least: 1, most: 1_000, integer: true }, 'JSONPath');
  if (propagation !== undefined) checkOneOf(context, propagation, `${here}/Propagation`, 'Propagation', ['REQUIRED', 'REQUIRES_NEW']);
  if (timeout === undefined) return;
  checkNumber(context, timeout, `${here}/TimeoutSeconds`, { least: 1, most: SECONDS_MAX, integer: true }, 'JSONPath');
  if (location !== '/Mecha' && propagation !== 'REQUIRES_NEW') context.diagnostics.error(`${here}/TimeoutSeconds`, 'A saga that is part of the one around it has no timeout of its own', "set 'Propagation' to REQUIRES_NEW");
}

/** `Mecha` of a catcher. */
export function checkSagaCatch(context: Context, value: Json, location: string): void {
  if (!checkObject(context, value, location)) return;
  checkFields(context, value, location, new Set(['Compensate']), "a Catch's Mecha");
  if (typeof value['Compensate'] !== 'boolean') context.diagnostics.error(`${location}/Compensate`, 'Value must be true or false');
}

export const hasCompensate = (fields: JsonObject): boolean => isObject(fields['Mecha']) && fields['Mecha']['Compensate'] !== undefined;
