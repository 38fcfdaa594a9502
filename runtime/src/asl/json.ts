/**
 * JSON values as the interpreter sees them. Values are never changed after they were made: parts are shared freely between
 * input, output, variables and snapshot.
 *
 * Names such as `__proto__` are ordinary names here: they are read as own members only and written with `withMember`.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** Text that is no JSON, or JSON nested deeper than anybody means it to be. */
export class JsonInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonInvalid';
  }
}

export const isArray = (value: unknown): value is readonly Json[] => Array.isArray(value);

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own member, or undefined. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets an own member on an object under construction, whatever its name. */
export function setMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

export function withMember(object: JsonObject, name: string, value: Json): JsonObject {
  const copy: Record<string, Json> = { ...object };
  setMember(copy, name, value);
  return copy;
}

export function deepEqual(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, index) => deepEqual(item, b[index] ?? null));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && deepEqual(a[name] ?? null, b[name] ?? null));
}

/** What a value is called in messages. */
export function typeName(value: Json): 'null' | 'array' | 'object' | 'string' | 'number' | 'boolean' {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
}

/** Parses JSON text that comes from outside. */
export function parseJson(text: string, depthMax: number): Json {
  if (nestedDeeper(text, depthMax)) throw new JsonInvalid(`nested deeper than ${depthMax} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text, UNUSUAL_NUMBER.test(text) ? finite : undefined);
  } catch (error) {
    throw new JsonInvalid(error instanceof Error ? error.message : String(error));
  }
  return plain(value as Json);
}

/** Numbers that may be beyond what can be written again. */
const UNUSUAL_NUMBER = /[eE]\+?\d{3}|\d{300}/;

function finite(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new JsonInvalid('a number is out of range');
  return value;
}

/** -0 is 0 in JSON as other languages read it. */
function plain(value: Json): Json {
  return value === 0 ? 0 : value;
}

/** Whether JSON text is nested deeper than `depthMax`; linear, and without recursion. */
export function nestedDeeper(text: string, depthMax: number): boolean {
  if (text.length <= depthMax) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      for (at++; at < text.length && text.charCodeAt(at) !== 34; at++) if (text.charCodeAt(at) === 92) at++;
    } else if (code === 91 || code === 123) {
      if (++depth > depthMax) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}

/** Bytes of the text in UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
