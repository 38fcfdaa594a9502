/**
 * The servers of one sidecar, with the faces of its blocks behind them.
 *
 * Owns: which face is served where. Does not own: the blocks (`sidecar-blocks.ts`), when the servers live (`sidecar.ts`).
 */
import { join } from 'node:path';
import { bindingsGrpc } from '../blocks/bindings/bindings.grpc.ts';
import { bindingsHttp } from '../blocks/bindings/bindings.http.ts';
import { deadLettersHttp } from '../blocks/dead-letters/dead-letters.http.ts';
import { healthHttp } from '../blocks/health/health.http.ts';
import { invocationGrpc, invocationGrpcProxy } from '../blocks/invocation/invocation.grpc.ts';
import { invocationHttp } from '../blocks/invocation/invocation.http.ts';
import { jobsGrpc } from '../blocks/jobs/jobs.grpc.ts';
import { jobsHttp } from '../blocks/jobs/jobs.http.ts';
import { metadataGrpc } from '../blocks/metadata/metadata.grpc.ts';
import { metadataHttp } from '../blocks/metadata/metadata.http.ts';
import { pubsubGrpc } from '../blocks/pubsub/pubsub.grpc.ts';
import { pubsubHttp } from '../blocks/pubsub/pubsub.http.ts';
import { secretsGrpc } from '../blocks/secrets/secrets.grpc.ts';
import { secretsHttp } from '../blocks/secrets/secrets.http.ts';
import { shutdownGrpc } from '../blocks/shutdown/shutdown.grpc.ts';
import { shutdownHttp } from '../blocks/shutdown/shutdown.http.ts';
import { stateGrpc } from '../blocks/state/state.grpc.ts';
import { stateHttp } from '../blocks/state/state.http.ts';
import { compensationsHttp } from '../blocks/states/compensations.http.ts';
import { statesHttp } from '../blocks/states/states.http.ts';
import { createInstances } from '../blocks/workflow/instances.ts';
import { instancesHttp } from '../blocks/workflow/instances.http.ts';
import { taskHubDoor } from '../blocks/workflow/task-hub-door.grpc.ts';
import { workflowGrpc } from '../blocks/workflow/workflow.grpc.ts';
import { workflowHttp } from '../blocks/workflow/workflow.http.ts';
import type { Configuration } from '../config/resource-types.ts';
import type { SidecarOptions } from '../config/sidecar-options.ts';
import { servedFallback, servedMethods, servedRoutes } from '../security/api-access.ts';
import type { GrpcForward } from '../servers/grpc-face.ts';
import { createGrpcForward } from '../servers/grpc-forward.ts';
import { GrpcServer } from '../servers/grpc.ts';
import { HttpServer } from '../servers/http.ts';
import type { SidecarBlocks } from './sidecar-blocks.ts';
import type { SharedParts } from './sidecar.ts';
import type { Log } from '../telemetry/log.ts';

export interface SidecarServersParts {
  readonly blocks: SidecarBlocks;
  readonly options: SidecarOptions;
  readonly configuration: Configuration;
  readonly shared: SharedParts;
  readonly log: Log;
}

export interface SidecarServers {
  readonly http: HttpServer;
  readonly grpc: GrpcServer;
  /** The routes that need no token, on a port of their own; undefined: none was given. */
  readonly open: HttpServer | undefined;
  /** The connections that pass raw gRPC calls on. */
  readonly forward: GrpcForward;
}

export function createSidecarServers({ blocks, options, configuration, shared, log }: SidecarServersParts): SidecarServers {
  const { pipeline, resilience, state, secrets, pubsub, subscriptions, bindings, deadLetters, invocation, jobs, workflow, workflows, taskHub, metadata, health, shutdown } = blocks;
  const { appId, namespace, listenAddresses, unixDomainSocket, apiToken, maxBodyBytes, readBufferBytes } = options;
  const { metrics, peers } = shared;
  const apiLogging = options.apiLogging ?? configuration.apiLogging.enabled;
  const invoke = invocationHttp(invocation, pipeline);
  const routes = [
    ...healthHttp(health, pipeline),
    ...metadataHttp(metadata, pipeline),
    ...shutdownHttp(shutdown, pipeline),
    ...stateHttp(state, pipeline),
    ...secretsHttp(secrets, pipeline),
    ...pubsubHttp(pubsub, pipeline),
    ...bindingsHttp(() => bindings.block(), pipeline),
    ...deadLettersHttp(() => deadLetters.block(), pipeline),
    ...statesHttp(() => workflows.states(), pipeline),
    ...compensationsHttp(async () => (await workflows.states()).compensations, pipeline),
    ...workflowHttp(workflow, pipeline),
    ...instancesHttp(createInstances({ engine: () => workflows.engine() }), pipeline),
    ...jobsHttp(appId, () => jobs.block(), pipeline),
    ...invoke.routes,
  ];
  const methods = [
    ...metadataGrpc(metadata, pipeline),
    ...shutdownGrpc(shutdown, pipeline),
    ...stateGrpc(state, pipeline),
    ...secretsGrpc(secrets, pipeline),
    ...pubsubGrpc(pubsub, subscriptions, pipeline),
    ...bindingsGrpc(() => bindings.block(), pipeline, { maxBodyBytes }),
    ...workflowGrpc(workflow, pipeline),
    ...jobsGrpc(() => jobs.block(), pipeline),
    ...taskHubDoor(async () => (await taskHub.get()).methods),
    ...invocationGrpc(invocation, pipeline, { maxBodyBytes }),
  ];
  const forward = createGrpcForward({ maxBodyBytes });
  const http = new HttpServer({
    name: 'HTTP API server', portFlag: '--dapr-http-port', addresses: listenAddresses, port: options.httpPort,
    socketPath: unixDomainSocket && join(unixDomainSocket, `dapr-${appId}-http.socket`),
    routes: servedRoutes(routes, configuration.api), fallback: servedFallback(invoke.fallback, configuration.api), apiToken, maxBodyBytes, readBufferBytes,
    allowedOrigins: options.allowedOrigins, apiLogging, obfuscatePaths: configuration.apiLogging.obfuscateURLs, log, metrics,
  });
  const grpc = new GrpcServer({
    name: 'gRPC API server', portFlag: '--dapr-grpc-port', addresses: listenAddresses, port: options.grpcPort,
    socketPath: unixDomainSocket && join(unixDomainSocket, `dapr-${appId}-grpc.socket`),
    methods: servedMethods(methods, configuration.api), proxy: invocationGrpcProxy({ appId, namespace, peers, forward, resilience, pipeline }), apiToken, maxBodyBytes, apiLogging, log, metrics,
  });
  const open =
    options.publicPort === undefined
      ? undefined
      : new HttpServer({
          name: 'public HTTP server', portFlag: '--dapr-public-port', addresses: [options.publicListenAddress], port: options.publicPort,
          routes: servedRoutes(routes.filter((route) => route.public), configuration.api), apiToken: undefined, maxBodyBytes, readBufferBytes, allowedOrigins: '', apiLogging: false, log, metrics,
        });
  return { http, grpc, open, forward };
}
