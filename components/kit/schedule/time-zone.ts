/**
 * Wall clocks of the world: what a clock in a zone shows at an instant, and when it shows a time. The rules come from the ICU data that
 * Node brings (`Intl`), so that a zone is as right as the Node in use.
 *
 * Offsets are remembered by UTC day, as stretches of time within which the offset stays the same.
 */
import { BadSchedule } from './cron.ts';

export interface TimeZone {
  readonly name: string;
  /** Milliseconds that the wall clock is ahead of UTC. */
  offsetAt(instant: number): number;
  /** The stretch of constant offset around the instant, no longer than the UTC day that holds it. */
  stretchAt(instant: number): Stretch;
  /**
   * When the wall clock shows this time: the first time that it does so. A time that the clock leaps over comes at the leap.
   * Never goes back: of two times the later never has an earlier instant.
   */
  instantOf(wallTime: number): number;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

const DAY_MS = 24 * 3600_000;
/** Days of which the stretches are remembered; then all are forgotten. */
const DAYS_MAX = 2000;
const ZONES_MAX = 600;
const zones = new Map<string, TimeZone>();

export const UTC: TimeZone = {
  name: 'UTC',
  offsetAt: () => 0,
  stretchAt: (instant) => ({ from: dayOf(instant), to: dayOf(instant) + DAY_MS, offset: 0 }),
  instantOf: (wallTime) => wallTime,
};

/** By its IANA name, in any case. Throws `BadSchedule`. */
export function timeZone(name: string): TimeZone {
  const known = zones.get(name);
  if (known) return known;
  if (/^(?:utc|etc\/utc|gmt|z)$/i.test(name)) return UTC;
  const zone = openZone(name);
  if (zones.size >= ZONES_MAX) zones.clear();
  zones.set(name, zone);
  return zone;
}

const dayOf = (instant: number): number => Math.floor(instant / DAY_MS) * DAY_MS;

function openZone(name: string): TimeZone {
  const format = formatOf(name);
  const days = new Map<number, readonly Stretch[]>();

  /** Looked up, not remembered. */
  function lookUp(instant: number): number {
    const fields: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) if (type !== 'literal') fields[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  }

  function stretchesOf(day: number): readonly Stretch[] {
    const known = days.get(day);
    if (known) return known;
    const stretches: Stretch[] = [];
    // Hour by hour, so that a clock that is moved twice in a day is seen.
    for (let from = day; from < day + DAY_MS; ) {
      const offset = lookUp(from);
      let to = from + 3600_000;
      while (to < day + DAY_MS && lookUp(to) === offset) to += 3600_000;
      if (lookUp(to) !== offset) to = leapBetween(to - 3600_000, to, offset);
      stretches.push({ from, to: Math.min(to, day + DAY_MS), offset });
      from = to;
    }
    if (days.size >= DAYS_MAX) days.clear();
    days.set(day, stretches);
    return stretches;
  }

  /** The first second after `from` that has another offset. */
  function leapBetween(from: number, to: number, offset: number): number {
    let [same, other] = [from, to];
    while (other - same > 1000) {
      const middle = same + Math.floor((other - same) / 2000) * 1000;
      if (lookUp(middle) === offset) same = middle;
      else other = middle;
    }
    return other;
  }

  function stretchAt(instant: number): Stretch {
    const found = stretchesOf(dayOf(instant)).find(({ to }) => instant < to);
    if (!found) throw new Error(`the offsets of ${name} have a hole`);
    return found;
  }

  return {
    name,
    offsetAt: (instant) => stretchAt(instant).offset,
    stretchAt,
    instantOf(wallTime) {
      // No clock is a day or more away from UTC, so what fits lies within these.
      for (let at = wallTime - DAY_MS; at <= wallTime + DAY_MS; ) {
        const { to, offset, from } = stretchAt(at);
        // Beyond the end: the clock shows it later, or leaps over it.
        if (wallTime - offset < to) return Math.max(wallTime - offset, from);
        at = to;
      }
      throw new Error(`the clock of ${name} never shows ${new Date(wallTime).toISOString()}`);
    },
  };
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23',
      year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    });
  } catch {
    throw new BadSchedule(`there is no time zone ${JSON.stringify(name)}; names are those of the IANA data, such as Europe/Vienna`);
  }
}
