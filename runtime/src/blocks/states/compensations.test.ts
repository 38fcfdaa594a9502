/** Stuck undoings: listed, described, retried and skipped by hand, also after another process has taken over. */
import { describe, expect, test } from 'vitest';
import { until } from '@mecha/components/kit/testing.ts';
import type { CompensationsOf } from './compensations.ts';
import { createStatesBench } from './testing.ts';

const bench = createStatesBench();
const call = (name: string): string => `arn:mecha:invoke:::shop:${name}`;
const step = (name: string, next: string, undo: object = {}): object => ({ Type: 'Task', Resource: call(name), ResultPath: null, Mecha: { Compensate: { Resource: call(`undo-${name}`), Parameters: { 'n.$': '$.n' }, Retry: [], ...undo } }, Next: next });
const order = (undo: object = {}): object => ({ StartAt: 'a', States: { a: step('a', 'b'), b: step('b', 'F', undo), F: { Type: 'Fail', Error: 'Refused' } } });

/** An execution whose step b cannot be undone as long as `down` says so. */
async function stuck(undo: object = {}): Promise<{ arn: string; id: string; mend: () => void }> {
  let down = true;
  bench.answer = ({ path }) => (path === 'undo-b' && down ? { status: 503, text: 'down' } : { status: 200, text: '{}' });
  const arn = await bench.started(await bench.create('order', order(undo)), { n: 7 });
  await until(async () => (await listed()).length === 1);
  return { arn, id: arn.slice(arn.indexOf('execution:')), mend: () => (down = false) };
}
const listed = async (): Promise<readonly CompensationsOf[]> => (await (await bench.block()).compensations.list({ limit: 10 })).executions;
const undone = (): string[] => bench.invoked.map(({ path }) => path).filter((path) => path.startsWith('undo-'));
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing', (error: unknown) => String((error as { code?: string }).code));

