/**
 * What every state store must do, whatever lies behind it: `stateStoreConformance('state.redis', { open, features, ... })`
 * in a test file registers one case per claim.
 *
 * What a store may leave out is decided by its declared features alone, and a feature that is not declared must not be
 * there: nothing passes by being left out. Keys carry a random prefix, so a shared server may be used.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClaimedOutboxRecord, OutboxRecord, OutboxSource } from '../outbox.ts';
import { EtagError } from '../state-store.ts';
import type { BulkOutcome, SetState, StateOperation, StateRecord, StateStore, StateValue, TransactState } from '../state-store.ts';
import { until } from '../testing.ts';

export interface StateStoreConformance {
  /** A connected store. Every call opens another instance on the same storage, where there is storage to share. */
  open(): Promise<StateStore>;
  /** `features` of the component's declaration: `ETAG`, `TRANSACTIONAL` and `TTL` decide which cases run. */
  readonly features: readonly string[];
  /** Well-formed for this store, and no record's etag. */
  readonly badEtag: string;
  /** Records are told by the store when they expire (`expiresAt`). Default: true with TTL. */
  readonly tellsExpiry?: boolean;
  /** A set without a TTL leaves an earlier expiry alone, as the store's documents say. Default: false, it is cleared. */
  readonly setKeepsExpiry?: boolean;
  /** `transact` keeps outbox records in this very store. Default: true with TRANSACTIONAL. */
  readonly outbox?: boolean;
  /** What was acknowledged is there after `close` and another `open`. Default: true. */
  readonly persistent?: boolean;
}

const EXPIRY_SLACK_MS = 120_000;
const LONG_LEASE_MS = 600_000;
const ODD_KEYS = [
  'a|b', 'a||b', '||', 'a@b', 'a/b', '/a/../b', 'a%b', 'a%2Fb', 'a%zz', '%', '_', 'a b', 'a b ', ' a b', "a'b", 'a"b', 'a\\b', 'a;b--', 'a?b#c', 'a:b', 'a*b', '{a}b', '[a]', 'a\nb',
  'Key', 'key', 'KEY', 'schlüssel', 'schlu\u0308ssel', '鍵', '🔑', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', '0', 'k'.repeat(400),
];

const json = (value: unknown): StateValue => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
const bytes = (data: Uint8Array): StateValue => ({ data, binary: true });
const allBytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const textOf = (record: StateRecord | undefined): string | undefined => record && Buffer.from(record.data).toString();
const sameBytes = (record: StateRecord | undefined, data: Uint8Array): boolean => record !== undefined && Buffer.from(record.data).equals(data);

async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('this should have been refused, and was not');
}
async function expectMismatch(work: Promise<unknown>, key: string): Promise<void> {
  const error = await refusal(work);
  expect(error).toBeInstanceOf(EtagError);
  expect(error).toMatchObject({ kind: 'mismatch', key });
}

/** The bulk calls as the service makes them: the store's own, else one by one. */
function bulkOf(store: StateStore) {
  const outcome = (work: Promise<void>): Promise<BulkOutcome> => work.then(() => undefined, (error: unknown) => error as Error);
  return {
    get: (keys: readonly string[]) => {
      const requests = keys.map((key) => ({ key }));
      return store.bulkGet ? store.bulkGet(requests) : Promise.all(requests.map((request) => store.get(request)));
    },
    set: (requests: readonly SetState[]) => (store.bulkSet ? store.bulkSet(requests) : Promise.all(requests.map((request) => outcome(store.set(request))))),
    delete: (requests: readonly { key: string; etag?: string }[]) =>
      store.bulkDelete ? store.bulkDelete(requests) : Promise.all(requests.map((request) => outcome(store.delete(request)))),
  };
}

