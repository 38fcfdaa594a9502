/**
 * `pubsub.kafka`: topics of Apache Kafka, with the record layout that other sidecars of this wire contract use.
 *
 * Layout: the value is the event; the key is `partitionKey` or `__key` of the metadata; every metadata entry is a header
 * too. Delivered metadata: the headers, and `__key`, `__topic`, `__partition`, `__offset`, `__timestamp` (ms).
 *
 * Promises: an event is acknowledged to the publisher when the replicas have it (`producerRequiredAcks`); a partition is
 * delivered in order, at least once; a retry holds up its partition and no other. How often an event was tried is
 * counted in memory and begins anew with another owner of the partition.
 */
import type { Admin, CompressionTypes, IHeaders, Kafka, KafkaMessage, Producer } from 'kafkajs';
import {
  defineComponent,
  field,
  type BulkPublishOutcome,
  type ComponentContext,
  type OptionsOf,
  type PublishMessage,
  type PubSub,
  type SubscribeRequest,
  type Subscription,
} from '@mecha/components/kit';
import { partitionAssigners } from './assigners.ts';
import { asError, clientConfig, connectionMetadata, createClient, loadLibrary, RETRIES } from './client.ts';
import { ConsumerGroup } from './group.ts';
import { choosePartition } from './partitioner.ts';
import { GatheringProducer, type RecordRules } from './producer.ts';

const metadata = {
  ...connectionMetadata,
  consumerGroup: field.string('Name of the consumer group; consumerID, else the app id, when absent.'),
  consumerID: field.string('Older name of consumerGroup.'),
  initialOffset: field.string('Where a group without a position begins: at the newest event or at the oldest.', { default: 'newest', values: ['newest', 'oldest'] }),
  maxMessageBytes: field.size('Largest event to publish; 0 = whatever the broker takes.', { default: 0 }),
  heartbeatInterval: field.duration('Time between signs of life of a group member.', { default: 3_000, integerUnit: 's' }),
  sessionTimeout: field.duration('Silence after which a group member is taken for dead.', { default: 10_000, integerUnit: 's' }),
  escapeHeaders: field.boolean('Give keys and header values to consumers as in a query string.', { default: false, booleanRule: 'truthy' }),
  excludeHeaderMetaRegex: field.string('Metadata of matching names does not become headers, nor headers metadata.'),
  consumerFetchMin: field.integer('Bytes that a fetch waits for.', { default: 1, minimum: 1 }),
  consumerFetchDefault: field.size('Bytes per partition that a fetch asks for.', { default: 1_048_576, minimum: 1 }),
  consumerGroupRebalanceStrategy: field.string('How partitions are divided: range or roundrobin; sticky is taken for range.', {
    default: 'range',
    values: ['range', 'roundrobin', 'sticky'],
  }),
  compression: field.string('Compression of what is published: none or gzip.', { default: 'none', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] }),
  producerRequiredAcks: field.string('Who must have an event before it counts as published: all replicas, the leader (local), or nobody (none).', {
    default: 'all',
    values: ['all', 'local', 'none'],
  }),
  producerRetryMax: field.integer('Retries of a publish while the cluster changes.', { default: 5, minimum: 0 }),
  channelBufferSize: field.noEffect('Events buffered by the client.', 'what waits is bounded by count and bytes per partition'),
} as const;

type Options = OptionsOf<typeof metadata>;

/** The longest that a fetch waits for something new; also how late a partition that was paused joins the next fetch. */
const FETCH_WAIT_MS = 250;
const ACKS = { all: -1, local: 1, none: 0 } as const;

