/**
 * What bindings of SQL databases have in common: their operations, how `params` become bind values, and what an answer says
 * of itself. A database brings a `SqlDriver`.
 *
 * Invariants
 * Q1  Nothing of a request ever becomes part of a statement's text: `sql` goes to the database as it is, `params` only as
 *     bind values. Whether `sql` itself may be trusted is the app's to know.
 * Q2  A number of `params` keeps every digit, though JSON numbers are read as doubles elsewhere.
 */
import { BindingError, type Binding, type BindingOperations, type BindingRequest, type BindingResponse } from './bindings.ts';
import type { Clock } from './component.ts';
import { exactNumberText, parseExactly } from './exact-json.ts';

/** A bind value. Integers that a double cannot hold are `bigint`, other such numbers text; objects and arrays are what JSON made of them. */
export type SqlParameter = null | boolean | number | bigint | string | readonly unknown[] | Readonly<Record<string, unknown>>;

export interface SqlStatement {
  readonly sql: string;
  readonly params: readonly SqlParameter[];
}

/** A database. All reject with `BindingError`; a statement that is called off is ended at the database as well where that can be. */
export interface SqlDriver {
  /** Resolves with the number of rows that were written. */
  exec(statement: SqlStatement, signal: AbortSignal): Promise<number>;
  /** Resolves with the rows as JSON. */
  query(statement: SqlStatement, signal: AbortSignal): Promise<string>;
  /** Gives up all connections, once what is under way on them is over; the next statement opens new ones. */
  disconnect(): Promise<void>;
}

/** More than any database of ours takes. */
const PARAMS_MAX = 65_535;

export function sqlOperations({ placeholders, rows }: { readonly placeholders: string; readonly rows: string }): BindingOperations {
  const metadata = {
    sql: { description: 'The statement. Values belong into `params`, never into its text.', required: true },
    params: { description: `JSON array of the values for the placeholders (${placeholders}), in their order.` },
  };
  return {
    exec: { description: 'Runs a statement that writes; metadata `rows-affected` of the answer says how many rows it wrote.', metadata },
    query: { description: 'Runs a statement and answers its rows.', metadata, result: rows },
    close: { description: 'Gives up the connections, once what is under way on them is over. The next statement opens new ones.' },
  };
}

/** `invoke` of a binding over a driver. */
export function invokeSql(driver: SqlDriver, clock: Clock): NonNullable<Binding['invoke']> {
  return async (request, signal): Promise<BindingResponse | undefined> => {
    if (request.operation === 'close') {
      await driver.disconnect();
      return undefined;
    }
    const statement = statementOf(request);
    const startedAt = clock.now();
    const answer = request.operation === 'query' ? { data: Buffer.from(await driver.query(statement, signal)) } : { written: await driver.exec(statement, signal) };
    const endedAt = clock.now();
    return {
      ...(answer.data === undefined ? {} : { data: answer.data }),
      metadata: {
        operation: request.operation,
        sql: statement.sql,
        'start-time': new Date(startedAt).toISOString(),
        'end-time': new Date(endedAt).toISOString(),
        duration: `${endedAt - startedAt}ms`,
        ...(answer.written === undefined ? {} : { 'rows-affected': String(answer.written) }),
      },
    };
  };
}

function statementOf({ metadata }: BindingRequest): SqlStatement {
  return { sql: metadata['sql'] ?? '', params: parseParams(metadata['params']) };
}

/** Throws `BindingError` unless the text is absent, empty or a JSON array. */
export function parseParams(text: string | undefined): readonly SqlParameter[] {
  if (text === undefined || text.trim() === '') return [];
  let parsed: unknown;
  try {
    parsed = parseExactly(text);
  } catch {
    throw new BindingError('invalid-metadata', 'metadata params is not JSON; it takes an array of values');
  }
  if (!Array.isArray(parsed)) throw new BindingError('invalid-metadata', 'metadata params is JSON, but no array of values');
  if (parsed.length > PARAMS_MAX) throw new BindingError('invalid-metadata', `metadata params holds ${parsed.length} values; at most ${PARAMS_MAX} may be`);
  return (parsed as readonly unknown[]).map((value) => {
    const digits = exactNumberText(value);
    return digits === undefined ? (value as SqlParameter) : textNumber(digits);
  });
}

function textNumber(source: string): bigint | string {
  return /^-?\d+$/.test(source) ? BigInt(source) : source;
}

/** An answer holds at most so many bytes; a statement whose rows take more is refused. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export const answerTooLarge = (): BindingError => new BindingError('too-large', `the rows take more than ${ANSWER_BYTES_MAX} bytes; ask for fewer`);
