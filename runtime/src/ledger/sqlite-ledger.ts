/**
 * The embedded ledger: one SQLite file per data folder, shared by the processes of a host.
 *
 * Writes go to the writer thread (`components/sqlite/group-writer.ts` with `ledger-program.ts`); reads are prepared
 * statements on a connection of this thread that can write nothing. Other processes' commits are noticed by their wake-ups,
 * and failing that by SQLite's own change counter, looked at once a second.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { LedgerConflict, LedgerRefused } from '@mecha/components/kit';
import type { ClaimedOutboxRecord, Clock, DeadLetter, Ledger, LedgerOperation, LedgerResult, LedgerStateRow, MessageClaim, OutboxSource, TopicStatus } from '@mecha/components/kit';
import { openGroupWriter, WriterError, type RunOptions, type WriterFaults } from '@mecha/components/sqlite/group-writer.ts';
import type { Log } from '../telemetry/log.ts';
import { checkCrc, isAlive, processStartOf } from './ledger-program.ts';
import { liveSidecarsIn } from './live-sidecars.ts';
import { createWatches } from './watches.ts';

export interface SqliteLedgerOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests. */
  readonly faults?: WriterFaults;
}

interface SessionRow {
  readonly id: string;
  readonly pid: number;
  readonly process_start: string;
  readonly lease_until: number;
}

const TEND_EVERY_MS = 5000;
const LOOK_EVERY_MS = 1000;

export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { path, clock, log } = options;
  const session = randomUUID();
  const pid = process.pid;
  const writer = await openGroupWriter({
    path,
    program: new URL('./ledger-program.ts', import.meta.url),
    settings: { session, pid, processStart: processStartOf(pid) },
    ...(options.faults ? { faults: options.faults } : {}),
  });
  const db = new DatabaseSync(path, { timeout: 2000 });
  db.exec('PRAGMA query_only = ON');
  const stateOf = db.prepare('SELECT key, data, crc, is_binary, etag, expires_at FROM state WHERE tbl = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)');
  const dataVersion = db.prepare('PRAGMA data_version');
  const watches = createWatches();
  const sessions = db.prepare('SELECT id, pid, process_start, lease_until FROM sessions');
  let closed = false;
  let tending = false;
  let seenVersion = versionNow();
  let cancelTend = (): void => undefined;
  let cancelLook = (): void => undefined;

  /** What a power failure may undo says so: claims, leases and settlements come again by themselves. */
  async function run<T>(name: string, args: Record<string, unknown>, options: RunOptions = { durable: false }): Promise<T> {
    try {
      return (await writer.run(name, { ...args, now: clock.now() }, options)) as T;
    } catch (error) {
      throw translate(error);
    }
  }
  function versionNow(): number {
    return (dataVersion.get() as { data_version: number }).data_version;
  }
  function look(): void {
    const version = versionNow();
    if (version !== seenVersion) {
      seenVersion = version;
      watches.wakeAll();
    }
    // What a dead process held is freed as soon as this one sees that it is gone, long before its lease runs out.
    if (!tending && (sessions.all() as unknown as SessionRow[]).some(isGone)) void tend();
    if (!closed) cancelLook = clock.after(LOOK_EVERY_MS, look);
  }
  const isGone = ({ id, pid, process_start: processStart, lease_until: leaseUntil }: SessionRow): boolean => id !== session && (leaseUntil <= clock.now() || !isAlive(pid, processStart));
  async function tend(): Promise<void> {
    cancelTend();
    tending = true;
    try {
      const { touched, droppedGroups } = await run<{ touched: string[]; droppedGroups: { topic: string; group: string }[] }>('tend', {});
      for (const dropped of droppedGroups) log.warn(dropped, 'consumer group dropped: it was not seen for 7 days');
      watches.wake(touched);
    } catch (error) {
      if (!closed) log.error({ err: error }, 'the ledger could not renew its lease; trying on');
    }
    tending = false;
    if (!closed) cancelTend = clock.after(TEND_EVERY_MS, () => void tend());
  }
  await tend();
  look();

  const outbox: OutboxSource = {
    claim: ({ appId, limit, leaseMs }) => run<ClaimedOutboxRecord[]>('claimOutbox', { appId, limit, leaseMs }),
    remove: (ids) => run('removeOutbox', { ids }),
    release: (ids, delayMs) => run('releaseOutbox', { ids, freeAt: clock.now() + delayMs }),
    onRecords: (appId, listener) => watches.watch(`outbox/${appId}`, listener),
    async pending(appId) {
      return (db.prepare('SELECT COUNT(*) AS count FROM outbox WHERE app_id = ?').get(appId) as { count: number }).count;
    },
  };

  return {
    kind: 'sqlite',
    broken: writer.broken,
    outbox,
    async commit(batch) {
      const handed = handOver(batch);
      const { results, touched } = await run<{ results: LedgerResult[]; touched: string[] }>('commit', { batch: handed.batch }, handed);
      if (touched.length > 0) watches.touch(touched);
      return results;
    },
    async readState(table, keys) {
      if (closed) throw new LedgerRefused('closed', 'the ledger is closed');
      const now = clock.now();
      try {
        return keys.map((key) => stateRow(stateOf.get(table, key, now)));
      } catch (error) {
        throw translate(error);
      }
    },
    async openGroup(topic, group) {
      await run('openGroup', { topic, group });
    },
    claimMessages: ({ topic, group, limit }) => run<MessageClaim>('claim', { topic, group, limit }),
    async topicStatus(topic): Promise<TopicStatus> {
      const totals = db.prepare('SELECT COUNT(m.sequence) AS messages, t.bytes FROM topics t LEFT JOIN messages m ON m.topic = t.id WHERE t.name = ?').get(topic) as { messages: number; bytes: number | null };
      const groups = db
        .prepare(
          `SELECT g.name AS "group",
             (SELECT COUNT(*) FROM deliveries d WHERE d.grp = g.id AND d.session IS NULL) AS waiting,
             (SELECT COUNT(*) FROM deliveries d WHERE d.grp = g.id AND d.session IS NOT NULL) AS inFlight,
             (SELECT COUNT(*) FROM messages m WHERE m.topic = g.topic AND m.sequence > g.cursor) AS unread
           FROM groups g JOIN topics t ON t.id = g.topic WHERE t.name = ?`,
        )
        .all(topic) as unknown as TopicStatus['groups'];
      return { topic, messages: totals.messages, bytes: totals.bytes ?? 0, groups };
    },
    async deadLetters({ appId, limit, before }) {
      const rows = db
        .prepare('SELECT letter, data FROM dead_letters WHERE app_id = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?')
        .all(appId, before?.at ?? Number.MAX_SAFE_INTEGER, before?.id ?? '', limit) as { letter: string; data: Uint8Array }[];
      return rows.map(({ letter, data }) => ({ ...(JSON.parse(letter) as Omit<DeadLetter, 'data'>), data }));
    },
    async liveSidecars(query = {}) {
      return liveSidecarsIn(db, clock.now()).filter((row) => (query.appId === undefined || row.appId === query.appId) && (query.namespace === undefined || row.namespace === query.namespace));
    },
    watch: (channel, listener) => watches.watch(channel, listener),
    onTouched: (listener) => watches.onTouched(listener),
    wake: (channels) => watches.wake(channels),
    async close() {
      if (closed) return;
      closed = true;
      cancelTend();
      cancelLook();
      watches.clear();
      await writer.run('endSession', {}).catch((error: unknown) => log.warn({ err: error }, 'the ledger could not give back its leases'));
      await writer.close();
      db.close();
    },
  };
}

