/** Rules about single files, each with an example that breaks it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, sourceFiles } from '../../scripts/tools.ts';
import { codeFiles, readSource, withoutComments } from './imports.ts';

interface Rule {
  readonly sentence: string;
  appliesTo(file: string): boolean;
  readonly forbidden: RegExp;
  /** Text that must be found. */
  readonly example: string;
  /** Whether words in comments count. */
  readonly commentsToo?: boolean;
}

const isTypeScript = (file: string): boolean => file.endsWith('.ts');
const isTestFile = (file: string): boolean => file.endsWith('.test.ts');
const isGenerated = (file: string): boolean => /\.gen\.(ts|js)$/.test(file);
const isText = (file: string): boolean => !/\.(png|ico|gz|tgz|jar|db)$/.test(file);
/** Its examples are what it forbids. */
const THIS_FILE = 'test/walls/tidy.test.ts';
const mayReadEnvironment = /^(runtime\/src\/(config|cli)\/|runtime\/src\/main\.ts$|runtime\/bin\/|sdk\/|scripts\/|test\/|samples\/|bench\/)/;

const rules: readonly Rule[] = [
  {
    sentence: 'no test is skipped, alone or still to be written: what cannot run is left out by flag and named in the summary',
    appliesTo: isTestFile,
    forbidden: /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|fails)\b|\bx(?:it|describe)\(/,
    example: "test.skip('later', () => undefined);",
  },
  {
    sentence: 'no test measures time, which says more about the machine than about the code: the bench does, in ratios; tests count',
    appliesTo: (file) => isTestFile(file) && !/^bench\//.test(file),
    forbidden: /\bperformance\.now\b|\bhrtime\b|expect\(Date\.now\(\) - \w+\)\.toBeLess/,
    example: 'expect(performance.now() - before).toBeLessThan(5_000);',
  },
  {
    sentence: 'what tests draw follows one seed, so that a gate says the same of the same commit: take fast-check from components/kit/test-properties.ts, a seed from test-seed.ts beside it',
    appliesTo: (file) => isTypeScript(file) && !/^components\/kit\/test-(?:properties|seed)\.ts$/.test(file),
    forbidden: /\bfrom 'fast-check'|\bseed\b.*\b(?:Date\.now|Math\.random)\b/i,
    example: 'const seed = Date.now() % 1_000_000;',
  },
  {
    sentence: 'the environment is read in one place (config), by the command line, the SDK, scripts, tests and samples; everybody else is told',
    appliesTo: (file) => !mayReadEnvironment.test(file) && !isTestFile(file) && !/(^|\/)(testing|test-[\w-]+)\.ts$/.test(file),
    forbidden: /\bprocess\.env\b|\benv\b.*\bfrom 'node:process'/,
    example: "const port = process.env['PORT'];",
  },
  {
    sentence: 'syntax is erasable: no enum, no namespace, no decorator (the type checker holds the rest)',
    appliesTo: (file) => isTypeScript(file) && !isGenerated(file),
    forbidden: /^\s*(?:export\s+)?(?:const\s+|declare\s+)?enum\s+\w|^\s*(?:export\s+)?namespace\s+\w|^\s*@\w+\(.*\)\s*$/m,
    example: 'export enum Colour { red }',
  },
  {
    sentence: 'the type checker is never silenced, the linter by the names of rules and with a reason: a rule that is wrong is changed for all',
    appliesTo: (file) => isTypeScript(file) && !isGenerated(file),
    forbidden: /@ts-(?:ignore|nocheck|expect-error)|oxlint-disable(?!(?:-next-line)? [\w/, -]+ -- \S)|eslint-disable/,
    example: '// @ts-ignore',
    commentsToo: true,
  },
  {
    sentence: 'no failure is swallowed: an empty catch hides what went wrong',
    appliesTo: (file) => /\.(ts|mjs)$/.test(file),
    forbidden: /catch\s*(?:\([^)]*\)\s*)?\{\s*\}/,
    example: 'try { work(); } catch {}',
    commentsToo: true,
  },
  {
    sentence: 'no path or host of a single machine, no registry by name and no private note in a file that ships',
    appliesTo: (file) => isText(file),
    forbidden: /\/opt\/node\d|(?<![\w.$}/-])\/work\/(?:main|shared)|\/home\/(?!x\b|user\b|you\b)\w+\/|\/Users\/\w+\/|registry\.npmjs|registry\.yarnpkg|repo1?\.maven\.|nodejs\.org\/dist/,
    example: 'see /home/somebody/notes',
    commentsToo: true,
  },
  {
    sentence: 'no unfinished business is marked in the code: it is done, or said in the docs',
    appliesTo: (file) => /\.(ts|mjs|py|go|sh)$/.test(file),
    forbidden: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    example: '// TODO: later',
    commentsToo: true,
  },
  {
    sentence: 'the States Language reads no clock and throws no dice: time and chance come in by its ports',
    appliesTo: (file) => /^runtime\/src\/asl\/(?!.*\.test\.ts$)/.test(file),
    forbidden: /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\bsetTimeout\b/,
    example: 'const now = Date.now();',
  },
  {
    sentence: 'imports name the TypeScript file, because Node runs the sources as they are',
    appliesTo: (file) => isTypeScript(file) && !isGenerated(file) && !/^specs\//.test(file),
    forbidden: /from '\.[^']*(?<!\.ts|\.mjs|\.json|\.js)'|from '\.[^']*(?<!\.gen)\.js'/,
    example: "import { a } from './a';",
  },
];

