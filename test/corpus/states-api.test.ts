/** The recorded executions over the Step Functions API of a real sidecar, and the command that drives such files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, REPOSITORY, start } from '../tools/processes.ts';
import { cleanUp, folder, startSidecar } from '../e2e/sidecar.ts';
import { readCorpus, type CorpusCase } from './cases.ts';
import { driveCase } from './states-client.ts';

const cases = readCorpus();
let endpoint = '';
beforeAll(async () => {
  const sidecar = await startSidecar({ appId: 'corpus' });
  endpoint = `http://127.0.0.1:${sidecar.httpPort}/v1.0-mecha/states`;
});
afterAll(cleanUp);

const event = (id: number, previousEventId: number, type: string, more: Readonly<Record<string, unknown>> = {}) => ({ id, previousEventId, type, ...more });
const PASS: CorpusCase = {
  name: 'pass',
  definition: { StartAt: 'P', States: { P: { Type: 'Pass', Result: 1, End: true } } },
  input: '{}',
  expected: {
    events: [
      event(1, 0, 'ExecutionStarted', { executionStartedEventDetails: { input: '{}', inputDetails: { truncated: false } } }),
      event(2, 0, 'PassStateEntered', { stateEnteredEventDetails: { name: 'P', input: '{}', inputDetails: { truncated: false } } }),
      event(3, 2, 'PassStateExited', { stateExitedEventDetails: { name: 'P', output: '1', outputDetails: { truncated: false } } }),
      event(4, 3, 'ExecutionSucceeded', { executionSucceededEventDetails: { output: '1', outputDetails: { truncated: false } } }),
    ],
  },
};
const wrong = (one: CorpusCase): CorpusCase => ({ ...one, name: 'wrong', definition: { StartAt: 'P', States: { P: { Type: 'Pass', Result: 2, End: true } } } });

describe('recorded executions over the API', () => {
  test('the driver finds what is as recorded, and what is not', async () => {
    expect(await driveCase(endpoint, PASS, 'right')).toBeUndefined();
    expect(await driveCase(endpoint, wrong(PASS), 'wrong')).toMatch(/^event 3 \(PassStateExited\): /);
  });

  test('npm run corpus starts a sidecar, drives a file and prints passed of total', async () => {
    const file = join(await folder(), 'cases.json');
    const run = async (given: readonly CorpusCase[]): Promise<readonly [number | null, string]> => {
      await writeFile(file, JSON.stringify(given));
      const running = start(process.execPath, [join(REPOSITORY, 'test/corpus/main.ts'), file], { env: cleanEnv() });
      return [await running.exited, running.lines.join('\n')];
    };
    expect(await run([PASS])).toEqual([0, '1/1']);
    const [code, printed] = await run([PASS, wrong(PASS)]);
    expect([code, printed]).toEqual([1, expect.stringMatching(/^wrong\n {2}event 3[^]*\n1\/2$/)]);
  });

  test.each(cases ?? [])('$name', async (one) => {
    expect(await driveCase(endpoint, one, `case-${cases?.indexOf(one)}`)).toBeUndefined();
  });
});
