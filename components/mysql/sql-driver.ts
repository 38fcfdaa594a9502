/**
 * SQL on MySQL or MariaDB through a pool of connections.
 *
 * Owns: the pool, the bound on each statement's answer, ending statements that are called off, the words and kinds of failures.
 *
 * Invariants
 * M1  Values travel beside the statement (it is prepared), never in its text; a call runs one statement.
 * M2  A connection goes back into the pool only outside of a transaction: one that a statement leaves open is rolled back, and
 *     said to be an error.
 * M3  A statement that is called off, or overdue, is rejected at once; the server is told to end it. Its connection serves no
 *     other, which a late KILL could hit, and is broken where the server does not answer soon.
 */
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import type { Connection, FieldPacket, Pool, PoolConnection, PoolOptions, ResultSetHeader, SslOptions } from 'mysql2';
import { ANSWER_BYTES_MAX, answerTooLarge, BindingError, BoundedCalls, unlessAborted, type BindingFault, type Clock, type ComponentLog, type SqlDriver, type SqlParameter, type SqlStatement } from '@mecha/components/kit';
import type { DataSource } from './data-source-name.ts';
import { toJson } from './json-values.ts';

export interface SqlDriverParts {
  readonly source: DataSource;
  /** PEM file of the authority, for `tls=custom`. */
  readonly pemPath: string | undefined;
  readonly connectionsMax: number;
  readonly idleMax: number;
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Bound on a statement, with the wait for a connection. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: ComponentLog;
}

/** Statements that wait for a connection. */
const WAITING_MAX = 5_000;
const KILL_GRACE_MS = 2_000;
/** Statements that a connection keeps prepared. */
const PREPARED_MAX = 100;
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** By its default export: a bundle of this CommonJS library has no other. */
const loadLibrary = async (): Promise<typeof import('mysql2')> => (await import('mysql2')).default;

/**
 * The library does not tell Node the address of a server that has no name, and Node then looks for `localhost` in its certificate. The name
 * that the socket itself carries is what Node asks next.
 */
function socketTo(host: string, port: number): Socket {
  return Object.assign(connect({ host, port, keepAlive: true, noDelay: true }), { _host: host });
}

export class MysqlDriver implements SqlDriver {
  readonly #parts: SqlDriverParts;
  readonly #calls: BoundedCalls;
  #open: { readonly library: typeof import('mysql2'); readonly config: PoolOptions; pool: Pool } | undefined;

  constructor(parts: SqlDriverParts) {
    this.#parts = parts;
    this.#calls = new BoundedCalls({ backend: 'MySQL', ...parts });
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    this.#calls.reopen();
    const library = await loadLibrary();
    const { tls } = this.#parts.source;
    try {
      await this.#tryConnect(library, tls !== 'off', signal);
    } catch (error) {
      if (tls !== 'try' || (error as { cause?: { code?: string } }).cause?.code !== 'HANDSHAKE_NO_SSL_SUPPORT') throw error;
      await this.#tryConnect(library, false, signal);
    }
  }

