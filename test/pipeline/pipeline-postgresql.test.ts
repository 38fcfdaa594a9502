/** The same pipeline with its book in PostgreSQL: nothing changes but a file of YAML. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { serverAddress } from '../servers/servers.ts';
import { until } from '../tools/processes.ts';
import { tcpGate } from '../tools/tcp-gate.ts';
import { runPipeline } from './run-pipeline.ts';

/** Without a policy of its own a tick would be given up within two seconds; the driver calls none lost before a minute is over. */
const OUTAGE_MS = 5_000;

test('the bindings pipeline brings every tick to a row of PostgreSQL or a mail, though the database goes away in the middle', async () => {
  const gate = await tcpGate(serverAddress('postgresql'));
  onTestFinished(() => gate.close());
  const env = { DATABASE_URL: `postgres://mecha@${gate.address}/postgres` };
  const { code, last, output } = await runPipeline(['--ticks', '40', '--kills', '0', '--resources', 'postgresql'], env, async (lines) => {
    await until('the first ticks came to an end', () => lines.some((line) => /end: [1-9]/.test(line)), { withinMs: 120_000 });
    await gate.shut();
    await sleep(OUTAGE_MS);
    await gate.open();
  });
  expect(last, output).toMatch(/^ticks: 40 rows: \d+ mails: \d+ lost: 0 doubled: 0$/);
  expect(code).toBe(0);
});

test('without the server it says in one line what to do', async () => {
  const { code, last } = await runPipeline(['--resources', 'postgresql'], { MECHA_POSTGRESQL_HOST: '127.0.0.1:1' });
  expect(last).toBe('--resources postgresql needs PostgreSQL, and nothing answers at 127.0.0.1:1; run: npm run servers -- up postgresql (or set MECHA_POSTGRESQL_HOST=host:port)');
  expect(code).toBe(1);
});
