import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FUNCTIONS, MIGRATIONS } from './migrate.ts';

const digest = (texts: readonly string[]): string => createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);

/**
 * A database is touched only when its version is older than this code's. Tables or functions that change under a version that databases
 * have already would be missing there, and nobody would be told.
 */
test('tables and functions of a version never change: a change goes into a new entry of MIGRATIONS, and into this test', () => {
  expect({ version: MIGRATIONS.length, tables: MIGRATIONS.map((step) => digest([step])), functions: digest(FUNCTIONS) }).toEqual({
    version: 2,
    tables: ['bd0f7411b8cbcb25', 'f09ce772231c2e10'],
    functions: 'b3d4c8e1722f7179',
  });
});
