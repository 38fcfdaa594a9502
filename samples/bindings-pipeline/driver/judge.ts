/**
 * What must hold for every tick, recomputed from what the world outside has: the schedule, the rows of the table, the mails that arrived and
 * the courier's own list. No counter of the service or of the driver is believed.
 *
 * P1  A tick of the schedule ends in a row or in a mail.
 * P2  It ends in one of them, once.
 * P3  What the courier booked and what the rows name are the same pick-ups.
 */
import type { Booking } from '../world/courier.ts';

export interface Row {
  readonly tick: string;
  readonly pickup: string;
}

export interface Records {
  /** The ids of all ticks to judge, in the order of time. */
  readonly ticks: readonly string[];
  readonly rows: readonly Row[];
  /** The tick that each mail speaks of. */
  readonly mails: readonly string[];
  readonly bookings: readonly Booking[];
}

export interface Verdict {
  readonly ticks: number;
  readonly rows: number;
  readonly mails: number;
  /** Ticks that ended in nothing. */
  readonly lost: number;
  /** Ticks that ended in more than one thing, and pick-ups that were booked without need. */
  readonly doubled: number;
  /** One sentence per breach; empty = all holds. */
  readonly breaches: readonly string[];
}

/** What belongs to ticks after the last one to judge is left out: it may be under way. */
export function judge(records: Records): Verdict {
  const last = records.ticks.at(-1) ?? '';
  const rows = Map.groupBy(records.rows.filter(({ tick }) => tick <= last), ({ tick }) => tick);
  const mails = Map.groupBy(records.mails.filter((tick) => tick <= last), (tick) => tick);
  const breaches: string[] = [];
  let [lost, doubled] = [0, 0];
  for (const tick of records.ticks) {
    const [inRows, inMails] = [rows.get(tick)?.length ?? 0, mails.get(tick)?.length ?? 0];
    if (inRows + inMails === 1) continue;
    if (inRows + inMails === 0) {
      lost++;
      breaches.push(`P1: ${tick} has neither a row nor a mail`);
    } else {
      doubled++;
      breaches.push(`P2: ${tick} has ${inRows} rows and ${inMails} mails`);
    }
  }
  const ticks = new Set(records.ticks);
  for (const tick of new Set([...rows.keys(), ...mails.keys()])) if (!ticks.has(tick)) breaches.push(`P2: ${tick} is no tick of the schedule`);

  const named = new Set(records.rows.map(({ pickup }) => pickup));
  for (const { key, pickup } of records.bookings) {
    if (named.has(pickup) || (key > last && key.split('/')[0] === last.split('/')[0])) continue;
    doubled++;
    breaches.push(`P3: ${pickup} was booked (${key}), and no row knows of it`);
  }
  const booked = new Set(records.bookings.map(({ pickup }) => pickup));
  for (const [tick, [row]] of rows) if (row && !booked.has(row.pickup)) breaches.push(`P3: the row of ${tick} names ${row.pickup}, which the courier does not know`);

  const count = (found: ReadonlyMap<string, readonly unknown[]>): number => [...found.values()].reduce((sum, { length }) => sum + length, 0);
  return { ticks: records.ticks.length, rows: count(rows), mails: count(mails), lost, doubled, breaches };
}

export const verdictLine = ({ ticks, rows, mails, lost, doubled }: Verdict): string => `ticks: ${ticks} rows: ${rows} mails: ${mails} lost: ${lost} doubled: ${doubled}`;
