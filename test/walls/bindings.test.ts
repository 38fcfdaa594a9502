/** What every binding of the shelf must have been put through: a suite of its port that is not run for a backend holds nothing there. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '@mecha/components/catalog.gen.ts';
import { ROOT } from '../../scripts/tools.ts';
import { readSource } from './imports.ts';

const bindings = catalog.filter(({ type }) => type.startsWith('bindings.'));
/** Where each type is declared, by the catalog's own words. */
const places = new Map([...readSource('components/catalog.gen.ts').matchAll(/type: '([^']+)'[^{}]*import\('\.\/(.+)\/([\w-]+\.ts)'\)/g)].map(([, type = '', folder = '', file = '']) => [type, { folder, file }]));

/** The tests beside a declaration, and the names by which they import it. */
function testsOf(type: string): { readonly text: string; readonly names: readonly string[] } {
  const { folder, file } = places.get(type) ?? { folder: '', file: '' };
  const files = readdirSync(join(ROOT, 'components', folder)).filter((name) => name.endsWith('.test.ts'));
  const text = files.map((name) => readSource(`components/${folder}/${name}`)).join('\n');
  return { text, names: [...text.matchAll(new RegExp(`import (\\w+) from '\\./${file.replace('.', '\\.')}'`, 'g'))].map(([, name = '']) => name) };
}

test.each(bindings.map(({ type, load }) => [type, load] as const))('%s runs the suites of what it declares: every operation, its events, TLS', async (type, load) => {
  const { default: definition } = await load();
  const { text, names } = testsOf(type);
  const runs = (suite: string): boolean => names.some((name) => text.includes(`${suite}(${name}, `));
  const fields = Object.keys(definition.metadata);
  expect({ output: runs('outputBindingConformance'), input: runs('inputBindingConformance'), tls: runs('tlsBindingConformance') }, type).toEqual({
    // Which holds that there is a call for every operation.
    output: definition.features.includes('OUTPUT_BINDING'),
    input: definition.features.includes('INPUT_BINDING'),
    // The databases say it in their addresses.
    tls: fields.some((name) => /cert|rootCA/i.test(name)) || ['bindings.mysql', 'bindings.postgresql'].includes(type),
  });
});
