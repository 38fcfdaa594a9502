import { describe, expect, test } from 'vitest';
import type { RecordedEvent } from './cases.ts';
import { firstDifference, type ServiceEvent } from './compare.ts';

const started = { id: 1, previousEventId: 0, type: 'ExecutionStarted', executionStartedEventDetails: { input: '{"a": 1}', roleArn: 'x' } };
const entered = { id: 2, previousEventId: 0, type: 'PassStateEntered', stateEnteredEventDetails: { input: '{"a":1}', name: 'P' } };
const failed = { id: 3, previousEventId: 2, type: 'ExecutionFailed', executionFailedEventDetails: { error: 'E', cause: "in '{\"a\":1,\"b\":2}'" } };
const compare = (recorded: readonly RecordedEvent[], actual: readonly ServiceEvent[] = [started, entered, failed]): string | undefined => firstDifference(recorded, actual);

describe('comparing histories', () => {
  test('the same history has no difference, whatever its role and blanks', () => {
    expect(compare([{ ...started, executionStartedEventDetails: { input: { a: 1 }, roleArn: 'y' } }, entered, failed])).toBeUndefined();
    expect(compare([failed, entered, started])).toBeUndefined();
  });

  test.each<[string, RecordedEvent]>([
    ['another type', { ...entered, type: 'TaskStateEntered' }],
    ['another id', { ...entered, id: 4 }],
    ['another predecessor', { ...entered, previousEventId: 1 }],
    ['another input', { ...entered, stateEnteredEventDetails: { input: '{"a":2}', name: 'P' } }],
    ['a missing member', { ...entered, stateEnteredEventDetails: { input: '{"a":1}', name: 'P', more: 1 } }],
    ['an additional member', { ...entered, stateEnteredEventDetails: { input: '{"a":1}' } }],
  ])('%s is found', (_name, changed) => {
    expect(compare([started, changed, failed])).toMatch(/^event 2/);
  });

  test('events too many and too few are found, except in a recording that was taken half-way', () => {
    expect(compare([started, entered, failed], [started, entered])).toBe('event 3: expected ExecutionFailed, but the history ends');
    expect(compare([started, entered, failed], [started, entered, failed, entered])).toBe('event 4: PassStateEntered was not expected');
    expect(compare([started])).toBeUndefined();
  });

  test('a placeholder stands for one text', () => {
    const named = (text: string): RecordedEvent => ({ ...failed, executionFailedEventDetails: { error: text, cause: 'c' } });
    const actual = (text: string): ServiceEvent => ({ ...failed, executionFailedEventDetails: { error: text, cause: 'c' } });
    expect(compare([started, entered, named('<Arn_0idx>:<Arn_0idx>')], [started, entered, actual('m:m')])).toBeUndefined();
    expect(compare([started, entered, named('<Arn_0idx>:<Arn_0idx>')], [started, entered, actual('m:n')])).toMatch(/expected/);
  });

  test('members of JSON inside a cause may stand in any order', () => {
    const cause = (text: string): RecordedEvent => ({ ...failed, executionFailedEventDetails: { error: 'E', cause: text } });
    expect(compare([started, entered, cause("in '{\"b\":2,\"a\":1}'")])).toBeUndefined();
    expect(compare([started, entered, cause("in '{\"b\":3,\"a\":1}'")])).toMatch(/cause/);
  });

  test('events without an order are compared as a set', () => {
    const loose = (name: string): RecordedEvent => ({ id: [0], previousEventId: 0, type: 'PassStateEntered', stateEnteredEventDetails: { name } });
    const real = (id: number, name: string): ServiceEvent => ({ id, previousEventId: 1, type: 'PassStateEntered', stateEnteredEventDetails: { name } });
    const last = { ...failed, id: 4, previousEventId: 3 };
    expect(compare([started, loose('a'), loose('b'), last], [started, real(2, 'b'), real(3, 'a'), last])).toBeUndefined();
    expect(compare([started, loose('a'), loose('a'), last], [started, real(2, 'b'), real(3, 'a'), last])).toMatch(/not among/);
  });
});
