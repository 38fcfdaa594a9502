/**
 * Resiliency resources as policies around any call (behaviour.md 7).
 *
 * Owns: merging resources, which policies a target has, its breakers. Does not own: running them (`policy-runner.ts`), reading
 * YAML; what Mecha does where no policy is named (each block's own rules).
 *
 * Rules
 *  1. A target that nothing names, and no `Default...` policy covers, costs one call of a function.
 *  2. One breaker per component and policy, shared by both directions. Of an app one per endpoint; as many of them as
 *     `circuitBreakerCacheSize` says are kept, and so many targets that no resource names: callers cannot fill the memory.
 */
import type { CircuitBreakerPolicy, AppPolicyNames, PolicyNames, ResiliencyResource, RetryPolicy } from '../config/resource-types.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CircuitBreaker, type CircuitState } from './circuit-breaker.ts';
import { BUILT_IN_RETRIES, type ComponentKind } from './policy-names.ts';
import { PASS_THROUGH, createRunner, type PolicyRunner, type RunnerParts } from './policy-runner.ts';
import { RecentMap } from './recent-map.ts';
import { ResiliencyMeter } from './resiliency-meter.ts';
import { retryDelayMs } from './retry.ts';
import { compileTripRule } from './trip-rule.ts';

export { CircuitOpen } from './circuit-breaker.ts';
export { AttemptTimedOut, PermanentFailure, type Attempt, type PolicyRunner, type RunOptions } from './policy-runner.ts';
export type { ComponentKind } from './policy-names.ts';

/** `inbound`: from the component into the app. */
export type Direction = 'inbound' | 'outbound';

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

export interface ResilienceParts extends RunnerParts {
  readonly appId: string;
  readonly namespace?: string;
  readonly metrics: Metrics;
  readonly log: Log;
}

const APP_BREAKERS_MAX = 100;
/** Targets that only defaults cover, typed by callers. */
const OTHER_APPS_MAX = 256;
const BUILT_IN_RETRIES_MIN = 3;
const SERVICE_RETRY: RetryPolicy = { policy: 'constant', durationMs: 1000, maxIntervalMs: 60_000, maxRetries: BUILT_IN_RETRIES_MIN, matching: undefined };
const EXPONENTIAL: RetryPolicy = { ...SERVICE_RETRY, policy: 'exponential' };
const BUILT_IN: Readonly<Record<(typeof BUILT_IN_RETRIES)[number], RetryPolicy>> = {
  DaprBuiltInServiceRetries: SERVICE_RETRY,
  DaprBuiltInActorRetries: SERVICE_RETRY,
  DaprBuiltInActorReminderRetries: { ...EXPONENTIAL, maxRetries: -1 },
  DaprBuiltInInitializationRetries: { ...EXPONENTIAL, maxIntervalMs: 1000 },
};

/** Resources that carry scopes apply only to the apps they name; later ones win over earlier ones, name by name. */
export function createResilience(resources: readonly ResiliencyResource[], parts: ResilienceParts): Resilience {
  const { appId, metrics, namespace = '', random = Math.random } = parts;
  const mine = resources.filter(({ scopes }) => scopes.length === 0 || scopes.includes(appId));
  if (mine.length === 0) return { forComponent: () => PASS_THROUGH, forApp: () => PASS_THROUGH, serviceRetryDelayMs: (failed) => retryDelayMs(SERVICE_RETRY, failed, 0, random), names: [] };
  for (const { name } of mine) metrics.count('resiliency_loaded', { name, namespace });
  const policies = new PolicyBook(mine, parts);
  return {
    names: mine.map(({ name }) => name),
    forComponent: (name, kind, direction) => policies.forComponent(name, kind, direction),
    forApp: (target, endpoint = '') => policies.forApp(target, endpoint),
    serviceRetryDelayMs: (failed, elapsedMs) => retryDelayMs(policies.serviceRetry, failed, elapsedMs, random),
  };
}

/** A breaker and its way out of the metrics. */
interface KeptBreaker {
  readonly breaker: Promise<CircuitBreaker | undefined>;
  forget(): void;
}
/** The runner of one endpoint of an app. */
interface Endpoint {
  readonly runner: PolicyRunner;
  readonly kept: KeptBreaker | undefined;
}
/** What one target text of an invocation has. */
interface AppTarget {
  readonly endpoints: RecentMap<Endpoint>;
  readonly runner: (endpoint: string) => PolicyRunner;
}

