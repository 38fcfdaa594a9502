/** What PostgreSQL says, in the words of the port. */
import { LedgerConflict, LedgerRefused } from '@mecha/components/kit';
import { PostgresqlError } from '@mecha/components/postgresql/connection.ts';
import { CONFLICT, TOPIC_FULL } from './schema-commit.ts';

/** Nothing was done, and the same may succeed in a moment: a circle of locks was broken, a lock was not had in time. */
const AGAIN = new Set(['40001', '40P01']);
export const isTransient = (error: unknown): boolean => error instanceof PostgresqlError && AGAIN.has(error.code);
export const isLost = (error: unknown): boolean => error instanceof PostgresqlError && error.lost;

export const closedRefusal = (): LedgerRefused => new LedgerRefused('closed', 'the ledger is closed');

export function refusalOf(error: unknown): unknown {
  if (!(error instanceof PostgresqlError)) return error;
  const { code, message } = error;
  const say = (kind: LedgerRefused['code'], words: string): LedgerRefused => new LedgerRefused(kind, `${words}: ${message}`, error);
  if (code === '53100' || code === '53400') return say('disk-full', "the database's disk is full");
  if (code.startsWith('53')) return say('overloaded', 'the database is out of resources');
  if (code === 'XX001' || code === 'XX002') return say('damaged', 'the database is damaged');
  if (code === '55P03' || code === '57014' || isTransient(error)) return say('busy', 'the database was busy for too long');
  if (code.startsWith('54')) return say('io', 'the database cannot keep a value as large as this');
  return say('io', 'the database failed');
}

/** A batch that was refused within its group. */
export function refusedBatch(refusal: { readonly refused: string; readonly message: string; readonly detail: string }): Error {
  const { refused, message, detail } = refusal;
  if (refused === CONFLICT) return new LedgerConflict(message, Number(detail));
  if (refused === TOPIC_FULL) return new LedgerRefused('topic-full', message);
  return refusalOf(new PostgresqlError(refused, message, detail)) as LedgerRefused;
}
