/**
 * What a binding of an SQL database must do beside being an output binding: `sqlBindingConformance(definition, { open, sql })`.
 * Values must come back as they went in and never become part of a statement; a database that is away, silent or slow must
 * be said to be so, and be used again when it is back.
 */
/* oxlint-disable vitest/no-conditional-tests, vitest/no-conditional-expect -- a file has no network that could break */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BindingError, type Binding, type BindingFault, type BindingResponse } from '../bindings.ts';
import type { ComponentDefinition } from '../component.ts';
import { fc } from '../test-properties.ts';
import { until } from '../testing.ts';
import { bytesOfResponse, requestOf } from './output-binding.ts';

/** A network before the database that can be broken. */
export interface ConformanceNetwork {
  /** Sockets that are open on either side. */
  readonly sockets: number;
  open(): Promise<void>;
  shut(): Promise<void>;
  freeze(): void;
  close(): Promise<void>;
}

export interface SqlBindingConformance {
  /** Connected; calls end after a second where `hasty`. */
  open(options: { readonly hasty: boolean }): Promise<Binding>;
  /** Not connected, behind a network of its own, calls end after a second. Absent: the database is a file. */
  behind?(): Promise<{ readonly binding: Binding; readonly network: ConformanceNetwork }>;
  /** `$1`, `?` … */
  placeholder(place: number): string;
  readonly sql: {
    /** A table with a column `id` (text, primary key), `words` (text), `amount` (64 bit integer) and `price` (decimal, ten places after the point). */
    create(table: string): string;
    /** Takes very long to answer, and waits for nothing else. Absent: it cannot be had. */
    readonly sleep?: string;
    /** How many statements like `sleep` the database is doing; only for this caller to see. */
    readonly sleeping?: string;
    /** Its answer takes more than 64 MiB. */
    readonly tooMuch?: string;
  };
  /** The values of a row of the answer, in the order of the columns. */
  values(row: unknown): readonly unknown[];
  /** What the answer without rows is. */
  readonly noRows: string;
}

const RECOVERY_MS = 20_000;

