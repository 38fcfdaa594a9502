/**
 * What must not outlive the bench: the processes that it started and its temporary folders. Whoever starts one ends it too;
 * this list is for the run that is interrupted, or that ends by a mistake of ours.
 */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem.ts';

/** Longer than a sidecar takes to drain. */
export const KILL_AFTER_MS = 20_000;
const REMOVE_TRIES = 5;

const children = new Set<ChildProcess>();
const folders = new Set<string>();
let ending = false;

/** Takes a process that was just started onto the list, until it ends. @throws Problem when all is coming to its end */
export function adopt<T extends ChildProcess>(child: T): T {
  children.add(child);
  child.once('exit', () => children.delete(child));
  // One that could not be started has no exit.
  child.once('error', () => children.delete(child));
  if (ending) {
    child.kill('SIGKILL');
    throw new Problem('interrupted');
  }
  return child;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-bench-'));
  folders.add(folder);
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  folders.delete(folder);
}

/** Asks the process to end, and kills it when it has not after a while. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await Promise.race([exited, sleep(KILL_AFTER_MS, undefined, { ref: false })]);
  if (!hasEnded(child)) child.kill('SIGKILL');
  await exited;
}

/** Ends everything; what is started from now on is ended at once. */
export async function endAll(): Promise<void> {
  ending = true;
  while (children.size > 0) await Promise.all([...children].map((child) => endProcess(child)));
  for (const folder of folders) await removeFolder(folder);
}

/** The last resort, as this process itself ends. */
export function killAll(): void {
  ending = true;
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
