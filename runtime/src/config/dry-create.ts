/**
 * What a component says of its options before anything is started: `create` does no I/O, so it can be asked with nothing
 * behind it. What is created is dropped, never connected.
 */
import type { ComponentContext, ComponentDefinition, ComponentLog, Ledger } from '@mecha/components/kit';
import { messageOf } from '../errors.ts';
import type { ComponentResource } from './resource-types.ts';

/** A component asked for what is only there at run time; whether its options are right is not known then. */
class NotThereYet extends Error {}

const noLedger = new Proxy({} as Ledger, {
  get() {
    throw new NotThereYet('there is no ledger before the start');
  },
});
const silent = (): void => undefined;
const noLog: ComponentLog = { debug: silent, info: silent, warn: silent, error: silent };

/** Why the component will not have its options, in words; undefined when it will, or when only the start can tell. */
export function refusalOf(resource: ComponentResource, definition: ComponentDefinition, options: Readonly<Record<string, unknown>>): string | undefined {
  // References and templates are filled at the start.
  if (resource.metadata.some(({ value }) => value === undefined || /\{\w+\}/.test(value))) return undefined;
  const context: ComponentContext = {
    name: resource.name,
    appId: 'app',
    namespace: 'default',
    options,
    metadata: Object.fromEntries(resource.metadata.map(({ name, value }) => [name, value ?? ''])),
    log: noLog,
    clock: { now: () => 0, after: () => silent },
    ledger: noLedger,
    env: {},
  };
  try {
    definition.create(context);
    return undefined;
  } catch (error) {
    return error instanceof NotThereYet ? undefined : messageOf(error);
  }
}
