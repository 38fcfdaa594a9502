/** SVG as text: elements with their attributes and children escaped, so that no name of a scenario or variant can break out. */

/** A finished piece of SVG; only `element` and `text` make it. */
export interface Markup {
  readonly markup: string;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An attribute that is undefined is left out; numbers keep two decimals, which is finer than any screen. */
export function element(name: string, attributes: Attributes, ...children: readonly Markup[]): Markup {
  const written = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value)}"`));
  const inner = children.map(({ markup }) => markup).join('');
  return { markup: inner === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${inner}</${name}>` };
}

export function text(words: string): Markup {
  return { markup: escaped(words) };
}

/** `12.35`, `12`: a place in the drawing. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** `M1 2L3 4`; empty for no points. */
export function path(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join('');
}

/** XML 1.0 has no place for most control characters, nor for half a surrogate pair, not even as a reference. */
function escaped(words: string): string {
  return words
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
