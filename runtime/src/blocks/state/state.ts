/**
 * The state block: what every state call means, whichever protocol brought it.
 *
 * Owns: looking up the store, key prefixes, request checks, time to live, the choice of error, fan-out where a store has
 * no bulk operation, and handing outbox records to the store's own transaction. Does not own: storage, envelopes.
 */
import { EtagError } from '@mecha/components/kit';
import type {
  Concurrency,
  Consistency,
  DeleteState,
  GetState,
  SetState,
  StateOperation,
  StateOptions,
  StateRecord,
  StateStore,
} from '@mecha/components/kit';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import { MechaError, messageOf } from '../../errors.ts';
import { outboxConfigOf } from '../../outbox/outbox-config.ts';
import { outboxRecordsFor } from '../../outbox/outbox-event.ts';
import type { Call } from '../../pipeline.ts';
import type { Resilience } from '../../resilience/resilience.ts';
import type { DeleteItem, SaveItem } from '../../state/state-item.ts';
import { Timings, type Metrics } from '../../telemetry/metrics.ts';
import { keySpaceOf, type KeySpace } from './key-prefix.ts';
import { errors } from './state-errors.ts';

type Words = Readonly<Record<string, string>>;

export type TransactionItem =
  | ({ readonly operation: 'upsert' } & SaveItem)
  | ({ readonly operation: 'delete' } & DeleteItem);

export interface GetResult {
  readonly data: Uint8Array;
  readonly etag: string | undefined;
  /** `ttlExpireTime` and whatever the store adds. */
  readonly metadata: Words;
}
export interface BulkGetItem {
  readonly key: string;
  readonly data?: Uint8Array;
  readonly etag?: string;
  readonly metadata?: Words;
  readonly error?: string;
}

export interface StateBlock {
  /** Undefined when there is no such key. */
  get(call: Call, request: { store: string; key: string; consistency?: string | undefined; metadata: Words }): Promise<GetResult | undefined>;
  /** One item per key, in the order asked. */
  bulkGet(call: Call, request: { store: string; keys: readonly string[]; parallelism: number; metadata: Words }): Promise<readonly BulkGetItem[]>;
  save(call: Call, request: { store: string; items: readonly SaveItem[] }): Promise<void>;
  delete(call: Call, request: { store: string; item: DeleteItem }): Promise<void>;
  deleteBulk(call: Call, request: { store: string; items: readonly DeleteItem[] }): Promise<void>;
  /**
   * Checks that `store` exists and has transactions; faces that parse operations call it first, since the contract
   * reports those two before a bad body.
   */
  checkTransactions(store: string): void;
  /** All or nothing. `operation` words are checked by `operationOf`. */
  transact(call: Call, request: { store: string; operations: readonly TransactionItem[]; metadata: Words }): Promise<void>;
}

export interface StateBlockParts {
  readonly appId: string;
  /** NAMESPACE of the environment, '' when unset. */
  readonly namespaceOfEnv: string | undefined;
  readonly components: ComponentLookup;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
  readonly clock: { now(): number };
  readonly uuid: () => string;
}

/** The operation word of a transaction item; anything but the two exact words is refused. */
export function operationOf(word: string): 'upsert' | 'delete' {
  if (word === 'upsert' || word === 'delete') return word;
  throw errors.unknownOperation(word);
}

interface Store {
  readonly instance: Instance<'state'>;
  readonly port: StateStore;
  readonly keys: KeySpace;
  /** By operation and whether it succeeded: `get true`. */
  readonly timings: Timings;
}

const TTL_SECONDS_MAX = 2 ** 31 - 1;
const FAN_OUT_MAX = 100;

