/**
 * A parameter of an operation: its text in a request's metadata, its value by the schema, and its place in the request, in
 * the styles of the OpenAPI specification. Values are always percent-encoded, also where `allowReserved` would spare them.
 */
import { parseExactly } from '@mecha/components/kit/exact-json.ts';
import { below, isObject, listOf, objectOf, resolve, textIn, type Json, type JsonObject } from './document.ts';
import type { Check, Schemas } from './schemas.ts';

/** A number is a text in `exact`, or what `parseExactly` makes of one within a structure. */
export interface Reading {
  readonly checked: unknown;
  readonly exact: unknown;
}
export type Place = 'path' | 'query' | 'header' | 'cookie';
export interface Parameter {
  /** As the document has it. */
  readonly name: string;
  /** As a request's metadata has it: `query.id` when the operation has several of one name. */
  readonly metadataName: string;
  readonly place: Place;
  readonly required: boolean;
  readonly description: string;
  /** The value that the text means, not yet checked: `checked` is for the schema, `exact` has every digit of its numbers. */
  read(text: string): Reading;
  readonly check: Check;
  /** The exact value as text of its place: a part of the path, pairs of the query, a header. */
  write(exact: unknown): string;
}

const PLACES: ReadonlySet<string> = new Set<Place>(['path', 'query', 'header', 'cookie']);
/** Told by other parts of the document, as the specification says. */
const NOT_HEADERS = new Set(['accept', 'content-type', 'authorization']);
const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: '%20', pipeDelimited: '%7C' };

/** The parameters of an operation: those of its path, replaced by its own of the same name and place. */
export function parametersOf(root: JsonObject, schemas: Schemas, lists: readonly { readonly list: Json | undefined; readonly pointer: string }[]): readonly Parameter[] {
  const found = new Map<string, { readonly value: JsonObject; readonly pointer: string }>();
  for (const { list, pointer } of lists) {
    listOf(list).forEach((item, index) => {
      const one = resolve(root, item, below(pointer, index));
      const [name, place] = [textIn(one.value['name']), textIn(one.value['in'])];
      if (name === '' || !PLACES.has(place)) throw new Error(`the parameter at ${one.pointer} must have a name, and in: path, query, header or cookie`);
      if (place !== 'header' || !NOT_HEADERS.has(name.toLowerCase())) found.set(`${place} ${name}`, one);
    });
  }
  const names = [...found.values()].map(({ value }) => textIn(value['name']));
  return [...found.values()].map(({ value, pointer }) => parameterOf(root, schemas, value, pointer, names.filter((name) => name === value['name']).length > 1));
}

function parameterOf(root: JsonObject, schemas: Schemas, parameter: JsonObject, pointer: string, ambiguous: boolean): Parameter {
  const name = textIn(parameter['name']);
  const place = textIn(parameter['in']) as Place;
  const [media] = Object.keys(objectOf(parameter['content']));
  const schemaPointer = media === undefined ? below(pointer, 'schema') : below(pointer, 'content', media, 'schema');
  const schema = media === undefined ? parameter['schema'] : objectOf(objectOf(parameter['content'])[media])['schema'];
  const types = typesOf(root, schema, schemaPointer);
  const itemTypes = typesOf(root, resolve(root, schema, schemaPointer).value['items'], schemaPointer);
  const style = textIn(parameter['style']) || (place === 'query' || place === 'cookie' ? 'form' : 'simple');
  const explode = typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form';
  return {
    name,
    metadataName: ambiguous ? `${place}.${name}` : name,
    place,
    required: parameter['required'] === true || place === 'path',
    description: textIn(parameter['description']) || `The ${place} parameter ${name}${types.size > 0 ? ` (${[...types].join(' or ')})` : ''}.`,
    read: (text) => (media === undefined ? readingOf(text, types, itemTypes) : jsonOr(text)),
    check: schema === undefined ? () => undefined : (value) => schemas.at(schemaPointer, 'request')(value),
    write: (value) => (media === undefined ? written({ name, place, style, explode }, value) : single({ name, place }, JSON.stringify(value))),
  };
}

