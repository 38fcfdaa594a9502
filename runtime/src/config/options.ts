/**
 * One schema of everything that a sidecar can be told on the command line or by environment: names, defaults, words.
 * Flags are daprd's (http-api.md 19), and a few of our own. From this one table come parsing, help and the docs page.
 */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { parseDuration, parseQuantity } from '@mecha/components/kit/metadata.ts';
import type { AppProtocol } from '../channel/channel.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { HostOptions, SidecarOptions } from './sidecar-options.ts';

export interface OptionSpec {
  /** Flag without dashes. */
  readonly flag: string;
  readonly type: 'text' | 'integer' | 'boolean' | 'list' | 'size' | 'duration';
  readonly words: string;
  /** Placeholder in help: `PORT`. */
  readonly value?: string;
  readonly env?: string;
  readonly default?: string;
  readonly short?: string;
  readonly values?: readonly string[];
  /** Accepted for the sake of scripts written for others; says so and does nothing. */
  readonly noEffect?: string;
  readonly group: 'app' | 'servers' | 'resources' | 'limits' | 'health' | 'logs' | 'process' | 'accepted';
}

const CONTROL_PLANE = 'Mecha has no control plane';

export const SIDECAR_OPTIONS: readonly OptionSpec[] = [
  { flag: 'app-id', type: 'text', value: 'ID', env: 'APP_ID', short: 'a', group: 'app', words: 'Id of the app; others call it by this name, and its state is kept under it' },
  { flag: 'app-port', type: 'integer', value: 'PORT', env: 'APP_PORT', short: 'p', group: 'app', words: 'Port on which the app listens; without it there is no way back into an app' },
  { flag: 'app-protocol', type: 'text', value: 'PROTOCOL', env: 'APP_PROTOCOL', short: 'P', default: 'http', values: ['http', 'https', 'grpc', 'grpcs', 'h2c'], group: 'app', words: 'What the app speaks' },
  { flag: 'app-channel-address', type: 'text', value: 'HOST', env: 'APP_CHANNEL_ADDRESS', default: '127.0.0.1', group: 'app', words: 'Host on which the app listens' },
  { flag: 'app-max-concurrency', type: 'integer', value: 'N', default: '-1', group: 'app', words: 'Calls into the app at a time; 0 or less = no limit' },
  { flag: 'app-ssl', type: 'boolean', group: 'app', words: 'Older way to say https or grpcs' },
  { flag: 'app-binding-options-timeout', type: 'duration', value: 'DURATION', default: '3s', group: 'app', words: 'How long the app may take to say whether it wants an input binding, before it is asked again' },
  { flag: 'disable-init-endpoints', type: 'list', value: 'NAMES', group: 'app', words: 'Do not ask the app for these: config, subscribe' },
  { flag: 'enable-app-health-check', type: 'boolean', group: 'health', words: 'Probe the app, and leave it alone while it is unhealthy' },
  { flag: 'app-health-check-path', type: 'text', value: 'PATH', default: '/healthz', group: 'health', words: 'Path that the probe asks for' },
  { flag: 'app-health-probe-interval', type: 'integer', value: 'SECONDS', default: '5', group: 'health', words: 'Seconds between probes' },
  { flag: 'app-health-probe-timeout', type: 'integer', value: 'MS', default: '500', group: 'health', words: 'Milliseconds that a probe may take' },
  { flag: 'app-health-threshold', type: 'integer', value: 'N', default: '3', group: 'health', words: 'Failures in a row that make the app unhealthy' },
  { flag: 'dapr-http-port', type: 'integer', value: 'PORT', short: 'H', default: '3500', group: 'servers', words: 'Port of the HTTP API; 0 = any free one' },
  { flag: 'dapr-grpc-port', type: 'integer', value: 'PORT', short: 'G', default: '50001', group: 'servers', words: 'Port of the gRPC API; 0 = any free one' },
  { flag: 'dapr-listen-addresses', type: 'list', value: 'HOSTS', default: '127.0.0.1', group: 'servers', words: 'Addresses of both APIs' },
  { flag: 'dapr-public-port', type: 'integer', value: 'PORT', group: 'servers', words: 'Port that serves health and metadata only, without a token' },
  { flag: 'dapr-public-listen-address', type: 'text', value: 'HOST', group: 'servers', words: 'Address of the public port; loopback unless --mode kubernetes' },
  { flag: 'unix-domain-socket', type: 'text', value: 'DIR', short: 'u', group: 'servers', words: 'Serve both APIs on sockets in this folder instead of on ports' },
  { flag: 'allowed-origins', type: 'text', value: 'ORIGINS', default: '', group: 'servers', words: 'Origins of web pages that may call the HTTP API; empty = none' },
  { flag: 'enable-metrics', type: 'boolean', default: 'true', group: 'servers', words: 'Serve Prometheus metrics' },
  { flag: 'metrics-port', type: 'integer', value: 'PORT', short: 'M', default: '9090', group: 'servers', words: 'Port of the metrics; 0 = any free one' },
  { flag: 'metrics-listen-address', type: 'text', value: 'HOST', group: 'servers', words: 'Address of the metrics port; loopback unless --mode kubernetes' },
  { flag: 'mode', type: 'text', value: 'MODE', default: 'standalone', values: ['standalone', 'kubernetes'], group: 'servers', words: 'kubernetes opens public and metrics ports on all interfaces; the APIs stay on loopback' },
  { flag: 'resources-path', type: 'list', value: 'DIR', short: 'd', group: 'resources', words: 'Folder of resource YAML; may be repeated' },
  { flag: 'components-path', type: 'text', value: 'DIR', group: 'resources', words: 'Older name of --resources-path' },
  { flag: 'config', type: 'list', value: 'FILE', short: 'c', group: 'resources', words: 'Configuration YAML; may be repeated, later files win' },
  { flag: 'strict', type: 'boolean', group: 'resources', words: 'Unknown metadata names are errors, not warnings' },
  { flag: 'data-dir', type: 'text', value: 'DIR', env: 'MECHA_DATA_DIR', default: '~/.mecha', group: 'resources', words: 'Folder of all durable data; apps that share it find each other' },
  { flag: 'ledger', type: 'text', value: 'URL', env: 'MECHA_LEDGER', group: 'resources', words: 'PostgreSQL database for all durable data, shared by sidecars of many hosts: postgresql://user:password@host/database' },
  { flag: 'max-body-size', type: 'size', value: 'SIZE', default: '4Mi', group: 'limits', words: 'Largest request body; 0 = no limit' },
  { flag: 'read-buffer-size', type: 'size', value: 'SIZE', default: '4Ki', group: 'limits', words: 'Size of request headers' },
  { flag: 'dapr-http-max-request-size', type: 'integer', value: 'MB', group: 'limits', words: 'Older form of --max-body-size' },
  { flag: 'dapr-http-read-buffer-size', type: 'integer', value: 'KB', group: 'limits', words: 'Older form of --read-buffer-size' },
  { flag: 'dapr-graceful-shutdown-seconds', type: 'integer', value: 'SECONDS', default: '5', group: 'process', words: 'Time for work under way at shutdown' },
  { flag: 'dapr-block-shutdown-duration', type: 'duration', value: 'DURATION', group: 'process', words: 'Time between the end of intake and the shutdown proper, with the APIs still up' },
  { flag: 'log-level', type: 'text', value: 'LEVEL', default: 'info', values: ['debug', 'info', 'warn', 'error', 'fatal'], group: 'logs', words: 'Least level that is logged' },
  { flag: 'log-as-json', type: 'boolean', group: 'logs', words: 'One JSON object a line' },
  { flag: 'enable-api-logging', type: 'boolean', group: 'logs', words: 'One line for each API call' },
  { flag: 'dapr-internal-grpc-port', type: 'integer', value: 'PORT', group: 'accepted', words: '', noEffect: 'sidecars of a host reach each other over a Unix socket' },
  { flag: 'dapr-internal-grpc-listen-address', type: 'text', value: 'HOST', group: 'accepted', words: '', noEffect: 'sidecars of a host reach each other over a Unix socket' },
  { flag: 'enable-profiling', type: 'boolean', group: 'accepted', words: '', noEffect: 'profiling is not served yet' },
  { flag: 'profile-port', type: 'integer', value: 'PORT', group: 'accepted', words: '', noEffect: 'profiling is not served yet' },
  { flag: 'log-file', type: 'text', value: 'FILE', group: 'accepted', words: '', noEffect: 'logs go to standard output; redirect it' },
  { flag: 'hot-reload-reconcile-interval', type: 'duration', value: 'DURATION', group: 'accepted', words: '', noEffect: 'resources are not reloaded yet' },
  { flag: 'enable-mtls', type: 'boolean', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'control-plane-address', type: 'text', value: 'HOST', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'control-plane-trust-domain', type: 'text', value: 'DOMAIN', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'control-plane-namespace', type: 'text', value: 'NAME', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'sentry-address', type: 'text', value: 'HOST', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'sentry-request-jwt-audiences', type: 'list', value: 'NAMES', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'placement-host-address', type: 'text', value: 'HOST', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'scheduler-host-address', type: 'list', value: 'HOST', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'scheduler-job-streams', type: 'integer', value: 'N', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'actors-disseminate-timeout', type: 'duration', value: 'DURATION', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'actors-service', type: 'text', value: 'SERVICE', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'reminders-service', type: 'text', value: 'SERVICE', group: 'accepted', words: '', noEffect: CONTROL_PLANE },
  { flag: 'disable-builtin-k8s-secret-store', type: 'boolean', group: 'accepted', words: '', noEffect: 'there is no built-in Kubernetes secret store' },
];

