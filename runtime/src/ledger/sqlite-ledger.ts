/**
 * The embedded ledger: one SQLite file per data folder, shared by the processes of a host.
 *
 * Writes go to the writer thread (`components/sqlite/group-writer.ts` with `ledger-program.ts`); reads are prepared
 * statements on a connection of this thread that can write nothing. Other processes' commits are noticed by their wake-ups,
 * and failing that by SQLite's own change counter, looked at once a second.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { LedgerConflict, LedgerRefused } from '@mecha/components/kit';
import type { ClaimedOutboxRecord, Clock, DeadLetter, DeadLetterRow, Ledger, LedgerOperation, LedgerResult, MessageClaim, OutboxSource, SidecarRow, TopicStatus } from '@mecha/components/kit';
import { openGroupWriter, WriterError, type RunOptions, type WriterFaults } from '@mecha/components/sqlite/group-writer.ts';
import type { Log } from '../telemetry/log.ts';
import { createLogLimit } from '../log-limit.ts';
import { isDurableJobOperation, openJobLedger } from './job-ledger.ts';
import type { TendOutcome } from './ledger-program.ts';
import { liveSidecarsIn } from './live-sidecars.ts';
import { isAlive, processIdentity } from './process-identity.ts';
import { StateReads } from './state-reads.ts';
import { createWatches } from './watches.ts';
import { isDurableWorkflowOperation, openWorkflowLedger, workflowBytes } from './workflow-ledger.ts';

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

interface StatusRow {
  readonly messages: number;
  readonly bytes: number;
  /** Null: the topic has no group. */
  readonly group: string | null;
  readonly waiting: number;
  readonly inFlight: number;
  readonly unread: number;
}

const TEND_EVERY_MS = 5000;
/** Between two steps of tending while rows are left to remove: other writes come in between. */
const TEND_ON_MS = 20;
const LOOK_EVERY_MS = 1000;
const LOG_AGAIN_MS = 60_000;

