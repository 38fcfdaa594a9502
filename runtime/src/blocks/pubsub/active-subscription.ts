/**
 * One subscription put together: routes, inbound policy, dead letters, delivery, and the intake at the broker. What it
 * does not share with its siblings is everything: restarting or losing one leaves the others alone.
 */
import type { Delivery } from '@mecha/components/kit';
import type { AppSubscription, EventAnswer } from '../../channel/channel.ts';
import { Intake } from '../../intake.ts';
import type { Resent } from '../../resend.ts';
import { createAttempts, type SendToApp } from './app-attempts.ts';
import { BulkBuffer } from './bulk-buffer.ts';
import { DeadLetters } from './dead-letters.ts';
import { createDelivery } from './delivery.ts';
import { rawPayloadOf } from './envelope.ts';
import type { PubSubBlock, PubSubBlockParts } from './pubsub.ts';
import { resendTo } from './resend.ts';
import { compileRoutes } from './routing.ts';

export type SubscriptionType = 'DECLARATIVE' | 'PROGRAMMATIC' | 'STREAMING';

export interface ActiveSubscriptionParts extends PubSubBlockParts {
  readonly block: PubSubBlock;
  readonly subscription: AppSubscription;
  readonly type: SubscriptionType;
  readonly send: SendToApp;
  readonly onAway: (reason: string) => void;
}

export interface ActiveSubscription {
  readonly subscription: AppSubscription;
  readonly type: SubscriptionType;
  readonly intake: Intake;
  /** Gives a dead letter to the app once more. Never rejects. */
  resend(delivery: Delivery, signal: AbortSignal): Promise<Resent>;
  /**
   * Stops intake, lets calls under way end, hands everything else back. When `cut` aborts, calls under way are called
   * off and their events handed back too. Idempotent.
   */
  close(cut: AbortSignal): Promise<void>;
}

/** Rejects with `RouteInvalid` or words about its metadata; nothing has begun then. */
export async function createActiveSubscription(parts: ActiveSubscriptionParts): Promise<ActiveSubscription> {
  const { appId, subscription, clock, random, log, metrics, components } = parts;
  const { pubsubName, topic, metadata, bulk, deadLetterTopic } = subscription;
  const raw = rawPayloadOf(metadata);
  if (raw === undefined) throw new Error(`rawPayload value must be a valid boolean: actual is '${metadata['rawPayload'] ?? ''}'`);
  const router = await compileRoutes(subscription.routes);
  const draining = new AbortController();
  const cut = new AbortController();
  const policy = parts.resilience.forComponent(pubsubName, 'Pubsub', 'inbound');
  const offerAll = createAttempts({ send: parts.send, policy, draining: draining.signal, cut: cut.signal, clock });
  const buffer = bulk
    ? new BulkBuffer({ offerAll, messagesMax: bulk.maxMessagesCount, awaitMs: bulk.maxAwaitDurationMs, draining: draining.signal, clock })
    : undefined;

  const deliver = createDelivery({
    subscription,
    raw,
    router,
    offer: async (event) => {
      if (buffer) return buffer.offer(event);
      const [offered] = await offerAll([event]);
      return offered ?? { answer: NO_ANSWER, attempts: 1 };
    },
    retriesByPolicy: policy.retries,
    deadLetters:
      deadLetterTopic === ''
        ? undefined
        : new DeadLetters({ appId, block: parts.block, ledger: parts.ledger, clock, metrics, pubsubName, group: consumerGroup(), deadLetterTopic }),
    onAway: parts.onAway,
    draining: draining.signal,
    clock,
    random,
    log,
    metrics,
  });
  const intake = new Intake({
    words: `subscription to topic ${topic}`, fields: { pubsub: pubsubName, topic }, clock, random, log,
    async open() {
      const instance = components.find('pubsub', pubsubName);
      if (!instance) throw new Error(`pubsub ${pubsubName} is not found`);
      const { block } = parts;
      return components.ready(instance).subscribe({
        topic: block.brokerTopic(instance, topic),
        metadata,
        deliver: instance.namespaced ? (delivery) => deliver({ ...delivery, topic: block.appTopic(instance, delivery.topic) }) : deliver,
      });
    },
  });

  /** As the brokers name it: `consumerID` of the component, else the app's id. */
  function consumerGroup(): string {
    const found = Object.entries(components.find('pubsub', pubsubName)?.metadata ?? {}).find(([name]) => name.toLowerCase() === 'consumerid');
    return found?.[1] || appId;
  }

  return {
    subscription,
    type: parts.type,
    intake,
    resend: (delivery, signal) => resendTo({ pubsubName, raw, router, send: parts.send, policy, draining: draining.signal, cut: cut.signal, clock }, delivery, signal),
    async close(cutSignal) {
      draining.abort();
      const end = (): void => cut.abort();
      cutSignal.addEventListener('abort', end, { once: true });
      if (cutSignal.aborted) end();
      try {
        await intake.close();
      } finally {
        cutSignal.removeEventListener('abort', end);
      }
    },
  };
}

const NO_ANSWER: EventAnswer = { outcome: 'retry', reason: 'the app did not answer' };
