/** Real processes for tests: started, spoken to, killed, and never left behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mecha/runtime/cli/free-port.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const MECHA = join(REPOSITORY, 'runtime/src/main.ts');
const LINES_KEPT = 400;

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The newest lines of both outputs, for a failing test's message. */
  readonly lines: readonly string[];
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Environment without anything that would reach into the process under test. */
export function cleanEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(DAPR_|APP_|MECHA_(?!REDIS|KAFKA)|NODE_OPTIONS|VITEST)/.test(name)) env[name] = value;
  }
  return { ...env, ...extra };
}

export function start(command: string, args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Running {
  const child = spawn(command, args, { env: options.env ?? cleanEnv(), cwd: options.cwd ?? REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      lines.push(...chunk.split('\n').filter((line) => line !== ''));
      lines.splice(0, Math.max(0, lines.length - LINES_KEPT));
    });
  }
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    child,
    pid: child.pid ?? 0,
    lines,
    exited,
    async kill(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

/** `mecha <args>` from the sources. */
export function startMecha(args: readonly string[], env: Record<string, string> = {}): Running {
  return start(process.execPath, [MECHA, ...args], { env: cleanEnv(env) });
}

/** Ports that were free a moment ago; all different. */
export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort('127.0.0.1')));
}

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mecha-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Polls until `probe` gives something; rejects with `what` and the lines of `about` after `withinMs`. */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false, options: { withinMs?: number; about?: Running } = {}): Promise<T> {
  const withinMs = options.withinMs ?? 30_000;
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}${last ? ` (${String(last)})` : ''}\n${options.about?.lines.slice(-30).join('\n') ?? ''}`);
}

export async function untilStatus(url: string, status: number, about?: Running): Promise<void> {
  await until(`${url} answers ${status}`, async () => (await fetch(url)).status === status, about ? { about } : {});
}

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
