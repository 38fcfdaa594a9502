/**
 * What tests of components need: a ready context, a clock that is turned by hand, a log that is kept to be looked at.
 * For tests only; no production file imports it.
 */
import type { Category, Clock, ComponentContext, ComponentDefinition, ComponentLog, MetadataSchema, Ports } from './component.ts';
import type { Ledger } from './ledger.ts';

/** The clock of production. */
export const realClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock that stands still until it is turned. */
export interface TurnedClock extends Clock {
  /** Moves on by `ms`, calling what falls due on the way, in order. */
  turn(ms: number): void;
  /** The same as a machine that slept: the time is past at once, and what fell due meanwhile is called once, late. */
  sleep(ms: number): void;
}

export function createTurnedClock(startMs = Date.UTC(2026, 0, 1)): TurnedClock {
  let now = startMs;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + Math.max(ms, 0), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    turn(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        now = next.at;
        next.callback();
      }
      now = end;
    },
    sleep(ms) {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)) if (timers.delete(timer)) timer.callback();
    },
  };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function createKeptLog(): ComponentLog & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const keep = (level: LogLine['level']) => (fields: Record<string, unknown>, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

export interface TestContextParts {
  readonly name?: string;
  readonly appId?: string;
  readonly namespace?: string;
  readonly clock?: Clock;
  readonly log?: ComponentLog;
  /** Absent: a ledger that fails the test when it is used. */
  readonly ledger?: Ledger;
  readonly openLedger?: (path: string) => Promise<Ledger>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

const noLedger = new Proxy({} as Ledger, {
  get(_target, name) {
    throw new Error(`this test gave its component no ledger, and it uses ledger.${String(name)}`);
  },
});

/** The port of a component as the runtime would build it: the schema's defaults, `options` over them. Not connected. */
export function buildComponent<C extends Category, S extends MetadataSchema>(
  definition: ComponentDefinition<C, S>,
  options: Readonly<Record<string, unknown>> = {},
  parts: TestContextParts = {},
): Ports[C] {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(definition.metadata, name));
  if (unknown.length > 0) throw new Error(`${definition.type} declares no ${unknown.join(', ')}`);
  const defaults = Object.fromEntries(Object.entries(definition.metadata).map(([name, { default: value }]) => [name, value]));
  const context: ComponentContext = {
    name: parts.name ?? 'tested',
    appId: parts.appId ?? 'tester',
    namespace: parts.namespace ?? 'default',
    options: { ...defaults, ...options },
    metadata: parts.metadata ?? {},
    log: parts.log ?? createKeptLog(),
    clock: parts.clock ?? realClock,
    ledger: parts.ledger ?? noLedger,
    env: parts.env ?? {},
    ...(parts.openLedger ? { openLedger: parts.openLedger } : {}),
  };
  return definition.create(context as never);
}

/** Connects a port; the bound is one that no healthy backend needs. */
export async function connected<P extends { connect?(signal: AbortSignal): Promise<void> }>(port: P): Promise<P> {
  await port.connect?.(AbortSignal.timeout(30_000));
  return port;
}

/** Looks again and again until `holds`; for what sends no event. The test's own timeout is the bound. */
export async function until(holds: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}
