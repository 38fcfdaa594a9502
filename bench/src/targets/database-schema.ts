/** A schema of one sidecar's own in the PostgreSQL of the test servers (user `mecha`, no password), gone with it. */
import { randomBytes } from 'node:crypto';

/** `server`: host:port. */
export async function createDatabaseSchema(server: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const schema = `mecha_bench_${randomBytes(6).toString('hex')}`;
  const database = `postgresql://mecha@${server}/postgres`;
  return {
    url: `${database}?schema=${schema}`,
    async drop() {
      const { default: pg } = await import('pg');
      const client = new pg.Client({ connectionString: database });
      await client.connect();
      try {
        await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      } finally {
        await client.end();
      }
    },
  };
}
