/** `npm run bench`: see `--help` and bench/README.md. Exit codes: 0 measured, 1 something broke, 2 a wrong command line or target. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { HELP, parseArguments, type Options } from './arguments.ts';
import { Bench } from './bench.ts';
import { Problem, isRefusal, wordsOf } from './problem.ts';
import { endAll, killAll } from './process/leftovers.ts';
import { charts } from './report/chart.ts';
import { describeMachine } from './report/machine.ts';
import { writeResults, type Fact, type Measurement, type Results } from './report/results.ts';
import { textTables } from './report/table.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { runLoadScenario } from './scenarios/run-load.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { DEFAULT_BUILD } from './targets/mecha.ts';

const ROOT = join(import.meta.dirname, '../..');

async function main(argv: readonly string[]): Promise<void> {
  const names = SCENARIOS.map(({ name }) => name);
  const options = parseArguments(argv, names);
  if (options === 'help') {
    const width = Math.max(...names.map((name) => name.length));
    process.stdout.write(`${HELP}${SCENARIOS.map(({ name, words }) => `  ${name.padEnd(width)}  ${words}\n`).join('')}`);
    return;
  }
  const scenarios = chosen(options);
  buildIfMissing(options);
  const bench = new Bench(options, serverAddresses(), (line) => console.log(line));
  const startedAt = new Date().toISOString();
  const measurements: Measurement[] = [];
  const facts: Fact[] = [];
  const results = (): Results => ({ startedAt, machine: describeMachine(ROOT), arguments: argv, measurements, facts });
  let written: string | undefined;
  for (const scenario of scenarios) {
    console.log(`${scenario.name}: ${scenario.words}`);
    if (scenario.kind === 'load') {
      measurements.push(...(await runLoadScenario(bench, scenario)));
    } else {
      const taken = await scenario.run(bench);
      measurements.push(...taken.measurements);
      facts.push(...taken.facts);
    }
    if (measurements.length + facts.length === 0) continue;
    // After each: what was measured is not lost with what fails later.
    written = await writeResults(options.results, results());
  }
  if (written === undefined) throw new Problem('nothing was measured: no scenario knows these backends and protocols');
  const drawn = charts(results());
  for (const { file, svg } of drawn) await writeFile(join(options.results, file), svg);
  console.log(`\n${textTables(results())}\nresults: ${written}${drawn.map(({ file }) => `\nchart: ${join(options.results, file)}`).join('')}`);
}

function chosen(options: Options): readonly Scenario[] {
  if (options.scenarios.length > 0) {
    const picked = options.scenarios.flatMap((name) => SCENARIOS.find((scenario) => scenario.name === name) ?? []);
    const own = options.external && picked.find((scenario) => scenario.kind === 'own');
    if (own) throw new Problem(`${own.name} starts its own processes; it cannot be aimed at one that runs already`);
    return picked;
  }
  if (!options.external) return SCENARIOS;
  // All that a foreign process can be asked without knowing how its app is reached.
  return SCENARIOS.filter((scenario) => scenario.kind === 'load' && scenario.app === 'none' && scenario.backends.length > 0);
}

function buildIfMissing(options: Options): void {
  if (options.external || existsSync(DEFAULT_BUILD) || options.builds.every(({ folder }) => folder !== DEFAULT_BUILD)) return;
  console.log('no built package in dist: building it');
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Problem('the build failed');
}

/** Addresses that `npm run servers -- up` wrote, overridden by the environment. */
function serverAddresses(): Readonly<Record<string, string>> {
  const file = join(process.env['MECHA_SERVERS_DIR'] || join(ROOT, '.servers'), 'env.json');
  const written = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  const given = Object.fromEntries(['MECHA_REDIS_HOST', 'MECHA_KAFKA_BROKERS', 'MECHA_POSTGRESQL_HOST'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  return { ...written, ...given };
}

let interrupted = false;

/** The first signal ends all that was started, the second this process. */
async function interrupt(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  interrupted = true;
  console.error('bench: interrupted');
  await endAll();
  process.exit(128 + constants.signals[signal]);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void interrupt(signal));
process.once('exit', killAll);

try {
  await main(process.argv.slice(2));
} catch (error) {
  // What breaks while all is ended breaks because of that.
  if (!interrupted) {
    if (!(error instanceof Problem) && !isRefusal(error)) throw error;
    console.error(`bench: ${wordsOf(error)}`);
    process.exitCode = 2;
  }
} finally {
  await endAll();
}
