/**
 * When a job is due: schedules and the instants after one another that they name, and single instants as people write them. Pure: the
 * present is an argument.
 *
 * Clocks that are put forward or back (cron schedules in a time zone). Of a schedule whose hours are listed, a time that the clock leaps
 * over comes at the leap, several of them once, and a time that the clock shows twice comes the first time only. One whose hour is `*`
 * means every hour that passes: it goes by what the clock shows, so that an hour shown twice has its ticks twice, and one leapt over none.
 */
import { parseDuration } from '../metadata.ts';
import { BadSchedule, nextWallTime, parseCron, type Cron } from './cron.ts';
import { timeZone, UTC, type TimeZone } from './time-zone.ts';

export { BadSchedule } from './cron.ts';

export type Schedule =
  | { readonly kind: 'every'; readonly intervalMs: number }
  | { readonly kind: 'cron'; readonly cron: Cron; readonly zone: TimeZone };

const NAMED: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
]);
/** The last instant that is a year of four digits. */
const INSTANT_MAX = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Clocks differ by less. */
const OFFSETS_APART_MS = 30 * 3600_000;

/** `[CRON_TZ=Area/City ]` and six fields or a named schedule, or `@every <Go duration>`. Throws `BadSchedule`. */
export function parseSchedule(text: string): Schedule {
  const [, zoneName, rest = ''] = /^(?:(?:CRON_)?TZ=(\S*)\s+)?(.*)$/s.exec(text.trim()) ?? [];
  const zone = zoneName === undefined ? UTC : timeZone(zoneName);
  const every = /^@every\s+(\S+)$/.exec(rest);
  if (every) {
    const intervalMs = durationMs(every[1] ?? '');
    if (intervalMs === undefined) throw new BadSchedule(`"${rest}" is no interval: @every takes a Go duration, such as 1h30m`);
    if (intervalMs < 1) throw new BadSchedule(`"${rest}" is too often: the shortest interval is 1ms`);
    return { kind: 'every', intervalMs };
  }
  if (rest.startsWith('@') && !NAMED.has(rest)) throw new BadSchedule(`there is no schedule "${rest}"; there are @every <Go duration>, ${[...NAMED.keys()].join(', ')}`);
  return { kind: 'cron', cron: parseCron(NAMED.get(rest) ?? rest), zone };
}

/** The first tick of a schedule that begins at `now`; undefined: it never comes. */
export function firstTick(schedule: Schedule, now: number): number | undefined {
  return schedule.kind === 'every' ? now + schedule.intervalMs : nextOfCron(schedule, now);
}

/** The first tick after the instant; `anchor` is the first tick of all, from which intervals count. Undefined: none comes. */
export function nextTick(schedule: Schedule, after: number, anchor: number): number | undefined {
  if (schedule.kind === 'cron') return nextOfCron(schedule, after);
  const { intervalMs } = schedule;
  return after < anchor ? anchor : anchor + (Math.floor((after - anchor) / intervalMs) + 1) * intervalMs;
}

function nextOfCron({ cron, zone }: Extract<Schedule, { kind: 'cron' }>, after: number): number | undefined {
  if (zone === UTC || cron.anyHour) return nextShown(cron, zone, after);
  for (let from = after + zone.offsetAt(after); ; ) {
    const wallTime = nextWallTime(cron, nextSecond(from));
    if (wallTime === undefined || wallTime > INSTANT_MAX) return undefined;
    const instant = zone.instantOf(wallTime);
    // Not so: the clock shows it for the second time.
    if (instant > after) return instant;
    from = wallTime;
  }
}

/** The first instant after this one at which the wall clock shows a time that fits. */
function nextShown(cron: Cron, zone: TimeZone, after: number): number | undefined {
  for (let from = nextSecond(after); ; ) {
    const { to, offset } = zone.stretchAt(from);
    const wallTime = nextWallTime(cron, from + offset);
    if (wallTime === undefined || wallTime > INSTANT_MAX) return undefined;
    if (wallTime - offset < to) return wallTime - offset;
    // Beyond this stretch the clock may have gone back, or show the time sooner: on to where a time could come at the earliest.
    const soonest = nextWallTime(cron, to + offset - OFFSETS_APART_MS);
    if (soonest === undefined) return undefined;
    from = Math.max(to, soonest - offset - OFFSETS_APART_MS);
  }
}

const nextSecond = (instant: number): number => (Math.floor(instant / 1000) + 1) * 1000;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const ISO_DURATION = /^P(?!$)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * An instant as RFC 3339, or from `now` on as a Go duration (`1h30m`) or an ISO 8601 duration (`P1DT12H`; years, months and days of the
 * calendar, in UTC). Throws `BadSchedule`; `what` names the field.
 */
export function parseInstant(text: string, now: number, what: string): number {
  const instant = instantOf(text.trim(), now);
  if (instant === undefined || Number.isNaN(instant)) throw new BadSchedule(`${what} "${text}" is no time: it takes RFC 3339, a Go duration such as 1h30m, or an ISO 8601 duration such as PT90M without repetitions`);
  if (instant > INSTANT_MAX) throw new BadSchedule(`${what} "${text}" is after the year 9999`);
  return instant;
}

function instantOf(text: string, now: number): number | undefined {
  const date = RFC3339.exec(text);
  if (date) {
    const [, year, month, day] = date.map(Number);
    const real = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
    return real ? Date.parse(text.replace(' ', 'T').toUpperCase()) : undefined;
  }
  const iso = ISO_DURATION.exec(text);
  if (iso) {
    const [, years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = iso.map((part) => Number(part ?? 0));
    const begin = new Date(now);
    const dated = Date.UTC(begin.getUTCFullYear() + years, begin.getUTCMonth() + months, begin.getUTCDate() + days + 7 * weeks);
    return dated + (now - Math.floor(now / 86_400_000) * 86_400_000) + Math.round(((hours * 60 + minutes) * 60 + seconds) * 1000);
  }
  const ms = durationMs(text);
  return ms === undefined ? undefined : now + ms;
}

/** Whole milliseconds of a Go duration that is not negative; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  // A bare number has no unit, except zero.
  const ms = /^\d+$/.test(text) ? (Number(text) === 0 ? 0 : undefined) : parseDuration(text);
  return ms === undefined || ms < 0 ? undefined : Math.round(ms);
}
