import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from './configuration.ts';
import { problemLines } from './resources.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Each text is the `spec` of one file, in order. */
async function load(specs: readonly string[], env: Record<string, string> = {}) {
  folder = await mkdtemp(join(tmpdir(), 'mecha-configuration-'));
  const files: string[] = [];
  for (const [index, spec] of specs.entries()) {
    const file = join(folder, `${index}.yaml`);
    await writeFile(file, `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\nspec:\n${spec.replace(/^/gm, '  ')}\n`);
    files.push(file);
  }
  const { configuration, problems } = await loadConfiguration(files, env);
  return { configuration, lines: problemLines(problems).map((line) => line.replace(`${folder}/`, '')) };
}

test('without a file the defaults hold', async () => {
  const { configuration, problems } = await loadConfiguration([], {});
  expect(problems).toEqual([]);
  expect(configuration).toMatchObject({ secretScopes: [], api: { allowed: [], denied: [] }, samplingRate: 0.0001, apiLogging: { enabled: false } });
});

test('sections are read, and words of access in any case', async () => {
  const { configuration, lines } = await load([`tracing: {samplingRate: "1"}
logging: {apiLogging: {enabled: true, obfuscateURLs: true}}
components: {deny: [state.redis, pubsub.kafka/v1]}
features: [{name: HotReload, enabled: false}]
api:
  denied: [{name: state, version: v1.0, protocol: HTTP}]
secrets:
  scopes:
  - {storeName: vault, defaultAccess: Deny, allowedSecrets: [a]}
  - {storeName: local}`]);
  expect(lines.map((line) => line.replace(/^.*?warning: /, 'warning: '))).toEqual(['warning: spans are not exported yet; spec.tracing.samplingRate has no effect (spec.tracing.samplingRate)']);
  expect(configuration).toEqual({
    secretScopes: [
      { storeName: 'vault', defaultAccess: 'deny', allowedSecrets: ['a'], deniedSecrets: [] },
      { storeName: 'local', defaultAccess: 'allow', allowedSecrets: [], deniedSecrets: [] },
    ],
    api: { allowed: [], denied: [{ name: 'state', version: 'v1.0', protocol: 'http' }] },
    deniedComponents: ['state.redis', 'pubsub.kafka/v1'],
    samplingRate: 1,
    apiLogging: { enabled: true, obfuscateURLs: true, omitHealthChecks: false },
    metricsEnabled: true,
    features: { HotReload: false },
    workflow: { turnsPerName: {}, activitiesPerName: {}, retention: {} },
  });
});

test('later files win field by field, and a list replaces a list', async () => {
  const { configuration } = await load([
    'api: {allowed: [{name: state, version: v1.0, protocol: http}], denied: [{name: secrets, version: v1.0, protocol: http}]}\nlogging: {apiLogging: {enabled: true}}',
    'api: {denied: [{name: invoke, version: v1.0, protocol: grpc}]}\nlogging: {apiLogging: {obfuscateURLs: true}}',
  ]);
  expect(configuration.api).toEqual({ allowed: [{ name: 'state', version: 'v1.0', protocol: 'http' }], denied: [{ name: 'invoke', version: 'v1.0', protocol: 'grpc' }] });
  expect(configuration.apiLogging).toMatchObject({ enabled: true, obfuscateURLs: true });
});

test('variables of the environment stand anywhere, and one that is not set is empty', async () => {
  const { configuration } = await load(['components: {deny: ["$KIND.redis", "${KIND}.sqlite${NOTHING}"]}'], { KIND: 'state' });
  expect(configuration.deniedComponents).toEqual(['state.redis', 'state.sqlite']);
});

