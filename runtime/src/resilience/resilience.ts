/**
 * Resiliency resources as policies around any call: `retry( circuit breaker( timeout( attempt ) ) )` (behaviour.md 7).
 *
 * Owns: merging resources, which policies a target has, running them. Does not own: reading YAML; what Mecha does where
 * no policy is named (each block's own rules).
 *
 * Rules
 *  1. A target that nothing names, and no `Default...` policy covers, costs one call of a function.
 *  2. The timeout is per attempt; an attempt that outlived it is abandoned, its signal aborted.
 *  3. A refusal by the breaker ends the retrying, and so does a permanent failure: one that says that the request is at
 *     fault, not the way to the target. Permanent failures do not count against the breaker.
 *  4. One breaker per component, shared by both directions; one per endpoint of an app, the 100 most recent kept.
 */
import { BindingError, EtagError, PublishRefused } from '@mecha/components/kit';
import type { Clock } from '@mecha/components/kit';
import { EgressRefused } from '@mecha/components/kit/egress.ts';
import { AppGrpcError } from '../channel/channel.ts';
import type { CircuitBreakerPolicy, PolicyNames, ResiliencyResource, RetryPolicy } from '../config/resource-types.ts';
import { MechaError, messageOf, type ErrorKind } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { waitFor } from '../wait.ts';
import { CircuitBreaker, CircuitOpen, type CircuitState } from './circuit-breaker.ts';
import { matchesCode, retryDelayMs, type FailureCode } from './retry.ts';
import { compileTripRule } from './trip-rule.ts';

export { CircuitOpen } from './circuit-breaker.ts';

/** Component categories as the names of default policies spell them. */
export type ComponentKind = 'Binding' | 'Configuration' | 'Conversation' | 'Crypto' | 'Lock' | 'Pubsub' | 'Secretstore' | 'Statestore';
/** `inbound`: from the component into the app. */
export type Direction = 'inbound' | 'outbound';

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
  /** Rejects with what the last attempt rejected with, or `AttemptTimedOut`, or `CircuitOpen`. */
  run<T>(signal: AbortSignal, attempt: Attempt<T>, options?: RunOptions): Promise<T>;
}

export interface Resilience {
  forComponent(name: string, kind: ComponentKind, direction: Direction): PolicyRunner;
  /** `target` as the caller typed it; `endpoint` (method or path) has a breaker of its own. */
  forApp(target: string, endpoint?: string): PolicyRunner;
  /**
   * Between tries of an invocation that no policy covers: milliseconds before the one that follows `failed` failed ones, or undefined when
   * there is none. The built-in rule is three, a second apart; a retry policy of the name `DaprBuiltInServiceRetries` stands in its place.
   */
  serviceRetryDelayMs(failed: number, elapsedMs: number): number | undefined;
  /** Names of the loaded resources, for the metadata API. */
  readonly names: readonly string[];
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

export interface ResilienceParts {
  readonly appId: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** 0 <= x < 1, for the spread of exponential retries. */
  readonly random?: () => number;
}

const APP_BREAKERS_MAX = 100;
const NEVER = new AbortController().signal;
const BUILT_IN_RETRIES_MIN = 3;
/** Built-in policies that a resource may redefine (behaviour.md 7.4). */
const REDEFINABLE = ['DaprBuiltInServiceRetries', 'DaprBuiltInActorRetries', 'DaprBuiltInActorReminderRetries', 'DaprBuiltInInitializationRetries'];
const SERVICE_RETRY: RetryPolicy = { policy: 'constant', durationMs: 1000, maxIntervalMs: 60_000, maxRetries: BUILT_IN_RETRIES_MIN, matching: undefined };

const PASS_THROUGH: PolicyRunner = { active: false, retries: false, run: (signal, attempt) => attempt(signal, 1) };

/** Resources that carry scopes apply only to the apps they name; later ones win over earlier ones, name by name. */
export function createResilience(resources: readonly ResiliencyResource[], parts: ResilienceParts): Resilience {
  const mine = resources.filter((resource) => resource.scopes.length === 0 || resource.scopes.includes(parts.appId));
  if (mine.length === 0) return { forComponent: () => PASS_THROUGH, forApp: () => PASS_THROUGH, serviceRetryDelayMs: (failed) => retryDelayMs(SERVICE_RETRY, failed, 0, Math.random), names: [] };
  for (const { name } of mine) parts.metrics.count('resiliency_loaded', { name });
  const policies = new PolicyBook(mine, parts);
  return {
    names: mine.map(({ name }) => name),
    forComponent: (name, kind, direction) => policies.forComponent(name, kind, direction),
    forApp: (target, endpoint = '') => policies.forApp(target, endpoint),
    serviceRetryDelayMs: (failed, elapsedMs) => retryDelayMs(policies.retry('DaprBuiltInServiceRetries') ?? SERVICE_RETRY, failed, elapsedMs, parts.random ?? Math.random),
  };
}

/** The policies of one target, by value. */
interface Policies {
  readonly timeoutMs: number;
  readonly retry: RetryPolicy | undefined;
  readonly breaker: Promise<CircuitBreaker | undefined> | undefined;
}

class PolicyBook {
  readonly #parts: ResilienceParts;
  readonly #name: string;
  readonly #timeouts = new Map<string, number>();
  readonly #retries = new Map<string, RetryPolicy>();
  readonly #breakerPolicies = new Map<string, CircuitBreakerPolicy>();
  readonly #apps = new Map<string, PolicyNames>();
  readonly #components = new Map<string, ResiliencyResource['components'][string]>();
  readonly #componentRunners = new Map<string, PolicyRunner>();
  readonly #componentBreakers = new Map<string, Promise<CircuitBreaker | undefined>>();
  /** In order of use: the first is the one unused longest. */
  readonly #appRunners = new Map<string, PolicyRunner>();

