/**
 * What an HTTP face says to the server: routes, and requests decoded no further than every block needs. The server
 * knows no block; a face knows no fastify.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { headerFromText } from '@mecha/components/kit/header-text.ts';
import type { Call } from '../pipeline.ts';
import type { TraceContext } from '../telemetry/trace.ts';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Canonical, still percent-encoded path without query: the form that both routing and forwarding use. */
  readonly path: string;
  /** Raw query string without `?`; '' when there is none. */
  readonly queryText: string;
  readonly query: URLSearchParams;
  /** Route parameters, decoded with query rules (`+` is a blank); `*` holds the rest of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** `metadata.<name>` query parameters by name; the first of a repeated name counts (http-api.md 2.3). */
  readonly metadata: Readonly<Record<string, string>>;
  readonly trace: TraceContext;
  readonly signal: AbortSignal;
  readonly remoteAddress: string;
  /** The whole body; rejects with `BodyTooLarge` past the limit. Read once. */
  body(): Promise<Buffer>;
  /** The body as it comes, for faces that stream; the limit applies here too. */
  readonly stream: Readable;
  /** The call for the pipeline. */
  call(operation: string): Call;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Absent = no body. Others get `application/json` unless a content-type header says otherwise. */
  readonly body?: string | Uint8Array | Readable;
  /** The headers are an app's: none is added because of the body. */
  readonly verbatim?: boolean;
}

export interface HttpRoute {
  readonly methods: readonly string[];
  /** Versions in front of the path: `['v1.0']`. */
  readonly versions: readonly string[];
  /** `/state/:store/:key`, `/publish/:pubsub/*`. Literal segments beat parameters. */
  readonly path: string;
  /** Group name for allow and deny lists and for metrics: `state`. */
  readonly group: string;
  /** Also served on the public port (health and metadata). */
  readonly public?: boolean;
  /** Served without an API token (the two health paths, and nothing else). */
  readonly tokenFree?: boolean;
  /** Where the API token may stand if not in `dapr-api-token`, and what is answered when it is missing or wrong. */
  readonly token?: { of(headers: IncomingHttpHeaders): string | undefined; refused(): HttpReply };
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply;
}

/** A body went past `--max-body-size`; faces turn it into their block's documented error. */
export class BodyTooLarge extends Error {
  constructor(bytesMax: number) {
    super(`stream too large: the body exceeds ${bytesMax} bytes, the limit set by --max-body-size`);
    this.name = 'BodyTooLarge';
  }
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What clients take in one header. */
const HEADER_BYTES_MAX = 8192;

/** What a component said beside its data, as headers `metadata.<name>` in UTF-8; what HTTP cannot carry is left out. */
export function metadataHeaders(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata)) {
    const name = `metadata.${key}`.toLowerCase();
    const header = headerFromText(value);
    if (HEADER_NAME.test(name) && header !== undefined && header.length <= HEADER_BYTES_MAX) headers[name] = header;
  }
  return headers;
}
