/** Which variables the expressions of a state read: found in the text, without evaluating it. */
import type { QueryLanguage } from './definition.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { expressionIn } from './jsonata-query.ts';

/** `$name`, but not `$$`, not a function's `$name(` and not the reserved `$states`. */
const VARIABLE = /(?<![$\p{ID_Continue}])\$([\p{ID_Start}_][\p{ID_Continue}]*)(?!\s*\(|\s*:=)/gu;
const BELOW = new Set(['Branches', 'ItemProcessor', 'Iterator']);
const TEXT_IN_PATH = /'(?:[^'\\]|\\.)*'/g;
const TEXT_IN_QUERY = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|function\s*\([^)]*\)/g;
const PATH_FIELDS = /Path$|^Variable$/;

/** Names in the order of their first use; states below are not searched. */
export function referencesOf(fields: JsonObject, language: QueryLanguage): readonly string[] {
  const found = new Set<string>();
  const search = (value: Json, name: string): void => {
    if (isArray(value)) for (const item of value) search(item, name);
    else if (isObject(value)) for (const [inner, item] of Object.entries(value)) search(item, inner);
    else if (typeof value === 'string') for (const variable of namesIn(value, name, language)) found.add(variable);
  };
  for (const [name, value] of Object.entries(fields)) if (!BELOW.has(name)) search(value, name);
  return [...found];
}

function namesIn(text: string, field: string, language: QueryLanguage): readonly string[] {
  const expression = expressionIn(text);
  let source: string;
  if (language === 'JSONata') source = (expression ?? '').replaceAll(TEXT_IN_QUERY, ' ');
  else source = field.endsWith('.$') || PATH_FIELDS.test(field) ? text.replaceAll(TEXT_IN_PATH, ' ') : '';
  return [...source.matchAll(VARIABLE)].map(([, name = '']) => name).filter((name) => name !== 'states');
}
