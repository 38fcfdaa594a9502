/**
 * `bindings.nats`: events out to a subject and in from one. With `streamName` by JetStream, which stores them; without it at
 * most once, as NATS itself is.
 */
import { BindingError, defineComponent, field, type Binding, type BindingOperations, type BindingRequest, type ComponentContext, type OptionsOf, type Subscription } from '@mecha/components/kit';
import { PolledIntake } from '@mecha/components/kit/polled-intake.ts';
import { calledOffBy, checkOptions, connectionMetadata, openLink, type Link } from './connection.ts';
import { StreamSource } from './stream-source.ts';
import { SubjectIntake } from './subject-intake.ts';

const metadata = {
  ...connectionMetadata,
  subject: field.string('Subject to publish to and to read from; for reading it may hold the wildcards * and >.', { required: true }),
  streamName: field.string('JetStream stream that stores the subject; it must exist. Then events out are acknowledged, and events in come again until they are settled.'),
  durableName: field.string('Name of the reader: of the durable consumer, or of the queue group. The app id when absent; replicas share it.'),
  ackWait: field.duration('With a stream: after how long without a sign of life an event in comes again. It is prolonged while the event is under way.', { default: 30_000, minimum: 1_000 }),
  concurrency: field.integer('Events in under way at a time.', { default: 10, minimum: 1, maximum: 1_000 }),
} as const;

const operations = {
  create: {
    description: 'Publishes an event.',
    metadata: {
      subject: { description: 'Subject, instead of the one of the component; without wildcards.' },
      messageId: { description: 'With a stream: an event whose id it had a short time ago is not stored again.' },
    },
    data: 'The event: any bytes, as given.',
    result: 'Nothing; with a stream metadata `sequence`, and `duplicate` when it had the event.',
  },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;
const ANSWER_TIMEOUT_MS = 10_000;
const SUBJECT_BYTES_MAX = 1_024;
const WAITING_MAX = 10_000;

function createBinding({ options, appId, log, clock }: ComponentContext<Options>): Binding {
  checkOptions(options);
  const durableName = (options.durableName?.trim() || appId).replaceAll(/[\s.*>/\\]/g, '-');
  const intakes = new Set<Subscription>();
  let link: Link | undefined;
  let closed = false;
  let waiting = 0;

  const linked = (): Link => {
    if (closed || !link?.up) throw new BindingError('unavailable', closed ? 'the component was closed' : 'NATS is away');
    return link;
  };

  async function publish(subject: string, data: Uint8Array, messageId: string | undefined) {
    const { connection } = linked();
    if (options.streamName === undefined) {
      connection.publish(subject, data);
      // The server has read all that was sent before its answer to this.
      await connection.flush();
      return undefined;
    }
    const { jetstream } = await import('@nats-io/jetstream');
    const { seq, duplicate } = await jetstream(connection, { timeout: ANSWER_TIMEOUT_MS }).publish(subject, data, { expect: { streamName: options.streamName }, ...(messageId ? { msgID: messageId } : {}) });
    return { metadata: { sequence: String(seq), ...(duplicate ? { duplicate: 'true' } : {}) } };
  }

  async function consumerOf(stream: string) {
    const { AckPolicy, jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const { connection } = linked();
    const manager = await jetstreamManager(connection, { timeout: ANSWER_TIMEOUT_MS });
    // Also mends one that was made with other settings; where it stands in the stream stays.
    await manager.consumers.add(stream, { durable_name: durableName, ack_policy: AckPolicy.Explicit, filter_subject: options.subject, ack_wait: options.ackWait * 1_000_000, max_deliver: -1 });
    return jetstream(connection, { timeout: ANSWER_TIMEOUT_MS }).consumers.get(stream, durableName);
  }

  return {
    async connect(signal) {
      if (!link || link.connection.isClosed()) link = await openLink(options, appId, log, signal);
      if (options.streamName === undefined) return;
      const { jetstreamManager } = await import('@nats-io/jetstream');
      try {
        const manager = await calledOffBy(signal, jetstreamManager(linked().connection, { timeout: ANSWER_TIMEOUT_MS }));
        await calledOffBy(signal, manager.streams.info(options.streamName));
      } catch (error) {
        throw faultOf(error);
      }
    },
    async ping() {
      await linked().connection.flush();
    },
    async close() {
      closed = true;
      await Promise.all([...intakes].map((intake) => intake.close()));
      const ending = link;
      link = undefined;
      // Acknowledgements that were just given are on their way still.
      if (ending?.up) await ending.connection.drain().catch(() => ending.connection.close());
      else await ending?.connection.close();
    },

    async invoke(request, signal) {
      const subject = subjectOf(options, request);
      linked();
      if (waiting >= WAITING_MAX) throw new BindingError('unavailable', `${WAITING_MAX} events wait for NATS already`);
      waiting++;
      try {
        return await calledOffBy(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]), publish(subject, request.data, request.metadata['messageId']));
      } catch (error) {
        throw faultOf(error);
      } finally {
        waiting--;
      }
    },

    redelivers: options.streamName !== undefined,
    async start(request) {
      const { streamName, subject, concurrency, ackWait } = options;
      const intake: Subscription =
        streamName === undefined
          ? new SubjectIntake({ connection: linked().connection, subject, group: durableName, inFlightMax: concurrency, request, log })
          : new PolledIntake({ source: await new StreamSource(() => consumerOf(streamName)).open(), title: 'the stream', inFlightMax: concurrency, keepEveryMs: ackWait / 3, request, clock, log });
      intakes.add(intake);
      const close = (): Promise<void> => intake.close().finally(() => intakes.delete(intake));
      try {
        // The server knows the reader once it has answered.
        await linked().connection.flush();
      } catch (error) {
        await close();
        throw error;
      }
      return { pause: () => intake.pause(), resume: () => intake.resume(), close };
    },
  };
}

function subjectOf(options: Options, { metadata: given }: BindingRequest): string {
  const subject = given['subject'] || options.subject;
  if (!/^[^\s.*>\p{Cc}]+(\.[^\s.*>\p{Cc}]+)*$/u.test(subject) || Buffer.byteLength(subject) > SUBJECT_BYTES_MAX || subject.startsWith('$')) {
    throw new BindingError('invalid-metadata', 'metadata subject must be words joined by dots, without wildcards and blanks, and not begin with $');
  }
  // It becomes a header.
  if (/\p{Cc}/u.test(given['messageId'] ?? '')) throw new BindingError('invalid-metadata', 'metadata messageId must be one line of text');
  return subject;
}

function faultOf(error: unknown): BindingError {
  if (error instanceof BindingError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const fault = /Timeout/.test(name) ? 'timeout' : /Permission/.test(name) ? 'denied' : /payload/i.test(message) ? 'too-large' : /Connection|Closed|NoResponders/.test(name) ? 'unavailable' : 'failed';
  return new BindingError(fault, `NATS: ${message}`, { cause: error });
}

export default defineComponent({
  type: 'bindings.nats',
  aliases: ['bindings.jetstream'],
  versions: ['v1'],
  status: 'stable',
  title: 'NATS',
  description: 'Publishes to and reads from a subject of NATS. Streams are not created; a durable consumer is. Without a stream events in are at most once: what no reader takes, and what waits when the sidecar dies, is lost.',
  durability: 'With a stream the answer comes when the stream has stored the event; without one when the server has it, and it survives nothing.',
  metadata,
  features: ['INPUT_BINDING', 'OUTPUT_BINDING'],
  operations,
  library: '@nats-io/transport-node',
  create: createBinding,
});
