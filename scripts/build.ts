/**
 * `npm run build`: bundles the packages into dist/, each a folder that `npm pack` takes as it is.
 *
 *   dist/mecha   the sidecar and its command line; no dependencies, all of them are inside
 *   dist/sdk     the client for app authors, with its types
 *
 * Libraries are bundled instead of depended upon: one archive installs in a moment, nothing can change under it, and what
 * a component loads lazily in the sources (`await import('ioredis')`) is a file of its own here, read only when needed.
 * Files that the sources name by `new URL('./x.ts', import.meta.url)`, such as worker threads, become entries of their
 * own; any other use of the module's place would break in a bundle and fails the build by name.
 */
import { build, type BuildResult, type Metafile, type OutputFile, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { joinChunks, type ChunkGroup } from './join-chunks.ts';
import { ROOT, runNode, seconds, sourceFiles, toolPath } from './tools.ts';

const PLACE = /new URL\('(\.{1,2}\/[^']+)\.ts', import\.meta\.url\)/g;
const PLACE_OF_MODULE = /\bimport\.meta\.(?:url|dirname|filename|resolve)\b/;
/**
 * What is read together: at every start of a sidecar (one file for what opens the ledger, one for what is loaded while its thread comes up),
 * at a start with resources, with the first workflow.
 */
const JOINED: readonly ChunkGroup[] = [
  { name: 'start-command', roots: ['runtime/src/main.ts'], withoutRoots: true },
  { name: 'start-host', roots: ['runtime/src/cli/sidecar.ts'] },
  { name: 'start-serving', roots: ['runtime/src/sidecar/serving.ts', 'components/local/env.ts', 'components/sqlite/state.ts', 'components/sqlite/pubsub.ts'] },
  { name: 'start-resources', roots: ['runtime/src/config/resources.ts', 'runtime/src/config/configuration.ts'] },
  { name: 'workflows', roots: ['runtime/src/sidecar/durable-execution.ts'] },
];
/** What libraries require when something is asked of them that Mecha never asks, or that few do; a bundle would carry it into every start. */
const LAZY_REQUIRES = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request', '@grpc/proto-loader'];
/** Libraries written as CommonJS look for these; a file that does has its own. */
const COMMONJS_BANNER = [
  "import { createRequire as createRequireForBundle } from 'node:module';",
  'const require = createRequireForBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('\n');

const NEEDS_COMMONJS = /\b(?:require|__filename|__dirname)\b/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

const HELP = `npm run build [-- options]

Bundles the packages into dist/mecha and dist/sdk.

  --out FOLDER  another folder than dist; it is emptied first
  --dry-run     only say what would be bundled
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    out: { type: 'string', default: join(ROOT, 'dist') },
  },
});
const DIST = resolve(values.out);
if (values.help) {
  console.log(HELP);
} else if (values['dry-run']) {
  console.log(`dist/mecha from ${['runtime/src/main.ts', ...Object.values(threadEntries())].join(', ')}\ndist/sdk from sdk/src/index.ts`);
} else {
  const startedMs = performance.now();
  await rm(DIST, { recursive: true, force: true });
  await buildSidecar();
  await buildSdk();
  console.log(`built in ${seconds(startedMs)}`);
}

async function buildSidecar(): Promise<void> {
  const folder = join(DIST, 'mecha');
  const lib = join(folder, 'lib');
  await mkdir(lib, { recursive: true });
  const threads = threadEntries();
  const main = await bundle({ main: 'runtime/src/main.ts' }, threads, 'part-[name]-[hash]');
  // A thread shares no memory with the process: files of its own mean fewer of them to read.
  const inThreads = await bundle(threads, threads, 'thread-[name]-[hash]');
  const requires = await bundleLazyRequires();
  const files = new Map([...(await joinChunks(main, JOINED)), ...namedTexts(inThreads.outputFiles), ...namedTexts(requires.outputFiles)]);
  for (const [name, text] of files) await writeFile(join(lib, name), escaped(text));
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile(join(ROOT, 'runtime', 'bin', 'mecha.mjs'), join(folder, 'bin', 'mecha.mjs'));
  await copyFile(join(ROOT, 'scripts', 'launch.mjs'), join(folder, 'bin', 'launch.mjs'));
  await writeFile(join(folder, 'THIRD-PARTY.txt'), await thirdPartyNotices([main, inThreads, requires].map(({ metafile }) => metafile)));
  await writeFile(join(folder, 'README.md'), await packageReadme('mecha', 'The sidecar and its command line: `npx mecha --help`. It runs on Node 24.18.1 or later; where the machine has an older one (18 or later), it fetches Node from the npm registry once.'));
  await finishPackage(folder, 'runtime', { name: '@mecha/mecha', bin: { mecha: 'bin/mecha.mjs' }, engines: { node: '>=18' } });
  const characters = [...files.values()].reduce((sum, text) => sum + text.length, 0);
  console.log(`dist/mecha  ${files.size} files, ${(characters / 1e6).toFixed(1)} MB`);
}

type Bundled = BuildResult<{ readonly metafile: true; readonly write: false }>;

/** Kept in memory: the bundle of `entries` and of what they import lazily. */
async function bundle(entries: Readonly<Record<string, string>>, threads: Readonly<Record<string, string>>, chunkNames: string): Promise<Bundled> {
  const bundled = await build({
    absWorkingDir: ROOT,
    entryPoints: entries,
    outdir: '/',
    bundle: true,
    write: false,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    entryNames: '[name]',
    chunkNames,
    // Names and lines stay as they are, so that a user's stack trace can be read; comments are what takes the room.
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [placesInBundle(threads), lazyPackages(), lazyRequires(), plainBuiltins()],
  });
  return { ...bundled, outputFiles: bundled.outputFiles.map((file) => ({ ...file, text: NEEDS_COMMONJS.test(file.text) ? `${COMMONJS_BANNER}\n${file.text}` : file.text })) };
}

async function bundleLazyRequires(): Promise<Bundled> {
  return build({
    absWorkingDir: ROOT,
    entryPoints: LAZY_REQUIRES.map((name) => ({ in: name, out: fileOfRequire(name).replace(/\.cjs$/, '') })),
    outdir: '/',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
}

/** One letter outside of ASCII, as esbuild leaves them in regular expressions, and V8 would keep the whole file with two bytes for each. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x00-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function namedTexts(files: readonly OutputFile[]): [name: string, text: string][] {
  return files.map(({ path, text }) => [basename(path), text]);
}

async function buildSdk(): Promise<void> {
  const folder = join(DIST, 'sdk');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { index: 'sdk/src/index.ts' },
    outdir: join(folder, 'lib'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  const types = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--ignoreConfig', '--outDir', join(folder, 'lib')];
  const settings = ['--target', 'es2024', '--module', 'nodenext', '--types', 'node', '--strict', '--allowImportingTsExtensions', '--skipLibCheck'];
  const declared = await runNode([toolPath('typescript/bin/tsc'), ...types, ...settings, 'sdk/src/index.ts']);
  if (declared.code !== 0) throw new Error(`the SDK's types cannot be written:\n${declared.output}`);
  await writeFile(join(folder, 'README.md'), await packageReadme('sdk', 'A small typed client of the sidecar, for app authors: `createClient().state(\'statestore\').get(\'key\')`.'));
  await finishPackage(folder, 'sdk', {
    name: '@mecha/sdk',
    exports: { '.': { types: './lib/index.d.ts', default: './lib/index.js' } },
    engines: { node: '>=20' },
  });
  console.log('dist/sdk    1 file');
}

