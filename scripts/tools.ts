/** What the scripts share: the root of the repository, its tools, its files, and running one thing with its output kept. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** The newest output is what explains a failure; more than this of it helps nobody. */
const OUTPUT_CHARS_MAX = 1_000_000;
const FILE_LIST_BYTES_MAX = 16 * 1024 * 1024;

/** The JavaScript file behind an installed tool, for `node FILE`. */
export function toolPath(file: string): string {
  return join(ROOT, 'node_modules', file);
}

export interface Ran {
  /** A tool that was killed has code 1. */
  readonly code: number;
  /** Both outputs as they came; empty when they were passed through. */
  readonly output: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Lets the tool write to this terminal instead of keeping its output. */
  readonly show?: boolean;
  readonly signal?: AbortSignal;
}

/** Runs a JavaScript or TypeScript file under this very Node, from the root. Never rejects for what the tool does. */
export function runNode(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...(options.env ?? process.env), ...(options.show ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }) },
      stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
      });
    }
    const end = (): void => void child.kill('SIGTERM');
    options.signal?.addEventListener('abort', end, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      options.signal?.removeEventListener('abort', end);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** `scripts/generate-*.ts`, each of which writes its files, or with `--check` ends with 1 when they are stale. */
export async function generators(): Promise<readonly string[]> {
  const names = await readdir(join(ROOT, 'scripts'));
  return names.filter((name) => /^generate-.+\.ts$/.test(name) && !name.endsWith('.test.ts')).toSorted().map((name) => join('scripts', name));
}

/** All files of the tree that git does not ignore, committed or not, relative to the root, with forward slashes. */
export function sourceFiles(): readonly string[] {
  const list = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8', maxBuffer: FILE_LIST_BYTES_MAX });
  // A file removed and not yet committed is still in git's list.
  return [...new Set(list.split('\0'))].filter((file) => file !== '' && existsSync(join(ROOT, file))).toSorted();
}

/** `1.2 s` */
export function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
