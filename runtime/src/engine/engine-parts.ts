/** What the engine is built from, and the constants of its behaviour. Time, randomness and ids are ports: a simulation turns them. */
import type { Clock, Ledger } from '@mecha/components/kit';
import type { ConcurrencyLimits } from './limits.ts';

export interface EngineLog {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Milliseconds after its end that an instance is kept, by how it ended; absent: for ever. */
export interface RetentionPolicy {
  readonly completedMs?: number;
  readonly failedMs?: number;
  readonly terminatedMs?: number;
  readonly canceledMs?: number;
}

export interface EngineSettings {
  /** Turns given out at once, in this process. */
  readonly turns: ConcurrencyLimits;
  /** Activities run at once, in this process. */
  readonly activities: ConcurrencyLimits;
  /** Of one input, result, event or status. */
  readonly payloadBytesMax: number;
  /** Of a history with all that it names: past it the instance is stalled, and what is unread waits. A turn is given half of it at most. */
  readonly historyBytesMax: number;
  /** Of histories and snapshots kept in memory. */
  readonly memoryBytesMax: number;
  readonly memoryInstancesMax: number;
  /** A turn without an answer for this long is given out again. */
  readonly turnTimeoutMs: number;
  readonly leaseMs: number;
  /** The fallback for wake-ups that were lost. */
  readonly pollMs: number;
  /** Failures of a turn in a row after which an instance is stalled. */
  readonly turnFailuresMax: number;
  /** Between tries of a stalled instance. */
  readonly stalledRestMs: number;
  /** From this many events on, an instance is warned about. */
  readonly historyWarnEvents: number;
  readonly retention: RetentionPolicy;
}

export const DEFAULT_SETTINGS: EngineSettings = {
  turns: { max: 1000 },
  activities: { max: 1000 },
  payloadBytesMax: 64 * 1024 * 1024,
  historyBytesMax: 256 * 1024 * 1024,
  memoryBytesMax: 64 * 1024 * 1024,
  memoryInstancesMax: 20_000,
  turnTimeoutMs: 300_000,
  leaseMs: 15_000,
  pollMs: 5000,
  turnFailuresMax: 5,
  stalledRestMs: 300_000,
  historyWarnEvents: 10_000,
  retention: {},
};

export interface EngineParts {
  readonly appId: string;
  /** Without a slash: `namespace/app id` names an app in the ledger. */
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** 0 <= x < 1. */
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: EngineLog;
  readonly settings?: Partial<EngineSettings>;
  readonly metrics?: EngineMetricsPort;
}

/** Where counts go: names without a prefix, times in milliseconds. */
export interface EngineMetricsPort {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  observe(name: string, labels: Readonly<Record<string, string>>, ms: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
}

export function appOf(namespace: string, appId: string): string {
  if (namespace.includes('/')) throw new RangeError(`a namespace has no slash: ${namespace}`);
  return `${namespace}/${appId}`;
}