export function stateStoreConformance(name: string, options: StateStoreConformance): void {
  const has = (feature: string): boolean => options.features.includes(feature);
  const run = randomUUID();
  const newKey = (): string => `conformance-${run}-${randomUUID()}`;
  let store: StateStore;

  const etagOf = async (key: string): Promise<string> => {
    const etag = (await store.get({ key }))?.etag;
    expect(etag, 'the record has an etag').toBeTruthy();
    return etag ?? '';
  };
  const transact = (operations: readonly StateOperation[], outbox?: readonly OutboxRecord[]): Promise<void> => {
    if (!store.transact) throw new Error('TRANSACTIONAL is declared, and there is no transact');
    const request: TransactState = { operations, ...(outbox ? { outbox } : {}) };
    return store.transact(request);
  };
  const parts: Parts = { options, newKey, transact, etagOf, store: () => store };

  describe(`${name} is a state store`, () => {
    beforeAll(async () => {
      store = await options.open();
    });
    afterAll(async () => {
      await store.close?.();
      await store.close?.();
    });

    describe('values', () => valueCases(parts));
    describe('bulk', () => bulkCases(parts));
    if (has('ETAG')) describe('etags', () => etagCases(parts));
    else
      test('without ETAG no record has an etag', async () => {
        const key = newKey();
        await store.set({ key, value: json(1) });
        expect((await store.get({ key }))?.etag).toBeUndefined();
      });
    describe('concurrency', () => firstWriteCases(parts));
    // These wait for time to pass, so they wait together.
    if (has('TTL')) describe.concurrent('expiry', () => ttlCases(parts));
    else
      test('without TTL no record says that it expires', async () => {
        const key = newKey();
        await store.set({ key, value: json(1) });
        expect((await store.get({ key }))?.expiresAt).toBeUndefined();
      });
    if (has('TRANSACTIONAL')) {
      describe('transactions', () => transactionCases(parts, has('ETAG'), has('TTL')));
      if (options.outbox ?? true) describe('outbox', () => outboxCases(parts));
      else test('without an outbox there is none to be had', () => expect(store.outbox).toBeUndefined());
    } else test('without TRANSACTIONAL there is neither transact nor outbox', () => expect([store.transact, store.outbox]).toEqual([undefined, undefined]));
    if (options.persistent ?? true)
      test('what was acknowledged is there for another instance, and after both were closed', async () => {
        const key = newKey();
        await store.set({ key, value: bytes(allBytes) });
        const first = await store.get({ key });
        for (let round = 0; round < 2; round++) {
          const other = await options.open();
          expect(await other.get({ key })).toEqual(first);
          await other.close?.();
        }
      });
  });
}

interface Parts {
  readonly options: StateStoreConformance;
  newKey(): string;
  transact(operations: readonly StateOperation[], outbox?: readonly OutboxRecord[]): Promise<void>;
  etagOf(key: string): Promise<string>;
  store(): StateStore;
}

function valueCases({ newKey, store }: Parts): void {
  test('a ping succeeds where there is one', async () => {
    await expect((async () => store().ping?.())()).resolves.toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['a number', 123],
    ['a fraction', -0.5e-7],
    ['a boolean', true],
    ['null', null],
    ['a text', 'hello world'],
    ['an empty text', ''],
    ['text that is JSON', '{"a":"b"}'],
    ['text beyond Latin', 'grün 鍵 🔑 \u0000 \u2028'],
    ['an object', { product: { value: 15 }, list: [1, '2', null] }],
    ['an empty array', []],
  ])('%s comes back as the same JSON text', async (_what, value) => {
    const key = newKey();
    await store().set({ key, value: json(value) });
    const record = await store().get({ key });
    expect(record?.key).toBe(key);
    expect(textOf(record)).toBe(JSON.stringify(value));
  });

  test('JSON text is kept to the letter: blanks, order of members, long numbers', async () => {
    const key = newKey();
    const text = '{ "b" : 1.0,\n"a":12345678901234567890, "a": 2 }';
    await store().set({ key, value: { data: Buffer.from(text), binary: false } });
    expect(textOf(await store().get({ key }))).toBe(text);
  });

  test.each<[string, Uint8Array]>([
    ['one byte', Buffer.from([1])],
    ['every byte there is', allBytes],
    ['no byte at all', Buffer.alloc(0)],
    ['bytes that are no UTF-8', Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x00, 0x80])],
    ['bytes that look like base64', Buffer.from('aGVsbG8=')],
    ['a view into a larger buffer', allBytes.subarray(10, 20)],
  ])('binary values are safe: %s', async (_what, data) => {
    const key = newKey();
    await store().set({ key, value: bytes(data) });
    expect(sameBytes(await store().get({ key }), data)).toBe(true);
  });

  test('a value of one megabyte comes back whole, as JSON and as bytes', async () => {
    const [text, raw] = [newKey(), newKey()];
    const large = Buffer.alloc(1024 * 1024, allBytes);
    await store().set({ key: text, value: json('x'.repeat(1024 * 1024)) });
    await store().set({ key: raw, value: bytes(large) });
    expect(textOf(await store().get({ key: text }))?.length).toBe(1024 * 1024 + 2);
    expect(sameBytes(await store().get({ key: raw }), large)).toBe(true);
  });

  test('a missing key has no record, and deleting it succeeds', async () => {
    const key = newKey();
    expect(await store().get({ key })).toBeUndefined();
    await store().delete({ key });
    expect(await store().get({ key })).toBeUndefined();
  });

  test('a second set replaces the value and its kind; a delete takes the record away', async () => {
    const key = newKey();
    await store().set({ key, value: bytes(allBytes) });
    await store().set({ key, value: json({ a: 1 }) });
    expect(textOf(await store().get({ key }))).toBe('{"a":1}');
    await store().set({ key, value: bytes(Buffer.from([7])) });
    expect(sameBytes(await store().get({ key }), Buffer.from([7]))).toBe(true);
    await store().delete({ key });
    expect(await store().get({ key })).toBeUndefined();
  });

  test('any text is a key, and keys that differ in the least are different keys', async () => {
    const prefix = newKey();
    const keys = ODD_KEYS.flatMap((odd) => [`${prefix}${odd}`, `${odd}${prefix}`]);
    await Promise.all(keys.map((key) => store().set({ key, value: json(key) })));
    for (const key of keys) {
      const record = await store().get({ key });
      expect(record?.key).toBe(key);
      expect(textOf(record)).toBe(JSON.stringify(key));
    }
    await store().delete({ key: `${prefix}%` });
    const left = await Promise.all(keys.map((key) => store().get({ key })));
    expect(left.filter((record) => record === undefined)).toHaveLength(1);
  });

  test('what a caller does with its bytes afterwards changes nothing that is stored', async () => {
    const key = newKey();
    const given = Buffer.from('"given"');
    await store().set({ key, value: { data: given, binary: false } });
    given.fill(0);
    const read = await store().get({ key });
    expect(textOf(read)).toBe('"given"');
    read?.data.fill(0);
    expect(textOf(await store().get({ key }))).toBe('"given"');
  });

  test('a set is seen by every read that begins after it was acknowledged', async () => {
    const key = newKey();
    for (let round = 0; round < 50; round++) {
      await store().set({ key, value: json(round) });
      expect(textOf(await store().get({ key }))).toBe(String(round));
    }
  });
}

