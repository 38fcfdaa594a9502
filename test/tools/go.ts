/** A Go program of the tests' own, built with the modules that its go.sum names, and kept in `.cache`. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCommand, installPackages, lastLine } from '../servers/machine.ts';
import { REPOSITORY } from './processes.ts';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 5 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Builds `folder`, which holds go.mod, and gives the program. Rejects with the name of what cannot be had. Go itself knows what is up to date. */
export async function goProgram(name: string, folder: string): Promise<string> {
  const version = /^go (\S+)$/m.exec(await readFile(join(folder, 'go.mod'), 'utf8'))?.[1] ?? '';
  const whatToDo = `install Go ${version} or later`;
  if (!(await findCommand('go'))) await installPackages(['golang-go'], whatToDo, console.log);
  const program = join(REPOSITORY, '.cache', `go-${name}`);
  try {
    await run('go', ['build', '-mod=readonly', '-buildvcs=false', '-o', program, '.'], { cwd: folder, timeout: BUILD_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    throw new Error(`the Go program ${name} cannot be built: ${lastLine(error)}; ${whatToDo}`, { cause: error });
  }
  return program;
}
