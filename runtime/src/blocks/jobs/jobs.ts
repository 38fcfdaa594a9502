/**
 * The jobs block: what apps and people ask of their jobs. Jobs are seen by their own app alone, within its namespace. Their ticks are
 * delivered by `job-runner.ts`, which knows this block by the rows in the ledger and nothing else.
 */
import { createHash } from 'node:crypto';
import { LedgerConflict, LedgerRefused, type Clock, type Ledger, type LedgerJob } from '@mecha/components/kit';
import { messageOf } from '../../errors.ts';
import type { JobData } from '../../jobs/job-data.ts';
import { BadSchedule } from '@mecha/components/kit/schedule/schedule.ts';
import { planJob, type FailurePolicy, type JobDefinition, type JobRequest, type MissedPolicy, type OverlapPolicy } from './job-definition.ts';
import { errors } from './jobs-errors.ts';

export interface JobInfo {
  readonly name: string;
  readonly schedule?: string;
  readonly repeats?: number;
  readonly dueTime?: string;
  /** RFC 3339. */
  readonly ttl?: string;
  readonly data?: JobData;
  readonly failurePolicy?: FailurePolicy;
  readonly missed: MissedPolicy;
  readonly overlap: OverlapPolicy;
  /** When the next tick is due, or the one under way was. Milliseconds since the epoch. */
  readonly nextAt: number;
  /** Ticks that are over. */
  readonly ticks: number;
  /** Of the next tick, from 1. */
  readonly attempt: number;
}

export interface JobsBlock {
  schedule(job: JobRequest | undefined): Promise<void>;
  get(name: string): Promise<JobInfo>;
  /** A job that is not there is no error. */
  find(name: string): Promise<JobInfo | undefined>;
  /** Nor is it here. */
  delete(name: string): Promise<void>;
  /** '' is all; how many there were. */
  deleteByPrefix(prefix: string): Promise<number>;
  /** By name; `next` is where the following page begins, if there is one. */
  list(page: { readonly prefix?: string; readonly after?: string; readonly limit: number }): Promise<{ readonly jobs: readonly JobInfo[]; readonly next?: string }>;
  /** All of them; refused when they are more than one answer holds. */
  listAll(): Promise<readonly JobInfo[]>;
}

export interface JobsBlockParts {
  readonly appId: string;
  readonly namespace: string;
  readonly ledger: Pick<Ledger, 'commit' | 'jobs'>;
  readonly clock: Clock;
  readonly uuid: () => string;
}

/** Jobs, and bytes of what they carry, in one answer. */
const LIST_JOBS_MAX = 100_000;
const LIST_BYTES_MAX = 32 * 1024 * 1024;
const PAGE_JOBS = 500;
/** Jobs that one commit deletes. */
const DELETE_STEP = 1000;
const NO_DATA = new Uint8Array(0);

export function createJobsBlock({ appId, namespace, ledger, clock, uuid }: JobsBlockParts): JobsBlock {
  const owner = { appId, namespace };
  const app = `${namespace}/${appId}`;

  /** What the ledger refuses, in this block's words; a closed one is the pipeline's. */
  async function asking<T>(work: () => Promise<T>, failed: (text: string, cause: unknown) => Error): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof LedgerRefused && error.code !== 'closed' ? failed(messageOf(error), error) : error;
    }
  }
  function checkName(name: string): void {
    if (name.trim() === '') throw errors.nameEmpty(owner);
  }
  async function find(name: string): Promise<JobInfo | undefined> {
    checkName(name);
    const found = await asking(() => ledger.jobs.find(app, name), (text, cause) => errors.notRead(owner, text, cause));
    return found && infoOf(found);
  }
  async function idOf(name: string): Promise<string | undefined> {
    const found = await asking(() => ledger.jobs.find(app, name), (text, cause) => errors.notRead(owner, text, cause));
    return found && (JSON.parse(found.definition) as JobDefinition).id;
  }
  async function list({ prefix = '', after, limit }: Parameters<JobsBlock['list']>[0]): ReturnType<JobsBlock['list']> {
    const found = await asking(() => ledger.jobs.list({ app, prefix, limit, ...(after === undefined ? {} : { after }) }), (text, cause) => errors.notListed(owner, text, cause));
    const last = found.at(-1);
    return { jobs: found.map(infoOf), ...(last && found.length >= limit ? { next: last.name } : {}) };
  }

  return {
    async schedule(request) {
      if (request === undefined) throw errors.empty(owner);
      const { name, overwrite, data, idempotencyKey } = request;
      checkName(name);
      if (request.schedule === undefined && request.dueTime === undefined) throw errors.scheduleEmpty(owner);
      const id = idempotencyKey === undefined ? uuid() : createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32);
      let planned;
      try {
        planned = planJob(request, clock.now(), id);
      } catch (error) {
        if (error instanceof BadSchedule) throw errors.unusable(owner, error.message, error);
        throw error;
      }
      const { definition, ...times } = planned;
      const put = { type: 'job.put' as const, app, name, definition: JSON.stringify(definition), data: data?.value ?? NO_DATA, overwrite, ...times };
      try {
        await asking(() => ledger.commit([put]), (text, cause) => errors.notScheduled(owner, text, cause));
      } catch (error) {
        if (!(error instanceof LedgerConflict)) throw error;
        if (idempotencyKey === undefined || (await idOf(name)) !== id) throw errors.exists(owner, name, error);
      }
    },
    async get(name) {
      const found = await find(name);
      if (!found) throw errors.notFound(owner, name);
      return found;
    },
    find,
    async delete(name) {
      checkName(name);
      await asking(() => ledger.commit([{ type: 'job.delete', app, name }]), (text, cause) => errors.notDeleted(owner, text, cause));
    },
    async deleteByPrefix(prefix) {
      let deleted = 0;
      for (;;) {
        const [{ count = 0 } = {}] = await asking(() => ledger.commit([{ type: 'job.delete-prefix', app, prefix, limit: DELETE_STEP }]), (text, cause) => errors.notDeleted(owner, text, cause));
        deleted += count;
        if (count < DELETE_STEP) return deleted;
      }
    },
    list,
    async listAll() {
      const jobs: JobInfo[] = [];
      let bytes = 0;
      for (let next: string | undefined = ''; next !== undefined; ) {
        const page: Awaited<ReturnType<JobsBlock['list']>> = await list({ after: next, limit: PAGE_JOBS });
        for (const job of page.jobs) bytes += job.data?.value.length ?? 0;
        jobs.push(...page.jobs);
        if (jobs.length > LIST_JOBS_MAX || bytes > LIST_BYTES_MAX) throw errors.notListed(owner, `one answer holds ${LIST_JOBS_MAX} jobs and ${LIST_BYTES_MAX} bytes of their data at most; GET /v1.0-mecha/jobs lists them by pages`);
        next = page.next;
      }
      return jobs;
    },
  };
}

function infoOf({ name, definition, data, dueAt, ticks, attempt, expiresAt }: LedgerJob): JobInfo {
  const { schedule, repeats, dueTime, failurePolicy, missed = 'one', overlap = 'wait', data: carried } = JSON.parse(definition) as JobDefinition;
  return {
    name, missed, overlap, nextAt: dueAt, ticks, attempt,
    ...(schedule === undefined ? {} : { schedule }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(expiresAt === undefined ? {} : { ttl: new Date(expiresAt).toISOString() }),
    ...(failurePolicy === undefined ? {} : { failurePolicy }),
    ...(carried === undefined ? {} : { data: { ...carried, value: data } }),
  };
}
