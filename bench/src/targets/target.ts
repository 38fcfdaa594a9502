/** What load is aimed at. */
export type Protocol = 'http' | 'grpc';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Target {
  /** `bare`, `memory`, `sqlite`, `redis`, `kafka`, `external`, ... */
  readonly variant: string;
  readonly http: Address;
  readonly grpc: Address;
  /** Processes whose CPU time and memory are sampled; empty = nothing is. */
  readonly pids: readonly number[];
  /** Inspector of the (first) process, where it was asked for. */
  readonly inspectUrl?: string;
  stop(): Promise<void>;
}

export function addressOf(target: Target, protocol: Protocol): Address {
  return target[protocol];
}
