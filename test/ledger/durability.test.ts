/** What the ledger asks of the disk, and what it says when the disk does not do it. */
import { mkdir, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LedgerRefused, type Ledger } from '@mecha/components/kit';
import { openGroupWriter, type WriterFaults } from '@mecha/components/sqlite/group-writer.ts';
import { systemClock } from '@mecha/runtime/clock.ts';
import { openSqliteLedger } from '@mecha/runtime/ledger/sqlite-ledger.ts';
import { createLog } from '@mecha/runtime/telemetry/log.ts';
import { cleanEnv, REPOSITORY, start, temporaryFolder } from '../tools/processes.ts';
import { compilePreload } from '../tools/preload.ts';

const log = createLog({ level: 'fatal', json: true, appId: 'test', version: '0' });
let folder: { path: string; remove(): Promise<void> };
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'ledger.db');
});
afterEach(() => folder.remove());

const openLedger = (faults?: WriterFaults) => openSqliteLedger({ path, clock: systemClock, log, ...(faults ? { faults } : {}) });
const set = (ledger: Ledger, key: string, value: string) => ledger.commit([{ type: 'state.set', table: 't', key, data: Buffer.from(value), binary: false }]);
const get = async (ledger: Ledger, key: string) => Buffer.from((await ledger.readState('t', [key]))[0]?.data ?? []).toString();
const refusedAs = (code: string) => (error: unknown) => error instanceof LedgerRefused && error.code === code;

describe('syncs', () => {
  test('a lone write is synced before its acknowledgement, waiting writes share syncs, settlements need none', { timeout: 600_000 }, async () => {
    const library = await compilePreload('ledger/sync-count', folder.path);
    const counter = join(folder.path, 'count');
    const child = start(process.execPath, [join(REPOSITORY, 'test/ledger/counting-process.ts'), path, counter], { env: cleanEnv({ LD_PRELOAD: library, SYNC_COUNT_FILE: counter }) });
    expect(await child.exited, child.lines.join('\n')).toBe(0);
    const { lone, together, settlements, steps, results } = JSON.parse(child.lines.at(-1) ?? '') as Record<'lone' | 'together' | 'settlements' | 'steps' | 'results', [number, number]>;
    expect(lone[1]).toBeGreaterThanOrEqual(lone[0]);
    expect(together[1]).toBeGreaterThanOrEqual(10);
    expect(together[1]).toBeLessThan(together[0] / 4);
    expect(settlements[0]).toBe(100);
    expect(settlements[1]).toBeLessThan(10);
    expect(steps[1], 'each step of a workflow').toBeGreaterThanOrEqual(steps[0]);
    expect(results[1], 'claims and results of workers').toBeLessThan(10);
  });

  test('synchronous = FULL is what the writing connection keeps to', async () => {
    const program = join(folder.path, 'program.mjs');
    await writeFile(program, `export const program = { migrate() {}, requests: (db) => ({ ask: () => db.prepare('PRAGMA synchronous').get().synchronous }) };`);
    const writer = await openGroupWriter({ path, program: new URL(`file://${program}`) });
    expect(await writer.run('ask', {})).toBe(2);
    expect(await writer.run('ask', {}, { durable: false })).toBe(1);
    expect(await writer.run('ask', {})).toBe(2);
    await writer.close();
  });
});

