/**
 * `state.sqlite` in a file of its own (or in memory): writes go to a writer thread that commits them in groups, reads are
 * answered by a second connection on this thread.
 *
 * Owns: the way between the port and the writer. Does not own: layout and conditions (`state-file-program.ts`), group
 * commit and durability (`group-writer.ts`).
 *
 * Invariants
 * S1  A write is acknowledged after its commit is on disk, and every read that begins later sees it.
 * S2  The second connection can write nothing, and exists only where a write-ahead log keeps it from waiting for writers.
 */
import { isUtf8 } from 'node:buffer';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  EtagError,
  type BulkOutcome,
  type Clock,
  type ComponentLog,
  type DeleteState,
  type OutboxSource,
  type SetState,
  type StateOperation,
  type StateRecord,
  type StateStore,
  type StateValue,
} from '@mecha/components/kit';
import type { SqliteFile } from './connection-string.ts';
import { openGroupWriter, WriterError, type GroupWriter } from './group-writer.ts';
import { selectRow, timestampOf, type FileOperation, type FileOutboxRow, type FileRequests, type FileRow } from './state-file-program.ts';

export interface FileStateSettings {
  readonly file: SqliteFile;
  readonly tableName: string;
  readonly metadataTableName: string;
  /** Longest that a call waits for the writer, milliseconds. */
  readonly timeoutMs: number;
  readonly busyTimeoutMs: number;
  readonly disableWal: boolean;
  /** 0 = expired rows are hidden but stay. */
  readonly cleanupIntervalMs: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** How often to look for records that nobody here announced: another sidecar's, or those whose lease ran out. */
const OUTBOX_POLL_MS = 1_000;

export function createFileState(settings: FileStateSettings): StateStore {
  const { clock, file } = settings;
  const connection = new FileConnection(settings);

  const write = async (operations: readonly FileOperation[], outbox: FileRequests['write']['outbox'] = []): Promise<void> => {
    await connection.run('write', { now: clock.now(), operations, outbox });
  };
  const writeEach = (operations: readonly FileOperation[]): Promise<readonly BulkOutcome[]> =>
    // Each a request of its own, so that one's conflict is its own; handed in together, they share a commit.
    Promise.all(operations.map((operation) => write([operation]).then(() => undefined, (error: unknown) => error as Error)));

  const setOperation = ({ key, value, etag = '', options, ttlSeconds }: SetState): FileOperation => ({
    type: 'upsert',
    key,
    ...textOf(value),
    etag,
    ifAbsent: options?.concurrency === 'first-write',
    ...(ttlSeconds !== undefined && ttlSeconds > 0 ? { expiresAt: clock.now() + ttlSeconds * 1000 } : {}),
  });
  const deleteOperation = ({ key, etag = '' }: DeleteState): FileOperation => ({ type: 'delete', key, etag });
  const operationOf = (operation: StateOperation): FileOperation => (operation.type === 'upsert' ? setOperation(operation) : deleteOperation(operation));
  const outbox = createFileOutbox(connection, clock);

  return {
    connect: () => connection.open(),
    ping: async () => void (await connection.read([''])),
    close: async () => {
      outbox.end();
      await connection.close();
    },
    get: async ({ key }) => (await connection.read([key]))[0],
    bulkGet: (requests) => connection.read(requests.map(({ key }) => key)),
    set: (request) => write([setOperation(request)]),
    delete: (request) => write([deleteOperation(request)]),
    bulkSet: (requests) => writeEach(requests.map(setOperation)),
    bulkDelete: (requests) => writeEach(requests.map(deleteOperation)),
    async transact({ operations, outbox: records = [] }) {
      await write(
        operations.map(operationOf),
        records.map((record) => ({ ...record, data: new Uint8Array(record.data), metadata: JSON.stringify(record.metadata) })),
      );
      for (const appId of new Set(records.map((record) => record.appId))) outbox.announce(appId);
    },
    ...(file.readOnly ? {} : { outbox: outbox.source }),
  };
}

/** How the layout keeps a value: JSON as text, bytes as base64. Text that a TEXT column would not give back counts as bytes. */
function textOf({ data, binary }: StateValue): { readonly value: string; readonly binary: boolean } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return binary || !isUtf8(bytes) || bytes.includes(0) ? { value: bytes.toString('base64'), binary: true } : { value: bytes.toString('utf8'), binary: false };
}

function recordOf(key: string, { value, is_binary, etag, expiration_time }: FileRow): StateRecord {
  const expiresAt = expiration_time === null ? Number.NaN : Date.parse(`${expiration_time.replace(' ', 'T')}Z`);
  return { key, data: Buffer.from(value, is_binary ? 'base64' : 'utf8'), etag, ...(Number.isNaN(expiresAt) ? {} : { expiresAt }) };
}

class FileConnection {
  readonly #settings: FileStateSettings;
  #writer: GroupWriter | undefined;
  #reader: DatabaseSync | undefined;
  #select: StatementSync | undefined;
  #cancelCleanup = (): void => undefined;

  constructor(settings: FileStateSettings) {
    this.#settings = settings;
  }

