/** Pages that say which test stands against which fault, or shows what: each of them must be there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/tools.ts';

const PAGES = ['docs/workflows.md', 'docs/resiliency.md'];
/** Of the last column: `file` "words of a title", and more words of the same file. */
const NAMED = PAGES.flatMap((page) => readFileSync(join(ROOT, page), 'utf8').split('\n')).flatMap((line) => {
  const found: { file: string; words: string }[] = [];
  let file = '';
  for (const [, path, words] of line.matchAll(/`([\w./-]+\.ts)`|"([^"]+)"/g)) {
    if (path !== undefined) file = path;
    else if (words !== undefined && file !== '') found.push({ file, words });
  }
  return found;
});

test('the pages name tests', () => {
  expect(NAMED.length).toBeGreaterThan(50);
});

test.each(NAMED)('$file has a test that says "$words"', ({ file, words }) => {
  expect(readFileSync(join(ROOT, file), 'utf8').includes(words)).toBe(true);
});
