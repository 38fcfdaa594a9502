/**
 * Processes that outlive the command that started them: started detached, remembered by pid *and* start time, so that
 * a pid that the system gave to somebody else in the meantime is never signalled.
 */
import { execFile, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Launch } from './server-kind.ts';

const run = promisify(execFile);
const KILL_AFTER_MS = 20_000;
const LOOK_AGAIN_MS = 50;

export interface RunningProcess {
  readonly pid: number;
  /** As the system tells it; opaque, only compared. */
  readonly startedAt: string;
  readonly port: number;
  readonly stopSignal?: NodeJS.Signals;
}

/** Undefined when there is no such process (or it is a zombie). */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      const { state, startedAt } = await statOf(pid);
      return state === 'Z' ? undefined : startedAt;
    }
    return (await run('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim() || undefined;
  } catch {
    return undefined; // both ways of asking fail exactly when the process is gone
  }
}

/** Rejects when there is no such process. */
async function statOf(pid: number | string): Promise<{ state?: string | undefined; parent: number; startedAt?: string | undefined }> {
  // The command name stands in parentheses and may hold blanks; after it come state (field 3), parent (4) and start time (22).
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)\s/s, '').split(' ');
  return { state: fields[0], parent: Number(fields[1]), startedAt: fields[19] };
}

const recordOf = (folder: string): string => path.join(folder, 'process.json');
export const logOf = (folder: string): string => path.join(folder, 'server.log');

/** Starts the server with its output in `server.log` and leaves its record in the folder. Rejects when it cannot be run at all. */
export async function startProcess(launch: Launch, folder: string, port: number): Promise<RunningProcess> {
  const log = openSync(logOf(folder), 'a');
  try {
    const child = spawn(launch.command, launch.args, {
      cwd: launch.cwd ?? folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...launch.env },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    const started = { pid, startedAt: (await startTimeOf(pid)) ?? 'ended at once', port, ...(launch.stopSignal ? { stopSignal: launch.stopSignal } : {}) };
    await writeFile(recordOf(folder), JSON.stringify(started));
    return started;
  } finally {
    closeSync(log);
  }
}

/** The process that the folder's record names, if it is still that one. */
export async function runningProcess(folder: string): Promise<RunningProcess | undefined> {
  let text: string;
  try {
    text = await readFile(recordOf(folder), 'utf8');
  } catch {
    return undefined; // nothing was started here
  }
  const known = JSON.parse(text) as RunningProcess;
  return (await startTimeOf(known.pid)) === known.startedAt ? known : undefined;
}

/**
 * Ends the folder's process (`SIGKILL` at once when `hard`) and waits until it is gone. Returns whether one was running.
 *
 * After a hard end it waits for the children too: a PostgreSQL whose backends still write refuses to start again.
 */
export async function stopProcess(folder: string, hard = false): Promise<boolean> {
  const known = await runningProcess(folder);
  if (known) {
    // While it stands still it makes no child that would not be known.
    if (hard) signal(known.pid, 'SIGSTOP');
    const children = hard ? await childrenOf(known.pid) : [];
    await end(known, hard ? 'SIGKILL' : (known.stopSignal ?? 'SIGTERM'));
    // Without their parent they end by themselves.
    for (const child of children) await end(child);
  }
  await rm(recordOf(folder), { force: true });
  return known !== undefined;
}

type KnownProcess = Pick<RunningProcess, 'pid' | 'startedAt'>;

/** Resolves when it is gone; one that does not go in good time is killed. */
async function end({ pid, startedAt }: KnownProcess, by?: NodeJS.Signals): Promise<void> {
  const deadline = Date.now() + KILL_AFTER_MS;
  if (by) signal(pid, by);
  for (let killed = by === 'SIGKILL'; (await startTimeOf(pid)) === startedAt; await sleep(LOOK_AGAIN_MS)) {
    if (killed || Date.now() < deadline) continue;
    signal(pid, 'SIGKILL');
    killed = true;
  }
}

async function childrenOf(parent: number): Promise<readonly KnownProcess[]> {
  const pairs = process.platform === 'linux' ? await pairsOfProc() : await pairsOfPs();
  const pids = pairs.filter((pair) => pair.parent === parent).map(({ pid }) => pid);
  const children = await Promise.all(pids.map(async (pid) => ({ pid, startedAt: await startTimeOf(pid) })));
  return children.flatMap(({ pid, startedAt }) => (startedAt === undefined ? [] : [{ pid, startedAt }]));
}

interface Pair {
  readonly pid: number;
  readonly parent: number;
}
async function pairsOfProc(): Promise<readonly Pair[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.allSettled(pids.map(async (pid) => ({ pid: Number(pid), parent: (await statOf(pid)).parent })));
  return stats.flatMap((stat) => (stat.status === 'fulfilled' ? [stat.value] : []));
}
async function pairsOfPs(): Promise<readonly Pair[]> {
  const lines = (await run('ps', ['-A', '-o', 'pid=,ppid='])).stdout.trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/)).map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** `wanted` if nobody listens there, else any free port. */
export async function freePort(wanted = 0): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? Promise.reject(new Error('the system has no free port'));
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
