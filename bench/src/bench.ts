/** What all scenarios of a run share: options, the generator, and the one way to take a measurement. */
import { Generator } from './load/generator.ts';
import type { Load, LoadResult, Mode } from './load/plan.ts';
import { Problem, isRefusal, wordsOf } from './problem.ts';
import { startProfile, writeProfiles, type Profiling } from './profile/cpu-profile.ts';
import { heatTable, hottest } from './profile/hottest.ts';
import { createSampler, type Sampled } from './process/sampler.ts';
import type { Measurement } from './report/results.ts';
import type { Build, Options } from './arguments.ts';
import type { Target } from './targets/target.ts';

/** Above this share of its time the generator's event loop has no room to be sure that the target was the slower one. */
const GENERATOR_BUSY_MAX = 0.97;
const HOTTEST = 10;
/** Numbers from here on are for single calls. */
export const NUMBERS_END = 99_000_000;

export interface What {
  readonly scenario: string;
  readonly protocol: 'http' | 'grpc';
  readonly round: number;
  readonly rows?: number;
}

export class Bench {
  readonly options: Options;
  readonly servers: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  #generator: Generator | undefined;
  #nextNumber = 0;

  constructor(options: Options, servers: Readonly<Record<string, string>>, say: (line: string) => void) {
    this.options = options;
    this.servers = servers;
    this.say = say;
  }

  /** The builds of Mecha that are measured: the first is `mecha`'s own, others stand beside it by name. */
  get builds(): readonly Build[] {
    return this.options.builds;
  }

  get generator(): Generator {
    this.#generator ??= new Generator();
    return this.#generator;
  }

  /** A fresh generator: its apps are gone with the old one. */
  async renewGenerator(): Promise<void> {
    await this.#generator?.end();
    this.#generator = undefined;
  }

  /**
   * Numbers that none of the loads before used, so that events that are late cannot be taken for those of another. Eight
   * digits end at some time: then it begins anew, with numbers that were used dozens of loads ago.
   */
  takeNumbers(count: number): number {
    if (this.#nextNumber + count > NUMBERS_END) this.#nextNumber = 0;
    const from = this.#nextNumber;
    this.#nextNumber += count;
    return from;
  }

  /** Runs the loads against one target at the same time and gives a measurement per label. */
  async measure(what: What, target: Target, loads: readonly Load[]): Promise<readonly Measurement[]> {
    const { warmupMs, durationMs } = this.options;
    const profiling = this.options.profile !== undefined && target.inspectUrl !== undefined;
    let sampling: readonly { stop(): Sampled | undefined }[] = [];
    let profile: Promise<Profiling> | undefined;
    let sampled: Measurement['target'];
    const name = `${what.scenario} ${what.protocol} ${target.variant}`;
    const { results, generator } = await named(name, () =>
      this.generator.run(loads, {
        warmupMs,
        durationMs,
        onMeasuring: () => {
          sampling = target.pids.map((pid) => createSampler(pid).start());
          if (!profiling || !target.inspectUrl) return;
          profile = startProfile(target.inspectUrl);
          // Awaited after the run; until then its failure waits too.
          profile.catch(() => undefined);
        },
        onMeasured: () => {
          sampled = summed(sampling.map((one) => one.stop()));
        },
      }),
    );
    const begun = profile;
    if (begun) await named(name, async () => this.#showProfile(profileName(what, target, loads), target, await begun));
    const limited = generator.busy > GENERATOR_BUSY_MAX;
    return results.map((result) => {
      const mode = loads.find((load) => load.label === result.label)?.mode as Mode;
      this.#complain(name, result, limited);
      return {
        scenario: what.scenario,
        protocol: what.protocol,
        variant: target.variant,
        mode: mode.kind,
        concurrency: mode.kind === 'closed' ? mode.concurrency : mode.connections,
        ...(mode.kind === 'open' ? { rate: mode.rate } : {}),
        payloadBytes: this.options.payloadBytes,
        ...(what.rows === undefined ? {} : { rows: what.rows }),
        round: what.round,
        seconds: result.seconds,
        operations: result.operations,
        errors: result.errors,
        ...(loads.some((load) => load.ends === 'delivery' && load.label === result.label) ? { lost: result.lost, duplicates: result.duplicates } : {}),
        perSecond: result.operations / result.seconds,
        latency: result.latency,
        distribution: result.distribution,
        ...(sampled === undefined ? {} : { target: sampled }),
        generator: { cpuCores: generator.cpuCores, limited, lagP99: result.lagP99 },
      };
    });
  }

  #complain(name: string, result: LoadResult, limited: boolean): void {
    if (result.operations === 0) throw new Problem(`${name}: not one operation succeeded in ${result.seconds.toFixed(1)} s: ${result.firstError ?? 'none failed either, so a longer --duration may help'}`);
    if (result.errors > 0) this.say(`  ! ${name}: ${result.errors} errors, the first: ${result.firstError ?? ''}`);
    if (limited) this.say(`  ! ${name}: the load generator was busy all the time: the target may be faster than the figure`);
  }

  async #showProfile(name: string, target: Target, profiling: Profiling): Promise<void> {
    const profiles = await profiling.stop();
    const files = await writeProfiles(this.options.profile ?? '', name, profiles);
    for (const { thread, profile } of profiles) this.say(heatTable(`  ${target.variant} ${thread}, own functions`, hottest(profile, HOTTEST, { ownOnly: true })));
    this.say(`  profiles: ${files.join(' ')}`);
  }
}

/** What fails for others' sake says for which target it failed. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Problem || isRefusal(error) ? new Problem(`${name}: ${wordsOf(error)}`, { cause: error }) : error;
  }
}

/** One a load: `state-get-http-sqlite-closed-64-round-1`. */
function profileName({ scenario, protocol, round, rows }: What, { variant }: Target, loads: readonly Load[]): string {
  const modes = new Set(loads.map(({ mode }) => (mode.kind === 'closed' ? `closed-${mode.concurrency}` : `open-${mode.rate}`)));
  return [scenario, protocol, variant, ...(rows === undefined ? [] : [`${rows}-rows`]), ...modes, 'round', round].join('-');
}

/** Of several processes: their cores and memory together; undefined where sampling is off. */
function summed(parts: readonly (Sampled | undefined)[]): Sampled | undefined {
  const all = parts.filter((part) => part !== undefined);
  if (all.length === 0) return undefined;
  return { cpuCores: all.reduce((sum, part) => sum + part.cpuCores, 0), rssMax: all.reduce((sum, part) => sum + part.rssMax, 0) };
}
