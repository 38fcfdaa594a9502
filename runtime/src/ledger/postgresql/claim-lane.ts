/**
 * Requests that change something and are not commits: claims, renewals, timers that fire, tending. One after the other, each a
 * statement and a transaction of its own that waits for no flush of the server's log: a power failure of the server may undo the last of
 * them, and they happen again.
 *
 * Each has a number. When the answer is lost, the lost connection's process is ended, what was claimed under that number is given
 * back (`undo_claim`), and the request is made again: the others are such that twice is as good as once.
 */
import { LedgerRefused, type Clock } from '@mecha/components/kit';
import { settle, type Backend, type Connection, type ConnectionKeeper, type Row, type Value } from '@mecha/components/postgresql/connection.ts';
import { isSessionGone } from './commit-lane.ts';
import { closedRefusal, isLost, isTransient, refusalOf } from './failures.ts';

const WAITING_MAX = 10_000;
const TRIES_MAX = 20;

export interface ClaimLaneOptions {
  readonly keeper: ConnectionKeeper;
  readonly timers: Clock;
  readonly session: number;
  readonly patienceMs: number;
  readonly keepSession: (connection: Connection) => Promise<void>;
}

export class ClaimLane {
  readonly #options: ClaimLaneOptions;
  /** Claims whose answer was lost, and which are still to be given back. */
  #doubtful: { readonly claim: number; readonly backend: Backend }[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #number = 0;
  #closed = false;

  constructor(options: ClaimLaneOptions) {
    this.#options = options;
  }

  /** `values` are given the number of the claim. */
  run(text: string, values: (claim: number) => readonly Value[]): Promise<readonly Row[]> {
    if (this.#closed) return Promise.reject(closedRefusal());
    return this.#enqueue(text, values);
  }

  /** The column `answer` of the one row that comes. */
  async ask<T>(text: string, values: (claim: number) => readonly Value[]): Promise<T> {
    const [row = {}] = await this.run(text, values);
    return row['answer'] as T;
  }

  #enqueue(text: string, values: (claim: number) => readonly Value[]): Promise<readonly Row[]> {
    if (this.#waiting >= WAITING_MAX) return Promise.reject(new LedgerRefused('overloaded', 'too many claims wait for the database'));
    this.#waiting++;
    const done = this.#last.then(() => this.#run(text, values(++this.#number), this.#number));
    this.#last = done.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return done.catch((error: unknown) => {
      throw refusalOf(error);
    });
  }

  async #run(text: string, values: readonly Value[], number: number): Promise<readonly Row[]> {
    const { keeper, patienceMs, keepSession } = this.#options;
    for (let tries = 1; ; tries++) {
      let connection: Connection | undefined;
      try {
        connection = await keeper.get(patienceMs);
        await this.#undoDoubtful(connection);
        return await connection.query(text, values);
      } catch (error) {
        if (isLost(error) && connection) {
          if (!this.#doubtful.some(({ claim }) => claim === number)) this.#doubtful.push({ claim: number, backend: connection.backend });
          if (tries >= TRIES_MAX) throw error;
        } else if (isSessionGone(error) && connection && tries < TRIES_MAX) await keepSession(connection);
        else if (!isTransient(error) || tries >= TRIES_MAX) throw error;
      }
    }
  }

  /** Also when those who asked have been refused meanwhile: what they got would be held as long as this process lives. */
  async #undoDoubtful(connection: Connection): Promise<void> {
    const { timers, session, patienceMs } = this.#options;
    for (let [first] = this.#doubtful; first; [first] = this.#doubtful) {
      await settle(connection, first.backend, timers, patienceMs);
      await connection.query('SELECT undo_claim($1, $2)', [session, first.claim]);
      this.#doubtful.shift();
    }
  }

  /** `last` is run after all that was handed in. */
  async close(text: string, values: readonly Value[]): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#enqueue(text, () => values);
  }
}
