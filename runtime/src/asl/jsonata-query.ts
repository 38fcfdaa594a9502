/**
 * JSONata as the States Language uses it: the library, the language's own functions, and bounds.
 *
 * 1. An evaluation ends: its time, depth and the length of its sequences are limited, its regular expressions are linear,
 *    and what it makes is measured before it is used.
 * 2. It is repeatable: time, randomness and ids come from the ports.
 * 3. What comes out is plain JSON; functions and nothing are named errors.
 */
import jsonata from 'jsonata';
import { hash, seeded } from './intrinsic-functions.ts';
import { isArray, parseJson, setMember, type Json } from './json.ts';
import type { Limits } from './limits.ts';
import { LinearRegExp } from './linear-regex.ts';
import type { Ports } from './ports.ts';

/** What came of an evaluation. `text` is the library's code and message. */
export type Evaluated =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'failed'; readonly text: string };

export type Query = ReturnType<typeof jsonata>;
type Bindings = Readonly<Record<string, unknown>>;

const DELIMITED = /^\{%([^]*)%\}$/;
const PADDING_MAX = 65_536;

/** The expression between `{%` and `%}`, trimmed; undefined for text that is no expression. */
export function expressionIn(text: string): string | undefined {
  return DELIMITED.exec(text)?.[1]?.trim();
}

/** Throws what the library says about expressions that do not parse. */
export function parseQuery(expression: string, limits: Limits): Query {
  if (expression.length > limits.jsonata.textMax) throw new Error(`the expression is longer than ${limits.jsonata.textMax} characters`);
  const { timeoutMs, depthMax, sequenceMax } = limits.jsonata;
  const parsed = jsonata(expression, { RegexEngine: LinearRegExp as unknown as RegExpConstructor, timeout: timeoutMs, stack: depthMax, sequence: sequenceMax });
  bindFunctions(parsed);
  return parsed;
}

/** The library's error as text: `T1006: Attempted to invoke a non-function`. */
export function queryFault(error: unknown): string {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; message?: unknown };
  const words = typeof message === 'string' && message !== '' ? message : String(error);
  return typeof code === 'string' ? `${code}: ${words}` : words;
}

export async function evaluateQuery(query: Query, variables: Bindings, ports: Ports, limits: Limits): Promise<Evaluated> {
  try {
    const result: unknown = await query.evaluate(undefined, { ...variables, ...portFunctions(ports, limits) });
    if (result === undefined) return { kind: 'nothing' };
    if (typeof result === 'function' || isLibraryFunction(result)) return { kind: 'unsupported' };
    return { kind: 'value', value: toJson(result, limits) };
  } catch (error) {
    return { kind: 'failed', text: queryFault(error) };
  }
}

interface Formatter {
  readonly implementation: (...values: unknown[]) => unknown;
}

/** Functions that need nothing from outside. `eval` is not offered. */
function bindFunctions(query: Query): void {
  query.assign('eval', undefined);
  query.registerFunction('now', function now(picture?: string, zone?: string): unknown {
    // The evaluation's own clock, formatted by the library.
    const millis = this.environment.lookup('millis') as () => number;
    const formatter = this.environment.lookup('fromMillis') as Formatter;
    return formatter.implementation.call(this, millis(), picture, zone);
  }, '<s?s?:s>');
  query.registerFunction('hash', (data: string, algorithm: string) => hash(data, algorithm), '<s-s:s>');
  query.registerFunction('partition', (items: unknown, size: unknown) => partition(items, size));
  query.registerFunction('range', (first: unknown, last: unknown, step: unknown) => range(first, last, step));
}

function partition(items: unknown, size: unknown): unknown {
  if (items === undefined) return undefined;
  const all: readonly unknown[] = Array.isArray(items) ? items : [items];
  if (typeof size !== 'number' || !Number.isFinite(size) || Math.floor(size) < 1) throw new Error('$partition: the size must be a positive number');
  const chunk = Math.floor(size);
  return Array.from({ length: Math.ceil(all.length / chunk) }, (_, at) => all.slice(at * chunk, (at + 1) * chunk));
}

const RANGE_MAX = 1_000;

/** A range of one number is that number, as the real service returns it. */
function range(first: unknown, last: unknown, step: unknown): unknown {
  if (typeof first !== 'number' || typeof last !== 'number' || typeof step !== 'number' || step === 0) throw new Error('$range: three numbers are needed, the step not 0');
  const length = Math.max(0, Math.floor((last - first) / step) + 1);
  if (!(length <= RANGE_MAX)) throw new Error(`$range: there are more than ${RANGE_MAX} numbers`);
  const numbers = Array.from({ length }, (_, at) => first + at * step);
  return numbers.length === 1 ? numbers[0] : numbers;
}

/** Bound for each evaluation, because concurrent turns have ports of their own. */
function portFunctions(ports: Ports, limits: Limits): Bindings {
  return {
    random: (seed?: unknown) => (typeof seed === 'number' ? seeded(seed) : ports.random()),
    uuid: () => ports.uuid(),
    millis: () => ports.now,
    parse: (text: unknown) => (typeof text === 'string' ? parseJson(text, limits.jsonDepthMax) : failWith('$parse: a string is needed')),
    shuffle: (items: unknown) => (Array.isArray(items) ? shuffled(items, ports.random) : items),
    pad(text: unknown, width: unknown, padding: unknown = ' ') {
      if (typeof text !== 'string') return undefined;
      if (typeof width !== 'number' || Math.abs(width) > PADDING_MAX || typeof padding !== 'string') failWith(`$pad: a width of at most ${PADDING_MAX} and a text are needed`);
      const mark = padding === '' ? ' ' : padding;
      return width < 0 ? text.padStart(-width, mark) : text.padEnd(width, mark);
    },
  };
}

function shuffled(items: readonly unknown[], random: () => number): unknown[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [result[at], result[other]] = [result[other], result[at]];
  }
  return result;
}

function failWith(message: string): never {
  throw new Error(message);
}

function isLibraryFunction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const marks = value as { readonly _jsonata_function?: unknown; readonly _jsonata_lambda?: unknown };
  return marks._jsonata_function === true || marks._jsonata_lambda === true;
}

/** Plain JSON without the library's marks; what cannot be JSON vanishes from objects and is null in lists. */
function toJson(result: unknown, limits: Limits): Json {
  // Ten payloads: what is larger would be refused wherever it goes.
  let budget = limits.payloadBytesMax * 10;
  const spend = (size: number): void => {
    budget -= size;
    if (budget < 0) failWith('the result is too large');
  };
  const convert = (value: unknown, depth: number): Json | undefined => {
    if (depth > limits.jsonDepthMax) failWith(`the result is nested deeper than ${limits.jsonDepthMax} levels`);
    spend(1);
    switch (typeof value) {
      case 'string':
        spend(value.length);
        return value;
      case 'number':
        return Number.isFinite(value) ? (value === 0 ? 0 : value) : null;
      case 'boolean':
        return value;
      case 'object':
        break;
      default:
        return undefined;
    }
    if (value === null) return null;
    if (isLibraryFunction(value)) return undefined;
    if (isArray(value)) return value.map((item) => convert(item, depth + 1) ?? null);
    const object: Record<string, Json> = {};
    for (const [name, item] of Object.entries(value)) {
      spend(name.length);
      const converted = convert(item, depth + 1);
      if (converted !== undefined) setMember(object, name, converted);
    }
    return object;
  };
  return convert(result, 0) ?? null;
}
