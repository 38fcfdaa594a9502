import { describe, expect, test } from 'vitest';
import { countResults, serversNeededBy } from './test-report.ts';

describe('servers that a test file needs', () => {
  const names = ['left', 'right'] as const;

  test.each([
    ["const host = serverAddress('left');", ['left']],
    ["await startPrivateServer('right')", ['right']],
    ["await ensureServers(['left', 'right'])", ['left', 'right']],
    ['// needs: right\nimport x', ['right']],
    ["parse(['--resources', 'left-right']); // about left", []],
  ])('%j names %j', (text, expected) => {
    expect(serversNeededBy(text, names)).toEqual(expected);
  });
});

describe('counting a report', () => {
  const fileWith = (status: string, ...tests: string[]): object => ({
    name: 'a.test.ts',
    status,
    assertionResults: tests.map((one, index) => ({ fullName: `test ${index}`, status: one })),
  });
  const report = (...files: object[]): Parameters<typeof countResults>[0] => ({ testResults: files }) as Parameters<typeof countResults>[0];

  test('a file that could not be loaded is a failure, although no test of it failed', () => {
    expect(countResults(report(fileWith('failed'), fileWith('passed', 'passed')))).toEqual({ passed: 1, failed: 1, skipped: [] });
  });

  test('a failed test is counted once, not again for its file', () => {
    expect(countResults(report(fileWith('failed', 'failed', 'passed')))).toMatchObject({ passed: 1, failed: 1 });
  });

  test('a test that did not run is named', () => {
    expect(countResults(report(fileWith('passed', 'passed', 'pending'))).skipped).toEqual(['test 1']);
  });

  test('no report means nothing passed', () => {
    expect(countResults(undefined)).toEqual({ passed: 0, failed: 0, skipped: [] });
  });
});
