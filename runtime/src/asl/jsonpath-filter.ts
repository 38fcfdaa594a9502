/**
 * Filters of JSONPath, `[?(...)]`: comparisons of paths and literals, joined by `&&`, `||` and `!`. Regular expressions
 * run in linear time, whatever the data.
 */
import { deepEqual, isArray, isObject, type Json } from './json.ts';
import type { Filter, JsonPath, Lookup } from './jsonpath-ast.ts';
import { linearRegex } from './linear-regex.ts';
import type { Reader } from './text-reader.ts';

type ReadPath = (reader: Reader) => JsonPath;
type Operand = { readonly path: JsonPath } | { readonly value: Json } | { readonly matches: (text: string) => boolean };

const DEPTH_MAX = 20;
const OPERATOR = /==|!=|<=|>=|<|>|=~|(?:in|nin|subsetof|contains|size|empty|anyof|noneof)\b/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const REGEX = /\/((?:[^/\\]|\\.)*)\/(i?)/y;

export function parseFilter(reader: Reader, readPath: ReadPath, depth = 0): Filter {
  if (depth > DEPTH_MAX) reader.fail(`a filter is nested deeper than ${DEPTH_MAX} levels`);
  const alternatives = [parseAll(reader, readPath, depth)];
  for (reader.blanks(); reader.take('||'); reader.blanks()) alternatives.push(parseAll(reader, readPath, depth));
  const [only] = alternatives;
  return alternatives.length === 1 && only ? only : (current, lookup) => alternatives.some((filter) => filter(current, lookup));
}

function parseAll(reader: Reader, readPath: ReadPath, depth: number): Filter {
  const all = [parseOne(reader, readPath, depth)];
  for (reader.blanks(); reader.take('&&'); reader.blanks()) all.push(parseOne(reader, readPath, depth));
  const [only] = all;
  return all.length === 1 && only ? only : (current, lookup) => all.every((filter) => filter(current, lookup));
}

function parseOne(reader: Reader, readPath: ReadPath, depth: number): Filter {
  reader.blanks();
  if (reader.peek() === '!' && !reader.text.startsWith('!=', reader.at)) {
    reader.expect('!');
    const inner = parseOne(reader, readPath, depth + 1);
    return (current, lookup) => !inner(current, lookup);
  }
  if (reader.take('(')) {
    const inner = parseFilter(reader, readPath, depth + 1);
    reader.blanks();
    reader.expect(')');
    return inner;
  }
  const left = readOperand(reader, readPath, depth);
  reader.blanks();
  const operator = reader.match(OPERATOR);
  if (operator === undefined) {
    // A path alone asks whether it is there.
    return (current, lookup) => valueOf(left, current, lookup) !== undefined;
  }
  reader.blanks();
  const right = readOperand(reader, readPath, depth);
  return (current, lookup) => compare(operator, left, right, current, lookup);
}

function readOperand(reader: Reader, readPath: ReadPath, depth: number): Operand {
  const next = reader.peek();
  if (next === '@' || next === '$') return { path: readPath(reader) };
  if (next === "'" || next === '"') return { value: readText(reader) };
  if (next === '[') return { value: readList(reader, readPath, depth) };
  if (next === '/') {
    const whole = reader.match(REGEX);
    if (whole === undefined) reader.fail('a regular expression does not end');
    const end = whole.lastIndexOf('/');
    try {
      return { matches: linearRegex(whole.slice(1, end), whole.slice(end + 1)) };
    } catch (error) {
      reader.fail(error instanceof Error ? error.message : String(error));
    }
  }
  const word = reader.match(WORD) ?? reader.match(NUMBER);
  if (word === undefined) reader.fail('a path or a value was expected in the filter');
  return { value: JSON.parse(word) as Json };
}

function readList(reader: Reader, readPath: ReadPath, depth: number): readonly Json[] {
  if (depth > DEPTH_MAX) reader.fail('a list is nested too deep');
  reader.expect('[');
  const items: Json[] = [];
  for (reader.blanks(); !reader.take(']'); reader.blanks()) {
    const operand = readOperand(reader, readPath, depth + 1);
    if (!('value' in operand)) reader.fail('a list in a filter holds values only');
    items.push(operand.value);
    reader.blanks();
    if (!reader.take(',') && reader.peek() !== ']') reader.fail("',' or ']' was expected");
  }
  return items;
}

function readText(reader: Reader): string {
  const quote = reader.next();
  let text = '';
  for (;;) {
    if (reader.ended()) reader.fail('a text does not end');
    const character = reader.next();
    if (character === quote) return text;
    text += character === '\\' && !reader.ended() ? reader.next() : character;
  }
}

function valueOf(operand: Operand, current: Json, lookup: Lookup): Json | undefined {
  if ('value' in operand) return operand.value;
  if (!('path' in operand)) return undefined;
  const found = lookup(operand.path, current);
  if (found.missing) return undefined;
  return !operand.path.definite && isArray(found.value) && found.value.length === 0 ? undefined : found.value;
}

function compare(operator: string, left: Operand, right: Operand, current: Json, lookup: Lookup): boolean {
  const a = valueOf(left, current, lookup);
  if (operator === '=~') return 'matches' in right && typeof a === 'string' && right.matches(a);
  const b = valueOf(right, current, lookup);
  const among = (item: Json, list: Json | undefined): boolean => isArray(list) && list.some((other) => deepEqual(item, other));
  switch (operator) {
    case '==':
      return a !== undefined && b !== undefined && deepEqual(a, b);
    case '!=':
      return a === undefined || b === undefined ? a !== b : !deepEqual(a, b);
    case 'in':
      return a !== undefined && among(a, b);
    case 'nin':
      return a !== undefined && !among(a, b);
    case 'contains':
      return typeof a === 'string' ? typeof b === 'string' && a.includes(b) : b !== undefined && among(b, a);
    case 'subsetof':
      return isArray(a) && a.every((item) => among(item, b));
    case 'anyof':
      return isArray(a) && a.some((item) => among(item, b));
    case 'noneof':
      return isArray(a) && !a.some((item) => among(item, b));
    case 'size':
      return (isArray(a) || typeof a === 'string') && a.length === b;
    case 'empty':
      return (isArray(a) || typeof a === 'string' ? a.length === 0 : isObject(a) ? Object.keys(a).length === 0 : false) === b;
    default:
      return order(operator, a, b);
  }
}

function order(operator: string, a: Json | undefined, b: Json | undefined): boolean {
  if (!((typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string'))) return false;
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}
