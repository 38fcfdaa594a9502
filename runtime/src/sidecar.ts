/**
 * One sidecar: the parts that serve one app, put together in the order in which they live.
 *
 * Owns: which part comes before which, and why; the readiness of the whole. Everything else belongs to a part.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Ledger } from '@mecha/components/kit';
import { createBindings, type Bindings } from './bindings.ts';
import { bindingsGrpc } from './blocks/bindings/bindings.grpc.ts';
import { bindingsHttp } from './blocks/bindings/bindings.http.ts';
import { deadLettersHttp } from './blocks/dead-letters/dead-letters.http.ts';
import { createHealthBlock } from './blocks/health/health.ts';
import { healthHttp } from './blocks/health/health.http.ts';
import { createInvocationBlock, type InvocationBlock } from './blocks/invocation/invocation.ts';
import { invocationHttp } from './blocks/invocation/invocation.http.ts';
import { invocationGrpc, invocationGrpcProxy } from './blocks/invocation/invocation.grpc.ts';
import { jobsGrpc } from './blocks/jobs/jobs.grpc.ts';
import { jobsHttp } from './blocks/jobs/jobs.http.ts';
import type { JobsBlock } from './blocks/jobs/jobs.ts';
import { createMetadataBlock, type MetadataBlock } from './blocks/metadata/metadata.ts';
import { metadataHttp } from './blocks/metadata/metadata.http.ts';
import { metadataGrpc } from './blocks/metadata/metadata.grpc.ts';
import { createPubSubBlock, type PubSubBlock } from './blocks/pubsub/pubsub.ts';
import { pubsubHttp } from './blocks/pubsub/pubsub.http.ts';
import { pubsubGrpc } from './blocks/pubsub/pubsub.grpc.ts';
import { createSubscriptions } from './blocks/pubsub/subscriptions.ts';
import { createSecretsBlock, type SecretsBlock } from './blocks/secrets/secrets.ts';
import { secretsHttp } from './blocks/secrets/secrets.http.ts';
import { secretsGrpc } from './blocks/secrets/secrets.grpc.ts';
import { createShutdownBlock } from './blocks/shutdown/shutdown.ts';
import { shutdownHttp } from './blocks/shutdown/shutdown.http.ts';
import { shutdownGrpc } from './blocks/shutdown/shutdown.grpc.ts';
import { createStateBlock, type StateBlock } from './blocks/state/state.ts';
import { stateHttp } from './blocks/state/state.http.ts';
import { stateGrpc } from './blocks/state/state.grpc.ts';
import { compensationsHttp } from './blocks/states/compensations.http.ts';
import { statesHttp } from './blocks/states/states.http.ts';
import { createInstances } from './blocks/workflow/instances.ts';
import { instancesHttp } from './blocks/workflow/instances.http.ts';
import { taskHubDoor } from './blocks/workflow/task-hub-door.grpc.ts';
import { createWorkflowBlock, type WorkflowBlock } from './blocks/workflow/workflow.ts';
import { workflowGrpc } from './blocks/workflow/workflow.grpc.ts';
import { workflowHttp } from './blocks/workflow/workflow.http.ts';
import { createAppMonitor } from './channel/app-monitor.ts';
import type { AppChannel, AppMonitor } from './channel/channel.ts';
import { createExternalHttp, type HttpEndpoint } from './channel/external-http.ts';
import { createHttpChannel } from './channel/http-channel.ts';
import { createGrpcChannel } from './channel/grpc-channel.ts';
import { ComponentHost } from './component-host.ts';
import { catalogEntry } from './config/component-resource.ts';
import { resolveMetadata } from './config/resolve-metadata.ts';
import type { Configuration, Resource } from './config/resource-types.ts';
import type { SidecarOptions } from './config/sidecar-options.ts';
import { loadSidecarResources } from './config/sidecar-resources.ts';
import { createKeptLetters } from './dead-letters.ts';
import type { MechaError } from './errors.ts';
import { resolveEndpoints } from './http-endpoints.ts';
import { Lifecycle, type LifecycleState, type Part } from './lifecycle.ts';
import { outboxConfigOf } from './outbox/outbox-config.ts';
import { createOutboxRelay } from './outbox/outbox-relay.ts';
import type { PeerLink } from './peers/peer-link.ts';
import { Pipeline, errors as pipelineErrors } from './pipeline.ts';
import { createResilience } from './resilience/resilience.ts';
import { createScheduledJobs } from './scheduled-jobs.ts';
import { servedFallback, servedMethods, servedRoutes } from './security/api-access.ts';
import { HttpServer } from './servers/http.ts';
import { GrpcServer } from './servers/grpc.ts';
import { createGrpcForward } from './servers/grpc-forward.ts';
import type { GrpcMethod, GrpcProxy } from './servers/grpc-face.ts';
import type { HttpRoute } from './servers/http-face.ts';
import { createLog, type Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { CONTRACT_VERSION, MECHA_VERSION } from './version.ts';
import { waitFor } from './wait.ts';
import { createWorkflows, type Workflows } from './workflows.ts';

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
  readonly bindings: Bindings['block'];
  readonly metadata: MetadataBlock;
  readonly invocation: InvocationBlock;
  readonly workflow: WorkflowBlock;
  /** Loaded when it is first asked for. */
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
    const { resources, configuration } = await loadSidecarResources(this.#options, this.#shared.dataDir, this.#log);
    if (this.#stopping) return;
    const parts = this.#build(resources, configuration);
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
  #build(resources: readonly Resource[], configuration: Configuration): Part[] {
    const options = this.#options;
    const { ledger, openLedger, peers, metrics, clock, random } = this.#shared;
    const { appId, namespace, env } = options;
    const log = this.#log;

    const pipeline = new Pipeline({ log, metrics, gate: () => this.#gate() });
    const resilience = createResilience(resources.filter((resource) => resource.kind === 'Resiliency'), { appId, namespace, clock, metrics, log, random });
    const components = new ComponentHost({
      resources: resources.filter((resource) => resource.kind === 'Component'),
      appId, namespace, env, ledger, openLedger, clock, random, log, metrics,
      load: async (type) => {
        const entry = catalogEntry(type);
        if (!entry) throw new Error(`there is no component type ${type}`);
        return (await entry.load()).default;
      },
      resolve: (resource, definition, secret) => resolveMetadata(resource, definition, { appId, env, secret }),
      fatal: (error) => this.#fail(error),
    });
    this.#components = components;
    components.onChange(() => this.#checkReady());

    const { channel, monitor } = this.#buildChannel();
    this.#monitor = monitor;
    const endpoints: HttpEndpoint[] = [];
    const external = createExternalHttp(() => endpoints);

    const state = createStateBlock({ appId, namespaceOfEnv: env['NAMESPACE'], components, metrics, resilience, clock, uuid: randomUUID });
    const secrets = createSecretsBlock({ components, scopes: configuration.secretScopes, metrics, resilience });
    const pubsub = createPubSubBlock({ appId, namespace, components, ledger, clock, random, log, metrics, resilience });
    const invocation = createInvocationBlock({ appId, namespace, channel, monitor, peers, external, endpoints, resilience, clock, metrics });
    const subscriptions = createSubscriptions({
      appId, namespace, components, ledger, clock, random, log, metrics, resilience, block: pubsub, channel, monitor,
      declared: resources.filter((resource) => resource.kind === 'Subscription'),
      onAsked: () => {
        this.#appGreeted = true;
        this.#checkReady();
      },
    });
    const bindings = createBindings({ appId, components, state, channel, monitor, askTimeoutMs: options.appBindingOptionsTimeoutMs, ledger, clock, random, log, metrics, resilience });
    const deadLetters = createKeptLetters({ appId, ledger, components, clock, log, metrics, resend: { topic: subscriptions.resend, binding: bindings.resend } });
    const relay = createOutboxRelay({
      appId, clock, log, metrics,
      sources: () =>
        components.all('state').flatMap((instance) => {
          const source = instance.port.outbox;
          return source && outboxConfigOf(instance.metadata) && instance.status.state === 'ready' ? [{ storeName: instance.name, source, appId }] : [];
        }),
      publish: (record, signal) => pubsub.publishRecord(record, signal),
    });
    const jobs = createScheduledJobs({ appId, namespace, ledger, channel, monitor, appMaxConcurrency: options.appMaxConcurrency, clock, log, metrics });
    const workflow = createWorkflowBlock({ appId, namespace, engine: () => workflows.engine() });
    const workflows: Workflows = createWorkflows({
      appId, namespace, ledger, clock, random, log,
      blocks: {
        invocation, state, pubsub, workflow, bindings: bindings.block,
        jobs: { schedule: async (job) => (await jobs.block()).schedule(job), delete: async (name) => (await jobs.block()).delete(name) },
      },
      declared: resources.filter((resource) => resource.kind === 'Workflow'), configuration: configuration.workflow, metrics,
      gracefulShutdownMs: options.gracefulShutdownMs,
    });
    let connectedWorkers = (): number => 0;
    const openTaskHub = async (): Promise<readonly GrpcMethod[]> => {
      const door = await import('./blocks/workflow/task-hub.grpc.ts');
      const hub = door.openTaskHub({ appId, namespace, engine: await workflows.engine(), closing: workflows.closing, clock, log, maxBodyBytes: options.maxBodyBytes }, pipeline);
      ({ connectedWorkers } = hub);
      return hub.methods;
    };
    const metadata = createMetadataBlock({
      appId,
      runtimeVersion: CONTRACT_VERSION,
      enabledFeatures: Object.entries(configuration.features).flatMap(([name, on]) => (on ? [name] : [])),
      components: () => bindings.viewOf(components.statuses()),
      subscriptions: () => subscriptions.list(),
      httpEndpoints: resources.flatMap((resource) => (resource.kind === 'HTTPEndpoint' ? [resource.name] : [])),
      resiliencies: resilience.names,
      connectedWorkers: () => connectedWorkers(),
      appConnection: {
        port: options.appPort, protocol: options.appProtocol, channelAddress: options.appChannelAddress, maxConcurrency: options.appMaxConcurrency, health: options.appHealthCheck,
      },
    });
    const health = createHealthBlock({ appId, missing: () => this.#missing(), outboundReady: () => this.state === 'ready' && components.firstAttemptsEnded });
    const shutdown = createShutdownBlock({ stop: () => void this.stop(), exit: () => this.#shared.exit(1) });

    this.#intakes = [deadLetters, subscriptions, bindings, jobs];
    this.blocks = { state, pubsub, secrets, bindings: bindings.block, metadata, invocation, workflow, jobs: () => jobs.block(), pipeline };
    const invoke = invocationHttp(invocation, pipeline);
    const routes = [
      ...healthHttp(health, pipeline),
      ...metadataHttp(metadata, pipeline),
      ...shutdownHttp(shutdown, pipeline),
      ...stateHttp(state, pipeline),
      ...secretsHttp(secrets, pipeline),
      ...pubsubHttp(pubsub, pipeline),
      ...bindingsHttp(bindings.block, pipeline),
      ...deadLettersHttp(() => deadLetters.block(), pipeline),
      ...statesHttp(() => workflows.states(), pipeline),
      ...compensationsHttp(async () => (await workflows.states()).compensations, pipeline),
      ...workflowHttp(workflow, pipeline),
      ...instancesHttp(createInstances({ engine: () => workflows.engine() }), pipeline),
      ...jobsHttp(appId, () => jobs.block(), pipeline),
      ...invoke.routes,
    ];
    const http = this.#httpServer(routes, invoke.fallback, configuration);
    this.#http = http;
    const forward = createGrpcForward({ maxBodyBytes: options.maxBodyBytes });
    const grpc = this.#grpcServer(
      [
        ...metadataGrpc(metadata, pipeline),
        ...shutdownGrpc(shutdown, pipeline),
        ...stateGrpc(state, pipeline),
        ...secretsGrpc(secrets, pipeline),
        ...pubsubGrpc(pubsub, subscriptions, pipeline),
        ...bindingsGrpc(bindings.block, pipeline, { maxBodyBytes: options.maxBodyBytes }),
        ...workflowGrpc(workflow, pipeline),
        ...jobsGrpc(() => jobs.block(), pipeline),
        ...taskHubDoor(openTaskHub),
        ...invocationGrpc(invocation, pipeline, { maxBodyBytes: options.maxBodyBytes }),
      ],
      invocationGrpcProxy({ appId, namespace, peers, forward, resilience, pipeline }),
      configuration,
    );
    this.#grpc = grpc;
    const endpointResources = resources.filter((resource) => resource.kind === 'HTTPEndpoint');

    return [
      // They listen at once and answer "starting" until the start is over.
      http,
      grpc,
      ...this.#publicServer(routes, configuration),
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

  #buildChannel(): { channel: AppChannel | undefined; monitor: AppMonitor & Part } {
    const { appId, appPort, appProtocol, appChannelAddress, appApiToken, appMaxConcurrency, appHealthCheck, readBufferBytes, disableInitEndpoints } = this.#options;
    const log = this.#log;
    let monitor: (AppMonitor & Part) | undefined;
    let channel: AppChannel | undefined;
    if (appPort !== undefined) {
      const shared = {
        address: appChannelAddress, port: appPort, apiToken: appApiToken, maxConcurrency: appMaxConcurrency,
        asksSubscriptions: !disableInitEndpoints.includes('subscribe'), presence: () => monitor?.presence ?? ('waiting' as const), log,
      };
      channel =
        appProtocol === 'grpc' || appProtocol === 'grpcs'
          ? createGrpcChannel({ ...shared, protocol: appProtocol, maxBodyBytes: this.#options.maxBodyBytes })
          : createHttpChannel({ ...shared, appId, protocol: appProtocol, responseHeaderBytesMax: readBufferBytes, healthPath: appHealthCheck?.path ?? '/healthz' });
    }
    monitor = createAppMonitor({ channel, healthCheck: appHealthCheck, clock: this.#shared.clock, log });
    return { channel, monitor };
  }

  #httpServer(routes: readonly HttpRoute[], fallback: HttpRoute['handle'], configuration: Configuration): HttpServer {
    const { listenAddresses, httpPort, unixDomainSocket, apiToken, maxBodyBytes, readBufferBytes, allowedOrigins, apiLogging } = this.#options;
    return new HttpServer({
      name: 'HTTP API server', portFlag: '--dapr-http-port', addresses: listenAddresses, port: httpPort,
      socketPath: unixDomainSocket && join(unixDomainSocket, `dapr-${this.appId}-http.socket`),
      routes: servedRoutes(routes, configuration.api), fallback: servedFallback(fallback, configuration.api), apiToken, maxBodyBytes, readBufferBytes, allowedOrigins,
      apiLogging: apiLogging ?? configuration.apiLogging.enabled, obfuscatePaths: configuration.apiLogging.obfuscateURLs,
      log: this.#log, metrics: this.#shared.metrics,
    });
  }

  #grpcServer(methods: readonly GrpcMethod[], proxy: GrpcProxy, configuration: Configuration): GrpcServer {
    const { listenAddresses, grpcPort, unixDomainSocket, apiToken, maxBodyBytes, apiLogging } = this.#options;
    return new GrpcServer({
      name: 'gRPC API server', portFlag: '--dapr-grpc-port', addresses: listenAddresses, port: grpcPort,
      socketPath: unixDomainSocket && join(unixDomainSocket, `dapr-${this.appId}-grpc.socket`),
      methods: servedMethods(methods, configuration.api), proxy, apiToken, maxBodyBytes, apiLogging: apiLogging ?? configuration.apiLogging.enabled, log: this.#log, metrics: this.#shared.metrics,
    });
  }

  /** How raw gRPC calls for this app are relayed; undefined when it speaks none. */
  #grpcApp() {
    const { appPort, appProtocol, appChannelAddress, appApiToken } = this.#options;
    if (appPort === undefined || (appProtocol !== 'grpc' && appProtocol !== 'grpcs')) return undefined;
    const refusal = () => (this.#monitor?.presence === 'unhealthy' ? 'app is not in a healthy state' : undefined);
    return { address: appChannelAddress, port: appPort, secure: appProtocol === 'grpcs', apiToken: appApiToken, refusal };
  }

  #publicServer(routes: readonly HttpRoute[], configuration: Configuration): HttpServer[] {
    const { publicPort, publicListenAddress, readBufferBytes, maxBodyBytes } = this.#options;
    if (publicPort === undefined) return [];
    return [
      new HttpServer({
        name: 'public HTTP server', portFlag: '--dapr-public-port', addresses: [publicListenAddress], port: publicPort,
        routes: servedRoutes(routes.filter((route) => route.public), configuration.api), apiToken: undefined, maxBodyBytes, readBufferBytes, allowedOrigins: '', apiLogging: false,
        log: this.#log, metrics: this.#shared.metrics,
      }),
    ];
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