describe('what would leave open what was meant to be closed ends the start', () => {
  test.each([
    ['api: {alowed: []}', '0.yaml:5: error: unknown field alowed (spec.api.alowed); did you mean allowed?'],
    ['secret: {scopes: []}', '0.yaml:5: error: unknown field secret (spec.secret); did you mean secrets?'],
    ['secrets: {scopes: [{storeName: a, defaultAccess: denny}]}', "0.yaml:5: error: defaultAccess is allow or deny, not 'denny' (spec.secrets.scopes[0].defaultAccess)"],
    ['secrets: {scopes: [{storeName: a, allowedSecret: [b]}]}', '0.yaml:5: error: unknown field allowedSecret (spec.secrets.scopes[0].allowedSecret); did you mean allowedSecrets?'],
    ['secrets:\n  scopes:\n  - storeName: a\n  - storeName: a', '0.yaml:8: error: there are two secret scopes for store a (spec.secrets.scopes[1])'],
    ['accessControl: {defaultAction: deny}', /0\.yaml:5: error: spec\.accessControl is not served yet/],
    ['accessControl: {policies: [{appId: a}]}', /0\.yaml:5: error: spec\.accessControl is not served yet/],
    ['tracing: {samplingRate: "7"}', "0.yaml:5: error: must be a number from 0 to 1, not '7' (spec.tracing.samplingRate)"],
  ])('%s', async (spec, expected) => {
    const { lines } = await load([spec]);
    if (typeof expected === 'string') expect(lines).toContain(expected);
    else expect(lines.join('\n')).toMatch(expected);
  });
});

test.each([
  ['mtls: {enabled: true}', /warning: spec\.mtls is not served yet/],
  ['tracing: {zipkin: {endpointAddress: x}}', /warning: exporting traces is not served yet/],
  ['metric: {enabled: false}', /warning: has no effect here.*--enable-metrics=false/],
  ['metric: {rules: []}', /warning: spec\.metric\.rules is not served yet/],
  ['api: {allowed: [{name: state, version: v1.0}]}', /warning: an API rule without protocol has no effect/],
])('what is known and does nothing warns: %s', async (spec, expected) => {
  expect((await load([spec])).lines.join('\n')).toMatch(expected);
});

test('a file that is missing, or of another kind, is an error with its name', async () => {
  expect(problemLines((await loadConfiguration(['nowhere.yaml'], {})).problems)).toEqual(['nowhere.yaml: error: cannot be read: ENOENT']);
  folder = await mkdtemp(join(tmpdir(), 'mecha-configuration-'));
  await writeFile(join(folder, 'a.yaml'), 'kind: Component\n');
  expect(problemLines((await loadConfiguration([join(folder, 'a.yaml')], {})).problems)[0]).toMatch(/a\.yaml:1: error: --config takes a Configuration, and this is a Component$/);
});

test('limits and retention of workflows are read; a limit of nothing is none', async () => {
  const { configuration, lines } = await load([`workflow:
  maxConcurrentWorkflowInvocations: 20
  maxConcurrentActivityInvocations: 0
  workflowConcurrencyLimits: [{name: order, maxConcurrent: 2}, {name: any, maxConcurrent: 0}]
  activityConcurrencyLimits: [{name: pay, maxConcurrent: 5}]
  stateRetentionPolicy: {anyTerminal: 24h, failed: 168h, completed: 0s}
  maxPayloadSize: 8Mi
  maxHistorySize: 32Mi`, 'workflow: {maxConcurrentActivityInvocations: 7}']);
  expect(lines).toEqual([]);
  expect(configuration.workflow).toEqual({
    turnsMax: 20, activitiesMax: 7, turnsPerName: { order: 2 }, activitiesPerName: { pay: 5 },
    retention: { completedMs: 0, failedMs: 7 * 86_400_000, terminatedMs: 86_400_000, canceledMs: 86_400_000 },
    payloadBytesMax: 8 * 1024 * 1024, historyBytesMax: 32 * 1024 * 1024,
  });
});

test('each fault in the settings of workflows is told with its place', async () => {
  const { lines } = await load([`workflow:
  maxConcurrentWorkflowInvocation: 1
  maxConcurrentActivityInvocations: -1
  globalMaxConcurrentWorkflowInvocations: 5
  workflowConcurrencyLimits: [{maxConcurrent: 2}, {name: a}, {name: b, maxConcurrent: 1}, {name: b, maxConcurrent: 2}]
  stateRetentionPolicy: {completed: soon}
  maxPayloadSize: 1
  maxHistorySize: 5Gi`]);
  const text = lines.join('\n');
  for (const words of [/maxConcurrentWorkflowInvocation.*did you mean|maxConcurrentWorkflowInvocations/, /from 0 on.*maxConcurrentActivityInvocations/, /globalMax.*hold for each sidecar; use maxConcurrentWorkflowInvocations/, /needs name/, /the concurrency limit for a needs maxConcurrent/, /two concurrency limits for b/, /not 'soon'/, /from 64Ki to 128Mi, not '1'/, /from 1024Ki to 1024Mi, not '5Gi'/]) expect(text).toMatch(words);
});
