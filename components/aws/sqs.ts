/** `bindings.aws.sqs`: events out to a queue, and in from one. */
import { isUtf8 } from 'node:buffer';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { BindingError, defineComponent, field, type Binding, type BindingOperations, type BindingRequest, type ComponentContext, type OptionsOf, type Subscription } from '@mecha/components/kit';
import { PolledIntake } from '@mecha/components/kit/polled-intake.ts';
import { boundedCall, clientMetadata, clientSettings } from './client.ts';
import { IN_FLIGHT_MAX, SqsSource } from './sqs-source.ts';

const metadata = {
  queueName: field.string('Name of the queue; it must exist.', { required: true }),
  ...clientMetadata,
  visibilityTimeout: field.duration('How long an event in is invisible to other readers; prolonged while it is under way. After a crash it comes again when this is over.', { default: 30_000, minimum: 1_000, maximum: 43_200_000 }),
  waitTime: field.duration('How long one question for events waits for some to come.', { default: 20_000, minimum: 0, maximum: 20_000 }),
} as const;

const operations = {
  create: {
    description: 'Sends an event to the queue.',
    metadata: {
      delaySeconds: { description: 'Time before readers see it, from 0 to 900.' },
      messageGroupId: { description: 'Group within which a FIFO queue keeps the order; such a queue needs it.' },
      messageDeduplicationId: { description: 'A FIFO queue drops an event whose id it had in the last five minutes.' },
    },
    data: 'The event, as given, which must be text: 256 KiB at most, of the characters that XML allows.',
  },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;
const SERVICE = 'SQS';
const BODY_BYTES_MAX = 256 * 1024;
const DELAY_SECONDS_MAX = 900;
const PROBE_TIMEOUT_MS = 10_000;

interface Opened {
  readonly sdk: typeof import('@aws-sdk/client-sqs');
  readonly client: SQSClient;
  readonly queueUrl: string;
}

function createBinding({ options, log, clock }: ComponentContext<Options>): Binding {
  const settings = clientSettings(options);
  const intakes = new Set<Subscription>();
  let opened: Opened | undefined;
  let closed = false;

  const bounded = <T>(signal: AbortSignal, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> => boundedCall(SERVICE, options.timeout, signal, call);

  async function open(signal: AbortSignal): Promise<Opened> {
    if (closed) throw new BindingError('unavailable', 'the component was closed');
    if (opened) return opened;
    const sdk = await import('@aws-sdk/client-sqs');
    const client = new sdk.SQSClient(settings);
    try {
      const { QueueUrl } = await bounded(signal, (abortSignal) => client.send(new sdk.GetQueueUrlCommand({ QueueName: options.queueName }), { abortSignal }));
      opened ??= { sdk, client, queueUrl: urlOf(QueueUrl ?? '', options.endpoint) };
      return opened;
    } catch (error) {
      client.destroy();
      if (error instanceof BindingError && error.fault === 'not-found') throw new BindingError('not-found', `there is no queue ${options.queueName}`, { cause: error });
      throw error;
    }
  }

  return {
    async connect(signal) {
      await open(signal);
    },
    async ping() {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
      const { sdk, client, queueUrl } = await open(signal);
      await bounded(signal, (abortSignal) => client.send(new sdk.GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }), { abortSignal }));
    },
    async close() {
      closed = true;
      await Promise.all([...intakes].map((intake) => intake.close()));
      opened?.client.destroy();
    },

    async invoke(request, signal) {
      const message = messageOf(request);
      const { sdk, client, queueUrl } = await open(signal);
      await bounded(signal, (abortSignal) => client.send(new sdk.SendMessageCommand({ QueueUrl: queueUrl, ...message }), { abortSignal }));
      return undefined;
    },

    redelivers: true,
    async start(request) {
      const opened = await open(AbortSignal.timeout(PROBE_TIMEOUT_MS));
      const { timeout: timeoutMs, visibilityTimeout: visibilityMs, waitTime } = options;
      const source = new SqsSource({ ...opened, timeoutMs, visibilityMs, waitSeconds: Math.round(waitTime / 1_000), log });
      const intake = new PolledIntake({ source, title: 'the queue', inFlightMax: IN_FLIGHT_MAX, keepEveryMs: visibilityMs / 2, request, clock, log });
      intakes.add(intake);
      return {
        pause: () => intake.pause(),
        resume: () => intake.resume(),
        close: () => intake.close().finally(() => intakes.delete(intake)),
      };
    },
  };
}

/** Compatible servers may name themselves by an address that is theirs alone: the host is the one of the endpoint. */
function urlOf(queueUrl: string, endpoint: string | undefined): string {
  if (endpoint === undefined) return queueUrl;
  const url = new URL(new URL(queueUrl).pathname, endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  return url.href;
}

function messageOf({ data, metadata: given }: BindingRequest) {
  if (!isUtf8(data)) throw new BindingError('invalid-data', 'data is no text, and a queue takes only text: send base64');
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  if (text === '') throw new BindingError('invalid-data', 'data is empty, and a queue takes no empty event');
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) throw new BindingError('too-large', `data is longer than ${BODY_BYTES_MAX} bytes`);
  // oxlint-disable-next-line no-control-regex -- these are what the service refuses
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text)) throw new BindingError('invalid-data', 'data holds characters that the service does not take, such as NUL');
  const { delaySeconds, messageGroupId, messageDeduplicationId } = given;
  const delay = delaySeconds === undefined || delaySeconds === '' ? undefined : Number(delaySeconds);
  if (delay !== undefined && (!Number.isInteger(delay) || delay < 0 || delay > DELAY_SECONDS_MAX)) throw new BindingError('invalid-metadata', `metadata delaySeconds must be a whole number from 0 to ${DELAY_SECONDS_MAX}`);
  return {
    MessageBody: text,
    ...(delay === undefined ? {} : { DelaySeconds: delay }),
    ...(messageGroupId ? { MessageGroupId: messageGroupId } : {}),
    ...(messageDeduplicationId ? { MessageDeduplicationId: messageDeduplicationId } : {}),
  };
}

export default defineComponent({
  type: 'bindings.aws.sqs',
  versions: ['v1'],
  status: 'stable',
  title: 'AWS SQS',
  description: 'Sends to and reads from a queue of SQS or a compatible server. Up to 10 events are under way at a time.',
  durability: 'The answer comes when the service has stored the event. The SDK tries up to three times, so an event may be stored twice in a queue that is not FIFO.',
  metadata,
  features: ['INPUT_BINDING', 'OUTPUT_BINDING'],
  operations,
  library: '@aws-sdk/client-sqs',
  create: createBinding,
});
