import { describe, expect, test } from 'vitest';
import { freePort } from '../../test/servers/processes.ts';
import { serverAddress, startPrivateServer } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tcpGate } from '../../test/tools/tcp-gate.ts';
import { bytesOfResponse, outputBindingConformance, requestOf } from '../kit/conformance/output-binding.ts';
import { sqlBindingConformance } from '../kit/conformance/sql-binding.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import postgresql from './binding.ts';
import { readDatabaseAddress } from './connection-string.ts';

const SECRET = 'not-to-be-seen';
const [host = '', port = ''] = serverAddress('postgresql').split(':');
const url = (at = `${host}:${port}`): string => `postgres://mecha:${SECRET}@${at}/postgres?sslmode=disable`;
const open = () => connected(buildComponent(postgresql, { connectionString: url() }));
const nowhere = await freePort();

const TABLE = 'conformance_output';
outputBindingConformance(postgresql, {
  open,
  calls: [
    { operation: 'query', metadata: { sql: 'SELECT $1::int + 1', params: '[41]' } },
    { operation: 'exec', metadata: { sql: `CREATE TABLE IF NOT EXISTS ${TABLE} (id int)` } },
    { operation: 'exec', metadata: { sql: `INSERT INTO ${TABLE} VALUES ($1)`, params: '[1]' } },
    { operation: 'close' },
  ],
  wrong: [
    { operation: 'exec', metadata: { sql: 'SELEC 1' } },
    { operation: 'query', metadata: { sql: 'SELECT * FROM there_is_none' } },
    { operation: 'query', metadata: { sql: 'SELECT $1::int', params: '["seven"]' } },
    { operation: 'query', metadata: { sql: 'SELECT $1::int', params: '"seven"' } },
    { operation: 'query', metadata: { sql: 'SELECT 1/$1::int', params: '[0]' } },
    { operation: 'exec', metadata: { sql: `DO $$ BEGIN RAISE EXCEPTION 'refused'; END $$` } },
  ],
  slow: { operation: 'query', metadata: { sql: 'SELECT pg_sleep(30)' } },
  away: () => buildComponent(postgresql, { connectionString: url(`127.0.0.1:${nowhere}`) }),
  secrets: [SECRET],
});

sqlBindingConformance(postgresql, {
  open: ({ hasty }) => connected(buildComponent(postgresql, { connectionString: url(), ...(hasty ? { timeout: 1_000 } : {}) })),
  behind: async () => {
    const network = await tcpGate(`${host}:${port}`);
    return { network, binding: buildComponent(postgresql, { connectionString: url(network.address), timeout: 3_000 }) };
  },
  placeholder: (place) => `$${place}`,
  sql: {
    create: (table) => `CREATE TABLE ${table} (id text PRIMARY KEY, words text, amount bigint, price numeric(30,10))`,
    sleep: 'SELECT pg_sleep(30)',
    sleeping: "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(30)'",
    tooMuch: "SELECT repeat('x', 1048576) FROM generate_series(1, 80)",
  },
  values: (row) => row as readonly unknown[],
  noRows: '[]',
});

describe('rows of PostgreSQL', () => {
  const rowOf = async (sql: string, params = '[]'): Promise<unknown> => {
    const binding = await open();
    try {
      return JSON.parse((await bytesOfResponse(await binding.invoke?.(requestOf({ operation: 'query', metadata: { sql, params } }), new AbortController().signal))).toString());
    } finally {
      await binding.close?.();
    }
  };

  test.each([
    ['true, false, NULL::int', [true, false, null]],
    ['1::int2, 2::int4, 3::int8, 1.50::numeric, 0.1::float8', [1, 2, 3, 1.5, 0.1]],
    ["'NaN'::float8, 'Infinity'::float8", ['NaN', 'Infinity']],
    [`'{"a": [1, null]}'::jsonb, '[]'::json`, [{ a: [1, null] }, []]],
    [String.raw`'\xdeadbeef'::bytea`, ['3q2+7w==']],
    ["date '2026-03-01', timestamp '2026-03-01 12:30:00.25', timestamptz '2026-03-01 12:30:00+00' AT TIME ZONE 'UTC'", ['2026-03-01T00:00:00Z', '2026-03-01T12:30:00.25Z', '2026-03-01T12:30:00Z']],
    [String.raw`ARRAY[1,NULL,3], ARRAY['a,b','"q"','\','NULL','']::text[], ARRAY[[1,2],[3,4]], ARRAY[]::text[]`, [[1, null, 3], ['a,b', '"q"', '\\', 'NULL', ''], [[1, 2], [3, 4]], []]],
    ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, interval '1 day', '10.0.0.0/8'::cidr", ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 day', '10.0.0.0/8']],
  ])('%s', async (columns, row) => {
    expect(await rowOf(`SELECT ${columns}`)).toEqual([row]);
  });

  test('a time with a zone says its offset', async () => {
    const [[text]] = (await rowOf("SELECT timestamptz '2026-03-01 12:30:00+00'")) as [[string]];
    expect(text).toMatch(/^2026-03-0[12]T\d\d:\d\d:00(Z|[+-]\d\d:\d\d)$/);
    expect(Date.parse(text)).toBe(Date.UTC(2026, 2, 1, 12, 30));
  });

  test('arrays and objects go in as arrays of PostgreSQL and as JSON', async () => {
    expect(await rowOf('SELECT $1::bigint = ANY($2::bigint[]), $3::text[], $4::jsonb, $5::jsonb', String.raw`[9223372036854775807, [1, 9223372036854775807], ["a\"b", "c,d", null, "\\"], {"a": 9223372036854775807}, [{"b": 1}]]`)).toMatchObject([
      [true, ['a"b', 'c,d', null, '\\'], {}, [{ b: 1 }]],
    ]);
  });

  test('a script of several statements without values is done as one', async () => {
    const binding = await open();
    const exec = (sql: string) => binding.invoke?.(requestOf({ operation: 'exec', metadata: { sql } }), new AbortController().signal);
    await exec('DROP TABLE IF EXISTS script_of_two; CREATE TABLE script_of_two (id int); INSERT INTO script_of_two VALUES (1), (2)');
    await expect(exec('DELETE FROM script_of_two; SELECT 1/0')).rejects.toThrow('division by zero');
    expect(await rowOf('SELECT count(*) FROM script_of_two')).toEqual([[2]]);
    await exec('DROP TABLE script_of_two');
    await binding.close?.();
  });
});

