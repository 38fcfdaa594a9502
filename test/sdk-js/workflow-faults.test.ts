/**
 * Workers of the official JavaScript SDK against sidecars that are stopped for longer than their leases, whose clocks jump, that are purged
 * under load and killed in the middle of a saga. What is counted is work and bytes, never time.
 */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { countingProxy } from '../tools/counting-proxy.ts';
import { compilePreload } from '../tools/preload.ts';
import { temporaryFolder, until } from '../tools/processes.ts';
import { World, distinct, inputsOf, type Run } from './workflow-world.ts';

let leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of leftovers.toReversed()) await undo();
  leftovers = [];
});
async function begin(...setup: Parameters<typeof World.begin>): Promise<World> {
  const world = await World.begin(...setup);
  leftovers.push(() => world.close());
  return world;
}
const several = <T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, n) => make(n)));

test('(users 7) two sidecars on one ledger: one that stands still for longer than its leases is overtaken, and when it goes on it records nothing twice', async () => {
  const first = await begin(1);
  const second = await begin(0, { beside: first });
  const ids = await several(8, () => first.start('slowChain', 1));
  await until('activities run', async () => (await first.runs(ids[0] ?? '')).length > 0);
  first.sidecar.child.kill('SIGSTOP');
  // Only now, so that the stopped one holds all of it.
  await second.addWorker();
  for (const id of ids) expect(await second.end(id, 60)).toMatchObject({ status: 'COMPLETED', output: 6 });
  first.sidecar.child.kill('SIGCONT');
  // It goes on with the answers that its worker gave meanwhile; new work shows that it has come through them.
  const after = await several(4, () => first.start('chain', 1));
  for (const id of after) expect(await first.end(id)).toMatchObject({ status: 'COMPLETED', output: 6 });
  for (const id of ids) {
    expect(await second.end(id)).toMatchObject({ status: 'COMPLETED', output: 6 });
    expect(await second.recordedTimes(id)).toEqual({ taskScheduled: 5, taskCompleted: 5, executionCompleted: 1 });
  }
});

test('(users 8) a wall clock that jumps an hour to and fro: nothing is lost or done twice, and a timer fires when the clock says so', async () => {
  const folder = await temporaryFolder();
  leftovers.push(folder.remove);
  const shift = await open(join(folder.path, 'shift'), 'w+');
  leftovers.push(() => shift.close());
  const shiftTo = async (seconds: number): Promise<void> => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    await shift.write(bytes, 0, 8, 0);
  };
  await shiftTo(0);
  const world = await begin(1, { env: { LD_PRELOAD: await compilePreload('sdk-js/clock-shift', folder.path), CLOCK_SHIFT: join(folder.path, 'shift') } });
  const inAnHour = await world.start('nap', 3_000);
  const ids = await several(6, () => world.start('slowChain', 1));
  await until('activities run', async () => (await world.runs(ids[0] ?? '')).length > 0);
  await shiftTo(-3_600);
  ids.push(...(await several(4, () => world.start('slowChain', 1))));
  const shortly = await world.start('nap', 0.3);
  expect(await world.end(shortly)).toMatchObject({ status: 'COMPLETED' });
  expect(await world.status(inAnHour)).toBe('RUNNING');
  await shiftTo(3_600);
  ids.push(...(await several(4, () => world.start('slowChain', 1))));
  expect(await world.end(inAnHour)).toMatchObject({ status: 'COMPLETED' });
  for (const id of ids) expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: 6 });
  for (const id of ids) expect(inputsOf(await world.runs(id))).toEqual([1, 2, 3, 4, 5]);
});

test('(users 29) three rounds of the same work send a worker the same bytes; this SDK is sent the whole history once per turn, by protocol', async () => {
  const world = await begin(0);
  const proxy = await countingProxy(world.grpcPort);
  leftovers.push(() => proxy.close());
  await world.addWorker({ grpcPort: proxy.port });
  const bytesPerStep = async (steps: number, instances = 1): Promise<number> => {
    const before = proxy.bytesToWorker;
    for (const id of await several(instances, () => world.start('steps', steps))) expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: steps });
    return (proxy.bytesToWorker - before) / (steps * instances);
  };
  await bytesPerStep(1);
  const rounds = [await bytesPerStep(5, 40), await bytesPerStep(5, 40), await bytesPerStep(5, 40)];
  expect(Math.max(...rounds)).toBeLessThan(Math.min(...rounds) * 1.1);
  const growth = (await bytesPerStep(160)) / (await bytesPerStep(20));
  expect(growth).toBeGreaterThan(2);
  expect(growth).toBeLessThan(8);
});

