import { describe, expect, test } from 'vitest';
import { parseArguments, type Options } from './arguments.ts';
import { Problem } from './problem.ts';

const KNOWN = ['state-get', 'state-set', 'publish'];
const parse = (...argv: string[]): Options => parseArguments(argv, KNOWN) as Options;
const external = ['--http', '127.0.0.1:3500'];

function refused(argv: readonly string[]): string {
  try {
    parseArguments(argv, KNOWN);
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    return (error as Problem).message;
  }
  throw new Error(`${argv.join(' ')} was taken`);
}

test('without flags it is ten seconds, three rounds, everything', () => {
  expect(parse()).toMatchObject({
    scenarios: [],
    protocols: ['http', 'grpc'],
    backends: ['memory', 'sqlite', 'postgresql', 'redis', 'kafka'],
    modes: ['closed', 'open'],
    concurrencies: [1, 8, 64, 256],
    rate: undefined,
    rounds: 3,
    durationMs: 10_000,
    warmupMs: 2000,
    payloadBytes: 1024,
    rows: [1000, 100_000, 1_000_000],
    quick: false,
    profile: undefined,
    external: undefined,
  });
});

test('--quick is short and small, and every part of it can be said otherwise', () => {
  const quick = parse('--quick');
  expect(quick.durationMs).toBeLessThan(1000);
  expect(quick).toMatchObject({ rounds: 1, concurrencies: [1, 8], rows: [100, 1000] });
  expect(parse('--quick', '--rounds', '2', '--concurrency', '3', '--duration', '1.5s', '--rate', '7')).toMatchObject({ rounds: 2, concurrencies: [3], durationMs: 1500, rate: 7, quick: true });
});

test('scenarios keep their order, sizes and times their units', () => {
  expect(parse('publish', 'state-get', '--payload', '64K', '--rows', '1k,2M,7', '--duration', '2m', '--warmup', '500ms')).toMatchObject({
    scenarios: ['publish', 'state-get'],
    payloadBytes: 65_536,
    rows: [1000, 2_000_000, 7],
    durationMs: 120_000,
    warmupMs: 500,
  });
});

test('warm-up is never longer than what it warms up for, unless it is said', () => {
  expect(parse('--duration', '1s').warmupMs).toBe(1000);
  expect(parse('--duration', '1s', '--warmup', '3s').warmupMs).toBe(3000);
});

test('a process that runs already has its address, pids and names', () => {
  expect(parse(...external, '--grpc', 'host:50001', '--pid', `${process.pid}`, '--store', 's', '--pubsub', 'p', '--app-port', '6001', '--topic', 't', '--echo-app-id', 'e')).toMatchObject({
    store: 's',
    pubsub: 'p',
    external: { http: '127.0.0.1:3500', grpc: 'host:50001', pids: [process.pid], appPort: 6001, appProtocol: 'http', topic: 't', echoAppId: 'e' },
  });
  expect(parse(...external, '--app-protocol', 'grpc').external).toEqual({ http: '127.0.0.1:3500', pids: [], appProtocol: 'grpc', topic: 'bench', echoAppId: 'echo' });
});

test('an older build stands before the new one, so that it is their base', () => {
  expect(parse('--against', '/old', '--build', '/new').builds).toEqual([{ name: 'old', folder: '/old' }, { name: 'new', folder: '/new' }]);
  expect(parse('--build', '/new').builds).toEqual([{ name: 'new', folder: '/new' }]);
});

test('--help is help, whatever else is said', () => {
  expect(parseArguments(['--help', '--pid', '1', 'nonsense'], KNOWN)).toBe('help');
});

