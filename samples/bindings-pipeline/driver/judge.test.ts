import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { judge, verdictLine, type Records } from './judge.ts';
import { readSchedule } from './schedule.ts';

const COMMON = fileURLToPath(new URL('../resources/common', import.meta.url));
const [a, b, c] = ['t/1', 't/2', 't/3'] as const;

function settled(change: Partial<Records> = {}): Records {
  return { ticks: [a, b], rows: [{ tick: a, pickup: 'one' }], mails: [b], bookings: [{ key: a, pickup: 'one' }], ...change };
}

describe('the judge of the bindings pipeline', () => {
  test('finds nothing wrong where every tick has a row or a mail, and says so in one line', () => {
    const verdict = judge(settled());
    expect(verdict.breaches).toEqual([]);
    expect(verdictLine(verdict)).toBe('ticks: 2 rows: 1 mails: 1 lost: 0 doubled: 0');
  });

  test('leaves out what belongs to later ticks, which may be under way', () => {
    const later = judge(settled({ rows: [...settled().rows, { tick: c, pickup: 'two' }], mails: [b, c], bookings: [...settled().bookings, { key: c, pickup: 'two' }, { key: 't/4', pickup: 'three' }] }));
    expect(later).toMatchObject({ rows: 1, mails: 1, breaches: [] });
  });

  test.each<[string, Partial<Records>, Partial<ReturnType<typeof judge>>]>([
    ['a tick with nothing', { mails: [] }, { lost: 1, doubled: 0, breaches: ['P1: t/2 has neither a row nor a mail'] }],
    ['a tick with a row and a mail', { mails: [a, b] }, { doubled: 1, breaches: ['P2: t/1 has 1 rows and 1 mails'] }],
    ['a tick with two mails', { mails: [b, b] }, { doubled: 1, breaches: ['P2: t/2 has 0 rows and 2 mails'] }],
    ['a mail about no tick', { mails: [b, 's/1'] }, { breaches: ['P2: s/1 is no tick of the schedule'] }],
    ['a pick-up that was booked twice', { bookings: [...settled().bookings, { key: a, pickup: 'two' }] }, { doubled: 1, breaches: ['P3: two was booked (t/1), and no row knows of it'] }],
    ['a row of a pick-up that nobody booked', { bookings: [] }, { breaches: ['P3: the row of t/1 names one, which the courier does not know'] }],
  ])('sees %s', (_what, change, verdict) => {
    expect(judge(settled(change))).toMatchObject(verdict);
  });
});

test('which ticks there must have been is read from the YAML of the sample', async () => {
  const { idOf, instantOf, ticksFrom } = await readSchedule(COMMON);
  const first = Date.UTC(2026, 0, 31, 10);
  expect(ticksFrom(first, 3).map(idOf)).toEqual(['00.000', '00.200', '00.400'].map((seconds) => `pickup-time/2026-01-31T10:00:${seconds}Z`));
  expect([instantOf(idOf(first)), instantOf('else/2026-01-31T10:00:00.000Z'), instantOf('by hand')]).toEqual([first, undefined, undefined]);
});
