/**
 * A drawing a scenario, as an SVG that stands for itself and is legible on light and dark pages. Protocols are columns with
 * the same axes, so that they can be compared. Two rows of panels:
 *
 * - ordinary scenarios: latency by percentile under one load (an open one where there is one, since a closed loop leaves out
 *   the waits it causes), and throughput by concurrency in a closed loop;
 * - growth (measurements with `rows`): throughput, and latency at p99, by what was stored before.
 *
 * A point is the median over rounds, with a bar from the least to the most. A curve of percentiles is the one round whose p99
 * is the median: a run that took place, and not a mixture of runs.
 */
import { CHART_STYLE, stylesOf } from './chart-style.ts';
import { countWords, sizeWords } from './figures.ts';
import { drawPanel, PANEL, type Line, type Panel, type Point } from './panel.ts';
import { compareMeasurements, spreadOf, type Compared, type Group, type Load } from './ratios.ts';
import type { Machine, Measurement, Results } from './results.ts';
import { linearScale, logScale, ninesScale, stepScale } from './scale.ts';
import { element, text } from './svg.ts';

export interface Chart {
  readonly scenario: string;
  /** `state-get.svg`; with the size in it where a scenario has several payloads. */
  readonly file: string;
  readonly svg: string;
}

/** A chart for every scenario that has measurements, and for each of its payloads. */
export function charts(results: Results): readonly Chart[] {
  const scenarios = Map.groupBy(compareMeasurements(results.measurements), ({ load }) => load.scenario);
  return [...scenarios].flatMap(([scenario, groups]) => {
    const payloads = [...Map.groupBy(groups, ({ load }) => load.payloadBytes)];
    return payloads.flatMap(([payloadBytes, ofPayload]) => {
      const name = payloads.length === 1 ? scenario : `${scenario}-${sizeWords(payloadBytes)}`;
      const svg = drawChart(scenario, payloadBytes, ofPayload, results);
      return svg === undefined ? [] : { scenario, file: `${name.replaceAll(/[^\w.-]+/g, '-')}.svg`, svg };
    });
  });
}

const PROTOCOL_WORDS: Readonly<Record<Measurement['protocol'], string>> = { http: 'HTTP', grpc: 'gRPC', none: '' };
/** Further apart than this, throughputs are drawn on a logarithmic axis. */
const LINEAR_UP_TO = 40;
/** Of the asked rate: with less, the target did not keep up. */
const KEPT_UP = 0.95;
const CONCURRENCY_SHOWN = 64;
const ROWS_TOP = 84;
const NOTE_HEIGHT = 18;
/** On average, in the widest of the fonts. */
const NOTE_CHARACTER_WIDTH = 7.8;

function drawChart(scenario: string, payloadBytes: number, groups: readonly Group[], { machine, startedAt }: Results): string | undefined {
  const growing = groups.filter(({ load }) => load.rows !== undefined);
  const rows = (growing.length > 0 ? growthRows(growing) : [latencyRow(groups), throughputRow(groups)]).filter((row) => row.length > 0);
  if (rows.length === 0) return undefined;
  const width = Math.max(...rows.map((row) => row.length)) * PANEL.width + 24;
  const rounds = Math.max(...groups.flatMap(({ variants }) => variants.map(({ measurements }) => measurements.length)));
  const limited = rows.flat().some(({ lines }) => lines.some((line) => line.limited));
  const notes = [
    ...(rounds > 1 ? [`Median of ${rounds} rounds, bars from the least to the most.`] : []),
    ...(limited ? ['* and hollow points: the load generator was at its limit, the target may do more.'] : []),
    machineWords(machine, startedAt),
  ].flatMap((words) => wrapped(words, (width - 48) / NOTE_CHARACTER_WIDTH));
  const notesTop = ROWS_TOP + rows.length * PANEL.height + 20;
  const height = notesTop + notes.length * NOTE_HEIGHT;
  const styles = stylesOf(groups.flatMap(({ variants }) => variants.map(({ variant }) => variant)));
  const panels = rows.flatMap((row, rowIndex) =>
    row.map((panel, columnIndex) => element('g', { transform: `translate(${12 + columnIndex * PANEL.width} ${ROWS_TOP + rowIndex * PANEL.height})` }, drawPanel(panel, (name) => styles.get(name) ?? ''))),
  );
  const drawing = element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', class: 'chart' },
    element('title', {}, text(`${scenario}: latency and throughput of ${[...styles.keys()].join(', ')}`)),
    CHART_STYLE,
    element('rect', { class: 'page', width, height, rx: 8 }),
    element('text', { class: 'title', x: 24, y: 38 }, text(scenario)),
    element('text', { class: 'note', x: 24, y: 60 }, text(`${sizeWords(payloadBytes)} payload`)),
    ...panels,
    ...notes.map((words, index) => element('text', { class: 'note', x: 24, y: notesTop + index * NOTE_HEIGHT }, text(words))),
  );
  return `${drawing.markup}\n`;
}

