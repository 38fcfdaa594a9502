/**
 * Where the chance in tests begins. A gate must say the same of the same commit, so `.ci/run` sets `MECHA_TEST_SEED`; everywhere else each
 * run draws what none has drawn before. Every test that draws prints its seed when it fails; the variable set to that replays it.
 */
const SEEDS = 1_000_000_000;

/** The same for all of a test file. */
export const SEED: number = readSeed(process.env['MECHA_TEST_SEED']) ?? Date.now() % SEEDS;

function readSeed(text = ''): number | undefined {
  if (text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`MECHA_TEST_SEED must be a whole number, not '${text}'`);
  return Number(text);
}