function bulkCases({ newKey, store, options, etagOf }: Parts): void {
  test('a bulk get answers in the order asked, also for missing keys and keys named twice', async () => {
    const [a, b, missing] = [newKey(), newKey(), newKey()];
    expect(await bulkOf(store()).set([{ key: a, value: json('a') }, { key: b, value: bytes(allBytes) }])).toEqual([undefined, undefined]);
    const records = (await bulkOf(store()).get([b, missing, a, b])) as readonly (StateRecord | undefined)[];
    expect(records.map((record) => record?.key)).toEqual([b, undefined, a, b]);
    expect(sameBytes(records[0], allBytes)).toBe(true);
    expect(textOf(records[2])).toBe('"a"');
    expect(records[2]).toEqual(await store().get({ key: a }));
  });

  test('bulk calls of nothing do nothing', async () => {
    expect(await bulkOf(store()).get([])).toEqual([]);
    expect(await bulkOf(store()).set([])).toEqual([]);
    expect(await bulkOf(store()).delete([])).toEqual([]);
  });

  test('five hundred keys are set, read and deleted at once', async () => {
    const keys = Array.from({ length: 500 }, newKey);
    expect((await bulkOf(store()).set(keys.map((key) => ({ key, value: json(key) })))).every((outcome) => outcome === undefined)).toBe(true);
    const records = (await bulkOf(store()).get(keys)) as readonly StateRecord[];
    expect(records.map(textOf)).toEqual(keys.map((key) => JSON.stringify(key)));
    expect((await bulkOf(store()).delete(keys.map((key) => ({ key })))).every((outcome) => outcome === undefined)).toBe(true);
    expect((await bulkOf(store()).get(keys)).every((record) => record === undefined)).toBe(true);
  });

  if (options.features.includes('ETAG')) {
    test('a bulk set does what it can: the item with a wrong etag fails alone', async () => {
      const [wrong, right, plain] = [newKey(), newKey(), newKey()];
      await bulkOf(store()).set([wrong, right].map((key) => ({ key, value: json('old') })));
      const before = await store().get({ key: wrong });
      const rightEtag = await etagOf(right);
      const outcomes = await bulkOf(store()).set([
        { key: wrong, value: json('new'), etag: options.badEtag },
        { key: right, value: json('new'), etag: rightEtag },
        { key: plain, value: json('new') },
      ]);
      expect(outcomes[0]).toBeInstanceOf(EtagError);
      expect(outcomes[0]).toMatchObject({ kind: 'mismatch', key: wrong });
      expect(outcomes.slice(1)).toEqual([undefined, undefined]);
      expect(await store().get({ key: wrong })).toEqual(before);
      expect(textOf(await store().get({ key: right }))).toBe('"new"');
      expect(await etagOf(right)).not.toBe(rightEtag);
      expect(textOf(await store().get({ key: plain }))).toBe('"new"');
    });

    test('a bulk delete does what it can: the item with a wrong etag fails alone', async () => {
      const [wrong, right] = [newKey(), newKey()];
      await bulkOf(store()).set([wrong, right].map((key) => ({ key, value: json('old') })));
      const before = await store().get({ key: wrong });
      const outcomes = await bulkOf(store()).delete([{ key: right, etag: await etagOf(right) }, { key: wrong, etag: options.badEtag }]);
      expect(outcomes[0]).toBeUndefined();
      expect(outcomes[1]).toMatchObject({ kind: 'mismatch', key: wrong });
      expect(await store().get({ key: right })).toBeUndefined();
      expect(await store().get({ key: wrong })).toEqual(before);
    });
  }
}

