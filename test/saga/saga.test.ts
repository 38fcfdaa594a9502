/** The sample as its users run it: the driver's exit code and last line, on the embedded default, in every language. */
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findCommand, findOrInstall } from '../servers/machine.ts';
import { goEnvironment } from '../tools/go.ts';
import { REPOSITORY, cleanEnv, start, temporaryFolder } from '../tools/processes.ts';
import { MUTANTS, writeMutant } from './mutants.ts';

const DRIVER = join(REPOSITORY, 'samples/order-saga/driver/main.ts');
const RUN_MS = 240_000;

let cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.reverse()) await step();
  cleanup = [];
});

async function runDriver(...args: string[]): ReturnType<typeof runDriverIn> {
  return runDriverIn({}, ...args);
}

async function runDriverIn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<{ code: number | null; last: string; lines: readonly string[] }> {
  const driver = start(process.execPath, [DRIVER, '--exit', ...args], { env: cleanEnv(env) });
  cleanup.push(() => driver.kill('SIGKILL'));
  const code = await driver.exited;
  return { code, last: driver.lines.at(-1) ?? '', lines: driver.lines };
}

async function pythonEnvironment(): Promise<Readonly<Record<string, string>>> {
  await findOrInstall(() => findCommand('python3'), ['python3'], 'install python3', console.log);
  return {};
}

const settled = (orders: number) =>
  new RegExp(`^orders: ${orders} confirmed: ${Math.floor((orders * 3) / 4)} rejected: ${orders - Math.floor((orders * 3) / 4)} lost: 0 oversold: 0 p50: \\d+ ms p99: \\d+ ms orders/s: \\d+\\.\\d$`);

describe('the order saga', () => {
  test('settles on the embedded default, and says so in its last line', { timeout: RUN_MS }, async () => {
    const { code, last, lines } = await runDriver('--orders', '60');
    expect(last, lines.join('\n')).toMatch(settled(60));
    expect(code).toBe(0);
  });

  test.each([
    ['python', pythonEnvironment],
    ['go', () => goEnvironment('1.21')],
  ])('settles with the inventory in %s', { timeout: RUN_MS }, async (language, environment) => {
    const { code, last, lines } = await runDriverIn(await environment(), '--orders', '20', '--inventory', language);
    expect(last, lines.join('\n')).toMatch(settled(20));
    expect(code).toBe(0);
  });

  test.each(Object.entries(MUTANTS))('turns red when the inventory %s', { timeout: RUN_MS }, async (_what, change) => {
    const folder = await temporaryFolder();
    cleanup.push(folder.remove);
    const runFile = await writeMutant(folder.path, change);
    const { code, last, lines } = await runDriver('--orders', '40', '--run-file', runFile, '--patience', '5');
    expect(code, lines.join('\n')).toBe(1);
    expect(last).toMatch(/^orders: 40 /);
    expect(lines.join('\n')).toMatch(/! S[1-4]: /);
  });

  test('a word that it does not know, a number that is none: told in one line, and a code that is not 0', async () => {
    expect(await runDriver('--inventory', 'cobol')).toMatchObject({ code: 1, last: "--inventory takes one of js, python, go, not 'cobol'" });
    expect(await runDriver('--orders', 'many')).toMatchObject({ code: 1, last: expect.stringMatching(/^--orders takes a whole number/) as string });
  });
});
