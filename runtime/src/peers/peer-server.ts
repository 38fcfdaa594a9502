/**
 * The HTTP side of a process's internal socket: calls for its sidecars, and wake-ups. No token is asked here, the folder
 * of the socket is the door (`peer-socket.ts`). Bodies stream both ways; a caller that goes away cancels the app's work.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { LedgerChannel } from '@mecha/components/kit';
import type { AppRequest, AppResponse } from '../channel/channel.ts';
import { requestHeaders } from '../channel/forwarded-headers.ts';
import { Answers, type AnswerHeaders } from '../servers/http-answers.ts';
import { readBody } from '../servers/read-body.ts';
import type { Log } from '../telemetry/log.ts';
import { traceFrom } from '../telemetry/trace.ts';
import { PEER_ANSWER, PEER_FROM, PEER_FROM_NAMESPACE, PEER_TO, PEER_WAKE, PeerGone, failureToWire, withoutPeerHeaders, type PeerCaller } from './peer-wire.ts';

export interface PeerServerParts {
  /** The sidecar of this process with that instance id. */
  readonly find: (instanceId: string) => { receive(request: AppRequest, caller: PeerCaller, signal: AbortSignal): Promise<AppResponse> } | undefined;
  readonly wake: (channels: readonly LedgerChannel[]) => void;
  readonly log: Log;
}

/** Larger than any header list that an API server of ours lets in. */
export const PEER_HEADER_BYTES_MAX = 1024 * 1024;
export const PEER_KEEP_ALIVE_MS = 60_000;
const WAKE_BYTES_MAX = 4 * 1024 * 1024;
const SHORT_BODY_BYTES_MAX = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

export function createPeerServer(parts: PeerServerParts): Server {
  const answers = new Answers(parts.log);
  const server = createServer(
    { maxHeaderSize: PEER_HEADER_BYTES_MAX, requestTimeout: 0, keepAliveTimeout: PEER_KEEP_ALIVE_MS },
    (request, response) => void serve(parts, answers, request, response),
  );
  return server;
}

async function serve(parts: PeerServerParts, answers: Answers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // What the app sent is passed on as it is, its date included.
  response.sendDate = false;
  try {
    if (request.headers[PEER_WAKE] !== undefined) {
      parts.wake(await readChannels(request));
      response.writeHead(204).end();
      return;
    }
    await serveCall(parts, answers, request, response);
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      parts.log.debug({ err: error }, 'a call from another sidecar ended early');
      response.destroy();
      return;
    }
    response.writeHead(500, { [PEER_ANSWER]: 'failure', 'content-type': 'application/json' });
    response.end(failureToWire(error));
  }
}

async function serveCall(parts: PeerServerParts, answers: Answers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { headers, url = '/' } = request;
  const sidecar = parts.find(textOf(headers[PEER_TO]));
  if (!sidecar) throw new PeerGone();
  const caller: PeerCaller = { appId: decodeURIComponent(textOf(headers[PEER_FROM])), namespace: decodeURIComponent(textOf(headers[PEER_FROM_NAMESPACE])) };
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort(new Error('the caller went away'));
  });
  const mark = url.indexOf('?');
  const answer = await sidecar.receive(
    {
      method: request.method ?? 'GET',
      path: (mark < 0 ? url : url.slice(0, mark)).slice(1),
      queryText: mark < 0 ? '' : url.slice(mark + 1),
      headers: requestHeaders(headers),
      body: await bodyOf(request),
      trace: traceFrom(textOf(headers['traceparent']), textOf(headers['tracestate']), textOf(headers['baggage'])),
    },
    caller,
    abort.signal,
  );
  const answerHeaders: AnswerHeaders = { ...withoutPeerHeaders(answer.headers as Record<string, string | string[]>), [PEER_ANSWER]: 'app' };
  if (answer.body instanceof Uint8Array) {
    answers.send({ raw: response, status: answer.status, headers: answerHeaders, body: answer.body });
  } else {
    response.writeHead(answer.status, answerHeaders as Record<string, string | string[]>);
    passOn(answer.body, response);
  }
}

/** Whichever side breaks, breaks the other. (`stream.pipeline` makes an abort signal and its error for every call.) */
function passOn(body: Readable, response: ServerResponse): void {
  let begun = false;
  body.once('data', () => (begun = true));
  body.once('error', () => response.destroy());
  response.once('close', () => body.destroy());
  body.pipe(response);
  // The first chunk usually follows at once and takes the headers along; when it does not, they leave alone, before bytes
  // and not flushed, which would change what they hold into UTF-8.
  setImmediate(() => {
    if (!begun && !response.writableEnded) response.write(NO_BYTES);
  });
}

/** A short body is taken as a whole, which both ends of the way have less work with than with a stream. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | IncomingMessage | undefined> {
  if (request.headers['transfer-encoding'] !== undefined) return request;
  const length = Number(request.headers['content-length'] ?? 0);
  if (length === 0) return undefined;
  return length <= SHORT_BODY_BYTES_MAX ? readBody(request, undefined) : request;
}

function textOf(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '');
}

async function readChannels(request: IncomingMessage): Promise<LedgerChannel[]> {
  const channels: unknown = JSON.parse((await readBody(request, WAKE_BYTES_MAX)).toString());
  if (!Array.isArray(channels)) throw new Error('a wake-up must be an array of channels');
  return channels.filter((channel) => typeof channel === 'string');
}
