/** The bindings pipeline on the embedded set: its exit code and last line, through a courier's moods and kill -9, and what turns it red. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../tools/processes.ts';
import { runPipeline, startSample, writeMutant } from './run-pipeline.ts';

const TICKS = 14;

describe('the bindings pipeline', () => {
  test('brings every tick to a row or a mail, though the courier fails and the sidecar is killed in the middle', async () => {
    const { code, last, output } = await runPipeline(['--ticks', String(TICKS), '--kills', '1']);
    const [, rows = 0, mails = 0] = /^ticks: 14 rows: (\d+) mails: (\d+) lost: 0 doubled: 0$/.exec(last)?.map(Number) ?? [];
    expect(rows + mails, output).toBe(TICKS);
    expect(code).toBe(0);
    // The courier refuses the 5th and the 12th, and is closed from the 7th on until its fifth answer opens the breaker.
    expect(rows).toBeGreaterThanOrEqual(5);
    expect(mails).toBeGreaterThanOrEqual(3);
    expect(output).toContain('kill -9 while the courier books pick-up 5');
    for (const reason of ['received status code 422', 'received status code 503', 'circuit breaker is open']) expect(output).toMatch(new RegExp(`mail to office@example.org: .*pickup-time/.*Z; .*${reason}`));
  });

  test.each([
    ['writes no mail', "to: ['office']", 'to: []', '0', /lost: [1-9]/, /! P1: /],
    ['orders a pick-up anew when its tick comes again', "'Idempotency-Key': tick", "'Idempotency-Key': crypto.randomUUID()", '1', /doubled: [1-9]/, /! P3: /],
    ['enters a pick-up that was not booked', "return { to: ['office']", "await write('INSERT INTO pickups (tick, pickup) VALUES ($1, $2)', tick, 'none'); return { to: ['office']", '0', /doubled: [1-9]/, /! P2: /],
  ])('turns red when its service %s', async (_what, wanted, instead, kills, count, breach) => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const { code, last, output } = await runPipeline(['--ticks', '6', '--kills', kills, '--run-file', await writeMutant(folder.path, [wanted, instead])]);
    expect(last, output).toMatch(count);
    expect(output).toMatch(breach);
    expect(code).toBe(1);
  });

  test('a word or a number that it does not know is told in one line, with a code that is not 0', async () => {
    expect(await runPipeline(['--resources', 'paper'])).toMatchObject({ code: 1, last: "--resources takes one of embedded, postgresql, not 'paper'" });
    expect(await runPipeline(['--ticks', '8', '--kills', '3'])).toMatchObject({ code: 1, last: "--kills takes at most one for 4 ticks, which is 2 here, not '3'" });
    expect(await startSample(['--sample=nothing'])).toMatchObject({ code: 1, last: "--sample takes one of order-saga, bindings-pipeline, not 'nothing'" });
  });
});
