/**
 * `node scripts/simulate.ts`: lives of the workflow engine under faults, one per seed (runtime/src/engine/simulation). `--seed N` replays
 * one; `--seeds N --from M` runs many; `--mutant NAME` breaks the ledger on purpose. Ends with 1 when an invariant did not hold.
 */
import { parseArgs } from 'node:util';
import { MUTANTS } from '@mecha/runtime/engine/simulation/faulty-ledger.ts';
import { simulate } from '@mecha/runtime/engine/simulation/simulate.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' }, mutant: { type: 'string' }, help: { type: 'boolean', default: false } },
});
const mutant = MUTANTS.find((name) => name === values.mutant);
if (values.help) console.log(`node scripts/simulate.ts [--seed N | --seeds N --from N] [--mutant ${MUTANTS.join('|')}]`);
else if (values.mutant !== undefined && mutant === undefined) {
  console.error(`there is no mutant ${values.mutant}; there are ${MUTANTS.join(', ')}`);
  process.exitCode = 2;
} else {
  const first = Number(values.seed ?? values.from);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  const hits = new Map<string, number>();
  let [failed, steps, events] = [0, 0, 0];
  const start = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    const report = await simulate({ seed, mutant });
    steps += report.steps;
    events += report.events;
    for (const [point, times] of report.hits) hits.set(point, (hits.get(point) ?? 0) + times);
    if (report.violations.length === 0) continue;
    failed++;
    console.log(`seed ${seed}, after ${(report.elapsed / 1000).toFixed(1)} virtual seconds and ${report.events} events:\n  ${report.violations.slice(0, 5).join('\n  ')}`);
    if (failed >= 10) break;
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${count} seeds, ${failed} failed; ${steps} steps, ${events} events in ${seconds.toFixed(1)} s; faults struck at ${hits.size} points`);
  if (count > 1) for (const [point, times] of [...hits].toSorted(([a], [b]) => (a < b ? -1 : 1))) console.log(`  ${String(times).padStart(7)} ${point}`);
  if (failed > 0) process.exitCode = 1;
}
