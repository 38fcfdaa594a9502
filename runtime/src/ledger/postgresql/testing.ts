/** For tests: ledgers on the PostgreSQL that the tests have, each in a schema of its own. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mecha/components/kit';
import { realClock } from '@mecha/components/kit/testing.ts';
import { openConnection, readAddress, type Connection, type PostgresqlAddress } from '@mecha/components/postgresql/connection.ts';
import { createLog } from '../../telemetry/log.ts';
import { createMemoryLedger } from '../memory-ledger.ts';
import { openPostgresqlLedger, type PostgresqlLedger } from './postgresql-ledger.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });

export interface TestSchema {
  readonly address: PostgresqlAddress;
  /** As users write it. */
  readonly url: string;
  /** For looking and for changing what a test wants changed. */
  readonly connection: Connection;
  /** Whatever is in it goes; its tables stay. */
  empty(): Promise<void>;
  /** With a registry of its own. `clock` instead of the database's time; `server`: by way of another address. */
  open(clock?: Clock, server?: string, togetherFrom?: number): Promise<PostgresqlLedger>;
  drop(): Promise<void>;
}

/** `server` is `host:port`. */
export async function createTestSchema(server: string): Promise<TestSchema> {
  const url = `postgresql://mecha@${server}/postgres?schema=mecha_test_${randomBytes(6).toString('hex')}`;
  const address = readAddress(url);
  const connection = await openConnection(address);
  return {
    address,
    url,
    connection,
    async empty() {
      const tables = await connection.query("SELECT format('DELETE FROM %I', tablename) AS statement FROM pg_tables WHERE schemaname = $1 AND tablename <> 'ledger_meta'", [address.schema]);
      await connection.script(tables.map(({ statement }) => String(statement)).join(';'));
    },
    async open(clock, elsewhere = server, togetherFrom) {
      const registry = createMemoryLedger({ clock: clock ?? realClock });
      return openPostgresqlLedger({ address: { ...address, url: address.url.replace(server, elsewhere) }, registry, log, random: Math.random, ...(clock ? { clock } : {}), ...(togetherFrom === undefined ? {} : { togetherFrom }) });
    },
    async drop() {
      await connection.script(`DROP SCHEMA IF EXISTS "${address.schema}" CASCADE`);
      await connection.close();
    },
  };
}