/** Something the user wrote that cannot be: shown without a stack. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export interface ParsedFlags {
  /** Values by flag, lists joined by a comma; only what was given. */
  readonly values: ReadonlyMap<string, string>;
  /** Words that are no flags, in order. */
  readonly words: readonly string[];
  /** Everything behind `--`. */
  readonly rest: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads flags by the table: one dash or two, `=` or a blank, repeated lists; unknown ones are errors with a suggestion. */
export function parseFlags(argv: readonly string[], specs: readonly OptionSpec[], command: string): ParsedFlags {
  const byName = new Map<string, OptionSpec>();
  for (const spec of specs) {
    byName.set(spec.flag, spec);
    if (spec.short) byName.set(spec.short, spec);
  }
  const values = new Map<string, string>();
  const words: string[] = [];
  const warnings: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') break;
    if (!argument.startsWith('-') || argument === '-' || /^-\d/.test(argument)) {
      words.push(argument);
      continue;
    }
    const body = argument.replace(/^--?/, '');
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const spec = byName.get(name);
    if (!spec) {
      const meant = nearest(name, specs.map(({ flag }) => flag));
      throw new UsageError(`unknown flag ${argument.slice(0, 80)}${meant ? `; did you mean --${meant}?` : ''} (mecha ${command} --help lists all)`);
    }
    let value: string;
    if (equals >= 0) value = body.slice(equals + 1);
    else if (spec.type === 'boolean') value = /^(true|false)$/.test(argv[index + 1] ?? '') ? (argv[++index] ?? '') : 'true';
    else {
      const next = argv[++index];
      if (next === undefined) throw new UsageError(`flag --${spec.flag} needs a value`);
      value = next;
    }
    // Scripts pass on variables that may be empty: nothing given is nothing said.
    if (value === '' && spec.type !== 'text' && spec.type !== 'list') continue;
    checkValue(spec, value, `flag --${spec.flag}`);
    if (spec.noEffect !== undefined) warnings.push(`flag --${spec.flag} has no effect: ${spec.noEffect}`);
    const before = values.get(spec.flag);
    values.set(spec.flag, spec.type === 'list' && before !== undefined ? `${before},${value}` : value);
  }
  return { values, words, rest: argv.slice(index + 1), warnings };
}

