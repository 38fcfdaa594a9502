/**
 * Two sidecar processes that write and deliver on one ledger at the same time, beside one that does all of it alone. The
 * loads together are the same: what is seen is the cost of sharing.
 */
import type { Bench } from '../bench.ts';
import type { Load } from '../load/plan.ts';
import { Problem } from '../problem.ts';
import { removeFolder, temporaryFolder } from '../process/leftovers.ts';
import type { Measurement } from '../report/results.ts';
import { freePort, until } from '../targets/child.ts';
import { PUBSUB, startMecha, type Mecha } from '../targets/mecha.ts';
import { isSubscribed } from '../targets/ready.ts';
import type { Target } from '../targets/target.ts';
import { roundtrip } from './publish.ts';
import { contextOf, loadOf } from './run-load.ts';
import type { OwnScenario, RequestContext } from './scenario.ts';
import { stateSet } from './state.ts';

const WRITERS = 32;
const EVENTS_UNDER_WAY = 32;
const SUBSCRIBED_WITHIN_MS = 60_000;

interface Group {
  readonly target: Target;
  readonly sidecars: readonly { readonly mecha: Mecha; readonly context: RequestContext }[];
}

export const twoProcesses: OwnScenario = {
  kind: 'own',
  name: 'two-processes',
  words: `${WRITERS} writers and ${EVENTS_UNDER_WAY} events under way, through one sidecar or shared by two on one ledger`,
  external: false,
  async run(bench) {
    const measurements: Measurement[] = [];
    const groups: Group[] = [];
    try {
      groups.push(await startGroup(bench, 'one', 1), await startGroup(bench, 'two', 2));
      for (let round = 1; round <= bench.options.rounds; round++) {
        for (const { target, sidecars } of groups) {
          const loads = sidecars.flatMap(({ mecha, context }): readonly Load[] => [
            { ...loadOf(bench, stateSet, 'http', mecha, context, { kind: 'closed', concurrency: WRITERS / sidecars.length }), label: 'write' },
            { ...loadOf(bench, roundtrip, 'http', mecha, context, { kind: 'closed', concurrency: EVENTS_UNDER_WAY / sidecars.length }), label: 'deliver' },
          ]);
          const [write, deliver] = await bench.measure({ scenario: 'two-processes', protocol: 'http', round }, target, loads);
          if (!write || !deliver) throw new Problem('two-processes: the generator gave no figures');
          measurements.push({ ...write, scenario: 'two-processes write', concurrency: WRITERS }, { ...deliver, scenario: 'two-processes deliver', concurrency: EVENTS_UNDER_WAY });
        }
      }
    } finally {
      for (const { target } of groups) await target.stop();
      await bench.renewGenerator();
    }
    return { measurements, facts: [] };
  },
};

async function startGroup(bench: Bench, variant: string, count: number): Promise<Group> {
  const dataDir = await temporaryFolder();
  const build = bench.builds.at(-1);
  if (!build) throw new Problem('no build to measure');
  const sidecars: { mecha: Mecha; context: RequestContext }[] = [];
  const stop = async (): Promise<void> => {
    for (const { mecha } of sidecars) await mecha.stop();
    await removeFolder(dataDir);
  };
  try {
    for (let index = 0; index < count; index++) {
      const appId = `bench-${variant}-${index}`;
      const context = contextOf(bench, `${variant}-${index}`, '');
      const port = await freePort();
      await bench.generator.app({ protocol: 'http', port, pubsub: PUBSUB, topic: context.topic });
      const mecha = await startMecha({ variant, build: build.folder, backend: 'sqlite', servers: bench.servers, dataDir, appId, app: { port, protocol: 'http' } });
      sidecars.push({ mecha, context });
      await until(`${variant}: a sidecar subscribes its app`, mecha.child, SUBSCRIBED_WITHIN_MS, () => isSubscribed(mecha.http, context.topic));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const [first] = sidecars;
  if (!first) throw new Problem('two-processes: no sidecar');
  return { sidecars, target: { variant, http: first.mecha.http, grpc: first.mecha.grpc, pids: sidecars.flatMap(({ mecha }) => mecha.pids), stop } };
}
