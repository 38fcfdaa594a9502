import { describe, expect, test } from 'vitest';
import { field, type ComponentDefinition, type MetadataSchema } from './component.ts';
import { decodeMetadata, jsonSchemaOf, metadataNames, parseDuration, parseQuantity, runtimeOption, type MetadataEntry } from './metadata.ts';

const define = (metadata: MetadataSchema, type: ComponentDefinition['type'] = 'state.test'): ComponentDefinition =>
  ({ type, versions: ['v1'], status: 'stable', title: 'Test', description: 'A test.', features: [], metadata }) as unknown as ComponentDefinition;

/** Decodes `{ name: value }`; a list of pairs where order or repetition matters. */
function decode(metadata: MetadataSchema, given: Readonly<Record<string, string>> | readonly MetadataEntry[], type?: ComponentDefinition['type']) {
  const entries = Array.isArray(given) ? (given as readonly MetadataEntry[]) : Object.entries(given as Readonly<Record<string, string>>).map(([name, value]) => ({ name, value }));
  const { options, problems } = decodeMetadata(define(metadata, type), entries);
  return { options, problems, messages: problems.map(({ severity, message, suggestion }) => `${severity}: ${message}${suggestion ? ` -> ${suggestion}` : ''}`) };
}

describe('names that begin alike', () => {
  const schema = { endpoint: field.string('Where'), 'header:*': field.group('A header', { secret: true }) };

  test('are one option, by what follows the beginning, as the user wrote it', () => {
    const { options, messages } = decode(schema, { endpoint: 'x', 'header:Accept': 'text/plain', 'HEADER:X-Key': 'a' });
    expect(options).toEqual({ endpoint: 'x', 'header:*': { Accept: 'text/plain', 'X-Key': 'a' } });
    expect(messages).toEqual([]);
  });

  test('need something to follow, and are there, empty, when none is given', () => {
    const { options, messages } = decode(schema, { 'header:': 'x' });
    expect(options['header:*']).toEqual({});
    expect(messages).toEqual([expect.stringMatching(/^warning: state.test has no metadata name header:/) as string]);
  });

  test('are a pattern of the JSON schema', () => {
    expect(jsonSchemaOf(define(schema))).toMatchObject({ properties: { endpoint: { type: 'string' } }, patternProperties: { '^header:.': { type: 'string' } } });
  });
});

