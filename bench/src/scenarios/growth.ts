/**
 * Whether an operation costs the same with much in the store as with little: the same load on stores of different size,
 * in turn. Each size is compared with the first (`rows` of a measurement).
 */
import type { Bench } from '../bench.ts';
import type { Load } from '../load/plan.ts';
import { padded, withNumber } from '../load/template.ts';
import { Problem } from '../problem.ts';
import type { Measurement } from '../report/results.ts';
import { ask } from '../targets/ready.ts';
import type { Target } from '../targets/target.ts';
import { roundtrip } from './publish.ts';
import { loadOf, startOn } from './run-load.ts';
import type { LoadScenario, OwnScenario, RequestContext } from './scenario.ts';
import { fillState, stateGet } from './state.ts';

const CONCURRENCY = 64;
const BULK = 500;
/** A probe that waits behind what was put there fails, and is made again. */
const PROBE_MS = 100;
const PROBE_DRAIN_MS = 1000;
const PROBES = 10_000;
const DELIVERED_WITHIN_MS = 30 * 60_000;
const JSON_TYPE = { 'content-type': 'application/json' };

export const growthStateGet: OwnScenario = growth('growth-state-get', 'state-get with more and more keys in the store', stateGet, fillState);
export const growthRoundtrip: OwnScenario = growth('growth-roundtrip', 'pubsub-roundtrip behind more and more messages that the topic keeps', roundtrip, fillTopic);

function growth(name: string, words: string, scenario: LoadScenario, fill: (target: Target, context: RequestContext, rows: number) => Promise<void>): OwnScenario {
  return {
    kind: 'own',
    name,
    words,
    external: false,
    async run(bench) {
      const measurements: Measurement[] = [];
      const contestants: { readonly rows: number; readonly target: Target; readonly context: RequestContext }[] = [];
      try {
        for (const rows of bench.options.rows) {
          const { target, context } = await startKeeping(bench, scenario);
          contestants.push({ rows, target, context });
          await fill(target, context, rows);
          if (scenario.ends === 'delivery') await untilDelivered(bench, loadOf(bench, scenario, 'http', target, context, { kind: 'closed', concurrency: 1 }));
          bench.say(`  ${name}: ${rows} rows are there`);
        }
        for (let round = 1; round <= bench.options.rounds; round++) {
          for (const { rows, target, context } of contestants) {
            const load = loadOf(bench, scenario, 'http', target, context, { kind: 'closed', concurrency: CONCURRENCY });
            const numbers = scenario.ends === 'delivery' ? load.numbers : ({ from: 0, count: rows, order: 'random' } as const);
            measurements.push(...(await bench.measure({ scenario: name, protocol: 'http', round, rows }, target, [{ ...load, numbers }])));
          }
        }
      } finally {
        for (const { target } of contestants) await target.stop();
        await bench.renewGenerator();
      }
      return { measurements, facts: [] };
    },
  };
}

function startKeeping(bench: Bench, scenario: LoadScenario): ReturnType<typeof startOn> {
  const build = bench.builds.at(-1);
  if (!build) throw new Problem('no build to measure');
  return startOn(bench, scenario, 'http', 'sqlite', build, { retention: '24h' });
}

/** Waits until a new event reaches the app at once, and not behind those that were put there before. */
async function untilDelivered(bench: Bench, load: Load): Promise<void> {
  const deadline = performance.now() + DELIVERED_WITHIN_MS;
  for (;;) {
    const numbers = { from: bench.takeNumbers(PROBES), count: PROBES, order: 'sequential' } as const;
    const { results } = await bench.generator.run([{ ...load, numbers }], { warmupMs: 0, durationMs: PROBE_MS, drainMs: PROBE_DRAIN_MS });
    if (results.every(({ operations, errors, lost }) => operations > 0 && errors + lost === 0)) return;
    if (performance.now() > deadline) throw new Problem(`growth: what was put into the topic did not reach the app within ${DELIVERED_WITHIN_MS / 60_000} minutes`);
  }
}

/** Messages that the app takes and the topic keeps. */
async function fillTopic(target: Target, { pubsub, topic, payloadBytes }: RequestContext, rows: number): Promise<void> {
  for (let from = 0; from < rows; from += BULK) {
    const entries = Array.from({ length: Math.min(BULK, rows - from) }, (_, index) => {
      const event = padded(`kept ${withNumber('########', from + index)} `, payloadBytes - 2);
      return `{"entryId":"${index}","contentType":"application/json","event":"${event}"}`;
    });
    const { status, body } = await ask(target.http, `/v1.0-alpha1/publish/bulk/${pubsub}/${topic}`, { method: 'POST', headers: JSON_TYPE, body: `[${entries.join(',')}]` });
    if (status !== 204) throw new Problem(`filling the topic of ${target.variant}: status ${status} ${body.slice(0, 200)}`);
  }
}
