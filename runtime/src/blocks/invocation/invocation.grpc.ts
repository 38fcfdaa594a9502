/**
 * The gRPC face of the invocation block (grpc-api.md 5.1, 6): InvokeService, and calls of services that are the app's
 * own, which are relayed without being read.
 */
import { STATUS_CODES, type IncomingHttpHeaders } from 'node:http';
import type { Init } from '@mecha/specs/codec.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import { HTTPExtensionVerb, type InvokeRequest, type InvokeResponse } from '@mecha/specs/gen/common.gen.ts';
import { AppGrpcError, type AppResponse } from '../../channel/channel.ts';
import { readAtMost } from '../../channel/http-exchange.ts';
import { PEER_PREFIX } from '../../channel/forwarded-headers.ts';
import { TYPE_URL_HEADER, headersFromMetadata, metadataFromHeaders } from '../../channel/grpc-headers.ts';
import { MechaError, errorTable, messageOf } from '../../errors.ts';
import type { PeerLink } from '../../peers/peer-link.ts';
import type { Pipeline } from '../../pipeline.ts';
import { AttemptTimedOut, type Resilience } from '../../resilience/resilience.ts';
import { canonicalMethod } from '../../security/canonical-path.ts';
import { unary, type GrpcForward, type GrpcMethod, type GrpcProxy, type GrpcProxyCall, type GrpcRequest } from '../../servers/grpc-face.ts';
import { errors, type InvocationBlock, type InvocationRequest } from './invocation.ts';
import { relayUnderPolicy } from './relayed-call.grpc.ts';

/** A relayed call that found no way: plain texts under UNKNOWN, as the contract has them. */
export const proxyErrors = errorTable('invocation-proxy', {
  noTarget: {
    code: 'ERR_GRPC_PROXY',
    kind: 'unknown',
    make: () => ({ message: 'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found' }),
  },
  badTarget: { code: 'ERR_GRPC_PROXY', kind: 'unknown', make: (target: string) => ({ message: `failed to proxy request: invalid app id ${target}` }) },
  failed: { code: 'ERR_GRPC_PROXY', kind: 'unknown', make: (text: string, cause: unknown) => ({ message: `failed to proxy request: ${text}`, cause }) },
  timedOut: { code: 'ERR_GRPC_PROXY', kind: 'deadline', make: (text: string) => ({ message: text }) },
  streamed: { code: 'ERR_GRPC_PROXY', kind: 'precondition', make: () => ({ message: 'cannot use resiliency policies with retries on streaming RPCs' }) },
});

const ERROR_TEXT_LENGTH_MAX = 63;
const UNKNOWN = 2;
/** For a gRPC caller of an HTTP app; 400 is INTERNAL on purpose of the contract (grpc-api.md 4.2). */
const GRPC_CODES = new Map([[400, 13], [401, 16], [403, 7], [404, 5], [408, 1], [409, 6], [429, 8], [500, 2], [501, 12], [503, 14], [504, 4]]);

export const answerErrors = errorTable('invocation-grpc', {
  /** A failing status of an HTTP app; its reason phrase is the message. */
  failingStatus: {
    code: 'ERR_DIRECT_INVOKE',
    kind: 'unknown',
    make: (status: number, body: string) => {
      const phrase = STATUS_CODES[status] ?? 'Unknown';
      const metadata = { 'http.code': String(status), 'http.error_message': body.slice(0, ERROR_TEXT_LENGTH_MAX).toWellFormed() };
      return { message: phrase, grpcCode: GRPC_CODES.get(status) ?? UNKNOWN, details: [{ type: 'ErrorInfo', reason: phrase, metadata }] };
    },
  },
});

