/** (users 5, 6, 7) kill -9 of processes in the midst of many workflows: all of them end, each result is recorded once, nothing is left over. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { Engine } from '@mecha/runtime/engine/engine.ts';
import type { HistoryEvent } from '@mecha/runtime/engine/vocabulary.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { cleanEnv, REPOSITORY, seededRandom, start, temporaryFolder, until, type Running } from '../tools/processes.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
const APP = 'default/worker';
let folder: { path: string; remove(): Promise<void> };
let ledger: Ledger;
let client: Engine;
let children: Running[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  ledger = await openSqliteLedger({ path: join(folder.path, 'ledger.db'), clock: systemClock, log });
  // Of the same app, without executors: it claims nothing.
  client = new Engine({ appId: 'worker', namespace: 'default', ledger, clock: systemClock, random: Math.random, newId: () => crypto.randomUUID(), log });
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill('SIGKILL')));
  children = [];
  await client.stop();
  await ledger.close();
  await folder.remove();
});

async function startWorker(): Promise<Running> {
  const child = start(process.execPath, [join(REPOSITORY, 'test/engine/working-process.ts'), join(folder.path, 'ledger.db')], { env: cleanEnv() });
  children.push(child);
  await until('the worker is open', () => child.lines.some((line) => line === 'open' || line.startsWith('ran ')), { about: child });
  return child;
}
async function historyOf(row: number): Promise<HistoryEvent[]> {
  return (await ledger.workflows.history(row, 0, 100_000)).flatMap(({ data }) => JSON.parse(data) as HistoryEvent[]);
}
async function open(): Promise<number> {
  let count = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await ledger.workflows.list({ app: APP, statuses: ['pending', 'running', 'stalled', 'suspended'], limit: 5000, ...(cursor === undefined ? {} : { cursor }) });
    count += page.instances.length;
    if ((cursor = page.cursor) === undefined) return count;
  }
}

test(`(users 5, 7) workers are killed again and again: every workflow ends with its result, recorded once (seed ${SEED})`, { timeout: 180_000 }, async () => {
  const random = seededRandom(SEED);
  const count = 150;
  let workers = [await startWorker(), await startWorker()];
  const starting = Promise.all(Array.from({ length: count }, async (_, n) => {
    await sleep(n * 15);
    await client.operations.start({ name: 'order', instanceId: `order-${n}`, input: String(n) });
  }));
  for (let kills = 0; kills < 5; kills++) {
    await sleep(200 + random() * 700);
    const victim = workers[Math.floor(random() * workers.length)];
    await victim?.kill('SIGKILL');
    workers = [...workers.filter((worker) => worker !== victim), await startWorker()];
  }
  await starting;
  await until('all have ended', async () => (await open()) === 0, { withinMs: 60_000 });
  for (let n = 0; n < count; n++) {
    const state = await client.queries.get(`order-${n}`);
    // Three additions, the child's one on top of that, and 2 + 3 + 4.
    expect([state?.status, state?.output], `order-${n}, seed ${SEED}`).toEqual(['completed', String(n + 3 + (n + 4) + 9)]);
    const events = await historyOf(state?.row ?? 0);
    const resolved = events.flatMap((event) => (event.kind === 'taskCompleted' || event.kind === 'childCompleted' ? [event.taskId] : []));
    expect(resolved.toSorted((a, b) => a - b), `order-${n}, seed ${SEED}`).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect(events.filter(({ kind }) => kind === 'timerFired')).toHaveLength(1);
  }
});

test('(users 6) a restart among many open instances and timers claims what is due and loads nothing else', { timeout: 600_000 }, async () => {
  const [openCount, timers, batch] = [100_000, 10, 500];
  const far = Date.now() + 3_600_000;
  for (let n = 0; n < openCount; n += batch) {
    await ledger.commit(
      Array.from({ length: batch }, (_, k) => {
        const at = { app: APP, instanceId: `sleeping-${n + k}`, executionId: 'x' };
        const message = { event: '{"kind":"executionStarted"}', kind: 'event' as const };
        return [
          { type: 'workflow.create' as const, ...at, name: 'order', ifExists: 'terminal' as const, message },
          { type: 'workflow.first-step' as const, ...at, status: 'running' as const, append: { count: 1, data: '[]' }, timers: Array.from({ length: timers }, (_, timerId) => ({ timerId, dueAt: far + k, message })) },
        ];
      }).flat(),
    );
  }
  await client.operations.start({ name: 'order', instanceId: 'due', input: '1' });
  const worker = await startWorker();
  await until('the one that is due has ended', async () => (await client.queries.get('due'))?.status === 'completed', { withinMs: 30_000, about: worker });
  const resident = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${worker.child.pid}/status`, 'utf8').catch(() => ''))?.[1];
  expect(Number(resident ?? 0), 'kilobytes resident beside 100,000 open instances and 1,000,000 timers, where the system tells').toBeLessThan(300_000);
  expect(await open()).toBe(openCount);
});
