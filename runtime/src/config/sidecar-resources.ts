/** What one sidecar is told by YAML: its resources, from where it looks for them, and its Configuration. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../telemetry/log.ts';
import { loadConfiguration } from './configuration.ts';
import type { Configuration, Resource } from './resource-types.ts';
import { defaultResources, loadResources, problemLines } from './resources.ts';
import type { SidecarOptions } from './sidecar-options.ts';

/** Warnings go to the log. Rejects with everything that is wrong in one report. */
export async function loadSidecarResources(options: SidecarOptions, dataDir: string, log: Log): Promise<{ readonly resources: readonly Resource[]; readonly configuration: Configuration }> {
  const { appId, resourcePaths, configPaths, env, strict } = options;
  const { configuration, problems: configProblems } = await loadConfiguration(configPaths, env);
  const folder = join(dataDir, 'resources');
  const paths = resourcePaths.length > 0 ? resourcePaths : holdsYaml(folder) ? [folder] : [];
  const loaded = paths.length > 0 ? await loadResources(paths, { appId, namespace: env['NAMESPACE'], strict }) : { resources: defaultResources(), problems: [] };
  const problems = [...configProblems, ...loaded.problems];
  const lines = problemLines(problems);
  for (const [index, problem] of problems.entries()) if (problem.severity === 'warning') log.warn({}, lines[index] ?? '');
  if (problems.some(({ severity }) => severity === 'error')) {
    throw new Error(lines.filter((_line, index) => problems[index]?.severity === 'error').join('\n'));
  }
  const denied = new Set(configuration.deniedComponents);
  const resources = loaded.resources.filter((resource) => {
    if (resource.kind !== 'Component' || !(denied.has(resource.type) || denied.has(`${resource.type}/${resource.version}`))) return true;
    log.warn({ component: resource.name, component_type: resource.type }, 'component left out: its type is denied by the Configuration');
    return false;
  });
  return { resources, configuration };
}

/** An empty folder says nothing: the defaults stand. */
function holdsYaml(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => /\.ya?ml$/i.test(name));
}
