/**
 * How a chart looks: fonts, lines, and the colours of pages and variants, light and dark. Plain classes with plain values,
 * since not every reader of SVG knows variables; one that knows no media queries either shows the light page.
 */
import { element, text, type Markup } from './svg.ts';

/** What is known keeps its colour from chart to chart. */
const KNOWN = ['memory', 'sqlite', 'redis', 'kafka', 'external'];

/** Blue, vermilion, green, purple, amber, teal, pink, olive: told apart by colour-blind readers too, and legible as words. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ['#0068b3', '#5aa9ff'],
  ['#c44a12', '#ff8f5a'],
  ['#007a58', '#3fc99a'],
  ['#8f4a9c', '#d99be0'],
  ['#8a6100', '#e3b341'],
  ['#0f7a91', '#6ccfe8'],
  ['#b82e64', '#ff85ac'],
  ['#5f6d00', '#b8c94a'],
];

const LIGHT = { page: '#ffffff', ink: '#1f2328', muted: '#59636e', grid: '#e6e9ed', axis: '#aab2bb', bare: '#59636e' } as const;
const DARK = { page: '#0d1117', ink: '#e6edf3', muted: '#9aa4af', grid: '#21282f', axis: '#4b545e', bare: '#b4bdc7' } as const;

/** The class of every variant: grey and dashed for `bare`, what all are compared with. After eight others colours repeat. */
export function stylesOf(variants: readonly string[]): ReadonlyMap<string, string> {
  const names = [...new Set(variants)];
  const free = COLOURS.map((_colour, index) => index).filter((index) => !names.includes(KNOWN[index] ?? ''));
  const unknown = names.filter((name) => name !== 'bare' && !KNOWN.includes(name));
  const styleOf = (name: string): string => (KNOWN.includes(name) ? `c${KNOWN.indexOf(name)}` : `c${free[unknown.indexOf(name) % free.length]}`);
  return new Map(names.map((name) => [name, name === 'bare' ? 'bare' : styleOf(name)]));
}

const RULES = [
  '.chart text{font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif}',
  '.title{font-size:22px;font-weight:600}.heading{font-size:15px;font-weight:600}.note{font-size:13px}.tick{font-size:12px}.name{font-size:13px;font-weight:600}',
  '.grid,.axis{fill:none;stroke-width:1}.faint{opacity:.55}',
  '.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.bare .line{stroke-dasharray:6 4}',
  '.range{fill:none;stroke-width:5;opacity:.28;stroke-linecap:round}.lead{fill:none;stroke-width:1;opacity:.5}.hollow{stroke-width:2}',
  colours(LIGHT, 0),
  `@media (prefers-color-scheme:dark){${colours(DARK, 1)}}`,
];

export const CHART_STYLE: Markup = element('style', {}, text(RULES.join('')));

function colours({ page, ink, muted, grid, axis, bare }: Readonly<Record<keyof typeof LIGHT, string>>, shade: 0 | 1): string {
  const colour = (style: string, value: string): string => `.${style} .line,.${style} .range,.${style} .lead,.${style} .hollow{stroke:${value}}.${style} .dot,.${style} .name{fill:${value}}`;
  return [
    `.page,.hollow{fill:${page}}.title,.heading{fill:${ink}}.note,.tick{fill:${muted}}.grid{stroke:${grid}}.axis{stroke:${axis}}`,
    colour('bare', bare),
    ...COLOURS.map((pair, index) => colour(`c${index}`, pair[shade])),
  ].join('');
}
