/**
 * A subscription whose app is the caller of a stream (grpc-api.md 5.4): events go out with an id, answers come back with
 * it. Each stream has a subscription of its own at the broker. What was not answered when the stream ends is handed back
 * and delivered again, to whoever is there then.
 */
import type { AppSubscription, EventAnswer, EventDelivery } from '../../channel/channel.ts';
import { errorTable, messageOf } from '../../errors.ts';
import { createActiveSubscription, type ActiveSubscription } from './active-subscription.ts';
import type { RoutedEvent } from './app-attempts.ts';
import { eventDelivery } from './app-sender.ts';
import type { PubSubBlock, PubSubBlockParts } from './pubsub.ts';

export interface StreamRequest {
  readonly pubsubName: string;
  readonly topic: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** '' = none. */
  readonly deadLetterTopic: string;
}

export type StreamStatus = 'success' | 'retry' | 'drop';

/** Hands an event to the stream's caller; `id` is what the answer must bring back. */
export type SendEvent = (id: string, event: EventDelivery) => void;

export interface EventStream {
  readonly active: ActiveSubscription;
  /** False when no event of this id waits for an answer. */
  answer(id: string, status: StreamStatus): boolean;
  /** Resolves when the subscription has ended, from whichever side. */
  readonly ended: Promise<void>;
  /**
   * Ends it. Events under way are handed back at once when the caller is gone (no signal); at a shutdown their answers
   * are waited for until `cut` aborts. Idempotent.
   */
  close(cut?: AbortSignal): Promise<void>;
}

/** Plain texts, as the contract has them. */
export const streamErrors = errorTable('pubsub-stream', {
  incomplete: { code: 'ERR_PUBSUB_STREAM_REQUEST', kind: 'unknown', make: (field: string) => ({ message: `${field} is required` }) },
  forbidden: {
    code: 'ERR_PUBSUB_STREAM_FORBIDDEN',
    kind: 'denied',
    make: (topic: string, appId: string) => ({ message: `topic ${topic} is not allowed for app id ${appId}` }),
  },
  notStanding: { code: 'ERR_PUBSUB_STREAM_SUBSCRIBE', kind: 'unknown', make: (text: string, cause: unknown) => ({ message: text, cause }) },
});

const ANSWERS: Readonly<Record<StreamStatus, EventAnswer>> = {
  success: { outcome: 'success' },
  retry: { outcome: 'retry', reason: 'the app answered RETRY' },
  drop: { outcome: 'drop', reason: 'the app answered DROP' },
};
const GONE: EventAnswer = { outcome: 'away', reason: 'the stream has ended' };
const ROUTE = '/';

type StreamParts = PubSubBlockParts & { readonly block: PubSubBlock };

/** Resolves once the broker's subscription stands. */
export async function createEventStream(
  parts: StreamParts,
  request: StreamRequest,
  send: SendEvent,
  onEnd: (stream: EventStream) => void,
): Promise<EventStream> {
  const { pubsubName, topic, metadata, deadLetterTopic } = request;
  if (pubsubName === '') throw streamErrors.incomplete('pubsubName');
  if (topic === '') throw streamErrors.incomplete('topic');
  const instance = parts.components.find('pubsub', pubsubName);
  if (!instance) throw streamErrors.notStanding(`pubsub ${pubsubName} is not found`, undefined);
  if (!parts.block.isTopicAllowed(instance, topic, 'subscribe')) throw streamErrors.forbidden(topic, parts.appId);
  parts.components.ready(instance);

  const subscription: AppSubscription = { pubsubName, topic, metadata, deadLetterTopic, routes: [{ match: '', path: ROUTE }] };
  /** By event id; two events of one id are answered in the order in which they were sent. */
  const waiting = new Map<string, ((answer: EventAnswer) => void)[]>();
  const gone = new AbortController();
  const ended = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;

  function sendOne(event: RoutedEvent, signal: AbortSignal): Promise<EventAnswer> {
    if (gone.signal.aborted || signal.aborted) return Promise.resolve(GONE);
    const { promise, resolve } = Promise.withResolvers<EventAnswer>();
    const id = typeof event.event['id'] === 'string' && event.event['id'] !== '' ? event.event['id'] : event.delivery.id;
    const line = waiting.get(id) ?? [];
    waiting.set(id, line);
    const finish = (answer: EventAnswer): void => {
      signal.removeEventListener('abort', leave);
      const at = line.indexOf(finish);
      if (at >= 0) line.splice(at, 1);
      if (line.length === 0 && waiting.get(id) === line) waiting.delete(id);
      resolve(answer);
    };
    const leave = (): void => finish(GONE);
    line.push(finish);
    signal.addEventListener('abort', leave, { once: true });
    try {
      send(id, eventDelivery(subscription, event));
    } catch {
      // A stream that takes nothing any more has ended; this event goes back with the others. Not within the broker's
      // own call, which may not have noted yet that the event is under way.
      gone.abort();
      queueMicrotask(() => void stream.close());
    }
    return promise;
  }

  let active: ActiveSubscription;
  try {
    active = await createActiveSubscription({
      ...parts,
      subscription,
      type: 'STREAMING',
      send: (events, signal) => Promise.all(events.map((event) => sendOne(event, signal))),
      onAway: () => {},
    });
  } catch (error) {
    throw streamErrors.notStanding(messageOf(error), error);
  }

  const stream: EventStream = {
    active,
    ended: ended.promise,
    answer(id, status) {
      const finish = waiting.get(id)?.[0];
      finish?.(ANSWERS[status]);
      return finish !== undefined;
    },
    close(cut) {
      if (cut === undefined) {
        gone.abort();
        for (const finish of Array.from(waiting.values()).flat()) finish(GONE);
      }
      closing ??= active.close(cut ?? AbortSignal.abort()).finally(() => {
        onEnd(stream);
        ended.resolve();
      });
      return closing;
    },
  };
  active.intake.setFlow(true);
  try {
    await active.intake.firstTry;
  } catch (error) {
    await stream.close();
    throw streamErrors.notStanding(messageOf(error), error);
  }
  return stream;
}
