/**
 * The body of a request: `data` of a request of the block in the form that the document asks for, checked before it is sent.
 *
 * JSON, texts and bytes go as they came. Forms are made of a JSON object: a pair, or a part, for each member and for each item
 * of a list. Bytes in a form are base64 in the object.
 */
import { randomUUID } from 'node:crypto';
import { BindingError, bytesOf, textOf } from '@mecha/components/kit';
import { parseExactly } from '@mecha/components/kit/exact-json.ts';
import { below, isObject, listOf, objectOf, resolve, textIn, type Json, type JsonObject } from './document.ts';
import type { Schemas } from './schemas.ts';

export interface Body {
  readonly words: string;
  readonly required: boolean;
  readonly media: readonly string[];
  /** The bytes to send; undefined when there is nothing to send. Throws `BindingError`. */
  encode(data: Uint8Array, contentType: string | undefined): Encoded | undefined;
}
interface Encoded {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const FORM = 'application/x-www-form-urlencoded';
const PARTS = 'multipart/form-data';
const PARTS_DEPTH_MAX = 8;

export const isJson = (media: string): boolean => /^application\/([\w.+-]+\+)?json$/.test(essenceOf(media));
export const essenceOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

export function bodyOf(root: JsonObject, schemas: Schemas, operation: JsonObject, at: string): Body | undefined {
  if (!isObject(operation['requestBody'])) return undefined;
  const { value, pointer } = resolve(root, operation['requestBody'], below(at, 'requestBody'));
  const content = objectOf(value['content']);
  const media = Object.keys(content);
  const usual = media.find(isJson) ?? media[0] ?? 'application/json';
  const required = value['required'] === true;
  const check = (chosen: string, data: unknown): void => {
    if (objectOf(content[chosen])['schema'] === undefined) return;
    const problem = schemas.at(below(pointer, 'content', chosen, 'schema'), 'request')(data);
    if (problem !== undefined) throw new BindingError('invalid-data', `data does not fit the document: ${problem}`);
  };
  const words = `${textIn(value['description']) || 'The body'} (${media.join(', ')})${required ? '' : '; may be left out'}`.replaceAll(/\s+/g, ' ');
  return {
    words: media.some((one) => essenceOf(one) === PARTS) ? `${words}. Of a multipart form: a JSON object of its parts, bytes as base64` : words,
    required,
    media,
    encode(data, contentType = usual) {
      const chosen = media.find((one) => essenceOf(one) === essenceOf(contentType));
      if (chosen === undefined) throw new BindingError('invalid-metadata', `metadata contentType must be one of ${media.join(', ')}`);
      const essence = essenceOf(chosen);
      if (data.byteLength <= 'null'.length && textOf(data) === '') {
        if (required) throw new BindingError('invalid-data', 'data is missing, and the operation needs a body');
        return undefined;
      }
      if (isJson(essence)) {
        check(chosen, parsed(data, JSON.parse));
        return { bytes: data, contentType: chosen };
      }
      if (essence === FORM || essence === PARTS) {
        const form = parsed(data, JSON.parse);
        if (!isObject(form)) throw new BindingError('invalid-data', 'data must be a JSON object, which is sent as a form');
        check(chosen, form);
        const exact = objectOf(parsed(data, parseExactly));
        return essence === FORM ? { bytes: Buffer.from(formOf(exact)), contentType: chosen } : multipartOf(exact, partRules(root, objectOf(content[chosen])));
      }
      if (essence.startsWith('multipart/') || essence.includes('*')) throw new BindingError('invalid-metadata', `bodies of the form ${chosen} are not supported`);
      if (essence.startsWith('text/')) check(chosen, textOf(data));
      return { bytes: bytesOf(data), contentType: chosen };
    },
  };
}

function parsed(data: Uint8Array, parse: (text: string) => unknown): unknown {
  try {
    return parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    throw new BindingError('invalid-data', 'data is not valid JSON', { cause: error });
  }
}

/** What is nested deeper than a list is sent as JSON. */
const fieldText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const fieldsOf = (form: JsonObject): [string, Json][] => Object.entries(form).flatMap(([name, value]) => (Array.isArray(value) ? (value as readonly Json[]) : [value]).map((item): [string, Json] => [name, item]));

function formOf(form: JsonObject): string {
  return new URLSearchParams(fieldsOf(form).map(([name, value]): [string, string] => [name, fieldText(value)])).toString();
}

interface PartRule {
  readonly contentType: string | undefined;
  /** Its text in `data` is base64. */
  readonly bytes: boolean;
}

/** By the names of parts: what `encoding` says, and which of them hold bytes (3.0: `format`, 3.1: `contentMediaType`). */
function partRules(root: JsonObject, mediaType: JsonObject): ReadonlyMap<string, PartRule> {
  const encoding = objectOf(mediaType['encoding']);
  return new Map(
    propertiesOf(root, mediaType['schema']).map(([name, property]) => {
      const { value } = resolve(root, property, '');
      const { value: item } = resolve(root, value['items'], '');
      const said = textIn(objectOf(encoding[name])['contentType']).split(',')[0]?.trim();
      const bytes = [value, item].some((one) => one['format'] === 'binary' || (one['contentMediaType'] !== undefined && one['contentEncoding'] === undefined));
      return [name, { contentType: said || textIn(value['contentMediaType']) || textIn(item['contentMediaType']) || undefined, bytes }];
    }),
  );
}

/** Those of a schema and of all that it is made of. */
function propertiesOf(root: JsonObject, schema: Json | undefined, depth = 0): [string, Json][] {
  if (depth > PARTS_DEPTH_MAX) return [];
  const { value } = resolve(root, schema, '');
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((word) => listOf(value[word]));
  return [...parts.flatMap((part) => propertiesOf(root, part, depth + 1)), ...Object.entries(objectOf(value['properties']))];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function multipartOf(form: JsonObject, rules: ReadonlyMap<string, PartRule>): Encoded {
  const boundary = `mecha-${randomUUID()}`;
  const pieces: Uint8Array[] = [];
  for (const [name, value] of fieldsOf(form)) {
    const { contentType, bytes = false } = rules.get(name) ?? {};
    const text = fieldText(value);
    if (bytes && (typeof value !== 'string' || !BASE64.test(value))) throw new BindingError('invalid-data', `data does not fit the document: /${name} must be base64, because the part holds bytes`);
    const type = contentType ?? (bytes ? 'application/octet-stream' : typeof value === 'object' ? 'application/json' : undefined);
    const quoted = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
    const head = [`--${boundary}`, `Content-Disposition: form-data; name="${quoted}"${bytes ? `; filename="${quoted}"` : ''}`, ...(type === undefined ? [] : [`Content-Type: ${type.replaceAll(/[\r\n]/g, ' ')}`])];
    pieces.push(Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(text, bytes ? 'base64' : 'utf8'), Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return { bytes: Buffer.concat(pieces), contentType: `${PARTS}; boundary=${boundary}` };
}
