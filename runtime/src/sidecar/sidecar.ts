/**
 * One sidecar: the parts that serve one app, put together in the order in which they live.
 *
 * Owns: which part comes before which, and why; the readiness of the whole. Does not own: what the parts are handed
 * (`sidecar-blocks.ts`) and what is served (`sidecar-servers.ts`).
 */
import { randomUUID } from 'node:crypto';
import type { Clock, Ledger } from '@mecha/components/kit';
import type { BindingsBlock } from '../blocks/bindings/bindings.ts';
import type { InvocationBlock } from '../blocks/invocation/invocation.ts';
import type { JobsBlock } from '../blocks/jobs/jobs.ts';
import type { MetadataBlock } from '../blocks/metadata/metadata.ts';
import type { PubSubBlock } from '../blocks/pubsub/pubsub.ts';
import type { SecretsBlock } from '../blocks/secrets/secrets.ts';
import type { StateBlock } from '../blocks/state/state.ts';
import type { WorkflowBlock } from '../blocks/workflow/workflow.ts';
import type { AppMonitor } from '../channel/channel.ts';
import type { ComponentHost } from './component-host.ts';
import { loadSidecarConfig, type SidecarConfig } from '../config/sidecar-config.ts';
import type { SidecarOptions } from '../config/sidecar-options.ts';
import type { MechaError } from '../errors.ts';
import { resolveEndpoints } from './http-endpoints.ts';
import { Lifecycle, type LifecycleState, type Part } from '../lifecycle.ts';
import type { PeerLink } from '../peers/peer-link.ts';
import { errors as pipelineErrors, type Pipeline } from '../pipeline.ts';
import type { GrpcServer } from '../servers/grpc.ts';
import type { HttpServer } from '../servers/http.ts';
import { createSidecarBlocks } from './sidecar-blocks.ts';
import { createSidecarServers } from './sidecar-servers.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { MECHA_VERSION } from '../version.ts';
import { waitFor } from '../wait.ts';

/** What the host lends to each of its sidecars. */
export interface SharedParts {
  readonly ledger: Ledger;
  readonly openLedger: (path: string) => Promise<Ledger>;
  readonly peers: PeerLink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly dataDir: string;
  readonly writeLog?: (line: string) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** The blocks of a sidecar without a protocol before them: for embedding, and for tests that compare the faces with them. */
export interface Blocks {
  readonly state: StateBlock;
  readonly pubsub: PubSubBlock;
  readonly secrets: SecretsBlock;
  readonly metadata: MetadataBlock;
  readonly invocation: InvocationBlock;
  readonly workflow: WorkflowBlock;
  /** These two are loaded when they are first asked for. */
  readonly bindings: () => Promise<BindingsBlock>;
  readonly jobs: () => Promise<JobsBlock>;
  readonly pipeline: Pipeline;
}

export interface Sidecar {
  /** Known once started. */
  readonly blocks: Blocks | undefined;
  readonly appId: string;
  readonly state: LifecycleState;
  /** Known once started. */
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Resolves when the app may call: `healthz/outbound` is 204. */
  readonly outboundReady: Promise<void>;
  /** Resolves when everything is ready, the app included: `healthz` is 204. */
  readonly ready: Promise<void>;
  /** Exit code, once stopped. */
  readonly done: Promise<number>;
  /** Rejects with words for the user (`UsageError`-like, no stack needed) when something is wrong for good. */
  start(): Promise<void>;
  /** Ends intake alone: no more events, while everything else goes on. `stop` follows. */
  stopIntake(): Promise<void>;
  stop(code?: number): Promise<void>;
}

export class RunningSidecar implements Sidecar {
  readonly appId: string;
  readonly #options: SidecarOptions;
  readonly #shared: SharedParts;
  readonly #log: Log;
  readonly #outbound = Promise.withResolvers<void>();
  readonly #whole = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<number>();
  readonly #instanceId = randomUUID();
  #lifecycle: Lifecycle | undefined;
  #http: HttpServer | undefined;
  #grpc: GrpcServer | undefined;
  #components: ComponentHost | undefined;
  #monitor: AppMonitor | undefined;
  /** What brings work in from outside. */
  #intakes: readonly Part[] = [];
  /** The app was seen, and asked what it subscribes to. */
  #appGreeted = false;
  #stopping: Promise<void> | undefined;
  blocks: Blocks | undefined;

