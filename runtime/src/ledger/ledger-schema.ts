/** How the ledger's file is laid out, and how a file of an older layout becomes one of today's. */
import type { DatabaseSync } from 'node:sqlite';
import { JOB_SCHEMA } from './job-schema.ts';
import { COUNTERS_SCHEMA } from './topic-room.ts';
import { PAYLOAD_SCHEMA, WORKFLOW_SCHEMA } from './workflow-schema.ts';

/**
 * From each schema version to the next. Tables that hold data have a rowid, with the data last: rows of a kilobyte within a
 * primary key's tree cost three times the space and the time, and what stands behind the data costs reading it.
 */
const MIGRATIONS = [`
CREATE TABLE state (id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, expires_at INTEGER, is_binary INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (tbl, key));
CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0, retention_ms INTEGER NOT NULL DEFAULT 86400000);
CREATE TABLE messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL, id TEXT NOT NULL, published_at INTEGER NOT NULL, content_type TEXT, metadata TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX messages_topic ON messages (topic, sequence);
CREATE TABLE groups (id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name TEXT NOT NULL, cursor INTEGER NOT NULL DEFAULT 0, seen_at INTEGER NOT NULL, UNIQUE (topic, name));
CREATE TABLE deliveries (grp INTEGER NOT NULL, sequence INTEGER NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER, session TEXT, PRIMARY KEY (grp, sequence)) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (grp, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_session ON deliveries (session) WHERE session IS NOT NULL;
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, app_id TEXT NOT NULL, pubsub TEXT NOT NULL, topic TEXT NOT NULL, created_at INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, free_at INTEGER NOT NULL DEFAULT 0, content_type TEXT NOT NULL, metadata TEXT NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX outbox_free ON outbox (app_id, position);
CREATE TABLE dead_letters (id TEXT PRIMARY KEY, app_id TEXT NOT NULL, at INTEGER NOT NULL, letter TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX dead_letters_app ON dead_letters (app_id, at, id);
CREATE TABLE sessions (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, process_start TEXT NOT NULL, lease_until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sidecars (instance_id TEXT PRIMARY KEY, session TEXT NOT NULL, app_id TEXT NOT NULL, namespace TEXT NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
`, WORKFLOW_SCHEMA, COUNTERS_SCHEMA, JOB_SCHEMA, PAYLOAD_SCHEMA];
const SCHEMA_VERSION = MIGRATIONS.length;

/** Inside one transaction. */
export function migrate(db: DatabaseSync): void {
  db.exec('CREATE TABLE IF NOT EXISTS ledger_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
  const row = db.prepare("SELECT value FROM ledger_meta WHERE name = 'schema'").get() as { value: string } | undefined;
  const version = Number(row?.value ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new Error(`the ledger has schema ${version}, and this Mecha knows ${SCHEMA_VERSION} and older: it was written by a newer one; use that one, or another --data-dir`);
  }
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  db.prepare("INSERT OR REPLACE INTO ledger_meta VALUES ('schema', ?)").run(String(SCHEMA_VERSION));
}
