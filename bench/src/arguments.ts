/** The command line of `npm run bench`. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { Problem, wordsOf } from './problem.ts';
import { BACKENDS, DEFAULT_BUILD, PUBSUB, STORE, type Backend } from './targets/mecha.ts';
import type { Protocol } from './targets/target.ts';
import { WORKERS, type Worker } from './targets/worker.ts';

export interface Build {
  readonly name: string;
  /** Folder of the built package (`dist/mecha`). */
  readonly folder: string;
}

export interface Options {
  /** Names of scenarios in the order given; empty = all. */
  readonly scenarios: readonly string[];
  readonly protocols: readonly Protocol[];
  readonly backends: readonly Backend[];
  readonly builds: readonly Build[];
  readonly modes: readonly ('closed' | 'open')[];
  readonly concurrencies: readonly number[];
  /** Operations per second of the open loop; undefined = each scenario's own. */
  readonly rate: number | undefined;
  readonly connections: number;
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly payloadBytes: number;
  /** Stored keys or messages of the growth scenarios. */
  readonly rows: readonly number[];
  readonly orders: number;
  /** SDKs whose workers run the workflows. */
  readonly workers: readonly Worker[];
  readonly quick: boolean;
  /** Folder of CPU profiles; undefined = none are taken. */
  readonly profile: string | undefined;
  readonly results: string;
  readonly store: string;
  readonly pubsub: string;
  readonly external: External | undefined;
}

export interface External {
  readonly http?: string;
  readonly grpc?: string;
  readonly pids: readonly number[];
  readonly inspectUrl?: string;
  readonly appPort?: number;
  /** How the process speaks to its app, whatever the protocol of the load. */
  readonly appProtocol: Protocol;
  readonly topic: string;
  readonly echoAppId: string;
}

const ROOT = resolve(import.meta.dirname, '../..');

const FLAGS = {
  backends: { type: 'string' },
  protocols: { type: 'string' },
  modes: { type: 'string' },
  concurrency: { type: 'string' },
  rate: { type: 'string' },
  connections: { type: 'string' },
  duration: { type: 'string' },
  warmup: { type: 'string' },
  rounds: { type: 'string' },
  payload: { type: 'string' },
  rows: { type: 'string' },
  orders: { type: 'string' },
  workers: { type: 'string' },
  quick: { type: 'boolean' },
  profile: { type: 'boolean' },
  results: { type: 'string' },
  build: { type: 'string' },
  against: { type: 'string' },
  http: { type: 'string' },
  grpc: { type: 'string' },
  pid: { type: 'string' },
  inspect: { type: 'string' },
  'app-port': { type: 'string' },
  'app-protocol': { type: 'string' },
  topic: { type: 'string' },
  'echo-app-id': { type: 'string' },
  store: { type: 'string' },
  pubsub: { type: 'string' },
  help: { type: 'boolean' },
} as const;

export const HELP = `npm run bench [-- SCENARIO ... --flags]

Puts load on Mecha, on bare servers, or on any process that speaks the same API, and prints rates, latencies and ratios.

What:
  --backends LIST     of ${BACKENDS.join(', ')} (default: all that a scenario knows)
  --protocols LIST    of http, grpc (default both)
  --modes LIST        closed: as fast as answers come; open: at a fixed rate (default both)
  --concurrency LIST  operations under way in the closed loop (default 1,8,64,256)
  --rate N            operations a second in the open loop (default: the scenario's own)
  --connections N     connections of the open loop (default 64)
  --payload SIZE      bytes of a value or event: 1024, 1K, 64K (default 1K)
  --rows LIST         stored keys or messages of the growth scenarios (default 1k,100k,1M)
  --orders N          orders of the saga (default 500)
  --workers LIST      of ${WORKERS.join(', ')}: SDKs that run the workflows (default javascript; go needs Go)

How long:
  --duration TIME     of a measurement: 10s, 500ms (default 10s)
  --warmup TIME       before each (default 2s)
  --rounds N          of all targets in turn (default 3)
  --quick             a smoke run: short, small, one round

On what:
  --build FOLDER      a built package (default dist/mecha; npm run build makes it)
  --against FOLDER    another built package, measured in turn with it
  --http HOST:PORT    a process that runs already, instead of all that
  --grpc HOST:PORT    its gRPC port
  --pid N[,N]         its processes, to sample CPU and memory
  --store NAME        its state store (default ${STORE})
  --pubsub NAME       its broker (default ${PUBSUB})
  --app-port PORT     where it expects its app: pubsub-roundtrip answers there
  --app-protocol P    http or grpc: how it speaks to its app (default http)
  --topic NAME        topic of pubsub-roundtrip and publish (default bench)
  --echo-app-id ID    app that invoke calls; POST /echo must answer with its own body (default echo)

What comes out:
  --results FOLDER    of <date>.json and the charts (default bench/results)
  --profile           CPU profiles of the targets into that folder, and their hottest functions
  --inspect URL       ws:// address of the inspector of a process that runs already, for --profile
  --help              this text

Scenarios:
`;