function latencyRow(groups: readonly Group[]): readonly Panel[] {
  const chosen = [...byProtocol(groups).values()].flatMap((ofProtocol) => preferred(ofProtocol) ?? []);
  const curves = chosen.map(({ load, variants }) => ({ load, lines: variants.map(({ variant, measurements }) => curveOf(variant, measurements)).filter(({ points }) => points.length > 0) })).filter(({ lines }) => lines.length > 0);
  const y = logScale(curves.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map((point) => point.y))));
  return curves.map(({ load, lines }) => ({
    heading: headingWords('Latency by percentile', load.protocol),
    explanation: `ms, ${loadWords(load)}`,
    xWords: 'percentile of operations',
    x: ninesScale,
    y,
    lines,
    dots: false,
  }));
}

function throughputRow(groups: readonly Group[]): readonly Panel[] {
  const closed = groups.filter(({ load }) => load.mode === 'closed');
  return pointPanels(closed, ({ concurrency }) => concurrency, { words: 'Throughput', explanation: () => 'operations a second', xWords: 'operations at once', figure: ({ perSecond }) => perSecond });
}

function growthRows(groups: readonly Group[]): readonly (readonly Panel[])[] {
  const chosen = [...byProtocol(groups).values()].flatMap((ofProtocol) => {
    const loads = Map.groupBy(ofProtocol, ({ load }) => JSON.stringify([load.mode, load.concurrency, load.rate]));
    const widest = Math.max(...[...loads.values()].map((ofLoad) => ofLoad.length));
    const candidates = [...loads.values()].filter((ofLoad) => ofLoad.length === widest).flatMap((ofLoad) => ofLoad.at(-1) ?? []);
    const { load } = preferred(candidates) ?? {};
    return load === undefined ? [] : ofProtocol.filter((group) => group.load.mode === load.mode && group.load.concurrency === load.concurrency && group.load.rate === load.rate);
  });
  const rows = (load: Load): number => load.rows ?? 0;
  const xWords = 'stored before';
  return [
    pointPanels(chosen, rows, { words: 'Throughput', explanation: (load) => `operations a second, ${loadWords(load)}`, xWords, figure: ({ perSecond }) => perSecond }),
    pointPanels(chosen, rows, { words: 'Latency at p99', explanation: (load) => `ms, ${loadWords(load)}`, xWords, figure: ({ latency }) => latency.p99, log: true }),
  ];
}

interface PointWords {
  readonly words: string;
  /** Told one of the loads of the panel. */
  explanation(load: Load): string;
  readonly xWords: string;
  figure(measurement: Measurement): number;
  readonly log?: boolean;
}

/** A panel a protocol, in which a group's variants have a point each where `place` puts the group. */
function pointPanels(groups: readonly Group[], place: (load: Load) => number, { words, explanation, xWords, figure, log }: PointWords): readonly Panel[] {
  const columns = [...byProtocol(groups)].flatMap(([protocol, [first, ...others]]) => (first ? { protocol, load: first.load, lines: linesOf([first, ...others], place, figure) } : []));
  const values = columns.flatMap(({ lines }) => lines.flatMap(({ points }) => points.flatMap(({ y, range }) => [y, ...(range ?? [])])));
  const positive = values.filter((value) => value > 0);
  const far = log === true || Math.max(...positive) / Math.min(...positive) > LINEAR_UP_TO;
  const y = far ? logScale(values) : linearScale(values);
  const x = stepScale(groups.map(({ load }) => place(load)));
  return columns.map(({ protocol, load, lines }) => ({ heading: headingWords(words, protocol), explanation: explanation(load), xWords, x, y, lines, dots: true }));
}

