/**
 * The link between the sidecars of a host: the internal sockets of this process, the registry entries of its sidecars,
 * calls to sidecars wherever they live, and wake-ups for the processes that share the ledger.
 *
 * Owns the sockets and the registry entries. Does not own retries (the caller decides what is worth doing again) nor
 * what a sidecar does with a call (`receive`).
 *
 * Rules
 *  1. A sidecar of this very process is called directly, without a socket.
 *  2. A refused connection removes the entry at once and the next instance is tried; that is no retry, nothing was sent.
 *  3. The caller's identity is what its sidecar says here; nothing in the request can say otherwise.
 */
import type { Server } from 'node:http';
import type { Clock, Ledger, LedgerChannel, SidecarRow } from '@mecha/components/kit';
import type { Pool } from 'undici';
import type { AppRequest, AppResponse } from '../channel/channel.ts';
import { responseHeaders } from '../channel/forwarded-headers.ts';
import { discard, exchange, readAtMost, whenRead, type ExchangeAnswer } from '../channel/http-exchange.ts';
import { isBroken, isUnreachable } from '../channel/unreachable.ts';
import { messageOf } from '../errors.ts';
import type { Part } from '../lifecycle.ts';
import type { Log } from '../telemetry/log.ts';
import { traceparentOf } from '../telemetry/trace.ts';
import { waitFor } from '../wait.ts';
import { createGrpcRelay, type GrpcApp, type GrpcRelay } from './grpc-relay.ts';
import { PeerDirectory, type PeerTarget } from './peer-directory.ts';
import { PeerNotFound, PeerUnreachable } from './peer-errors.ts';
import { PEER_HEADER_BYTES_MAX, PEER_KEEP_ALIVE_MS, createPeerServer } from './peer-server.ts';
import { grpcSocketOf, preparePeerSockets, reachSocket } from './peer-socket.ts';
import { PEER_ANSWER, PEER_FROM, PEER_FROM_NAMESPACE, PEER_TO, PEER_WAKE, PeerGone, failureFromWire, withoutPeerHeaders, type PeerCaller } from './peer-wire.ts';
import { forwardWakes } from './wake-forwarder.ts';

export type { GrpcApp } from './grpc-relay.ts';
export type { PeerTarget } from './peer-directory.ts';
export type { PeerCaller } from './peer-wire.ts';

/** One sidecar of this process, as others see it. */
export interface PeerSidecar {
  /** Unique per start. */
  readonly instanceId: string;
  readonly appId: string;
  readonly namespace: string;
  /** Ports in use; known once the servers listen. */
  readonly httpPort: number;
  readonly grpcPort: number;
  /** A call for this sidecar's app. Rejects with `AppAway`, `AppGrpcError` or `MechaError`. */
  receive(request: AppRequest, caller: PeerCaller, signal: AbortSignal): Promise<AppResponse>;
  /** Absent: the app does not speak gRPC. */
  readonly grpcApp?: GrpcApp | undefined;
}

/** Where and how a gRPC client reaches an app: plaintext HTTP/2, `metadata` added to every call. */
export interface GrpcRoute {
  /** For grpc-js: `unix:/…`. */
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The connection was refused: removes the entry, so that the next route leads elsewhere. */
  refused(reason: string): Promise<void>;
}

export interface PeerLink extends Part {
  start(): Promise<void>;
  drain(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** Makes a sidecar known to the host. Again with the same instance id: replaces. */
  register(sidecar: PeerSidecar): Promise<void>;
  unregister(instanceId: string): Promise<void>;
  /**
   * Calls an app through its sidecar. Rejects with `PeerNotFound`, `PeerUnreachable`, or what `receive` rejected with.
   * Headers of the request are filtered already; a body that is a stream is sent at most once.
   */
  call(caller: PeerCaller, target: PeerTarget, request: AppRequest, signal: AbortSignal): Promise<AppResponse>;
  /** The way for raw gRPC. Rejects with `PeerNotFound`. */
  grpcRoute(caller: PeerCaller, target: PeerTarget): Promise<GrpcRoute>;
}

export interface PeerLinkParts {
  readonly ledger: Ledger;
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
}

const CONNECTIONS_PER_PEER_MAX = 256;
const FAILURE_BYTES_MAX = 64 * 1024;
const CONNECT_TIMEOUT_MS = 2000;
const WAKE_TIMEOUT_MS = 2000;
const DRAIN_LOOK_MS = 20;

export function createPeerLink(parts: PeerLinkParts): PeerLink {
  return new Link(parts);
}

class Link implements PeerLink {
  readonly name = 'link between sidecars';
  readonly #parts: PeerLinkParts;
  readonly #directory: PeerDirectory;
  readonly #sidecars = new Map<string, PeerSidecar>();
  readonly #pools = new Map<string, Promise<Pool>>();
  #http: Server | undefined;
  #relay: GrpcRelay | undefined;
  #socketPath = '';
  #stopWakes: (() => void) | undefined;
  #underWay = 0;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    this.#directory = new PeerDirectory(parts);
  }

