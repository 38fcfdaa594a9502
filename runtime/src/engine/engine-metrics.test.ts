/** What the engine counts, by the names of the reference (behaviour.md 11.2). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { createKeptLog, realClock } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { MetricsRegistry } from '../telemetry/metrics.ts';
import { Engine } from './engine.ts';
import { functionActivities, functionExecutor } from './testing.ts';

let ledger: Ledger;
let engine: Engine;
let registry: MetricsRegistry;
beforeEach(() => {
  ledger = createMemoryLedger({ clock: realClock });
  registry = new MetricsRegistry({ processMetrics: false });
  engine = new Engine({ appId: 'a', namespace: 'n', ledger, clock: realClock, random: Math.random, newId: () => crypto.randomUUID(), log: createKeptLog(), metrics: registry.forApp('a'), settings: { pollMs: 200 } });
});
afterEach(async () => {
  await engine.stop();
  await ledger.close();
});

/** Series of a name, without those of its buckets: labels but for app and namespace, and value. */
async function series(name: string): Promise<Record<string, number>> {
  const lines = (await registry.render()).split('\n').filter((line) => line.startsWith(`dapr_runtime_workflow_${name}{`));
  return Object.fromEntries(lines.map((line) => {
    const [, labels = '', value = ''] = /\{(.*)\} (\S+)$/.exec(line) ?? [];
    return [labels.split(',').filter((label) => !/^(app_id|namespace)=/.test(label)).map((label) => label.replace(/^\w+="(.*)"$/, '$1')).toSorted().join(' '), Number(value)];
  }));
}

test('starts, runs, ends and what is open are counted by name and status', async () => {
  engine.attachExecutor(
    functionExecutor({
      *good(context) {
        yield context.activity('works');
        return 1;
      },
      *bad(context) {
        yield context.activity('fails', 0, { retry: { attemptsMax: 2, firstDelayMs: 1 } });
        return 1;
      },
      *waits(context) {
        yield context.event('go');
        return 1;
      },
    }, { inline: false }),
  );
  engine.attachActivities(functionActivities({
    works: () => 1,
    fails: () => {
      throw new Error('no');
    },
  }));
  engine.start();
  const end = (id: string) => engine.queries.waitFor(id, 'end', AbortSignal.timeout(10_000));
  for (const name of ['good', 'bad', 'waits']) await engine.operations.start({ name, instanceId: name });
  await Promise.all([end('good'), end('bad')]);
  await expect(engine.operations.start({ name: 'waits', instanceId: 'waits' })).rejects.toThrow();
  await engine.operations.raiseEvent('waits', 'other');
  await engine.operations.terminate('waits');
  await engine.queries.get('good');
  await engine.operations.purge('good');

  await expect.poll(() => series('execution_count'), { timeout: 5000 }).toEqual({ 'good success': 1, 'bad failed': 1, 'terminated waits': 1 });
  await expect.poll(() => series('activity_operation_count'), { timeout: 5000 }).toEqual({ 'success works': 1, 'fails recoverable': 1, 'failed fails': 1 });
  expect(await series('activity_execution_count')).toEqual({ 'success works': 1, 'fails recoverable': 1, 'failed fails': 1 });
  expect(await series('operation_count')).toEqual({ 'create_workflow success': 3, 'create_workflow failed': 1, 'add_event success': 1, 'get_workflow success': 1, 'purge_workflow success': 1 });
  expect(await series('scheduling_latency_count')).toMatchObject({ good: 1, bad: 1 });
  expect(await series('execution_latency_count')).toMatchObject({ 'good success': 1 });
});

test('gauges say what is open, how late the oldest timer is, and what is under way', async () => {
  await engine.operations.start({ name: 'nobody runs this', instanceId: '1' });
  engine.start();
  await expect.poll(() => series('open'), { timeout: 5000 }).toEqual({ pending: 1, running: 0, suspended: 0, stalled: 0 });
  expect(await series('oldest_due_ms')).toEqual({ '': 0 });
  expect(await series('turns_in_flight')).toEqual({ '': 0 });
});