describe('names', () => {
  const schema = { redisHost: field.string('Host', { aliases: ['host'] }), retries: field.integer('Retries', { default: 3 }) };

  test('match in any case', () => {
    expect(decode(schema, { REDISHOST: 'a', rEtRiEs: '5' }).options).toEqual({ redisHost: 'a', retries: 5 });
  });

  test('an alias counts only when the main name is absent', () => {
    expect(decode(schema, { host: 'alias' }).options['redisHost']).toBe('alias');
    expect(decode(schema, { host: 'alias', redisHost: 'main' })).toMatchObject({ options: { redisHost: 'main' }, problems: [] });
  });

  test('two spellings of one name are an error, and the first stands', () => {
    const { options, messages } = decode(schema, [{ name: 'redisHost', value: 'a' }, { name: 'REDISHOST', value: 'b' }]);
    expect(messages).toEqual(['error: metadata name REDISHOST is given twice']);
    expect(options['redisHost']).toBe('a');
  });

  test('an unknown one is a warning with the nearest right spelling, also among those of the sidecar itself', () => {
    expect(decode(schema, { redisHots: 'a' }).messages).toEqual(['warning: state.test has no metadata name redisHots -> redisHost']);
    expect(decode(schema, { keyPrefx: 'name' }).messages).toEqual(['warning: state.test has no metadata name keyPrefx -> keyPrefix']);
    expect(decode(schema, { zzz: 'a' }).messages).toEqual(['warning: state.test has no metadata name zzz']);
  });

  test('what the sidecar reads of a category is known there and nowhere else', () => {
    expect(decode(schema, { keyPrefix: 'name', outboxPublishPubsub: 'p' }).messages).toEqual([]);
    expect(decode(schema, { publishingScopes: 'a=b', consumerID: 'c' }, 'pubsub.test').messages).toEqual([]);
    expect(decode(schema, { publishingScopes: 'a=b' }).messages).toEqual(['warning: state.test has no metadata name publishingScopes']);
    expect(metadataNames(define(schema))).toContain('keyPrefix');
  });

  test('what it keeps of dead letters is checked when the component is loaded, and has a default', () => {
    expect(decode(schema, { deadLetterRetention: '12h', DEADLETTERSMAX: '10' }, 'pubsub.test').messages).toEqual([]);
    expect(decode(schema, { deadLetterRetention: 'soon', deadLettersMax: '0' }, 'bindings.test').messages).toEqual([
      "error: metadata name deadLetterRetention takes a duration such as 500ms, 10s or 1h30m, not 'soon'",
      "error: metadata name deadLettersMax takes a whole number from 1 to 10000, not '0'",
    ]);
    expect([runtimeOption('deadLetterRetention', { deadletterretention: '12h' }), runtimeOption('deadLetterRetention'), runtimeOption('deadLettersMax', { deadLettersMax: '7' }), runtimeOption('deadLettersMax', {})]).toEqual([12 * 3600_000, 30 * 24 * 3600_000, 7, 5000]);
  });

  test('one that is known and does nothing says why', () => {
    expect(decode({ old: field.noEffect('Old', 'nobody reads it') }, { old: '1' }).messages).toEqual(['warning: metadata name old has no effect: nobody reads it']);
    expect(decode(schema, { actorStateStore: 'true' }).messages).toEqual(['warning: metadata name actorStateStore has no effect: actors are not served yet']);
  });

  test('encryption that is asked for and cannot be had is an error, never a word in passing', () => {
    expect(decode(schema, { primaryEncryptionKey: 'k' }).messages[0]).toMatch(/^error: metadata name primaryEncryptionKey cannot be had: .*plain text/);
  });

  test('names of the language itself are no names of metadata', () => {
    const { options, messages } = decode(schema, [{ name: '__proto__', value: 'a' }, { name: 'constructor', value: 'b' }]);
    expect(messages).toHaveLength(2);
    expect(Object.getPrototypeOf(options)).toBe(Object.prototype);
  });
});

