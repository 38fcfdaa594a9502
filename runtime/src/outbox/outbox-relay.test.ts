import { createKeptLog, createTurnedClock } from '@mecha/components/kit/testing.ts';
import type { ClaimedOutboxRecord, OutboxRecord, OutboxSource } from '@mecha/components/kit';
import { afterEach, describe, expect, test } from 'vitest';
import type { Part } from '../lifecycle.ts';
import type { Log } from '../telemetry/log.ts';
import { createOutboxRelay } from './outbox-relay.ts';
import { noMetrics } from '../telemetry/testing.ts';

const NEVER = new AbortController().signal;
const open: Part[] = [];
afterEach(async () => {
  for (const relay of open.splice(0)) await relay.stop?.();
});

async function settled(): Promise<void> {
  for (let round = 0; round < 12; round++) await new Promise((resolve) => setImmediate(resolve));
}

const clock = createTurnedClock;

/** A store's outbox, as its port promises it. */
function createSource(time: ReturnType<typeof clock>) {
  const records: (OutboxRecord & { attempt: number; leasedUntil: number })[] = [];
  const listeners = new Set<() => void>();
  const faults: Error[] = [];
  const source: OutboxSource = {
    async claim({ appId, limit, leaseMs }) {
      const fault = faults.shift();
      if (fault) throw fault;
      const free = records.filter((record) => record.appId === appId && record.leasedUntil <= time.now()).slice(0, limit);
      return free.map(({ leasedUntil: _, ...record }): ClaimedOutboxRecord => {
        const stored = records.find(({ id }) => id === record.id)!;
        stored.leasedUntil = time.now() + leaseMs;
        stored.attempt += 1;
        return record;
      });
    },
    async remove(ids) {
      for (const id of ids) records.splice(records.findIndex((record) => record.id === id), 1);
    },
    async release(ids, delayMs) {
      for (const record of records) if (ids.includes(record.id)) record.leasedUntil = time.now() + delayMs;
    },
    onRecords(_appId, listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pending: async () => records.length,
  };
  const add = (id: string, more: Partial<OutboxRecord> = {}): void => {
    records.push({ id, pubsub: 'pubsub', topic: 't', appId: 'orders', data: Buffer.from(id), contentType: 'x', metadata: {}, createdAt: 0, attempt: 0, leasedUntil: 0, ...more });
  };
  return { source, records, faults, listeners, add, wake: () => { for (const listener of listeners) listener(); } };
}

function bench() {
  const time = createTurnedClock(1000);
  const kept = createKeptLog();
  const log: Log = { ...kept, scoped: () => log };
  const store = createSource(time);
  const published: string[] = [];
  const state = { fail: new Map<string, Error>(), hold: undefined as Promise<void> | undefined, underWay: 0, most: 0 };
  const relay = createOutboxRelay({
    appId: 'orders',
    sources: () => [{ storeName: 'store', source: store.source, appId: 'orders' }],
    publish: async (record) => {
      state.most = Math.max(state.most, ++state.underWay);
      try {
        await state.hold;
        const failure = state.fail.get(record.pubsub);
        if (failure) throw failure;
        published.push(record.id);
      } finally {
        state.underWay--;
      }
    },
    clock: time,
    random: () => 1,
    log,
    metrics: noMetrics,
  });
  open.push(relay);
  const turn = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      time.turn(Math.min(100, left));
      await settled();
    }
  };
  return { ...store, time, relay, published, state, turn, lines: kept.lines };
}