const QUICK = { durationMs: 300, warmupMs: 200, rounds: 1, concurrencies: [1, 8], connections: 8, rate: 100, rows: [100, 1000], orders: 20 } as const;

/** @throws Problem with one line for the user */
export function parseArguments(argv: readonly string[], known: readonly string[]): Options | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  for (const name of positionals) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new Problem(`there is no scenario ${JSON.stringify(name)}${meant === undefined ? '' : `, did you mean ${meant}?`}; there are ${known.join(', ')}`);
  }
  const quick = values.quick ?? false;
  const results = resolve(values.results ?? join(ROOT, 'bench/results'));
  const payloadBytes = size('--payload', values.payload ?? '1K');
  if (payloadBytes < 64 || payloadBytes > 1024 * 1024) throw new Problem(`--payload takes 64 bytes to 1M, not ${values.payload}`);
  const durationMs = values.duration === undefined ? (quick ? QUICK.durationMs : 10_000) : time('--duration', values.duration);
  return {
    scenarios: positionals,
    protocols: words('--protocols', values.protocols ?? 'http,grpc', ['http', 'grpc'] as const),
    backends: words('--backends', values.backends ?? BACKENDS.join(','), BACKENDS),
    builds: builds(values.build, values.against),
    modes: words('--modes', values.modes ?? 'closed,open', ['closed', 'open'] as const),
    concurrencies: values.concurrency === undefined ? (quick ? QUICK.concurrencies : [1, 8, 64, 256]) : list('--concurrency', values.concurrency, (text) => count('--concurrency', text, 10_000)),
    rate: values.rate === undefined ? (quick ? QUICK.rate : undefined) : count('--rate', values.rate, 1_000_000),
    connections: count('--connections', values.connections ?? (quick ? String(QUICK.connections) : '64'), 10_000),
    rounds: count('--rounds', values.rounds ?? (quick ? String(QUICK.rounds) : '3'), 1000),
    durationMs,
    warmupMs: values.warmup === undefined ? (quick ? QUICK.warmupMs : Math.min(2000, durationMs)) : time('--warmup', values.warmup),
    payloadBytes,
    rows: values.rows === undefined ? (quick ? QUICK.rows : [1000, 100_000, 1_000_000]) : list('--rows', values.rows, (text) => size('--rows', text, 1000)),
    orders: count('--orders', values.orders ?? (quick ? String(QUICK.orders) : '500'), 1_000_000),
    workers: words('--workers', values.workers ?? 'javascript', WORKERS),
    quick,
    profile: values.profile ? results : undefined,
    results,
    store: values.store ?? STORE,
    pubsub: values.pubsub ?? PUBSUB,
    external: external(values),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
  } catch (error) {
    const [words = ''] = wordsOf(error).split(/\.(?: |$)/);
    const unknown = /^Unknown option '--?([^']*)'/.exec(words)?.[1];
    const meant = unknown === undefined ? undefined : nearest(unknown, Object.keys(FLAGS));
    throw new Problem(`${words}${meant === undefined ? '' : `, did you mean --${meant}?`}; --help lists all flags`, { cause: error });
  }
}

