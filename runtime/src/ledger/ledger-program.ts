/**
 * What the writer thread does to the ledger's file: its layout, and every change that may be asked of it.
 *
 * Delivery to groups: `cursor` of a group moves forward as messages are claimed; a row in `deliveries` exists only while
 * a message is in flight (`session` set) or waits for its next try (`due_at` set), and its acknowledgement deletes it.
 * A claim belongs to the session of a process; when the session is dead its claims are free again, attempt unchanged.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DeadLetter, LedgerOperation, LedgerResult, SidecarRow } from '@mecha/components/kit';

export const SCHEMA_VERSION = 1;
export const SESSION_LEASE_MS = 15_000;
const DEAD_LETTERS_MAX = 10_000;
const GROUP_UNSEEN_MS = 7 * 24 * 3600_000;
const SWEEP_ROWS = 1000;

const LAYOUT = `
CREATE TABLE state (tbl TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL, is_binary INTEGER NOT NULL, etag TEXT NOT NULL, expires_at INTEGER, PRIMARY KEY (tbl, key)) WITHOUT ROWID;
CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0, retention_ms INTEGER NOT NULL DEFAULT 86400000);
CREATE TABLE messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL, content_type TEXT, metadata TEXT NOT NULL, published_at INTEGER NOT NULL);
CREATE INDEX messages_topic ON messages (topic, sequence);
CREATE TABLE groups (id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name TEXT NOT NULL, cursor INTEGER NOT NULL DEFAULT 0, seen_at INTEGER NOT NULL, UNIQUE (topic, name));
CREATE TABLE deliveries (grp INTEGER NOT NULL, sequence INTEGER NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER, session TEXT, PRIMARY KEY (grp, sequence)) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (grp, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_session ON deliveries (session) WHERE session IS NOT NULL;
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, app_id TEXT NOT NULL, pubsub TEXT NOT NULL, topic TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL, content_type TEXT NOT NULL, metadata TEXT NOT NULL, created_at INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, free_at INTEGER NOT NULL DEFAULT 0);
CREATE INDEX outbox_free ON outbox (app_id, position);
CREATE TABLE dead_letters (id TEXT PRIMARY KEY, app_id TEXT NOT NULL, at INTEGER NOT NULL, letter TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX dead_letters_app ON dead_letters (app_id, at, id);
CREATE TABLE sessions (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, process_start TEXT NOT NULL, lease_until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sidecars (instance_id TEXT PRIMARY KEY, session TEXT NOT NULL, app_id TEXT NOT NULL, namespace TEXT NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
`;

export interface ProgramSettings {
  readonly session: string;
  readonly pid: number;
  readonly processStart: string;
}

/** Each request carries the caller's time, so that a turned clock turns the ledger. */
export interface Timed {
  readonly now: number;
}
export interface ClaimArguments extends Timed {
  readonly topic: string;
  readonly group: string;
  readonly limit: number;
}
export interface OutboxClaimArguments extends Timed {
  readonly appId: string;
  readonly limit: number;
  readonly leaseMs: number;
}

/** Thrown inside a request; crosses the thread by its fields. */
class Conflict extends Error {
  readonly key: string;
  readonly index: number;
  constructor(key: string, index: number) {
    super('conflict');
    this.name = 'LedgerConflict';
    this.key = key;
    this.index = index;
  }
}
class TopicFull extends Error {
  constructor(topic: string, bytesMax: number) {
    super(`topic ${topic} holds ${bytesMax} bytes of messages that are not acknowledged or not past their retention`);
    this.name = 'TopicFull';
  }
}

/** What is read is not what was written: told by name, never handed out. */
class Damaged extends Error {
  constructor(what: string) {
    super(`${what} is damaged on the disk: its checksum is wrong; restore the ledger's file from a copy, or remove the row`);
    this.name = 'Damaged';
  }
}
/** `what` names the row in the error. */
export function checkCrc(data: Uint8Array, crc: number, what: () => string): void {
  if (crc32(data) !== crc) throw new Damaged(what());
}

/** When the process with this id began, as far as the system tells; tells a process from a later one of the same id. */
export function processStartOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
export function isAlive(pid: number, processStart: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return processStart === '' || processStartOf(pid) === processStart;
}

