/**
 * Where a PostgreSQL database is, from what users write: a `postgres://` address or `name=value` pairs, completed or
 * overruled by metadata of the component. The parameters are those of libpq; what is not named here goes to the server as a
 * setting of the session.
 */
import type { ConnectionOptions } from 'node:tls';

export interface DatabaseParts {
  readonly connectionString?: string | undefined;
  readonly host?: string | undefined;
  readonly hostaddr?: string | undefined;
  readonly port?: string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Path of a PEM file. */
  readonly sslRootCert?: string | undefined;
}

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: TlsWish;
  readonly connectTimeoutMs: number | undefined;
  readonly applicationName: string | undefined;
  /** Command line options of the server for this session. */
  readonly options: string | undefined;
  readonly connectionsMax: number | undefined;
}

/** `try`: with TLS where the server has it, else without. Files are read when connecting. */
export interface TlsWish {
  readonly mode: 'off' | 'try' | 'on';
  readonly verify: 'nothing' | 'authority' | 'all';
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

const USUAL_PORT = 5432;
const NO_EFFECT = new Set(['target_session_attrs', 'gssencmode', 'channel_binding', 'krbsrvname', 'sslsni', 'sslcompression', 'keepalives', 'default_query_exec_mode', 'statement_cache_capacity', 'description_cache_capacity']);

/** Throws, in words for the reader of the YAML and without any value that may be secret. */
export function readDatabaseAddress(parts: DatabaseParts): DatabaseAddress {
  const given = new Map<string, string>(parts.connectionString === undefined || parts.connectionString.trim() === '' ? [] : parse(parts.connectionString.trim()));
  for (const [name, value] of [['host', parts.host], ['host', parts.hostaddr], ['port', parts.port], ['dbname', parts.database], ['user', parts.user], ['password', parts.password], ['sslrootcert', parts.sslRootCert]] as const) {
    if (value !== undefined && value !== '') given.set(name, value);
  }
  const take = (name: string): string | undefined => {
    const value = given.get(name);
    given.delete(name);
    return value === '' ? undefined : value;
  };
  const host = take('hostaddr') ?? take('host');
  given.delete('host');
  if (host === undefined) throw new Error('no server is named: set connectionString, or host');
  if (host.includes(',')) throw new Error('one server can be named, and this lists several');
  const user = take('user') ?? 'postgres';
  const address = {
    host,
    port: wholeNumber('port', take('port')) ?? USUAL_PORT,
    user,
    password: take('password'),
    database: take('dbname') ?? user,
    tls: tlsWish(take('sslmode') ?? 'prefer', { ca: take('sslrootcert'), cert: take('sslcert'), key: take('sslkey') }),
    connectTimeoutMs: secondsOf(take('connect_timeout')),
    applicationName: take('application_name'),
    connectionsMax: wholeNumber('pool_max_conns', take('pool_max_conns')),
  };
  const options = [take('options') ?? ''];
  for (const [name, value] of given) {
    if (NO_EFFECT.has(name) || name.startsWith('pool_')) continue;
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name)) throw new Error('connectionString has a parameter whose name is none');
    options.push(`-c ${name}=${value.replaceAll(/[\\\s]/g, String.raw`\$&`)}`);
  }
  return { ...address, options: options.filter((one) => one !== '').join(' ') || undefined };
}

function parse(text: string): readonly (readonly [string, string])[] {
  return /^postgres(?:ql)?:\/\//i.test(text) ? parseUrl(text) : parsePairs(text);
}

function parseUrl(text: string): readonly (readonly [string, string])[] {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('connectionString is no address; one looks like postgres://user:password@host:5432/database');
  }
  const named: readonly (readonly [string, string])[] = [
    ['host', decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1'))],
    ['port', url.port],
    ['user', decodeURIComponent(url.username)],
    ['password', decodeURIComponent(url.password)],
    ['dbname', decodeURIComponent(url.pathname.slice(1))],
  ];
  return [...named.filter(([, value]) => value !== ''), ...[...url.searchParams].map(([name, value]) => [name === 'database' ? 'dbname' : name, value] as const)];
}

/** `host=localhost password='it''s'`: a value with blanks stands in single quotes, a backslash takes the next sign as it is. */
function parsePairs(text: string): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  const pair = /\s*([a-z_][a-z0-9_.]*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/giy;
  let end = 0;
  for (let match = pair.exec(text); match; match = pair.exec(text)) {
    const name = (match[1] ?? '').toLowerCase();
    pairs.push([name === 'database' ? 'dbname' : name, (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/g, '$1')]);
    end = pair.lastIndex;
  }
  if (text.slice(end).trim() !== '') throw new Error('connectionString is neither an address (postgres://…) nor pairs (host=… user=… database=…)');
  return pairs;
}

function tlsWish(mode: string, files: { ca: string | undefined; cert: string | undefined; key: string | undefined }): TlsWish {
  const given = Object.fromEntries(Object.entries(files).filter(([, path]) => path !== undefined));
  switch (mode) {
    case 'disable':
      return { mode: 'off', verify: 'nothing', files: {} };
    case 'allow':
    case 'prefer':
      return { mode: 'try', verify: 'nothing', files: given };
    case 'require':
      return { mode: 'on', verify: files.ca === undefined ? 'nothing' : 'authority', files: given };
    case 'verify-ca':
      return { mode: 'on', verify: 'authority', files: given };
    case 'verify-full':
      return { mode: 'on', verify: 'all', files: given };
    default:
      throw new Error('sslmode is one of disable, allow, prefer, require, verify-ca and verify-full');
  }
}

/** What Node is told, once the files are read. */
export function tlsOptions(verify: TlsWish['verify'], pem: { readonly ca?: string; readonly cert?: string; readonly key?: string }): ConnectionOptions {
  return {
    ...pem,
    rejectUnauthorized: verify !== 'nothing',
    ...(verify === 'authority' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text.trim()) || Number(text) < 1 || Number(text) > 65_535) throw new Error(`${name} takes a whole number from 1 to 65535`);
  return Number(text);
}

function secondsOf(text: string | undefined): number | undefined {
  const seconds = Number(text ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
