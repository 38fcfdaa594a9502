import { describe, expect, test } from 'vitest';
import { EventIds, type Packet } from './event-ids.ts';

const packet = (more: Partial<Packet> = {}): Packet => ({ qos: 1, dup: false, messageId: 1, topic: 'a', payload: 'same', ...more });
const nothingHeld = (): boolean => false;
function idsOf(more: { redelivers?: boolean; remembered?: number } = {}) {
  let made = 0;
  const ids = new EventIds({ redelivers: true, uuid: () => `uuid-${++made}`, ...more });
  return (one: Partial<Packet> = {}, isHeld: (id: string) => boolean = nothingHeld) => ids.idOf(packet(one), isHeld);
}

describe('the id of an event', () => {
  test('is by number and content, so that another process gives it too', () => {
    const [before, after] = [idsOf(), idsOf()];
    const id = before();
    expect(after({ dup: true })).toBe(id);
    for (const other of [{ messageId: 2 }, { topic: 'b' }, { payload: 'other' }]) expect(after({ ...other, dup: true })).not.toBe(id);
  });

  test('is another one for an event that is not sent again, however alike', () => {
    const id = idsOf();
    const seen = [id(), id(), id({ payload: 'other' }), id(), id({ payload: 'other' })];
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('is that of the last event so alike for one that is sent again, acknowledged or not', () => {
    const id = idsOf();
    id();
    const second = id();
    expect([id({ dup: true }), id({ dup: true })]).toEqual([second, second]);
    expect(id()).not.toBe(second);
  });

  test('is by chance where nothing is sent again', () => {
    expect([idsOf()({ qos: 0 }), idsOf({ redelivers: false })(), idsOf({ redelivers: false })({ dup: true })]).toEqual(['uuid-1', 'uuid-1', 'uuid-1']);
  });

  test('is forgotten after as many others as are remembered, but not while the event is held', () => {
    const id = idsOf({ remembered: 2 });
    const [first, second] = [id(), id()];
    const held = (one: string): boolean => one === second;
    for (const messageId of [2, 3, 4]) id({ messageId }, held);
    expect(id({ dup: true }, held)).toBe(second);
    for (const messageId of [5, 6, 7]) id({ messageId });
    expect(id({ dup: true })).toBe(first);
  });
});
