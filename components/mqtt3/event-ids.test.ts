import { describe, expect, test } from 'vitest';
import { EventIds, type Packet } from './event-ids.ts';

const packet = (more: Partial<Packet> = {}): Packet => ({ qos: 1, dup: false, messageId: 1, topic: 'a', payload: 'same', ...more });
const nothingHeld = (): boolean => false;
let made = 0;
function idsOf(more: { redelivers?: boolean; remembered?: number } = {}) {
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
    const another = idsOf();
    another();
    expect(seen).not.toContain(another());
  });

  test('is that of the last event so alike for one that is sent again, acknowledged or not', () => {
    const id = idsOf();
    id();
    const second = id();
    expect([id({ dup: true }), id({ dup: true })]).toEqual([second, second]);
    expect(id()).not.toBe(second);
  });

  test('is by chance where nothing is sent again', () => {
    const [atZero, clean] = [idsOf(), idsOf({ redelivers: false })];
    const seen = [atZero({ qos: 0 }), atZero({ qos: 0 }), clean(), clean({ dup: true })];
    for (const one of seen) expect(one).toMatch(/^uuid-\d+$/);
    expect([seen[0], seen[2]]).not.toEqual([seen[1], seen[3]]);
  });

  test('is forgotten after as many others as are remembered, but never given to another event while it is held', () => {
    const id = idsOf({ remembered: 2 });
    const [first, second] = [id(), id()];
    for (const messageId of [2, 3]) id({ messageId });
    expect(id({ dup: true })).toBe(second);
    for (const messageId of [2, 3, 4, 5, 6]) id({ messageId });
    expect(id({}, (one) => one === first)).not.toBe(first);
    for (const messageId of [2, 3, 4, 5, 6]) id({ messageId });
    expect([id({ dup: true }, (one) => one === first), idsOf()()]).toEqual([first, first]);
  });
});