function linesOf(groups: readonly Group[], place: (load: Load) => number, figure: (measurement: Measurement) => number): readonly Line[] {
  const lines = new Map<string, Point[]>();
  for (const { load, variants } of groups) {
    for (const { variant, measurements } of variants) {
      const { median, min, max, count } = spreadOf(measurements.map(figure));
      const points = lines.get(variant) ?? [];
      points.push({ x: place(load), y: median, limited: isLimited(measurements), ...(count > 1 && { range: [min, max] }) });
      lines.set(variant, points);
    }
  }
  return [...lines].map(([name, points]) => ({ name, points: points.toSorted((a, b) => a.x - b.x), limited: points.some(({ limited }) => limited) }));
}

/** The curve of the round whose p99 is the median, up to 99.99 %; a point that lies beyond is brought there. */
function curveOf(name: string, measurements: readonly Measurement[]): Line {
  const sorted = measurements.toSorted((a, b) => a.latency.p99 - b.latency.p99);
  const { distribution = [] } = sorted[(sorted.length - 1) >> 1] ?? {};
  const end = distribution.findIndex(([percentile]) => percentile >= 99.99);
  const shown = end === -1 ? distribution : distribution.slice(0, end + 1);
  return { name, points: shown.map(([percentile, y]) => ({ x: Math.min(percentile, 99.99), y })), limited: isLimited(measurements) };
}

/**
 * The group whose latencies are worth a drawing: with the most variants; an open loop before a closed one; of open ones the
 * highest rate with which all kept up (else the lowest), of closed ones the most at once up to 64 (else the fewest).
 */
function preferred(groups: readonly Group[]): Group | undefined {
  const order = (group: Group): readonly number[] => {
    const { mode, rate = 0, concurrency } = group.load;
    if (mode === 'open') {
      const keptUp = group.variants.every(({ perSecond }) => perSecond.median >= rate * KEPT_UP);
      return [group.variants.length, 1, keptUp ? 1 : 0, keptUp ? rate : -rate];
    }
    return [group.variants.length, 0, concurrency <= CONCURRENCY_SHOWN ? 1 : 0, concurrency <= CONCURRENCY_SHOWN ? concurrency : -concurrency];
  };
  const compare = (a: Group, b: Group): number => {
    const [ofA, ofB] = [order(a), order(b)];
    return ofA.map((value, index) => (ofB[index] ?? 0) - value).find((difference) => difference !== 0) ?? 0;
  };
  return groups.toSorted(compare)[0];
}

function byProtocol(groups: readonly Group[]): ReadonlyMap<Measurement['protocol'], Group[]> {
  return Map.groupBy(groups, ({ load }) => load.protocol);
}

const isLimited = (measurements: Compared['measurements']): boolean => measurements.some(({ generator }) => generator.limited);

function headingWords(words: string, protocol: Measurement['protocol']): string {
  return protocol === 'none' ? words : `${PROTOCOL_WORDS[protocol]}: ${words.toLowerCase()}`;
}

function loadWords({ mode, concurrency, rate = 0 }: Load): string {
  return mode === 'open' ? `${countWords(rate)} a second asked, on ${countWords(concurrency)} connections` : `${countWords(concurrency)} at once`;
}

/** Lines of at most so many characters, broken between words. */
function wrapped(words: string, characters: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= characters) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function machineWords({ cpu, cores, memoryBytes, kernel, node, commit }: Machine, startedAt: string): string {
  const parts = [cpu, `${cores} cores`, `${Math.round(memoryBytes / 1024 ** 3)} GB`, kernel, `Node ${node}`, startedAt.slice(0, 10), commit];
  return parts.filter((part) => part !== undefined && part !== '').join(' \u00b7 ');
}
