/**
 * `npm test`: check, bring up the real servers that the chosen tests need, run the tests, take down what was brought up.
 *
 * A test never passes by being left out: a server that cannot be had fails the run by name, `--without NAME` leaves its
 * tests out and the summary names them, and a skipped test is named as well. The last line is `N passed, N failed`.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureServers, serverNames, stopServers, type ServerName } from '../test/servers/servers.ts';
import { countResults, serversNeededBy, type VitestReport } from './test-report.ts';
import { ROOT, runNode, sourceFiles, toolPath } from './tools.ts';

/** Languages whose SDKs are tested by apps in them; each test gets what it needs by itself, or fails by name. */
const LANGUAGES = ['go', 'java', 'python'] as const;
type Leavable = ServerName | (typeof LANGUAGES)[number];
const LEAVABLE: readonly Leavable[] = [...serverNames, ...LANGUAGES];

const HELP = `npm test [-- [options] [FILTER ...]]

  FILTER          only test files whose path contains one of these
  --without NAME  leave out the tests that need this: ${LEAVABLE.join(', ')}; may be repeated
  --no-check      leave out npm run check
  --long          long crash runs
  --help          this text
`;
/** Read by test/crash. */
const LONG = { MECHA_CRASH_KILLS: '60', MECHA_CRASH_ORDERS: '2000' };
const LEFT_OUT_SHOWN_MAX = 50;
const REPORT = join(ROOT, '.cache', 'test-report.json');

class WrongArguments extends Error {}

interface Choice {
  readonly filters: readonly string[];
  readonly without: readonly Leavable[];
  readonly check: boolean;
  readonly long: boolean;
}

try {
  const choice = readChoice(process.argv.slice(2));
  if (choice !== undefined) process.exitCode = await runTests(choice);
} catch (error) {
  if (!(error instanceof WrongArguments) && (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
  console.error(`${(error as Error).message}\n\n${HELP}`);
  process.exitCode = 2;
}

function readChoice(argv: readonly string[]): Choice | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      without: { type: 'string', multiple: true, default: [] },
      'no-check': { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const without = values.without.flatMap((names) => names.split(','));
  const unknown = without.find((name) => !LEAVABLE.includes(name as Leavable));
  if (unknown !== undefined) throw new WrongArguments(`--without takes ${LEAVABLE.join(' or ')}, not '${unknown}'`);
  return { filters: positionals, without: without as Leavable[], check: !values['no-check'], long: values.long };
}

async function runTests({ filters, without, check, long }: Choice): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

  const files = sourceFiles().filter((file) => file.endsWith('.test.ts') && (filters.length === 0 || filters.some((filter) => file.includes(filter))));
  const needs = new Map(files.map((file) => [file, serversNeededBy(readFileSync(join(ROOT, file), 'utf8'), LEAVABLE)]));
  const leftOut = files.filter((file) => without.some((name) => needs.get(file)?.includes(name)));
  const chosen = files.filter((file) => !leftOut.includes(file));
  const servers = serverNames.filter((name) => chosen.some((file) => needs.get(file)?.includes(name)));
  if (files.length === 0) {
    console.log(`no test file matches ${filters.join(' ')}\n0 passed, 0 failed`);
    return 1;
  }

  let extraFailures = 0;
  if (check && (await runNode(['scripts/check.ts'], { show: true, signal: interrupted.signal })).code !== 0) {
    console.log('check failed; the tests run all the same');
    extraFailures++;
  }
  let started: readonly ServerName[] = [];
  let report: VitestReport | undefined;
  let code = 1;
  try {
    const ensured = await ensureServers(servers, (line) => console.log(line));
    started = ensured.started;
    if (ensured.missing.length > 0) {
      for (const { name, why, whatToDo } of ensured.missing) {
        console.log(`${name} cannot be had: ${why}\n  what to do: ${whatToDo}\n  or leave its tests out: npm test -- --without ${name}`);
      }
      console.log(`0 passed, ${ensured.missing.length + extraFailures} failed`);
      return 1;
    }
    ({ code, report } = await runVitest(chosen, { ...ensured.env, ...(long ? LONG : {}) }, interrupted.signal));
  } finally {
    if (started.length > 0) console.log(`taking down ${(await stopServers(started)).join(' and ')}`);
  }
  return summarise({ code, report, leftOut, without, extraFailures });
}

async function runVitest(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ code: number; report: VitestReport | undefined }> {
  if (files.length === 0) return { code: 0, report: { testResults: [] } };
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  await rm(REPORT, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`, ...files];
  const { code } = await runNode([toolPath('vitest/vitest.mjs'), ...args], { env: { ...process.env, ...env }, show: true, signal });
  const text = await readFile(REPORT, 'utf8').catch(() => undefined);
  return { code, report: text === undefined ? undefined : (JSON.parse(text) as VitestReport) };
}

function summarise(outcome: {
  code: number;
  report: VitestReport | undefined;
  leftOut: readonly string[];
  without: readonly Leavable[];
  extraFailures: number;
}): number {
  const { passed, failed, skipped } = countResults(outcome.report);
  // An error outside of any test, or a runner that died, is a failure too.
  const unexplained = outcome.code !== 0 && failed === 0 ? 1 : 0;
  if (unexplained > 0) console.log('the test runner failed outside of a test; its words stand above');
  if (outcome.leftOut.length > 0) console.log(`left untested, without ${outcome.without.join(' and ')}:\n${shorten(outcome.leftOut)}`);
  if (skipped.length > 0) console.log(`left untested, skipped by the tests themselves:\n${shorten(skipped)}`);
  const failures = failed + unexplained + outcome.extraFailures;
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

function shorten(lines: readonly string[]): string {
  const shown = lines.slice(0, LEFT_OUT_SHOWN_MAX).map((line) => `  ${line}`);
  return [...shown, ...(lines.length > shown.length ? [`  and ${lines.length - shown.length} more`] : [])].join('\n');
}
