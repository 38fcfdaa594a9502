/**
 * Calls out of the host: HTTPEndpoint resources and full URLs as targets of an invocation. Certificates are verified,
 * redirects are answers, and nothing that belongs to this sidecar (tokens, identity) goes along.
 */
import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import type { AppResponse } from './channel.ts';
import { responseHeaders } from './forwarded-headers.ts';
import { exchange } from './http-exchange.ts';

export interface ExternalRequest {
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Readable | Uint8Array | undefined;
}

export interface ExternalHttp {
  call(url: URL, request: ExternalRequest, signal: AbortSignal): Promise<AppResponse>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_HOST_MAX = 256;

export function createExternalHttp(): ExternalHttp {
  let agent: Promise<Agent> | undefined;
  return {
    async call(url, request, signal) {
      const path = `${url.pathname}${url.search}`;
      const { status, headers, body } = await exchange(await (agent ??= openAgent()), { ...request, origin: url.origin, path }, signal);
      return { status, headers: responseHeaders(headers), body };
    },
    async close() {
      await (await agent)?.destroy();
    },
  };
}

async function openAgent(): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({ connections: CONNECTIONS_PER_HOST_MAX, connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 });
}