describe('a writer with faults', () => {
  test.each(['before-commit', 'request'] as const)('no acknowledgement precedes the commit: a failure at %s is nobody\'s success, and leaves nothing', async (point) => {
    const ledger = await openLedger({ point, action: 'fail', after: 3 });
    await set(ledger, 'before', 'x');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => set(ledger, `k${n}`, 'x')));
    // One group may have gone through before the fault struck; whoever was told so must be there, nobody else may be.
    for (const [n, { status }] of outcomes.entries()) expect(await get(ledger, `k${n}`)).toBe(status === 'fulfilled' ? 'x' : '');
    await expect(set(ledger, 'after', 'x')).rejects.toSatisfy(refusedAs('io'));
    expect(await get(ledger, 'after')).toBe('');
    await ledger.close();
  });

  test('when a statement loses the whole transaction, nobody of its group is told of success, and the next group is written', async () => {
    const ledger = await openLedger({ point: 'request', action: 'lose', after: 3 });
    for (let n = 0; n < 2; n++) await set(ledger, 'before', 'x');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => set(ledger, `k${n}`, 'x')));
    for (const [n, outcome] of outcomes.entries()) {
      expect(outcome.status).toBe('rejected');
      expect(outcome.status === 'rejected' && refusedAs('io')(outcome.reason) && (outcome.reason as Error).message).toBe('injected fault');
      expect(await get(ledger, `k${n}`)).toBe('');
    }
    await expect(set(ledger, 'after', 'x'), 'the fault persists, and the writer answers').rejects.toSatisfy(refusedAs('io'));
    await ledger.close();
  });

  test('a checkpoint that fails undoes nothing, is told, and ends nothing', async () => {
    const lines: string[] = [];
    const ledger = await openSqliteLedger({ path, clock: systemClock, log: createLog({ level: 'warn', json: true, appId: 'test', version: '0', write: (line) => void lines.push(line) }), faults: { point: 'checkpoint', action: 'fail', after: 0 } });
    const value = 'x'.repeat(100_000);
    for (let n = 0; n < 70; n++) await set(ledger, `k${n}`, value);
    expect(lines.join('')).toContain('could not be moved into the file: injected fault');
    for (let n = 0; n < 70; n++) expect(await get(ledger, `k${n}`)).toBe(value);
    await ledger.close();
  });

  test('what cannot cross to the thread is refused, and the next request is served', async () => {
    const program = join(folder.path, 'program.mjs');
    await writeFile(program, `export const program = { migrate() {}, requests: () => ({ echo: (args) => args }) };`);
    const writer = await openGroupWriter({ path, program: new URL(`file://${program}`) });
    await expect(writer.run('echo', { no: () => 1 })).rejects.toThrow(/cannot be handed/);
    expect(await writer.run('echo', 'yes')).toBe('yes');
    await writer.close();
  });

  test('a writer that dies after the commit and before the answer has told nobody, and the write is there', async () => {
    const ledger = await openLedger({ point: 'after-commit', action: 'exit', after: 3 });
    const outcomes: string[] = [];
    for (let n = 0; n < 10; n++) outcomes.push(await set(ledger, `k${n}`, 'x').then(() => 'told', (error: unknown) => (error instanceof LedgerRefused ? error.code : 'other')));
    expect(outcomes).toContain('closed');
    expect((await ledger.broken)?.message).toBe('the writer thread has ended');
    const again = await openLedger();
    const firstUntold = outcomes.indexOf('closed');
    for (let n = 0; n < firstUntold; n++) expect(await get(again, `k${n}`)).toBe('x');
    expect(await get(again, `k${firstUntold}`), 'committed, though nobody was told').toBe('x');
    expect(await get(again, `k${firstUntold + 1}`)).toBe('');
    await again.close();
    await ledger.close();
  });
});

describe('a disk that is full', () => {
  test('(users 4) is refused by name, leaves nothing half-written, and is written to again when there is room', async () => {
    const small = join(folder.path, 'small');
    await mkdir(small);
    if (process.getuid?.() !== 0) throw new Error('this test mounts a small file system, which only root may do: run it as root');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', small]);
    path = join(small, 'ledger.db');
    try {
      const ledger = await openLedger();
      const filler = await open(join(small, 'filler'), 'w');
      let refused: unknown;
      for (let n = 0; n < 400 && refused === undefined; n++) {
        await ledger.commit([{ type: 'state.set', table: 't', key: `big${n}`, data: Buffer.alloc(40_000, 'x'), binary: true }, { type: 'outbox.add', record: { id: `o${n}`, appId: 'a', pubsub: 'p', topic: 't', data: Buffer.from('x'), contentType: 'x', metadata: {}, createdAt: 0 } }]).catch((error: unknown) => (refused = error));
      }
      expect(refused).toSatisfy((error: unknown) => refusedAs('disk-full')(error) || refusedAs('io')(error));
      const rows = (await ledger.readState('t', Array.from({ length: 400 }, (_, n) => `big${n}`))).filter((row) => row !== undefined).length;
      expect(await ledger.outbox.pending('a'), 'state and outbox went together').toBe(rows);
      await filler.close();
      execFileSync('mount', ['-o', 'remount,size=32m', small]);
      await set(ledger, 'after', 'room');
      expect(await get(ledger, 'after')).toBe('room');
      await ledger.close();
    } finally {
      execFileSync('umount', ['-l', small]);
    }
  });
});

describe('a damaged file', () => {
  test('(users 3) a flipped bit in stored data is told by name, and never handed out', async () => {
    const ledger = await openLedger();
    await set(ledger, 'good', 'untouched');
    await set(ledger, 'bad', 'a value that will be damaged');
    await ledger.close();
    const file = await readFile(path);
    const at = file.indexOf('a value that will be damaged');
    expect(at).toBeGreaterThan(0);
    file[at + 5] = (file[at + 5] ?? 0) ^ 1;
    await writeFile(path, file);
    const again = await openLedger();
    await expect(get(again, 'bad')).rejects.toSatisfy((error: unknown) => refusedAs('damaged')(error) && (error as Error).message.includes('key bad'));
    expect(await get(again, 'good')).toBe('untouched');
    await again.close();
  });

  test('(users 3) a file that lost its tail is refused, not read as if nothing had been there', async () => {
    const ledger = await openLedger();
    for (let n = 0; n < 200; n++) await set(ledger, `k${n}`, 'x'.repeat(2000));
    await ledger.close();
    await truncate(path, 64 * 1024);
    let outcome: unknown = 'everything was read';
    try {
      const again = await openLedger();
      const rows = await again.readState('t', Array.from({ length: 200 }, (_, n) => `k${n}`)).finally(() => again.close());
      if (rows.some((row) => row === undefined)) outcome = 'rows were missing without a word';
    } catch (error) {
      outcome = error;
    }
    expect(outcome).toBeInstanceOf(Error);
  });

  test('a file that is no ledger is refused in words', async () => {
    await writeFile(path, 'this is not a database, and long enough to tell'.repeat(100));
    await expect(openLedger()).rejects.toThrow(/not a database/);
  });
});

