/**
 * What the writer thread does to a `state.sqlite` file: its layout, which other sidecars of this wire contract read and
 * write too, and every change that may be asked of it.
 *
 * Layout, by column order (others insert by position):
 *   <tableName>: key TEXT, value TEXT, is_binary BOOLEAN, etag TEXT, expiration_time TIMESTAMP, update_time TIMESTAMP
 *     value is JSON text, or base64 of the bytes where is_binary is 1; times are `YYYY-MM-DD HH:MM:SS`, UTC
 *   <metadataTableName>: key, value; `migrations` = 1, `last-cleanup` = when expired rows were last swept
 *   mecha_outbox: ours alone; events written in the transaction of the state they speak of, until they are published
 *
 * Invariants
 * F1  A request is applied whole or not at all: it runs in a savepoint of its own, and conflicts are thrown.
 * F2  A row is live while its expiry lies ahead; an expired one counts as missing for every condition.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export interface FileSettings {
  readonly tableName: string;
  readonly metadataTableName: string;
  readonly pragmas: readonly string[];
}

/** A row as reads give it. */
export interface FileRow {
  readonly value: string;
  readonly is_binary: number;
  readonly etag: string;
  readonly expiration_time: string | null;
}

/** `''` as etag = none. `expiresAt` in milliseconds since the epoch. */
export type FileOperation =
  | { readonly type: 'upsert'; readonly key: string; readonly value: string; readonly binary: boolean; readonly etag: string; readonly ifAbsent: boolean; readonly expiresAt?: number }
  | { readonly type: 'delete'; readonly key: string; readonly etag: string };

export interface FileOutboxRecord {
  readonly id: string;
  readonly appId: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType: string;
  readonly metadata: string;
  readonly createdAt: number;
}
export interface FileOutboxRow {
  readonly id: string;
  readonly app_id: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly content_type: string;
  readonly metadata: string;
  readonly created_at: number;
  readonly attempt: number;
}

/** What may be asked of the thread; `now` in milliseconds since the epoch. */
export interface FileRequests {
  write: { readonly now: number; readonly operations: readonly FileOperation[]; readonly outbox: readonly FileOutboxRecord[] };
  /** Reads go through the thread where a second connection cannot be had: in memory, and without a write-ahead log. */
  read: { readonly now: number; readonly keys: readonly string[] };
  cleanUp: { readonly now: number; readonly intervalMs: number };
  claimOutbox: { readonly now: number; readonly appId: string; readonly limit: number; readonly leaseMs: number };
  removeOutbox: { readonly ids: readonly string[] };
  releaseOutbox: { readonly ids: readonly string[]; readonly freeAt: number };
  outboxStatus: { readonly now: number; readonly appId: string };
}

const CLEANUP_ROWS = 1_000;
/** Two sidecars whose timers tick together must not sweep twice in one interval. */
const CLEANUP_SLACK_MS = 100;
const COLUMNS = ['key', 'value', 'is_binary', 'etag', 'expiration_time', 'update_time'];

/** Crosses the thread by its fields. */
class EtagConflict extends Error {
  readonly key: string;
  constructor(key: string) {
    super('the stored etag is not the one given');
    this.name = 'EtagConflict';
    this.key = key;
  }
}

/** `YYYY-MM-DD HH:MM:SS` in UTC, the last whole second. */
export function timestampOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** The read that both threads use; parameters key and the present as a timestamp. */
export function selectRow(tableName: string): string {
  return `SELECT value, is_binary, etag, expiration_time FROM "${tableName}" WHERE key = ? AND (expiration_time IS NULL OR expiration_time > ?)`;
}

function migrate(db: DatabaseSync, settings: unknown): void {
  const { tableName, metadataTableName } = settings as FileSettings;
  db.exec(`CREATE TABLE IF NOT EXISTS "${metadataTableName}" (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`);
  db.exec(`CREATE TABLE IF NOT EXISTS "${tableName}" (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    is_binary BOOLEAN NOT NULL,
    etag TEXT NOT NULL,
    expiration_time TIMESTAMP DEFAULT NULL,
    update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
  )`);
  const columns = db.prepare(`SELECT name FROM pragma_table_info(?)`).all(tableName).map(({ name }) => String(name));
  const missing = COLUMNS.filter((column) => !columns.includes(column));
  if (missing.length > 0) throw new Error(`table ${tableName} is not a table of state: it has no column ${missing.join(', ')}`);
  db.prepare(`INSERT OR IGNORE INTO "${metadataTableName}" (key, value) VALUES ('migrations', '1')`).run();
  db.exec(`CREATE TABLE IF NOT EXISTS mecha_outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    app_id TEXT NOT NULL,
    pubsub TEXT NOT NULL,
    topic TEXT NOT NULL,
    data BLOB NOT NULL,
    content_type TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    free_at INTEGER NOT NULL DEFAULT 0
  )`);
  db.exec('CREATE INDEX IF NOT EXISTS mecha_outbox_app ON mecha_outbox (app_id, position)');
}

