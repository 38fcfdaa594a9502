/** The HTTP face of the metadata block (http-api.md 17): key order and omissions are the contract's. */
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpRoute } from '../../servers/http-face.ts';
import { errors, type AppConnection, type MetadataBlock, type MetadataSnapshot } from './metadata.ts';

export function metadataHttp(metadata: MetadataBlock, pipeline: Pipeline): HttpRoute[] {
  return [
    {
      methods: ['GET'],
      versions: ['v1.0'],
      path: '/metadata',
      group: 'metadata',
      public: true,
      async handle(request) {
        const snapshot = await pipeline.run(request.call('metadata.get'), () => metadata.get());
        return { status: 200, body: JSON.stringify(toWire(snapshot)) };
      },
    },
    {
      methods: ['PUT'],
      versions: ['v1.0'],
      path: '/metadata/:key',
      group: 'metadata',
      public: true,
      async handle(request) {
        await pipeline.run(request.call('metadata.set'), async () => {
          try {
            metadata.set(request.params['key'] ?? '', (await request.body()).toString('utf8'));
          } catch (error) {
            if (error instanceof BodyTooLarge) throw errors.bodyRead(error.message);
            throw error;
          }
        });
        return { status: 204 };
      },
    },
  ];
}

function toWire(snapshot: MetadataSnapshot): Record<string, unknown> {
  return withoutEmpty({
    id: snapshot.id,
    runtimeVersion: snapshot.runtimeVersion,
    enabledFeatures: snapshot.enabledFeatures,
    components: snapshot.components.map((component) => ({
      name: component.name,
      type: component.type,
      version: component.version,
      ...(component.capabilities.length > 0 ? { capabilities: component.capabilities } : {}),
      // Ours, beyond the contract: clients ignore what they do not know.
      state: component.state,
      ...(component.reason === undefined ? {} : { reason: component.reason }),
      since: new Date(component.since).toISOString(),
      ...(component.operations ? { operations: component.operations } : {}),
      ...(component.input ? { input: { route: component.input.route, state: component.input.state, ...(component.input.reason === undefined ? {} : { reason: component.input.reason }) } } : {}),
    })),
    extended: snapshot.extended,
    subscriptions: snapshot.subscriptions.map(({ subscription, type }) => ({
      pubsubname: subscription.pubsubName,
      topic: subscription.topic,
      ...(Object.keys(subscription.metadata).length > 0 ? { metadata: subscription.metadata } : {}),
      rules: subscription.routes.map((rule) => (rule.match === '' ? { path: rule.path } : { match: rule.match, path: rule.path })),
      deadLetterTopic: subscription.deadLetterTopic,
      type,
    })),
    httpEndpoints: snapshot.httpEndpoints.map((name) => ({ name })),
    appConnectionProperties: connection(snapshot.appConnection),
    workflows: snapshot.connectedWorkers > 0 ? { connectedWorkers: snapshot.connectedWorkers } : {},
    resiliencies: snapshot.resiliencies.map((name) => ({ name })),
  });
}

function connection(app: AppConnection): Record<string, unknown> {
  return {
    ...(app.port === undefined ? {} : { port: app.port }),
    protocol: app.protocol,
    channelAddress: app.channelAddress,
    ...(app.maxConcurrency === undefined ? {} : { maxConcurrency: app.maxConcurrency }),
    ...(app.health
      ? {
          health: {
            ...(app.protocol.startsWith('grpc') ? {} : { healthCheckPath: app.health.path }),
            healthProbeInterval: `${app.health.intervalMs / 1000}s`,
            healthProbeTimeout: `${app.health.timeoutMs}ms`,
            healthThreshold: app.health.threshold,
          },
        }
      : {}),
  };
}

/** Top-level keys are left out when empty. */
function withoutEmpty(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => !(Array.isArray(value) && value.length === 0) && !(isEmptyObject(value))),
  );
}
function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
