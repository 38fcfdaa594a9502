/** Manifests as the field's own conformance suites load them (components.md C.9): loose, and loaded all the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadResources, problemLines } from './resources.ts';

const MANIFESTS: Readonly<Record<string, string>> = {
  'state/redis v6': 'type: state.redis, metadata: [{name: redisHost, value: "localhost:6379"}, {name: redisPassword, value: ""}, {name: queryIndexes, value: "[]"}]',
  'state/redis v7': 'type: state.redis, metadata: [{name: redisHost, value: "localhost:6380"}, {name: redisPassword, value: ""}]',
  'state/sqlite': 'type: state.sqlite, metadata: [{name: connectionString, value: ":memory:"}]',
  'state/in-memory': 'type: state.in-memory, version: v1',
  'pubsub/in-memory': 'type: pubsub.in-memory, version: v1',
  'pubsub/redis': 'type: pubsub.redis, version: v1, metadata: [{name: redisHost, value: "localhost:6379"}, {name: consumerID, value: c}, {name: processingTimeout, value: 5s}, {name: redeliverInterval, value: 1s}, {name: concurrency, value: "1"}]',
  'pubsub/kafka': 'type: pubsub.kafka, version: v1, metadata: [{name: brokers, value: "localhost:9092"}, {name: consumerGroup, value: g}, {name: authRequired, value: "false"}, {name: initialOffset, value: oldest}]',
  'secretstores/local.env': 'type: secretstores.local.env',
  'secretstores/local.file': 'type: secretstores.local.file, metadata: [{name: secretsFile, value: secrets.json}, {name: nestedSeparator, value: ":"}]',
};

test.each(Object.entries(MANIFESTS))('%s loads without an error', async (_name, spec) => {
  const folder = await mkdtemp(join(tmpdir(), 'mecha-manifest-'));
  try {
    await writeFile(join(folder, 'a.yaml'), `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: x\nspec: {${spec}}\n`);
    const { resources, problems } = await loadResources([folder], { appId: 'a', namespace: undefined, strict: false });
    expect(problemLines(problems.filter(({ severity }) => severity === 'error'))).toEqual([]);
    expect(resources).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
