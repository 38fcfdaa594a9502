/**
 * The run file of several apps (behaviour.md 14.1; `mecha.yaml` or `dapr.yaml`): which apps, with which options, in which
 * order. Everything wrong in it is told with its line.
 */
import { access, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { nearest } from '@mecha/components/kit/nearest.ts';
import type { Problem } from './resource-types.ts';
import { Problems, readYaml, type YamlView } from './yaml-view.ts';

/** One app of the file: flags for its sidecar, and how to start it. */
export interface RunFileApp {
  readonly appId: string;
  readonly directory: string;
  /** Undefined: only the sidecar is started. */
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Flag -> value, as on the command line. */
  readonly flags: ReadonlyMap<string, string>;
  /** 0 = choose a free one; undefined = the app has no port. */
  readonly appPort: number | undefined;
  readonly dependsOn: readonly string[];
}

export interface RunFile {
  readonly path: string;
  /** In an order in which every app comes after those that it depends on. */
  readonly apps: readonly RunFileApp[];
  readonly problems: readonly Problem[];
}

const FILE_NAMES = ['mecha.yaml', 'mecha.yml', 'dapr.yaml', 'dapr.yml'];

/** Keys that say the same as a flag. */
export const RUN_FILE_FLAG_KEYS: Readonly<Record<string, string>> = {
  appProtocol: 'app-protocol',
  appChannelAddress: 'app-channel-address',
  daprHTTPPort: 'dapr-http-port',
  daprGRPCPort: 'dapr-grpc-port',
  daprInternalGRPCPort: 'dapr-internal-grpc-port',
  profilePort: 'profile-port',
  appHealthCheckPath: 'app-health-check-path',
  appHealthProbeInterval: 'app-health-probe-interval',
  appHealthProbeTimeout: 'app-health-probe-timeout',
  appHealthThreshold: 'app-health-threshold',
  enableAppHealthCheck: 'enable-app-health-check',
  apiListenAddresses: 'dapr-listen-addresses',
  unixDomainSocket: 'unix-domain-socket',
  enableProfiling: 'enable-profiling',
  enableApiLogging: 'enable-api-logging',
  logLevel: 'log-level',
  appMaxConcurrency: 'app-max-concurrency',
  appSSL: 'app-ssl',
  placementHostAddress: 'placement-host-address',
  schedulerHostAddress: 'scheduler-host-address',
  daprHTTPMaxRequestSize: 'dapr-http-max-request-size',
  daprHTTPReadBufferSize: 'dapr-http-read-buffer-size',
  daprMaxBodySize: 'max-body-size',
  daprReadBufferSize: 'read-buffer-size',
};
const COMMON_KEYS = ['resourcesPath', 'resourcesPaths', 'configFilePath', 'env', ...Object.keys(RUN_FILE_FLAG_KEYS)];
const APP_KEYS = [...COMMON_KEYS, 'appID', 'appDirPath', 'appPort', 'command', 'dependsOn', 'metricsPort', 'runtimePath'];
/** Known, and without effect. */
export const RUN_FILE_KEYS_WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  metricsPort: 'all apps of a process share one metrics port (--metrics-port)',
  runtimePath: 'the runtime is this process',
  appLogDestination: 'logs go to the console, each line with its app; redirect them',
  daprdLogDestination: 'logs go to the console, each line with its app; redirect them',
  containerImage: 'Kubernetes is not served',
  containerImagePullPolicy: 'Kubernetes is not served',
  createService: 'Kubernetes is not served',
};

/** `path`: a file, or a folder that holds one. */
export async function readRunFile(path: string): Promise<RunFile> {
  const problems = new Problems();
  const file = await findFile(path, problems);
  const [document] = file === undefined ? [] : await readYaml(file, problems);
  if (file === undefined || !document) {
    if (problems.list.length === 0) problems.error({ file: path, line: 0 }, 'is empty; a run file needs version and apps');
    return { path: file ?? path, apps: [], problems: problems.list };
  }
  document.allow(['version', 'common', 'apps']);
  const version = document.get('version');
  if (version?.integer() !== 1) (version ?? document).error('a run file needs version: 1');
  const folder = resolve(file, '..');
  const common = document.get('common');
  common?.allow([...COMMON_KEYS, ...Object.keys(RUN_FILE_KEYS_WITHOUT_EFFECT)]);
  const apps = document.get('apps');
  if (!apps) document.error('a run file needs apps');
  const views = apps?.items() ?? [];
  const read: { app: RunFileApp; view: YamlView }[] = [];
  for (const view of views) {
    const app = await readApp(view, common, folder);
    if (!app) continue;
    if (read.some((other) => other.app.appId === app.appId)) view.error(`there are two apps with appID ${app.appId}`);
    else read.push({ app, view });
  }
  return { path: file, apps: inOrder(read), problems: problems.list };
}

