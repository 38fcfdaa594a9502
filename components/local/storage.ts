/**
 * `bindings.localstorage`: files below one folder.
 *
 * Invariants
 *  1. Nothing outside of the root is read, written, listed or removed, however a name is spelled and wherever a link points: a
 *     name is brought to the real path of what it means, and that must lie in the real root. Links within the root work.
 *  2. A file is there as a whole or not at all: it is written beside its place, synced, and then renamed.
 *  3. On Linux, folders on the way are opened one in the other, links refused, and all is done through the folder that is held open:
 *     one that is exchanged for a link while a call is under way leads nowhere. Systems without `/proc/self/fd` have paths only,
 *     and there the folder must belong to the app alone.
 */
import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, opendir, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
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

/** A folder of the root that is held open, so that its place in the tree is of no matter any more (3). */
interface Folder extends AsyncDisposable {
  /** Its real path when it was opened. */
  readonly path: string;
  /** The path by which one of its entries is reached. */
  at(name: string): string;
  sync(): Promise<void>;
}
const HAS_OPEN_FOLDERS = existsSync('/proc/self/fd');
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

function folderOf(path: string, handle: FileHandle): Folder {
  return {
    path,
    at: (name) => join(HAS_OPEN_FOLDERS ? `/proc/self/fd/${handle.fd}` : path, name),
    sync: () => handle.sync(),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The folder that a name means, links within the root followed. */
async function openFolder(root: string, segments: readonly string[]): Promise<Folder> {
  const path = await locate(root, segments);
  let folder = folderOf(root, await open(root, FOLDER_FLAGS));
  for (const segment of path.slice(root.length).split(sep).filter((one) => one !== '')) folder = await within(folder, segment);
  return folder;
}

/** The folder in a folder, which is closed; throws where it is a link by now. */
async function within(folder: Folder, name: string): Promise<Folder> {
  await using parent = folder;
  return folderOf(join(parent.path, name), await open(parent.at(name), FOLDER_FLAGS));
}

/** The folder and the name in it that a name means: a file, or none yet. A link in the file's place is followed when it stays inside. */
async function openPlace(root: string, segments: readonly string[], folderAt: (segments: readonly string[]) => Promise<Folder>): Promise<{ readonly folder: Folder; readonly name: string }> {
  const name = segments.at(-1) ?? '';
  const folder = await folderAt(segments.slice(0, -1));
  try {
    if (!(await lstat(folder.at(name)).then((found) => found.isSymbolicLink(), () => false))) return { folder, name };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  await folder[Symbol.asyncDispose]();
  const real = await locate(root, segments);
  return { folder: await openFolder(root, relative(root, dirname(real)).split(sep)), name: basename(real) };
}

/** The folder, made where it is missing: each one in the one before. */
async function makeFolder(root: string, segments: readonly string[]): Promise<Folder> {
  let folder = await openFolder(root, []);
  for (const [index, segment] of segments.entries()) {
    let isLink: boolean;
    try {
      isLink = await makeWithin(folder, segment);
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
    if (isLink) await folder[Symbol.asyncDispose]();
    folder = isLink ? await openFolder(root, segments.slice(0, index + 1)) : await within(folder, segment);
  }
  return folder;
}

/** Makes a folder in a folder, unless something is there; tells whether that is a link. */
async function makeWithin(folder: Folder, name: string): Promise<boolean> {
  try {
    await mkdir(folder.at(name));
    return false;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return (await lstat(folder.at(name))).isSymbolicLink();
  }
}

async function write(root: string, request: BindingRequest): Promise<BindingResponse> {
  const { fileName = '' } = request.metadata;
  const segments = segmentsOf(root, fileName === '' ? randomUUID() : fileName);
  if (segments.length === 0 || fileName.endsWith('/')) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
  const data = dataOf(request.data, flagOf(request.metadata, 'decodeBase64', false));
  const { folder: opened, name } = await openPlace(root, segments, (folders) => makeFolder(root, folders));
  await using folder = opened;
  const part = folder.at(PART + randomUUID());
  try {
    const file = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, folder.at(name));
    // So that the new name is on the disk too.
    await folder.sync();
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw error;
  }
  const written = segments.join('/');
  return { data: Buffer.from(JSON.stringify({ fileName: written })), metadata: { fileName: written } };
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
  if (segments.length === 0) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
  const { folder: opened, name } = await openPlace(root, segments, (folders) => openFolder(root, folders));
  await using folder = opened;
  const file = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
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
  const paths = [await locate(root, segments)];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    await using folder = await openFolder(root, relative(root, path).split(sep));
    // Links are listed by nobody: what they point to is listed where it stands.
    for await (const entry of await opendir(folder.at('.'))) {
      if (entry.isDirectory()) paths.push(join(folder.path, entry.name));
      else if (entry.isFile() && !entry.name.startsWith(PART)) files.push(join(folder.path, entry.name));
      if (files.length + paths.length > LISTED_MAX) throw new BindingError('too-large', `there are more than ${LISTED_MAX} files; list a folder of fewer`);
    }
  }
  return files.toSorted();
}

async function remove(root: string, segments: readonly string[]): Promise<void> {
  if (segments.length === 0) throw new BindingError('invalid-metadata', 'metadata fileName must name a file');
  try {
    // The link itself goes, not what it points to.
    await using folder = await openFolder(root, segments.slice(0, -1));
    const place = folder.at(segments.at(-1) ?? '');
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
