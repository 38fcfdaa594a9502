/** The same pipeline with its book in PostgreSQL: nothing changes but the folder of resources. */
import { expect, test } from 'vitest';
import { serverAddress } from '../servers/servers.ts';
import { runPipeline } from './run-pipeline.ts';

test('the bindings pipeline brings every tick to a row of PostgreSQL or a mail, through kill -9', async () => {
  const { code, last, output } = await runPipeline(['--ticks', '8', '--kills', '1', '--resources', 'postgresql'], { MECHA_POSTGRESQL_HOST: serverAddress('postgresql') });
  expect(last, output).toMatch(/^ticks: 8 rows: [1-7] mails: [1-7] lost: 0 doubled: 0$/);
  expect(output).toContain('kill -9 while');
  expect(code).toBe(0);
});

test('without the server it says in one line what to do', async () => {
  const { code, last } = await runPipeline(['--resources', 'postgresql'], { MECHA_POSTGRESQL_HOST: '127.0.0.1:1' });
  expect(last).toBe('--resources postgresql needs PostgreSQL, and nothing answers at 127.0.0.1:1; run: npm run servers -- up postgresql (or set MECHA_POSTGRESQL_HOST=host:port)');
  expect(code).toBe(1);
});