export function createStateBlock(parts: StateBlockParts): StateBlock {
  const { components, appId } = parts;
  const known = new WeakMap<Instance<'state'>, Omit<Store, 'port'>>();

  function instanceOf(name: string): Instance<'state'> {
    const instance = components.find('state', name);
    if (instance) return instance;
    throw components.all('state').length === 0 ? errors.notConfigured(name, appId) : errors.notFound(name, appId);
  }

  function storeOf(name: string): Store {
    const instance = instanceOf(name);
    const port = components.ready(instance);
    let store = known.get(instance);
    if (!store) {
      store = { instance, keys: keySpaceOf(instance, appId, parts.namespaceOfEnv), timings: timingsOf(instance.name) };
      known.set(instance, store);
    }
    return { instance, port, keys: store.keys, timings: store.timings };
  }

  function timingsOf(component: string): Timings {
    return new Timings((word) => {
      const [operation = '', success = ''] = word.split(' ');
      return parts.metrics.timing('component_state_count', 'component_state_latencies', { component, operation, success });
    });
  }

  function storedKey(store: Store, key: string): string {
    const stored = store.keys.stored(key);
    if (stored === undefined) throw errors.illegalKey(store.instance.name, key);
    return stored;
  }

  /** Runs against the backend: under the component's policy, counted and timed. */
  async function measured<T>(call: Call, store: Store, operation: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const began = performance.now();
    let success = false;
    try {
      const policy = parts.resilience.forComponent(store.instance.name, 'Statestore', 'outbound');
      const result = await (policy.active ? policy.run(call.signal, work) : work(call.signal));
      success = true;
      return result;
    } finally {
      store.timings.record(`${operation} ${success}`, performance.now() - began);
    }
  }

  /**
   * The same for several items, each with an outcome of its own: a policy sees a failure as long as one of them failed, and
   * each further attempt is for those alone, but not for those that it cannot mend.
   */
  async function measuredEach<R, O>(call: Call, store: Store, operation: string, requests: readonly R[], work: (left: readonly R[]) => Promise<readonly (O | Error)[]>): Promise<readonly (O | Error)[]> {
    const policy = parts.resilience.forComponent(store.instance.name, 'Statestore', 'outbound');
    if (!policy.active) return measured(call, store, operation, () => work(requests));
    const outcomes: (O | Error)[] = [];
    let left = requests.map((_request, index) => index);
    /** The last attempt came to an end, so that what failed in it is among the outcomes. */
    let told = false;
    const attempt = async (signal: AbortSignal): Promise<void> => {
      told = false;
      const asked = left;
      const results = await work(asked.map((index) => requests[index] as R));
      // The policy has given this attempt up: what it still brings counts for nothing.
      signal.throwIfAborted();
      for (const [position, index] of asked.entries()) outcomes[index] = results[position] as O | Error;
      told = true;
      left = asked.filter((index) => outcomes[index] instanceof Error && !(outcomes[index] instanceof EtagError));
      const first = left[0] === undefined ? undefined : outcomes[left[0]];
      if (first instanceof Error) throw first;
    };
    try {
      await measured(call, store, operation, attempt);
    } catch (error) {
      if (!told && left.length === requests.length) throw error;
      if (!told) for (const index of left) outcomes[index] = error instanceof Error ? error : new Error(String(error));
    }
    return outcomes;
  }

  function toSet(store: Store, item: SaveItem): SetState {
    const ttlSeconds = ttlOf(item.metadata);
    if (ttlSeconds !== undefined && ttlSeconds > 0 && !store.instance.features.includes('TTL')) {
      throw new Error(`state store ${store.instance.name} cannot expire keys, so ttlInSeconds is refused`);
    }
    return {
      key: storedKey(store, item.key),
      value: item.value,
      ...(item.etag ? { etag: item.etag } : {}),
      ...optionsOf(item),
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(item.metadata ? { metadata: item.metadata } : {}),
    };
  }

  function toDelete(store: Store, item: DeleteItem): DeleteState {
    return {
      key: storedKey(store, item.key),
      ...(item.etag ? { etag: item.etag } : {}),
      ...optionsOf(item),
      ...(item.metadata ? { metadata: item.metadata } : {}),
    };
  }

  return {
    async get(call, request) {
      const store = storeOf(request.store);
      const key = storedKey(store, request.key);
      try {
        const consistency = consistencyOf(request.consistency);
        const record = await measured(call, store, 'get', () =>
          store.port.get({ key, ...(consistency ? { consistency } : {}), metadata: request.metadata }),
        );
        return record && { data: record.data, etag: record.etag, metadata: metadataOf(record) };
      } catch (error) {
        throw wrap(error, (text) => errors.get(request.store, request.key, text, error));
      }
    },

    async bulkGet(call, request) {
      const store = storeOf(request.store);
      if (request.keys.length === 0) return [];
      const requests: GetState[] = request.keys.map((key) => ({ key: storedKey(store, key), metadata: request.metadata }));
      try {
        const results = await measuredEach(call, store, 'bulk_get', requests, (left) => bulkGetFrom(store.port, left, request.parallelism));
        return results.map((result, index) => bulkItem(request.keys[index] ?? '', result));
      } catch (error) {
        throw wrap(error, (text) => errors.bulkGet(text, error));
      }
    },

    async save(call, request) {
      const store = storeOf(request.store);
      for (const item of request.items) if (item.key === '') throw errors.keyEmpty();
      try {
        const sets = request.items.map((item) => toSet(store, item));
        const [only] = sets;
        if (only === undefined) return;
        if (sets.length === 1) await measured(call, store, 'set', () => store.port.set(only));
        else throwFirst(await measuredEach(call, store, 'bulk_set', sets, (left) => bulkSetTo(store.port, left)));
      } catch (error) {
        throw wrapEtag(error, (kind, text) => pick(kind, errors.saveMismatch, errors.saveInvalid, errors.save)(request.store, text, error));
      }
    },

    async delete(call, request) {
      const store = storeOf(request.store);
      try {
        const item = toDelete(store, request.item);
        await measured(call, store, 'delete', () => store.port.delete(item));
      } catch (error) {
        throw wrapEtag(error, (kind, text) => pick(kind, errors.deleteMismatch, errors.deleteInvalid, errors.delete)(request.item.key, text, error));
      }
    },

    async deleteBulk(call, request) {
      const store = storeOf(request.store);
      try {
        const items = request.items.map((item) => toDelete(store, item));
        if (items.length === 0) return;
        throwFirst(await measuredEach(call, store, 'bulk_delete', items, (left) => bulkDeleteFrom(store.port, left)));
      } catch (error) {
        throw wrapEtag(error, (kind, text) =>
          pick(kind, errors.bulkDeleteMismatch, errors.bulkDeleteInvalid, errors.bulkDelete)(request.store, text, error),
        );
      }
    },

    checkTransactions(name) {
      const store = storeOf(name);
      if (!store.port.transact) throw errors.transactionsUnsupported(name);
    },

    async transact(call, request) {
      const store = storeOf(request.store);
      const transact = store.port.transact?.bind(store.port);
      if (!transact) throw errors.transactionsUnsupported(request.store);
      const most = store.port.transactOperationsMax;
      if (most !== undefined && request.operations.length > most) throw errors.tooManyOperations(request.store, request.operations.length, most);
      if (request.operations.length === 0) return;

      let operations: readonly StateOperation[];
      try {
        operations = request.operations.map((item) =>
          item.operation === 'upsert' ? { type: 'upsert', ...toSet(store, item) } : { type: 'delete', ...toDelete(store, item) },
        );
      } catch (error) {
        throw wrap(error, (text) => errors.transaction(text, error));
      }
      const withOutbox = addOutbox(call, store, operations);
      try {
        await measured(call, store, 'transaction', () => transact({ ...withOutbox, metadata: request.metadata }));
      } catch (error) {
        throw wrap(error, (text) => errors.transaction(text, error));
      }
    },
  };

  function addOutbox(call: Call, store: Store, operations: readonly StateOperation[]) {
    const config = outboxConfigOf(store.instance.metadata);
    if (!config) return { operations };
    if (!store.port.outbox) throw errors.outbox(appId, `state store ${store.instance.name} cannot keep an outbox`);
    try {
      const made = outboxRecordsFor({ operations, config, appId, trace: call.trace, now: parts.clock.now(), uuid: parts.uuid });
      return { operations: made.operations, outbox: made.records };
    } catch (error) {
      throw errors.outbox(appId, messageOf(error));
    }
  }
}

