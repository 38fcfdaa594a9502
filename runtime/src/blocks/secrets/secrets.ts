/**
 * The secrets block: reading secrets by name, within the scopes that the Configuration allows.
 *
 * Secret values pass through here and nowhere else: they are in no log, no metric and no error text.
 */
import type { Secret } from '@mecha/components/kit';
import type { ComponentLookup, Instance } from '../../component-set.ts';
import type { Configuration } from '../../config/resource-types.ts';
import { MechaError, errorTable, messageOf } from '../../errors.ts';
import type { Call } from '../../pipeline.ts';
import type { Resilience } from '../../resilience/resilience.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

export const errors = errorTable('secrets', {
  notConfigured: {
    code: 'ERR_SECRET_STORES_NOT_CONFIGURED',
    kind: 'precondition',
    httpStatus: 500,
    make: () => ({ message: 'secret store is not configured' }),
  },
  /** 401 over HTTP is the contract's choice (http-api.md 9). */
  storeNotFound: {
    code: 'ERR_SECRET_STORE_NOT_FOUND',
    kind: 'invalid',
    httpStatus: 401,
    make: (store: string) => ({ message: `failed finding secret store with key ${store}` }),
  },
  denied: {
    code: 'ERR_PERMISSION_DENIED',
    kind: 'denied',
    make: (key: string, store: string) => ({ message: `access denied by policy to get ${JSON.stringify(key)} from ${JSON.stringify(store)}` }),
  },
  get: {
    code: 'ERR_SECRET_GET',
    kind: 'internal',
    make: (key: string, store: string, text: string) => ({ message: `failed getting secret with key ${key} from secret store ${store}: ${text}` }),
  },
  getAll: {
    code: 'ERR_SECRET_GET',
    kind: 'internal',
    make: (store: string, text: string) => ({ message: `failed getting secrets from secret store ${store}: ${text}` }),
  },
});

type Words = Readonly<Record<string, string>>;

export interface SecretsBlock {
  get(call: Call, request: { store: string; key: string; metadata: Words }): Promise<Secret>;
  /** Only what the scopes allow. */
  getAll(call: Call, request: { store: string; metadata: Words }): Promise<Readonly<Record<string, Secret>>>;
}

export interface SecretsBlockParts {
  readonly components: ComponentLookup;
  readonly scopes: Configuration['secretScopes'];
  readonly metrics: Metrics;
  readonly resilience: Resilience;
}

export function createSecretsBlock(parts: SecretsBlockParts): SecretsBlock {
  const { components } = parts;
  const scopes = new Map(parts.scopes.map((scope) => [scope.storeName, scope]));

  function allowed(store: string, key: string): boolean {
    const scope = scopes.get(store);
    if (!scope) return true;
    if (scope.allowedSecrets.length > 0) return scope.allowedSecrets.includes(key);
    if (scope.deniedSecrets.includes(key)) return false;
    return scope.defaultAccess === 'allow';
  }

  function instanceOf(name: string): Instance<'secretstores'> {
    const instance = components.find('secretstores', name);
    if (instance) return instance;
    throw components.all('secretstores').length === 0 ? errors.notConfigured() : errors.storeNotFound(name);
  }

  async function measured<T>(call: Call, store: string, operation: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    let success = 'false';
    try {
      const policy = parts.resilience.forComponent(store, 'Secretstore', 'outbound');
      const result = await (policy.active ? policy.run(call.signal, work) : work());
      success = 'true';
      return result;
    } finally {
      const labels = { component: store, operation, success };
      parts.metrics.count('component_secret_count', labels);
      parts.metrics.observe('component_secret_latencies', labels, performance.now() - began);
    }
  }

  return {
    async get(call, request) {
      const instance = instanceOf(request.store);
      if (!allowed(request.store, request.key)) throw errors.denied(request.key, request.store);
      const store = components.ready(instance);
      try {
        return await measured(call, request.store, 'get', () => store.get({ name: request.key, metadata: request.metadata }));
      } catch (error) {
        throw error instanceof MechaError ? error : errors.get(request.key, request.store, messageOf(error));
      }
    },

    async getAll(call, request) {
      const store = components.ready(instanceOf(request.store));
      try {
        const secrets = await measured(call, request.store, 'bulk_get', () => store.getAll({ metadata: request.metadata }));
        return Object.fromEntries(Object.entries(secrets).filter(([key]) => allowed(request.store, key)));
      } catch (error) {
        throw error instanceof MechaError ? error : errors.getAll(request.store, messageOf(error));
      }
    },
  };
}
