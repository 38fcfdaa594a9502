/** A worker of an official SDK beside a sidecar. Its processor time is the app's, and so not counted as the target's. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Problem, wordsOf } from '../problem.ts';
import { startChild, until, type Child } from './child.ts';
import type { Target } from './target.ts';

export const WORKERS = ['javascript', 'go'] as const;
export type Worker = (typeof WORKERS)[number];

const STARTS_WITHIN_MS = 60_000;
const BUILDS_WITHIN_MS = 300_000;
const GO_FOLDER = fileURLToPath(new URL('./go-worker', import.meta.url));
const GO_PROGRAM = join(import.meta.dirname, '../../../.cache/bench-go-worker');

export async function startWithWorker(target: Target, worker: Worker): Promise<Target> {
  const started: { stop(): Promise<void> }[] = [target];
  const stop = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    const child = await startWorker(target, worker);
    started.push(child);
    await until(`a workflow worker (${worker}) starts`, child, STARTS_WITHIN_MS, async () => child.lines.includes('worker started'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...target, stop };
}

async function startWorker({ grpc: { host, port } }: Target, worker: Worker): Promise<Child> {
  if (worker === 'javascript') return startChild([fileURLToPath(new URL('./javascript-worker.ts', import.meta.url)), host, String(port)]);
  try {
    // Go itself knows what is up to date.
    await promisify(execFile)('go', ['build', '-mod=readonly', '-buildvcs=false', '-o', GO_PROGRAM, '.'], { cwd: GO_FOLDER, timeout: BUILDS_WITHIN_MS });
  } catch (error) {
    throw new Problem(`the go worker cannot be built (--workers javascript does without): ${wordsOf(error).trim().split('\n').at(-1) ?? ''}`, { cause: error });
  }
  return startChild([], { node: GO_PROGRAM, env: { DAPR_GRPC_ENDPOINT: `${host}:${port}` } });
}
