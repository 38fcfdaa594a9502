/** The jobs part of the port: claims by the claim lane, reads by the connection for reads. */
import { endOfPrefix, type ClaimedJob, type JobLedger } from '@mecha/components/kit';
import { Json, type Row, type Value } from '@mecha/components/postgresql/connection.ts';
import { ledgerJob, type JobColumns } from '../job-schema.ts';
import type { ClaimLane } from './claim-lane.ts';

export interface JobLedgerParts {
  readonly session: number;
  readonly now: () => number | null;
  readonly read: (text: string, values: readonly Value[]) => Promise<readonly Row[]>;
  readonly claims: ClaimLane;
  readonly touch: (channels: readonly string[]) => void;
}

const LIVE = '(expires_at IS NULL OR expires_at > now_ms($2))';
const LIST = `SELECT * FROM jobs WHERE app = $1 AND ${LIVE} AND name >= $3 AND name > $4 AND ($5::text IS NULL OR name < $5) ORDER BY name LIMIT $6`;

export function openJobLedger({ session, now, read, claims, touch }: JobLedgerParts): JobLedger {
  return {
    async claim({ app, owner, limit, leaseMs }) {
      const rows = await claims.run('SELECT about, bytes FROM claim_jobs($1, $2, $3, $4, $5, $6, $7)', (number) => [session, number, app, owner, limit, leaseMs, now()]);
      const jobs = rows.map(({ about, bytes }): ClaimedJob => {
        const columns = { ...(about as JobColumns), data: bytes as Uint8Array };
        return { ...ledgerJob(columns), claimedAt: Number(columns.claimed_at), fence: columns.fence };
      });
      return { jobs, more: jobs.length >= limit };
    },
    async renew({ owner, leaseMs, jobs }) {
      const { lost, touched } = await claims.ask<{ lost: number[]; touched: string[] }>('SELECT renew_jobs($1, $2, $3, $4, $5) AS answer', () => [session, owner, leaseMs, new Json(jobs), now()]);
      if (touched.length > 0) touch(touched);
      return { lost };
    },
    nextAt: async (app) => ((await read('SELECT min(free_at) AS at FROM jobs WHERE app = $1', [app]))[0]?.['at'] as number | null) ?? undefined,
    async find(app, name) {
      const [row] = await read(`SELECT * FROM jobs WHERE app = $1 AND ${LIVE} AND name = $3`, [app, now(), name]);
      return row && ledgerJob(row as unknown as JobColumns);
    },
    async list({ app, prefix = '', limit, after = '' }) {
      const rows = await read(LIST, [app, now(), prefix, after, endOfPrefix(prefix) ?? null, limit]);
      return (rows as unknown as JobColumns[]).map(ledgerJob);
    },
  };
}
