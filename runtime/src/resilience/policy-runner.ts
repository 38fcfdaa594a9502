/**
 * Runs attempts under the policies of one target: `retry( circuit breaker( timeout( attempt ) ) )` (behaviour.md 7.2).
 *
 * Rules
 *  1. The timeout is per attempt; an attempt that outlived it is abandoned, its signal aborted. What it still brings is the
 *     attempt's own to throw away: it looks at its signal.
 *  2. A refusal by the breaker ends the retrying, and so does a permanent failure: one that says that the request is at
 *     fault, not the way to the target. Permanent failures do not count against the breaker. A binding's failure with a status that
 *     the retry policy's `matching` names is not permanent.
 *  3. Nothing is left behind when a run is over: no timer, no listener, no attempt whose signal has not aborted.
 */
import { BindingError, EtagError, PublishRefused, type Clock } from '@mecha/components/kit';
import { EgressRefused } from '@mecha/components/kit/egress.ts';
import { AppGrpcError } from '../channel/channel.ts';
import type { RetryPolicy } from '../config/resource-types.ts';
import { MechaError, type ErrorKind } from '../errors.ts';
import { waitFor } from '../wait.ts';
import { CircuitOpen, type CircuitBreaker } from './circuit-breaker.ts';
import type { ResiliencyMeter } from './resiliency-meter.ts';
import { matchesCode, namesStatus, retryDelayMs, type FailureCode } from './retry.ts';

/** `number` counts from 1. The signal aborts when the attempt's time is up, or with the caller's. */
export type Attempt<T> = (signal: AbortSignal, number: number) => Promise<T>;

export interface RunOptions {
  /** When it aborts no further attempt begins, while the one under way goes on. */
  readonly stopRetrying?: AbortSignal;
}

export interface PolicyRunner {
  /** False: no policy applies and `run` only calls. */
  readonly active: boolean;
  /** Has a retry policy of its own. */
  readonly retries: boolean;
  /** Attempts that one `run` makes at most: 1 without a retry policy, Infinity when it says so. */
  readonly attemptsMax: number;
  /** Rejects with what the last attempt rejected with, or `AttemptTimedOut`, or `CircuitOpen`. */
  run<T>(signal: AbortSignal, attempt: Attempt<T>, options?: RunOptions): Promise<T>;
}

/** An attempt took longer than its policy allows. */
export class AttemptTimedOut extends Error {
  constructor(timeoutMs: number) {
    super(`context deadline exceeded: no answer within ${timeoutMs} ms`);
    // The name by which signals tell running out of time from being called off.
    this.name = 'TimeoutError';
  }
}

/** Wraps a failure that no further attempt can mend; runners throw what it wraps. */
export class PermanentFailure extends Error {
  readonly failure: Error;
  constructor(failure: Error) {
    super(failure.message, { cause: failure });
    this.name = 'PermanentFailure';
    this.failure = failure;
  }
}

/** The policies of one target, by value. */
export interface Policies {
  /** 0 or less = none. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy | undefined;
  readonly breaker: Promise<CircuitBreaker | undefined> | undefined;
}

export interface RunnerParts {
  readonly clock: Clock;
  /** 0 <= x < 1, for the spread of exponential retries. */
  readonly random?: () => number;
}

const NEVER = new AbortController().signal;

/** For a target that no policy covers: costs one call of a function. */
export const PASS_THROUGH: PolicyRunner = { active: false, retries: false, attemptsMax: 1, run: (signal, attempt) => attempt(signal, 1) };

/** A runner, or `PASS_THROUGH` when there is nothing to apply. */
export function createRunner(policies: Policies, meter: ResiliencyMeter, parts: RunnerParts): PolicyRunner {
  return policies.timeoutMs <= 0 && !policies.retry && !policies.breaker ? PASS_THROUGH : new Runner(policies, meter, parts);
}

class Runner implements PolicyRunner {
  readonly active = true;
  readonly #policies: Policies;
  readonly #meter: ResiliencyMeter;
  readonly #parts: RunnerParts;

