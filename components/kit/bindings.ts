/**
 * The port of bindings: one call out of the sidecar (`invoke`), events into it (`start`), or both. What an operation is
 * called and needs is part of the declaration (`operations` of `defineComponent`); the bindings block checks a request
 * against it before the backend sees it, so a backend is only given operations it declares, with the metadata they require.
 *
 * Optional methods are the optional features: `invoke` makes an output binding, `start` an input binding. Routes, policies,
 * redelivery in the sidecar, dead letters and what an app answers are the block's, the same above every backend.
 */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { Connectable } from './connectable.ts';
import { parseDuration } from './metadata.ts';
import type { Subscription } from './pubsub.ts';

type Words = Readonly<Record<string, string>>;

/** One metadata name that requests of an operation may carry. Names are compared as they are written. */
export interface OperationMetadata {
  /** One sentence for docs, `mecha components describe` and the metadata API. */
  readonly description: string;
  /** The block refuses a request without it; the empty text counts as absent. */
  readonly required?: boolean;
}

/** What an output binding can be asked to do: words for people, and what the block checks. */
export interface BindingOperation {
  readonly description: string;
  readonly metadata?: Readonly<Record<string, OperationMetadata>>;
  /** What `data` must hold, in words; absent: it is not read. */
  readonly data?: string;
  /** What comes back, in words; absent: nothing does. */
  readonly result?: string;
}
export type BindingOperations = Readonly<Record<string, BindingOperation>>;

export interface BindingRequest {
  readonly operation: string;
  /**
   * As the caller gave it. Over HTTP it is JSON text: a string comes in its quotes, nothing as `null` (`textOf` takes the
   * quotes off). Over gRPC it is any bytes.
   */
  readonly data: Uint8Array;
  readonly metadata: Words;
}

export interface BindingResponse {
  /** Bytes, or a stream for what may be long; whoever gets a stream reads it to its end or destroys it. Absent: none. */
  readonly data?: Uint8Array | Readable;
  readonly metadata?: Words;
}

/**
 * Why a call failed, as a stable word. The first five say that the request is at fault: no policy tries it again.
 * `unavailable`: the backend cannot be reached, `timeout`: it did not answer in time, `failed`: it refused or broke off.
 */
export const BINDING_FAULTS = ['invalid-metadata', 'invalid-data', 'not-found', 'denied', 'too-large', 'unavailable', 'timeout', 'failed'] as const;
export type BindingFault = (typeof BINDING_FAULTS)[number];
const REQUEST_FAULTS: ReadonlySet<BindingFault> = new Set<BindingFault>(['invalid-metadata', 'invalid-data', 'not-found', 'denied', 'too-large']);

/** What a binding rejects with. The message reaches the caller: it names metadata, never a value that may be secret. */
export class BindingError extends Error {
  readonly fault: BindingFault;
  /** The caller gets its metadata in spite of the failure. */
  readonly response: BindingResponse | undefined;
  /** What `matching` of a retry policy compares. */
  readonly httpStatus: number | undefined;
  /** How long the other side asked to be left alone; a retry policy waits as long, within its bound. */
  readonly retryAfterMs: number | undefined;
  constructor(fault: BindingFault, message: string, more: { readonly response?: BindingResponse; readonly httpStatus?: number; readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'BindingError';
    this.fault = fault;
    this.response = more.response;
    this.httpStatus = more.httpStatus;
    this.retryAfterMs = more.retryAfterMs;
  }
  /** No further attempt can help, unless a policy names the status. */
  get permanent(): boolean {
    return REQUEST_FAULTS.has(this.fault);
  }
}

/** One event on its way in. */
export interface BindingEvent {
  /** The same at every delivery of the same event, at this source unique: apps and the dead letters know it by this. */
  readonly id: string;
  readonly data: Uint8Array;
  readonly metadata: Words;
  readonly contentType?: string;
  /** 1 for the first try; counts settled `retry`s as far as the source can tell. */
  readonly attempt: number;
}

/**
 * What becomes of an event.
 * - `ack`: the app took it. `response` is what it answered, for sources that can reply.
 * - `retry`: again after `delayMs`; only sources that redeliver are given it.
 * - `reject`: never again. The reason stands in a dead letter of the ledger; the source drops it, or moves it to where its
 *   own dead letters go.
 * - `release`: handed back as if never delivered (shutdown, app away). A source that does not redeliver may lose it, unless it
 *   keeps it elsewhere.
 */
export type EventSettlement =
  | { readonly action: 'ack'; readonly response?: BindingResponse }
  | { readonly action: 'retry'; readonly delayMs: number; readonly reason: string }
  | { readonly action: 'reject'; readonly reason: string }
  | { readonly action: 'release' };

export interface StartRequest {
  /**
   * Called for each event, at most the backend's bound in flight at a time. Never rejects. Until it resolves, the source
   * keeps the event leased to itself, however long that takes.
   */
  deliver(event: BindingEvent): Promise<EventSettlement>;
}

export interface Binding extends Connectable {
  /** Rejects with `BindingError`; anything else counts as `failed`. Undefined: there is nothing to answer. */
  invoke?(request: BindingRequest, signal: AbortSignal): Promise<BindingResponse | undefined>;
  /** The operations, where they depend on options (a document, say); known once connected. Absent: those of the declaration. */
  readonly operations?: BindingOperations;

