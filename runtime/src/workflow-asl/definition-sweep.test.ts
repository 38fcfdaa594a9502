/** What becomes of the definitions of deleted machines. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { createTurnedClock, type TurnedClock } from '@mecha/components/kit/testing.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { STATES_WORKFLOW } from './arns.ts';
import { DefinitionSweep, GRACE_MS } from './definition-sweep.ts';
import { MachineStore, versionOf, type DeclaredMachine } from './machine-store.ts';

const APP = 'default/app';
const TEXT = JSON.stringify({ StartAt: 'S', States: { S: { Type: 'Succeed' } } });
const VERSION = versionOf(TEXT);
let clock: TurnedClock;
let ledger: Ledger;
let store: MachineStore;
let sweep: DefinitionSweep;

function open(declared: readonly DeclaredMachine[] = []): void {
  store = new MachineStore({ app: APP, ledger, now: () => clock.now(), random: () => 0, declared });
  sweep = new DefinitionSweep({ app: APP, ledger, store, clock, onTrouble: (error) => { throw error; } });
}
beforeEach(() => {
  clock = createTurnedClock();
  ledger = createMemoryLedger({ clock });
  open();
});
afterEach(() => ledger.close());

const create = (name: string): Promise<boolean> => store.create({ name, type: 'STANDARD', roleArn: '', version: VERSION, createdAt: clock.now() }, TEXT);
async function execution(instanceId: string): Promise<() => Promise<unknown>> {
  const message = { event: '{}', kind: 'event' as const };
  const [made] = await ledger.commit([{ type: 'workflow.create', app: APP, instanceId, executionId: 'x', name: STATES_WORKFLOW, version: VERSION, ifExists: 'unique', message }]);
  return () => ledger.commit([{ type: 'workflow.control', row: made?.workflow?.row ?? 0, status: 'terminated', append: { count: 1, data: '[]' } }]);
}
const isThere = async (): Promise<boolean> => (await store.text(VERSION)) !== undefined;

describe('definitions of deleted machines', () => {
  test('stay for a minute, and as long as an execution is open, and then go', async () => {
    await create('m');
    const end = await execution('execution:m:1');
    await store.remove('m');
    expect([await sweep.sweep(), await isThere()]).toEqual([1, true]);
    clock.turn(GRACE_MS);
    expect([await sweep.sweep(), await isThere()]).toEqual([1, true]);
    await end();
    expect([await sweep.sweep(), await isThere()]).toEqual([0, false]);
  });

  test.each(['execution:m/label:1', 'express:m:1:2'])('%s keeps it too', async (instanceId) => {
    await create('m');
    await execution(instanceId);
    await store.remove('m');
    clock.turn(GRACE_MS);
    expect([await sweep.sweep(), await isThere()]).toEqual([1, true]);
  });

  test('stay for another machine of the same text, for a version of it, and for a resource', async () => {
    await create('m');
    await create('other');
    await store.remove('m');
    clock.turn(GRACE_MS);
    expect([await sweep.sweep(), await isThere()]).toEqual([0, true]);
    await store.versions.change('other', (published) => ({ ...published, last: 1, versions: [{ number: 1, definition: VERSION, roleArn: '', createdAt: 0 }] }));
    await store.remove('other');
    await create('again');
    clock.turn(GRACE_MS);
    expect([await sweep.sweep(), await isThere()]).toEqual([0, true]);
    open([{ name: 'yaml', type: 'STANDARD', definition: TEXT }]);
    await store.keep(VERSION);
    await store.remove('again');
    clock.turn(GRACE_MS);
    expect(await sweep.sweep()).toBe(0);
    open();
    expect(await isThere()).toBe(true);
  });

  test('two deleted machines of one text wait for the executions of both', async () => {
    await create('m');
    await create('other');
    const end = await execution('execution:other:1');
    await store.remove('m');
    await store.remove('other');
    clock.turn(GRACE_MS);
    expect([await sweep.sweep(), await isThere()]).toEqual([2, true]);
    await end();
    expect([await sweep.sweep(), await isThere()]).toEqual([0, false]);
  });
});
