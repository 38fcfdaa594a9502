/**
 * From the text of a component's metadata to its typed options, by its declaration; and from the declaration to a JSON
 * Schema. The rules are the field's (components.md B.0): names in any case, aliases only when the main name is absent,
 * two spellings of one name are an error. No text of a problem ever holds a value of a secret field.
 */
import type { ComponentDefinition, MetadataField, MetadataSchema } from './component.ts';
import { nearest } from './nearest.ts';

/** One entry as text, with the caller's own mark of where it stands. */
export interface MetadataEntry<S = unknown> {
  readonly name: string;
  readonly value: string;
  readonly source?: S;
  /** It came from a secret or from the environment: never shown, whatever the field is. */
  readonly secret?: boolean;
}

export interface MetadataProblem<S = unknown> {
  readonly severity: 'error' | 'warning';
  /** `unknown-name` is the one that strictness turns from a warning into an error. */
  readonly reason: 'unknown-name' | 'no-effect' | 'refused' | 'bad-value' | 'missing' | 'duplicate';
  /** The metadata name meant. */
  readonly name: string;
  readonly message: string;
  readonly suggestion?: string;
  readonly source?: S;
}

export interface DecodedMetadata<S = unknown> {
  readonly options: Readonly<Record<string, unknown>>;
  readonly problems: readonly MetadataProblem<S>[];
}

/** Names that the runtime reads from any component of a category (behaviour.md 1.3); lower case -> as written. */
const RUNTIME_NAMES: Readonly<Record<string, readonly string[]>> = {
  state: ['keyPrefix', 'actorStateStore', 'primaryEncryptionKey', 'secondaryEncryptionKey', 'outboxPublishPubsub', 'outboxPublishTopic', 'outboxPubsub', 'outboxDiscardWhenMissingState'],
  pubsub: ['consumerID', 'publishingScopes', 'subscriptionScopes', 'allowedTopics', 'protectedTopics', 'concurrencyMode', 'deadLetterRetention', 'deadLettersMax'],
  secretstores: [],
  bindings: ['direction', 'route', 'deadLetterRetention', 'deadLettersMax'],
};
const DAY_MS = 24 * 3600_000;
/** Those of them whose values are checked here; the runtime reads them with `runtimeOption`. */
const RUNTIME_FIELDS = {
  deadLetterRetention: { type: 'duration', description: 'How long the ledger keeps a dead letter of this component.', default: 30 * DAY_MS, minimum: 1000 },
  deadLettersMax: { type: 'integer', description: 'Dead letters of one topic, or of this binding, that the ledger keeps: the newest.', default: 5000, minimum: 1, maximum: 10_000 },
} as const satisfies Readonly<Record<string, MetadataField<number>>>;

/** What a component's metadata says for one of these, else the default; also where there is no such component any more. */
export function runtimeOption(name: keyof typeof RUNTIME_FIELDS, metadata: Readonly<Record<string, string>> = {}): number {
  const field = RUNTIME_FIELDS[name];
  const text = Object.entries(metadata).find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1] ?? '';
  const decoded = text === '' ? { value: field.default } : decodeValue(field, text);
  return 'value' in decoded && typeof decoded.value === 'number' ? decoded.value : field.default;
}

/** Known to the runtime, and without effect so far. */
const RUNTIME_NO_EFFECT: Readonly<Record<string, string>> = {
  actorStateStore: 'actors are not served yet',
  outboxPubsub: 'the outbox needs no internal topic here',
  outboxDiscardWhenMissingState: 'state and event are one transaction here, so the state is never missing',
};

const DIRECTIONS: ReadonlySet<string> = new Set(['input', 'output']);

/** Asking for one of these and not getting it would leave data open: an error, never a warning. */
const RUNTIME_REFUSED: Readonly<Record<string, string>> = {
  primaryEncryptionKey: 'encryption of state is not served yet, and the data would be stored in plain text',
  secondaryEncryptionKey: 'encryption of state is not served yet, and the data would be stored in plain text',
};

/** All names that entries of this component may have, for suggestions. */
export function metadataNames(definition: ComponentDefinition): readonly string[] {
  return [...new Set([...Object.keys(definition.metadata), ...namesOfCategory(definition)])];
}

/** Names besides its own that have an effect: those that the runtime reads from every component of a category. */
export function runtimeNames(definition: ComponentDefinition): readonly string[] {
  return namesOfCategory(definition).filter((name) => !(name in RUNTIME_NO_EFFECT) && !(name in RUNTIME_REFUSED) && !(name in definition.metadata));
}

const namesOfCategory = ({ type }: ComponentDefinition): readonly string[] => RUNTIME_NAMES[type.split('.')[0] ?? ''] ?? [];

