/** The app's channel as the side that events are sent to: one call per event, or one for a batch. */
import { randomUUID } from 'node:crypto';
import type { AppChannel, AppSubscription, EventAnswer, EventDelivery } from '../../channel/channel.ts';
import { CLOUD_EVENT_JSON, OCTET_STREAM } from '../../cloud-event/cloud-event.ts';
import { traceFrom } from '../../telemetry/trace.ts';
import type { RoutedEvent, SendToApp } from './app-attempts.ts';
import { rawPayloadOf } from './envelope.ts';

/** An event in the terms of channels and streams. */
export function eventDelivery(subscription: AppSubscription, { event, body, delivery, path, trace }: RoutedEvent): EventDelivery {
  return { pubsubName: subscription.pubsubName, topic: subscription.topic, path, body, event, metadata: delivery.metadata, trace };
}

export function sendByChannel(channel: Pick<AppChannel, 'deliver' | 'deliverBulk'>, subscription: AppSubscription): SendToApp {
  return subscription.bulk
    ? (events, signal) => sendBatch(channel, subscription, events, signal)
    : (events, signal) => Promise.all(events.map((event) => channel.deliver(eventDelivery(subscription, event), signal)));
}

const UNANSWERED: EventAnswer = { outcome: 'retry', reason: 'the app did not answer for this entry' };

/** All events of a batch have the same path. */
async function sendBatch(
  channel: Pick<AppChannel, 'deliverBulk'>,
  subscription: AppSubscription,
  events: readonly RoutedEvent[],
  signal: AbortSignal,
): Promise<readonly EventAnswer[]> {
  const raw = rawPayloadOf(subscription.metadata) === true;
  const entries = events.map(({ event, body, delivery }) => ({
    entryId: randomUUID(),
    metadata: delivery.metadata,
    ...(raw ? { body: delivery.data, contentType: OCTET_STREAM } : { event, body, contentType: CLOUD_EVENT_JSON }),
  }));
  const { pubsubName, topic, metadata } = subscription;
  // A batch has no one trace to continue; each event carries its own.
  const batch = { id: randomUUID(), pubsubName, topic, path: events[0]?.path ?? '', metadata, entries, trace: traceFrom(undefined) };
  const answers = await channel.deliverBulk(batch, signal);
  if ('outcome' in answers) return events.map(() => answers);
  return entries.map(({ entryId }) => answers.get(entryId) ?? UNANSWERED);
}