class StateFile {
  readonly #db: DatabaseSync;
  readonly #settings: FileSettings;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, settings: FileSettings) {
    this.#db = db;
    this.#settings = settings;
    for (const pragma of settings.pragmas) db.exec(pragma);
  }

  write({ now, operations, outbox }: FileRequests['write']): void {
    const present = timestampOf(now);
    for (const operation of operations) {
      if (operation.type === 'upsert') this.#upsert(operation, present);
      else this.#delete(operation, present);
    }
    for (const { id, appId, pubsub, topic, data, contentType, metadata, createdAt } of outbox) {
      this.#sql('INSERT INTO mecha_outbox (id, app_id, pubsub, topic, data, content_type, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        id, appId, pubsub, topic, data, contentType, metadata, createdAt,
      );
    }
  }

  read({ now, keys }: FileRequests['read']): readonly (FileRow | undefined)[] {
    const select = this.#sql(selectRow(this.#settings.tableName));
    const present = timestampOf(now);
    return keys.map((key) => select.get(key, present) as FileRow | undefined);
  }

  /** Sweeps a bounded number of expired rows, unless another sidecar did so within the interval; more may be left. */
  cleanUp({ now, intervalMs }: FileRequests['cleanUp']): { readonly more: boolean } {
    const { tableName, metadataTableName } = this.#settings;
    const due = this.#sql(
      `INSERT INTO "${metadataTableName}" (key, value) VALUES ('last-cleanup', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE unixepoch(value) IS NULL OR unixepoch(value) * 1000 <= ?`,
    ).run(timestampOf(now), now - intervalMs + CLEANUP_SLACK_MS);
    if (Number(due.changes) === 0 && intervalMs > 0) return { more: false };
    const { changes } = this.#sql(`DELETE FROM "${tableName}" WHERE rowid IN (SELECT rowid FROM "${tableName}" WHERE expiration_time <= ? LIMIT ${CLEANUP_ROWS})`).run(timestampOf(now));
    return { more: Number(changes) === CLEANUP_ROWS };
  }

  claimOutbox({ now, appId, limit, leaseMs }: FileRequests['claimOutbox']): readonly FileOutboxRow[] {
    const rows = this.#sql('SELECT * FROM mecha_outbox WHERE app_id = ? AND free_at <= ? ORDER BY position LIMIT ?').all(appId, now, limit) as unknown as FileOutboxRow[];
    for (const { id } of rows) this.#sql('UPDATE mecha_outbox SET free_at = ?, attempt = attempt + 1 WHERE id = ?').run(now + leaseMs, id);
    return rows;
  }

  removeOutbox({ ids }: FileRequests['removeOutbox']): void {
    for (const id of ids) this.#sql('DELETE FROM mecha_outbox WHERE id = ?').run(id);
  }

  releaseOutbox({ ids, freeAt }: FileRequests['releaseOutbox']): void {
    for (const id of ids) this.#sql('UPDATE mecha_outbox SET free_at = ? WHERE id = ?').run(freeAt, id);
  }

  outboxStatus({ now, appId }: FileRequests['outboxStatus']): { readonly pending: number; readonly free: number } {
    return this.#sql('SELECT COUNT(*) AS pending, COALESCE(SUM(free_at <= ?), 0) AS free FROM mecha_outbox WHERE app_id = ?').get(now, appId) as { pending: number; free: number };
  }

  #sql(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #upsert({ key, value, binary, etag, ifAbsent, expiresAt }: Extract<FileOperation, { type: 'upsert' }>, present: string): void {
    const { tableName } = this.#settings;
    const isBinary = binary ? 1 : 0;
    // Seconds are all that the layout has: rounded up, so that no record goes before its time.
    const expiration = expiresAt === undefined ? null : timestampOf(expiresAt + 999);
    if (etag !== '') {
      const { changes } = this.#sql(
        `UPDATE "${tableName}" SET value = ?, is_binary = ?, etag = ?, expiration_time = ?, update_time = ? WHERE key = ? AND etag = ? AND (expiration_time IS NULL OR expiration_time > ?)`,
      ).run(value, isBinary, randomUUID(), expiration, present, key, etag, present);
      if (Number(changes) === 0) throw new EtagConflict(key);
      return;
    }
    if (ifAbsent && this.#sql(selectRow(tableName)).get(key, present)) throw new EtagConflict(key);
    this.#sql(`INSERT OR REPLACE INTO "${tableName}" (key, value, is_binary, etag, expiration_time, update_time) VALUES (?, ?, ?, ?, ?, ?)`).run(
      key, value, isBinary, randomUUID(), expiration, present,
    );
  }

  #delete({ key, etag }: Extract<FileOperation, { type: 'delete' }>, present: string): void {
    const { tableName } = this.#settings;
    if (etag === '') {
      this.#sql(`DELETE FROM "${tableName}" WHERE key = ?`).run(key);
      return;
    }
    const { changes } = this.#sql(`DELETE FROM "${tableName}" WHERE key = ? AND etag = ? AND (expiration_time IS NULL OR expiration_time > ?)`).run(key, etag, present);
    if (Number(changes) === 0) throw new EtagConflict(key);
  }
}

export const program = {
  migrate,
  requests(db: DatabaseSync, settings: unknown) {
    const file = new StateFile(db, settings as FileSettings);
    return {
      write: (request: FileRequests['write']) => file.write(request),
      read: (request: FileRequests['read']) => file.read(request),
      cleanUp: (request: FileRequests['cleanUp']) => file.cleanUp(request),
      claimOutbox: (request: FileRequests['claimOutbox']) => file.claimOutbox(request),
      removeOutbox: (request: FileRequests['removeOutbox']) => file.removeOutbox(request),
      releaseOutbox: (request: FileRequests['releaseOutbox']) => file.releaseOutbox(request),
      outboxStatus: (request: FileRequests['outboxStatus']) => file.outboxStatus(request),
    };
  },
};