export function sqlBindingConformance(definition: ComponentDefinition<'bindings'>, { open, behind, placeholder, sql, values, noRows }: SqlBindingConformance): void {
  const never = new AbortController().signal;
  const ask = async (binding: Binding, operation: string, statement: string, params?: readonly unknown[] | string, signal = never): Promise<BindingResponse | undefined> =>
    binding.invoke?.(requestOf({ operation, metadata: { sql: statement, ...(params === undefined ? {} : { params: typeof params === 'string' ? params : JSON.stringify(params) }) } }), signal);
  const textOf = async (response: Promise<BindingResponse | undefined>): Promise<string> => (await bytesOfResponse(await response)).toString();
  const rowsOf = async (response: Promise<BindingResponse | undefined>): Promise<readonly (readonly unknown[])[]> => ((JSON.parse(await textOf(response)) ?? []) as readonly unknown[]).map(values);
  const faultOf = async (work: Promise<unknown>): Promise<BindingFault> => {
    const error = await work.then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(BindingError);
    return (error as BindingError).fault;
  };
  /** Until it answers: a look of a hasty one has but a second, and may need a new connection. What the server itself refuses or breaks off is an error. */
  const answers = (statement: () => Promise<unknown>): Promise<void> =>
    until(() => statement().then(() => true, (error: unknown) => (/did not answer within|cannot be reached/.test(String(error)) ? false : Promise.reject(error as Error))));
  const places = (count: number): string => Array.from({ length: count }, (_, index) => placeholder(index + 1)).join(', ');

  describe(`${definition.type} is a binding of an SQL database`, () => {
    let binding: Binding;
    let table: string;
    beforeEach(async () => {
      binding = await open({ hasty: false });
      table = `t_${randomBytes(6).toString('hex')}`;
      await ask(binding, 'exec', sql.create(table));
    });
    afterEach(async () => {
      await ask(binding, 'exec', `DROP TABLE ${table}`);
      await binding.close?.();
    });
    const insert = (id: string, words: string): Promise<BindingResponse | undefined> => ask(binding, 'exec', `INSERT INTO ${table} (id, words) VALUES (${places(2)})`, [id, words]);

    test('exec says how many rows it wrote, and both say what was done and when', async () => {
      for (const id of ['a', 'b', 'c']) expect((await insert(id, 'x'))?.metadata).toMatchObject({ operation: 'exec', 'rows-affected': '1' });
      const statement = `UPDATE ${table} SET words = ${placeholder(1)} WHERE id <> ${placeholder(2)}`;
      expect((await ask(binding, 'exec', statement, ['y', 'a']))?.metadata).toMatchObject({ operation: 'exec', sql: statement, 'rows-affected': '2', duration: expect.stringMatching(/^\d+(\.\d+)?ms$/) });
      const answer = await ask(binding, 'query', `SELECT id, words FROM ${table} ORDER BY id`);
      expect(((JSON.parse((await bytesOfResponse(answer)).toString())) as readonly unknown[]).map(values)).toEqual([['a', 'x'], ['b', 'y'], ['c', 'y']]);
      for (const name of ['start-time', 'end-time']) expect(answer?.metadata?.[name]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    });

    test('a query that finds nothing answers so', async () => {
      expect(await textOf(ask(binding, 'query', `SELECT id FROM ${table}`))).toBe(noRows);
    });

    test('any text that goes in as a value comes out as it was, and does nothing else', async () => {
      const hostile = fc.oneof(
        fc.constantFrom(`'; DROP TABLE ${table}; --`, `") OR 1=1 --`, String.raw`\'; DELETE FROM ${table}; #`, "' UNION SELECT 1,2 --", '$1', '?', ':words', '%s', String.raw`\\`, '/* */', '\u2028', '\ufeff', '日本語 🎉'),
        fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => !text.includes('\0') && text.isWellFormed()),
      );
      await insert('witness', 'still here');
      let number = 0;
      await fc.assert(
        fc.asyncProperty(hostile, hostile, hostile, hostile, async (...texts) => {
          const ids = texts.map((_, index) => `row-${String(number + index).padStart(6, '0')}`);
          number += texts.length;
          const rows = texts.map((_, index) => `(${placeholder(2 * index + 1)}, ${placeholder(2 * index + 2)})`).join(', ');
          await ask(binding, 'exec', `INSERT INTO ${table} (id, words) VALUES ${rows}`, texts.flatMap((text, index) => [ids[index], text]));
          const found = await rowsOf(ask(binding, 'query', `SELECT words FROM ${table} WHERE id IN (${places(4)}) ORDER BY id`, ids));
          expect(found.map(([words]) => words)).toEqual(texts);
        }),
        { numRuns: 30 },
      );
      expect(await rowsOf(ask(binding, 'query', `SELECT words FROM ${table} WHERE id = ${placeholder(1)}`, ['witness']))).toEqual([['still here']]);
      expect(await rowsOf(ask(binding, 'query', `SELECT count(*) FROM ${table}`))).toEqual([[number + 1]]);
    });

    test('numbers keep their digits, and null stays null', async () => {
      await ask(binding, 'exec', `INSERT INTO ${table} (id, words, amount, price) VALUES (${places(4)})`, '["big", null, 9223372036854775807, 1234567890.0123456789]');
      await ask(binding, 'exec', `INSERT INTO ${table} (id, words, amount, price) VALUES (${places(4)})`, '["small", "w", -3, 0.5]');
      const text = await textOf(ask(binding, 'query', `SELECT id, amount, price FROM ${table} ORDER BY id`));
      expect(text).toContain('9223372036854775807');
      expect(text).toContain('1234567890.0123456789');
      expect(text).toContain('-3');
      expect(await rowsOf(ask(binding, 'query', `SELECT id FROM ${table} WHERE words IS NULL AND amount = ${placeholder(1)}`, '[9223372036854775807]'))).toEqual([['big']]);
    });

    test('a value that breaks a constraint, and a wrong number of values, are errors that no repetition mends', async () => {
      await insert('once', 'x');
      expect(await faultOf(insert('once', 'y'))).toBe('invalid-data');
      for (const params of [['only one'], ['one', 'two', 'three']]) expect(await faultOf(ask(binding, 'exec', `INSERT INTO ${table} (id, words) VALUES (${places(2)})`, params))).toBe('invalid-metadata');
      for (const params of ['{}', 'null', '7', '[1', 'nonsense']) expect(await faultOf(ask(binding, 'query', `SELECT id FROM ${table}`, params)), params).toBe('invalid-metadata');
      expect(await rowsOf(ask(binding, 'query', `SELECT id, words FROM ${table}`))).toEqual([['once', 'x']]);
    });

    test('several statements with values are refused, and none of them is done', async () => {
      await insert('kept', 'x');
      await expect(ask(binding, 'exec', `DELETE FROM ${table} WHERE id = ${placeholder(1)}; DELETE FROM ${table}`, ['nobody'])).rejects.toThrow(BindingError);
      expect(await rowsOf(ask(binding, 'query', `SELECT id FROM ${table}`))).toEqual([['kept']]);
    });

    test('a transaction that a statement leaves open is rolled back, and said to be an error', async () => {
      for (let times = 0; times < 3; times++) expect(await faultOf(ask(binding, 'exec', 'BEGIN'))).toBe('invalid-metadata');
      await insert('later', 'x');
      const other = await open({ hasty: false });
      expect(await rowsOf(ask(other, 'query', `SELECT id FROM ${table}`))).toEqual([['later']]);
      await other.close?.();
    });

    test('close gives up the connections, and the next statement is answered all the same', async () => {
      const under = Promise.all(Array.from({ length: 10 }, (_, index) => insert(`row-${index}`, 'x')));
      await binding.invoke?.(requestOf({ operation: 'close' }), never);
      await under;
      expect(await rowsOf(ask(binding, 'query', `SELECT count(*) FROM ${table}`))).toEqual([[10]]);
    });

    const { sleep, sleeping, tooMuch } = sql;
    if (sleep !== undefined) {
      test('a statement that takes too long is a timeout, and the database no longer does it', async () => {
        const hasty = await open({ hasty: true });
        expect(await faultOf(ask(hasty, 'query', sleep))).toBe('timeout');
        const leave = new AbortController();
        const under = ask(hasty, 'query', sleep, undefined, leave.signal);
        leave.abort(new Error('called off'));
        await expect(under).rejects.toThrow('called off');
        if (sleeping !== undefined) await until(async () => String((await rowsOf(ask(binding, 'query', sleeping)))[0]?.[0]) === '0');
        await answers(() => ask(hasty, 'query', `SELECT count(*) FROM ${table}`));
        await hasty.close?.();
      });

      test('more statements than connections wait for one, and none longer than its time', async () => {
        const hasty = await open({ hasty: true });
        const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => ask(hasty, 'query', sleep)));
        expect(outcomes.map(({ status }) => status)).not.toContain('fulfilled');
        await answers(() => ask(hasty, 'query', `SELECT count(*) FROM ${table}`));
        await hasty.close?.();
      });
    }

    if (tooMuch !== undefined) {
      test('an answer past the bound is refused, and the next one comes', async () => {
        expect(await faultOf(ask(binding, 'query', tooMuch))).toBe('too-large');
        expect(await textOf(ask(binding, 'query', `SELECT id FROM ${table}`))).toBe(noRows);
      });
    }

    if (behind) {
      test('a database that is away at start is connected to when it comes, and used again after it was away', async () => {
        const { binding: late, network } = await behind();
        await network.shut();
        const refused = await late.connect?.(AbortSignal.timeout(RECOVERY_MS)).then(() => undefined, (error: unknown) => error);
        expect(refused).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
        await network.open();
        await late.connect?.(AbortSignal.timeout(RECOVERY_MS));
        expect(await textOf(ask(late, 'query', `SELECT id FROM ${table}`))).toBe(noRows);

        await network.shut();
        expect(await faultOf(ask(late, 'query', `SELECT id FROM ${table}`))).toBe('unavailable');
        await expect(late.ping?.()).rejects.toThrow(BindingError);
        await network.open();
        expect(await textOf(ask(late, 'query', `SELECT id FROM ${table}`))).toBe(noRows);
        await late.ping?.();
        await late.close?.();
        await network.close();
      });

      test('a connection that comes after its connect was called off is let go', async () => {
        const { binding: hasty, network } = await behind();
        network.freeze();
        const leave = new AbortController();
        const connecting = hasty.connect?.(leave.signal);
        await until(() => network.sockets > 0);
        leave.abort(new Error('called off'));
        await expect(connecting).rejects.toThrow('called off');
        await network.open();
        await until(() => network.sockets === 0);
        await hasty.close?.();
        await network.close();
      });

      test('a database that falls silent is a timeout, for calls and for the connect, and is used again when it speaks', async () => {
        const { binding: silent, network } = await behind();
        network.freeze();
        await expect(silent.connect?.(AbortSignal.timeout(RECOVERY_MS))).rejects.toThrow();
        await network.open();
        await silent.connect?.(AbortSignal.timeout(RECOVERY_MS));
        expect(await textOf(ask(silent, 'query', `SELECT id FROM ${table}`))).toBe(noRows);

        network.freeze();
        for (let times = 0; times < 2; times++) expect(['timeout', 'unavailable']).toContain(await faultOf(ask(silent, 'query', `SELECT id FROM ${table}`)));
        await network.open();
        expect(await textOf(ask(silent, 'query', `SELECT id FROM ${table}`))).toBe(noRows);
        await silent.close?.();
        await network.close();
      }, 2 * RECOVERY_MS);
    }
  });
}