describe('the address of a PostgreSQL database', () => {
  test('is written as an address or as pairs, and metadata overrules both', () => {
    const expected = { host: 'db', port: 5433, user: 'an app', password: "it's \\ me", database: 'orders', connectionsMax: undefined, options: '-c search_path=a,\\ b' };
    expect(readDatabaseAddress({ connectionString: String.raw`postgresql://an%20app:it's%20%5C%20me@db:5433/orders?search_path=a,%20b` })).toMatchObject(expected);
    expect(readDatabaseAddress({ connectionString: String.raw`host=db port = 5433 user='an app' password='it\'s \\ me' database=orders search_path='a, b'` })).toMatchObject(expected);
    expect(readDatabaseAddress({ connectionString: 'host=elsewhere', host: 'db', port: '5433', user: 'u', database: 'd' })).toMatchObject({ host: 'db', port: 5433, user: 'u', database: 'd' });
    expect(readDatabaseAddress({ host: 'db', user: 'u' })).toMatchObject({ port: 5432, database: 'u', tls: { mode: 'try' } });
    expect(readDatabaseAddress({ connectionString: 'postgres://u@db/d?sslmode=verify-full&sslrootcert=/ca.pem&pool_max_conns=7' })).toMatchObject({ tls: { mode: 'on', verify: 'all', files: { ca: '/ca.pem' } }, connectionsMax: 7 });
  });

  test.each([
    [{}, 'no server is named'],
    [{ connectionString: `postgres://u:${SECRET}@a,b/d` }, 'one server'],
    [{ connectionString: `u:${SECRET}@db` }, 'neither an address'],
    [{ connectionString: `host=db password=${SECRET} sslmode=maybe` }, 'sslmode is one of'],
    [{ connectionString: `host=db port=${SECRET}` }, 'port takes'],
    [{ host: 'db', useAzureAD: true }, 'not supported'],
  ])('is refused in words without what is secret: %o', (options, words) => {
    expect(() => buildComponent(postgresql, options)).toThrow(words);
    expect(() => buildComponent(postgresql, options)).not.toThrow(SECRET);
  });
});

describe('TLS to PostgreSQL', () => {
  const SECURED = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  const secured = async (connectionString: string): Promise<string> => {
    const binding = buildComponent(postgresql, { connectionString, timeout: 10_000 });
    try {
      await connected(binding);
      return (await bytesOfResponse(await binding.invoke?.(requestOf({ operation: 'query', metadata: { sql: SECURED } }), new AbortController().signal))).toString();
    } finally {
      await binding.close?.();
    }
  };

  test('is used where the server has it, required where it is asked for, and certificates are verified as asked', async () => {
    const certificates = await makeCertificates('postgres');
    const tlsServer = await startPrivateServer('postgresql', ['-c', 'ssl=on', '-c', `ssl_cert_file=${certificates.certificate}`, '-c', `ssl_key_file=${certificates.key}`]);
    const at = (more: string): string => `postgres://mecha@${tlsServer.address}/postgres${more}`;
    try {
      for (const more of ['', '?sslmode=require', `?sslmode=verify-ca&sslrootcert=${certificates.authority}`, `?sslmode=verify-full&sslrootcert=${certificates.authority}`]) expect(await secured(at(more)), more).toBe('[[true]]');
      expect(await secured(at('?sslmode=disable'))).toBe('[[false]]');
      await expect(secured(at('?sslmode=verify-full'))).rejects.toThrow(/certificate/);
      await expect(secured(at(`?sslmode=verify-full&sslrootcert=${certificates.certificate}.none`))).rejects.toThrow('ENOENT');
    } finally {
      await tlsServer.dispose();
      await certificates.remove();
    }
  });

  test('is not there on a server without it: prefer goes on without, require is refused', async () => {
    expect(await secured(`postgres://mecha@${host}:${port}/postgres?sslmode=prefer`)).toBe('[[false]]');
    await expect(secured(`postgres://mecha@${host}:${port}/postgres?sslmode=require`)).rejects.toThrow('SSL');
  });
});
