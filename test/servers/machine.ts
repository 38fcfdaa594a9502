/** What the machine has, and what can be installed on it. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ServerMissing, type Say } from './server-kind.ts';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Where Debian keeps servers; only root's PATH has it. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Full path of the first of these commands on the PATH, or where servers are kept. */
export async function findCommand(...names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of [...(process.env['PATH'] ?? '').split(path.delimiter).filter((entry) => entry !== ''), ...SERVER_FOLDERS]) {
      const candidate = path.join(folder, name);
      if (await isExecutable(candidate)) return candidate;
    }
  }
  return undefined;
}

/** What `find` finds: what the machine has, else what these Debian packages bring. */
export async function findOrInstall(find: () => Promise<string | undefined>, packages: readonly string[], whatToDo: string, say: Say): Promise<string> {
  const found = await find();
  if (found) return found;
  await installPackages(packages, whatToDo, say);
  const installed = await find();
  if (!installed) throw new ServerMissing(`what is wanted is not to be found, even after ${packages.join(', ')} was installed`, whatToDo);
  return installed;
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** One installation at a time, here; another program's is waited for. */
let installing: Promise<void> = Promise.resolve();
const LOCK_WAIT = ['-o', 'DPkg::Lock::Timeout=300'];

/** Installs Debian packages; only as root on a Debian family, else it is for the reader to do (`whatToDo`). */
function installPackages(packages: readonly string[], whatToDo: string, say: Say): Promise<void> {
  const own = installing.then(() => install(packages, whatToDo, say));
  installing = own.catch(() => undefined);
  return own;
}

async function install(packages: readonly string[], whatToDo: string, say: Say): Promise<void> {
  const apt = await findCommand('apt-get');
  if (!apt) throw new ServerMissing(`${packages.join(', ')} not found, and this machine has no apt-get to install it with`, whatToDo);
  if (process.getuid?.() !== 0) throw new ServerMissing(`${packages.join(', ')} not found, and only root may install packages`, whatToDo);
  say(`installing ${packages.join(' ')} from Debian's packages, as root`);
  // RUNLEVEL=1 keeps a package from starting its own service after the installation.
  const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } };
  try {
    await run(apt, [...LOCK_WAIT, 'update'], options);
    await run(apt, [...LOCK_WAIT, 'install', '-y', '--no-install-recommends', ...packages], options);
  } catch (error) {
    throw new ServerMissing(`apt-get could not install ${packages.join(' ')}: ${lastLine(error)}`, whatToDo, error);
  }
}

/** The last words of a failed command. */
export function lastLine(error: unknown): string {
  const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message?: string };
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  return lines.at(-1) ?? message ?? String(error);
}
