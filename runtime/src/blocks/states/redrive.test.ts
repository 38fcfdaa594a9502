/** Redrive: what failed goes on from where it failed, and nothing that was done is done again. */
import { describe, expect, test } from 'vitest';
import { until } from '@mecha/components/kit/testing.ts';
import { createStatesBench } from './testing.ts';

const bench = createStatesBench();
const { call, failing } = bench;
const step = (name: string, more: object = {}): object => ({ Type: 'Task', Resource: `arn:mecha:invoke:::shop:${name}`, ResultPath: `$.${name}`, ...more });
const redrive = (executionArn: string, more: object = {}): Promise<{ redriveDate: number }> => call('RedriveExecution', { executionArn, ...more });
const paths = (): string[] => bench.invoked.map(({ path }) => path);
/** `name` fails as long as nobody mended it. */
function failsAt(...names: readonly string[]): () => void {
  let down = true;
  bench.answer = ({ path }) => (down && names.includes(path) ? { status: 500, text: '{"errorType":"Down"}' } : { status: 200, text: `"${path}"` });
  return () => (down = false);
}

describe('redrive', () => {
  test('goes on at the failed state with its input, with fresh retries, in the same history', async () => {
    const mend = failsAt('b');
    const arn = await bench.started(await bench.create('m', { StartAt: 'a', States: { a: step('a', { Next: 'b' }), b: step('b', { Retry: [{ ErrorEquals: ['Down'], MaxAttempts: 1, IntervalSeconds: 1, BackoffRate: 1 }], Next: 'c' }), c: step('c', { End: true }) } }), { n: 1 });
    expect(await bench.ended(arn)).toMatchObject({ status: 'FAILED', error: 'Down', redriveCount: 0, redriveStatus: 'REDRIVABLE' });
    mend();
    await redrive(arn);
    expect(await bench.ended(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"n":1,"a":"a","b":"b","c":"c"}', redriveCount: 1, redriveDate: expect.any(Number) as number, redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven' });
    expect(paths()).toEqual(['a', 'b', 'b', 'b', 'c']);
    expect(new Set(bench.invoked.map(({ headers }) => headers['idempotency-key'])).size).toBe(5);
    const types = await bench.types(arn);
    expect(types.slice(types.indexOf('ExecutionFailed'))).toEqual(['ExecutionFailed', 'ExecutionRedriven', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
    const { events } = await call<{ events: { id: number; executionRedrivenEventDetails?: { redriveCount: number } }[] }>('GetExecutionHistory', { executionArn: arn, reverseOrder: true, maxResults: 1000 });
    expect(events.map(({ id }) => id)).toEqual(types.map((_, at) => types.length - at));
    expect(events.find(({ executionRedrivenEventDetails: details }) => details)?.executionRedrivenEventDetails).toEqual({ redriveCount: 1 });
    expect(await call('ListExecutions', { stateMachineArn: arn.replace(/:execution:(\w+):.*/, ':stateMachine:$1'), redriveFilter: 'REDRIVEN' })).toMatchObject({ executions: [{ executionArn: arn, redriveCount: 1 }] });
  });

  test('pages of a history that was redriven tell each event once, forwards and backwards', async () => {
    const mend = failsAt('a');
    const arn = await bench.started(await bench.create('m', { StartAt: 'a', States: { a: step('a', { End: true }) } }));
    await bench.ended(arn);
    await redrive(arn);
    await until(async () => (await call<{ redriveCount: number; status: string }>('DescribeExecution', { executionArn: arn })).status === 'FAILED');
    mend();
    await redrive(arn);
    await bench.ended(arn);
    const all = await bench.types(arn);
    for (const reverseOrder of [false, true]) {
      for (const maxResults of [1, 2, 3]) {
        const ids: number[] = [];
        for (let nextToken: string | undefined; ; ) {
          const page = await call<{ events: { id: number }[]; nextToken?: string }>('GetExecutionHistory', { executionArn: arn, maxResults, reverseOrder, ...(nextToken === undefined ? {} : { nextToken }) });
          ids.push(...page.events.map(({ id }) => id));
          nextToken = page.nextToken;
          if (nextToken === undefined) break;
        }
        const expected = all.map((_, at) => at + 1);
        expect(ids, `${maxResults} at a time, reverse ${reverseOrder}`).toEqual(reverseOrder ? expected.toReversed() : expected);
      }
    }
  });

  test('of branches and iterations only those go on that had not ended', async () => {
    const mend = failsAt('y');
    const branch = (name: string): object => ({ StartAt: name, States: { [name]: step(name, { ResultPath: '$', End: true }) } });
    const parallel = { Type: 'Parallel', Branches: [branch('x'), branch('y')], Next: 'M' };
    const machine = { StartAt: 'P', States: { P: parallel, M: { Type: 'Map', ItemProcessor: { StartAt: 'i', States: { i: step('i', { ResultPath: '$', End: true }) } }, End: true } } };
    const arn = await bench.started(await bench.create('m', machine));
    await bench.ended(arn);
    mend();
    await redrive(arn);
    expect(await bench.ended(arn)).toMatchObject({ status: 'SUCCEEDED', output: '["i","i"]' });
    expect(paths().filter((path) => path === 'y')).toHaveLength(2);
    // x had ended before y failed, or was stopped and begun again.
    expect(paths().filter((path) => path === 'i')).toHaveLength(2);
  });

  test('what was stopped or timed out goes on too, with a clock of its own again', async () => {
    const machine = await bench.create('m', { StartAt: 'a', TimeoutSeconds: 1, States: { a: step('a', { Next: 'W' }), W: { Type: 'Wait', SecondsPath: '$.seconds', End: true } } });
    const timed = await bench.started(machine, { seconds: 600 });
    expect(await bench.ended(timed)).toMatchObject({ status: 'TIMED_OUT', redriveStatus: 'REDRIVABLE' });
    await redrive(timed);
    await call('StopExecution', { executionArn: timed, error: 'Enough' });
    expect(await bench.ended(timed)).toMatchObject({ status: 'ABORTED', error: 'Enough', redriveCount: 1 });
    await redrive(timed);
    expect(await bench.ended(timed)).toMatchObject({ status: 'TIMED_OUT', redriveCount: 2 });
    expect(paths()).toEqual(['a']);
  });

  test('a failure that was caught is not gone back to', async () => {
    const mend = failsAt('a', 'b');
    const arn = await bench.started(await bench.create('m', { StartAt: 'a', States: { a: step('a', { Catch: [{ ErrorEquals: ['Down'], ResultPath: null, Next: 'b' }], End: true }), b: step('b', { End: true }) } }));
    await bench.ended(arn);
    mend();
    await redrive(arn);
    expect(await bench.ended(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(paths()).toEqual(['a', 'b', 'b']);
  });

  test('the same request again is the same redrive, also over a restart; what runs, succeeded or was compensated is refused by reason', async () => {
    const mend = failsAt('a');
    const machine = await bench.create('m', { StartAt: 'a', States: { a: step('a', { Next: 'W' }), W: { Type: 'Wait', Seconds: 600, End: true } } });
    const arn = await bench.started(machine);
    await bench.ended(arn);
    await bench.restart();
    mend();
    await redrive(arn, { clientToken: 'once' });
    await until(async () => (await bench.types(arn)).includes('WaitStateEntered'));
    await redrive(arn, { clientToken: 'once' });
    expect(await call('DescribeExecution', { executionArn: arn })).toMatchObject({ redriveCount: 1, status: 'RUNNING' });
    expect(await failing('RedriveExecution', { executionArn: arn })).toBe('ExecutionNotRedrivable: Execution is RUNNING and cannot be redriven');
    const saga = await bench.create('saga', { StartAt: 'a', States: { a: step('a', { Mecha: { Compensate: { Resource: 'arn:mecha:invoke:::shop:undo' } }, Next: 'F' }), F: { Type: 'Fail', Error: 'No' } } });
    const compensated = await bench.started(saga);
    await bench.ended(compensated);
    expect(await failing('RedriveExecution', { executionArn: compensated })).toMatch(/^ExecutionNotRedrivable: Execution was compensated/);
    expect(await failing('RedriveExecution', { executionArn: `${arn}x` })).toMatch(/^ExecutionDoesNotExist/);
  });

  test('a saga that goes on can still be undone', async () => {
    const mend = failsAt('b');
    const undo = (name: string): object => ({ Mecha: { Compensate: { Resource: `arn:mecha:invoke:::shop:undo-${name}` } } });
    const machine = await bench.create('m', { Mecha: { Saga: { On: ['Abort'] } }, StartAt: 'a', States: { a: step('a', { ...undo('a'), Next: 'b' }), b: step('b', { Next: 'W' }), W: { Type: 'Wait', Seconds: 600, End: true } } });
    const arn = await bench.started(machine);
    expect(await bench.ended(arn)).toMatchObject({ status: 'FAILED', redriveStatus: 'REDRIVABLE' });
    mend();
    await redrive(arn);
    await until(async () => (await bench.types(arn)).includes('WaitStateEntered'));
    await call('StopExecution', { executionArn: arn });
    expect(await bench.ended(arn)).toMatchObject({ status: 'ABORTED', mecha: { saga: { status: 'COMPENSATED', undone: 1 } } });
    expect(paths()).toEqual(['a', 'b', 'b', 'undo-a']);
  });
});
