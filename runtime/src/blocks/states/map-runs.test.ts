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

  test.each([
    ['a list in a state store', { Resource: 'arn:mecha:state:::items:get', Parameters: { Key: 'list' } }, { list: '[1,2]' }, '[1,2]'],
    ['a part of it, and no more than asked', { Resource: 'arn:mecha:state:::items:get', Parameters: { Key: 'list' }, ReaderConfig: { InputType: 'JSON', ItemsPointer: '/a/b', MaxItems: 2 } }, { list: '{"a":{"b":[1,2,3]}}' }, '[1,2]'],
    ['CSV with its headers', { Resource: 'arn:mecha:state:::items:get', Parameters: { Key: 'csv' }, ReaderConfig: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' } }, { csv: JSON.stringify('a,b\r\n1,"x, ""y"""\n2\n') }, '[{"a":"1","b":"x, \\"y\\""},{"a":"2","b":""}]'],
    ['JSON lines of an app', { Resource: 'arn:mecha:invoke:::shop:lines', ReaderConfig: { InputType: 'JSONL' } }, {}, '[{"n":1},{"n":2}]'],
    ['JSON lines, though there is but one', { Resource: 'arn:mecha:invoke:::shop:line', ReaderConfig: { InputType: 'JSONL' } }, {}, '[{"n":1}]'],
  ])('items are read from %s', async (_what, ItemReader, stored, output) => {
    for (const [key, value] of Object.entries(stored as Record<string, string>)) bench.stored.set(key, value);
    bench.answer = ({ path, body }) => ({ status: 200, text: path === 'line' ? '{"n":1}\n' : path === 'lines' ? '{"n":1}\n{"n":2}\n' : Buffer.from(body ?? []).toString() });
    expect(await bench.ended(await bench.started(await bench.create('m', distributed({ ItemReader }))))).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test('results are written to a state store, and the output says where', async () => {
    bench.answer = ({ body }) => ({ status: 200, text: Buffer.from(body ?? []).toString() });
    const ResultWriter = { Resource: 'arn:mecha:state:::results:set', Parameters: { 'Key.$': '$$.Execution.Name' }, WriterConfig: { Transformation: 'COMPACT' } };
    const arn = await bench.started(await bench.create('m', distributed({ ResultWriter })), [1, 2], { name: 'x-1' });
    const ended = await bench.ended(arn);
    const [run] = await runsOf(arn);
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: JSON.stringify({ MapRunArn: run?.mapRunArn, ResultWriterDetails: { Store: 'results', Key: 'x-1' } }) });
    expect(bench.stored.get('x-1')).toBe('[1,2]');
  });

  test('what cannot be read fails the state by name; what can never be is refused when the machine is made', async () => {
    const reader = (Resource: string, more: object = {}): object => distributed({ ItemReader: { Resource, Parameters: { Key: 'none' }, ...more } });
    expect(await bench.ended(await bench.started(await bench.create('none', reader('arn:mecha:state:::items:get'))))).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed', cause: 'Attempting to map over non-iterable node.' });
    bench.stored.set('none', JSON.stringify('a,a\n1,2'));
    expect(await bench.ended(await bench.started(await bench.create('twice', reader('arn:mecha:state:::items:get', { ReaderConfig: { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' } }))))).toMatchObject({ error: 'States.ItemReaderFailed', cause: 'CSV headers cannot contain duplicates.' });
    for (const resource of ['arn:aws:states:::s3:getObject', 'arn:mecha:state:::items:set', 'arn:mecha:pubsub:::bus:publish']) {
      expect(await failing('CreateStateMachine', { name: 'x', roleArn: 'r', definition: JSON.stringify(reader(resource)) })).toMatch(/NOT_SUPPORTED.*a reader of a distributed Map is arn:mecha:state:::<store>:get/);
    }
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
