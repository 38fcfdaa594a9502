import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateStore } from '../kit/index.ts';
import { stateStoreConformance } from '../kit/conformance/state-store.ts';
import { buildComponent, connected, createKeptLog, createTurnedClock, until, type TestContextParts } from '../kit/testing.ts';
import sqliteState from './state.ts';
import { createTestLedgers, type TestLedgers } from './test-ledger.ts';

let ledgers: TestLedgers;
beforeAll(async () => {
  ledgers = await createTestLedgers();
});
afterAll(() => ledgers.end());

const newPath = (): string => join(ledgers.folder, `${randomUUID()}.db`);
const openFile = (connectionString: string, options: Record<string, unknown> = {}, parts: TestContextParts = {}): Promise<StateStore> =>
  connected(buildComponent(sqliteState, { connectionString, ...options }, parts));
const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), binary: false });
const textOf = async (store: StateStore, key: string): Promise<string | undefined> => {
  const record = await store.get({ key });
  return record && Buffer.from(record.data).toString();
};

const common = { features: sqliteState.features, badEtag: randomUUID() };

stateStoreConformance('state.sqlite in the ledger', {
  ...common,
  open: async () => connected(buildComponent(sqliteState, {}, { ledger: await ledgers.open(join(ledgers.folder, 'ledger.db')) })),
});
stateStoreConformance('state.sqlite in a file', { ...common, open: () => openFile(join(ledgers.folder, 'own.db')) });
stateStoreConformance('state.sqlite in a file without a write-ahead log', { ...common, open: () => openFile(join(ledgers.folder, 'journal.db'), { disableWAL: true }) });
stateStoreConformance('state.sqlite in memory', { ...common, open: () => openFile(':memory:'), persistent: false });

describe('the settings of state.sqlite', () => {
  test('two tables of the ledger are two stores', async () => {
    const ledger = await ledgers.open(join(ledgers.folder, 'ledger.db'));
    const [one, two] = [buildComponent(sqliteState, {}, { ledger }), buildComponent(sqliteState, { tableName: 'other' }, { ledger })];
    await one.set({ key: 'tables', value: json('one') });
    expect(await two.get({ key: 'tables' })).toBeUndefined();
  });

  test('table names that could be more than names are refused', () => {
    for (const option of ['tableName', 'metadataTableName']) {
      for (const name of ['', 'a b', 'a"; DROP TABLE state; --', 'ä']) expect(() => buildComponent(sqliteState, { [option]: name })).toThrow(`${option} takes letters`);
    }
    expect(() => buildComponent(sqliteState, { connectionString: 'a.db', metadataTableName: 'STATE' })).toThrow('must not be the same');
  });

  test('a file that cannot be opened is named by the failure, and a later connect succeeds', async () => {
    const folder = join(ledgers.folder, randomUUID());
    const store = buildComponent(sqliteState, { connectionString: join(folder, 'state.db') });
    await expect(store.connect?.(AbortSignal.timeout(30_000))).rejects.toThrow(/unable to open database file/);
    await expect(store.set({ key: 'a', value: json(1) })).rejects.toThrow('is not open');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(folder);
    await connected(store);
    await store.set({ key: 'a', value: json(1) });
    await store.close?.();
  });

  test('a read-only file is read, and refuses writes in words', async () => {
    const path = newPath();
    const writer = await openFile(path);
    await writer.set({ key: 'a', value: json(1) });
    await writer.close?.();
    const store = await openFile(`file:${path}?mode=ro`);
    expect(await textOf(store, 'a')).toBe('1');
    await expect(store.set({ key: 'a', value: json(2) })).rejects.toThrow('read-only');
    await store.close?.();
  });

  test('an option without effect is named in the log', async () => {
    const log = createKeptLog();
    const store = await openFile(`${newPath()}?_pragma=synchronous(0)&_pragma=cache_size(-500)`, {}, { log });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { option: '_pragma=synchronous' } }]);
    await store.close?.();
  });

  test('disableWAL keeps a rollback journal, otherwise there is a write-ahead log', async () => {
    for (const [disableWAL, journal] of [[true, 'delete'], [false, 'wal']] as const) {
      const path = newPath();
      const store = await openFile(path, { disableWAL });
      await store.set({ key: 'a', value: json(1) });
      const db = new DatabaseSync(path);
      expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: journal });
      db.close();
      await store.close?.();
    }
  });
});

