/**
 * Takes files out of the page cache, so that the next process that needs them reads them from the disk: a cold start
 * without a reboot and without root.
 *
 * It relies on posix_fadvise(POSIX_FADV_DONTNEED), which Node does not offer and GNU dd does: `dd iflag=nocache count=0`
 * copies nothing and gives the advice for the whole file. Linux then drops the pages of the file that are clean and that
 * no process maps. From this follow the limits:
 *
 * - What was just written must be on the disk first, hence the fdatasync before.
 * - A file that a running process maps, such as the binary of the Node that runs this, stays. Whoever wants that cold too
 *   starts a copy of it under another name.
 * - A file on tmpfs has no other place to be, and stays.
 *
 * Where there is no GNU dd (macOS, Alpine), /proc/sys/vm/drop_caches is tried, which only root may write and which empties
 * the cache of the whole machine. What is left afterwards is asked of the kernel (mincore(2), by fincore of util-linux) where
 * that tool is there; the kernel answers it for files that the asker owns or may write, and calls all others resident.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FILES_AT_ONCE = 200;
/** Readahead of somebody who looked at a file meanwhile brings back a few pages; more than this share is a file that stayed. */
const LEFT_SHARE_MAX = 0.01;
const DROP_PAGE_CACHE = '1\n';

export interface Eviction {
  /** Whether the files are out of the cache; where nobody can look (see `residentBytes`), whether the kernel was told. */
  readonly evicted: boolean;
  readonly files: number;
  readonly bytes: number;
  /** Bytes still in the cache; absent where there is no fincore. */
  readonly residentBytes?: number;
  /** One line for the reader: how, how much, and what stayed. */
  readonly words: string;
}

/** What does the work; others in tests. */
export interface Tools {
  readonly dd?: string;
  readonly dropCaches?: string;
  readonly fincore?: string;
}

/** Files, and folders with all in them; a link in a folder is passed over. Throws when a path is not there. */
export async function evictFromCache(paths: readonly string[], { dd = 'dd', dropCaches = '/proc/sys/vm/drop_caches', fincore = 'fincore' }: Tools = {}): Promise<Eviction> {
  const files = [...new Set((await Promise.all(paths.map(filesUnder))).flat())];
  const bytes = (await Promise.all(files.map(async (file) => (await stat(file)).size))).reduce((sum, size) => sum + size, 0);
  for (const batch of batches(files)) await Promise.all(batch.map(toDisk));
  const how = (await adviseAway(files, dd)) ? 'advice (posix_fadvise)' : (await dropAll(dropCaches)) ? 'drop_caches' : undefined;
  const size = `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${(bytes / 1e6).toFixed(1)} MB`;
  if (how === undefined) return { evicted: false, files: files.length, bytes, words: `${size}: still cached, for there is neither GNU dd nor leave to write drop_caches` };
  const resident = await residentBytesOf(files, fincore);
  if (resident === undefined) return { evicted: true, files: files.length, bytes, words: `${size}: taken out of the cache by ${how}; unproved, for there is no fincore` };
  const residentBytes = resident.reduce((sum, one) => sum + one, 0);
  const largest = files[resident.indexOf(Math.max(...resident))] ?? '';
  const evicted = residentBytes <= bytes * LEFT_SHARE_MAX;
  const words = evicted ? `${size}: taken out of the cache by ${how}` : `${size}: ${(residentBytes / 1e6).toFixed(1)} MB stayed in the cache, most of ${largest} (in use by a process, or on tmpfs)`;
  return { evicted, files: files.length, bytes, residentBytes, words };
}

async function filesUnder(path: string): Promise<readonly string[]> {
  const real = await realpath(path);
  if (!(await stat(real)).isDirectory()) return [real];
  const entries = await readdir(real, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** A dirty page is not dropped. */
async function toDisk(file: string): Promise<void> {
  await using handle = await open(file);
  await handle.datasync();
}

/** False when there is no dd, or one that does not know the flag. */
async function adviseAway(files: readonly string[], dd: string): Promise<boolean> {
  const script = 'tool=$1; shift; for file; do "$tool" if="$file" iflag=nocache count=0 status=none || exit 1; done';
  try {
    for (const batch of batches(files)) await run('sh', ['-c', script, 'sh', dd, ...batch]);
    return true;
  } catch {
    return false;
  }
}

async function dropAll(dropCaches: string): Promise<boolean> {
  try {
    // Neither made nor read, of which the kernel allows neither.
    await using handle = await open(dropCaches, constants.O_WRONLY);
    await handle.write(DROP_PAGE_CACHE);
    return true;
  } catch {
    return false;
  }
}

/** Of each file; undefined where there is no fincore. */
async function residentBytesOf(files: readonly string[], fincore: string): Promise<readonly number[] | undefined> {
  const resident: number[] = [];
  try {
    for (const batch of batches(files)) {
      const { stdout } = await run(fincore, ['--bytes', '--noheadings', '--output', 'RES', '--', ...batch]);
      resident.push(...stdout.trim().split(/\s+/).map(Number));
    }
    return resident;
  } catch {
    return undefined;
  }
}

function batches(files: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(files.length / FILES_AT_ONCE) }, (_value, index) => files.slice(index * FILES_AT_ONCE, (index + 1) * FILES_AT_ONCE));
}
