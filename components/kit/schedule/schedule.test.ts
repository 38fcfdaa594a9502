import { describe, expect, test } from 'vitest';
import { fc } from '../test-properties.ts';
import { BadSchedule, durationMs, firstTick, nextTick, parseInstant, parseSchedule } from './schedule.ts';
import { timeZone } from './time-zone.ts';

/** `MECHA_SCHEDULE_RUNS` asks for more. */
const RUNS = Number(process.env['MECHA_SCHEDULE_RUNS'] ?? 150);
const at = (text: string): number => Date.parse(text);
const iso = (instant: number | undefined): string => (instant === undefined ? 'never' : new Date(instant).toISOString().replace('.000Z', 'Z'));
function ticks(schedule: string, after: string, count: number): string[] {
  const parsed = parseSchedule(schedule);
  const found: string[] = [];
  for (let last = at(after); found.length < count; ) {
    const next = nextTick(parsed, last, last);
    found.push(iso(next));
    if (next === undefined) break;
    last = next;
  }
  return found;
}

describe('schedules', () => {
  test.each([
    ['0 0 12 * * *', ['2026-01-01T12:00:00Z', '2026-01-02T12:00:00Z']],
    ['*/20 59 23 31 12 ?', ['2026-12-31T23:59:00Z', '2026-12-31T23:59:20Z', '2026-12-31T23:59:40Z', '2027-12-31T23:59:00Z']],
    ['15,45 0-1 5 1 jan-mar *', ['2026-01-01T05:00:15Z', '2026-01-01T05:00:45Z', '2026-01-01T05:01:15Z', '2026-01-01T05:01:45Z', '2026-02-01T05:00:15Z']],
    ['0 0 0 ? * MON-FRI', ['2026-01-02T00:00:00Z', '2026-01-05T00:00:00Z']],
    ['0 0 0 * * 7', ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z']],
    ['0 0 0 * * SUN,3', ['2026-01-04T00:00:00Z', '2026-01-07T00:00:00Z']],
    ['0 0 0 13 * FRI', ['2026-01-02T00:00:00Z', '2026-01-09T00:00:00Z', '2026-01-13T00:00:00Z', '2026-01-16T00:00:00Z']],
    ['0 0 0 29 2 *', ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z']],
    ['0 10/25 0 1 1 *', ['2026-01-01T00:10:00Z', '2026-01-01T00:35:00Z', '2027-01-01T00:10:00Z']],
    ['@yearly', ['2027-01-01T00:00:00Z']],
    ['@annually', ['2027-01-01T00:00:00Z']],
    ['@monthly', ['2026-02-01T00:00:00Z']],
    ['@weekly', ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z']],
    ['@daily', ['2026-01-02T00:00:00Z']],
    ['@midnight', ['2026-01-02T00:00:00Z']],
    ['@hourly', ['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z']],
    ['@every 1h30m', ['2026-01-01T01:30:00Z', '2026-01-01T03:00:00Z']],
  ])('%s comes when it says', (schedule, expected) => {
    expect(ticks(schedule, '2026-01-01T00:00:00Z', expected.length)).toEqual(expected);
  });

  test('the 29th of February is found across a century that has none', () => {
    expect(ticks('0 0 0 29 2 *', '2096-02-29T00:00:00Z', 1)).toEqual(['2104-02-29T00:00:00Z']);
  });

  test('a date that no calendar has never comes', () => {
    expect(firstTick(parseSchedule('0 0 0 30 2 *'), 0)).toBeUndefined();
    expect(firstTick(parseSchedule('CRON_TZ=Europe/Vienna 0 0 5 31 4,6,9,11 *'), 0)).toBeUndefined();
  });

  test.each([
    ['0 12 * * *', /five fields.*seconds first.*"0 0 12 \* \* \*"/],
    ['* * * *', /4 fields.*six/],
    ['', /no fields/],
    ['60 * * * * *', /"60" is not a second: 0 to 59/],
    ['* * 24 * * *', /hour/],
    ['* * * 0 * *', /day of month/],
    ['* * * * 13 *', /month: 1 to 12, or JAN to DEC/],
    ['* * * * * 8', /day of week/],
    ['* * * * foo *', /"foo" is not a month/],
    ['5-1 * * * * *', /begins after its end/],
    ['*/0 * * * * *', /step 0/],
    ['1,,2 * * * * *', /"" is no value/],
    ['-1 * * * * *', /"-1" is no value/],
    ['* * * L * *', /"L" is not a day of month/],
    ['@every', /no schedule "@every"/],
    ['@every 5', /no interval/],
    ['@every -1s', /no interval/],
    ['@every 1us', /too often/],
    ['@fortnightly', /there are @every/],
    ['CRON_TZ=Mars/Olympus @daily', /no time zone "Mars\/Olympus"/],
    ['CRON_TZ= @daily', /no time zone/],
  ])('%j is refused with the reason', (schedule, reason) => {
    expect(() => parseSchedule(schedule)).toThrow(reason);
    expect(() => parseSchedule(schedule)).toThrow(BadSchedule);
  });

  test('an interval counts from its first tick, however late one is', () => {
    const schedule = parseSchedule('@every 10s');
    expect(firstTick(schedule, 1000)).toBe(11_000);
    expect(nextTick(schedule, 11_000, 11_000)).toBe(21_000);
    expect(nextTick(schedule, 38_999, 11_000)).toBe(41_000);
    expect(nextTick(schedule, 41_000, 11_000)).toBe(51_000);
    expect(nextTick(schedule, 3, 11_000)).toBe(11_000);
  });
});

test('any text is a schedule or is refused with a reason, and so is any instant (users 59)', () => {
  const piece = fc.constantFrom('*', '?', '/', '-', ',', ' ', '0', '5', '59', '99', 'MON', 'jan', 'L', 'W', '#', '@every', '@daily', '1h', '-1s', 'CRON_TZ=', 'Europe/Vienna', '__proto__', 'P1D', 'T', 'Z', '2026-01-01', ':', '\u0000', 'ä');
  const text = fc.oneof(fc.string(), fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')), fc.array(piece, { minLength: 6, maxLength: 7 }).map((parts) => parts.join(' ')));
  const understood = (work: () => number | undefined): void => {
    try {
      const found = work();
      expect(found === undefined || Number.isInteger(found)).toBe(true);
    } catch (error) {
      if (!(error instanceof BadSchedule)) throw error;
    }
  };
  fc.assert(
    fc.property(text, (given) => {
      understood(() => nextTick(parseSchedule(given), at('2026-03-29T00:00:00Z'), 0));
      understood(() => parseInstant(given, at('2026-01-01T00:00:00Z'), 'dueTime'));
    }),
    { numRuns: 3000 },
  );
});

describe('time zones', () => {
  // Vienna: 2026-03-29 02:00 CET becomes 03:00 CEST, 2026-10-25 03:00 CEST becomes 02:00 CET.
  test.each([
    ['a time that is leapt over comes at the leap', 'CRON_TZ=Europe/Vienna 0 30 2 * * *', '2026-03-27T12:00:00Z', ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']],
    ['several that are leapt over come once', 'CRON_TZ=Europe/Vienna 0 */15 2 * * *', '2026-03-28T01:45:00Z', ['2026-03-29T01:00:00Z', '2026-03-30T00:00:00Z']],
    ['one at the leap itself comes once with them', 'TZ=Europe/Vienna 0 0 2,3 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00:00Z', '2026-03-30T00:00:00Z']],
    ['a time that is shown twice comes the first time', 'CRON_TZ=Europe/Vienna 0 30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']],
    ['hours that are listed come once, also those around', 'CRON_TZ=Europe/Vienna 0 30 1-3 * * *', '2026-10-24T12:00:00Z', ['2026-10-24T23:30:00Z', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00Z']],
    ['a day is as long as it is', 'CRON_TZ=Europe/Vienna @daily', '2026-10-24T12:00:00Z', ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z']],
    ['every hour is every hour that passes, in autumn', 'CRON_TZ=Europe/Vienna @hourly', '2026-10-24T23:30:00Z', ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z']],
    ['every hour is every hour that passes, in spring', 'CRON_TZ=Europe/Vienna 0 30 * * * *', '2026-03-29T00:00:00Z', ['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z']],
    ['every second goes on through the leap back', 'CRON_TZ=Europe/Vienna * * * * * *', '2026-10-25T00:59:58Z', ['2026-10-25T00:59:59Z', '2026-10-25T01:00:00Z', '2026-10-25T01:00:01Z']],
    ['half an hour is a leap too', 'CRON_TZ=Australia/Lord_Howe 0 15 2 * * *', '2026-10-02T16:00:00Z', ['2026-10-03T15:30:00Z', '2026-10-04T15:15:00Z']],
    ['a day that a country left out comes at the leap', 'CRON_TZ=Pacific/Apia 0 0 12 * * *', '2011-12-29T12:00:00Z', ['2011-12-29T22:00:00Z', '2011-12-30T10:00:00Z', '2011-12-30T22:00:00Z']],
    ['midnight can be what is leapt over', 'CRON_TZ=Africa/Cairo 0 0 0 * * *', '2026-04-23T00:00:00Z', ['2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z']],
    ['an hour that is shown twice before midnight is every hour of its day', 'CRON_TZ=Africa/Cairo 0 0 * ? * 0-4', '2026-10-29T19:30:00Z', ['2026-10-29T20:00:00Z', '2026-10-29T21:00:00Z', '2026-10-31T22:00:00Z']],
    ['quarter hours of offset count', 'CRON_TZ=Asia/Kathmandu 0 0 6 * * *', '2026-01-01T00:15:00Z', ['2026-01-02T00:15:00Z']],
  ])('%s: %s', (_claim, schedule, after, expected) => {
    expect(ticks(schedule, after, expected.length)).toEqual(expected);
  });

  test('names are known in any case, and UTC by all its names', () => {
    expect(ticks('CRON_TZ=europe/vienna 0 0 0 * * *', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T23:00:00Z']);
    for (const zone of ['UTC', 'Etc/UTC', 'Z', 'GMT']) expect(ticks(`CRON_TZ=${zone} @daily`, '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-02T00:00:00Z']);
  });

  /** What a watcher of the wall clock would note, minute by minute: when each fitting time is shown first, or is leapt over. */
  function watched(zone: string, from: number, to: number, fits: (wallTime: number) => boolean, everyShowing: boolean): number[] {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    const shownAt = (instant: number): number => at(`${format.format(instant).replace(' ', 'T')}Z`);
    const seen = new Set<number>();
    const found: number[] = [];
    let before = shownAt(from - 60_000);
    // What was shown already when the watch begins.
    for (let back = from - 6 * 3600_000; back < from; back += 60_000) seen.add(shownAt(back));
    for (let instant = from; instant <= to; instant += 60_000) {
      const now = shownAt(instant);
      const leapt = Array.from({ length: Math.max(0, (now - before) / 60_000 - 1) }, (_, n) => before + (n + 1) * 60_000);
      const comes = everyShowing ? fits(now) : (fits(now) && !seen.has(now)) || leapt.some((wallTime) => fits(wallTime) && !seen.has(wallTime));
      if (comes) found.push(instant);
      for (const wallTime of [...leapt, now]) seen.add(wallTime);
      before = now;
    }
    return found;
  }

  const ZONES = ['Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Santiago', 'Asia/Kathmandu', 'Africa/Casablanca', 'Pacific/Chatham', 'UTC'];
  // The days around leaps of those zones, and days without.
  const DAYS = ['2026-03-28', '2026-10-24', '2026-03-07', '2026-10-31', '2026-10-03', '2026-04-04', '2026-04-23', '2026-10-29', '2026-09-05', '2026-02-14', '2026-03-21', '2026-09-26', '2026-07-01'];
  const minuteField = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 59 }).map(String), fc.integer({ min: 1, max: 59 }).map((step) => `*/${step}`), fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 4 }).map((all) => all.join(',')));
  const hourField = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 23 }).map(String), fc.constant('0-3'), fc.constant('*/2'), fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }).map((all) => all.join(',')));
  const dayField = fc.oneof(fc.constant('*'), fc.constant('?'), fc.uniqueArray(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 20 }).map((all) => all.join(',')));
  const weekField = fc.oneof(fc.constant('*'), fc.constant('0-4'), fc.constant('SAT,SUN'), fc.integer({ min: 0, max: 6 }).map(String));

  test('any schedule in any zone comes when a watcher of its wall clock says so (users 8)', () => {
    const valuesOf = (field: string, most: number): Set<number> => {
      const all = new Set<number>();
      for (const part of field.replace('SAT,SUN', '6,0').split(',')) {
        const [range = '', step = '1'] = part.split('/');
        const [first, last = first] = range === '*' || range === '?' ? ['0', String(most)] : range.split('-');
        for (let value = Number(first); value <= Number(last); value += Number(step)) all.add(value);
      }
      return all;
    };
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.constantFrom(...DAYS), minuteField, hourField, dayField, weekField, (zone, day, minute, hour, dayOfMonth, dayOfWeek) => {
        const [minutes, hours, daysOfMonth, daysOfWeek] = [valuesOf(minute, 59), valuesOf(hour, 23), valuesOf(dayOfMonth, 31), valuesOf(dayOfWeek, 6)];
        const fits = (wallTime: number): boolean => {
          const date = new Date(wallTime);
          const [ofMonth, ofWeek] = [daysOfMonth.has(date.getUTCDate()), daysOfWeek.has(date.getUTCDay())];
          const isDay = ['*', '?'].includes(dayOfMonth) || dayOfWeek === '*' ? ofMonth && ofWeek : ofMonth || ofWeek;
          return isDay && hours.has(date.getUTCHours()) && minutes.has(date.getUTCMinutes());
        };
        const [from, to] = [at(`${day}T00:00:00Z`), at(`${day}T00:00:00Z`) + 2 * 86_400_000];
        const expected = watched(zone, from, to, fits, hour === '*');
        const schedule = parseSchedule(`CRON_TZ=${zone} 0 ${minute} ${hour} ${dayOfMonth} * ${dayOfWeek}`);
        const found: number[] = [];
        for (let last = from - 1; ; ) {
          const next = nextTick(schedule, last, last);
          if (next === undefined || next > to) break;
          found.push(next);
          last = next;
        }
        expect(found.map(iso)).toEqual(expected.map(iso));
      }),
      { numRuns: RUNS },
    );
  });

  test('from wherever one asks, the next tick is the first of those that follow', () => {
    const schedule = parseSchedule('CRON_TZ=Europe/Vienna 0 */20 1-3 * * *');
    const all = ticks('CRON_TZ=Europe/Vienna 0 */20 1-3 * * *', '2026-10-24T00:00:00Z', 20).map(at);
    fc.assert(
      fc.property(fc.integer({ min: at('2026-10-24T00:00:00Z'), max: (all.at(-1) ?? 0) - 1 }), (after) => {
        expect(nextTick(schedule, after, 0)).toBe(all.find((tick) => tick > after));
      }),
    );
  });

  test('the clock of a zone never goes back from one wall time to a later one', () => {
    const zone = timeZone('America/New_York');
    for (const day of ['2026-03-08', '2026-11-01']) {
      const instants = Array.from({ length: 300 }, (_, n) => zone.instantOf(at(`${day}T00:00:00Z`) + n * 60_000));
      expect(instants).toEqual(instants.toSorted((a, b) => a - b));
    }
  });
});

