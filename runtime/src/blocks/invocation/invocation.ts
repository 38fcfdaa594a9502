/**
 * The invocation block: one app calls a method of another by app id, wherever its sidecar lives, or of an endpoint outside.
 *
 * Owns: finding out what a target text means, what may be retried, who the caller is said to be. Does not own: sockets,
 * registry and streams (the link between sidecars, the channel into the app).
 *
 * Rules
 *  1. The app of this sidecar is called directly, like any other app from the caller's side of it: `receive` is the one
 *     door into the app, for its own calls and for those of other sidecars.
 *  2. The path that is checked is the path that is forwarded: canonical, percent-encoded, without leading slash.
 *  3. Identity headers are set in `receive` from what the caller's sidecar says; tokens of callers go nowhere.
 *  4. Built-in retries are for lost connections between sidecars only: nothing that was seen by an app is done twice,
 *     unless its method is idempotent, and a streamed body is never sent twice. A retry policy for the app replaces them.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { hostname } from 'node:os';
import type { Readable } from 'node:stream';
import type { Clock } from '@mecha/components/kit';
import { AppAway, AppGrpcError, type AppChannel, type AppMonitor, type AppRequest, type AppResponse } from '../../channel/channel.ts';
import { EgressRefused } from '@mecha/components/kit/egress.ts';
import { retryAfterMs } from '@mecha/components/kit/retry-after.ts';
import type { ExternalHttp, HttpEndpoint } from '../../channel/external-http.ts';
import { requestHeaders } from '../../channel/forwarded-headers.ts';
import { discard } from '../../channel/http-exchange.ts';
import { MechaError, errorTable, messageOf } from '../../errors.ts';
import { PeerNotFound, PeerUnreachable } from '../../peers/peer-errors.ts';
import type { PeerCaller, PeerTarget } from '../../peers/peer-link.ts';
import type { Call } from '../../pipeline.ts';
import type { PolicyRunner, Resilience } from '../../resilience/resilience.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { waitFor } from '../../wait.ts';

export const errors = errorTable('invocation', {
  noAppId: {
    code: 'ERR_DIRECT_INVOKE',
    kind: 'not-found',
    make: () => ({ message: 'failed getting app id either from the URL path or the header dapr-app-id' }),
  },
  failed: {
    code: 'ERR_DIRECT_INVOKE',
    kind: 'internal',
    make: (id: string, text: string) => ({ message: `failed to invoke, id: ${id}, err: ${text}` }),
  },
  denied: {
    code: 'ERR_DIRECT_INVOKE',
    kind: 'denied',
    make: (id: string, text: string) => ({ message: `failed to invoke, id: ${id}, err: ${text}` }),
  },
});

export interface InvocationRequest {
  /** App id, `app.namespace`, the name of an HTTPEndpoint, or `http(s)://host[:port][/base]`, as the caller wrote it. */
  readonly target: string;
  /** HTTP method, upper case. */
  readonly method: string;
  /** Canonical percent-encoded path without leading slash (`canonicalPath`, `canonicalMethod`). */
  readonly path: string;
  readonly queryText: string;
  /** As received, with lower-case names; filtered here. */
  readonly headers: IncomingHttpHeaders;
  /** Bytes can be sent again when a connection is lost, a stream cannot. */
  readonly body: Readable | Uint8Array | undefined;
}

/** An app's answer with a failing status, as policies see it: `httpStatus` is what their `matching` compares. */
export class AnsweredWithFailure extends Error {
  readonly httpStatus: number;
  /** How long the app asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  readonly response: AppResponse;
  constructor(response: AppResponse, now: number) {
    super(`the app answered with status ${response.status}`);
    this.name = 'AnsweredWithFailure';
    this.httpStatus = response.status;
    this.retryAfterMs = retryAfterMs(response.headers['retry-after'], now);
    this.response = response;
  }
}

export interface InvocationBlock {
  /** Rejects with `MechaError`, or `AppGrpcError` when a gRPC app answered with one. The caller reads or destroys the body. */
  invoke(call: Call, request: InvocationRequest): Promise<AppResponse>;
  /** A call for this sidecar's own app, from whichever sidecar. Rejects with `AppAway`, `AppGrpcError` or what the app's channel rejects with. */
  receive(request: AppRequest, caller: PeerCaller, signal: AbortSignal): Promise<AppResponse>;
}

export interface InvocationBlockParts {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined: the sidecar has no app. */
  readonly channel: AppChannel | undefined;
  readonly monitor: Pick<AppMonitor, 'presence' | 'suspect'>;
  readonly peers: { call(caller: PeerCaller, target: PeerTarget, request: AppRequest, signal: AbortSignal): Promise<AppResponse> };
  readonly external: ExternalHttp;
  readonly endpoints: readonly HttpEndpoint[];
  readonly resilience: Pick<Resilience, 'forApp' | 'serviceRetryDelayMs'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);