function etagCases({ newKey, store, options, etagOf }: Parts): void {
  test('every set gives another etag, even of the same value, and reads tell it', async () => {
    const key = newKey();
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      await store().set({ key, value: json('same') });
      seen.add(await etagOf(key));
    }
    expect(seen.size).toBe(5);
    expect(await etagOf(key)).toBe(await etagOf(key));
  });

  test('the right etag sets and deletes; an empty one counts as none', async () => {
    const key = newKey();
    await store().set({ key, value: json(1), etag: '' });
    await store().set({ key, value: json(2), etag: '' });
    await store().set({ key, value: json(3), etag: await etagOf(key) });
    expect(textOf(await store().get({ key }))).toBe('3');
    await store().delete({ key, etag: await etagOf(key) });
    expect(await store().get({ key })).toBeUndefined();
    await store().delete({ key, etag: '' });
  });

  test('a stale etag leaves the record alone, in a set and in a delete', async () => {
    const key = newKey();
    await store().set({ key, value: json('first') });
    const stale = await etagOf(key);
    await store().set({ key, value: json('second'), etag: stale });
    const before = await store().get({ key });
    for (const etag of [stale, options.badEtag]) {
      await expectMismatch(store().set({ key, value: json('third'), etag }), key);
      await expectMismatch(store().delete({ key, etag }), key);
    }
    expect(await store().get({ key })).toEqual(before);
  });

  test('an etag never matches a missing key, and nothing is made', async () => {
    const key = newKey();
    await expectMismatch(store().set({ key, value: json(1), etag: options.badEtag }), key);
    await expectMismatch(store().delete({ key, etag: options.badEtag }), key);
    expect(await store().get({ key })).toBeUndefined();
  });

  test('the etag of a deleted record does not fit the one that comes after it', async () => {
    const key = newKey();
    await store().set({ key, value: json('old') });
    await store().set({ key, value: json('older') });
    const old = await etagOf(key);
    await store().delete({ key });
    await expectMismatch(store().set({ key, value: json('new'), etag: old }), key);
  });

  test('of many writers with the same etag exactly one wins', async () => {
    const key = newKey();
    await store().set({ key, value: json('start') });
    const etag = await etagOf(key);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, writer) => store().set({ key, value: json(writer), etag })));
    const winners = outcomes.flatMap((outcome, writer) => (outcome.status === 'fulfilled' ? [writer] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(EtagError);
    expect(textOf(await store().get({ key }))).toBe(String(winners[0]));
  });

  test('concurrent writers that read, add one and write under the etag lose no addition', async () => {
    const key = newKey();
    await store().set({ key, value: json(0) });
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let added = 0; added < 5; ) {
          const record = await store().get({ key });
          try {
            await store().set({ key, value: json(Number(textOf(record)) + 1), etag: record?.etag ?? '' });
            added++;
          } catch (error) {
            expect(error).toBeInstanceOf(EtagError);
          }
        }
      }),
    );
    expect(textOf(await store().get({ key }))).toBe('40');
  });
}

