/**
 * `bindings.rabbitmq`: messages of one queue, out of the app (`create`) and into it.
 *
 * A message is persistent, and answered when the broker has confirmed it. Input: at least once; a message that fails is
 * tried again from here, and given back to the queue when this sidecar goes; a rejected one goes where the queue's own
 * dead letters go, or nowhere.
 */
import { randomUUID } from 'node:crypto';
import type { Options } from 'amqplib';
import { BindingError, BoundedCalls, defineComponent, field, ttlMsOf, type Binding, type BindingRequest, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { Broker, readUrl, type BrokerParts } from './broker.ts';
import { QueueIntake } from './queue-intake.ts';

const truthy = { booleanRule: 'truthy' } as const;

const metadata = {
  host: field.string('`amqp://user:password@host:5672/virtual-host`, or `amqps://…`.', { required: true, secret: true }),
  queueName: field.string('The queue; it is made when it is not there.', { required: true }),
  durable: field.boolean('The queue outlives a restart of the broker.', { default: false, ...truthy }),
  deleteWhenUnused: field.boolean('The queue goes with its last reader.', { default: false, ...truthy }),
  exclusive: field.boolean('The queue is for this connection alone, and goes with it.', { default: false, ...truthy }),
  prefetchCount: field.integer('Messages under way at a time; 0 = 100.', { default: 100, minimum: 0, maximum: 65_535 }),
  maxPriority: field.integer('Highest priority that the queue tells apart; more than 255 counts as 255.', { minimum: 0 }),
  ttl: field.duration('Age at which messages of the queue expire; never when absent.', { minimum: 0, aliases: ['ttlInSeconds'] }),
  reconnectWaitInSeconds: field.duration('Wait before a lost connection is opened again.', { default: 5_000, minimum: 1, aliases: ['reconnectWait'] }),
  caCert: field.string('PEM of the authority that signed the certificate of the broker, where the system does not know it; needs `amqps://`.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey` and `amqps://`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  externalSasl: field.boolean('The certificate says who the client is, in place of user and password.', { default: false, ...truthy, aliases: ['saslExternal'] }),
  contentType: field.noEffect('Content type of messages.', 'the metadata name contentType of a request says it'),
} as const;

type BindingOptions = OptionsOf<typeof metadata>;

const CONFIRM_TIMEOUT_MS = 30_000;
/** Messages that wait for the broker's confirmation. */
const CONFIRMING_MAX = 10_000;
/** What is more is the broker's, or a proxy's, to refuse. */
const PRIORITY_MAX = 255;
/** The broker holds a message's time in 32 bits. */
const TTL_MAX_MS = 2 ** 32 - 1;
/** The library's words for a message that the broker refused; a lost connection has others. */
const NACKED = 'message nacked';

function createBinding({ options, clock, log }: ComponentContext<BindingOptions>): Binding {
  const tls = tlsOf(options);
  const broker = new Broker({
    url: readUrl(options.host),
    tls,
    externalSasl: options.externalSasl,
    queue: options.queueName,
    queueOptions: queueOptionsOf(options),
    prefetchCount: options.prefetchCount || metadata.prefetchCount.default,
    reconnectWaitMs: options.reconnectWaitInSeconds,
    clock,
    log,
  });
  const calls = new BoundedCalls({ backend: 'RabbitMQ', timeoutMs: CONFIRM_TIMEOUT_MS, clock });
  const intakes = new Set<QueueIntake>();
  let confirming = 0;

  const publish = ({ data, metadata: given }: BindingRequest): Promise<void> => {
    const { session } = broker;
    if (!session) return Promise.reject(new BindingError('unavailable', 'there is no connection to RabbitMQ'));
    if (confirming >= CONFIRMING_MAX) return Promise.reject(new BindingError('unavailable', `${CONFIRMING_MAX} messages already wait for RabbitMQ to confirm them`));
    const properties = propertiesOf(given);
    const content = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    confirming += 1;
    return new Promise<void>((resolve, reject) => {
      session.writing.sendToQueue(options.queueName, content, properties, (error: unknown) => {
        if (error === null || error === undefined) resolve();
        else if (messageOf(error) === NACKED) reject(new BindingError('failed', 'RabbitMQ did not take the message; a limit of the queue may be reached'));
        else reject(new BindingError('unavailable', 'the connection to RabbitMQ was lost before the message was confirmed; whether the queue has it is unknown'));
      });
    }).finally(() => {
      confirming -= 1;
    });
  };

  return {
    async connect(signal) {
      calls.reopen();
      await broker.connect(signal).catch((error: unknown) => Promise.reject(connectFailure(error)));
    },
    ping: () => broker.ping(),
    async close() {
      await Promise.all([...intakes].map((intake) => intake.close()));
      calls.close();
      await broker.close();
    },
    redelivers: true,

    async invoke(request, signal) {
      await calls.run(signal, async () => {
        try {
          await publish(request);
        } catch (error) {
          throw error instanceof BindingError ? error : new BindingError('unavailable', `RabbitMQ: ${messageOf(error)}`);
        }
      });
      return undefined;
    },

    async start({ deliver }) {
      const intake = new QueueIntake({ broker, queue: options.queueName, deliver, clock, log });
      await intake.start();
      intakes.add(intake);
      return {
        pause: () => intake.pause(),
        resume: () => intake.resume(),
        close: () => intake.close().finally(() => intakes.delete(intake)),
      };
    },
  };
}

function tlsOf({ caCert, clientCert, clientKey, externalSasl, host }: BindingOptions): BrokerParts['tls'] {
  if (Boolean(clientCert) !== Boolean(clientKey)) throw new Error('clientCert and clientKey are needed together');
  if ((caCert || clientCert) && !host.trim().startsWith('amqps:')) throw new Error('certificates need an address that begins with amqps://');
  if (externalSasl && !clientCert) throw new Error('externalSasl needs clientCert and clientKey: the certificate says who the client is');
  return { ...(caCert ? { ca: caCert } : {}), ...(clientCert && clientKey ? { cert: clientCert, key: clientKey } : {}) };
}

function queueOptionsOf({ durable, deleteWhenUnused, exclusive, ttl, maxPriority }: BindingOptions): Options.AssertQueue {
  return {
    durable,
    autoDelete: deleteWhenUnused,
    exclusive,
    ...(ttl === undefined ? {} : { messageTtl: ttl }),
    ...(maxPriority === undefined ? {} : { maxPriority: Math.min(maxPriority, PRIORITY_MAX) }),
  };
}

/** Every entry is a header; some say what the message is besides. */
function propertiesOf(given: Readonly<Record<string, string>>): Options.Publish {
  const ttlMs = ttlMsOf(given, TTL_MAX_MS);
  const priority = given['priority'];
  if (priority !== undefined && !/^\d{1,3}$/.test(priority)) throw new BindingError('invalid-metadata', `metadata priority takes a whole number from 0 to ${PRIORITY_MAX}`);
  return {
    persistent: true,
    headers: { ...given },
    // By which consumers know the message when it comes again.
    messageId: given['messageID'] || randomUUID(),
    ...(ttlMs === undefined ? {} : { expiration: ttlMs }),
    ...(priority === undefined ? {} : { priority: Math.min(Number(priority), PRIORITY_MAX) }),
    ...(given['contentType'] ? { contentType: given['contentType'] } : {}),
    ...(given['correlationID'] ? { correlationId: given['correlationID'] } : {}),
    ...(given['type'] ? { type: given['type'] } : {}),
  };
}

/** A queue that is there and is another one is told in the broker's words. */
function connectFailure(error: unknown): Error {
  return new Error(`RabbitMQ cannot be used: ${messageOf(error)}`);
}

function messageOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string | number };
  return message || String(code ?? 'it does not answer');
}

export default defineComponent({
  type: 'bindings.rabbitmq',
  versions: ['v1'],
  status: 'stable',
  title: 'RabbitMQ',
  description: 'Messages to a queue of RabbitMQ, and its messages as events, at least once.',
  durability: 'A create is answered when the broker has confirmed the message. It survives a restart of the broker where the queue is durable.',
  metadata,
  features: ['INPUT_BINDING', 'OUTPUT_BINDING'],
  operations: {
    create: {
      description: 'Puts a message into the queue. Every metadata entry becomes a header too.',
      metadata: {
        ttlInSeconds: { description: 'Age at which the message expires, such as 30 (seconds) or 500ms; also `ttl`.' },
        priority: { description: 'Priority, from 0 to 255; needs maxPriority of the component.' },
        contentType: { description: 'Content type of the data.' },
        messageID: { description: 'Id of the message; one is made when absent.' },
        correlationID: { description: 'Id that joins messages.' },
        type: { description: 'Kind of the message, in words of the app.' },
      },
      data: 'the message, as bytes',
    },
  },
  library: 'amqplib',
  create: createBinding,
});
