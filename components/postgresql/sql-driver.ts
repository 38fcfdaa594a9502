/**
 * SQL on PostgreSQL through a pool of connections.
 *
 * Owns: the pool, the bound on each statement's time and answer, ending statements that are called off, the words and kinds of failures.
 *
 * Invariants
 * P1  A connection goes back into the pool only outside of a transaction: one that a statement leaves open is rolled back, and
 *     said to be an error.
 * P2  A statement that is called off, or overdue, is rejected at once; the server is told to cancel it. Its connection serves
 *     no other, which a late cancellation could hit, and is broken where the server does not answer soon.
 * P3  No error carries a value: of PostgreSQL's words only the message and the code are passed on, not its detail.
 */
import { readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import type { Pool, PoolClient, PoolConfig, Query, QueryConfig, ResultBuilder } from 'pg';
import { ANSWER_BYTES_MAX, answerTooLarge, BindingError, BoundedCalls, unlessAborted, type BindingFault, type Clock, type ComponentLog, type SqlDriver, type SqlParameter, type SqlStatement } from '@mecha/components/kit';
import { tlsOptions, type DatabaseAddress } from './connection-string.ts';
import { toJsonOf } from './json-values.ts';

export interface SqlDriverParts {
  readonly address: DatabaseAddress;
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
  /** Bound on a statement, with the wait for a connection. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** Statements that wait for a connection. */
const WAITING_MAX = 5_000;
const CANCEL_GRACE_MS = 2_000;
const CANCEL_CODE = 80_877_102;
const LOG_AGAIN_MS = 60_000;
const NO_TLS = 'The server does not support SSL connections';

/** By its default export: a bundle of this CommonJS library has no other. */
const loadLibrary = async (): Promise<typeof import('pg')> => (await import('pg')).default as unknown as typeof import('pg');

type Row = readonly (string | null)[];
type Session = PoolClient & { readonly processID?: number; readonly secretKey?: number; readonly connection?: { readonly stream: { destroy(): void } } };

export class PostgresqlDriver implements SqlDriver {
  readonly #parts: SqlDriverParts;
  #open: { readonly library: typeof import('pg'); readonly config: PoolConfig; pool: Pool } | undefined;
  /** The pool itself forgets those that wait for a connection when it is ended. */
  readonly #calls: BoundedCalls;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SqlDriverParts) {
    this.#parts = parts;
    this.#calls = new BoundedCalls({ backend: 'PostgreSQL', ...parts });
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    this.#calls.reopen();
    const library = await loadLibrary();
    const { tls } = this.#parts.address;
    try {
      await this.#tryConnect(library, tls.mode !== 'off', signal);
    } catch (error) {
      if (tls.mode !== 'try' || !(error instanceof Error) || !error.message.includes(NO_TLS)) throw error;
      await this.#tryConnect(library, false, signal);
    }
  }

  async #tryConnect(library: typeof import('pg'), secured: boolean, signal: AbortSignal): Promise<void> {
    const config = await this.#configOf(secured);
    const pool = this.#poolOf(library, config);
    try {
      const taking = pool.connect();
      const session = await unlessAborted(taking, signal, () => {
        // What comes too late is given up: the pool waits for it, and nobody else does.
        taking.then((late) => late.release(true), () => undefined);
      });
      session.release();
      this.#open = { library, config, pool };
    } catch (error) {
      void pool.end();
      throw failureOf(error);
    }
  }

  async #configOf(secured: boolean): Promise<PoolConfig> {
    const { address, connectionsMax, idleTimeoutMs, timeoutMs } = this.#parts;
    const { tls } = address;
    const pem = secured ? Object.fromEntries(await Promise.all(Object.entries(tls.files).map(async ([name, path]) => [name, await readFile(path, 'utf8')] as const))) : {};
    return {
      host: address.host,
      port: address.port,
      user: address.user,
      database: address.database,
      // An empty text would make the library look for one in the environment, which is not this app's.
      password: () => address.password ?? '',
      application_name: address.applicationName ?? 'mecha',
      options: address.options,
      ssl: secured ? tlsOptions(tls.verify, pem) : false,
      max: address.connectionsMax ?? connectionsMax,
      idleTimeoutMillis: idleTimeoutMs,
      connectionTimeoutMillis: Math.min(address.connectTimeoutMs ?? timeoutMs, timeoutMs),
      allowExitOnIdle: true,
      keepAlive: true,
      types: { getTypeParser: ((type: number) => toJsonOf(type)) as unknown as typeof import('pg').types.getTypeParser },
    };
  }

  #poolOf(library: typeof import('pg'), config: PoolConfig): Pool {
    const pool = new library.Pool(config);
    // An idle connection broke: the pool has already dropped it, and the next statement opens another.
    pool.on('error', (error) => {
      const now = this.#parts.clock.now();
      if (now - this.#loggedAt < LOG_AGAIN_MS) return;
      this.#loggedAt = now;
      this.#parts.log.warn({ reason: failureOf(error).message }, 'a connection to PostgreSQL was lost');
    });
    // One that breaks while a statement is under way tells that statement; without a listener it would end the process as well.
    pool.on('connect', (session) => session.on('error', () => undefined));
    return pool;
  }

  async ping(): Promise<void> {
    await this.query({ sql: 'SELECT 1', params: [] }, new AbortController().signal);
  }

  exec({ sql, params }: SqlStatement, signal: AbortSignal): Promise<number> {
    // Without values it may be several statements, as the field's scripts that create tables are.
    const simple = params.length === 0;
    return this.#run({ text: sql, values: params.map(toBindValue), ...(simple ? {} : { queryMode: 'extended' }) }, simple, signal).then(({ written }) => written);
  }

  query({ sql, params }: SqlStatement, signal: AbortSignal): Promise<string> {
    return this.#run({ text: sql, values: params.map(toBindValue), queryMode: 'extended' }, false, signal).then(({ rows }) => `[${rows.join(',')}]`);
  }

  async #run(config: QueryConfig & { readonly queryMode?: string }, simple: boolean, signal: AbortSignal): Promise<{ rows: readonly string[]; written: number }> {
    return this.#calls.run(signal, async (ended) => {
      try {
        return await this.#ask(await this.#take(ended), config, simple, ended);
      } catch (error) {
        throw failureOf(error);
      }
    });
  }

  async #take(ended: AbortSignal): Promise<Session> {
    if (!this.#open) throw new BindingError('unavailable', 'there is no connection to PostgreSQL');
    const { pool } = this.#open;
    if (pool.waitingCount >= WAITING_MAX) throw new BindingError('unavailable', `${WAITING_MAX} statements already wait for a connection to PostgreSQL`);
    const taking = pool.connect();
    return unlessAborted(taking, ended, () => {
      // Whoever waited has left: the connection goes back as it comes.
      taking.then((session) => session.release(), () => undefined);
    });
  }

  async #ask(session: Session, config: QueryConfig & { readonly queryMode?: string }, simple: boolean, ended: AbortSignal): Promise<{ rows: readonly string[]; written: number }> {
    if (!this.#open) throw new BindingError('unavailable', 'there is no connection to PostgreSQL');
    const query = new this.#open.library.Query({ ...config, rowMode: 'array' } as QueryConfig) as Query;
    const rows: string[] = [];
    let bytes = 0;
    let tooLarge = false;
    let calledOff = false;
    const callOff = (): void => {
      calledOff = true;
      this.#callOff(session, over);
    };
    query.on('row', (row: Row) => {
      if (tooLarge) return;
      const text = `[${row.map((cell) => cell ?? 'null').join(',')}]`;
      bytes += text.length;
      if (bytes <= ANSWER_BYTES_MAX) return void rows.push(text);
      tooLarge = true;
      rows.length = 0;
      callOff();
    });
    const done = new Promise<number>((resolve, reject) => {
      query.once('end', (result: ResultBuilder | readonly ResultBuilder[]) => resolve([result].flat().reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)));
      query.once('error', reject);
    });
    const over = done.then(() => undefined, () => undefined);
    // The connection goes back when the server is through with it, which may be after the caller was told.
    const settled = done.then(
      (written) => {
        const open = session.getTransactionStatus() !== 'I';
        session.release(open || calledOff);
        if (open) throw new BindingError('invalid-metadata', 'the statement began a transaction and did not end it; it was rolled back');
        return written;
      },
      (error: unknown) => {
        session.release(simple || calledOff || !isServerError(error) || failureOf(error).fault === 'unavailable');
        throw tooLarge ? answerTooLarge() : error;
      },
    );
    session.query(query);
    const written = await unlessAborted(settled, ended, callOff);
    if (tooLarge) throw answerTooLarge();
    return { rows, written };
  }

  /** (P2) `over` resolves when the connection has answered. */
  #callOff(session: Session, over: Promise<void>): void {
    const { processID, secretKey } = session;
    const giveUp = this.#parts.clock.after(CANCEL_GRACE_MS, () => session.connection?.stream.destroy());
    void over.then(giveUp);
    if (processID === undefined || secretKey === undefined) return;
    const message = Buffer.alloc(16);
    message.writeInt32BE(16, 0);
    message.writeInt32BE(CANCEL_CODE, 4);
    message.writeInt32BE(processID, 8);
    message.writeInt32BE(secretKey, 12);
    const { host, port } = this.#parts.address;
    const socket = host.startsWith('/') ? connectSocket(`${host}/.s.PGSQL.${port}`) : connectSocket(port, host);
    socket.setTimeout(CANCEL_GRACE_MS, () => socket.destroy());
    // A server that takes no cancellation loses the connection instead, a moment later.
    socket.on('error', () => socket.destroy());
    socket.end(message);
    socket.unref();
  }

  async disconnect(): Promise<void> {
    if (!this.#open) return;
    const { library, config, pool } = this.#open;
    this.#open.pool = this.#poolOf(library, config);
    await this.#calls.settled();
    await pool.end();
  }

  /** Whatever is under way is called off: those who ask are to be done before. */
  async close(): Promise<void> {
    this.#calls.close();
    const pool = this.#open?.pool;
    this.#open = undefined;
    await pool?.end();
  }
}

