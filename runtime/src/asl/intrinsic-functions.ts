/** What each intrinsic function does. All are bounded: lists, texts and numbers have the service's limits. */
import { createHash } from 'node:crypto';
import { deepEqual, isArray, isObject, JsonInvalid, parseJson, type Json } from './json.ts';
import type { IntrinsicArgument, IntrinsicCall } from './intrinsic-call.ts';
import { intrinsicFailure, StateError } from './state-error.ts';

export interface IntrinsicHost {
  readonly random: () => number;
  readonly uuid: () => string;
  readonly jsonDepthMax: number;
  /** The value of a path; throws when it is missing. */
  readonly path: (argument: IntrinsicArgument & { readonly kind: 'path' }) => Json;
}

type Implementation = (values: readonly Json[], host: IntrinsicHost, call: IntrinsicCall) => Json;

const RANGE_MAX = 1_000;
const DATA_CHARACTERS_MAX = 10_000;
const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };

/** Evaluates a call; States.IntrinsicFailure names the call and what was wrong with it. */
export function evaluateIntrinsic(call: IntrinsicCall, host: IntrinsicHost): Json {
  const values = call.arguments.map((argument): Json => {
    if (argument.kind === 'value') return argument.value;
    return argument.kind === 'path' ? host.path(argument) : evaluateIntrinsic(argument, host);
  });
  const implementation = FUNCTIONS[call.name];
  if (!implementation) throw intrinsicFailure(`there is no function ${call.name}`);
  try {
    return implementation(values, host, call);
  } catch (error) {
    if (error instanceof StateError) throw error;
    throw intrinsicFailure(`The function '${call.text}' had the following error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const text = (value: Json | undefined, what: string): string => {
  if (typeof value !== 'string') throw new Error(`${what} must be a string`);
  return value;
};
const list = (value: Json | undefined): readonly Json[] => {
  if (!isArray(value)) throw new Error('the first argument must be an array');
  return value;
};
const object = (value: Json | undefined): Readonly<Record<string, Json>> => {
  if (!isObject(value)) throw new Error('both arguments must be objects');
  return value;
};
/** Halves go up, as Java rounds them. */
const rounded = (value: Json | undefined, what: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`${what} must be a number`);
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) throw new Error(`${what} is too large`);
  return whole === 0 ? 0 : whole;
};
const short = (value: string): string => {
  if (value.length > DATA_CHARACTERS_MAX) throw new Error(`the data has more than ${DATA_CHARACTERS_MAX} characters`);
  return value;
};

const FUNCTIONS: Readonly<Record<string, Implementation>> = {
  'States.Format': (values, _host, call) => format(values, call),
  'States.StringToJson': ([value], host) => {
    const json = text(value, 'the argument');
    if (json.trim() === '') return null;
    try {
      return parseJson(json, host.jsonDepthMax);
    } catch (error) {
      if (error instanceof JsonInvalid) throw new Error(`the argument is not JSON: ${error.message}`, { cause: error });
      throw error;
    }
  },
  'States.JsonToString': ([value]) => JSON.stringify(value),
  'States.Array': (values) => values,
  'States.ArrayPartition': ([value, size]) => {
    const items = list(value);
    const chunk = rounded(size, 'the size');
    if (chunk < 1) throw new Error('the size must be positive');
    return Array.from({ length: Math.ceil(items.length / chunk) }, (_, at) => items.slice(at * chunk, (at + 1) * chunk));
  },
  'States.ArrayContains': ([value, wanted]) => list(value).some((item) => deepEqual(item, wanted ?? null)),
  'States.ArrayRange': ([from, to, by]) => {
    const [first, last, step] = [rounded(from, 'the first number'), rounded(to, 'the last number'), rounded(by, 'the step')];
    if (step === 0) throw new Error('the step must not be 0');
    const length = Math.max(0, Math.floor((last - first) / step) + 1);
    if (length > RANGE_MAX) throw new Error(`the range has ${length} numbers, more than ${RANGE_MAX}`);
    return Array.from({ length }, (_, at) => first + at * step);
  },
  'States.ArrayGetItem': ([value, index]) => {
    const items = list(value);
    const at = rounded(index, 'the index');
    const item = at < 0 ? undefined : items[at];
    if (item === undefined) throw new Error(`the index ${at} is outside of the array of ${items.length}`);
    return item;
  },
  'States.ArrayLength': ([value]) => list(value).length,
  'States.ArrayUnique': ([value]) => {
    const seen = new Set<string>();
    return list(value).filter((item) => {
      const key = canonical(item);
      return seen.has(key) ? false : Boolean(seen.add(key));
    });
  },
  'States.Base64Encode': ([value]) => Buffer.from(short(text(value, 'the argument')), 'utf8').toString('base64'),
  'States.Base64Decode': ([value]) => {
    const encoded = short(text(value, 'the argument'));
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) throw new Error('the argument is not Base64');
    return Buffer.from(encoded, 'base64').toString('utf8');
  },
  'States.Hash': ([data, algorithm]) => hash(typeof data === 'string' ? data : JSON.stringify(data), algorithm),
  'States.JsonMerge': ([a, b, deep]) => {
    if (deep !== false) throw new Error('the third argument must be false: deep merging is not supported');
    return { ...object(a), ...object(b) };
  },
  'States.MathRandom': ([from, to, seed], host) => {
    const [low, high] = [rounded(from, 'the first number'), rounded(to, 'the second number')];
    if (low >= high) throw new Error('the first number must be smaller than the second');
    const chance = seed === undefined ? host.random() : seeded(rounded(seed, 'the seed'));
    return low + Math.floor(chance * (high - low));
  },
  'States.MathAdd': ([a, b]) => rounded(rounded(a, 'the first number') + rounded(b, 'the second number'), 'the sum'),
  'States.StringSplit': ([value, delimiters]) => {
    const marks = new Set(text(delimiters, 'the second argument'));
    const parts: string[] = [''];
    for (const character of text(value, 'the first argument')) {
      if (marks.has(character)) parts.push('');
      else parts[parts.length - 1] += character;
    }
    return parts.filter((part) => part !== '');
  },
  'States.UUID': (_values, host) => host.uuid(),
};

/** Lower-case hexadecimal; throws for algorithms that are not offered and data that is too long. */
export function hash(data: string, algorithm: Json | undefined): string {
  const name = typeof algorithm === 'string' && Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
  if (name === undefined) throw new Error(`the algorithm must be one of ${Object.keys(HASHES).join(', ')}`);
  return createHash(name).update(short(data), 'utf8').digest('hex');
}

/** A number of [0, 1) that the seed alone decides. */
export function seeded(seed: number): number {
  let mixed = Math.trunc(seed) ^ 0x9e37_79b9;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

/** The same text for equal values, whatever the order of their members. */
function canonical(value: Json): string {
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(',')}}`;
}

function format(values: readonly Json[], call: IntrinsicCall): string {
  const [template, ...rest] = values;
  const [first] = call.arguments;
  const parts = first?.kind === 'value' && first.parts ? first.parts : text(template, 'the first argument').split('{}');
  if (parts.length - 1 !== rest.length) throw new Error(`the template has ${parts.length - 1} places {} for ${rest.length} arguments`);
  return parts.map((part, at) => (at === 0 ? part : shown(rest[at - 1] ?? null) + part)).join('');
}

/** Texts as they are, lists and objects as Java prints them. */
function shown(value: Json): string {
  if (typeof value === 'string') return value;
  if (isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (isObject(value)) return `{${Object.entries(value).map(([name, item]) => `${name}=${shown(item)}`).join(', ')}}`;
  return JSON.stringify(value);
}
