/** The rows of the conformance table: what each field of each type of state does. The test runs them, docs/states-language.md lists them. */
import type { StateType } from './definition.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Answer, DriveOptions } from './testing.ts';

export interface ConformanceRow {
  readonly type: StateType;
  /** The field that the row is about. */
  readonly feature: string;
  readonly claim: string;
  /** The state, or the whole machine when it has States. */
  readonly state: JsonObject;
  readonly jsonata?: boolean;
  readonly input?: Json;
  readonly task?: (attempt: number, args: Json) => Answer | undefined;
  readonly options?: DriveOptions;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
  /** Virtual seconds until the end. */
  readonly seconds?: number;
  readonly variables?: JsonObject;
  readonly status?: string;
}

const ARN = 'arn:mecha:invoke:::payment:charge';
const echo = (_attempt: number, args: Json): Answer => ({ output: args });
const gives = (output: Json) => (): Answer => ({ output });
const failsTimes = (times: number, error = 'E') => (attempt: number): Answer => (attempt < times ? { error, cause: 'because' } : { output: 'ok' });
const inner = (state: JsonObject = { Type: 'Pass', End: true }): JsonObject => ({ StartAt: 'I', States: { I: state } });
const other: JsonObject = { Type: 'Pass', End: true };
const distributed = (state?: JsonObject, type = 'STANDARD'): JsonObject => ({ ...inner(state), ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: type } });
const caught = (state: JsonObject): JsonObject => ({ StartAt: 'S', States: { S: state, C: other } });