  async #tryConnect(library: typeof import('mysql2'), secured: boolean, signal: AbortSignal): Promise<void> {
    const config = await this.#configOf(secured);
    const pool = this.#poolOf(library, config);
    try {
      const connection = await this.#take(pool, signal);
      connection.release();
      this.#open = { library, config, pool };
    } catch (error) {
      void endPool(pool);
      throw failureOf(error);
    }
  }

  async #configOf(secured: boolean): Promise<PoolOptions> {
    const { source, pemPath, connectionsMax, idleMax, idleTimeoutMs, connectTimeoutMs } = this.#parts;
    const ssl: SslOptions = {
      rejectUnauthorized: source.tls === 'on' || source.tls === 'custom',
      verifyIdentity: source.tls === 'on' || source.tls === 'custom',
      ...(source.tls === 'custom' && pemPath ? { ca: await readFile(pemPath, 'utf8') } : {}),
    };
    return {
      ...(source.socketPath === undefined ? { host: source.host, port: source.port } : { socketPath: source.socketPath }),
      user: source.user,
      password: source.password,
      ...(source.database === '' ? {} : { database: source.database }),
      ...(source.collation === undefined ? {} : { charset: source.collation }),
      ...(secured ? { ssl } : {}),
      ...(ssl.verifyIdentity && isIP(source.host) !== 0 ? { stream: () => socketTo(source.host, source.port) } : {}),
      flags: [...(source.countsFound ? [] : ['-FOUND_ROWS']), '-IGNORE_SPACE', '-LOCAL_FILES', '-MULTI_STATEMENTS'],
      connectionLimit: connectionsMax,
      maxIdle: Math.min(idleMax, connectionsMax),
      idleTimeout: idleTimeoutMs,
      queueLimit: WAITING_MAX,
      connectTimeout: connectTimeoutMs,
      enableKeepAlive: true,
      maxPreparedStatements: PREPARED_MAX,
      rowsAsArray: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      jsonStrings: true,
      // Names of columns come from requests: no code is made of them.
      disableEval: true,
    };
  }

  #poolOf(library: typeof import('mysql2'), config: PoolOptions): Pool {
    const pool = library.createPool(config);
    const zone = this.#parts.source.variables.some(([name]) => name.toLowerCase() === 'time_zone') ? [] : [['time_zone', "'+00:00'"] as const];
    const settings = [...zone, ...this.#parts.source.variables].map(([name, value]) => `${name} = ${value}`);
    pool.on('connection', (connection) => {
      // One that breaks says so to the statement under way; without a listener it would end the process as well.
      connection.on('error', () => undefined);
      // Goes first, before the statement for which the connection was opened.
      connection.query(`SET ${settings.join(', ')}`, (error) => {
        if (error) this.#parts.log.warn({ reason: error.message }, 'a variable of the session could not be set');
      });
    });
    return pool;
  }

  async ping(): Promise<void> {
    await this.query({ sql: 'SELECT 1', params: [] }, new AbortController().signal);
  }

  exec(statement: SqlStatement, signal: AbortSignal): Promise<number> {
    return this.#run(statement, signal).then(({ written }) => written);
  }

  query(statement: SqlStatement, signal: AbortSignal): Promise<string> {
    // An answer without rows is `null` in this contract.
    return this.#run(statement, signal).then(({ rows }) => (rows.length === 0 ? 'null' : `[${rows.join(',')}]`));
  }

  async #run(statement: SqlStatement, signal: AbortSignal): Promise<{ rows: readonly string[]; written: number }> {
    return this.#calls.run(signal, async (ended) => {
      try {
        if (!this.#open) throw new BindingError('unavailable', 'there is no connection to MySQL');
        return await this.#ask(await this.#take(this.#open.pool, ended), statement, ended);
      } catch (error) {
        throw failureOf(error);
      }
    });
  }

  #take(pool: Pool, ended: AbortSignal): Promise<PoolConnection> {
    const taking = new Promise<PoolConnection>((resolve, reject) => {
      pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
    return unlessAborted(taking, ended, () => {
      // Whoever waited has left: the connection goes back as it comes.
      taking.then((connection) => connection.release(), () => undefined);
    });
  }

  async #ask(connection: PoolConnection, { sql, params }: SqlStatement, ended: AbortSignal): Promise<{ rows: readonly string[]; written: number }> {
    const rows: string[] = [];
    let [bytes, written, fit] = [0, 0, true];
    let [tooLarge, calledOff] = [false, false];
    let columns: readonly FieldPacket[] = [];
    const callOff = (): void => {
      calledOff = true;
      this.#callOff(connection, over);
    };
    const broken = Promise.withResolvers<never>();
    const closed = (): void => broken.reject(new Error('the connection was closed'));
    connection.once('error', broken.reject).once('end', closed);
    const asked = async (): Promise<void> => {
      if (params.length > 0) await checkCount(connection, sql, params.length);
      await answered();
    };
    const answered = (): Promise<void> => new Promise((resolve, reject) => {
      const command = params.length === 0 ? connection.query({ sql }) : connection.execute({ sql, rowsAsArray: true, values: params.map(toBindValue) });
      command.on('fields', (fields: readonly FieldPacket[]) => {
        columns = fields;
      });
      command.on('result', (result: readonly unknown[] | ResultSetHeader) => {
        if (!('affectedRows' in result)) {
          if (tooLarge) return;
          const text = rowText(result, columns);
          bytes += text.length;
          if (bytes <= ANSWER_BYTES_MAX) return void rows.push(text);
          tooLarge = true;
          rows.length = 0;
          return callOff();
        }
        written += Number(result.affectedRows);
        const { serverStatus } = result as ResultSetHeader & { readonly serverStatus?: number };
        if (serverStatus !== undefined) fit = (serverStatus & IN_TRANSACTION) === 0 && (serverStatus & AUTOCOMMIT) !== 0;
      });
      command.on('error', reject);
      command.on('end', resolve);
    });
    // A connection that was already broken tells itself, and not the statement.
    const done = Promise.race([asked(), broken.promise]).finally(() => connection.off('error', broken.reject).off('end', closed));
    const over = done.then(() => undefined, () => undefined);
    // The connection goes back when the server is through with it, which may be after the caller was told.
    const settled = done.then(
      () => {
        if (fit && !calledOff) connection.release();
        else connection.destroy();
        if (tooLarge) throw answerTooLarge();
        if (!fit) throw new BindingError('invalid-metadata', 'the statement began a transaction, or turned autocommit off, and left it so; it was rolled back');
        return { rows, written };
      },
      (error: unknown) => {
        if (calledOff || failureOf(error).fault === 'unavailable') connection.destroy();
        else connection.release();
        throw tooLarge ? answerTooLarge() : error;
      },
    );
    return unlessAborted(settled, ended, callOff);
  }

  /** (M3) `over` resolves when the connection has answered. */
  #callOff(connection: PoolConnection, over: Promise<void>): void {
    const giveUp = this.#parts.clock.after(KILL_GRACE_MS, () => connection.destroy());
    void over.then(giveUp);
    if (!this.#open) return connection.destroy();
    const { library, config } = this.#open;
    const { connectionLimit: _limit, maxIdle: _idle, idleTimeout: _timeout, queueLimit: _queue, ...single } = config;
    const killer: Connection = library.createConnection({ ...single, connectTimeout: KILL_GRACE_MS });
    // A server that cannot be told loses the connection instead, a moment later.
    killer.on('error', () => killer.destroy());
    killer.query(`KILL QUERY ${Number(connection.threadId)}`, () => killer.destroy());
  }

  async disconnect(): Promise<void> {
    if (!this.#open) return;
    const { library, config, pool } = this.#open;
    this.#open.pool = this.#poolOf(library, config);
    await this.#calls.settled();
    await endPool(pool);
  }

  /** Whatever is under way is called off: those who ask are to be done before. */
  async close(): Promise<void> {
    this.#calls.close();
    const pool = this.#open?.pool;
    await this.#calls.settled();
    this.#open = undefined;
    if (pool) await endPool(pool);
  }
}

