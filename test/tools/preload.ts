/** Small C libraries that are preloaded into a process under test, to see or to shape what it asks of the system. */
import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { findCommand, findOrInstall } from '../servers/machine.ts';
import { REPOSITORY } from './processes.ts';

/** Compiles a file of `test`, named without its `.c`, into `folder`; gives the path for LD_PRELOAD. */
export async function compilePreload(source: string, folder: string): Promise<string> {
  const compiler = await findOrInstall(() => findCommand('cc', 'gcc'), ['gcc', 'libc6-dev'], 'install a C compiler', console.log);
  const library = join(folder, `${basename(source)}.so`);
  execFileSync(compiler, ['-shared', '-fPIC', '-O2', '-o', library, join(REPOSITORY, 'test', `${source}.c`), '-ldl']);
  return library;
}
