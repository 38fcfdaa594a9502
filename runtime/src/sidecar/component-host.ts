/**
 * Owns the live components of one sidecar: builds each from its resource, connects it and goes on trying, and says of
 * each what state it is in, why, and since when.
 *
 * Rules
 * - Secret stores come first, because the others read from them.
 * - A backend that cannot be reached is retried for ever with back-off; it ends the process only when the resource is
 *   `required`. Wrong configuration ends the start unless the resource says `ignoreErrors`.
 * - A binding that can be probed is probed for as long as it lives, and is not ready while its backend cannot be reached; other
 *   components tell by the calls that fail.
 * - `firstAttempts` resolves when each component's first try has ended: success, failure, or its initTimeout.
 */
import type { Binding, BindingOperations, Category, Clock, ComponentDefinition, Ledger, Ports } from '@mecha/components/kit';
import type { ComponentLookup, Instance, InstanceState, InstanceStatus } from '../component-set.ts';
import type { ComponentResource } from '../config/resource-types.ts';
import { errorTable, messageOf } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export const errors = errorTable('component', {
  notConnected: {
    code: 'ERR_COMPONENT_NOT_READY',
    kind: 'unavailable',
    make: (name: string, type: string, reason: string) => ({
      message: `component ${name} (${type}) is not ready: ${reason}`,
      retryAfterSeconds: 1,
    }),
  },
});

/** What a resource becomes once its secrets, references and templates are resolved and its options decoded. */
export interface ResolvedComponent {
  readonly options: Readonly<Record<string, unknown>>;
  /** Every entry as text, names as written. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly namespaced: boolean;
}

export interface ComponentHostParts {
  readonly resources: readonly ComponentResource[];
  readonly appId: string;
  readonly namespace: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ledger: Ledger;
  readonly openLedger: (path: string) => Promise<Ledger>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Loads a declaration by its canonical type id and version. */
  readonly load: (type: string, version: string) => Promise<ComponentDefinition>;
  /**
   * Resolves and decodes; rejects with words (file, line, field) when something is wrong. `secret` reads one value of a
   * secret store, and rejects when the store is not ready yet or has no such secret.
   */
  readonly resolve: (
    resource: ComponentResource,
    definition: ComponentDefinition,
    secret: (store: string, name: string, key: string) => Promise<string>,
  ) => Promise<ResolvedComponent>;
  /** A required component could not be reached: the process must end. */
  readonly fatal: (error: Error) => void;
}

const BACKOFF_FIRST_MS = 200;
const BACKOFF_MOST_MS = 10_000;
/** A component that stays away is named in the log again at most this often. */
const LOG_AGAIN_MS = 60_000;
const PROBE_EVERY_MS = 5000;
/** A backend that takes longer to say that it is there hangs. */
const PROBE_TIMEOUT_MS = 5000;

export class ComponentHost implements Part, ComponentLookup {
  readonly name = 'components';
  readonly #parts: ComponentHostParts;
  readonly #hosted = new Map<string, Hosted>();
  readonly #listeners = new Set<(status: InstanceStatus) => void>();
  readonly #stop = new AbortController();
  readonly #firstAttempts: Promise<void>[] = [];
  #firstAttemptsEnded = false;

  constructor(parts: ComponentHostParts) {
    this.#parts = parts;
  }

  /** Whether each component's first attempt has ended. */
  get firstAttemptsEnded(): boolean {
    return this.#firstAttemptsEnded;
  }

