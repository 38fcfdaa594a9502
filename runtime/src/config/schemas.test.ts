/** The generated JSON Schemas against what the loader says of the same YAML, so that an editor and a start agree. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadResources } from './resources.ts';

const ROOT = join(import.meta.dirname, '../../..');
let resource: ValidateFunction;
let runFile: ValidateFunction;

beforeAll(async () => {
  const compile = async (name: string) => new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(await readFile(join(ROOT, 'specs/schemas', name), 'utf8')) as object);
  resource = await compile('resource.schema.json');
  runFile = await compile('run-file.schema.json');
});

const head = (kind: string, spec: string, version = 'v1alpha1') => `apiVersion: dapr.io/${version}\nkind: ${kind}\nmetadata: {name: x}\nspec: ${spec}\n`;
const BROKER = `---\n${head('Component', '{type: pubsub.in-memory}').replace('name: x', 'name: p')}`;

async function loaderErrors(text: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-schema-'));
  try {
    await writeFile(join(folder, 'a.yaml'), text + BROKER);
    const { problems } = await loadResources([folder], { appId: 'a', namespace: undefined, strict: true });
    return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('what the loader takes, the schema takes', () => {
  test.each([
    head('Component', '{type: state.sqlite}'),
    head('Component', '{type: state.sqlite3, version: v1, metadata: }'),
    head('Component', '{type: state.redis, metadata: [{name: redisHost, value: x}, {name: keyPrefix, value: name}, {name: redisPassword, envRef: X}]}'),
    head('Component', '{type: pubsub.kafka, initTimeout: 9s, metadata: [{name: brokers, value: x}, {name: authType, value: none}, {name: consumeRetryEnabled, value: true}]}'),
    head('Subscription', '{topic: t, pubsubname: p, route: /x, deadLetterTopic: d}'),
    head('Subscription', '{topic: t, pubsubname: p, routes: {rules: [{match: "event.type == 1", path: /a}], default: /b}}', 'v2alpha1'),
    head('Resiliency', '{policies: {timeouts: {t: 5s}, retries: {r: {policy: constant, duration: 1s, maxRetries: 3, matching: {httpStatusCodes: "429,500-503"}}}}, targets: {apps: {a: {timeout: t, retry: r}}}}'),
    head('Workflow', '{definition: {StartAt: S, States: {S: {Type: Pass, End: true}}}}').replace('dapr.io', 'mecha.dev'),
    head('Workflow', `{type: EXPRESS, definition: '{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}'}`),
    head('HTTPEndpoint', '{baseUrl: "https://example.com", headers: [{name: a, value: b}]}'),
    head('HTTPEndpoint', '{baseUrl: "https://example.com", clientTLS: {renegotiation: RenegotiateNever}}'),
    head('Resiliency', '{targets: {actors: {Cart: {circuitBreakerScope: both, circuitBreakerCacheSize: 9}}}}'),
  ])('%s', async (text) => {
    expect(await loaderErrors(text)).toEqual([]);
    expect(resource(parse(text)), JSON.stringify(resource.errors)).toBe(true);
  });
});

describe('what the loader refuses, the schema refuses', () => {
  test.each([
    head('Componnet', '{type: state.sqlite}'),
    head('HTTPEndpoint', '{baseUrl: "https://example.com", clientTLS: {rootCA: {file: x}}}'),
    head('Resiliency', '{targets: {actors: {Cart: {circuitBreakerScope: ids}}}}'),
    head('Component', '{type: state.reddis}'),
    head('Component', '{type: state.sqlite, version: v9}'),
    head('Component', '{type: state.sqlite, metdata: []}'),
    head('Component', '{type: state.sqlite, metadata: [{name: nonsense, value: 1}]}'),
    head('Component', '{type: state.sqlite, metadata: [{value: 1}]}'),
    head('Component', '{type: state.redis, metadata: [{name: redisHost, value: x}, {name: redisType, value: nodee}]}'),
    `${head('Component', '{type: state.sqlite}')}scope: [a]\n`,
    head('Subscription', '{topic: t, pubsubname: p}'),
    head('Subscription', '{topic: t, pubsubname: p, route: /x}', 'v2alpha1'),
    head('Resiliency', '{policies: {retries: {r: {policy: sometimes}}}}'),
    head('Workflow', '{type: FAST, definition: {StartAt: S, States: {S: {Type: Succeed}}}}'),
    head('Workflow', '{definition: {StartAt: S}}'),
    head('HTTPEndpoint', '{headers: []}'),
  ])('%s', async (text) => {
    expect(await loaderErrors(text)).not.toEqual([]);
    expect(resource(parse(text))).toBe(false);
  });
});

test('the sample and its run file are right by the schemas', async () => {
  const sample = join(ROOT, 'samples/order-saga');
  for (const name of ['mecha.yaml', 'mecha.python.yaml', 'mecha.go.yaml']) {
    expect(runFile(parse(await readFile(join(sample, name), 'utf8'))), JSON.stringify(runFile.errors)).toBe(true);
  }
  for (const folder of ['embedded', 'redis-kafka']) {
    for (const file of ['components.yaml', 'subscriptions.yaml']) {
      for (const document of parseAllDocuments(await readFile(join(sample, 'resources', folder, file), 'utf8'))) {
        expect(resource(document.toJS()), JSON.stringify(resource.errors)).toBe(true);
      }
    }
  }
});

test.each(['version: 1\napps: [{appDirPath: a, comand: [x]}]', 'version: 2\napps: []', 'version: 1\napps: [{appID: a}]', 'version: 1\napps: [{appDirPath: a, logLevel: loud}]'])('a run file that is wrong is so by the schema: %j', (text) => {
  expect(runFile(parse(text))).toBe(false);
});
