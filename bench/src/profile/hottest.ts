/**
 * The functions of a CPU profile that took the most time themselves, and what else the thread did. Pure but for reading the
 * files that functions stand in (source-place.ts).
 *
 * 1. A sample counts for the time until the next one.
 * 2. Percentages are of the busy time: all but `(idle)`, which is told apart as a share of the whole.
 * 3. `(program)`, native code that belongs to no function, and `(garbage collector)` are told apart too, as shares of the busy time.
 * 4. Total time counts a function that is on the stack several times once.
 * 5. Own functions are those that are neither Node's nor a library's. The time of others is theirs, and the own function for
 *    which they worked is named: nobody can make `postMessage` faster, but one may call it less.
 */
import type { CpuProfile, ProfileNode } from './cpu-profile.ts';
import { createPlaces, type Place, type Places } from './source-place.ts';

export interface Heat {
  readonly seconds: number;
  /** Of the whole. */
  readonly idlePercent: number;
  /** Of the busy time, as all the others. */
  readonly programPercent: number;
  readonly garbagePercent: number;
  /** By self time, most first. */
  readonly functions: readonly HotFunction[];
}

export interface HotFunction {
  /** `(anonymous)` for one without a name. */
  readonly name: string;
  /** `runtime/src/pipeline.ts:41` */
  readonly place: string;
  /** Neither Node's nor a library's. */
  readonly own: boolean;
  readonly selfPercent: number;
  readonly totalPercent: number;
  /** Of a function of Node's or a library's: the own function, with its place, for which it spent the most of its self time; absent when there is none. */
  readonly caller?: string;
}

export interface HottestOptions {
  readonly places?: Places;
  /** Only functions that are neither Node's nor a library's. */
  readonly ownOnly?: boolean;
}

const APART = { idle: '(idle)', program: '(program)', garbage: '(garbage collector)', root: '(root)' } as const;

export function hottest(profile: CpuProfile, count = 10, { places = createPlaces(), ownOnly = false }: HottestOptions = {}): Heat {
  const selfOf = selfTimes(profile);
  const apart = (name: string): number => sum(profile.nodes.filter((node) => isApart(node, name)).map(({ id }) => selfOf.get(id) ?? 0));
  const whole = sum(selfOf.values());
  const idle = apart(APART.idle);
  const percent = (time: number, of: number): number => (of > 0 ? (time / of) * 100 : 0);
  const busy = whole - idle;
  const functions = functionTimes(profile, selfOf, places)
    .filter(({ self, at }) => self > 0 && (at.own || !ownOnly))
    .toSorted((a, b) => b.self - a.self)
    .slice(0, count)
    .map(({ frame, at, self, total, callers }): HotFunction => {
      const [caller] = [...callers].toSorted(([, a], [, b]) => b - a)[0] ?? [];
      return { name: nameOf(frame), place: at.words, own: at.own, selfPercent: percent(self, busy), totalPercent: percent(total, busy), ...(caller !== undefined && { caller }) };
    });
  return {
    seconds: whole / 1e6,
    idlePercent: percent(idle, whole),
    programPercent: percent(apart(APART.program), busy),
    garbagePercent: percent(apart(APART.garbage), busy),
    functions,
  };
}

/** For the terminal; own functions are marked, others say for which of those they worked. */
export function heatTable(thread: string, { seconds, idlePercent, programPercent, garbagePercent, functions }: Heat): string {
  const head = `${thread}: ${seconds.toFixed(1)} s, idle ${idlePercent.toFixed(1)} %; of the rest native ${programPercent.toFixed(1)} %, garbage collection ${garbagePercent.toFixed(1)} %`;
  if (functions.length === 0) return head;
  const widest = Math.max(...functions.map(({ name }) => name.length));
  const rows = functions.map(({ name, place, own, selfPercent, totalPercent, caller }) =>
    [selfPercent.toFixed(1).padStart(8), totalPercent.toFixed(1).padStart(9), `  ${own ? '*' : ' '} ${name.padEnd(widest)}  ${place}`, caller === undefined ? '' : `  <- ${caller}`].join(''),
  );
  return [head, '  self %  total %    * = own', ...rows].join('\n');
}

const nameOf = ({ functionName }: ProfileNode['callFrame']): string => (functionName === '' ? '(anonymous)' : functionName);

/** Microseconds by node. */
function selfTimes({ samples = [], timeDeltas = [], startTime, endTime }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  let at = startTime;
  samples.forEach((id, index) => {
    at += timeDeltas[index] ?? 0;
    const until = index + 1 < samples.length ? at + (timeDeltas[index + 1] ?? 0) : endTime;
    times.set(id, (times.get(id) ?? 0) + Math.max(until - at, 0));
  });
  return times;
}

interface FunctionTime {
  readonly frame: ProfileNode['callFrame'];
  readonly at: Place;
  self: number;
  total: number;
  /** Self time by the nearest own function above; not kept for own functions. */
  readonly callers: Map<string, number>;
}

/** A function is many nodes, one for every way that led to it. */
function functionTimes({ nodes }: CpuProfile, selfOf: ReadonlyMap<number, number>, places: Places): readonly FunctionTime[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const functions = new Map<string, FunctionTime>();
  const functionOf = (frame: ProfileNode['callFrame']): FunctionTime => {
    const key = `${frame.functionName}\n${frame.url}\n${frame.lineNumber}\n${frame.columnNumber}`;
    const known = functions.get(key) ?? { frame, at: places.of(frame.url, frame.lineNumber), self: 0, total: 0, callers: new Map<string, number>() };
    functions.set(key, known);
    return known;
  };
  const onStack = new Set<FunctionTime>();
  const subtree = new Map<number, number>();
  const enter = (node: ProfileNode, caller: string | undefined): void => {
    if (Object.values(APART).some((name) => isApart(node, name))) {
      leaveLater(node, () => undefined);
      return enterChildren(node, undefined);
    }
    const times = functionOf(node.callFrame);
    const outermost = !onStack.has(times);
    onStack.add(times);
    const self = selfOf.get(node.id) ?? 0;
    times.self += self;
    if (!times.at.own && caller !== undefined) times.callers.set(caller, (times.callers.get(caller) ?? 0) + self);
    leaveLater(node, (total) => {
      if (!outermost) return;
      onStack.delete(times);
      times.total += total;
    });
    enterChildren(node, times.at.own ? `${nameOf(node.callFrame)} ${times.at.words}` : caller);
  };
  // Deep recursion makes deep trees: a stack of steps instead of a function that calls itself.
  const steps: (() => void)[] = [];
  const leaveLater = (node: ProfileNode, leave: (total: number) => void): void => {
    steps.push(() => {
      const total = (selfOf.get(node.id) ?? 0) + sum((node.children ?? []).map((child) => subtree.get(child) ?? 0));
      subtree.set(node.id, total);
      leave(total);
    });
  };
  const enterChildren = (node: ProfileNode, caller: string | undefined): void => {
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) steps.push(() => enter(child, caller));
    }
  };
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  for (const root of nodes.filter(({ id }) => !children.has(id))) {
    enter(root, undefined);
    for (let step = steps.pop(); step; step = steps.pop()) step();
  }
  return [...functions.values()];
}

function isApart({ callFrame }: ProfileNode, name: string): boolean {
  return callFrame.functionName === name && callFrame.url === '';
}

function sum(times: Iterable<number>): number {
  let total = 0;
  for (const time of times) total += time;
  return total;
}
