import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { stateStoreConformance } from '../kit/conformance/state-store.ts';
import { buildComponent, createTurnedClock } from '../kit/testing.ts';
import inMemoryState from './state.ts';

stateStoreConformance('state.in-memory', {
  open: async () => buildComponent(inMemoryState),
  features: inMemoryState.features,
  badEtag: randomUUID(),
  persistent: false,
});

describe('the clock of state.in-memory', () => {
  test('a record is there until the last moment of its time, and not after', async () => {
    const clock = createTurnedClock();
    const store = buildComponent(inMemoryState, {}, { clock });
    await store.set({ key: 'a', value: { data: Buffer.from('1'), binary: false }, ttlSeconds: 10 });
    clock.turn(9_999);
    expect(await store.get({ key: 'a' })).toMatchObject({ expiresAt: clock.now() + 1 });
    clock.turn(1);
    expect(await store.get({ key: 'a' })).toBeUndefined();
  });

  test('a record that was set again without a TTL survives the sweep', async () => {
    const clock = createTurnedClock();
    const store = buildComponent(inMemoryState, {}, { clock });
    const value = { data: Buffer.from('1'), binary: false };
    await store.set({ key: 'a', value, ttlSeconds: 1 });
    await store.set({ key: 'a', value });
    clock.turn(10_000);
    expect(await store.get({ key: 'a' })).toBeDefined();
  });

  test('two instances share nothing', async () => {
    const [one, two] = [buildComponent(inMemoryState), buildComponent(inMemoryState)];
    await one.set({ key: 'a', value: { data: Buffer.from('1'), binary: false } });
    expect(await two.get({ key: 'a' })).toBeUndefined();
  });
});
