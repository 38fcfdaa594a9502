/** Definitions with one part replaced by anything: they are refused by name, or run to an end by name. Nothing else is thrown. */
import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import type { Json, JsonObject } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { loadDefinition } from './load.ts';
import { drive } from './testing.ts';

const RICH: JsonObject = {
  Comment: 'c',
  StartAt: 'P',
  TimeoutSeconds: 500,
  Mecha: { Saga: { On: ['Failure', 'Abort'], OnCompensationFailure: 'Continue', MaxConcurrency: 2 } },
  States: {
    P: { Type: 'Pass', InputPath: '$.a', Parameters: { 'x.$': "States.Format('{} {}', $.b, $$.Execution.Name)", l: [1, { 'y.$': '$..b' }] }, ResultPath: '$.p', Assign: { 'v.$': '$.x', w: 2 }, OutputPath: '$', Next: 'C' },
    C: {
      Type: 'Choice',
      Choices: [
        { And: [{ Variable: '$.a.b', NumericGreaterThan: 1 }, { Not: { Variable: '$.a.c', IsPresent: true } }], Assign: { z: 1 }, Next: 'T' },
        { Or: [{ Variable: '$v', StringMatches: 'a*' }, { Variable: '$.a.t', TimestampLessThanPath: '$.a.t' }], Next: 'W' },
      ],
      Default: 'T',
    },
    T: {
      Type: 'Task',
      Resource: 'arn:mecha:invoke:::app:work',
      Parameters: { 'v.$': '$v' },
      TimeoutSeconds: 9,
      HeartbeatSeconds: 3,
      Retry: [{ ErrorEquals: ['E', 'States.Timeout'], IntervalSeconds: 2, MaxAttempts: 2, BackoffRate: 1.5, MaxDelaySeconds: 10, JitterStrategy: 'FULL' }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.e', Next: 'W' }],
      ResultSelector: { 'r.$': '$' },
      ResultPath: '$.t',
      Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::app:undo', Parameters: { 'r.$': '$.t' }, Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] } },
      Next: 'W',
    },
    W: { Type: 'Wait', SecondsPath: '$.a.s', Next: 'L' },
    L: {
      Type: 'Parallel',
      ResultPath: '$.l',
      Branches: [
        { StartAt: 'B1', States: { B1: { Type: 'Succeed' } } },
        { StartAt: 'B2', States: { B2: { Type: 'Pass', QueryLanguage: 'JSONata', Output: { o: '{% $states.input.a.b + 1 %}', n: [null, '{% $v %}'] }, Assign: { q: '{% $count([1..3]) %}' }, End: true } } },
      ],
      Next: 'M',
    },
    M: {
      Type: 'Map',
      ItemsPath: '$.a.items',
      ItemSelector: { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value' },
      MaxConcurrency: 2,
      ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Wait', Timestamp: '2020-01-01T00:00:00Z', End: true } } },
      ResultPath: '$.m',
      Next: 'D',
    },
    D: { Type: 'Map', Label: 'L', ItemsPath: '$.a.items', ItemBatcher: { MaxItemsPerBatch: 2 }, ToleratedFailurePercentage: 50, ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'J', States: { J: { Type: 'Fail', ErrorPath: '$.Items[0]', Cause: 'c' } } }, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S' }], Next: 'S' },
    S: { Type: 'Succeed' },
  },
};
const INPUT = '{"a":{"b":2,"s":1,"t":"2025-01-01T00:00:00Z","items":["x",{"y":1},[]]}}';

/** Paths to every part of a value. */
function pathsOf(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value as JsonObject).flatMap(([name, part]) => pathsOf(part, [...path, name]))];
}

function replaced(value: Json, path: readonly string[], by: Json | undefined): Json {
  const [name, ...rest] = path;
  if (name === undefined) return by ?? {};
  const copy: unknown = Array.isArray(value) ? [...(value as readonly Json[])] : { ...(value as JsonObject) };
  const target = copy as Record<string, Json>;
  if (rest.length === 0 && by === undefined) delete target[name];
  else target[name] = replaced(target[name] ?? null, rest, by);
  return Array.isArray(copy) ? (copy as (Json | undefined)[]).map((item) => item ?? null) : target;
}