export function decodeMetadata<S>(definition: ComponentDefinition, entries: readonly MetadataEntry<S>[]): DecodedMetadata<S> {
  const problems: MetadataProblem<S>[] = [];
  const schema: MetadataSchema = definition.metadata;
  const byLower = new Map<string, { name: string; alias: boolean }>();
  for (const [name, field] of Object.entries(schema)) {
    byLower.set(name.toLowerCase(), { name, alias: false });
    for (const alias of field.aliases ?? []) byLower.set(alias.toLowerCase(), { name, alias: true });
  }
  const category = definition.type.split('.')[0] ?? '';
  const runtimeNames = new Map((RUNTIME_NAMES[category] ?? []).map((name) => [name.toLowerCase(), name]));

  const groups = groupsOf(schema);
  const given = new Map<string, MetadataEntry<S>>();
  const fromAlias = new Map<string, MetadataEntry<S>>();
  const seen = new Set<string>();
  for (const entry of entries) {
    const lower = entry.name.toLowerCase();
    const at = { name: entry.name, ...(entry.source === undefined ? {} : { source: entry.source }) };
    if (seen.has(lower)) {
      problems.push({ severity: 'error', reason: 'duplicate', message: `metadata name ${entry.name} is given twice`, ...at });
      continue;
    }
    seen.add(lower);
    const known = byLower.get(lower);
    if (known) (known.alias ? fromAlias : given).set(known.name, entry);
    const runtimeName = runtimeNames.get(lower);
    if (runtimeName) {
      const refused = RUNTIME_REFUSED[runtimeName];
      if (refused !== undefined) problems.push({ severity: 'error', reason: 'refused', message: `metadata name ${entry.name} cannot be had: ${refused}`, ...at });
      if (runtimeName === 'direction' && wordsOf(entry.value).some((word) => !DIRECTIONS.has(word.toLowerCase()))) {
        problems.push({ severity: 'error', reason: 'bad-value', message: `metadata name ${entry.name} takes input, output, or both with a comma, not ${shownValue(entry)}`, ...at });
      }
      const reason = RUNTIME_NO_EFFECT[runtimeName];
      if (reason !== undefined) problems.push({ severity: 'warning', reason: 'no-effect', message: `metadata name ${entry.name} has no effect: ${reason}`, ...at });
      const field = Object.hasOwn(RUNTIME_FIELDS, runtimeName) ? RUNTIME_FIELDS[runtimeName as keyof typeof RUNTIME_FIELDS] : undefined;
      const decoded = field && entry.value !== '' ? decodeValue(field, entry.value) : undefined;
      if (decoded && 'wrong' in decoded) problems.push({ severity: 'error', reason: 'bad-value', message: `metadata name ${entry.name} takes ${decoded.wrong}, not ${shownValue(entry)}`, ...at });
    } else if (!known && !groups.some(({ prefix }) => lower.startsWith(prefix) && lower.length > prefix.length)) {
      const suggestion = nearest(entry.name, metadataNames(definition));
      problems.push({ severity: 'warning', reason: 'unknown-name', message: `${definition.type} has no metadata name ${entry.name}`, ...at, ...(suggestion ? { suggestion } : {}) });
    }
  }

  const options: Record<string, unknown> = {};
  for (const { name, prefix } of groups) {
    const members = entries.filter((entry) => entry.name.toLowerCase().startsWith(prefix) && entry.name.length > prefix.length);
    options[name] = Object.fromEntries(members.map((entry) => [entry.name.slice(prefix.length), entry.value]));
  }
  for (const [name, field] of Object.entries(schema)) {
    if (field.type === 'group') continue;
    const entry = given.get(name) ?? fromAlias.get(name);
    if (entry === undefined || (entry.value === '' && (field.type !== 'string' || field.values))) {
      if (field.required) problems.push({ severity: 'error', reason: 'missing', name, message: `${definition.type} needs metadata name ${name} (${field.description.replace(/\.$/, '')})` });
      options[name] = field.default;
      continue;
    }
    const at = { name: entry.name, ...(entry.source === undefined ? {} : { source: entry.source }) };
    if (field.noEffect !== undefined) {
      problems.push({ severity: 'warning', reason: 'no-effect', message: `metadata name ${entry.name} has no effect: ${field.noEffect}`, ...at });
      continue;
    }
    if (field.required && entry.value === '') {
      problems.push({ severity: 'error', reason: 'missing', message: `metadata name ${entry.name} is empty, and ${definition.type} needs it`, ...at });
      continue;
    }
    const decoded = decodeValue(field, entry.value);
    if ('wrong' in decoded) {
      problems.push({ severity: 'error', reason: 'bad-value', message: `metadata name ${entry.name} takes ${decoded.wrong}, not ${shownValue(entry, field)}`, ...at });
    } else options[name] = decoded.value;
  }
  return { options, problems };
}

function shownValue(entry: MetadataEntry, field?: MetadataField): string {
  return field?.secret || entry.secret ? 'its value' : `'${entry.value.slice(0, 80)}'`;
}

/** Fields that stand for all names with a prefix, which is in lower case. */
function groupsOf(schema: MetadataSchema): readonly { readonly name: string; readonly prefix: string }[] {
  return Object.entries(schema).flatMap(([name, { type }]) => (type === 'group' ? [{ name, prefix: name.slice(0, -1).toLowerCase() }] : []));
}

