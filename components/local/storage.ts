/**
 * `bindings.localstorage`: files below one folder.
 *
 * Invariants
 *  1. Nothing outside of the root is read, written, listed or removed, however a name is spelled and wherever a link points: a
 *     name is brought to the real path of what it means, and that must lie in the real root. Links within the root work.
 *  2. A file is there as a whole or not at all: it is written beside its place, synced, and then renamed.
 *
 * Whoever may rename folders of the root while a call is under way could swap one between the look and the use; the folder
 * must belong to the app alone.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, opendir, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { BindingError, bytesOf, defineComponent, field, flagOf, type Binding, type BindingRequest, type BindingResponse } from '@mecha/components/kit';

/** Folders of the system that no root may be, or lie in (components.md). */
const REFUSED_ROOTS = ['/proc', '/sys', '/boot', '/var/run/secrets', '/run/secrets'];
const LISTED_MAX = 10_000;
/** Shorter files come as bytes, longer ones as a stream. */
const WHOLE_BYTES_MAX = 64 * 1024;
const NAME_BYTES_MAX = 255;
const PART = '.mecha-part-';

const FILE_NAME = 'Path below the root, with `/` between folders; an absolute path that `list` gave means the same file';

export default defineComponent({
  type: 'bindings.localstorage',
  versions: ['v1'],
  status: 'stable',
  title: 'Local folder',
  description: 'Files below one folder of this host. No name leads out of it, by links neither.',
  durability: 'A created file is on the disk (fsync), as a whole, before the answer',
  metadata: { rootPath: field.string('Folder of the files; made if it is not there. A relative one begins at the working directory', { required: true }) },
  features: ['OUTPUT_BINDING'],
  operations: {
    create: {
      description: 'Writes a file, in the place of one that is there; missing folders are made.',
      metadata: {
        fileName: { description: `${FILE_NAME}. Absent: a new UUID` },
        decodeBase64: { description: '`true`: the data are base64 and are written decoded' },
      },
      data: 'the bytes of the file; a JSON string is written without its quotes',
      result: '`{"fileName": …}`, the path below the root',
    },
    get: { description: 'Reads a file.', metadata: { fileName: { description: FILE_NAME, required: true } }, result: 'the bytes of the file' },
    list: {
      description: `Lists the files below a folder, its folders' files too; at most ${LISTED_MAX}.`,
      metadata: { fileName: { description: `Folder: ${FILE_NAME.toLowerCase()}. Absent: the root` } },
      result: 'a JSON array of absolute paths, in order',
    },
    delete: { description: 'Removes a file; one that is not there is no error.', metadata: { fileName: { description: FILE_NAME, required: true } } },
  },
  create: ({ options }): Binding => createStorage(resolve(options.rootPath)),
});

function createStorage(path: string): Binding {
  refuseRoot(path);
  let root: string | undefined;

  function rootNow(): string {
    if (root === undefined) throw new BindingError('unavailable', 'the folder is not open');
    return root;
  }

  return {
    async connect() {
      refuseRoot(path);
      await mkdir(path, { recursive: true });
      const real = await realpath(path);
      refuseRoot(real);
      if (!(await stat(real)).isDirectory()) throw new Error(`rootPath ${path} is not a folder`);
      root = real;
    },

    async ping() {
      await stat(rootNow());
    },

    async close() {
      root = undefined;
    },

    async invoke(request, signal): Promise<BindingResponse | undefined> {
      signal.throwIfAborted();
      const base = rootNow();
      try {
        switch (request.operation) {
          case 'create':
            return await write(base, request);
          case 'get':
            return await read(base, segmentsOf(base, request.metadata['fileName'] ?? ''), signal);
          case 'list':
            return { data: Buffer.from(JSON.stringify(await filesBelow(base, segmentsOf(base, request.metadata['fileName'] ?? '')))) };
          default:
            await remove(base, segmentsOf(base, request.metadata['fileName'] ?? ''));
            return undefined;
        }
      } catch (error) {
        throw asBindingError(error);
      }
    },
  };
}

function refuseRoot(path: string): void {
  const found = REFUSED_ROOTS.find((refused) => path === refused || path.startsWith(`${refused}/`));
  if (found !== undefined || path === '/') throw new Error(`rootPath must not be ${path === '/' ? path : `in ${found}`}`);
}

