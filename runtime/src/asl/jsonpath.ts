/**
 * JSONPath as the States Language reads it: the dialect of Jayway's library, which the real service uses.
 *
 * 1. A definite path (names and single indexes only) has one value or is missing; every other path has a list of values,
 *    which is empty when nothing matches, and is never an error.
 * 2. A function or an index after an indefinite part applies to each match, not to the list of matches.
 * 3. Parsing and evaluating take time linear in the text, and in the number of nodes visited.
 *
 * Roots: `$` the data, `$$` the context object, `$name` a variable.
 */
import { isArray, isObject, member, type Json } from './json.ts';
import { PathInvalid, type Found, type JsonPath, type PathFunction, type PathRoots, type Step } from './jsonpath-ast.ts';
import { parseFilter } from './jsonpath-filter.ts';
import { Reader } from './text-reader.ts';

const FUNCTIONS: ReadonlySet<string> = new Set<PathFunction>(['length', 'min', 'max', 'avg', 'sum', 'keys']);
const STEPS_MAX = 200;
const NAME_STOPS = /[.[\]()=<>!&|,~\s]/;
const VARIABLE_NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;

export function parseJsonPath(text: string): JsonPath {
  const reader = new Reader(text.trim(), (message) => new PathInvalid(message));
  const path = readPath(reader);
  if (!reader.ended()) reader.fail(`unexpected '${reader.peek()}'`);
  return path;
}

/** Reads a path from where the reader stands; used for whole texts, for filters and for arguments of functions. */
export function readPath(reader: Reader): JsonPath {
  const start = reader.at;
  let root = '$';
  if (reader.take('@')) root = '@';
  else {
    reader.expect('$');
    if (reader.take('$')) root = '$$';
    else root = reader.match(VARIABLE_NAME) ?? '$';
  }
  const steps: Step[] = [];
  while (!reader.ended()) {
    if (steps.length > STEPS_MAX) reader.fail(`more than ${STEPS_MAX} steps`);
    if (reader.take('..')) {
      steps.push({ kind: 'descend' }, reader.peek() === '[' ? readBracket(reader) : readDotted(reader));
    } else if (reader.take('.')) {
      steps.push(reader.peek() === '[' ? readBracket(reader) : readDotted(reader));
    } else if (reader.peek() === '[') steps.push(readBracket(reader));
    else break;
  }
  return { text: reader.text.slice(start, reader.at), root, steps, definite: steps.every(isDefinite) };
}

function isDefinite(step: Step): boolean {
  return (step.kind === 'names' && step.names.length === 1) || (step.kind === 'indexes' && step.indexes.length === 1) || step.kind === 'function';
}

function readDotted(reader: Reader): Step {
  if (reader.take('*')) return { kind: 'wildcard' };
  const name = reader.until(NAME_STOPS);
  if (name === '') reader.fail('a name is missing');
  if (reader.peek() === '(') {
    reader.expect('(');
    reader.expect(')');
    if (!FUNCTIONS.has(name)) reader.fail(`there is no function ${name}()`);
    return { kind: 'function', name: name as PathFunction };
  }
  return { kind: 'names', names: [name] };
}

function readBracket(reader: Reader): Step {
  reader.expect('[');
  reader.blanks();
  let step: Step;
  const next = reader.peek();
  if (reader.take('*')) step = { kind: 'wildcard' };
  else if (reader.take('?')) {
    reader.blanks();
    reader.expect('(');
    step = { kind: 'filter', filter: parseFilter(reader, readPath) };
    reader.blanks();
    reader.expect(')');
  } else if (next === "'" || next === '"') {
    const names = [readName(reader)];
    while (separated(reader)) names.push(readName(reader));
    step = { kind: 'names', names };
  } else step = readNumbers(reader);
  reader.blanks();
  reader.expect(']');
  return step;
}

function separated(reader: Reader): boolean {
  reader.blanks();
  const more = reader.take(',');
  reader.blanks();
  return more;
}

/** Only the quote and the backslash itself are escaped by a backslash; before anything else it stands for itself. */
function readName(reader: Reader): string {
  const quote = reader.next();
  if (quote !== "'" && quote !== '"') reader.fail('a quoted name was expected');
  let name = '';
  for (;;) {
    if (reader.ended()) reader.fail('a quoted name does not end');
    const character = reader.next();
    if (character === quote) return name;
    if (character === '\\' && (reader.peek() === quote || reader.peek() === '\\')) name += reader.next();
    else name += character;
  }
}

function readNumbers(reader: Reader): Step {
  const first = readInteger(reader);
  reader.blanks();
  if (reader.take(':')) {
    reader.blanks();
    const to = readInteger(reader);
    reader.blanks();
    let by = 1;
    if (reader.take(':')) by = readInteger(reader) ?? 1;
    if (by < 1) reader.fail('the step of a slice must be positive');
    return { kind: 'slice', ...(first === undefined ? {} : { from: first }), ...(to === undefined ? {} : { to }), by };
  }
  if (first === undefined) reader.fail('an index, a slice, a quoted name, * or ?() was expected');
  const indexes = [first];
  while (separated(reader)) {
    const another = readInteger(reader);
    if (another === undefined) reader.fail('an index was expected');
    indexes.push(another);
  }
  return { kind: 'indexes', indexes };
}