const WORDS = ['$', '$.a', '$$', '$v', '$[', '$.a.items[*]', 'States.UUID()', 'States.ArrayGetItem($.a.items, 9)', '{% $states.input %}', '{% $states.result %}', '{% $nope %}', '{% ( %}', 'P', 'S', 'T', '', 'JSONata', 'Fail', 'Map', '__proto__', 'arn:aws:states:::states:startExecution.sync', 'arn:mecha:saga:::compensate', 'States.ALL', '2025-01-01T00:00:00Z'];
const anything = fc.oneof(fc.constant(undefined), fc.constantFrom<Json>(...WORDS), fc.jsonValue({ maxDepth: 3 }).map((value) => value as Json), fc.constantFrom<Json>(-1, 0, 1.5, 1e12, true, null, [], {}));
const paths = fc.constantFrom(...pathsOf(RICH));
/** The input that fits, the same with a part replaced, or anything. */
const FITTING = JSON.parse(INPUT) as Json;
const inputs = fc.oneof(
  fc.constant(INPUT),
  fc.tuple(fc.constantFrom(...pathsOf(FITTING)), anything).map(([path, value]) => JSON.stringify(replaced(FITTING, path, value))),
  fc.json(),
);
const RUNS = 1_500;
const limits = { ...DEFAULT_LIMITS, historyEventsMax: 300, jsonata: { ...DEFAULT_LIMITS.jsonata, timeoutMs: 200 } };

describe('mutated definitions', () => {
  test('the one that is not mutated runs', async () => {
    const { machine, diagnostics } = loadDefinition(RICH, { limits });
    expect(diagnostics).toEqual([]);
    const driven = machine && (await drive(machine, { input: INPUT, machines: { map: machine }, task: () => ({ output: 1 }) }));
    expect(driven?.snapshot).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('with any input and any answers it ends by name', async () => {
    const { machine } = loadDefinition(RICH, { limits });
    if (!machine) return;
    await fc.assert(
      fc.asyncProperty(inputs, fc.array(fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined)), { minLength: 1 }), async (input, answers) => {
        let asked = 0;
        const { snapshot } = await drive(machine, { input, machines: { map: machine }, task: () => ({ output: (answers[asked++ % answers.length] ?? null) as Json }) });
        expect(snapshot.status).not.toBe('RUNNING');
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  test('any other is refused with its faults, or ends by name', async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(paths, anything, fc.option(paths, { nil: undefined, freq: 2 }), anything, inputs, async (path, value, otherPath, otherValue, input) => {
        const once = replaced(RICH, path, value);
        const definition = otherPath === undefined ? once : replaced(once, otherPath, otherValue);
        const { machine, diagnostics } = loadDefinition(JSON.stringify(definition), { limits });
        if (!machine) {
          expect(diagnostics.some(({ severity }) => severity === 'ERROR')).toBe(true);
          for (const { location, message } of diagnostics) expect(location.startsWith('/') && message !== '').toBe(true);
          return;
        }
        ran++;
        const { snapshot } = await drive(machine, { input, machines: { map: machine }, task: ({ attempt, resource }) => (attempt === 0 && !resource.endsWith('undo') ? { error: 'E' } : { output: [1] }), at: [{ ms: 3_600_000, event: { type: 'stopRequested' } }] });
        if (snapshot.status === 'RUNNING') expect(snapshot.saga?.steps.some(({ status }) => status === 'PARKED')).toBe(true);
        if (snapshot.status === 'FAILED') expect(snapshot.error === undefined || typeof snapshot.error === 'string').toBe(true);
      }),
      { numRuns: RUNS, seed: 7 },
    );
    expect(ran).toBeGreaterThan(RUNS / 10);
  });
});
