/**
 * The channel into an app that speaks gRPC: one connection to `<address>:<port>`, the callback services that the app may
 * serve, and the reading of its answers (grpc-api.md 7).
 *
 * Does not own: which event goes where, retries, and whether there is an app (`app-monitor.ts`).
 *
 * Rules
 *  1. Nothing here limits how long an app may take; policies and callers do, through their signals.
 *  2. The app's token goes to the app and to nobody else.
 *  3. Every call but a health probe holds a place of the concurrency limit until it is answered.
 *  4. No connection = the app is away, no attempt was made. A connection that breaks = an attempt that failed: an event
 *     that kills the app must use up its attempts.
 *  5. A callback that the app does not serve (UNIMPLEMENTED) is an answer: no subscriptions, or an event that is dropped.
 */
import type { Client, ClientUnaryCall, Metadata, StatusObject } from '@grpc/grpc-js';
import type { Init, Method } from '@mecha/specs/codec.ts';
import {
  AppCallback,
  AppCallbackAlpha,
  AppCallbackHealthCheck,
  TopicEventResponseStatus,
  type TopicEventBulkResponse,
  type TopicSubscription,
} from '@mecha/specs/gen/appcallback.gen.ts';
import { HTTPExtensionVerb } from '@mecha/specs/gen/common.gen.ts';
import { messageOf } from '../errors.ts';
import { anyOfData } from '../jobs/job-data.ts';
import { Lazy } from '../lazy.ts';
import { binaryTraceOf } from '../telemetry/grpc-trace.ts';
import type { Log } from '../telemetry/log.ts';
import { traceparentOf, type TraceContext } from '../telemetry/trace.ts';
import { replyOfMessage } from './binding-reply.ts';
import { AppAway, AppGrpcError, type AppChannel, type AppPresence, type AppRequest, type AppSubscription, type EventAnswer } from './channel.ts';
import { TooManyWaiting, createConcurrencyLimit } from './concurrency.ts';
import { isReserved } from './forwarded-headers.ts';
import { TYPE_URL_HEADER, headersFromMetadata, metadataFromHeaders } from './grpc-headers.ts';
import { reachTcp } from './http-channel.ts';
import { bulkEntryOf, topicEventOf } from './topic-event.ts';

export interface GrpcChannelOptions {
  /** `grpcs` is TLS whose certificate is not verified: it is the app on this host. */
  readonly protocol: 'grpc' | 'grpcs';
  readonly address: string;
  readonly port: number;
  /** Sent to the app as `dapr-api-token`. */
  readonly apiToken: string | undefined;
  /** Calls at a time; undefined = no limit. */
  readonly maxConcurrency: number | undefined;
  /** Bytes of one message, either way; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
  /** False with `--disable-init-endpoints=subscribe`: the app is not asked. */
  readonly asksSubscriptions: boolean;
  /** What the monitor sees; an unhealthy app is not called. */
  readonly presence?: () => AppPresence;
  readonly log: Log;
}

const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
const RESOURCE_EXHAUSTED = 8;
const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MOST_MS = 1000;
const BULK_MESSAGES_DEFAULT = 100;
const BULK_AWAIT_DEFAULT_MS = 1000;
const BULK_TYPE = 'com.dapr.event.sent.bulk';
const UNHEALTHY = 'app is not in a healthy state';
const SUCCESS: EventAnswer = { outcome: 'success' };
const NOTHING = Buffer.alloc(0);

