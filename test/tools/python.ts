/** A Python of the tests' own: a virtual environment with the packages that a test names, made once and kept in `.cache`. */
import { execFile } from 'node:child_process';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall, lastLine } from '../servers/machine.ts';
import { REPOSITORY } from './processes.ts';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 5 * 60_000;
const WHAT_TO_DO = 'install Python 3.10 or later with its venv module';

/** The interpreter, with `packages` (`name==version`) and what they need. Rejects with the name of what cannot be had. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(REPOSITORY, '.cache', `python-${name}`);
  const done = join(folder, `${packages.join('+').replaceAll(/[^\w.+=-]/g, '_')}.done`);
  const python = join(folder, 'bin', 'python');
  if (await access(done).then(() => true, () => false)) return python;
  const machines = await findOrInstall(() => findCommand('python3'), ['python3', 'python3-venv'], WHAT_TO_DO, console.log);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
  try {
    await run(machines, ['-m', 'venv', folder], options);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], options);
  } catch (error) {
    throw new Error(`Python with ${packages.join(', ')} cannot be had: ${lastLine(error)}; ${WHAT_TO_DO}`, { cause: error });
  }
  await writeFile(done, '');
  return python;
}
