/**
 * Requests are encoded once; per request only a number of eight digits is written over its place. So the generator costs
 * less than what it measures, and 1,000,000 keys need no million strings.
 */

/** Stands in a path, body or message for the number of the request. */
export const NUMBER = '########';
export const NUMBER_DIGITS = NUMBER.length;

export interface Template {
  /** A fresh copy: sockets keep what they are given until it is sent. `number`: 0 to 99,999,999. */
  bytes(number: number): Buffer;
  readonly length: number;
}

const HASH = 0x23;
const ZERO = 0x30;

export function templateOf(bytes: Buffer): Template {
  const places: number[] = [];
  for (let at = bytes.indexOf(NUMBER); at >= 0; at = bytes.indexOf(NUMBER, at + NUMBER_DIGITS)) places.push(at);
  return {
    length: bytes.length,
    bytes(number) {
      const copy = Buffer.from(bytes);
      for (const place of places) writeNumber(copy, place, number);
      return copy;
    },
  };
}

function writeNumber(into: Buffer, place: number, number: number): void {
  let rest = number;
  for (let at = place + NUMBER_DIGITS - 1; at >= place; at--) {
    into[at] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** `key-########` with its number. */
export function withNumber(text: string, number: number): string {
  return text.replaceAll(NUMBER, String(number).padStart(NUMBER_DIGITS, '0'));
}

/** Fills up to `length` with `#`-free text; the marker of the number stays as it is. */
export function padded(text: string, length: number): string {
  return text + 'x'.repeat(Math.max(0, length - text.length));
}

/** The eight digits at `at`, or -1 where none stand. */
export function readNumber(bytes: Buffer, at: number): number {
  let number = 0;
  for (let index = at; index < at + NUMBER_DIGITS; index++) {
    const digit = (bytes[index] ?? HASH) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
