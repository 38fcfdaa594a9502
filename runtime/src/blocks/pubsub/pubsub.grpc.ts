/** The gRPC face of publishing, and of subscriptions that an app holds as a stream (grpc-api.md 5.3, 5.4). */
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { TopicEventResponseStatus } from '@mecha/specs/gen/appcallback.gen.ts';
import type { BulkPublishRequest, SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsResponseAlpha1 } from '@mecha/specs/gen/pubsub.gen.ts';
import { topicEventOf } from '../../channel/topic-event.ts';
import { errorTable } from '../../errors.ts';
import type { Pipeline } from '../../pipeline.ts';
import { streaming, unary, type GrpcMethod, type GrpcRequest, type GrpcStream } from '../../servers/grpc-face.ts';
import { streamErrors, type EventStream, type StreamRequest, type StreamStatus } from './event-stream.ts';
import type { PubSubBlock } from './pubsub.ts';
import type { Subscriptions } from './subscriptions.ts';

type TopicStream = GrpcStream<SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsResponseAlpha1>;

/** How a stream ends, seen from its caller; texts and codes are the contract's, but for the last: a client may try again. */
export const endings = errorTable('pubsub-stream-end', {
  duplicate: { code: 'ERR_PUBSUB_STREAM_REQUEST', kind: 'unknown', make: () => ({ message: 'duplicate initial request received' }) },
  halfClosed: { code: 'ERR_PUBSUB_STREAM_END', kind: 'unknown', make: () => ({ message: 'EOF' }) },
  closed: { code: 'ERR_PUBSUB_STREAM_CLOSED', kind: 'unavailable', make: (cause?: unknown) => ({ message: 'stream closed', cause }) },
});

export function pubsubGrpc(pubsub: PubSubBlock, subscriptions: Pick<Subscriptions, 'openStream'>, pipeline: Pipeline): GrpcMethod[] {
  async function publishBulk(request: GrpcRequest<BulkPublishRequest>) {
    const call = request.call('pubsub.publishBulk');
    const { pubsubName, topic, entries, metadata } = request.message;
    const items = entries.map(({ entryId, event, contentType, metadata: own }) => ({ entryId, data: event, contentType, metadata: own }));
    return { failedEntries: await pipeline.run(call, () => pubsub.publishBulk(call, { pubsubName, topic, entries: items, metadata })) };
  }

  return [
    unary(Dapr.PublishEvent, async (request) => {
      const call = request.call('pubsub.publish');
      const { pubsubName, topic, data, dataContentType, metadata } = request.message;
      await pipeline.run(call, () => pubsub.publish(call, { pubsubName, topic, data, contentType: dataContentType, metadata }));
      return {};
    }),
    unary(Dapr.BulkPublishEvent, publishBulk),
    unary(Dapr.BulkPublishEventAlpha1, publishBulk),
    streaming(Dapr.SubscribeTopicEventsAlpha1, (stream) => pipeline.run(stream.call('pubsub.subscribe'), () => holdStream(stream, subscriptions))),
  ];
}

/** Until the caller, the subscription or the sidecar ends it; always ends with an error, as the contract has it. */
async function holdStream(stream: TopicStream, subscriptions: Pick<Subscriptions, 'openStream'>): Promise<void> {
  const messages = stream.messages[Symbol.asyncIterator]();
  const first = await messages.next();
  const request = first.done ? undefined : first.value.initialRequest;
  if (!request) throw streamErrors.incomplete('initial request');

  // Events may come before the caller was told that its subscription stands.
  const told = Promise.withResolvers<void>();
  told.promise.catch(() => undefined);
  let events: EventStream | undefined;
  events = await subscriptions.openStream(streamRequest(request), (id, event) => {
    told.promise.then(() => stream.send({ eventMessage: topicEventOf(event, id) })).catch(() => events?.close());
  });
  const { ended } = events;
  // At a shutdown, answers are waited for as long as the caller is there.
  const leave = (): void => void events?.close(stream.signal);
  stream.closing.addEventListener('abort', leave, { once: true });
  if (stream.closing.aborted) leave();
  try {
    await stream.send({ initialResponse: {} }).catch((error: unknown) => {
      throw endings.closed(error);
    });
    told.resolve();
    await Promise.race([takeAnswers(messages, events), ended]);
    throw endings.closed();
  } finally {
    stream.closing.removeEventListener('abort', leave);
    told.reject(endings.closed());
    await events.close();
  }
}

async function takeAnswers(messages: AsyncIterator<SubscribeTopicEventsRequestAlpha1>, events: EventStream): Promise<never> {
  for (;;) {
    const next = await messages.next();
    if (next.done) throw endings.halfClosed();
    if (next.value.initialRequest) throw endings.duplicate();
    const { eventProcessed } = next.value;
    // An id that nobody waits for belongs to an event that was handed back meanwhile.
    if (eventProcessed) events.answer(eventProcessed.id, statusWord(eventProcessed.status?.status));
  }
}

function streamRequest(request: NonNullable<SubscribeTopicEventsRequestAlpha1['initialRequest']>): StreamRequest {
  const { pubsubName, topic, metadata, deadLetterTopic = '' } = request;
  return { pubsubName, topic, metadata, deadLetterTopic };
}

/** A status that the contract does not have asks for another delivery. */
function statusWord(status: number | undefined): StreamStatus {
  switch (status) {
    case undefined:
    case TopicEventResponseStatus.SUCCESS:
      return 'success';
    case TopicEventResponseStatus.DROP:
      return 'drop';
    default:
      return 'retry';
  }
}
