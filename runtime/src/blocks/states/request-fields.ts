/** Members of a request, read and checked as the service does: what is wrong with one is a ValidationException in its words. */
import type { ParsedArn } from '../../workflow-asl/arns.ts';
import { parseArn, type ArnKind } from '../../workflow-asl/arns.ts';
import { errors } from './states-errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

const FORBIDDEN_IN_NAME = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff]/;
const NAME_MAX = 80;

const broken = (name: string, value: unknown, rule: string): Error => errors.validation(`1 validation error detected: Value '${typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')}' at '${name}' failed to satisfy constraint: Member must ${rule}`);

export function optionalText(fields: Fields, name: string, { max = Number.MAX_SAFE_INTEGER }: { readonly max?: number } = {}): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw broken(name, value, 'be a string');
  if (value.length > max) throw broken(name, value.slice(0, 100), `have length less than or equal to ${max}`);
  return value;
}
export function text(fields: Fields, name: string, options: { readonly max?: number } = {}): string {
  const value = optionalText(fields, name, options);
  if (value === undefined) throw broken(name, null, 'not be null');
  return value;
}
export function oneOf<T extends string>(fields: Fields, name: string, values: readonly T[]): T | undefined {
  const value = optionalText(fields, name);
  if (value === undefined) return undefined;
  if (!(values as readonly string[]).includes(value)) throw broken(name, value, `satisfy enum value set: [${values.join(', ')}]`);
  return value as T;
}
export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw broken(name, value, 'be a boolean');
  return value;
}
/** 0 and absent stand for the default. */
export function maxResults(fields: Fields, { most = 1000, byDefault = 100 }: { readonly most?: number; readonly byDefault?: number } = {}): number {
  const value = fields['maxResults'] ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw broken('maxResults', value, 'be an integer');
  if (value > most) throw broken('maxResults', value, `have value less than or equal to ${most}`);
  if (value < 0) throw broken('maxResults', value, 'have value greater than or equal to 0');
  return value === 0 ? byDefault : value;
}
export function nameField(fields: Fields, name = 'name'): string {
  const value = text(fields, name);
  if (value === '' || value.length > NAME_MAX || FORBIDDEN_IN_NAME.test(value) || !value.isWellFormed()) throw errors.invalidName(value);
  return value;
}
/** An ARN of one of these kinds. */
export function arnField(fields: Fields, name: string, kinds: readonly ArnKind[]): ParsedArn {
  const value = text(fields, name, { max: 256 });
  const parsed = parseArn(value);
  if (!parsed) throw errors.invalidArn(`Invalid ARN prefix: ${value}`);
  if (!kinds.includes(parsed.kind)) throw errors.invalidArn(`Resource type not valid in this context: ${parsed.kind}`);
  return parsed;
}

/** A page's end, as text that says nothing to others. */
export const pageToken = (value: string | number): string => Buffer.from(JSON.stringify(value)).toString('base64url');
export function nextToken(fields: Fields, max = 1024): string | number | undefined {
  const token = optionalText(fields, 'nextToken', { max });
  if (token === undefined) return undefined;
  try {
    const value = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown;
    if (typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value;
  } catch {
    throw errors.invalidToken();
  }
  throw errors.invalidToken();
}

/** Some of a list, and the token of the rest. Pages are told by the last name, so that a list that changes meanwhile is not read twice. */
export function pageOfNames(names: readonly string[], fields: Fields): { readonly names: readonly string[]; readonly nextToken?: string } {
  const after = nextToken(fields);
  const most = maxResults(fields);
  const left = after === undefined ? names : names.filter((name) => name > String(after));
  const page = left.slice(0, most);
  const last = page.at(-1);
  return { names: page, ...(left.length > page.length && last !== undefined ? { nextToken: pageToken(last) } : {}) };
}

/** Dates on the wire are seconds. */
export const seconds = (ms: number): number => ms / 1000;
