/**
 * Results as tables: plain text for the terminal, Markdown for a page. Both show the same cells.
 *
 * A row is one variant under one load, over all its rounds: medians of throughput and of each percentile, sums of errors and
 * of messages lost or doubled, the most memory. Ratios and differences come from ratios.ts, `median [least - most]`. A column
 * that would be empty in all rows of a table is left out. The terminal says a load once, above its variants; a page says it in
 * every row, so that a row can be quoted.
 */
import { countWords, differenceWords, memoryWords, numberWords, ratioWords, sizeWords } from './figures.ts';
import { compareFacts, compareMeasurements, spreadOf, type Compared, type FactGroup, type Group, type Load, type Spread } from './ratios.ts';
import type { Fact, Measurement, Percentiles, Results } from './results.ts';

/** Stands in a row whose throughput says more of the generator than of the target. */
export const LIMITED_MARK = 'generator at its limit';

interface Column {
  readonly title: string;
  /** Words stand left, figures right. */
  readonly words?: boolean;
}
type Row = readonly string[];
interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  /** Rows of one load belong together. */
  readonly groups: readonly { readonly heading: Row; readonly rows: readonly Row[] }[];
  /** What the parts of the headings are. */
  readonly headings: readonly Column[];
}

/** For the terminal: a table a scenario. Ends without a line break. */
export function textTables(results: Results): string {
  return tablesOf(results).map(textTable).join('\n\n');
}

/** For a page: a heading and a table a scenario. Ends without a line break. */
export function markdownTables(results: Results): string {
  return tablesOf(results).map(markdownTable).join('\n\n');
}

/** `closed, 64 at once, 1 KB` or `open, 2,000/s on 64, 1 KB`. */
export function loadWords({ mode, concurrency, rate, payloadBytes }: Load): string {
  const pace = mode === 'closed' ? `closed, ${countWords(concurrency)} at once` : `open, ${rate === undefined ? 'no' : countWords(rate)}/s on ${countWords(concurrency)}`;
  return `${pace}, ${sizeWords(payloadBytes)}`;
}

/** `0.45 [0.42 - 0.48]`; without the range where there is but one figure. */
export function spreadWords({ median, min, max, count }: Spread, words: (figure: number) => string = numberWords): string {
  return count === 1 ? words(median) : `${words(median)} [${words(min)} - ${words(max)}]`;
}

function tablesOf({ measurements, facts }: Results): readonly Table[] {
  const groups = Map.groupBy(compareMeasurements(measurements), ({ load }) => load.scenario);
  const tables = [...groups].map(([scenario, ofScenario]) => measurementTable(scenario, ofScenario));
  const factGroups = Map.groupBy(compareFacts(facts), ({ scenario }) => scenario);
  return [...tables, ...[...factGroups].map(([scenario, ofScenario]) => factTable(scenario, ofScenario))].map(withoutEmptyColumns);
}

const MEASUREMENT_COLUMNS: readonly Column[] = [
  { title: 'variant', words: true },
  { title: 'rows' },
  { title: 'ops/s' },
  { title: 'p50 ms' },
  { title: 'p90 ms' },
  { title: 'p99 ms' },
  { title: 'p99.9 ms' },
  { title: 'errors' },
  { title: 'lost' },
  { title: 'doubled' },
  { title: 'cores' },
  { title: 'rss' },
  { title: 'ratio' },
  { title: 'p50 more' },
  { title: 'p99 more' },
  { title: 'note', words: true },
];

function measurementTable(scenario: string, groups: readonly Group[]): Table {
  const byHeading = Map.groupBy(groups, ({ load }) => JSON.stringify(headingOf(load)));
  return {
    title: scenario,
    columns: MEASUREMENT_COLUMNS,
    headings: [{ title: 'protocol', words: true }, { title: 'load', words: true }],
    groups: [...byHeading.values()].flatMap((ofHeading) => {
      const [first] = ofHeading;
      return first ? [{ heading: headingOf(first.load), rows: ofHeading.flatMap((group) => group.variants.map((one) => measurementRow(group, one))) }] : [];
    }),
  };
}

function headingOf(load: Load): Row {
  return [load.protocol === 'none' ? '-' : load.protocol, loadWords(load)];
}