describe('stuck compensations', () => {
  test('one that is stuck is listed with what it was tried with, how often and why; the description of the execution says it too', async () => {
    const { arn, id } = await stuck();
    const expected = {
      status: 'FAILED_TO_COMPENSATE', undone: 0, leftDone: [],
      steps: [
        { step: 1, state: 'a', status: 'DUE', stuck: false, attempts: 0, resource: call('undo-a'), arguments: { n: 7 }, idempotencyKey: `${arn}/saga/1` },
        { step: 2, state: 'b', status: 'PARKED', stuck: true, attempts: 1, resource: call('undo-b'), arguments: { n: 7 }, idempotencyKey: `${arn}/saga/2`, error: 'States.Http.StatusCode.503', cause: 'down' },
      ],
    };
    expect(await listed()).toEqual([{ execution: id, executionArn: arn, stateMachine: 'order', ...expected }]);
    expect(await bench.call('DescribeExecution', { executionArn: arn })).toMatchObject({ status: 'RUNNING', mecha: { saga: expected } });
    const { compensations } = await bench.block();
    expect((await compensations.list({ limit: 10, status: 'COMPENSATED' })).executions).toEqual([]);
  });

  test('a retry by hand tries again under the same key, and the rest is undone', async () => {
    const { arn, id, mend } = await stuck();
    mend();
    const { compensations } = await bench.block();
    expect(await compensations.retry({ execution: id, step: 2 })).toBe(true);
    expect(await bench.ended(arn)).toMatchObject({ status: 'FAILED', error: 'Refused', mecha: { saga: { status: 'COMPENSATED', undone: 2, steps: [] } } });
    expect(undone()).toEqual(['undo-b', 'undo-b', 'undo-a']);
    expect(new Set(bench.invoked.filter(({ path }) => path === 'undo-b').map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(await listed()).toEqual([]);
    expect((await compensations.list({ limit: 10, status: 'COMPENSATED' })).executions.map(({ execution }) => execution)).toEqual([id]);
  });

  test('a skip by hand leaves the step done, says so in the history with its reason, and the rest is undone', async () => {
    const { arn, id } = await stuck();
    expect(await (await bench.block()).compensations.skip({ execution: arn, step: 2, reason: 'paid back by hand' })).toBe(true);
    expect(await bench.ended(arn)).toMatchObject({ status: 'FAILED', mecha: { saga: { status: 'COMPENSATED', undone: 1, leftDone: [{ step: 2, stateName: 'b', by: 'person', reason: 'paid back by hand', error: 'States.Http.StatusCode.503' }] } } });
    expect(undone()).toEqual(['undo-b', 'undo-a']);
    const { events } = await bench.call<{ events: { taskSucceededEventDetails?: { resource: string; output: string } }[] }>('GetExecutionHistory', { executionArn: arn });
    expect(events.map(({ taskSucceededEventDetails: details }) => details).find((details) => details?.resource === 'compensate:b')?.output).toBe('{"skipped":true,"reason":"paid back by hand"}');
    expect(await (await bench.block()).compensations.skip({ execution: id, step: 2 })).toBe(false);
  });

  test('a word said twice is heard once: the second changes nothing, nor does one about fewer tries than were made', async () => {
    const { id } = await stuck();
    const { compensations } = await bench.block();
    expect(await compensations.retry({ execution: id, step: 2, attempts: 1 })).toBe(true);
    await until(async () => (await compensations.get(id)).steps[1]?.attempts === 2 && (await compensations.get(id)).steps[1]?.status === 'PARKED');
    expect(await compensations.retry({ execution: id, step: 2, attempts: 1 })).toBe(false);
    expect(await compensations.retry({ execution: id, step: 1 })).toBe(false);
    expect(undone()).toEqual(['undo-b', 'undo-b']);
  });

  test('a step whose arguments could not be made wants them from the person who retries it', async () => {
    const { id, arn, mend } = await stuck({ Parameters: { 'x.$': '$.missing' } });
    mend();
    const { compensations } = await bench.block();
    expect(await codeOf(compensations.retry({ execution: id, step: 2 }))).toBe('ERR_COMPENSATION_ARGUMENTS');
    expect(await compensations.retry({ execution: id, step: 2, arguments: { x: 1 } })).toBe(true);
    await bench.ended(arn);
    expect(bench.invoked.filter(({ path }) => path === 'undo-b').map(({ body }) => Buffer.from(body ?? []).toString())).toEqual(['{"x":1}']);
  });

  test('words about executions and steps that are not there have names', async () => {
    const { id } = await stuck();
    const { compensations } = await bench.block();
    expect(await codeOf(compensations.get('execution:none:x'))).toBe('ERR_COMPENSATION_EXECUTION_NOT_FOUND');
    expect(await codeOf(compensations.skip({ execution: id, step: 3 }))).toBe('ERR_COMPENSATION_STEP_NOT_FOUND');
  });

  test('with Continue and with Fail nobody is waited for, and what stayed done is remembered', async () => {
    bench.answer = ({ path }) => (path === 'undo-b' ? { status: 503, text: 'down' } : { status: 200, text: '{}' });
    const continued = await bench.ended(await bench.started(await bench.create('continue', { ...order(), Mecha: { Saga: { OnCompensationFailure: 'Continue' } } }), { n: 1 }));
    expect(continued).toMatchObject({ status: 'FAILED', error: 'Refused', mecha: { saga: { status: 'FAILED_TO_COMPENSATE', undone: 1, leftDone: [{ step: 2, by: 'definition' }] } } });
    const failed = await bench.ended(await bench.started(await bench.create('fail', { ...order(), Mecha: { Saga: { OnCompensationFailure: 'Fail' } } }), { n: 1 }));
    expect(failed).toMatchObject({ status: 'FAILED', error: 'Refused', mecha: { saga: { status: 'FAILED_TO_COMPENSATE', undone: 0, steps: [{ step: 1 }, { step: 2, status: 'PARKED' }] } } });
    expect((await listed()).map(({ stateMachine }) => stateMachine).sort()).toEqual(['continue', 'fail']);
  });

  test('what is stuck is still stuck for the process that comes after, and a word to it is heard', async () => {
    const { arn, id, mend } = await stuck();
    await bench.restart();
    expect((await listed()).map(({ execution }) => execution)).toEqual([id]);
    mend();
    expect(await (await bench.block()).compensations.retry({ execution: id, step: 2 })).toBe(true);
    expect(await bench.ended(arn)).toMatchObject({ status: 'FAILED', mecha: { saga: { undone: 2 } } });
  });
});