  constructor(resources: readonly ResiliencyResource[], parts: ResilienceParts) {
    this.#parts = parts;
    this.#name = resources.at(-1)?.name ?? '';
    for (const resource of resources) {
      put(this.#timeouts, resource.timeouts);
      put(this.#retries, resource.retries);
      put(this.#breakerPolicies, resource.circuitBreakers);
      put(this.#apps, resource.apps);
      put(this.#components, resource.components);
    }
    for (const name of REDEFINABLE) {
      const given = this.#retries.get(name);
      if (!given || given.maxRetries >= BUILT_IN_RETRIES_MIN) continue;
      parts.log.warn({ policy: name }, `retry policy ${name} must have at least ${BUILT_IN_RETRIES_MIN} retries, and has ${BUILT_IN_RETRIES_MIN} now`);
      this.#retries.set(name, { ...given, maxRetries: BUILT_IN_RETRIES_MIN });
    }
  }

  retry(name: string): RetryPolicy | undefined {
    return this.#retries.get(name);
  }

  forComponent(name: string, kind: ComponentKind, direction: Direction): PolicyRunner {
    const key = `${kind} ${direction} ${name}`;
    let runner = this.#componentRunners.get(key);
    if (!runner) {
      runner = this.#componentRunner(name, kind, direction);
      this.#componentRunners.set(key, runner);
    }
    return runner;
  }

  forApp(target: string, endpoint: string): PolicyRunner {
    const named = this.#apps.get(target) ?? this.#defaults(['DefaultApp', 'Default']);
    if (!named.timeout && !named.retry && !named.circuitBreaker) return PASS_THROUGH;
    const key = `${target}:${endpoint}`;
    const runner = this.#appRunners.get(key) ?? this.#runner(named, 'outbound', `app_${target}`, () => this.#makeBreaker(named.circuitBreaker, `app_${target}`, 'outbound'));
    this.#appRunners.delete(key);
    this.#appRunners.set(key, runner);
    if (this.#appRunners.size > APP_BREAKERS_MAX) {
      for (const oldest of this.#appRunners.keys()) {
        this.#appRunners.delete(oldest);
        break;
      }
    }
    return runner;
  }

  #componentRunner(name: string, kind: ComponentKind, direction: Direction): PolicyRunner {
    const target = this.#components.get(name);
    const flow = direction === 'inbound' ? 'Inbound' : 'Outbound';
    // A target that is named at all gets no defaults for what it leaves out.
    const named = target
      ? (target[direction] ?? {})
      : this.#defaults([`Default${kind}Component${flow}`, `DefaultComponent${flow}`, 'DefaultComponent', 'Default']);
    return this.#runner(named, direction, `${kind}_${name}`, () => {
      let breaker = this.#componentBreakers.get(name);
      if (!breaker) {
        breaker = this.#makeBreaker(named.circuitBreaker, `${kind}_${name}`, direction);
        if (breaker) this.#componentBreakers.set(name, breaker);
      }
      return breaker;
    });
  }

  /** The first prefix that names a policy of the sort wins, sort by sort. */
  #defaults(prefixes: readonly string[]): PolicyNames {
    const first = (sort: string, known: ReadonlyMap<string, unknown>) => prefixes.map((prefix) => `${prefix}${sort}Policy`).find((name) => known.has(name));
    const timeout = first('Timeout', this.#timeouts);
    const retry = first('Retry', this.#retries);
    const circuitBreaker = first('CircuitBreaker', this.#breakerPolicies);
    return { ...(timeout ? { timeout } : {}), ...(retry ? { retry } : {}), ...(circuitBreaker ? { circuitBreaker } : {}) };
  }

  #runner(named: PolicyNames, direction: Direction, target: string, breakerOf: () => Policies['breaker']): PolicyRunner {
    const policies: Policies = {
      timeoutMs: (named.timeout === undefined ? undefined : this.#timeouts.get(named.timeout)) ?? 0,
      retry: named.retry === undefined ? undefined : this.#retries.get(named.retry),
      breaker: named.circuitBreaker === undefined ? undefined : breakerOf(),
    };
    if (policies.timeoutMs <= 0 && !policies.retry && !policies.breaker) return PASS_THROUGH;
    const note = (policy: string, status = ''): void =>
      this.#parts.metrics.count('resiliency_activations_total', { name: this.#name, policy, flow_direction: direction, target, status });
    const kinds = [...(policies.timeoutMs > 0 ? ['timeout'] : []), ...(policies.retry ? ['retry'] : []), ...(policies.breaker ? ['circuitbreaker'] : [])];
    const used = (): void => {
      for (const policy of kinds) this.#parts.metrics.count('resiliency_count', { name: this.#name, policy, flow_direction: direction, target, status: '' });
    };
    return new Runner(policies, this.#parts, note, used);
  }

  #makeBreaker(policyName: string | undefined, target: string, direction: Direction): Policies['breaker'] {
    const policy = policyName === undefined ? undefined : this.#breakerPolicies.get(policyName);
    if (!policy) return undefined;
    const { clock, log, metrics } = this.#parts;
    const onState = (state: CircuitState): void => {
      log.info({ policy: policyName, target, state }, `the circuit breaker of ${target} is now ${state}`);
      const labels = { name: this.#name, policy: 'circuitbreaker', flow_direction: direction, target };
      for (const status of ['closed', 'open', 'half-open']) metrics.gauge('resiliency_cb_state', { ...labels, status }, status === state ? 1 : 0);
    };
    return compileTripRule(policy.trip).then(
      (trips) => new CircuitBreaker(policy, trips, clock, onState),
      (error: unknown) => {
        log.error({ policy: policyName }, `circuit breaker ${policyName} is not in force: ${messageOf(error)}`);
        return undefined;
      },
    );
  }
}

class Runner implements PolicyRunner {
  readonly active = true;
  readonly #policies: Policies;
  readonly #parts: ResilienceParts;
  readonly #note: (policy: string, status?: string) => void;
  /** Counts that the policies were used. */
  readonly #used: () => void;

  constructor(policies: Policies, parts: ResilienceParts, note: (policy: string, status?: string) => void, used: () => void) {
    this.#policies = policies;
    this.#parts = parts;
    this.#note = note;
    this.#used = used;
  }

  get retries(): boolean {
    return this.#policies.retry !== undefined;
  }

  async run<T>(signal: AbortSignal, attempt: Attempt<T>, options: RunOptions = {}): Promise<T> {
    this.#used();
    try {
      return await this.#withRetries(signal, options.stopRetrying ?? NEVER, attempt);
    } catch (error) {
      throw error instanceof PermanentFailure ? error.failure : error;
    }
  }

  async #withRetries<T>(signal: AbortSignal, stopRetrying: AbortSignal, attempt: Attempt<T>): Promise<T> {
    const { clock, random = Math.random } = this.#parts;
    const { retry } = this.#policies;
    const breaker = await this.#policies.breaker;
    const began = clock.now();
    for (let number = 1; ; number++) {
      const once = (): Promise<T> => this.#withTimeout(signal, (attemptSignal) => attempt(attemptSignal, number));
      try {
        return breaker ? await breaker.run(once, (error) => !isPermanent(error)) : await once();
      } catch (error) {
        if (error instanceof CircuitOpen) this.#note('circuitbreaker', 'open');
        if (!retry || error instanceof CircuitOpen || isPermanent(error) || signal.aborted || stopRetrying.aborted) throw error;
        const delayMs = matchesCode(retry, codeOf(error)) ? retryDelayMs(retry, number, clock.now() - began, random) : undefined;
        if (delayMs === undefined) throw error;
        await waitFor(clock, delayMs, stopRetrying === NEVER ? signal : AbortSignal.any([signal, stopRetrying]));
        if (signal.aborted || stopRetrying.aborted) throw error;
        this.#note('retry');
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
      this.#note('timeout');
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

function isPermanent(error: unknown): boolean {
  if (error instanceof PermanentFailure || error instanceof EtagError || error instanceof EgressRefused) return true;
  if (error instanceof BindingError) return error.permanent;
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

function put<T>(into: Map<string, T>, entries: Readonly<Record<string, T>>): void {
  for (const [name, value] of Object.entries(entries)) into.set(name, value);
}
