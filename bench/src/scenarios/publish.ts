/** Events: publishing alone, and all the way to an app that takes them. */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { EVENT_MARK } from '../load/event-app.ts';
import type { GrpcRequest, HttpRequest } from '../load/plan.ts';
import { NUMBER } from '../load/template.ts';
import type { Protocol } from '../targets/target.ts';
import type { LoadScenario, RequestContext } from './scenario.ts';
import { grpcRequest } from './state.ts';

const BACKENDS = ['memory', 'sqlite', 'postgresql', 'redis', 'kafka'] as const;
const PROTOCOLS = ['http', 'grpc'] as const;
const NUMBERS_MAX = 90_000_000;
const NO_CONTENT = 204;

/** JSON of so many bytes that holds the number of the event. */
function eventData(bytes: number): string {
  const start = `{"id":"${EVENT_MARK}${NUMBER}","text":"`;
  return `${start}${'x'.repeat(Math.max(0, bytes - start.length - 2))}"}`;
}

export function publishRequest(protocol: Protocol, { pubsub, topic, payloadBytes }: RequestContext): HttpRequest | GrpcRequest {
  const data = eventData(payloadBytes);
  if (protocol === 'grpc') return grpcRequest(Dapr.PublishEvent.path, Dapr.PublishEvent.request.encode({ pubsubName: pubsub, topic, data: Buffer.from(data), dataContentType: 'application/json' }));
  return { kind: 'http', method: 'POST', path: `/v1.0/publish/${pubsub}/${topic}`, headers: { 'content-type': 'application/json' }, body: data, status: NO_CONTENT };
}

export const publish: LoadScenario = {
  kind: 'load',
  name: 'publish',
  words: 'publishes to a topic that nobody reads',
  backends: BACKENDS,
  bare: true,
  protocols: PROTOCOLS,
  app: 'none',
  numbers: { from: 0, count: NUMBERS_MAX, order: 'sequential' },
  ends: 'answer',
  openRate: 1000,
  request: publishRequest,
  check: (answer) => (answer.length === 0 ? undefined : `an empty answer was expected, not ${answer.length} bytes`),
};

export const roundtrip: LoadScenario = {
  kind: 'load',
  name: 'pubsub-roundtrip',
  words: 'publishes and waits until the app has taken the event',
  backends: BACKENDS,
  bare: false,
  protocols: PROTOCOLS,
  app: 'events',
  numbers: { from: 0, count: NUMBERS_MAX, order: 'sequential' },
  ends: 'delivery',
  openRate: 5000,
  request: publishRequest,
  check: (answer) => (answer.length === 0 ? undefined : `an empty answer was expected, not ${answer.length} bytes`),
};
