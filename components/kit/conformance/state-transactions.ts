/** Cases of `state-store.ts`: transactions, and the outbox that is written with them. */
/* oxlint-disable vitest/no-conditional-tests, vitest/no-conditional-expect -- the declared features decide which claims hold */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ClaimedOutboxRecord, OutboxRecord, OutboxSource } from '../outbox.ts';
import type { SetState, StateOperation, StateRecord } from '../state-store.ts';
import { until } from '../testing.ts';
import { allBytes, bulkOf, bytes, expectMismatch, json, sameBytes, textOf, type Parts } from './state-cases.ts';

const LONG_LEASE_MS = 600_000;

export function transactionCases({ newKey, store, transact, options, etagOf }: Parts): void {
  const has = (feature: string): boolean => options.features.includes(feature);
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

  if (has('ETAG')) {
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
}

export function outboxCases({ newKey, store, transact, options }: Parts): void {
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
