/** A bare clone of this tree (what is committed and what is about to be), and commands in it under the machine's own Node. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, realpathSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { ROOT, sourceFiles } from '../../scripts/tools.ts';

const OUTPUT_CHARS_MAX = 200_000;
const OF_THIS_RUN = /^(PATH|NODE_(?!EXTRA_CA_CERTS).*|npm_.*|INIT_CWD|VITEST.*|DAPR_.*|MECHA_.*|FORCE_COLOR|COLOR)$/i;
/** How this machine reaches the registry stays as it is. */
const NPM_SETTINGS = /^npm_config_(registry|ca|cafile|proxy|https_proxy|noproxy|strict_ssl|cache|userconfig)$/i;

/** Copies every file that git knows or would take, and makes it a repository, as a clone is one. */
export async function bareClone(folder: string): Promise<void> {
  for (const file of sourceFiles()) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await copyFile(join(ROOT, file), join(folder, file));
  }
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
}

/**
 * The environment of somebody who just cloned: the first Node on the path that is not the one this test runs under, if the
 * machine has another; npm as that one brings it; nothing of npm's or the test runner's variables.
 */
export function machineEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = new Set([process.execPath, realpathSync(process.execPath)]);
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && !folder.includes('node_modules'));
  const others = folders.filter((folder) => {
    const node = commandIn(folder, 'node');
    return node === undefined || !own.has(realpathSync(node));
  });
  const hasNode = others.some((folder) => commandIn(folder, 'node') !== undefined && commandIn(folder, 'npm') !== undefined);
  const env: Record<string, string> = { PATH: (hasNode ? others : folders).join(delimiter) };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && (NPM_SETTINGS.test(name) || !OF_THIS_RUN.test(name))) env[name] = value;
  }
  return { ...env, NO_COLOR: '1', ...extra };
}

function commandIn(folder: string, name: string): string | undefined {
  const file = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly pid: number;
  readonly done: Promise<Outcome>;
  kill(signal: NodeJS.Signals): void;
}

export function startCommand(folder: string, command: string, args: readonly string[], env: Readonly<Record<string, string>>): Command {
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] = (texts[name] + chunk).slice(-OUTPUT_CHARS_MAX);
    });
  }
  const done = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null, ...texts }));
  return { pid: child.pid ?? 0, done, kill: (signal) => void child.kill(signal) };
}

export function runCommand(folder: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = machineEnv()): Promise<Outcome> {
  return startCommand(folder, command, args, env).done;
}
