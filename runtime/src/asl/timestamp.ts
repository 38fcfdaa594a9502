/** Timestamps of the States Language: RFC 3339 with a capital T, a capital Z or an offset, and any number of decimals. */

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since 1970, fractions of them kept; undefined when the text is no timestamp. */
export function parseTimestamp(text: string): number | undefined {
  const found = TIMESTAMP.exec(text);
  if (!found) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60) return undefined;
  const offset = found[8] ?? 'Z';
  const [offsetHours = 0, offsetMinutes = 0] = offset === 'Z' ? [] : offset.slice(1).split(':').map(Number);
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (offset.startsWith('-') ? -1 : 1);
  const instant = new Date(0);
  instant.setUTCFullYear(year, month - 1, day);
  instant.setUTCHours(hour, minute, second);
  return instant.getTime() + Number(`0.${found[7] ?? '0'}`) * 1000 - offsetMs;
}

function daysIn(year: number, month: number): number {
  const last = new Date(0);
  last.setUTCFullYear(year, month, 0);
  return last.getUTCDate();
}

/** As the context object writes time. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
