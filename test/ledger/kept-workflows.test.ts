/** What older versions of Mecha left running must still load and come to its end: each ledger that `kept-workflows.ts` wrote down. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { temporaryFolder, until } from '../tools/processes.ts';
import { FlowsProcess } from './kept-workflows.ts';

const KEPT = readdirSync(import.meta.dirname).filter((file) => /^workflows-schema-\d+\.sql$/.test(file));
const ACTIVITY = 'arn:aws:states:us-east-1:000000000000:activity:pack';
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:parcel:waits-for-both';

let cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.toReversed()) await step();
  cleanup = [];
});

test.each(KEPT)('%s: every workflow that was left waiting ends, with what it had before and what comes now', async (file) => {
  const folder = await temporaryFolder();
  cleanup.push(folder.remove);
  const db = new DatabaseSync(join(folder.path, 'ledger.db'));
  const sql = await readFile(join(import.meta.dirname, file), 'utf8');
  db.exec(sql);
  db.close();
  const flows = await FlowsProcess.start(folder.path);
  cleanup.push(() => flows.kill());
  expect(await flows.workflow('GET', 'done')).toMatchObject({ workflowName: 'chain', runtimeStatus: 'COMPLETED', properties: { 'dapr.workflow.input': '1', 'dapr.workflow.output': '6' } });
  expect(await flows.workflow('GET', 'suspended')).toMatchObject({ runtimeStatus: 'SUSPENDED', properties: { 'dapr.workflow.custom_status': 'waiting' } });
  flows.startWorker();

  await flows.workflow('POST', 'waits-for-event/raiseEvent/approve', 'late');
  await flows.workflow('POST', 'has-had-events/raiseEvent/item', 3);
  await flows.workflow('POST', 'suspended/resume');
  await flows.workflow('POST', 'waits-for-child:0001/raiseEvent/approve', 'child');
  const ends: readonly (readonly [string, unknown])[] = [
    ['waits-for-event', { first: 'late' }],
    ['has-had-events', [1, 2, 3]],
    ['suspended', { first: 'early' }],
    ['waits-for-child', { first: 'child' }],
    ['waits-for-event-or-time', 'too late'],
    ['waits-for-activity', 6],
  ];
  for (const [id, output] of ends) expect([id, await outputOf(flows, id)]).toEqual([id, output]);
  // The older ones know no payload that is kept apart.
  if (sql.includes("'has-had-much'")) {
    await flows.workflow('POST', 'has-had-much/raiseEvent/item', 'little');
    const [much, little] = (await outputOf(flows, 'has-had-much')) as string[];
    expect([new Set(much).size, (much ?? '').length > 1000, little]).toEqual([1, true, 'little']);
  }
  expect(await outputOf(flows, 'waits-for-time')).toBeGreaterThanOrEqual(30_000);

  const { taskToken, input } = await flows.states<{ taskToken: string; input: string }>('GetActivityTask', { activityArn: ACTIVITY, workerName: 'packer' });
  expect(JSON.parse(input)).toEqual({ item: 'bolt' });
  await flows.states('SendTaskSuccess', { taskToken, output: '"packed"' });
  const described = await until('the execution ends', async () => {
    const told = await flows.states('DescribeExecution', { executionArn: EXECUTION });
    return told['status'] === 'RUNNING' ? undefined : told;
  });
  expect(described).toMatchObject({ status: 'SUCCEEDED', output: '{"parcel":["packed","dry"]}' });
});

async function outputOf(flows: FlowsProcess, id: string): Promise<unknown> {
  const ended = await until(`${id} ends`, async () => {
    const state = await flows.workflow('GET', id);
    return state['runtimeStatus'] === 'COMPLETED' ? state : undefined;
  }, { about: flows.sidecar });
  return JSON.parse((ended['properties'] as Record<string, string>)['dapr.workflow.output'] ?? 'null');
}

test('there is a ledger to load', () => {
  expect(KEPT.length).toBeGreaterThan(0);
});
