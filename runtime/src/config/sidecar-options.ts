/**
 * All that one sidecar is told, after flags, environment and defaults were merged. `options.ts` declares where each
 * comes from; nobody else reads flags or `process.env`.
 */
import type { AppProtocol } from '../channel/channel.ts';
import type { LogLevel } from '../telemetry/log.ts';

export interface SidecarOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined = no app channel. */
  readonly appPort: number | undefined;
  readonly appProtocol: AppProtocol;
  readonly appChannelAddress: string;
  /** Calls into the app at a time; undefined = no limit. */
  readonly appMaxConcurrency: number | undefined;
  readonly appHealthCheck: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number; readonly threshold: number } | undefined;
  readonly disableInitEndpoints: readonly string[];
  /** 0 = a free port. */
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Addresses of the API servers; default loopback. */
  readonly listenAddresses: readonly string[];
  readonly publicPort: number | undefined;
  readonly publicListenAddress: string;
  /** Folder for API sockets instead of TCP ports. */
  readonly unixDomainSocket: string | undefined;
  /** Bytes; undefined = unlimited. */
  readonly maxBodyBytes: number | undefined;
  readonly readBufferBytes: number;
  readonly allowedOrigins: string;
  readonly apiLogging: boolean | undefined;
  /** Compared in constant time with `dapr-api-token`; undefined = no token asked. */
  readonly apiToken: string | undefined;
  /** Sent to the app as `dapr-api-token`. */
  readonly appApiToken: string | undefined;
  readonly resourcePaths: readonly string[];
  readonly configPaths: readonly string[];
  readonly strict: boolean;
  /** Milliseconds of draining at shutdown. */
  readonly gracefulShutdownMs: number;
  /** Milliseconds between stopping intake and the plain stop; undefined = none. */
  readonly blockShutdownMs: number | undefined;
  /** How long the app may take to say whether it wants an input binding. */
  readonly appBindingOptionsTimeoutMs: number;
  readonly logLevel: LogLevel;
  readonly logAsJson: boolean;
  /** Environment for envRef, `secretstores.local.env` and templates; a copy, per app. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What all sidecars of one process share. */
export interface HostOptions {
  readonly dataDir: string;
  /** `postgresql://…`, with its password: never to be shown. Undefined: a file in the data folder. */
  readonly ledger?: string | undefined;
  readonly metrics: { readonly enabled: boolean; readonly port: number; readonly listenAddress: string };
  readonly sidecars: readonly SidecarOptions[];
}
