/**
 * What pub/sub and bindings on Kafka share: the metadata, the producer, the one consumer group of a component, and the form of
 * records.
 *
 * Does not own: ports. Layout of a record: the value is the event; the key is `partitionKey` or `__key` of the metadata; every
 * metadata entry is a header too. What is delivered has the headers for metadata, and `__key`, `__topic`, `__partition`,
 * `__offset`, `__timestamp` (ms).
 */
import type { Admin, CompressionTypes, IHeaders, Kafka, KafkaMessage, Producer } from 'kafkajs';
import { field, type ComponentContext, type OptionsOf, type PublishMessage, type Settlement, type Subscription } from '@mecha/components/kit';
import { partitionAssigners } from './assigners.ts';
import { asError, clientConfig, connectionMetadata, createClient, loadLibrary, RETRIES } from './client.ts';
import { ConsumerGroup } from './group.ts';
import { choosePartition } from './partitioner.ts';
import { GatheringProducer, type RecordRules } from './producer.ts';

export const messagingMetadata = {
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

export type MessagingOptions = OptionsOf<typeof messagingMetadata>;

/** A record as a consumer is told of it. */
export interface ReceivedRecord {
  /** Place of the record in its topic: the same whenever it comes again. */
  readonly id: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attempt: number;
}

/** The longest that a fetch waits for something new; also how late a partition that was paused joins the next fetch. */
const FETCH_WAIT_MS = 250;
const ACKS = { all: -1, local: 1, none: 0 } as const;

export class KafkaMessaging {
  readonly #context: ComponentContext<MessagingOptions>;
  readonly #config: ReturnType<typeof clientConfig>;
  readonly #rules: RecordRules;
  readonly #compression: CompressionTypes;
  readonly #groupId: string;
  #kafka: Kafka | undefined;
  #producer: Producer | undefined;
  #gathering: GatheringProducer | undefined;
  #admin: Promise<Admin> | undefined;
  #group: ConsumerGroup | undefined;

  /** Throws, in words for the reader of the YAML, when the options contradict one another. */
  constructor(context: ComponentContext<MessagingOptions>) {
    const { options, log } = context;
    this.#context = context;
    this.#config = clientConfig(options, context);
    this.#rules = recordRulesOf(options);
    this.#compression = compressionOf(options.compression);
    this.#groupId = options.consumerGroup?.trim() || options.consumerID?.trim() || context.appId;
    if (options.heartbeatInterval >= options.sessionTimeout) throw new Error('heartbeatInterval must be shorter than sessionTimeout');
    if (options.consumerGroupRebalanceStrategy.toLowerCase() === 'sticky') log.warn({}, 'consumerGroupRebalanceStrategy sticky is not supported; range is used');
  }

  /** Tries may overlap, for the library cannot be called off: one that was given up closes again what it opened. */
  async connect(signal: AbortSignal): Promise<void> {
    const { options } = this.#context;
    await reachBrokers(this.#config);
    signal.throwIfAborted();
    this.#kafka ??= await createClient(this.#config);
    const made = this.#kafka.producer({
      createPartitioner: () => choosePartition,
      allowAutoTopicCreation: true,
      metadataMaxAge: options.clientConnectionTopicMetadataRefreshInterval,
      retry: { ...RETRIES, retries: options.producerRetryMax },
    });
    try {
      await made.connect();
      signal.throwIfAborted();
    } catch (error) {
      await made.disconnect().catch(() => undefined);
      throw error;
    }
    const replaced = this.#producer;
    this.#producer = made;
    this.#gathering = new GatheringProducer(made, {
      ...this.#rules,
      acks: ACKS[options.producerRequiredAcks.toLowerCase() as keyof typeof ACKS],
      compression: this.#compression,
      messageBytesMax: options.maxMessageBytes > 0 ? options.maxMessageBytes : undefined,
    });
    await replaced?.disconnect();
  }

  async ping(): Promise<void> {
    await (await this.#openAdmin()).describeCluster();
  }

  async close(): Promise<void> {
    await this.#group?.close();
    const [openedAdmin] = await Promise.allSettled([this.#admin]);
    await Promise.allSettled([this.#producer?.disconnect(), openedAdmin.status === 'fulfilled' ? openedAdmin.value?.disconnect() : undefined]);
  }

  /** Resolves when the brokers that `producerRequiredAcks` names have it; rejects with `PublishRefused` where the message is at fault. */
  async publish(message: PublishMessage): Promise<void> {
    if (!this.#gathering) throw new Error('there is no connection to Kafka yet');
    await this.#gathering.publish(message);
  }

  /** Reads a topic as a member of the component's group; resolves when it has joined. */
  async read(topic: string, deliver: (record: ReceivedRecord) => Promise<Settlement>): Promise<Subscription> {
    const own = await this.#joinedGroup();
    return own.add(topic, (name, partition, message, attempt) => deliver({ ...toReceived(name, partition, message, this.#rules), attempt }));
  }

  #connectedKafka(): Kafka {
    if (!this.#kafka) throw new Error('there is no connection to Kafka yet');
    return this.#kafka;
  }

  /** One try per call, so that a probe answers soon. */
  #openAdmin(): Promise<Admin> {
    this.#admin ??= (async () => {
      const made = this.#connectedKafka().admin({ retry: { ...RETRIES, retries: 1 } });
      await made.connect();
      return made;
    })().catch((error: unknown) => {
      this.#admin = undefined;
      throw asError(error);
    });
    return this.#admin;
  }

  async #joinedGroup(): Promise<ConsumerGroup> {
    if (this.#group) return this.#group;
    const { options, clock, log } = this.#context;
    const { AssignerProtocol } = await loadLibrary();
    this.#group ??= new ConsumerGroup({
      kafka: this.#connectedKafka(),
      admin: () => this.#openAdmin(),
      consumer: {
        groupId: this.#groupId,
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
    return this.#group;
  }
}

/** One quick try of each broker: with the library's own patience, the reason would come after that of whoever waits for it. */
async function reachBrokers(config: ReturnType<typeof clientConfig>): Promise<void> {
  const retry = { ...RETRIES, retries: Array.isArray(config.brokers) ? config.brokers.length : 1, initialRetryTime: 50, maxRetryTime: 50 };
  const admin = (await createClient({ ...config, retry })).admin();
  try {
    await admin.connect();
  } finally {
    await admin.disconnect();
  }
}

function recordRulesOf({ escapeHeaders, excludeHeaderMetaRegex }: MessagingOptions): RecordRules {
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

/** What a consumer is told. The broker's own names win over headers of the same name: a publisher cannot forge them. */
function toReceived(topic: string, partition: number, { key, value, offset, timestamp, headers }: KafkaMessage, rules: RecordRules): Omit<ReceivedRecord, 'attempt'> {
  const textOf = (bytes: Buffer | string): string => (rules.escaped ? encodeURIComponent(bytes.toString()).replaceAll('%20', '+') : bytes.toString());
  return {
    id: `${partition}-${offset}`,
    topic,
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
