/** For tests only: what the runtime would hand to a component, with real time and logs kept for the test to look at. */
import type { Category, Clock, ComponentContext, ComponentDefinition, MetadataSchema, Ports } from '@mecha/components/kit';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export interface TestComponent<P> {
  readonly port: P;
  readonly logs: LogLine[];
}

/** Builds a component with the schema's defaults and the given options over them. Not connected yet. */
export function build<C extends Category, S extends MetadataSchema>(
  definition: ComponentDefinition<C, S>,
  given: Readonly<Record<string, unknown>>,
  identity: { readonly appId?: string; readonly name?: string } = {},
): TestComponent<Ports[C]> {
  const logs: LogLine[] = [];
  const keep = (level: LogLine['level']) => (fields: Record<string, unknown>, message: string) => void logs.push({ level, fields, message });
  const defaults = Object.fromEntries(Object.entries(definition.metadata).map(([name, field]) => [name, field.default]));
  const context = {
    name: identity.name ?? 'tested',
    appId: identity.appId ?? 'tester',
    namespace: 'default',
    options: { ...defaults, ...given },
    metadata: {},
    log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') },
    clock: systemClock,
    env: {},
  };
  // The backends under test use no ledger.
  return { port: definition.create(context as unknown as ComponentContext<never>), logs };
}

/** Connects, or fails within a time that no healthy server needs. */
export async function connected<P extends { connect?(signal: AbortSignal): Promise<void> }>(component: { readonly port: P }): Promise<P> {
  await component.port.connect?.(AbortSignal.timeout(30_000));
  return component.port;
}

/** Waits until `holds` is true, looking again as time passes; the test's own timeout is the bound. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}
