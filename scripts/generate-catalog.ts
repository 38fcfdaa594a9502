/**
 * Writes components/catalog.gen.ts: every component file of the shelf by type id and alias, loaded only when asked for.
 * `--check` writes nothing and exits 1 when the file on disk is not what would be written.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ComponentDefinition } from '../components/kit/component.ts';

const SHELF = fileURLToPath(new URL('../components/', import.meta.url));
const TARGET = join(SHELF, 'catalog.gen.ts');

const rows: { definition: ComponentDefinition; file: string }[] = [];
for (const backend of (await readdir(SHELF, { withFileTypes: true })).filter((entry) => entry.isDirectory() && entry.name !== 'kit' && entry.name !== 'node_modules')) {
  for (const file of (await readdir(join(SHELF, backend.name))).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
    const path = join(SHELF, backend.name, file);
    // Default exports are reserved for components, so this tells which files to load.
    if (!/^export default defineComponent\(/m.test(await readFile(path, 'utf8'))) continue;
    const { default: definition } = (await import(pathToFileURL(path).href)) as { default: ComponentDefinition };
    rows.push({ definition, file: `./${backend.name}/${file}` });
  }
}
rows.sort((a, b) => (a.definition.type < b.definition.type ? -1 : 1));

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const list = (texts: readonly string[]) => `[${texts.map(quote).join(', ')}]`;
const text = `// Written by scripts/generate-catalog.ts; do not edit.
import type { ComponentDefinition } from './kit/component.ts';

/** A component of the shelf, as far as it is known without loading it. */
export interface CatalogEntry {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly versions: readonly string[];
  readonly status: 'stable' | 'beta' | 'alpha';
  readonly title: string;
  readonly load: () => Promise<{ readonly default: ComponentDefinition }>;
}

export const catalog: readonly CatalogEntry[] = [
${rows
  .map(
    ({ definition, file }) => `  {
    type: ${quote(definition.type)},
    aliases: ${list(definition.aliases ?? [])},
    versions: ${list(definition.versions)},
    status: ${quote(definition.status)},
    title: ${quote(definition.title)},
    load: () => import(${quote(file)}) as Promise<{ default: ComponentDefinition }>,
  },`,
  )
  .join('\n')}
];
`;

if (process.argv.includes('--check')) {
  const now = await readFile(TARGET, 'utf8').catch(() => '');
  if (now !== text) {
    process.stderr.write('components/catalog.gen.ts is stale; run: npm run generate\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(TARGET, text);
  process.stdout.write(`components/catalog.gen.ts: ${rows.length} components\n`);
}
