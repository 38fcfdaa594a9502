/**
 * HTTP out, for the components whose backend is an HTTP service: requests that stay where the guard lets them, with TLS as the
 * options say, redirects followed by hand or not at all. The library that speaks HTTP (undici) is the backend's to import.
 *
 * Invariants
 *  1. Every target, redirects included, passes the guard before anything is sent, and the connection goes to the address that
 *     the guard saw (`egress.ts`).
 *  2. What belongs to the first origin (`Authorization`, cookies, the headers named `own`, the client certificate) is not sent to
 *     another one.
 *  3. At most `redirectsMax` redirects; a method that may not be repeated becomes GET where HTTP says so, and then carries no body.
 *  4. At most `WAITING_MAX` requests wait for the beginning of their answers.
 */
import type { LookupFunction } from 'node:net';
import { Transform, type Readable } from 'node:stream';
import { BindingError, type BindingResponse } from './bindings.ts';
import { createEgress, EgressRefused, type Egress } from './egress.ts';
import { checkAuthority, checkKeyPair, readPem } from './pem.ts';
import { retryAfterMs } from './retry-after.ts';

export interface TlsOptions {
  /** PEM text, or the path of a file that holds it; '' or absent = none. */
  readonly rootCA?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** Take any certificate. Default: false. */
  readonly skipVerify?: boolean;
}

/** Of undici, what is used here. */
export interface HttpLibrary {
  readonly Agent: new (options: {
    readonly connections: number;
    readonly allowH2: boolean;
    readonly connect: { readonly timeout: number; readonly lookup: LookupFunction; readonly minVersion: 'TLSv1.2'; readonly rejectUnauthorized: boolean; readonly ca?: string; readonly cert?: string; readonly key?: string };
  }) => HttpAgent;
}
interface HttpAgent {
  request(options: {
    readonly origin: string;
    readonly path: string;
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body: Uint8Array | null;
    readonly signal: AbortSignal;
    readonly headersTimeout: number;
    readonly bodyTimeout: number;
  }): Promise<{ readonly statusCode: number; readonly statusText: string; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Readable }>;
  destroy(): Promise<void>;
}

export interface HttpClientOptions {
  /** `() => import('undici')`. */
  readonly library: () => Promise<HttpLibrary>;
  /** Targets that the YAML names. */
  readonly named: readonly URL[];
  /** Origins that requests may lead to besides. */
  readonly allow?: readonly URL[];
  readonly tls?: TlsOptions;
  /** Names (lower case) of headers that are for the first origin alone. */
  readonly own?: readonly string[];
  /** Redirects that are followed; what is one more is an error. 0: a redirect is an answer like any other. */
  readonly redirectsMax: number;
}

export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface ClientAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** To be read to its end or destroyed. */
  readonly body: Readable;
}

export interface HttpClient {
  readonly egress: Egress;
  /** Reads the TLS files; rejects with words when they are no good. */
  open(): Promise<void>;
  /** Rejects with `BindingError`, or with the signal's reason. */
  request(request: ClientRequest, signal: AbortSignal): Promise<ClientAnswer>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_ORIGIN_MAX = 256;
const WAITING_MAX = 10_000;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'www-authenticate'];

