import { describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import { bytesOfResponse, outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { sqlBindingConformance } from '../kit/conformance/sql-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import mysql from './binding.ts';
import { readDataSourceName } from './data-source-name.ts';

const SECRET = 'mecha-password';
const server = serverAddress('mysql');
const url = (at = server): string => `mecha:${SECRET}@tcp(${at})/mecha`;
const open = () => connected(buildComponent(mysql, { url: url() }));
const nowhere = await freePort();

const TABLE = 'conformance_output';
outputBindingConformance(mysql, {
  open,
  calls: [
    { operation: 'query', metadata: { sql: 'SELECT ? + 1', params: '[41]' } },
    { operation: 'exec', metadata: { sql: `CREATE TABLE IF NOT EXISTS ${TABLE} (id int)` } },
    { operation: 'exec', metadata: { sql: `INSERT INTO ${TABLE} VALUES (?)`, params: '[1]' } },
    { operation: 'close' },
  ],
  wrong: [
    { operation: 'exec', metadata: { sql: 'SELEC 1' } },
    { operation: 'query', metadata: { sql: 'SELECT * FROM there_is_none' } },
    { operation: 'query', metadata: { sql: 'SELECT 1; SELECT 2' } },
    { operation: 'query', metadata: { sql: 'SELECT ?', params: '"seven"' } },
    { operation: 'exec', metadata: { sql: `INSERT INTO ${TABLE} VALUES (?)`, params: '["no number"]' } },
    { operation: 'exec', metadata: { sql: "SIGNAL SQLSTATE '45000'" } },
    { operation: 'query', metadata: { sql: 'SELECT * FROM mysql.global_priv' } },
  ],
  slow: { operation: 'query', metadata: { sql: 'SELECT SLEEP(30)' } },
  away: () => buildComponent(mysql, { url: url(`127.0.0.1:${nowhere}`) }),
  secrets: [SECRET],
});

const values = (row: unknown): readonly unknown[] => Object.values(row as Record<string, unknown>);
sqlBindingConformance(mysql, {
  open: ({ hasty }) => connected(buildComponent(mysql, { url: url(), ...(hasty ? { timeout: 1_000 } : {}) })),
  behind: async () => {
    const network = await tcpGate(server);
    return { network, binding: buildComponent(mysql, { url: url(network.address), timeout: 3_000 }) };
  },
  placeholder: () => '?',
  sql: {
    create: (table) => `CREATE TABLE ${table} (id varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, words text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, amount bigint, price decimal(30,10))`,
    sleep: 'SELECT SLEEP(30)',
    sleeping: "SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(30)'",
    tooMuch: "SELECT repeat('x', 1048576) FROM seq_1_to_80",
  },
  values,
  noRows: 'null',
});

describe('rows of MySQL', () => {
  const ask = async (sql: string, params?: string): Promise<unknown> => {
    const binding = await open();
    try {
      const response = await binding.invoke?.(requestOf({ operation: 'query', metadata: { sql, ...(params === undefined ? {} : { params }) } }), new AbortController().signal);
      return JSON.parse((await bytesOfResponse(response)).toString());
    } finally {
      await binding.close?.();
    }
  };
  // Both ways to the server: without values as text, with values prepared.
  const both = async (columns: string): Promise<readonly unknown[]> => Promise.all([ask(`SELECT ${columns}`), ask(`SELECT ${columns} WHERE 1 = ?`, '[1]')]);

  test.each([
    ['1 AS a, -2 AS b, 1.50 AS c, 0.1e0 AS d, NULL AS e', { a: 1, b: -2, c: 1.5, d: 0.1 }],
    ["'text' AS a, X'deadbeef' AS b, b'101' AS c", { a: 'text', b: '3q2+7w==', c: 'BQ==' }],
    ["CAST('2026-03-01' AS date) AS a, CAST('2026-03-01 12:30:00.25' AS datetime(2)) AS b, CAST('12:30:00' AS time) AS c", { a: '2026-03-01T00:00:00Z', b: '2026-03-01T12:30:00.25Z', c: '12:30:00' }],
    ['@@session.time_zone AS zone', { zone: '+00:00' }],
    ['1 AS twice, 2 AS twice', { twice: 2 }],
    ["1 AS `constructor`, 2 AS `__proto__`, 3 AS `a\"b`", JSON.parse('{"constructor": 1, "__proto__": 2, "a\\"b": 3}')],
  ])('%s', async (columns, row) => {
    for (const answer of await both(columns)) expect(answer).toEqual([row]);
  });

  test('columns of a table keep what they hold', async () => {
    const binding = await open();
    const exec = (sql: string, params?: string) => binding.invoke?.(requestOf({ operation: 'exec', metadata: { sql, ...(params === undefined ? {} : { params }) } }), new AbortController().signal);
    await exec('CREATE OR REPLACE TABLE kinds (small tinyint, filled int(6) zerofill, wide bigint unsigned, single float, flags bit(9), doc json, stamp timestamp(3) NULL, year year)');
    await exec('INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?)', String.raw`[-5, 42, 18446744073709551615, 0.1, 257, {"a": [1, "x"]}, "2026-03-01 12:30:00.125", 2026]`);
    for (const sql of ['SELECT * FROM kinds', 'SELECT * FROM kinds LIMIT ?']) {
      const response = await binding.invoke?.(requestOf({ operation: 'query', metadata: { sql, ...(sql.includes('?') ? { params: '[1]' } : {}) } }), new AbortController().signal);
      const text = (await bytesOfResponse(response)).toString();
      expect(text).toContain('"wide":18446744073709551615');
      expect(JSON.parse(text)).toMatchObject([{ small: -5, filled: 42, single: 0.1, flags: 257, doc: { a: [1, 'x'] }, stamp: '2026-03-01T12:30:00.125Z', year: 2026 }]);
    }
    await exec('DROP TABLE kinds');
    await binding.close?.();
  });

  test('a statement that changes nothing wrote no rows, unless found rows count', async () => {
    const exec = async (options: string, sql: string): Promise<string | undefined> => {
      const binding = await connected(buildComponent(mysql, { url: `${url()}${options}` }));
      const response = await binding.invoke?.(requestOf({ operation: 'exec', metadata: { sql } }), new AbortController().signal);
      await binding.close?.();
      return response?.metadata?.['rows-affected'];
    };
    await exec('', 'CREATE OR REPLACE TABLE counted AS SELECT 1 AS n');
    expect(await exec('', 'UPDATE counted SET n = 1')).toBe('0');
    expect(await exec('?clientFoundRows=true', 'UPDATE counted SET n = 1')).toBe('1');
    await exec('', 'DROP TABLE counted');
  });
});

describe('the data source name of a MySQL database', () => {
  test('is that of the field', () => {
    expect(readDataSourceName('u:p@ss:w/rd@tcp([::1]:3307)/orders?tls=skip-verify&timeout=2s&parseTime=true&sql_mode=%27ANSI%27')).toMatchObject({
      host: '::1', port: 3307, user: 'u', password: 'p@ss:w/rd', database: 'orders', tls: 'unverified', connectTimeout: '2s', variables: [['sql_mode', "'ANSI'"]],
    });
    expect(readDataSourceName('u@unix(/run/db.sock)/')).toMatchObject({ socketPath: '/run/db.sock', user: 'u', password: '', database: '' });
    expect(readDataSourceName('/d')).toMatchObject({ host: '127.0.0.1', port: 3306, user: '', tls: 'off', countsFound: false });
    expect(readDataSourceName('u@tcp(db)/d?clientFoundRows=true')).toMatchObject({ host: 'db', port: 3306, countsFound: true });
  });

  test.each([
    [{ url: SECRET }, 'no data source name'],
    [{ url: `u:${SECRET}@udp(db)/d` }, 'tcp or unix'],
    [{ url: `u:${SECRET}@tcp(db:x)/d` }, 'host:port'],
    [{ url: `u:${SECRET}@tcp(db)/d?tls=maybe` }, 'tls of url is one of'],
    [{ url: `u:${SECRET}@tcp(db)/d?multiStatements=true` }, 'multiStatements'],
    [{ url: `u:${SECRET}@tcp(db)/d?a%3Bb=1` }, 'whose name is none'],
    [{ url: `u:${SECRET}@tcp(db)/d?tls=custom` }, 'needed together'],
  ])('is refused in words without what is secret: %o', (options, words) => {
    expect(() => buildComponent(mysql, options)).toThrow(words);
    expect(() => buildComponent(mysql, options)).not.toThrow(SECRET);
  });
});

describe('TLS to MySQL', () => {
  const secured = async (options: Record<string, unknown>): Promise<string> => {
    const binding = buildComponent(mysql, { timeout: 10_000, ...options });
    try {
      await connected(binding);
      const answer = await binding.invoke?.(requestOf({ operation: 'query', metadata: { sql: "SELECT variable_value <> '' AS secured FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'" } }), new AbortController().signal);
      return (await bytesOfResponse(answer)).toString();
    } finally {
      await binding.close?.();
    }
  };

  test('is used as asked, and certificates are verified unless that is left out', async () => {
    const certificates = await makeCertificates('mysql');
    const tlsServer = await startPrivateServer('mysql', [`--ssl-cert=${certificates.certificate}`, `--ssl-key=${certificates.key}`, `--ssl-ca=${certificates.authority}`]);
    const at = (tls: string): string => `${url(tlsServer.address.replace('127.0.0.1', 'localhost'))}?tls=${tls}`;
    try {
      for (const tls of ['preferred', 'skip-verify']) expect(await secured({ url: at(tls) }), tls).toBe('[{"secured":1}]');
      expect(await secured({ url: at('custom'), pemPath: certificates.authority })).toBe('[{"secured":1}]');
      expect(await secured({ url: at('false') })).toBe('[{"secured":0}]');
      await expect(secured({ url: at('true') })).rejects.toThrow(/certificate/);
    } finally {
      await tlsServer.dispose();
      await certificates.remove();
    }
  });

  test('is not there on a server without it: preferred goes on without, true is refused', async () => {
    expect(await secured({ url: `${url()}?tls=preferred` })).toBe('[{"secured":0}]');
    await expect(secured({ url: `${url()}?tls=true` })).rejects.toThrow(/secure connection/);
  });
});
