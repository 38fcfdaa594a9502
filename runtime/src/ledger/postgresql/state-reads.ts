/** Reads of state rows, those of one turn of the event loop in one statement. */
import type { LedgerStateRow } from '@mecha/components/kit';
import type { Row, Value } from '@mecha/components/postgresql/connection.ts';

/** Keys of one statement; what is above waits for the next. */
const KEYS_MAX = 2_000;
const READ = `SELECT k.n::integer AS n, s.data, s.is_binary AS "binary", s.etag, s.expires_at AS "expiresAt" FROM unnest($1::text[], $2::text[]) WITH ORDINALITY k(tbl, key, n)
  JOIN state s ON s.tbl = k.tbl AND s.key = k.key WHERE s.expires_at IS NULL OR s.expires_at > now_ms($3)`;

interface Asked {
  readonly table: string;
  readonly keys: readonly string[];
  readonly resolve: (rows: readonly (LedgerStateRow | undefined)[]) => void;
  readonly reject: (error: unknown) => void;
}
interface Found {
  readonly n: number;
  readonly data: Uint8Array;
  readonly binary: boolean;
  readonly etag: string;
  readonly expiresAt: number | null;
}

export class StateReads {
  readonly #read: (text: string, values: readonly Value[]) => Promise<readonly Row[]>;
  readonly #now: () => number | null;
  #asked: Asked[] = [];

  constructor(read: (text: string, values: readonly Value[]) => Promise<readonly Row[]>, now: () => number | null) {
    this.#read = read;
    this.#now = now;
  }

  read(table: string, keys: readonly string[]): Promise<readonly (LedgerStateRow | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ table, keys, resolve, reject });
      if (this.#asked.length === 1) setImmediate(() => void this.#readAll());
    });
  }

  async #readAll(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    for (let from = 0; from < asked.length; ) {
      let to = from;
      for (let count = 0; to < asked.length && (to === from || count + (asked[to]?.keys.length ?? 0) <= KEYS_MAX); to++) count += asked[to]?.keys.length ?? 0;
      await this.#readSome(asked.slice(from, to));
      from = to;
    }
  }

  async #readSome(asked: readonly Asked[]): Promise<void> {
    try {
      const tables = asked.flatMap(({ table, keys }) => keys.map(() => table));
      const keys = asked.flatMap((one) => one.keys);
      const found = new Map((await this.#read(READ, [tables, keys, this.#now()])).map((row) => [Number(row['n']), row as unknown as Found]));
      let n = 0;
      for (const one of asked) one.resolve(one.keys.map((key) => stateRow(key, found.get(++n))));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

function stateRow(key: string, found: Found | undefined): LedgerStateRow | undefined {
  if (!found) return undefined;
  const { data, binary, etag, expiresAt } = found;
  return { key, data, binary, etag, ...(expiresAt === null ? {} : { expiresAt }) };
}
