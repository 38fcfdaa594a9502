/**
 * What several faces read from a query, read once. An empty value is a value; what is not as it must be is refused with the block's own
 * error (`refuse` is told why, in words for the caller) and never taken for another value.
 */
export type Refuse = (why: string) => Error;

export interface WholeNumbers {
  readonly least: number;
  readonly most: number;
}

export function wholeNumberOf(query: URLSearchParams, name: string, { least, most }: WholeNumbers, refuse: Refuse): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) throw refuse(`${name} is a whole number from ${least} to ${most}`);
  return number;
}

/** `limit`: how many entries one page holds. */
export function limitOf(query: URLSearchParams, { most, byDefault }: { readonly most: number; readonly byDefault: number }, refuse: Refuse): number {
  return wholeNumberOf(query, 'limit', { least: 1, most }, refuse) ?? byDefault;
}

/** Milliseconds since the epoch. */
export function instantOf(query: URLSearchParams, name: string, refuse: Refuse): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw refuse(`${name} is a time such as 2026-01-31T08:00:00Z`);
  return ms;
}
