/** The workflow part of a ledger on SQLite, put together: claims go to whoever may write, reads to a connection at hand. */
import type { LedgerOperation, WorkflowLedger } from '@mecha/components/kit';
import type { WorkflowClaims } from './workflow-claims.ts';
import { workflowReads } from './workflow-reads.ts';
import type { Sql } from './workflow-schema.ts';

type Claims = Pick<WorkflowClaims, 'claimInstances' | 'claimActivities' | 'fireTimers'>;
interface Touching {
  readonly touched: readonly string[];
}

export interface WorkflowLedgerParts {
  /** Runs a request where writes are made, with the time added. */
  readonly run: <T>(name: string, args: Record<string, unknown>) => Promise<T>;
  readonly sql: Sql;
  readonly read: <T>(work: () => T) => T;
  readonly now: () => number;
  readonly touch: (channels: readonly string[]) => void;
}

export function openWorkflowLedger({ run, sql, read, now, touch }: WorkflowLedgerParts): WorkflowLedger {
  const tell = <T extends Touching>({ touched, ...rest }: T): Omit<T, 'touched'> => {
    if (touched.length > 0) touch(touched);
    return rest;
  };
  return {
    claimInstances: (request) => run<ReturnType<Claims['claimInstances']>>('claimInstances', { ...request }),
    claimActivities: (request) => run<ReturnType<Claims['claimActivities']>>('claimActivities', { ...request }),
    renew: async (request) => tell(await run<ReturnType<WorkflowClaims['renew']>>('renewWorkflows', { ...request })),
    fireTimers: async (request) => tell(await run<ReturnType<Claims['fireTimers']>>('fireTimers', { ...request })),
    ...workflowReads(sql, read, now),
  };
}

/** What a client is told of, or what effects outside stand on, is on the disk first (ADR 0006); undefined for other operations. */
export function isDurableWorkflowOperation(operation: LedgerOperation): boolean | undefined {
  switch (operation.type) {
    case 'workflow.create':
    case 'workflow.step':
    case 'workflow.first-step':
    case 'workflow.send':
    case 'workflow.control':
    case 'workflow.reopen':
    case 'workflow.purge':
      return true;
    case 'workflow.complete':
      return operation.told === true;
    case 'workflow.retry':
    case 'workflow.defer':
    case 'workflow.heartbeat':
    case 'workflow.return':
    case 'workflow.release':
    case 'workflow.wake':
      return false;
    default:
      return undefined;
  }
}

/** About how many bytes an operation carries to the writer. */
export function workflowBytes(operation: LedgerOperation): number {
  switch (operation.type) {
    case 'workflow.create':
      return operation.message.event.length;
    case 'workflow.step':
    case 'workflow.first-step':
      return (
        (operation.append?.data.length ?? 0) +
        (operation.snapshot?.length ?? 0) +
        (operation.activities ?? []).reduce((sum, { request }) => sum + request.length, 0) +
        (operation.create ?? []).reduce((sum, { message }) => sum + message.event.length, 0)
      );
    case 'workflow.send':
    case 'workflow.complete':
      return operation.message.event.length;
    default:
      return 0;
  }
}
