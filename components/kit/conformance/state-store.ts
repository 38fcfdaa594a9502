/**
 * What every state store must do, whatever lies behind it: `stateStoreConformance('state.redis', { open, features, ... })`
 * in a test file registers one case per claim.
 *
 * What a store may leave out is decided by its declared features alone, and a feature that is not declared must not be
 * there: nothing passes by being left out. Keys carry a random prefix, so a shared server may be used.
 */
/* oxlint-disable vitest/no-conditional-tests, vitest/no-conditional-expect -- the declared features decide which claims hold */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtagError } from '../state-store.ts';
import type { StateRecord, StateStore, TransactState } from '../state-store.ts';
import { until } from '../testing.ts';
import { allBytes, bulkOf, bytes, expectMismatch, json, sameBytes, textOf, type Parts, type StateStoreConformance } from './state-cases.ts';
import { outboxCases, transactionCases } from './state-transactions.ts';

export type { StateStoreConformance } from './state-cases.ts';

const EXPIRY_SLACK_MS = 120_000;
const ODD_KEYS = [
  'a|b', 'a||b', '||', 'a@b', 'a/b', '/a/../b', 'a%b', 'a%2Fb', 'a%zz', '%', '_', 'a b', 'a b ', ' a b', "a'b", 'a"b', 'a\\b', 'a;b--', 'a?b#c', 'a:b', 'a*b', '{a}b', '[a]', 'a\nb',
  'Key', 'key', 'KEY', 'schlüssel', 'schlu\u0308ssel', '鍵', '🔑', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', '0', 'k'.repeat(400),
];

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
  const transact: Parts['transact'] = (operations, outbox) => {
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

    describe('values', () => {
      valueCases(parts);
    });
    describe('bulk', () => {
      bulkCases(parts);
    });
    describe('etags', () => {
      if (has('ETAG')) etagCases(parts);
      else
        test('without ETAG no record has one', async () => {
          const key = newKey();
          await store.set({ key, value: json(1) });
          expect((await store.get({ key }))?.etag).toBeUndefined();
        });
    });
    describe('concurrency', () => {
      firstWriteCases(parts);
    });
    // These wait for time to pass, so they wait together.
    describe.concurrent('expiry', () => {
      if (has('TTL')) ttlCases(parts);
      else
        test('without TTL no record says that it expires', async () => {
          const key = newKey();
          await store.set({ key, value: json(1) });
          expect((await store.get({ key }))?.expiresAt).toBeUndefined();
        });
    });
    describe('transactions', () => {
      if (has('TRANSACTIONAL')) transactionCases(parts);
      else test('without TRANSACTIONAL there are none', () => expect(store.transact).toBeUndefined());
    });
    describe('outbox', () => {
      if (options.outbox ?? has('TRANSACTIONAL')) outboxCases(parts);
      else test('where none is declared there is none', () => expect(store.outbox).toBeUndefined());
    });
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

function ttlCases({ newKey, store, options, etagOf, transact }: Parts): void {
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

  test(`a set without a TTL ${options.setKeepsExpiry ? 'keeps the expiry' : 'takes the expiry away'}`, async () => {
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

  if (options.features.includes('TRANSACTIONAL'))
    test('a TTL in a transaction is kept to', async () => {
      const [short, lasting] = [newKey(), newKey()];
      await transact([
        { type: 'upsert', key: short, value: json(1), ttlSeconds: 1 },
        { type: 'upsert', key: lasting, value: json(1) },
      ]);
      await until(async () => (await store().get({ key: short })) === undefined, 100);
      expect(textOf(await store().get({ key: lasting }))).toBe('1');
    });
}
