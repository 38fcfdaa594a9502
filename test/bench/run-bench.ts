/** `npm run bench` as its users run it: to its end, with what it wrote. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newestResults, readResults, type Results } from '../../bench/src/report/results.ts';
import { runNode } from '../../scripts/tools.ts';
import { cleanEnv, REPOSITORY, start, temporaryFolder, type Running } from '../tools/processes.ts';

const BENCH = join(REPOSITORY, 'bench/src/main.ts');
/** A package of this very tree, whatever stands in dist. */
export async function buildInto(folder: string): Promise<void> {
  const { code, output } = await runNode(['scripts/build.ts', '--out', folder]);
  if (code !== 0) throw new Error(`the build ended with code ${code}:\n${output}`);
}

/** As short as it can be and still measure: what is asserted are counts. */
export const SHORT: readonly string[] = ['--quick', '--duration', '300ms', '--warmup', '50ms', '--concurrency', '4', '--rate', '50', '--connections', '32', '--rows', '20,60', '--orders', '4'];

/** Undone in reverse order by `cleanUp`; call that in `afterEach`. */
const leftovers: (() => Promise<unknown>)[] = [];
export function later(undo: () => Promise<unknown>): void {
  leftovers.push(undo);
}
export async function cleanUp(): Promise<void> {
  for (const undo of leftovers.splice(0).toReversed()) await undo();
}

export interface Bench {
  readonly process: Running;
  /** Where it writes its results. */
  readonly folder: string;
  /** Its TMPDIR: empty at the start, and to be at the end. */
  readonly temporary: string;
  out(): string;
  err(): string;
  readonly ended: Promise<Outcome>;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly folder: string;
}

export async function startBench(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Bench> {
  const [results, temporary] = [await temporaryFolder(), await temporaryFolder()];
  later(results.remove);
  later(temporary.remove);
  const running = start(process.execPath, [BENCH, ...args, '--results', results.path], { env: cleanEnv({ ...env, TMPDIR: temporary.path }) });
  later(() => running.kill('SIGTERM'));
  const texts = { out: '', err: '' };
  running.child.stdout?.on('data', (chunk: string) => (texts.out += chunk));
  running.child.stderr?.on('data', (chunk: string) => (texts.err += chunk));
  const ended = once(running.child, 'close').then(([code]) => ({ code: code as number | null, ...texts, folder: results.path }));
  return { process: running, folder: results.path, temporary: temporary.path, out: () => texts.out, err: () => texts.err, ended };
}

export async function runBench(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return (await startBench(args, env)).ended;
}

/** What a run that must succeed has measured. */
export async function resultsOf({ code, out, err, folder }: Outcome): Promise<Results> {
  const file = await newestResults(folder);
  if (code !== 0 || file === undefined) throw new Error(`the bench ended with code ${code}:\n${out}\n${err}`);
  return readResults(file);
}

/** `state-get http memory`: what was measured, each once. */
export function measuredIn({ measurements }: Results): readonly string[] {
  return [...new Set(measurements.map(({ scenario, protocol, variant }) => `${scenario} ${protocol} ${variant}`))];
}

export async function filesIn(folder: string, ending: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(ending)).toSorted();
}

export interface ChildOf {
  readonly pid: number;
  readonly command: string;
}

/** The processes that it has started and that live. */
export function childrenOf(pid: number): readonly ChildOf[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, child, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === pid && !command.startsWith('ps ') ? [{ pid: Number(child), command }] : [];
  });
}
