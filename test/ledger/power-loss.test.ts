/**
 * (users 2) What was acknowledged survives a power failure, modelled: after a kill, each file of the ledger is set back to
 * its content at its last fsync, so that every write that was not synced is gone. Prints its seed.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { SEED } from '@mecha/components/kit/test-seed.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { cleanEnv, REPOSITORY, seededRandom, start, temporaryFolder, until } from '../tools/processes.ts';
import { compilePreload } from '../tools/preload.ts';

const ROUNDS = 3;
const FILES = ['ledger.db', 'ledger.db-wal'];
const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
let folder: { path: string; remove(): Promise<void> };
let library: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  library = await compilePreload('ledger/power-loss', folder.path);
  return folder.remove;
}, 600_000);

test.each(Array.from({ length: ROUNDS }, (_, round) => [round]))(`(users 2) every acknowledged write is there after the power failed, round %i (seed ${SEED})`, { timeout: 120_000 }, async (round) => {
  const random = seededRandom(SEED + round);
  const dataDir = await temporaryFolder();
  const path = join(dataDir.path, 'ledger.db');
  const writer = start(process.execPath, [join(REPOSITORY, 'test/ledger/writing-process.ts'), path, '8'], { env: cleanEnv({ LD_PRELOAD: library }) });
  try {
    const acknowledged = new Set<number>();
    writer.child.stdout?.on('data', (chunk: string) => {
      for (const line of chunk.split('\n')) if (/^\d+$/.test(line)) acknowledged.add(Number(line));
    });
    await until('the first writes are acknowledged', () => acknowledged.size > 50, { about: writer });
    await sleep(200 + random() * 1500);
    await writer.kill('SIGKILL');
    // The last lines may still be on their way through the pipe.
    await until('the pipe is empty', () => writer.child.stdout?.readableEnded || writer.child.stdout?.destroyed);

    expect(existsSync(`${path}-wal.synced`), 'the preloaded library saw the fsyncs').toBe(true);
    for (const file of FILES) {
      const synced = join(dataDir.path, `${file}.synced`);
      if (existsSync(synced)) await rename(synced, join(dataDir.path, file));
      else await rm(join(dataDir.path, file), { force: true });
    }
    await rm(`${path}-shm`, { force: true });

    const ledger = await openSqliteLedger({ path, clock: systemClock, log });
    const numbers = [...acknowledged].sort((a, b) => a - b);
    const rows = await ledger.readState('state', numbers.map((n) => `key-${n}`));
    const lost = numbers.filter((n, index) => Buffer.from(rows[index]?.data ?? []).toString() !== `value ${n}`);
    expect(lost, `seed ${SEED}, ${numbers.length} acknowledged`).toEqual([]);
    const { messages } = await ledger.topicStatus('events');
    expect(messages).toBeGreaterThanOrEqual(numbers.length);
    await ledger.close();
  } finally {
    await writer.kill('SIGKILL');
    await dataDir.remove();
  }
});
