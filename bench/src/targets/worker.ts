/** A worker of the official SDK beside a sidecar. Its processor time is the app's, and so not counted as the target's. */
import { fileURLToPath } from 'node:url';
import { startChild, until } from './child.ts';
import type { Target } from './target.ts';

const STARTS_WITHIN_MS = 60_000;

export async function startWithWorker(target: Target): Promise<Target> {
  const child = startChild([fileURLToPath(new URL('./workflow-worker.ts', import.meta.url)), target.grpc.host, String(target.grpc.port)]);
  const stop = async (): Promise<void> => {
    await child.stop();
    await target.stop();
  };
  await until('a workflow worker starts', child, STARTS_WITHIN_MS, async () => child.lines.includes('worker started')).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { ...target, stop };
}