describe('the layout of a state.sqlite file', () => {
  const EXPIRED = '2001-01-01 00:00:00';
  const FAR = '2999-12-31 23:59:59';
  const ETAG = '0b1c1f9e-6f0b-4d5e-9c39-3a5a4f1f2d11';

  /** A file as the original system leaves it, made by plain SQL. */
  function foreignFile(tableName = 'state', metadataTableName = 'metadata'): string {
    const path = newPath();
    const db = new DatabaseSync(path);
    db.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE ${metadataTableName} (key text NOT NULL PRIMARY KEY, value text NOT NULL);
      INSERT INTO ${metadataTableName} VALUES ('migrations', '1'), ('last-cleanup', '2024-05-01 10:00:00');
      CREATE TABLE ${tableName} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL,
        expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
      INSERT INTO ${tableName} (key, value, is_binary, etag, expiration_time) VALUES
        ('app||json', '{"a":1}', 0, '${ETAG}', NULL), ('app||bytes', 'AAH/', 1, '${ETAG}', NULL),
        ('app||expired', '"old"', 0, '${ETAG}', '${EXPIRED}'), ('app||lasting', '"new"', 0, '${ETAG}', '${FAR}');
    `);
    db.close();
    return path;
  }
  function rowOf(path: string, key: string, tableName = 'state'): Record<string, unknown> {
    const db = new DatabaseSync(path, { readOnly: true });
    const row = db.prepare(`SELECT * FROM ${tableName} WHERE key = ?`).get(key);
    db.close();
    return { ...row };
  }

  test('a file that another system wrote is read as it is', async () => {
    const store = await openFile(foreignFile());
    expect(await store.get({ key: 'app||json' })).toEqual({ key: 'app||json', data: Buffer.from('{"a":1}'), etag: ETAG });
    expect(await store.get({ key: 'app||bytes' })).toMatchObject({ data: Buffer.from([0, 1, 255]) });
    expect(await store.get({ key: 'app||expired' })).toBeUndefined();
    expect(await store.get({ key: 'app||lasting' })).toMatchObject({ expiresAt: Date.parse('2999-12-31T23:59:59Z') });
    await store.close?.();
  });

  test('its rows are changed in place, in the same form', async () => {
    const path = foreignFile('my_state', 'my_metadata');
    const store = await openFile(path, { tableName: 'my_state', metadataTableName: 'my_metadata' });
    await store.set({ key: 'app||json', value: json({ a: 2 }), etag: ETAG });
    await store.set({ key: 'app||new', value: { data: Buffer.from([0, 1, 255]), binary: true }, ttlSeconds: 3600 });
    await store.set({ key: 'app||expired', value: json('fresh'), options: { concurrency: 'first-write' } });
    await store.close?.();
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(rowOf(path, 'app||json', 'my_state')).toEqual({ key: 'app||json', value: '{"a":2}', is_binary: 0, etag: uuid, expiration_time: null, update_time: time });
    expect(rowOf(path, 'app||json', 'my_state')['etag']).not.toBe(ETAG);
    expect(rowOf(path, 'app||new', 'my_state')).toEqual({ key: 'app||new', value: 'AAH/', is_binary: 1, etag: uuid, expiration_time: time, update_time: time });
    expect(rowOf(path, 'app||expired', 'my_state')).toMatchObject({ value: '"fresh"', expiration_time: null });
    expect(rowOf(path, 'migrations', 'my_metadata')).toEqual({ key: 'migrations', value: '1' });
    expect(rowOf(path, 'last-cleanup', 'my_metadata')).toEqual({ key: 'last-cleanup', value: '2024-05-01 10:00:00' });
  });

  test('a new file has the columns in the order that others insert by', async () => {
    const path = newPath();
    const store = await openFile(path);
    const db = new DatabaseSync(path);
    const columns = db.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(\'state\')').all();
    expect(columns.map((column) => Object.values(column))).toEqual([
      ['key', 'TEXT', 1, null, 1],
      ['value', 'TEXT', 1, null, 0],
      ['is_binary', 'BOOLEAN', 1, null, 0],
      ['etag', 'TEXT', 1, null, 0],
      ['expiration_time', 'TIMESTAMP', 0, 'NULL', 0],
      ['update_time', 'TIMESTAMP', 1, 'CURRENT_TIMESTAMP', 0],
    ]);
    db.exec(`INSERT INTO state SELECT 'by position', '"other"', 0, '${ETAG}', NULL, CURRENT_TIMESTAMP`);
    db.close();
    expect(await textOf(store, 'by position')).toBe('"other"');
    await store.close?.();
  });

  test('a table of something else is left alone, and named', async () => {
    const path = newPath();
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE state (id INTEGER, name TEXT)');
    await expect(openFile(path)).rejects.toThrow('table state is not a table of state: it has no column key, value');
    expect(db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()).toEqual([{ name: 'state' }]);
    db.close();
  });

  test('an expiry is kept to the second, and never cut short', async () => {
    const clock = createTurnedClock(Date.UTC(2026, 0, 1) + 999);
    const path = newPath();
    const store = await openFile(path, {}, { clock });
    await store.set({ key: 'a', value: json(1), ttlSeconds: 10 });
    expect(rowOf(path, 'a')['expiration_time']).toBe('2026-01-01 00:00:11');
    clock.turn(10_000);
    expect(await store.get({ key: 'a' })).toMatchObject({ expiresAt: Date.UTC(2026, 0, 1, 0, 0, 11) });
    clock.turn(1);
    expect(await store.get({ key: 'a' })).toBeUndefined();
    await store.close?.();
  });

  test('with a cleanupInterval expired rows go for good, and all others stay', async () => {
    const clock = createTurnedClock();
    const path = foreignFile();
    const store = await openFile(path, { cleanupInterval: 60_000 }, { clock });
    await store.bulkSet?.(Array.from({ length: 2500 }, (_, index) => ({ key: `doomed ${index}`, value: json(1), ttlSeconds: 1 })));
    const db = new DatabaseSync(path, { readOnly: true });
    const keys = (): unknown[] => db.prepare('SELECT key FROM state ORDER BY key LIMIT 10').all().map(({ key }) => key);
    clock.turn(60_000);
    await until(() => !keys().some((key) => String(key).startsWith('doomed')));
    expect(keys()).toEqual(['app||bytes', 'app||json', 'app||lasting']);
    expect(db.prepare("SELECT value FROM metadata WHERE key = 'last-cleanup'").get()).toEqual({ value: '2026-01-01 00:01:00' });
    db.close();
    await store.close?.();
  });

  test('without one they stay where they are, unseen', async () => {
    const path = foreignFile();
    const store = await openFile(path);
    expect(await store.get({ key: 'app||expired' })).toBeUndefined();
    await store.close?.();
    expect(rowOf(path, 'app||expired')).toMatchObject({ value: '"old"' });
  });

  test('the outbox of another sidecar of this app is announced here', async () => {
    const path = newPath();
    const [here, there] = [await openFile(path), await openFile(path)];
    const announced = new Promise<void>((resolve) => here.outbox?.onRecords('app', resolve));
    await there.transact?.({
      operations: [],
      outbox: [{ id: 'outbox-1', pubsub: 'p', topic: 't', appId: 'app', data: Buffer.from('x'), contentType: 'text/plain', metadata: {}, createdAt: 0 }],
    });
    await announced;
    expect(await here.outbox?.pending('app')).toBe(1);
    await Promise.all([here.close?.(), there.close?.()]);
  });

  test('two sidecars that write one file at the same time lose no write', async () => {
    const path = newPath();
    const stores = await Promise.all([openFile(path), openFile(path)]);
    await Promise.all(stores.flatMap((store, writer) => Array.from({ length: 200 }, (_, index) => store.set({ key: `${writer}/${index}`, value: json(index) }))));
    for (const store of stores) {
      for (const writer of [0, 1]) for (const index of [0, 100, 199]) expect(await textOf(store, `${writer}/${index}`)).toBe(String(index));
    }
    await Promise.all(stores.map((store) => store.close?.()));
  });
});
