/**
 * Text as PostgreSQL can keep it. It has no U+0000; here that is written as an escape character of the private use area, then 0;
 * the escape character itself as itself, then 1. Halves of surrogate pairs become U+FFFD, as everywhere in UTF-8.
 */
const ESCAPE = '\uf1ff';
const TO_ESCAPE = /[\u0000\uf1ff]/g;
const ESCAPED = /\uf1ff([01])/g;
/** In JSON as `JSON.stringify` writes it: what its text cannot carry as it is. */
const JSON_TO_ESCAPE = /\\u0000|\\ud[89a-f]|\uf1ff/;

export function toStored(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\0') || whole.includes(ESCAPE) ? whole.replace(TO_ESCAPE, (character) => ESCAPE + (character === '\0' ? '0' : '1')) : whole;
}

function fromStored(text: string): string {
  return text.includes(ESCAPE) ? text.replace(ESCAPED, (_all, kind) => (kind === '0' ? '\0' : ESCAPE)) : text;
}

/** JSON whose texts PostgreSQL can keep; keys of objects are to be plain. */
export function storedJson(value: unknown): string {
  const json = JSON.stringify(value);
  return JSON_TO_ESCAPE.test(json) ? JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? toStored(part) : part)) : json;
}

/** A text as it was before `toStored`; with `parse` the value of a JSON text before `storedJson`. */
export function readStored(text: string): string;
export function readStored(text: string, parse: typeof JSON.parse): unknown;
export function readStored(text: string, parse?: typeof JSON.parse): unknown {
  if (!parse) return fromStored(text);
  return text.includes(ESCAPE) ? parse(text, (_key, part: unknown) => (typeof part === 'string' ? fromStored(part) : part)) : parse(text);
}
