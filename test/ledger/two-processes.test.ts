/** Several processes on one ledger: nothing is lost, nothing is given twice while its claimer lives, the dead leave nothing behind. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '@mecha/components/kit';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { cleanEnv, REPOSITORY, seededRandom, start, temporaryFolder, until, type Running } from '../tools/processes.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
let folder: { path: string; remove(): Promise<void> };
let path: string;
let ledger: Ledger;
let children: Running[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'ledger.db');
  ledger = await openSqliteLedger({ path, clock: systemClock, log });
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill('SIGKILL')));
  children = [];
  await ledger.close();
  await folder.remove();
});

function startChild(script: string, ...args: string[]): { child: Running; numbers: number[] } {
  const child = start(process.execPath, [join(REPOSITORY, 'test/ledger', script), path, ...args], { env: cleanEnv() });
  const numbers: number[] = [];
  child.child.stdout?.on('data', (chunk: string) => {
    for (const line of chunk.split('\n')) if (/^\d+$/.test(line)) numbers.push(Number(line));
  });
  children.push(child);
  return { child, numbers };
}

const append = (n: number) => ledger.commit([{ type: 'topic.append', topic: 'work', message: { id: String(n), data: Buffer.from(String(n)), metadata: {} }, retention: { retentionMs: 3_600_000, bytesMax: 1 << 30 } }]);

test('two claimers in two processes share a group: each message once', { timeout: 120_000 }, async () => {
  const takers = [startChild('taking-process.ts'), startChild('taking-process.ts')];
  for (const { child } of takers) await until('the taker is open', () => child.lines.includes('open'), { about: child });
  let appended = 0;
  // One that gets no turn for a while may find that the other was faster with all.
  await until('both have had some', async () => {
    await Promise.all(Array.from({ length: 50 }, () => append(appended++)));
    return appended >= 2000 && takers.every(({ numbers }) => numbers.length > 0);
  });
  await until('everything was taken', () => takers.reduce((sum, { numbers }) => sum + numbers.length, 0) >= appended, { withinMs: 30_000 });
  await sleep(300);
  const all = takers.flatMap(({ numbers }) => numbers).sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: appended }, (_, n) => n));
});

test('(users 1, 7) what a killed process held is given to another, though its lease has not run out', { timeout: 60_000 }, async () => {
  const holder = startChild('taking-process.ts', 'hold');
  await until('the holder is open', () => holder.child.lines.includes('open'), { about: holder.child });
  await Promise.all(Array.from({ length: 10 }, (_, n) => append(n)));
  await until('the holder has them', () => holder.numbers.length === 10, { about: holder.child });
  expect((await ledger.claimMessages({ topic: 'work', group: 'g', limit: 100 })).messages, 'held by a living process').toEqual([]);
  await holder.child.kill('SIGKILL');
  const got = new Set<string>();
  await until('they come to another', async () => {
    for (const message of (await ledger.claimMessages({ topic: 'work', group: 'g', limit: 100 })).messages) {
      expect(message.attempt).toBe(1);
      got.add(message.id);
    }
    return got.size === 10;
  }, { withinMs: 10_000 });
});

test(`(users 1) after kill -9 of two writing processes every acknowledged write is there (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 3; round++) {
    const writers = [startChild('writing-process.ts', '8'), startChild('writing-process.ts', '8')];
    for (const { child, numbers } of writers) await until('it writes', () => numbers.length > 20, { about: child });
    await sleep(100 + random() * 600);
    await Promise.all(writers.map(({ child }) => child.kill('SIGKILL')));
    for (const { child } of writers) await until('the pipe is empty', () => child.child.stdout?.readableEnded || child.child.stdout?.destroyed);
    // Both write the same keys with the same values, so that they also contend.
    const numbers = [...new Set(writers.flatMap((writer) => writer.numbers))];
    const rows = await ledger.readState('state', numbers.map((n) => `key-${n}`));
    expect(rows.filter((row) => row === undefined), `seed ${SEED}, round ${round}`).toEqual([]);
    const appended = writers.reduce((sum, writer) => sum + writer.numbers.length, 0);
    expect((await ledger.topicStatus('events')).messages).toBeGreaterThanOrEqual(appended);
  }
});
