/** Definitions and data that mean harm, or that nobody tried: all end, in bounded time and memory, with a named error. */
import { describe, expect, test } from 'vitest';
import type { Machine } from './definition.ts';
import type { JsonObject } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { loadDefinition } from './load.ts';
import { ExecutionInputInvalid } from './run-turn.ts';
import { drive, type DriveOptions } from './testing.ts';

const limits = { ...DEFAULT_LIMITS, historyEventsMax: 2_000, jsonata: { ...DEFAULT_LIMITS.jsonata, timeoutMs: 200 } };

function load(states: JsonObject, more: JsonObject = {}): Machine {
  const { machine, diagnostics } = loadDefinition({ StartAt: Object.keys(states)[0] ?? '', States: states, ...more }, { limits });
  if (!machine) throw new Error(JSON.stringify(diagnostics));
  return machine;
}

const pass = (more: JsonObject): JsonObject => ({ S: { Type: 'Pass', End: true, ...more } });
const query = (expression: string): JsonObject => pass({ QueryLanguage: 'JSONata', Output: `{% ${expression} %}` });
const run = (states: JsonObject, options: DriveOptions = {}): ReturnType<typeof drive> => drive(load(states), options);
/** 512 KiB of text. */
const DOUBLED = "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('xxxxxxxxxxxxxxxx', 15))";
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('hostile input', () => {
  test.each([['deep', nested(100_000)], ['no JSON', '{'], ['too large', JSON.stringify('x'.repeat(300_000))], ['beyond numbers', '{"a": 1e999}']])('an input that is %s starts nothing', async (_name, input) => {
    await expect(run(pass({}), { input })).rejects.toThrow(ExecutionInputInvalid);
  });

  test('an output of a task that is no JSON or too deep fails by name', async () => {
    const machine = load({ T: { Type: 'Task', Resource: 'arn:mecha:invoke:::a:b', End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'P' }] }, P: { Type: 'Pass', End: true } });
    for (const output of [nested(10_000), 'nope', '1e999']) {
      const { snapshot } = await drive(machine, { at: [{ ms: 1, event: { type: 'taskSucceeded', id: '1', output } }] });
      expect(snapshot).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    }
  });

  test('a child that answers with no JSON fails the state by name', async () => {
    const machine = load({ M: { Type: 'Map', End: true, ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'I', States: { I: { Type: 'Wait', Seconds: 9, End: true } } } } });
    const { snapshot } = await drive(machine, { input: '[1]', machines: { map: machine }, at: [{ ms: 1, event: { type: 'childEnded', id: '1', status: 'SUCCEEDED', output: nested(10_000) } }] });
    expect(snapshot).toMatchObject({ status: 'FAILED', error: 'States.Runtime', waiting: {} });
  });

  test.each<[string, JsonObject, string]>([
    ['a huge range', pass({ Parameters: { 'x.$': 'States.ArrayRange(0, 1e9, 1)' } }), 'States.IntrinsicFailure'],
    ['JSON text nested too deep', pass({ Parameters: { 'x.$': `States.StringToJson('${nested(600)}')` } }), 'States.IntrinsicFailure'],
    ['JSONata without an end', query('($f := function($n) { $f($n) }; $f(1))'), 'States.QueryEvaluationError'],
    ['JSONata without a floor', query('($f := function($n) { 1 + $f($n) }; $f(1))'), 'States.QueryEvaluationError'],
    ['a sequence without measure', query('[1..10000000]'), 'States.QueryEvaluationError'],
    ['sequences of sequences', query('[1..10000].([1..10000])'), 'States.QueryEvaluationError'],
    ['text that doubles', query("($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('xxxxxxxxxxxxxxxx', 40))"), 'States.QueryEvaluationError'],
    ['padding', query("$pad('x', 1000000000)"), 'States.QueryEvaluationError'],
    ['a result nested too deep', query('($f := function($x, $n) { $n = 0 ? $x : $f({"a": {"b": $x}}, $n - 1) }; $f(1, 300))'), 'States.QueryEvaluationError'],
    ['a large output', query(DOUBLED), 'States.DataLimitExceeded'],
    ['a large variable', pass({ QueryLanguage: 'JSONata', Assign: { v: `{% ${DOUBLED} %}` } }), 'States.Runtime'],
    ['code behind a name', query('$states.input.constructor.constructor'), 'States.QueryEvaluationError'],
  ])('%s', async (_name, states, error) => {
    const { snapshot } = await run(states);
    expect(snapshot).toMatchObject({ status: 'FAILED', error });
  });

  // One that backtracks would not see the end of these.
  test.each(['/^(a+)+$/', '/(a|a)*b/', '/(.*)*x/'])('the regular expression %s comes to an end', async (expression) => {
    const { snapshot } = await run(query(`$count($match($states.input, ${expression}))`), { input: JSON.stringify('a'.repeat(5_000)) });
    expect(snapshot.status).not.toBe('RUNNING');
  });

  test('so does one in a filter of JSONPath', async () => {
    const { snapshot } = await run(pass({ Parameters: { 'x.$': '$[?(@ =~ /^(a+)+$/)]' } }), { input: JSON.stringify([`${'a'.repeat(5_000)}!`]) });
    expect(snapshot.output).toBe('{"x":[]}');
  });

  test('names of Object are names: nothing leaks in or out', async () => {
    const input = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}';
    const { snapshot } = await run({ A: { Type: 'Pass', Parameters: { 'a.$': '$.__proto__', '__proto__.$': '$.__proto__' }, ResultPath: '$.__proto__.deep', Assign: { '__proto__.$': '$.__proto__' }, Next: 'B' }, B: { Type: 'Pass', QueryLanguage: 'JSONata', Output: '{% $merge([$states.input, {"__proto__": {"polluted": 2}}]) %}', Next: 'C' }, C: { Type: 'Pass', ResultPath: "$['__proto__'].x", Result: 1, End: true } }, { input });
    expect(snapshot.status).toBe('SUCCEEDED');
    expect(Object.hasOwn(JSON.parse(snapshot.output ?? '{}') as object, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const missing = await run(pass({ Parameters: { 'x.$': '$.hasOwnProperty' } }));
    expect(missing.snapshot.error).toBe('States.Runtime');
  });

  test('a value that grows deeper in each round ends by name', async () => {
    const { snapshot } = await run({ A: { Type: 'Pass', Parameters: { 'a.$': '$' }, Next: 'A2' }, A2: { Type: 'Choice', Choices: [{ Variable: '$', IsPresent: true, Next: 'A' }], Default: 'E' }, E: { Type: 'Succeed' } });
    expect(snapshot).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(snapshot.cause).toMatch(/nested deeper than 500 levels/);
  });

  test('a loop without an end gives way after each turn, and ends with its history', async () => {
    const { snapshot, turns, history } = await run({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Choice', Choices: [{ Variable: '$', IsNull: true, Next: 'C' }], Default: 'A' }, C: { Type: 'Succeed' } });
    expect(turns).toBeGreaterThan(1);
    expect(snapshot).toMatchObject({ status: 'FAILED', error: 'States.Runtime', cause: 'The execution reached the maximum number of history events (2000).' });
    expect(history.length).toBe(2_000);
  });

  test('a definition nested beyond reason is refused', () => {
    const deep = (levels: number): JsonObject => (levels === 0 ? { Type: 'Pass', End: true } : { Type: 'Parallel', Branches: [{ StartAt: `S${levels}`, States: { [`S${levels}`]: deep(levels - 1) } }], End: true });
    expect(loadDefinition({ StartAt: 'S', States: { S: deep(100) } }).diagnostics[0]).toMatchObject({ code: 'INVALID_JSON_DESCRIPTION' });
    const not = (levels: number): JsonObject => (levels === 0 ? { Variable: '$', IsNull: true } : { Not: not(levels - 1) });
    expect(loadDefinition({ StartAt: 'S', States: { S: { Type: 'Choice', Choices: [{ ...not(100), Next: 'P' }] }, P: { Type: 'Succeed' } } }).machine).toBeUndefined();
    expect(loadDefinition({ StartAt: 'S', States: { S: { Type: 'Pass', End: true, Output: `{% ${'('.repeat(30_000)} %}`, QueryLanguage: 'JSONata' } } }).machine).toBeUndefined();
  });
});
