/**
 * The blocks of one sidecar and what stands behind them, put together; nothing of it lives yet.
 *
 * Owns: who is handed what. Does not own: the order of life (`sidecar.ts`), the faces (`sidecar-servers.ts`). What most sidecars never use
 * (jobs, bindings, workflows, workers) is there as a `Lazy` door.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '@mecha/components/kit';
import { createBindings } from './bindings.ts';
import { createHealthBlock } from '../blocks/health/health.ts';
import { createInvocationBlock } from '../blocks/invocation/invocation.ts';
import { createMetadataBlock } from '../blocks/metadata/metadata.ts';
import { createPubSubBlock } from '../blocks/pubsub/pubsub.ts';
import { createSubscriptions } from '../blocks/pubsub/subscriptions.ts';
import { createSecretsBlock } from '../blocks/secrets/secrets.ts';
import { createShutdownBlock } from '../blocks/shutdown/shutdown.ts';
import { createStateBlock } from '../blocks/state/state.ts';
import { createWorkflowBlock } from '../blocks/workflow/workflow.ts';
import { createAppMonitor } from '../channel/app-monitor.ts';
import type { AppChannel, AppMonitor } from '../channel/channel.ts';
import { createExternalHttp, type HttpEndpoint } from '../channel/external-http.ts';
import { createGrpcChannel } from '../channel/grpc-channel.ts';
import { createHttpChannel } from '../channel/http-channel.ts';
import { ComponentHost } from './component-host.ts';
import { catalogEntry } from '../config/component-resource.ts';
import { resolveMetadata } from '../config/resolve-metadata.ts';
import type { SidecarConfig } from '../config/sidecar-config.ts';
import type { SidecarOptions } from '../config/sidecar-options.ts';
import { createKeptLetters } from './dead-letters.ts';
import type { MechaError } from '../errors.ts';
import { Lazy } from '../lazy.ts';
import type { Part } from '../lifecycle.ts';
import { outboxConfigOf } from '../outbox/outbox-config.ts';
import { createOutboxRelay } from '../outbox/outbox-relay.ts';
import { Pipeline } from '../pipeline.ts';
import { createResilience } from '../resilience/resilience.ts';
import { createScheduledJobs } from './scheduled-jobs.ts';
import type { SharedParts } from './sidecar.ts';
import type { Log } from '../telemetry/log.ts';
import { CONTRACT_VERSION } from '../version.ts';
import { createWorkflows, type Workflows } from './workflows.ts';

export interface SidecarBlocksParts {
  readonly options: SidecarOptions;
  readonly config: SidecarConfig;
  readonly shared: SharedParts;
  readonly log: Log;
  /** Why no call may pass; undefined: it may. */
  readonly gate: () => MechaError | undefined;
  /** Everything has been started, and nothing is stopping. */
  readonly isStarted: () => boolean;
  /** What `healthz` waits for, by name. */
  readonly missing: () => string[];
  /** The app was seen, and asked what it subscribes to. */
  readonly onAppAsked: () => void;
  readonly fatal: (error: Error) => void;
  readonly stop: () => void;
}

export type SidecarBlocks = ReturnType<typeof createSidecarBlocks>;

