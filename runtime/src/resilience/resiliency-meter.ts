/**
 * What policies tell of themselves, per target and direction (behaviour.md 11.2): how often each sort was in force, how often it
 * did something, and the state of breakers.
 *
 * A target may have many breakers, one per endpoint. The gauge shows the worst state that one of them is in, so that a call to a
 * healthy endpoint does not hide a broken one.
 */
import type { Metrics } from '../telemetry/metrics.ts';
import type { CircuitState } from './circuit-breaker.ts';

export type PolicySort = 'timeout' | 'retry' | 'circuitbreaker';

const STATES = ['open', 'half-open', 'closed'] as const;

export interface MeterLabels {
  /** Of the resource that was loaded last. */
  readonly name: string;
  readonly namespace: string;
  readonly flow_direction: 'inbound' | 'outbound';
  /** `app_<id>` or `<Kind>_<component>`. */
  readonly target: string;
}

export class ResiliencyMeter {
  readonly #metrics: Metrics;
  readonly #labels: MeterLabels;
  readonly #breakersIn = { open: 0, 'half-open': 0, closed: 0 };

  constructor(metrics: Metrics, labels: MeterLabels) {
    this.#metrics = metrics;
    this.#labels = labels;
  }

  /** A policy is in force for a call; a breaker adds its state. */
  used(policy: PolicySort, status = ''): void {
    this.#metrics.count('resiliency_count', { ...this.#labels, policy, status });
  }

  /** A policy did something: cut an attempt off, began another one, changed its state. */
  activated(policy: PolicySort, status = ''): void {
    this.#metrics.count('resiliency_activations_total', { ...this.#labels, policy, status });
  }

  breakerIsNow(state: CircuitState, before?: CircuitState): void {
    if (before) this.#breakersIn[before] -= 1;
    this.#breakersIn[state] += 1;
    if (before) this.activated('circuitbreaker', state);
    this.#show();
  }

  /** A breaker was forgotten. */
  breakerGone(state: CircuitState): void {
    this.#breakersIn[state] -= 1;
    this.#show();
  }

  #show(): void {
    const shown = STATES.find((state) => this.#breakersIn[state] > 0) ?? 'unknown';
    for (const status of [...STATES, 'unknown']) {
      this.#metrics.gauge('resiliency_cb_state', { ...this.#labels, policy: 'circuitbreaker', status }, status === shown ? 1 : 0);
    }
  }
}
