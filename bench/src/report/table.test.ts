import { describe, expect, test } from 'vitest';
import { LIMITED_MARK, loadWords, markdownTables, spreadWords, textTables } from './table.ts';
import { factOf, measurementOf, resultsOf } from './testing.ts';

const target = (cpuCores: number, rssMax: number): { target: { cpuCores: number; rssMax: number } } => ({ target: { cpuCores, rssMax } });

const results = resultsOf({
  measurements: [
    measurementOf({ perSecond: 12_000 }),
    measurementOf({ round: 2, perSecond: 10_000 }),
    measurementOf({ variant: 'sqlite', perSecond: 6000, errors: 1, ...target(0.9, 80e6), latency: { p50: 2 } }),
    measurementOf({ variant: 'sqlite', round: 2, perSecond: 4000, errors: 2, ...target(0.8, 90e6), latency: { p50: 3 }, generator: { cpuCores: 1, limited: true, lagP99: 9 } }),
    measurementOf({ mode: 'open', rate: 2000, concurrency: 64 }),
    measurementOf({ mode: 'open', rate: 2000, concurrency: 64, variant: 'sqlite', latency: { p50: 1.25, p99: 3 } }),
    measurementOf({ scenario: 'publish', lost: 0, duplicates: 12 }),
  ],
  facts: [factOf(), factOf({ variant: 'sqlite', value: 160 }), factOf({ name: 'idle memory', unit: 'bytes', value: 64e6 })],
});

describe('the text table', () => {
  const text = textTables(results);
  const lines = text.split('\n');

  test('a row has medians, sums, the most memory and the ratio of rounds', () => {
    const row = lines.find((line) => line.includes('sqlite'));
    expect(row?.trim().split(/\s{2,}/)).toEqual(['sqlite', '5,000', '2.50', '2.00', '4.00', '8.00', '3', '0.85', '90.0 MB', '0.45 [0.40 - 0.50]', LIMITED_MARK]);
  });

  test('an open loop has the differences to the base', () => {
    const row = lines.filter((line) => line.includes('sqlite'))[1];
    expect(row?.trim().split(/\s{2,}/).slice(-3)).toEqual(['1.00', '+0.250', '-1.00']);
  });

  test('columns stand one below the other, the load above its variants', () => {
    const [head = '', , ...rows] = lines.slice(1, lines.indexOf('publish') - 1);
    const end = head.indexOf('ops/s') + 'ops/s'.length;
    expect(rows.map((row) => (row.startsWith(' ') ? row.slice(0, end).trim().split(' ').at(-1) : row))).toEqual(['http, closed, 8 at once, 1 KB', '11,000', '5,000', 'http, open, 2,000/s on 64, 1 KB', '1,000', '1,000']);
    expect(text).not.toMatch(/ $/m);
  });

  test('a column that nobody fills is left out, and a zero fills it', () => {
    const publish = text.slice(text.indexOf('publish'), text.indexOf('startup'));
    expect(publish).toMatch(/lost +doubled/);
    expect(publish).not.toContain('note');
    expect(publish).not.toContain('cores');
    expect(text.slice(0, text.indexOf('publish'))).not.toContain('lost');
  });

  test('facts have a table with their units', () => {
    const facts = text.slice(text.indexOf('startup'));
    expect(facts).toMatch(/start to ready\n.*\n +sqlite +160 ms +4\.00/);
    expect(facts).toMatch(/idle memory\n +bare +64\.0 MB +base/);
  });
});

describe('the Markdown table', () => {
  test('it has the cells of the text table', () => {
    const markdown = markdownTables(results);
    expect(markdown).toContain('### state-get\n\n| protocol | load | variant | ops/s |');
    expect(markdown).toContain(`| http | closed, 8 at once, 1 KB | sqlite | 5,000 | 2.50 | 2.00 | 4.00 | 8.00 | 3 | 0.85 | 90.0 MB | 0.45 [0.40 - 0.50] |  |  | ${LIMITED_MARK} |`);
    for (const table of markdown.split('### ').slice(1)) {
      const widths = table.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split(/(?<!\\)\|/).length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  test('a name cannot break out of its cell', () => {
    expect(markdownTables(resultsOf({ measurements: [measurementOf({ variant: 'a|b\nc' })] }))).toContain('| a\\|b c |');
  });
});

test('sizes of a growth stand under one load, each compared with the first in throughput and latency', () => {
  const size = (rows: number, perSecond: number, p50: number, p99: number): ReturnType<typeof measurementOf> => measurementOf({ scenario: 'growth-state-get', variant: 'sqlite', rows, perSecond, latency: { p50, p99 } });
  const growth = resultsOf({ measurements: [size(1000, 5000, 1, 4), size(100_000, 4500, 1.5, 3)] });
  expect(textTables(growth).split('\n').slice(3).map((line) => line.trim().split(/\s{2,}/))).toEqual([
    ['http, closed, 8 at once, 1 KB'],
    ['sqlite', '1,000', '5,000', '1.00', '2.00', '4.00', '8.00', '0', 'base'],
    ['sqlite', '100,000', '4,500', '1.50', '2.00', '3.00', '8.00', '0', '0.90', '+0.500', '-1.00'],
  ]);
  expect(markdownTables(growth)).toContain('| http | closed, 8 at once, 1 KB | sqlite | 100,000 | 4,500 |');
});

test('without results there is nothing to show', () => {
  expect(textTables(resultsOf())).toBe('');
  expect(markdownTables(resultsOf())).toBe('');
});

test('loads and spreads in words', () => {
  expect(loadWords(measurementOf({ mode: 'open', rate: 2000, concurrency: 64 }))).toBe('open, 2,000/s on 64, 1 KB');
  expect(spreadWords({ median: 0.5, min: 0.4, max: 0.6, count: 3 })).toBe('0.500 [0.400 - 0.600]');
  expect(spreadWords({ median: 0.5, min: 0.5, max: 0.5, count: 1 })).toBe('0.500');
});
