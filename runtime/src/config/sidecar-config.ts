/**
 * What the files of one sidecar say: its Configuration and its resources. A sidecar that is given no files, and whose data folder
 * holds none, loads nothing that reads YAML.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../telemetry/log.ts';
import { DEFAULT_CONFIGURATION, defaultResources } from './defaults.ts';
import type { Configuration, Problem, Resource } from './resource-types.ts';
import type { SidecarOptions } from './sidecar-options.ts';

export interface SidecarConfig {
  readonly configuration: Configuration;
  readonly resources: readonly Resource[];
}

/** Everything that is wrong in one report: warnings are logged, errors reject. */
export async function loadSidecarConfig(options: SidecarOptions, dataDir: string, log: Log): Promise<SidecarConfig> {
  const folder = join(dataDir, 'resources');
  const paths = options.resourcePaths.length > 0 ? options.resourcePaths : holdsYaml(folder) ? [folder] : [];
  if (paths.length === 0 && options.configPaths.length === 0) return { configuration: DEFAULT_CONFIGURATION, resources: defaultResources() };
  const { configuration, resources, problems, lines } = await readFiles(options, paths);
  for (const [index, problem] of problems.entries()) if (problem.severity === 'warning') log.warn({}, lines[index] ?? '');
  if (problems.some(({ severity }) => severity === 'error')) {
    throw new Error(lines.filter((_line, index) => problems[index]?.severity === 'error').join('\n'));
  }
  const denied = new Set(configuration.deniedComponents);
  return {
    configuration,
    resources: resources.filter((resource) => {
      if (resource.kind !== 'Component' || !(denied.has(resource.type) || denied.has(`${resource.type}/${resource.version}`))) return true;
      log.warn({ component: resource.name, component_type: resource.type }, 'component left out: its type is denied by the Configuration');
      return false;
    }),
  };
}

async function readFiles({ appId, configPaths, env, strict }: SidecarOptions, paths: readonly string[]): Promise<SidecarConfig & { readonly problems: readonly Problem[]; readonly lines: readonly string[] }> {
  const [{ loadConfiguration }, { loadResources, problemLines }] = await Promise.all([import('./configuration.ts'), import('./resources.ts')]);
  const { configuration, problems: configProblems } = await loadConfiguration(configPaths, env);
  const loaded = paths.length > 0 ? await loadResources(paths, { appId, namespace: env['NAMESPACE'], strict }) : { resources: defaultResources(), problems: [] };
  const problems = [...configProblems, ...loaded.problems];
  return { configuration, resources: loaded.resources, problems, lines: problemLines(problems) };
}

/** An empty folder says nothing: the defaults stand. */
function holdsYaml(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => /\.ya?ml$/i.test(name));
}