describe('the relay', () => {
  test('publishes what waits at the start, in order, and removes it only after the acknowledgement', async () => {
    const { relay, add, records, published, state } = bench();
    const ids = Array.from({ length: 200 }, (_, index) => `r${index}`);
    for (const id of ids) add(id);
    const acknowledged = Promise.withResolvers<void>();
    state.hold = acknowledged.promise;
    void relay.start?.();
    await settled();
    expect([published.length, records.length]).toEqual([0, 200]);
    acknowledged.resolve();
    await settled();
    await settled();
    expect(published).toEqual(ids);
    expect(records).toEqual([]);
    expect(state.most).toBeLessThanOrEqual(128);
  });

  test('is woken by the store without waiting for its own look', async () => {
    const { relay, add, published, wake } = bench();
    void relay.start?.();
    await settled();
    add('a');
    wake();
    await settled();
    expect(published).toEqual(['a']);
  });

  test('looks by itself when a wake-up was lost', async () => {
    const { relay, add, published, turn } = bench();
    void relay.start?.();
    await settled();
    add('a');
    await turn(1000);
    expect(published).toEqual(['a']);
  });

  test('(users 5) a crash between publish and removal leads to a second publish, never to a loss', async () => {
    const first = bench();
    first.add('a');
    first.source.remove = () => new Promise(() => {});
    void first.relay.start?.();
    await settled();
    expect([first.published, first.records.length]).toEqual([['a'], 1]);
    // Another process claims after the lease has run out.
    await first.relay.stop?.();
    const again: string[] = [];
    const log: Log = { ...createKeptLog(), scoped: () => log };
    const second = createOutboxRelay({ appId: 'orders', sources: () => [{ storeName: 'store', source: { ...first.source, remove: async () => void first.records.splice(0) }, appId: 'orders' }], publish: async ({ id }) => void again.push(id), clock: first.time, log, metrics: noMetrics });
    open.push(second);
    void second.start?.();
    await settled();
    expect(again).toEqual([]);
    await first.turn(31_000);
    expect(again).toEqual(['a']);
    expect(first.records).toEqual([]);
  });

  test('a component that fails rests, longer each time, without holding up another, and its records keep their order', async () => {
    const { relay, add, published, state, turn, records, lines } = bench();
    state.fail.set('broken', new Error('no broker'));
    for (const [id, pubsub] of [['b1', 'broken'], ['g1', 'pubsub'], ['b2', 'broken'], ['g2', 'pubsub']] as const) add(id, { pubsub });
    void relay.start?.();
    await turn(10_000);
    expect(published).toEqual(['g1', 'g2']);
    const attempts = records.map(({ attempt }) => attempt);
    expect(Math.max(...attempts)).toBeLessThan(10);
    expect(lines.filter(({ message }) => message.includes('could not be published')).length).toBeLessThanOrEqual(2);
    add('g3');
    await turn(1100);
    expect(published).toEqual(['g1', 'g2', 'g3']);
    state.fail.clear();
    await turn(31_000);
    expect(published).toEqual(['g1', 'g2', 'g3', 'b1', 'b2']);
    expect(records).toEqual([]);
  });

  test('a publish that never ends is given up before its lease ends, and tried again', async () => {
    const { relay, add, published, state, turn } = bench();
    add('a');
    state.hold = new Promise(() => {});
    void relay.start?.();
    await turn(19_000);
    state.hold = undefined;
    expect(published).toEqual([]);
    await turn(3000);
    expect(published).toEqual(['a']);
  });

  test('a store that cannot be read is tried again with back-off', async () => {
    const { relay, add, faults, published, turn, lines } = bench();
    faults.push(new Error('store is down'), new Error('store is down'));
    add('a');
    void relay.start?.();
    await settled();
    expect(lines.some(({ message }) => message.includes('store is down'))).toBe(true);
    await turn(3000);
    expect(published).toEqual(['a']);
  });

  test('draining claims nothing new, and what is claimed goes out', async () => {
    const { relay, add, published, state, wake, records, listeners } = bench();
    const held = Promise.withResolvers<void>();
    state.hold = held.promise;
    add('a');
    void relay.start?.();
    await settled();
    const draining = relay.drain?.(NEVER);
    add('b');
    wake();
    held.resolve();
    await draining;
    await settled();
    expect(published).toEqual(['a']);
    expect(records.map(({ id }) => id)).toEqual(['b']);
    expect(listeners.size).toBe(0);
  });

  test('draining ends at its deadline whatever the broker does', async () => {
    const { relay, add, state, records } = bench();
    state.hold = new Promise(() => {});
    add('a');
    void relay.start?.();
    await settled();
    await relay.drain?.(AbortSignal.abort());
    expect(records).toHaveLength(1);
  });
});
