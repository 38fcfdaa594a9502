/** What the figures were measured on, as far as it bears on them: no host name, no user, no folders. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './results.ts';

/** `tree` is the folder whose commit is named. */
export function describeMachine(tree: string): Machine {
  const commit = commitOf(tree);
  return {
    cpu: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    ...(commit === undefined ? {} : { commit }),
  };
}

/** `c2322b889a01`, or `c2322b889a01-dirty`; undefined where there is no git, or the folder is in none of its trees. */
function commitOf(tree: string): string | undefined {
  try {
    const words = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    return execFileSync('git', words, { cwd: tree, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined;
  }
}