/** The types that a schema allows, as far as it says so itself or in its alternatives. */
function typesOf(root: JsonObject, schema: Json | undefined, pointer: string, depth = 0): Set<string> {
  if (depth > 8) return new Set();
  const { value } = resolve(root, schema, pointer);
  const { type } = value;
  const own = Array.isArray(type) ? listOf(type).filter((one) => typeof one === 'string') : typeof type === 'string' ? [type] : [];
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((word) => listOf(value[word])).flatMap((part) => [...typesOf(root, part, pointer, depth + 1)]);
  return new Set([...own, ...parts]);
}

/** Texts stay texts unless the schema wants something else that the text can be read as. */
function readingOf(text: string, types: ReadonlySet<string>, itemTypes: ReadonlySet<string> = new Set()): Reading {
  const trimmed = text.trim();
  if (types.has('array') && trimmed.startsWith('[')) return jsonOr(text);
  if (types.has('object') && trimmed.startsWith('{')) return jsonOr(text);
  if ((types.has('integer') || types.has('number')) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(trimmed)) return { checked: Number(trimmed), exact: trimmed };
  if (types.has('boolean') && (trimmed === 'true' || trimmed === 'false')) return { checked: trimmed === 'true', exact: trimmed };
  if (types.has('null') && trimmed === 'null' && !types.has('string')) return { checked: null, exact: null };
  if (!types.has('array') || types.has('string')) return { checked: text, exact: text };
  const items = text.split(',').map((item) => readingOf(item, itemTypes));
  return { checked: items.map(({ checked }) => checked), exact: items.map(({ exact }) => exact) };
}

function jsonOr(text: string): Reading {
  try {
    return { checked: JSON.parse(text) as unknown, exact: parseExactly(text) };
  } catch {
    // The check by the schema says what is wrong with a text in the place of a structure.
    return { checked: text, exact: text };
  }
}

interface Style {
  readonly name: string;
  readonly place: Place;
  readonly style: string;
  readonly explode: boolean;
}

const textOfValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function single({ name, place }: Pick<Style, 'name' | 'place'>, text: string): string {
  if (place === 'header') return text;
  return place === 'path' ? encodeURIComponent(text) : `${encodeURIComponent(name)}=${encodeURIComponent(text)}`;
}

function written(style: Style, value: unknown): string {
  if (style.place === 'path') return writtenInPath(style, value);
  if (style.place === 'header') return Array.isArray(value) ? value.map(textOfValue).join(',') : isObject(value) ? pairs(value, style.explode ? '=' : ',', textOfValue).join(',') : textOfValue(value);
  return writtenInQuery(style, value);
}

const encoded = (value: unknown): string => encodeURIComponent(textOfValue(value));
const pairs = (value: JsonObject, between: string, write: (one: unknown) => string): string[] => Object.entries(value).map(([name, member]) => `${write(name)}${between}${write(member)}`);

function writtenInPath({ name, style, explode }: Style, value: unknown): string {
  const key = encodeURIComponent(name);
  const items = Array.isArray(value) ? value.map(encoded) : isObject(value) ? pairs(value, explode ? '=' : ',', encoded) : [encoded(value)];
  if (style === 'label') return `.${items.join(explode ? '.' : ',')}`;
  if (style !== 'matrix') return items.join(',');
  if (!explode || !(typeof value === 'object' && value !== null)) return `;${key}=${items.join(',')}`;
  return items.map((item) => (Array.isArray(value) ? `;${key}=${item}` : `;${item}`)).join('');
}

function writtenInQuery({ name, place, style, explode }: Style, value: unknown): string {
  const key = encodeURIComponent(name);
  const between = place === 'cookie' ? '; ' : '&';
  if (isObject(value)) {
    if (style === 'deepObject') return Object.entries(value).map(([member, one]) => `${key}%5B${encodeURIComponent(member)}%5D=${encoded(one)}`).join(between);
    return explode ? pairs(value, '=', encoded).join(between) : `${key}=${pairs(value, ',', encoded).join(',')}`;
  }
  if (!Array.isArray(value)) return `${key}=${encoded(value)}`;
  return explode && !(style in SEPARATORS) ? value.map((item) => `${key}=${encoded(item)}`).join(between) : `${key}=${value.map(encoded).join(SEPARATORS[style] ?? ',')}`;
}
