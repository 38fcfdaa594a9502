/**
 * `bindings.kafka`: records of Apache Kafka out of the app (`create`, to `publishTopic`) and into it (from `topics`), in the
 * layout of `messaging.ts`.
 *
 * Input: a partition comes in order, at least once; a record that is to be tried again holds up its partition and no other.
 * A rejected record is passed over.
 */
import {
  BindingError,
  BoundedCalls,
  defineComponent,
  field,
  PublishRefused,
  type Binding,
  type BindingFault,
  type ComponentContext,
  type EventSettlement,
  type OptionsOf,
  type Settlement,
  type Subscription,
} from '@mecha/components/kit';
import { asError } from './client.ts';
import { KafkaMessaging, messagingMetadata } from './messaging.ts';

const metadata = {
  ...messagingMetadata,
  topics: field.list('Topics whose records are the events of this binding.'),
  publishTopic: field.string('Topic that `create` writes to.'),
} as const;

type Options = OptionsOf<typeof metadata>;

/** While a broker changes, the client tries again by itself; a broker that says nothing is not waited for longer. */
const CREATE_TIMEOUT_MS = 30_000;

function createBinding(context: ComponentContext<Options>): Binding {
  const { options, clock } = context;
  const messaging = new KafkaMessaging(context);
  const topics = [...new Set(options.topics)];
  const calls = new BoundedCalls({ backend: 'Kafka', timeoutMs: CREATE_TIMEOUT_MS, clock });
  return {
    connect: (signal) => {
      calls.reopen();
      return messaging.connect(signal);
    },
    ping: () => messaging.ping(),
    close: () => {
      calls.close();
      return messaging.close();
    },
    redelivers: true,

    async invoke({ data, metadata: given }, signal) {
      const topic = options.publishTopic;
      if (!topic) throw new BindingError('invalid-metadata', 'the component names no publishTopic, so it can only be read from');
      await calls.run(signal, () => messaging.publish({ topic, data, metadata: given }).catch((error: unknown) => Promise.reject(failureOf(error))));
      return undefined;
    },

    async start({ deliver }): Promise<Subscription> {
      if (topics.length === 0) throw new Error('the component names no topics, so nothing comes from it');
      // Those that joined are left again when one cannot be joined.
      const outcomes = await Promise.allSettled(
        topics.map((topic) => messaging.read(topic, async ({ id, topic: from, attempt, data, metadata: told }) => toSettlement(await deliver({ id: `${from}-${id}`, data, metadata: told, attempt })))),
      );
      const joined = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const each = async (act: (one: Subscription) => Promise<void>): Promise<void> => void (await Promise.all(joined.map(act)));
      const [failed] = outcomes.filter(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') {
        await each((one) => one.close());
        throw asError(failed.reason);
      }
      return { pause: () => each((one) => one.pause()), resume: () => each((one) => one.resume()), close: () => each((one) => one.close()) };
    },
  };
}

/** Kafka knows one position per partition: what is rejected is behind it like what was taken. */
function toSettlement(settlement: EventSettlement): Settlement {
  switch (settlement.action) {
    case 'ack':
    case 'reject':
      return { action: 'ack' };
    case 'retry':
    case 'release':
      return settlement;
  }
}

const REFUSALS: Readonly<Record<string, BindingFault>> = { 'invalid-metadata': 'invalid-metadata', 'message-too-large': 'too-large', 'not-authorised': 'denied', 'unknown-topic': 'not-found', 'invalid-topic': 'not-found' };

function failureOf(error: unknown): BindingError {
  if (error instanceof PublishRefused) return new BindingError(REFUSALS[error.reason] ?? 'failed', error.message);
  return new BindingError('unavailable', `Kafka: ${asError(error).message}`);
}

export default defineComponent({
  type: 'bindings.kafka',
  versions: ['v1'],
  status: 'stable',
  title: 'Apache Kafka',
  description: 'Records to a topic of Kafka, and records of topics as events, in order within a partition, at least once.',
  durability: 'With producerRequiredAcks all, the default, a create is answered when all replicas in sync have the record; how many these are, the topic says (min.insync.replicas). local and none can lose what was answered.',
  metadata,
  features: ['INPUT_BINDING', 'OUTPUT_BINDING'],
  operations: {
    create: {
      description: 'Writes a record to publishTopic. Every metadata entry becomes a header too.',
      metadata: {
        partitionKey: { description: 'Key of the record, which decides its partition; also `__key`.' },
        partitionNumber: { description: 'Partition, where the key is not to decide it.' },
      },
      data: 'the value of the record, as bytes',
    },
  },
  library: 'kafkajs',
  create: createBinding,
});
