import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceSecrets, secretStoreConformance } from '../kit/conformance/secret-store.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import localFile from './file.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-secrets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = async (content: unknown, options: Record<string, unknown> = {}) => {
  const secretsFile = join(folder, `${files++}.json`);
  await writeFile(secretsFile, typeof content === 'string' ? content : JSON.stringify(content));
  return connected(buildComponent(localFile, { secretsFile, ...options }));
};

for (const multiValued of [false, true]) {
  secretStoreConformance(`secretstores.local.file, multiValued ${multiValued},`, {
    open: () => open({ ...conformanceSecrets, nested: { deep: ['x'] } }, { multiValued }),
  });
}

describe('the layout of secretstores.local.file', () => {
  const metadata = {};
  const nested = { plain: 'p', redis: { user: 'u', passwords: ['first', { old: 'second' }] } };

  test('nested values are secrets by their path', async () => {
    const store = await open(nested);
    expect(Object.keys(await store.getAll({ metadata }))).toEqual(['plain', 'redis:user', 'redis:passwords:0', 'redis:passwords:1:old']);
    expect(await store.get({ name: 'redis:passwords:1:old', metadata })).toEqual({ 'redis:passwords:1:old': 'second' });
    await expect(store.get({ name: 'redis', metadata })).rejects.toThrow('secret redis not found');
  });

  test('another separator may be chosen', async () => {
    const store = await open(nested, { nestedSeparator: '__' });
    expect(await store.get({ name: 'redis__user', metadata })).toEqual({ redis__user: 'u' });
  });

  test('with multiValued an object at the top is one secret of several keys, the deeper ones by their path', async () => {
    const store = await open({ ...nested, list: ['a', 'b'] }, { multiValued: true });
    expect(await store.getAll({ metadata })).toEqual({
      plain: { plain: 'p' },
      redis: { user: 'u', 'passwords:0': 'first', 'passwords:1:old': 'second' },
      list: { 0: 'a', 1: 'b' },
    });
  });

  test('what is no text is given as it stands in the file', async () => {
    const store = await open('{ "port": 6379, "long": 12345678901234567890, "share": 1.0, "on": true, "none": null }');
    const values = Object.entries(await store.getAll({ metadata })).map(([name, secret]) => secret[name]);
    expect(values).toEqual(['6379', '12345678901234567890', '1.0', 'true', 'null']);
  });

  test('names that a JavaScript object has of its own are names like any other', async () => {
    const store = await open('{ "__proto__": "a", "constructor": { "x": "b" } }');
    expect(Object.entries(await store.get({ name: '__proto__', metadata }))).toEqual([['__proto__', 'a']]);
    expect(await store.get({ name: 'constructor:x', metadata })).toEqual({ 'constructor:x': 'b' });
  });

  test('a file that cannot be used is refused by name and place, without a word of what is in it', async () => {
    for (const content of ['{ "a": "hush", b }', '["hush"]', '"hush"', '{ "a:b": "hush", "a": { "b": "hush" } }']) {
      const error = await open(content).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(String((error as Error).message)).toContain('secretsFile');
      expect(`${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain('hush');
    }
    await expect(connected(buildComponent(localFile, { secretsFile: join(folder, 'absent.json') }))).rejects.toThrow('absent.json');
  });
});
