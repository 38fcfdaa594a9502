/** Definitions that are refused, and where they are wrong. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { loadDefinition, type LoadOptions } from './load.ts';

const pass: JsonObject = { Type: 'Pass', End: true };
const machine = (states: JsonObject, more: JsonObject = {}): JsonObject => ({ StartAt: Object.keys(states)[0] ?? '', States: states, ...more });
const only = (state: JsonObject, more: JsonObject = {}): JsonObject => machine({ S: state }, more);
const task = (more: JsonObject = {}): JsonObject => ({ Type: 'Task', Resource: 'arn:mecha:invoke:::a:b', End: true, ...more });
const choice = (...rules: readonly JsonObject[]): JsonObject => machine({ S: { Type: 'Choice', Choices: rules, Default: 'P' }, P: pass });
const map = (more: JsonObject, processor: JsonObject = {}): JsonObject => only({ Type: 'Map', End: true, ItemProcessor: { StartAt: 'I', States: { I: pass }, ...processor }, ...more });

/** Errors as `location message`, and hints. */
const faults = (definition: JsonObject | string, options: LoadOptions = {}): string[] =>
  loadDefinition(definition, options)
    .diagnostics.filter(({ severity }) => severity === 'ERROR')
    .map(({ location, message, hint }) => `${location} ${message}${hint === undefined ? '' : ` [${hint}]`}`);

