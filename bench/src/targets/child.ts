/** A process that the bench starts and ends. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort as freePortOn } from '@mecha/runtime/cli/free-port.ts';
import { Problem } from '../problem.ts';
import { adopt, endProcess } from '../process/leftovers.ts';
import { PROFILED_NODE_ARGUMENTS, inspectorUrlIn } from '../profile/inspector.ts';

const LINES_KEPT = 40;
const POLL_MS = 2;

export interface Child {
  readonly pid: number;
  /** The newest lines of both outputs. */
  readonly lines: readonly string[];
  readonly exitCode: () => number | undefined;
  /** Resolves with the inspector's address once it was printed. */
  readonly inspectUrl: Promise<string>;
  stop(): Promise<void>;
}

export function startChild(args: readonly string[], options: { /** Another program than this Node. */ readonly node?: string; readonly env?: Readonly<Record<string, string>>; readonly inspect?: boolean } = {}): Child {
  const inspect = options.inspect ? PROFILED_NODE_ARGUMENTS : [];
  const child = adopt(spawn(options.node ?? process.execPath, [...inspect, ...args], { env: { ...cleanEnvironment(), ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] }));
  const lines: string[] = [];
  let exitCode: number | undefined;
  child.once('exit', (code) => (exitCode = code ?? -1));
  child.once('error', (error) => {
    exitCode = -1;
    lines.push(error.message);
  });
  const inspectUrl = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        const url = inspectorUrlIn(chunk);
        if (url) resolve(url);
        lines.push(...chunk.split('\n').filter((line) => line !== ''));
        lines.splice(0, Math.max(0, lines.length - LINES_KEPT));
      });
    }
  });
  return {
    pid: child.pid ?? 0,
    lines,
    exitCode: () => exitCode,
    inspectUrl,
    stop: () => endProcess(child),
  };
}

/** Without what would reach into the process: flags of Node, and options of a sidecar. */
function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined || /^(DAPR_|MECHA_|APP_|NODE_OPTIONS)/.test(name) ? [] : [[name, value]])));
}

/** Asks until `probe` says yes. A child that ends meanwhile, or time that runs out, is a problem with its last lines. */
export async function until(what: string, child: Child | undefined, withinMs: number, probe: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await probe())) {
    const code = child?.exitCode();
    const last = child ? `: ${child.lines.slice(-5).join(' | ')}` : '';
    if (code !== undefined) throw new Problem(`${what}: the process ended with code ${code}${last}`);
    if (performance.now() > deadline) throw new Problem(`${what}: not within ${withinMs / 1000} s${last}`);
    await sleep(POLL_MS);
  }
}

/** A port that was free a moment ago, outside the range that the system hands out by itself. */
export function freePort(): Promise<number> {
  return freePortOn('127.0.0.1');
}