export interface InvocationGrpcOptions {
  /** Bytes of an answer; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
}

const VERBS = new Map<number, string>(Object.entries(HTTPExtensionVerb).map(([name, value]) => [value, name]));

export function invocationGrpc(block: InvocationBlock, pipeline: Pipeline, options: InvocationGrpcOptions): GrpcMethod[] {
  return [
    unary(Dapr.InvokeService, async (request) => {
      const call = request.call('invocation.invoke');
      // A status of the app passes the pipeline as a value: it is an answer, not a failure of the sidecar.
      const answer = await pipeline.run(call, async () => {
        const { id, message } = request.message;
        try {
          const response = await block.invoke(call, invocationRequest(id, message, request.metadata));
          return { response, body: await readAll(response, id, options.maxBodyBytes) };
        } catch (error) {
          if (error instanceof AppGrpcError) return error;
          throw error;
        }
      });
      if (answer instanceof AppGrpcError) throw answer;
      return reply(request, answer.response, answer.body);
    }),
  ];
}

function invocationRequest(id: string, message: InvokeRequest | undefined, metadata: GrpcRequest<unknown>['metadata']): InvocationRequest {
  const method = message?.method ?? '';
  const path = canonicalMethod(method);
  if (path === undefined) throw errors.failed(id, `invalid method: ${whyNotCanonical(method)}`);
  const headers: IncomingHttpHeaders = headersFromMetadata(metadata);
  const { data, contentType, httpExtension } = message ?? {};
  if (contentType) headers['content-type'] = contentType;
  if (data?.typeUrl) headers[TYPE_URL_HEADER] = data.typeUrl;
  return {
    target: id,
    method: VERBS.get(httpExtension?.verb || HTTPExtensionVerb.POST) ?? 'POST',
    path,
    queryText: httpExtension?.querystring ?? '',
    headers,
    body: data && data.value.length > 0 ? data.value : undefined,
  };
}

function whyNotCanonical(method: string): string {
  const control = method.search(/\p{Cc}/u);
  if (control >= 0) return `method contains control character at position ${control}: ${JSON.stringify(method)}`;
  if (/[#?]/.test(method)) return `method contains forbidden character: ${JSON.stringify(method)}`;
  return `method has no canonical form: ${JSON.stringify(method)}`;
}

/** Headers of an HTTP app become metadata; a failing status becomes an error with the code that stands for it. */
function reply(request: GrpcRequest<unknown>, response: AppResponse, body: Buffer): Init<InvokeResponse> {
  const { status, headers } = response;
  for (const [name, value] of metadataFromHeaders(headers)) request.setHeader(name, value);
  request.setHeader('dapr-http-status', String(status));
  if (status < 200 || status > 299) throw answerErrors.failingStatus(status, body.toString('utf8'));
  return { data: { typeUrl: textOf(headers[TYPE_URL_HEADER]), value: body }, contentType: textOf(headers['content-type']) };
}

async function readAll(response: AppResponse, id: string, bytesMax: number | undefined): Promise<Buffer> {
  let body: Buffer | undefined;
  try {
    body = await readAtMost(response.body, bytesMax ?? Infinity);
  } catch (error) {
    throw errors.failed(id, messageOf(error));
  }
  if (body === undefined) throw errors.failed(id, `the answer is larger than ${bytesMax} bytes, the limit set by --max-body-size`);
  return body;
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

export interface InvocationProxyParts {
  readonly appId: string;
  readonly namespace: string;
  readonly peers: Pick<PeerLink, 'grpcRoute'>;
  readonly forward: GrpcForward;
  readonly resilience: Pick<Resilience, 'forApp'>;
  readonly pipeline: Pipeline;
}

/** Relays to the app that the metadata names, through its sidecar, wherever that lives on the host; the own app included. */
export function invocationGrpcProxy(parts: InvocationProxyParts): GrpcProxy {
  const { appId, namespace, peers, forward, resilience, pipeline } = parts;
  return {
    relay: (call) =>
      pipeline.run(call.call('invocation.proxy'), async () => {
        const { text, ...target } = targetOf(call.metadata, namespace);
        const route = async () => {
          try {
            return await peers.grpcRoute({ appId, namespace }, target);
          } catch (error) {
            throw error instanceof MechaError ? error : proxyErrors.failed(messageOf(error), error);
          }
        };
        try {
          const onward = { ...call, metadata: call.metadata.filter(([name]) => isForwarded(name)) };
          const policy = resilience.forApp(text, call.path);
          return await (policy.active ? relayUnderPolicy(policy, onward, () => forward.connect(route), proxyErrors.streamed) : (await forward.connect(route)).relay(onward));
        } catch (error) {
          if (error instanceof AttemptTimedOut) throw proxyErrors.timedOut(error.message);
          throw error instanceof MechaError ? error : proxyErrors.failed(messageOf(error), error);
        }
      }),
  };
}

function targetOf(metadata: GrpcProxyCall['metadata'], namespace: string): { text: string; appId: string; namespace: string } {
  const values = new Map(metadata.toReversed());
  const text = values.get('dapr-callee-app-id') || values.get('dapr-app-id');
  if (text === undefined || text === '') throw proxyErrors.noTarget();
  const [appId = '', inNamespace = namespace, ...more] = String(text).split('.');
  if (appId === '' || inNamespace === '' || more.length > 0) throw proxyErrors.badTarget(String(text));
  return { text: String(text), appId, namespace: inNamespace };
}

/** Said by sidecars and by nobody else. */
const OF_THE_SIDECAR = new Set(['dapr-app-id', 'dapr-callee-app-id', 'dapr-caller-app-id', 'dapr-caller-namespace', 'destination-app-id', 'dapr-api-token']);
function isForwarded(name: string): boolean {
  return !OF_THE_SIDECAR.has(name) && !name.startsWith(PEER_PREFIX);
}
