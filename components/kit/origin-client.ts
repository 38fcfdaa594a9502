/**
 * HTTP calls to one origin, for backends whose requests name operations and values but never an address.
 *
 * Owns: the bound on time and size, and where a call may go. Does not own: what is said, and how it is sent (`http-client.ts`).
 *
 * Rules
 * - Every call passes the guard (`egress.ts`) and stays on the origin, and below the path, of the URL that the YAML names.
 * - A redirect is an answer like any other; nothing follows it, so no credential does.
 */
import { BindingError } from './bindings.ts';
import { EgressRefused } from './egress.ts';
import { headerFromText, textFromHeader } from './header-text.ts';
import { asBindingError, createHttpClient, wholeBody, type HttpClient, type HttpLibrary, type TlsOptions } from './http-client.ts';

export type { TlsOptions } from './http-client.ts';

export interface OriginClientOptions {
  /** `() => import('undici')`. */
  readonly library: () => Promise<HttpLibrary>;
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  readonly tls?: TlsOptions;
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

export class OriginClient {
  readonly #base: URL;
  readonly #options: OriginClientOptions;
  readonly #client: HttpClient;

  /** Throws, in words for the reader of the YAML, when the base cannot be called. */
  constructor(base: string, options: OriginClientOptions) {
    this.#base = parseBase(base);
    this.#options = options;
    this.#client = createHttpClient({ library: options.library, named: [this.#base], tls: options.tls ?? {}, redirectsMax: 0 });
    this.#client.egress.check(this.#base);
  }

  /** Reads the TLS files; rejects with words when they are no good. */
  open(): Promise<void> {
    return this.#client.open();
  }

  /** Resolves with an answer of any status, read to its end. Rejects with `BindingError`. */
  async call(request: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
    const { timeoutMs, responseBytesMax } = this.#options;
    const { origin } = this.#base;
    const timeout = AbortSignal.timeout(timeoutMs);
    const { method, headers, body } = request;
    try {
      const answer = await this.#client.request({ method, url: this.#target(request), headers: written(headers), ...(body ? { body } : {}) }, AbortSignal.any([signal, timeout]));
      const named = Object.entries(answer.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, textFromHeader(typeof value === 'string' ? value : value.join(', '))] as const]));
      return { status: answer.status, reason: answer.statusText, headers: Object.fromEntries(named), body: await wholeBody(answer.body, responseBytesMax) };
    } catch (error) {
      if (error instanceof BindingError) throw error;
      if (timeout.aborted) throw new BindingError('timeout', `${origin} did not answer within ${timeoutMs} ms`, { cause: error });
      if (signal.aborted) throw new BindingError('timeout', `${origin} did not answer in the time allowed`, { cause: signal.reason });
      throw asBindingError(error);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #target({ path, query }: OriginRequest): URL {
    try {
      return this.#client.egress.join(this.#base, query ? `${path}?${query}` : path);
    } catch (error) {
      throw error instanceof EgressRefused ? new BindingError('denied', `the values lead to where the component may not go: ${error.message}`, { cause: error }) : error;
    }
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
