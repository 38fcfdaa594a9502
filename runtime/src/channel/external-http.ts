/**
 * Calls out of the host: HTTPEndpoint resources and full URLs as targets of an invocation. Certificates are verified,
 * redirects are answers, and nothing that belongs to this sidecar (tokens, identity) goes along.
 *
 * A full URL is request data: it may lead to public addresses, and to the origins that HTTPEndpoint resources name, which are
 * thereby the allow-list for addresses of this host and its networks (`components/kit/egress.ts`).
 *
 * An endpoint with TLS settings has connections of its own, so that its certificate is shown to nobody but those who call it by name.
 */
import { constants } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { createEgress, type Egress } from '@mecha/components/kit/egress.ts';
import { messageOf } from '../errors.ts';
import { Lazy } from '../lazy.ts';
import type { AppResponse } from './channel.ts';
import { responseHeaders } from './forwarded-headers.ts';
import { exchange } from './http-exchange.ts';

/** An HTTPEndpoint resource with its secrets resolved. */
export interface HttpEndpoint {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: EndpointTls;
}

/** PEM texts, and whether the other side may ask to negotiate TLS 1.2 anew. */
export interface EndpointTls {
  readonly rootCA?: string | undefined;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly renegotiates: boolean;
}

export interface ExternalRequest {
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Readable | Uint8Array | undefined;
}

export interface ExternalHttp {
  /** `endpoint`: whose settings apply. Rejects with `EgressRefused` when the target may not be reached. */
  call(url: URL, request: ExternalRequest, signal: AbortSignal, endpoint?: HttpEndpoint): Promise<AppResponse>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_HOST_MAX = 256;
/** How a service ends a connection whose client has no certificate: in the handshake, or after it. */
const CLOSED = /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE|ERR_SSL_.*(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE))$/;
/** Codes of OpenSSL and Node for a chain that leads to no known authority, or to another host. */
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_)/;

/** `endpoints`: known by the first call. `resolve`: all addresses of a name; for tests. */
export function createExternalHttp(endpoints: () => readonly HttpEndpoint[], resolve?: (name: string) => Promise<readonly string[]>): ExternalHttp {
  /** By endpoint with TLS settings of its own; under '' for all others. */
  const agents = new Map<string, Lazy<Agent>>();
  let egress: Egress | undefined;

  function agentFor(endpoint: HttpEndpoint | undefined, guard: Egress): Promise<Agent> {
    const key = endpoint?.tls ? endpoint.name : '';
    const agent = agents.get(key) ?? new Lazy(() => openAgent(guard, endpoint?.tls));
    agents.set(key, agent);
    return agent.get();
  }

  return {
    async call(url, request, signal, endpoint) {
      egress ??= createEgress({ named: endpoints().map(({ baseUrl }) => new URL(baseUrl)), publicToo: true, ...(resolve ? { resolve } : {}) });
      egress.check(url);
      const path = `${url.pathname}${url.search}`;
      try {
        const { status, headers, body } = await exchange(await agentFor(endpoint, egress), { ...request, origin: url.origin, path }, signal);
        return { status, headers: responseHeaders(headers), body };
      } catch (error) {
        throw withAdvice(error, url, endpoint?.tls?.certificate !== undefined);
      }
    },
    async close() {
      await Promise.all([...agents.values()].map(async (agent) => (await agent.whenLoaded())?.destroy()));
    },
  };
}

async function openAgent({ lookup }: Egress, tls: EndpointTls = { renegotiates: false }): Promise<Agent> {
  const { Agent } = await import('undici');
  const { rootCA, certificate, privateKey, renegotiates } = tls;
  const connect = {
    timeout: CONNECT_TIMEOUT_MS, lookup, minVersion: 'TLSv1.2' as const,
    ...(renegotiates ? {} : { secureOptions: constants.SSL_OP_NO_RENEGOTIATION }),
    ...(rootCA === undefined ? {} : { ca: rootCA }),
    ...(certificate === undefined || privateKey === undefined ? {} : { cert: certificate, key: privateKey }),
  };
  return new Agent({ connections: CONNECTIONS_PER_HOST_MAX, connect, headersTimeout: 0, bodyTimeout: 0 });
}

/** What TLS says of a certificate, and what undici says of a service that wanted one, tell nobody what to do. */
function withAdvice(error: unknown, { origin, protocol }: URL, hasCertificate: boolean): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice = UNTRUSTED.test(code)
    ? `the certificate of ${origin} is not trusted (clientTLS.rootCA of an HTTPEndpoint names its authority)`
    : CLOSED.test(code) && protocol === 'https:' && !hasCertificate
      ? `${origin} closed the connection before it answered, as services do that want a client certificate (clientTLS.certificate of an HTTPEndpoint)`
      : undefined;
  return advice === undefined ? error : new Error(`${advice}: ${messageOf(error)}`, { cause: error });
}
