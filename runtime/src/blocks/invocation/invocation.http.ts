/**
 * The HTTP face of the invocation block (http-api.md 8): three ways to name the target, and the router's fallback, since
 * an app that sends its requests through the sidecar knows no paths of ours.
 */
import type { AppResponse } from '../../channel/channel.ts';
import { AppGrpcError } from '../../channel/channel.ts';
import { KINDS, messageOf } from '../../errors.ts';
import type { Pipeline } from '../../pipeline.ts';
import { BodyTooLarge, type HttpReply, type HttpRequest, type HttpRoute } from '../../servers/http-face.ts';
import { grpcStatusJson } from './grpc-status-json.ts';
import { basicAppId, errors, type InvocationBlock } from './invocation.ts';

export interface InvocationHttp {
  readonly routes: HttpRoute[];
  /** For paths and methods that no route serves. */
  readonly fallback: HttpRoute['handle'];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'];
/** A body up to this size whose length is known is held in memory, so that a lost connection costs a retry and not the call. */
const REPLAYED_BYTES_MAX = 4 * 1024 * 1024;
const PREFIX = '/v1.0/invoke/';
const URL_TARGET = /^https?:\/(?!\/)/i;

export function invocationHttp(block: InvocationBlock, pipeline: Pipeline): InvocationHttp {
  async function handle(request: HttpRequest): Promise<HttpReply> {
    const call = request.call('invocation.invoke');
    return pipeline.run(call, async () => {
      const { target, path } = addressOf(request);
      try {
        const response = await block.invoke(call, {
          target,
          path,
          method: METHODS.includes(request.method) ? request.method : 'POST',
          queryText: request.queryText,
          headers: request.headers,
          body: await bodyOf(request),
        });
        return replyOf(request, response);
      } catch (error) {
        if (error instanceof AppGrpcError) return await replyOfGrpcError(error);
        if (error instanceof BodyTooLarge) throw errors.failed(target, messageOf(error));
        throw error;
      }
    });
  }
  return { routes: [{ methods: METHODS, versions: ['v1.0'], path: '/invoke/*', group: 'invoke', handle }], fallback: handle };
}

/** First match wins: header, user name, path. */
function addressOf(request: HttpRequest): { target: string; path: string } {
  const header = request.headers['dapr-app-id'];
  const named = (Array.isArray(header) ? header[0] : header) || basicAppId(request.headers.authorization);
  if (named !== undefined && named !== '') return { target: named, path: request.path.slice(1) };
  if (!request.path.startsWith(PREFIX)) throw errors.noAppId();
  const rest = request.path.slice(PREFIX.length);
  const end = URL_TARGET.test(rest) ? endOfUrlTarget(rest) : rest.indexOf('/');
  const target = end < 0 ? '' : decodeURIComponent(rest.slice(0, end));
  const method = rest.slice(end + 1);
  if (target === '' || (method !== 'method' && !method.startsWith('method/'))) throw errors.noAppId();
  return { target, path: method.slice('method/'.length) };
}

/** A URL has slashes of its own: it ends where `/method` begins. */
function endOfUrlTarget(rest: string): number {
  const inside = rest.indexOf('/method/');
  if (inside >= 0) return inside;
  return rest.endsWith('/method') ? rest.length - '/method'.length : -1;
}

async function bodyOf(request: HttpRequest): Promise<HttpRequest['stream'] | Buffer | undefined> {
  if (request.headers['transfer-encoding'] !== undefined) return request.stream;
  const length = Number(request.headers['content-length'] ?? 0);
  if (length === 0) return undefined;
  return length <= REPLAYED_BYTES_MAX ? request.body() : request.stream;
}

function replyOf(request: HttpRequest, response: AppResponse): HttpReply {
  const { status, headers, body } = response;
  if (request.headers.accept !== 'text/event-stream' || status >= 400) return { status, headers, body, verbatim: true };
  const asEvents = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' };
  return { status, headers: { ...headers, ...asEvents }, body, verbatim: true };
}

/** A gRPC app's status: mapped by kind, its JSON as the body (http-api.md 8.3). */
async function replyOfGrpcError(error: AppGrpcError): Promise<HttpReply> {
  return { status: HTTP_STATUS_BY_GRPC.get(error.code) ?? 500, headers: { 'content-type': 'application/json' }, body: await grpcStatusJson(error) };
}

const OUT_OF_RANGE = 11;
const HTTP_STATUS_BY_GRPC = new Map<number, number>([...Object.values(KINDS).map(([http, grpc]) => [grpc, http] as const), [OUT_OF_RANGE, 400]]);
