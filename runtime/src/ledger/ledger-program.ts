/**
 * What the writer thread does to the ledger's file: every change that may be asked of it (its layout: `ledger-schema.ts`).
 *
 * Delivery to groups: `cursor` of a group moves forward as messages are claimed; a row in `deliveries` exists only while
 * a message is in flight (`session` set) or waits for its next try (`due_at` set), and its acknowledgement deletes it.
 * A claim belongs to the session of a process; when the session is dead its claims are free again, attempt unchanged. So
 * that none is ever orphaned, whoever claims sees to it that its session has a row.
 *
 * No request scans: each costs the same with a million rows, and what removes rows does so in bounded steps.
 *
 * What a topic holds and its groups have open is counted where it changes, in the same transaction (`topic-room.ts`).
 */
import { crc32 } from 'node:zlib';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DeadLetter, LedgerOperation, LedgerResult, SidecarRow } from '@mecha/components/kit';
import { JobRequests, type JobClaimRequest, type JobRenewRequest } from './job-program.ts';
import { migrate } from './ledger-schema.ts';
import { isAlive } from './process-identity.ts';
import { TopicRoom } from './topic-room.ts';
import { WorkflowClaims, type ClaimRequest, type RenewRequest } from './workflow-claims.ts';
import { WorkflowRequests } from './workflow-program.ts';

export const SESSION_LEASE_MS = 15_000;
const DEAD_LETTERS_MAX = 10_000;
const GROUP_UNSEEN_MS = 7 * 24 * 3600_000;
/** A claim marks its group as seen no more often than this. */
const GROUP_SEEN_STEP_MS = 3600_000;
/** Most rows that one step of tending removes. */
const SWEEP_ROWS = 500;
/** A damaged row is out of the way of the others for this long, then told of again. */
const DAMAGED_PAUSE_MS = 60_000;

export interface ProgramSettings {
  readonly session: string;
  readonly pid: number;
  /** `processIdentity(pid)`. */
  readonly identity: string;
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
/** `damaged` names rows that were passed over: their checksum is wrong, and they are looked at again in a minute. */
export interface ClaimOutcome {
  readonly messages: unknown[];
  readonly nextDueAt?: number;
  readonly more: boolean;
  readonly damaged: readonly string[];
}
export interface OutboxClaimArguments extends Timed {
  readonly appId: string;
  readonly limit: number;
  readonly leaseMs: number;
}

export interface TendArguments extends Timed {
  /** The entries of this process in the registry. */
  readonly sidecars: readonly SidecarRow[];
}
export interface TendOutcome {
  readonly touched: readonly string[];
  readonly droppedGroups: readonly { readonly topic: string; readonly group: string }[];
  readonly droppedLetters: readonly { readonly appId: string; readonly count: number }[];
  readonly more: boolean;
}

/** What a batch changed besides its rows. */
interface Effects {
  readonly touched: Set<string>;
  /** By group: deliveries that ended or went back to wait. */
  readonly settled: Map<number, { waiting: number; ended: number }>;
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

class LedgerRequests {
  readonly #db: DatabaseSync;
  readonly #settings: ProgramSettings;
  readonly #statements = new Map<string, StatementSync>();
  /** Ids by name; forgotten when anything is rolled back. */
  readonly #topics = new Map<string, number>();
  readonly #groups = new Map<string, number>();
  /** Steps of tending so far: each begins with another topic. */
  #tended = 0;
  readonly #room: TopicRoom;
  readonly #workflows: WorkflowRequests;
  readonly workflowClaims: WorkflowClaims;
  readonly jobs: JobRequests;

