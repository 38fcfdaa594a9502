/**
 * Calls out of the host: HTTPEndpoint resources and full URLs as targets of an invocation. Certificates are verified,
 * redirects are answers, and nothing that belongs to this sidecar (tokens, identity) goes along.
 *
 * A full URL is request data: it may lead to public addresses, and to the origins that HTTPEndpoint resources name, which are
 * thereby the allow-list for addresses of this host and its networks (`components/kit/egress.ts`).
 */
import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { createEgress, type Egress } from '@mecha/components/kit/egress.ts';
import { Lazy } from '../lazy.ts';
import type { AppResponse } from './channel.ts';
import { responseHeaders } from './forwarded-headers.ts';
import { exchange } from './http-exchange.ts';

export interface ExternalRequest {
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Readable | Uint8Array | undefined;
}

export interface ExternalHttp {
  /** Rejects with `EgressRefused` when the target may not be reached. */
  call(url: URL, request: ExternalRequest, signal: AbortSignal): Promise<AppResponse>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_HOST_MAX = 256;

/** `named`: base URLs of the HTTPEndpoint resources, known by the first call. `resolve`: all addresses of a name; for tests. */
export function createExternalHttp(named: () => readonly string[], resolve?: (name: string) => Promise<readonly string[]>): ExternalHttp {
  let egress: Egress | undefined;
  const egressOf = (): Egress => (egress ??= createEgress({ named: named().map((text) => new URL(text)), publicToo: true, ...(resolve ? { resolve } : {}) }));
  const agent = new Lazy(() => openAgent(egressOf()));
  return {
    async call(url, request, signal) {
      egressOf().check(url);
      const path = `${url.pathname}${url.search}`;
      const { status, headers, body } = await exchange(await agent.get(), { ...request, origin: url.origin, path }, signal);
      return { status, headers: responseHeaders(headers), body };
    },
    async close() {
      await (await agent.whenLoaded())?.destroy();
    },
  };
}

async function openAgent({ lookup }: Egress): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({ connections: CONNECTIONS_PER_HOST_MAX, connect: { timeout: CONNECT_TIMEOUT_MS, lookup }, headersTimeout: 0, bodyTimeout: 0 });
}
