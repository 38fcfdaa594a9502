/**
 * `npm run check`: what must hold before a test is worth running. One line per step; a step that fails shows its output,
 * and the others run all the same, so that one run names everything.
 */
import { generators, runNode, seconds, toolPath, type Ran } from './tools.ts';

interface Step {
  readonly name: string;
  readonly words: string;
  run(): Promise<Ran>;
}

const steps: readonly Step[] = [
  { name: 'types', words: 'TypeScript, strict', run: () => runNode([toolPath('typescript/bin/tsc'), '-p', '.']) },
  { name: 'lint', words: 'oxlint with types, .oxlintrc.json', run: () => runNode([toolPath('oxlint/bin/oxlint'), '--format=unix']) },
  { name: 'generated', words: 'every *.gen.ts is what its script writes', run: checkGenerated },
  { name: 'walls', words: 'who may import whom, and the tidy rules', run: () => runNode([toolPath('vitest/vitest.mjs'), 'run', 'test/walls']) },
];

async function checkGenerated(): Promise<Ran> {
  const runs = await Promise.all((await generators()).map((file) => runNode([file, '--check'])));
  const failed = runs.filter(({ code }) => code !== 0);
  return { code: failed.length === 0 ? 0 : 1, output: failed.map(({ output }) => output).join('\n') };
}

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => word !== '--help' && !steps.some(({ name }) => name === word));

if (asked.includes('--help')) {
  console.log(`npm run check [-- STEP ...]\n\n${steps.map(({ name, words }) => `  ${name.padEnd(10)} ${words}`).join('\n')}`);
} else if (unknown.length > 0) {
  console.error(`check: there is no step ${unknown.join(', ')}; there are ${steps.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  for (const step of steps.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
    const startedMs = performance.now();
    const { code, output } = await step.run();
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.name.padEnd(10)} ${seconds(startedMs).padStart(7)}`);
    if (code === 0) continue;
    console.log(output.trimEnd());
    process.exitCode = 1;
  }
}