  constructor(db: DatabaseSync, settings: ProgramSettings) {
    this.#db = db;
    this.#settings = settings;
    const sql = (text: string): StatementSync => this.#sql(text);
    this.#workflows = new WorkflowRequests(sql, settings.session);
    this.workflowClaims = new WorkflowClaims(sql, settings.session);
    this.jobs = new JobRequests(sql, settings.session);
    this.#room = new TopicRoom(sql);
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
    const effects: Effects = { touched: new Set(), settled: new Map() };
    const results = batch.map((operation, index) => this.#apply(operation, index, now, effects));
    for (const [group, { waiting, ended }] of effects.settled) this.#count(group, { waiting, inFlight: -waiting - ended });
    return { results, touched: [...effects.touched] };
  }

  #apply(operation: LedgerOperation, index: number, now: number, effects: Effects): LedgerResult {
    const { touched } = effects;
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
        const applied = this.#settle(operation, effects);
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
        this.#keepSession(now);
        this.#putSidecar(operation.sidecar, 'REPLACE');
        return {};
      case 'sidecar.remove':
        touched.add('sidecars');
        this.#sql('DELETE FROM sidecars WHERE instance_id = ?').run(operation.instanceId);
        return {};
      case 'job.put':
      case 'job.delete':
      case 'job.delete-prefix':
      case 'job.next':
      case 'job.retry':
      case 'job.release':
      case 'job.end':
        return this.jobs.apply(operation, index, now, touched);
      default:
        return { workflow: this.#workflows.apply(operation, index, now, touched) };
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
    const etag = newEtag();
    this.#sql(
      `INSERT INTO state (tbl, key, etag, expires_at, is_binary, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (tbl, key) DO UPDATE SET etag = excluded.etag, expires_at = excluded.expires_at, is_binary = excluded.is_binary, crc = excluded.crc, data = excluded.data`,
    ).run(table, key, etag, operation.expiresAt ?? null, operation.binary ? 1 : 0, crc32(operation.data), operation.data);
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
    this.#room.make(id, operation, now);
    const { lastInsertRowid } = this.#sql('INSERT INTO messages (topic, id, data, crc, content_type, metadata, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      id, message.id, message.data, crc32(message.data), message.contentType ?? null, JSON.stringify(message.metadata), now,
    );
    this.#sql('UPDATE topics SET bytes = bytes + ?, appended = appended + 1, retention_ms = ? WHERE id = ?').run(message.data.length, retention.retentionMs, id);
    return { sequence: Number(lastInsertRowid) };
  }

  #settle(operation: Extract<LedgerOperation, { type: `message.${string}` }>, { settled }: Effects): boolean {
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
    if (Number(changes) === 0) return false;
    const counts = settled.get(group) ?? { waiting: 0, ended: 0 };
    counts[operation.type === 'message.ack' ? 'ended' : 'waiting']++;
    settled.set(group, counts);
    return true;
  }