/** What the server is sent: text, whose type the statement decides. An array is one of PostgreSQL unless it holds objects; then it is JSON. */
function toBindValue(value: SqlParameter): string | null {
  if (value === null) return null;
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) && !holdsObjects(value) ? arrayLiteral(value) : JSON.stringify(value);
}

const holdsObjects = (items: readonly unknown[]): boolean => items.some((item) => (Array.isArray(item) ? holdsObjects(item) : (JSON.stringify(item) ?? '').startsWith('{')));

function arrayLiteral(items: readonly unknown[]): string {
  const texts = items.map((item) => {
    if (item === null) return 'NULL';
    if (Array.isArray(item)) return arrayLiteral(item);
    return typeof item === 'string' ? `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"` : JSON.stringify(item);
  });
  return `{${texts.join(',')}}`;
}

interface ServerError {
  readonly code: string;
  readonly message: string;
}

const isServerError = (error: unknown): error is ServerError => error instanceof Error && typeof (error as { severity?: unknown }).severity === 'string';

/** By the first characters of PostgreSQL's code; the longest that fits counts. */
const FAULTS: Readonly<Record<string, BindingFault>> = {
  '08': 'unavailable', '57P': 'unavailable', '53': 'unavailable', '28': 'unavailable', '3D': 'unavailable',
  // Values that are not as many as the placeholders.
  '08P01': 'invalid-metadata',
  '57014': 'timeout', '55P03': 'timeout',
  '42501': 'denied',
  '0A': 'invalid-metadata', '22': 'invalid-metadata', '26': 'invalid-metadata', '42': 'invalid-metadata', '54': 'invalid-metadata', '3F': 'invalid-metadata', '2F': 'invalid-metadata', P0: 'invalid-data',
  '21': 'invalid-metadata', '23': 'invalid-data', '44': 'invalid-data',
};

function failureOf(error: unknown): BindingError {
  if (error instanceof BindingError) return error;
  if (!isServerError(error)) {
    const { message, code } = error as { message?: string; code?: string };
    return new BindingError('unavailable', `PostgreSQL cannot be reached: ${message || code || 'it does not answer'}`);
  }
  const { code, message } = error;
  const fault = [5, 3, 2].map((length) => FAULTS[code.slice(0, length)]).find((found) => found !== undefined) ?? 'failed';
  return new BindingError(fault, `PostgreSQL: ${message} (${code})`);
}
