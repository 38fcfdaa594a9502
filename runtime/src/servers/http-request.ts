/**
 * A request of Node's server as the faces see it (`http-face.ts`), decoded no further than somebody asks.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Call } from '../pipeline.ts';
import type { TraceContext } from '../telemetry/trace.ts';
import { BodyTooLarge, type HttpRequest } from './http-face.ts';
import { readBody } from './read-body.ts';

const NO_QUERY = new URLSearchParams();

export interface RequestParts {
  readonly raw: IncomingMessage;
  /** Of `raw.url`, without the query. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly trace: TraceContext;
  readonly caller: Caller;
  readonly remoteAddress: string;
  /** Bytes; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
}

export class DecodedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly queryText: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly trace: TraceContext;
  readonly #parts: RequestParts;
  #query: URLSearchParams | undefined;
  #metadata: Record<string, string> | undefined;

  constructor(parts: RequestParts) {
    const { raw } = parts;
    const url = raw.url ?? '/';
    const mark = url.indexOf('?');
    this.method = raw.method ?? '';
    this.path = parts.path;
    this.queryText = mark < 0 ? '' : url.slice(mark + 1);
    this.params = parts.params;
    this.headers = raw.headers;
    this.trace = parts.trace;
    this.#parts = parts;
  }

  get signal(): AbortSignal {
    return this.#parts.caller.signal;
  }

  get remoteAddress(): string {
    return this.#parts.remoteAddress;
  }

  get query(): URLSearchParams {
    return (this.#query ??= this.queryText === '' ? NO_QUERY : new URLSearchParams(this.queryText));
  }

  get metadata(): Readonly<Record<string, string>> {
    return (this.#metadata ??= metadataOf(this.queryText));
  }

  get stream(): Readable {
    const { raw, maxBodyBytes } = this.#parts;
    return maxBodyBytes === undefined ? raw : limited(raw, maxBodyBytes);
  }

  body(): Promise<Buffer> {
    return readBody(this.#parts.raw, this.#parts.maxBodyBytes);
  }

  call(operation: string): Call {
    return new HttpCall(operation, this.trace, this.#parts.caller);
  }
}

class HttpCall implements Call {
  readonly operation: string;
  readonly protocol = 'http';
  readonly trace: TraceContext;
  readonly #caller: Caller;

  constructor(operation: string, trace: TraceContext, caller: Caller) {
    this.operation = operation;
    this.trace = trace;
    this.#caller = caller;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }
}

/** The signal of one caller, made only when somebody asks for it: most calls end before anybody does. */
export class Caller {
  #gone = false;
  #abort: AbortController | undefined;

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** The connection closed before the answer was complete. */
  leave(): void {
    this.#gone = true;
    this.#abort?.abort();
  }
}

/** Which segments of a route's template are parameters, found once. */
export class PathTemplate {
  readonly #names: readonly { readonly index: number; readonly name: string }[];

  constructor(template: string) {
    this.#names = template.split('/').flatMap((segment, index) => {
      if (segment === '*') return [{ index, name: '*' }];
      return segment.startsWith(':') ? [{ index, name: segment.slice(1) }] : [];
    });
  }

  /**
   * Parameters by their place, decoded with query rules: `%2F` may stand inside one, `+` is a blank; `*` is the rest of
   * the path. Throws with words for the caller on an escape that is none.
   */
  params(path: string): Record<string, string> {
    const params: Record<string, string> = {};
    if (this.#names.length === 0) return params;
    let index = 0;
    let start = 0;
    for (const wanted of this.#names) {
      for (; index < wanted.index; index++) start = path.indexOf('/', start) + 1;
      const end = wanted.name === '*' ? -1 : path.indexOf('/', start);
      params[wanted.name] = decode(end < 0 ? path.slice(start) : path.slice(start, end), wanted.name);
    }
    return params;
  }
}

function decode(text: string, name: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Error(`failed to unescape request parameter "${name}". Error: invalid URL escape`);
  }
}

function metadataOf(queryText: string): Record<string, string> {
  const metadata: Record<string, string> = {};
  if (!queryText.includes('metadata.')) return metadata;
  for (const [name, value] of new URLSearchParams(queryText)) {
    if (!name.startsWith('metadata.')) continue;
    const key = name.slice('metadata.'.length);
    if (!Object.hasOwn(metadata, key)) Object.defineProperty(metadata, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return metadata;
}

/** The request as a stream that fails past the limit. */
function limited(raw: IncomingMessage, limit: number): Readable {
  let size = 0;
  return raw.map((chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) throw new BodyTooLarge(limit);
    return chunk;
  });
}
