/** The thread of `group-writer.ts`: drains what waits, commits it as one, answers. */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FromThread, GroupWriterOptions, ThreadResult, ToThread, WriterError, WriterFaults, WriterProgram, WriterRequest } from './group-writer.ts';

const GROUP_MAX = 512;
const CHECKPOINT_GROUPS = 64;
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const WAL_BYTES_MAX = 64 * 1024 * 1024;
const BUSY_TIMEOUT_MS = 5000;
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

type Settings = Omit<GroupWriterOptions, 'program' | 'onTrouble'> & { readonly program: string };

const sleeper = new Int32Array(new SharedArrayBuffer(4));
function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

function codeOf(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff;
}

class Thread {
  readonly #settings: Settings;
  readonly #db: DatabaseSync;
  readonly #onTrouble: (message: string) => void;
  readonly #steps: Readonly<Record<'begin' | 'commit' | 'rollback' | 'enter' | 'leave' | 'undo', StatementSync>>;
  #handlers: Readonly<Record<string, (args: never) => unknown>> = {};
  #program: WriterProgram<never> | undefined;
  #groups = 0;
  #syncs = true;

  constructor(settings: Settings, onTrouble: (message: string) => void) {
    this.#settings = settings;
    this.#onTrouble = onTrouble;
    const db = new DatabaseSync(settings.path, { timeout: 0 });
    this.#db = db;
    this.#steps = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      enter: db.prepare('SAVEPOINT request'),
      leave: db.prepare('RELEASE request'),
      undo: db.prepare('ROLLBACK TO request'),
    };
  }

  open(program: WriterProgram<never>): void {
    const db = this.#db;
    const journal = this.#settings.journal ?? 'wal';
    this.#retry(() => db.exec(`PRAGMA journal_mode = ${journal}`));
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA wal_autocheckpoint = 0');
    db.exec('PRAGMA temp_store = MEMORY');
    const { synchronous } = db.prepare('PRAGMA synchronous').get() as { synchronous: number };
    if (synchronous !== 2) throw new Error(`${this.#settings.path} does not keep synchronous = FULL (it says ${synchronous}), so writes would not be durable`);
    this.#retry(() => db.exec('BEGIN IMMEDIATE'));
    try {
      program.migrate(db, this.#settings.settings);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
    this.#program = program;
    this.#handlers = program.requests(db, this.#settings.settings);
  }

  /** One transaction for all of `group`. What goes wrong is an answer, unless not even a rollback is possible. */
  commit(group: readonly WriterRequest[]): ThreadResult[] {
    const results: ThreadResult[] = [];
    try {
      this.#syncOnCommit(group.some(({ durable }) => durable));
      this.#retry(() => this.#steps.begin.run());
      for (const request of group) results.push(this.#runOne(request));
      this.#fault('before-commit');
      this.#steps.commit.run();
    } catch (error) {
      // G2: nothing of the group is known to be on disk, so nobody is told that it is.
      this.#rollBack();
      return group.map((request) => refused(request, error));
    }
    this.#fault('after-commit');
    this.#groups++;
    this.#checkpoint();
    return results;
  }

  close(): void {
    try {
      if ((this.#settings.journal ?? 'wal') === 'wal') this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another process reads or writes: it will do it.
    }
    this.#db.close();
  }

  /** Throws only when SQLite gave up the whole transaction, as it may when the disk is full or fails. */
  #runOne(request: WriterRequest): ThreadResult {
    const handler = this.#handlers[request.name];
    this.#steps.enter.run();
    try {
      if (!handler) throw new Error(`the program has no request ${request.name}`);
      const value = handler(request.args as never);
      this.#fault('request');
      this.#steps.leave.run();
      return { id: request.id, value };
    } catch (error) {
      if (!this.#db.isTransaction) throw error;
      this.#steps.undo.run();
      this.#steps.leave.run();
      this.#program?.rolledBack?.();
      return refused(request, error);
    }
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#steps.rollback.run();
    this.#program?.rolledBack?.();
  }

  /** G3: tries for the lock again after a short, growing, jittered pause; a try costs 10 µs, a long pause loses the next turn too. */
  #retry(work: () => void): void {
    const deadline = performance.now() + (this.#settings.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
    for (let pauseMs = 0.1; ; pauseMs = Math.min(pauseMs * 1.5, 0.5)) {
      try {
        return work();
      } catch (error) {
        if (codeOf(error) !== SQLITE_BUSY || performance.now() > deadline) throw error;
        sleep(pauseMs * (0.5 + Math.random()));
      }
    }
  }

  /** Between transactions only: within one, SQLite keeps to what held at its beginning. */
  #syncOnCommit(syncs: boolean): void {
    if (syncs === this.#syncs || (this.#settings.journal ?? 'wal') !== 'wal') return;
    this.#db.exec(`PRAGMA synchronous = ${syncs ? 'FULL' : 'NORMAL'}`);
    this.#syncs = syncs;
  }

  /**
   * Moves the log into the file now and then; past its bound, also cuts the log off as soon as no reader holds it. What was
   * committed stays so when this fails (the disk may be full): it is told, and tried again later.
   */
  #checkpoint(): void {
    if ((this.#settings.journal ?? 'wal') !== 'wal') return;
    const bytes = statSync(`${this.#settings.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const isPastBound = bytes > (this.#settings.walBytesMax ?? WAL_BYTES_MAX);
    // A log that has been moved is written again from its beginning and keeps its size, hence the count of groups.
    if (bytes < CHECKPOINT_BYTES || (!isPastBound && this.#groups % CHECKPOINT_GROUPS !== 0)) return;
    try {
      this.#fault('checkpoint');
      // Syncs the log before it moves anything, whatever the last commits did.
      this.#syncOnCommit(true);
      this.#db.exec(`PRAGMA wal_checkpoint(${isPastBound ? 'TRUNCATE' : 'PASSIVE'})`);
    } catch (error) {
      if (codeOf(error) !== SQLITE_BUSY) this.#onTrouble(`the write-ahead log of ${this.#settings.path} could not be moved into the file: ${messageOf(error)}`);
    }
  }

  #fault(point: WriterFaults['point']): void {
    const { faults } = this.#settings;
    if (!faults || faults.point !== point || this.#groups < faults.after) return;
    if (faults.action === 'exit') process.exit(9);
    // As SQLite itself may do when a statement meets a full or failing disk.
    if (faults.action === 'lose') this.#db.exec('ROLLBACK');
    throw Object.assign(new Error('injected fault'), { errcode: SQLITE_IOERR });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refused(request: WriterRequest, error: unknown): ThreadResult {
  const code = codeOf(error);
  const message = messageOf(error);
  const detail = error instanceof Error ? { ...error, name: error.name, message } : error;
  const kind: WriterError['code'] = code === SQLITE_BUSY ? 'busy' : code === SQLITE_FULL ? 'disk-full' : code === SQLITE_IOERR ? 'io' : 'rejected';
  return { id: request.id, code: kind, message, detail };
}

if (!isMainThread && parentPort) {
  const port = parentPort;
  const settings = workerData as Settings;
  const post = (message: FromThread) => port.postMessage(message);
  try {
    const { program } = (await import(settings.program)) as { program: WriterProgram<never> };
    const thread = new Thread(settings, (message) => post({ type: 'trouble', message }));
    thread.open(program);
    port.on('message', (first: ToThread) => {
      let message: ToThread | undefined = first;
      let closing = false;
      const group: WriterRequest[] = [];
      while (message) {
        if (message.type === 'close') closing = true;
        else group.push(...message.requests);
        if (group.length >= GROUP_MAX) break;
        const next: { message: ToThread } | undefined = receiveMessageOnPort(port);
        message = next?.message;
      }
      if (group.length > 0) post({ type: 'results', results: thread.commit(group) });
      if (closing) {
        thread.close();
        post({ type: 'closed' });
        port.close();
      }
    });
    post({ type: 'open' });
  } catch (error) {
    post({ type: 'failed', message: messageOf(error) });
    port.close();
  }
}