function checkValue(spec: OptionSpec, value: string, where: string): void {
  const problem = valueProblem(spec, value);
  if (problem) throw new UsageError(`${where} ${problem.message}${problem.suggestion ? `; did you mean ${problem.suggestion}?` : ''}`);
}

/** What is wrong with a value of this option, as the end of a sentence; undefined when it is right. */
export function valueProblem(spec: OptionSpec, value: string): { readonly message: string; readonly suggestion?: string | undefined } | undefined {
  const takes = (what: string, suggestion?: string) => ({ message: `takes ${what}, not '${value}'`, suggestion });
  if (spec.values && !spec.values.includes(value)) return takes(`one of ${spec.values.join(', ')}`, nearest(value, spec.values));
  switch (spec.type) {
    case 'integer':
      if (!/^[+-]?\d+$/.test(value)) return takes('a whole number');
      return spec.flag.endsWith('port') && !(Number(value) >= 0 && Number(value) <= 65_535) ? takes('a port from 0 to 65535') : undefined;
    case 'boolean':
      return /^(true|false|1|0|t|f)$/i.test(value) ? undefined : takes('true or false');
    case 'size':
      return parseQuantity(value) === undefined ? takes('a size such as 4Mi') : undefined;
    case 'duration':
      return parseDuration(value) === undefined ? takes('a duration such as 10s') : undefined;
    case 'text':
    case 'list':
      return undefined;
  }
}

