/**
 * Resources after loading: validated documents with the place each came from, so that every complaint names file and
 * line. Secrets are not resolved here.
 */
import type { AppSubscription } from '../channel/channel.ts';

/** Where something was written. */
export interface Source {
  /** As the user gave it (relative stays relative); `<default>` for built-in resources. */
  readonly file: string;
  /** 1-based; 0 for built-in. */
  readonly line: number;
}

/** A metadata item before secrets and references are resolved. */
export interface MetadataItem {
  readonly name: string;
  /** Text form (components.md B.0); absent when a reference stands in its place. */
  readonly value?: string;
  readonly secretKeyRef?: { readonly name: string; readonly key: string };
  readonly envRef?: string;
  readonly source: Source;
  /** Where in the document it stands: `spec.metadata[2]`. */
  readonly field?: string;
}

export interface ComponentResource {
  readonly kind: 'Component';
  readonly name: string;
  /** Canonical type id (aliases resolved): `state.redis`. */
  readonly type: string;
  readonly version: string;
  readonly metadata: readonly MetadataItem[];
  readonly secretStore: string | undefined;
  readonly scopes: readonly string[];
  readonly namespace: string | undefined;
  readonly ignoreErrors: boolean;
  readonly initTimeoutMs: number;
  /** Annotation `mecha.dev/required: "true"`: the process ends when the backend cannot be reached in `initTimeoutMs`. */
  readonly required: boolean;
  readonly source: Source;
}

export interface SubscriptionResource {
  readonly kind: 'Subscription';
  readonly name: string;
  readonly subscription: AppSubscription;
  readonly scopes: readonly string[];
  readonly source: Source;
}

export interface RetryPolicy {
  readonly policy: 'constant' | 'exponential';
  /** Constant interval, milliseconds. */
  readonly durationMs: number;
  readonly maxIntervalMs: number;
  /** -1 = endless. */
  readonly maxRetries: number;
  readonly matching: { readonly httpStatusCodes: readonly (readonly [number, number])[]; readonly gRPCStatusCodes: readonly (readonly [number, number])[] } | undefined;
}
export interface CircuitBreakerPolicy {
  readonly maxRequests: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** CEL over requests, totalSuccesses, totalFailures, consecutiveSuccesses, consecutiveFailures. */
  readonly trip: string;
}
/** Names of policies; absent = none of that sort. */
export interface PolicyNames {
  readonly timeout?: string;
  readonly retry?: string;
  readonly circuitBreaker?: string;
}
export interface AppPolicyNames extends PolicyNames {
  /** How many breakers of the target, one per endpoint, are kept. */
  readonly circuitBreakerCacheSize?: number;
}
export interface ResiliencyResource {
  readonly kind: 'Resiliency';
  readonly name: string;
  readonly timeouts: Readonly<Record<string, number>>;
  readonly retries: Readonly<Record<string, RetryPolicy>>;
  readonly circuitBreakers: Readonly<Record<string, CircuitBreakerPolicy>>;
  readonly apps: Readonly<Record<string, AppPolicyNames>>;
  readonly components: Readonly<Record<string, { readonly inbound?: PolicyNames; readonly outbound?: PolicyNames }>>;
  readonly scopes: readonly string[];
  readonly source: Source;
}

/** PEM text, by value or from a secret store; `certificate` and `privateKey` come both or not at all. */
export interface HttpEndpointTls {
  readonly rootCA?: MetadataItem;
  readonly certificate?: MetadataItem;
  readonly privateKey?: MetadataItem;
  /** The endpoint may ask to negotiate anew (TLS 1.2). */
  readonly renegotiates: boolean;
}
export interface HttpEndpointResource {
  readonly kind: 'HTTPEndpoint';
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: readonly MetadataItem[];
  readonly clientTls: HttpEndpointTls | undefined;
  readonly secretStore: string | undefined;
  readonly scopes: readonly string[];
  readonly source: Source;
}

/** A state machine that is there from the start. */
export interface WorkflowResource {
  readonly kind: 'Workflow';
  readonly name: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  /** As it was written: JSON or YAML text. */
  readonly definition: string;
  readonly scopes: readonly string[];
  readonly source: Source;
}

export type Resource = ComponentResource | SubscriptionResource | ResiliencyResource | HttpEndpointResource | WorkflowResource;

/** What `--config` gives, defaults filled in; sections of later blocks join as they come. */
export interface Configuration {
  /** `spec.secrets.scopes`. */
  readonly secretScopes: readonly {
    readonly storeName: string;
    readonly defaultAccess: 'allow' | 'deny';
    readonly allowedSecrets: readonly string[];
    readonly deniedSecrets: readonly string[];
  }[];
  /** `spec.api`. */
  readonly api: { readonly allowed: readonly ApiRule[]; readonly denied: readonly ApiRule[] };
  /** `spec.components.deny`. */
  readonly deniedComponents: readonly string[];
  /** `spec.tracing.samplingRate` as a number 0..1. */
  readonly samplingRate: number;
  readonly apiLogging: { readonly enabled: boolean; readonly obfuscateURLs: boolean; readonly omitHealthChecks: boolean };
  readonly metricsEnabled: boolean;
  readonly features: Readonly<Record<string, boolean>>;
  /** `spec.workflow`. */
  readonly workflow: WorkflowConfiguration;
}
/** What is not said is as the engine has it. */
export interface WorkflowConfiguration {
  /** Turns, and activities, at once in this sidecar. */
  readonly turnsMax?: number;
  readonly activitiesMax?: number;
  readonly turnsPerName: Readonly<Record<string, number>>;
  readonly activitiesPerName: Readonly<Record<string, number>>;
  /** Milliseconds after its end that an instance is kept; absent: for ever. */
  readonly retention: { readonly completedMs?: number; readonly failedMs?: number; readonly terminatedMs?: number; readonly canceledMs?: number };
  readonly payloadBytesMax?: number;
  readonly historyBytesMax?: number;
}
export interface ApiRule {
  readonly name: string;
  readonly version: string;
  readonly protocol: string;
}

/** One complaint about a resource or configuration file. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly source: Source;
  /** `spec.metadata[2].name`, when one field is meant. */
  readonly field?: string;
  readonly message: string;
  /** The nearest right spelling. */
  readonly suggestion?: string;
}