async function findFile(path: string, problems: Problems): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) return path;
  } catch {
    problems.error({ file: path, line: 0 }, 'there is no such file or folder');
    return undefined;
  }
  for (const name of FILE_NAMES) {
    const file = join(path, name);
    if (await exists(file)) return file;
  }
  problems.error({ file: path, line: 0 }, `the folder holds no run file (${FILE_NAMES.join(', ')})`);
  return undefined;
}

async function readApp(view: YamlView, common: YamlView | undefined, folder: string): Promise<RunFileApp | undefined> {
  if (!view.isMap()) {
    view.error('an app must be a map');
    return undefined;
  }
  view.allow([...APP_KEYS, ...Object.keys(RUN_FILE_KEYS_WITHOUT_EFFECT)]);
  for (const [key, reason] of Object.entries(RUN_FILE_KEYS_WITHOUT_EFFECT)) {
    for (const place of [view, common]) place?.get(key)?.warning(`${key} has no effect: ${reason}`);
  }
  const written = view.get('appDirPath')?.text();
  if (!written) {
    view.error('an app needs appDirPath');
    return undefined;
  }
  const directory = under(folder, written);
  if (!(await exists(directory))) view.get('appDirPath')?.error(`there is no folder ${directory}`);
  const appId = view.get('appID')?.text() ?? basename(directory);

  const flags = new Map<string, string>();
  for (const [key, flag] of Object.entries(RUN_FILE_FLAG_KEYS)) {
    const text = (view.get(key) ?? common?.get(key))?.text();
    if (text !== undefined) flags.set(flag, text);
  }
  const resources = [...paths(common, folder), ...paths(view, directory)];
  if (resources.length > 0) flags.set('resources-path', resources.join(','));
  else if (await exists(join(directory, '.dapr/resources'))) flags.set('resources-path', join(directory, '.dapr/resources'));
  const config = configPath(view, directory) ?? configPath(common, folder);
  if (config !== undefined && (await exists(config))) flags.set('config', config);

  const command = view.get('command')?.texts();
  return {
    appId,
    directory,
    command: command && command.length > 0 ? command : undefined,
    env: { ...common?.get('env')?.textMap(), ...view.get('env')?.textMap() },
    flags,
    appPort: view.get('appPort')?.integer(),
    dependsOn: view.get('dependsOn')?.texts() ?? [],
  };
}

/** `resourcesPaths` may be a list, or a text with commas; `resourcesPath` is its older form. */
function paths(view: YamlView | undefined, base: string): string[] {
  const plural = view?.get('resourcesPaths');
  const texts = plural ? (plural.isSequence() ? plural.texts() : (plural.text() ?? '').split(',')) : [view?.get('resourcesPath')?.text() ?? ''];
  return texts.map((text) => text.trim()).filter((text) => text !== '').map((text) => under(base, text));
}

function configPath(view: YamlView | undefined, base: string): string | undefined {
  const text = view?.get('configFilePath')?.text();
  return text ? under(base, text) : undefined;
}

function under(base: string, path: string): string {
  return isAbsolute(path) ? path : resolve(base, path);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Dependencies first, otherwise as written; unknown ids and circles are told where they stand. */
function inOrder(read: readonly { app: RunFileApp; view: YamlView }[]): RunFileApp[] {
  const byId = new Map(read.map((entry) => [entry.app.appId, entry]));
  const ordered: RunFileApp[] = [];
  const state = new Map<string, 'visiting' | 'done'>();
  function visit(appId: string, trail: readonly string[]): void {
    const entry = byId.get(appId);
    if (!entry || state.get(appId) === 'done') return;
    if (state.get(appId) === 'visiting') {
      const circle = [...trail.slice(trail.indexOf(appId)), appId];
      (entry.view.get('dependsOn') ?? entry.view).error(`these apps wait for one another: ${circle.join(' -> ')}`);
      return;
    }
    state.set(appId, 'visiting');
    for (const needed of entry.app.dependsOn) {
      if (!byId.has(needed)) (entry.view.get('dependsOn') ?? entry.view).error(`there is no app ${needed} in this file`, nearest(needed, byId.keys()));
      visit(needed, [...trail, appId]);
    }
    state.set(appId, 'done');
    ordered.push(entry.app);
  }
  for (const { app } of read) visit(app.appId, []);
  return ordered;
}
