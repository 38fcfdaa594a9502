/**
 * What the writer thread does for `bindings.sqlite`: one statement of the app, with values as bind parameters.
 *
 * Invariants
 * T1  A statement cannot end or begin the transaction it runs in, nor leave the file: transactions, savepoints, ATTACH, DETACH
 *     and PRAGMA are refused when it is prepared.
 * T2  Nothing of a request becomes part of the text of a statement.
 */
import { constants, type DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { BindingFault, SqlParameter } from '@mecha/components/kit';

export interface StatementSettings {
  readonly pragmas: readonly string[];
  readonly answerBytesMax: number;
}
export interface StatementRequest {
  readonly sql: string;
  readonly params: readonly SqlParameter[];
}

/** Crosses the thread by its fields. */
class StatementFault extends Error {
  readonly fault: BindingFault;
  constructor(fault: BindingFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

const REFUSED = new Set<number>([constants.SQLITE_TRANSACTION, constants.SQLITE_SAVEPOINT, constants.SQLITE_ATTACH, constants.SQLITE_DETACH, constants.SQLITE_PRAGMA]);
/** By SQLite's primary result code. */
const FAULTS: Readonly<Record<number, BindingFault>> = { 1: 'invalid-metadata', 5: 'failed', 8: 'denied', 18: 'too-large', 19: 'invalid-data', 20: 'invalid-data', 23: 'invalid-metadata', 25: 'invalid-metadata' };

export const program = {
  migrate(db: DatabaseSync, { pragmas }: StatementSettings): void {
    for (const pragma of pragmas) db.exec(pragma);
  },
  requests(db: DatabaseSync, { answerBytesMax }: StatementSettings) {
    const guarded = <T>(work: () => T): T => {
      db.setAuthorizer((action) => (REFUSED.has(action) ? constants.SQLITE_DENY : constants.SQLITE_OK));
      try {
        return work();
      } catch (error) {
        throw faultOf(error);
      } finally {
        db.setAuthorizer(null);
      }
    };
    const changes = db.prepare('SELECT total_changes() AS changes');
    const changesSoFar = (): number => Number(changes.get()?.['changes'] ?? 0);
    return {
      exec: ({ sql, params }: StatementRequest): number =>
        guarded(() => {
          // Without values it may be several statements, as scripts that create tables are.
          if (params.length > 0) return Number(db.prepare(sql).run(...valuesFor(sql, params)).changes);
          const before = changesSoFar();
          db.exec(sql);
          return changesSoFar() - before;
        }),
      query: ({ sql, params }: StatementRequest): string =>
        guarded(() => {
          const values = valuesFor(sql, params);
          const statement = db.prepare(sql);
          statement.setReadBigInts(true);
          statement.setReturnArrays(true);
          const rows: string[] = [];
          let bytes = 0;
          for (const row of statement.iterate(...values) as Iterable<unknown>) {
            const text = `[${(row as readonly unknown[]).map(toJson).join(',')}]`;
            bytes += text.length;
            if (bytes > answerBytesMax) throw new StatementFault('too-large', `the rows take more than ${answerBytesMax} bytes; ask for fewer`);
            rows.push(text);
          }
          return `[${rows.join(',')}]`;
        }),
    };
  },
};

/** Strings, quoted names and comments are passed over; what is left are placeholders and the ends of statements. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<place>[?$]\d+|\?)|(?<named>[:@$][a-z_]\w*)|(?<end>;)|(?<word>[^\s])/gi;

/** The values as the library takes them. Throws where they are not as many as the placeholders, or the text is more than one statement. */
function valuesFor(sql: string, params: readonly SqlParameter[]): readonly SQLInputValue[] {
  const places: string[] = [];
  let ended = false;
  for (const { groups = {} } of sql.matchAll(TOKENS)) {
    const { place, named, end, word } = groups;
    if (ended && (place ?? named ?? word) !== undefined) throw new StatementFault('invalid-metadata', 'one statement can be run with values, or asked for rows, and this is more');
    if (named !== undefined) throw new StatementFault('invalid-metadata', 'placeholders are ?, or numbered: $1, ?1');
    if (place !== undefined) places.push(place);
    if (end !== undefined) ended = true;
  }
  const values = params.map(toBindValue);
  const numbered = places.filter((place) => place !== '?');
  if (numbered.length > 0 && numbered.length < places.length) throw new StatementFault('invalid-metadata', 'placeholders are all numbered, or none is');
  const count = numbered.length === 0 ? places.length : Math.max(...numbered.map((place) => Number(place.slice(1))));
  if (count !== values.length) throw new StatementFault('invalid-metadata', `the statement has ${count} placeholders, and params ${values.length} values`);
  if (numbered.length === 0) return values;
  // Numbered ones have names, and come in one object in place of the first value, which the types of the library allow there only.
  const named: Record<string, SQLInputValue> = Object.fromEntries(numbered.map((place) => [place, values[Number(place.slice(1)) - 1] ?? null]));
  return [named as unknown as SQLInputValue];
}

function toBindValue(value: SqlParameter): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  // A whole number is one in SQLite too, where a double would print with a point.
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw new StatementFault('invalid-metadata', 'params holds a whole number of more than 64 bits');
    return value;
  }
  return value !== null && typeof value === 'object' ? JSON.stringify(value) : value;
}

function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  return typeof value === 'number' && !Number.isFinite(value) ? JSON.stringify(String(value)) : JSON.stringify(value);
}

function faultOf(error: unknown): Error {
  const { errcode } = error as { errcode?: number };
  if (error instanceof StatementFault || typeof errcode !== 'number') return error as Error;
  const primary = errcode & 0xff;
  // A full or failing disk is the writer's to tell.
  if (FAULTS[primary] === undefined) return error as Error;
  const words = primary === 23 ? 'transactions, savepoints, ATTACH, DETACH and PRAGMA are not for statements of a binding' : (error as Error).message;
  return new StatementFault(FAULTS[primary], words);
}
