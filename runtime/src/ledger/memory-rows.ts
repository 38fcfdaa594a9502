/**
 * Workflows and jobs of the memory ledger: they lie in a SQLite database in memory, so that tests and simulations run the very statements
 * that production does (the embedded ledger's writer thread is the other who does).
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { LedgerRefused, type JobLedger, type JobOperation, type LedgerResult, type WorkflowLedger, type WorkflowOperation } from '@mecha/components/kit';
import { openJobLedger } from './job-ledger.ts';
import { JobRequests } from './job-program.ts';
import { JOB_SCHEMA } from './job-schema.ts';
import { WorkflowClaims } from './workflow-claims.ts';
import { openWorkflowLedger } from './workflow-ledger.ts';
import { WorkflowRequests } from './workflow-program.ts';
import { PAYLOAD_SCHEMA, WORKFLOW_SCHEMA, type Sql } from './workflow-schema.ts';

export interface MemoryRows {
  readonly workflows: WorkflowLedger;
  readonly jobs: JobLedger;
  /** Within `transaction`. */
  apply(operation: WorkflowOperation | JobOperation, index: number, touched: Set<string>): LedgerResult;
  /** All that `work` applies, or nothing when it throws (L1). */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** `check` throws when the ledger is closed. */
export function openMemoryRows({ now, touch, check }: { readonly now: () => number; readonly touch: (channels: readonly string[]) => void; readonly check: () => void }): MemoryRows {
  const db = new DatabaseSync(':memory:');
  db.exec(WORKFLOW_SCHEMA);
  db.exec(PAYLOAD_SCHEMA);
  db.exec(JOB_SCHEMA);
  const statements = new Map<string, StatementSync>();
  const sql: Sql = (text) => {
    let statement = statements.get(text);
    if (!statement) statements.set(text, (statement = db.prepare(text)));
    return statement;
  };
  const session = randomUUID();
  const requests = new WorkflowRequests(sql, session);
  const claims = new WorkflowClaims(sql, session);
  const jobs = new JobRequests(sql, session);
  function transaction<T>(work: () => T): T {
    sql('BEGIN').run();
    try {
      const result = work();
      sql('COMMIT').run();
      return result;
    } catch (error) {
      sql('ROLLBACK').run();
      throw error;
    }
  }
  const handlers: Readonly<Record<string, (args: never) => unknown>> = {
    claimInstances: (args) => claims.claimInstances(args),
    claimActivities: (args) => claims.claimActivities(args),
    renewWorkflows: (args) => claims.renew(args),
    fireTimers: (args) => claims.fireTimers(args),
    claimJobs: (args) => jobs.claim(args),
    renewJobs: (args) => jobs.renew(args),
  };
  async function run<T>(name: string, args: Record<string, unknown>): Promise<T> {
    check();
    const handler = handlers[name];
    if (!handler) throw new Error(`the memory ledger has no request ${name}`);
    return transaction(() => handler({ ...args, now: now() } as never) as T);
  }
  const read = <T>(work: () => T): T => {
    check();
    return work();
  };
  const parts = { run, sql, read, now, touch };
  return {
    workflows: openWorkflowLedger(parts),
    jobs: openJobLedger({
      ...parts,
      tellDamaged: (rows) => {
        throw new LedgerRefused('damaged', `damaged in memory: ${rows.join(', ')}`);
      },
    }),
    apply: (operation, index, touched) => (isJob(operation) ? jobs.apply(operation, index, now(), touched) : { workflow: requests.apply(operation, index, now(), touched) }),
    transaction,
    close: () => db.close(),
  };
}

const isJob = (operation: WorkflowOperation | JobOperation): operation is JobOperation => operation.type.startsWith('job.');
