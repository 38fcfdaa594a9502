/** The door for definitions: text in, a machine or the list of its faults out. */
import { parseDocument } from 'yaml';
import { compile } from './compile.ts';
import type { Machine } from './definition.ts';
import { Diagnostics, type Diagnostic } from './diagnostic.ts';
import { Expressions } from './expressions.ts';
import { isObject, JsonInvalid, parseJson, type Json, type JsonObject } from './json.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { repeatedName } from './repeated-name.ts';
import type { Resource } from './resource.ts';
import type { ResourceRole } from './validate/context.ts';
import { validate } from './validate/validate.ts';

export interface LoadOptions {
  readonly limits?: Limits;
  /** EXPRESS machines have no `.sync`, no callbacks and no activities. */
  readonly express?: boolean;
  /** Why this host cannot do what a resource names; the definition is then refused. */
  readonly refuse?: (resource: Resource, role: ResourceRole) => string | undefined;
}

export interface Loaded {
  /** Set when there is no error among the diagnostics. */
  readonly machine?: Machine;
  readonly diagnostics: readonly Diagnostic[];
}

const TEXT_MAX = 1_048_576;
const DEPTH_MAX = 200;

/** JSON or YAML text, or the value parsed from it. Never throws. */
export function loadDefinition(source: string | JsonObject, options: LoadOptions = {}): Loaded {
  const diagnostics = new Diagnostics();
  const text = typeof source === 'string' ? source : JSON.stringify(source);
  const definition = read(text, diagnostics);
  if (!definition) return { diagnostics: diagnostics.list };
  const expressions = new Expressions(options.limits ?? DEFAULT_LIMITS);
  validate(definition, { diagnostics, expressions, express: options.express ?? false, refuse: options.refuse });
  return diagnostics.failed ? { diagnostics: diagnostics.list } : { machine: compile(text, definition, expressions), diagnostics: diagnostics.list };
}

function read(text: string, diagnostics: Diagnostics): JsonObject | undefined {
  const fault = (message: string, hint?: string): undefined => diagnostics.error('/', message, hint, 'INVALID_JSON_DESCRIPTION') as undefined;
  if (text.length > TEXT_MAX) return fault(`The definition has more than ${TEXT_MAX} characters`);
  if (text.trim() === '') return fault('Definition must be a valid JSON object');
  let value: Json;
  try {
    const json = /^\s*[{[]/.test(text);
    value = json ? parseJson(text, DEPTH_MAX) : readYaml(text);
    const twice = json ? repeatedName(text) : undefined;
    if (twice) diagnostics.error(twice.path, `The name '${twice.name}' is used twice`, 'only the last one would count', twice.path.endsWith('/States') ? 'DUPLICATE_STATE_NAME' : 'SCHEMA_VALIDATION_FAILED');
  } catch (error) {
    return fault(error instanceof Error ? error.message : String(error), 'The definition is JSON, or YAML without anchors and tags.');
  }
  return isObject(value) ? value : fault('Definition must be a valid JSON object');
}

function readYaml(text: string): Json {
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) throw new JsonInvalid(problem.message);
  // Aliases are refused: a few lines of them can stand for gigabytes.
  return parseJson(JSON.stringify(document.toJS({ maxAliasCount: 0 })), DEPTH_MAX);
}