function firstWriteCases({ newKey, store, options, etagOf }: Parts): void {
  const firstWrite = { concurrency: 'first-write', consistency: 'strong' } as const;

  test('a first write without an etag makes a record, and never replaces one', async () => {
    for (const etag of [undefined, '']) {
      const key = newKey();
      const request = { key, options: firstWrite, ...(etag === undefined ? {} : { etag }) };
      await store().set({ ...request, value: json('first') });
      const before = await store().get({ key });
      await expectMismatch(store().set({ ...request, value: json('second') }), key);
      expect(await store().get({ key })).toEqual(before);
      await store().delete({ key });
      await store().set({ ...request, value: json('third') });
      expect(textOf(await store().get({ key }))).toBe('"third"');
    }
  });

  test('a last write replaces whatever is there', async () => {
    const key = newKey();
    await store().set({ key, value: json(1), options: firstWrite });
    await store().set({ key, value: json(2), options: { concurrency: 'last-write', consistency: 'eventual' } });
    await store().set({ key, value: json(3) });
    expect(textOf(await store().get({ key }))).toBe('3');
  });

  test('of many first writers of one key exactly one wins', async () => {
    const key = newKey();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, writer) => store().set({ key, value: json(writer), options: firstWrite })));
    const winners = outcomes.flatMap((outcome, writer) => (outcome.status === 'fulfilled' ? [writer] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(EtagError);
    expect(textOf(await store().get({ key }))).toBe(String(winners[0]));
  });

  if (options.features.includes('ETAG'))
    test('a first write with an etag is a write under that etag', async () => {
      const key = newKey();
      await store().set({ key, value: json(1) });
      const stale = await etagOf(key);
      await store().set({ key, value: json(2), etag: stale, options: firstWrite });
      expect(await etagOf(key)).not.toBe(stale);
      await expectMismatch(store().set({ key, value: json(3), etag: stale, options: firstWrite }), key);
      expect(textOf(await store().get({ key }))).toBe('2');
    });
}

function ttlCases({ newKey, store, options, etagOf }: Parts): void {
  const tells = options.tellsExpiry ?? true;
  const hour = 3600;

  test('a record vanishes from every read when its time is over, and only it', async () => {
    const [short, long, none] = [newKey(), newKey(), newKey()];
    await store().set({ key: none, value: json('none') });
    await store().set({ key: long, value: json('long'), ttlSeconds: hour });
    await store().set({ key: short, value: json('short'), ttlSeconds: 2 });
    await until(async () => (await store().get({ key: short })) === undefined, 100);
    const records = (await bulkOf(store()).get([short, long, none])) as readonly (StateRecord | undefined)[];
    expect(records.map(textOf)).toEqual([undefined, '"long"', '"none"']);
  });

  test('an expired record counts as missing for first writes and etags', async () => {
    const [first, conditional] = [newKey(), newKey()];
    await Promise.all([first, conditional].map((key) => store().set({ key, value: json('old'), ttlSeconds: 1 })));
    const etag = (await store().get({ key: conditional }))?.etag ?? options.badEtag;
    await until(async () => (await bulkOf(store()).get([first, conditional])).every((record) => record === undefined), 100);
    await store().set({ key: first, value: json('new'), options: { concurrency: 'first-write' } });
    expect(textOf(await store().get({ key: first }))).toBe('"new"');
    if (options.features.includes('ETAG')) await expectMismatch(store().set({ key: conditional, value: json('new'), etag }), conditional);
  });

  test('reads tell when a record expires, and nothing of one that does not', async () => {
    const [expiring, lasting] = [newKey(), newKey()];
    const dueAt = Date.now() + hour * 1000;
    await store().set({ key: expiring, value: json(1), ttlSeconds: hour });
    await store().set({ key: lasting, value: json(1) });
    const alone = await store().get({ key: expiring });
    const [together, other] = (await bulkOf(store()).get([expiring, lasting])) as readonly StateRecord[];
    for (const record of [alone, together]) {
      if (tells) expect(Math.abs((record?.expiresAt ?? 0) - dueAt)).toBeLessThan(EXPIRY_SLACK_MS);
      else expect(record?.expiresAt).toBeUndefined();
    }
    expect(other?.expiresAt).toBeUndefined();
  });

  /** Resolves when a TTL of one second that was given before is over for certain. */
  const aTimePasses = async (): Promise<void> => {
    const marker = newKey();
    await store().set({ key: marker, value: json(1), ttlSeconds: 2 });
    await until(async () => (await store().get({ key: marker })) === undefined, 100);
  };

  test.each([-1, 0])('a TTL of %i takes the expiry away', async (ttlSeconds) => {
    const key = newKey();
    await store().set({ key, value: json('old'), ttlSeconds: 1 });
    await store().set({ key, value: json('new'), ttlSeconds });
    await aTimePasses();
    const record = await store().get({ key });
    expect(textOf(record)).toBe('"new"');
    expect(record?.expiresAt).toBeUndefined();
  });

  test(options.setKeepsExpiry ? 'a set without a TTL keeps the expiry' : 'a set without a TTL takes the expiry away', async () => {
    const key = newKey();
    await store().set({ key, value: json('old'), ttlSeconds: 1 });
    await store().set({ key, value: json('new') });
    await aTimePasses();
    expect(textOf(await store().get({ key }))).toBe(options.setKeepsExpiry ? undefined : '"new"');
  });

  if (options.features.includes('ETAG'))
    test('a set under an etag sets the expiry like any other', async () => {
      const key = newKey();
      await store().set({ key, value: json(1) });
      await store().set({ key, value: json(2), etag: await etagOf(key), ttlSeconds: 1 });
      await until(async () => (await store().get({ key })) === undefined, 100);
    });
}