test('(users 30) a storm of purges while workflows run: what runs is refused and ends, what has ended is gone, and nothing is tried again for ever', async () => {
  const world = await begin(1);
  const live = await several(20, () => world.start('slowChain', 1));
  const waiting = await several(5, () => world.start('approval'));
  const ended: string[] = [];
  for (let round = 0; round < 3; round++) {
    const done = await several(20, () => world.start('chain', 1));
    for (const id of done) await world.end(id);
    ended.push(...done);
    const purged = await Promise.all([...done, ...done, ...live, ...waiting].map((id) => world.client.purgeWorkflow(id).then((gone) => gone, (error: Error) => error.message)));
    for (const outcome of purged.slice(-live.length - waiting.length)) expect(String(outcome)).toMatch(/not yet completed|true|no such instance/);
    for (const outcome of purged.slice(-waiting.length)) expect(outcome).toMatch(/not yet completed/);
  }
  for (const id of ended) expect(await world.status(id)).toBeUndefined();
  for (const id of waiting) {
    await world.client.raiseEvent(id, 'approve', 1);
    expect(await world.end(id)).toMatchObject({ status: 'COMPLETED' });
  }
  await until('all live ones have ended or are gone', async () => (await Promise.all(live.map((id) => world.status(id)))).every((status) => status === undefined || status === 'COMPLETED'));
  for (const id of live) expect(distinct(inputsOf(await world.runs(id)))).toBe(5);
  expect(world.sidecar.lines.filter((line) => /level=(error|warn)/.test(line))).toEqual([]);
});

test('(users 28) code that does something else than before fails its workflow, with the step and what was called there; others go on', async () => {
  const world = await begin(1);
  const id = await world.start('changed');
  await until('its activity has run', async () => (await world.runs(id)).length === 1);
  for (const worker of world.workers) await worker.kill('SIGKILL');
  await world.addWorker({ code: 'second' });
  await world.client.raiseEvent(id, 'go', 1);
  const { status, failure } = await world.end(id);
  expect([status, failure]).toEqual(['FAILED', expect.stringMatching(/call_?activity.*ID=1.*timer/i)]);
  expect(await world.end(await world.start('chain', 1))).toMatchObject({ status: 'COMPLETED', output: 6 });
});

test('(users 31) a saga in code: killed between a step and its record, a compensation that fails three times, halted in mid-compensation; undone in reverse, each at least once under its key', async () => {
  const world = await begin(1);
  const id = await world.start('saga', null);
  const named = async (name: string): Promise<readonly Run[]> => (await world.runs(id)).filter((run) => run.name.startsWith(name));
  await until('it pays', async () => (await named('do pay')).length === 1);
  await world.restart('SIGKILL');
  for (const worker of world.workers) await worker.kill('SIGKILL');
  await writeFile(join(world.folder.path, 'runs.till'), 'open');
  await world.addWorker();
  await until('its compensation is stuck', async () => (await named('undo pay')).length > 3);
  expect((await world.client.getWorkflowState(id, true))?.customStatus).toContain('stuck at pay');
  await world.client.suspendWorkflow(id);
  expect(await world.status(id)).toBe('SUSPENDED');
  await writeFile(join(world.folder.path, 'runs.bank'), 'open');
  await world.client.resumeWorkflow(id);
  expect(await world.end(id)).toMatchObject({ status: 'COMPLETED', output: { undone: ['ship', 'pay', 'reserve'] } });
  // At least once, and under the key that it had: its name has the id of the task in it.
  expect((await named('do pay')).length).toBeGreaterThan(1);
  expect(distinct((await named('do pay')).map(({ name }) => name))).toBe(1);
  const undone = (await named('undo')).map(({ name }) => name);
  expect([undone[0], ...new Set(undone.slice(1, -1)), undone.at(-1)]).toEqual(['undo ship', 'undo pay', 'undo reserve']);
});
