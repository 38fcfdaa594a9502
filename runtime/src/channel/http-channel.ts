/**
 * The channel into an app that speaks HTTP: one pool of connections to `<address>:<port>`, everything the sidecar asks
 * of the app over it, and the reading of the app's answers (http-api.md 21).
 *
 * Does not own: which event goes where, retries, and whether there is an app (`app-monitor.ts`).
 *
 * Rules
 *  1. Nothing here limits how long an app may take; policies and callers do, through their signals.
 *  2. Redirects are answers. The app's token goes to the app and to nobody else.
 *  3. Every call but a health probe holds a place of the concurrency limit until its answer is read to the end.
 *  4. No connection = the app is away, no attempt was made. A connection that breaks = an attempt that failed: an event
 *     that kills the app must use up its attempts.
 */
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import { headerFromText } from '@mecha/components/kit/header-text.ts';
import { messageOf } from '../errors.ts';
import { bodyOfData } from '../jobs/job-data.ts';
import { asArray, asObject, member, parseJson } from '../json/lenient-json.ts';
import { Lazy } from '../lazy.ts';
import type { Log } from '../telemetry/log.ts';
import { traceparentOf, type TraceContext } from '../telemetry/trace.ts';
import { parseAppSubscriptions } from './app-subscriptions.ts';
import { replyOfJson } from './binding-reply.ts';
import { AppAway, type AppChannel, type AppPresence, type AppSubscription, type BindingAnswer, type BulkEventDelivery, type EventAnswer, type EventDelivery } from './channel.ts';
import { TooManyWaiting, createConcurrencyLimit } from './concurrency.ts';
import { isReserved, responseHeaders } from './forwarded-headers.ts';
import { exchange, readAtMost, whenRead, type ExchangeAnswer } from './http-exchange.ts';
import { isUnreachable } from './unreachable.ts';

export interface HttpChannelOptions {
  readonly appId: string;
  readonly protocol: 'http' | 'https' | 'h2c';
  readonly address: string;
  readonly port: number;
  /** Sent to the app as `dapr-api-token`. */
  readonly apiToken: string | undefined;
  /** Calls at a time; undefined = no limit. */
  readonly maxConcurrency: number | undefined;
  /** Bytes of an app's response headers (`--read-buffer-size`). */
  readonly responseHeaderBytesMax: number;
  /** Path of the health probe. */
  readonly healthPath: string;
  /** False with `--disable-init-endpoints=subscribe`: the app is not asked. */
  readonly asksSubscriptions: boolean;
  /** What the monitor sees; an unhealthy app is not called. */
  readonly presence?: () => AppPresence;
  readonly log: Log;
}

type RequestHeaders = Record<string, string | string[]>;

const CONNECTIONS_MAX = 1024;
const H2_CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5000;
const REACH_TIMEOUT_MS = 500;
/** What an app may write in answer to an event; a longer answer holds no `status` worth reading. */
const ANSWER_BYTES_MAX = 64 * 1024;
const BULK_ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const BINDING_ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const SUBSCRIPTIONS_BYTES_MAX = 1024 * 1024;
const UNHEALTHY = 'app is not in a healthy state';

