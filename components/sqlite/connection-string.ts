/**
 * The `connectionString` of SQLite components: a path, a `file:` URI or `:memory:`, with options after a question mark.
 *
 * Journal, lock waiting and durability are the component's own business, so pragmas for them are refused or without effect.
 */

export interface SqliteFile {
  /** As the file system knows it; `:memory:` for a store without a file. */
  readonly path: string;
  readonly memory: boolean;
  readonly readOnly: boolean;
  /** Statements for every connection, in the order given. */
  readonly pragmas: readonly string[];
  /** Options that are accepted and change nothing here. */
  readonly ignored: readonly string[];
}

const REFUSED_PRAGMAS: Readonly<Record<string, string>> = {
  busy_timeout: 'use the metadata name busyTimeout',
  journal_mode: 'use the metadata name disableWAL',
  foreign_keys: 'the tables have none',
};
const PRAGMA = /^([a-z_]+)(?:\((-?[\w.]+)\)|=(-?[\w.]+))?$/i;

/** Throws with words for the user when the text cannot be served. */
export function parseConnectionString(text: string): SqliteFile {
  const trimmed = text.trim();
  if (trimmed === '') throw new Error('connectionString is empty');
  const uri = trimmed.replace(/^file:(\/\/(localhost)?(?=\/))?/, '');
  const mark = uri.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : uri.slice(mark + 1));
  const path = decodePath(mark < 0 ? uri : uri.slice(0, mark));
  const memory = path === ':memory:' || query.get('mode') === 'memory';
  if (path === '' && !memory) throw new Error('connectionString names no file');

  const pragmas: string[] = [];
  const ignored: string[] = [];
  for (const [name, value] of query) {
    if (name === '_pragma') {
      const [, pragma = '', argument = '', assigned = ''] = PRAGMA.exec(value.trim()) ?? [];
      if (pragma === '') throw new Error(`connectionString has a _pragma that is none: ${value.slice(0, 80)}`);
      const reason = REFUSED_PRAGMAS[pragma.toLowerCase()];
      if (reason !== undefined) throw new Error(`connectionString may not set _pragma ${pragma}: ${reason}`);
      // Whether an acknowledged write survives a power cut is not for a connection string to decide.
      if (pragma.toLowerCase() === 'synchronous') ignored.push(`_pragma=${pragma}`);
      else pragmas.push(`PRAGMA ${pragma}${argument + assigned === '' ? '' : ` = ${argument}${assigned}`}`);
    } else if (name !== 'mode' && name !== 'immutable' && name !== 'cache' && name !== '_txlock') ignored.push(name);
  }
  return { path: memory ? ':memory:' : path, memory, readOnly: query.get('mode') === 'ro' || query.get('immutable') === '1', pragmas, ignored };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // A lone percent sign stands for itself.
  }
}