function pick<T>(kind: EtagError['kind'] | undefined, mismatch: T, invalid: T, other: T): T {
  return kind === 'mismatch' ? mismatch : kind === 'invalid' ? invalid : other;
}

/** Errors that already are the block's (or the pipeline's) pass; a backend's become `make(text)`. */
function wrap(error: unknown, make: (text: string) => MechaError): MechaError {
  return error instanceof MechaError ? error : make(textOf(error));
}
function wrapEtag(error: unknown, make: (kind: EtagError['kind'] | undefined, text: string) => MechaError): MechaError {
  if (error instanceof MechaError) return error;
  return make(error instanceof EtagError ? error.kind : undefined, textOf(error));
}
/** A message with its cause behind a colon, as the contract's texts have it. */
function textOf(error: unknown): string {
  if (error instanceof EtagError && error.cause !== undefined) return `${error.message}: ${messageOf(error.cause)}`;
  return messageOf(error);
}

function optionsOf(item: { concurrency?: string | undefined; consistency?: string | undefined }): { options?: StateOptions } {
  const concurrency = concurrencyOf(item.concurrency);
  const consistency = consistencyOf(item.consistency);
  if (!concurrency && !consistency) return {};
  return { options: { ...(concurrency ? { concurrency } : {}), ...(consistency ? { consistency } : {}) } };
}
function concurrencyOf(word: string | undefined): Concurrency | undefined {
  if (word === undefined || word === '') return undefined;
  if (word === 'first-write' || word === 'last-write') return word;
  throw new Error(`unrecognized concurrency model '${word}'`);
}
function consistencyOf(word: string | undefined): Consistency | undefined {
  if (word === undefined || word === '') return undefined;
  if (word === 'strong' || word === 'eventual') return word;
  throw new Error(`unrecognized consistency model '${word}'`);
}

