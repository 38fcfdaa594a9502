/**
 * Wakes the open loop in time. Node's timers are whole milliseconds and late under load; a thread that sleeps on a futex
 * is a few ten microseconds late and costs no core.
 *
 * Ticks stand on a grid from `fromMs` on, and come at a point of it or later, never earlier: a loop whose operations are due
 * at those points finds each of them due. (With a grid of its own it would find most of them not quite due yet, and begin
 * them a whole tick late.)
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

export interface Ticker {
  /** Resolves at the first tick with the time when it was due, as `performance.now()` of this thread has it. */
  readonly fromMs: Promise<number>;
  stop(): Promise<void>;
}

export function startTicker(everyMs: number, tick: () => void): Ticker {
  const worker = new Worker(new URL('./ticker.ts', import.meta.url), { workerData: { everyMs } });
  const fromMs = new Promise<number>((resolve) => worker.once('message', (ofFirst: number) => resolve(ofFirst - systemMs() + performance.now())));
  worker.on('message', tick);
  return {
    fromMs,
    async stop() {
      await worker.terminate();
    },
  };
}

/** Of the one clock that all threads share; each has its own `performance`. */
function systemMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

if (!isMainThread && parentPort !== null && isTicker(workerData)) {
  const { everyMs } = workerData;
  const never = new Int32Array(new SharedArrayBuffer(4));
  let nextMs = systemMs() + everyMs;
  for (;;) {
    for (let waitMs = nextMs - systemMs(); waitMs > 0; waitMs = nextMs - systemMs()) Atomics.wait(never, 0, 0, waitMs);
    parentPort.postMessage(nextMs);
    // One wake-up for all ticks that were slept through: each would find the same work.
    nextMs += everyMs * Math.max(1, Math.ceil((systemMs() - nextMs) / everyMs));
  }
}

function isTicker(data: unknown): data is { everyMs: number } {
  return typeof data === 'object' && data !== null && 'everyMs' in data && typeof data.everyMs === 'number';
}
