/**
 * Validation by the schemas of a document: one validator for what is sent, one for what comes back, because properties
 * that are read-only are not required of the former, nor those that are write-only of the latter.
 *
 * A schema is compiled when it is first needed. Messages name places and rules, never values.
 */
import type { ValidateFunction } from 'ajv';
import { BindingError } from '@mecha/components/kit';
import { isObject, listOf, resolve, type Json, type JsonObject, type OpenApiDocument } from './document.ts';

export type Direction = 'request' | 'response';
/** What is wrong, in words; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;

const PROBLEMS_SHOWN_MAX = 5;
const DOCUMENT = 'openapi-document';
const DEPTH_MAX = 500;

export interface Schemas {
  /** The check by the schema at a pointer of the document. Throws when the schema itself is wrong. */
  at(pointer: string, direction: Direction): Check;
}

export async function createSchemas(document: OpenApiDocument): Promise<Schemas> {
  const [{ Ajv }, { Ajv2020 }, { default: formats }] = await Promise.all([import('ajv'), import('ajv/dist/2020.js'), import('ajv-formats')]);
  const options = { strict: false, allErrors: false, validateSchema: false, addUsedSchema: false, logger: false, coerceTypes: false, code: { regExp: pattern } } as const;
  const build = (direction: Direction) => {
    const ajv = document.dialect === '3.0' ? new Ajv(options) : new Ajv2020(options);
    formats.default(ajv);
    // Annotations of OpenAPI, not checks.
    for (const name of ['int32', 'int64', 'float', 'double', 'byte', 'binary', 'password']) ajv.addFormat(name, true);
    ajv.addSchema(adapt(document, direction) as object, DOCUMENT);
    return ajv;
  };
  const validators = { request: build('request'), response: build('response') };
  const checks = new Map<string, Check>();
  return {
    at(pointer, direction) {
      const key = `${direction} ${pointer}`;
      let check = checks.get(key);
      if (!check) {
        const validate = compile(validators[direction], pointer);
        check = (value) => (validate(value) ? undefined : problemsOf(validate));
        checks.set(key, check);
      }
      return check;
    },
  };
}

function compile(ajv: { compile(schema: object): ValidateFunction }, pointer: string): ValidateFunction {
  try {
    return ajv.compile({ $ref: `${DOCUMENT}${pointer}` });
  } catch (error) {
    throw new BindingError('failed', `the schema at ${pointer} of the document cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

/** Many documents escape what needs no escape, which patterns of Unicode refuse. */
const pattern = Object.assign(
  (source: string, flags: string): RegExp => {
    try {
      return new RegExp(source, flags);
    } catch {
      return new RegExp(source, flags.replace('u', ''));
    }
  },
  { code: 'new RegExp' },
);

function problemsOf({ errors }: ValidateFunction): string {
  return (errors ?? []).slice(0, PROBLEMS_SHOWN_MAX).map(({ instancePath, message, params, keyword }) => {
    const extra = keyword === 'additionalProperties' ? ` (${String((params as { additionalProperty?: unknown }).additionalProperty)})` : '';
    return `${instancePath || 'it'} ${message ?? keyword}${extra}`;
  }).join('; ');
}

/** Members whose own members have names of the document's author: a property may be called `example`. */
const NAMED: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions', 'schemas', 'parameters', 'requestBodies', 'responses', 'headers', 'paths', 'pathItems', 'content']);
/** Members that are values, in which nothing is a keyword. */
const VALUES: ReadonlySet<string> = new Set(['enum', 'const', 'default']);

/** A copy of the document whose schemas JSON Schema reads as OpenAPI means them. */
function adapt({ root, dialect }: OpenApiDocument, direction: Direction): Json {
  const walk = (value: Json, depth: number, named = false): Json => {
    if (depth > DEPTH_MAX) throw new Error(`the document is nested deeper than ${DEPTH_MAX} levels`);
    if (Array.isArray(value)) return (value as readonly Json[]).map((item) => walk(item, depth + 1));
    if (!isObject(value)) return value;
    if (named) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, walk(member, depth + 1)]));
    const kept = Object.entries(value).filter(([name]) => name !== 'example' && name !== 'examples');
    const copy: Record<string, Json> = Object.fromEntries(kept.map(([name, member]) => [name, VALUES.has(name) ? member : walk(member, depth + 1, NAMED.has(name))]));
    dropRequired(root, value, copy, direction);
    return dialect === '3.0' ? modernise(copy) : copy;
  };
  return walk(root, 0);
}

function dropRequired(root: JsonObject, schema: JsonObject, copy: Record<string, Json>, direction: Direction): void {
  const { properties, required } = schema;
  if (!isObject(properties) || !Array.isArray(required)) return;
  const mark = direction === 'request' ? 'readOnly' : 'writeOnly';
  copy['required'] = listOf(required).filter((name) => {
    const property = typeof name === 'string' && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return property === undefined || resolve(root, property, '').value[mark] !== true;
  });
}

/** Keywords that 3.0 has in an older or an own form: `nullable`, and bounds that say by a boolean that they are exclusive. */
function modernise(schema: Record<string, Json>): Json {
  for (const [bound, exclusive] of [['minimum', 'exclusiveMinimum'], ['maximum', 'exclusiveMaximum']] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue;
    const limit = schema[bound];
    const isExclusive = schema[exclusive];
    delete schema[exclusive];
    if (isExclusive && typeof limit === 'number') {
      delete schema[bound];
      schema[exclusive] = limit;
    }
  }
  const { nullable } = schema;
  if (typeof nullable !== 'boolean') return schema;
  delete schema['nullable'];
  return nullable ? { anyOf: [schema, { type: 'null' }] } : schema;
}
