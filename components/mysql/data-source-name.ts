/**
 * Where a MySQL database is, from what users write: the data source name of Go's driver,
 * `user:password@tcp(host:3306)/database?parameter=value`. Parameters that are not named here are variables of the session.
 */

export interface DataSource {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: 'off' | 'try' | 'on' | 'unverified' | 'custom';
  readonly connectTimeout: string | undefined;
  /** Rows that a statement found count as written, though it left them as they were. */
  readonly countsFound: boolean;
  readonly collation: string | undefined;
  readonly variables: readonly (readonly [name: string, value: string])[];
}

const USUAL_PORT = 3306;
const NO_EFFECT = new Set([
  'allowallfiles', 'allowcleartextpasswords', 'allowfallbacktoplaintext', 'allownativepasswords', 'allowoldpasswords', 'checkconnliveness', 'columnswithalias', 'compress', 'connectionattributes',
  'interpolateparams', 'loc', 'maxallowedpacket', 'parsetime', 'readtimeout', 'rejectreadonly', 'serverpubkey', 'timetruncate', 'writetimeout', 'charset',
]);
const TLS = { true: 'on', false: 'off', 'skip-verify': 'unverified', preferred: 'try', custom: 'custom' } as const;

/** Throws, in words for the reader of the YAML and without any value that may be secret. */
export function readDataSourceName(text: string): DataSource {
  const slash = text.lastIndexOf('/');
  if (slash < 0) throw new Error('url is no data source name; one looks like user:password@tcp(host:3306)/database');
  const left = text.slice(0, slash);
  const [database = '', ...rest] = text.slice(slash + 1).split('?');
  const at = left.lastIndexOf('@');
  const credentials = at < 0 ? '' : left.slice(0, at);
  const colon = credentials.indexOf(':');
  const [, protocol = '', , address = ''] = /^([a-z0-9]*)(\((.*)\))?$/i.exec(left.slice(at + 1)) ?? [];
  if (left.slice(at + 1) !== '' && protocol === '') throw new Error('url names its server otherwise than as tcp(host:port) or unix(path)');
  if (protocol !== '' && protocol !== 'tcp' && protocol !== 'unix') throw new Error('url may reach its server by tcp or unix only');

  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rest.join('?'))) given.set(name, value);
  const take = (name: string): string | undefined => {
    const [found] = [...given.keys()].filter((key) => key.toLowerCase() === name.toLowerCase());
    const value = found === undefined ? undefined : given.get(found);
    if (found !== undefined) given.delete(found);
    return value;
  };
  const wish = take('tls') ?? 'false';
  if (!Object.hasOwn(TLS, wish)) throw new Error(`tls of url is one of ${Object.keys(TLS).join(', ')}`);
  if (isTrue(take('multiStatements'))) throw new Error('multiStatements of url is not supported: a call runs one statement');
  const countsFound = isTrue(take('clientFoundRows'));
  const [connectTimeout, collation] = [take('timeout'), take('collation')];
  for (const name of [...given.keys()]) if (NO_EFFECT.has(name.toLowerCase())) given.delete(name);
  for (const name of given.keys()) if (!/^[a-z_][a-z0-9_]*$/i.test(name)) throw new Error('url has a parameter whose name is none');
  return {
    ...(protocol === 'unix' ? { host: 'localhost', port: USUAL_PORT, socketPath: address } : { ...hostOf(address), socketPath: undefined }),
    user: colon < 0 ? credentials : credentials.slice(0, colon),
    password: colon < 0 ? '' : credentials.slice(colon + 1),
    database: decodeURIComponent(database),
    tls: TLS[wish as keyof typeof TLS],
    connectTimeout,
    countsFound,
    collation,
    variables: [...given],
  };
}

function hostOf(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(address);
  if (!match || Number(match[3] ?? 1) > 65_535 || Number(match[3] ?? 1) < 1) throw new Error('url names no host:port between its parentheses');
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port: Number(match[3] ?? USUAL_PORT) };
}

const isTrue = (text: string | undefined): boolean => /^(1|true)$/i.test(text ?? '');