/** As it is, rather than as its types are. */
interface Preparing {
  prepare(options: { readonly sql: string; readonly rowsAsArray: boolean }, done: (error: Error | null, statement: { readonly parameters: readonly unknown[] }) => void): void;
}

/** The library would drop values for which there is no placeholder. What is prepared here is kept, and run next. */
async function checkCount(connection: PoolConnection, sql: string, given: number): Promise<void> {
  const { parameters } = await new Promise<{ readonly parameters: readonly unknown[] }>((resolve, reject) => {
    (connection as unknown as Preparing).prepare({ sql, rowsAsArray: true }, (error, prepared) => (error ? reject(error) : resolve(prepared)));
  });
  if (parameters.length !== given) throw new BindingError('invalid-metadata', `the statement has ${parameters.length} placeholders, and params ${given} values`);
}

const endPool = (pool: Pool): Promise<void> => new Promise((resolve) => pool.end(() => resolve()));

function rowText(row: readonly unknown[], columns: readonly FieldPacket[]): string {
  const members = new Map<string, string>();
  for (const [index, column] of columns.entries()) {
    const text = toJson(row[index], column);
    // Of two columns with one name the last counts.
    if (text === undefined) members.delete(column.name);
    else members.set(column.name, text);
  }
  return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

type BindValue = string | number | boolean | null;

function toBindValue(value: SqlParameter): BindValue {
  if (typeof value === 'bigint') return value.toString();
  return value !== null && typeof value === 'object' ? JSON.stringify(value) : value;
}

/** By the server's number. */
const FAULTS: ReadonlyMap<number, BindingFault> = new Map<number, BindingFault>([
  // Too many connections, shutting down, access denied for this user or to this database, no such database: of the component, not of the request.
  ...[1040, 1053, 1044, 1045, 1049, 1203, 1226].map((code) => [code, 'unavailable'] as const),
  // Interrupted; too long a wait for a lock; max_statement_time, max_execution_time.
  ...[1317, 1205, 1969, 3024].map((code) => [code, 'timeout'] as const),
  // Deadlock, and a server that takes no writes now.
  ...[1213, 1290, 1836].map((code) => [code, 'failed'] as const),
  ...[1142, 1143, 1227, 1370].map((code) => [code, 'denied'] as const),
]);
/** By the first characters of the SQL state. */
const STATES: Readonly<Record<string, BindingFault>> = { '42': 'invalid-metadata', '22': 'invalid-metadata', '21': 'invalid-metadata', '0A': 'invalid-metadata', '07': 'invalid-metadata', '23': 'invalid-data', '45': 'invalid-data', '08': 'unavailable' };

function failureOf(error: unknown): BindingError {
  if (error instanceof BindingError) return error;
  const { message = '', code = '', errno, sqlState } = error as { message?: string; code?: string; errno?: number; sqlState?: string };
  if (sqlState === undefined || sqlState === '') {
    return new BindingError('unavailable', `MySQL cannot be reached: ${message || code || 'it does not answer'}`, { cause: { code } });
  }
  const fault = FAULTS.get(errno ?? 0) ?? STATES[sqlState.slice(0, 2)] ?? (errno === 1210 ? 'invalid-metadata' : 'failed');
  return new BindingError(fault, `MySQL: ${message} (${code || errno})`);
}
