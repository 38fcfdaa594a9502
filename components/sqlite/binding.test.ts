import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Binding } from '../kit/bindings.ts';
import { bytesOfResponse, outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { sqlBindingConformance } from '../kit/conformance/sql-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import sqlite from './binding.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'mecha-binding-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const file = path.join(folder, 'app.db');
const never = new AbortController().signal;
const open = (connectionString = file): Promise<Binding> => connected(buildComponent(sqlite, { connectionString }));
const ask = async (binding: Binding, operation: string, sql: string, params?: unknown): Promise<string> =>
  (await bytesOfResponse(await binding.invoke?.(requestOf({ operation, metadata: { sql, ...(params === undefined ? {} : { params: JSON.stringify(params) }) } }), never))).toString();

outputBindingConformance(sqlite, {
  open,
  calls: [
    { operation: 'query', metadata: { sql: 'SELECT $1 + 1', params: '[41]' } },
    { operation: 'exec', metadata: { sql: 'CREATE TABLE IF NOT EXISTS output (id int)' } },
    { operation: 'exec', metadata: { sql: 'INSERT INTO output VALUES (?)', params: '[1]' } },
    { operation: 'close' },
  ],
  wrong: [
    { operation: 'exec', metadata: { sql: 'SELEC 1' } },
    { operation: 'query', metadata: { sql: 'SELECT * FROM there_is_none' } },
    { operation: 'query', metadata: { sql: 'SELECT ?', params: '"seven"' } },
    { operation: 'query', metadata: { sql: 'SELECT :name', params: '["seven"]' } },
    { operation: 'query', metadata: { sql: 'SELECT ?, $1', params: '[1, 2]' } },
    { operation: 'query', metadata: { sql: 'SELECT 1; SELECT 2' } },
    { operation: 'query', metadata: { sql: 'SELECT ?', params: '[18446744073709551615]' } },
  ],
  away: () => buildComponent(sqlite, { connectionString: path.join(folder, 'no such folder', 'app.db') }),
});

sqlBindingConformance(sqlite, {
  open: () => open(),
  placeholder: (place) => `$${place}`,
  sql: {
    create: (table) => `CREATE TABLE ${table} (id text PRIMARY KEY, words text, amount integer, price text)`,
    tooMuch: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80) SELECT printf('%.1048576c', 'x') FROM n",
  },
  values: (row) => row as readonly unknown[],
  noRows: '[]',
});

describe('statements on a SQLite file', () => {
  test('have their values by place or by number, and what looks like a placeholder in a text is none', async () => {
    const binding = await open(':memory:');
    expect(await ask(binding, 'query', "SELECT $2, $1, $2, '$3 ? :x', \"a\" FROM (SELECT 7 AS a) -- $9 ;", ['one', 'two'])).toBe('[["two","one","two","$3 ? :x",7]]');
    expect(await ask(binding, 'query', 'SELECT ?2, ?1 /* ? */;', [1.5, null])).toBe('[[null,1.5]]');
    expect(await ask(binding, 'query', "SELECT ?, ?, ?, x'00ff', 9e999", [true, { a: [1] }, 3])).toBe('[[1,"{\\"a\\":[1]}",3,"AP8=","Infinity"]]');
    await binding.close?.();
  });

  test.each(['COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'RELEASE request', "ATTACH 'other.db' AS other", 'PRAGMA synchronous = OFF', 'CREATE TABLE half (id); COMMIT; BEGIN'])('%s is refused, and nothing of its group is lost', async (sql) => {
    const binding = await open();
    await ask(binding, 'exec', 'CREATE TABLE IF NOT EXISTS group_mates (id int)');
    await ask(binding, 'exec', 'DELETE FROM group_mates');
    const mates = Array.from({ length: 5 }, (_, id) => ask(binding, 'exec', 'INSERT INTO group_mates VALUES (?)', [id]));
    await expect(ask(binding, 'exec', sql)).rejects.toMatchObject({ fault: 'invalid-metadata', permanent: true });
    await Promise.all(mates);
    expect(await ask(binding, 'query', 'SELECT count(*) FROM group_mates')).toBe('[[5]]');
    expect(await ask(binding, 'query', "SELECT count(*) FROM sqlite_master WHERE name = 'half'")).toBe('[[0]]');
    await binding.close?.();
  });

  test('that two instances write at once are all done', async () => {
    const [one, other] = [await open(), await open()];
    await ask(one, 'exec', 'CREATE TABLE shared (id int)');
    await Promise.all(Array.from({ length: 40 }, (_, id) => ask(id % 2 === 0 ? one : other, 'exec', 'INSERT INTO shared VALUES ($1)', [id])));
    expect(await ask(other, 'query', 'SELECT count(*) FROM shared')).toBe('[[40]]');
    await Promise.all([one.close?.(), other.close?.()]);
  });

  test('are refused on a file that is only read, or is no database', async () => {
    expect(() => buildComponent(sqlite, { connectionString: `file:${file}?mode=ro` })).toThrow('for reading only');
    await expect(open(folder)).rejects.toThrow();
  });
});
