/**
 * Values of MySQL as JSON text, so that no number loses a digit on the way through a double. Dates and times are RFC 3339 in
 * UTC, which is the zone of every session here.
 */
import type { FieldPacket } from 'mysql2';

/** The protocol's numbers of types. */
const TYPE = { decimal: 0, float: 4, double: 5, timestamp: 7, longlong: 8, date: 10, datetime: 12, newDate: 14, bit: 16, json: 245, newDecimal: 246 } as const;

type Column = FieldPacket & { readonly extendedFormat?: string };

/** `undefined` for NULL, which rows leave out. */
export function toJson(value: unknown, column: Column): string | undefined {
  if (value === null || value === undefined) return undefined;
  const type = column.columnType ?? column.type;
  if (typeof value === 'number') return type === TYPE.float ? String(shortest(value)) : String(value);
  if (Buffer.isBuffer(value)) return type === TYPE.bit ? BigInt(`0x${value.toString('hex') || '0'}`).toString() : JSON.stringify(value.toString('base64'));
  if (typeof value !== 'string') return JSON.stringify(value);
  switch (type) {
    case TYPE.decimal:
    case TYPE.newDecimal:
    case TYPE.longlong:
      // Columns may be filled up with zeros, which JSON numbers are not.
      return value.replace(/^(-?)0+(?=\d)/, '$1');
    case TYPE.date:
    case TYPE.newDate:
    case TYPE.datetime:
    case TYPE.timestamp:
      return JSON.stringify(timeOf(value));
    case TYPE.json:
      return value;
    default:
      return column.extendedFormat === 'json' && isJson(value) ? value : JSON.stringify(value);
  }
}

/** The fewest digits that are this single-precision number. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

/** A date that is none, such as 0000-00-00, stays as it is. */
function timeOf(text: string): string {
  const [, date, clock = '00:00:00'] = /^(\d{4}-(?!00)\d\d-(?!00)\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?$/.exec(text) ?? [];
  return date === undefined ? text : `${date}T${clock.replace(/\.0+$/, '')}Z`;
}

/** MariaDB's JSON is text with a check, which a table may have lost. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
