/**
 * What two sidecars of a host say to each other on top of the app's own request and answer: a few headers that no app
 * can set, and failures as values.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { AppAway, AppGrpcError } from '../channel/channel.ts';
import { PEER_PREFIX } from '../channel/forwarded-headers.ts';
import { MechaError, messageOf, type ErrorKind } from '../errors.ts';

/** Instance id of the sidecar that is meant. */
export const PEER_TO = 'mecha-peer-to';
/** Who calls, percent-encoded. */
export const PEER_FROM = 'mecha-peer-from';
export const PEER_FROM_NAMESPACE = 'mecha-peer-from-namespace';
/** On a wake-up; its body is a JSON array of channels. */
export const PEER_WAKE = 'mecha-peer-wake';
/** On an answer: `app` = it is the app's; `failure` = its body is a `PeerFailure`. */
export const PEER_ANSWER = 'mecha-peer-answer';

/** Who calls, as its sidecar says. */
export interface PeerCaller {
  readonly appId: string;
  readonly namespace: string;
}

/** The sidecar that was meant no longer lives at that socket; nothing was done. */
export class PeerGone extends Error {
  constructor() {
    super('this process has no such sidecar');
    this.name = 'PeerGone';
  }
}

type PeerFailure =
  | { readonly type: 'gone' }
  | { readonly type: 'away'; readonly message: string }
  | { readonly type: 'grpc'; readonly code: number; readonly message: string; readonly details?: string }
  | { readonly type: 'refused'; readonly code: string; readonly kind: ErrorKind; readonly message: string; readonly httpStatus: number; readonly grpcCode: number }
  | { readonly type: 'failed'; readonly message: string };

export function failureToWire(error: unknown): string {
  return JSON.stringify(failureOf(error));
}

function failureOf(error: unknown): PeerFailure {
  if (error instanceof PeerGone) return { type: 'gone' };
  if (error instanceof AppAway) return { type: 'away', message: error.message };
  if (error instanceof AppGrpcError) {
    const details = error.details === undefined ? {} : { details: Buffer.from(error.details).toString('base64') };
    return { type: 'grpc', code: error.code, message: error.message, ...details };
  }
  if (error instanceof MechaError) {
    const { code, kind, message, httpStatus, grpcCode } = error;
    return { type: 'refused', code, kind, message, httpStatus, grpcCode };
  }
  return { type: 'failed', message: messageOf(error) };
}

/** The error that the other sidecar had, as nearly as it crosses a wire. */
export function failureFromWire(text: string): Error {
  const failure = JSON.parse(text) as PeerFailure;
  switch (failure.type) {
    case 'gone':
      return new PeerGone();
    case 'away':
      return new AppAway(failure.message);
    case 'grpc':
      return new AppGrpcError(failure.code, failure.message, failure.details === undefined ? undefined : Buffer.from(failure.details, 'base64'));
    case 'refused': {
      const { type: _type, ...init } = failure;
      return new MechaError(init);
    }
    case 'failed':
      return new Error(failure.message);
  }
}

/** Without what is only between sidecars. */
export function withoutPeerHeaders<T extends IncomingHttpHeaders | Record<string, string | string[]>>(headers: T): T {
  let kept: T | undefined;
  for (const name in headers) {
    if (!name.startsWith(PEER_PREFIX)) continue;
    kept ??= { ...headers };
    delete kept[name];
  }
  return kept ?? headers;
}