export function createHttpChannel(options: HttpChannelOptions): AppChannel {
  const { address, port, protocol, log } = options;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const limit = createConcurrencyLimit(options.maxConcurrency);
  let closed = false;
  const pool = new Lazy(() => openPool(options, where), () => (closed ? new AppAway('the channel to the app is closed') : undefined));

  /** The one way out: a place, the token, a trace. Rejects with `AppAway` when nobody is there. */
  async function ask(
    request: { method: string; path: string; headers: RequestHeaders; body?: Uint8Array | Readable | undefined; trace?: TraceContext },
    signal: AbortSignal,
  ): Promise<{ response: ExchangeAnswer; release: () => void }> {
    if (options.presence?.() === 'unhealthy') throw new AppAway(UNHEALTHY);
    if (closed) throw new AppAway('the channel to the app is closed');
    const { headers, trace } = request;
    if (options.apiToken !== undefined) headers['dapr-api-token'] = options.apiToken;
    if (trace) {
      headers['traceparent'] = traceparentOf(trace);
      if (trace.tracestate !== '') headers['tracestate'] = trace.tracestate;
    }
    const release = await limit.acquire(signal);
    try {
      const connections = await pool.get();
      return { response: await exchange(connections, { method: request.method, path: request.path, headers, body: request.body }, signal), release };
    } catch (error) {
      release();
      throw isUnreachable(error) ? new AppAway(`the app cannot be reached on ${where}: ${messageOf(error)}`, error) : error;
    }
  }

  /** A whole small exchange; `body` is undefined when it was longer than `bytesMax`. */
  async function askShort(
    request: Parameters<typeof ask>[0],
    signal: AbortSignal,
    bytesMax: number,
  ): Promise<{ status: number; body: Buffer | undefined }> {
    const { response, release } = await ask(request, signal);
    try {
      return { status: response.status, body: await readAtMost(response.body, bytesMax) };
    } finally {
      release();
    }
  }

  return {
    protocol,
    address,
    port,

    async subscriptions(signal): Promise<readonly AppSubscription[]> {
      if (!options.asksSubscriptions) return [];
      const request = { method: 'GET', path: '/dapr/subscribe', headers: { 'dapr-app-id': options.appId, 'content-type': 'application/json' } };
      const { status, body } = await askShort(request, signal, SUBSCRIPTIONS_BYTES_MAX);
      if (status === 404) return [];
      if (status >= 500 || status === 408 || status === 429) throw new Error(`the app answered GET /dapr/subscribe with status ${status}`);
      if (status !== 200) {
        log.warn({ status }, 'the app answered GET /dapr/subscribe with an unexpected status: taken as no subscriptions');
        return [];
      }
      if (body === undefined) throw new Error(`the app's answer to GET /dapr/subscribe is longer than ${SUBSCRIPTIONS_BYTES_MAX} bytes`);
      try {
        return parseAppSubscriptions(body, (pubsubName, topic) => log.warn({ pubsubName, topic }, 'a subscription of the app has no route and is ignored'));
      } catch (error) {
        throw new Error(`the app's answer to GET /dapr/subscribe is not usable: ${messageOf(error)}`, { cause: error });
      }
    },

    async deliver(event, signal) {
      const headers = eventHeaders(event);
      try {
        const request = { method: 'POST', path: requestPath(event.path), headers, body: event.body, trace: event.trace };
        const { status, body } = await askShort(request, signal, ANSWER_BYTES_MAX);
        return answerOf(status, body);
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async deliverBulk(events, signal) {
      const headers: RequestHeaders = { 'content-type': 'application/json' };
      try {
        const request = { method: 'POST', path: requestPath(events.path), headers, body: bulkBody(events), trace: events.trace };
        const { status, body } = await askShort(request, signal, BULK_ANSWER_BYTES_MAX);
        return bulkAnswerOf(status, body);
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async wantsBinding({ route }, signal) {
      const request = { method: 'OPTIONS', path: requestPath(route), headers: { 'content-type': 'application/json' } };
      const { status } = await askShort(request, signal, ANSWER_BYTES_MAX);
      if (status >= 500 || status === 408 || status === 429) throw new Error(`the app answered OPTIONS /${route} with status ${status}`);
      return (status >= 200 && status < 300) || status === 405;
    },

    async deliverBinding(event, signal) {
      const headers = metadataHeaders(event.metadata);
      // Whatever the data are: apps parse by it (http-api.md 21.6).
      headers['content-type'] = 'application/json';
      try {
        const request = { method: 'POST', path: requestPath(event.route), headers, body: event.data, trace: event.trace };
        const { status, body } = await askShort(request, signal, BINDING_ANSWER_BYTES_MAX);
        return bindingAnswerOf(status, body);
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async deliverJob({ name, data, headers, trace }, signal) {
      const body = data === undefined ? undefined : bodyOfData(data);
      try {
        const request = { method: 'POST', path: `/job/${encodeURIComponent(name.toWellFormed())}`, headers: { ...headers, 'content-type': 'application/json' }, body, trace };
        const { status } = await askShort(request, signal, ANSWER_BYTES_MAX);
        return status >= 200 && status < 300 ? SUCCESS : answerOf(status, undefined);
      } catch (error) {
        return answerOfFailure(error, signal);
      }
    },

    async invoke(request, signal) {
      const path = `/${request.path}${request.queryText === '' ? '' : `?${request.queryText}`}`;
      const headers: RequestHeaders = { ...(request.headers as RequestHeaders) };
      const { response, release } = await ask({ method: request.method, path, headers, body: request.body, trace: request.trace }, signal);
      whenRead(response.body, release);
      return { status: response.status, headers: responseHeaders(response.headers), body: response.body };
    },

    reach: () => reachTcp(address, port),

    async probe(timeoutMs) {
      const connections = await pool.get();
      const { statusCode, body } = await connections.request({
        method: 'GET',
        path: requestPath(options.healthPath),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await body.dump();
      return statusCode >= 200 && statusCode < 300;
    },

    async close() {
      closed = true;
      await (await pool.whenLoaded())?.destroy();
    },
  };
}

async function openPool(options: HttpChannelOptions, where: string): Promise<Pool> {
  const { Pool } = await import('undici');
  const h2c = options.protocol === 'h2c';
  return new Pool(`${options.protocol === 'https' ? 'https' : 'http'}://${where}`, {
    connections: h2c ? H2_CONNECTIONS_MAX : CONNECTIONS_MAX,
    connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: false },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: options.responseHeaderBytesMax,
    ...(h2c ? { allowH2: true, useH2c: true, pipelining: 100, maxConcurrentStreams: 100 } : { allowH2: false }),
  });
}

/** A TCP connection, closed at once: all that "is there anybody" needs, and harmless to servers that serve one at a time. */
export function reachTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error(`no connection to ${host}:${port} within ${REACH_TIMEOUT_MS} ms`)), REACH_TIMEOUT_MS);
    timer.unref();
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

const UNFIT_FOR_PATH = /[^\u0021-\u007e]/;
/** A route as the app wrote it, with or without leading slash, as a request path. */
function requestPath(route: string): string {
  const path = route.startsWith('/') ? route : `/${route}`;
  return UNFIT_FOR_PATH.test(path) ? encodeURI(path.toWellFormed()) : path;
}

/** Metadata of an event never describes the message that carries it here; `isReserved` knows whom else it does not speak for. */
const NOT_FROM_METADATA = new Set(['content-type', 'content-length', 'host', 'pubsubname']);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function metadataHeaders(metadata: Readonly<Record<string, string>>): RequestHeaders {
  const headers: RequestHeaders = {};
  for (const name in metadata) {
    const value = headerFromText(metadata[name] ?? '');
    if (value === undefined || !HEADER_NAME.test(name) || isReserved(name) || NOT_FROM_METADATA.has(name.toLowerCase())) continue;
    headers[name] = value;
  }
  return headers;
}

function eventHeaders(event: EventDelivery): RequestHeaders {
  const headers = metadataHeaders(event.metadata);
  headers['content-type'] = 'application/cloudevents+json';
  const pubsubName = headerFromText(event.pubsubName);
  if (pubsubName !== undefined) headers['pubsubName'] = pubsubName;
  return headers;
}

/** Event bytes are spliced in as they are: no second serialisation changes a number or a key. */
function bulkBody(events: BulkEventDelivery): Buffer {
  const parts: Uint8Array[] = [];
  const head = { id: events.id, type: 'com.dapr.event.sent.bulk', topic: events.topic, pubsubname: events.pubsubName, metadata: events.metadata };
  parts.push(Buffer.from(`${JSON.stringify(head).slice(0, -1)},"entries":[`));
  for (const [index, entry] of events.entries.entries()) {
    parts.push(Buffer.from(`${index === 0 ? '' : ','}{"entryId":${JSON.stringify(entry.entryId)},"event":`));
    parts.push(entry.event ? entry.body : Buffer.from(JSON.stringify(Buffer.from(entry.body).toString('base64'))));
    parts.push(Buffer.from(`,"metadata":${JSON.stringify(entry.metadata)},"contentType":${JSON.stringify(entry.contentType)}}`));
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

/** What an app's status and body say about one event (http-api.md 21.4). */
function answerOf(status: number, body: Buffer | undefined): EventAnswer {
  if (status >= 200 && status < 300) return body === undefined || body.length === 0 ? SUCCESS : answerOfWord(statusWord(body));
  if (status === 404) return { outcome: 'drop', reason: 'the app answered 404' };
  return { outcome: 'retry', reason: `the app answered with status ${status}`, statusCode: status };
}

const SUCCESS: EventAnswer = { outcome: 'success' };

/** Undefined: the app said nothing, which counts as success. */
function answerOfWord(word: string | undefined): EventAnswer {
  switch (word) {
    case undefined:
    case 'SUCCESS':
      return SUCCESS;
    case 'RETRY':
      return { outcome: 'retry', reason: 'the app answered RETRY' };
    case 'DROP':
      return { outcome: 'drop', reason: 'the app answered DROP' };
    default:
      return { outcome: 'retry', reason: `the app answered with an unknown status ${JSON.stringify(word.slice(0, 40))}` };
  }
}

/** The `status` of an answer, when it is a JSON object that has one. */
function statusWord(body: Buffer): string | undefined {
  try {
    const status = member(asObject(parseJson(body), 'the answer'), 'status');
    return typeof status === 'string' && status !== '' ? status : undefined;
  } catch {
    // Whatever else an app writes in a 2xx answer means success.
    return undefined;
  }
}

function bindingAnswerOf(status: number, body: Buffer | undefined): BindingAnswer {
  if (status < 200 || status > 299) return { outcome: 'retry', reason: `the app answered with status ${status}`, statusCode: status };
  if (body === undefined) return { outcome: 'retry', reason: `the app's answer is longer than ${BINDING_ANSWER_BYTES_MAX} bytes` };
  return { outcome: 'success', body, ...replyOfJson(body) };
}

function bulkAnswerOf(status: number, body: Buffer | undefined): ReadonlyMap<string, EventAnswer> | EventAnswer {
  if (status === 404) return { outcome: 'drop', reason: 'the app answered 404', deadLetter: false };
  if (status < 200 || status > 299) return { outcome: 'retry', reason: `the app answered with status ${status}`, statusCode: status };
  const answers = new Map<string, EventAnswer>();
  try {
    if (body === undefined) return { outcome: 'retry', reason: `the app's bulk answer is longer than ${BULK_ANSWER_BYTES_MAX} bytes` };
    for (const entry of asArray(member(asObject(parseJson(body), 'the answer'), 'statuses') ?? [], '"statuses"')) {
      const fields = asObject(entry, 'a status');
      const entryId = member(fields, 'entryId');
      const word = member(fields, 'status');
      if (typeof entryId === 'string') answers.set(entryId, answerOfWord(typeof word === 'string' ? word : ''));
    }
  } catch (error) {
    return { outcome: 'retry', reason: `the app's bulk answer is not usable: ${messageOf(error)}` };
  }
  return answers;
}

/** No answer at all. A call that the sidecar itself took back is no attempt; one that ran out of time is. */
function answerOfFailure(error: unknown, signal: AbortSignal): Exclude<EventAnswer, { outcome: 'success' | 'drop' }> {
  if (error instanceof AppAway) return { outcome: 'away', reason: error.message };
  if (error instanceof TooManyWaiting) return { outcome: 'away', reason: error.message };
  if (signal.aborted && !isTimeout(signal.reason)) return { outcome: 'away', reason: 'the delivery was cancelled' };
  return { outcome: 'retry', reason: `the call to the app failed: ${messageOf(error)}` };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}
