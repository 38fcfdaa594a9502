/**
 * Whether a history is the recorded one. What cannot be the same is not compared: timestamps and the role; placeholders of
 * the recording (`<ArnPart_0idx>`, `date`, `<uuid:1>` ...) are bound to what stands in their place, each to one text.
 *
 * 1. Input, output, parameters and assigned variables are compared as JSON values.
 * 2. A cause is compared as text, but for the order of members of JSON inside it.
 * 3. Events without an order of their own (recorded with the id [0]) are compared as a set.
 * 4. MapStateExited of a distributed Map may follow MapRunStarted or MapRunSucceeded; both were recorded.
 * 5. A recording without a final event was taken while the execution ran: the history must begin with it.
 */
import type { RecordedEvent } from './cases.ts';

/** An event as GetExecutionHistory answers it. */
export type ServiceEvent = Readonly<Record<string, unknown>> & { readonly id: number; readonly previousEventId: number; readonly type: string };

const DROPPED = new Set(['timestamp', 'roleArn']);
const JSON_FIELDS = new Set(['input', 'output', 'parameters']);
/** Whole texts that stand for something that differs from run to run. */
const VOLATILE = new Set(['timestamp', 'date', 'datetime', 'start-time', 'entered-time', 'snf_role_arn', 'map_run_arn', 'RandomNumberGenerated']);
const PLACEHOLDER = /<[A-Za-z][\w-]*(?::\d+)?>|\b1{12}\b/g;
const FINAL = /^Execution(?:Succeeded|Failed|TimedOut|Aborted)$/;

type Bindings = Map<string, string>;

/** The first difference, or undefined. */
export function firstDifference(recorded: readonly RecordedEvent[], actual: readonly ServiceEvent[]): string | undefined {
  const expected = inOrder(recorded);
  const bindings: Bindings = new Map();
  const complete = expected.some(({ type }) => FINAL.test(type));
  const omitted = new Set(['ParallelStateSucceeded'].filter((type) => !expected.some((event) => event.type === type)));
  const events = actual.filter(({ type }) => !omitted.has(type));
  let at = 0;
  for (let from = 0; from < expected.length; ) {
    const unordered = expected.slice(from).findIndex(({ id }) => !Array.isArray(id));
    const length = unordered < 0 ? expected.length - from : unordered;
    if (length > 0) {
      const difference = differentSet(expected.slice(from, from + length), events.slice(at, at + length), bindings);
      if (difference !== undefined) return difference;
      from += length;
      at += length;
      continue;
    }
    const [want, got] = [expected[from], events[at]];
    if (!want) break;
    if (!got) return `event ${from + 1}: expected ${want.type}, but the history ends`;
    const difference = differentEvent(want, got, events, bindings);
    if (difference !== undefined) return `event ${from + 1} (${want.type}): ${difference}`;
    from++;
    at++;
  }
  return complete && events.length > at ? `event ${at + 1}: ${events[at]?.type} was not expected` : undefined;
}

/** Some were recorded with the last event first. */
function inOrder(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const [first, second] = events;
  return typeof first?.id === 'number' && typeof second?.id === 'number' && first.id > second.id ? events.toReversed() : events;
}

function differentSet(expected: readonly RecordedEvent[], actual: readonly ServiceEvent[], bindings: Bindings): string | undefined {
  const left = [...actual];
  for (const want of expected) {
    const found = left.findIndex((got) => difference(withoutIds(want), withoutIds(got), '', bindings) === undefined);
    if (found < 0) return `${want.type} ${JSON.stringify(withoutIds(want))} is not among ${JSON.stringify(left.map(({ type }) => type))}`;
    left.splice(found, 1);
  }
  return undefined;
}

function withoutIds({ id: _id, previousEventId: _previous, ...event }: RecordedEvent | ServiceEvent): unknown {
  return event;
}

