/** Which variables the expressions of a state read: found in the text, without evaluating it. */
import type { QueryLanguage } from './definition.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { expressionIn } from './jsonata-query.ts';

/** `$name`, but not `$$`, not a function's `$name(` and not the reserved `$states`. */
const VARIABLE = /(?<![$\p{ID_Continue}])\$([\p{ID_Start}_][\p{ID_Continue}]*)(?![\p{ID_Continue}]|\s*\(|\s*:=)/gu;
const BELOW = new Set(['Branches', 'ItemProcessor', 'Iterator']);
const TEXT_IN_PATH = /'(?:[^'\\]|\\.)*'/g;
const TEXT_IN_QUERY = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|function\s*\([^)]*\)/g;
/** Names that an expression makes for itself: parameters, `$x :=`, `@$x`, `#$x`. */
const LOCAL = /(?:function|\u03bb)\s*\(([^)]*)\)|[@#]?\$([\p{ID_Start}_][\p{ID_Continue}]*)(?=\s*:=)|(?<=[@#])\$([\p{ID_Start}_][\p{ID_Continue}]*)/gu;
/** Functions are values too: `$map(list, $uppercase)`. */
const LIBRARY = [
  ...['states', 'sum', 'count', 'max', 'min', 'average', 'string', 'substring', 'substringBefore', 'substringAfter', 'lowercase', 'uppercase', 'length', 'trim', 'pad', 'match', 'contains', 'replace', 'split', 'join'],
  ...['formatNumber', 'formatBase', 'formatInteger', 'parseInteger', 'number', 'floor', 'ceil', 'round', 'abs', 'sqrt', 'power', 'random', 'boolean', 'not', 'map', 'zip', 'filter', 'single', 'reduce', 'sift', 'keys'],
  ...['lookup', 'append', 'exists', 'spread', 'merge', 'reverse', 'each', 'error', 'assert', 'type', 'sort', 'shuffle', 'distinct', 'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl', 'decodeUrlComponent'],
  ...['decodeUrl', 'toMillis', 'fromMillis', 'now', 'millis', 'clone', 'partition', 'range', 'hash', 'uuid', 'parse'],
];
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
  const own = new Set(LIBRARY);
  let source: string;
  if (language === 'JSONata') {
    source = (expression ?? '').replaceAll(TEXT_IN_QUERY, ' ');
    for (const [, parameters, assigned, bound] of (expression ?? '').matchAll(LOCAL)) {
      for (const name of (parameters ?? assigned ?? bound ?? '').split(',')) own.add(name.trim().replace(/^\$/, ''));
    }
  } else source = field.endsWith('.$') || PATH_FIELDS.test(field) ? text.replaceAll(TEXT_IN_PATH, ' ') : '';
  return [...source.matchAll(VARIABLE)].map(([, name = '']) => name).filter((name) => !own.has(name));
}
