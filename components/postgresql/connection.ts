/**
 * One connection to PostgreSQL, and a keeper that has it again after it was lost.
 *
 * Invariants:
 * C1  A statement that failed with `lost` may have been done or not; with any other failure it was not done.
 * C2  `settle` returns when the lost connection's server process is gone: what it was doing has then happened, or never will.
 * C3  The keeper goes on for ever, with back-off; whoever waits is refused after a bound of their own.
 *
 * Does not own: what is asked. No password and no value ever stands in an error of this file.
 */
import type { Client, ClientConfig, QueryConfig } from 'pg';
import type { Clock } from '../kit/index.ts';
import { readStored, storedJson, toStored } from './text.ts';

export interface PostgresqlAddress {
  /** `postgresql://user:password@host:port/database?sslmode=…`, and besides what the library knows: `schema`. */
  readonly url: string;
  readonly schema: string;
}

/** `code` is PostgreSQL's five characters, or empty where the failure is not its own. */
export class PostgresqlError extends Error {
  readonly code: string;
  readonly detail: string;
  /** The connection is no more: whether the statement was done is not known (C1). */
  readonly lost: boolean;
  constructor(code: string, message: string, detail = '', lost = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PostgresqlError';
    this.code = code;
    this.detail = detail;
    this.lost = lost;
  }
}

/** A value of type `jsonb`. */
export class Json {
  readonly text: string;
  constructor(value: unknown) {
    this.text = storedJson(value);
  }
}
export type Value = string | number | boolean | null | Uint8Array | Json | readonly string[];
export type Row = Readonly<Record<string, unknown>>;

/** The server process behind a connection, so that it can be told from another with the same number. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

export interface Connection {
  readonly backend: Backend;
  /** Parsed once per connection and text. Rejects with `PostgresqlError`. */
  query(text: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** Several statements without values, in one transaction. `boundMs`: for work that takes longer than a statement may. */
  script(text: string, boundMs?: number): Promise<void>;
  onNotice(listener: (payload: string) => void): void;
  /** Resolves when it is lost or closed. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A statement that takes longer is given up with its connection: the network may have swallowed the answer. */
const QUERY_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_AFTER_MS = 5_000;
/**
 * Every statement has an index made for it, and tables begin empty: a plan that was made then, or before the statistics are up to
 * date, would read a queue of a million rows through.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  enable_seqscan: 'off', enable_bitmapscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off', enable_sort: 'off', jit: 'off', plan_cache_mode: 'force_generic_plan',
  client_min_messages: 'warning', synchronous_commit: 'on', lock_timeout: '15s', statement_timeout: '18s', tcp_keepalives_idle: '10', tcp_keepalives_interval: '5', tcp_keepalives_count: '3',
};
const MAX_TEXTS = 200;

/** Takes `schema` out of the address, which the library does not know. Throws words for the user. */
export function readAddress(text: string): PostgresqlAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('this is no address of a PostgreSQL database; one looks like postgresql://user:password@host:5432/database');
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') throw new Error(`an address of PostgreSQL begins with postgresql://, not ${url.protocol}//`);
  const schema = url.searchParams.get('schema') ?? 'mecha';
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw new Error('schema is to be of small letters, digits and _, at most 63');
  url.searchParams.delete('schema');
  return { url: url.href, schema };
}

/** The address as it may be shown: without user, password and parameters. */
export function shownAddress({ url, schema }: PostgresqlAddress): string {
  const { host, pathname } = new URL(url);
  return `postgresql://${host}${pathname} (schema ${schema})`;
}

export async function openConnection(address: PostgresqlAddress): Promise<Connection> {
  const { default: pg } = await import('pg');
  const config = {
    connectionString: address.url,
    application_name: 'mecha',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser: (oid: number): Parser => parsers.get(oid) ?? (pg.types.getTypeParser(oid) as Parser) },
  };
  const client = new pg.Client(config satisfies ClientConfig);
  const ended = Promise.withResolvers<void>();
  client.once('end', () => ended.resolve());
  // What is under way is rejected by the library; an idle connection that breaks says so here.
  client.on('error', () => ended.resolve());
  try {
    await client.connect();
    return await prepare(client, address, ended);
  } catch (error) {
    void client.end().catch(() => ended.resolve());
    throw error instanceof PostgresqlError ? error : failureOf(error);
  }
}

async function prepare(client: Client, { schema }: PostgresqlAddress, ended: PromiseWithResolvers<void>): Promise<Connection> {
  const names = new Map<string, string>();
  let lost = false;
  let last: Promise<unknown> = Promise.resolve();
  /** One statement at a time, in order. */
  function inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = last.then(ask).catch((error: unknown) => {
      throw broken(error);
    });
    last = answer.catch(() => undefined);
    return answer;
  }
  function broken(error: unknown): PostgresqlError {
    const failure = failureOf(error);
    if (failure.lost && !lost) {
      lost = true;
      ended.resolve();
      destroy(client);
    }
    return failure;
  }
  const connection = {
    ended: ended.promise,
    query(text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
      let name = names.get(text);
      if (name === undefined && names.size < MAX_TEXTS) names.set(text, (name = `m${names.size}`));
      const named = name === undefined ? {} : { name };
      return inTurn(async () => (await client.query<Row>({ text, values: values.map(sent), ...named })).rows);
    },
    script: (text: string, boundMs = QUERY_TIMEOUT_MS): Promise<void> => inTurn(async () => void (await client.query<Row>({ text, query_timeout: boundMs } as QueryConfig))),
    onNotice(listener: (payload: string) => void): void {
      client.on('notification', ({ payload }) => listener(payload ?? ''));
    },
    async close(): Promise<void> {
      await client.end().catch(() => ended.resolve());
    },
  };
  const [row] = await connection.query(
    `SELECT pg_backend_pid() AS pid, (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS started,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby, set_config('search_path', $1, false)`,
    [`"${schema}", pg_catalog`],
  );
  if (row?.['encoding'] !== 'UTF8') throw new PostgresqlError('', `the database's encoding is ${String(row?.['encoding'])}, and has to be UTF8`);
  // An old primary after a failover: its answers are not to be had, another address may be.
  if (row['standby'] === true) throw new PostgresqlError('25006', 'this server is a standby and takes no writes');
  await connection.query(`SELECT set_config(s->>0, s->>1, false) FROM jsonb_array_elements($1::jsonb) s`, [new Json(Object.entries(SETTINGS))]);
  return { ...connection, backend: { pid: Number(row['pid']), startedAt: String(row['started']) } };
}