/** The name's folders and file; throws for names that are none or lead upwards. */
function segmentsOf(root: string, name: string): string[] {
  if (name.includes('\0')) throw new BindingError('invalid-metadata', 'metadata fileName must not hold a NUL');
  const relative = name === root || name.startsWith(root + sep) ? name.slice(root.length) : name;
  const segments = (sep === '\\' ? relative.replaceAll('\\', '/') : relative).split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw new BindingError('denied', 'metadata fileName leads out of rootPath');
  if (segments.some((segment) => Buffer.byteLength(segment) > NAME_BYTES_MAX)) throw new BindingError('invalid-metadata', `metadata fileName holds a name longer than ${NAME_BYTES_MAX} bytes`);
  return segments;
}

/** Where the name leads, links followed; throws `ENOENT`, or when that is outside of the root. */
async function locate(root: string, segments: readonly string[]): Promise<string> {
  const real = await realpath(join(root, ...segments));
  if (real !== root && !real.startsWith(root + sep)) throw new BindingError('denied', 'metadata fileName leads out of rootPath');
  return real;
}

/** The real folder, made where it is missing: each one is looked at before the next is made in it. */
async function makeFolder(root: string, segments: readonly string[]): Promise<string> {
  let folder = root;
  for (const [index, segment] of segments.entries()) {
    const made = await mkdir(join(folder, segment)).then(() => true, (error: unknown) => {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    });
    folder = made ? join(folder, segment) : await locate(root, segments.slice(0, index + 1));
  }
  return folder;
}

async function write(root: string, request: BindingRequest): Promise<BindingResponse> {
  const { fileName = '' } = request.metadata;
  const segments = segmentsOf(root, fileName === '' ? randomUUID() : fileName);
  const name = segments.at(-1);
  if (name === undefined || fileName.endsWith('/')) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
  const data = dataOf(request.data, flagOf(request.metadata, 'decodeBase64', false));
  const folder = await makeFolder(root, segments.slice(0, -1));
  // A link in the file's place is followed when it stays inside, and refused otherwise.
  const isLink = await lstat(join(folder, name)).then((found) => found.isSymbolicLink(), () => false);
  const place = isLink ? await locate(root, segments) : join(folder, name);
  const part = join(dirname(place), PART + randomUUID());
  try {
    const file = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, place);
    await syncFolder(dirname(place));
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw error;
  }
  const relative = segments.join('/');
  return { data: Buffer.from(JSON.stringify({ fileName: relative })), metadata: { fileName: relative } };
}

/** So that the new name is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function dataOf(data: Uint8Array, isBase64: boolean): Uint8Array {
  const bytes = bytesOf(data);
  if (!isBase64) return bytes;
  const text = Buffer.from(bytes).toString('latin1').trim();
  if (!BASE64.test(text)) throw new BindingError('invalid-data', 'the data are not base64, as metadata decodeBase64 says');
  return Buffer.from(text, 'base64');
}

async function read(root: string, segments: readonly string[], signal: AbortSignal): Promise<BindingResponse> {
  const file = await open(await locate(root, segments), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
    const metadata = { fileName: segments.join('/') };
    if (found.size <= WHOLE_BYTES_MAX) {
      const data = await file.readFile();
      await file.close();
      return { data, metadata };
    }
    return { data: file.createReadStream({ signal }), metadata };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function filesBelow(root: string, segments: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  const folders = [await locate(root, segments)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    // Links are listed by nobody: what they point to is listed where it stands.
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
      else if (entry.isFile() && !entry.name.startsWith(PART)) files.push(join(folder, entry.name));
      if (files.length + folders.length > LISTED_MAX) throw new BindingError('too-large', `there are more than ${LISTED_MAX} files; list a folder of fewer`);
    }
  }
  return files.toSorted();
}

async function remove(root: string, segments: readonly string[]): Promise<void> {
  if (segments.length === 0) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
  try {
    // The link itself goes, not what it points to.
    const folder = await locate(root, segments.slice(0, -1));
    const place = join(folder, segments.at(-1) ?? '');
    if ((await lstat(place)).isDirectory()) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
    await unlink(place);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** No text of these holds a path of the host. */
function asBindingError(error: unknown): unknown {
  if (error instanceof BindingError) return error;
  switch (codeOf(error)) {
    case 'ENOENT':
      return new BindingError('not-found', 'file not found', { cause: error });
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENAMETOOLONG':
      return new BindingError('invalid-metadata', 'metadata fileName does not name a file, or a folder where one is needed', { cause: error });
    case 'ELOOP':
      return new BindingError('denied', 'metadata fileName leads out of rootPath', { cause: error });
    case '':
      return error;
    default:
      return new BindingError('failed', `the file system refuses: ${codeOf(error)}`, { cause: error });
  }
}