  #count(group: number, { waiting, inFlight }: { readonly waiting: number; readonly inFlight: number }): void {
    this.#sql('UPDATE groups SET waiting = waiting + ?, in_flight = in_flight + ? WHERE id = ?').run(waiting, inFlight, group);
  }

  openGroup({ topic, group, now }: { topic: string; group: string } & Timed): void {
    const id = this.#topicId(topic);
    this.#sql(
      'INSERT INTO groups (topic, name, seen_at, taken) SELECT id, ?, ?, trimmed FROM topics WHERE id = ? ON CONFLICT (topic, name) DO UPDATE SET seen_at = excluded.seen_at',
    ).run(group, now, id);
  }

  claim({ topic, group, limit, now }: ClaimArguments): ClaimOutcome {
    const { id, topicId, cursor } = this.#seenGroup(topic, group, now);
    this.#keepSession(now);
    const { session } = this.#settings;
    const due = this.#sql(
      'SELECT m.sequence, m.id, m.data, m.crc, m.content_type, m.metadata, m.published_at, d.attempt FROM deliveries d JOIN messages m ON m.sequence = d.sequence WHERE d.grp = ? AND d.due_at <= ? ORDER BY d.due_at, d.sequence LIMIT ?',
    ).all(id, now, limit) as unknown as Row[];
    for (const row of due) this.#sql('UPDATE deliveries SET session = ?, due_at = NULL WHERE grp = ? AND sequence = ?').run(session, id, row.sequence);
    const fresh =
      due.length >= limit
        ? []
        : (this.#sql('SELECT sequence, id, data, crc, content_type, metadata, published_at, 1 AS attempt FROM messages WHERE topic = ? AND sequence > ? ORDER BY sequence LIMIT ?').all(topicId, cursor, limit - due.length) as unknown as Row[]);
    for (const row of fresh) this.#sql('INSERT INTO deliveries (grp, sequence, attempt, session) VALUES (?, ?, 1, ?)').run(id, row.sequence, session);
    const last = fresh.at(-1);
    const found = [...due, ...fresh];
    const damaged = found.filter((row) => !isSound(row));
    if (found.length > 0) {
      this.#sql('UPDATE groups SET cursor = ?, taken = taken + ?, waiting = waiting + ?, in_flight = in_flight + ? WHERE id = ?').run(
        last?.sequence ?? cursor, fresh.length, damaged.length - due.length, found.length - damaged.length, id,
      );
    }
    for (const { sequence } of damaged) this.#sql('UPDATE deliveries SET session = NULL, due_at = ? WHERE grp = ? AND sequence = ?').run(now + DAMAGED_PAUSE_MS, id, sequence);
    const { next } = this.#sql('SELECT MIN(due_at) AS next FROM deliveries WHERE grp = ? AND due_at IS NOT NULL').get(id) as { next: number | null };
    return {
      messages: found.filter((row) => !damaged.includes(row)).map((row) => ({
        topic, group, sequence: row.sequence, id: row.id, data: row.data, metadata: JSON.parse(row.metadata) as unknown, attempt: row.attempt, publishedAt: row.published_at,
        ...(row.content_type === null ? {} : { contentType: row.content_type }),
      })),
      damaged: damaged.map(({ sequence }) => `message ${sequence} of topic ${topic}`),
      more: found.length >= limit,
      ...(next === null ? {} : { nextDueAt: next }),
    };
  }

  #seenGroup(topic: string, group: string, now: number): { readonly id: number; readonly topicId: number; readonly cursor: number } {
    const select = this.#sql('SELECT g.id, g.topic AS topicId, g.cursor, g.seen_at AS seenAt FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = ? AND g.name = ?');
    type Found = { readonly id: number; readonly topicId: number; readonly cursor: number; readonly seenAt: number };
    const found = select.get(topic, group) as Found | undefined;
    if (found && found.seenAt > now - GROUP_SEEN_STEP_MS) return found;
    this.openGroup({ topic, group, now });
    return select.get(topic, group) as Found;
  }

  claimOutbox({ appId, limit, leaseMs, now }: OutboxClaimArguments): { records: unknown[]; damaged: readonly string[] } {
    const rows = this.#sql('SELECT * FROM outbox WHERE app_id = ? AND free_at <= ? ORDER BY position LIMIT ?').all(appId, now, limit) as unknown as OutboxRow[];
    const damaged = rows.filter((row) => !isSound(row));
    for (const row of rows) this.#sql('UPDATE outbox SET free_at = ?, attempt = attempt + 1 WHERE id = ?').run(now + (damaged.includes(row) ? DAMAGED_PAUSE_MS : leaseMs), row.id);
    return {
      records: rows.filter((row) => !damaged.includes(row)).map((row) => ({
        id: row.id, appId: row.app_id, pubsub: row.pubsub, topic: row.topic, data: row.data, contentType: row.content_type,
        metadata: JSON.parse(row.metadata) as unknown, createdAt: row.created_at, attempt: row.attempt,
      })),
      damaged: damaged.map(({ id }) => `outbox record ${id}`),
    };
  }
  removeOutbox({ ids }: { ids: readonly string[] }): void {
    for (const id of ids) this.#sql('DELETE FROM outbox WHERE id = ?').run(id);
  }
  releaseOutbox({ ids, freeAt }: { ids: readonly string[]; freeAt: number }): void {
    for (const id of ids) this.#sql('UPDATE outbox SET free_at = ? WHERE id = ?').run(freeAt, id);
  }

  /**
   * Renews this process's lease and its entries in the registry, which others may have removed while the machine slept;
   * frees what dead processes held; trims and sweeps one bounded step. `more`: rows are left for the next step.
   */
  tend({ now, sidecars }: TendArguments): TendOutcome {
    const { session } = this.#settings;
    const { changes } = this.#sql('UPDATE sessions SET lease_until = ? WHERE id = ?').run(now + SESSION_LEASE_MS, session);
    if (Number(changes) === 0) this.#keepSession(now);
    const touched = this.#freeDeadClaims(now);
    for (const sidecar of sidecars) if (this.#putSidecar(sidecar, 'IGNORE')) touched.add('sidecars');
    const droppedGroups = this.#dropUnseenGroups(now);
    const droppedLetters = this.#dropOldestLetters();
    let left = SWEEP_ROWS;
    left -= Number(this.#sql('DELETE FROM state WHERE (tbl, key) IN (SELECT tbl, key FROM state WHERE expires_at <= ? LIMIT ?)').run(now, left).changes);
    left -= this.jobs.sweep(now, left);
    const topics = this.#sql('SELECT id, retention_ms AS retentionMs FROM topics ORDER BY id').all() as { id: number; retentionMs: number }[];
    const first = this.#tended++;
    for (let n = 0; n < topics.length && left > 0; n++) {
      const { id, retentionMs } = topics[(first + n) % topics.length] ?? { id: 0, retentionMs: 0 };
      const { rows, more } = this.#room.trim(id, now - retentionMs, left);
      left -= rows > 0 && more ? left : rows;
    }
    return { touched: [...touched], droppedGroups, droppedLetters, more: left <= 0 };
  }

  /** So that what this process claims is freed by others when it dies, whatever has become of its row. */
  #keepSession(now: number): void {
    const { session, pid, identity } = this.#settings;
    this.#sql('INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?)').run(session, pid, identity, now + SESSION_LEASE_MS);
  }

  /** What it held is free again; tells whom that wakes besides topics. */
  endSession(session = this.#settings.session): readonly string[] {
    const held = this.#sql('SELECT grp, COUNT(*) AS count FROM deliveries WHERE session = ? GROUP BY grp').all(session) as { grp: number; count: number }[];
    for (const { grp, count } of held) this.#count(grp, { waiting: count, inFlight: -count });
    this.#sql('UPDATE deliveries SET session = NULL, due_at = 0 WHERE session = ?').run(session);
    this.#sql('DELETE FROM sidecars WHERE session = ?').run(session);
    this.#sql('DELETE FROM sessions WHERE id = ?').run(session);
    return [...this.workflowClaims.freeSession(session), ...this.jobs.freeSession(session)];
  }

  #freeDeadClaims(now: number): Set<string> {
    const dead = (this.#sql('SELECT id, pid, process_start, lease_until FROM sessions WHERE id <> ?').all(this.#settings.session) as { id: string; pid: number; process_start: string; lease_until: number }[]).filter(
      (row) => row.lease_until <= now || !isAlive(row.pid, row.process_start),
    );
    const touched = new Set<string>();
    for (const { id } of dead) {
      const topics = this.#sql('SELECT DISTINCT t.name FROM deliveries d JOIN groups g ON g.id = d.grp JOIN topics t ON t.id = g.topic WHERE d.session = ?').all(id) as { name: string }[];
      for (const { name } of topics) touched.add(`topic/${name}`);
      for (const channel of this.endSession(id)) touched.add(channel);
      touched.add('sidecars');
    }
    return touched;
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

  #dropOldestLetters(): { appId: string; count: number }[] {
    const full = this.#sql('SELECT app_id AS appId, COUNT(*) AS count FROM dead_letters GROUP BY app_id HAVING COUNT(*) > ?').all(DEAD_LETTERS_MAX) as { appId: string; count: number }[];
    return full.map(({ appId, count }) => {
      const { changes } = this.#sql('DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE app_id = ? ORDER BY at, id LIMIT ?)').run(appId, count - DEAD_LETTERS_MAX);
      return { appId, count: Number(changes) };
    });
  }

  #addDeadLetter(letter: DeadLetter): LedgerResult {
    const { data, ...rest } = letter;
    this.#sql('INSERT OR REPLACE INTO dead_letters (id, app_id, at, letter, data) VALUES (?, ?, ?, ?, ?)').run(letter.id, letter.appId, letter.at, JSON.stringify(rest), data);
    return {};
  }

  #putSidecar(sidecar: SidecarRow, ifThere: 'REPLACE' | 'IGNORE'): boolean {
    const { changes } = this.#sql(`INSERT OR ${ifThere} INTO sidecars VALUES (?, ?, ?, ?, ?)`).run(sidecar.instanceId, this.#settings.session, sidecar.appId, sidecar.namespace, JSON.stringify(sidecar));
    return Number(changes) > 0;
  }
}

function isSound({ data, crc }: { readonly data: Uint8Array; readonly crc: number }): boolean {
  return crc32(data) === crc;
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

let cryptography: typeof import('node:crypto') | undefined;

/** Node takes some milliseconds to load its cryptography, in each thread anew, and at the start of a sidecar that is waited for. */
function newEtag(): string {
  cryptography ??= process.getBuiltinModule('node:crypto');
  return cryptography.randomUUID();
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
      tend: (args: TendArguments) => requests.tend(args),
      claimInstances: (args: ClaimRequest) => requests.workflowClaims.claimInstances(args),
      claimActivities: (args: ClaimRequest) => requests.workflowClaims.claimActivities(args),
      renewWorkflows: (args: RenewRequest) => requests.workflowClaims.renew(args),
      fireTimers: (args: Parameters<WorkflowClaims['fireTimers']>[0]) => requests.workflowClaims.fireTimers(args),
      claimJobs: (args: JobClaimRequest) => requests.jobs.claim(args),
      renewJobs: (args: JobRenewRequest) => requests.jobs.renew(args),
      endSession: () => requests.endSession(),
    };
  },
};
