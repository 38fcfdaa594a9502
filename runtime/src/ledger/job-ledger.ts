/** The jobs part of a ledger on SQLite, put together: claims go to whoever may write, reads to a connection at hand. */
import { endOfPrefix, LedgerRefused, type JobLedger, type LedgerJob, type LedgerOperation } from '@mecha/components/kit';
import type { JobClaimOutcome, JobRenewOutcome } from './job-program.ts';
import { JOB_COLUMNS, jobChecksum, ledgerJob, type JobColumns } from './job-schema.ts';
import type { WorkflowLedgerParts } from './workflow-ledger.ts';

export interface JobLedgerParts extends WorkflowLedgerParts {
  /** Rows that were passed over because their checksum is wrong. */
  readonly tellDamaged: (rows: readonly string[]) => void;
}

const LIST = `SELECT ${JOB_COLUMNS} FROM jobs WHERE app = ? AND name >= ? AND name > ? AND (expires_at IS NULL OR expires_at > ?)`;
const LIST_TO_END = `${LIST} ORDER BY name LIMIT ?`;
const LIST_TO_NAME = `${LIST} AND name < ? ORDER BY name LIMIT ?`;
const FIND = `SELECT ${JOB_COLUMNS} FROM jobs WHERE app = ? AND name = ? AND (expires_at IS NULL OR expires_at > ?)`;

export function openJobLedger({ run, sql, read, now, touch, tellDamaged }: JobLedgerParts): JobLedger {
  return {
    async claim(request) {
      const { jobs, more, damaged } = await run<JobClaimOutcome>('claimJobs', { ...request });
      if (damaged.length > 0) tellDamaged(damaged);
      return { jobs, more };
    },
    async renew(request) {
      const { lost, touched } = await run<JobRenewOutcome>('renewJobs', { ...request });
      if (touched.length > 0) touch(touched);
      return { lost };
    },
    nextAt: async (app) => read(() => (sql('SELECT MIN(free_at) AS at FROM jobs WHERE app = ?').get(app) as { at: number | null }).at ?? undefined),
    find: async (app, name) =>
      read(() => {
        const row = sql(FIND).get(app, name, now());
        return row === undefined ? undefined : soundJob(row as unknown as JobColumns);
      }),
    list: async ({ app, prefix = '', limit, after = '' }) =>
      read(() => {
        const end = endOfPrefix(prefix);
        const rows = end === undefined ? sql(LIST_TO_END).all(app, prefix, after, now(), limit) : sql(LIST_TO_NAME).all(app, prefix, after, now(), end, limit);
        return (rows as unknown as JobColumns[]).map(soundJob);
      }),
  };
}

function soundJob(row: JobColumns): LedgerJob {
  if (jobChecksum(row) !== row.crc) throw new LedgerRefused('damaged', `job ${row.name} is damaged on the disk: its checksum is wrong; put it again, or delete it`);
  return ledgerJob(row);
}

/** What a client is told of is on the disk first; undefined for operations that are none of jobs. */
export function isDurableJobOperation({ type }: LedgerOperation): boolean | undefined {
  switch (type) {
    case 'job.put':
    case 'job.delete':
    case 'job.delete-prefix':
      return true;
    case 'job.next':
    case 'job.retry':
    case 'job.release':
    case 'job.end':
      return false;
    default:
      return undefined;
  }
}
