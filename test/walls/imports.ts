/** Who imports whom, read from the text of the sources. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ROOT, sourceFiles } from '../../scripts/tools.ts';

export interface Import {
  /** The importing file, relative to the root, with forward slashes. */
  readonly from: string;
  readonly line: number;
  /** A file or folder of ours relative to the root, or the name of a package (`node:` ones without what follows a slash). */
  readonly to: string;
  readonly ours: boolean;
  /** `import type`: gone at run time. */
  readonly typeOnly: boolean;
  /** `import('…')`: loaded when it is called. */
  readonly lazy: boolean;
}

/** Source folders by package name. */
const PACKAGES: Readonly<Record<string, { folder: string; exports: (rest: string) => string }>> = {
  '@mecha/components': { folder: 'components', exports: (rest) => (rest === 'kit' ? 'kit/index.ts' : rest === 'catalog' ? 'catalog.gen.ts' : rest.startsWith('kit/conformance/') && !rest.endsWith('.ts') ? `${rest}.ts` : rest) },
  '@mecha/runtime': { folder: 'runtime', exports: (rest) => `src/${rest}` },
  '@mecha/sdk': { folder: 'sdk', exports: () => 'src/index.ts' },
  '@mecha/specs': { folder: 'specs', exports: (rest) => rest },
  '@mecha/bench': { folder: 'bench', exports: (rest) => rest },
  '@mecha/sample-bindings-pipeline': { folder: 'samples/bindings-pipeline', exports: (rest) => rest },
  '@mecha/sample-order-saga': { folder: 'samples/order-saga', exports: (rest) => rest },
};

const STATEMENT = /(?:^|\n)[ \t]*(import|export)\s+(type\s)?(?:[\w*{][^'"`;]*?\sfrom\s*)?['"]([^'"\n]+)['"]/g;
const CALL = /\bimport\(\s*['"]([^'"\n]+)['"]/g;

/** The text's imports; `import type` and inline `import('x').Y` in a type both count as what they look like. */
export function importsOf(from: string, source: string): readonly Import[] {
  const found: Import[] = [];
  const text = withoutComments(source);
  const add = (specifier: string, index: number, typeOnly: boolean, lazy: boolean): void => {
    found.push({ from, line: text.slice(0, index).split('\n').length, ...resolve(from, specifier), typeOnly, lazy });
  };
  for (const match of text.matchAll(STATEMENT)) add(match[3] ?? '', match.index + match[0].search(/import|export/), match[2] !== undefined, false);
  for (const match of text.matchAll(CALL)) add(match[1] ?? '', match.index, false, true);
  return found;
}

/** Every import of every TypeScript and JavaScript file of the tree. */
export function allImports(): readonly Import[] {
  return codeFiles().flatMap((file) => importsOf(file, readSource(file)));
}

/** Generated files included: a wall holds for them too. */
export function codeFiles(): readonly string[] {
  return sourceFiles().filter((file) => /\.(ts|mts|js|mjs)$/.test(file));
}

export function readSource(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Comments blanked out, so that positions stay; strings are left alone as far as a line comment's `//` in a URL goes. */
export function withoutComments(source: string): string {
  return source
    .replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/^[ \t]*\/\/.*$/gm, (comment) => ' '.repeat(comment.length));
}

function resolve(from: string, specifier: string): { to: string; ours: boolean } {
  if (specifier.startsWith('.')) return { to: posix.normalize(posix.join(posix.dirname(from), specifier)), ours: true };
  if (specifier.startsWith('node:')) return { to: specifier, ours: false };
  const [scope = '', name = '', ...rest] = specifier.split('/');
  const packageName = scope.startsWith('@') ? `${scope}/${name}` : scope;
  const own = PACKAGES[packageName];
  return own ? { to: posix.join(own.folder, own.exports(rest.join('/'))), ours: true } : { to: packageName, ours: false };
}