/** Longer than this, a file asks for a second look; who is longer says why here. */
const LINES_MAX = 500;
const LONGER: Readonly<Record<string, string>> = {
  'components/kit/conformance/ledger-workflow.ts': 'one port, one suite: the claims are read as one list',
  'components/kit/conformance/pubsub.ts': 'one port, one suite: the claims are read as one list',
};

const linesOf = (source: string): number => source.trimEnd().split('\n').length;

describe('tidy', () => {
  const text = new Map(sourceFiles().filter((file) => isText(file) && file !== THIS_FILE).map((file) => [file, readSource(file)]));

  test.each(rules)('$sentence', ({ sentence, appliesTo, forbidden, example, commentsToo }) => {
    expect(forbidden.test(example), 'the example of this rule must break it').toBe(true);
    const broken: string[] = [];
    for (const [file, source] of text) {
      if (!appliesTo(file)) continue;
      const code = /\.(ts|mjs|js)$/.test(file);
      if (!code && !commentsToo) continue;
      const found = forbidden.exec(commentsToo ? source : withoutComments(source));
      if (found) broken.push(`${file}:${source.slice(0, found.index).split('\n').length} ${found[0].trim().slice(0, 80)}`);
    }
    expect(broken, sentence).toEqual([]);
  });

  test('a default export means a component (tool configurations aside, which must have one)', () => {
    const isComponent = (file: string): boolean => /^components\/[^/]+\/[^/]+\.ts$/.test(file) && /export default (?:define\w*Component|defineComponent)\b/.test(text.get(file) ?? '');
    const withDefault = codeFiles().filter((file) => /^export default\b/m.test(withoutComments(text.get(file) ?? '')) && !isGenerated(file) && !/\.config\.ts$/.test(file));
    expect(withDefault.filter((file) => !isComponent(file))).toEqual([]);
  });

  test(`no file is longer than ${LINES_MAX} lines without a reason`, () => {
    const long = codeFiles().filter((file) => !isGenerated(file) && linesOf(text.get(file) ?? '') > LINES_MAX);
    expect(long.filter((file) => LONGER[file] === undefined)).toEqual([]);
    expect(Object.keys(LONGER).filter((file) => !long.includes(file)), 'no longer long: take them off the list').toEqual([]);
  });

  test('a link from one page to another file leads somewhere', () => {
    const dead: string[] = [];
    for (const [file, source] of text) {
      if (!file.endsWith('.md')) continue;
      for (const [, target = ''] of source.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g)) {
        if (!existsSync(join(ROOT, dirname(file), target))) dead.push(`${file}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
  });

  test('a generated file says which script writes it', () => {
    const silent = [...text.keys()].filter((file) => isGenerated(file) && !/scripts\/generate-[\w-]+\.ts/.test(text.get(file)?.slice(0, 500) ?? ''));
    expect(silent).toEqual([]);
  });
});
