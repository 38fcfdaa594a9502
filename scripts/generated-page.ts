/** What the generators of docs pages share: writing a page, or saying that it is stale; and Markdown that survives its content. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './tools.ts';

/** Writes `file` (relative to the root); under `--check` writes nothing and makes this process end with 1 when it is stale. */
export async function writeOrCheck(file: string, text: string): Promise<void> {
  const target = join(ROOT, file);
  const now = await readFile(target, 'utf8').catch(() => '');
  if (!process.argv.includes('--check')) {
    if (now !== text) await writeFile(target, text);
    process.stdout.write(`${file}\n`);
  } else if (now !== text) {
    process.stderr.write(`${file} is stale; run: npm run generate\n`);
    process.exitCode = 1;
  }
}

/**
 * The page with what stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->` replaced. Throws when a part
 * has no such place, or a place no part.
 */
export async function fillPage(file: string, parts: Readonly<Record<string, string>>): Promise<string> {
  const page = await readFile(join(ROOT, file), 'utf8');
  const filled = new Set<string>();
  const text = page.replace(/<!-- generated: (\S+) -->\n[^]*?<!-- end of \1 -->/g, (_place, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`${file} has a place for ${name}, which nothing fills`);
    filled.add(name);
    return `<!-- generated: ${name} -->\n\n${part.trim()}\n\n<!-- end of ${name} -->`;
  });
  const homeless = Object.keys(parts).filter((name) => !filled.has(name));
  if (homeless.length > 0) throw new Error(`${file} has no place for ${homeless.join(', ')}`);
  return text;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}
