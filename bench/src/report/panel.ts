/**
 * One panel of a chart: heading, grid, axes, a line a variant, and each line's name at its end. It knows neither scenarios
 * nor measurements; chart.ts says what stands where, and in which colour.
 */
import type { Scale } from './scale.ts';
import { element, path, text, type Markup } from './svg.ts';

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  /** After the name: the figures say more of the generator than of the target. */
  readonly limited: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Over rounds: a bar from the least to the most. */
  readonly range?: readonly [low: number, high: number];
  /** Hollow: the generator was at its limit. */
  readonly limited?: boolean;
}

export interface Panel {
  readonly heading: string;
  readonly explanation: string;
  readonly xWords: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly lines: readonly Line[];
  /** Whether each point is marked: they are few, and measured one by one. */
  readonly dots: boolean;
}

/** What a panel takes of a drawing, headings and the names of lines included. */
export const PANEL = { width: 512, height: 324 } as const;

const PLOT = { left: 52, top: 52, width: 330, height: 210 } as const;
const LABEL_HEIGHT = 16;
const NAME_CHARACTERS_MAX = 13;

/** Its left upper corner is at 0, 0. `styleOf` names the class that has the colour of a line's name. */
export function drawPanel({ heading, explanation, xWords, x, y, lines, dots }: Panel, styleOf: (name: string) => string): Markup {
  const xAt = (value: number): number => PLOT.left + x.at(value) * PLOT.width;
  const yAt = (value: number): number => PLOT.top + (1 - y.at(value)) * PLOT.height;
  const bottom = PLOT.top + PLOT.height;
  const grid = [
    ...y.ticks.map(({ value, words }) => element('path', { class: words === '' ? 'grid faint' : 'grid', d: path([[PLOT.left, yAt(value)], [PLOT.left + PLOT.width, yAt(value)]]) })),
    ...x.ticks.map(({ value }) => element('path', { class: 'grid', d: path([[xAt(value), PLOT.top], [xAt(value), bottom]]) })),
    element('path', { class: 'axis', d: path([[PLOT.left, bottom], [PLOT.left + PLOT.width, bottom]]) }),
  ];
  const ticks = [
    ...y.ticks.filter(({ words }) => words !== '').map(({ value, words }) => element('text', { class: 'tick', x: PLOT.left - 8, y: yAt(value) + 4, 'text-anchor': 'end' }, text(words))),
    ...x.ticks.map(({ value, words }) => element('text', { class: 'tick', x: xAt(value), y: bottom + 18, 'text-anchor': 'middle' }, text(words))),
    element('text', { class: 'tick', x: PLOT.left + PLOT.width / 2, y: bottom + 38, 'text-anchor': 'middle' }, text(xWords)),
  ];
  const drawn = lines.map((line) => element('g', { class: styleOf(line.name) }, ...drawLine(line, dots, xAt, yAt)));
  const names = drawNames(lines, xAt, yAt).map(({ name, drawing }) => element('g', { class: styleOf(name) }, ...drawing));
  return element(
    'g',
    {},
    element('text', { class: 'heading', x: PLOT.left, y: 16 }, text(heading)),
    element('text', { class: 'note', x: PLOT.left, y: 35 }, text(explanation)),
    ...grid,
    ...ticks,
    ...drawn,
    ...names,
  );
}

function drawLine({ name, points }: Line, dots: boolean, xAt: (value: number) => number, yAt: (value: number) => number): readonly Markup[] {
  const ranges = points.flatMap(({ x, range }) => (range === undefined ? [] : element('path', { class: 'range', d: path([[xAt(x), yAt(range[0])], [xAt(x), yAt(range[1])]]) })));
  const line = element('path', { class: 'line', d: path(points.map(({ x, y }) => [xAt(x), yAt(y)])) });
  const marks = dots ? points.map((point) => element('circle', { class: point.limited ? 'hollow' : 'dot', cx: xAt(point.x), cy: yAt(point.y), r: 3.5 })) : [];
  return [element('title', {}, text(name)), ...ranges, line, ...marks];
}

/** At the end of each line, pushed apart where lines end close together, and then led to by a thin line. */
function drawNames(lines: readonly Line[], xAt: (value: number) => number, yAt: (value: number) => number): readonly { readonly name: string; readonly drawing: readonly Markup[] }[] {
  const ends = lines.flatMap((line) => {
    const end = line.points.at(-1);
    return end === undefined ? [] : [{ line, x: xAt(end.x), y: yAt(end.y) }];
  });
  ends.sort((a, b) => a.y - b.y);
  const places = pushApart(ends.map(({ y }) => y), PLOT.top, PLOT.top + PLOT.height);
  const left = PLOT.left + PLOT.width + 18;
  return ends.map(({ line, x, y }, index) => {
    const place = places[index] ?? y;
    const short = line.name.length > NAME_CHARACTERS_MAX ? `${line.name.slice(0, NAME_CHARACTERS_MAX - 1)}\u2026` : line.name;
    return {
      name: line.name,
      drawing: [
        element('title', {}, text(line.name)),
        element('path', { class: 'lead', d: path([[x + 6, y], [left - 4, place]]) }),
        element('text', { class: 'name', x: left, y: place + 4 }, text(line.limited ? `${short} *` : short)),
      ],
    };
  });
}

/** The same places in the same order (ascending), at least a label's height apart and, as far as there is room, within. */
export function pushApart(places: readonly number[], from: number, to: number): readonly number[] {
  const pushed: number[] = [];
  for (const place of places) pushed.push(Math.max(place, (pushed.at(-1) ?? from - LABEL_HEIGHT) + LABEL_HEIGHT));
  let limit = to;
  for (let index = pushed.length - 1; index >= 0; index--) {
    const place = Math.min(pushed[index] ?? limit, limit);
    pushed[index] = place;
    limit = place - LABEL_HEIGHT;
  }
  return pushed;
}