/** Escaped or not, these have no place in a method name (http-api.md 8.1). */
const FORBIDDEN_IN_METHOD = /[#?]|%23|%3F/;
const UNHEALTHY = 'app is not in a healthy state';
const NO_CHANNEL = 'cannot invoke local endpoint: app channel not initialized';
const ADDRESS = '127.0.0.1';
const HOST_NAME = hostname();

type Target =
  | { readonly type: 'app'; readonly appId: string; readonly namespace: string }
  | { readonly type: 'external'; readonly named: HttpEndpoint | undefined; readonly base: URL };

export function createInvocationBlock(parts: InvocationBlockParts): InvocationBlock {
  const self: PeerCaller = { appId: parts.appId, namespace: parts.namespace };

  async function receive(request: AppRequest, caller: PeerCaller, signal: AbortSignal): Promise<AppResponse> {
    const labels = { src_app_id: caller.appId };
    parts.metrics.count('runtime_service_invocation_req_recv_total', labels);
    if (!parts.channel) throw new AppAway(NO_CHANNEL);
    if (parts.monitor.presence === 'unhealthy') throw new AppAway(UNHEALTHY);
    const headers = { ...request.headers, ...identityHeaders(caller, parts.appId) };
    try {
      const response = await parts.channel.invoke({ ...request, headers }, signal);
      parts.metrics.count('runtime_service_invocation_res_sent_total', { dst_app_id: caller.appId, status: String(response.status) });
      return response;
    } catch (error) {
      if (error instanceof AppAway) parts.monitor.suspect();
      throw error;
    }
  }

  async function callApp(target: PeerTarget, request: AppRequest, signal: AbortSignal, retries: boolean): Promise<AppResponse> {
    if (target.appId === parts.appId && target.namespace === parts.namespace) return receive(request, self, signal);
    const forwarded = { ...request, headers: { ...request.headers, ...forwardedHeaders(request.headers) } };
    const streamed = isStream(request.body);
    parts.metrics.count('runtime_service_invocation_req_sent_total', { dst_app_id: target.appId, type: streamed ? 'streaming' : 'unary' });
    const began = parts.clock.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await parts.peers.call(self, target, forwarded, signal);
      } catch (error) {
        const again = !streamed && retries && isLostConnection(error, request.method, attempt);
        const delayMs = again ? parts.resilience.serviceRetryDelayMs(attempt + 1, parts.clock.now() - began) : undefined;
        if (delayMs === undefined) throw error;
        await waitFor(parts.clock, delayMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  function callExternal(target: Extract<Target, { type: 'external' }>, request: AppRequest, signal: AbortSignal): Promise<AppResponse> {
    const { base, named } = target;
    const url = new URL(base);
    url.pathname = `${base.pathname.replace(/\/$/, '')}/${request.path}`;
    url.search = request.queryText;
    const headers = { ...request.headers, ...named?.headers } as Record<string, string | string[]>;
    // A user name that only addressed this sidecar is nobody else's credential.
    if (basicAppId(request.headers.authorization) !== undefined && named?.headers['authorization'] === undefined) delete headers['authorization'];
    return parts.external.call(url, { method: request.method, headers, body: request.body }, signal, named);
  }

  function targetOf(text: string): Target {
    // They are resolved at the start, after this block was made.
    const endpoint = parts.endpoints.find(({ name }) => name === text);
    if (endpoint) return { type: 'external', named: endpoint, base: new URL(endpoint.baseUrl) };
    const url = externalUrl(text);
    if (url) return { type: 'external', named: undefined, base: url };
    const [appId = '', namespace = parts.namespace, ...more] = text.split('.');
    if (appId === '' || namespace === '' || more.length > 0) throw errors.failed(text, `invalid app id ${text}`);
    return { type: 'app', appId, namespace };
  }

  async function attempt(target: Target, request: AppRequest, signal: AbortSignal, retries: boolean): Promise<AppResponse> {
    return target.type === 'app' ? callApp(target, request, signal, retries) : callExternal(target, request, signal);
  }

  return {
    receive,

    async invoke(call, request) {
      if (request.target === '') throw errors.noAppId();
      const target = targetOf(request.target);
      if (FORBIDDEN_IN_METHOD.test(request.path)) throw errors.failed(request.target, `invalid method: method contains forbidden character: ${JSON.stringify(request.path)}`);
      const { method, path, queryText, body } = request;
      const onward: AppRequest = { method, path, queryText, headers: requestHeaders(request.headers), body, trace: call.trace };
      const began = performance.now();
      // An endpoint outside has one breaker, an app one per method, a URL one per path.
      const policy = parts.resilience.forApp(request.target, target.type === 'external' && target.named ? '' : path);
      try {
        const once = (signal: AbortSignal) => attempt(target, onward, signal, !policy.retries);
        const response = policy.active ? await underPolicy(policy, call.signal, body, once, parts.clock) : await once(call.signal);
        if (target.type === 'app') measureAnswer(parts.metrics, target.appId, String(response.status), performance.now() - began);
        return response;
      } catch (error) {
        throw refusalOf(request.target, error);
      }
    },
  };
}

/**
 * A policy sees failing statuses as errors, so that it may try again and its breaker may count; what the last try
 * answered reaches the caller as it is. A streamed body makes the first try the only one. Timeouts end with the headers
 * of the answer: its body may take as long as it likes.
 */
async function underPolicy(policy: PolicyRunner, signal: AbortSignal, body: InvocationRequest['body'], once: (signal: AbortSignal) => Promise<AppResponse>, clock: Clock): Promise<AppResponse> {
  const options = isStream(body) ? { stopRetrying: AbortSignal.abort() } : {};
  let last: AppResponse | undefined;
  try {
    return await policy.run(signal, async (attemptSignal) => {
      // The answer of the try before this one: nobody will read it.
      if (last) discard(last.body);
      last = undefined;
      const response = await once(attemptSignal);
      if (attemptSignal.aborted) {
        // It came too late: the policy has given this attempt up.
        discard(response.body);
        attemptSignal.throwIfAborted();
      }
      if (response.status >= 200 && response.status < 400) return response;
      last = response;
      throw new AnsweredWithFailure(response, clock.now());
    }, options);
  } catch (error) {
    if (error instanceof AnsweredWithFailure) return error.response;
    if (last) discard(last.body);
    throw error;
  }
}

function isStream(body: InvocationRequest['body']): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** Absolute `http(s)` targets; the router's cleaning may have taken one of the two slashes. Credentials in it are refused. */
function externalUrl(text: string): URL | undefined {
  const match = /^(https?):\/{1,2}([^/].*)$/i.exec(text);
  if (!match) return undefined;
  const address = `${match[1]}://${match[2]}`;
  if (!URL.canParse(address)) throw errors.failed(text, 'the target is not a valid URL');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') throw errors.failed(text.replace(/\/\/?[^/]*@/, '//'), 'a target must not carry credentials');
  return url;
}

/** The app id that `Authorization: Basic` names for a sidecar: user `dapr-app-id`, password the id (http-api.md 8.1). */
export function basicAppId(authorization: string | undefined): string | undefined {
  const match = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(authorization ?? '');
  if (!match?.[1]) return undefined;
  const [user = '', appId = '', ...more] = Buffer.from(match[1], 'base64').toString('utf8').split(':');
  return user.toLowerCase() === 'dapr-app-id' && appId !== '' && more.length === 0 ? appId : undefined;
}

/** Set for the app, whatever the request says. */
function identityHeaders(caller: PeerCaller, callee: string): Record<string, string> {
  return {
    'dapr-caller-app-id': headerText(caller.appId),
    'dapr-caller-namespace': headerText(caller.namespace),
    'dapr-callee-app-id': headerText(callee),
  };
}

/** Ids may hold any letters, header values may not. */
function headerText(text: string): string {
  return /^[\u0021-\u007e]*$/.test(text) ? text : encodeURIComponent(text);
}

function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const before = headers['x-forwarded-for'];
  return {
    'x-forwarded-for': before === undefined ? ADDRESS : `${String(before)}, ${ADDRESS}`,
    'x-forwarded-host': HOST_NAME,
    forwarded: `for=${ADDRESS};by=${ADDRESS};host=${HOST_NAME}`,
  };
}

/** Worth another try: the request was seen by nobody, or doing it twice is what its method allows. */
function isLostConnection(error: unknown, method: string, attempt: number): boolean {
  if (error instanceof PeerUnreachable) return !error.sent || IDEMPOTENT.has(method);
  // The entry of a sidecar that went away was removed by the attempt before; its next start is what is waited for.
  return error instanceof PeerNotFound && attempt > 0;
}

function refusalOf(target: string, error: unknown): MechaError | AppGrpcError {
  if (error instanceof AppGrpcError) return error;
  if (error instanceof EgressRefused) return errors.denied(target, `the target may not be reached: ${error.message}`);
  if (error instanceof MechaError) return error.kind === 'denied' ? errors.denied(target, error.message) : error;
  return errors.failed(target, messageOf(error));
}

function measureAnswer(metrics: Metrics, appId: string, status: string, ms: number): void {
  metrics.count('runtime_service_invocation_res_recv_total', { src_app_id: appId, status, type: 'unary' });
  metrics.observe('runtime_service_invocation_res_recv_latency_ms', { src_app_id: appId, status }, ms);
}
