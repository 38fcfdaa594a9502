/** The two query languages by themselves: paths, calls, comparisons, expressions, instants. */
import { describe, expect, test } from 'vitest';
import { ruleMatches, wildcardMatches } from './choice-rule.ts';
import { Expressions } from './expressions.ts';
import { parseIntrinsic } from './intrinsic-call.ts';
import { evaluateIntrinsic } from './intrinsic-functions.ts';
import type { Json, JsonObject } from './json.ts';
import { evaluateQuery, expressionIn, parseQuery, type Evaluated } from './jsonata-query.ts';
import { evaluatePath, isReferencePath, parseJsonPath } from './jsonpath.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { Ports } from './ports.ts';
import { evaluateTemplate, evaluateTemplateValue, type Scope } from './scope.ts';
import { parseTimestamp } from './timestamp.ts';

const ports: Ports = { now: Date.UTC(2025, 0, 1), random: () => 0.5, uuid: () => 'uuid', taskToken: (id) => id };
const DATA: Json = {
  store: { book: [{ title: 'A', price: 8, tags: ['x'] }, { title: 'B', price: 12 }, { title: 'C', price: 23, isbn: '1' }], 'a-b': 1, 'it\'s': 2, ü: 3 },
  items: [{ k: 'v', n: 1 }, { k: 'w', n: 2 }],
  nil: null,
};
const roots = { data: DATA, context: (): Json => ({ State: { Name: 'S' } }), variable: (name: string): Json | undefined => (name === 'v' ? { a: [1, 2] } : undefined) };
const scope: Scope = { expressions: new Expressions(DEFAULT_LIMITS), ports, input: DATA, context: () => ({ State: { Name: 'S' } }), variable: roots.variable, variables: () => ({ v: { a: [1, 2] } }) };

describe('JSONPath', () => {
  test.each<[string, Json]>([
    ['$', DATA],
    ['$.store.book[0].title', 'A'],
    ['$.store.book[-1].title', 'C'],
    ["$['store']['a-b']", 1],
    ['$.store.a-b', 1],
    [String.raw`$.store['it\'s']`, 2],
    ['$.store.ü', 3],
    ['$.nil', null],
    ['$.store.book[*].title', ['A', 'B', 'C']],
    ['$.store.book[0:2].title', ['A', 'B']],
    ['$.store.book[1:].price', [12, 23]],
    ['$.store.book[-2:].price', [12, 23]],
    ['$.store.book[::2].price', [8, 23]],
    ['$.store.book[0,2].price', [8, 23]],
    ["$.store.book[0]['title','price']", ['A', 8]],
    ['$..price', [8, 12, 23]],
    ['$..book[0].title', ['A']],
    ['$.store.book[?(@.price > 10)].title', ['B', 'C']],
    ['$.store.book[?(@.isbn)].title', ['C']],
    ['$.store.book[?(!@.isbn)].title', ['A', 'B']],
    ["$.store.book[?(@.price < 10 || @.title == 'C')].price", [8, 23]],
    ["$.store.book[?(@.price > 5 && @.title =~ /^[ab]$/i)].price", [8, 12]],
    ["$.store.book[?(@.title in ['A','C'])].price", [8, 23]],
    ["$.store.book[?(@.tags contains 'x')].price", [8]],
    ['$.store.book[?(@.price == $.items[1].n)].title', []],
    ['$.store.book.length()', 3],
    ['$.store.book[*].price.max()', []],
    ['$.no[*].x', []],
    ['$..nothing', []],
    ['$.items[?(@.k == "zz")][0]', []],
    ['$v.a[1]', 2],
    ['$$.State.Name', 'S'],
  ])('%s', (path, expected) => {
    expect(evaluatePath(parseJsonPath(path), roots)).toEqual({ missing: false, value: expected });
  });

  test.each<[string, string]>([
    ['$.no', "No results for path: $['no']"],
    ['$.no.such', "Missing property in path $['no']"],
    ['$.store.book[9]', "No results for path: $['store']['book'][9]"],
    ['$.nil.x', "No results for path: $['nil']['x']"],
    ['$w', "No variable named 'w' is assigned"],
    ['$.constructor', "No results for path: $['constructor']"],
    ['$.__proto__', "No results for path: $['__proto__']"],
  ])('%s leads nowhere', (path, reason) => {
    expect(evaluatePath(parseJsonPath(path), roots)).toEqual({ missing: true, reason });
  });

  test.each(['', 'a', '$.', '$[', '$[]', "$['a", '$.a b', '$..', '$[?(@.a]', '$[?(@.a ==)]', '$[1:2:0]', '$.f()', '$$$', '$[?(@.a =~ /(/)]', '$.a]'])('%j is no path', (path) => {
    expect(() => parseJsonPath(path)).toThrow();
  });

  test('reference paths name one place', () => {
    expect(['$', '$.a.b[0]', "$['a']"].map((path) => isReferencePath(parseJsonPath(path)))).toEqual([true, true, true]);
    expect(['$.a[*]', '$..a', '$.a[0:1]', '$.a[-1]', '$.a.length()'].map((path) => isReferencePath(parseJsonPath(path)))).toEqual([false, false, false, false, false]);
  });
});

