/** `mecha validate`: everything that is wrong with resources and run files, before anything is started. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError, parseFlags, type OptionSpec } from '../config/options.ts';
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
PATH is a folder of resources, one file of them, or a run file (mecha.yaml, dapr.yaml), whose apps' resources are
checked too. Every problem is told with file, line and the nearest right spelling; the exit code is 1 when one of
them is an error.

  mecha validate resources/
  mecha validate mecha.yaml`,
  options: OWN,
  async run(argv, context) {
    const { values, words } = parseFlags(argv, OWN, 'validate');
    if (words.length === 0) throw new UsageError('mecha validate needs a path');
    const problems: Problem[] = [];
    let count = 0;
    for (const path of words) {
      const resources = new Set<string>();
      for (const runFile of await runFilesOf(path)) {
        const { apps, problems: wrong } = await readRunFile(runFile, context.env);
        problems.push(...wrong);
        count += apps.length;
        for (const app of apps) for (const folder of (app.flags.get('resources-path') ?? '').split(',')) if (folder !== '') resources.add(folder);
      }
      if (resources.size === 0) resources.add(path);
      for (const folder of resources) {
        const loaded = await loadResources([folder], { appId: '', namespace: undefined, strict: !values.has('lenient'), anyApp: true });
        problems.push(...loaded.problems);
        count += loaded.resources.length;
      }
    }
    for (const line of problemLines(problems)) context.out(`${line}\n`);
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    context.out(errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}\n` : `${count} checked, no errors\n`);
    return errors > 0 ? 1 : 0;
  },
};

async function runFilesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return [];
  if (!found.isDirectory()) return RUN_FILE.test(basename(path)) ? [path] : [];
  return (await readdir(path)).filter((name) => RUN_FILE.test(name)).map((name) => join(path, name));
}
