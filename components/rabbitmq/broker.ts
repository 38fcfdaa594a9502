/**
 * The connection of one component to RabbitMQ: one connection, a channel for writing and one for reading, had again after they
 * were lost.
 *
 * Invariants
 * B1  The first connection is tried once per `connect`; the runtime's back-off decides when again. Once connected, it is tried
 *     for ever, every `reconnectWaitMs`.
 * B2  The queue is declared on every new connection, before anybody writes to it or reads from it.
 * B3  At most one connection is kept: one that comes after its `connect` was called off, or after a close, is closed at once.
 * B4  No error names the password: addresses are not part of any.
 */
import type { Channel, ChannelModel, ConfirmChannel, Options } from 'amqplib';
import type { Clock, ComponentLog } from '@mecha/components/kit';

export interface BrokerParts {
  readonly url: string;
  /** PEM texts, for an address that begins with amqps://. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Who the client is, its certificate says. */
  readonly externalSasl: boolean;
  readonly queue: string;
  readonly queueOptions: Options.AssertQueue;
  readonly prefetchCount: number;
  readonly reconnectWaitMs: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

export interface BrokerSession {
  readonly writing: ConfirmChannel;
  readonly reading: Channel;
  readonly model: ChannelModel;
  /** Resolves when one of the channels, or the connection, is no more. */
  readonly ended: Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Two of these without a sign of life, and the connection is taken for lost. */
const HEARTBEAT_SECONDS = 10;

/** Throws, in words for the reader of the YAML and without the address, when it is none. */
export function readUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error('host is no address; one looks like amqp://user:password@host:5672/virtual-host');
  }
  if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:') throw new Error('host begins with amqp:// or amqps://');
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return url.href;
}

export class Broker {
  readonly #parts: BrokerParts;
  readonly #listeners = new Set<(session: BrokerSession) => void>();
  #session: BrokerSession | undefined;
  #cancelRetry: (() => void) | undefined;
  /** Aborted by `close`; every `connect` begins another. */
  #life = new AbortController();

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  get session(): BrokerSession | undefined {
    return this.#session;
  }

  /** Called with every session, the present one included. The returned function ends that. */
  onSession(listener: (session: BrokerSession) => void): () => void {
    this.#listeners.add(listener);
    if (this.#session) listener(this.#session);
    return () => this.#listeners.delete(listener);
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    this.#life = new AbortController();
    await this.#open(AbortSignal.any([signal, this.#life.signal]));
  }

  async #open(signal: AbortSignal): Promise<void> {
    // By its default export: a bundle of this CommonJS library has no other.
    const { connect, credentials } = (await import('amqplib')).default;
    const { url, tls, externalSasl, queue, queueOptions, prefetchCount } = this.#parts;
    const model = await connect(url, { timeout: CONNECT_TIMEOUT_MS, ...tls, ...(externalSasl ? { credentials: credentials.external() } : {}) });
    const ended = Promise.withResolvers<void>();
    // The end itself is what counts; an error is always followed by it.
    model.on('error', () => undefined).on('close', () => ended.resolve());
    try {
      signal.throwIfAborted();
      const [writing, reading] = [await model.createConfirmChannel(), await model.createChannel()];
      for (const channel of [writing, reading]) channel.on('error', (error) => this.#parts.log.warn({ reason: error.message }, 'RabbitMQ closed a channel')).on('close', () => ended.resolve());
      await writing.assertQueue(queue, queueOptions);
      await reading.prefetch(prefetchCount);
      signal.throwIfAborted();
      this.#accept({ writing, reading, model, ended: ended.promise });
    } catch (error) {
      await model.close().catch(() => undefined);
      throw error;
    }
  }

  #accept(session: BrokerSession): void {
    this.#session = session;
    void session.ended.then(() => this.#lost(session));
    for (const listener of this.#listeners) listener(session);
  }

  #lost(session: BrokerSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    // With one channel gone the other would go on alone: all begins anew.
    void session.model.close().catch(() => undefined);
    this.#parts.log.warn({}, 'the connection to RabbitMQ was lost; reconnecting');
    this.#retry();
  }

  #retry(): void {
    const { signal } = this.#life;
    this.#cancelRetry = this.#parts.clock.after(this.#parts.reconnectWaitMs, () => {
      if (signal.aborted) return;
      this.#open(signal).then(
        () => this.#parts.log.info({}, 'the connection to RabbitMQ is back'),
        (error: unknown) => {
          this.#parts.log.debug({ reason: error instanceof Error ? error.message : String(error) }, 'RabbitMQ cannot be reached yet');
          if (!signal.aborted) this.#retry();
        },
      );
    });
  }

  async ping(): Promise<void> {
    const session = this.#session;
    if (!session) throw new Error('there is no connection to RabbitMQ');
    await session.writing.checkQueue(this.#parts.queue);
  }

  async close(): Promise<void> {
    this.#life.abort();
    this.#cancelRetry?.();
    const session = this.#session;
    this.#session = undefined;
    await session?.model.close().catch(() => undefined);
  }
}
