/**
 * The run file of several apps (behaviour.md 14.1; `mecha.yaml` or `dapr.yaml`): which apps, with which options, in which
 * order. Everything wrong in it is told with its line.
 */
import { access, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { nearest } from '@mecha/components/kit/nearest.ts';
import { SIDECAR_OPTIONS, appIdProblem, underHome, valueProblem } from './options.ts';
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

/** More sidecars than one process should carry. */
const APPS_MAX = 200;
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

type Environment = Readonly<Record<string, string | undefined>>;

/** Where relative paths of a part of the file begin, and what `~` is. */
interface Base {
  readonly folder: string;
  readonly env: Environment;
}

/** `path`: a file, or a folder that holds one. `env` says where the user's home is. */
export async function readRunFile(path: string, env: Environment = {}): Promise<RunFile> {
  const problems = new Problems();
  const file = await findFile(path, problems);
  const [document] = file === undefined ? [] : await readYaml(file, problems);
  if (file === undefined || !document) {
    if (problems.list.length === 0) problems.error({ file: file ?? path, line: 0 }, 'is empty; a run file needs version and apps');
    return { path: file ?? path, apps: [], problems: problems.list };
  }
  document.allow(['version', 'common', 'apps']);
  const version = document.get('version');
  if (version?.integer() !== 1) (version ?? document).error('a run file needs version: 1');
  const base = { folder: resolve(file, '..'), env };
  const common = document.get('common');
  common?.allow([...COMMON_KEYS, ...Object.keys(RUN_FILE_KEYS_WITHOUT_EFFECT)]);
  const apps = document.get('apps');
  if (!apps) document.error('a run file needs apps');
  const views = apps?.items() ?? [];
  if (views.length > APPS_MAX) apps?.error(`one process runs at most ${APPS_MAX} apps, and these are ${views.length}`);
  const read: { app: RunFileApp; view: YamlView }[] = [];
  for (const view of views.slice(0, APPS_MAX)) {
    const app = await readApp(view, common, base);
    if (!app) continue;
    if (read.some((other) => other.app.appId === app.appId)) view.error(`there are two apps with appID ${app.appId}`);
    else read.push({ app, view });
  }
  checkPorts(read);
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

async function readApp(view: YamlView, common: YamlView | undefined, base: Base): Promise<RunFileApp | undefined> {
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
  const directory = under(base, written);
  if (!(await exists(directory))) {
    view.get('appDirPath')?.error(`there is no folder ${directory}`);
    return undefined;
  }
  const appId = view.get('appID')?.text() ?? basename(directory);
  const wrongId = appIdProblem(appId);
  if (wrongId) (view.get('appID') ?? view).error(`appID ${wrongId}`);

  const own = { folder: directory, env: base.env };
  const flags = flagsOf(view, common);
  // The nearest to the app wins: what it names, else what lies in its folder, else what all have in common.
  const resources = (await pathsOf(view, own)) ?? (await existing(join(directory, '.dapr/resources'))) ?? (await pathsOf(common, base));
  if (resources) flags.set('resources-path', resources.join(','));
  const config = (await configPath(view, own)) ?? (await existing(join(directory, '.dapr/config.yaml'))) ?? (await configPath(common, base));
  if (config) flags.set('config', config.join(','));

  const appPort = view.get('appPort')?.text();
  return {
    appId,
    directory,
    command: commandOf(view.get('command')),
    env: { ...common?.get('env')?.textMap(), ...view.get('env')?.textMap() },
    flags,
    appPort: appPort !== undefined && isRight(view.get('appPort'), 'app-port', appPort) ? Number(appPort) : undefined,
    dependsOn: view.get('dependsOn')?.texts() ?? [],
  };
}

/** Keys that are flags by another name, the app's before those that all have in common. */
function flagsOf(view: YamlView, common: YamlView | undefined): Map<string, string> {
  const flags = new Map<string, string>();
  for (const [key, flag] of Object.entries(RUN_FILE_FLAG_KEYS)) {
    const place = view.get(key) ?? common?.get(key);
    const text = place?.text();
    if (!place || !text || !isRight(place, flag, text)) continue;
    const noEffect = SIDECAR_OPTIONS.find((spec) => spec.flag === flag)?.noEffect;
    if (noEffect === undefined) flags.set(flag, text);
    else place.warning(`${key} has no effect: ${noEffect}`);
  }
  return flags;
}

function isRight(place: YamlView | undefined, flag: string, text: string): boolean {
  const spec = SIDECAR_OPTIONS.find((entry) => entry.flag === flag);
  const problem = spec && valueProblem(spec, text);
  if (problem) place?.error(problem.message, problem.suggestion);
  return !problem;
}

function commandOf(view: YamlView | undefined): readonly string[] | undefined {
  const command = view?.texts() ?? [];
  if (command.length === 0) return undefined;
  if (command[0] === '') view?.error('a command begins with the name of a program');
  return command[0] === '' ? undefined : command;
}

/** `resourcesPaths` may be a list, or a text with commas; `resourcesPath` is its older form. Undefined when neither is said. */
async function pathsOf(view: YamlView | undefined, base: Base): Promise<string[] | undefined> {
  const place = view?.get('resourcesPaths') ?? view?.get('resourcesPath');
  if (!place) return undefined;
  const texts = place.isSequence() ? place.texts() : (place.text() ?? '').split(',');
  const paths = texts.map((text) => text.trim()).filter((text) => text !== '').map((text) => under(base, text));
  for (const path of paths) if (!(await exists(path))) place.error(`there is no folder ${path}`);
  return paths.length > 0 ? paths : undefined;
}

async function configPath(view: YamlView | undefined, base: Base): Promise<string[] | undefined> {
  const place = view?.get('configFilePath');
  const text = place?.text();
  if (!place || !text) return undefined;
  const path = under(base, text);
  // Rules that were meant to hold and are not found must not be left out in silence.
  if (!(await exists(path))) place.error(`there is no file ${path}`);
  return [path];
}

async function existing(path: string): Promise<string[] | undefined> {
  return (await exists(path)) ? [path] : undefined;
}

/** Two servers on one port can only fail, and later, and one at a time. */
function checkPorts(read: readonly { app: RunFileApp; view: YamlView }[]): void {
  const taken = new Map<string, string>();
  for (const { app, view } of read) {
    const channel = app.flags.get('app-channel-address') ?? '127.0.0.1';
    const ports = [
      { key: 'appPort', port: app.appPort ?? 0, host: /^(127\.0\.0\.1|localhost)$/.test(channel) ? '' : channel },
      ...(['daprHTTPPort', 'daprGRPCPort'] as const).map((key) => ({ key, port: Number(app.flags.get(RUN_FILE_FLAG_KEYS[key] ?? '') ?? 0), host: '' })),
    ];
    for (const { key, port, host } of ports) {
      if (port === 0) continue;
      const other = taken.get(`${host}:${port}`);
      if (other) (view.get(key) ?? view).error(`port ${port} is ${other} already`);
      else taken.set(`${host}:${port}`, `${key} of ${app.appId}`);
    }
  }
}

function under(base: Base, path: string): string {
  const expanded = underHome(path, base.env);
  return isAbsolute(expanded) ? expanded : resolve(base.folder, expanded);
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
