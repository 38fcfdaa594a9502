/**
 * What the writer does to jobs: puts, deletions, claims, settlements. Runs inside the transaction and the savepoint of its
 * request, so throwing undoes all of it.
 */
import { LedgerConflict } from '@mecha/components/kit/ledger.ts';
import { endOfPrefix } from '@mecha/components/kit/ledger-jobs.ts';
import type { ClaimedJob, JobClaim, JobOperation, LedgerResult } from '@mecha/components/kit';
import { JOB_COLUMNS, jobChecksum, ledgerJob, type JobColumns } from './job-schema.ts';
import type { Sql } from './workflow-schema.ts';

/** Rows that one claim removes because their time is over. */
const SWEEP_ROWS = 500;
/** A damaged row is out of the way of the others for this long, then told of again. */
const DAMAGED_PAUSE_MS = 60_000;

type Timed<T> = T & { readonly now: number };
export type JobClaimRequest = Timed<{ readonly app: string; readonly owner: string; readonly limit: number; readonly leaseMs: number }>;
export type JobRenewRequest = Timed<{ readonly owner: string; readonly leaseMs: number; readonly jobs: readonly JobClaim[] }>;
export interface JobClaimOutcome {
  readonly jobs: readonly ClaimedJob[];
  readonly more: boolean;
  readonly damaged: readonly string[];
}
export interface JobRenewOutcome {
  readonly lost: readonly number[];
  readonly touched: readonly string[];
}

// Put together once: a text is looked up by itself at each use.
const DUE = `SELECT ${JOB_COLUMNS} FROM jobs WHERE app = ? AND free_at <= ? AND (owner IS NULL OR owner <> ?) AND (expires_at IS NULL OR expires_at > ?) ORDER BY free_at, id LIMIT ?`;
const LEASE = 'UPDATE jobs SET fence = fence + 1, claimed_at = COALESCE(claimed_at, ?), free_at = ?, owner = ?, session = ? WHERE id = ?';
const SWEEP = 'DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)';
const FREE = 'UPDATE jobs SET owner = NULL, session = NULL, free_at = due_at';
const FREE_SESSION = `${FREE} WHERE session = ? RETURNING app`;
const FREE_FORGOTTEN = `${FREE} WHERE session = ? AND owner = ? AND free_at <= ? RETURNING app`;
const RELEASE = `${FREE}, claimed_at = NULL WHERE id = ? AND fence = ? RETURNING app`;
const NEXT = 'UPDATE jobs SET owner = NULL, session = NULL, claimed_at = NULL, attempt = 1, ticks = ?, due_at = ?, free_at = ? WHERE id = ? AND fence = ?';
const RETRY = 'UPDATE jobs SET owner = NULL, session = NULL, attempt = attempt + 1, free_at = ? WHERE id = ? AND fence = ? RETURNING app';

export class JobRequests {
  readonly #sql: Sql;
  readonly #session: string;

  constructor(sql: Sql, session: string) {
    this.#sql = sql;
    this.#session = session;
  }

  apply(operation: JobOperation, index: number, now: number, touched: Set<string>): LedgerResult {
    switch (operation.type) {
      case 'job.put':
        this.#put(operation, index, now);
        touched.add(`jobs/${operation.app}`);
        return {};
      case 'job.delete': {
        const gone = this.#sql('DELETE FROM jobs WHERE app = ? AND name = ? RETURNING expires_at').get(operation.app, operation.name) as { expires_at: number | null } | undefined;
        return { deleted: gone !== undefined && (gone.expires_at ?? Infinity) > now };
      }
      case 'job.delete-prefix': {
        const { app, prefix, limit } = operation;
        const end = endOfPrefix(prefix);
        const { changes } =
          end === undefined
            ? this.#sql('DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE app = ? AND name >= ? LIMIT ?)').run(app, prefix, limit)
            : this.#sql('DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE app = ? AND name >= ? AND name < ? LIMIT ?)').run(app, prefix, end, limit);
        return { count: Number(changes) };
      }
      case 'job.next':
        return { applied: Number(this.#sql(NEXT).run(operation.ticks, operation.dueAt, operation.dueAt, operation.row, operation.fence).changes) > 0 };
      case 'job.retry':
        return tell(this.#sql(RETRY).get(operation.freeAt, operation.row, operation.fence), touched);
      case 'job.release':
        return tell(this.#sql(RELEASE).get(operation.row, operation.fence), touched);
      case 'job.end':
        return { applied: Number(this.#sql('DELETE FROM jobs WHERE id = ? AND fence = ?').run(operation.row, operation.fence).changes) > 0 };
    }
  }

  #put(job: Extract<JobOperation, { type: 'job.put' }>, index: number, now: number): void {
    const { app, name, definition, data, dueAt, expiresAt } = job;
    const found = this.#sql('SELECT id, expires_at AS expiresAt FROM jobs WHERE app = ? AND name = ?').get(app, name) as { id: number; expiresAt: number | null } | undefined;
    if (found) {
      if (!job.overwrite && (found.expiresAt ?? Infinity) > now) throw new LedgerConflict(name, index);
      this.#sql('DELETE FROM jobs WHERE id = ?').run(found.id);
    }
    this.#sql('INSERT INTO jobs (app, name, created_at, due_at, free_at, expires_at, crc, definition, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      app, name, now, dueAt, dueAt, expiresAt ?? null, jobChecksum(job), definition, data,
    );
  }

  claim({ app, owner, limit, leaseMs, now }: JobClaimRequest): JobClaimOutcome {
    this.sweep(now, SWEEP_ROWS);
    const rows = this.#sql(DUE).all(app, now, owner, now, limit) as unknown as JobColumns[];
    const damaged: string[] = [];
    const jobs: ClaimedJob[] = [];
    for (const row of rows) {
      if (row.crc === jobChecksum(row)) {
        this.#sql(LEASE).run(now, now + leaseMs, owner, this.#session, row.id);
        jobs.push({ ...ledgerJob(row), owner, freeAt: now + leaseMs, claimedAt: row.claimed_at ?? now, fence: row.fence + 1 });
      } else {
        this.#sql('UPDATE jobs SET owner = NULL, session = NULL, free_at = ? WHERE id = ?').run(now + DAMAGED_PAUSE_MS, row.id);
        damaged.push(`job ${row.name} of ${row.app}`);
      }
    }
    return { jobs, damaged, more: rows.length >= limit };
  }

  renew({ owner, leaseMs, jobs, now }: JobRenewRequest): JobRenewOutcome {
    const lost = jobs.filter(({ row, fence }) => Number(this.#sql('UPDATE jobs SET free_at = ? WHERE id = ? AND fence = ? AND owner = ?').run(now + leaseMs, row, fence, owner).changes) === 0);
    return { lost: lost.map(({ row }) => row), touched: channelsOf(this.#sql(FREE_FORGOTTEN).all(this.#session, owner, now)) };
  }

  /** What a process that is gone had leased (L3). */
  freeSession(session: string): readonly string[] {
    return channelsOf(this.#sql(FREE_SESSION).all(session));
  }

  /** Removes jobs whose time is over; returns how many. */
  sweep(now: number, limit: number): number {
    return Number(this.#sql(SWEEP).run(now, limit).changes);
  }
}

function tell(row: unknown, touched: Set<string>): LedgerResult {
  if (row === undefined) return { applied: false };
  touched.add(`jobs/${(row as { app: string }).app}`);
  return { applied: true };
}

function channelsOf(rows: unknown): string[] {
  return [...new Set((rows as { app: string }[]).map(({ app }) => `jobs/${app}`))];
}
