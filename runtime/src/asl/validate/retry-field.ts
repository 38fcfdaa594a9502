/** Retry, and the names of errors. */
import type { Json, JsonObject } from '../json.ts';
import { RESERVED_ERRORS, STATES } from '../state-error.ts';
import { suggestion, type Context } from './context.ts';
import { checkFields, checkList, checkNumber, checkObject, checkOneOf, checkText } from './values.ts';

const RETRIER_FIELDS = new Set(['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment']);
const SECONDS_MAX = 99_999_999;
const DELAY_MAX = 31_622_400;

export function checkRetry(context: Context, value: Json, location: string): void {
  const retriers = checkList(context, value, location, true);
  for (const [at, retrier] of retriers.entries()) {
    const here = `${location}/${at}`;
    if (!checkObject(context, retrier, here)) continue;
    checkFields(context, retrier, here, RETRIER_FIELDS, 'Retry');
    checkErrorEquals(context, retrier['ErrorEquals'], here, at === retriers.length - 1);
    checkRetryNumbers(context, retrier, here);
  }
}

function checkRetryNumbers(context: Context, retrier: JsonObject, here: string): void {
  const { IntervalSeconds: interval, MaxAttempts: attempts, BackoffRate: rate, MaxDelaySeconds: delay, JitterStrategy: jitter } = retrier;
  const literal = (value: Json | undefined, name: string, least: number, most: number, integer = true): void => {
    if (value !== undefined) checkNumber(context, value, `${here}/${name}`, { least, most, integer }, 'JSONPath');
  };
  literal(interval, 'IntervalSeconds', 1, SECONDS_MAX);
  literal(attempts, 'MaxAttempts', 0, SECONDS_MAX);
  literal(rate, 'BackoffRate', 1, Infinity, false);
  literal(delay, 'MaxDelaySeconds', 1, DELAY_MAX);
  if (typeof delay === 'number' && delay <= (typeof interval === 'number' ? interval : 1)) context.diagnostics.error(`${here}/MaxDelaySeconds`, "Value must be greater than 'IntervalSeconds'");
  if (jitter !== undefined) checkOneOf(context, jitter, `${here}/JitterStrategy`, 'JitterStrategy', ['FULL', 'NONE']);
}

export function checkErrorEquals(context: Context, value: Json | undefined, here: string, last: boolean): void {
  if (value === undefined) return context.diagnostics.error(here, "The field 'ErrorEquals' is required but was missing");
  const location = `${here}/ErrorEquals`;
  const names = checkList(context, value, location);
  for (const name of names) {
    if (!checkText(context, name, location)) continue;
    if (name === STATES.all && (names.length > 1 || !last)) context.diagnostics.error(location, `'${STATES.all}' must stand alone, in the last entry`);
    if (/^States?\./i.test(name) && !RESERVED_ERRORS.has(name) && !name.startsWith('States.Http.')) {
      context.diagnostics.warning(location, `'${name}' is no error of the States Language`, suggestion(context, name, RESERVED_ERRORS) ?? 'names that begin with States. are reserved');
    }
  }
}