function migrate(db: DatabaseSync): void {
  db.exec('CREATE TABLE IF NOT EXISTS ledger_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
  const row = db.prepare("SELECT value FROM ledger_meta WHERE name = 'schema'").get() as { value: string } | undefined;
  const version = Number(row?.value ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new Error(`the ledger has schema ${version}, and this Mecha knows ${SCHEMA_VERSION} and older: it was written by a newer one; use that one, or another --data-dir`);
  }
  if (version < 1) db.exec(LAYOUT);
  db.prepare("INSERT OR REPLACE INTO ledger_meta VALUES ('schema', ?)").run(String(SCHEMA_VERSION));
}

class LedgerRequests {
  readonly #db: DatabaseSync;
  readonly #settings: ProgramSettings;
  readonly #statements = new Map<string, StatementSync>();
  /** Ids by name; forgotten when anything is rolled back. */
  readonly #topics = new Map<string, number>();
  readonly #groups = new Map<string, number>();

  constructor(db: DatabaseSync, settings: ProgramSettings) {
    this.#db = db;
    this.#settings = settings;
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }

  #topicId(name: string): number {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    this.#sql('INSERT OR IGNORE INTO topics (name) VALUES (?)').run(name);
    const { id } = this.#sql('SELECT id FROM topics WHERE name = ?').get(name) as { id: number };
    remember(this.#topics, name, id);
    return id;
  }

  #groupId(topic: string, group: string): number | undefined {
    const name = `${topic}\u0000${group}`;
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const found = this.#sql('SELECT g.id FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = ? AND g.name = ?').get(topic, group) as { id: number } | undefined;
    if (found) remember(this.#groups, name, found.id);
    return found?.id;
  }

  forget(): void {
    this.#topics.clear();
    this.#groups.clear();
  }

  commit({ batch, now }: { batch: readonly LedgerOperation[] } & Timed): { results: LedgerResult[]; touched: string[] } {
    const touched = new Set<string>();
    const results = batch.map((operation, index) => this.#apply(operation, index, now, touched));
    return { results, touched: [...touched] };
  }

  #apply(operation: LedgerOperation, index: number, now: number, touched: Set<string>): LedgerResult {
    switch (operation.type) {
      case 'state.set':
        return this.#setState(operation, index, now);
      case 'state.delete':
        return this.#deleteState(operation, index, now);
      case 'topic.append':
        touched.add(`topic/${operation.topic}`);
        return this.#append(operation, now);
      case 'message.ack':
      case 'message.retry':
      case 'message.release': {
        const applied = this.#settle(operation);
        if (operation.type !== 'message.ack' && applied) touched.add(`topic/${operation.topic}`);
        return { applied };
      }
      case 'outbox.add': {
        const { record } = operation;
        touched.add(`outbox/${record.appId}`);
        this.#sql(
          'INSERT INTO outbox (id, app_id, pubsub, topic, data, crc, content_type, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ).run(record.id, record.appId, record.pubsub, record.topic, record.data, crc32(record.data), record.contentType, JSON.stringify(record.metadata), record.createdAt);
        return {};
      }
      case 'dead-letter.add':
        return this.#addDeadLetter(operation.letter);
      case 'dead-letter.remove':
        this.#sql('DELETE FROM dead_letters WHERE id = ?').run(operation.id);
        return {};
      case 'sidecar.put':
        touched.add('sidecars');
        this.#putSidecar(operation.sidecar);
        return {};
      case 'sidecar.remove':
        touched.add('sidecars');
        this.#sql('DELETE FROM sidecars WHERE instance_id = ?').run(operation.instanceId);
        return {};
    }
  }

  #liveEtag(table: string, key: string, now: number): string | undefined {
    const row = this.#sql('SELECT etag FROM state WHERE tbl = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)').get(table, key, now) as { etag: string } | undefined;
    return row?.etag;
  }

  #setState(operation: Extract<LedgerOperation, { type: 'state.set' }>, index: number, now: number): LedgerResult {
    const { table, key } = operation;
    if (operation.ifEtag !== undefined || operation.ifAbsent) {
      const live = this.#liveEtag(table, key, now);
      if (operation.ifEtag !== undefined ? live !== operation.ifEtag : live !== undefined) throw new Conflict(key, index);
    }
    const etag = randomUUID();
    this.#sql('INSERT OR REPLACE INTO state (tbl, key, data, crc, is_binary, etag, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      table, key, operation.data, crc32(operation.data), operation.binary ? 1 : 0, etag, operation.expiresAt ?? null,
    );
    return { etag };
  }

  #deleteState(operation: Extract<LedgerOperation, { type: 'state.delete' }>, index: number, now: number): LedgerResult {
    const { table, key } = operation;
    const live = this.#liveEtag(table, key, now);
    if (operation.ifEtag !== undefined && live !== operation.ifEtag) throw new Conflict(key, index);
    this.#sql('DELETE FROM state WHERE tbl = ? AND key = ?').run(table, key);
    return { deleted: live !== undefined };
  }

  #append(operation: Extract<LedgerOperation, { type: 'topic.append' }>, now: number): LedgerResult {
    const { topic, message, retention } = operation;
    const id = this.#topicId(topic);
    let { bytes } = this.#sql('SELECT bytes FROM topics WHERE id = ?').get(id) as { bytes: number };
    if (bytes + message.data.length > retention.bytesMax) {
      this.#trim(id, now);
      ({ bytes } = this.#sql('SELECT bytes FROM topics WHERE id = ?').get(id) as { bytes: number });
      if (bytes + message.data.length > retention.bytesMax) throw new TopicFull(topic, retention.bytesMax);
    }
    const { lastInsertRowid } = this.#sql('INSERT INTO messages (topic, id, data, crc, content_type, metadata, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      id, message.id, message.data, crc32(message.data), message.contentType ?? null, JSON.stringify(message.metadata), now,
    );
    this.#sql('UPDATE topics SET bytes = bytes + ?, retention_ms = ? WHERE id = ?').run(message.data.length, retention.retentionMs, id);
    return { sequence: Number(lastInsertRowid) };
  }

  #settle(operation: Extract<LedgerOperation, { type: `message.${string}` }>): boolean {
    const group = this.#groupId(operation.topic, operation.group);
    if (group === undefined) return false;
    const { sequence } = operation;
    const { session } = this.#settings;
    const { changes } =
      operation.type === 'message.ack'
        ? this.#sql('DELETE FROM deliveries WHERE grp = ? AND sequence = ? AND session = ?').run(group, sequence, session)
        : operation.type === 'message.retry'
          ? this.#sql('UPDATE deliveries SET session = NULL, due_at = ?, attempt = attempt + 1 WHERE grp = ? AND sequence = ? AND session = ?').run(operation.dueAt, group, sequence, session)
          : this.#sql('UPDATE deliveries SET session = NULL, due_at = 0 WHERE grp = ? AND sequence = ? AND session = ?').run(group, sequence, session);
    return Number(changes) > 0;
  }

  openGroup({ topic, group, now }: { topic: string; group: string } & Timed): void {
    const id = this.#topicId(topic);
    this.#sql('INSERT INTO groups (topic, name, seen_at) VALUES (?, ?, ?) ON CONFLICT (topic, name) DO UPDATE SET seen_at = excluded.seen_at').run(id, group, now);
  }

  claim({ topic, group, limit, now }: ClaimArguments): { messages: unknown[]; nextDueAt?: number; more: boolean } {
    if (this.#groupId(topic, group) === undefined) this.openGroup({ topic, group, now });
    const found = this.#sql('SELECT g.id, g.topic, g.cursor FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = ? AND g.name = ?').get(topic, group) as { id: number; topic: number; cursor: number };
    const { session } = this.#settings;
    const due = this.#sql(
      'SELECT m.sequence, m.id, m.data, m.crc, m.content_type, m.metadata, m.published_at, d.attempt FROM deliveries d JOIN messages m ON m.sequence = d.sequence WHERE d.grp = ? AND d.due_at <= ? ORDER BY d.due_at, d.sequence LIMIT ?',
    ).all(found.id, now, limit) as unknown as Row[];
    for (const row of due) this.#sql('UPDATE deliveries SET session = ?, due_at = NULL WHERE grp = ? AND sequence = ?').run(session, found.id, row.sequence);
    const fresh =
      due.length >= limit
        ? []
        : (this.#sql('SELECT sequence, id, data, crc, content_type, metadata, published_at, 1 AS attempt FROM messages WHERE topic = ? AND sequence > ? ORDER BY sequence LIMIT ?').all(found.topic, found.cursor, limit - due.length) as unknown as Row[]);
    for (const row of fresh) this.#sql('INSERT INTO deliveries (grp, sequence, attempt, session) VALUES (?, ?, 1, ?)').run(found.id, row.sequence, session);
    for (const row of [...due, ...fresh]) checkCrc(row.data, row.crc, () => `message ${row.sequence} of topic ${topic}`);
    const last = fresh.at(-1);
    if (last) this.#sql('UPDATE groups SET cursor = ? WHERE id = ?').run(last.sequence, found.id);
    const { next } = this.#sql('SELECT MIN(due_at) AS next FROM deliveries WHERE grp = ? AND due_at IS NOT NULL').get(found.id) as { next: number | null };
    return {
      messages: [...due, ...fresh].map((row) => ({
        topic, group, sequence: row.sequence, id: row.id, data: row.data, metadata: JSON.parse(row.metadata) as unknown, attempt: row.attempt, publishedAt: row.published_at,
        ...(row.content_type === null ? {} : { contentType: row.content_type }),
      })),
      more: due.length + fresh.length >= limit,
      ...(next === null ? {} : { nextDueAt: next }),
    };
  }

  claimOutbox({ appId, limit, leaseMs, now }: OutboxClaimArguments): unknown[] {
    const rows = this.#sql('SELECT * FROM outbox WHERE app_id = ? AND free_at <= ? ORDER BY position LIMIT ?').all(appId, now, limit) as unknown as OutboxRow[];
    for (const row of rows) {
      checkCrc(row.data, row.crc, () => `outbox record ${row.id}`);
      this.#sql('UPDATE outbox SET free_at = ?, attempt = attempt + 1 WHERE id = ?').run(now + leaseMs, row.id);
    }
    return rows.map((row) => ({
      id: row.id, appId: row.app_id, pubsub: row.pubsub, topic: row.topic, data: row.data, contentType: row.content_type,
      metadata: JSON.parse(row.metadata) as unknown, createdAt: row.created_at, attempt: row.attempt,
    }));
  }
  removeOutbox({ ids }: { ids: readonly string[] }): void {
    for (const id of ids) this.#sql('DELETE FROM outbox WHERE id = ?').run(id);
  }
  releaseOutbox({ ids, freeAt }: { ids: readonly string[]; freeAt: number }): void {
    for (const id of ids) this.#sql('UPDATE outbox SET free_at = ? WHERE id = ?').run(freeAt, id);
  }

  /** Renews this process's lease, frees what dead processes held, and trims and sweeps in bounded steps. */
  tend({ now }: Timed): { touched: string[]; droppedGroups: { topic: string; group: string }[] } {
    const { session, pid, processStart } = this.#settings;
    this.#sql('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)').run(session, pid, processStart, now + SESSION_LEASE_MS);
    const touched = this.#freeDeadClaims(now);
    this.#sql('DELETE FROM state WHERE (tbl, key) IN (SELECT tbl, key FROM state WHERE expires_at <= ? LIMIT ?)').run(now, SWEEP_ROWS);
    const droppedGroups = this.#dropUnseenGroups(now);
    for (const { id } of this.#sql('SELECT id FROM topics').all() as { id: number }[]) this.#trim(id, now);
    return { touched, droppedGroups };
  }

  endSession(): void {
    const { session } = this.#settings;
    this.#sql('UPDATE deliveries SET session = NULL, due_at = 0 WHERE session = ?').run(session);
    this.#sql('DELETE FROM sidecars WHERE session = ?').run(session);
    this.#sql('DELETE FROM sessions WHERE id = ?').run(session);
  }

  #freeDeadClaims(now: number): string[] {
    const dead = (this.#sql('SELECT id, pid, process_start, lease_until FROM sessions WHERE id <> ?').all(this.#settings.session) as { id: string; pid: number; process_start: string; lease_until: number }[]).filter(
      (row) => row.lease_until <= now || !isAlive(row.pid, row.process_start),
    );
    const touched = new Set<string>();
    for (const { id } of dead) {
      const topics = this.#sql('SELECT DISTINCT t.name FROM deliveries d JOIN groups g ON g.id = d.grp JOIN topics t ON t.id = g.topic WHERE d.session = ?').all(id) as { name: string }[];
      for (const { name } of topics) touched.add(`topic/${name}`);
      this.#sql('UPDATE deliveries SET session = NULL, due_at = 0 WHERE session = ?').run(id);
      this.#sql('DELETE FROM sidecars WHERE session = ?').run(id);
      this.#sql('DELETE FROM sessions WHERE id = ?').run(id);
      touched.add('sidecars');
    }
    return [...touched];
  }

  #dropUnseenGroups(now: number): { topic: string; group: string }[] {
    const unseen = this.#sql('SELECT g.id, g.name, t.name AS topic FROM groups g JOIN topics t ON t.id = g.topic WHERE g.seen_at < ?').all(now - GROUP_UNSEEN_MS) as { id: number; name: string; topic: string }[];
    for (const { id } of unseen) {
      this.#sql('DELETE FROM deliveries WHERE grp = ?').run(id);
      this.#sql('DELETE FROM groups WHERE id = ?').run(id);
    }
    if (unseen.length > 0) this.#groups.clear();
    return unseen.map(({ name, topic }) => ({ topic, group: name }));
  }

  /** L5: what every group has done with and whose time is over, a bounded number of rows. */
  #trim(topic: number, now: number): void {
    const { retention_ms: retentionMs } = this.#sql('SELECT retention_ms FROM topics WHERE id = ?').get(topic) as { retention_ms: number };
    const groups = this.#sql('SELECT id, cursor FROM groups WHERE topic = ?').all(topic) as { id: number; cursor: number }[];
    let below = Number.MAX_SAFE_INTEGER;
    for (const { id, cursor } of groups) {
      const { open } = this.#sql('SELECT MIN(sequence) AS open FROM deliveries WHERE grp = ?').get(id) as { open: number | null };
      below = Math.min(below, open === null ? cursor + 1 : Math.min(open, cursor + 1));
    }
    const gone = this.#sql(
      'DELETE FROM messages WHERE sequence IN (SELECT sequence FROM messages WHERE topic = ? AND sequence < ? AND published_at <= ? ORDER BY sequence LIMIT ?) RETURNING LENGTH(data) AS size',
    ).all(topic, below, now - retentionMs, SWEEP_ROWS) as { size: number }[];
    if (gone.length > 0) this.#sql('UPDATE topics SET bytes = bytes - ? WHERE id = ?').run(gone.reduce((sum, { size }) => sum + size, 0), topic);
  }

  #addDeadLetter(letter: DeadLetter): LedgerResult {
    const { data, ...rest } = letter;
    this.#sql('INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?)').run(letter.id, letter.appId, letter.at, JSON.stringify(rest), data);
    const { count } = this.#sql('SELECT COUNT(*) AS count FROM dead_letters WHERE app_id = ?').get(letter.appId) as { count: number };
    if (count > DEAD_LETTERS_MAX) {
      this.#sql('DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE app_id = ? ORDER BY at, id LIMIT ?)').run(letter.appId, count - DEAD_LETTERS_MAX);
    }
    return {};
  }

  #putSidecar(sidecar: SidecarRow): void {
    this.#sql('INSERT OR REPLACE INTO sidecars VALUES (?, ?, ?, ?, ?)').run(sidecar.instanceId, this.#settings.session, sidecar.appId, sidecar.namespace, JSON.stringify(sidecar));
  }
}

