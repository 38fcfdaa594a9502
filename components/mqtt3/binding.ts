/**
 * `bindings.mqtt3`: events out to a topic of an MQTT 3.1.1 broker, and in from one. Two connections, because the session that
 * collects events while the app is away belongs to the reader alone.
 */
import { randomUUID } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { BindingError, defineComponent, field, flagOf, type Binding, type BindingOperations, type BindingRequest, type ComponentContext, type OptionsOf, type StartRequest } from '@mecha/components/kit';
import { brokerAddress, endClient, openClient, pingBroker } from './connection.ts';
import { EventIds } from './event-ids.ts';
import { Intake } from './intake.ts';

const metadata = {
  url: field.string('Address of the broker: mqtt://host:1883, mqtts://user:password@host:8883, ws://host/path.', { required: true, secret: true }),
  topic: field.string('Topic to publish to and to read from; for reading it may hold the wildcards + and #.', { required: true }),
  consumerID: field.string('Begins the client ids, `<consumerID>-producer` and `<consumerID>-consumer`. A broker has one client of an id at a time.', { required: true }),
  qos: field.integer('0, 1 or 2. Events in come at 1 at most.', { default: 1, minimum: 0, maximum: 2 }),
  retain: field.boolean('The broker keeps the last event of a topic for new readers.', { default: false }),
  cleanSession: field.boolean('The broker forgets the reader when it goes; false: it collects events until the reader is back.', { default: false }),
  caCert: field.string('PEM of the authority that signed the certificate of the broker, where the system does not know it.'),
  clientCert: field.string('PEM of the certificate of this client; needs `clientKey`.'),
  clientKey: field.string('PEM of the key of this client; needs `clientCert`.', { secret: true }),
  backOffMaxRetries: field.noEffect('Deliveries of an event until it is given up.', 'retries and dead letters of input bindings are the same for all backends, by Resiliency policies'),
} as const;

const operations = {
  create: {
    description: 'Publishes an event.',
    metadata: {
      topic: { description: 'Topic, instead of the one of the component; without wildcards.' },
      retain: { description: '`true` or `false`, instead of what the component says.' },
      qos: { description: '0, 1 or 2, instead of what the component says.' },
    },
    data: 'The event: any bytes, as given.',
  },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;
const PING_TIMEOUT_MS = 4_000;
const PUBLISH_TIMEOUT_MS = 10_000;
const TOPIC_BYTES_MAX = 65_535;
const WAITING_MAX = 10_000;

function createBinding({ options, log, clock }: ComponentContext<Options>): Binding {
  if ((options.clientCert === undefined) !== (options.clientKey === undefined)) throw new Error('clientCert and clientKey are given both, or neither');
  brokerAddress(options.url);
  const intakes = new Set<Intake>();
  const redelivers = !options.cleanSession && options.qos > 0;
  /** Outlive an intake: what one acknowledged in vain comes again to the next. */
  const ids = new EventIds({ redelivers, uuid: randomUUID });
  let producer: MqttClient | undefined;
  let closed = false;
  let waiting = 0;

  return {
    async connect(signal) {
      if (producer) await endClient(producer);
      producer = await openClient(options, { clientId: `${options.consumerID}-producer`, clean: true, log, signal });
    },
    async ping() {
      if (!producer) throw new BindingError('unavailable', 'the MQTT broker is away');
      await pingBroker(producer, AbortSignal.timeout(PING_TIMEOUT_MS));
    },
    async close() {
      closed = true;
      await Promise.all([...intakes].map((intake) => intake.close()));
      if (producer) await endClient(producer);
      producer = undefined;
    },

    async invoke(request, signal) {
      const message = messageOf(options, request);
      if (closed || !producer?.connected) throw new BindingError('unavailable', closed ? 'the component was closed' : 'the MQTT broker is away');
      if (waiting >= WAITING_MAX) throw new BindingError('unavailable', `${WAITING_MAX} events wait for the broker already`);
      waiting++;
      try {
        await publish(producer, message, signal);
      } finally {
        waiting--;
      }
      return undefined;
    },

    redelivers,
    async start(request: StartRequest) {
      const { default: packets } = await import('mqtt-packet');
      const intake: Intake = new Intake({
        request,
        ids,
        clock,
        log,
        generate: (packet) => packets.generate(packet),
        end: () => endClient(client).finally(() => intakes.delete(intake)),
      });
      const client = await openClient(options, {
        clientId: `${options.consumerID}-consumer`,
        clean: options.cleanSession,
        log,
        signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS),
        prepare: (opened) => {
          opened.handleMessage = (packet, done) => intake.receive(packet, opened.stream, done);
        },
      });
      intakes.add(intake);
      try {
        const [granted] = await client.subscribeAsync(options.topic, { qos: options.qos === 0 ? 0 : 1 });
        if (granted && granted.qos > 2) throw new BindingError('denied', `the broker refuses to let this client read topic ${options.topic}`);
      } catch (error) {
        await intake.close();
        throw error;
      }
      return intake;
    },
  };
}

interface Message {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payload: Buffer;
}

function messageOf(options: Options, { data, metadata: given }: BindingRequest): Message {
  const topic = given['topic'] || options.topic;
  if (/[+#\0]/.test(topic) || Buffer.byteLength(topic) > TOPIC_BYTES_MAX) throw new BindingError('invalid-metadata', 'metadata topic must be a topic without wildcards, of 65,535 bytes at most');
  const qos = Number(given['qos'] || options.qos);
  if (qos !== 0 && qos !== 1 && qos !== 2) throw new BindingError('invalid-metadata', 'metadata qos must be 0, 1 or 2');
  return { topic, qos, retain: flagOf(given, 'retain', options.retain), payload: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
}

/** Resolves when the broker has the event (QoS 1 and 2), or when it is on its way (QoS 0). */
function publish(client: MqttClient, { topic, payload, qos, retain }: Message, signal: AbortSignal): Promise<void> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(PUBLISH_TIMEOUT_MS)]);
  return new Promise((resolve, reject) => {
    if (either.aborted) return reject(new BindingError('timeout', 'called off before the event was sent', { cause: either.reason }));
    let messageId: number | undefined;
    const leave = (): void => {
      reject(new BindingError('timeout', 'the MQTT broker did not acknowledge the event in the time allowed; it may have it', { cause: either.reason }));
      // Else it would be sent again, whenever the broker is back.
      if (messageId !== undefined) client.removeOutgoingMessage(messageId);
    };
    either.addEventListener('abort', leave, { once: true });
    client.publish(topic, payload, { qos, retain }, (error) => {
      either.removeEventListener('abort', leave);
      if (error) reject(new BindingError('unavailable', `the MQTT broker did not take the event: ${error.message}`, { cause: error }));
      else resolve();
    });
    if (qos > 0) messageId = client.getLastMessageId();
  });
}

export default defineComponent({
  type: 'bindings.mqtt3',
  aliases: ['bindings.mqtt'],
  versions: ['v1'],
  status: 'stable',
  title: 'MQTT 3.1.1',
  description: 'Publishes to and reads from a topic of an MQTT broker. Events in are acknowledged once the app has taken them; what is to be tried again waits in the sidecar, unacknowledged, and comes again from the broker if the sidecar dies. MQTT gives events no id: theirs is made of packet number and content, and of chance where these were used before.',
  durability: 'At QoS 1 and 2 the answer comes when the broker has acknowledged the event; what it survives there is the broker\'s to say.',
  metadata,
  features: ['INPUT_BINDING', 'OUTPUT_BINDING'],
  operations,
  library: 'mqtt',
  create: createBinding,
});
