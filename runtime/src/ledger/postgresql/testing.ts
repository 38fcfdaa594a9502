/** For tests: ledgers on the PostgreSQL that the tests have, each in a schema of its own. */
// needs: postgresql
import { randomBytes } from 'node:crypto';
import { realClock, type TurnedClock } from '@mecha/components/kit/testing.ts';
import { openConnection, readAddress, type Connection, type PostgresqlAddress } from '@mecha/components/postgresql/connection.ts';
import { createLog } from '../../telemetry/log.ts';
import { createMemoryLedger } from '../memory-ledger.ts';
import { openPostgresqlLedger, type PostgresqlLedger } from './postgresql-ledger.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });

export interface TestSchema {
  readonly address: PostgresqlAddress;
  /** For looking and for changing what a test wants changed. */
  readonly connection: Connection;
  /** Whatever is in it goes; its tables stay. */
  empty(): Promise<void>;
  /** With a registry of its own. `clock` instead of the database's time. */
  open(clock?: TurnedClock, url?: string): Promise<PostgresqlLedger>;
  drop(): Promise<void>;
}

/** `server` is `host:port`. */
export async function createTestSchema(server: string): Promise<TestSchema> {
  const url = `postgresql://mecha@${server}/postgres?schema=mecha_test_${randomBytes(6).toString('hex')}`;
  const address = readAddress(url);
  const connection = await openConnection(address);
  return {
    address,
    connection,
    async empty() {
      const tables = await connection.query("SELECT format('DELETE FROM %I', tablename) AS statement FROM pg_tables WHERE schemaname = $1 AND tablename <> 'ledger_meta'", [address.schema]);
      await connection.script(tables.map(({ statement }) => String(statement)).join(';'));
    },
    async open(clock, elsewhere = url) {
      const registry = createMemoryLedger({ clock: clock ?? realClock });
      return openPostgresqlLedger({ address: { ...readAddress(elsewhere), schema: address.schema }, registry, log, random: Math.random, ...(clock ? { clock } : {}) });
    },
    async drop() {
      await connection.script(`DROP SCHEMA IF EXISTS "${address.schema}" CASCADE`);
      await connection.close();
    },
  };
}