describe('loading definitions', () => {
  test.each<[string, JsonObject | string, RegExp]>([
    ['nothing', '', /^\/ Definition must be a valid JSON object$/],
    ['a list', '[1]', /^\/ Definition must be a valid JSON object/],
    ['text that is no JSON', '{not json', /^\/ .*JSON.*\[The definition is JSON, or YAML/],
    ['YAML that is none', 'a: [1', /^\/ Flow sequence.*line 1, column 6/],
    ['YAML with aliases', 'a: &a [1]\nb: *a', /^\/ .*alias/i],
    ['a state twice', '{"StartAt":"S","States":{"S":{"Type":"Pass","End":true},"T":{"x":[{"a":":"}]}, "S" : {"Type":"Succeed"}}}', /^\/States The name 'S' is used twice/],
    ['a field twice', '{"StartAt":"S","States":{"S":{"Type":"Pass","End":true,"End":true}}}', /^\/States\/S The name 'End' is used twice/],
    ['no fields', {}, /^\/ These fields are required: \[States, StartAt\]$/],
    ['no StartAt', { States: { S: pass } }, /^\/ These fields are required: \[StartAt\]$/],
    ['an unknown field', only(pass, { Startat: 'x' }), /^\/Startat The field 'Startat' is not a field of a state machine \[did you mean 'StartAt'\?\]$/],
    ['another version', only(pass, { Version: '2.0' }), /^\/Version .*\[1\.0\]$/],
    ['a timeout of 0', only(pass, { TimeoutSeconds: 0 }), /^\/TimeoutSeconds Value must be at least 1/],
    ['no states', { StartAt: 'S', States: {} }, /^\/States Value cannot be empty$/],
    ['StartAt that is not there', { StartAt: 'Star', States: { Start: pass } }, /^\/StartAt Missing 'StartAt' target: Star \[did you mean 'Start'\?\]$/],
    ['Next that is not there', machine({ S: { Type: 'Pass', Next: 'Fin' }, Final: pass }), /^\/States\/S\/Next Missing 'Next' target: Fin/],
    ['Next into a branch', machine({ S: { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: pass } }], Next: 'B' } }), /^\/States\/S\/Next .*\[the state is in \/States\/S\/Branches\/0; a transition cannot leave its branch\]/],
    ['an unreachable state', machine({ S: pass, U: pass }), /^\/States\/U State 'U' is not reachable/],
    ['no end', machine({ S: { Type: 'Pass', Next: 'S' } }), /^\/States No state ends/],
    ['a name twice', machine({ S: { Type: 'Parallel', Branches: [{ StartAt: 'S', States: { S: pass } }], End: true } }), /^\/States\/S\/Branches\/0\/States\/S The state name 'S' is used twice/],
    ['a long name', machine({ ['x'.repeat(81)]: pass }), /A state name has 1 to 80 characters/],
    ['no Type', only({ End: true }), /^\/States\/S The field 'Type' is required but was missing$/],
    ['an unknown Type', only({ Type: 'Taks' }), /^\/States\/S\/Type The field 'Type' should have one of these values: \[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map\] \[did you mean 'Task'\?\]$/],
    ['neither Next nor End', only({ Type: 'Pass' }), /^\/States\/S One of 'Next' and 'End' is required/],
    ['Next and End', machine({ S: { Type: 'Pass', Next: 'P', End: true }, P: pass }), /You cannot set both 'Next' and 'End'/],
    ['a field of another type', only({ ...pass, Resource: 'x' }), /^\/States\/S\/Resource The field 'Resource' is not a field of a Pass state \[it is one of Task\]$/],
    ['a slip in a field', only({ ...pass, Resutl: 1 }), /\[did you mean 'Result'\?\]$/],
    ['JSONPath in a JSONata state', only({ ...pass, Parameters: {} }, { QueryLanguage: 'JSONata' }), /^\/States\/S\/Parameters The field 'Parameters' can not be used in a JSONata state \[JSONata states say it with 'Arguments'\]$/],
    ['JSONata in a JSONPath state', only(task({ Arguments: {} })), /^\/States\/S\/Arguments The field 'Arguments' can not be used in a JSONPath state/],
    ['a JSONPath state in a JSONata machine', only({ ...pass, QueryLanguage: 'JSONPath' }, { QueryLanguage: 'JSONata' }), /^\/States\/S 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine$/],
    ['a bad InputPath', only({ ...pass, InputPath: 'a' }), /^\/States\/S\/InputPath Value is not a valid JSONPath/],
    ['a ResultPath that is no reference path', only({ ...pass, ResultPath: '$.a[*]' }), /^\/States\/S\/ResultPath Value is not a Reference Path/],
    ['a ResultPath into the context', only({ ...pass, ResultPath: '$$.a' }), /Reference Path must begin with \$/],
    ['a bad path in a template', only({ ...pass, Parameters: { a: { 'x.$': 'x' } } }), /^\/States\/S\/Parameters The value for the field 'x\.\$' must be a valid JSONPath or a valid intrinsic function call/],
    ['an unknown function', only({ ...pass, Parameters: { 'x.$': 'States.Nope()' } }), /\[there is no function States\.Nope/],
    ['too many arguments', only({ ...pass, Parameters: { 'x.$': 'States.UUID(1)' } }), /States\.UUID takes 0 arguments, not 1/],
    ['an escape that is none', only({ ...pass, Parameters: { 'x.$': String.raw`States.Format('\n')` } }), /is no escape/],
    ['a field twice in a template', only({ ...pass, Parameters: { x: 1, 'x.$': '$' } }), /The fields 'x' and 'x\.\$' stand for the same field/],
    ['JSONata that does not parse', only({ ...pass, Output: { a: ['{% 1 + %}'] } }, { QueryLanguage: 'JSONata' }), /^\/States\/S\/Output\/a\[0\] The JSONata expression '1 \+' is not valid \[S0207/],
    ['a regular expression that may not end', only({ ...pass, Output: '{% $match("a", /(?=a)/) %}' }, { QueryLanguage: 'JSONata' }), /is not valid \[/],
    ['$states.result where there is none', only({ ...pass, Output: '{% $states.result %}' }, { QueryLanguage: 'JSONata' }), /'\$states\.result' can not be used here/],
    ['$states.errorOutput outside of Catch', only(task({ Output: '{% $states.errorOutput %}' }), { QueryLanguage: 'JSONata' }), /'\$states\.errorOutput' can not be used here/],
    ['a function that gives no text', only({ Type: 'Fail', CausePath: 'States.Array(1)' }), /^\/States\/S\/CausePath The function States\.Array can not be used here/],
    ['a variable name', only({ ...pass, Assign: { 'a.b': 1 } }), /^\/States\/S\/Assign\/a\.b 'a\.b' is not a valid variable name/],
    ['the reserved variable', only({ ...pass, Assign: { states: 1 } }), /The variable name 'states' is reserved/],
    ['a variable of an outer scope', machine({ S: { Type: 'Pass', Assign: { v: 1 }, Next: 'M' }, M: { Type: 'Map', ItemProcessor: { StartAt: 'I', States: { I: { ...pass, Assign: { 'v.$': '$' } } } }, End: true } }), /^\/States\/M\/ItemProcessor\/States\/I\/Assign\/v\.\$ The variable 'v' is assigned outside/],
    ['no Resource', only({ Type: 'Task', End: true }), /^\/States\/S The field 'Resource' is required/],
    ['a Resource that is none', only({ ...task(), Resource: 'lambda' }), /^\/States\/S\/Resource The resource provided lambda is not recognized\. The value is not a valid resource ARN, or the resource is not available in this region\./],
    ['a block that is none', only({ ...task(), Resource: 'arn:mecha:pubsubs:::a:b' }), /did you mean 'pubsub'\?/],
    ['.sync on a block without it', only({ ...task(), Resource: 'arn:mecha:state:::a:b.sync' }), /'\.sync' exists for arn:mecha:workflow:::<name>:start/],
    ['no RoleArn', only(task({ Credentials: {} })), /^\/States\/S\/Credentials The field 'RoleArn' is required but was missing$/],
    ['TimeoutSeconds twice', only(task({ TimeoutSeconds: 1, TimeoutSecondsPath: '$.t' })), /You cannot set both 'TimeoutSeconds' and 'TimeoutSecondsPath' at the same time/],
    ['a heartbeat longer than the timeout', only(task({ TimeoutSeconds: 5, HeartbeatSeconds: 5 })), /^\/States\/S\/HeartbeatSeconds Value must be smaller/],
    ['a retrier without errors', only(task({ Retry: [{}] })), /^\/States\/S\/Retry\/0 The field 'ErrorEquals' is required/],
    ['no error in a retrier', only(task({ Retry: [{ ErrorEquals: [] }] })), /^\/States\/S\/Retry\/0\/ErrorEquals Value cannot be empty$/],
    ['States.ALL not last', only(task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] })), /^\/States\/S\/Retry\/0\/ErrorEquals 'States\.ALL' must stand alone/],
    ['States.ALL not alone', only(task({ Retry: [{ ErrorEquals: ['States.ALL', 'E'] }] })), /must stand alone/],
    ['a slip in a retrier', only(task({ Retry: [{ ErrorEquals: ['E'], MaxAttemps: 1 }] })), /^\/States\/S\/Retry\/0\/MaxAttemps .*\[did you mean 'MaxAttempts'\?\]$/],
    ['a BackoffRate below 1', only(task({ Retry: [{ ErrorEquals: ['E'], BackoffRate: 0.5 }] })), /BackoffRate Value must be at least 1$/],
    ['MaxDelaySeconds too small', only(task({ Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 5, MaxDelaySeconds: 5 }] })), /Value must be greater than 'IntervalSeconds'/],
    ['a catcher without Next', only(task({ Catch: [{ ErrorEquals: ['E'] }] })), /^\/States\/S\/Catch\/0 The field 'Next' is required/],
    ['no Choices', machine({ S: { Type: 'Choice', Default: 'P' }, P: pass }), /^\/States\/S The field 'Choices' is required/],
    ['a rule without Next', choice({ Variable: '$.a', IsNull: true }), /^\/States\/S\/Choices\/0 The field 'Next' is required/],
    ['two comparisons', choice({ Variable: '$.a', IsNull: true, IsString: true, Next: 'P' }), /exactly one comparison, but there are 2/],
    ['a comparison that is none', choice({ Variable: '$.a', StringEqual: 'x', Next: 'P' }), /^\/States\/S\/Choices\/0\/StringEqual .*did you mean 'StringEquals'\?/],
    ['a wrong operand', choice({ Variable: '$.a', NumericEquals: '1', Next: 'P' }), /NumericEquals Value must be a number/],
    ['Next inside of a rule', choice({ And: [{ Variable: '$.a', IsNull: true, Next: 'P' }], Next: 'P' }), /^\/States\/S\/Choices\/0\/And\/0\/Next .*outermost rule/],
    ['And beside a comparison', choice({ And: [{ Variable: '$.a', IsNull: true }], Variable: '$.b', Next: 'P' }), /'And' can not stand beside 'Variable'/],
    ['a rule of the other language', only({ Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'S' }] }, { QueryLanguage: 'JSONata' }), /The field 'Condition' is required/],
    ['no way to wait', only({ Type: 'Wait', End: true }), /Exactly one of these fields is required: \[Seconds, SecondsPath, Timestamp, TimestampPath\]/],
    ['a timestamp that is none', only({ Type: 'Wait', Timestamp: '2025-01-01 00:00:00Z', End: true }), /^\/States\/S\/Timestamp String does not match RFC3339 timestamp/],
    ['no branches', only({ Type: 'Parallel', Branches: [], End: true }), /^\/States\/S\/Branches Value cannot be empty$/],
    ['a fault in a branch', only({ Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: { Type: 'Pass' } } }], End: true }), /^\/States\/S\/Branches\/0\/States\/B One of 'Next' and 'End'/],
    ['no processor', only({ Type: 'Map', End: true }), /^\/States\/S The field 'ItemProcessor' is required/],
    ['two processors', map({ Iterator: { StartAt: 'J', States: { J: pass } } }), /You cannot set both 'ItemProcessor' and 'Iterator'/],
    ['no ExecutionType', map({}, { ProcessorConfig: { Mode: 'DISTRIBUTED' } }), /The field 'ExecutionType' is required/],
    ['a reader of an inline Map', map({ ItemReader: { Resource: 'arn:aws:states:::s3:getObject' } }), /^\/States\/S\/ItemReader The field 'ItemReader' needs a distributed Map/],
    ['a batcher without a limit', map({ ItemBatcher: {} }, { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } }), /One of 'MaxItemsPerBatch' and 'MaxInputBytesPerBatch' is required/],
    ['a label', map({ Label: 'a b' }), /^\/States\/S\/Label A label has/],
    ['Compensate without a Resource', only(task({ Mecha: { Compensate: {} } })), /^\/States\/S\/Mecha\/Compensate The field 'Resource' is required/],
    ['Compensate by callback', only(task({ Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::a:b.waitForTaskToken' } } })), /must be a plain call/],
    ['Compensate of a Wait', only({ Type: 'Wait', Seconds: 1, End: true, Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::a:b' } } }), /A Wait state cannot be undone/],
    ['a slip in Saga', only(pass, { Mecha: { Saga: { OnCompensationFailure: 'Stop' } } }), /^\/Mecha\/Saga\/OnCompensationFailure .*\[Park, Continue, Fail\]$/],
  ])('%s is refused', (_name, definition, expected) => {
    const found = faults(definition);
    expect(found.join('\n')).toMatch(new RegExp(expected.source, `${expected.flags}m`));
    expect(loadDefinition(definition).machine).toBeUndefined();
  });

  test('all faults are found, each at its place', () => {
    expect(faults(machine({ A: { Type: 'Pass', InputPath: '$[', Next: 'Nope' }, B: { Type: 'Wait' } })).map((fault) => fault.split(' ')[0])).toEqual(['/States/A/InputPath', '/States/B', '/States/B', '/States/A/Next', '/States', '/States/B']);
  });

  test('an express machine has no callbacks, jobs and activities', () => {
    const express = (Resource: string): string[] => faults(only(task({ Resource })), { express: true });
    expect(express('arn:aws:states:::sqs:sendMessage.waitForTaskToken')).toEqual(["/States/S/Resource Express state machine does not support '.waitForTaskToken' service integration"]);
    expect(express('arn:aws:states:::states:startExecution.sync')).toEqual(["/States/S/Resource Express state machine does not support '.sync' service integration"]);
    expect(express('arn:aws:states:us-east-1:000000000000:activity:a')).toEqual(['/States/S/Resource Express state machine does not support Activity ARN']);
  });

  test('a host may refuse what it cannot do, with its reason', () => {
    expect(faults(only(task()), { refuse: ({ resourceType }) => `there is no ${resourceType} here` })).toEqual(['/States/S/Resource The resource arn:mecha:invoke:::a:b is not supported [there is no mecha-invoke here]']);
  });

  test('YAML and JSON make the same machine; the text is kept', () => {
    const yaml = 'StartAt: S\nStates:\n  S:\n    Type: Pass\n    Result: {at: 2026-01-31, n: 010}\n    End: true\n';
    const loaded = loadDefinition(yaml);
    expect(loaded.diagnostics).toEqual([]);
    expect(loaded.machine?.text).toBe(yaml);
    expect(loaded.machine?.definition).toEqual({ StartAt: 'S', States: { S: { Type: 'Pass', Result: { at: '2026-01-31', n: 10 }, End: true } } });
  });

  test('warnings do not refuse', () => {
    const { machine: made, diagnostics } = loadDefinition(machine({ S: task({ Retry: [{ ErrorEquals: ['State.ALL'] }], Parameters: { 'x.$': '$total', y: '{% 1 %}' } }) }));
    expect(made).toBeDefined();
    expect(diagnostics.map(({ severity, location, message }) => [severity, location, message])).toEqual([
      ['WARNING', '/States/S/Retry/0/ErrorEquals', "'State.ALL' is no error of the States Language"],
      ['WARNING', '/States/S/Parameters', "The value for the field 'y' looks like a JSONata expression"],
      ['WARNING', '/States/S', "The variable 'total' is read but never assigned"],
    ]);
  });

  test('variables that a state reads are known, those that an expression makes for itself are not among them', () => {
    const { machine: made } = loadDefinition(
      machine({
        A: { Type: 'Pass', QueryLanguage: 'JSONata', Assign: { a: 1, b: 2 }, Next: 'B' },
        B: { Type: 'Pass', QueryLanguage: 'JSONata', Output: "{% ($x := $a; $map([1], function($v, $i) { $v + $x + $b }) ~> $map($string); '$nope') %}", Next: 'C' },
        C: { Type: 'Pass', Parameters: { 'v.$': '$a[0].x', 'w.$': "States.Format('$no {}', $b)" }, End: true },
      }),
    );
    expect(made?.variableReferences).toEqual({ B: ['a', 'b'], C: ['a', 'b'] });
  });

  test('a large definition with nothing but faults is refused with the first 500 of them', () => {
    const states = Object.fromEntries(Array.from({ length: 8_000 }, (_, at) => [`State-number-${at}`, { Type: 'Pass', Next: `Stat-number-${at + 9_000}`, Nxet: 1 }]));
    expect(loadDefinition({ StartAt: 'State-number-0', States: states }).diagnostics.length).toBe(500);
  });
});
