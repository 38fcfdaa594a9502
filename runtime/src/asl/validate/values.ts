/** Checks of single values: paths, templates, expressions, numbers, timestamps. */
import { isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { expressionIn, queryFault } from '../jsonata-query.ts';
import { isReferencePath } from '../jsonpath.ts';
import { LinearRegExp } from '../linear-regex.ts';
import { parseTimestamp } from '../timestamp.ts';
import { suggestion, type Context } from './context.ts';
import type { QueryLanguage } from '../definition.ts';

/** Where `$states.result` and `$states.errorOutput` may be read. */
export interface Place {
  readonly result?: boolean;
  readonly errorOutput?: boolean;
}

const said = (error: unknown): string => (error instanceof Error ? error.message : queryFault(error));

export function checkText(context: Context, value: Json, location: string): value is string {
  if (typeof value === 'string') return true;
  context.diagnostics.error(location, 'Value must be a string');
  return false;
}

export function checkPath(context: Context, value: Json, location: string, options: { readonly nullable?: boolean; readonly reference?: boolean } = {}): void {
  if (value === null && options.nullable) return;
  if (!checkText(context, value, location)) return;
  try {
    const path = context.expressions.path(value);
    if (!options.reference) return;
    if (path.root !== '$') context.diagnostics.error(location, 'Value is not a Reference Path: Reference Path must begin with $.', 'it names a place in the input, so neither $$ nor a variable may stand there');
    else if (!isReferencePath(path)) context.diagnostics.error(location, 'Value is not a Reference Path: it must name exactly one place', 'only names and indexes: no *, no .., no slices, no filters');
  } catch (error) {
    context.diagnostics.error(location, 'Value is not a valid JSONPath', said(error));
  }
}

/** A path or a call. */
export function checkPathOrCall(context: Context, text: string, field: string, location: string): void {
  try {
    if (text.trimStart().startsWith('$')) context.expressions.path(text);
    else context.expressions.call(text);
  } catch (error) {
    context.diagnostics.error(location, `The value for the field '${field}' must be a valid JSONPath or a valid intrinsic function call`, said(error));
  }
}

/** A payload template; faults are located at the template, as the real service does. */
export function checkTemplate(context: Context, template: Json, location: string): void {
  if (isArray(template)) for (const item of template) checkTemplate(context, item, location);
  if (!isObject(template)) return;
  for (const [name, value] of Object.entries(template)) {
    if (!name.endsWith('.$')) {
      checkTemplate(context, value, location);
      if (typeof value === 'string' && expressionIn(value) !== undefined) {
        context.diagnostics.warning(location, `The value for the field '${name}' looks like a JSONata expression`, "a JSONPath state takes it as it stands; set 'QueryLanguage' to 'JSONata'");
      }
      continue;
    }
    if (typeof value !== 'string') context.diagnostics.error(location, `The value for the field '${name}' must be a valid JSONPath or a valid intrinsic function call`, 'it must be a string');
    else checkPathOrCall(context, value, name, location);
    if (Object.hasOwn(template, name.slice(0, -2))) context.diagnostics.error(location, `The fields '${name.slice(0, -2)}' and '${name}' stand for the same field`);
  }
}

/** Any JSON that may hold `{% %}` texts. */
export function checkQueries(context: Context, value: Json, location: string, place: Place = {}): void {
  if (typeof value === 'string') checkQueryText(context, value, location, place);
  else if (isArray(value)) for (const [at, item] of value.entries()) checkQueries(context, item, `${location}[${at}]`, place);
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      checkQueries(context, item, `${location}/${name}`, place);
      if (name.endsWith('.$')) context.diagnostics.warning(`${location}/${name}`, `The field '${name}' is taken as it stands: JSONata states have no JSONPath`, 'write {% ... %} and drop the .$');
    }
  }
}

function checkQueryText(context: Context, text: string, location: string, place: Place): void {
  const expression = expressionIn(text);
  if (expression === undefined) {
    if (text.trim().startsWith('{%') || text.trimEnd().endsWith('%}')) {
      context.diagnostics.warning(location, 'The string is taken as it stands: an expression begins with {% and ends with %}', 'nothing may stand outside, not even blanks');
    }
    return;
  }
  try {
    checkRegexes(context.expressions.query(expression).ast());
  } catch (error) {
    context.diagnostics.error(location, `The JSONata expression '${expression}' is not valid`, said(error));
    return;
  }
  const code = expression.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  if (/\$states\s*\.\s*result\b/.test(code) && !place.result) context.diagnostics.error(location, "'$states.result' can not be used here", 'it exists in Output and Assign of Task, Parallel and Map states');
  if (/\$states\s*\.\s*errorOutput\b/.test(code) && !place.errorOutput) context.diagnostics.error(location, "'$states.errorOutput' can not be used here", 'it exists in Output and Assign of a Catch');
}

/** Regular expressions run in linear time; what cannot is refused here and not when it is needed. */
function checkRegexes(ast: unknown): void {
  const waiting: unknown[] = [ast];
  const seen = new Set<unknown>();
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== 'object' || node === null || seen.has(node)) continue;
    seen.add(node);
    if (node instanceof RegExp) new LinearRegExp(node);
    else waiting.push(...Object.values(node as Record<string, unknown>));
  }
}

export interface NumberRange {
  readonly least: number;
  readonly most: number;
  readonly integer: boolean;
}

/** A literal in a range or, in JSONata states, an expression. */
export function checkNumber(context: Context, value: Json, location: string, range: NumberRange, language: QueryLanguage): void {
  if (typeof value === 'string' && language === 'JSONata' && expressionIn(value) !== undefined) return checkQueries(context, value, location);
  const { least, most, integer } = range;
  if (typeof value !== 'number' || (integer && !Number.isInteger(value))) context.diagnostics.error(location, `Value must be ${integer ? 'an integer' : 'a number'}`);
  else if (value < least || value > most) context.diagnostics.error(location, `Value must be at least ${least}${most === Infinity ? '' : ` and at most ${most}`}`);
}

export function checkTimestamp(context: Context, value: Json, location: string, language: QueryLanguage): void {
  if (typeof value === 'string' && language === 'JSONata' && expressionIn(value) !== undefined) checkQueries(context, value, location);
  else if (checkText(context, value, location) && parseTimestamp(value) === undefined) context.diagnostics.error(location, 'String does not match RFC3339 timestamp', 'for example 2026-01-31T09:00:00Z');
}

export function checkObject(context: Context, value: Json | undefined, location: string): value is JsonObject {
  if (isObject(value)) return true;
  context.diagnostics.error(location, 'Value must be an object');
  return false;
}

/** A non-empty list; returns its items. */
export function checkList(context: Context, value: Json | undefined, location: string, mayBeEmpty = false): readonly Json[] {
  if (!isArray(value)) context.diagnostics.error(location, 'Value must be an array');
  else if (value.length === 0 && !mayBeEmpty) context.diagnostics.error(location, 'Value cannot be empty');
  return isArray(value) ? value : [];
}

export function checkOneOf(context: Context, value: Json, location: string, field: string, allowed: readonly string[]): boolean {
  if (typeof value === 'string' && allowed.includes(value)) return true;
  context.diagnostics.error(location, `The field '${field}' should have one of these values: [${allowed.join(', ')}]`);
  return false;
}

/** Members that nobody knows, with what was probably meant. */
export function checkFields(context: Context, fields: JsonObject, location: string, known: ReadonlySet<string>, what: string): void {
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) context.diagnostics.error(`${location}/${name}`, `The field '${name}' is not a field of ${what}`, suggestion(context, name, known));
  }
}
