/**
 * The HTTP API server: listening, limits, tokens, trace headers, and turning routes of the faces into answers. It knows
 * no block by name.
 *
 * Order of a request (http-api.md 2): canonical path, trace, CORS, API token, route. One canonical path serves routing
 * and forwarding; what matches no route goes to the fallback (service invocation), never to a 404 of the router.
 */
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { KINDS, MechaError } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import { createTokenCheck } from '../security/api-token.ts';
import { canonicalPath } from '../security/canonical-path.ts';
import { baggageProblem } from '../telemetry/baggage.ts';
import type { Log } from '../telemetry/log.ts';
import { Timings, type Metrics } from '../telemetry/metrics.ts';
import { traceFrom, traceparentOf, type TraceContext } from '../telemetry/trace.ts';
import { Answers, type AnswerHeaders } from './http-answers.ts';
import { renderHttpError } from './http-errors.ts';
import { BodyTooLarge, type HttpReply, type HttpRoute } from './http-face.ts';
import { Caller, DecodedRequest, PathTemplate } from './http-request.ts';
import { listenError, socketError } from './listen-error.ts';

export interface HttpServerOptions {
  /** For messages: `HTTP API server`. */
  readonly name: string;
  /** The flag that changes the port, named when it is taken. */
  readonly portFlag: string;
  readonly addresses: readonly string[];
  /** 0 = any free port. */
  readonly port: number;
  /** Listen here instead of on TCP. */
  readonly socketPath?: string | undefined;
  readonly routes: readonly HttpRoute[];
  /** Whatever matches no route; absent = 404 `404 page not found`. */
  readonly fallback?: HttpRoute['handle'] | undefined;
  readonly apiToken: string | undefined;
  /** Bytes; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
  readonly readBufferBytes: number;
  readonly allowedOrigins: string;
  readonly apiLogging: boolean;
  /** Log lines of calls show the route's template instead of the path, which may name people and things. */
  readonly obfuscatePaths?: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A route at one of its addresses, with what is worked out once for all its requests. */
interface ServedRoute {
  /** Undefined: whatever matches no route. */
  readonly route: HttpRoute | undefined;
  /** `/v1.0/state/:store/:key` */
  readonly template: string;
  readonly path: PathTemplate;
  /** By method and status: `GET 200`. */
  readonly timings: Timings;
}

const HEADER_ALLOWANCE_BYTES = 4096;
const HEADERS_TIMEOUT_MS = 10_000;
const NO_BYTES = Buffer.alloc(0);
const CORS_METHODS = 'HEAD, GET, POST, PUT, PATCH, DELETE';
/** Requests that may still be under way when draining begins get at most this long before connections are cut. */
const CLOSE_IDLE_EVERY_MS = 100;

export class HttpServer implements Part {
  readonly name: string;
  readonly #options: HttpServerOptions;
  readonly #tokenIsRight: ((given: string | undefined) => boolean) | undefined;
  readonly #answers: Answers;
  #servers: FastifyInstance[] = [];
  #port = 0;
  #underWay = 0;
  #draining = false;

  constructor(options: HttpServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#tokenIsRight = createTokenCheck(options.apiToken);
    this.#answers = new Answers(options.log);
  }

