import { field, type ComponentDefinition } from '@mecha/components/kit';
import { describe, expect, test } from 'vitest';
import { resolveItems, resolveMetadata, type ResolveContext } from './resolve-metadata.ts';
import type { ComponentResource, MetadataItem } from './resource-types.ts';

const definition = {
  type: 'pubsub.test', versions: ['v1'], status: 'stable', title: 'Test', description: '', features: [],
  metadata: { host: field.string('Host', { required: true }), password: field.string('Password', { secret: true }), retries: field.integer('Retries', { default: 3 }) },
  create: () => {
    throw new Error('never built here');
  },
} as unknown as ComponentDefinition;

const source = { file: 'a.yaml', line: 7 };
const item = (name: string, rest: Partial<MetadataItem>): MetadataItem => ({ name, source, ...rest });
const component = (...metadata: MetadataItem[]): ComponentResource => ({
  kind: 'Component', name: 'broker', type: 'pubsub.test', version: 'v1', metadata, secretStore: 'vault', scopes: [], namespace: undefined,
  ignoreErrors: false, initTimeoutMs: 5000, required: false, source: { file: 'a.yaml', line: 1 },
});
const context = (changes: Partial<ResolveContext> = {}): ResolveContext => ({
  appId: 'order',
  env: {},
  secret: async (store, name, key) => {
    throw new Error(`secret store ${store} has no value for secret ${name}, key ${key}`);
  },
  ...changes,
});

test('values, secrets and the environment become options, names as the user wrote them in the metadata', async () => {
  const asked: string[] = [];
  const resolved = await resolveMetadata(
    component(item('HOST', { envRef: 'BROKER' }), item('password', { secretKeyRef: { name: 'broker', key: 'word' } }), item('retries', { value: '5' })),
    definition,
    context({ env: { BROKER: 'b:1' }, secret: async (...names) => (asked.push(names.join('/')), 'hunter2') }),
  );
  expect(resolved).toEqual({ options: { host: 'b:1', password: 'hunter2', retries: 5 }, metadata: { HOST: 'b:1', password: 'hunter2', retries: '5' }, namespaced: false });
  expect(asked).toEqual(['vault/broker/word']);
});

test('templates are filled: namespace with the app, a new uuid for each place', async () => {
  const { options, namespaced } = await resolveMetadata(
    component(item('host', { value: '{namespace}/{appID}/{podName}' }), item('password', { value: '{uuid} {uuid}' })),
    definition,
    context({ env: { NAMESPACE: 'shop', POD_NAME: 'pod-1' } }),
  );
  expect(options['host']).toBe('shop.order/order/pod-1');
  const [first, second] = String(options['password']).split(' ');
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).not.toBe(first);
  expect(namespaced).toBe(true);
});

describe('what cannot be resolved ends the start with file, line and name, and never becomes an empty text', () => {
  test.each([
    [item('host', { envRef: 'NOWHERE' }), {}, 'a.yaml:7: error: broker: host: environment variable NOWHERE is not set'],
    [item('host', { envRef: 'dapr_api_token' }), { dapr_api_token: 'x' }, 'a.yaml:7: error: broker: host: environment variable dapr_api_token belongs to the sidecar and may not be referred to'],
    [item('host', { envRef: 'APP_API_TOKEN' }), { APP_API_TOKEN: 'x' }, 'a.yaml:7: error: broker: host: environment variable APP_API_TOKEN belongs to the sidecar and may not be referred to'],
    [item('host', { envRef: 'B' }), { DAPR_ENV_KEYS: 'A C', B: 'x' }, 'a.yaml:7: error: broker: host: environment variable B is not among DAPR_ENV_KEYS'],
    [item('host', { secretKeyRef: { name: 's', key: 'k' } }), {}, 'a.yaml:7: error: broker: host: secret store vault has no value for secret s, key k'],
    [item('host', { value: 'x-{podName}' }), {}, 'a.yaml:7: error: host: {podName} needs environment variable POD_NAME, which is not set'],
  ])('%j', async (entry, env, message) => {
    await expect(resolveMetadata(component(entry), definition, context({ env }))).rejects.toThrow(message);
  });

  test('a secret of the wrong shape is told without its value', async () => {
    const wrong = resolveMetadata(component(item('host', { value: 'h' }), item('retries', { secretKeyRef: { name: 's', key: 's' } })), definition, context({ secret: async () => 'hunter2' }));
    await expect(wrong).rejects.toThrow(/^a\.yaml:7: error: broker: metadata name retries takes a whole number, not its value$/);
  });
});

test('headers of an endpoint are resolved the same way', async () => {
  expect(await resolveItems([item('a', { value: '1' }), item('b', { envRef: 'B' })], undefined, context({ env: { B: '2' } }), 'end')).toEqual({ a: '1', b: '2' });
});
