/**
 * JSON bodies of the hand-written handlers (http-api.md 3.1): known keys match in any case (the exact spelling wins, then
 * the last one written), unknown keys are ignored, types are strict. The JavaScript SDK depends on the first.
 */

/** A body that is not what the operation takes; the message may be shown to the caller. */
export class BadJson extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadJson';
  }
}

/** The parsed body; an empty one is `EOF`, as clients know it. */
export function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) throw new BadJson('EOF');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new BadJson(error instanceof Error ? error.message : String(error));
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new BadJson(`${where} must be an object, not ${typeName(value)}`);
}

export function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === null) return [];
  throw new BadJson(`${where} must be an array, not ${typeName(value)}`);
}

/** The value under `name` in any case; undefined when absent or null. */
export function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name] ?? undefined;
  const lower = name.toLowerCase();
  let found: unknown;
  for (const [key, value] of Object.entries(object)) if (key.toLowerCase() === lower) found = value;
  return found ?? undefined;
}

/** Whether `name` is there at all, in any case, `null` included. */
export function hasMember(object: JsonObject, name: string): boolean {
  const lower = name.toLowerCase();
  return Object.keys(object).some((key) => key.toLowerCase() === lower);
}

export function stringMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name);
  if (value === undefined || typeof value === 'string') return value;
  throw new BadJson(`"${name}" must be a string, not ${typeName(value)}`);
}

export function integerMember(object: JsonObject, name: string): number | undefined {
  const value = member(object, name);
  if (value === undefined || Number.isInteger(value)) return value as number | undefined;
  throw new BadJson(`"${name}" must be a whole number, not ${typeName(value)}`);
}

/** A map of strings; undefined when absent. */
export function stringMapMember(object: JsonObject, name: string): Readonly<Record<string, string>> | undefined {
  const value = member(object, name);
  if (value === undefined) return undefined;
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, entry] of Object.entries(asObject(value, `"${name}"`))) {
    if (typeof entry !== 'string') throw new BadJson(`"${name}.${key}" must be a string, not ${typeName(entry)}`);
    map[key] = entry;
  }
  return map;
}

/**
 * A value as JSON text bytes; absent becomes `null`. Nesting too deep to write is a bad body, not a crash, and a number that
 * no double holds is a bad body too: written, it would silently become `null`.
 */
export function jsonBytes(value: unknown): Uint8Array {
  try {
    const text = JSON.stringify(value ?? null);
    if (text.includes('null')) refuseInfinity(value);
    return Buffer.from(text);
  } catch (error) {
    if (error instanceof RangeError) throw new BadJson('the value is nested too deeply');
    throw error;
  }
}

function refuseInfinity(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new BadJson('a number is out of range');
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) refuseInfinity(inner);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