/** Flag, else environment, else default; typed access to the one table. */
export class OptionValues {
  readonly #given: ReadonlyMap<string, string>;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(given: ReadonlyMap<string, string>, env: Readonly<Record<string, string | undefined>>) {
    this.#given = given;
    this.#env = env;
  }

  given(flag: string): boolean {
    return this.#given.has(flag);
  }
  text(flag: string): string | undefined {
    const given = this.#given.get(flag);
    if (given !== undefined) return given;
    const spec = SIDECAR_OPTIONS.find((entry) => entry.flag === flag);
    const fromEnv = spec?.env === undefined ? undefined : this.#env[spec.env];
    if (spec && fromEnv !== undefined && fromEnv !== '') {
      checkValue(spec, fromEnv, `environment variable ${spec.env}`);
      return fromEnv;
    }
    return spec?.default;
  }
  integer(flag: string): number | undefined {
    const text = this.text(flag);
    return text === undefined || text === '' ? undefined : Number(text);
  }
  boolean(flag: string): boolean | undefined {
    const text = this.text(flag);
    return text === undefined ? undefined : /^(true|1|t)$/i.test(text);
  }
  list(flag: string): string[] {
    return (this.text(flag) ?? '').split(',').map((item) => item.trim()).filter((item) => item !== '');
  }
  bytes(flag: string): number | undefined {
    const text = this.text(flag);
    return text === undefined ? undefined : parseQuantity(text);
  }
  ms(flag: string): number | undefined {
    const text = this.text(flag);
    return text === undefined ? undefined : parseDuration(text);
  }
}

const MB = 1024 * 1024;
const APP_ID = /^[^./\\%?#\s|@:]{1,256}$/u;

/** What is wrong with an app's id; undefined when it is right. */
export function appIdProblem(appId: string): string | undefined {
  return APP_ID.test(appId) ? undefined : `takes a name without dots, slashes, blanks and the like, not '${appId}'`;
}

/** One sidecar's options. Throws `UsageError`. */
export function sidecarOptions(values: OptionValues, env: Readonly<Record<string, string | undefined>>): SidecarOptions {
  const appId = values.text('app-id') ?? '';
  if (appId === '') throw new UsageError('a sidecar needs --app-id');
  const wrongId = appIdProblem(appId);
  if (wrongId) throw new UsageError(`--app-id ${wrongId}`);
  const appPort = values.integer('app-port') || undefined;
  const httpPort = values.integer('dapr-http-port') ?? 0;
  const grpcPort = values.integer('dapr-grpc-port') ?? 0;
  for (const [flag, port] of [['dapr-http-port', httpPort], ['dapr-grpc-port', grpcPort]] as const) {
    if (appPort !== undefined && port === appPort) throw new UsageError(`--app-port and --${flag} are both ${appPort}; they must differ`);
  }
  if (httpPort !== 0 && httpPort === grpcPort) throw new UsageError(`--dapr-http-port and --dapr-grpc-port are both ${httpPort}; they must differ`);
  const kubernetes = values.text('mode') === 'kubernetes';
  const intervalMs = positive(values.integer('app-health-probe-interval'), 5) * 1000;
  const timeoutMs = positive(values.integer('app-health-probe-timeout'), 500);
  if (timeoutMs > intervalMs) throw new UsageError('--app-health-probe-timeout (milliseconds) must not exceed --app-health-probe-interval (seconds)');
  const concurrency = values.integer('app-max-concurrency') ?? -1;
  const shutdownSeconds = values.integer('dapr-graceful-shutdown-seconds') ?? 5;
  const resourcePaths = values.list('resources-path');
  const olderPath = values.text('components-path');
  return {
    appId,
    namespace: env['NAMESPACE'] || 'default',
    appPort,
    appProtocol: protocolOf(values),
    appChannelAddress: values.text('app-channel-address') ?? '127.0.0.1',
    appMaxConcurrency: concurrency > 0 ? concurrency : undefined,
    appHealthCheck: values.boolean('enable-app-health-check')
      ? { path: values.text('app-health-check-path') ?? '/healthz', intervalMs, timeoutMs, threshold: positive(values.integer('app-health-threshold'), 3) }
      : undefined,
    disableInitEndpoints: values.list('disable-init-endpoints'),
    httpPort,
    grpcPort,
    listenAddresses: addressesOf(values),
    publicPort: values.integer('dapr-public-port') ?? (kubernetes ? 3501 : undefined),
    publicListenAddress: values.text('dapr-public-listen-address') || (kubernetes ? '0.0.0.0' : '127.0.0.1'),
    unixDomainSocket: values.text('unix-domain-socket') || undefined,
    maxBodyBytes: maxBodyBytes(values),
    readBufferBytes: values.given('dapr-http-read-buffer-size') && !values.given('read-buffer-size') ? (values.integer('dapr-http-read-buffer-size') ?? 4) * 1024 : values.bytes('read-buffer-size') || MB,
    allowedOrigins: values.text('allowed-origins') ?? '',
    apiLogging: values.boolean('enable-api-logging'),
    apiToken: env['DAPR_API_TOKEN'] || undefined,
    appApiToken: env['APP_API_TOKEN'] || undefined,
    resourcePaths: (resourcePaths.length > 0 ? resourcePaths : olderPath ? [olderPath] : []).map((path) => underHome(path, env)),
    configPaths: values.list('config').map((path) => underHome(path, env)),
    strict: values.boolean('strict') ?? false,
    gracefulShutdownMs: shutdownSeconds > 0 ? shutdownSeconds * 1000 : 2 ** 31 - 1,
    blockShutdownMs: values.ms('dapr-block-shutdown-duration'),
    appBindingOptionsTimeoutMs: values.ms('app-binding-options-timeout') ?? 3000,
    logLevel: (values.text('log-level') ?? 'info') as LogLevel,
    logAsJson: values.boolean('log-as-json') ?? false,
    // What the sidecar of the field puts into its own environment, where components may refer to it.
    env: { ...env, APP_ID: appId, ...(appPort === undefined ? {} : { APP_PORT: String(appPort) }) },
  };
}

function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? value : otherwise;
}