const INTEGER = /-?\d{1,15}/y;

function readInteger(reader: Reader): number | undefined {
  const text = reader.match(INTEGER);
  return text === undefined ? undefined : Number(text);
}

/** Whether the path may be written to: names and indexes from `$`, nothing else. */
export function isReferencePath(path: JsonPath): boolean {
  return path.definite && path.steps.every((step) => step.kind !== 'function' && (step.kind !== 'indexes' || (step.indexes[0] ?? 0) >= 0));
}

/** The path's value; `current` is what `@` stands for inside filters. */
export function evaluatePath(path: JsonPath, roots: PathRoots, current?: Json): Found {
  let start: Json | undefined;
  if (path.root === '$') start = roots.data;
  else if (path.root === '@') start = current;
  else if (path.root === '$$') start = roots.context();
  else start = roots.variable(path.root);
  if (start === undefined) return { missing: true, reason: `No variable named '${path.root}' is assigned` };
  return path.definite ? evaluateDefinite(path, start) : { missing: false, value: evaluateAll(path.steps, start, roots) };
}

function evaluateDefinite(path: JsonPath, start: Json): Found {
  let value = start;
  for (const [at, step] of path.steps.entries()) {
    const next = single(step, value);
    if (next === undefined) {
      const last = at === path.steps.length - 1;
      return { missing: true, reason: `${last ? 'No results for path:' : 'Missing property in path'} ${normal(path.steps.slice(0, at + 1))}` };
    }
    value = next;
  }
  return { missing: false, value };
}

function single(step: Step, value: Json): Json | undefined {
  if (step.kind === 'names') return isObject(value) ? member(value, step.names[0] ?? '') : undefined;
  if (step.kind === 'indexes') return isArray(value) ? value.at(step.indexes[0] ?? 0) : undefined;
  return step.kind === 'function' ? applyFunction(step.name, value) : undefined;
}

/** `$['a'][0]`. */
function normal(steps: readonly Step[]): string {
  return steps.reduce((text, step) => {
    if (step.kind === 'names') return `${text}['${step.names[0] ?? ''}']`;
    if (step.kind === 'indexes') return `${text}[${step.indexes[0] ?? 0}]`;
    return step.kind === 'function' ? `${text}.${step.name}()` : text;
  }, '$');
}

function evaluateAll(steps: readonly Step[], start: Json, roots: PathRoots): readonly Json[] {
  let values: Json[] = [start];
  for (const step of steps) {
    const next: Json[] = [];
    for (const value of values) expand(step, value, roots, next);
    values = next;
  }
  return values;
}

function expand(step: Step, value: Json, roots: PathRoots, out: Json[]): void {
  switch (step.kind) {
    case 'names':
      if (!isObject(value)) return;
      for (const name of step.names) if (Object.hasOwn(value, name)) out.push(value[name] ?? null);
      return;
    case 'indexes':
      if (!isArray(value)) return;
      for (const index of step.indexes) {
        const item = value.at(index);
        if (item !== undefined) out.push(item);
      }
      return;
    case 'slice':
      if (!isArray(value)) return;
      for (const [at, item] of value.slice(step.from, step.to).entries()) if (at % step.by === 0) out.push(item);
      return;
    case 'wildcard':
      for (const child of childrenOf(value)) out.push(child);
      return;
    case 'descend':
      descend(value, out);
      return;
    case 'filter':
      for (const child of isArray(value) ? value : [value]) if (step.filter(child, (path, current) => evaluatePath(path, roots, current))) out.push(child);
      return;
    case 'function': {
      const result = applyFunction(step.name, value);
      if (result !== undefined) out.push(result);
    }
  }
}

function childrenOf(value: Json): readonly Json[] {
  return isArray(value) ? value : isObject(value) ? Object.values(value) : [];
}

function descend(start: Json, out: Json[]): void {
  const waiting = [start];
  while (waiting.length > 0) {
    const value = waiting.pop() ?? null;
    out.push(value);
    const children = childrenOf(value);
    for (let at = children.length - 1; at >= 0; at--) waiting.push(children[at] ?? null);
  }
}

function applyFunction(name: PathFunction, value: Json): Json | undefined {
  if (name === 'length') return isArray(value) || typeof value === 'string' ? value.length : isObject(value) ? Object.keys(value).length : undefined;
  if (name === 'keys') return isObject(value) ? Object.keys(value) : undefined;
  const numbers = isArray(value) ? value.filter((item) => typeof item === 'number') : [];
  if (numbers.length === 0) return undefined;
  const sum = numbers.reduce((total, item) => total + item, 0);
  if (name === 'sum') return sum;
  if (name === 'avg') return sum / numbers.length;
  return numbers.reduce((best, item) => (name === 'min' ? Math.min(best, item) : Math.max(best, item)));
}
