/** The load harness as a process: that it measures, counts right, cleans up and says what is wrong. Never how fast. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePorts, startMecha, temporaryFolder, until, untilStatus } from '../tools/processes.ts';
import { buildInto, childrenOf, cleanUp, filesIn, later, measuredIn, resultsOf, runBench, SHORT, startBench } from './run-bench.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let build: readonly string[];

beforeAll(async () => {
  place = await temporaryFolder();
  await buildInto(place.path);
  build = ['--build', join(place.path, 'mecha')];
});
afterAll(async () => place.remove());
afterEach(cleanUp);

const BOTH = ['http', 'grpc'];
const on = (scenario: string, protocols: readonly string[], variants: readonly string[]): string[] => protocols.flatMap((protocol) => variants.map((variant) => `${scenario} ${protocol} ${variant}`));

describe('a run', () => {
  test('measures loads over both protocols, loses nothing, and leaves results and charts', async () => {
    const scenarios = ['bare-http', 'state-get', 'state-set', 'publish', 'pubsub-roundtrip', 'invoke'];
    const outcome = await runBench([...scenarios, ...SHORT, ...build, '--backends', 'memory,sqlite']);
    const results = await resultsOf(outcome);
    expect(measuredIn(results).toSorted()).toEqual(
      [
        ...on('bare-http', ['http'], ['bare']),
        ...['state-get', 'state-set', 'publish'].flatMap((scenario) => on(scenario, BOTH, ['bare', 'memory', 'sqlite'])),
        ...on('pubsub-roundtrip', BOTH, ['memory', 'sqlite']),
        ...on('invoke', BOTH, ['bare', 'sqlite']),
      ].toSorted(),
    );
    // Each under a closed and under an open load.
    expect(results.measurements).toHaveLength(2 * measuredIn(results).length);
    for (const one of results.measurements) {
      const what = JSON.stringify({ ...one, distribution: undefined });
      expect(one.operations, what).toBeGreaterThan(0);
      expect(one.errors, what).toBe(0);
      expect(one.lost ?? 0, what).toBe(0);
      expect(one.latency.max, what).toBeGreaterThanOrEqual(one.latency.p50);
      expect(one.lost === undefined, what).toBe(one.scenario !== 'pubsub-roundtrip');
      expect(one.target?.rssMax, what).toBeGreaterThan(10_000_000);
    }
    expect(await filesIn(outcome.folder, '.svg')).toEqual(scenarios.map((scenario) => `${scenario}.svg`).toSorted());
    for (const file of await filesIn(outcome.folder, '.svg')) expect(await readFile(join(outcome.folder, file), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(outcome.out).toMatch(/\nstate-get\n {2}variant[^\n]*ratio/);
    expect(outcome.err).toBe('');
  });

  test('measures workflows of the official SDK and of the States Language from start to end', async () => {
    const outcome = await runBench(['asl-chain', 'workflow-chain', 'workflow-fanout', 'workflow-timer', ...SHORT, ...build, '--duration', '2500ms', '--backends', 'sqlite', '--modes', 'closed']);
    const results = await resultsOf(outcome);
    expect(measuredIn(results)).toEqual(['asl-chain http sqlite', 'workflow-chain grpc sqlite javascript', 'workflow-fanout grpc sqlite javascript', 'workflow-timer grpc sqlite javascript']);
    for (const one of results.measurements) {
      expect(one.operations, one.scenario).toBeGreaterThan(0);
      expect(one.errors, one.scenario).toBe(0);
    }
    // A timer is never early.
    expect(results.measurements.at(-1)?.latency.p50).toBeGreaterThanOrEqual(1000);
    expect(outcome.err).toBe('');
  });

  test('measures what starts its own processes: two on one ledger, growth, start, idle memory, saga', async () => {
    const outcome = await runBench(['two-processes', 'growth-state-get', 'growth-roundtrip', 'startup', 'idle-memory', 'saga', ...SHORT, ...build, '--duration', '600ms']);
    const { measurements, facts } = await resultsOf(outcome);
    expect(measurements.map(({ scenario, variant, rows }) => `${scenario} ${variant} ${rows ?? ''}`.trim())).toEqual([
      'two-processes write one', 'two-processes deliver one', 'two-processes write two', 'two-processes deliver two',
      'growth-state-get sqlite 20', 'growth-state-get sqlite 60', 'growth-roundtrip sqlite 20', 'growth-roundtrip sqlite 60',
    ]);
    for (const { operations, errors, lost } of measurements) {
      expect(operations).toBeGreaterThan(0);
      expect(errors + (lost ?? 0)).toBe(0);
    }
    const figures = facts.map(({ scenario, variant, name }) => `${scenario} ${variant} ${name}`);
    expect(figures).toEqual(expect.arrayContaining(['startup bare spawn to ready', 'startup mecha spawn to ready', 'idle-memory bare resident', 'idle-memory mecha resident', 'saga embedded orders to their final state', 'saga embedded order to final state, p99']));
    for (const { value, name } of facts) expect(value, name).toBeGreaterThan(0);
    // The second size beside the first.
    expect(outcome.out).toMatch(/growth-state-get\n[^\n]*rows[^\n]*ratio +p50 more +p99 more\n[^\n]*\n[^\n]*\n +sqlite +20 [^\n]*base\n +sqlite +60 [^\n]*\d/);
    expect(await filesIn(outcome.folder, '.svg')).toEqual(['growth-roundtrip.svg', 'growth-state-get.svg', 'two-processes-deliver.svg', 'two-processes-write.svg']);
  });

  test('with --profile prints the own functions of each thread and keeps their profiles', async () => {
    const outcome = await runBench(['state-set', ...SHORT, ...build, '--profile', '--duration', '500ms', '--backends', 'sqlite', '--protocols', 'http', '--modes', 'closed']);
    await resultsOf(outcome);
    expect(outcome.out).toMatch(/ sqlite main, own functions: [\d.]+ s, idle [^\n]*\n {2}self % {2}total % [^\n]*\n +[\d.]+ +[\d.]+ +\* \S+ .*\.(?:ts|js|mjs):\d+/);
    const files = await filesIn(outcome.folder, '.cpuprofile');
    expect(files).toEqual(expect.arrayContaining(['state-set-http-bare-closed-4-round-1.main.cpuprofile', 'state-set-http-sqlite-closed-4-round-1.main.cpuprofile', 'state-set-http-sqlite-closed-4-round-1.worker-1.cpuprofile']));
    for (const file of files) {
      const { nodes, samples } = JSON.parse(await readFile(join(outcome.folder, file), 'utf8')) as { nodes: unknown[]; samples: unknown[] };
      expect(nodes.length).toBeGreaterThan(0);
      expect(samples.length).toBeGreaterThan(0);
    }
  });
});

test('the same load is aimed at a process that runs already, which goes on afterwards', async () => {
  const data = await temporaryFolder();
  later(data.remove);
  const [http = 0, grpc = 0, appPort = 0] = await freePorts(3);
  const mecha = startMecha(['sidecar', '--app-id', 'foreign', '--data-dir', data.path, '--dapr-http-port', `${http}`, '--dapr-grpc-port', `${grpc}`, '--metrics-port', '0', '--app-port', `${appPort}`]);
  later(() => mecha.kill('SIGKILL'));
  await untilStatus(`http://127.0.0.1:${http}/v1.0/healthz/outbound`, 204, mecha);
  const aimed = ['--http', `http://127.0.0.1:${http}`, '--grpc', `127.0.0.1:${grpc}`, '--pid', `${mecha.pid}`, '--app-port', `${appPort}`];
  const results = await resultsOf(await runBench(['state-get', 'publish', 'pubsub-roundtrip', ...SHORT, ...aimed]));
  expect(measuredIn(results)).toEqual(['state-get', 'publish', 'pubsub-roundtrip'].flatMap((scenario) => on(scenario, BOTH, ['external'])));
  for (const one of results.measurements) {
    expect(one.operations).toBeGreaterThan(0);
    expect(one.errors + (one.lost ?? 0), JSON.stringify({ ...one, distribution: undefined })).toBe(0);
    expect(one.target?.rssMax).toBeGreaterThan(10_000_000);
  }
  expect((await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`)).status).toBe(204);
});

describe('what is wrong is said in one line, with exit code 2:', () => {
  let nowhere = 0;
  beforeAll(async () => {
    [nowhere = 0] = await freePorts(1);
  });

  test.each<[what: string, args: () => readonly string[], words: () => string]>([
    ['a scenario that does not exist', () => ['state-gte'], () => 'there is no scenario "state-gte", did you mean state-get?; there are bare-http, bare-grpc, state-get, '],
    ['a target that cannot be reached', () => ['state-get', '--http', `127.0.0.1:${nowhere}`, '--protocols', 'http'], () => `--http: nothing to measure at 127.0.0.1:${nowhere}: connect ECONNREFUSED 127.0.0.1:${nowhere}`],
    ['a pid that no process has', () => ['state-get', '--http', `127.0.0.1:${nowhere}`, '--pid', '4194303'], () => '--pid: no process has the pid 4194303'],
    ['a protocol without an address', () => ['state-get', '--http', `127.0.0.1:${nowhere}`, '--protocols', 'grpc'], () => 'state-get over grpc needs --grpc host:port'],
    ['a scenario that cannot be aimed', () => ['startup', '--http', `127.0.0.1:${nowhere}`], () => 'startup starts its own processes; it cannot be aimed at one that runs already'],
    ['a build that is none', () => ['state-get', '--build', '/no/such/build'], () => 'no built package at /no/such/build: npm run build makes it'],
    ['a backend whose server nobody knows', () => ['publish', '--backends', 'kafka', ...build], () => 'the kafka backend needs its server, and none is known: npm run servers -- up kafka, or set MECHA_KAFKA_BROKERS'],
    ['nothing that could be measured', () => ['bare-http', '--protocols', 'grpc'], () => 'nothing was measured: no scenario knows these backends and protocols'],
  ])('%s', async (_what, args, words) => {
    const { code, err, out } = await runBench(args(), { MECHA_SERVERS_DIR: place.path, MECHA_REDIS_HOST: '', MECHA_KAFKA_BROKERS: '', MECHA_POSTGRESQL_HOST: '' });
    expect(err).toMatch(/^bench: [^\n]*\n$/);
    expect(err).toContain(words());
    expect(code, out).toBe(2);
  });

  test('a payload larger than the generator sends over gRPC', async () => {
    const { code, err } = await runBench(['bare-grpc', 'publish', ...SHORT, ...build, '--payload', '128K', '--backends', 'memory', '--protocols', 'grpc']);
    expect(err).toMatch(/^bench: publish grpc bare: a request of \d+ bytes is larger than this generator sends over gRPC \(65530 at most\)\n$/);
    expect(code).toBe(2);
  });

  test('a target that goes away in the middle', async () => {
    const bench = await startBench(['bare-http', '--duration', '60s', '--warmup', '100ms', '--rounds', '1', '--modes', 'closed', '--concurrency', '4']);
    const bare = await until('the bare server and the generator run', () => (childrenOf(bench.process.pid).length === 2 ? childrenOf(bench.process.pid).find(({ command }) => command.includes('bare-server')) : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(bare.pid, 'SIGKILL');
    const { code, err } = await bench.ended;
    // A busy machine may not have opened the load's connections yet: then it is the call that checks the answer which fails.
    expect(err).toMatch(/^bench: bare-http http bare: (?:the server is gone: )?connect ECONNREFUSED 127\.0\.0\.1:\d+\n$/);
    expect(code).toBe(2);
    expect(await readdir(bench.temporary)).toEqual([]);
  });
});

test.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s ends all its processes and removes its temporary folders', async (signal, expected) => {
  const bench = await startBench(['state-get', ...build, '--duration', '60s', '--backends', 'memory,sqlite', '--protocols', 'http']);
  const children = await until('its targets and its generator run', () => (childrenOf(bench.process.pid).length === 4 ? childrenOf(bench.process.pid) : undefined), { about: bench.process });
  expect((await readdir(bench.temporary)).length).toBe(2);
  bench.process.child.kill(signal);
  const { code, err } = await bench.ended;
  expect(err).toBe('bench: interrupted\n');
  expect(code).toBe(expected);
  expect(children.filter(({ pid }) => isAlive(pid))).toEqual([]);
  expect(await readdir(bench.temporary)).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
