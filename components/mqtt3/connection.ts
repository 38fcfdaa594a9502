/** A connection to an MQTT broker: how it is opened once, and then kept. The client library reconnects by itself for ever. */
import type { IClientOptions, MqttClient } from 'mqtt';
import { BindingError, unlessAborted, type ComponentLog } from '@mecha/components/kit';

export interface BrokerOptions {
  readonly url: string;
  readonly caCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_MS = 1_000;
const USUAL_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;
const KEEP_ALIVE_S = 30;
const END_TIMEOUT_MS = 2_000;
const SCHEMES = { 'mqtt:': 'mqtt', 'tcp:': 'mqtt', 'mqtts:': 'mqtts', 'tcps:': 'mqtts', 'ssl:': 'mqtts', 'tls:': 'mqtts', 'ws:': 'ws', 'wss:': 'wss' } as const;

/** Where a URL leads, as the library wants it. Throws, without showing it: it may hold a password. */
export function brokerAddress(text: string): IClientOptions {
  const url = URL.parse(text.trim());
  const protocol = url && url.hostname !== '' && url.protocol in SCHEMES ? SCHEMES[url.protocol as keyof typeof SCHEMES] : undefined;
  if (!url || protocol === undefined) throw new Error('url must be like mqtt://host:1883, with one of mqtt, tcp, mqtts, ssl, tls, ws, wss before the colon');
  const { hostname, port, username, password, pathname, search } = url;
  return {
    protocol,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? USUAL_PORTS[protocol] : Number(port),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(protocol === 'ws' || protocol === 'wss' ? { path: `${pathname}${search}` } : {}),
  };
}

/** `prepare` sees the client before anything arrives. Rejects with `BindingError` when the broker cannot be had now. */
export async function openClient(options: BrokerOptions, more: { readonly clientId: string; readonly clean: boolean; readonly log: ComponentLog; readonly signal: AbortSignal; prepare?(client: MqttClient): void }): Promise<MqttClient> {
  const { default: mqtt } = await import('mqtt');
  const { clientId, clean, log, signal, prepare } = more;
  const { caCert, clientCert, clientKey } = options;
  const settings: IClientOptions = {
    ...brokerAddress(options.url),
    clientId,
    clean,
    protocolVersion: 4,
    keepalive: KEEP_ALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: RECONNECT_MS,
    reconnectOnConnackError: true,
    queueQoSZero: false,
    ...(caCert ? { ca: caCert } : {}),
    ...(clientCert ? { cert: clientCert } : {}),
    ...(clientKey ? { key: clientKey } : {}),
  };
  const client = mqtt.connect(settings);
  prepare?.(client);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  const leave = (): void => reject(signal.reason);
  client.once('connect', () => resolve());
  client.once('error', reject);
  client.once('close', () => reject(new Error('the connection was closed')));
  signal.addEventListener('abort', leave, { once: true });
  try {
    signal.throwIfAborted();
    await promise;
  } catch (error) {
    client.on('error', () => undefined);
    client.end(true);
    const { message, code, errors } = error as Error & { code?: unknown; errors?: readonly Error[] };
    // Codes that are numbers are the broker's answer: it is there, and will not have this client.
    throw new BindingError(typeof code === 'number' ? 'denied' : 'unavailable', `the MQTT broker cannot be reached: ${message || errors?.[0]?.message || String(code)}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', leave);
  }
  client.on('error', (error) => log.warn({ reason: error.message }, 'MQTT connection failed'));
  client.on('offline', () => log.warn({ client: clientId }, 'MQTT broker is away; trying again'));
  return client;
}

/** Rejects unless the broker answers a ping before the signal: a connection that is silent is not known to be lost for a while. */
export async function pingBroker(client: MqttClient, signal: AbortSignal): Promise<void> {
  if (!client.connected) throw new BindingError('unavailable', 'the MQTT broker is away');
  const answered = Promise.withResolvers<void>();
  const hear = ({ cmd }: { readonly cmd: string }): void => {
    if (cmd === 'pingresp') answered.resolve();
  };
  client.on('packetreceive', hear);
  try {
    client.sendPing();
    await unlessAborted(answered.promise, signal);
  } catch (error) {
    throw new BindingError('unavailable', 'the MQTT broker does not answer', { cause: error });
  } finally {
    client.off('packetreceive', hear);
  }
}

/** Says goodbye, and goes without an answer when the broker is not there to hear it. */
export async function endClient(client: MqttClient): Promise<void> {
  if (!client.connected) return void client.end(true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, END_TIMEOUT_MS);
  });
  await Promise.race([client.endAsync(), late]);
  clearTimeout(timer);
  client.end(true);
}