export function createSidecarBlocks(parts: SidecarBlocksParts) {
  const { options, log } = parts;
  const { resources, configuration } = parts.config;
  const { ledger, openLedger, peers, metrics, clock, random, exit } = parts.shared;
  const { appId, namespace, env } = options;

  const pipeline = new Pipeline({ log, metrics, gate: parts.gate });
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
    fatal: parts.fatal,
  });

  const { channel, monitor } = createAppSide(options, clock, log);
  const endpoints: HttpEndpoint[] = [];
  const external = createExternalHttp(() => endpoints);

  const state = createStateBlock({ appId, namespaceOfEnv: env['NAMESPACE'], components, metrics, resilience, clock, uuid: randomUUID });
  const secrets = createSecretsBlock({ components, scopes: configuration.secretScopes, metrics, resilience });
  const pubsub = createPubSubBlock({ appId, namespace, components, ledger, clock, random, log, metrics, resilience });
  const invocation = createInvocationBlock({ appId, namespace, channel, monitor, peers, external, endpoints, resilience, clock, metrics });
  const subscriptions = createSubscriptions({
    appId, namespace, components, ledger, clock, random, log, metrics, resilience, block: pubsub, channel, monitor,
    declared: resources.filter((resource) => resource.kind === 'Subscription'),
    onAsked: parts.onAppAsked,
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
      invocation, state, pubsub, workflow,
      bindings: { invoke: async (...asked) => (await bindings.block()).invoke(...asked) },
      jobs: { schedule: async (job) => (await jobs.block()).schedule(job), delete: async (name) => (await jobs.block()).delete(name) },
    },
    declared: resources.filter((resource) => resource.kind === 'Workflow'), configuration: configuration.workflow, metrics,
    gracefulShutdownMs: options.gracefulShutdownMs,
  });
  const taskHub = new Lazy(async () => {
    const { openTaskHub } = await import('../blocks/workflow/task-hub.grpc.ts');
    return openTaskHub({ appId, namespace, engine: await workflows.engine(), closing: workflows.closing, clock, log, maxBodyBytes: options.maxBodyBytes }, pipeline);
  });
  const metadata = createMetadataBlock({
    appId,
    runtimeVersion: CONTRACT_VERSION,
    enabledFeatures: Object.entries(configuration.features).flatMap(([name, on]) => (on ? [name] : [])),
    components: () => bindings.viewOf(components.statuses()),
    subscriptions: () => subscriptions.list(),
    httpEndpoints: resources.flatMap((resource) => (resource.kind === 'HTTPEndpoint' ? [resource.name] : [])),
    resiliencies: resilience.names,
    connectedWorkers: () => taskHub.loaded?.connectedWorkers() ?? 0,
    appConnection: {
      port: options.appPort, protocol: options.appProtocol, channelAddress: options.appChannelAddress, maxConcurrency: options.appMaxConcurrency, health: options.appHealthCheck,
    },
  });
  const health = createHealthBlock({ appId, missing: parts.missing, outboundReady: () => parts.isStarted() && components.firstAttemptsEnded });
  const shutdown = createShutdownBlock({ stop: parts.stop, exit: () => exit(1) });

  return { pipeline, resilience, components, channel, monitor, endpoints, external, state, secrets, pubsub, invocation, subscriptions, bindings, deadLetters, relay, jobs, workflow, workflows, taskHub, metadata, health, shutdown };
}

/** The way to the app, and who watches whether it is there. */
function createAppSide(options: SidecarOptions, clock: Clock, log: Log): { channel: AppChannel | undefined; monitor: AppMonitor & Part } {
  const { appId, appPort, appProtocol, appChannelAddress, appApiToken, appMaxConcurrency, appHealthCheck, readBufferBytes, disableInitEndpoints } = options;
  let monitor: (AppMonitor & Part) | undefined;
  let channel: AppChannel | undefined;
  if (appPort !== undefined) {
    const shared = {
      address: appChannelAddress, port: appPort, apiToken: appApiToken, maxConcurrency: appMaxConcurrency,
      asksSubscriptions: !disableInitEndpoints.includes('subscribe'), presence: () => monitor?.presence ?? ('waiting' as const), log,
    };
    channel =
      appProtocol === 'grpc' || appProtocol === 'grpcs'
        ? createGrpcChannel({ ...shared, protocol: appProtocol, maxBodyBytes: options.maxBodyBytes })
        : createHttpChannel({ ...shared, appId, protocol: appProtocol, responseHeaderBytesMax: readBufferBytes, healthPath: appHealthCheck?.path ?? '/healthz' });
  }
  monitor = createAppMonitor({ channel, healthCheck: appHealthCheck, clock, log });
  return { channel, monitor };
}