function builds(build: string | undefined, against: string | undefined): readonly Build[] {
  const own: Build = { name: 'new', folder: build === undefined ? DEFAULT_BUILD : resolve(build) };
  return against === undefined ? [own] : [{ name: 'old', folder: resolve(against) }, own];
}

type Values = ReturnType<typeof parse>['values'];

function external(values: Values): External | undefined {
  const others = (['pid', 'inspect', 'store', 'pubsub', 'app-port', 'app-protocol', 'topic', 'echo-app-id'] as const).find((flag) => values[flag] !== undefined);
  if (values.http === undefined && values.grpc === undefined) {
    if (others !== undefined) throw new Problem(`--${others} belongs to a process that runs already: --http or --grpc says where`);
    return undefined;
  }
  const other = (['build', 'against'] as const).find((flag) => values[flag] !== undefined);
  if (other !== undefined) throw new Problem(`--${other} starts a process; it does not go with --http and --grpc`);
  if (values.profile && values.inspect === undefined) throw new Problem('--profile of a process that runs already needs --inspect: start it with node --inspect, which prints the address');
  return {
    ...(values.http === undefined ? {} : { http: values.http }),
    ...(values.grpc === undefined ? {} : { grpc: values.grpc }),
    ...(values.inspect === undefined ? {} : { inspectUrl: inspector(values.inspect) }),
    ...(values['app-port'] === undefined ? {} : { appPort: count('--app-port', values['app-port'], 65_535) }),
    appProtocol: appProtocol(values['app-protocol'] ?? 'http'),
    pids: values.pid === undefined ? [] : list('--pid', values.pid, runningPid),
    topic: values.topic ?? 'bench',
    echoAppId: values['echo-app-id'] ?? 'echo',
  };
}

function appProtocol(text: string): Protocol {
  const [protocol, ...others] = words('--app-protocol', text, ['http', 'grpc'] as const);
  if (protocol === undefined || others.length > 0) throw new Problem(`--app-protocol takes http or grpc, not ${JSON.stringify(text)}`);
  return protocol;
}

function inspector(text: string): string {
  if (!/^ws:\/\/[^/]+\/./.test(text)) throw new Problem(`--inspect takes the ws:// address that Node prints when it is started with --inspect, not ${JSON.stringify(text)}`);
  return text;
}

function runningPid(text: string): number {
  const pid = count('--pid', text, 4_194_304);
  if (existsSync('/proc') && !existsSync(`/proc/${pid}`)) throw new Problem(`--pid: no process has the pid ${pid}`);
  return pid;
}

function list<T>(flag: string, text: string, one: (text: string) => T): readonly T[] {
  const parts = text.split(',').filter((part) => part !== '');
  if (parts.length === 0) throw new Problem(`${flag} takes a list with commas`);
  return parts.map(one);
}

function words<const T extends string>(flag: string, text: string, known: readonly T[]): readonly T[] {
  return list(flag, text, (part) => {
    const found = known.find((word) => word === part);
    if (found === undefined) throw new Problem(`${flag} knows ${known.join(', ')}, not ${JSON.stringify(part)}`);
    return found;
  });
}

function count(flag: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new Problem(`${flag} takes a whole number from 1 to ${max}, not ${JSON.stringify(text)}`);
  return value;
}

function time(flag: string, text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000 }[parts?.[2] ?? ''];
  const value = Number(parts?.[1]) * (unit ?? Number.NaN);
  if (!(value > 0 && value <= 3_600_000)) throw new Problem(`${flag} takes a time such as 500ms, 10s or 1m, not ${JSON.stringify(text)}`);
  return value;
}

/** `64K`, `1M`, `1k`: a whole number and a unit, of 1024 or (for rows) 1000. */
function size(flag: string, text: string, base = 1024): number {
  const parts = /^(\d+)([kKmM]?)$/.exec(text);
  const unit = { k: base, m: base * base, '': 1 }[(parts?.[2] ?? '').toLowerCase()] ?? 1;
  const value = Number(parts?.[1]) * unit;
  if (!(value >= 1 && value <= 100_000_000)) throw new Problem(`${flag} takes a number such as 1000, 64K or 1M, not ${JSON.stringify(text)}`);
  return value;
}
