/** Brings the schema up to date: one process at a time, in one transaction; a schema of a newer Mecha is refused in words. */
import { PostgresqlError, type Connection } from '@mecha/components/postgresql/connection.ts';
import { CLAIM_FUNCTIONS, TEND_FUNCTIONS } from './schema-claims.ts';
import { COMMIT_FUNCTIONS } from './schema-commit.ts';
import { JOB_FUNCTIONS } from './schema-jobs.ts';
import { MANY_FUNCTIONS } from './schema-many.ts';
import { INDICES_OF_THEIR_OWN, TABLES } from './schema-tables.ts';
import { WORKFLOW_FUNCTIONS } from './schema-workflow.ts';

/** From each version to the next. A change of functions alone is a version too, with nothing here. */
const MIGRATIONS: readonly string[] = [TABLES, INDICES_OF_THEIR_OWN];
/** Of the newest version; processes of an older Mecha that run on are served by them, so what they ask for stays. */
const FUNCTIONS = [COMMIT_FUNCTIONS, WORKFLOW_FUNCTIONS, MANY_FUNCTIONS, JOB_FUNCTIONS, CLAIM_FUNCTIONS, TEND_FUNCTIONS];
const VERSION = MIGRATIONS.length;
const MIGRATION_BOUND_MS = 3600_000;

/** No connection will do better: the ledger cannot be opened. */
export class WrongSchema extends Error {}

export async function migrate(connection: Connection, schema: string): Promise<void> {
  if ((await versionOf(connection)) === VERSION) return;
  await connection.script('BEGIN');
  try {
    await connection.query("SELECT pg_advisory_xact_lock(hashtext('mecha migrate'), hashtext($1))", [schema]);
    const [namespace] = await connection.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
    if (!namespace) await connection.script(`CREATE SCHEMA "${schema}"`);
    await connection.script('CREATE TABLE IF NOT EXISTS ledger_meta (name text PRIMARY KEY, value text NOT NULL)');
    const version = (await versionOf(connection)) ?? 0;
    if (version < VERSION) {
      // Indices of large tables take their time.
      await connection.script('SET LOCAL statement_timeout = 0');
      for (const step of MIGRATIONS.slice(version)) await connection.script(step, MIGRATION_BOUND_MS);
      for (const functions of FUNCTIONS) await connection.script(functions);
      await connection.query("INSERT INTO ledger_meta VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [String(VERSION)]);
    }
    await connection.script('COMMIT');
  } catch (error) {
    await connection.script('ROLLBACK').catch((failure: unknown) => {
      if (!(failure instanceof PostgresqlError)) throw failure;
    });
    if (!(error instanceof PostgresqlError) || error.lost || error.code === '40P01') throw error;
    const advice = error.code === '42501' ? `; the user needs the right to create schema ${schema}, or one that is there and its own` : '';
    throw new WrongSchema(`the ledger's tables cannot be made: ${error.message}${advice}`, { cause: error });
  }
}

async function versionOf(connection: Connection): Promise<number | undefined> {
  const [table] = await connection.query("SELECT to_regclass('ledger_meta') IS NOT NULL AS there");
  if (table?.['there'] !== true) return undefined;
  const [row] = await connection.query("SELECT value FROM ledger_meta WHERE name = 'schema'");
  const version = Number(row?.['value'] ?? 0);
  if (version > VERSION) {
    throw new WrongSchema(`the ledger has schema ${version}, and this Mecha knows ${VERSION} and older: it was written by a newer one; use that one, or another schema`);
  }
  return version;
}