describe('values', () => {
  test.each([
    [field.boolean('b'), 'On', true], [field.boolean('b'), ' yes ', true], [field.boolean('b'), '1', true], [field.boolean('b'), 'nonsense', false],
    [field.boolean('b', { booleanRule: 'strict' }), 'T', true], [field.boolean('b', { booleanRule: 'strict' }), 'False', false],
    [field.integer('i'), '-7', -7], [field.integer('i'), '1e3', 1000], [field.number('n'), '0.5', 0.5],
    [field.duration('d'), '10', 10_000], [field.duration('d', { integerUnit: 'ms' }), '10', 10], [field.duration('d', { integerUnit: 'ns' }), '1000000', 1],
    [field.duration('d', { integerUnit: 'ms' }), '-1', -1], [field.duration('d'), '1h2m3.5s', 3_723_500],
    [field.size('s'), '10Mi', 10 * 2 ** 20], [field.size('s'), '1k', 1000],
    [field.list('l'), ' a, ,b ', ['a', 'b']], [field.json('j'), '{"a":[1]}', { a: [1] }],
    [field.string('s', { values: ['Node', 'Cluster'] }), 'cluster', 'Cluster'], [field.string('s'), ' kept ', ' kept '],
  ])('%j reads %j as %j', (definition, text, expected) => {
    expect(decode({ x: definition }, { x: text })).toMatchObject({ options: { x: expected }, problems: [] });
  });

  test.each([
    [field.boolean('b', { booleanRule: 'strict' }), 'yes', "takes true or false, not 'yes'"],
    [field.integer('i'), '1.5', "takes a whole number, not '1.5'"],
    [field.integer('i'), ' ', "takes a whole number, not ' '"],
    [field.integer('i', { minimum: 0, maximum: 15 }), '16', "takes a whole number from 0 to 15, not '16'"],
    [field.number('n', { minimum: 1 }), '0', "takes a number of at least 1, not '0'"],
    [field.number('n'), 'Infinity', "takes a number, not 'Infinity'"],
    [field.duration('d'), '10 parsecs', "takes a duration such as 500ms, 10s or 1h30m, not '10 parsecs'"],
    [field.duration('d', { maximum: 1000 }), '2s', "takes a duration of at most 1000, not '2s'"],
    [field.size('s'), 'big', "takes a size such as 64Ki, 10Mi or 1Gi, not 'big'"],
    [field.json('j'), '{', "takes JSON, not '{'"],
    [field.string('s', { values: ['a', 'b'] }), 'c', "takes one of a, b, not 'c'"],
    [field.string('s', { values: ['a'], exactCase: true }), 'A', "takes one of a, not 'A'"],
  ])('%j refuses %j in words', (definition, text, words) => {
    expect(decode({ x: definition }, { x: text }).messages).toEqual([`error: metadata name x ${words}`]);
  });

  test('an empty value is an absent one, except where a text may be empty', () => {
    const schema = { a: field.integer('a', { default: 3 }), b: field.string('b', { default: 'x' }), c: field.string('c', { values: ['node'], default: 'node' }) };
    expect(decode(schema, { a: '', b: '', c: '' })).toMatchObject({ options: { a: 3, b: '', c: 'node' }, problems: [] });
  });

  test('what is required must be there and not be empty', () => {
    const schema = { host: field.string('Where it is.', { required: true }), port: field.integer('Port', { required: true }) };
    expect(decode(schema, {}).messages).toEqual(['error: state.test needs metadata name host (Where it is)', 'error: state.test needs metadata name port (Port)']);
    expect(decode(schema, { host: '', port: '1' }).messages).toEqual(['error: metadata name host is empty, and state.test needs it']);
  });

  test('(users 57) no problem shows the value of a secret field, nor one that came from a secret', () => {
    const schema = { pin: field.integer('Pin', { secret: true }), retries: field.integer('Retries') };
    const { messages } = decode(schema, [{ name: 'pin', value: 'hunter2' }, { name: 'retries', value: 'hunter2', secret: true }]);
    expect(messages).toEqual(['error: metadata name pin takes a whole number, not its value', 'error: metadata name retries takes a whole number, not its value']);
  });

  test('a problem carries the mark of its entry', () => {
    const source = { line: 7 };
    expect(decode({ a: field.integer('a') }, [{ name: 'a', value: 'x', source }]).problems[0]).toMatchObject({ reason: 'bad-value', name: 'a', source });
  });
});

test.each([['', undefined], ['5', 5000], ['+5', 5000], ['1.5h', 5_400_000], ['.5s', 500], ['1µs', 0.001], ['-1m', -60_000], ['1d', undefined], ['s', undefined], ['1s 2s', undefined]])('the duration %j is %j ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([['4Mi', 4 * 2 ** 20], ['16MB', 16_000_000], ['100k', 100_000], ['1.5Ki', 1536], ['-1', -1], ['', undefined], ['Mi', undefined], ['1X', undefined]])('the size %j is %j bytes', (text, bytes) => {
  expect(parseQuantity(text)).toBe(bytes);
});

test('the JSON Schema says what is required, which words there are, and what is a secret', () => {
  const schema = jsonSchemaOf(define({ host: field.string('Host', { required: true }), mode: field.string('Mode', { values: ['a', 'b'], default: 'a' }), word: field.string('Word', { secret: true }), old: field.noEffect('Old.', 'gone') }));
  expect(schema).toMatchObject({
    title: 'state.test', type: 'object', required: ['host'],
    properties: { host: { type: 'string' }, mode: { enum: ['a', 'b'], default: 'a' }, word: { writeOnly: true }, old: { description: 'Old. Has no effect: gone.' } },
  });
});
