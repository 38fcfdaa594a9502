/** The jobs block and its runner on a ledger in memory, under a clock that is turned by hand, with an app that answers as it is told. For tests only. */
import { createKeptLog, createTurnedClock, type TurnedClock } from '@mecha/components/kit/testing.ts';
import type { Ledger } from '@mecha/components/kit';
import type { AppMonitor, AppPresence, EventAnswer, JobDelivery } from '../../channel/channel.ts';
import { createMemoryLedger } from '../../ledger/memory-ledger.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { JobRequest } from './job-definition.ts';
import { JobRunner } from './job-runner.ts';
import { createJobsBlock, type JobsBlock } from './jobs.ts';

export interface Delivered extends JobDelivery {
  /** When it came, on the turned clock. */
  readonly at: number;
  answer(answer: EventAnswer): void;
}

export interface JobsUnderTest {
  readonly clock: TurnedClock;
  readonly ledger: Ledger;
  readonly block: JobsBlock;
  readonly log: ReturnType<typeof createKeptLog>;
  readonly counts: Map<string, number>;
  readonly delivered: Delivered[];
  /** What the app answers; undefined: the test answers by hand. */
  answerWith: ((job: JobDelivery) => EventAnswer) | undefined;
  readonly presence: AppPresence;
  become(presence: AppPresence): void;
  schedule(name: string, job: Partial<JobRequest>): Promise<void>;
  openRunner(parts?: { readonly appId?: string; readonly owner?: string; readonly appMaxConcurrency?: number; readonly ledger?: Pick<Ledger, 'commit' | 'jobs' | 'watch'> }): JobRunner;
  /** Turns the clock in steps, letting everybody do what is theirs to do in between. */
  turn(ms: number, stepMs?: number): Promise<void>;
  close(): Promise<void>;
}

export const SUCCESS: EventAnswer = { outcome: 'success' };
export const FAILURE: EventAnswer = { outcome: 'retry', reason: 'the app answered with status 500' };

/** Until all that can go on without the clock has gone on. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
}

export function openJobs({ startAt = Date.UTC(2026, 0, 1), ledger: given }: { readonly startAt?: number; readonly ledger?: (clock: TurnedClock) => Ledger } = {}): JobsUnderTest {
  const clock = createTurnedClock(startAt);
  const ledger = given?.(clock) ?? createMemoryLedger({ clock });
  const log = createKeptLog();
  const counts = new Map<string, number>();
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  const metrics: Metrics = { count, observe: () => undefined, gauge: () => undefined, timing: (name) => ({ record: () => count(name) }) };
  const listeners = new Set<(presence: AppPresence) => void>();
  const delivered: Delivered[] = [];
  const runners: JobRunner[] = [];
  let ids = 0;
  let presence: AppPresence = 'up';
  const monitor: AppMonitor = {
    get presence() {
      return presence;
    },
    since: 0,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    suspect: () => tested.become('waiting'),
  };
  const deliverJob = (job: JobDelivery, signal: AbortSignal): Promise<EventAnswer> =>
    new Promise((answer) => {
      delivered.push({ ...job, at: clock.now(), answer });
      if (tested.answerWith) answer(tested.answerWith(job));
      signal.addEventListener('abort', () => answer({ outcome: 'away', reason: 'the delivery was cancelled' }), { once: true });
    });
  const tested: JobsUnderTest = {
    clock, ledger, log, counts, delivered,
    block: createJobsBlock({ appId: 'app', namespace: 'default', ledger, clock, uuid: () => `id-${++ids}` }),
    answerWith: () => SUCCESS,
    get presence() {
      return presence;
    },
    become(next) {
      if (next === presence) return;
      presence = next;
      for (const listener of listeners) listener(next);
    },
    schedule: (name, job) => tested.block.schedule({ name, overwrite: false, ...job }),
    openRunner({ appId = 'app', owner = `runner-${runners.length}`, appMaxConcurrency, ledger: own = ledger } = {}) {
      const runner = new JobRunner({ appId, namespace: 'default', ledger: own, channel: { deliverJob }, monitor, owner, appMaxConcurrency, clock, log: log as unknown as Log, metrics });
      runners.push(runner);
      runner.start();
      return runner;
    },
    async turn(ms, stepMs = 100) {
      await settled();
      for (let left = ms; left > 0; left -= stepMs) {
        clock.turn(Math.min(stepMs, left));
        await settled();
      }
    },
    async close() {
      for (const runner of runners) await runner.stop();
      await ledger.close();
    },
  };
  return tested;
}
