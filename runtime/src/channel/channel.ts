/**
 * The way back into the app, behind one port: `http-channel.ts` and `grpc-channel.ts` implement it, blocks use it, and
 * no block knows which of the two it has. Concurrency limit, app token and presence are the channel's.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { JobData } from '../jobs/job-data.ts';
import type { SaveItem } from '../state/state-item.ts';
import type { TraceContext } from '../telemetry/trace.ts';

export type AppProtocol = 'http' | 'https' | 'grpc' | 'grpcs' | 'h2c';

/** A subscription as the app (or a resource) declares it, in its full form. */
export interface AppSubscription {
  readonly pubsubName: string;
  readonly topic: string;
  /** In the order written; an empty `match` always matches. The default route comes last, without `match`. */
  readonly routes: readonly { readonly match: string; readonly path: string }[];
  readonly deadLetterTopic: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bulk?: { readonly maxMessagesCount: number; readonly maxAwaitDurationMs: number };
}

/** An event on its way to the app. HTTP apps get `body` byte for byte; gRPC apps get the decoded envelope. */
export interface EventDelivery {
  readonly pubsubName: string;
  /** The topic subscribed to. */
  readonly topic: string;
  /** The chosen route. */
  readonly path: string;
  readonly body: Uint8Array;
  /** The parsed CloudEvent. */
  readonly event: Readonly<Record<string, unknown>>;
  /** The broker's message metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly trace: TraceContext;
}

export interface BulkEventDelivery {
  readonly id: string;
  readonly pubsubName: string;
  readonly topic: string;
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly {
    readonly entryId: string;
    /** The parsed CloudEvent, or absent for raw payloads. */
    readonly event?: Readonly<Record<string, unknown>>;
    readonly body: Uint8Array;
    readonly contentType: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly trace: TraceContext;
}

/** A tick of a job on its way to the app. */
export interface JobDelivery {
  readonly name: string;
  readonly data: JobData | undefined;
  /** What the app is told besides: headers over HTTP, metadata over gRPC. */
  readonly headers: Readonly<Record<string, string>>;
  readonly trace: TraceContext;
}

/**
 * What the app made of an event (http-api.md 21.4, grpc-api.md 7). `away` = the app could not be reached at all
 * (refused, not yet up, unhealthy): no attempt was used up. `statusCode` = HTTP status or gRPC code, for policies.
 */
export type EventAnswer =
  | { readonly outcome: 'success' }
  | { readonly outcome: 'retry'; readonly reason: string; readonly statusCode?: number }
  | { readonly outcome: 'drop'; readonly reason: string; /** false: dropped without a dead letter (gRPC UNIMPLEMENTED). */ readonly deadLetter?: boolean }
  | { readonly outcome: 'away'; readonly reason: string };

/** An event of an input binding on its way to the app. */
export interface BindingDelivery {
  readonly binding: string;
  /** Path in the app, without leading slash. gRPC apps get the name instead. */
  readonly route: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly trace: TraceContext;
}

/** What an app's answer to an event asks for: state to save, and bindings to call with the operation `create`. */
export interface AppBindingReply {
  readonly storeName: string;
  readonly states: readonly SaveItem[];
  readonly to: readonly string[];
  /** All of `to` at once, not one after the other. */
  readonly parallel: boolean;
  readonly data: Uint8Array;
}

/**
 * `body` is what the app wrote, for sources that can pass it on. `malformed`: why it asks for nothing, although it has fields by
 * which an answer asks. `away` and `statusCode` as in `EventAnswer`.
 */
export type BindingAnswer =
  | { readonly outcome: 'success'; readonly body: Uint8Array; readonly reply: AppBindingReply | undefined; readonly malformed?: string }
  | { readonly outcome: 'retry'; readonly reason: string; readonly statusCode?: number }
  | { readonly outcome: 'away'; readonly reason: string };

/** A call to a method of the app, in HTTP terms; the gRPC channel maps it to OnInvoke. */
export interface AppRequest {
  readonly method: string;
  /** Canonical percent-encoded path without leading slash. */
  readonly path: string;
  readonly queryText: string;
  /** Already filtered: hop-by-hop removed, identity set. Repeated values are arrays. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable | Uint8Array | undefined;
  readonly trace: TraceContext;
}

export interface AppResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Bytes when the answer was short and came as a whole. A stream must be read to its end or destroyed. */
  readonly body: Uint8Array | Readable;
}

/** A gRPC status that an app answered; faces pass it on. */
export class AppGrpcError extends Error {
  readonly code: number;
  /** Raw `grpc-status-details-bin`, when present. */
  readonly details: Uint8Array | undefined;
  constructor(code: number, message: string, details?: Uint8Array) {
    super(message);
    this.name = 'AppGrpcError';
    this.code = code;
    this.details = details;
  }
}

/** The app cannot be reached now: no port, refused, or unhealthy. */
export class AppAway extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'AppAway';
  }
}

export interface AppChannel {
  readonly protocol: AppProtocol;
  /** Host and port, for metadata. */
  readonly address: string;
  readonly port: number;
  /** What the app subscribes to; [] when it says that it has none (404, UNIMPLEMENTED). Rejects when it could not be asked. */
  subscriptions(signal: AbortSignal): Promise<readonly AppSubscription[]>;
  /** Never rejects. */
  deliver(event: EventDelivery, signal: AbortSignal): Promise<EventAnswer>;
  /** Per entry id; entries missing from the map count as retry. Never rejects. */
  deliverBulk(events: BulkEventDelivery, signal: AbortSignal): Promise<ReadonlyMap<string, EventAnswer> | EventAnswer>;
  /** Whether the app wants the events of this binding. Rejects when it could not be asked, or cannot tell yet. */
  wantsBinding(binding: { readonly name: string; readonly route: string }, signal: AbortSignal): Promise<boolean>;
  /** Never rejects. */
  deliverBinding(event: BindingDelivery, signal: AbortSignal): Promise<BindingAnswer>;
  /** `drop`: the app has no such job (404, NOT_FOUND). Never rejects. */
  deliverJob(job: JobDelivery, signal: AbortSignal): Promise<EventAnswer>;
  /** Rejects with `AppAway` or `AppGrpcError`. */
  invoke(request: AppRequest, signal: AbortSignal): Promise<AppResponse>;
  /** Rejects when no TCP connection to the app's port can be had within 500 ms. */
  reach(): Promise<void>;
  /** One health probe by the protocol's rule (http-api.md 21.9); false or a rejection = failed. */
  probe(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Is there an app to call? Owned by `app-monitor.ts`. */
export type AppPresence = 'none' | 'waiting' | 'up' | 'unhealthy';

export interface AppMonitor {
  /** `none`: no app port was given. `waiting`: not seen yet, or gone. `unhealthy`: health checks say so. */
  readonly presence: AppPresence;
  /** Milliseconds since the epoch of the last change. */
  readonly since: number;
  /** Calls back at every change. */
  onChange(listener: (presence: AppPresence) => void): () => void;
  /** A call found the app unreachable: look again at once, and report `waiting` until it answers. */
  suspect(): void;
}
