/**
 * Rules of Choice states.
 *
 * 1. A comparison of values of different types is false, never an error.
 * 2. A variable that is missing fails the execution, except for IsPresent.
 */
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { findPath, type Scope } from './scope.ts';
import { runtimeError } from './state-error.ts';
import { parseTimestamp } from './timestamp.ts';

const ORDERINGS = ['Equals', 'LessThan', 'GreaterThan', 'LessThanEquals', 'GreaterThanEquals'] as const;
const ORDERED_TYPES = ['String', 'Numeric', 'Timestamp'] as const;
type Ordering = (typeof ORDERINGS)[number];
type OrderedType = (typeof ORDERED_TYPES)[number];
const TYPE_TESTS = ['IsNull', 'IsPresent', 'IsNumeric', 'IsString', 'IsBoolean', 'IsTimestamp'] as const;

/** What the value beside an operator must be. */
export type OperandKind = 'string' | 'number' | 'timestamp' | 'boolean' | 'path';

/** All comparison operators, with the kind of their operand. */
export const CHOICE_OPERATORS: ReadonlyMap<string, OperandKind> = new Map<string, OperandKind>([
  ...ORDERED_TYPES.flatMap((type) =>
    ORDERINGS.flatMap((ordering): [string, OperandKind][] => [
      [`${type}${ordering}`, type === 'String' ? 'string' : type === 'Numeric' ? 'number' : 'timestamp'],
      [`${type}${ordering}Path`, 'path'],
    ]),
  ),
  ['BooleanEquals', 'boolean'],
  ['BooleanEqualsPath', 'path'],
  ['StringMatches', 'string'],
  ...TYPE_TESTS.map((name): [string, OperandKind] => [name, 'boolean']),
]);

/** Whether a JSONPath rule matches. Depth is bounded by validation. */
export function ruleMatches(scope: Scope, rule: JsonObject, input: Json): boolean {
  const { And, Or, Not, Variable } = rule;
  const matches = (inner: Json): boolean => isObject(inner) && ruleMatches(scope, inner, input);
  if (isArray(And)) return And.every(matches);
  if (isArray(Or)) return Or.some(matches);
  if (Not !== undefined) return !matches(Not);
  const operator = Object.keys(rule).find((name) => CHOICE_OPERATORS.has(name));
  if (operator === undefined) return false;
  const path = String(Variable);
  const found = findPath(scope, path, input);
  const operand = rule[operator] ?? null;
  if (operator === 'IsPresent') return !found.missing === operand;
  if (found.missing) throw runtimeError(`Invalid path '${path}': The choice state's condition path references an invalid value.`);
  return compare(operator, found.value, operator.endsWith('Path') ? referenced(scope, String(operand), input) : operand);
}

function referenced(scope: Scope, path: string, input: Json): Json {
  const found = findPath(scope, path, input);
  if (found.missing) throw runtimeError(`Invalid path '${path}': The choice state's condition path references an invalid value.`);
  return found.value;
}

function compare(operator: string, value: Json, operand: Json): boolean {
  const name = operator.replace(/Path$/, '');
  if (name === 'BooleanEquals') return typeof value === 'boolean' && value === operand;
  if (name === 'StringMatches') return typeof value === 'string' && typeof operand === 'string' && wildcardMatches(operand, value);
  if (name.startsWith('Is')) return hasType(name, value) === operand;
  const type = ORDERED_TYPES.find((each) => name.startsWith(each));
  const ordering = ORDERINGS.find((each) => name === `${type ?? ''}${each}`);
  if (!type || !ordering) return false;
  const [left, right] = [comparable(type, value), comparable(type, operand)];
  return left !== undefined && right !== undefined && inOrder(ordering, left, right);
}

function hasType(test: string, value: Json): boolean {
  switch (test) {
    case 'IsNull':
      return value === null;
    case 'IsNumeric':
      return typeof value === 'number';
    case 'IsString':
      return typeof value === 'string';
    case 'IsBoolean':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string' && parseTimestamp(value) !== undefined;
  }
}

function comparable(type: OrderedType, value: Json): string | number | undefined {
  if (type === 'Numeric') return typeof value === 'number' ? value : undefined;
  if (typeof value !== 'string') return undefined;
  return type === 'String' ? value : parseTimestamp(value);
}

function inOrder(ordering: Ordering, left: string | number, right: string | number): boolean {
  switch (ordering) {
    case 'Equals':
      return left === right;
    case 'LessThan':
      return left < right;
    case 'GreaterThan':
      return left > right;
    case 'LessThanEquals':
      return left <= right;
    case 'GreaterThanEquals':
      return left >= right;
  }
}

/** `*` stands for any text, `\*` for a star, `\\` for a backslash. Takes time of at most text times pattern. */
export function wildcardMatches(pattern: string, text: string): boolean {
  const parts: string[] = [''];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '*') parts.push('');
    else parts[parts.length - 1] += character === '\\' && at + 1 < pattern.length ? pattern.charAt(++at) : character;
  }
  const [first = '', ...rest] = parts;
  if (!text.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return text === first;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
