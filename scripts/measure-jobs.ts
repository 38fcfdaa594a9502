/**
 * `node scripts/measure-jobs.ts`: what jobs cost on this disk, printed, judged by nobody but the reader.
 *
 * In this process, over the embedded ledger: jobs scheduled, 300 at a time, each durable before it is answered; jobs due at one instant,
 * until the last tick is settled; jobs that tick every second, with how late their ticks come. The app is a function. In a folder of the
 * working directory, since /tmp is often no disk. `--waiting N` puts that many jobs there first, due in a year.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Ledger } from '@mecha/components/kit';
import { JobRunner } from '@mecha/runtime/blocks/jobs/job-runner.ts';
import { createJobsBlock, type JobsBlock } from '@mecha/runtime/blocks/jobs/jobs.ts';
import type { AppChannel, AppMonitor } from '@mecha/runtime/channel/channel.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { MetricsRegistry } from '@mecha/runtime/telemetry/metrics.ts';

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '50000' }, ticking: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '10' }, waiting: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } } });
const log = createLog({ level: 'warn', json: false, appId: 'measure', version: '0' });
const metrics = new MetricsRegistry({ processMetrics: false }).forApp('measure');
const PARALLEL = 300;
const FILL_BATCH = 5000;

function print(name: string, figure: string): void {
  console.log(`${name.padEnd(56)} ${figure}`);
}
const perSecond = (count: number, tookMs: number): string => `${((count / tookMs) * 1000).toFixed(0)}/s`;
const quantile = (sorted: readonly number[], q: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(0);
const processorMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

async function scheduleAll(block: JobsBlock, count: number, job: { readonly schedule?: string; readonly dueTime?: string }): Promise<void> {
  let next = 0;
  const data = { value: Buffer.from('{"order":"order-7","amount":12}') };
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < count) await block.schedule({ name: `job-${next++}`, overwrite: true, data, ...job });
    }),
  );
}

async function fill(ledger: Ledger, count: number): Promise<void> {
  const dueAt = Date.now() + 365 * 24 * 3600_000;
  const definition = JSON.stringify({ id: 'waiting', anchor: dueAt, schedule: '@yearly' });
  for (let from = 0; from < count; from += FILL_BATCH) {
    await ledger.commit(Array.from({ length: FILL_BATCH }, (_, n) => ({ type: 'job.put' as const, app: 'default/measure', name: `waiting-${from + n}`, definition, data: Buffer.from('{}'), dueAt, overwrite: false })));
  }
}

function runJobs(ledger: Ledger, deliverJob: AppChannel['deliverJob']): JobRunner {
  const monitor: AppMonitor = { presence: 'up', since: 0, onChange: () => () => undefined, suspect: () => undefined };
  const runner = new JobRunner({ appId: 'measure', namespace: 'default', ledger, channel: { deliverJob }, monitor, owner: crypto.randomUUID(), appMaxConcurrency: undefined, clock: systemClock, log, metrics });
  runner.start();
  return runner;
}

async function measure(ledger: Ledger): Promise<void> {
  const block = createJobsBlock({ appId: 'measure', namespace: 'default', ledger, clock: systemClock, uuid: () => crypto.randomUUID() });
  const count = Number(values.jobs);
  await fill(ledger, Number(values.waiting));

  let cpu = process.cpuUsage();
  let start = performance.now();
  await scheduleAll(block, count, { dueTime: '1h' });
  print(`schedule, ${PARALLEL} at a time`, `${perSecond(count, performance.now() - start)}, ${(processorMs(process.cpuUsage(cpu)) / count).toFixed(3)} ms of processor each`);

  // The same jobs, all due now.
  await scheduleAll(block, count, { dueTime: '0s' });
  const last = Promise.withResolvers<void>();
  let ticks = 0;
  cpu = process.cpuUsage();
  start = performance.now();
  const runner = runJobs(ledger, async () => {
    if (++ticks === count) last.resolve();
    return { outcome: 'success' };
  });
  await last.promise;
  await runner.drain(AbortSignal.timeout(60_000));
  print(`${count} ticks due at once, until they are settled`, `${perSecond(count, performance.now() - start)}, ${(processorMs(process.cpuUsage(cpu)) / count).toFixed(3)} ms of processor each`);

  const ticking = Number(values.ticking);
  const seconds = Number(values.seconds);
  await scheduleAll(block, ticking, { schedule: '@every 1s' });
  const lateMs: number[] = [];
  cpu = process.cpuUsage();
  start = performance.now();
  const second = runJobs(ledger, async ({ headers }) => {
    lateMs.push(Date.now() - Date.parse(headers['mecha-job-due'] ?? ''));
    return { outcome: 'success' };
  });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = performance.now() - start;
  const used = processorMs(process.cpuUsage(cpu));
  const sorted = lateMs.toSorted((a, b) => a - b);
  await second.drain(AbortSignal.timeout(60_000));
  print(`${ticking} jobs every second, for ${seconds} s`, `${perSecond(sorted.length, took)}, late by p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms, ${(used / took).toFixed(2)} processors`);
}

if (values.help) {
  console.log('node scripts/measure-jobs.ts [--jobs 50000] [--ticking 10000] [--seconds 10] [--waiting 0]\n\nPrints jobs scheduled and ticks delivered per second, in process, on the embedded ledger.');
} else {
  const folder = await mkdtemp(join(process.cwd(), '.measure-'));
  const ledger = await openSqliteLedger({ path: join(folder, 'ledger.db'), clock: systemClock, log });
  try {
    await measure(ledger);
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}
