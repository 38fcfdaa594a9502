/** Reading tests from outside: which servers a test file needs, and what a run's report says. */

/** The part of Vitest's JSON report that the summary is made from. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Full names of the tests that did not run. */
  readonly skipped: readonly string[];
}

/** A file that could not be loaded has no tests to count and is one failure. */
export function countResults(report: VitestReport | undefined): Counts {
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const unloaded = files.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'));
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length + unloaded.length,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  };
}

/**
 * The servers that a test's text asks for: `serverAddress('redis')`, `startPrivateServer('redis')`, `ensureServers(['redis'])`,
 * or a line `// needs: redis, kafka` where it asks by way of another file.
 */
export function serversNeededBy<Name extends string>(text: string, names: readonly Name[]): readonly Name[] {
  const said = [
    ...text.matchAll(/\b(?:serverAddress|startPrivateServer|ensureServers)\(([^)]*)\)/g),
    ...text.matchAll(/^\/\/ needs: (.*)$/gm),
  ].map(([, words]) => words ?? '');
  return names.filter((name) => said.some((words) => new RegExp(`\\b${name}\\b`).test(words)));
}
