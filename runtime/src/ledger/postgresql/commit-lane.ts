/**
 * Group commit: batches that wait share one statement, one transaction and one flush of the server's log.
 *
 * The statement is its own transaction, so no lock ever waits for this process. Its outcome is written into the row of this process
 * in `writers` by the same transaction. When the answer is lost, the lane (1) has the server end the lost connection's process and waits
 * until it is gone, so that nothing arrives late; (2) reads that row: the outcome of this group stands there, or the group was not
 * written, and is sent again. Nothing is done twice and nothing acknowledged is lost; only when the server cannot be asked within
 * a bound is the group reported as unknown (`io`).
 */
import type { Clock, LedgerOperation, LedgerResult } from '@mecha/components/kit';
import { LedgerRefused } from '@mecha/components/kit';
import { settle, type Backend, type Connection, type ConnectionKeeper } from '@mecha/components/postgresql/connection.ts';
import { encodeBatch, encodeGroup, inLockOrder, type EncodedBatch, type EncodedGroup } from './encode-batch.ts';
import { closedRefusal, isLost, isTransient, refusalOf, refusedBatch } from './failures.ts';
import { SESSION_GONE } from './schema-commit.ts';

const GROUP_BATCHES_MAX = 256;
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
const WAITING_BATCHES_MAX = 20_000;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;
const TRIES_MAX = 20;

export interface CommitOutcome {
  readonly results: readonly LedgerResult[];
  readonly touched: readonly string[];
}

export interface CommitLaneOptions {
  readonly keeper: ConnectionKeeper;
  /** Of the connection's waits: real time. */
  readonly timers: Clock;
  readonly session: number;
  /** Null: the database's time. */
  readonly now: () => number | null;
  /** How long a batch waits for a connection; how long an outcome that is in doubt is asked for. */
  readonly patienceMs: number;
  /** Steps, or results, of a group that are applied by one statement from this many on; absent: where that is worth it. */
  readonly togetherFrom: number | undefined;
  /** The session's row is gone: it is entered again. */
  readonly keepSession: (connection: Connection) => Promise<void>;
}

interface Waiting {
  readonly batch: EncodedBatch;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}
type Answer = CommitOutcome | { readonly refused: string; readonly message: string; readonly detail: string };

export class CommitLane {
  readonly #options: CommitLaneOptions;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #group = 0;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(options: CommitLaneOptions) {
    this.#options = options;
  }

  commit(operations: readonly LedgerOperation[]): Promise<CommitOutcome> {
    if (this.#closed) return Promise.reject(closedRefusal());
    if (this.#queue.length >= WAITING_BATCHES_MAX || this.#queuedBytes >= WAITING_BYTES_MAX) {
      return Promise.reject(new LedgerRefused('overloaded', 'too many writes wait for the database'));
    }
    const batch = encodeBatch(operations);
    this.#queuedBytes += batch.bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ batch, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    // All that this turn of the event loop brings goes together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const group = inLockOrder(this.#take());
      try {
        const answers = await this.#run(++this.#group, encodeGroup(group.map(({ batch }) => batch), this.#options.togetherFrom));
        for (const [index, { resolve, reject }] of group.entries()) {
          const answer = answers[index];
          if (answer === undefined) reject(new LedgerRefused('io', 'the database gave no answer for a batch'));
          else if ('refused' in answer) reject(refusedBatch(answer));
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of group) reject(refusalOf(error));
      }
    }
    this.#working = undefined;
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { batch } of this.#queue) {
      if (count > 0 && (count >= GROUP_BATCHES_MAX || bytes + batch.bytes > GROUP_BYTES_MAX)) break;
      bytes += batch.bytes;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #run(number: number, group: EncodedGroup): Promise<readonly Answer[]> {
    const { keeper, session, now, patienceMs } = this.#options;
    /** The outcome is in doubt: this process of the server may have written it. */
    let doubtful: Backend | undefined;
    for (let tries = 1; ; tries++) {
      let connection: Connection | undefined;
      try {
        connection = await keeper.get(patienceMs);
        if (doubtful) {
          const known = await this.#settled(connection, doubtful, number);
          if (known !== undefined) return known;
          doubtful = undefined;
        }
        const [row] = await connection.query('SELECT run_group($1, $2, $3, $4, $5, $6, $7, $8) AS answers', [session, number, group.batches, group.data, group.locks, group.claims, group.durable, now()]);
        return row?.['answers'] as readonly Answer[];
      } catch (error) {
        if (isLost(error) && connection && tries < TRIES_MAX) doubtful ??= connection.backend;
        else if (isSessionGone(error) && connection && tries < TRIES_MAX) await this.#options.keepSession(connection).catch((failure: unknown) => {
          if (!isLost(failure)) throw failure;
        });
        else if (doubtful) throw new LedgerRefused('io', 'the connection to the database was lost during a commit, and whether it took place cannot be told', error);
        else if (!isTransient(error) || tries >= TRIES_MAX) throw error;
      }
    }
  }

  async #settled(connection: Connection, backend: Backend, number: number): Promise<readonly Answer[] | undefined> {
    const { session, timers, patienceMs } = this.#options;
    await settle(connection, backend, timers, patienceMs);
    const [row] = await connection.query('SELECT results FROM writers WHERE session = $1 AND group_no = $2', [session, number]);
    return row?.['results'] as readonly Answer[] | undefined;
  }

  /** Finishes what was handed in. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }
}

export function isSessionGone(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === SESSION_GONE;
}
