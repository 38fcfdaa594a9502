/**
 * Where a function of a profile stands, for people: `runtime/src/pipeline.ts:41`. Of a bundle the place is the module that a
 * part came from, which esbuild leaves as a comment above it, with the line in the bundle: `runtime/src/pipeline.ts (part-x.js:87)`.
 */
import { readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Place {
  /** `node:internal/timers:589` for Node's own, `native` for what has no file. */
  readonly words: string;
  /** Neither Node's nor a library's. */
  readonly own: boolean;
}

export interface Places {
  /** `lineNumber` as V8 has it, counted from 0. */
  of(url: string, lineNumber: number): Place;
}

const TREE = join(import.meta.dirname, '..', '..', '..');
const MODULE_COMMENT = /^\s*\/\/ (\S+\.[cm]?[jt]sx?)$/;

/** `tree` is the folder to which paths are shortened. Files are read once each, and only those of bundles matter. */
export function createPlaces(tree = TREE): Places {
  const files = new Map<string, readonly (string | undefined)[]>();
  return {
    of(url, lineNumber) {
      if (url === '') return { words: 'native', own: false };
      if (!url.startsWith('file:')) return { words: `${url}:${lineNumber + 1}`, own: false };
      const file = fileURLToPath(url);
      let modules = files.get(file);
      if (!modules) files.set(file, (modules = modulesOf(file)));
      const module = modules[lineNumber];
      const words = module === undefined ? `${shortened(file, tree)}:${lineNumber + 1}` : `${sinceModules(module)} (${basename(file)}:${lineNumber + 1})`;
      return { words, own: !/(^|\/)node_modules\//.test(module ?? file.replaceAll(sep, '/')) };
    },
  };
}

/** The module that each line of a bundle came from; none where there is no such comment, or no such file. */
function modulesOf(file: string): readonly (string | undefined)[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  let module: string | undefined;
  return text.split('\n').map((line) => (module = MODULE_COMMENT.exec(line)?.[1] ?? module));
}

/** `node_modules/fastify/lib/reply.js` -> `fastify/lib/reply.js`, wherever that lies. */
function sinceModules(path: string): string {
  return path.replace(/^.*(?<=^|\/)node_modules\//, '');
}

function shortened(file: string, tree: string): string {
  const inTree = relative(tree, file);
  const path = (inTree.startsWith('..') ? file : inTree).replaceAll(sep, '/');
  if (path.includes('node_modules/')) return sinceModules(path);
  // Outside the tree the last three parts tell enough, and nothing of whose machine it is.
  return inTree.startsWith('..') ? path.split('/').slice(-3).join('/') : path;
}