/** Throws, in words for the reader of the YAML, when the options contradict one another. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { redirectsMax } = options;
  const { rootCA = '', clientCert = '', clientKey = '', skipVerify = false } = options.tls ?? {};
  if ((clientCert === '') !== (clientKey === '')) throw new Error('the client certificate and its key are given both, or neither');
  const egress = createEgress(options);
  const ofFirstOrigin = new Set([...CREDENTIAL_HEADERS, ...(options.own ?? [])]);
  /** With the client certificate, and without. */
  let agents: { readonly own: HttpAgent; readonly others: HttpAgent } | undefined;
  let waiting = 0;

  async function send(request: ClientRequest, own: boolean, signal: AbortSignal): Promise<ClientAnswer> {
    if (!agents) throw new BindingError('unavailable', 'the binding is not open');
    const { method, url, headers, body } = request;
    const { statusCode: status, statusText, headers: answered, body: stream } = await (own ? agents.own : agents.others).request({
      origin: url.origin, path: `${url.pathname}${url.search}`, method, headers: { ...headers }, body: body ?? null, signal, headersTimeout: 0, bodyTimeout: 0,
    });
    return { status, statusText, headers: answered, body: stream };
  }

  return {
    egress,

    async open() {
      const { Agent } = await options.library();
      const [ca, cert, key] = await Promise.all([readPem(rootCA, 'root CA'), readPem(clientCert, 'client certificate'), readPem(clientKey, 'client key')]);
      const common = { timeout: CONNECT_TIMEOUT_MS, lookup: egress.lookup, minVersion: 'TLSv1.2' as const, rejectUnauthorized: !skipVerify, ...(ca === undefined ? {} : { ca }) };
      const shared = { connections: CONNECTIONS_PER_ORIGIN_MAX, allowH2: false };
      if (ca !== undefined) checkAuthority(ca);
      if (cert !== undefined) checkKeyPair(cert, key ?? '');
      await this.close();
      agents = {
        own: new Agent({ ...shared, connect: { ...common, ...(cert === undefined ? {} : { cert, key: key ?? '' }) } }),
        others: new Agent({ ...shared, connect: common }),
      };
    },

    async request(request, signal) {
      if (waiting >= WAITING_MAX) throw new BindingError('unavailable', `${WAITING_MAX} calls wait for their answers already`);
      waiting++;
      try {
        let current = request;
        let own = true;
        for (let redirects = 0; ; redirects++) {
          egress.check(current.url);
          const answer = await send(current, own, signal);
          const location = redirectsMax > 0 && REDIRECT_STATUSES.has(answer.status) ? first(answer.headers['location']) : undefined;
          if (location === undefined) return answer;
          answer.body.destroy();
          answer.body.on('error', () => undefined);
          if (redirects >= redirectsMax) throw new BindingError('failed', `the target redirects more than ${redirectsMax} times`);
          const { url, sameOrigin } = egress.follow(current.url, location);
          // Once away from the first origin, its credentials stay behind for good.
          own &&= sameOrigin;
          current = redirected(current, answer.status, url, own ? undefined : ofFirstOrigin);
        }
      } catch (error) {
        signal.throwIfAborted();
        throw asBindingError(error);
      } finally {
        waiting--;
      }
    },

    async close() {
      const closing = agents;
      agents = undefined;
      await Promise.all([closing?.own.destroy(), closing?.others.destroy()]);
    },
  };
}

function redirected(request: ClientRequest, status: number, url: URL, dropped: ReadonlySet<string> | undefined): ClientRequest {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !dropped?.has(name)));
  const becomesGet = (status === 303 && request.method !== 'HEAD') || ((status === 301 || status === 302) && request.method === 'POST');
  if (!becomesGet) return { ...request, url, headers };
  const { 'content-type': _type, ...rest } = headers;
  return { method: 'GET', url, headers: rest };
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * `BindingError` of an answer whose status is none of success. Which statuses are worth a further attempt is `matching`'s to say, so
 * no status is permanent by itself: the same for every binding that speaks HTTP, and for apps.
 */
export function failureOfStatus(message: string, { status, headers, response, now }: Pick<ClientAnswer, 'status' | 'headers'> & { readonly response: BindingResponse; readonly now: number }): BindingError {
  return new BindingError('failed', message, { httpStatus: status, response, retryAfterMs: retryAfterMs(headers['retry-after'], now) });
}

/** `BindingError` of what went wrong. What a caller may be told: no headers, no credentials, only where it failed and how. */
export function asBindingError(error: unknown): BindingError {
  if (error instanceof BindingError) return error;
  if (error instanceof EgressRefused) return new BindingError('denied', `the target may not be reached: ${error.message}`, { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'UND_ERR_INVALID_ARG') return new BindingError('invalid-metadata', `the request cannot be sent: ${messageOf(error)}`, { cause: error });
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new BindingError('timeout', `no connection within ${CONNECT_TIMEOUT_MS} ms`, { cause: error });
  return new BindingError('unavailable', `the target cannot be reached: ${messageOf(error)}`, { cause: error });
}

function messageOf(error: unknown): string {
  // Several addresses were tried: each has its own reason.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** The body, cut off with an error past `bytesMax`; `onEnd` is called once it is over, either way. */
export function bounded(body: Readable, bytesMax: number): Readable {
  let bytes = 0;
  const bound = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new BindingError('too-large', `the answer is longer than ${bytesMax} bytes`));
      else done(null, chunk);
    },
  });
  body.on('error', (error) => bound.destroy(error));
  bound.on('close', () => body.destroy());
  return body.pipe(bound);
}

/** The bytes of a body, no more than `bytesMax`. */
export async function wholeBody(body: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new BindingError('too-large', `the answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
