import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BindingError, type Binding } from '../kit/index.ts';
import { bytesOfResponse, outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { fc } from '../kit/test-properties.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import storage from './storage.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-storage-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const open = (rootPath = join(folder, 'shared')): Promise<Binding> => connected(buildComponent(storage, { rootPath }));

outputBindingConformance(storage, {
  open: () => open(),
  away: () => buildComponent(storage, { rootPath: join(import.meta.filename, 'below-a-file') }),
  calls: [
    { operation: 'create', data: '"hello"', metadata: { fileName: 'a/b/c.txt' } },
    { operation: 'create', data: Buffer.from([0, 255, 1]) },
    { operation: 'get', metadata: { fileName: 'a/b/c.txt' } },
    { operation: 'list' },
    { operation: 'list', metadata: { fileName: 'a' } },
    { operation: 'delete', metadata: { fileName: 'a/b/c.txt' } },
    { operation: 'create', data: '{}', metadata: { fileName: 'a/b/c.txt' } },
  ],
  wrong: [
    { operation: 'get', metadata: { fileName: 'nowhere.txt' } },
    { operation: 'get', metadata: { fileName: 'a' } },
    { operation: 'get', metadata: { fileName: 'a\0b' } },
    { operation: 'list', metadata: { fileName: 'nowhere' } },
    { operation: 'delete', metadata: { fileName: 'a' } },
    { operation: 'delete', metadata: { fileName: '/' } },
    { operation: 'create', data: '""', metadata: { fileName: 'a' } },
    { operation: 'create', data: '""', metadata: { fileName: 'a/b/c.txt/d' } },
    { operation: 'create', data: '""', metadata: { fileName: 'folder/' } },
    { operation: 'create', data: '""', metadata: { fileName: 'x'.repeat(256) } },
    { operation: 'create', data: '"not base64!"', metadata: { fileName: 'd', decodeBase64: 'true' } },
    ...['../out', 'a/../../out', '/../out', './../out', 'a/b/../c'].map((fileName) => ({ operation: 'create', data: '"x"', metadata: { fileName } })),
  ],
});

describe('bindings.localstorage', () => {
  let root: string;
  let outside: string;
  let binding: Binding;
  const invoke = (operation: string, fileName: string, data: string | Uint8Array = '"mine"') => {
    if (!binding.invoke) throw new Error('it has no output');
    return binding.invoke(requestOf({ operation, data, metadata: { fileName } }), never).then(bytesOfResponse);
  };

  beforeEach(async () => {
    const own = await mkdtemp(join(folder, 'case-'));
    [root, outside] = [join(own, 'root'), join(own, 'outside')];
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'SECRET');
    binding = await open(root);
  });

  test('what was created is read, listed by its absolute path, found again by that path, and removed', async () => {
    await invoke('create', 'orders/1.json', '{"id":1}');
    const listed = JSON.parse((await invoke('list', '')).toString()) as string[];
    expect(listed).toEqual([join(root, 'orders/1.json')]);
    expect((await invoke('get', listed[0] ?? '')).toString()).toBe('{"id":1}');
    await invoke('delete', 'orders/1.json');
    await expect(invoke('get', 'orders/1.json')).rejects.toMatchObject({ fault: 'not-found' });
    await invoke('delete', 'orders/1.json');
  });

  test('text that happens to be base64 stays text, unless the request says that it is', async () => {
    await invoke('create', 'text', '"abcd"');
    expect((await invoke('get', 'text')).toString()).toBe('abcd');
    await binding.invoke?.(requestOf({ operation: 'create', data: '"aGVsbG8="', metadata: { fileName: 'decoded', decodeBase64: 'True' } }), never);
    expect((await invoke('get', 'decoded')).toString()).toBe('hello');
  });

  test('a long file comes as a stream, byte for byte', async () => {
    const bytes = Buffer.alloc(300_000, Buffer.from([0, 1, 2, 253, 254, 255]));
    await invoke('create', 'long', bytes);
    expect((await invoke('get', 'long')).equals(bytes)).toBe(true);
  });

  test('(users 49) a link that leads outside is neither read, written, listed nor followed', async () => {
    await symlink(outside, join(root, 'out'));
    await symlink(join(outside, 'secret'), join(root, 'file'));
    await symlink(join(outside, 'new'), join(root, 'dangling'));
    for (const name of ['out/secret', 'file', 'out', 'dangling/x']) {
      await expect(invoke('get', name)).rejects.toBeInstanceOf(BindingError);
      await expect(invoke('create', name)).rejects.toBeInstanceOf(BindingError);
    }
    await expect(invoke('create', 'dangling')).rejects.toBeInstanceOf(BindingError);
    await expect(invoke('create', 'out/new/deep/file')).rejects.toBeInstanceOf(BindingError);
    await expect(invoke('list', 'out')).rejects.toMatchObject({ fault: 'denied' });
    expect((await invoke('list', '')).toString()).toBe('[]');
    await invoke('delete', 'file');
    await expect(invoke('delete', 'out/secret')).rejects.toMatchObject({ fault: 'denied' });
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('SECRET');
  });

  test('a link within the root works', async () => {
    await invoke('create', 'real/file', '"inside"');
    await symlink(join(root, 'real'), join(root, 'way'));
    expect((await invoke('get', 'way/file')).toString()).toBe('inside');
    await invoke('create', 'way/file', '"changed"');
    expect((await invoke('get', 'real/file')).toString()).toBe('changed');
  });

  test('(users 49) no spelling of a name reaches a file outside of the root, and what was created is found under the spelling that created it', async () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', '..\\', '\\\\?\\C:', 'C:', '%2e%2e', '%2f', '..%2f', '..;', '\0', '.. ', ' ..', '...', '。。', '．．', '‥', '..\u2215', 'OUTSIDE', 'outside', 'Secret', 'secret', 'x', 'X'),
      // One letter in two normalisations, one in two cases, and such as change their length with it.
      fc.constantFrom('é', 'e\u0301', 'ﬁ', 'ß', 'ẞ', 'İ', '\u200b', '\ufeff', '\u202e', '\ud800'),
      fc.constantFrom('n'.repeat(255), 'n'.repeat(256), 'é'.repeat(128), 'd/'.repeat(100), 'n'.repeat(5_000)),
      fc.string({ maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 8 }), fc.constantFrom('/', '\\', ''), async (pieces, between) => {
        const name = pieces.join(between);
        const read = await invoke('get', name).catch(() => Buffer.alloc(0));
        expect(read.toString()).not.toContain('SECRET');
        const created = await invoke('create', name, '"overwritten"').then(() => true, (error: unknown) => {
          expect(error).toBeInstanceOf(BindingError);
          return false;
        });
        if (created && name !== '') expect((await invoke('get', name)).toString()).toBe('overwritten');
        expect(await readdir(outside)).toEqual(['secret']);
        expect((await readdir(join(root, '..'))).toSorted()).toEqual(['outside', 'root']);
        expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('SECRET');
      }),
      { numRuns: 300 },
    );
  });

  test('(users 49) a folder that is exchanged for a link while calls are under way leads nowhere', async () => {
    const [place, aside] = [join(root, 'place'), join(root, '..', 'aside')];
    await invoke('create', 'place/secret', '"inside"');
    let calling = true;
    const back = (): Promise<boolean> => rm(place, { recursive: true, force: true }).then(() => rename(aside, place)).then(() => true, () => false);
    const exchange = async (): Promise<void> => {
      while (calling) {
        await rename(place, aside);
        // A call may have made the folder anew before that, and while it is taken away.
        await symlink(outside, place).catch(() => undefined);
        while (!(await back()));
      }
    };
    const call = async (): Promise<void> => {
      for (let number = 0; number < 150; number++) {
        const read = await invoke('get', 'place/secret').catch(() => Buffer.alloc(0));
        expect(read.toString()).not.toBe('SECRET');
        for (const name of ['place/secret', 'place/new', `place/deep/${number}`]) await invoke('create', name, '"inside"').catch((error: unknown) => expect(error).toBeInstanceOf(BindingError));
        const listed = await invoke('list', 'place').catch(() => Buffer.from('[]'));
        expect(listed.toString()).not.toContain('outside');
        await invoke('delete', 'place/secret').catch((error: unknown) => expect(error).toBeInstanceOf(BindingError));
      }
    };
    const exchanging = exchange();
    await Promise.all([call(), call()]).finally(() => void (calling = false));
    await exchanging;
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('SECRET');
  });

  test.each(['/', '/proc/self', '/sys', '/boot/x'])('%s is refused as a root', (rootPath) => {
    expect(() => buildComponent(storage, { rootPath })).toThrow('rootPath');
  });

  test('a create that fails leaves no part of a file', async () => {
    await mkdir(join(root, 'taken'));
    await expect(invoke('create', 'taken')).rejects.toBeInstanceOf(BindingError);
    expect(await readdir(root)).toEqual(['taken']);
  });
});
