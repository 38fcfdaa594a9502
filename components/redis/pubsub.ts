/**
 * `pubsub.redis`: topics as Redis streams.
 *
 * Layout: the stream's key is the topic, letter by letter; an entry has the fields `data` (the event's bytes) and, where
 * there is any, `metadata` (a JSON object). The consumer group is `consumerID`, by default the app id.
 * Beside a stream lies `mecha:attempts:{<topic>}:<group>`, a hash of entries that failed and how often.
 *
 * Owns: publishing and the connections. Does not own: reading and settling (`stream-subscription.ts`).
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  defineComponent,
  field,
  PublishRefused,
  type BulkPublishOutcome,
  type ComponentContext,
  type OptionsOf,
  type PublishMessage,
  type PubSub,
} from '@mecha/components/kit';
import { connectionMetadata, plainError, RedisConnection } from './connection.ts';
import { Slots } from './slots.ts';
import { ensureGroup } from './stream.ts';
import { BLOCK_MS, StreamSubscription } from './stream-subscription.ts';

const metadata = {
  ...connectionMetadata,
  consumerID: field.string('Name of the consumer group; the app id when absent. Replicas of an app share the group.'),
  processingTimeout: field.duration('How long an event may go without a sign of life of its consumer before another takes it over; 0 = never.', { default: 60_000, integerUnit: 'ms' }),
  redeliverInterval: field.duration('How often to look for such events; 0 = never.', { default: 15_000, integerUnit: 'ms' }),
  queueDepth: field.integer('Events read ahead per topic.', { default: 100, minimum: 1, maximum: 100_000 }),
  concurrency: field.integer('Events in delivery at a time, over all topics of the component.', { default: 10, minimum: 1 }),
  maxLenApprox: field.integer('Entries a stream is trimmed to, about; 0 = no limit. What was trimmed is gone, read or not.', { default: 0, minimum: 0 }),
  streamTTL: field.duration('Age at which entries are trimmed, about; 0 = never. maxLenApprox goes first.', { default: 0, integerUnit: 'ms' }),
} as const;

type Options = OptionsOf<typeof metadata>;

function createPubSub(context: ComponentContext<Options>): PubSub {
  const { options, clock, log } = context;
  const connection = new RedisConnection(options, context);
  const slots = new Slots(options.concurrency);
  const group = options.consumerID?.trim() || context.appId;
  const subscriptions = new Set<StreamSubscription>();
  let closed = false;

  const trimming = (): readonly (string | number)[] => {
    if (options.maxLenApprox > 0) return ['MAXLEN', '~', options.maxLenApprox];
    if (options.streamTTL > 0) return ['MINID', '~', `${Math.max(clock.now() - options.streamTTL, 0)}-1`];
    return [];
  };

  const publish = async ({ topic, data, metadata: given }: PublishMessage): Promise<void> => {
    const fields: (string | Buffer)[] = ['data', Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
    if (Object.keys(given).length > 0) fields.push('metadata', JSON.stringify(given));
    try {
      await connection.client.xadd(topic, ...trimming(), '*', ...fields);
    } catch (error) {
      throw refusalOf(plainError(error), topic);
    }
  };

  return {
    connect: (signal) => connection.connect(signal),
    ping: () => connection.ping(),
    async close() {
      closed = true;
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      await connection.close();
    },

    publish,
    // Handed in together, these travel together.
    async publishBulk(messages): Promise<BulkPublishOutcome> {
      const outcomes = await Promise.allSettled(messages.map(publish));
      return { failed: outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, error: plainError(outcome.reason) }] : [])) };
    },

    async subscribe(request) {
      await ensureGroup(connection.client, request.topic, group);
      const reader = await connection.open({ blockMs: BLOCK_MS });
      if (closed) {
        connection.release(reader);
        throw new Error('the component was closed');
      }
      const subscription = new StreamSubscription({
        request,
        group,
        consumer: `${group}@${hostname()}-${randomBytes(6).toString('hex')}`,
        client: () => connection.client,
        reader,
        releaseReader: () => connection.release(reader),
        slots,
        queueDepth: options.queueDepth,
        processingTimeoutMs: Math.max(options.processingTimeout, 0),
        redeliverIntervalMs: Math.max(options.redeliverInterval, 0),
        clock,
        log,
      });
      subscriptions.add(subscription);
      subscription.start();
      return {
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        close: () => subscription.close().finally(() => subscriptions.delete(subscription)),
      };
    },
  };
}

/** What the caller can act on is said so. */
function refusalOf(error: Error, topic: string): Error {
  const { message } = error;
  if (message.startsWith('OOM')) return new PublishRefused('topic-full', `Redis has reached its maxmemory and takes no event for topic ${topic}`);
  if (message.startsWith('NOPERM')) return new PublishRefused('not-authorised', `this user of Redis may not write to topic ${topic}`);
  if (message.startsWith('WRONGTYPE')) return new PublishRefused('not-a-stream', `the Redis key ${topic} exists and is not a stream`);
  return error;
}

export default defineComponent({
  type: 'pubsub.redis',
  versions: ['v1'],
  status: 'stable',
  title: 'Redis Streams',
  description: 'Topics as streams of Redis or Valkey, with consumer groups that heal themselves. At least once; not in order.',
  durability: 'As durable as the server is told to be. With appendonly yes and appendfsync always an acknowledged publish survives a crash; everysec can lose about a second, and snapshots alone lose all since the last one. A failover can lose what the replica had not received.',
  metadata,
  features: [],
  library: 'ioredis',
  create: createPubSub,
});
