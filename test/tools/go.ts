/** Go programs of the tests, built with the modules that their go.sum names and with a Go that is new enough, and kept in `.cache`. */
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findCommand, findOrInstall, lastLine } from '../servers/machine.ts';
import { REPOSITORY } from './processes.ts';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 5 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** From here on Go fetches a newer Go by itself when a module asks for it. */
const FETCHES_ITSELF = '1.21';
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows' };
const MACHINES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Builds `folder`, which holds go.mod, and gives the program. Rejects with the name of what cannot be had. Go itself knows what is up to date. */
export async function goProgram(name: string, folder: string): Promise<string> {
  const version = /^go (\S+)$/m.exec(await readFile(join(folder, 'go.mod'), 'utf8'))?.[1] ?? '';
  const program = join(REPOSITORY, '.cache', `go-${name}`);
  const env = { ...process.env, ...(await goEnvironment(version)) };
  try {
    await run('go', ['build', '-mod=readonly', '-buildvcs=false', '-o', program, '.'], { cwd: folder, env, timeout: BUILD_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    throw new Error(`the Go program ${name} cannot be built: ${lastLine(error)}; ${whatToDo(version)}`, { cause: error });
  }
  return program;
}

/**
 * What to set so that `go` builds modules of this version: nothing where the machine's is as new, else a newer one from the module proxy. One
 * that is too old to look for it (Debian 12 has 1.19) downloads it as the module that it is.
 */
export async function goEnvironment(version: string): Promise<Readonly<Record<string, string>>> {
  const go = await findOrInstall(() => findCommand('go'), ['golang-go'], whatToDo(version), console.log);
  const { stdout } = await run(go, ['version'], { cwd: REPOSITORY });
  const installed = /\bgo(\d[\d.]*)/.exec(stdout)?.[1] ?? '';
  if (isAsNew(installed, version)) return {};
  if (isAsNew(installed, FETCHES_ITSELF)) return { GOTOOLCHAIN: 'auto' };
  const system = `${SYSTEMS[process.platform] ?? process.platform}-${MACHINES[process.arch] ?? process.arch}`;
  const full = version.split('.').length < 3 ? `${version}.0` : version;
  try {
    const { stdout: about } = await run('go', ['mod', 'download', '-json', `golang.org/toolchain@v0.0.1-go${full}.${system}`], { cwd: REPOSITORY, timeout: BUILD_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
    const { Dir: folder } = JSON.parse(about) as { Dir: string };
    // Modules hold no programs, so what runs is not marked as such.
    for (const programs of [join(folder, 'bin'), join(folder, 'pkg/tool', system.replace('-', '_'))]) {
      for (const file of await readdir(programs)) await chmod(join(programs, file), 0o755);
    }
    return { GOTOOLCHAIN: 'local', PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? dirname(process.execPath)}` };
  } catch (error) {
    throw new Error(`Go ${full} cannot be fetched: ${lastLine(error)}; ${whatToDo(version)}`, { cause: error });
  }
}

const whatToDo = (version: string): string => `install Go ${version} or later`;

function isAsNew(installed: string, needed: string): boolean {
  const [have, want] = [installed, needed].map((text) => text.split('.').map(Number));
  const [major = 0, minor = 0, patch = 0] = have ?? [];
  const [wantMajor = 0, wantMinor = 0, wantPatch = 0] = want ?? [];
  return major !== wantMajor ? major > wantMajor : minor !== wantMinor ? minor > wantMinor : patch >= wantPatch;
}