describe('one clear line for', () => {
  test.each<[argv: string[], words: string | RegExp]>([
    [['state-gte'], 'there is no scenario "state-gte", did you mean state-get?; there are state-get, state-set, publish'],
    [['qqqqqqqqqq'], 'there is no scenario "qqqqqqqqqq"; there are state-get, state-set, publish'],
    [['--bakends', 'memory'], "Unknown option '--bakends', did you mean --backends?; --help lists all flags"],
    [['--zzzzzzzzzz'], "Unknown option '--zzzzzzzzzz'; --help lists all flags"],
    [['-x'], "Unknown option '-x'; --help lists all flags"],
    [['--rate'], "Option '--rate <value>' argument missing; --help lists all flags"],
    [['--rate', '-5'], "Option '--rate' argument is ambiguous; --help lists all flags"],
    [['--quick=yes'], "Option '--quick' does not take an argument; --help lists all flags"],
    [['--backends', 'memory,redsi'], '--backends knows memory, sqlite, postgresql, redis, kafka, not "redsi"'],
    [['--backends', ','], '--backends takes a list with commas'],
    [['--protocols', 'quic'], '--protocols knows http, grpc, not "quic"'],
    [['--modes', 'ajar'], '--modes knows closed, open, not "ajar"'],
    [['--concurrency', '1,0'], '--concurrency takes a whole number from 1 to 10000, not "0"'],
    [['--concurrency', '1e3'], '--concurrency takes a whole number from 1 to 10000, not "1e3"'],
    [['--rate', '2000000'], '--rate takes a whole number from 1 to 1000000, not "2000000"'],
    [['--connections', '1.5'], '--connections takes a whole number from 1 to 10000, not "1.5"'],
    [['--rounds', 'many'], '--rounds takes a whole number from 1 to 1000, not "many"'],
    [['--duration', '10'], '--duration takes a time such as 500ms, 10s or 1m, not "10"'],
    [['--duration', '0s'], '--duration takes a time such as 500ms, 10s or 1m, not "0s"'],
    [['--warmup', '2h'], '--warmup takes a time such as 500ms, 10s or 1m, not "2h"'],
    [['--payload', '10'], '--payload takes 64 bytes to 1M, not 10'],
    [['--payload', '2M'], '--payload takes 64 bytes to 1M, not 2M'],
    [['--payload', 'big'], '--payload takes a number such as 1000, 64K or 1M, not "big"'],
    [['--rows', '1k,0'], '--rows takes a number such as 1000, 64K or 1M, not "0"'],
    [['--orders', '0'], '--orders takes a whole number from 1 to 1000000, not "0"'],
    [[...external, '--pid', '4194303'], '--pid: no process has the pid 4194303'],
    [[...external, '--pid', 'init'], '--pid takes a whole number from 1 to 4194304, not "init"'],
    [[...external, '--app-port', '70000'], '--app-port takes a whole number from 1 to 65535, not "70000"'],
    [[...external, '--app-protocol', 'http,grpc'], '--app-protocol takes http or grpc, not "http,grpc"'],
    [[...external, '--app-protocol', 'quic'], '--app-protocol knows http, grpc, not "quic"'],
    [[...external, '--build', 'dist'], '--build starts a process; it does not go with --http and --grpc'],
    [[...external, '--against', 'dist'], '--against starts a process; it does not go with --http and --grpc'],
    [[...external, '--profile'], '--profile of a process that runs already needs --inspect: start it with node --inspect, which prints the address'],
    [[...external, '--profile', '--inspect', '127.0.0.1:9229'], '--inspect takes the ws:// address that Node prints when it is started with --inspect, not "127.0.0.1:9229"'],
    ...['--pid=1', '--inspect=ws://x/y', '--store=s', '--pubsub=p', '--app-port=1', '--app-protocol=grpc', '--topic=t', '--echo-app-id=e'].map((flag): [string[], string] => [
      [flag],
      `${flag.split('=')[0]} belongs to a process that runs already: --http or --grpc says where`,
    ]),
  ])('%j', (argv, words) => {
    const said = refused(argv);
    expect(said).toBe(words);
    expect(said).not.toContain('\n');
  });
});
