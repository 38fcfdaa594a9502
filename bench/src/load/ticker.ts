/**
 * Wakes the open loop in time. Node's timers are whole milliseconds and late under load; a thread that sleeps on a futex
 * is a few ten microseconds late and costs no core.
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

export interface Ticker {
  /** Resolves at the first tick. */
  readonly ticking: Promise<void>;
  stop(): Promise<void>;
}

export function startTicker(everyMs: number, tick: () => void): Ticker {
  const worker = new Worker(new URL('./ticker.ts', import.meta.url), { workerData: { everyMs } });
  const ticking = new Promise<void>((resolve) => worker.once('message', () => resolve()));
  worker.on('message', tick);
  return {
    ticking,
    async stop() {
      await worker.terminate();
    },
  };
}

if (!isMainThread && parentPort !== null && isTicker(workerData)) {
  const { everyMs } = workerData;
  const never = new Int32Array(new SharedArrayBuffer(4));
  let nextMs = performance.now() + everyMs;
  for (;;) {
    const waitMs = nextMs - performance.now();
    if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
    // One wake-up for all ticks that were slept through: each would find the same work.
    nextMs = Math.max(nextMs + everyMs, performance.now());
    parentPort.postMessage(0);
  }
}

function isTicker(data: unknown): data is { everyMs: number } {
  return typeof data === 'object' && data !== null && 'everyMs' in data && typeof data.everyMs === 'number';
}
