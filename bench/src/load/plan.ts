/** What the process of the generator is told, and what it answers. All of it goes over Node's IPC as JSON. */
import type { Percentiles } from '../report/results.ts';

export interface HttpRequest {
  readonly kind: 'http';
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path with query; may hold `NUMBER`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** May hold `NUMBER`. */
  readonly body: string;
  /** Any other status counts as an error. */
  readonly status: number;
}

export interface GrpcRequest {
  readonly kind: 'grpc';
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The encoded message, base64; may hold `NUMBER`. */
  readonly message: string;
}

/** Which number each request carries. */
export interface Numbers {
  readonly from: number;
  readonly count: number;
  /** `random`: the same draw in every run. */
  readonly order: 'sequential' | 'random';
}

export type Mode =
  /** The next operation of a slot begins when its last one has ended. */
  | { readonly kind: 'closed'; readonly concurrency: number }
  /** Operations begin by the clock, whatever became of those before; latency counts from the moment an operation was due. */
  | { readonly kind: 'open'; readonly rate: number; readonly connections: number };

export interface Load {
  /** Loads of one label are counted together. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly request: HttpRequest | GrpcRequest;
  /** Asked with the same number once the first has been answered; the operation ends with its answer. */
  readonly next?: HttpRequest | GrpcRequest;
  readonly numbers: Numbers;
  readonly mode: Mode;
  /** `answer`: an operation ends with its response. `delivery`: when the event with its number has reached the app here. */
  readonly ends: 'answer' | 'delivery';
}

export interface AppPlan {
  readonly protocol: 'http' | 'grpc';
  readonly port: number;
  readonly pubsub: string;
  readonly topic: string;
}

export type Command =
  | { readonly type: 'app'; readonly app: AppPlan }
  | { readonly type: 'run'; readonly loads: readonly Load[]; readonly warmupMs: number; readonly durationMs: number; readonly drainMs?: number }
  | { readonly type: 'end' };

export interface LoadResult {
  readonly label: string;
  readonly seconds: number;
  readonly operations: number;
  readonly errors: number;
  /** The first error's words. */
  readonly firstError?: string;
  /** Operations whose event never came (counted when all had had their time to drain). */
  readonly lost: number;
  readonly duplicates: number;
  readonly latency: Percentiles;
  readonly distribution: readonly (readonly [percentile: number, milliseconds: number])[];
  /** How late the generator itself began operations that were due and had a free connection, p99, milliseconds. */
  readonly lagP99: number;
}

export type Answer =
  | { readonly type: 'ready' }
  /** Warm-up is over. */
  | { readonly type: 'measuring' }
  | { readonly type: 'measured' }
  | { readonly type: 'done'; readonly results: readonly LoadResult[]; readonly generator: { readonly cpuCores: number; readonly busy: number } }
  | { readonly type: 'failed'; readonly words: string };