  constructor(options: SidecarOptions, shared: SharedParts) {
    this.appId = options.appId;
    this.#options = options;
    this.#shared = shared;
    this.#log = createLog({
      level: options.logLevel,
      json: options.logAsJson,
      appId: options.appId,
      version: MECHA_VERSION,
      ...(shared.writeLog ? { write: shared.writeLog } : {}),
    });
  }

  get state(): LifecycleState {
    return this.#stopping ? (this.#lifecycle?.state ?? 'stopped') : (this.#lifecycle?.state ?? 'created');
  }
  get httpPort(): number {
    return this.#http?.port ?? 0;
  }
  get grpcPort(): number {
    return this.#grpc?.port ?? 0;
  }
  get outboundReady(): Promise<void> {
    return this.#outbound.promise;
  }
  get ready(): Promise<void> {
    return this.#whole.promise;
  }
  get done(): Promise<number> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const began = performance.now();
    this.#log.info({ data_dir: this.#shared.dataDir }, `starting Mecha ${MECHA_VERSION} for app ${this.appId}`);
    const config = await loadSidecarConfig(this.#options, this.#shared.dataDir, this.#log);
    if (this.#stopping) return;
    const parts = this.#build(config);
    this.#lifecycle = new Lifecycle(parts, this.#log);
    await this.#lifecycle.start();
    if (this.#lifecycle.state !== 'ready') return;
    this.#log.info({ http_port: this.httpPort, grpc_port: this.grpcPort }, `mecha started in ${Math.round(performance.now() - began)} ms`);
    void this.#components?.firstAttempts.then(() => {
      this.#outbound.resolve();
      this.#checkReady();
    });
  }

  async stopIntake(): Promise<void> {
    const late = AbortSignal.timeout(this.#options.gracefulShutdownMs);
    await Promise.all(this.#intakes.map((part) => part.drain?.(late)));
  }

  /** Drains and stops; idempotent. */
  stop(code = 0): Promise<void> {
    this.#stopping ??= (async () => {
      this.#log.info({}, 'shutting down');
      if (code === 0) await this.#lingerWithoutIntake();
      await this.#lifecycle?.stop(this.#options.gracefulShutdownMs);
      this.#log.info({}, 'stopped');
      this.#ended.resolve(code);
    })();
    return this.#stopping;
  }

  /** `--dapr-block-shutdown-duration`: events have stopped, the app may still call; over when the time is, or the app is gone. */
  async #lingerWithoutIntake(): Promise<void> {
    const { blockShutdownMs } = this.#options;
    if (!blockShutdownMs || this.#lifecycle?.state !== 'ready') return;
    await this.stopIntake();
    this.#log.info({ duration_ms: blockShutdownMs }, 'intake has ended; the APIs stay up until the time is over or the app is gone');
    const gone = new AbortController();
    const endIfGone = (): void => {
      if (this.#monitor?.presence === 'waiting' || this.#monitor?.presence === 'unhealthy') gone.abort();
    };
    const forget = this.#monitor?.onChange(endIfGone);
    endIfGone();
    await waitFor(this.#shared.clock, blockShutdownMs, gone.signal);
    forget?.();
  }

  /** The one list of parts; its order is the order of life. */
  #build(config: SidecarConfig): Part[] {
    const { peers } = this.#shared;
    const { appId, namespace, env } = this.#options;
    const blocks = createSidecarBlocks({
      options: this.#options, config, shared: this.#shared, log: this.#log,
      gate: () => this.#gate(),
      isStarted: () => this.state === 'ready',
      missing: () => this.#missing(),
      onAppAsked: () => {
        this.#appGreeted = true;
        this.#checkReady();
      },
      fatal: (error) => this.#fail(error),
      stop: () => void this.stop(),
    });
    const { components, channel, monitor, endpoints, external, invocation, relay, workflows, jobs, bindings, subscriptions, deadLetters } = blocks;
    const { http, grpc, open, forward } = createSidecarServers({ blocks, options: this.#options, configuration: config.configuration, shared: this.#shared, log: this.#log });
    components.onChange(() => this.#checkReady());
    this.#intakes = [deadLetters, subscriptions, bindings, jobs];
    this.#components = components;
    this.#monitor = monitor;
    this.#http = http;
    this.#grpc = grpc;
    const { pipeline, state, pubsub, secrets, metadata, workflow } = blocks;
    this.blocks = { state, pubsub, secrets, bindings: () => bindings.block(), metadata, invocation, workflow, jobs: () => jobs.block(), pipeline };
    const endpointResources = config.resources.filter((resource) => resource.kind === 'HTTPEndpoint');

    return [
      // They listen at once and answer "starting" until the start is over.
      http,
      grpc,
      ...(open ? [open] : []),
      components,
      { name: 'http endpoints', start: async () => void endpoints.push(...(await resolveEndpoints(endpointResources, { appId, env, secret: (store, secret, key) => components.secret(store, secret, key) }))) },
      { name: 'app channel', stop: async () => { forward.close(); await Promise.all([channel?.close(), external.close()]); } },
      monitor,
      {
        name: 'peer registration',
        start: () => peers.register({ instanceId: this.#instanceId, appId, namespace, httpPort: this.httpPort, grpcPort: this.grpcPort, receive: (...call) => invocation.receive(...call), grpcApp: this.#grpcApp() }),
        drain: () => peers.unregister(this.#instanceId),
      },
      relay,
      // Its tasks use everything above.
      workflows,
      jobs,
      // Last to start and first to stop: intake ends before anything else does.
      bindings,
      subscriptions,
      // What it sends again goes through those.
      deadLetters,
    ];
  }

  /** How raw gRPC calls for this app are relayed; undefined when it speaks none. */
  #grpcApp() {
    const { appPort, appProtocol, appChannelAddress, appApiToken } = this.#options;
    if (appPort === undefined || (appProtocol !== 'grpc' && appProtocol !== 'grpcs')) return undefined;
    const refusal = () => (this.#monitor?.presence === 'unhealthy' ? 'app is not in a healthy state' : undefined);
    return { address: appChannelAddress, port: appPort, secure: appProtocol === 'grpcs', apiToken: appApiToken, refusal };
  }

  #gate(): MechaError | undefined {
    const state = this.#lifecycle?.state ?? 'created';
    if (state === 'ready' || state === 'draining') return undefined;
    return state === 'created' || state === 'starting' ? pipelineErrors.starting() : pipelineErrors.shuttingDown();
  }

  /** What `healthz` waits for, by name. */
  #missing(): string[] {
    const missing: string[] = [];
    if (this.state !== 'ready') missing.push('runtime');
    for (const name of this.#components?.notReady ?? []) missing.push(`component:${name}`);
    if (this.#monitor?.presence !== 'none' && !this.#appGreeted) missing.push('app');
    return missing;
  }

  #checkReady(): void {
    if (this.#missing().length === 0) this.#whole.resolve();
  }

  #fail(error: Error): void {
    this.#log.error({ err: error }, error.message);
    void this.stop(1);
  }
}

export function createSidecar(options: SidecarOptions, shared: SharedParts): Sidecar {
  return new RunningSidecar(options, shared);
}
