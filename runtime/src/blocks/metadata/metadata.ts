/** The metadata block: what this sidecar is, has and is doing, and the labels that tools stick on it. */
import type { AppSubscription } from '../../channel/channel.ts';
import type { InstanceStatus } from '../../component-set.ts';
import { errorTable } from '../../errors.ts';

export const errors = errorTable('metadata', {
  tooMany: {
    code: 'ERR_METADATA_FULL',
    kind: 'exhausted',
    make: (most: number) => ({ message: `the sidecar keeps at most ${most} extended metadata entries` }),
  },
  bodyRead: {
    code: 'ERR_BODY_READ',
    kind: 'invalid',
    make: (text: string) => ({ message: `failed to read request body: ${text}` }),
  },
});

export type SubscriptionType = 'DECLARATIVE' | 'PROGRAMMATIC' | 'STREAMING' | 'UNKNOWN';

export interface ActiveSubscription {
  readonly subscription: AppSubscription;
  readonly type: SubscriptionType;
}

export interface AppConnection {
  readonly port: number | undefined;
  readonly protocol: string;
  readonly channelAddress: string;
  readonly maxConcurrency: number | undefined;
  readonly health: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number; readonly threshold: number } | undefined;
}

/** A component, and how events come in where it is read. */
export interface ComponentView extends InstanceStatus {
  readonly input?: { readonly route: string; readonly state: string; readonly reason?: string };
}

export interface MetadataSnapshot {
  readonly id: string;
  readonly runtimeVersion: string;
  readonly enabledFeatures: readonly string[];
  readonly components: readonly ComponentView[];
  readonly extended: Readonly<Record<string, string>>;
  readonly subscriptions: readonly ActiveSubscription[];
  readonly httpEndpoints: readonly string[];
  readonly appConnection: AppConnection;
  readonly resiliencies: readonly string[];
  /** Streams of workflow workers. */
  readonly connectedWorkers: number;
}

export interface MetadataBlock {
  get(): MetadataSnapshot;
  /** An empty key changes nothing. In memory only. */
  set(key: string, value: string): void;
}

export interface MetadataBlockParts {
  readonly appId: string;
  /** The contract version that this sidecar speaks, as clients compare it. */
  readonly runtimeVersion: string;
  readonly enabledFeatures: readonly string[];
  readonly components: () => readonly ComponentView[];
  readonly subscriptions: () => readonly ActiveSubscription[];
  readonly httpEndpoints: readonly string[];
  readonly resiliencies: readonly string[];
  readonly appConnection: AppConnection;
  readonly connectedWorkers: () => number;
}

const ENTRIES_MAX = 1000;

export function createMetadataBlock(parts: MetadataBlockParts): MetadataBlock {
  const extended = new Map<string, string>([['daprRuntimeVersion', parts.runtimeVersion]]);
  return {
    get: () => ({
      id: parts.appId,
      runtimeVersion: parts.runtimeVersion,
      enabledFeatures: parts.enabledFeatures,
      components: parts.components(),
      extended: Object.fromEntries(extended),
      subscriptions: parts.subscriptions(),
      httpEndpoints: parts.httpEndpoints,
      appConnection: parts.appConnection,
      resiliencies: parts.resiliencies,
      connectedWorkers: parts.connectedWorkers(),
    }),
    set(key, value) {
      if (key === '') return;
      if (!extended.has(key) && extended.size >= ENTRIES_MAX) throw errors.tooMany(ENTRIES_MAX);
      extended.set(key, value);
    },
  };
}