/** IPv6 may stand in brackets; nothing at all is still loopback, never everything. */
function addressesOf(values: OptionValues): string[] {
  const addresses = values.list('dapr-listen-addresses').map((address) => address.replace(/^\[(.*)\]$/, '$1'));
  return addresses.length > 0 ? addresses : ['127.0.0.1'];
}

function protocolOf(values: OptionValues): AppProtocol {
  const protocol = (values.text('app-protocol') ?? 'http') as AppProtocol;
  if (!values.boolean('app-ssl')) return protocol;
  return protocol === 'http' ? 'https' : protocol === 'grpc' ? 'grpcs' : protocol;
}

/** 0 or less = no limit, exactly -1 = the default (http-api.md 1.3). */
function maxBodyBytes(values: OptionValues): number | undefined {
  const older = values.given('dapr-http-max-request-size') && !values.given('max-body-size');
  const bytes = older ? (values.integer('dapr-http-max-request-size') ?? 4) * MB : (values.bytes('max-body-size') ?? 4 * MB);
  if (bytes === -1 || (older && bytes === -MB)) return 4 * MB;
  return bytes > 0 ? bytes : undefined;
}

/** What the process as a whole is told. */
export function hostOptions(values: OptionValues, env: Readonly<Record<string, string | undefined>>, sidecars: readonly SidecarOptions[]): HostOptions {
  const kubernetes = values.text('mode') === 'kubernetes';
  return {
    dataDir: dataDirOf(values, env),
    ledger: ledgerOf(values),
    metrics: {
      enabled: values.boolean('enable-metrics') ?? true,
      port: values.integer('metrics-port') ?? 9090,
      listenAddress: values.text('metrics-listen-address') || (kubernetes ? '0.0.0.0' : '127.0.0.1'),
    },
    sidecars,
  };
}

/** What is wrong is said without the address: it may hold a password. */
function ledgerOf(values: OptionValues): string | undefined {
  const text = values.text('ledger') || undefined;
  if (text !== undefined && !/^postgres(ql)?:\/\/./.test(text)) throw new UsageError('--ledger (MECHA_LEDGER) takes the address of a PostgreSQL database: postgresql://user:password@host:5432/database');
  return text;
}

/** Absolute, because apps with working folders of their own must mean the same one; `~` is the user's home. */
export function dataDirOf(values: OptionValues, env: Readonly<Record<string, string | undefined>>): string {
  const text = values.text('data-dir') || '~/.mecha';
  return resolve(underHome(text, env));
}

/** `~` and `~/x` in the user's home; every other path as it is. */
export function underHome(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return path === '~' || path.startsWith('~/') ? `${env['HOME'] || env['USERPROFILE'] || homedir()}${path.slice(1)}` : path;
}
