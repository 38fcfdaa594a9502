/** (users 5, 7) Workers and the database killed in the midst of many workflows on PostgreSQL: all of them end, each result is recorded once. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { createTestSchema } from '@mecha/runtime/ledger/postgresql/testing.ts';
import { Engine } from '@mecha/runtime/engine/engine.ts';
import type { HistoryEvent } from '@mecha/runtime/engine/vocabulary.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { ONLY_KILLED } from '../servers/postgresql.ts';
import { startPrivateServer } from '../servers/servers.ts';
import { cleanEnv, REPOSITORY, seededRandom, start, temporaryFolder, until, type Running } from '../tools/processes.ts';

const APP = 'default/worker';
const COUNT = 60;
const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });

test(`kill -9 of workers on data folders of their own, and of the server: every workflow ends with its result, recorded once (seed ${SEED})`, { timeout: 180_000 }, async () => {
  const random = seededRandom(SEED);
  const server = await startPrivateServer('postgresql', ONLY_KILLED);
  const folders = [await temporaryFolder(), await temporaryFolder()];
  const schema = await createTestSchema(server.address);
  const ledger = await schema.open();
  const client = new Engine({ appId: 'worker', namespace: 'default', ledger, clock: ledger.clock, random: Math.random, newId: () => crypto.randomUUID(), log });
  const workers: Running[] = [];
  const startWorker = async (n: number): Promise<void> => {
    const worker = start(process.execPath, [join(REPOSITORY, 'test/engine/working-process.ts'), join(folders[n]?.path ?? '', 'ledger.db'), schema.url], { env: cleanEnv() });
    workers[n] = worker;
    await until('the worker is open', () => worker.lines.some((line) => line === 'open' || line.startsWith('ran ')), { about: worker });
  };
  try {
    await Promise.all([startWorker(0), startWorker(1)]);
    const starting = Promise.all(Array.from({ length: COUNT }, async (_, n) => {
      await sleep(n * 40);
      await client.operations.start({ name: 'order', instanceId: `order-${n}`, input: String(n) });
    }));
    // Awaited below; until then its failure waits too.
    starting.catch(() => undefined);
    for (const kill of ['worker', 'server', 'worker'] as const) {
      await sleep(300 + random() * 700);
      if (kill === 'server') {
        await server.stop(true);
        await server.start();
      } else {
        const victim = random() < 0.5 ? 0 : 1;
        await workers[victim]?.kill('SIGKILL');
        await startWorker(victim);
      }
    }
    await starting;
    await until('all have ended', async () => (await ledger.workflows.list({ app: APP, statuses: ['pending', 'running', 'stalled', 'suspended'], limit: 1 })).instances.length === 0, { withinMs: 90_000 });
    for (let n = 0; n < COUNT; n++) {
      const state = await client.queries.get(`order-${n}`);
      // Three additions, the child's one on top of that, and 2 + 3 + 4.
      expect([state?.status, state?.output], `order-${n}`).toEqual(['completed', String(n + 3 + (n + 4) + 9)]);
      const events = (await ledger.workflows.history(state?.row ?? 0, 0, 10_000)).flatMap(({ data }) => JSON.parse(data) as HistoryEvent[]);
      const resolved = events.flatMap((event) => (event.kind === 'taskCompleted' || event.kind === 'childCompleted' ? [event.taskId] : []));
      expect(resolved.toSorted((a, b) => a - b), `order-${n}`).toEqual([1, 2, 3, 5, 6, 7, 8]);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await client.stop();
    await ledger.close();
    await server.dispose();
    await Promise.all(folders.map(({ remove }) => remove()));
  }
});
