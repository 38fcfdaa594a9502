/** The bindings pipeline as its users run it, and services in the place of its own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { cleanEnv, REPOSITORY, start } from '../tools/processes.ts';

const SAMPLE = join(REPOSITORY, 'samples/bindings-pipeline');

export interface Outcome {
  readonly code: number | null;
  readonly last: string;
  readonly output: string;
}

/** What `npm start -- <args>` runs; `meanwhile` is given the lines that it has written so far. */
export async function startSample(args: readonly string[], env: Readonly<Record<string, string>> = {}, meanwhile = async (_lines: readonly string[]): Promise<void> => undefined): Promise<Outcome> {
  const driver = start(process.execPath, [join(REPOSITORY, 'samples/driver/start.ts'), ...args], { env: cleanEnv(env) });
  // SIGTERM lets the driver end the sidecar and the service as well.
  onTestFinished(() => driver.kill('SIGTERM'));
  const [code] = await Promise.all([driver.exited, meanwhile(driver.lines)]);
  return { code, last: driver.lines.at(-1) ?? '', output: driver.lines.join('\n') };
}

export const runPipeline = (args: readonly string[], ...more: [env?: Readonly<Record<string, string>>, meanwhile?: (lines: readonly string[]) => Promise<void>]): Promise<Outcome> =>
  startSample(['--sample', 'bindings-pipeline', '--exit', ...args], ...more);

/** Writes a dispatch service that differs from the real one by one change, and a run file for it, into `folder`; gives the run file. */
export async function writeMutant(folder: string, [wanted, instead]: readonly [string, string]): Promise<string> {
  const source = await readFile(join(SAMPLE, 'dispatch/dispatch.ts'), 'utf8');
  if (source.split(wanted).length !== 2) throw new Error(`the dispatch service no longer has, exactly once: ${wanted}`);
  await mkdir(join(folder, 'dispatch'));
  await writeFile(join(folder, 'dispatch/dispatch.ts'), source.replace(wanted, instead));
  const runFile = join(folder, 'mecha.yaml');
  await writeFile(runFile, (await readFile(join(SAMPLE, 'mecha.yaml'), 'utf8')).replaceAll('./resources', join(SAMPLE, 'resources')));
  return runFile;
}
