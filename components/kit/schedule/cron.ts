/**
 * Cron expressions of six fields, seconds first: `second minute hour day-of-month month day-of-week`. Parsing, and the search for
 * the next wall-clock time that fits. Time zones are not known here (`schedule.ts`).
 *
 * Times are wall-clock times as numbers: the milliseconds since the epoch that the same clock face would have in UTC.
 *
 * A day fits when day of month and day of week both do. Where both are restricted, it is enough that one does: the rule of every cron.
 */

export interface Cron {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
  /** `*` or `?`, so that the other of the two days decides. */
  readonly anyDayOfMonth: boolean;
  readonly anyDayOfWeek: boolean;
  /** The hour is `*`: it means every hour that passes, whatever the wall clock calls it. */
  readonly anyHour: boolean;
}

/** A schedule that cannot be understood, or that never comes; the message is for its author. */
export class BadSchedule extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadSchedule';
  }
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  // 7 is Sunday too.
  { name: 'day of week', min: 0, max: 7, names: DAYS },
] as const satisfies readonly Field[];

const DAY_MS = 24 * 3600_000;
/** Within nine years every date of the calendar comes once, the 29th of February of 2096 to 2104 included. */
const SEARCH_YEARS = 9;

/** Throws `BadSchedule`. */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (parts.length === 5) throw new BadSchedule(`"${text}" has five fields, and a schedule has six, seconds first: "0 ${text.trim()}" is the same with seconds`);
  if (parts.length !== FIELDS.length) throw new BadSchedule(`"${text}" has ${parts.length === 1 && parts[0] === '' ? 'no' : parts.length} fields, and a schedule has six: second minute hour day-of-month month day-of-week`);
  const [seconds, minutes, hours, daysOfMonth, months, daysOfWeek] = FIELDS.map((field, n) => parseField(parts[n] ?? '', field)) as [Values, Values, Values, Values, Values, Values];
  return {
    seconds: sorted(seconds), minutes: sorted(minutes), hours: sorted(hours),
    daysOfMonth: daysOfMonth.set, months: months.set, daysOfWeek: new Set([...daysOfWeek.set].map((day) => day % 7)),
    anyDayOfMonth: daysOfMonth.any, anyDayOfWeek: daysOfWeek.any, anyHour: hours.any,
  };
}

interface Values {
  readonly set: ReadonlySet<number>;
  readonly any: boolean;
}
const sorted = ({ set }: Values): readonly number[] => [...set].toSorted((a, b) => a - b);

function parseField(text: string, field: Field): Values {
  const set = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const found = /^(?:(\*|\?)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/i.exec(part);
    if (!found) throw new BadSchedule(`"${part}" is no value, range or step of the field ${field.name}`);
    const [, star, first = '', last, stepText] = found;
    const step = stepText === undefined ? 1 : Number(stepText);
    if (step < 1 || step > field.max) throw new BadSchedule(`the step ${stepText} of the field ${field.name} is not between 1 and ${field.max}`);
    const from = star === undefined ? valueOf(first, field) : field.min;
    // A step without an end goes on to the field's end.
    const to = star !== undefined ? lastOf(field) : last !== undefined ? valueOf(last, field) : stepText === undefined ? from : lastOf(field);
    if (from > to) throw new BadSchedule(`the range ${part} of the field ${field.name} begins after its end`);
    for (let value = from; value <= to; value += step) set.add(value);
    if (star !== undefined && step === 1) any = true;
  }
  return { set, any };
}

/** Of the days of the week only 0 to 6 are gone through. */
const lastOf = (field: Field): number => (field.names === DAYS ? 6 : field.max);

function valueOf(text: string, { name, min, max, names }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw new BadSchedule(`"${text}" is not a ${name}: ${min} to ${max}${names ? `, or ${names[0]?.toUpperCase()} to ${names.at(-1)?.toUpperCase()}` : ''}`);
  return value;
}

function isDay(cron: Cron, date: Date): boolean {
  const ofMonth = cron.daysOfMonth.has(date.getUTCDate());
  const ofWeek = cron.daysOfWeek.has(date.getUTCDay());
  return cron.anyDayOfMonth || cron.anyDayOfWeek ? ofMonth && ofWeek : ofMonth || ofWeek;
}

/** The first wall-clock time at or after `from` that fits; undefined: there is none. */
export function nextWallTime(cron: Cron, from: number): number | undefined {
  const start = Math.ceil(from / 1000) * 1000;
  const lastYear = new Date(start).getUTCFullYear() + SEARCH_YEARS;
  let day = Math.floor(start / DAY_MS) * DAY_MS;
  let earliest = start - day;
  for (;;) {
    const date = new Date(day);
    const year = date.getUTCFullYear();
    if (year > lastYear || Number.isNaN(year)) return undefined;
    if (!cron.months.has(date.getUTCMonth() + 1)) {
      day = Date.UTC(year, date.getUTCMonth() + 1, 1);
      earliest = 0;
      continue;
    }
    if (isDay(cron, date)) {
      const time = timeOfDay(cron, earliest);
      if (time !== undefined) return day + time;
    }
    day += DAY_MS;
    earliest = 0;
  }
}

/** Milliseconds into the day, at or after `from`, that fit; undefined: not on this day any more. */
function timeOfDay({ hours, minutes, seconds }: Cron, from: number): number | undefined {
  const second = Math.floor(from / 1000);
  const [atHour, atMinute, atSecond] = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  for (const hour of hours) {
    if (hour < atHour) continue;
    for (const minute of minutes) {
      if (hour === atHour && minute < atMinute) continue;
      for (const exact of seconds) {
        if (hour === atHour && minute === atMinute && exact < atSecond) continue;
        return ((hour * 60 + minute) * 60 + exact) * 1000;
      }
    }
  }
  return undefined;
}
