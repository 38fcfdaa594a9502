/**
 * What a run of the harness leaves behind: the types of a results file, and reading and writing it.
 *
 * A file holds what was measured and nothing worked out from it: ratios, tables and charts are made anew from the file, so
 * that an old run can be shown in a new way. Units: latencies and lags in milliseconds, memory in bytes, rates a second,
 * CPU in cores (1.5 = one core and a half, on average over the run).
 *
 * Not here: who measures (load, scenarios), and what the figures say (ratios.ts, table.ts, chart.ts).
 */
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checked, listOf, number, oneOf, optional, shape, text, truth, tuple } from './shape.ts';

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

export const PROTOCOLS = ['http', 'grpc', 'none'] as const;
export const MODES = ['closed', 'open'] as const;
export const UNITS = ['ms', 'bytes', '1/s', 'count'] as const;

/** One run of one load on one target. */
export interface Measurement {
  /** `state-get` */
  readonly scenario: string;
  readonly protocol: (typeof PROTOCOLS)[number];
  /** `bare`, `memory`, `sqlite`, `redis`, `kafka`, `external`, … */
  readonly variant: string;
  /** Closed: the next operation leaves when one has been answered. Open: operations leave by the clock, answered or not. */
  readonly mode: (typeof MODES)[number];
  /** Closed: operations under way. Open: connections. */
  readonly concurrency: number;
  /** Open: operations a second that were asked. */
  readonly rate?: number;
  readonly payloadBytes: number;
  /** Growth: keys or messages stored before the load began. */
  readonly rows?: number;
  readonly round: number;
  /** Time measured, without the time to warm up. */
  readonly seconds: number;
  readonly operations: number;
  readonly errors: number;
  /** Publish and subscribe: messages that never came, and that came once more. */
  readonly lost?: number;
  readonly duplicates?: number;
  readonly perSecond: number;
  readonly latency: Percentiles;
  /** For the chart, some 60 points from percentile 0 to 99.999, in rising order. */
  readonly distribution: readonly (readonly [percentile: number, milliseconds: number])[];
  readonly target?: { readonly cpuCores: number; readonly rssMax: number };
  /** `limited`: the generator, not the target, held the figures down. `lagP99`: how late it sent, in milliseconds. */
  readonly generator: { readonly cpuCores: number; readonly limited: boolean; readonly lagP99: number };
}

/** A single figure, such as a time to start, an idle memory, the length of a saga. */
export interface Fact {
  readonly scenario: string;
  readonly variant: string;
  readonly round: number;
  readonly name: string;
  readonly unit: (typeof UNITS)[number];
  readonly value: number;
}

/** What the figures were measured on; neither its name nor anybody's folders. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** `Linux 6.1.0` */
  readonly kernel: string;
  /** `v24.18.1` */
  readonly node: string;
  /** Of the measured tree, with `-dirty` if it held more than the commit; absent where git does not say. */
  readonly commit?: string;
}

export interface Results {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: Machine;
  /** As given on the command line. */
  readonly arguments: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly facts: readonly Fact[];
}

const percentiles = shape<Percentiles>({ p50: number, p90: number, p99: number, p999: number, max: number, mean: number });

const measurement = shape<Measurement>({
  scenario: text,
  protocol: oneOf(PROTOCOLS),
  variant: text,
  mode: oneOf(MODES),
  concurrency: number,
  rate: optional(number),
  payloadBytes: number,
  rows: optional(number),
  round: number,
  seconds: number,
  operations: number,
  errors: number,
  lost: optional(number),
  duplicates: optional(number),
  perSecond: number,
  latency: percentiles,
  distribution: listOf(tuple(number, number)),
  target: optional(shape<NonNullable<Measurement['target']>>({ cpuCores: number, rssMax: number })),
  generator: shape<Measurement['generator']>({ cpuCores: number, limited: truth, lagP99: number }),
});

const fact = shape<Fact>({ scenario: text, variant: text, round: number, name: text, unit: oneOf(UNITS), value: number });

const machine = shape<Machine>({ cpu: text, cores: number, memoryBytes: number, kernel: text, node: text, commit: optional(text) });

const shapeOfResults = shape<Results>({ startedAt: text, machine, arguments: listOf(text), measurements: listOf(measurement), facts: listOf(fact) });

const FILE_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.json$/;

/** `2026-03-01T14-05-09.json` for a run that began then (UTC): names sort by time, and hold no sign that a file system minds. */
export function resultsFileName(startedAt: string): string {
  const time = new Date(startedAt);
  if (Number.isNaN(time.getTime())) throw new Error(`a run cannot have started at '${startedAt}': that is no time`);
  return `${time.toISOString().slice(0, 19).replaceAll(':', '-')}.json`;
}

/**
 * Writes the results into the folder and returns the file's path. The file is there whole or not at all; a run that writes
 * again as it goes on replaces its own.
 *
 * Throws when a figure is none (JSON knows neither NaN nor Infinity, and would turn them into null without a word).
 */
export async function writeResults(folder: string, results: Results): Promise<string> {
  const file = join(folder, resultsFileName(results.startedAt));
  checked<Results>(results, shapeOfResults, 'the results to write');
  await mkdir(folder, { recursive: true });
  // A point of a distribution on one line: a file has thousands, and people read it.
  const text = JSON.stringify(results, undefined, 1).replaceAll(/\[\n\s+([^\s,]+),\n\s+([^\s,]+)\n\s+\]/g, '[$1, $2]');
  await writeFile(`${file}.part`, `${text}\n`);
  await rename(`${file}.part`, file);
  return file;
}

/** Throws with the file's name and the place in it when it cannot be read, is no JSON, or does not hold results. */
export async function readResults(file: string): Promise<Results> {
  const text = await readFile(file, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return checked<Results>(value, shapeOfResults, file);
}

/** The path of the newest results file in a folder; undefined when there is none, or no folder. */
export async function newestResults(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const newest = names.filter((name) => FILE_NAME.test(name)).toSorted().at(-1);
  return newest === undefined ? undefined : join(folder, newest);
}