function transactionCases({ newKey, store, transact, options, etagOf }: Parts, etags: boolean, ttl: boolean): void {
  const upsert = (key: string, value: unknown, more: Partial<SetState> = {}): StateOperation => ({ type: 'upsert', key, value: json(value), ...more });
  const remove = (key: string, etag?: string): StateOperation => ({ type: 'delete', key, ...(etag === undefined ? {} : { etag }) });

  test('operations of all kinds are visible as soon as the transaction is acknowledged', async () => {
    const [text, raw, victim] = [newKey(), newKey(), newKey()];
    await transact([upsert(text, { a: 1 }), { type: 'upsert', key: raw, value: bytes(allBytes) }, upsert(victim, 'doomed')]);
    expect(textOf(await store().get({ key: text }))).toBe('{"a":1}');
    expect(sameBytes(await store().get({ key: raw }), allBytes)).toBe(true);
    expect(textOf(await store().get({ key: victim }))).toBe('"doomed"');
    await transact([upsert(text, { a: 2 }), remove(victim)]);
    expect(textOf(await store().get({ key: text }))).toBe('{"a":2}');
    expect(await store().get({ key: victim })).toBeUndefined();
  });

  test('operations take effect in their order, also on one key', async () => {
    const [k1, k2, k3, k4] = [newKey(), newKey(), newKey(), newKey()];
    await store().set({ key: k1, value: json('value1') });
    await transact([remove(k1), upsert(k2, 'value2'), remove(k2), upsert(k3, 'early'), upsert(k3, 'value3'), upsert(k4, 1), remove(k4), upsert(k4, 2)]);
    const records = (await bulkOf(store()).get([k1, k2, k3, k4])) as readonly (StateRecord | undefined)[];
    expect(records.map(textOf)).toEqual([undefined, undefined, '"value3"', '2']);
  });

  test('deleting a missing key in a transaction is no failure, and a transaction of nothing succeeds', async () => {
    await transact([remove(newKey())]);
    await transact([]);
  });

  test('two hundred operations are one transaction', async () => {
    const keys = Array.from({ length: 200 }, newKey);
    if (store().transactOperationsMax !== undefined && (store().transactOperationsMax ?? 0) < keys.length) keys.length = store().transactOperationsMax ?? 0;
    await transact(keys.map((key) => upsert(key, key)));
    expect(((await bulkOf(store()).get(keys)) as readonly StateRecord[]).map(textOf)).toEqual(keys.map((key) => JSON.stringify(key)));
  });

  test('a first write in a transaction demands that the key is missing at that point', async () => {
    const [key, other] = [newKey(), newKey()];
    const options = { concurrency: 'first-write' } as const;
    await transact([upsert(key, 'first', { options })]);
    await expectMismatch(transact([upsert(other, 1), upsert(key, 'second', { options })]), key);
    expect(await store().get({ key: other })).toBeUndefined();
    await transact([remove(key), upsert(key, 'third', { options })]);
    expect(textOf(await store().get({ key }))).toBe('"third"');
  });

  if (etags) {
    test.each([0, 1, 2, 3])('a transaction that fails at place %i leaves every key as it was', async (place) => {
      const keys = [newKey(), newKey(), newKey(), newKey()] as const;
      await store().set({ key: keys[1], value: json('kept') });
      await store().set({ key: keys[2], value: bytes(allBytes) });
      const before = await bulkOf(store()).get(keys);
      const operations: StateOperation[] = [upsert(keys[0], 'new'), upsert(keys[1], 'new'), remove(keys[2]), upsert(keys[3], 'new')];
      const failing = operations[place];
      if (!failing) throw new Error('no such place');
      operations[place] = { ...failing, etag: options.badEtag };
      await expectMismatch(transact(operations), failing.key);
      expect(await bulkOf(store()).get(keys)).toEqual(before);
    });

    test('the right etags let a transaction through, and give new ones', async () => {
      const [a, b] = [newKey(), newKey()];
      await transact([upsert(a, 1), upsert(b, 1)]);
      const etag = await etagOf(a);
      await transact([upsert(a, 2, { etag }), remove(b, await etagOf(b))]);
      expect(textOf(await store().get({ key: a }))).toBe('2');
      expect(await etagOf(a)).not.toBe(etag);
      expect(await store().get({ key: b })).toBeUndefined();
    });

    test('of many transactions under the same etags exactly one wins, and the keys it wrote belong together', async () => {
      const [a, b] = [newKey(), newKey()];
      await transact([upsert(a, 'start'), upsert(b, 'start')]);
      const [etagA, etagB] = [await etagOf(a), await etagOf(b)];
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, writer) => transact([upsert(a, writer, { etag: etagA }), upsert(b, writer, { etag: etagB })])));
      const winners = outcomes.flatMap((outcome, writer) => (outcome.status === 'fulfilled' ? [writer] : []));
      expect(winners).toHaveLength(1);
      const records = (await bulkOf(store()).get([a, b])) as readonly StateRecord[];
      expect(records.map(textOf)).toEqual([String(winners[0]), String(winners[0])]);
    });
  }

  if (ttl)
    test('a TTL in a transaction is kept to', async () => {
      const [short, lasting] = [newKey(), newKey()];
      await transact([upsert(short, 1, { ttlSeconds: 1 }), upsert(lasting, 1)]);
      await until(async () => (await store().get({ key: short })) === undefined, 100);
      expect(textOf(await store().get({ key: lasting }))).toBe('1');
    });
}