const wordsOf = (text: string): string[] => text.split(',').map((item) => item.trim()).filter((item) => item !== '');

type Decoded = { readonly value: unknown } | { readonly wrong: string };

function decodeValue(field: MetadataField, text: string): Decoded {
  switch (field.type) {
    case 'group': // decoded as a whole, before
    case 'string':
      return oneOf(field, text);
    case 'integer':
    case 'number':
      return inRange(field, Number(text), text);
    case 'boolean':
      return field.booleanRule === 'strict' ? strictBoolean(text) : { value: /^(y|yes|true|t|on|1)$/i.test(text.trim()) };
    case 'duration': {
      const ms = parseDuration(text, field.integerUnit ?? 's');
      return ms === undefined ? { wrong: 'a duration such as 500ms, 10s or 1h30m' } : inRange(field, ms, String(ms));
    }
    case 'size': {
      const bytes = parseQuantity(text);
      return bytes === undefined ? { wrong: 'a size such as 64Ki, 10Mi or 1Gi' } : inRange(field, bytes, String(bytes));
    }
    case 'list':
      return { value: wordsOf(text) };
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { wrong: 'JSON' };
      }
  }
}

function oneOf(field: MetadataField, text: string): Decoded {
  if (!field.values) return { value: text };
  const found = field.values.find((word) => (field.exactCase ? word === text : word.toLowerCase() === text.trim().toLowerCase()));
  return found === undefined ? { wrong: `one of ${field.values.join(', ')}` } : { value: found };
}

function inRange(field: MetadataField, value: number, text: string): Decoded {
  const { minimum, maximum } = field;
  const bounds = minimum !== undefined && maximum !== undefined ? ` from ${minimum} to ${maximum}` : minimum !== undefined ? ` of at least ${minimum}` : maximum !== undefined ? ` of at most ${maximum}` : '';
  const what = field.type === 'integer' ? `a whole number${bounds}` : field.type === 'number' ? `a number${bounds}` : `a ${field.type}${bounds}`;
  if (text.trim() === '' || !Number.isFinite(value) || (field.type === 'integer' && !Number.isInteger(value))) return { wrong: what };
  return (minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum) ? { wrong: what } : { value };
}

function strictBoolean(text: string): Decoded {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return { value: true };
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return { value: false };
  return { wrong: 'true or false' };
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go duration (`1h30m`, `500ms`), or of a bare integer in the given unit; undefined when it is neither. */
export function parseDuration(text: string, integerUnit: 'ms' | 's' | 'ns' = 's'): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?\d+$/.test(trimmed)) return Number(trimmed) * (UNIT_MS[integerUnit] ?? 1);
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(trimmed);
  if (!match) return undefined;
  let ms = 0;
  for (const [, amount = '0', unit = 's'] of trimmed.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) ms += Number(amount) * (UNIT_MS[unit] ?? 0);
  return match[1] === '-' ? -ms : ms;
}

const QUANTITY: Readonly<Record<string, number>> = {
  '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50,
};

/** Bytes of a quantity (`4Mi`, `16MB`, `100k`); undefined when it is none. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?\d+(?:\.\d+)?)\s*([kKMGTP]i?)?B?$/.exec(text.trim());
  if (!match) return undefined;
  const factor = QUANTITY[match[2] ?? ''] ?? QUANTITY[(match[2] ?? '').toUpperCase().replace('I', 'i')];
  return factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}

/** JSON Schema of `spec.metadata` as a map of names to values, for editors and docs. */
export function jsonSchemaOf(definition: ComponentDefinition): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  const patternProperties: Record<string, unknown> = {};
  const required: string[] = [];
  for (const [name, field] of Object.entries(definition.metadata)) {
    if (field.type === 'group') {
      patternProperties[`^${name.slice(0, -1)}.`] = { type: 'string', description: field.description };
      continue;
    }
    properties[name] = propertyOf(field);
    if (field.required) required.push(name);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: definition.type,
    description: definition.description,
    type: 'object',
    properties,
    ...(Object.keys(patternProperties).length > 0 ? { patternProperties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

function propertyOf(field: MetadataField): Record<string, unknown> {
  const type = field.type === 'integer' || field.type === 'number' || field.type === 'boolean' ? { type: [field.type, 'string'] } : { type: ['string', 'number', 'object', 'array'] };
  return {
    ...(field.type === 'string' && !field.values ? { type: 'string' } : type),
    description: field.noEffect === undefined ? field.description : `${field.description} Has no effect: ${field.noEffect}.`,
    ...(field.values ? { enum: field.values } : {}),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(field.minimum === undefined ? {} : { minimum: field.minimum }),
    ...(field.maximum === undefined ? {} : { maximum: field.maximum }),
    ...(field.secret ? { writeOnly: true } : {}),
  };
}