describe('intrinsic functions', () => {
  const call = (text: string): Json => evaluateTemplateValue(scope, text, 'x.$', DATA);

  test.each<[string, Json]>([
    ["States.Format('Hello {}, {}!', 'you', $.items[0].n)", 'Hello you, 1!'],
    ["States.Format('{} {} {}', null, true, $.items[0])", 'null true {k=v, n=1}'],
    [String.raw`States.Format('\{\} it\'s {}', 1)`, "{} it's 1"],
    ["States.Format($.store.book[0].title)", 'A'],
    ['States.Array(1, $.nil, States.Array())', [1, null, []]],
    ['States.ArrayPartition(States.ArrayRange(1, 5, 1), 2)', [[1, 2], [3, 4], [5]]],
    ['States.ArrayContains($.items, $.items[1])', true],
    ['States.ArrayRange(0, 10, 4)', [0, 4, 8]],
    ['States.ArrayRange(3, 0, -1)', [3, 2, 1, 0]],
    ['States.ArrayRange(1, 0, 1)', []],
    ['States.ArrayGetItem($.items, 1)', { k: 'w', n: 2 }],
    ['States.ArrayLength($.items)', 2],
    ['States.ArrayUnique(States.Array(1, 2, 1, $.items[0], $.items[0]))', [1, 2, { k: 'v', n: 1 }]],
    ["States.Base64Decode(States.Base64Encode('ü'))", 'ü'],
    ["States.Hash('input data', 'SHA-1')", 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['States.JsonMerge($.items[0], $.items[1], false)', { k: 'w', n: 2 }],
    ["States.StringToJson('{\"a\": [1]}')", { a: [1] }],
    ["States.StringToJson('  ')", null],
    ['States.JsonToString($.items[0])', '{"k":"v","n":1}'],
    ['States.MathAdd(-1.5, 0)', -1],
    ['States.MathRandom(1, 11)', 6],
    ["States.StringSplit('a,b;;c', ',;')", ['a', 'b', 'c']],
    ['States.UUID()', 'uuid'],
    ['  States.Array( 1 ,2 )  ', [1, 2]],
  ])('%s', (text, expected) => {
    expect(call(text)).toEqual(expected);
  });

  test.each([
    "States.Format('{}')",
    'States.ArrayPartition($.items, 0)',
    'States.ArrayRange(0, 1000, 1)',
    'States.ArrayRange(0, 1e9, 1)',
    'States.ArrayRange(0, 5, 0)',
    'States.ArrayRange(0, 1e300, 1)',
    'States.ArrayGetItem($.items, 2)',
    'States.ArrayGetItem($.items, -1)',
    'States.ArrayLength($.nil)',
    "States.Base64Decode('%%')",
    "States.Hash('a', 'MD4')",
    "States.Hash('a', '__proto__')",
    'States.JsonMerge($.items[0], $.items[1], true)',
    "States.StringToJson('{')",
    "States.MathAdd('1', 2)",
    'States.MathRandom(5, 5)',
  ])('%s fails by name', (text) => {
    expect(() => call(text)).toThrow(expect.objectContaining({ error: 'States.IntrinsicFailure', message: expect.stringContaining('had the following error') }));
  });

  test.each(['States.Nope()', 'States.UUID(', 'States.UUID(1)', 'States.Array(1,)', "States.Format('a", 'States.Format("a")', 'States.Array(a)', 'States.UUID() x', `${'States.Array('.repeat(11)}1${')'.repeat(11)}`])('%s is no call', (text) => {
    expect(() => parseIntrinsic(text)).toThrow();
  });

  test('the same seed gives the same number', () => {
    expect(call('States.MathRandom(1, 1000, 7)')).toBe(call('States.MathRandom(1, 1000, 7)'));
    const host = { random: () => 0.999, uuid: ports.uuid, jsonDepthMax: 9, path: () => null };
    expect(evaluateIntrinsic(parseIntrinsic('States.MathRandom(1, 3)'), host)).toBe(2);
  });

  test('templates evaluate members that end in .$ and nothing else', () => {
    expect(evaluateTemplate(scope, { 'a.$': '$.items[0].n', b: '$.x', c: [{ 'd.$': '$v.a[0]' }], '__proto__.$': '$.nil' }, DATA)).toEqual(JSON.parse('{"a":1,"b":"$.x","c":[{"d":1}],"__proto__":null}'));
  });
});

describe('comparisons of Choice', () => {
  const data: JsonObject = { n: 1, s: 'b', t: '2025-01-01T01:00:00+01:00', yes: true, nil: null, other: 2, text: 'log-1.zip' };
  const matches = (rule: JsonObject): boolean => ruleMatches({ ...scope, input: data }, rule, data);
  test.each<[JsonObject, boolean]>([
    [{ Variable: '$.n', NumericEquals: 1 }, true],
    [{ Variable: '$.s', NumericEquals: 1 }, false],
    [{ Variable: '$.n', NumericLessThanPath: '$.other' }, true],
    [{ Variable: '$.n', NumericGreaterThanEquals: 1 }, true],
    [{ Variable: '$.s', StringGreaterThan: 'a' }, true],
    [{ Variable: '$.s', StringLessThanEquals: 'B' }, false],
    [{ Variable: '$.n', StringEquals: '1' }, false],
    [{ Variable: '$.yes', BooleanEquals: true }, true],
    [{ Variable: '$.n', BooleanEquals: true }, false],
    [{ Variable: '$.yes', BooleanEqualsPath: '$.yes' }, true],
    [{ Variable: '$.t', TimestampEquals: '2025-01-01T00:00:00Z' }, true],
    [{ Variable: '$.t', TimestampLessThan: '2025-01-01T00:00:00.001Z' }, true],
    [{ Variable: '$.s', TimestampEquals: '2025-01-01T00:00:00Z' }, false],
    [{ Variable: '$.text', StringMatches: 'log-*.zip' }, true],
    [{ Variable: '$.nil', IsNull: true }, true],
    [{ Variable: '$.n', IsNull: false }, true],
    [{ Variable: '$.no', IsPresent: false }, true],
    [{ Variable: '$.no.such', IsPresent: true }, false],
    [{ Variable: '$.n', IsNumeric: true }, true],
    [{ Variable: '$.s', IsString: true }, true],
    [{ Variable: '$.yes', IsBoolean: true }, true],
    [{ Variable: '$.t', IsTimestamp: true }, true],
    [{ Variable: '$.s', IsTimestamp: false }, true],
    [{ And: [{ Variable: '$.n', IsNumeric: true }, { Not: { Variable: '$.n', NumericEquals: 2 } }] }, true],
    [{ Or: [{ Variable: '$.n', IsString: true }, { Variable: '$.s', IsString: true }] }, true],
  ])('%j is %s', (rule, expected) => {
    expect(matches(rule)).toBe(expected);
  });

  test('a variable that is missing ends the execution', () => {
    expect(() => matches({ Variable: '$.no', StringEquals: 'x' })).toThrow(expect.objectContaining({ error: 'States.Runtime' }));
    expect(() => matches({ Variable: '$.s', StringEqualsPath: '$.no' })).toThrow(expect.objectContaining({ error: 'States.Runtime' }));
  });

  test.each<[string, string, boolean]>([
    ['*', '', true],
    ['a*', 'ba', false],
    ['*b', 'ab', true],
    ['a*a', 'a', false],
    ['*a*b*', 'xaxbx', true],
    [String.raw`a\*`, 'a*', true],
    [String.raw`a\*`, 'ab', false],
    [String.raw`\\`, '\\', true],
    ['', '', true],
  ])('%j matches %j: %s', (pattern, text, expected) => {
    expect(wildcardMatches(pattern, text)).toBe(expected);
  });
});

describe('JSONata', () => {
  const evaluate = (expression: string): Promise<Evaluated> => evaluateQuery(parseQuery(expression, DEFAULT_LIMITS), { v: [1, 2], states: { input: DATA } }, ports, DEFAULT_LIMITS);

  test.each<[string, Json]>([
    ['$sum($v)', 3],
    ['$states.input.store.book[price > 10].title', ['B', 'C']],
    ['$partition([1..5], 2)', [[1, 2], [3, 4], [5]]],
    ['$partition([0], 1)', [[0]]],
    ['$range(0, 10, 5)', [0, 5, 10]],
    ['$range(1, 9, 9)', 1],
    ["$hash('input data', 'SHA-1')", 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['$random()', 0.5],
    ['$random(3) = $random(3)', true],
    ['$uuid()', 'uuid'],
    ["$parse('{\"a\": [-0]}')", { a: [0] }],
    ['$millis()', Date.UTC(2025, 0, 1)],
    ['$now()', '2025-01-01T00:00:00.000Z'],
    ["$now('[Y]')", '2025'],
    ["$replace('abc', /B/i, 'x')", 'axc'],
    ["$split('a1b', /[0-9]/)", ['a', 'b']],
    ["{'a': $nope, 'b': 1}", { b: 1 }],
    ['null', null],
    ['[]', []],
    ['-0', 0],
  ])('%s', async (expression, value) => {
    expect(await evaluate(expression)).toEqual({ kind: 'value', value });
  });

  test.each<[string, Evaluated]>([
    ['$nope', { kind: 'nothing' }],
    ['function($x) { $x }', { kind: 'unsupported' }],
    ['$sum', { kind: 'unsupported' }],
    ["$eval('1')", { kind: 'failed', text: 'T1006: Attempted to invoke a non-function' }],
    ["$error('own')", { kind: 'failed', text: 'D3137: own' }],
  ])('%s is no value', async (expression, expected) => {
    expect(await evaluate(expression)).toEqual(expected);
  });

  test('only a whole text is an expression', () => {
    expect(['{% 1 %}', '{%1%}', ' {% 1 %}', '{% 1 %} ', '{% 1', '{%%}'].map(expressionIn)).toEqual(['1', '1', undefined, undefined, undefined, '']);
  });
});

describe('timestamps', () => {
  test.each<[string, number | undefined]>([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1969-12-31T23:00:00.5-01:00', 500],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2023-02-29T00:00:00Z', undefined],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['2025-01-01t00:00:00z', undefined],
    ['2025-01-01T00:00:00', undefined],
    ['2025-01-01T24:00:00Z', undefined],
    ['2025-13-01T00:00:00Z', undefined],
    ['2025-01-01', undefined],
  ])('%s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });
});
