/** What `npm start -- …` takes. */
import { parseArgs } from 'node:util';
import { oneOf, positive } from '../../driver/terminal.ts';

export const INVENTORIES = ['js', 'python', 'go'] as const;
export const RESOURCES = ['embedded', 'redis-kafka'] as const;
export const VARIANTS = ['choreographed', 'orchestrated'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Arguments {
  readonly orders: number;
  readonly variant: Variant;
  readonly exit: boolean;
  readonly keep: boolean;
  readonly resources: (typeof RESOURCES)[number];
  readonly inventory: (typeof INVENTORIES)[number];
  readonly atOnce: number;
  /** Orders per second; 0 = as fast as they are answered. */
  readonly rate: number;
  /** Seconds after which an order that is not final counts as lost. */
  readonly patience: number;
  /** Another run file than the inventory's own; for tests that put a faulty service in its place. */
  readonly runFile: string | undefined;
  /** Another folder of resources; for the same tests. */
  readonly resourcesPath: string | undefined;
}

export const HELP = `npm start -- [options]

Runs the order saga: services that hold only business code, and their Mecha.

  --orders N             how many orders to place (default 50)
  --variant WAY          choreographed (default: by events) or orchestrated (by a workflow that compensates)
  --resources SET        embedded (default) or redis-kafka
  --inventory LANGUAGE   js (default), python or go
  --exit                 end after the summary: 0 when the invariants hold, 1 otherwise
  --keep                 keep the data in samples/order-saga/.mecha and use it again
  --rate N               orders per second (default 50; 0 = as fast as they are answered)
  --at-once N            orders that wait for their answer at a time (default 8)
  --patience SECONDS     when an order that is not final counts as lost (default 60)
  --run-file FILE        another run file than samples/order-saga/mecha*.yaml
  --resources-path DIR   another folder than that of the set
  --sample NAME          another sample than this one: bindings-pipeline
  --help                 this text
`;

/** Throws an error with words for the user when something is not as it should be. */
export function parseArguments(argv: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      orders: { type: 'string', default: '50' },
      variant: { type: 'string', default: 'choreographed' },
      resources: { type: 'string', default: 'embedded' },
      'resources-path': { type: 'string' },
      inventory: { type: 'string', default: 'js' },
      'at-once': { type: 'string', default: '8' },
      rate: { type: 'string', default: '50' },
      'run-file': { type: 'string' },
      patience: { type: 'string', default: '60' },
      exit: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const variant = oneOf('--variant', values.variant, VARIANTS);
  if (variant === 'orchestrated' && (values.resources !== 'embedded' || values.inventory !== 'js')) throw new Error('--variant orchestrated has its services in js and its records in embedded resources');
  return {
    variant,
    orders: positive('--orders', values.orders),
    atOnce: positive('--at-once', values['at-once']),
    rate: values.rate === '0' ? 0 : positive('--rate', values.rate),
    resources: oneOf('--resources', values.resources, RESOURCES),
    inventory: oneOf('--inventory', values.inventory, INVENTORIES),
    exit: values.exit,
    keep: values.keep,
    runFile: values['run-file'],
    resourcesPath: values['resources-path'],
    patience: positive('--patience', values.patience),
  };
}
