/**
 * `node scripts/measure-engine.ts`: what the workflow engine does on this disk, printed, judged by nobody but the reader.
 *
 * Workflows of five activities in this process, every step durable, at 300 in parallel and alone, near (a result and its turn share a
 * commit) and far (as for workers beyond a wire); then the time per step of an instance with a long history against that of one with a
 * short one, with the rows read. `--finished N` puts that many finished instances there first. In a folder of the working directory,
 * since /tmp is often no disk, or with `--ledger postgresql://…` in that database.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Clock, Ledger, LedgerOperation } from '@mecha/components/kit';
import { systemClock } from '@mecha/runtime/clock.ts';
import { Engine } from '@mecha/runtime/engine/engine.ts';
import { functionActivities, functionExecutor, type WorkflowFunction } from '@mecha/runtime/engine/testing.ts';
import { openLedger } from '@mecha/runtime/ledger/open-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';

const { values } = parseArgs({ options: { ledger: { type: 'string' }, finished: { type: 'string', default: '0' }, seconds: { type: 'string', default: '5' }, events: { type: 'string', default: '10000' }, help: { type: 'boolean', default: false } } });
const log = createLog({ level: 'warn', json: false, appId: 'measure', version: '0' });
const FILL_BATCH = 200;

const chain: WorkflowFunction = function* (context) {
  let value: unknown = context.input;
  for (let n = 0; n < 5; n++) value = yield context.activity('add', value);
  return value;
};
const ticks: WorkflowFunction = function* (context) {
  for (;;) if ((yield context.event('tick')) === 'end') return 'done';
};

/** Counts what is read of histories. */
function counting(ledger: Ledger): { ledger: Ledger; pages: () => number } {
  let pages = 0;
  const workflows: Ledger['workflows'] = {
    ...ledger.workflows,
    history: async (row, from, limit) => {
      const read = await ledger.workflows.history(row, from, limit);
      pages += read.length;
      return read;
    },
  };
  return { ledger: new Proxy(ledger, { get: (target, name) => (name === 'workflows' ? workflows : bound(target, name)) }), pages: () => pages };
}
function bound(target: Ledger, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

function createEngine(ledger: Ledger, inline: boolean, clock: Clock): Engine {
  const engine = new Engine({ appId: 'measure', namespace: inline ? 'near' : 'far', ledger, clock, random: Math.random, newId: () => crypto.randomUUID(), log });
  engine.attachExecutor(functionExecutor({ chain, ticks }, { inline }));
  engine.attachActivities(functionActivities({ add: (input) => Number(input) + 1 }));
  engine.start();
  return engine;
}

function print(name: string, figure: string): void {
  console.log(`${name.padEnd(64)} ${figure}`);
}
const quantile = (sorted: readonly number[], q: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(1);

async function rate(name: string, engine: Engine, parallel: number, seconds: number): Promise<void> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (performance.now() - start < seconds * 1000) {
        const began = performance.now();
        const { instanceId } = await engine.operations.start({ name: 'chain', input: '1' });
        await engine.queries.waitFor(instanceId, 'end', AbortSignal.timeout(60_000));
        times.push(performance.now() - began);
      }
    }),
  );
  const took = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  print(name, `${((times.length / took) * 1000).toFixed(0)} workflows/s, p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms, ${((user + system) / 1000 / times.length).toFixed(2)} ms of processor each`);
}

async function fill(ledger: Ledger, count: number): Promise<void> {
  for (let n = 0; n < count; n += FILL_BATCH) {
    await ledger.commit(
      Array.from({ length: FILL_BATCH }, (_, k): LedgerOperation[] => {
        const at = { app: 'near/measure', instanceId: `finished-${n + k}`, executionId: 'x' };
        const event = '{"kind":"executionStarted"}'.padEnd(300);
        return [
          { type: 'workflow.create', ...at, name: 'chain', ifExists: 'terminal', message: { event, kind: 'event' } },
          { type: 'workflow.first-step', ...at, status: 'completed', append: { count: 20, data: event.repeat(10) } },
        ];
      }).flat(),
    );
  }
}

async function longHistory(raw: Ledger, clock: Clock, length: number): Promise<void> {
  const { ledger, pages } = counting(raw);
  const engine = createEngine(ledger, true, clock);
  const { instanceId } = await engine.operations.start({ name: 'ticks' });
  const tick = async (): Promise<void> => {
    const before = (await engine.queries.get(instanceId, { payloads: false }))?.turn ?? 0;
    await engine.operations.raiseEvent(instanceId, 'tick', '1');
    while (((await engine.queries.get(instanceId, { payloads: false }))?.turn ?? 0) === before) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let n = 0; n < 20; n++) await tick();
  let events = (await engine.queries.get(instanceId, { payloads: false }))?.events ?? 0;
  while (events < length) {
    await Promise.all(Array.from({ length: 500 }, () => engine.operations.raiseEvent(instanceId, 'tick', '1')));
    events = (await engine.queries.get(instanceId, { payloads: false }))?.events ?? 0;
  }
  const before = pages();
  const start = performance.now();
  for (let n = 0; n < 200; n++) await tick();
  const ms = (performance.now() - start) / 200;
  events = (await engine.queries.get(instanceId, { payloads: false }))?.events ?? 0;
  print(`a step of an instance with ${events} events`, `${ms.toFixed(2)} ms, ${(pages() - before) / 200} pages of history read`);
  await engine.operations.terminate(instanceId);
  await engine.stop();
}

if (values.help) console.log('node scripts/measure-engine.ts [--ledger URL] [--finished N] [--seconds N] [--events N]\n\nPrints what the workflow engine does on the disk of the working directory, or in a database.');
else {
  const folder = await mkdtemp(join(process.cwd(), '.measure-engine-'));
  const { ledger, clock } = await openLedger({ path: join(folder, 'ledger.db'), address: values.ledger, clock: systemClock, random: Math.random, log });
  try {
    const seconds = Number(values.seconds);
    if (Number(values.finished) > 0) await fill(ledger, Number(values.finished));
    const near = createEngine(ledger, true, clock);
    const far = createEngine(ledger, false, clock);
    await rate('(warming up)', near, 50, 1);
    for (let run = 1; run <= 3; run++) await rate(`five activities, near, 300 in parallel, run ${run}`, near, 300, seconds);
    await rate('five activities, near, alone', near, 1, Math.min(seconds, 3));
    await rate('five activities, far, 300 in parallel', far, 300, seconds);
    await rate('five activities, far, alone', far, 1, Math.min(seconds, 3));
    await near.stop();
    await far.stop();
    await longHistory(ledger, clock, 10);
    await longHistory(ledger, clock, Number(values.events));
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}
