import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMachine } from './machine.ts';
import { newestResults, readResults, resultsFileName, writeResults } from './results.ts';
import { factOf, measurementOf, resultsOf } from './testing.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-bench-results-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const full = resultsOf({
  measurements: [measurementOf({ mode: 'open', rate: 2000, rows: 1e6, lost: 0, duplicates: 3, target: { cpuCores: 1.5, rssMax: 9e7 } }), measurementOf({ protocol: 'none' })],
  facts: [factOf()],
  arguments: ['--scenario', 'a [\n  1,\n  2\n] b'],
});

describe('results', () => {
  test('what is written is read again, under the name of its time', async () => {
    const file = await writeResults(join(folder, 'new', 'results'), full);
    expect(file).toBe(join(folder, 'new', 'results', '2026-03-01T14-05-09.json'));
    expect(await readResults(file)).toEqual(full);
    expect(await readdir(join(folder, 'new', 'results'))).toEqual(['2026-03-01T14-05-09.json']);
  });

  test('a point of a distribution stands on one line', async () => {
    expect(await readFile(await writeResults(folder, full), 'utf8')).toMatch(/^ *\[99\.9, 8\],$/m);
  });

  test('a run that writes again replaces its own file', async () => {
    await writeResults(folder, full);
    const file = await writeResults(folder, { ...full, facts: [] });
    expect((await readResults(file)).facts).toEqual([]);
  });

  test('a figure that JSON cannot hold is refused, by its place', async () => {
    const results = resultsOf({ measurements: [measurementOf(), measurementOf({ latency: { p99: Number.NaN } })] });
    await expect(writeResults(folder, results)).rejects.toThrow('the results to write: measurements[1].latency.p99 should be a number, and is NaN');
  });

  test.each<[string, string]>([
    ['{"startedAt":', 'is not JSON'],
    ['[]', 'the whole should be an object, and is []'],
    [JSON.stringify({ ...full, machine: undefined }), 'machine should be an object, and is missing'],
    [JSON.stringify({ ...full, arguments: 'none' }), 'arguments should be a list, and is "none"'],
    [changed('measurements', 1, { protocol: 'smtp' }), 'measurements[1].protocol should be one of http, grpc, none, and is "smtp"'],
    [changed('measurements', 0, { distribution: [[1, 2, 3]] }), 'measurements[0].distribution[0] should be a list of 2, and is [1,2,3]'],
    [changed('measurements', 0, { generator: { cpuCores: 1, limited: 'no', lagP99: 1 } }), 'measurements[0].generator.limited should be true or false, and is "no"'],
    [changed('facts', 0, { value: '40 ms' }), 'facts[0].value should be a number, and is "40 ms"'],
  ])('a file that holds something else is refused, by its place: %#', async (text, words) => {
    const file = join(folder, 'other.json');
    await writeFile(file, text);
    await expect(readResults(file)).rejects.toThrow(file);
    await expect(readResults(file)).rejects.toThrow(words);
  });

  test('the newest file of a folder is found, other files and no folder are no matter', async () => {
    const own = join(folder, 'newest');
    expect(await newestResults(own)).toBeUndefined();
    for (const startedAt of ['2026-03-02T00:00:00Z', '2026-11-01T00:00:00Z', '2025-12-31T23:59:59Z']) await writeResults(own, resultsOf({ startedAt }));
    await writeFile(join(own, 'zzz.json'), '{}');
    expect(await newestResults(own)).toBe(join(own, '2026-11-01T00-00-00.json'));
  });

  test('a name is made of UTC, and of nothing that is no time', () => {
    expect(resultsFileName('2026-03-01T14:05:09+02:00')).toBe('2026-03-01T12-05-09.json');
    expect(() => resultsFileName('yesterday')).toThrow("'yesterday'");
  });
});

describe('machine', () => {
  test('it says what bears on the figures and nothing of whose machine it is', () => {
    const machine = describeMachine(import.meta.dirname);
    expect(machine.cores).toBeGreaterThan(0);
    expect(machine.memoryBytes).toBeGreaterThan(2 ** 28);
    expect(machine.kernel).toMatch(/^\w+ \d/);
    expect(machine.node).toBe(process.version);
    expect(machine.commit).toMatch(/^[0-9a-f]{12}(-dirty)?$/);
    const texts = Object.values(machine).filter((value) => typeof value === 'string');
    for (const text of texts) {
      expect(text).not.toContain('/home');
      expect(text.split(' ')).not.toContain(hostname());
      expect(text.split(' ')).not.toContain(userInfo().username);
    }
  });

  test('outside a tree of git there is no commit', () => {
    expect(describeMachine(folder)).not.toHaveProperty('commit');
  });
});

function changed(list: 'measurements' | 'facts', index: number, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...full, [list]: full[list].map((item, at) => (at === index ? { ...item, ...fields } : item)) });
}
