/**
 * `node scripts/measure-ledger.ts`: what the embedded ledger does on this disk, printed, judged by nobody but the reader.
 *
 * Durable upserts and appends with 64 of them waiting, claims with their acknowledgements, reads, a lone write; then how
 * long a write takes while a second process writes too. `--rows N` fills state and one topic first, to see that no cost
 * grows with them. Data of 1 KB, in a folder of the working directory, since /tmp is often no disk.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Ledger, LedgerOperation } from '@mecha/components/kit';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';

const WAITING = 64;
const KEYS = 50_000;
const FILL_BATCH = 500;
const TWO_PROCESSES_MS = 10_000;
const data = Buffer.alloc(1024, 'x');

const { values, positionals } = parseArgs({ options: { rows: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } }, allowPositionals: true });
const [role, path] = positionals;
if (values.help) console.log('node scripts/measure-ledger.ts [--rows N]\n\nPrints what the embedded ledger does on the disk of the working directory.');
else if (role === 'second' && path) await writeBeside(path);
else await measure(Number(values.rows));

function openLedger(file: string): Promise<Ledger> {
  return openSqliteLedger({ path: file, clock: systemClock, log: createLog({ level: 'warn', json: false, appId: 'measure', version: '0' }) });
}
function upsert(n: number): LedgerOperation {
  return { type: 'state.set', table: 't', key: `k${(n * 7919) % KEYS}`, data, binary: false };
}
function append(): LedgerOperation {
  return { type: 'topic.append', topic: 'x', message: { id: 'm', data, metadata: {} }, retention: { retentionMs: 86_400_000, bytesMax: 1e12 } };
}
function print(name: string, figure: string): void {
  console.log(`${name.padEnd(52)} ${figure}`);
}

async function rate(name: string, count: number, lanes: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await work(next++);
    }),
  );
  print(name, `${Math.round((count / (performance.now() - start)) * 1000)}/s`);
}

/** Milliseconds at the middle and far out. */
function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms, most ${at(1)} ms (${sorted.length} writes)`;
}

async function drain(ledger: Ledger): Promise<number> {
  let count = 0;
  for (;;) {
    const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: WAITING });
    if (messages.length === 0) return count;
    count += messages.length;
    await ledger.commit(messages.map(({ topic, group, sequence }) => ({ type: 'message.ack', topic, group, sequence })));
  }
}

async function fill(ledger: Ledger, rows: number): Promise<void> {
  for (let n = 0; n < rows; n += FILL_BATCH) {
    await ledger.commit(Array.from({ length: FILL_BATCH }, (_, k) => ({ type: 'state.set', table: 't', key: `f${((n + k) * 7919) % 1_000_003}`, data, binary: false })));
    await ledger.commit(Array.from({ length: FILL_BATCH }, append));
  }
  await drain(ledger);
}

async function writeFor(ledger: Ledger, durationMs: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + durationMs;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let start = performance.now(); start < end; start = performance.now()) {
        await ledger.commit([upsert(times.length)]);
        times.push(performance.now() - start);
      }
    }),
  );
  return times;
}

async function measure(rows: number): Promise<void> {
  const folder = await mkdtemp(join(process.cwd(), '.measure-ledger-'));
  const file = join(folder, 'ledger.db');
  const ledger = await openLedger(file);
  try {
    if (rows > 0) await fill(ledger, rows);
    await rate(`durable upserts, ${WAITING} waiting`, 40_000, WAITING, (n) => ledger.commit([upsert(n)]));
    await rate(`durable appends, ${WAITING} waiting`, 40_000, WAITING, () => ledger.commit([append()]));
    const start = performance.now();
    print(`claimed and acknowledged, ${WAITING} at a time`, `${Math.round(((await drain(ledger)) / (performance.now() - start)) * 1000)}/s`);
    await rate('reads', 100_000, 1, (n) => ledger.readState('t', [`k${(n * 7919) % KEYS}`]));
    const lone: number[] = [];
    for (let n = 0; n < 1000; n++) {
      const began = performance.now();
      await ledger.commit([upsert(n)]);
      lone.push(performance.now() - began);
    }
    print('a lone durable write', spread(lone));
    print('8 waiting, one process', spread(await writeFor(ledger, TWO_PROCESSES_MS)));
    const second = fork(import.meta.filename, ['second', file]);
    const [theirs] = (await Promise.all([once(second, 'message'), once(second, 'spawn').then(() => writeFor(ledger, TWO_PROCESSES_MS)).then((mine) => print('8 waiting in each of two processes: the first', spread(mine)))]))[0] as [string];
    print('8 waiting in each of two processes: the second', theirs);
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeBeside(file: string): Promise<void> {
  const ledger = await openLedger(file);
  const times = await writeFor(ledger, TWO_PROCESSES_MS);
  await ledger.close();
  process.send?.(spread(times), () => process.disconnect());
}
