/**
 * Processes that outlive the command that started them: started detached, remembered by pid *and* start time, so that
 * a pid that the system gave to somebody else in the meantime is never signalled.
 */
import { execFile, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
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
      // The command name stands in parentheses and may hold blanks; after it come state (field 3) and start time (22).
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)\s/s, '').split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return (await run('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim() || undefined;
  } catch {
    return undefined; // both ways of asking fail exactly when the process is gone
  }
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

/** Ends the folder's process (`SIGKILL` at once when `hard`) and waits until it is gone. Returns whether one was running. */
export async function stopProcess(folder: string, hard = false): Promise<boolean> {
  const known = await runningProcess(folder);
  if (known) {
    const gone = async (): Promise<boolean> => (await startTimeOf(known.pid)) !== known.startedAt;
    const deadline = Date.now() + KILL_AFTER_MS;
    signal(known.pid, hard ? 'SIGKILL' : (known.stopSignal ?? 'SIGTERM'));
    for (let killed = hard; !(await gone()); await sleep(LOOK_AGAIN_MS)) {
      if (killed || Date.now() < deadline) continue;
      signal(known.pid, 'SIGKILL');
      killed = true;
    }
  }
  await rm(recordOf(folder), { force: true });
  return known !== undefined;
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