function measurementRow({ load: { rows }, base, baseRows }: Group, { variant, measurements, perSecond, ratio, p50Difference, p99Difference }: Compared): Row {
  const latency = (name: keyof Percentiles): string => numberWords(spreadOf(measurements.map((one) => one.latency[name])).median);
  const targets = measurements.flatMap(({ target }) => target ?? []);
  return [
    variant,
    optionalCount(rows),
    numberWords(perSecond.median),
    latency('p50'),
    latency('p90'),
    latency('p99'),
    latency('p999'),
    countWords(sum(measurements, ({ errors }) => errors) ?? 0),
    optionalCount(sum(measurements, ({ lost }) => lost)),
    optionalCount(sum(measurements, ({ duplicates }) => duplicates)),
    targets.length === 0 ? '' : spreadOf(targets.map(({ cpuCores }) => cpuCores)).median.toFixed(2),
    targets.length === 0 ? '' : memoryWords(Math.max(...targets.map(({ rssMax }) => rssMax))),
    toBase(rows === undefined ? variant === base : rows === baseRows, ratio),
    p50Difference ? spreadWords(p50Difference, differenceWords) : '',
    p99Difference ? spreadWords(p99Difference, differenceWords) : '',
    measurements.some(({ generator }) => generator.limited) ? LIMITED_MARK : '',
  ];
}

const FACT_COLUMNS: readonly Column[] = [
  { title: 'variant', words: true },
  { title: 'value' },
  { title: 'ratio' },
];

function factTable(scenario: string, groups: readonly FactGroup[]): Table {
  return {
    title: scenario,
    columns: FACT_COLUMNS,
    headings: [{ title: 'figure', words: true }],
    groups: groups.map(({ name, unit, base, variants }) => ({
      heading: [name],
      rows: variants.map(({ variant, value, ratio }) => [variant, spreadWords(value, (figure) => valueWords(figure, unit)), toBase(variant === base, ratio)]),
    })),
  };
}

function toBase(isBase: boolean, ratio: Spread | undefined): string {
  if (isBase) return 'base';
  return ratio === undefined ? '' : spreadWords(ratio, ratioWords);
}

function valueWords(value: number, unit: Fact['unit']): string {
  switch (unit) {
    case 'ms':
      return `${numberWords(value)} ms`;
    case 'bytes':
      return memoryWords(value);
    case '1/s':
      return `${numberWords(value)}/s`;
    case 'count':
      return countWords(value);
  }
}

/** Undefined when no measurement has the figure. */
function sum(measurements: readonly Measurement[], figure: (measurement: Measurement) => number | undefined): number | undefined {
  const figures = measurements.flatMap((measurement) => figure(measurement) ?? []);
  return figures.length === 0 ? undefined : figures.reduce((total, one) => total + one, 0);
}

function optionalCount(count: number | undefined): string {
  return count === undefined ? '' : countWords(count);
}

function withoutEmptyColumns(table: Table): Table {
  const kept = table.columns.map((_column, index) => table.groups.some(({ rows }) => rows.some((row) => row[index] !== '')));
  return {
    ...table,
    columns: table.columns.filter((_column, index) => kept[index]),
    groups: table.groups.map(({ heading, rows }) => ({ heading, rows: rows.map((row) => row.filter((_cell, index) => kept[index])) })),
  };
}

function textTable({ title, columns, groups }: Table): string {
  const rows = groups.flatMap((group) => group.rows);
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => (row[index] ?? '').length)));
  const line = (cells: Row): string => `  ${cells.map((cell, index) => (columns[index]?.words ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ')}`.trimEnd();
  const head = line(columns.map((column) => column.title));
  const blocks = groups.map((group) => [group.heading.join(', '), ...group.rows.map(line)].join('\n'));
  return [title, head, '-'.repeat(head.length), blocks.join('\n')].join('\n');
}

function markdownTable({ title, columns, headings, groups }: Table): string {
  const all = [...headings, ...columns];
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll(/[|\\]/g, '\\$&').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
  const rule = `|${all.map((column) => (column.words ? '---' : '---:')).join('|')}|`;
  const rows = groups.flatMap((group) => group.rows.map((row) => line([...group.heading, ...row])));
  return [`### ${title}`, '', line(all.map((column) => column.title)), rule, ...rows].join('\n');
}
