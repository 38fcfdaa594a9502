/**
 * HTTP calls to one origin, for backends whose requests name operations and values but never an address.
 *
 * Owns: connections, the bound on time and size, TLS settings, and where a call may go. Does not own: what is said.
 *
 * Rules
 * - Every call passes the guard (`egress.ts`) and stays on the origin, and below the path, of the URL that the YAML names.
 * - A redirect is an answer like any other; nothing follows it, so no credential does.
 */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BindingError, type BindingFault } from './bindings.ts';
import { createEgress, EgressRefused, type Egress } from './egress.ts';
import { headerFromText, textFromHeader } from './header-text.ts';

export interface OriginTls {
  readonly caCert?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly skipVerify?: boolean;
}
export interface OriginClientOptions {
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  readonly tls?: OriginTls;
}
export interface OriginRequest {
  readonly method: string;
  /** Below the path of the base, percent-encoded; begins with `/`, or is empty. */
  readonly path: string;
  /** Without `?`. */
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}
export interface OriginAnswer {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; several of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const CONNECTIONS_MAX = 64;
const WAITING_MAX = 10_000;

export class OriginClient {
  readonly #base: URL;
  readonly #egress: Egress;
  readonly #options: OriginClientOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #closing = new AbortController();
  #underWay = 0;

  /** Throws, in words for the reader of the YAML, when the base cannot be called. */
  constructor(base: string, options: OriginClientOptions) {
    this.#base = parseBase(base);
    this.#egress = createEgress({ named: [this.#base] });
    this.#egress.check(this.#base);
    this.#options = options;
    const { caCert, clientCert, clientKey, skipVerify } = options.tls ?? {};
    if ((clientCert === undefined) !== (clientKey === undefined)) throw new Error('a client certificate and its key are given both, or neither');
    const shared = { keepAlive: true, maxSockets: CONNECTIONS_MAX, lookup: this.#egress.lookup } as const;
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({
            ...shared,
            minVersion: 'TLSv1.2',
            rejectUnauthorized: !skipVerify,
            ...(caCert ? { ca: caCert } : {}),
            ...(clientCert ? { cert: clientCert, key: clientKey } : {}),
          })
        : new HttpAgent(shared);
  }

  /** Without user, password and query. */
  get origin(): string {
    return this.#base.origin;
  }

  /** Resolves with an answer of any status. Rejects with `BindingError`. */
  async call(request: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
    if (this.#closing.signal.aborted) throw new BindingError('unavailable', 'the component was closed');
    if (this.#underWay >= WAITING_MAX) throw new BindingError('unavailable', `${WAITING_MAX} calls to ${this.origin} are under way already`);
    const target = this.#target(request);
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    const either = AbortSignal.any([signal, timeout, this.#closing.signal]);
    this.#underWay++;
    try {
      return await this.#exchange(target, request, either);
    } catch (error) {
      if (error instanceof BindingError) throw error;
      if (timeout.aborted) throw new BindingError('timeout', `${this.origin} did not answer within ${this.#options.timeoutMs} ms`, { cause: error });
      if (signal.aborted) throw new BindingError('timeout', `${this.origin} did not answer in the time allowed`, { cause: signal.reason });
      throw faultOf(error, this.origin);
    } finally {
      this.#underWay--;
    }
  }

  close(): void {
    this.#closing.abort(new Error('the component was closed'));
    this.#agent.destroy();
  }

  #target({ path, query }: OriginRequest): URL {
    try {
      return this.#egress.join(this.#base, query ? `${path}?${query}` : path);
    } catch (error) {
      throw error instanceof EgressRefused ? new BindingError('denied', `the values lead to where the component may not go: ${error.message}`, { cause: error }) : error;
    }
  }

  #exchange(target: URL, { method, headers, body }: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<OriginAnswer>();
    const options: RequestOptions = { method, agent: this.#agent, signal, headers: { ...written(headers), ...(body ? { 'content-length': String(body.byteLength) } : {}) } };
    let request: ClientRequest;
    try {
      request = target.protocol === 'https:' ? httpsRequest(target, options) : httpRequest(target, options);
    } catch (error) {
      // Names and values of headers that cannot be sent.
      throw new BindingError('invalid-metadata', `the request cannot be sent: ${(error as Error).message}`, { cause: error });
    }
    request.once('error', reject);
    request.once('response', (response) => void this.#read(response).then(resolve, reject));
    request.end(body);
    return promise;
  }

  async #read(response: IncomingMessage): Promise<OriginAnswer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).byteLength;
      if (bytes > this.#options.responseBytesMax) {
        response.destroy();
        throw new BindingError('failed', `the answer of ${this.origin} is longer than ${this.#options.responseBytesMax} bytes`);
      }
      chunks.push(chunk as Buffer);
    }
    const headers = Object.fromEntries(Object.entries(response.headersDistinct).map(([name, values]) => [name, textFromHeader((values ?? []).join(', '))]));
    return { status: response.statusCode ?? 0, reason: response.statusMessage ?? '', headers, body: Buffer.concat(chunks) };
  }
}

function written(headers: OriginRequest['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]) => {
      const header = headerFromText(text);
      if (header === undefined) throw new BindingError('invalid-metadata', `the header ${name} holds a line break or another control character, which no header can`);
      return [name, header];
    }),
  );
}

function parseBase(text: string): URL {
  const base = URL.parse(text);
  if (!base || (base.protocol !== 'http:' && base.protocol !== 'https:')) throw new Error('the URL of the server must begin with http:// or https://');
  if (base.username !== '' || base.password !== '') throw new Error('the URL of the server must hold neither user nor password');
  if (base.hash !== '' || base.search !== '') throw new Error('the URL of the server must have neither query nor fragment');
  return base;
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

function faultOf(error: unknown, origin: string): BindingError {
  if (error instanceof EgressRefused) return new BindingError('denied', error.message, { cause: error });
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] };
  const fault: BindingFault = code !== undefined && UNREACHABLE.has(code) ? 'unavailable' : 'failed';
  return new BindingError(fault, `${origin} cannot be called: ${message || errors?.[0]?.message || code || String(error)}`, { cause: error });
}

/** What a status that is none of success says about the request. */
export function faultOfStatus(status: number): BindingFault {
  if (status === 404 || status === 410) return 'not-found';
  if (status === 401 || status === 403) return 'denied';
  if (status === 413) return 'too-large';
  if (status === 502 || status === 503) return 'unavailable';
  if (status === 408 || status === 504) return 'timeout';
  // 425 and 429 ask to be tried later.
  return status >= 400 && status < 500 && status !== 425 && status !== 429 ? 'invalid-data' : 'failed';
}
