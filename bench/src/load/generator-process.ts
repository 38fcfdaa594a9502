/**
 * The process that makes the load, alone, so that its work is not counted as the target's. It takes commands over IPC
 * (`plan.ts`) and ends with its parent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { chained, type Connections } from './connection.ts';
import { Deliveries } from './deliveries.ts';
import { startEventApp, type EventApp } from './event-app.ts';
import { openGrpcConnections } from './grpc-connections.ts';
import { openHttpConnections } from './http-connections.ts';
import { Problem, isRefusal, wordsOf } from '../problem.ts';
import { LoadLoop } from './loop.ts';
import type { Answer, Command, Load, LoadResult } from './plan.ts';
import { Recorder } from './recorder.ts';
import { startTicker } from './ticker.ts';

/** Operations closer together than this begin in pairs and more. */
const TICK_MS_MIN = 0.2;

const deliveries = new Deliveries();
const apps: EventApp[] = [];

process.on('message', (command: Command) => {
  handle(command).catch((error: unknown) => {
    // Anything else is a mistake of ours: it ends the process with its stack.
    if (!(error instanceof Problem) && !isRefusal(error)) throw error;
    answer({ type: 'failed', words: wordsOf(error) });
  });
});
process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches every process of the terminal; the bench ends this one when it has come to its own end.
process.on('SIGINT', () => undefined);

async function handle(command: Command): Promise<void> {
  switch (command.type) {
    case 'app':
      apps.push(await startEventApp(command.app, (number) => deliveries.arrive(number)));
      answer({ type: 'ready' });
      break;
    case 'run':
      await run(command);
      break;
    case 'end':
      await Promise.all(apps.map((app) => app.close()));
      process.exit(0);
  }
}

async function run({ loads, warmupMs, durationMs, drainMs }: Extract<Command, { type: 'run' }>): Promise<void> {
  const recorders = new Map(loads.map(({ label }) => [label, new Recorder()]));
  const connections = await openAll(loads);
  const loops = loads.map((load, index) => new LoadLoop(load, { connections: connections[index] as Connections, deliveries, latency: recorders.get(load.label) as Recorder, ...(drainMs === undefined ? {} : { drainMs }) }));
  const rates = loads.flatMap(({ mode }) => (mode.kind === 'open' ? [mode.rate] : []));
  const tickMs = Math.max(TICK_MS_MIN, 1000 / Math.max(1, ...rates));
  const ticker = rates.length > 0 ? startTicker(tickMs, () => loops.forEach((loop) => loop.tick())) : undefined;
  const over = new AbortController();
  const { signal } = over;
  const measured = async (): Promise<{ readonly cpuCores: number; readonly busy: number }> => {
    // What is due by the clock is due at a tick: the loops begin with the first.
    const startedMs = await ticker?.fromMs;
    loops.forEach((loop) => loop.start(startedMs));
    await sleep(warmupMs, undefined, { signal });
    answer({ type: 'measuring' });
    const [cpuBefore, busyBefore, fromMs] = [process.cpuUsage(), performance.eventLoopUtilization(), performance.now()];
    loops.forEach((loop) => loop.measure());
    await sleep(durationMs, undefined, { signal });
    await Promise.all(loops.map((loop) => loop.ripened(signal)));
    loops.forEach((loop) => loop.end());
    const cpu = process.cpuUsage(cpuBefore);
    const busy = performance.eventLoopUtilization(busyBefore).utilization;
    const cpuCores = (cpu.user + cpu.system) / 1000 / (performance.now() - fromMs);
    answer({ type: 'measured' });
    await Promise.all(loops.map((loop) => loop.drained()));
    return { cpuCores, busy };
  };
  const broken = connections.map(async (one) => {
    throw new Problem(await one.broken);
  });
  try {
    const generator = await Promise.race([measured(), ...broken]);
    answer({ type: 'done', results: merged(loops, recorders), generator });
  } finally {
    over.abort();
    loops.forEach((loop) => loop.end());
    await ticker?.stop();
    for (const open of connections) open.close();
  }
}

/** All or none. */
async function openAll(loads: readonly Load[]): Promise<readonly Connections[]> {
  const opened = await Promise.allSettled(loads.map(openConnections));
  const failed = opened.find((one) => one.status === 'rejected');
  const connections = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  if (!failed) return connections;
  for (const one of connections) one.close();
  throw failed.reason as unknown;
}

async function openConnections({ host, port, request, next, mode }: Load): Promise<Connections> {
  const count = mode.kind === 'closed' ? mode.concurrency : mode.connections;
  const open = (one: Load['request']): Promise<Connections> => (one.kind === 'http' ? openHttpConnections(host, port, one, count) : openGrpcConnections(host, port, one, count));
  const first = await open(request);
  if (next === undefined) return first;
  try {
    return chained(first, await open(next));
  } catch (error) {
    first.close();
    throw error;
  }
}

/** Loads of one label are one result: their counts added, their latencies in one histogram. */
function merged(loops: readonly LoadLoop[], recorders: ReadonlyMap<string, Recorder>): readonly LoadResult[] {
  const { lost, duplicates } = deliveries.settle();
  const parts = loops.map((loop) => loop.result());
  return [...recorders].map(([label, recorder]) => {
    const own = parts.filter((part) => part.label === label);
    const firstError = own.find((part) => part.firstError !== undefined)?.firstError;
    return {
      label,
      seconds: Math.max(...own.map((part) => part.seconds)),
      operations: sum(own.map((part) => part.operations)),
      errors: sum(own.map((part) => part.errors)),
      ...(firstError === undefined ? {} : { firstError }),
      lost,
      duplicates,
      latency: recorder.percentiles(),
      distribution: recorder.distribution(),
      lagP99: Math.max(...own.map((part) => part.lagP99)),
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function answer(message: Answer): void {
  process.send?.(message);
}
