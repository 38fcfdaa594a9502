/**
 * How jobs lie in the ledger's file, and how its rows are read (`components/kit/ledger-jobs.ts`).
 *
 * `free_at` is the instant of the tick, of its next try, or, with `owner` set, the end of the lease.
 */
import { crc32 } from 'node:zlib';
import type { LedgerJob } from '@mecha/components/kit';

export const JOB_SCHEMA = `
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL, due_at INTEGER NOT NULL, free_at INTEGER NOT NULL,
  claimed_at INTEGER, ticks INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 1, fence INTEGER NOT NULL DEFAULT 0, owner TEXT, session TEXT,
  expires_at INTEGER, crc INTEGER NOT NULL, definition TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (app, name));
CREATE INDEX jobs_free ON jobs (app, free_at, id);
CREATE INDEX jobs_session ON jobs (session) WHERE session IS NOT NULL;
CREATE INDEX jobs_expiry ON jobs (expires_at) WHERE expires_at IS NOT NULL;
`;

export interface JobColumns {
  readonly id: number;
  readonly app: string;
  readonly name: string;
  readonly created_at: number;
  readonly due_at: number;
  readonly free_at: number;
  readonly claimed_at: number | null;
  readonly ticks: number;
  readonly attempt: number;
  readonly fence: number;
  readonly owner: string | null;
  readonly expires_at: number | null;
  readonly crc: number;
  readonly definition: string;
  readonly data: Uint8Array;
}

export const JOB_COLUMNS = 'id, app, name, created_at, due_at, free_at, claimed_at, ticks, attempt, fence, owner, expires_at, crc, definition, data';

export function jobChecksum({ definition, data }: Pick<LedgerJob, 'definition' | 'data'>): number {
  return crc32(data, crc32(definition));
}

export function ledgerJob(row: JobColumns): LedgerJob {
  return {
    row: row.id,
    app: row.app,
    name: row.name,
    definition: row.definition,
    data: row.data,
    createdAt: row.created_at,
    dueAt: row.due_at,
    ticks: row.ticks,
    attempt: row.attempt,
    freeAt: row.free_at,
    ...(row.claimed_at === null ? {} : { claimedAt: row.claimed_at }),
    ...(row.owner === null ? {} : { owner: row.owner }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  };
}
