/** Seeded lives of the engine, as `../../engine/simulation` lives them in memory, over the statements and functions of PostgreSQL. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SEED as FIRST } from '@mecha/components/kit/test-seed.ts';
import { serverAddress } from '../../../../test/servers/servers.ts';
import { simulate } from '../../engine/simulation/simulate.ts';
import { createTestSchema, type TestSchema } from './testing.ts';

const SEEDS = 4;

let schema: TestSchema;
beforeAll(async () => {
  schema = await createTestSchema(serverAddress('postgresql'));
  await (await schema.open()).close();
});
afterAll(() => schema.drop());

test.each(Array.from({ length: SEEDS }, (_, n) => FIRST + n))('all invariants hold in the life of seed %i, not replayed exactly: the server answers when it will', { timeout: 120_000 }, async (seed) => {
  await schema.empty();
  const after = (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
  const report = await simulate({ seed, open: (now) => schema.open({ now, after }, undefined, seed % 2 === 0 ? 1 : undefined), workflows: 2 });
  expect(report.violations).toEqual([]);
  expect(report.steps).toBeGreaterThan(0);
});