class PolicyBook {
  readonly #parts: ResilienceParts;
  readonly #name: string;
  readonly #timeouts = new Map<string, number>();
  readonly #retries = new Map<string, RetryPolicy>(Object.entries(BUILT_IN));
  readonly #breakerPolicies = new Map<string, CircuitBreakerPolicy>();
  readonly #apps = new Map<string, AppPolicyNames>();
  readonly #components = new Map<string, ResiliencyResource['components'][string]>();
  readonly #componentRunners = new Map<string, PolicyRunner>();
  readonly #componentBreakers = new Map<string, KeptBreaker>();
  readonly #appDefaults: PolicyNames;
  readonly #namedApps = new Map<string, AppTarget>();
  readonly #otherApps = new RecentMap<AppTarget>(OTHER_APPS_MAX, ({ endpoints }) => {
    for (const { kept } of endpoints.values()) kept?.forget();
  });

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
    for (const name of BUILT_IN_RETRIES) {
      const given = this.#retries.get(name);
      if (!given || given === BUILT_IN[name] || given.maxRetries >= BUILT_IN_RETRIES_MIN) continue;
      parts.log.warn({ policy: name }, `retry policy ${name} must have at least ${BUILT_IN_RETRIES_MIN} retries, and has ${BUILT_IN_RETRIES_MIN} now`);
      this.#retries.set(name, { ...given, maxRetries: BUILT_IN_RETRIES_MIN });
    }
    this.#appDefaults = this.#defaults(['DefaultApp', 'Default']);
  }

  get serviceRetry(): RetryPolicy {
    return this.#retries.get('DaprBuiltInServiceRetries') ?? SERVICE_RETRY;
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
    const named = this.#apps.get(target);
    if (!named) return isNone(this.#appDefaults) ? PASS_THROUGH : this.#otherApps.get(target, () => this.#appTarget(target, this.#appDefaults)).runner(endpoint);
    let app = this.#namedApps.get(target);
    if (!app) this.#namedApps.set(target, (app = this.#appTarget(target, named)));
    return app.runner(endpoint);
  }

  #appTarget(target: string, named: AppPolicyNames): AppTarget {
    // What stands behind a question mark is nobody's business but the target's.
    const label = `app_${target.replace(/\?.*$/s, '')}`;
    const meter = this.#meter(label, 'outbound');
    const endpoints = new RecentMap<Endpoint>(named.circuitBreakerCacheSize ?? APP_BREAKERS_MAX, ({ kept }) => kept?.forget());
    const make = (): Endpoint => {
      const kept = this.#makeBreaker(named.circuitBreaker, label, meter);
      return { runner: this.#runner(named, kept, meter), kept };
    };
    // Without a breaker nothing differs from endpoint to endpoint.
    return { endpoints, runner: (endpoint) => endpoints.get(named.circuitBreaker === undefined ? '' : endpoint, make).runner };
  }

  #componentRunner(name: string, kind: ComponentKind, direction: Direction): PolicyRunner {
    const target = this.#components.get(name);
    const flow = direction === 'inbound' ? 'Inbound' : 'Outbound';
    // A target that is named at all gets no defaults for what it leaves out.
    const named = target
      ? (target[direction] ?? {})
      : this.#defaults([`Default${kind}Component${flow}`, `DefaultComponent${flow}`, 'DefaultComponent', 'Default']);
    const meter = this.#meter(`${kind}_${name}`, direction);
    const key = `${named.circuitBreaker ?? ''} ${name}`;
    const kept = this.#componentBreakers.get(key) ?? this.#makeBreaker(named.circuitBreaker, `${kind}_${name}`, meter);
    if (kept) this.#componentBreakers.set(key, kept);
    return this.#runner(named, kept, meter);
  }

  /** The first prefix that names a policy of the sort wins, sort by sort. */
  #defaults(prefixes: readonly string[]): PolicyNames {
    const first = (sort: string, known: ReadonlyMap<string, unknown>) => prefixes.map((prefix) => `${prefix}${sort}Policy`).find((name) => known.has(name));
    const timeout = first('Timeout', this.#timeouts);
    const retry = first('Retry', this.#retries);
    const circuitBreaker = first('CircuitBreaker', this.#breakerPolicies);
    return { ...(timeout ? { timeout } : {}), ...(retry ? { retry } : {}), ...(circuitBreaker ? { circuitBreaker } : {}) };
  }

  #runner(named: PolicyNames, kept: KeptBreaker | undefined, meter: ResiliencyMeter): PolicyRunner {
    const timeoutMs = (named.timeout === undefined ? undefined : this.#timeouts.get(named.timeout)) ?? 0;
    const retry = named.retry === undefined ? undefined : this.#retries.get(named.retry);
    return createRunner({ timeoutMs, retry, breaker: kept?.breaker }, meter, this.#parts);
  }

  #meter(target: string, direction: Direction): ResiliencyMeter {
    return new ResiliencyMeter(this.#parts.metrics, { name: this.#name, namespace: this.#parts.namespace ?? '', flow_direction: direction, target });
  }

  #makeBreaker(policyName: string | undefined, target: string, meter: ResiliencyMeter): KeptBreaker | undefined {
    const policy = policyName === undefined ? undefined : this.#breakerPolicies.get(policyName);
    if (!policy) return undefined;
    const { clock, log } = this.#parts;
    let shown: CircuitState = 'closed';
    let forgotten = false;
    meter.breakerIsNow(shown);
    const onState = (state: CircuitState): void => {
      log.info({ policy: policyName, target, state }, `the circuit breaker of ${target} is now ${state}`);
      // Calls that began before still end in it.
      if (!forgotten) meter.breakerIsNow(state, shown);
      shown = state;
    };
    const breaker = compileTripRule(policy.trip).then(
      (trips) => new CircuitBreaker(policy, trips, clock, onState),
      (error: unknown) => {
        log.error({ policy: policyName }, `circuit breaker ${policyName} is not in force: ${messageOf(error)}`);
        return undefined;
      },
    );
    return {
      breaker,
      forget() {
        forgotten = true;
        meter.breakerGone(shown);
      },
    };
  }
}

function isNone({ timeout, retry, circuitBreaker }: PolicyNames): boolean {
  return timeout === undefined && retry === undefined && circuitBreaker === undefined;
}

function put<T>(into: Map<string, T>, entries: Readonly<Record<string, T>>): void {
  for (const [name, value] of Object.entries(entries)) into.set(name, value);
}
