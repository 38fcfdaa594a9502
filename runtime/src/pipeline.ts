/**
 * What every call passes, whichever face it came through: is the sidecar ready for it, run the block's operation,
 * measure, and turn whatever went wrong into the one error type that faces render. Tokens and body limits belong to the
 * servers, which see them before there is a call.
 *
 * A broker's message and an app's answer come the other way through the same door (`operation` `pubsub.deliver`).
 */
import { randomUUID } from 'node:crypto';
import { LedgerRefused } from '@mecha/components/kit';
import { MechaError, errorTable, messageOf } from './errors.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { TraceContext } from './telemetry/trace.ts';

export const errors = errorTable('any call', {
  starting: { code: 'ERR_STARTING', kind: 'unavailable', make: () => ({ message: 'the sidecar is starting', retryAfterSeconds: 1 }) },
  shuttingDown: { code: 'ERR_SHUTTING_DOWN', kind: 'unavailable', make: (cause?: unknown) => ({ message: 'the sidecar is shutting down', retryAfterSeconds: 1, cause }) },
  internal: { code: 'ERR_INTERNAL', kind: 'internal', make: (id: string, cause: unknown) => ({ message: `internal error, see the sidecar's log for ${id}`, cause }) },
});

export type Protocol = 'http' | 'grpc' | 'internal';

/** One operation under way. Passed as an argument all the way down; there is no ambient context. */
export interface Call {
  /** `<block>.<verb>`: `state.get`. */
  readonly operation: string;
  readonly protocol: Protocol;
  readonly trace: TraceContext;
  /** Aborts when the caller went away. */
  readonly signal: AbortSignal;
}

export interface PipelineParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined while calls may pass; else the error that all but the ungated operations get. */
  readonly gate: () => MechaError | undefined;
}

/** Operations that answer whatever state the sidecar is in. */
const UNGATED = new Set(['health.ready', 'health.outbound', 'metadata.get', 'metadata.set', 'shutdown.shutdown']);

export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** Runs `work`; rejects with nothing but `MechaError`. */
  async run<T>(call: Call, work: () => Promise<T> | T): Promise<T> {
    if (!UNGATED.has(call.operation)) {
      const closed = this.#parts.gate();
      if (closed) throw closed;
    }
    try {
      return await work();
    } catch (error) {
      throw this.#normalise(call, error);
    }
  }

  #normalise(call: Call, error: unknown): MechaError {
    if (error instanceof MechaError) return error;
    if (error instanceof LedgerRefused && error.code === 'closed') return errors.shuttingDown(error);
    const id = randomUUID();
    this.#parts.log.error({ operation: call.operation, errorId: id, err: error }, `unexpected error: ${messageOf(error)}`);
    return errors.internal(id, error);
  }
}