type GrpcJs = typeof import('@grpc/grpc-js');
interface Connection {
  readonly grpc: GrpcJs;
  readonly client: Client;
}
interface Answer<Response> {
  readonly message: Response;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

export function createGrpcChannel(options: GrpcChannelOptions): AppChannel {
  const { address, port, protocol, log } = options;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const limit = createConcurrencyLimit(options.maxConcurrency);
  let closed = false;
  const connection = new Lazy(() => openClient(options, where), () => (closed ? new AppAway('the channel to the app is closed') : undefined));

  /** Connected, or `AppAway`. The look at the port tells an absent app from one that is slow to speak. */
  async function connected(): Promise<Connection> {
    if (closed) throw new AppAway('the channel to the app is closed');
    const open = await connection.get();
    if (open.client.getChannel().getConnectivityState(true) === open.grpc.connectivityState.READY) return open;
    try {
      await reachTcp(address, port);
      await ready(open.client);
    } catch (error) {
      throw new AppAway(`the app cannot be reached on ${where}: ${messageOf(error)}`, error);
    }
    return open;
  }

  /** The one way out: a place, the token, a trace. Rejects with `AppAway`, `AppGrpcError`, or the signal's reason. */
  async function ask<Request, Response>(
    method: Method<Request, Response>,
    message: Init<NoInfer<Request>>,
    given: { entries?: readonly (readonly [string, string])[]; trace?: TraceContext },
    signal: AbortSignal,
  ): Promise<Answer<Response>> {
    if (options.presence?.() === 'unhealthy') throw new AppAway(UNHEALTHY);
    const release = await limit.acquire(signal);
    try {
      const { grpc, client } = await connected();
      signal.throwIfAborted();
      const metadata = new grpc.Metadata();
      for (const [name, value] of given.entries ?? []) metadata.add(name, value);
      if (options.apiToken !== undefined) metadata.set('dapr-api-token', options.apiToken);
      if (given.trace) addTrace(metadata, given.trace);
      return await call(grpc, client, method, message, metadata, signal);
    } finally {
      release();
    }
  }

  return {
    protocol,
    address,
    port,

    async subscriptions(signal) {
      if (!options.asksSubscriptions) return [];
      try {
        const { message } = await ask(AppCallback.ListTopicSubscriptions, {}, {}, signal);
        return message.subscriptions.map(subscriptionOf);
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        log.debug({}, 'the app does not serve ListTopicSubscriptions: taken as no subscriptions');
        return [];
      }
    },

    async deliver(event, signal) {
      try {
        const { message } = await ask(AppCallback.OnTopicEvent, topicEventOf(event), { entries: brokerMetadata(event.metadata), trace: event.trace }, signal);
        return answerOf(message.status);
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async deliverBulk(events, signal) {
      const { id, topic, pubsubName, path, metadata, trace } = events;
      const request = { id, topic, pubsubName, path, metadata, type: BULK_TYPE, entries: events.entries.map(bulkEntryOf) };
      try {
        try {
          return bulkAnswerOf((await ask(AppCallback.OnBulkTopicEvent, request, { trace }, signal)).message);
        } catch (error) {
          if (!isUnimplemented(error)) throw error;
          return bulkAnswerOf((await ask(AppCallbackAlpha.OnBulkTopicEventAlpha1, request, { trace }, signal)).message);
        }
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async wantsBinding({ name }, signal) {
      try {
        const { message } = await ask(AppCallback.ListInputBindings, {}, {}, signal);
        return message.bindings.includes(name);
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        return false;
      }
    },

    async deliverBinding(event, signal) {
      try {
        const { binding: name, data, metadata, trace } = event;
        const { message } = await ask(AppCallback.OnBindingEvent, { name, data, metadata }, { trace }, signal);
        return { outcome: 'success', body: message.data, ...replyOfMessage(message) };
      } catch (error) {
        const failed = answerOfFailure(error, signal);
        return failed.outcome === 'drop' ? { outcome: 'retry', reason: 'the app does not serve binding events', statusCode: UNIMPLEMENTED } : failed;
      }
    },

    async deliverJob({ name, data, headers, trace }, signal) {
      const any = data && anyOfData(data);
      const request = { name, data: any, method: `job/${name}`, contentType: any?.typeUrl ?? '', httpExtension: { verb: HTTPExtensionVerb.POST } };
      const given = { entries: Object.entries(headers), trace };
      try {
        try {
          await ask(AppCallback.OnJobEvent, request, given, signal);
        } catch (error) {
          if (!isUnimplemented(error)) throw error;
          await ask(AppCallbackAlpha.OnJobEventAlpha1, request, given, signal);
        }
        return SUCCESS;
      } catch (error) {
        if (isUnimplemented(error)) return { outcome: 'retry', reason: 'the app does not serve job events', statusCode: UNIMPLEMENTED };
        if (error instanceof AppGrpcError && error.code === NOT_FOUND) return { outcome: 'drop', reason: 'the app answered NOT_FOUND' };
        return answerOfFailure(error, signal);
      }
    },

    async invoke(request, signal) {
      const contentType = first(request.headers['content-type']) ?? '';
      const typeUrl = first(request.headers[TYPE_URL_HEADER]) ?? '';
      const value = await bytesOf(request.body, options.maxBodyBytes);
      const message = {
        method: request.path,
        data: { typeUrl, value },
        contentType,
        httpExtension: { verb: verbOf(request.method), querystring: request.queryText },
      };
      const answer = await ask(AppCallback.OnInvoke, message, { entries: metadataFromHeaders(request.headers), trace: request.trace }, signal);
      const { data } = answer.message;
      const headers = headersFromMetadata({ ...textsOf(answer.trailers), ...textsOf(answer.headers) });
      if (answer.message.contentType !== '') headers['content-type'] = answer.message.contentType;
      if (data?.typeUrl) headers[TYPE_URL_HEADER] = data.typeUrl;
      return { status: 200, headers, body: data?.value ?? NOTHING };
    },

    reach: () => reachTcp(address, port),

    async probe(timeoutMs) {
      const { grpc, client } = await connection.get();
      const metadata = new grpc.Metadata();
      if (options.apiToken !== undefined) metadata.set('dapr-api-token', options.apiToken);
      try {
        await call(grpc, client, AppCallbackHealthCheck.HealthCheck, {}, metadata, AbortSignal.timeout(timeoutMs));
        return true;
      } catch (error) {
        if (error instanceof AppGrpcError) return false;
        throw error;
      }
    },

    async close() {
      closed = true;
      (await connection.whenLoaded())?.client.close();
    },
  };
}

async function openClient(options: GrpcChannelOptions, where: string): Promise<Connection> {
  const grpc = await import('@grpc/grpc-js');
  const credentials = options.protocol === 'grpcs' ? grpc.credentials.createSsl(null, null, null, { rejectUnauthorized: false }) : grpc.credentials.createInsecure();
  const bytesMax = options.maxBodyBytes ?? -1;
  const client = new grpc.Client(where, credentials, {
    'grpc.max_receive_message_length': bytesMax,
    'grpc.max_send_message_length': bytesMax,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.min_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MOST_MS,
    // An attempt is an attempt: what is tried again is decided above the channel.
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
  });
  return { grpc, client };
}

function ready(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => (error ? reject(error) : resolve()));
  });
}

/** Rejects with `AppGrpcError`, or the signal's reason. */
function call<Request, Response>(
  grpc: GrpcJs,
  client: Client,
  method: Method<Request, Response>,
  message: Init<NoInfer<Request>>,
  metadata: Metadata,
  signal: AbortSignal,
): Promise<Answer<Response>> {
  return new Promise((resolve, reject) => {
    let headers = new grpc.Metadata();
    let answer: Response | undefined;
    // Encoding fails here for text that is none, not inside the library.
    const bytes = method.request.encode(message);
    const under: ClientUnaryCall = client.makeUnaryRequest(
      method.path,
      (encoded: Buffer) => encoded,
      (encoded) => method.response.decode(encoded),
      bytes,
      metadata,
      (_error, value?: Response) => (answer = value),
    );
    const cancel = (): void => under.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    under.on('metadata', (given: Metadata) => (headers = given));
    // Always the last event, after the callback.
    under.on('status', ({ code, details, metadata: trailers }: StatusObject) => {
      signal.removeEventListener('abort', cancel);
      if (code === grpc.status.OK && answer !== undefined) return resolve({ message: answer, headers, trailers });
      if (signal.aborted) return reject(signal.reason instanceof Error ? signal.reason : new Error('the call was cancelled'));
      if (code === grpc.status.UNAVAILABLE && details.startsWith(NEVER_CONNECTED)) return reject(new AppAway(details));
      const bytes = trailers.get('grpc-status-details-bin')[0];
      reject(new AppGrpcError(code, details, Buffer.isBuffer(bytes) ? bytes : undefined));
    });
  });
}

/** How grpc-js begins to say that a call was never sent. */
const NEVER_CONNECTED = 'No connection established';

function addTrace(metadata: Metadata, trace: TraceContext): void {
  metadata.set('traceparent', traceparentOf(trace));
  if (trace.tracestate !== '') metadata.set('tracestate', trace.tracestate);
  metadata.set('grpc-trace-bin', binaryTraceOf(trace));
}

/** Metadata of an event never describes the call that carries it here; `isReserved` knows whom else it does not speak for. */
const NOT_FROM_BROKER = new Set(['user-agent', 'dapr-content-type']);

function brokerMetadata(metadata: Readonly<Record<string, string>>): [string, string][] {
  return metadataFromHeaders(metadata).filter(([name]) => !isReserved(name) && !NOT_FROM_BROKER.has(name));
}

function subscriptionOf(subscription: TopicSubscription): AppSubscription {
  const { pubsubName, topic, metadata, deadLetterTopic, bulkSubscribe, routes } = subscription;
  const rules = (routes?.rules ?? []).map(({ match, path }) => ({ match, path }));
  const otherwise = routes?.default ?? '';
  const all = otherwise !== '' ? [...rules, { match: '', path: otherwise }] : rules;
  const bulk = bulkSubscribe?.enabled
    ? { maxMessagesCount: positive(bulkSubscribe.maxMessagesCount, BULK_MESSAGES_DEFAULT), maxAwaitDurationMs: positive(bulkSubscribe.maxAwaitDurationMs, BULK_AWAIT_DEFAULT_MS) }
    : undefined;
  return {
    pubsubName,
    topic,
    metadata,
    deadLetterTopic,
    routes: all.length > 0 ? all : [{ match: '', path: '' }],
    ...(bulk ? { bulk } : {}),
  };
}

function positive(value: number, otherwise: number): number {
  return value > 0 ? value : otherwise;
}

function answerOf(status: number): EventAnswer {
  switch (status) {
    case TopicEventResponseStatus.SUCCESS:
      return SUCCESS;
    case TopicEventResponseStatus.RETRY:
      return { outcome: 'retry', reason: 'the app answered RETRY' };
    case TopicEventResponseStatus.DROP:
      return { outcome: 'drop', reason: 'the app answered DROP' };
    default:
      return { outcome: 'retry', reason: `the app answered with an unknown status ${status}` };
  }
}

function bulkAnswerOf(message: TopicEventBulkResponse): ReadonlyMap<string, EventAnswer> {
  return new Map(message.statuses.map(({ entryId, status }) => [entryId, answerOf(status)]));
}

/** No answer at all. A call that the sidecar itself took back is no attempt; one that ran out of time is. */
function answerOfFailure(error: unknown, signal: AbortSignal): Exclude<EventAnswer, { outcome: 'success' }> {
  if (isUnimplemented(error)) return { outcome: 'drop', reason: 'the app does not serve topic events', deadLetter: false };
  if (error instanceof AppAway || error instanceof TooManyWaiting) return { outcome: 'away', reason: error.message };
  if (error instanceof AppGrpcError) return { outcome: 'retry', reason: `the app answered with code ${error.code}: ${error.message}`, statusCode: error.code };
  if (signal.aborted && !(error instanceof Error && error.name === 'TimeoutError')) return { outcome: 'away', reason: 'the delivery was cancelled' };
  return { outcome: 'retry', reason: `the call to the app failed: ${messageOf(error)}` };
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof AppGrpcError && error.code === UNIMPLEMENTED;
}

function verbOf(method: string): number {
  return Object.entries(HTTPExtensionVerb).find(([name]) => name === method)?.[1] ?? HTTPExtensionVerb.NONE;
}

async function bytesOf(body: AppRequest['body'], bytesMax: number | undefined): Promise<Uint8Array> {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return body;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (bytesMax !== undefined && size > bytesMax) throw new AppGrpcError(RESOURCE_EXHAUSTED, `the message is larger than ${bytesMax} bytes, the limit set by --max-body-size`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function textsOf(metadata: Metadata): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.keys(metadata.getMap()).map((name) => {
      const values = metadata.get(name).map(String);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
