/**
 * Delivers the ticks of one app's jobs: claims those that are due, calls the app, settles.
 *
 * Invariants
 *  R1  A tick is claimed only while the app is there, and while there is room for it: no more are under way at once than `underWayMax`.
 *  R2  Every tick that was claimed is settled or given back; a settlement that the ledger cannot take is tried again until this stops, and
 *      then the lease gives the tick back.
 *  R3  An app that is not there uses up no attempt: the tick is given back as if it had not begun.
 *  R4  Draining claims nothing more, lets what is under way end, and gives back what has not when its time is over.
 *
 * Does not own: when a job is due (`job-definition.ts`), rows and leases (the ledger), the app's presence (`app-monitor.ts`).
 */
import type { ClaimedJob, Clock, JobClaim, JobOperation, Ledger } from '@mecha/components/kit';
import { LedgerRefused } from '@mecha/components/kit';
import type { AppChannel, AppMonitor, EventAnswer } from '../../channel/channel.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics, Timing } from '../../telemetry/metrics.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import { MISSED_AFTER_MS, retryDelayMs, tickAfter, tickAfterMissed, type JobDefinition } from './job-definition.ts';

export interface JobRunnerParts {
  readonly appId: string;
  readonly namespace: string;
  readonly ledger: Pick<Ledger, 'commit' | 'jobs' | 'watch'>;
  readonly channel: Pick<AppChannel, 'deliverJob'>;
  readonly monitor: AppMonitor;
  /** Names this runner in leases: unique among all processes. */
  readonly owner: string;
  /** `--app-max-concurrency`. */
  readonly appMaxConcurrency: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export const JOB_LEASE_MS = 30_000;
const RENEW_EVERY_MS = JOB_LEASE_MS / 3;
const UNDER_WAY_MAX = 256;
const SETTLE_BATCH = 1000;
/** Between looks when nothing falls due earlier: other processes may have left what nobody was told of. */
const LOOK_EVERY_MS = 5000;
/** Between looks that found less than was to be expected: no room, an app that turned away, rows that others were faster with. */
const LOOK_AGAIN_MS = 100;
const AFTER_TROUBLE_MS = 1000;
/** A job whose row cannot be read, by a version that does not know its form, is out of the way for this long. */
const UNREADABLE_PAUSE_MS = 60_000;

export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #app: string;
  readonly #underWayMax: number;
  readonly #underWay = new Map<number, JobClaim>();
  #settlements: (JobOperation & JobClaim)[] = [];
  readonly #calls = new AbortController();
  readonly #succeeded: Timing;
  readonly #failed: Timing;
  #open = false;
  /** The ledger is closed, or has trouble while this stops: leases give back what is left. */
  #givenUp = false;
  #stopping = false;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #settling: Promise<void> | undefined;
  /** Not to claim before: the app has just turned a tick away. */
  #restUntil = 0;
  #renewUntil = 0;
  #cancelLook = (): void => undefined;
  #cancelRenew: (() => void) | undefined;
  #forget: (() => void)[] = [];
  #idle: (() => void) | undefined;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
    this.#app = `${parts.namespace}/${parts.appId}`;
    this.#underWayMax = Math.max(1, Math.min(UNDER_WAY_MAX, parts.appMaxConcurrency ?? UNDER_WAY_MAX));
    const labels = { namespace: parts.namespace, operation: 'job_trigger_op' };
    this.#succeeded = parts.metrics.timing('component_job_success_count', 'component_job_latencies', { ...labels, success: 'true' });
    this.#failed = parts.metrics.timing('component_job_failure_count', 'component_job_latencies', { ...labels, success: 'false' });
  }

  start(): void {
    const { ledger, monitor } = this.#parts;
    this.#open = true;
    this.#forget = [ledger.watch(`jobs/${this.#app}`, () => this.#look()), monitor.onChange(() => this.#look())];
    this.#look();
  }

  /** R4. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#close();
    await this.#looking;
    if (this.#underWay.size > 0) await new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#close();
    this.#stopping = true;
    await this.#looking;
    this.#calls.abort();
    // Channels answer at once when they are told to give up; then all is handed back.
    if (this.#underWay.size > 0 && !this.#givenUp) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#cancelRenew?.();
    await this.#settling;
  }

  #close(): void {
    this.#open = false;
    this.#cancelLook();
    for (const forget of this.#forget) forget();
    this.#forget = [];
  }

  #lookIn(ms: number): void {
    this.#cancelLook();
    if (this.#open) this.#cancelLook = this.#parts.clock.after(ms, () => this.#look());
  }

  /** One look at a time; never rejects. */
  #look(): void {
    this.#lookAgain = true;
    if (this.#open) this.#looking ??= this.#lookThrough();
  }

  async #lookThrough(): Promise<void> {
    const { clock, log } = this.#parts;
    try {
      while (this.#lookAgain && this.#open) {
        this.#lookAgain = false;
        const ms = await this.#claim();
        if (ms > 0) this.#lookIn(ms);
        else this.#lookAgain = true;
      }
    } catch (error) {
      // What was claimed, and not told, comes free when its lease ends.
      this.#renewUntil = clock.now() + 2 * JOB_LEASE_MS;
      this.#renewSoon();
      if (this.#open) log.error({ err: error }, 'the ticks of jobs cannot be claimed; trying on');
      this.#lookIn(AFTER_TROUBLE_MS);
    }
    // In the same breath as the last look at the flag: a wake-up that comes now begins anew.
    this.#looking = undefined;
  }

  /** Takes what is due and there is room for (R1); returns milliseconds until the next look. */
  async #claim(): Promise<number> {
    const { ledger, monitor, clock, owner } = this.#parts;
    // The monitor calls when the app is there, and each settlement when there is room.
    if (monitor.presence !== 'up') return LOOK_EVERY_MS;
    const room = this.#underWayMax - this.#underWay.size;
    if (room <= 0) return LOOK_EVERY_MS;
    const rest = this.#restUntil - clock.now();
    if (rest > 0) return Math.min(rest, LOOK_AGAIN_MS);
    const nextAt = await ledger.jobs.nextAt(this.#app);
    const waitMs = nextAt === undefined ? Infinity : nextAt - clock.now();
    if (waitMs > 0) return Math.min(waitMs, LOOK_EVERY_MS);
    const { jobs } = await ledger.jobs.claim({ app: this.#app, owner, limit: room, leaseMs: JOB_LEASE_MS });
    for (const job of jobs) this.#underWay.set(job.row, job);
    for (const job of jobs) void this.#run(job);
    if (jobs.length > 0) this.#renewSoon();
    return jobs.length > 0 ? 0 : LOOK_AGAIN_MS;
  }

  /** Never rejects. */
  async #run(job: ClaimedJob): Promise<void> {
    try {
      this.#settle(await this.#deliver(job));
    } catch (error) {
      // Its definition, that is: nothing else here fails.
      this.#parts.log.error({ job: job.name, err: error }, 'a job cannot be read, and rests for a minute; put it again, or delete it');
      this.#settle({ type: 'job.retry', row: job.row, fence: job.fence, freeAt: this.#parts.clock.now() + UNREADABLE_PAUSE_MS });
    }
  }

  async #deliver(job: ClaimedJob): Promise<JobOperation & JobClaim> {
    const { row, fence, attempt, dueAt, claimedAt, ticks } = job;
    const { clock, channel, log } = this.#parts;
    const definition = JSON.parse(job.definition) as JobDefinition;
    const began = clock.now();
    const isFirst = attempt === 1 && claimedAt === job.freeAt - JOB_LEASE_MS;
    if (definition.missed === 'skip' && isFirst && began - dueAt > MISSED_AFTER_MS) {
      log.info({ job: job.name, due: new Date(dueAt).toISOString() }, 'a tick of a job was missed and is passed over');
      return next({ row, fence }, tickAfterMissed({ definition, dueAt }, began), ticks);
    }
    const tick = `${definition.id}/${ticks + 1}`;
    const answer = this.#open
      ? await channel.deliverJob(
          {
            name: job.name,
            data: definition.data && { ...definition.data, value: job.data },
            headers: { 'mecha-job-tick': tick, 'mecha-job-due': new Date(dueAt).toISOString(), 'mecha-job-attempt': String(attempt) },
            trace: traceFrom(undefined),
          },
          this.#calls.signal,
        )
      : AWAY;
    return this.#settlementOf(job, definition, answer, clock.now() - began);
  }

  #settlementOf(job: ClaimedJob, definition: JobDefinition, answer: EventAnswer, tookMs: number): JobOperation & JobClaim {
    const { row, fence, name, attempt, ticks } = job;
    const { clock, log } = this.#parts;
    const claim = { row, fence };
    const now = clock.now();
    switch (answer.outcome) {
      case 'away':
        this.#rest(answer.reason);
        return { type: 'job.release', ...claim };
      case 'success':
        this.#succeeded.record(tookMs);
        return next(claim, tickAfter({ ...job, definition }, now), ticks + 1);
      case 'drop':
        // The contract's: an app that does not know the job is not asked again for this tick.
        this.#failed.record(tookMs);
        log.warn({ job: name, reason: answer.reason }, 'the app knows no such job; the tick counts as done');
        return next(claim, tickAfter({ ...job, definition }, now), ticks + 1);
      case 'retry': {
        this.#failed.record(tookMs);
        const delayMs = retryDelayMs(definition, attempt);
        log.warn({ job: name, attempt, reason: answer.reason, again_in_ms: delayMs }, delayMs === undefined ? 'a tick of a job has failed, and is given up' : 'a tick of a job has failed');
        return delayMs === undefined ? next(claim, tickAfter({ ...job, definition }, now), ticks + 1) : { type: 'job.retry', ...claim, freeAt: now + delayMs };
      }
    }
  }

  /** R3. */
  #rest(reason: string): void {
    const { clock, monitor, log } = this.#parts;
    if (!this.#open || this.#restUntil > clock.now()) return;
    this.#restUntil = clock.now() + LOOK_AGAIN_MS;
    log.info({ reason }, 'the app could not be reached; the ticks of its jobs wait until it can');
    monitor.suspect();
  }

  #settle(settlement: JobOperation & JobClaim): void {
    this.#settlements.push(settlement);
    this.#settling ??= this.#settleAll();
  }

  /** R2. All that came together is one commit. */
  async #settleAll(): Promise<void> {
    const { ledger, log, clock } = this.#parts;
    while (this.#settlements.length > 0) {
      await Promise.resolve();
      const batch = this.#settlements.splice(0, SETTLE_BATCH);
      try {
        const results = await ledger.commit(batch);
        for (const [n, { row }] of batch.entries()) if (results[n]?.applied === false) log.debug({ row }, 'a tick was settled by nobody: its job was put again, deleted, or taken over');
      } catch (error) {
        if (!this.#stopping && !(error instanceof LedgerRefused && error.code === 'closed')) {
          log.error({ err: error }, `ticks of jobs cannot be settled; trying on: ${messageOf(error)}`);
          this.#settlements.unshift(...batch);
          await new Promise<void>((resolve) => clock.after(AFTER_TROUBLE_MS, resolve));
          continue;
        }
        this.#givenUp = true;
      }
      for (const { row, fence } of batch) if (this.#underWay.get(row)?.fence === fence) this.#underWay.delete(row);
      if (this.#underWay.size === 0) this.#idle?.();
      this.#look();
    }
    // In the same breath as the last look at what is left: a settlement that comes now begins anew.
    this.#settling = undefined;
  }

  #renewSoon(): void {
    this.#cancelRenew ??= this.#parts.clock.after(RENEW_EVERY_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { ledger, log, clock, owner } = this.#parts;
    try {
      const { lost } = await ledger.jobs.renew({ owner, leaseMs: JOB_LEASE_MS, jobs: [...this.#underWay.values()].map(({ row, fence }) => ({ row, fence })) });
      const gone = lost.filter((row) => this.#underWay.has(row)).length;
      if (gone > 0) log.debug({ ticks: gone }, 'ticks under way are no longer of this process: their jobs were put again, deleted, or taken over');
    } catch (error) {
      log.warn({ err: error }, 'the leases of ticks under way could not be renewed; trying on');
    }
    this.#cancelRenew = undefined;
    if (!this.#givenUp && (this.#underWay.size > 0 || clock.now() < this.#renewUntil)) this.#renewSoon();
  }
}

const AWAY: EventAnswer = { outcome: 'away', reason: 'the sidecar is shutting down' };

function next(claim: JobClaim, dueAt: number | undefined, ticks: number): JobOperation & JobClaim {
  return dueAt === undefined ? { type: 'job.end', ...claim } : { type: 'job.next', ...claim, dueAt, ticks };
}
