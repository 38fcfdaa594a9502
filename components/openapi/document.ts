/**
 * An OpenAPI document (3.0 or 3.1, JSON or YAML) as plain data: read or fetched, bounded, its references within itself followed.
 *
 * Invariants: no reference leads out of the document (so that nothing else is fetched because of it), and every chain of references
 * that is followed here ends.
 */
import { readFile, stat } from 'node:fs/promises';
import { OriginClient, type TlsOptions } from '@mecha/components/kit/origin-client.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

export interface OpenApiDocument {
  readonly root: JsonObject;
  /** Where it was fetched from: what the document names without an origin is there. */
  readonly url?: URL;
  /** 3.0 has a dialect of schemas of its own; 3.1 uses JSON Schema 2020-12. */
  readonly dialect: '3.0' | '3.1';
}

const BYTES_MAX = 10 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 30_000;
const NODES_MAX = 1_000_000;
const REFERENCES_MAX = 32;

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
export const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `source` is the document itself when it has more than one line or begins with a brace, else its URL or the path of a file. */
export async function loadDocument(source: string, tls: TlsOptions = {}, signal?: AbortSignal): Promise<OpenApiDocument> {
  const url = /^https?:\/\//i.test(source.trim()) ? URL.parse(source.trim()) : null;
  const text = url ? await fetchText(url, tls, signal) : await readText(source);
  const { parse } = await import('yaml');
  let root: unknown;
  try {
    root = parse(text, { maxAliasCount: 100, merge: false });
  } catch (error) {
    throw new Error(`the document is neither JSON nor YAML: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(root)) throw new Error('the document is no object, as an OpenAPI document is');
  const version = /^3\.([01])\.\d+/.exec(textIn(root['openapi']));
  if (!version) throw new Error("the document's member openapi must be 3.0.x or 3.1.x");
  refuseForeignReferences(root);
  return { root, dialect: version[1] === '0' ? '3.0' : '3.1', ...(url ? { url } : {}) };
}

async function readText(source: string): Promise<string> {
  if (source.includes('\n') || source.trimStart().startsWith('{')) return source;
  const { size } = await stat(source).catch((error: unknown) => {
    throw new Error(`the document ${source} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  if (size > BYTES_MAX) throw new Error(`the document ${source} is longer than ${BYTES_MAX} bytes`);
  return readFile(source, 'utf8');
}

async function fetchText({ origin, pathname, search }: URL, tls: TlsOptions, signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)): Promise<string> {
  const client = new OriginClient(origin, { library: () => import('undici'), timeoutMs: FETCH_TIMEOUT_MS, responseBytesMax: BYTES_MAX, tls });
  try {
    await client.open();
    const { status, body } = await client.call({ method: 'GET', path: pathname, query: search.slice(1), headers: { accept: 'application/json, application/yaml, text/yaml, */*;q=0.5' } }, signal);
    if (status !== 200) throw new Error(`the document at ${origin}${pathname} was answered with status ${status}`);
    return body.toString('utf8');
  } finally {
    await client.close();
  }
}

/** Also holds the size: aliases of YAML can make much out of little. */
function refuseForeignReferences(root: JsonObject): void {
  const open: Json[] = [root];
  for (let nodes = 0, at = open.pop(); at !== undefined; at = open.pop()) {
    if (++nodes > NODES_MAX) throw new Error(`the document has more than ${NODES_MAX} values`);
    if (isObject(at)) {
      const { $ref } = at;
      if (typeof $ref === 'string' && !$ref.startsWith('#')) throw new Error(`the document refers to ${$ref}, which is outside of it: bundle it into one document first`);
    }
    if (typeof at === 'object' && at !== null) open.push(...(Array.isArray(at) ? (at as readonly Json[]) : Object.values(at)));
  }
}

/** What stands at a pointer such as `#/components/schemas/Pet`; throws when nothing does. */
export function atPointer(root: JsonObject, pointer: string): Json {
  let at: Json | undefined = root;
  for (const part of pointer.replace(/^#\/?/, '').split('/').filter((_part, _index, all) => all.length > 1 || all[0] !== '')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = Array.isArray(at) ? (at as readonly Json[])[Number(name)] : isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  if (at === undefined) throw new Error(`the document refers to ${pointer}, which it does not have`);
  return at;
}

/** The object itself, or the one that its reference leads to, with the pointer at which it stands. */
export function resolve(root: JsonObject, value: Json | undefined, pointer: string): { readonly value: JsonObject; readonly pointer: string } {
  let [at, where] = [objectOf(value), pointer];
  for (let followed = 0; typeof at['$ref'] === 'string'; followed++) {
    if (followed >= REFERENCES_MAX) throw new Error(`the references at ${pointer} lead in a circle`);
    where = at['$ref'];
    at = objectOf(atPointer(root, where));
  }
  return { value: at, pointer: where };
}

/** One step down, as a pointer writes it. */
export const below = (pointer: string, ...names: readonly (string | number)[]): string => [pointer, ...names.map((name) => encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1')))].join('/');
