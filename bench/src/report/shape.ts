/**
 * Holds a value that came from outside against a type, and names the first place that does not fit. The compiler keeps the
 * list of an object's fields complete: a field added to its type and forgotten in its shape does not compile.
 */

/** Throws an error that names `at` when the value does not fit. */
export type Check = (value: unknown, at: string) => void;

export const number: Check = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw misfit(at, 'a number', value);
};
export const text: Check = (value, at) => {
  if (typeof value !== 'string') throw misfit(at, 'text', value);
};
export const truth: Check = (value, at) => {
  if (typeof value !== 'boolean') throw misfit(at, 'true or false', value);
};
export const oneOf =
  (words: readonly string[]): Check =>
  (value, at) => {
    if (!words.some((word) => word === value)) throw misfit(at, `one of ${words.join(', ')}`, value);
  };
export const optional =
  (check: Check): Check =>
  (value, at) => {
    if (value !== undefined) check(value, at);
  };
export const listOf =
  (check: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) throw misfit(at, 'a list', value);
    value.forEach((item, index) => check(item, `${at}[${index}]`));
  };
export const shape =
  <T>(fields: { readonly [K in keyof T]-?: Check }): Check =>
  (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(at, 'an object', value);
    for (const [name, check] of Object.entries<Check>(fields)) check((value as Record<string, unknown>)[name], `${at}.${name}`);
  };
/** A list of just these, in this order. */
export const tuple =
  (...checks: readonly Check[]): Check =>
  (value, at) => {
    if (!Array.isArray(value) || value.length !== checks.length) throw misfit(at, `a list of ${checks.length}`, value);
    checks.forEach((check, index) => check(value[index], `${at}[${index}]`));
  };

/** Returns the value as what it is; `source` (a file's name) begins the sentence of the error. */
export function checked<T>(value: unknown, check: Check, source: string): T {
  try {
    check(value, '');
  } catch (error) {
    throw new Error(`${source}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return value as T;
}

function misfit(at: string, wanted: string, value: unknown): Error {
  const place = at.replace(/^\./, '') || 'the whole';
  const found = value === undefined ? 'missing' : typeof value === 'number' ? String(value) : JSON.stringify(value).slice(0, 60);
  return new Error(`${place} should be ${wanted}, and is ${found}`);
}