interface Row {
  readonly sequence: number;
  readonly id: string;
  readonly data: Uint8Array;
  readonly crc: number;
  readonly content_type: string | null;
  readonly metadata: string;
  readonly published_at: number;
  readonly attempt: number;
}
interface OutboxRow {
  readonly id: string;
  readonly app_id: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly data: Uint8Array;
  readonly crc: number;
  readonly content_type: string;
  readonly metadata: string;
  readonly created_at: number;
  readonly attempt: number;
}

const NAMES_MAX = 10_000;
function remember(names: Map<string, number>, name: string, id: number): void {
  if (names.size >= NAMES_MAX) names.clear();
  names.set(name, id);
}

let ledger: LedgerRequests | undefined;

export const program = {
  migrate,
  rolledBack: () => ledger?.forget(),
  requests(db: DatabaseSync, settings: unknown) {
    const requests = new LedgerRequests(db, settings as ProgramSettings);
    ledger = requests;
    return {
      commit: (args: Parameters<LedgerRequests['commit']>[0]) => requests.commit(args),
      openGroup: (args: Parameters<LedgerRequests['openGroup']>[0]) => requests.openGroup(args),
      claim: (args: ClaimArguments) => requests.claim(args),
      claimOutbox: (args: OutboxClaimArguments) => requests.claimOutbox(args),
      removeOutbox: (args: Parameters<LedgerRequests['removeOutbox']>[0]) => requests.removeOutbox(args),
      releaseOutbox: (args: Parameters<LedgerRequests['releaseOutbox']>[0]) => requests.releaseOutbox(args),
      tend: (args: Timed) => requests.tend(args),
      endSession: () => requests.endSession(),
    };
  },
};
