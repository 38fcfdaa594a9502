/** The gRPC face of the metadata block (grpc-api.md 5.12). Clients take a first answer of GetMetadata for "started". */
import type { Init } from '@mecha/specs/codec.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { PubsubSubscriptionType, type AppConnectionProperties, type GetMetadataResponse } from '@mecha/specs/gen/metadata.gen.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod } from '../../servers/grpc-face.ts';
import type { AppConnection, MetadataBlock, MetadataSnapshot } from './metadata.ts';

export function metadataGrpc(metadata: MetadataBlock, pipeline: Pipeline): GrpcMethod[] {
  return [
    unary(Dapr.GetMetadata, async (request) => toWire(await pipeline.run(request.call('metadata.get'), () => metadata.get()))),

    unary(Dapr.SetMetadata, async (request) => {
      const { key, value } = request.message;
      await pipeline.run(request.call('metadata.set'), () => metadata.set(key, value));
      return {};
    }),
  ];
}

function toWire(snapshot: MetadataSnapshot): Init<GetMetadataResponse> {
  return {
    id: snapshot.id,
    runtimeVersion: snapshot.runtimeVersion,
    enabledFeatures: snapshot.enabledFeatures,
    registeredComponents: snapshot.components.map(({ name, type, version, capabilities }) => ({ name, type, version, capabilities })),
    extendedMetadata: snapshot.extended,
    subscriptions: snapshot.subscriptions.map(({ subscription, type }) => ({
      pubsubName: subscription.pubsubName,
      topic: subscription.topic,
      metadata: subscription.metadata,
      rules: { rules: subscription.routes },
      deadLetterTopic: subscription.deadLetterTopic,
      type: PubsubSubscriptionType[type],
    })),
    httpEndpoints: snapshot.httpEndpoints.map((name) => ({ name })),
    appConnectionProperties: connection(snapshot.appConnection),
    workflows: snapshot.connectedWorkers > 0 ? { connectedWorkers: snapshot.connectedWorkers } : undefined,
    resiliencies: snapshot.resiliencies.map((name) => ({ name })),
  };
}

function connection({ port, protocol, channelAddress, maxConcurrency, health }: AppConnection): Init<AppConnectionProperties> {
  return {
    port,
    protocol,
    channelAddress,
    maxConcurrency,
    health: health && {
      healthCheckPath: protocol.startsWith('grpc') ? '' : health.path,
      healthProbeInterval: `${health.intervalMs / 1000}s`,
      healthProbeTimeout: `${health.timeoutMs}ms`,
      healthThreshold: health.threshold,
    },
  };
}
