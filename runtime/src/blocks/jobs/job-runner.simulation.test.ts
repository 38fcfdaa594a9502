/**
 * Seeded runs of several runners on one ledger, under a turned clock: runners die or stand still at any call of the ledger, apps fail, hang and go away,
 * jobs are put again and deleted. After each run: no tick was lost, and none came twice but for a death.
 *
 * A failing seed is named; `MECHA_TEST_SEED=<seed> MECHA_JOBS_SEEDS=1` runs it alone, a higher count more of them.
 */
import type { Ledger } from '@mecha/components/kit';
import { expect, test } from 'vitest';
import { SEED as FIRST } from '@mecha/components/kit/test-seed.ts';
import type { JobRunner } from './job-runner.ts';
import { FAILURE, openJobs, settled, SUCCESS } from './testing.ts';

/** A small generator, so that a failing run can be repeated. */
function chanceOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const SEEDS = Number(process.env['MECHA_JOBS_SEEDS'] ?? 60);
const REPEATS = 6;

/** The ledger as one process sees it, until it dies: then nothing of it is heard any more, whether the call was carried out or not. */
function mortal(ledger: Ledger, chance: (below: number) => number, deadly: () => boolean, pause: (ms: number) => Promise<void>): { ledger: Pick<Ledger, 'commit' | 'jobs' | 'watch'>; isDead: () => boolean } {
  let dead = false;
  const never = new Promise<never>(() => undefined);
  const living = async <T>(work: () => Promise<T>): Promise<T> => {
    if (dead) return never;
    if (deadly() && chance(40) === 0) {
      dead = true;
      if (chance(2) === 0) await work();
      return never;
    }
    // A process that is held up for longer than a lease, before its request or before it hears of the answer.
    const pauseMs = deadly() && chance(30) === 0 ? 5000 + chance(60_000) : 0;
    const late = chance(2) === 0;
    if (pauseMs > 0 && !late) await pause(pauseMs);
    const result = await work();
    if (pauseMs > 0 && late) await pause(pauseMs);
    return dead ? never : result;
  };
  return {
    isDead: () => dead,
    ledger: {
      commit: (batch) => living(() => ledger.commit(batch)),
      watch: (channel, listener) => ledger.watch(channel, () => (dead ? undefined : listener())),
      jobs: {
        claim: (request) => living(() => ledger.jobs.claim(request)),
        renew: (request) => living(() => ledger.jobs.renew(request)),
        nextAt: (app) => living(() => ledger.jobs.nextAt(app)),
        find: ledger.jobs.find,
        list: ledger.jobs.list,
      },
    },
  };
}

interface Outcome {
  /** Ids of ticks by how often they were delivered. */
  readonly deliveries: ReadonlyMap<string, number>;
  readonly succeeded: ReadonlySet<string>;
  readonly deaths: number;
  readonly failures: number;
  readonly left: readonly string[];
}

async function run(seed: number, deadly: boolean): Promise<Outcome> {
  const chance = chanceOf(seed);
  const jobs = openJobs();
  const deliveries = new Map<string, number>();
  const succeeded = new Set<string>();
  let deaths = 0;
  let failures = 0;
  let quiet = false;
  // Answers by hand, so that ticks are under way for a while.
  jobs.answerWith = undefined;
  const runners: { runner: JobRunner; isDead: () => boolean; counted: boolean }[] = [];
  const open = (): void => {
    const { ledger, isDead } = mortal(jobs.ledger, chance, () => deadly && !quiet, (ms) => new Promise((resolve) => jobs.clock.after(ms, resolve)));
    runners.push({ runner: jobs.openRunner({ ledger }), isDead, counted: false });
  };
  for (let n = 0; n < 3; n++) open();
  const count = 4 + chance(6);
  for (let n = 0; n < count; n++) {
    await jobs.schedule(`j${n}`, { schedule: `@every ${1 + chance(5)}s`, repeats: REPEATS, failurePolicy: { intervalMs: 200 + chance(2000) }, missed: chance(2) === 0 ? 'all' : 'one', overlap: 'wait' });
  }
  let answered = 0;
  for (let step = 0; step < 1500; step++) {
    quiet ||= step > 400;
    jobs.clock.turn(quiet ? 500 : 20 + chance(400));
    await settled();
    for (const one of runners.filter(({ isDead, counted }) => isDead() && !counted)) {
      one.counted = true;
      deaths++;
      open();
    }
    if (!quiet && chance(60) === 0) jobs.become(jobs.presence === 'up' ? 'waiting' : 'up');
    if (quiet) jobs.become('up');
    const underWay = jobs.delivered.slice(answered).map(({ name }) => name);
    if (!deadly) expect(new Set(underWay).size, `seed ${seed}: ticks of one job never overlap`).toBe(underWay.length);
    for (; answered < jobs.delivered.length; answered++) {
      const delivered = jobs.delivered[answered];
      if (!delivered || (!quiet && chance(3) === 0)) break;
      const id = delivered.headers['mecha-job-tick'] ?? '';
      deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
      const verdict = quiet ? 9 : chance(10);
      if (verdict === 0) delivered.answer({ outcome: 'away', reason: 'refused' });
      else if (verdict < 3) delivered.answer(FAILURE);
      else {
        succeeded.add(id);
        delivered.answer(SUCCESS);
      }
      if (verdict < 3) failures++;
    }
    if (quiet && (await jobs.block.listAll()).length === 0) break;
  }
  const left = (await jobs.block.listAll()).map(({ name }) => name);
  await jobs.ledger.close();
  // Under the ids of the block: job n has id n + 1.
  for (let n = 0; n < count; n++) {
    const expected = Array.from({ length: REPEATS }, (_, tick) => `id-${n + 1}/${tick + 1}`);
    expect([...succeeded].filter((id) => id.startsWith(`id-${n + 1}/`)).toSorted(), `seed ${seed}: ticks of job ${n}`).toEqual(expected);
  }
  return { deliveries, succeeded, deaths, failures, left };
}

test(`without a death each tick that succeeds is delivered once for each failure and once more, and none overlaps another of its job (seeds from ${FIRST})`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { deliveries, succeeded, failures, left } = await run(seed, false);
    expect(left, `seed ${seed}`).toEqual([]);
    expect([...deliveries.values()].reduce((sum, times) => sum + times, 0), `seed ${seed}`).toBe(succeeded.size + failures);
  }
});

test(`runners die or stand still at any call: every tick of every job succeeds, and is over (seeds from ${FIRST})`, async () => {
  let died = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { left, deaths } = await run(seed, true);
    expect(left, `seed ${seed}`).toEqual([]);
    died += deaths;
  }
  expect(died, 'some have died').toBeGreaterThan(0);
});
