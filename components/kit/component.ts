/**
 * What a backend declares of itself: one value, from which everything else about it is derived (validation of user
 * YAML, the typed options, the JSON Schema, its page in the docs, its row in the catalog, which conformance cases run).
 *
 * Owns: the shape of a declaration, and the builders for metadata fields. Does not own: reading YAML, or deciding when
 * a component is created (the runtime does both).
 */
import type { Binding, BindingOperations } from './bindings.ts';
import type { Ledger } from './ledger.ts';
import type { SecretStore } from './secret-store.ts';
import type { StateStore } from './state-store.ts';
import type { PubSub } from './pubsub.ts';

/** The ports a component may implement, by the category that begins its type id. Later blocks add theirs here. */
export interface Ports {
  state: StateStore;
  pubsub: PubSub;
  secretstores: SecretStore;
  bindings: Binding;
}
export type Category = keyof Ports;

/**
 * How the text of a metadata value becomes an option. Two decoders exist in the field (components.md B.0): the common
 * one reads a bare integer duration as seconds and `yes`/`on` as true; the Redis family reads milliseconds and refuses
 * them. A field therefore says which it follows.
 */
export type MetadataType = 'string' | 'integer' | 'number' | 'boolean' | 'duration' | 'size' | 'list' | 'json' | 'group';

export interface MetadataField<T = unknown> {
  readonly type: MetadataType;
  /** One or two sentences for the docs, the JSON Schema and `mecha components describe`. */
  readonly description: string;
  readonly required?: boolean;
  readonly default?: T;
  /** Other spellings that count when the main one is absent. */
  readonly aliases?: readonly string[];
  /** Never shown in logs, errors, describe output or the dashboard. */
  readonly secret?: boolean;
  /** Closed set of words; compared without regard to case unless `exactCase`. */
  readonly values?: readonly string[];
  readonly exactCase?: boolean;
  /** `duration` only: the unit of a bare integer. */
  readonly integerUnit?: 'ms' | 's' | 'ns';
  /** `boolean` only: `strict` = 1 t T TRUE true True 0 f F FALSE false False; `truthy` = y yes true t on 1, all else false. */
  readonly booleanRule?: 'strict' | 'truthy';
  readonly minimum?: number;
  readonly maximum?: number;
  /** The name is known in the field, but Mecha does nothing with it: loading warns 'has no effect', with this reason. */
  readonly noEffect?: string;
  /** Phantom: carries the option's type. */
  readonly _type?: T;
}
export type MetadataSchema = Readonly<Record<string, MetadataField>>;

type Settings<T> = Omit<MetadataField<T>, 'type' | 'description' | '_type'>;
type Built<T, S> = MetadataField<S extends { required: true } | { default: T } ? T : T | undefined> & S;

function builder<T>(type: MetadataType) {
  return <const S extends Settings<T> = Record<never, never>>(description: string, settings?: S): Built<T, S> =>
    ({ type, description, ...settings }) as unknown as Built<T, S>;
}

/** Builders, so that a declaration reads as a table: `redisHost: field.string('host:port of the server', { required: true })`. */
export const field = {
  string: builder<string>('string'),
  integer: builder<number>('integer'),
  number: builder<number>('number'),
  boolean: builder<boolean>('boolean'),
  /** Option value in milliseconds. */
  duration: builder<number>('duration'),
  /** Option value in bytes; accepts Kubernetes quantities (`10Mi`). */
  size: builder<number>('size'),
  /** Comma list; option value `string[]`, blanks trimmed. */
  list: builder<readonly string[]>('list'),
  /** JSON text; option value is the parsed value. */
  json: builder<unknown>('json'),
  /**
   * All names that begin alike: declared as `'header:*'` (letters, then a colon), given as `header:Accept`. Option value by what stands in the place
   * of the `*`, letter by letter as the user wrote it.
   */
  group: <const S extends { secret?: boolean } = Record<never, never>>(description: string, settings?: S) =>
    builder<Readonly<Record<string, string>>>('group')(description, { default: {}, ...settings }),
  /** A name that the field's documents know and that changes nothing here. */
  noEffect: (description: string, reason: string): MetadataField<undefined> => ({ type: 'string', description, noEffect: reason }),
};

/** The typed options of a schema: `{ redisHost: string; enableTLS: boolean; ... }`. */
export type OptionsOf<S extends MetadataSchema> = { readonly [K in keyof S]: S[K] extends MetadataField<infer T> ? T : never };

export interface ComponentLog {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Time as a port, so that tests and the simulator turn the clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `ms`; never keeps the process alive by itself. The returned function cancels. */
  after(ms: number, callback: () => void): () => void;
}

/** All a component is given; nothing global. */
export interface ComponentContext<O = Readonly<Record<string, unknown>>> {
  /** `metadata.name` of the resource. */
  readonly name: string;
  readonly appId: string;
  readonly namespace: string;
  readonly options: O;
  /** Every metadata entry as text after secrets, env references and templates were resolved, keys as the user wrote them. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly log: ComponentLog;
  readonly clock: Clock;
  /** The process's transactional store. */
  readonly ledger: Ledger;
  /** Opens (or shares, when this process has it open) a ledger file of its own at `path`. */
  readonly openLedger?: (path: string) => Promise<Ledger>;
  /** Environment as this app's sidecar sees it (never read `process.env` in a component). */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ComponentDefinition<C extends Category = Category, S extends MetadataSchema = MetadataSchema> {
  /** `<category>.<name>`, lower case: `state.redis`. */
  readonly type: `${C}.${string}`;
  /** Other type ids for the same thing: `state.sqlite3`. */
  readonly aliases?: readonly string[];
  /** Versions this declaration serves; a missing version in YAML means `v1`. */
  readonly versions: readonly string[];
  readonly status: 'stable' | 'beta' | 'alpha';
  readonly title: string;
  readonly description: string;
  /** What an acknowledged write or publish survives, for the docs; absent where nothing is written. */
  readonly durability?: string;
  readonly metadata: S;
  /** Capabilities as the metadata API lists them: ETAG, TRANSACTIONAL, TTL, MESSAGE_TTL, BULK_PUBSUB ... */
  readonly features: readonly string[];
  /** Bindings: what can be asked of it. Empty where the options decide (`Binding.operations`); absent on mere sources. */
  readonly operations?: BindingOperations;
  /** Bindings whose options decide: what these options make of it, without a backend. For `mecha components describe`. */
  operationsFor?(options: OptionsOf<S>): Promise<BindingOperations>;
  /** npm package that `create` or `connect` imports lazily; named in the error if it is missing. */
  readonly library?: string;
  /** Builds the port's value. No I/O here: connecting is `connect()` of the port, which the runtime retries. */
  create(context: ComponentContext<OptionsOf<S>>): Ports[C];
}

/** Declares a component; the only thing a component file exports by default. */
export function defineComponent<C extends Category, const S extends MetadataSchema>(definition: ComponentDefinition<C, S>): ComponentDefinition<C, S> {
  return definition;
}