function outboxCases({ newKey, store, transact, options }: Parts): void {
  const source = (): OutboxSource => {
    const { outbox } = store();
    if (!outbox) throw new Error('an outbox is expected, and there is none');
    return outbox;
  };
  const newRecord = (appId: string, more: Partial<OutboxRecord> = {}): OutboxRecord => ({
    id: `outbox-${randomUUID()}`,
    pubsub: 'pubsub',
    topic: 'orders',
    appId,
    data: Buffer.from('{"specversion":"1.0"}'),
    contentType: 'application/cloudevents+json',
    metadata: { partitionKey: 'a', 'odd key|%': 'ü' },
    createdAt: Date.now(),
    ...more,
  });
  const write = (record: OutboxRecord): Promise<void> => transact([{ type: 'upsert', key: newKey(), value: json(1) }], [record]);
  const claim = (appId: string, more: { owner?: string; limit?: number; leaseMs?: number } = {}): Promise<readonly ClaimedOutboxRecord[]> =>
    source().claim({ appId, owner: 'relay', limit: 100, leaseMs: LONG_LEASE_MS, ...more });
  const ids = (records: readonly OutboxRecord[]): readonly string[] => records.map(({ id }) => id);

  test('a record written with state is given unchanged, counted as pending, and gone once removed', async () => {
    const [appId, key] = [newKey(), newKey()];
    const record = newRecord(appId, { data: allBytes });
    await transact([{ type: 'upsert', key, value: json('with event') }], [record]);
    expect(textOf(await store().get({ key }))).toBe('"with event"');
    expect(await source().pending(appId)).toBe(1);
    const [claimed, ...others] = await claim(appId);
    expect(others).toEqual([]);
    expect({ ...claimed, data: Buffer.from(claimed?.data ?? []) }).toEqual({ ...record, attempt: 0 });
    expect(await source().pending(appId)).toBe(1);
    await source().remove([record.id]);
    await source().remove([record.id, `outbox-${randomUUID()}`]);
    expect(await source().pending(appId)).toBe(0);
    expect(await claim(appId)).toEqual([]);
  });

  test('a transaction that fails leaves no record either', async () => {
    const [appId, key] = [newKey(), newKey()];
    await store().set({ key, value: json('there') });
    const refused = transact([{ type: 'upsert', key: newKey(), value: json(1) }, { type: 'upsert', key, value: json(2), options: { concurrency: 'first-write' } }], [newRecord(appId)]);
    await expectMismatch(refused, key);
    expect(await source().pending(appId)).toBe(0);
    expect(await claim(appId)).toEqual([]);
  });

  test('several records of one transaction are given in its order; without state, too', async () => {
    const appId = newKey();
    const records = [newRecord(appId), newRecord(appId, { topic: 'other' }), newRecord(appId)];
    await transact([], records);
    expect(ids(await claim(appId))).toEqual(ids(records));
  });

  test('the oldest records come first, no more than the limit', async () => {
    const appId = newKey();
    const records = Array.from({ length: 5 }, () => newRecord(appId));
    for (const record of records) await write(record);
    expect(ids(await claim(appId, { limit: 2 }))).toEqual(ids(records.slice(0, 2)));
    expect(ids(await claim(appId))).toEqual(ids(records.slice(2)));
  });

  test('a leased record is given to nobody else, nor again to its owner', async () => {
    const appId = newKey();
    await write(newRecord(appId));
    expect(await claim(appId)).toHaveLength(1);
    expect(await claim(appId)).toEqual([]);
    expect(await claim(appId, { owner: 'another relay' })).toEqual([]);
  });

  test('a record whose lease ran out is given again, and the publishes begun are counted', async () => {
    const appId = newKey();
    const record = newRecord(appId);
    await write(record);
    expect(await claim(appId, { leaseMs: 1 })).toHaveLength(1);
    let again: readonly ClaimedOutboxRecord[] = [];
    await until(async () => (again = await claim(appId, { owner: 'another relay' })).length > 0);
    expect(again.map(({ id, attempt }) => [id, attempt])).toEqual([[record.id, 1]]);
  });

  test('a released record is given again after its delay, not before', async () => {
    const appId = newKey();
    const [soon, late] = [newRecord(appId), newRecord(appId)];
    await transact([], [soon, late]);
    await claim(appId);
    await source().release([late.id], LONG_LEASE_MS);
    await source().release([soon.id], 0);
    let again: readonly ClaimedOutboxRecord[] = [];
    await until(async () => (again = await claim(appId)).length > 0);
    expect(ids(again)).toEqual([soon.id]);
    expect(await source().pending(appId)).toBe(2);
    await source().release([late.id], 0);
    await until(async () => (again = await claim(appId)).length > 0);
    expect(ids(again)).toEqual([late.id]);
  });

  test('a record that was removed does not come back by its release', async () => {
    const appId = newKey();
    const record = newRecord(appId);
    await write(record);
    await claim(appId);
    await source().remove([record.id]);
    await source().release([record.id], 0);
    expect(await source().pending(appId)).toBe(0);
    expect(await claim(appId)).toEqual([]);
  });

  test("an app is given its own records, not another's", async () => {
    const [mine, theirs] = [newKey(), newKey()];
    await write(newRecord(theirs));
    const record = newRecord(mine);
    await write(record);
    expect(ids(await claim(mine))).toEqual([record.id]);
    expect(await source().pending(theirs)).toBe(1);
  });

  test('relays that claim at the same time share the records, none twice', async () => {
    const appId = newKey();
    const records = Array.from({ length: 40 }, () => newRecord(appId));
    await Promise.all(records.map(write));
    const claimed: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async (_, relay) => {
        for (;;) {
          const batch = await claim(appId, { owner: `relay ${relay}`, limit: 3 });
          if (batch.length === 0) return;
          claimed.push(...ids(batch));
        }
      }),
    );
    expect(claimed.toSorted()).toEqual(ids(records).toSorted());
  });

  test('a write calls the listener of its app until it unsubscribes', async () => {
    const appId = newKey();
    let gone = 0;
    source().onRecords(appId, () => gone++)();
    await new Promise<void>((resolve, reject) => {
      const unsubscribe = source().onRecords(appId, () => {
        unsubscribe();
        resolve();
      });
      write(newRecord(appId)).catch(reject);
    });
    expect(gone).toBe(0);
  });

  if (options.persistent ?? true)
    test('a record outlives the instance that wrote it', async () => {
      const appId = newKey();
      const writer = await options.open();
      const record = newRecord(appId);
      await writer.transact?.({ operations: [{ type: 'upsert', key: newKey(), value: json(1) }], outbox: [record] });
      await writer.close?.();
      const reader = await options.open();
      expect(ids((await reader.outbox?.claim({ appId, owner: 'relay', limit: 10, leaseMs: LONG_LEASE_MS })) ?? [])).toEqual([record.id]);
      await reader.close?.();
    });
}
