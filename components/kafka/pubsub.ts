/**
 * `pubsub.kafka`: topics of Apache Kafka, with the record layout that other sidecars of this wire contract use (`messaging.ts`).
 *
 * Promises: an event is acknowledged to the publisher when the replicas have it (`producerRequiredAcks`); a partition is
 * delivered in order, at least once; a retry holds up its partition and no other. How often an event was tried is
 * counted in memory and begins anew with another owner of the partition.
 */
import { defineComponent, type BulkPublishOutcome, type ComponentContext, type PubSub } from '@mecha/components/kit';
import { asError } from './client.ts';
import { KafkaMessaging, messagingMetadata, type MessagingOptions } from './messaging.ts';

function createPubSub(context: ComponentContext<MessagingOptions>): PubSub {
  const messaging = new KafkaMessaging(context);
  return {
    connect: (signal) => messaging.connect(signal),
    ping: () => messaging.ping(),
    close: () => messaging.close(),
    publish: (message) => messaging.publish(message),
    async publishBulk(messages): Promise<BulkPublishOutcome> {
      const outcomes = await Promise.allSettled(messages.map((message) => messaging.publish(message)));
      return { failed: outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, error: asError(outcome.reason) }] : [])) };
    },
    subscribe: ({ topic, deliver }) => messaging.read(topic, deliver),
  };
}

export default defineComponent({
  type: 'pubsub.kafka',
  versions: ['v1'],
  status: 'stable',
  title: 'Apache Kafka',
  description: 'Topics of Kafka, in order within a partition, at least once; a retry holds up its partition.',
  durability: 'With producerRequiredAcks all, the default, a publish is acknowledged when all replicas in sync have it; how many these are, the topic says (min.insync.replicas). local and none can lose what was acknowledged.',
  metadata: messagingMetadata,
  features: ['BULK_PUBSUB'],
  library: 'kafkajs',
  create: createPubSub,
});
