/** `npm run generate`: writes every generated file anew. `-- --check` only says which are stale. */
import { generators, runNode } from './tools.ts';

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log('npm run generate [-- --check]\n\nRuns every scripts/generate-*.ts; with --check nothing is written and stale files fail the run.');
} else {
  for (const file of await generators()) {
    const { code } = await runNode([file, ...args], { show: true });
    if (code !== 0) process.exitCode = code;
  }
}