/** Each file that starts a life of its own in a thread. */
function threadEntries(): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const { target } of placesInSources()) {
    const name = basename(target, '.ts');
    if (entries[name] !== undefined && entries[name] !== target) throw new Error(`two entries would be called ${name}.js: ${entries[name]} and ${target}`);
    entries[name] = target;
  }
  return entries;
}

function placesInSources(): readonly { file: string; target: string }[] {
  const files = sourceFiles().filter((file) => /^(components|runtime|specs)\/.+\.ts$/.test(file) && !file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    return [...source.matchAll(PLACE)].map(([, path]) => ({ file, target: relative(ROOT, resolve(ROOT, dirname(file), `${path ?? ''}.ts`)) }));
  });
}

/** Makes `new URL('./x.ts', import.meta.url)` point to the bundled entry; all outputs lie in one folder. */
function placesInBundle(entries: Readonly<Record<string, string>>): Plugin {
  const known = new Set(Object.values(entries));
  return {
    name: 'places in the bundle',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const file = relative(ROOT, path);
        if (file.includes('node_modules')) return undefined;
        const source = await readFile(path, 'utf8');
        if (!PLACE_OF_MODULE.test(source)) return undefined;
        const contents = source.replaceAll(PLACE, (_all, target: string) => {
          const entry = relative(ROOT, resolve(dirname(path), `${target}.ts`));
          if (!known.has(entry)) throw new Error(`${file}: ${entry} is no entry of the bundle`);
          return `new URL('./${basename(target)}.js', import.meta.url)`;
        });
        const rest = contents.replaceAll(/new URL\('\.\/[\w.-]+\.js', import\.meta\.url\)/g, '').replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '');
        if (PLACE_OF_MODULE.test(rest)) {
          throw new Error(`${file} uses its own place in a way that no bundle keeps; name files by new URL('./x.ts', import.meta.url)`);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * Keeps the named exports of a CommonJS package that is imported lazily: split off as a file of its own, it would have a
 * default export and nothing else. A file in between names what Node itself sees in the package.
 */
function lazyPackages(): Plugin {
  const between = 'lazy package';
  return {
    name: 'lazy packages',
    setup({ onResolve, onLoad, resolve: find }) {
      onResolve({ filter: /^(?:@[\w.-]+\/)?[\w.-]+$/ }, ({ kind, path, resolveDir, namespace }) =>
        kind === 'dynamic-import' && namespace !== between && !path.startsWith('.') && !isBuiltin(path) ? { path, namespace: between, pluginData: resolveDir } : undefined,
      );
      onLoad({ filter: /./, namespace: between }, async ({ path, pluginData }) => {
        const resolveDir = pluginData as string;
        // The file that the bundle takes, which for a package of both kinds is another than `require` finds.
        const found = await find(path, { kind: 'import-statement', resolveDir });
        if (found.errors.length > 0) return { errors: found.errors };
        const names = Object.keys((await import(pathToFileURL(found.path).href)) as object).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
        return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(path)};`, resolveDir };
      });
    },
  };
}

/** Leaves what libraries require lazily in files of their own. */
function lazyRequires(): Plugin {
  return {
    name: 'lazy requires',
    setup({ onResolve }) {
      onResolve({ filter: /^[@\w]/ }, ({ kind, path }) => (kind === 'require-call' && LAZY_REQUIRES.includes(path) ? { path: `./${fileOfRequire(path)}`, external: true } : undefined));
    },
  };
}

function fileOfRequire(name: string): string {
  return `required-${basename(name)}.cjs`;
}

/**
 * Takes Node's own modules without their lazy parts. An `import` of `node:http` reads every export once, also the getter
 * behind which Node keeps its whole fetch implementation: some 20 ms and megabytes at each start, for nothing. What lies
 * behind a getter is read only if a library names it.
 */
function plainBuiltins(): Plugin {
  const plain = 'plain builtin';
  return {
    name: 'plain builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[\w:/]+$/ }, ({ kind, path }) => (kind === 'import-statement' && isBuiltin(path) ? { path, namespace: plain, sideEffects: false } : undefined));
      onLoad({ filter: /./, namespace: plain }, async ({ path }) => {
        const descriptors = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(path) as object));
        const named = descriptors.filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && name !== 'default');
        const lines = named.map(([name, { get }]) => `export const ${name} = ${get ? `/* @__PURE__ */ (() => builtin.${name})()` : `builtin.${name}`};`);
        return { contents: [`const builtin = process.getBuiltinModule('${path}');`, 'export default builtin;', ...lines].join('\n') };
      });
    },
  };
}

async function finishPackage(folder: string, source: string, own: Readonly<Record<string, unknown>>): Promise<void> {
  const { version, description, license } = await readManifest(join(ROOT, source, 'package.json'));
  // Private until the names on the registry are ours: packing works, publishing does not.
  const manifest = { version, private: true, description, license, type: 'module', ...own };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
}

async function packageReadme(name: string, sentence: string): Promise<string> {
  const { version } = await readManifest(join(ROOT, 'package.json'));
  return `# Mecha ${name} ${version}\n\n${sentence}\n`;
}

/** Names, licences and licence texts of every package of which a part is in the bundle. */
async function thirdPartyNotices(metafiles: readonly Metafile[]): Promise<string> {
  const folders = new Set<string>();
  for (const input of metafiles.flatMap(({ inputs }) => Object.keys(inputs))) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (found) folders.add(found);
  }
  const notices = await Promise.all(
    [...folders].toSorted().map(async (folder) => {
      const { name, version, license } = await readManifest(join(ROOT, folder, 'package.json'));
      const file = (await readdir(join(ROOT, folder))).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? '' : `\n\n${(await readFile(join(ROOT, folder, file), 'utf8')).trim()}`;
      return `${name} ${version} (${license})${text}`;
    }),
  );
  return `${['Mecha contains parts of these packages.', ...notices].join(`\n\n${'-'.repeat(72)}\n\n`)}\n`;
}

async function readManifest(file: string): Promise<Manifest> {
  return JSON.parse(await readFile(file, 'utf8')) as Manifest;
}