  /** Safe to call again after a failure. */
  async open(): Promise<void> {
    await this.close();
    const { file, tableName, metadataTableName, disableWal, busyTimeoutMs, log } = this.#settings;
    for (const name of file.ignored) log.warn({ option: name }, 'an option of connectionString has no effect');
    if (!file.readOnly) {
      this.#writer = await openGroupWriter({
        path: file.path,
        program: new URL('./state-file-program.ts', import.meta.url),
        settings: { tableName, metadataTableName, pragmas: file.pragmas },
        busyTimeoutMs,
        journal: file.memory ? 'memory' : disableWal ? 'delete' : 'wal',
      });
    }
    if (file.readOnly || (!file.memory && !disableWal)) {
      this.#reader = new DatabaseSync(file.path, { readOnly: file.readOnly, timeout: busyTimeoutMs });
      for (const pragma of file.pragmas) this.#reader.exec(pragma);
      this.#reader.exec('PRAGMA query_only = ON');
      this.#select = this.#reader.prepare(selectRow(tableName));
    }
    this.#cleanUpLater();
  }

  async close(): Promise<void> {
    this.#cancelCleanup();
    const [writer, reader] = [this.#writer, this.#reader];
    this.#writer = this.#reader = this.#select = undefined;
    reader?.close();
    await writer?.close();
  }

  async read(keys: readonly string[]): Promise<readonly (StateRecord | undefined)[]> {
    const now = this.#settings.clock.now();
    const select = this.#select;
    const present = timestampOf(now);
    const rows = select ? keys.map((key) => select.get(key, present) as FileRow | undefined) : ((await this.run('read', { now, keys })) as readonly (FileRow | undefined)[]);
    return rows.map((row, index) => row && recordOf(keys[index] ?? '', row));
  }

  /** Rejects with `EtagError` for a conflict, else with the writer's own words. */
  async run<N extends keyof FileRequests>(name: N, request: FileRequests[N]): Promise<unknown> {
    const { file } = this.#settings;
    if (!this.#writer) throw new Error(file.readOnly ? `${file.path} is opened read-only by its connectionString` : `${file.path} is not open`);
    try {
      return await this.#bounded(this.#writer.run(name, request));
    } catch (error) {
      const detail = (error instanceof WriterError ? error.detail : undefined) as { readonly name?: unknown; readonly key?: unknown } | undefined;
      throw detail?.name === 'EtagConflict' ? new EtagError('mismatch', String(detail.key)) : error;
    }
  }

  #bounded<T>(work: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#settings;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => reject(new Error(`no answer from the writer within ${timeoutMs} ms (timeout); whether the call was carried out is not known`)));
      work.then(resolve, reject).finally(cancel);
    });
  }

  #cleanUpLater(): void {
    const { cleanupIntervalMs: intervalMs, clock, log } = this.#settings;
    if (intervalMs <= 0 || !this.#writer) return;
    this.#cancelCleanup = clock.after(intervalMs, () => {
      void this.#cleanUp(intervalMs)
        .catch((error: unknown) => log.warn({ err: error }, 'expired rows could not be removed; trying again later'))
        .finally(() => this.#cleanUpLater());
    });
  }

  /** In steps, so that other writes come in between. */
  async #cleanUp(intervalMs: number): Promise<void> {
    for (let step = intervalMs; this.#writer; step = 0) {
      const { more } = (await this.run('cleanUp', { now: this.#settings.clock.now(), intervalMs: step })) as { readonly more: boolean };
      if (!more) return;
    }
  }
}

interface FileOutbox {
  readonly source: OutboxSource;
  announce(appId: string): void;
  end(): void;
}

function createFileOutbox(connection: FileConnection, clock: Clock): FileOutbox {
  const listeners = new Map<string, Set<() => void>>();
  let cancelPoll: (() => void) | undefined;
  let ended = false;

  const announce = (appId: string): void => {
    for (const listener of listeners.get(appId) ?? []) listener();
  };
  const status = async (appId: string): Promise<{ pending: number; free: number }> => (await connection.run('outboxStatus', { now: clock.now(), appId })) as { pending: number; free: number };
  const poll = async (): Promise<void> => {
    await Promise.all(
      [...listeners.keys()].map(async (appId) => {
        // A store that cannot be read now says so to whoever uses it; the next look is a second away.
        const { free } = await status(appId).catch(() => ({ free: 0 }));
        if (free > 0) announce(appId);
      }),
    );
    cancelPoll = undefined;
    pollLater();
  };
  const pollLater = (): void => {
    if (!ended && listeners.size > 0) cancelPoll ??= clock.after(OUTBOX_POLL_MS, () => void poll());
  };

  return {
    announce,
    end() {
      ended = true;
      cancelPoll?.();
      listeners.clear();
    },
    source: {
      async claim({ appId, limit, leaseMs }) {
        const rows = (await connection.run('claimOutbox', { now: clock.now(), appId, limit, leaseMs })) as readonly FileOutboxRow[];
        return rows.map((row) => ({
          id: row.id,
          appId: row.app_id,
          pubsub: row.pubsub,
          topic: row.topic,
          data: row.data,
          contentType: row.content_type,
          metadata: JSON.parse(row.metadata) as Record<string, string>,
          createdAt: row.created_at,
          attempt: row.attempt,
        }));
      },
      remove: async (ids) => void (await connection.run('removeOutbox', { ids })),
      release: async (ids, delayMs) => void (await connection.run('releaseOutbox', { ids, freeAt: clock.now() + delayMs })),
      onRecords(appId, listener) {
        const ours = listeners.get(appId) ?? new Set();
        listeners.set(appId, ours);
        const own = (): void => listener();
        ours.add(own);
        pollLater();
        return () => {
          ours.delete(own);
          if (ours.size === 0 && listeners.get(appId) === ours) listeners.delete(appId);
        };
      },
      pending: async (appId) => (await status(appId)).pending,
    },
  };
}
