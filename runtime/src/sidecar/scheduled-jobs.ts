/**
 * Jobs of one sidecar: the block that answers calls, and the runner that delivers ticks. Nothing of either is loaded until it is used: by a
 * call, by jobs that the ledger holds for this app, or by one that another process of the app puts there.
 *
 * Owns: when that is, and the order of life of what is then there. Does not own: jobs and ticks.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Ledger } from '@mecha/components/kit';
import type { JobRunner } from '../blocks/jobs/job-runner.ts';
import type { JobsBlock } from '../blocks/jobs/jobs.ts';
import type { AppChannel, AppMonitor } from '../channel/channel.ts';
import { Lazy } from '../lazy.ts';
import type { Part } from '../lifecycle.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ScheduledJobsParts {
  readonly appId: string;
  readonly namespace: string;
  readonly ledger: Ledger;
  /** Undefined: no app port was given, and ticks wait for a sidecar that has one. */
  readonly channel: Pick<AppChannel, 'deliverJob'> | undefined;
  readonly monitor: AppMonitor;
  readonly appMaxConcurrency: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface ScheduledJobs extends Part {
  /** Loads what is not there yet. */
  block(): Promise<JobsBlock>;
}

export function createScheduledJobs(parts: ScheduledJobsParts): ScheduledJobs {
  const { appId, namespace, ledger, channel, clock } = parts;
  const log = parts.log.scoped('mecha.jobs');
  const app = `${namespace}/${appId}`;
  const block = new Lazy(async () => (await import('../blocks/jobs/jobs.ts')).createJobsBlock({ appId, namespace, ledger, clock, uuid: randomUUID }));
  /** Undefined: there is no app to deliver ticks to. */
  const runner = channel && new Lazy(() => openRunner(channel));
  let unwatch = (): void => undefined;
  let stopped = false;
  let looking = false;
  let lookAgain = false;

  async function openRunner(runningChannel: NonNullable<typeof channel>): Promise<JobRunner> {
    const { JobRunner: Runner } = await import('../blocks/jobs/job-runner.ts');
    const opened = new Runner({ ...parts, channel: runningChannel, log, owner: randomUUID() });
    if (!stopped) opened.start();
    return opened;
  }

  /** A wake-up may be about anything: what counts is whether the ledger holds jobs of this app. Never rejects. */
  async function look(): Promise<void> {
    lookAgain = true;
    if (looking || !runner) return;
    looking = true;
    try {
      while (lookAgain && !runner.loaded && !stopped) {
        lookAgain = false;
        if ((await ledger.jobs.nextAt(app)) === undefined || stopped) continue;
        await runner.get();
        unwatch();
      }
    } catch (error) {
      log.error({ err: error }, 'jobs that wait in the ledger cannot be run; looked at again with the next change there');
    } finally {
      looking = false;
    }
  }

  return {
    name: 'jobs',
    block: () => block.get(),
    /** Ticks that wait do not hold up the start. */
    start() {
      unwatch = ledger.watch(`jobs/${app}`, () => void look());
      void look();
    },
    async drain(signal) {
      stopped = true;
      unwatch();
      await (await runner?.whenLoaded())?.drain(signal);
    },
    async stop() {
      stopped = true;
      unwatch();
      await (await runner?.whenLoaded())?.stop();
    },
  };
}
