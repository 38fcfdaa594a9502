/**
 * Joins the files that a bundle would read one after the other into one. esbuild splits by who uses what, so that the start of
 * a sidecar would read some sixty files, most of them tiny; a module costs Node half a millisecond and 60 kB whatever is in it.
 *
 * A *group* is what its roots import statically, as far as no earlier group has it. It becomes one file, evaluated in the
 * order of the modules before; whoever imports a joined chunk imports it from the group's file instead. What is imported
 * lazily stays a file of its own.
 *
 * Owns: which chunk lies where. The code of chunks is not touched: esbuild itself joins them, in a second pass.
 */
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild';
import { basename } from 'node:path';

export interface ChunkGroup {
  /** The file's name, without `.js`. */
  readonly name: string;
  /**
   * Source files whose chunks begin the group, relative to the root: an entry, or what is imported lazily. Who imports the first of
   * them imports the group's file; each of the others keeps a small file of its name.
   */
  readonly roots: readonly string[];
  /** Set where a root is waited for while the group is loaded, as an entry with a top-level `await` is: it stays outside. */
  readonly withoutRoots?: boolean;
}

/** What esbuild writes above each module: whoever reads a stack trace or a profile finds the source by it. */
const MODULE_COMMENT = /^\/\/ (\S+\.[cm]?[jt]sx?|plain builtin:\S+)$/gm;
const KEPT_COMMENT = /^\/\/! (.+)$/gm;
/** The same of the second pass, which says nothing. */
const OWN_COMMENT = /^\/\/ (?:chunk|group|chunk of another file):.+\n/gm;

interface Chunk {
  readonly text: string;
  readonly exports: readonly string[];
  readonly imports: readonly { readonly chunk: string; readonly isLazy: boolean }[];
  readonly source: string | undefined;
}

/** The files of `pass`, some of them joined, by name. */
export async function joinChunks(pass: { readonly metafile: Metafile; readonly outputFiles: readonly OutputFile[] }, groups: readonly ChunkGroup[]): Promise<ReadonlyMap<string, string>> {
  const chunks = chunksOf(pass);
  const { groupOf, heads } = assignGroups(chunks, groups);
  const lazily = new Set([...chunks.values()].flatMap(({ imports }) => imports.filter(({ isLazy }) => isLazy).map(({ chunk }) => chunk)));
  const entries = groups.map(({ name }) => `${name}.js`);
  for (const chunk of chunks.keys()) if (!groupOf.has(chunk) || (lazily.has(chunk) && !heads.has(chunk))) entries.push(chunk);
  const { outputFiles } = await build({
    entryPoints: entries.map((name) => ({ in: name, out: basename(name, '.js') })),
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // The one kind of comment that esbuild keeps; the first pass has left none of it.
    legalComments: 'inline',
    logLevel: 'warning',
    plugins: [joining(chunks, { groupOf, heads })],
  });
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text.replaceAll(OWN_COMMENT, '').replaceAll(KEPT_COMMENT, '// $1')]));
}

function chunksOf({ metafile, outputFiles }: { readonly metafile: Metafile; readonly outputFiles: readonly OutputFile[] }): ReadonlyMap<string, Chunk> {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  return new Map(
    Object.entries(metafile.outputs).map(([path, { exports, imports, entryPoint }]) => {
      const inside = imports.filter(({ external }) => !external).map(({ path: to, kind }) => ({ chunk: basename(to), isLazy: kind === 'dynamic-import' }));
      return [basename(path), { text: (texts.get(basename(path)) ?? '').replaceAll(MODULE_COMMENT, '//! $1'), exports, imports: inside, source: entryPoint }];
    }),
  );
}

interface Groups {
  /** The group's file of each chunk that is in one. */
  readonly groupOf: ReadonlyMap<string, string>;
  /** Chunks whose exports the group's file has by their own names. */
  readonly heads: ReadonlySet<string>;
}

function assignGroups(chunks: ReadonlyMap<string, Chunk>, groups: readonly ChunkGroup[]): Groups {
  const groupOf = new Map<string, string>();
  const heads = new Set<string>();
  for (const { name, roots, withoutRoots } of groups) {
    const add = (chunk: string): void => {
      if (groupOf.has(chunk)) return;
      groupOf.set(chunk, `${name}.js`);
      for (const { chunk: to, isLazy } of chunks.get(chunk)?.imports ?? []) if (!isLazy) add(to);
    };
    for (const root of roots) {
      const found = [...chunks].find(([, { source }]) => source === root)?.[0];
      if (found === undefined) throw new Error(`${root} begins the file ${name}.js of the bundle, and is neither an entry nor imported lazily`);
      add(found);
      if (withoutRoots) groupOf.delete(found);
      else if (root === roots[0] && groupOf.get(found) === `${name}.js`) heads.add(found);
    }
  }
  return { groupOf, heads };
}

const CHUNK = 'chunk';
const GROUP = 'group';
const ELSEWHERE = 'chunk of another file';

function joining(chunks: ReadonlyMap<string, Chunk>, { groupOf, heads }: Groups): Plugin {
  const members = [...groupOf.keys()];
  /** Two joined chunks may export the same name. */
  const outward = (chunk: string, name: string): string => (heads.has(chunk) ? name : `${name}_${members.indexOf(chunk)}`);
  return {
    name: 'joined chunks',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ kind, path, pluginData }) => {
        const chunk = path.startsWith('./') ? path.slice(2) : path;
        if (kind === 'entry-point') {
          if (!chunks.has(chunk)) return { path: chunk, namespace: GROUP };
          return { path: chunk, namespace: groupOf.has(chunk) ? ELSEWHERE : CHUNK };
        }
        const group = groupOf.get(chunk);
        if (kind === 'dynamic-import' && heads.has(chunk)) return { path: `./${group ?? ''}`, external: true };
        if (kind === 'dynamic-import' || group === undefined) return { path, external: true };
        return { path: chunk, namespace: pluginData === group ? CHUNK : ELSEWHERE };
      });
      onLoad({ filter: /./, namespace: GROUP }, ({ path: group }) => {
        const lines = members.filter((chunk) => groupOf.get(chunk) === group).map((chunk) => {
          const names = (chunks.get(chunk)?.exports ?? []).map((name) => `${name} as ${outward(chunk, name)}`);
          const quoted = JSON.stringify(`./${chunk}`);
          return names.length > 0 ? `export { ${names.join(', ')} } from ${quoted};` : `import ${quoted};`;
        });
        return { contents: lines.join('\n'), pluginData: group };
      });
      onLoad({ filter: /./, namespace: CHUNK }, ({ path: chunk }) => ({ contents: chunks.get(chunk)?.text ?? '', pluginData: groupOf.get(chunk) }));
      onLoad({ filter: /./, namespace: ELSEWHERE }, ({ path: chunk }) => {
        const names = (chunks.get(chunk)?.exports ?? []).map((name) => `${outward(chunk, name)} as ${name}`);
        return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(`./${groupOf.get(chunk) ?? ''}`)};` };
      });
    },
  };
}
