/**
 * Routing rules: CEL over `event`, tried in the order written; the first that holds names the path. Compiled once per
 * subscription, CEL loaded only when a rule needs it.
 *
 * Bounds: the text and the tree of a rule are limited; regular expressions run on RE2 (linear time, the dialect that
 * existing rules are written in); a rule that loops over lists, whose work an event's author could square, runs against
 * a deadline. Everything else costs at most the size of the event.
 */
import { Script } from 'node:vm';
import type { ASTNode } from '@marcbachmann/cel-js';
import { messageOf } from '../../errors.ts';

export type CloudEvent = Readonly<Record<string, unknown>>;

export interface Router {
  /** The path, or undefined when no rule holds. Throws `RoutingFailed`. */
  pathFor(event: CloudEvent): string | undefined;
}

/** A rule is no CEL expression, or one too large. */
export class RouteInvalid extends Error {
  constructor(match: string, reason: string, cause?: unknown) {
    super(`the rule ${JSON.stringify(match.slice(0, 200))} is not usable: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = 'RouteInvalid';
  }
}

/** A rule could not be evaluated for this event: a field that is not there, a type that does not fit, no bool. */
export class RoutingFailed extends Error {
  constructor(match: string, reason: string, cause?: unknown) {
    super(`the rule ${JSON.stringify(match.slice(0, 200))} could not be evaluated: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = 'RoutingFailed';
  }
}

type Rule = { readonly match: string; readonly path: string; readonly evaluate: (event: CloudEvent) => unknown };

const TEXT_LENGTH_MAX = 4096;
const LOOP_DEADLINE_MS = 100;
const PATTERNS_MAX = 256;
const LIMITS = { maxAstNodes: 1000, maxDepth: 50, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 16 };

/** Rejects with `RouteInvalid`. */
export async function compileRoutes(routes: readonly { readonly match: string; readonly path: string }[]): Promise<Router> {
  const first = routes[0];
  if (!first) return { pathFor: () => undefined };
  if (first.match === '') return { pathFor: () => first.path };
  const compile = await loadCel();
  const rules: Rule[] = routes.map(({ match, path }) => ({ match, path, evaluate: match === '' ? () => true : compile(match) }));
  return {
    pathFor(event) {
      for (const { match, path, evaluate } of rules) {
        let held: unknown;
        try {
          held = evaluate(event);
        } catch (error) {
          throw new RoutingFailed(match, firstLine(error), error);
        }
        if (held === true) return path;
        if (held !== false) throw new RoutingFailed(match, 'its value is not a bool');
      }
      return undefined;
    },
  };
}

type Compile = (match: string) => Rule['evaluate'];
let cel: Promise<Compile> | undefined;

function loadCel(): Promise<Compile> {
  cel ??= makeCompiler();
  return cel;
}

async function makeCompiler(): Promise<Compile> {
  const [{ Environment }, { RE2JS }] = await Promise.all([import('@marcbachmann/cel-js'), import('re2js')]);
  const compiled = new Map<string, InstanceType<typeof RE2JS>>();
  const matches = (text: string, pattern: string): boolean => {
    let expression = compiled.get(pattern);
    if (!expression) {
      // Patterns are nearly always literals of a rule; ones made of event data must not pile up.
      if (compiled.size >= PATTERNS_MAX) compiled.clear();
      expression = RE2JS.compile(pattern);
      compiled.set(pattern, expression);
    }
    return expression.matcher(text).find();
  };
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, limits: LIMITS })
    .registerVariable('event', 'dyn')
    .registerFunction(`string.${RE2_MATCHES}(string): bool`, matches)
    .registerFunction('matches(string, string): bool', matches);

  return (match) => {
    if (match.length > TEXT_LENGTH_MAX) throw new RouteInvalid(match, `it is longer than ${TEXT_LENGTH_MAX} characters`);
    let parsed: ReturnType<typeof environment.parse>;
    try {
      parsed = environment.parse(withRe2(match, environment.parse(match).ast));
      const checked = parsed.check();
      if (checked.error) throw checked.error;
      if (checked.type !== 'bool' && checked.type !== 'dyn') throw new Error(`it yields ${checked.type ?? 'nothing'}, not bool`);
    } catch (error) {
      throw new RouteInvalid(match, firstLine(error), error);
    }
    return loops(parsed.ast) ? (event) => withinDeadline(() => parsed({ event }) as unknown) : (event) => parsed({ event }) as unknown;
  };
}

const RE2_MATCHES = 'matchesRe2';

/** The text with every `x.matches(p)` calling our own function: the library's uses regular expressions that may backtrack for hours. */
function withRe2(text: string, ast: ASTNode): string {
  const places: number[] = [];
  visit(ast, (node) => {
    if (node.op === 'rcall' && node.args[0] === 'matches') places.push(text.indexOf('matches', node.args[1].range.end));
  });
  let result = text;
  for (const place of places.toSorted((a, b) => b - a)) result = `${result.slice(0, place)}${RE2_MATCHES}${result.slice(place + 'matches'.length)}`;
  return result;
}

const LOOPING = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

function loops(ast: ASTNode): boolean {
  let found = false;
  visit(ast, (node) => {
    if (node.op === 'rcall' && LOOPING.has(node.args[0])) found = true;
  });
  return found;
}

/** Depth is bounded by the parser's limits. */
function visit(node: unknown, see: (node: ASTNode) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, see);
  } else if (isNode(node)) {
    see(node);
    visit(node.args, see);
  }
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

const DEADLINE_SLOT = Symbol.for('mecha.routing.deadline');
const deadlineScript = new Script(`globalThis[Symbol.for('mecha.routing.deadline')]()`);

/** Runs `work` on this thread and throws when it has not ended in time. */
function withinDeadline(work: () => unknown): unknown {
  const slots = globalThis as { [DEADLINE_SLOT]?: () => unknown };
  slots[DEADLINE_SLOT] = work;
  try {
    return deadlineScript.runInThisContext({ timeout: LOOP_DEADLINE_MS });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new Error(`it took longer than ${LOOP_DEADLINE_MS} ms`, { cause: error });
    throw error;
  } finally {
    delete slots[DEADLINE_SLOT];
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