  get firstAttempts(): Promise<void> {
    return Promise.all(this.#firstAttempts).then(() => undefined);
  }

  /** Builds everything; rejects with one error that lists what cannot be built. Connecting goes on behind it. */
  async start(): Promise<void> {
    const wrong: Error[] = [];
    const isSecretStore = (resource: ComponentResource) => resource.type.startsWith('secretstores.');
    for (const group of [this.#parts.resources.filter(isSecretStore), this.#parts.resources.filter((resource) => !isSecretStore(resource))]) {
      await Promise.all(group.map((resource) => this.#build(resource).catch((error: unknown) => wrong.push(asError(error)))));
      if (group.some(isSecretStore)) await Promise.all(this.#firstAttempts);
    }
    const [only] = wrong;
    if (only) throw wrong.length === 1 ? only : new AggregateError(wrong, wrong.map((error) => error.message).join('\n'));
    void this.firstAttempts.then(() => {
      this.#firstAttemptsEnded = true;
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#hosted.values()].map((hosted) => hosted.close()));
  }

  /** Names of components that are not ready, for the health report. */
  get notReady(): readonly string[] {
    return [...this.#hosted.values()].filter((hosted) => hosted.status.state !== 'ready').map((hosted) => hosted.name);
  }

  statuses(): readonly InstanceStatus[] {
    return [...this.#hosted.values()].map((hosted) => hosted.status);
  }

  find<C extends Category>(category: C, name: string): Instance<C> | undefined {
    return this.#hosted.get(`${category}/${name}`) as Instance<C> | undefined;
  }

  all<C extends Category>(category: C): readonly Instance<C>[] {
    const found: Instance<C>[] = [];
    for (const hosted of this.#hosted.values()) if (hosted.type.startsWith(`${category}.`)) found.push(hosted as unknown as Instance<C>);
    return found;
  }

  ready<C extends Category>(instance: Instance<C>): Ports[C] {
    const { status } = instance;
    if (status.state === 'ready') return instance.port;
    throw errors.notConnected(status.name, status.type, status.reason ?? status.state);
  }

  onChange(listener: (status: InstanceStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #build(resource: ComponentResource): Promise<void> {
    const { log, metrics } = this.#parts;
    metrics.count('runtime_component_init_total', { component: resource.type });
    let definition: ComponentDefinition;
    let resolved: ResolvedComponent;
    let port: Ports[Category];
    try {
      definition = await this.#parts.load(resource.type, resource.version);
      resolved = await this.#parts.resolve(resource, definition, (store, name, key) => this.secret(store, name, key));
      port = this.#create(resource, definition, resolved);
    } catch (error) {
      metrics.count('runtime_component_init_fail_total', { component: resource.type, reason: 'init', componentName: resource.name });
      if (!resource.ignoreErrors) throw error;
      log.warn({ component: resource.name, component_type: resource.type, reason: messageOf(error) }, 'component left out: its configuration is wrong, and ignoreErrors is set');
      return;
    }
    const hosted = new Hosted({ resource, definition, resolved, port, changed: (status) => this.#changed(status), now: () => this.#parts.clock.now() });
    this.#hosted.set(`${resource.type.split('.')[0]}/${resource.name}`, hosted);
    this.#firstAttempts.push(this.#connect(hosted, resource));
  }

  /** Throws with file and line when the component will not have its options. */
  #create(resource: ComponentResource, definition: ComponentDefinition, resolved: ResolvedComponent): Ports[Category] {
    const { appId, namespace, log, clock, ledger, openLedger, env } = this.#parts;
    try {
      return definition.create({
        name: resource.name,
        appId,
        namespace,
        options: resolved.options,
        metadata: resolved.metadata,
        log: log.scoped(`mecha.components.${resource.type}`),
        clock,
        ledger,
        openLedger,
        env,
      });
    } catch (error) {
      throw new Error(`${resource.source.file}:${resource.source.line}: error: ${resource.name}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Resolves when the first attempt has ended; later ones go on behind it. */
  async #connect(hosted: Hosted, resource: ComponentResource): Promise<void> {
    if (await this.#attempt(hosted, resource)) return;
    if (resource.required) {
      this.#parts.fatal(new Error(`component ${resource.name} (${resource.type}) is required and cannot be reached: ${hosted.status.reason ?? 'unknown'} (${resource.source.file}:${resource.source.line})`));
      return;
    }
    void this.#retry(hosted, resource);
  }

  async #attempt(hosted: Hosted, resource: ComponentResource): Promise<boolean> {
    const timeout = AbortSignal.timeout(resource.initTimeoutMs);
    const signal = AbortSignal.any([this.#stop.signal, timeout]);
    try {
      await Promise.race([hosted.connect(signal), rejectOnAbort(signal, `no connection within ${resource.initTimeoutMs} ms`)]);
      hosted.set('ready');
      if (hosted.probes) void this.#watch(hosted);
      this.#parts.metrics.count('runtime_component_loaded');
      this.#parts.log.info({ component: resource.name, component_type: resource.type }, 'component ready');
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return true;
      this.#parts.metrics.count('runtime_component_init_fail_total', { component: resource.type, reason: 'init', componentName: resource.name });
      hosted.set('failed', messageOf(error));
      return false;
    }
  }

  async #retry(hosted: Hosted, resource: ComponentResource): Promise<void> {
    let delayMs = BACKOFF_FIRST_MS;
    let loggedAt = Number.NEGATIVE_INFINITY;
    while (!this.#stop.signal.aborted) {
      const now = this.#parts.clock.now();
      if (now - loggedAt >= LOG_AGAIN_MS) {
        loggedAt = now;
        this.#parts.log.warn({ component: resource.name, component_type: resource.type, reason: hosted.status.reason }, 'component cannot reach its backend; trying on');
      }
      await this.#sleep(delayMs * (0.75 + this.#parts.random() / 2));
      delayMs = Math.min(delayMs * 2, BACKOFF_MOST_MS);
      if (this.#stop.signal.aborted || (await this.#attempt(hosted, resource))) return;
    }
  }

  /** Probes until the end; never rejects. */
  async #watch(hosted: Hosted): Promise<void> {
    const { log } = this.#parts;
    for (let failures = 0; ; ) {
      await this.#sleep(failures === 0 ? PROBE_EVERY_MS : Math.min(PROBE_EVERY_MS, BACKOFF_FIRST_MS * 2 ** failures));
      if (this.#stop.signal.aborted) return;
      const fields = { component: hosted.name, component_type: hosted.type };
      try {
        await this.#probe(hosted);
        if (failures > 0 && !this.#stop.signal.aborted) {
          hosted.set('ready');
          log.info(fields, 'component ready again');
        }
        failures = 0;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        hosted.set('failed', `its backend cannot be reached: ${messageOf(error)}`);
        if (failures++ === 0) log.warn({ ...fields, reason: hosted.status.reason }, 'component has lost its backend; looking on');
      }
    }
  }

  async #probe(hosted: Hosted): Promise<void> {
    const over = new AbortController();
    const cancel = this.#parts.clock.after(PROBE_TIMEOUT_MS, () => over.abort());
    try {
      await Promise.race([hosted.ping(), rejectOnAbort(over.signal, `no answer to a probe within ${PROBE_TIMEOUT_MS} ms`)]);
    } finally {
      cancel();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(ms, done);
      const { signal } = this.#stop;
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  /** One value of a secret store, for whoever resolves references. */
  async secret(store: string, name: string, key: string): Promise<string> {
    const instance = this.find('secretstores', store);
    if (!instance) throw new Error(`there is no secret store named ${store}`);
    const secret = await this.ready(instance).get({ name, metadata: {} });
    const value = Object.hasOwn(secret, key) ? secret[key] : undefined;
    if (value === undefined || value === '') throw new Error(`secret store ${store} has no value for secret ${name}, key ${key}`);
    return value;
  }

  #changed(status: InstanceStatus): void {
    for (const listener of this.#listeners) listener(status);
  }
}

interface HostedParts {
  readonly resource: ComponentResource;
  readonly definition: ComponentDefinition;
  readonly resolved: ResolvedComponent;
  readonly port: Ports[Category];
  readonly changed: (status: InstanceStatus) => void;
  readonly now: () => number;
}

/** One instance and its state. */
class Hosted {
  readonly name: string;
  readonly type: string;
  readonly port: Ports[Category];
  readonly metadata: Readonly<Record<string, string>>;
  readonly features: readonly string[];
  readonly namespaced: boolean;
  readonly #parts: HostedParts;
  #status: InstanceStatus;

  constructor(parts: HostedParts) {
    const { resource, definition, resolved } = parts;
    this.#parts = parts;
    this.name = resource.name;
    this.type = resource.type;
    this.port = parts.port;
    this.metadata = resolved.metadata;
    this.features = definition.features;
    this.namespaced = resolved.namespaced;
    const operations = Object.keys(this.operations);
    this.#status = {
      name: resource.name,
      type: resource.type,
      version: resource.version,
      capabilities: capabilitiesOf(definition),
      state: 'connecting',
      reason: 'the first connection is being made',
      since: parts.now(),
      ...(operations.length > 0 ? { operations } : {}),
    };
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  get operations(): BindingOperations {
    return (this.port as Binding).operations ?? this.#parts.definition.operations ?? {};
  }

  set(state: InstanceState, reason?: string): void {
    const { reason: _old, ...rest } = this.#status;
    const since = state === this.#status.state ? this.#status.since : this.#parts.now();
    const operations = Object.keys(this.operations);
    this.#status = { ...rest, state, since, ...(reason === undefined ? {} : { reason }), ...(operations.length > 0 ? { operations } : {}) };
    this.#parts.changed(this.#status);
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.port.connect?.(signal) ?? Promise.resolve();
  }

  get probes(): boolean {
    return this.type.startsWith('bindings.') && this.port.ping !== undefined;
  }

  async ping(): Promise<void> {
    await this.port.ping?.();
  }

  async close(): Promise<void> {
    await this.port.close?.();
    this.set('closed', 'the sidecar is shutting down');
  }
}

/** `ACTOR` is what clients read from a store that has both etags and transactions (http-api.md 17). */
function capabilitiesOf(definition: ComponentDefinition): readonly string[] {
  const { features } = definition;
  const actor = definition.type.startsWith('state.') && features.includes('ETAG') && features.includes('TRANSACTIONAL');
  return actor ? [...features, 'ACTOR'] : features;
}

function rejectOnAbort(signal: AbortSignal, reason: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error(reason));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

