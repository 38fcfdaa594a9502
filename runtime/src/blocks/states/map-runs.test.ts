/** Map runs: listed, counted while they run and after, and steered. */
import { describe, expect, test } from 'vitest';
import { until } from '@mecha/components/kit/testing.ts';
import { createStatesBench, type Described } from './testing.ts';

const bench = createStatesBench();
const { call, failing } = bench;
const distributed = (more: object = {}): object => ({
  StartAt: 'M',
  States: { M: { Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'i', States: { i: { Type: 'Task', Resource: 'arn:mecha:invoke:::shop:item', End: true } } }, End: true, ...more } },
});
const runsOf = async (executionArn: string): Promise<{ mapRunArn: string; stopDate?: number }[]> => (await call<{ mapRuns: { mapRunArn: string; stopDate?: number }[] }>('ListMapRuns', { executionArn })).mapRuns;
const describeRun = (mapRunArn: string): Promise<Described & { itemCounts: Record<string, number>; maxConcurrency: number }> => call('DescribeMapRun', { mapRunArn });

describe('map runs', () => {
  test('one that has ended is listed and tells what became of its items, also after a restart', async () => {
    bench.answer = ({ body }) => (Buffer.from(body ?? []).toString() === '2' ? { status: 500, text: 'no' } : { status: 200, text: '1' });
    const arn = await bench.started(await bench.create('m', distributed({ ToleratedFailureCount: 1 })), [1, 2, 3]);
    expect(await bench.ended(arn)).toMatchObject({ status: 'SUCCEEDED', output: '[1,1]' });
    await bench.restart();
    const [run] = await runsOf(arn);
    expect(run).toMatchObject({ executionArn: arn, stopDate: expect.any(Number) as number });
    expect(await describeRun(run?.mapRunArn ?? '')).toMatchObject({ executionArn: arn, status: 'SUCCEEDED', toleratedFailureCount: 1, itemCounts: { total: 3, succeeded: 2, failed: 1, running: 0, pending: 0, aborted: 0 } });
    expect(await failing('UpdateMapRun', { mapRunArn: run?.mapRunArn, maxConcurrency: 1 })).toBe('ValidationException: The map run is not RUNNING');
    expect((await call<{ executions: object[] }>('ListExecutions', { mapRunArn: run?.mapRunArn })).executions).toHaveLength(3);
  });

  test('one that runs tells its progress and takes another concurrency', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    bench.answer = async () => {
      await gate;
      return { status: 200, text: '1' };
    };
    const arn = await bench.started(await bench.create('m', distributed({ MaxConcurrency: 1 })), [1, 2, 3, 4]);
    await until(() => bench.invoked.length === 1);
    const [run] = await runsOf(arn);
    const mapRunArn = run?.mapRunArn ?? '';
    expect(await describeRun(mapRunArn)).toMatchObject({ status: 'RUNNING', maxConcurrency: 1, itemCounts: { total: 4, running: 1, pending: 3 } });
    await call('UpdateMapRun', { mapRunArn, maxConcurrency: 3 });
    await until(() => bench.invoked.length === 3);
    expect(await describeRun(mapRunArn)).toMatchObject({ maxConcurrency: 3, itemCounts: { running: 3, pending: 1 } });
    release();
    expect(await bench.ended(arn)).toMatchObject({ status: 'SUCCEEDED', output: '[1,1,1,1]' });
  });

  test('one that is stopped with its execution says what was stopped, and one that nobody knows is refused', async () => {
    bench.answer = () => new Promise(() => undefined);
    const arn = await bench.started(await bench.create('m', distributed({ MaxConcurrency: 2 })), [1, 2, 3]);
    await until(() => bench.invoked.length === 2);
    const [run] = await runsOf(arn);
    await call('StopExecution', { executionArn: arn });
    await bench.ended(arn);
    expect(await describeRun(run?.mapRunArn ?? '')).toMatchObject({ status: 'ABORTED', itemCounts: { total: 3, aborted: 2, pending: 1 } });
    expect(await failing('DescribeMapRun', { mapRunArn: 'arn:aws:states:us-east-1:000000000000:mapRun:m/l:none' })).toMatch(/^ResourceNotFound/);
    expect(await failing('UpdateMapRun', { mapRunArn: run?.mapRunArn, toleratedFailurePercentage: 101 })).toMatch(/^ValidationException/);
  });

  test('the last fifty of an execution are kept', async () => {
    const machine = {
      StartAt: 'N',
      States: {
        N: { Type: 'Pass', Assign: { n: 0 }, Next: 'M' },
        M: { Type: 'Map', ItemsPath: '$', ResultPath: null, Assign: { 'n.$': 'States.MathAdd($n, 1)' }, ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, StartAt: 'i', States: { i: { Type: 'Pass', End: true } } }, Next: 'C' },
        C: { Type: 'Choice', Choices: [{ Variable: '$n', NumericLessThan: 55, Next: 'M' }], Default: 'E' },
        E: { Type: 'Succeed' },
      },
    };
    const arn = await bench.started(await bench.create('m', machine), []);
    await bench.ended(arn);
    const first = await call<{ mapRuns: object[]; nextToken: string }>('ListMapRuns', { executionArn: arn, maxResults: 30 });
    const second = await call<{ mapRuns: object[]; nextToken?: string }>('ListMapRuns', { executionArn: arn, maxResults: 30, nextToken: first.nextToken });
    expect([first.mapRuns.length, second.mapRuns.length, second.nextToken]).toEqual([30, 20, undefined]);
  });
});