export const CONFORMANCE_ROWS: readonly ConformanceRow[] = [
  // Pass
  { type: 'Pass', feature: 'Type', claim: 'hands its input on', state: { Type: 'Pass', Comment: 'c', End: true }, input: { a: 1 }, output: { a: 1 } },
  { type: 'Pass', feature: 'Next', claim: 'is followed', state: { StartAt: 'S', States: { S: { Type: 'Pass', Result: 1, Next: 'C' }, C: other } }, output: 1 },
  { type: 'Pass', feature: 'InputPath', claim: 'selects a part', state: { Type: 'Pass', InputPath: '$.a', End: true }, input: { a: { b: 1 } }, output: { b: 1 } },
  { type: 'Pass', feature: 'InputPath', claim: 'null selects an empty object', state: { Type: 'Pass', InputPath: null, End: true }, input: { a: 1 }, output: {} },
  { type: 'Pass', feature: 'OutputPath', claim: 'selects what is handed on', state: { Type: 'Pass', OutputPath: '$.a', End: true }, input: { a: 5 }, output: 5 },
  { type: 'Pass', feature: 'Parameters', claim: 'builds from paths, context, literals and calls', state: { Type: 'Pass', Parameters: { 'a.$': '$.x', 'n.$': '$$.Execution.Name', l: '$.x', 'f.$': "States.Format('{}!', $.x)", 'deep': [{ 'y.$': '$.x' }] }, End: true }, input: { x: 1 }, output: { a: 1, n: 'run', l: '$.x', f: '1!', deep: [{ y: 1 }] } },
  { type: 'Pass', feature: 'Parameters', claim: 'a path that is missing ends the execution', state: { Type: 'Pass', Parameters: { 'a.$': '$.no' }, End: true }, error: 'States.Runtime', cause: "An error occurred while executing the state 'S' (entered at the event id #2). The JSONPath '$.no' specified for the field 'a.$' could not be found in the input '{}'" },
  { type: 'Pass', feature: 'ResultPath', claim: 'puts the result into the raw input', state: { Type: 'Pass', InputPath: '$.a', Result: 7, ResultPath: '$.r.x', End: true }, input: { a: 1 }, output: { a: 1, r: { x: 7 } } },
  { type: 'Pass', feature: 'ResultPath', claim: 'null keeps the raw input', state: { Type: 'Pass', Result: 7, ResultPath: null, End: true }, input: { a: 1 }, output: { a: 1 } },
  { type: 'Pass', feature: 'ResultPath', claim: 'fails on an input that is no object', state: { Type: 'Pass', Result: 7, ResultPath: '$.r', End: true }, input: 'text', error: 'States.ResultPathMatchFailure' },
  { type: 'Pass', feature: 'Result', claim: 'is literal', state: { Type: 'Pass', Result: { 'a.$': '$.x' }, End: true }, output: { 'a.$': '$.x' } },
  { type: 'Pass', feature: 'Assign', claim: 'all values are those on entry: two variables swap', state: { StartAt: 'A', States: { A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' }, B: { Type: 'Pass', Assign: { 'x.$': '$y', 'y.$': '$x' }, Next: 'D' }, D: { Type: 'Pass', Parameters: { 'x.$': '$x', 'y.$': '$y' }, End: true } } }, output: { x: 2, y: 1 } },
  { type: 'Pass', feature: 'Output', claim: 'is evaluated', jsonata: true, state: { Type: 'Pass', Output: { s: '{% $sum($states.input.n) %}', l: '$x' }, End: true }, input: { n: [1, 2] }, output: { s: 3, l: '$x' } },
  { type: 'Pass', feature: 'QueryLanguage', claim: 'of a state overrides that of the machine', state: { Type: 'Pass', QueryLanguage: 'JSONata', Output: '{% 1 + 1 %}', End: true }, output: 2 },
  // Succeed, Fail
  { type: 'Succeed', feature: 'Type', claim: 'ends well', state: { Type: 'Succeed', Comment: 'c' }, input: 1, output: 1 },
  { type: 'Succeed', feature: 'InputPath', claim: 'selects a part', state: { Type: 'Succeed', InputPath: '$.a' }, input: { a: 1 }, output: 1 },
  { type: 'Succeed', feature: 'OutputPath', claim: 'selects the output', state: { Type: 'Succeed', OutputPath: '$.a' }, input: { a: 1 }, output: 1 },
  { type: 'Succeed', feature: 'Output', claim: 'is evaluated', jsonata: true, state: { Type: 'Succeed', Output: '{% $states.input & "!" %}' }, input: 'a', output: 'a!' },
  { type: 'Succeed', feature: 'QueryLanguage', claim: 'of a state overrides that of the machine', state: { Type: 'Succeed', QueryLanguage: 'JSONata', Output: 1 }, output: 1 },
  { type: 'Fail', feature: 'Error', claim: 'and Cause are the execution\'s', state: { Type: 'Fail', Comment: 'c', Error: 'E', Cause: 'C' }, error: 'E', cause: 'C' },
  { type: 'Fail', feature: 'ErrorPath', claim: 'and CausePath take paths and calls', state: { Type: 'Fail', ErrorPath: '$.e', CausePath: "States.Format('{}', $.c)" }, input: { e: 'E', c: 1 }, error: 'E', cause: '1' },
  { type: 'Fail', feature: 'Cause', claim: 'is evaluated in JSONata', jsonata: true, state: { Type: 'Fail', Error: '{% "E" & "1" %}', Cause: 'C' }, error: 'E1', cause: 'C' },
  { type: 'Fail', feature: 'QueryLanguage', claim: 'of a state overrides that of the machine', state: { Type: 'Fail', QueryLanguage: 'JSONata', Error: '{% "E" %}' }, error: 'E' },
  // Wait
  { type: 'Wait', feature: 'Seconds', claim: 'waits', state: { Type: 'Wait', Comment: 'c', Seconds: 90, End: true }, input: 1, output: 1, seconds: 90 },
  { type: 'Wait', feature: 'SecondsPath', claim: 'waits', state: { Type: 'Wait', SecondsPath: '$.s', End: true }, input: { s: 5 }, output: { s: 5 }, seconds: 5 },
  { type: 'Wait', feature: 'SecondsPath', claim: 'refuses what is negative', state: { Type: 'Wait', SecondsPath: '$.s', End: true }, input: { s: -1 }, error: 'States.Runtime', cause: "An error occurred while executing the state 'S' (entered at the event id #2). The SecondsPath parameter references a negative value: $.s == -1" },
  { type: 'Wait', feature: 'SecondsPath', claim: 'refuses fractions', state: { Type: 'Wait', SecondsPath: '$.s', End: true }, input: { s: 1.5 }, error: 'States.Runtime' },
  { type: 'Wait', feature: 'Timestamp', claim: 'waits until then', state: { Type: 'Wait', Timestamp: '2025-01-01T00:01:00+00:00', End: true }, input: 1, output: 1, seconds: 60 },
  { type: 'Wait', feature: 'TimestampPath', claim: 'waits until then', state: { Type: 'Wait', TimestampPath: '$.t', End: true }, input: { t: '2025-01-01T01:00:30+01:00' }, output: { t: '2025-01-01T01:00:30+01:00' }, seconds: 30 },
  { type: 'Wait', feature: 'Seconds', claim: 'is evaluated', jsonata: true, state: { Type: 'Wait', Seconds: '{% 2 * 5 %}', End: true }, input: 1, output: 1, seconds: 10 },
  { type: 'Wait', feature: 'Seconds', claim: 'longer than 2^31 seconds is refused', jsonata: true, state: { Type: 'Wait', Timestamp: '{% "2125-01-01T00:00:00Z" %}', End: true }, error: 'States.Runtime', cause: "An error occurred while executing the state 'S' (entered at the event id #2). Wait state delay is too long." },
  { type: 'Wait', feature: 'Next', claim: 'is followed', state: { StartAt: 'S', States: { S: { Type: 'Wait', Seconds: 1, Next: 'C' }, C: other } }, input: 1, output: 1, seconds: 1 },
  { type: 'Wait', feature: 'InputPath', claim: 'and OutputPath select', state: { Type: 'Wait', Seconds: 0, InputPath: '$.a', OutputPath: '$.b', End: true }, input: { a: { b: 2 } }, output: 2 },
  { type: 'Wait', feature: 'Assign', claim: 'is done when it is left', state: { StartAt: 'S', States: { S: { Type: 'Wait', Seconds: 1, Assign: { 'v.$': '$.a' }, Next: 'C' }, C: { Type: 'Pass', InputPath: '$v', End: true } } }, input: { a: 3 }, output: 3, seconds: 1 },
  { type: 'Wait', feature: 'Output', claim: 'is evaluated', jsonata: true, state: { Type: 'Wait', QueryLanguage: 'JSONata', Seconds: 1, Output: 4, End: true }, output: 4, seconds: 1 },
  // Choice
  { type: 'Choice', feature: 'Choices', claim: 'the first rule that matches decides', state: { StartAt: 'S', States: { S: { Type: 'Choice', Comment: 'c', Choices: [{ Variable: '$.a', NumericEquals: 1, Next: 'A' }, { Variable: '$.a', IsPresent: true, Next: 'B' }] }, A: { Type: 'Pass', Result: 'A', End: true }, B: { Type: 'Pass', Result: 'B', End: true } } }, input: { a: 1 }, output: 'A' },
  { type: 'Choice', feature: 'Default', claim: 'is taken when nothing matches', state: { StartAt: 'S', States: { S: { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 1, Next: 'A' }], Default: 'B' }, A: { Type: 'Pass', Result: 'A', End: true }, B: { Type: 'Pass', Result: 'B', End: true } } }, input: { a: '1' }, output: 'B' },
  { type: 'Choice', feature: 'Choices', claim: 'without a match and a Default the execution fails', state: { StartAt: 'S', States: { S: { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 1, Next: 'A' }] }, A: other } }, input: { a: 2 }, error: 'States.NoChoiceMatched' },
  { type: 'Choice', feature: 'InputPath', claim: 'and OutputPath select', state: { StartAt: 'S', States: { S: { Type: 'Choice', InputPath: '$.i', OutputPath: '$.o', Choices: [{ Variable: '$.a', IsNull: true, Next: 'A' }] }, A: other } }, input: { i: { a: null, o: 9 } }, output: 9 },
  { type: 'Choice', feature: 'Assign', claim: "a rule's is used when it matches", state: { StartAt: 'S', States: { S: { Type: 'Choice', Assign: { v: 'default' }, Choices: [{ Variable: '$', IsNumeric: true, Assign: { v: 'rule' }, Next: 'A' }], Default: 'A' }, A: { Type: 'Pass', InputPath: '$v', End: true } } }, input: 1, output: 'rule' },
  { type: 'Choice', feature: 'Output', claim: "a rule's Condition and Output are evaluated", jsonata: true, state: { StartAt: 'S', States: { S: { Type: 'Choice', QueryLanguage: 'JSONata', Output: 'no', Choices: [{ Condition: '{% $states.input > 3 %}', Output: '{% $states.input * 2 %}', Next: 'A' }], Default: 'A' }, A: other } }, input: 4, output: 8 },
  { type: 'Choice', feature: 'Choices', claim: 'a Condition that is no boolean fails', jsonata: true, state: { StartAt: 'S', States: { S: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'A' }] }, A: other } }, error: 'States.QueryEvaluationError' },
  // Task
  { type: 'Task', feature: 'Resource', claim: 'is called with the input; its answer is the output', state: { Type: 'Task', Comment: 'c', Resource: ARN, End: true }, input: { a: 1 }, task: echo, output: { a: 1 } },
  { type: 'Task', feature: 'Next', claim: 'is followed', state: { StartAt: 'S', States: { S: { Type: 'Task', Resource: ARN, Next: 'C' }, C: other } }, task: gives(1), output: 1 },
  { type: 'Task', feature: 'Parameters', claim: 'are built from the effective input', state: { Type: 'Task', InputPath: '$.i', Resource: ARN, Parameters: { 'x.$': '$.a' }, End: true }, input: { i: { a: 1 } }, task: echo, output: { x: 1 } },
  { type: 'Task', feature: 'InputPath', claim: 'selects a part', state: { Type: 'Task', InputPath: '$.i', Resource: ARN, End: true }, input: { i: 3 }, task: echo, output: 3 },
  { type: 'Task', feature: 'ResultSelector', claim: 'sees the result only', state: { Type: 'Task', Resource: ARN, ResultSelector: { 'r.$': '$.x' }, ResultPath: '$.out', End: true }, input: { a: 1 }, task: gives({ x: 2, y: 3 }), output: { a: 1, out: { r: 2 } } },
  { type: 'Task', feature: 'ResultPath', claim: 'merges into the raw input', state: { Type: 'Task', InputPath: '$.a', Resource: ARN, ResultPath: '$.b', End: true }, input: { a: 1 }, task: gives(2), output: { a: 1, b: 2 } },
  { type: 'Task', feature: 'OutputPath', claim: 'comes last', state: { Type: 'Task', Resource: ARN, ResultPath: '$.b', OutputPath: '$.b', End: true }, input: {}, task: gives(2), output: 2 },
  { type: 'Task', feature: 'Assign', claim: 'sees the raw result', state: { StartAt: 'S', States: { S: { Type: 'Task', Resource: ARN, ResultSelector: { k: 1 }, Assign: { 'v.$': '$.x' }, Next: 'C' }, C: { Type: 'Pass', InputPath: '$v', End: true } } }, task: gives({ x: 5 }), output: 5 },
  { type: 'Task', feature: 'Arguments', claim: 'are evaluated', jsonata: true, state: { Type: 'Task', QueryLanguage: 'JSONata', Resource: ARN, Arguments: { x: '{% $states.input.a + 1 %}' }, End: true }, input: { a: 1 }, task: echo, output: { x: 2 } },
  { type: 'Task', feature: 'Output', claim: 'sees the result', jsonata: true, state: { Type: 'Task', Resource: ARN, Output: '{% $states.result.n + $states.input %}', End: true }, input: 1, task: gives({ n: 2 }), output: 3 },
  { type: 'Task', feature: 'Credentials', claim: 'are evaluated', state: { Type: 'Task', Resource: ARN, Credentials: { 'RoleArn.$': '$.r' }, End: true }, input: { r: 'role' }, task: gives(1), output: 1 },
  { type: 'Task', feature: 'Retry', claim: 'tries again, later each time', state: { Type: 'Task', Resource: ARN, Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 3 }], End: true }, task: failsTimes(3), output: 'ok', seconds: 2 + 6 + 18 },
  { type: 'Task', feature: 'Retry', claim: 'no longer apart than MaxDelaySeconds', state: { Type: 'Task', Resource: ARN, Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 2, BackoffRate: 10, MaxAttempts: 3, MaxDelaySeconds: 5 }], End: true }, task: failsTimes(3), output: 'ok', seconds: 2 + 5 + 5 },
  { type: 'Task', feature: 'Retry', claim: 'MaxAttempts 0 excludes an error from a later wildcard', state: { Type: 'Task', Resource: ARN, Retry: [{ ErrorEquals: ['E'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }], End: true }, task: failsTimes(1), error: 'E', cause: 'because', seconds: 0 },
  { type: 'Task', feature: 'Retry', claim: 'each retrier counts for itself', state: { Type: 'Task', Resource: ARN, Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1, IntervalSeconds: 1 }, { ErrorEquals: ['B'], MaxAttempts: 1, IntervalSeconds: 1 }], End: true }, task: (attempt) => (attempt < 2 ? { error: attempt === 0 ? 'A' : 'B' } : { output: 'ok' }), output: 'ok', seconds: 2 },
  { type: 'Task', feature: 'Catch', claim: 'hands error and cause on', state: caught({ Type: 'Task', Resource: ARN, Catch: [{ ErrorEquals: ['E'], ResultPath: '$.error', Next: 'C' }], End: true }), input: { a: 1 }, task: failsTimes(1), output: { a: 1, error: { Error: 'E', Cause: 'because' } } },
  { type: 'Task', feature: 'Catch', claim: 'assigns and builds in JSONata', jsonata: true, state: { StartAt: 'S', States: { S: { Type: 'Task', Resource: ARN, Catch: [{ ErrorEquals: ['States.TaskFailed'], Assign: { e: '{% $states.errorOutput.Error %}' }, Output: '{% $states.errorOutput.Cause %}', Next: 'C' }], End: true }, C: { Type: 'Pass', Output: '{% $e & $states.input %}', End: true } } }, task: failsTimes(1), output: 'Ebecause' },
  { type: 'Task', feature: 'Catch', claim: 'States.Runtime cannot be caught', state: caught({ Type: 'Task', Resource: ARN, OutputPath: '$.no', Catch: [{ ErrorEquals: ['States.Runtime', 'E'], Next: 'C' }], End: true }), task: gives(1), error: 'States.Runtime' },
  { type: 'Task', feature: 'TimeoutSeconds', claim: 'ends the task', state: { Type: 'Task', Resource: ARN, TimeoutSeconds: 7, End: true }, error: 'States.Timeout', seconds: 7 },
  { type: 'Task', feature: 'TimeoutSecondsPath', claim: 'ends the task', state: caught({ Type: 'Task', Resource: ARN, TimeoutSecondsPath: '$.t', Catch: [{ ErrorEquals: ['States.TaskFailed', 'States.HeartbeatTimeout'], Next: 'C' }, { ErrorEquals: ['States.Timeout'], ResultPath: '$.e', Next: 'C' }], End: true }), input: { t: 3 }, output: { t: 3, e: { Error: 'States.Timeout', Cause: null } }, seconds: 3 },
  { type: 'Task', feature: 'HeartbeatSeconds', claim: 'misses of it are known by name', state: caught({ Type: 'Task', Resource: ARN, HeartbeatSeconds: 3, Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], ResultPath: '$.e', Next: 'C' }], End: true }), task: () => ({ output: 1, afterMs: 20_000, heartbeatsMs: [2_000, 4_000] }), output: { e: { Error: 'States.Timeout', Cause: null } }, seconds: 7 },
  { type: 'Task', feature: 'HeartbeatSecondsPath', claim: 'is a path', state: { Type: 'Task', Resource: ARN, HeartbeatSecondsPath: '$.h', End: true }, input: { h: 2 }, error: 'States.Timeout', seconds: 2 },
  { type: 'Task', feature: 'TimeoutSeconds', claim: 'is evaluated', jsonata: true, state: { Type: 'Task', Resource: ARN, TimeoutSeconds: '{% $states.input %}', HeartbeatSeconds: '{% $states.input - 1 %}', End: true }, input: 4, error: 'States.Timeout', seconds: 3 },
  { type: 'Task', feature: 'Mecha', claim: 'Compensate undoes the step', state: { StartAt: 'S', States: { S: { Type: 'Task', Resource: ARN, Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::payment:refund' } }, Next: 'F' }, F: { Type: 'Fail', Error: 'late' } } }, task: gives(1), error: 'late' },
  // Parallel
  { type: 'Parallel', feature: 'Branches', claim: 'give a list in their order', state: { Type: 'Parallel', Comment: 'c', Branches: [{ StartAt: 'A', States: { A: { Type: 'Wait', Seconds: 9, Next: 'A2' }, A2: { Type: 'Pass', Result: 'slow', End: true } } }, { StartAt: 'B', States: { B: { Type: 'Pass', Result: 'fast', End: true } } }], End: true }, output: ['slow', 'fast'], seconds: 9 },
  { type: 'Parallel', feature: 'Next', claim: 'is followed', state: { StartAt: 'S', States: { S: { Type: 'Parallel', Branches: [inner()], Next: 'C' }, C: other } }, input: 1, output: [1] },
  { type: 'Parallel', feature: 'Parameters', claim: 'go to every branch', state: { Type: 'Parallel', InputPath: '$.i', Parameters: { 'p.$': '$.a' }, Branches: [inner()], End: true }, input: { i: { a: 1 } }, output: [{ p: 1 }] },
  { type: 'Parallel', feature: 'InputPath', claim: 'selects a part', state: { Type: 'Parallel', InputPath: '$.i', Branches: [inner()], End: true }, input: { i: 2 }, output: [2] },
  { type: 'Parallel', feature: 'ResultSelector', claim: 'and ResultPath, OutputPath shape the list', state: { Type: 'Parallel', Branches: [inner()], ResultSelector: { 'first.$': '$[0].a' }, ResultPath: '$.r', OutputPath: '$.r.first', End: true }, input: { a: 4 }, output: 4 },
  { type: 'Parallel', feature: 'ResultPath', claim: 'null keeps the input', state: { Type: 'Parallel', Branches: [inner()], ResultPath: null, End: true }, input: 1, output: 1 },
  { type: 'Parallel', feature: 'OutputPath', claim: 'selects', state: { Type: 'Parallel', Branches: [inner()], OutputPath: '$[0]', End: true }, input: 1, output: 1 },
  { type: 'Parallel', feature: 'Arguments', claim: 'and Output, Assign are evaluated', jsonata: true, state: { StartAt: 'S', States: { S: { Type: 'Parallel', QueryLanguage: 'JSONata', Arguments: '{% $states.input + 1 %}', Branches: [inner(), { StartAt: 'J', States: { J: { Type: 'Pass', Output: '{% $states.input * 2 %}', End: true } } }], Output: '{% $sum($states.result) %}', Assign: { n: '{% $count($states.result) %}' }, Next: 'C' }, C: { Type: 'Pass', Output: '{% [$states.input, $n] %}', End: true } } }, input: 1, output: [6, 2] },
  { type: 'Parallel', feature: 'Retry', claim: 'runs all branches again', state: { Type: 'Parallel', Branches: [inner({ Type: 'Task', Resource: ARN, End: true }), { StartAt: 'J', States: { J: { Type: 'Wait', Seconds: 5, End: true } } }], Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 1 }], ResultPath: null, End: true }, input: 1, task: failsTimes(1), output: 1, seconds: 6 },
  { type: 'Parallel', feature: 'Catch', claim: 'gets the error of the branch', state: caught({ Type: 'Parallel', Branches: [inner({ Type: 'Fail', Error: 'X', Cause: 'Y' }), { StartAt: 'J', States: { J: { Type: 'Wait', Seconds: 5, End: true } } }], Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }), output: { Error: 'X', Cause: 'Y' }, seconds: 0 },
  { type: 'Parallel', feature: 'Mecha', claim: 'Compensate is allowed', state: { Type: 'Parallel', Branches: [inner()], Mecha: { Compensate: { Resource: ARN } }, End: true }, input: 1, output: [1] },
  // Map
  { type: 'Map', feature: 'ItemProcessor', claim: 'runs per item, the list is in their order', state: { Type: 'Map', Comment: 'c', ItemProcessor: inner({ Type: 'Wait', SecondsPath: '$', End: true }), End: true }, input: [3, 1, 2], output: [3, 1, 2], seconds: 3 },
  { type: 'Map', feature: 'Iterator', claim: 'is the old name', state: { Type: 'Map', Iterator: inner(), Parameters: { 'v.$': '$$.Map.Item.Value' }, End: true }, input: [1], output: [{ v: 1 }] },
  { type: 'Map', feature: 'Parameters', claim: 'is the old name of ItemSelector', state: { Type: 'Map', ItemProcessor: inner(), Parameters: { 'i.$': '$$.Map.Item.Index' }, End: true }, input: ['x'], output: [{ i: 0 }] },
  { type: 'Map', feature: 'Next', claim: 'is followed', state: { StartAt: 'S', States: { S: { Type: 'Map', ItemProcessor: inner(), Next: 'C' }, C: other } }, input: [], output: [] },
  { type: 'Map', feature: 'InputPath', claim: 'and ItemsPath select', state: { Type: 'Map', InputPath: '$.a', ItemsPath: '$.b', ItemProcessor: inner(), ResultPath: '$.r', OutputPath: '$.r', End: true }, input: { a: { b: [1, 2] } }, output: [1, 2] },
  { type: 'Map', feature: 'ItemsPath', claim: 'must lead to a list', state: { Type: 'Map', ItemsPath: '$.b', ItemProcessor: inner(), End: true }, input: { b: 1 }, error: 'States.Runtime', cause: 'Reference path "$.b" must point to array.' },
  { type: 'Map', feature: 'ItemSelector', claim: 'sees the effective input and the item', state: { Type: 'Map', ItemsPath: '$.l', ItemSelector: { 'v.$': '$$.Map.Item.Value', 'k.$': '$.k' }, ItemProcessor: inner(), End: true }, input: { l: [1, 2], k: 'K' }, output: [{ v: 1, k: 'K' }, { v: 2, k: 'K' }] },
  { type: 'Map', feature: 'Items', claim: 'and Output, Assign are evaluated', jsonata: true, state: { Type: 'Map', QueryLanguage: 'JSONata', Items: '{% [1..3] %}', ItemSelector: '{% $states.context.Map.Item.Value * 10 %}', ItemProcessor: inner(), Assign: { s: '{% $states.result %}' }, Output: '{% $sum($states.result) %}', End: true }, output: 60 },
  { type: 'Map', feature: 'MaxConcurrency', claim: '1 is one after the other', state: { Type: 'Map', MaxConcurrency: 1, ItemProcessor: inner({ Type: 'Wait', Seconds: 2, End: true }), End: true }, input: [1, 2, 3], output: [1, 2, 3], seconds: 6 },
  { type: 'Map', feature: 'MaxConcurrencyPath', claim: '2 of 4 take two rounds', state: { Type: 'Map', MaxConcurrencyPath: '$.c', ItemsPath: '$.l', ItemProcessor: inner({ Type: 'Wait', Seconds: 2, End: true }), End: true }, input: { c: 2, l: [1, 2, 3, 4] }, output: [1, 2, 3, 4], seconds: 4 },
  { type: 'Map', feature: 'ResultSelector', claim: 'sees the list', state: { Type: 'Map', ItemProcessor: inner(), ResultSelector: { 'n.$': 'States.ArrayLength($)' }, End: true }, input: [1, 2], output: { n: 2 } },
  { type: 'Map', feature: 'ResultPath', claim: 'puts the list into the raw input', state: { Type: 'Map', ItemsPath: '$.l', ItemProcessor: inner(), ResultPath: '$.r', End: true }, input: { l: [1] }, output: { l: [1], r: [1] } },
  { type: 'Map', feature: 'Retry', claim: 'runs all iterations again', state: { Type: 'Map', ItemProcessor: inner({ Type: 'Task', Resource: ARN, End: true }), Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 4 }], End: true }, input: [1], task: failsTimes(1), output: ['ok'], seconds: 4 },
  { type: 'Map', feature: 'Catch', claim: 'gets the error of the iteration', state: caught({ Type: 'Map', ItemProcessor: inner({ Type: 'Fail', Error: 'X' }), Catch: [{ ErrorEquals: ['X'], Next: 'C' }], End: true }), input: [1, 2], output: { Error: 'X', Cause: null } },
  { type: 'Map', feature: 'Label', claim: 'names the children of a distributed Map', state: { Type: 'Map', Label: 'L', ItemProcessor: distributed({ Type: 'Pass', Parameters: { 'm.$': '$$.StateMachine.Name' }, End: true }), End: true }, input: [1], output: [{ m: 'machine/L' }] },
  { type: 'Map', feature: 'ItemReader', claim: 'reads the items from outside', state: { Type: 'Map', ItemReader: { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: { InputType: 'JSON' }, Parameters: { 'Bucket.$': '$.b' } }, ItemProcessor: distributed(), End: true }, input: { b: 'B' }, options: { items: (command) => [isObject(command.arguments) ? (command.arguments['Bucket'] ?? null) : null, 2] }, output: ['B', 2] },
  { type: 'Map', feature: 'ItemReader', claim: 'that fails fails the state', state: { Type: 'Map', ItemReader: { Resource: 'arn:aws:states:::s3:getObject' }, ItemProcessor: distributed(), End: true }, error: 'States.ItemReaderFailed', cause: 'nothing there' },
  { type: 'Map', feature: 'ItemReader', claim: 'that reads no list fails the state', state: { Type: 'Map', ItemReader: { Resource: 'arn:aws:states:::s3:getObject' }, ItemProcessor: distributed(), End: true }, options: { items: () => 1 }, error: 'States.ItemReaderFailed', cause: 'Attempting to map over non-iterable node.' },
  { type: 'Map', feature: 'ItemBatcher', claim: 'gives a child several items', state: { Type: 'Map', ItemBatcher: { MaxItemsPerBatch: 2, BatchInput: { k: 1 } }, ItemProcessor: distributed(), End: true }, input: [1, 2, 3], output: [{ BatchInput: { k: 1 }, Items: [1, 2] }, { BatchInput: { k: 1 }, Items: [3] }] },
  { type: 'Map', feature: 'ResultWriter', claim: 'writes the results outside', state: { Type: 'Map', ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', Parameters: { Bucket: 'b' } }, ItemProcessor: distributed(), ResultSelector: { 'd.$': '$.ResultWriterDetails.Key' }, End: true }, input: [1], output: { d: 'manifest.json' } },
  { type: 'Map', feature: 'ResultWriter', claim: 'without a Resource shapes the output', state: { Type: 'Map', ResultWriter: { WriterConfig: { Transformation: 'FLATTEN', OutputType: 'JSON' } }, ItemProcessor: distributed(), End: true }, input: [[1, 2], [3]], output: [1, 2, 3] },
  { type: 'Map', feature: 'ToleratedFailureCount', claim: 'as many children may fail', state: { Type: 'Map', ToleratedFailureCount: 1, ItemProcessor: distributed({ Type: 'Task', Resource: ARN, End: true }), End: true }, input: [1, 2], task: (_attempt, args) => (args === 1 ? { error: 'E' } : { output: args }), output: [2] },
  { type: 'Map', feature: 'ToleratedFailureCount', claim: 'one more fails the run', state: { Type: 'Map', ItemProcessor: distributed({ Type: 'Fail', Error: 'E' }), ToleratedFailureCount: 0, End: true }, input: [1, 2], error: 'States.ExceedToleratedFailureThreshold', cause: 'The specified tolerated failure threshold was exceeded' },
  { type: 'Map', feature: 'ToleratedFailureCountPath', claim: 'is a path', state: { Type: 'Map', ItemsPath: '$.l', ToleratedFailureCountPath: '$.n', ItemProcessor: distributed({ Type: 'Fail', Error: 'E' }), End: true }, input: { l: [1], n: 1 }, output: [] },
  { type: 'Map', feature: 'ToleratedFailurePercentage', claim: 'a share of the children may fail', state: { Type: 'Map', ToleratedFailurePercentage: 50, ItemProcessor: distributed({ Type: 'Task', Resource: ARN, End: true }), End: true }, input: [1, 2], task: (_attempt, args) => (args === 1 ? { error: 'E' } : { output: args }), output: [2] },
  { type: 'Map', feature: 'ToleratedFailurePercentagePath', claim: 'is a path', state: { Type: 'Map', ItemsPath: '$.l', ToleratedFailurePercentagePath: '$.p', ItemProcessor: distributed({ Type: 'Fail', Error: 'E' }), End: true }, input: { l: [1], p: 99.5 }, error: 'States.ExceedToleratedFailureThreshold' },
  { type: 'Map', feature: 'Mecha', claim: 'Compensate is allowed', state: { Type: 'Map', ItemProcessor: inner(), Mecha: { Compensate: { Resource: ARN } }, End: true }, input: [1], output: [1] },
  { type: 'Map', feature: 'ItemProcessor', claim: 'a distributed Map iterates the members of an object', state: { Type: 'Map', ItemProcessor: distributed(), End: true }, input: { a: 1, b: 2 }, output: [{ Key: 'a', Value: 1 }, { Key: 'b', Value: 2 }] },
  { type: 'Map', feature: 'Catch', claim: 'a distributed Map that found too many failures can be caught', state: caught({ Type: 'Map', ItemProcessor: distributed({ Type: 'Fail', Error: 'E' }), Catch: [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'], ResultPath: '$[0]', Next: 'C' }], End: true }), input: [0], output: [{ Error: 'States.ExceedToleratedFailureThreshold', Cause: 'The specified tolerated failure threshold was exceeded' }] },
];
