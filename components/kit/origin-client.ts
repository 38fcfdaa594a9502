/**
 * HTTP calls to one origin, for backends whose requests name operations and values but never an address.
 *
 * Owns: connections, the bound on time and size, TLS settings, and where a call may go. Does not own: what is said.
 *
 * Rules
 * - Every call stays on the origin, and below the path, of the URL that the component's YAML names: a path that leads
 *   elsewhere after it was brought into its one canonical form is refused before anything is sent.
 * - A redirect is an answer like any other; nothing follows it, so no credential does.
 * - The address that was checked is the address that is connected to: the check is part of the lookup. Link-local
 *   addresses, where clouds keep the credentials of machines, are never connected to.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { BindingError, type BindingFault } from './bindings.ts';

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

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16);
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
/** The same service of a large cloud by IPv6. */
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

/** Mapped IPv4 addresses count as what they map to. */
const isLinkLocal = (address: string): boolean => LINK_LOCAL.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Looks up, and refuses a name one of whose addresses is link-local: the socket connects to what was looked at here. */
const checkedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = found ?? [];
    if (error || !first) return callback(error ?? new Error(`${hostname} has no address`), '');
    if (found.some(({ address }) => isLinkLocal(address))) return callback(linkLocalError(hostname), '');
    if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  });
};
const linkLocalError = (host: string): BindingError => new BindingError('denied', `${host} is a link-local address, which nothing outside of this host's network may be asked by`);

export class OriginClient {
  readonly #base: URL;
  readonly #basePath: string;
  readonly #options: OriginClientOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #closing = new AbortController();
  #underWay = 0;

  /** Throws, in words for the reader of the YAML, when the base cannot be called. */
  constructor(base: string, options: OriginClientOptions) {
    this.#base = parseBase(base);
    this.#basePath = this.#base.pathname.replace(/\/+$/, '');
    this.#options = options;
    const { caCert, clientCert, clientKey, skipVerify } = options.tls ?? {};
    if ((clientCert === undefined) !== (clientKey === undefined)) throw new Error('a client certificate and its key are given both, or neither');
    const shared = { keepAlive: true, maxSockets: CONNECTIONS_MAX, lookup: checkedLookup } as const;
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
    // Looked at as it was given: a URL would swallow `..` before anybody could see it.
    const segments = decodedSegments(path);
    const strays = segments === undefined || segments.some((segment) => segment === '..' || segment === '.');
    const target = new URL(this.#base.origin);
    // Assigned, not resolved: a path that begins with // stays a path.
    target.pathname = path === '' ? this.#base.pathname : `${this.#basePath}${path}`;
    if (query) target.search = query;
    if (strays || target.origin !== this.#base.origin || !`${target.pathname}/`.startsWith(`${this.#basePath}/`)) {
      throw new BindingError('invalid-metadata', 'the values lead to a path outside of the one that the component names');
    }
    return target;
  }

  #exchange(target: URL, { method, headers, body }: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<OriginAnswer>();
    const options: RequestOptions = { method, agent: this.#agent, signal, headers: { ...headers, ...(body ? { 'content-length': String(body.byteLength) } : {}) } };
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
    const headers = Object.fromEntries(Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]));
    return { status: response.statusCode ?? 0, reason: response.statusMessage ?? '', headers, body: Buffer.concat(chunks) };
  }
}

function parseBase(text: string): URL {
  const base = URL.parse(text);
  if (!base || (base.protocol !== 'http:' && base.protocol !== 'https:')) throw new Error('the URL of the server must begin with http:// or https://');
  if (base.username !== '' || base.password !== '') throw new Error('the URL of the server must hold neither user nor password');
  if (base.hash !== '' || base.search !== '') throw new Error('the URL of the server must have neither query nor fragment');
  const host = base.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && isLinkLocal(host)) throw linkLocalError(host);
  return base;
}

/** Each part of the path as its reader sees it; undefined when one is not valid percent-encoding. */
function decodedSegments(path: string): readonly string[] | undefined {
  try {
    return path.split('/').flatMap((segment) => decodeURIComponent(segment).split(/[/\\]/));
  } catch {
    return undefined;
  }
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

function faultOf(error: unknown, origin: string): BindingError {
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
