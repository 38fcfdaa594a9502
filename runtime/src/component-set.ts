/**
 * The live components of one sidecar: created from resources, connected with back-off for as long as it takes, looked
 * up by blocks, listed by metadata.
 *
 * Does not own: reading YAML, nor what a component does.
 */
import type { BindingOperations, Category, Ports } from '@mecha/components/kit';

export type InstanceState = 'connecting' | 'ready' | 'failed' | 'closed';

export interface InstanceStatus {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly state: InstanceState;
  /** Why it is not ready; undefined when it is. */
  readonly reason?: string;
  /** Milliseconds since the epoch of the last change of state. */
  readonly since: number;
  /** Names of what an output binding can be asked to do; absent where there is none, or it is not known yet. */
  readonly operations?: readonly string[];
}

export interface Instance<C extends Category> {
  readonly name: string;
  readonly type: string;
  readonly port: Ports[C];
  /** All metadata as text, resolved; for the names that the runtime itself reads (keyPrefix, scopes, outbox ...). */
  readonly metadata: Readonly<Record<string, string>>;
  readonly features: readonly string[];
  /** Of an output binding; empty as long as they are not known. */
  readonly operations: BindingOperations;
  readonly status: InstanceStatus;
  /** The metadata of this pub/sub component uses `{namespace}`: topics carry the namespace in front. */
  readonly namespaced: boolean;
}

/** What blocks see. */
export interface ComponentLookup {
  /** The instance, or undefined when there is none of that name; connected or not. */
  find<C extends Category>(category: C, name: string): Instance<C> | undefined;
  all<C extends Category>(category: C): readonly Instance<C>[];
  /** Rejects with 503 / UNAVAILABLE naming component and reason while it is not connected. */
  ready<C extends Category>(instance: Instance<C>): Ports[C];
  /** Calls back when an instance becomes ready (again), or stops being so. */
  onChange(listener: (status: InstanceStatus) => void): () => void;
}