export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { path, clock, log } = options;
  const session = randomUUID();
  const pid = process.pid;
  const writer = await openGroupWriter({
    path,
    program: new URL('./ledger-program.ts', import.meta.url),
    settings: { session, pid, identity: processIdentity(pid) },
    onTrouble: (message) => log.warn({ path }, message),
    ...(options.faults ? { faults: options.faults } : {}),
  });
  const db = new DatabaseSync(path, { timeout: 2000 });
  db.exec('PRAGMA query_only = ON');
  const statements = new Map<string, StatementSync>();
  const watches = createWatches();
  const failureLimit = createLogLimit(clock, LOG_AGAIN_MS);
  /** This process's entries in the registry, to be entered again should others have taken it for dead. */
  const ownSidecars = new Map<string, SidecarRow>();
  let closed = false;
  let tending = false;
  let seenVersion: unknown;
  let cancelTend = (): void => undefined;
  let cancelLook = (): void => undefined;

  /** What a power failure may undo says so: claims, leases and settlements come again by themselves. */
  async function run<T>(name: string, args: Record<string, unknown>, options: RunOptions = { durable: false }): Promise<T> {
    if (closed) throw new LedgerRefused('closed', 'the ledger is closed');
    try {
      return (await writer.run(name, { ...args, now: clock.now() }, options)) as T;
    } catch (error) {
      throw translate(error);
    }
  }
  function read<T>(work: () => T): T {
    if (closed) throw new LedgerRefused('closed', 'the ledger is closed');
    try {
      return work();
    } catch (error) {
      throw translate(error);
    }
  }
  const stateReads = new StateReads(db, read);
  function sql(text: string): StatementSync {
    let statement = statements.get(text);
    if (!statement) statements.set(text, (statement = db.prepare(text)));
    return statement;
  }
  function tellFailure(error: unknown, message: string): void {
    const heldBack = closed ? undefined : failureLimit(message);
    if (heldBack !== undefined) log.error({ err: error, heldBack }, message);
  }
  function tellDamaged(damaged: readonly string[]): void {
    for (const what of damaged) log.error({ what }, 'damaged on the disk: the checksum is wrong; passed over, and looked at again in a minute; restore the file from a copy, or remove the row');
  }

  function look(): void {
    try {
      const { data_version: version } = sql('PRAGMA data_version').get() as { data_version: number };
      if (version !== seenVersion) watches.wakeAll();
      seenVersion = version;
      // What a dead process held is freed as soon as this one sees that it is gone, long before its lease runs out; and a
      // process whose machine slept takes its own place again.
      const sessions = sql('SELECT id, pid, process_start, lease_until FROM sessions').all() as unknown as SessionRow[];
      if (!tending && (sessions.some(isGone) || !sessions.some(({ id, lease_until: leaseUntil }) => id === session && leaseUntil > clock.now()))) void tend();
    } catch (error) {
      tellFailure(error, 'the ledger cannot be read; trying on');
    }
    if (!closed) cancelLook = clock.after(LOOK_EVERY_MS, look);
  }
  const isGone = ({ id, pid, process_start: identity, lease_until: leaseUntil }: SessionRow): boolean => id !== session && (leaseUntil <= clock.now() || !isAlive(pid, identity));
  async function tend(): Promise<void> {
    cancelTend();
    tending = true;
    let nextMs = TEND_EVERY_MS;
    try {
      const { touched, droppedGroups, droppedLetters, more } = await run<TendOutcome>('tend', { sidecars: [...ownSidecars.values()] });
      for (const dropped of droppedGroups) log.warn(dropped, 'consumer group dropped: it was not seen for 7 days');
      for (const dropped of droppedLetters) log.warn(dropped, 'the oldest dead letters of an app are dropped: 10,000 are kept');
      if (more) nextMs = TEND_ON_MS;
      watches.wake(touched);
    } catch (error) {
      tellFailure(error, 'the ledger could not renew its lease; trying on');
    }
    tending = false;
    if (!closed) cancelTend = clock.after(nextMs, () => void tend());
  }
  await tend();
  look();

  const outbox: OutboxSource = {
    async claim({ appId, limit, leaseMs }) {
      const { records, damaged } = await run<{ records: ClaimedOutboxRecord[]; damaged: string[] }>('claimOutbox', { appId, limit, leaseMs });
      tellDamaged(damaged);
      return records;
    },
    remove: (ids) => run('removeOutbox', { ids }),
    release: (ids, delayMs) => run('releaseOutbox', { ids, freeAt: clock.now() + delayMs }),
    onRecords: (appId, listener) => watches.watch(`outbox/${appId}`, listener),
    pending: async (appId) => read(() => (sql('SELECT COUNT(*) AS count FROM outbox WHERE app_id = ?').get(appId) as { count: number }).count),
  };

  const parts = { run, sql, read, now: () => clock.now(), touch: (channels: readonly string[]) => watches.touch(channels), tellDamaged };
  const workflows = openWorkflowLedger(parts);
  const jobs = openJobLedger(parts);

  return {
    kind: 'sqlite',
    broken: writer.broken,
    outbox,
    workflows,
    jobs,
    async commit(batch) {
      const handed = handOver(batch);
      for (const operation of batch) if (operation.type === 'sidecar.remove') ownSidecars.delete(operation.instanceId);
      const { results, touched } = await run<{ results: LedgerResult[]; touched: string[] }>('commit', { batch: handed.batch }, handed);
      for (const operation of batch) if (operation.type === 'sidecar.put') ownSidecars.set(operation.sidecar.instanceId, operation.sidecar);
      if (touched.length > 0) watches.touch(touched);
      return results;
    },
    async readState(table, keys) {
      read(() => undefined);
      return stateReads.read(table, keys, clock.now());
    },
    async openGroup(topic, group) {
      await run('openGroup', { topic, group });
    },
    async claimMessages({ topic, group, limit }) {
      const { damaged, ...claim } = await run<MessageClaim & { damaged: string[] }>('claim', { topic, group, limit });
      tellDamaged(damaged);
      return claim;
    },
    topicStatus: async (topic): Promise<TopicStatus> =>
      read(() => {
        // One statement, so that the counts are of one moment.
        const rows = sql(
          `SELECT t.appended - t.trimmed AS messages, t.bytes, g.name AS "group", g.waiting, g.in_flight AS inFlight, t.appended - g.taken AS unread
           FROM topics t LEFT JOIN groups g ON g.topic = t.id WHERE t.name = ? ORDER BY g.name`,
        ).all(topic) as unknown as StatusRow[];
        const [{ messages, bytes } = { messages: 0, bytes: 0 }] = rows;
        return { topic, messages, bytes, groups: rows.flatMap(({ group, waiting, inFlight, unread }) => (group === null ? [] : [{ group, waiting, inFlight, unread }])) };
      }),
    deadLetters: async ({ appId, limit, before }) =>
      read(() => {
        const rows = sql('SELECT letter, length(data) AS bytes FROM dead_letters WHERE app_id = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?').all(appId, before?.at ?? Number.MAX_SAFE_INTEGER, before?.id ?? '', limit);
        return (rows as { letter: string; bytes: number }[]).map(({ letter, bytes }) => ({ ...(JSON.parse(letter) as Omit<DeadLetterRow, 'bytes'>), bytes }));
      }),
    deadLetter: async ({ appId, id }) =>
      read(() => {
        const row = sql('SELECT letter, data FROM dead_letters WHERE id = ? AND app_id = ?').get(id, appId) as { letter: string; data: Uint8Array } | undefined;
        return row && { ...(JSON.parse(row.letter) as Omit<DeadLetter, 'data'>), data: row.data };
      }),
    liveSidecars: async (query = {}) =>
      read(() => liveSidecarsIn(db, clock.now())).filter((row) => (query.appId === undefined || row.appId === query.appId) && (query.namespace === undefined || row.namespace === query.namespace)),
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
    if (isDurableWorkflowOperation(operation) ?? isDurableJobOperation(operation) ?? !operation.type.startsWith('message.')) durable = true;
    bytes += workflowBytes(operation);
    switch (operation.type) {
      case 'state.set':
        return { ...operation, data: copy(operation.data) };
      case 'topic.append':
        return { ...operation, message: { ...operation.message, data: copy(operation.message.data) } };
      case 'outbox.add':
        return { ...operation, record: { ...operation.record, data: copy(operation.record.data) } };
      case 'dead-letter.add':
        return { ...operation, letter: { ...operation.letter, data: copy(operation.letter.data) } };
      case 'job.put':
        bytes += operation.definition.length;
        return { ...operation, data: copy(operation.data) };
      default:
        return operation;
    }
  });
  return { batch: copied, transfer, bytes, durable };
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What the writer or SQLite said, in the words of the port. */
function translate(error: unknown): unknown {
  if (error instanceof LedgerRefused) return error;
  const detail = (error instanceof WriterError ? error.detail : error) as { name?: string; message?: string; key?: string; index?: number; errcode?: number } | undefined;
  if (detail?.name === 'LedgerConflict') return new LedgerConflict(detail.key ?? '', detail.index ?? 0);
  if (detail?.name === 'TopicFull') return new LedgerRefused('topic-full', detail.message ?? '');
  const code = (detail?.errcode ?? 0) & 0xff;
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return new LedgerRefused('damaged', `the ledger's file is damaged: ${detail?.message}`, detail);
  if (error instanceof WriterError) return new LedgerRefused(error.code === 'rejected' ? 'io' : error.code, error.message, detail);
  return detail?.errcode === undefined ? error : new LedgerRefused('io', `the ledger cannot be read: ${detail.message}`, error);
}