function stateRow(row: unknown): LedgerStateRow | undefined {
  if (row === undefined) return undefined;
  const { key, data, crc, is_binary: binary, etag, expires_at: expiresAt } = row as { key: string; data: Uint8Array; crc: number; is_binary: number; etag: string; expires_at: number | null };
  checkCrc(data, crc, () => `the state of key ${key}`);
  return { key, data, binary: binary === 1, etag, ...(expiresAt === null ? {} : { expiresAt }) };
}

/**
 * The batch with its data copied to buffers of their own size, which the thread is handed: a small Buffer is a view of a
 * large pool, and copying it between threads would copy the pool.
 */
function handOver(batch: readonly LedgerOperation[]): RunOptions & { readonly batch: readonly LedgerOperation[] } {
  const transfer: ArrayBuffer[] = [];
  let bytes = 0;
  let durable = false;
  const copy = (data: Uint8Array): Uint8Array => {
    const own = new Uint8Array(data);
    transfer.push(own.buffer);
    bytes += own.length;
    return own;
  };
  const copied = batch.map((operation): LedgerOperation => {
    if (!operation.type.startsWith('message.')) durable = true;
    switch (operation.type) {
      case 'state.set':
        return { ...operation, data: copy(operation.data) };
      case 'topic.append':
        return { ...operation, message: { ...operation.message, data: copy(operation.message.data) } };
      case 'outbox.add':
        return { ...operation, record: { ...operation.record, data: copy(operation.record.data) } };
      case 'dead-letter.add':
        return { ...operation, letter: { ...operation.letter, data: copy(operation.letter.data) } };
      default:
        return operation;
    }
  });
  return { batch: copied, transfer, bytes, durable };
}

function translate(error: unknown): unknown {
  if (error instanceof Error && error.name === 'Damaged') return new LedgerRefused('damaged', error.message);
  if (!(error instanceof WriterError)) return isCorrupt(error) ? new LedgerRefused('damaged', `the ledger's file is damaged: ${(error as Error).message}`, error) : error;
  const detail = error.detail as { name?: string; key?: string; index?: number } | undefined;
  if (detail?.name === 'LedgerConflict') return new LedgerConflict(detail.key ?? '', detail.index ?? 0);
  if (detail?.name === 'TopicFull') return new LedgerRefused('topic-full', error.message);
  if (detail?.name === 'Damaged') return new LedgerRefused('damaged', error.message);
  if (error.code === 'rejected') return new LedgerRefused('io', error.message, detail);
  return new LedgerRefused(error.code, error.message, detail);
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
function isCorrupt(error: unknown): boolean {
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
