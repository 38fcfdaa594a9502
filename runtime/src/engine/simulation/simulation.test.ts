/**
 * Thousands of seeded lives of the engine (users 5, 7, 8, 22 to 25), `MECHA_SIMULATION_SEEDS` for more; a seed that fails is replayed by the
 * command in its message. Then the proof that the simulation can find something: each mutant of the ledger must be found.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SEED as FIRST } from '@mecha/components/kit/test-seed.ts';
import { createLog } from '../../telemetry/log.ts';
import { openSqliteLedger } from '../../ledger/sqlite-ledger.ts';
import { MUTANTS } from './faulty-ledger.ts';
import { simulate } from './simulate.ts';

const SEEDS = Number(process.env['MECHA_SIMULATION_SEEDS'] ?? 1000);
/** Lives that found a fault once. */
const FOUND = [18_255_188, 385_199_519];
const SQLITE_SEEDS = 8;
const MUTANT_SEEDS_MAX = 400;
/** Where a process must have been struck for the run to mean anything. */
const POINTS = [
  ...['before', 'after', 'refused', 'ambiguous', 'freeze'].flatMap((fault) => ['claimInstances', 'claimActivities', 'fireTimers', 'commit step', 'commit complete'].map((call) => `${call}:${fault}`)),
  'commit create+first-step:before', 'commit create+first-step:after', 'commit create:before', 'commit release:after', 'commit retry:after', 'commit defer:after', 'renew:after', 'read:before',
  'worker:gone', 'worker:threw', 'worker:silent', 'wake-up:lost', 'clock:jump', 'client:suspend', 'client:terminate', 'client:purge', 'client:rerun',
];

test(`all invariants hold in ${SEEDS} lives from seed ${FIRST} on, struck at every named point`, { timeout: 60_000 + SEEDS * 600 }, async () => {
  const struck = new Set<string>();
  let steps = 0;
  // The rarest points may take more lives than were asked for.
  const isDone = (lives: number): boolean => lives >= SEEDS && (SEEDS < 1000 || POINTS.every((point) => struck.has(point)) || lives >= 3 * SEEDS);
  for (let seed = FIRST; !isDone(seed - FIRST); seed++) {
    const report = await simulate({ seed });
    expect(report.violations, `replay with: node scripts/simulate.ts --seed ${seed}`).toEqual([]);
    for (const point of report.hits.keys()) struck.add(point);
    steps += report.steps;
  }
  expect(steps).toBeGreaterThan(SEEDS * 10);
  if (SEEDS >= 1000) expect(POINTS.filter((point) => !struck.has(point)), 'named points that no fault struck').toEqual([]);
});

test.each(FOUND)('seed %i, which found a fault once, finds none', async (seed) => {
  expect((await simulate({ seed })).violations).toEqual([]);
});

test('a seed decides everything: twice the same life', async () => {
  const [one, two] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
  expect(two).toEqual(one);
});

test.each(MUTANTS)('the mutant %s is found', { timeout: 300_000 }, async (mutant) => {
  for (let seed = 1; seed <= MUTANT_SEEDS_MAX; seed++) if ((await simulate({ seed, mutant })).violations.length > 0) return;
  expect.unreachable(`${MUTANT_SEEDS_MAX} seeds found nothing wrong with ${mutant}`);
});

test(`the same over the ledger's file, ${SQLITE_SEEDS} lives`, { timeout: 240_000 }, async () => {
  const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
  for (let seed = FIRST; seed < FIRST + SQLITE_SEEDS; seed++) {
    const folder = await mkdtemp(join(tmpdir(), 'mecha-simulation-'));
    const open = (now: () => number) => openSqliteLedger({ path: join(folder, 'ledger.db'), clock: { now, after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer); } }, log });
    const report = await simulate({ seed, open, workflows: 2 });
    await rm(folder, { recursive: true, force: true });
    expect(report.violations, `seed ${seed} over SQLite, whose thread answers when it will: not replayed exactly`).toEqual([]);
  }
});