function differentEvent(want: RecordedEvent, got: ServiceEvent, all: readonly ServiceEvent[], bindings: Bindings): string | undefined {
  if (want.type !== got.type) return `it is ${got.type}`;
  if (want.id !== got.id) return `its id is ${got.id}, not ${String(want.id)}`;
  if (want.previousEventId !== got.previousEventId && !(got.type === 'MapStateExited' && followsMapRun(want, got, all))) return `it follows ${got.previousEventId}, not ${want.previousEventId}`;
  return difference(withoutIds(want), withoutIds(got), '', bindings);
}

function followsMapRun(want: RecordedEvent, got: ServiceEvent, all: readonly ServiceEvent[]): boolean {
  const runs = new Set(all.filter(({ type }) => /^MapRun(?:Started|Succeeded)$/.test(type)).map(({ id }) => id));
  return runs.has(want.previousEventId) && runs.has(got.previousEventId);
}

function difference(want: unknown, got: unknown, path: string, bindings: Bindings): string | undefined {
  const where = path === '' ? '' : `${path}: `;
  if (typeof want === 'string' && VOLATILE.has(want)) return undefined;
  if (typeof want === 'string' && typeof got === 'string') return sameText(want, got, bindings) ? undefined : `${where}expected ${shown(want)}, got ${shown(got)}`;
  if (Array.isArray(want) && Array.isArray(got)) {
    if (want.length !== got.length) return `${where}expected ${want.length} items, got ${got.length}`;
    for (const [at, item] of want.entries()) {
      const found = difference(item, got[at], `${path}[${at}]`, bindings);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isRecord(want) && isRecord(got)) return differentMembers(want, got, path, bindings);
  return want === got ? undefined : `${where}expected ${shown(want)}, got ${shown(got)}`;
}

function differentMembers(want: Record<string, unknown>, got: Record<string, unknown>, path: string, bindings: Bindings): string | undefined {
  const names = new Set([...Object.keys(want), ...Object.keys(got)]);
  for (const name of names) {
    if (DROPPED.has(name)) continue;
    const inner = path === '' ? name : `${path}.${name}`;
    if (!Object.hasOwn(got, name)) return `${inner} is missing`;
    if (!Object.hasOwn(want, name)) return `${inner} was not expected: ${shown(got[name])}`;
    const read = name === 'assignedVariables' ? decodeAll : JSON_FIELDS.has(name) && path.endsWith('EventDetails') ? decode : asItIs;
    const found = difference(read(want[name]), read(got[name]), inner, bindings);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const asItIs = (value: unknown): unknown => value;

function decode(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function decodeAll(values: unknown): unknown {
  return isRecord(values) ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, decode(value)])) : values;
}

function sameText(want: string, got: string, bindings: Bindings): boolean {
  if (want === got) return true;
  const marks = want.match(PLACEHOLDER) ?? [];
  if (marks.length === 0) return sameButOrder(want, got, bindings);
  const pattern = want.split(PLACEHOLDER).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('([^]+?)');
  const found = new RegExp(`^${pattern}$`).exec(got);
  if (!found) return false;
  const values = found.slice(1);
  const bound = new Map(bindings);
  for (const [at, mark] of marks.entries()) {
    const value = values[at] ?? '';
    if ((bound.get(mark) ?? value) !== value) return false;
    bound.set(mark, value);
  }
  for (const [mark, value] of bound) bindings.set(mark, value);
  return true;
}

const EMBEDDED = /[{[][^]*[}\]]/;

/** Texts that differ only in the order of members of JSON inside them. */
function sameButOrder(want: string, got: string, bindings: Bindings): boolean {
  const [a, b] = [EMBEDDED.exec(want), EMBEDDED.exec(got)];
  if (!a || !b || want.replace(EMBEDDED, '') !== got.replace(EMBEDDED, '')) return false;
  const [left, right] = [decode(a[0]), decode(b[0])];
  return typeof left !== 'string' && difference(left, right, '', bindings) === undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