function createPubSub(context: ComponentContext<Options>): PubSub {
  const { options, clock, log } = context;
  const config = clientConfig(options, context);
  const rules = recordRulesOf(options);
  const compression = compressionOf(options.compression);
  const groupId = options.consumerGroup?.trim() || options.consumerID?.trim() || context.appId;
  if (options.heartbeatInterval >= options.sessionTimeout) throw new Error('heartbeatInterval must be shorter than sessionTimeout');
  if (options.consumerGroupRebalanceStrategy.toLowerCase() === 'sticky') log.warn({}, 'consumerGroupRebalanceStrategy sticky is not supported; range is used');

  let kafka: Kafka | undefined;
  let producer: Producer | undefined;
  let gathering: GatheringProducer | undefined;
  let admin: Promise<Admin> | undefined;
  let group: ConsumerGroup | undefined;

  const connectedKafka = (): Kafka => {
    if (!kafka) throw new Error('there is no connection to Kafka yet');
    return kafka;
  };

  /** One try per call, so that a probe answers soon. */
  const openAdmin = (): Promise<Admin> => {
    admin ??= (async () => {
      const made = connectedKafka().admin({ retry: { ...RETRIES, retries: 1 } });
      await made.connect();
      return made;
    })().catch((error: unknown) => {
      admin = undefined;
      throw asError(error);
    });
    return admin;
  };

  const publish = (message: PublishMessage): Promise<void> => {
    if (!gathering) throw new Error('there is no connection to Kafka yet');
    return gathering.publish(message);
  };

  const joinedGroup = async (): Promise<ConsumerGroup> => {
    if (group) return group;
    const { AssignerProtocol } = await loadLibrary();
    group ??= new ConsumerGroup({
      kafka: connectedKafka(),
      admin: openAdmin,
      consumer: {
        groupId,
        partitionAssigners: partitionAssigners(options.consumerGroupRebalanceStrategy, AssignerProtocol),
        sessionTimeout: options.sessionTimeout,
        heartbeatInterval: options.heartbeatInterval,
        maxBytesPerPartition: options.consumerFetchDefault,
        minBytes: options.consumerFetchMin,
        maxWaitTimeInMs: FETCH_WAIT_MS,
        metadataMaxAge: options.clientConnectionTopicMetadataRefreshInterval,
        allowAutoTopicCreation: true,
      },
      fromNewest: options.initialOffset.toLowerCase() !== 'oldest',
      clock,
      log,
    });
    return group;
  };

  const subscribe = async ({ topic, deliver }: SubscribeRequest): Promise<Subscription> => {
    const own = await joinedGroup();
    await own.add(topic, (name, partition, message, attempt) => {
      const { id, data, metadata: delivered } = toDelivery(name, partition, message, rules);
      return deliver({ id, topic: name, data, metadata: delivered, attempt });
    });
    let closed: Promise<void> | undefined;
    return {
      pause: async () => own.pause(topic),
      resume: async () => own.resume(topic),
      close: () => (closed ??= own.remove(topic)),
    };
  };

  return {
    async connect(signal) {
      await producer?.disconnect();
      kafka ??= await createClient(config);
      const made = kafka.producer({
        createPartitioner: () => choosePartition,
        allowAutoTopicCreation: true,
        metadataMaxAge: options.clientConnectionTopicMetadataRefreshInterval,
        retry: { ...RETRIES, retries: options.producerRetryMax },
      });
      producer = made;
      await made.connect();
      signal.throwIfAborted();
      gathering = new GatheringProducer(made, {
        ...rules,
        acks: ACKS[options.producerRequiredAcks.toLowerCase() as keyof typeof ACKS],
        compression,
        messageBytesMax: options.maxMessageBytes > 0 ? options.maxMessageBytes : undefined,
      });
    },
    async ping() {
      await (await openAdmin()).describeCluster();
    },
    async close() {
      await group?.close();
      const [openedAdmin] = await Promise.allSettled([admin]);
      await Promise.allSettled([producer?.disconnect(), openedAdmin.status === 'fulfilled' ? openedAdmin.value?.disconnect() : undefined]);
    },

    publish: async (message) => publish(message),
    async publishBulk(messages): Promise<BulkPublishOutcome> {
      const outcomes = await Promise.allSettled(messages.map(async (message) => publish(message)));
      return { failed: outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [{ index, error: asError(outcome.reason) }] : [])) };
    },
    subscribe,
  };
}

function recordRulesOf({ escapeHeaders, excludeHeaderMetaRegex }: Options): RecordRules {
  try {
    return { escaped: escapeHeaders, excluded: excludeHeaderMetaRegex ? new RegExp(excludeHeaderMetaRegex) : undefined };
  } catch (error) {
    throw new Error(`excludeHeaderMetaRegex: ${asError(error).message}`, { cause: error });
  }
}

function compressionOf(name: string): CompressionTypes {
  switch (name.toLowerCase()) {
    case 'none':
      return 0;
    case 'gzip':
      return 1;
    default:
      throw new Error(`compression ${name} is not supported; none and gzip are`);
  }
}

interface DecodedRecord {
  readonly id: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a consumer is told. The broker's own names win over headers of the same name: a publisher cannot forge them. */
export function toDelivery(topic: string, partition: number, { key, value, offset, timestamp, headers }: KafkaMessage, rules: RecordRules): DecodedRecord {
  const textOf = (bytes: Buffer | string): string => (rules.escaped ? encodeURIComponent(bytes.toString()).replaceAll('%20', '+') : bytes.toString());
  return {
    id: `${partition}-${offset}`,
    data: value ?? Buffer.from('null'),
    metadata: {
      ...headersOf(headers ?? {}, rules.excluded, textOf),
      ...(key ? { __key: textOf(key) } : {}),
      __topic: topic,
      __partition: String(partition),
      __offset: offset,
      __timestamp: timestamp,
    },
  };
}

function headersOf(headers: IHeaders, excluded: RegExp | undefined, textOf: (bytes: Buffer | string) => string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A name that came several times: the last one counts.
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last === undefined || excluded?.test(name)) continue;
    texts[name] = textOf(last);
  }
  return texts;
}

export default defineComponent({
  type: 'pubsub.kafka',
  versions: ['v1'],
  status: 'stable',
  title: 'Apache Kafka',
  description: 'Topics of Kafka, in order within a partition, at least once; a retry holds up its partition.',
  durability: 'With producerRequiredAcks all, the default, a publish is acknowledged when all replicas in sync have it; how many these are, the topic says (min.insync.replicas). local and none can lose what was acknowledged.',
  metadata,
  features: ['BULK_PUBSUB'],
  library: 'kafkajs',
  create: createPubSub,
});