describe('versions', () => {
  test('a ledger that a newer Mecha wrote is refused in words, and left as it is', async () => {
    await (await openLedger()).close();
    const db = new DatabaseSync(path);
    db.exec("UPDATE ledger_meta SET value = '999' WHERE name = 'schema'");
    db.close();
    await expect(openLedger()).rejects.toThrow(/schema 999.*newer/);
    const after = new DatabaseSync(path);
    expect(after.prepare("SELECT value FROM ledger_meta WHERE name = 'schema'").get()).toMatchObject({ value: '999' });
    after.close();
  });

  /** A file of that schema: of topic `x` messages 2, 4 and 5 are left, of `y` none; `g` has 2 in flight and 4 waiting, `late` has read nothing. */
  async function writeSchema(schema: number): Promise<void> {
    const db = new DatabaseSync(path);
    db.exec(await readFile(join(REPOSITORY, `test/ledger/schema-${schema}.sql`), 'utf8'));
    db.exec("INSERT INTO topics (id, name, bytes) VALUES (1, 'x', 6), (2, 'y', 0), (3, 'z', 2)");
    const message = db.prepare("INSERT INTO messages (sequence, topic, id, published_at, metadata, crc, data) VALUES (?, ?, ?, ?, '{}', ?, ?)");
    for (const [sequence, topic] of [[2, 1], [3, 3], [4, 1], [5, 1]] as const) message.run(sequence, topic, `m${sequence}`, Date.now(), crc32(`m${sequence}`), Buffer.from(`m${sequence}`));
    db.prepare("INSERT INTO groups (id, topic, name, cursor, seen_at) VALUES (1, 1, 'g', 4, ?), (2, 1, 'late', 0, ?), (3, 2, 'g', 9, ?)").run(Date.now(), Date.now(), Date.now());
    db.prepare('INSERT INTO deliveries VALUES (1, 2, 1, NULL, ?), (1, 4, 3, ?, NULL)').run('of a process that is gone', Date.now() + 3_600_000);
    db.close();
  }

  test.each([1, 2])('a ledger of schema %i keeps what it holds, and its topics and groups are counted when it is opened', async (schema) => {
    await writeSchema(schema);
    const ledger = await openLedger();
    expect(await ledger.topicStatus('x')).toEqual({
      topic: 'x',
      messages: 3,
      bytes: 6,
      groups: [
        { group: 'g', waiting: 1, inFlight: 1, unread: 1 },
        { group: 'late', waiting: 0, inFlight: 0, unread: 3 },
      ],
    });
    expect(await ledger.topicStatus('y')).toEqual({ topic: 'y', messages: 0, bytes: 0, groups: [{ group: 'g', waiting: 0, inFlight: 0, unread: 0 }] });
    expect(await ledger.topicStatus('z')).toEqual({ topic: 'z', messages: 1, bytes: 2, groups: [] });
    const retention = { retentionMs: 3_600_000, bytesMax: 1000 };
    await ledger.commit([{ type: 'topic.append', topic: 'x', message: { id: 'm6', data: Buffer.from('m6'), metadata: {} }, retention }]);
    const { messages } = await ledger.claimMessages({ topic: 'x', group: 'g', limit: 10 });
    expect(messages.map(({ id }) => id)).toEqual(['m5', 'm6']);
    await ledger.commit(messages.map(({ topic, group, sequence }) => ({ type: 'message.ack', topic, group, sequence })));
    expect(await ledger.topicStatus('x')).toMatchObject({ messages: 4, bytes: 8, groups: [{ waiting: 1, inFlight: 1, unread: 0 }, { waiting: 0, inFlight: 0, unread: 4 }] });
    await ledger.close();
  });

  test('a file that cannot be brought up to date is left as it was, to the last table', async () => {
    await writeSchema(1);
    const look = () => {
      const db = new DatabaseSync(path);
      const tables = db.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
      const meta = db.prepare('SELECT value FROM ledger_meta').all();
      db.close();
      return { tables, meta };
    };
    const db = new DatabaseSync(path);
    // The last of the new columns is there already, so that the migration fails half-way.
    db.exec('ALTER TABLE groups ADD COLUMN in_flight INTEGER');
    db.close();
    const before = look();
    await expect(openLedger()).rejects.toThrow(/duplicate column name: in_flight/);
    expect(look()).toEqual(before);
  });

  test('a ledger of an older schema is brought up to date when it is opened', async () => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE ledger_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; INSERT INTO ledger_meta VALUES ('schema', '0')");
    db.close();
    const ledger = await openLedger();
    await set(ledger, 'a', 'works');
    expect(await get(ledger, 'a')).toBe('works');
    await ledger.close();
  });
});