  /**
   * Begins intake; resolves when it stands, rejects when it cannot stand now (the runtime tries again with back-off). Once
   * standing, the backend heals lost connections by itself. `close` waits for events under way to be settled.
   */
  start?(request: StartRequest): Promise<Subscription>;
  /**
   * The source gives an event again until it is acknowledged or rejected, also after a restart, and honours `retry`. Absent
   * or false: the block tries again by itself, and writes a dead letter in the end.
   */
  readonly redelivers?: boolean;
  /** Sources that redeliver: attempts after which the block gives an event up and rejects it. Absent: it is tried for ever. */
  readonly attemptsMax?: number;
}

const QUOTE = 0x22;

/** Text of a request's data: a JSON string loses its quotes, JSON `null` and nothing are the empty text, all else stays. */
export function textOf(data: Uint8Array): string {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  if (text === 'null') return '';
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    // Not JSON after all: a text that begins with a quote.
    return text;
  }
}

/** Bytes of a request's data, unchanged unless they are a JSON string or `null`, as `textOf` reads them. */
export function bytesOf(data: Uint8Array): Uint8Array {
  const quoted = data[0] === QUOTE && data.at(-1) === QUOTE;
  return (quoted || data.byteLength === 'null'.length) && isUtf8(data) ? Buffer.from(textOf(data)) : data;
}

/** A word of a request that is true or false; the component's where it is absent or empty. Throws `BindingError` for others. */
export function flagOf(metadata: Words, name: string, usual: boolean): boolean {
  const text = (metadata[name] ?? '').trim();
  if (text === '') return usual;
  if (/^(?:true|1|yes|y|t|on)$/i.test(text)) return true;
  if (/^(?:false|0|no|n|f|off)$/i.test(text)) return false;
  throw new BindingError('invalid-metadata', `metadata ${name} must be true or false`);
}

/**
 * How long what a request writes shall live, in whole milliseconds: metadata `ttlInSeconds`, or `ttl`, as a Go duration or in
 * seconds. Undefined: neither is given. Throws `BindingError` for what is no time of at least 1 ms and at most `maxMs`.
 */
export function ttlMsOf(metadata: Words, maxMs: number): number | undefined {
  const name = metadata['ttlInSeconds'] ? 'ttlInSeconds' : 'ttl';
  const text = metadata[name] ?? '';
  if (text === '') return undefined;
  const ttlMs = Math.round(parseDuration(text, 's') ?? Number.NaN);
  if (ttlMs >= 1 && ttlMs <= maxMs) return ttlMs;
  throw new BindingError('invalid-metadata', `metadata ${name} takes a time from 1 ms to ${Math.floor(maxMs / 1000)} s, such as 30 (seconds), 500ms or 1h30m`);
}

/**
 * Throws `BindingError` when a request lacks metadata that its operation requires. The message names what is missing.
 * The block calls it before any backend; whoever calls a backend directly does the same.
 */
export function checkMetadata(operation: BindingOperation, request: BindingRequest): void {
  for (const [name, { required }] of Object.entries(operation.metadata ?? {})) {
    if (required && (!Object.hasOwn(request.metadata, name) || request.metadata[name] === '')) {
      throw new BindingError('invalid-metadata', `operation ${request.operation} needs metadata ${name}`);
    }
  }
}