describe('instants', () => {
  const now = at('2026-01-31T10:00:00Z');
  test.each([
    ['2026-02-03T04:05:06Z', '2026-02-03T04:05:06Z'],
    ['2026-02-03T04:05:06.5+02:00', '2026-02-03T02:05:06.500Z'],
    ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
    ['1h30m', '2026-01-31T11:30:00Z'],
    ['0s', '2026-01-31T10:00:00Z'],
    ['0', '2026-01-31T10:00:00Z'],
    ['1.5s', '2026-01-31T10:00:01.500Z'],
    ['P1DT12H', '2026-02-01T22:00:00Z'],
    ['PT90M', '2026-01-31T11:30:00Z'],
    ['P2W', '2026-02-14T10:00:00Z'],
    ['P1Y', '2027-01-31T10:00:00Z'],
    ['P1M', '2026-03-03T10:00:00Z'],
    ['PT0.25S', '2026-01-31T10:00:00.250Z'],
  ])('%s is %s', (text, expected) => {
    expect(iso(parseInstant(text, now, 'dueTime'))).toBe(expected);
  });

  test.each(['', 'soon', '10', '-1s', 'P', 'PT', 'R5/PT10S', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01', '2026-01-01T25:00:00Z', 'P1H'])('%j is refused by the name of its field', (text) => {
    expect(() => parseInstant(text, now, 'dueTime')).toThrow(/^dueTime .* is no time/);
  });

  test('what lies beyond the year 9999 is refused', () => {
    expect(() => parseInstant('P9000Y', now, 'ttl')).toThrow(/9999/);
    expect(() => parseInstant('P99999999999Y', now, 'ttl')).toThrow(BadSchedule);
  });

  test('a duration is whole milliseconds and not negative', () => {
    expect([durationMs('1m'), durationMs('0.4ms'), durationMs('-1s'), durationMs('5'), durationMs('x')]).toEqual([60_000, 0, undefined, undefined, undefined]);
  });
});
