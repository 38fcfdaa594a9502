import { describe, expect, test } from 'vitest';
import { parseConnectionString } from './connection-string.ts';

const plain = { memory: false, readOnly: false, pragmas: [], ignored: [] };

describe('the connection string of SQLite components', () => {
  test.each([
    ['data.db', 'data.db'],
    ['  data.db ', 'data.db'],
    ['/var/lib/data.db', '/var/lib/data.db'],
    ['file:data.db', 'data.db'],
    ['file:/var/data.db', '/var/data.db'],
    ['file:///var/data.db', '/var/data.db'],
    ['file://localhost/var/data.db', '/var/data.db'],
    ['with%20blank.db', 'with blank.db'],
    ['100%.db', '100%.db'],
    ['data.db?cache=shared&_txlock=immediate', 'data.db'],
  ])('%s names the file %s', (text, path) => {
    expect(parseConnectionString(text)).toEqual({ ...plain, path });
  });

  test.each([':memory:', 'file::memory:', ':memory:?cache=shared', 'file:shared?mode=memory'])('%s is a store without a file', (text) => {
    expect(parseConnectionString(text)).toMatchObject({ path: ':memory:', memory: true });
  });

  test.each(['data.db?mode=ro', 'file:data.db?immutable=1'])('%s is read only', (text) => {
    expect(parseConnectionString(text)).toMatchObject({ path: 'data.db', readOnly: true });
  });

  test('pragmas are kept, but the one that would weaken durability', () => {
    const found = parseConnectionString('data.db?_pragma=cache_size(-2000)&_pragma=mmap_size=1000&_pragma=synchronous(0)&_time_format=sqlite');
    expect(found.pragmas).toEqual(['PRAGMA cache_size = -2000', 'PRAGMA mmap_size = 1000']);
    expect(found.ignored).toEqual(['_pragma=synchronous', '_time_format']);
  });

  test.each([
    ['', 'is empty'],
    ['file:', 'names no file'],
    ['data.db?_pragma=busy_timeout(1000)', 'busyTimeout'],
    ['data.db?_pragma=JOURNAL_MODE(OFF)', 'disableWAL'],
    ['data.db?_pragma=foreign_keys(1)', 'foreign_keys'],
    ['data.db?_pragma=cache_size(1);DROP TABLE state', 'a _pragma that is none'],
  ])('%j is refused with a reason', (text, reason) => {
    expect(() => parseConnectionString(text)).toThrow(reason);
  });
});
