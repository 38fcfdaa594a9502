/**
 * From spawning the built package to ready: with its files in the page cache (and Node's cache of compiled code filled, as
 * every start after the first finds it), and with the files dropped from the page cache. Beside it the bare server.
 */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { evictFromCache } from '../process/file-cache.ts';
import { removeFolder, temporaryFolder } from '../process/leftovers.ts';
import { memoryOf } from '../process/sampler.ts';
import type { Fact } from '../report/results.ts';
import { startBare } from '../targets/bare.ts';
import { until } from '../targets/child.ts';
import { spawnMecha } from '../targets/mecha.ts';
import { answers204 } from '../targets/ready.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnScenario } from './scenario.ts';

const READY_WITHIN_MS = 60_000;
const IDLE_MS = 5000;
const QUICK_IDLE_MS = 300;
/** Starts per round: one is over quickly, and one alone says little. */
const STARTS = 5;

export const startup: OwnScenario = {
  kind: 'own',
  name: 'startup',
  words: 'from spawn to ready, with a warm and with a cold file cache',
  external: false,
  async run(bench) {
    const facts: Fact[] = [];
    const folder = await temporaryFolder();
    try {
      // A copy of Node: the pages of the one that runs this cannot be dropped.
      const node = join(folder, 'node');
      await cp(process.execPath, node);
      for (const { name } of bench.builds) await mkdir(join(folder, name));
      for (const { name, folder: built } of bench.builds) await cp(built, join(folder, name), { recursive: true });
      const fact = (variant: string, round: number, value: number): Fact => ({ scenario: 'startup', variant, round, name: 'spawn to ready', unit: 'ms', value });
      await startBareMs(bench);
      for (const { name } of bench.builds) await startMechaMs(bench, node, join(folder, name));
      for (let round = 1; round <= bench.options.rounds * (bench.options.quick ? 1 : STARTS); round++) {
        facts.push(fact('bare', round, await startBareMs(bench)));
        for (const { name } of bench.builds) {
          const label = bench.builds.length > 1 ? ` ${name}` : '';
          facts.push(fact(`mecha${label}`, round, await startMechaMs(bench, node, join(folder, name))));
          const evicted = await evictFromCache([node, join(folder, name)]);
          if (evicted.evicted) facts.push(fact(`mecha${label}, cold`, round, await startMechaMs(bench, node, join(folder, name))));
          else if (round === 1) bench.say(`  startup: no cold start is measured: ${evicted.words}`);
        }
      }
    } finally {
      await removeFolder(folder);
    }
    return { measurements: [], facts };
  },
};

export const idleMemory: OwnScenario = {
  kind: 'own',
  name: 'idle-memory',
  words: 'resident memory of a sidecar with the embedded default, some seconds after it was ready',
  external: false,
  async run(bench) {
    const facts: Fact[] = [];
    const idleMs = bench.options.quick ? QUICK_IDLE_MS : IDLE_MS;
    for (let round = 1; round <= bench.options.rounds; round++) {
      const bare = await startBare({ payloadBytes: bench.options.payloadBytes });
      const mechas = [];
      for (const build of bench.builds) mechas.push({ build, mecha: await start(bench, undefined, build.folder) });
      await sleep(idleMs);
      const targets = [{ variant: 'bare', target: bare }, ...mechas.map(({ build, mecha }) => ({ variant: bench.builds.length > 1 ? `mecha ${build.name}` : 'mecha', target: mecha }))];
      for (const { variant, target } of targets) {
        const memory = memoryOf(target.pids[0] ?? 0);
        if (memory) facts.push({ scenario: 'idle-memory', variant, round, name: 'resident', unit: 'bytes', value: memory.rss });
        if (memory?.pss !== undefined) facts.push({ scenario: 'idle-memory', variant, round, name: 'proportional', unit: 'bytes', value: memory.pss });
      }
      for (const { target } of targets) await target.stop();
    }
    return { measurements: [], facts };
  },
};

async function startMechaMs(bench: Bench, node: string, build: string): Promise<number> {
  const startedMs = performance.now();
  const mecha = await start(bench, node, build);
  const readyMs = performance.now() - startedMs;
  await mecha.stop();
  return readyMs;
}

async function start(bench: Bench, node: string | undefined, build: string) {
  const mecha = await spawnMecha({ variant: 'mecha', build, backend: 'sqlite', appId: 'bench-start', servers: bench.servers, resources: 'default', ...(node === undefined ? {} : { node }) });
  await until('Mecha starts', mecha.child, READY_WITHIN_MS, () => answers204(mecha.http, '/v1.0/healthz/outbound'));
  return mecha;
}

async function startBareMs(bench: Bench): Promise<number> {
  const startedMs = performance.now();
  const bare = await startBare({ payloadBytes: bench.options.payloadBytes });
  const readyMs = performance.now() - startedMs;
  await bare.stop();
  return readyMs;
}
