import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { evictFromCache } from './file-cache.ts';

let folder: string;
beforeEach(async () => {
  // Beside the sources, since a folder for temporary files is often no disk; git ignores the name.
  folder = await mkdtemp(join(import.meta.dirname, '.measure-'));
  await mkdir(join(folder, 'files', 'deeper'), { recursive: true });
  await writeFile(join(folder, 'files', 'a b'), Buffer.alloc(3_000_000, 'a'));
  await writeFile(join(folder, 'files', 'deeper', '$(c)'), Buffer.alloc(1_000_000, 'c'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program of a few lines of shell. */
async function tool(name: string, script: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}
const absent = { dd: '/no/such/dd', dropCaches: '/no/such/drop_caches', fincore: '/no/such/fincore' };

describe('eviction', () => {
  test('every file of a folder is advised away once, whatever its name, and links are passed over', async () => {
    await symlink('/', join(folder, 'files', 'link'));
    const dd = await tool('dd', `echo "$@" >> '${folder}/said'`);
    const { files, bytes, evicted, words } = await evictFromCache([join(folder, 'files'), join(folder, 'files', 'a b')], { ...absent, dd });
    expect({ files, bytes, evicted }).toEqual({ files: 2, bytes: 4_000_000, evicted: true });
    expect(words).toBe('2 files, 4.0 MB: taken out of the cache by advice (posix_fadvise); unproved, for there is no fincore');
    const said = (await readFile(join(folder, 'said'), 'utf8')).trim().split('\n').toSorted();
    expect(said).toEqual([join('files', 'a b'), join('files', 'deeper', '$(c)')].map((name) => `if=${join(folder, name)} iflag=nocache count=0 status=none`));
  });

  test('without such a dd the cache of the machine is dropped, where that may be', async () => {
    await writeFile(join(folder, 'drop_caches'), '');
    const { evicted, words } = await evictFromCache([join(folder, 'files')], { ...absent, dd: await tool('dd', 'exit 1'), dropCaches: join(folder, 'drop_caches') });
    expect(evicted).toBe(true);
    expect(words).toContain('by drop_caches');
    expect(await readFile(join(folder, 'drop_caches'), 'utf8')).toBe('1\n');
  });

  test('without either it says that it could not', async () => {
    const { evicted, words } = await evictFromCache([join(folder, 'files', 'a b')], absent);
    expect(evicted).toBe(false);
    expect(words).toBe('1 file, 3.0 MB: still cached, for there is neither GNU dd nor leave to write drop_caches');
  });

  test('what stayed is said, by size and by the file that holds most of it', async () => {
    const tools = { dd: await tool('dd', ''), fincore: await tool('fincore', `printf '  4096\\n 2000000\\n'`) };
    const { evicted, residentBytes, words } = await evictFromCache([join(folder, 'files', 'a b'), join(folder, 'files', 'deeper')], { ...absent, ...tools });
    expect({ evicted, residentBytes }).toEqual({ evicted: false, residentBytes: 2_004_096 });
    expect(words).toContain(`2.0 MB stayed in the cache, most of ${join(folder, 'files', 'deeper', '$(c)')}`);
  });

  test('a few pages read meanwhile are no matter', async () => {
    const tools = { dd: await tool('dd', ''), fincore: await tool('fincore', 'echo 4096 0') };
    expect((await evictFromCache([join(folder, 'files')], { ...absent, ...tools })).evicted).toBe(true);
  });

  test('a path that is not there is named', async () => {
    await expect(evictFromCache([join(folder, 'nothing')])).rejects.toThrow(join(folder, 'nothing'));
  });
});

/** Whether this machine has the tools, and the sources lie on a disk that can be read anew. */
const provable = ((): boolean => {
  try {
    execFileSync('fincore', ['--version'], { stdio: 'ignore' });
    execFileSync('dd', ['if=/dev/null', 'iflag=nocache', 'count=0', 'status=none'], { stdio: 'ignore' });
    return execFileSync('df', ['--output=fstype', import.meta.dirname], { encoding: 'utf8' }).match(/ext\d|xfs|btrfs/) !== null;
  } catch {
    return false;
  }
})();

test.runIf(provable)('the kernel lets go of a file just written, and has it again after it was read', async () => {
  const file = join(folder, 'files', 'a b');
  const resident = (): number => Number(execFileSync('fincore', ['-b', '-n', '-o', 'RES', file], { encoding: 'utf8' }));
  expect(resident()).toBeGreaterThanOrEqual(3_000_000);
  const { evicted, residentBytes } = await evictFromCache([join(folder, 'files')], { dropCaches: absent.dropCaches });
  expect({ evicted, residentBytes }).toEqual({ evicted: true, residentBytes: 0 });
  await readFile(file);
  expect(resident()).toBeGreaterThanOrEqual(3_000_000);
});