function destroy(client: Client): void {
  // A connection that no longer answers is not waited for: `end` alone would wait until it had said goodbye.
  const { connection } = client as unknown as { readonly connection: { readonly stream: { destroy(): void } } };
  connection.stream.destroy();
}

function sent(value: Value): unknown {
  if (typeof value === 'string') return toStored(value);
  if (value instanceof Json) return value.text;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Array.isArray(value) ? (value as readonly string[]).map(toStored) : value;
}

type Parser = (text: string) => unknown;
const OID = { int8: 20, text: 25, json: 114, jsonb: 3802 };
const readJson = (text: string): unknown => readStored(text, JSON.parse);
const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [OID.int8, Number],
  [OID.text, (text) => readStored(text)],
  [OID.json, readJson],
  [OID.jsonb, readJson],
]);

const LOST_CLASSES = new Set(['08', '57P01', '57P02', '57P03', '57P05', '25P03']);

function failureOf(error: unknown): PostgresqlError {
  if (error instanceof PostgresqlError) return error;
  const { code = '', severity, message = 'it failed without a word', detail = '' } = error as { code?: string; severity?: string; message?: string; detail?: string };
  if (severity === undefined) return new PostgresqlError('', message, '', true, error); // of the network or of the library
  return new PostgresqlError(code, message, detail, severity !== 'ERROR' || LOST_CLASSES.has(code) || LOST_CLASSES.has(code.slice(0, 2)), error);
}

/** Ends what a lost connection may still be doing, and waits until it is gone (C2). */
export async function settle(connection: Connection, { pid, startedAt }: Backend, clock: Clock, boundMs: number): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += SETTLE_LOOK_MS) {
    const rows = await connection.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::integer AND extract(epoch FROM backend_start)::text = $2', [pid, startedAt]);
    if (rows.length === 0) return;
    if (waitedMs >= boundMs) throw new PostgresqlError('', 'a lost connection could not be ended on the server', '', true);
    await new Promise<void>((resolve) => clock.after(SETTLE_LOOK_MS, resolve));
  }
}
const SETTLE_LOOK_MS = 20;

const BACK_OFF_FIRST_MS = 50;
const BACK_OFF_MAX_MS = 5_000;

export interface KeeperOptions {
  readonly open: () => Promise<Connection>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Each time it is there again, before anybody gets it; a rejection counts as a failure to connect. */
  readonly onOpen?: (connection: Connection) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/** Has a connection, or is about to (C3). */
export class ConnectionKeeper {
  readonly #options: KeeperOptions;
  #current: Connection | undefined;
  #isOpening = false;
  readonly #waiting = new Set<{ resolve: (connection: Connection) => void; reject: (error: unknown) => void }>();
  #lastTrouble: unknown;
  #closed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** The connection, as soon as there is one; rejects with why there is none after `boundMs`. */
  get(boundMs: number): Promise<Connection> {
    if (this.#current) return Promise.resolve(this.#current);
    if (this.#closed) return Promise.reject(new PostgresqlError('', 'closed'));
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(boundMs, () => waiter.reject(new PostgresqlError('', `the database cannot be reached: ${wordsOf(this.#lastTrouble)}`, '', false, this.#lastTrouble)));
      const done = (): void => {
        cancel();
        this.#waiting.delete(waiter);
      };
      const waiter = {
        resolve: (connection: Connection) => (done(), resolve(connection)),
        reject: (error: unknown) => (done(), reject(error)),
      };
      this.#waiting.add(waiter);
      this.keep();
    });
  }

  /** Connects now, and again whenever the connection is lost, whether or not anybody asks. */
  keep(): void {
    if (this.#closed || this.#current || this.#isOpening) return;
    this.#isOpening = true;
    void this.#open();
  }

  async #open(): Promise<void> {
    for (let backOffMs = BACK_OFF_FIRST_MS; !this.#closed; backOffMs = Math.min(backOffMs * 2, BACK_OFF_MAX_MS)) {
      let connection: Connection | undefined;
      try {
        connection = await this.#options.open();
        await this.#options.onOpen?.(connection);
        this.#accept(connection);
        return;
      } catch (error) {
        this.#lastTrouble = error;
        void connection?.close();
        if (!this.#closed) this.#options.onTrouble(error);
      }
      const pauseMs = backOffMs * (0.5 + this.#options.random() / 2);
      await new Promise<void>((resolve) => this.#options.clock.after(pauseMs, resolve));
    }
    this.#isOpening = false;
  }

  #accept(connection: Connection): void {
    this.#isOpening = false;
    if (this.#closed) return void connection.close();
    this.#current = connection;
    void connection.ended.then(() => {
      if (this.#current === connection) this.#current = undefined;
      this.keep();
    });
    for (const { resolve } of [...this.#waiting]) resolve(connection);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of [...this.#waiting]) reject(new PostgresqlError('', 'closed'));
    const current = this.#current;
    this.#current = undefined;
    await current?.close();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code ?? error.name) : 'it does not answer';
}