  async start(): Promise<void> {
    const { ledger, log } = this.#parts;
    const sockets = await preparePeerSockets(this.#parts.dataDir);
    const find = (instanceId: string) => this.#sidecars.get(instanceId);
    this.#http = createPeerServer({
      find: (instanceId) => {
        const sidecar = find(instanceId);
        return sidecar && { receive: (request, caller, signal) => this.#receive(sidecar, request, caller, signal) };
      },
      wake: (channels) => ledger.wake(channels),
      log,
    });
    this.#relay = createGrpcRelay({ find, log });
    await listen(this.#http, sockets.http);
    await listen(this.#relay.server, sockets.grpc);
    this.#socketPath = sockets.http;
    this.#stopWakes = forwardWakes({
      ledger,
      others: async () => {
        const all = new Set(await this.#directory.sockets());
        all.delete(this.#socketPath);
        this.#forgetPools(all);
        return all;
      },
      send: (socketPath, channels) => this.#sendWake(socketPath, channels),
      onFailure: (socketPath, error) => log.debug({ socketPath, reason: messageOf(error) }, 'a wake-up for another process was lost'),
    });
  }

  async register(sidecar: PeerSidecar): Promise<void> {
    this.#sidecars.set(sidecar.instanceId, sidecar);
    const { instanceId, appId, namespace, httpPort, grpcPort } = sidecar;
    const row: SidecarRow = { instanceId, appId, namespace, httpPort, grpcPort, pid: process.pid, socketPath: this.#socketPath, startedAt: this.#parts.clock.now() };
    await this.#parts.ledger.commit([{ type: 'sidecar.put', sidecar: row }]);
  }

  async unregister(instanceId: string): Promise<void> {
    if (!this.#sidecars.delete(instanceId)) return;
    await this.#parts.ledger.commit([{ type: 'sidecar.remove', instanceId }]);
  }

  async call(caller: PeerCaller, target: PeerTarget, request: AppRequest, signal: AbortSignal): Promise<AppResponse> {
    const instances = await this.#directory.instancesOf(target);
    let refused: unknown;
    for (const row of instances) {
      const here = this.#sidecars.get(row.instanceId);
      if (here) return this.#receive(here, request, caller, signal);
      try {
        return await this.#send(row, caller, request, signal);
      } catch (error) {
        if (!isUnreachable(error) && !(error instanceof PeerGone)) throw isBroken(error) ? new PeerUnreachable(target.appId, true, error) : error;
        refused = error;
        await this.#directory.drop(row, messageOf(error));
      }
    }
    throw refused === undefined ? new PeerNotFound(target.appId) : new PeerUnreachable(target.appId, false, refused);
  }

  async grpcRoute(caller: PeerCaller, target: PeerTarget): Promise<GrpcRoute> {
    const [row] = await this.#directory.instancesOf(target);
    if (!row) throw new PeerNotFound(target.appId);
    return {
      address: `unix:${grpcSocketOf(row.socketPath)}`,
      metadata: identityHeaders(row.instanceId, caller),
      refused: (reason) => this.#directory.drop(row, reason),
    };
  }

  /** Its sidecars leave the registry first, so that nobody new comes; then the calls under way end. */
  async drain(signal: AbortSignal): Promise<void> {
    const leaving = await Promise.allSettled([...this.#sidecars.keys()].map((instanceId) => this.unregister(instanceId)));
    for (const left of leaving) {
      if (left.status === 'rejected') this.#parts.log.warn({ reason: messageOf(left.reason) }, 'an entry stays in the registry until its lease runs out');
    }
    while (this.#underWay > 0 && !signal.aborted) await waitFor(this.#parts.clock, DRAIN_LOOK_MS, signal);
  }

  async stop(): Promise<void> {
    this.#stopWakes?.();
    this.#directory.close();
    this.#relay?.close();
    this.#http?.closeAllConnections();
    await Promise.all([close(this.#http), close(this.#relay?.server)]);
    await Promise.all([...this.#pools.values()].map(async (pool) => (await pool).destroy()));
    this.#pools.clear();
  }

  async #receive(sidecar: PeerSidecar, request: AppRequest, caller: PeerCaller, signal: AbortSignal): Promise<AppResponse> {
    this.#underWay++;
    const done = () => void this.#underWay--;
    try {
      const answer = await sidecar.receive(request, caller, signal);
      whenRead(answer.body, done);
      return answer;
    } catch (error) {
      done();
      throw error;
    }
  }

  async #send(row: SidecarRow, caller: PeerCaller, request: AppRequest, signal: AbortSignal): Promise<AppResponse> {
    // A stream can be sent only once: make sure that somebody is there before touching it.
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) await reachSocket(row.socketPath);
    const pool = await this.#poolOf(row.socketPath);
    const answer = await exchange(
      pool,
      {
        method: request.method,
        path: `/${request.path}${request.queryText === '' ? '' : `?${request.queryText}`}`,
        headers: headersToPeer(row.instanceId, caller, request),
        body: request.body,
      },
      signal,
    );
    if (answer.headers[PEER_ANSWER] !== 'app') throw await failureOf(answer);
    return { status: answer.status, headers: withoutPeerHeaders(responseHeaders(answer.headers)), body: answer.body };
  }

  async #sendWake(socketPath: string, channels: readonly LedgerChannel[]): Promise<void> {
    const pool = await this.#poolOf(socketPath);
    const request = { method: 'POST', path: '/', headers: { [PEER_WAKE]: '1' }, body: JSON.stringify(channels) };
    const { body } = await exchange(pool, request, AbortSignal.timeout(WAKE_TIMEOUT_MS));
    discard(body);
  }

  #poolOf(socketPath: string): Promise<Pool> {
    let pool = this.#pools.get(socketPath);
    if (!pool) {
      pool = openPool(socketPath);
      this.#pools.set(socketPath, pool);
    }
    return pool;
  }

  /** Connections to processes that are gone. */
  #forgetPools(live: ReadonlySet<string>): void {
    for (const [socketPath, pool] of this.#pools) {
      if (live.has(socketPath)) continue;
      this.#pools.delete(socketPath);
      // Stopping destroys them meanwhile; and there was nobody at the other end any more.
      pool.then((known) => known.close()).catch((error: unknown) => this.#parts.log.debug({ socketPath, reason: messageOf(error) }, 'connections to a process that is gone did not close by themselves'));
    }
  }
}

async function openPool(socketPath: string): Promise<Pool> {
  const { Pool } = await import('undici');
  return new Pool('http://peer', {
    connections: CONNECTIONS_PER_PEER_MAX,
    socketPath,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: PEER_HEADER_BYTES_MAX,
    keepAliveTimeout: PEER_KEEP_ALIVE_MS / 2,
    allowH2: false,
  });
}

function identityHeaders(instanceId: string, caller: PeerCaller): Record<string, string> {
  return { [PEER_TO]: instanceId, [PEER_FROM]: encodeURIComponent(caller.appId), [PEER_FROM_NAMESPACE]: encodeURIComponent(caller.namespace) };
}

function headersToPeer(instanceId: string, caller: PeerCaller, request: AppRequest): Record<string, string | string[]> {
  const headers = { ...(withoutPeerHeaders(request.headers) as Record<string, string | string[]>), ...identityHeaders(instanceId, caller) };
  headers['traceparent'] = traceparentOf(request.trace);
  if (request.trace.tracestate !== '') headers['tracestate'] = request.trace.tracestate;
  return headers;
}

/** A failure of the other sidecar, or an answer that no sidecar of ours gives. */
async function failureOf({ status, headers, body }: ExchangeAnswer): Promise<Error> {
  const text = (await readAtMost(body, FAILURE_BYTES_MAX))?.toString();
  if (headers[PEER_ANSWER] !== 'failure' || text === undefined) return new Error(`the other sidecar refused the request with status ${status}`);
  return failureFromWire(text);
}

function listen(server: { listen(path: string): unknown; once(event: string, listener: (error: Error) => void): unknown; off(event: string, listener: (error: Error) => void): unknown }, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    server.listen(path);
  });
}

function close(server: { close(done: (error?: Error) => void): unknown; readonly listening: boolean } | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!server?.listening) return resolve();
    server.close(() => resolve());
  });
}