/** `ttlInSeconds` (behaviour.md 4.4): an integer from -1 to 2^31-1. */
function ttlOf(metadata: Words | undefined): number | undefined {
  const text = metadata?.['ttlInSeconds'];
  if (text === undefined || text === '') return undefined;
  const seconds = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= -1 && seconds <= TTL_SECONDS_MAX)) {
    throw new Error(`ttlInSeconds must be a whole number from -1 to ${TTL_SECONDS_MAX}, not '${text}'`);
  }
  return seconds;
}

function metadataOf(record: StateRecord): Words {
  if (record.expiresAt === undefined) return record.metadata ?? {};
  return { ...record.metadata, ttlExpireTime: new Date(record.expiresAt).toISOString().replace(/\.\d+Z$/, 'Z') };
}

function bulkItem(key: string, result: StateRecord | undefined | Error): BulkGetItem {
  if (result === undefined) return { key };
  if (result instanceof Error) return { key, error: messageOf(result) };
  const metadata = metadataOf(result);
  return {
    key,
    data: result.data,
    ...(result.etag ? { etag: result.etag } : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  };
}

/** The first conflict of a bulk write, else its first failure: what the caller is told. */
function throwFirst(outcomes: readonly (Error | undefined)[]): void {
  const failed = outcomes.filter((outcome) => outcome !== undefined);
  const worst = failed.find((outcome) => outcome instanceof EtagError) ?? failed[0];
  if (worst) throw worst;
}

async function bulkGetFrom(store: StateStore, requests: readonly GetState[], parallelism: number) {
  if (store.bulkGet && requests.length > 1) return store.bulkGet(requests);
  return fanOut(requests, parallelism > 0 ? Math.min(parallelism, FAN_OUT_MAX) : FAN_OUT_MAX, (request) => store.get(request));
}
async function bulkSetTo(store: StateStore, requests: readonly SetState[]): Promise<readonly (Error | undefined)[]> {
  if (store.bulkSet) return store.bulkSet(requests);
  return fanOut(requests, FAN_OUT_MAX, (request) => store.set(request).then(() => undefined));
}
async function bulkDeleteFrom(store: StateStore, requests: readonly DeleteState[]): Promise<readonly (Error | undefined)[]> {
  if (store.bulkDelete) return store.bulkDelete(requests);
  return fanOut(requests, FAN_OUT_MAX, (request) => store.delete(request).then(() => undefined));
}

/** Every item, at most `atOnce` under way; a failure is that item's result. */
async function fanOut<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<(R | Error)[]> {
  const results = new Array<R | Error>(items.length);
  let next = 0;
  async function lane(): Promise<void> {
    for (let index = next++; index < items.length; index = next++) {
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        results[index] = error instanceof Error ? error : new Error(String(error));
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
