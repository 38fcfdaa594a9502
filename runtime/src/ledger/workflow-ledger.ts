/** The workflow part of a ledger on SQLite, put together: claims go to whoever may write, reads to a connection at hand. */
import type { LedgerOperation, WorkflowAppend, WorkflowLedger, WorkflowMessage, WorkflowPayload } from '@mecha/components/kit';
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
    case 'workflow.send':
    case 'workflow.complete':
      return messageBytes(operation.message);
    case 'workflow.step':
    case 'workflow.first-step':
      return (
        appendBytes(operation.append) +
        (operation.snapshot?.length ?? 0) +
        (operation.customStatusPayload?.data.length ?? 0) +
        sum(operation.activities, ({ request, payloads }) => request.length + payloadBytes(payloads)) +
        sum(operation.create, ({ message }) => messageBytes(message)) +
        sum(operation.send, ({ message }) => messageBytes(message)) +
        sum(operation.reset?.messages, messageBytes) +
        (operation.toParent ? messageBytes(operation.toParent) : 0)
      );
    case 'workflow.control':
      return appendBytes(operation.append);
    default:
      return 0;
  }
}

function sum<T>(items: readonly T[] = [], bytesOf: (item: T) => number): number {
  return items.reduce((bytes, item) => bytes + bytesOf(item), 0);
}
const payloadBytes = (payloads: readonly WorkflowPayload[] | undefined): number => sum(payloads, ({ data }) => data.length);
const messageBytes = ({ event, payloads }: WorkflowMessage): number => event.length + payloadBytes(payloads);
const appendBytes = (append: WorkflowAppend | undefined): number => (append?.data.length ?? 0) + payloadBytes(append?.payloads);
