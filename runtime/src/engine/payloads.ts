/**
 * Texts too large for the rows that are read often (events, requests, a custom status) lie in the ledger beside them: the row names
 * them by the hash of their content, `{"$mecha.payload":"…","bytes":…}`, and whoever reads the row fetches them. Executors and callers see whole
 * texts only.
 *
 * An object of somebody else's that has a key of this name is stored as a payload itself, so that nothing read can be mistaken for a name.
 * A text without names, which nearly all are, costs one search in it.
 */
import { createHash } from 'node:crypto';
import { LedgerRefused, type WorkflowLedger, type WorkflowPayload } from '@mecha/components/kit';
import { TurnRejected } from './executor.ts';

/** A text longer than this does not lie in the row. */
export const INLINE_MAX = 64 * 1024;
const KEY = '$mecha.payload';
const MARK = `"${KEY}"`;

interface Name {
  readonly [KEY]: string;
  readonly bytes: number;
  /** What was stored is JSON, and not a text. */
  readonly json?: true;
}

export interface Stored {
  readonly text: string;
  readonly payloads?: readonly WorkflowPayload[];
}

/** As JSON, with what is too large for it beside it. */
export function store(value: unknown): Stored {
  const text = JSON.stringify(value);
  if (text.length <= INLINE_MAX && !text.includes(MARK)) return { text };
  const payloads = new Map<string, WorkflowPayload>();
  const leave = (data: string, json: boolean): Name => {
    const { name, payload } = apart(data, json);
    payloads.set(payload.id, payload);
    return name;
  };
  const short = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'string') return part.length > INLINE_MAX ? leave(part, false) : part;
    return isObject(part) && Object.hasOwn(part, KEY) ? leave(JSON.stringify(part), true) : part;
  });
  return payloads.size === 0 ? { text } : { text: short, payloads: [...payloads.values()] };
}

function apart(data: string, json: boolean): { readonly name: Name; readonly payload: WorkflowPayload } {
  const id = createHash('sha256').update(data).digest('base64url');
  return { name: { [KEY]: id, bytes: data.length, ...(json ? { json } : {}) }, payload: { id, data } };
}

/** A custom status is text and no JSON: it is named by a text that is nothing else. */
export function storeStatus(status: string): { readonly customStatus: string; readonly customStatusPayload?: WorkflowPayload } {
  if (status.length <= INLINE_MAX && !isStoredApart(status)) return { customStatus: status };
  const { name, payload } = apart(status, false);
  return { customStatus: JSON.stringify(name), customStatusPayload: payload };
}
export const isStoredApart = (customStatus: string): boolean => customStatus.startsWith(`{${MARK}`);

type Source = Pick<WorkflowLedger, 'payload'>;

export const namesNothing = (text: string): boolean => !text.includes(MARK);

/** The value as it was stored, if the text names nothing; otherwise undefined, and `fetched` has it. */
export function parsed<T>(text: string): T | undefined {
  return namesNothing(text) ? (JSON.parse(text) as T) : undefined;
}

/** Throws `TurnRejected` (damaged) when something named is not there, or when all together has more than `bytesMax`. */
export async function fetched<T>(ledger: Source, row: number, text: string, budget?: Budget): Promise<T> {
  const value = JSON.parse(text) as unknown;
  if (!text.includes(MARK)) return value as T;
  const names = new Set<Name>();
  collect(value, names);
  for (const { bytes } of names) budget?.take(bytes);
  const texts = new Map<string, string>();
  for (const { [KEY]: id } of names) if (!texts.has(id)) texts.set(id, await payloadOf(ledger, row, id));
  return replaced(value, texts) as T;
}

/** Counts what is fetched, and refuses what is too much. */
export class Budget {
  readonly #bytesMax: number;
  #taken = 0;
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }
  get taken(): number {
    return this.#taken;
  }
  take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken > this.#bytesMax) throw new TurnRejected('payload-too-large', `its history has more than ${this.#bytesMax} bytes; continue-as-new would begin it anew`);
  }
}

/** How many bytes the text stands for: its own, and those it names. */
export function bytesNamed(text: string): number {
  if (!text.includes(MARK)) return 0;
  const names = new Set<Name>();
  collect(JSON.parse(text), names);
  let sum = 0;
  for (const { bytes } of names) sum += bytes;
  return sum;
}

async function payloadOf(ledger: Source, row: number, id: string): Promise<string> {
  const data = await ledger.payload(row, id);
  if (data === undefined) throw new LedgerRefused('damaged', `payload ${id} of workflow row ${row} is not there; restore the ledger from a copy, or purge the instance`);
  return data;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isName = (value: unknown): value is Name => isObject(value) && typeof value[KEY] === 'string';

function collect(value: unknown, into: Set<Name>): void {
  if (isName(value)) into.add(value);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) collect(part, into);
}

function replaced(value: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (isName(value)) {
    const text = texts.get(value[KEY]) ?? '';
    return value.json ? (JSON.parse(text) as unknown) : text;
  }
  if (Array.isArray(value)) return value.map((part) => replaced(part, texts));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaced(part, texts)]));
}