  constructor(policies: Policies, meter: ResiliencyMeter, parts: RunnerParts) {
    this.#policies = policies;
    this.#meter = meter;
    this.#parts = parts;
  }

  get retries(): boolean {
    return this.#policies.retry !== undefined;
  }

  get attemptsMax(): number {
    const { maxRetries = 0 } = this.#policies.retry ?? {};
    return maxRetries < 0 ? Number.POSITIVE_INFINITY : maxRetries + 1;
  }

  async run<T>(signal: AbortSignal, attempt: Attempt<T>, options: RunOptions = {}): Promise<T> {
    try {
      return await this.#withRetries(signal, options.stopRetrying ?? NEVER, attempt);
    } catch (error) {
      throw error instanceof PermanentFailure ? error.failure : error;
    }
  }

  async #withRetries<T>(signal: AbortSignal, stopRetrying: AbortSignal, attempt: Attempt<T>): Promise<T> {
    const { clock, random = Math.random } = this.#parts;
    const { retry, timeoutMs } = this.#policies;
    const breaker = await this.#policies.breaker;
    if (timeoutMs > 0) this.#meter.used('timeout');
    if (retry) this.#meter.used('retry');
    if (breaker) this.#meter.used('circuitbreaker', breaker.state);
    const began = clock.now();
    for (let number = 1; ; number++) {
      const once = (): Promise<T> => this.#withTimeout(signal, (attemptSignal) => attempt(attemptSignal, number));
      try {
        return breaker ? await breaker.run(once, (error) => !isPermanent(error, retry)) : await once();
      } catch (error) {
        if (!retry || error instanceof CircuitOpen || isPermanent(error, retry) || signal.aborted || stopRetrying.aborted) throw error;
        const delayMs = matchesCode(retry, codeOf(error)) ? retryDelayMs(retry, number, clock.now() - began, random) : undefined;
        if (delayMs === undefined) throw error;
        await waitFor(clock, Math.max(delayMs, Math.min(askedDelayMs(error), retry.maxIntervalMs)), stopRetrying === NEVER ? signal : AbortSignal.any([signal, stopRetrying]));
        if (signal.aborted || stopRetrying.aborted) throw error;
        this.#meter.activated('retry');
      }
    }
  }

  async #withTimeout<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#policies;
    if (timeoutMs <= 0) return call(signal);
    const timeout = new AbortController();
    const { promise: timedOut, reject } = Promise.withResolvers<never>();
    const cancel = this.#parts.clock.after(timeoutMs, () => {
      const error = new AttemptTimedOut(timeoutMs);
      this.#meter.activated('timeout');
      reject(error);
      timeout.abort(error);
    });
    try {
      return await Promise.race([call(AbortSignal.any([signal, timeout.signal])), timedOut]);
    } finally {
      cancel();
    }
  }
}

/** Kinds of our own errors that say that the request is at fault. */
const PERMANENT_KINDS: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['invalid', 'not-found', 'denied', 'precondition', 'conflict', 'unimplemented']);

function isPermanent(error: unknown, retry: RetryPolicy | undefined): boolean {
  if (error instanceof PermanentFailure || error instanceof EtagError || error instanceof EgressRefused) return true;
  if (error instanceof BindingError) return error.permanent && !namesStatus(retry, error.httpStatus);
  if (error instanceof PublishRefused) return error.reason !== 'topic-full';
  return error instanceof MechaError && PERMANENT_KINDS.has(error.kind);
}

/** `httpStatus` and `grpcCode` as failures carry them; the status of a gRPC app is its `code`. */
function codeOf(error: unknown): FailureCode {
  if (!(error instanceof Error) || error instanceof MechaError) return {};
  const { httpStatus, grpcCode } = error as { httpStatus?: unknown; grpcCode?: unknown };
  const code = error instanceof AppGrpcError ? error.code : grpcCode;
  return { http: typeof httpStatus === 'number' ? httpStatus : undefined, grpc: typeof code === 'number' ? code : undefined };
}

/** How long the other side asked to be left alone, as failures carry it in `retryAfterMs`. */
function askedDelayMs(error: unknown): number {
  const retryAfterMs = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
}
