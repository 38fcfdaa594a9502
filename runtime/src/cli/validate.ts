/** `mecha validate`: everything that is wrong with resources and run files, before anything is started. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
import { loadConfiguration } from '../config/configuration.ts';
import type { Problem } from '../config/resource-types.ts';
import { loadResources, problemLines } from '../config/resources.ts';
import { readRunFile } from '../config/run-file.ts';
import { HELP_FLAG, type Command } from './command.ts';

const OWN: readonly OptionSpec[] = [
  { flag: 'lenient', type: 'boolean', group: 'resources', words: 'Unknown metadata names are warnings, as they are at start' },
  HELP_FLAG,
];
const RUN_FILE = /^(mecha|dapr)(\.[\w-]+)?\.ya?ml$/i;

export const validateCommand: Command = {
  name: 'validate',
  summary: 'Check resource YAML and run files',
  usage: 'validate PATH...',
  text: `
PATH is a folder of resources, one file of them (a Configuration too), or a run file (mecha.yaml, dapr.yaml), whose
apps' resources are checked too. Every problem is told with file, line and the nearest right spelling; the exit code
is 1 when one of them is an error.

  mecha validate resources/
  mecha validate mecha.yaml`,
  options: OWN,
  async run(argv, context) {
    const { values, words } = parseFlags(argv, OWN, 'validate');
    if (words.length === 0) throw new UsageError('mecha validate needs a path');
    const problems: Problem[] = [];
    let count = 0;
    const checkResources = async (paths: readonly string[]): Promise<void> => {
      const loaded = await loadResources(paths, { appId: '', namespace: undefined, strict: !values.has('lenient'), anyApp: true });
      problems.push(...loaded.problems);
      count += loaded.resources.length;
      for (const file of loaded.configurationFiles) await checkConfiguration([file]);
    };
    const checkConfiguration = async (files: readonly string[]): Promise<void> => {
      problems.push(...(await loadConfiguration(files, context.env)).problems);
      count += files.length;
    };
    for (const path of words) {
      const { runFiles, others } = await filesOf(path);
      // Apps share resources and configuration more often than not; each is told of once.
      const resources = new Set<string>();
      const configurations = new Set<string>();
      for (const runFile of runFiles) {
        const { apps, problems: wrong } = await readRunFile(runFile, context.env);
        problems.push(...wrong);
        count += apps.length;
        for (const { flags } of apps) {
          if (flags.has('resources-path')) resources.add(flags.get('resources-path') ?? '');
          if (flags.has('config')) configurations.add(flags.get('config') ?? '');
        }
      }
      for (const list of resources) await checkResources(list.split(','));
      for (const file of configurations) await checkConfiguration([file]);
      if (others.length > 0) await checkResources(others);
    }
    for (const line of problemLines(problems)) context.out(`${line}\n`);
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    context.out(errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}\n` : `${count} checked, no errors\n`);
    return errors > 0 ? 1 : 0;
  },
};

/** A path's run files, and what else of it may hold resources. */
async function filesOf(path: string): Promise<{ runFiles: string[]; others: string[] }> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return RUN_FILE.test(basename(path)) && found ? { runFiles: [path], others: [] } : { runFiles: [], others: [path] };
  const runFiles = (await readdir(path)).filter((name) => RUN_FILE.test(name)).map((name) => join(path, name));
  if (runFiles.length === 0) return { runFiles, others: [path] };
  const yaml = (await readdir(path)).filter((name) => /\.ya?ml$/i.test(name)).toSorted().map((name) => join(path, name));
  return { runFiles, others: yaml.filter((file) => !runFiles.includes(file)) };
}
