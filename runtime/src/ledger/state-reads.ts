/**
 * Reads of state rows, those of one turn of the event loop in one transaction: SQLite takes locks and looks at the log's
 * index once for all of them, which is half of what a read of a kilobyte costs. They begin when all of them have been
 * asked for, so each sees every commit that had resolved before.
 */
import { crc32 } from 'node:zlib';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LedgerRefused, type LedgerStateRow } from '@mecha/components/kit';

interface Asked {
  readonly table: string;
  readonly keys: readonly string[];
  readonly now: number;
  readonly resolve: (rows: readonly (LedgerStateRow | undefined)[]) => void;
  readonly reject: (error: unknown) => void;
}
type Row = readonly [data: Uint8Array, crc: number, binary: number, etag: string, expiresAt: number | null];

export class StateReads {
  readonly #row: StatementSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #guard: <T>(work: () => T) => T;
  #asked: Asked[] = [];

  /** `guard` runs what reads, and turns what goes wrong into the ledger's errors; it throws once the ledger is closed. */
  constructor(db: DatabaseSync, guard: <T>(work: () => T) => T) {
    this.#row = db.prepare('SELECT data, crc, is_binary, etag, expires_at FROM state WHERE tbl = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)');
    this.#row.setReturnArrays(true);
    this.#begin = db.prepare('BEGIN');
    this.#end = db.prepare('COMMIT');
    this.#guard = guard;
  }

  read(table: string, keys: readonly string[], now: number): Promise<readonly (LedgerStateRow | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ table, keys, now, resolve, reject });
      if (this.#asked.length === 1) setImmediate(this.#readAll);
    });
  }

  readonly #readAll = (): void => {
    const asked = this.#asked;
    this.#asked = [];
    try {
      this.#guard(() => {
        if (asked.length === 1) return this.#readEach(asked);
        this.#begin.run();
        try {
          this.#readEach(asked);
        } finally {
          this.#end.run();
        }
      });
    } catch (error) {
      // Those that were read have resolved; for them this changes nothing.
      for (const { reject } of asked) reject(error);
    }
  };

  #readEach(asked: readonly Asked[]): void {
    for (const { table, keys, now, resolve, reject } of asked) {
      try {
        resolve(this.#guard(() => keys.map((key) => stateRow(key, this.#row.get(table, key, now)))));
      } catch (error) {
        reject(error);
      }
    }
  }
}

function stateRow(key: string, row: unknown): LedgerStateRow | undefined {
  if (row === undefined) return undefined;
  const [data, crc, binary, etag, expiresAt] = row as Row;
  if (crc32(data) !== crc) throw new LedgerRefused('damaged', `the state of key ${key} is damaged on the disk: its checksum is wrong; restore the ledger's file from a copy, or remove the row`);
  return expiresAt === null ? { key, data, binary: binary === 1, etag } : { key, data, binary: binary === 1, etag, expiresAt };
}
