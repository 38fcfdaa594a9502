/** When jobs are loaded: not before there is one, whoever put it there, and not without an app to deliver to. */
import { createKeptLog, realClock, until } from '@mecha/components/kit/testing.ts';
import type { Ledger } from '@mecha/components/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AppMonitor } from '../channel/channel.ts';
import { createMemoryLedger } from '../ledger/memory-ledger.ts';
import { createScheduledJobs, type ScheduledJobs } from './scheduled-jobs.ts';
import type { Log } from '../telemetry/log.ts';

let ledger: Ledger;
let claims: number;
let delivered: string[];
let running: ScheduledJobs[];
let failing: boolean;
beforeEach(() => {
  ledger = createMemoryLedger({ clock: realClock });
  claims = 0;
  delivered = [];
  running = [];
  failing = false;
});
afterEach(async () => {
  for (const one of running) await one.stop?.();
  await ledger.close();
});

function begin({ hasApp = true } = {}): ScheduledJobs {
  const jobs: Ledger['jobs'] = {
    ...ledger.jobs,
    nextAt: (app) => (failing ? Promise.reject(new Error('not now')) : ledger.jobs.nextAt(app)),
    claim: (request) => {
      claims++;
      return ledger.jobs.claim(request);
    },
  };
  const seen = new Proxy(ledger, {
    get: (target, name) => {
      if (name === 'jobs') return jobs;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
  const monitor: AppMonitor = { presence: 'up', since: 0, onChange: () => () => undefined, suspect: () => undefined };
  const kept = createKeptLog();
  const log = { ...kept, scoped: () => kept } as unknown as Log;
  const nothing = () => undefined;
  const made = createScheduledJobs({
    appId: 'app', namespace: 'default', ledger: seen, monitor, appMaxConcurrency: undefined, clock: realClock, log,
    metrics: { count: nothing, observe: nothing, gauge: nothing, timing: () => ({ record: nothing }) },
    channel: hasApp ? { deliverJob: async ({ name }) => { delivered.push(name); return { outcome: 'success' }; } } : undefined,
  });
  running.push(made);
  void made.start?.();
  return made;
}
const put = (app: string, name: string) => ledger.commit([{ type: 'job.put', app, name, definition: JSON.stringify({ id: name, anchor: 0 }), data: Buffer.alloc(0), dueAt: realClock.now(), overwrite: false }]);

test('a sidecar whose app has no jobs claims none, whatever others have', async () => {
  await put('default/app-1', 'other');
  begin();
  await put('other/app', 'another');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([claims, delivered]).toEqual([0, []]);
});

test('jobs that wait in the ledger are delivered after the start', async () => {
  await put('default/app', 'waiting');
  begin();
  await until(() => delivered.length > 0);
  expect(delivered).toEqual(['waiting']);
});

test('a job that another process puts there is delivered, and so is one that comes by a call', async () => {
  const jobs = begin();
  await put('default/app', 'put');
  await until(() => delivered.length > 0);
  await (await jobs.block()).schedule({ name: 'called', dueTime: '0s', overwrite: false });
  await until(() => delivered.length > 1);
  expect(delivered).toEqual(['put', 'called']);
});

test('a sidecar without an app port answers calls and delivers nothing', async () => {
  const jobs = begin({ hasApp: false });
  await (await jobs.block()).schedule({ name: 'j', dueTime: '0s', overwrite: false });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([claims, (await (await jobs.block()).listAll()).length]).toEqual([0, 1]);
});

test('a ledger that fails at the start is looked at again with the next change', async () => {
  failing = true;
  begin();
  await put('default/app', 'first');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(delivered).toEqual([]);
  failing = false;
  await put('default/app', 'second');
  await until(() => delivered.length > 1);
  expect(delivered).toEqual(['first', 'second']);
});

test('what is stopped delivers no more', async () => {
  const jobs = begin();
  await jobs.drain?.(new AbortController().signal);
  await put('default/app', 'late');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([claims, delivered]).toEqual([0, []]);
});