  /** The port in use, known after `start`. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const { socketPath, addresses } = this.#options;
    if (socketPath !== undefined) {
      await rm(socketPath, { force: true });
      const server = this.#build();
      try {
        await server.listen({ path: socketPath });
      } catch (error) {
        await server.close();
        throw socketError(error, { path: socketPath, server: this.name });
      }
      this.#servers.push(server);
      return;
    }
    let port = this.#options.port;
    for (const host of addresses) {
      const server = this.#build();
      try {
        await server.listen({ host, port });
      } catch (error) {
        await server.close();
        throw listenError(error, { host, port, flag: this.#options.portFlag, server: this.name });
      }
      this.#servers.push(server);
      const address = server.server.address();
      // Port 0 is settled by the first address; the others take the same.
      if (typeof address === 'object' && address !== null) port = address.port;
    }
    this.#port = port;
  }

  /** Connections end with their current request; resolves when none is under way. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    while (this.#underWay > 0 && !signal.aborted) {
      for (const server of this.#servers) server.server.closeIdleConnections();
      await new Promise((resolve) => setTimeout(resolve, CLOSE_IDLE_EVERY_MS));
    }
  }

  async stop(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(
      servers.map(async (server) => {
        server.server.closeAllConnections();
        await server.close();
      }),
    );
    if (this.#options.socketPath !== undefined) await rm(this.#options.socketPath, { force: true });
  }

  #build(): FastifyInstance {
    const server = fastify({
      logger: false,
      // Faces validate for themselves; without this, fastify loads two schema compilers that nobody uses.
      schemaController: { compilersFactory: { buildValidator: unusedCompiler, buildSerializer: unusedCompiler } },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      requestTimeout: 0,
      keepAliveTimeout: 72_000,
      forceCloseConnections: true,
      http: { maxHeaderSize: this.#options.readBufferBytes + HEADER_ALLOWANCE_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
      routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1 << 20 },
      exposeHeadRoutes: false,
      rewriteUrl: rewriteToCanonical,
      frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).type('text/plain; charset=utf-8').send('malformed request\n'),
    });
    // Bodies are read by faces, within the limit, or streamed; no parser touches them.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const route of this.#options.routes) {
      for (const version of route.versions) {
        const served = this.#served(route, `/${version}${route.path}`);
        server.route({ method: [...route.methods], url: served.template, onRequest: (request, reply) => this.#take(request, reply, served), handler: unusedHandler });
      }
    }
    const unrouted = this.#served(undefined, '*');
    server.setNotFoundHandler((request, reply) => this.#take(request, reply, unrouted));
    return server;
  }

  /**
   * From here on the request is ours: it leaves fastify's road as soon as it is routed. What lies beyond (parsers,
   * validation, serialisers, hooks around them) has nothing to do for routes that read and answer for themselves.
   */
  #take(request: FastifyRequest, reply: FastifyReply, served: ServedRoute): void {
    reply.hijack();
    this.#serve(request, reply, served).catch((error: unknown) => {
      this.#options.log.error({ err: error, route: served.template }, 'a request could not be served');
      reply.raw.destroy();
    });
  }

  #served(route: HttpRoute | undefined, template: string): ServedRoute {
    const { metrics } = this.#options;
    const timings = new Timings((methodAndStatus) => {
      const [method = '', status = ''] = methodAndStatus.split(' ');
      return metrics.timing('http_server_request_count', 'http_server_latency', { method, path: template, status });
    });
    return { route, template, path: new PathTemplate(template), timings };
  }

  async #serve(request: FastifyRequest, reply: FastifyReply, served: ServedRoute): Promise<void> {
    const began = performance.now();
    const { headers } = request;
    const trace = traceFrom(single(headers['traceparent']), single(headers['tracestate']), single(headers['baggage']));
    const caller = new Caller();
    this.#underWay++;
    reply.raw.once('close', () => {
      this.#underWay--;
      if (!reply.raw.writableFinished) caller.leave();
      this.#account(request, served, reply.raw.statusCode, performance.now() - began);
    });
    const answer = await this.#answer(request, served, trace, caller);
    this.#send(request, reply, answer, trace, served.route);
  }

  async #answer(request: FastifyRequest, { route, template, path: pathTemplate }: ServedRoute, trace: TraceContext, caller: Caller): Promise<HttpReply> {
    const { headers } = request;
    if (badPaths.has(request.raw)) return plain(400, 'the request path is malformed');
    const preflight = this.#preflight(request);
    if (preflight) return preflight;
    if (this.#tokenIsRight && !route?.tokenFree) {
      const given = single(headers['dapr-api-token']) ?? route?.token?.of(headers);
      if (!this.#tokenIsRight(given)) return route?.token?.refused() ?? plain(401, 'invalid api token');
    }
    // The token is the sidecar's own affair: no handler sees it, no app gets it.
    if (this.#tokenIsRight) delete headers['dapr-api-token'];
    const problem = baggageProblem(single(headers['baggage']) ?? '');
    if (problem !== undefined) return plain(400, `invalid baggage header: ${problem}`);
    const handle = route?.handle ?? this.#options.fallback;
    if (!handle) return plain(404, '404 page not found');
    const path = pathOf(request.raw.url ?? '/');
    let params: Record<string, string>;
    try {
      params = pathTemplate.params(path);
    } catch (error) {
      return plain(400, error instanceof Error ? error.message : 'malformed path');
    }
    try {
      return await handle(new DecodedRequest({ raw: request.raw, path, params, trace, caller, remoteAddress: request.ip, maxBodyBytes: this.#options.maxBodyBytes }));
    } catch (error) {
      if (error instanceof MechaError) return renderHttpError(error);
      if (error instanceof BodyTooLarge) {
        return renderHttpError(new MechaError({ code: 'ERR_BODY_READ', kind: 'invalid', message: `failed to read request body: ${error.message}` }));
      }
      // Faces run everything through the pipeline, so this is a bug in a face.
      this.#options.log.error({ err: error, route: template }, 'a face threw outside the pipeline');
      return renderHttpError(new MechaError({ code: 'ERR_INTERNAL', kind: 'internal', message: 'internal error' }));
    }
  }

  #send(request: FastifyRequest, reply: FastifyReply, answer: HttpReply, trace: TraceContext, route: HttpRoute | undefined): void {
    const headers: AnswerHeaders = {};
    for (const name in answer.headers) headers[name.toLowerCase()] = answer.headers[name] ?? '';
    if (!route?.tokenFree) {
      headers['traceparent'] ??= traceparentOf(trace);
      if (trace.tracestate !== '') headers['tracestate'] ??= trace.tracestate;
      if (trace.baggage !== '') headers['baggage'] ??= trace.baggage;
    }
    const origin = this.#allowedOrigin(request);
    if (origin !== undefined) headers['access-control-allow-origin'] ??= origin;
    // An unread body would hold the connection: the next request could not be told from its rest.
    const unread = !request.raw.complete && answer.status >= 400;
    if (this.#draining || unread) headers['connection'] = 'close';
    const { body } = answer;
    if (body !== undefined && !answer.verbatim) headers['content-type'] ??= 'application/json';
    if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      this.#sendStream(reply, answer.status, headers, body);
      return;
    }
    this.#answers.send({ raw: reply.raw, status: answer.status, headers, body, unread: unread && !this.#draining });
  }

  /** The headers leave at once, not with the first bytes of the body. */
  #sendStream(reply: FastifyReply, status: number, headers: AnswerHeaders, body: Readable): void {
    reply.raw.writeHead(status, headers as Record<string, string | string[]>);
    // Flushed by itself the head would leave as UTF-8, and bytes of headers would change; before bytes it leaves as it is.
    reply.raw.write(NO_BYTES);
    // A body that breaks off breaks the connection too, so that the caller does not take it for whole; a caller that
    // goes away ends the body.
    pipeline(body, reply.raw, (error) => {
      if (error) this.#options.log.debug({ err: error }, 'an answer was cut off');
    });
  }

  #allowedOrigin(request: FastifyRequest): string | undefined {
    const allowed = this.#options.allowedOrigins.trim();
    const origin = request.headers.origin;
    if (allowed === '' || origin === undefined) return undefined;
    if (allowed === '*') return '*';
    return allowed.split(',').some((entry) => entry.trim() === origin) ? origin : undefined;
  }

  #preflight(request: FastifyRequest): HttpReply | undefined {
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return undefined;
    const origin = this.#allowedOrigin(request);
    if (origin === undefined) return undefined;
    return {
      status: 200,
      headers: {
        'access-control-allow-methods': CORS_METHODS,
        'access-control-allow-headers': single(request.headers['access-control-request-headers']) ?? '*',
      },
    };
  }

  #account(request: FastifyRequest, { route, template, timings }: ServedRoute, status: number, ms: number): void {
    timings.record(`${request.method} ${status}`, ms);
    if (this.#options.apiLogging && !route?.tokenFree) {
      this.#options.log.scoped('mecha.runtime.http-info').info(
        {
          method: `${request.method} ${this.#options.obfuscatePaths ? template : pathOf(request.raw.url ?? '/')}`,
          useragent: single(request.headers['user-agent']) ?? '',
          code: status,
          duration: Math.round(ms),
        },
        'HTTP API Called',
      );
    }
  }
}

function unusedHandler(): never {
  throw new Error('requests are taken before fastify comes to handlers');
}

function unusedCompiler(): never {
  throw new Error('routes of this server declare no schemas');
}

/** Requests whose path has no canonical form; answered 400 before anything else looks at them. */
const badPaths = new WeakSet<IncomingMessage>();

function rewriteToCanonical(raw: IncomingMessage): string {
  const url = raw.url ?? '/';
  const mark = url.indexOf('?');
  const path = canonicalPath(mark < 0 ? url : url.slice(0, mark));
  if (path === undefined) {
    badPaths.add(raw);
    return '/';
  }
  return mark < 0 ? path : path + url.slice(mark);
}

function plain(status: number, text: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

/** HTTP status of a gRPC code, for faces that pass an app's gRPC status on (http-api.md 3.5). */
export function httpStatusOfGrpc(code: number): number {
  if (code === 0) return 200;
  return Object.values(KINDS).find(([, grpc]) => grpc === code)?.[0] ?? (code === 11 ? 400 : 500);
}
