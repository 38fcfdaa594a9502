import { describe, expect, test } from 'vitest';
import { fc } from '@mecha/components/kit/test-properties.ts';
import { charts } from './chart.ts';
import { stylesOf } from './chart-style.ts';
import { pushApart } from './panel.ts';
import type { Measurement } from './results.ts';
import { element, text } from './svg.ts';
import { measurementOf, resultsOf } from './testing.ts';

interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Node | string)[];
}

/** Reads the XML that svg.ts writes, and nothing that is not well-formed: balanced tags, quoted and escaped throughout. */
function parse(xml: string): Node {
  const root: Node & { children: (Node | string)[] } = { name: '', attributes: {}, children: [] };
  const stack = [root];
  let at = 0;
  for (const match of xml.trimEnd().matchAll(/<(\/?)([a-zA-Z]+)((?: [a-zA-Z-]+(?::[a-z]+)?="[^"<]*")*)(\/?)>|([^<]+)/gy)) {
    at = match.index + match[0].length;
    const [, closing, name = '', attributes = '', empty, words] = match;
    const top = stack.at(-1)!;
    if (words !== undefined) top.children.push(unescaped(words));
    else if (closing) expect(stack.pop()?.name).toBe(name);
    else {
      const pairs = [...attributes.matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, unescaped(value)] as const);
      expect(new Set(pairs.map(([key]) => key)).size).toBe(pairs.length);
      const node = { name, attributes: Object.fromEntries(pairs), children: [] };
      top.children.push(node);
      if (!empty) stack.push(node);
    }
  }
  expect(xml.slice(at).trim(), 'read to its end').toBe('');
  expect(stack, 'every tag is closed').toHaveLength(1);
  expect(root.children).toHaveLength(1);
  return root.children[0] as Node;
}

function unescaped(words: string): string {
  expect(words).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39);)/);
  // What XML 1.0 may hold: https://www.w3.org/TR/xml/#charsets
  expect(words).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
  return words.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

function all(node: Node, name: string): readonly Node[] {
  return node.children.flatMap((child) => (typeof child === 'string' ? [] : [...(child.name === name ? [child] : []), ...all(child, name)]));
}
const wordsOf = (node: Node): string => node.children.map((child) => (typeof child === 'string' ? child : wordsOf(child))).join('');
const wordsIn = (svg: string, name = 'text'): readonly string[] => all(parse(svg), name).map(wordsOf);
const withClass = (svg: string, name: string): readonly Node[] => ['path', 'circle', 'text'].flatMap((tag) => all(parse(svg), tag)).filter(({ attributes }) => attributes['class'] === name);

function chartOf(measurements: readonly Measurement[]): string {
  const [chart] = charts(resultsOf({ measurements }));
  return chart?.svg ?? '';
}

const variants = ['bare', 'memory', 'sqlite', 'redis'];
const ordinary = variants.flatMap((variant, index) =>
  (['http', 'grpc'] as const).flatMap((protocol) =>
    [1, 2, 3].flatMap((round) => [
      ...[1, 8, 64, 256].map((concurrency) => measurementOf({ variant, protocol, round, concurrency, perSecond: (1000 * Math.log2(concurrency + 1)) / (index + 1) + round })),
      measurementOf({ variant, protocol, round, mode: 'open', rate: 500, concurrency: 64, perSecond: 499 }),
    ]),
  ),
);
const growth = variants.flatMap((variant) => [0, 1000, 1e6].map((rows) => measurementOf({ scenario: 'growth', variant, rows })));

describe('a chart', () => {
  test('is well-formed, of finite places, and all of it lies within', () => {
    for (const { svg } of charts(resultsOf({ measurements: [...ordinary, ...growth] }))) {
      const root = parse(svg);
      expect(root.attributes['xmlns']).toBe('http://www.w3.org/2000/svg');
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      const [width, height] = [Number(root.attributes['width']), Number(root.attributes['height'])];
      for (const panel of all(root, 'g').filter(({ attributes }) => attributes['transform'])) {
        const [, left, top] = /translate\(([\d.]+) ([\d.]+)\)/.exec(panel.attributes['transform']!)!.map(Number);
        for (const path of all(panel, 'path')) {
          for (const [, x, y] of path.attributes['d']!.matchAll(/[ML](\S+?) ([\d.-]+)/g)) {
            expect(left! + Number(x)).toSatisfy((at: number) => at >= 0 && at <= width);
            expect(top! + Number(y)).toSatisfy((at: number) => at >= 0 && at <= height);
          }
        }
      }
    }
  });

  test('has a name at the end of every line, in every panel', () => {
    for (const { svg } of charts(resultsOf({ measurements: ordinary }))) {
      const words = wordsIn(svg);
      for (const variant of variants) expect(words.filter((one) => one === variant)).toHaveLength(4);
    }
  });

  test('has protocols as columns and both panels of each', () => {
    const words = wordsIn(chartOf(ordinary));
    expect(words).toEqual(expect.arrayContaining(['HTTP: latency by percentile', 'gRPC: latency by percentile', 'HTTP: throughput', 'gRPC: throughput', 'ms, 500 a second asked, on 64 connections', '99.99', '256']));
    expect(words).toContain('Median of 3 rounds, bars from the least to the most.');
  });

  test('of growth has throughput and p99 by what was stored', () => {
    const words = wordsIn(chartOf(growth));
    expect(words).toEqual(expect.arrayContaining(['HTTP: throughput', 'HTTP: latency at p99', 'stored before', '0', '1k', '1M']));
    expect(words).not.toContain('HTTP: latency by percentile');
  });

  test('of growth has one line a variant through all sizes, in throughput and in p99', () => {
    const sizes = [1000, 100_000, 1e6].map((rows, index) => measurementOf({ scenario: 'growth', variant: 'sqlite', rows, perSecond: 5000 - index, latency: { p99: 4 + index } }));
    const svg = chartOf(sizes);
    expect(withClass(svg, 'line').map(({ attributes }) => attributes['d']?.match(/[ML]/g)?.join(''))).toEqual(['MLL', 'MLL']);
    expect(withClass(svg, 'name')).toHaveLength(2);
    expect(wordsIn(svg)).toEqual(expect.arrayContaining(['1k', '100k', '1M']));
  });

  test('of growth shows one load, the one measured at the most sizes', () => {
    const svg = chartOf([...growth, measurementOf({ scenario: 'growth', variant: 'bare', rows: 1000, concurrency: 64 })]);
    expect(wordsIn(svg)).toContain('operations a second, 8 at once');
    expect(withClass(svg, 'dot')).toHaveLength(2 * growth.length);
  });

  test('of growth says the load of each protocol', () => {
    const words = wordsIn(chartOf([...growth, measurementOf({ scenario: 'growth', protocol: 'grpc', rows: 0, concurrency: 32 })]));
    expect(words).toEqual(expect.arrayContaining(['operations a second, 8 at once', 'ms, 8 at once', 'operations a second, 32 at once', 'ms, 32 at once']));
  });

  test('marks what says more of the generator than of the target', () => {
    const limited = measurementOf({ variant: 'memory', generator: { cpuCores: 1, limited: true, lagP99: 3 } });
    const svg = chartOf([measurementOf(), limited]);
    expect(wordsIn(svg)).toEqual(expect.arrayContaining(['memory *', 'bare', '* and hollow points: the load generator was at its limit, the', 'target may do more.']));
    expect(withClass(svg, 'hollow')).toHaveLength(1);
    expect(wordsIn(chartOf([measurementOf()])).join()).not.toContain('*');
  });

  test('escapes hostile names, and shows them as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 30 }), (variant, scenario) => {
        expect(wordsIn(chartOf([measurementOf({ variant, scenario })]), 'title').length).toBeGreaterThan(1);
      }),
    );
    const hostile = `</text><script a="1'&`;
    const svg = chartOf([measurementOf({ variant: hostile, scenario: hostile })]);
    expect(svg).not.toContain('<script');
    expect(wordsIn(svg, 'title')).toContain(hostile);
    expect(wordsIn(svg)).toContain(hostile);
    expect(wordsIn(svg)).toContain('</text><scri\u2026');
  });

  test('has a file of its own for each scenario and payload, whose name any file system takes', () => {
    const measurements = [measurementOf(), measurementOf({ payloadBytes: 65_536 }), measurementOf({ scenario: '../a b' })];
    expect(charts(resultsOf({ measurements })).map(({ file }) => file)).toEqual(['state-get-1-KB.svg', 'state-get-64-KB.svg', '..-a-b.svg']);
    expect(charts(resultsOf())).toEqual([]);
  });

  test.each<[string, Partial<Measurement>[]]>([
    ['nothing per second', [{ perSecond: 0 }]],
    ['latency too small to see', [{ distribution: [[0, 0], [99.999, 0]] }]],
    ['no distribution', [{ distribution: [] }]],
    ['an open load alone', [{ mode: 'open', rate: 10 }]],
    ['a growth of one size', [{ rows: 0 }]],
  ])('can be drawn of %s', (_words, measurements) => {
    const svg = chartOf(measurements.map((one) => measurementOf(one)));
    parse(svg);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('is none where there is nothing to draw', () => {
    expect(charts(resultsOf({ measurements: [measurementOf({ mode: 'open', rate: 10, distribution: [] })] }))).toEqual([]);
  });
});

describe('which load is drawn', () => {
  const load = (differing: Partial<Measurement>): Measurement[] => ['bare', 'sqlite'].map((variant) => measurementOf({ variant, ...differing }));
  const shown = (measurements: readonly Measurement[]): string | undefined => wordsIn(chartOf(measurements)).find((words) => words.startsWith('ms, '));

  test('an open one before a closed one, and the highest rate with which all kept up', () => {
    const rates = [500, 1000, 2000].flatMap((rate) => load({ mode: 'open', rate, perSecond: Math.min(rate, 990) }));
    expect(shown([...load({ concurrency: 64 }), ...rates])).toBe('ms, 1,000 a second asked, on 8 connections');
  });

  test('the lowest rate where none was kept up with', () => {
    expect(shown([500, 1000].flatMap((rate) => load({ mode: 'open', rate, perSecond: 100 })))).toBe('ms, 500 a second asked, on 8 connections');
  });

  test('of closed ones the most at once up to 64', () => {
    expect(shown([1, 8, 64, 256].flatMap((concurrency) => load({ concurrency })))).toBe('ms, 64 at once');
    expect(shown([256, 128].flatMap((concurrency) => load({ concurrency })))).toBe('ms, 128 at once');
  });

  test('one with more variants before all', () => {
    expect(shown([...load({ concurrency: 1 }), measurementOf({ mode: 'open', rate: 10, perSecond: 10 })])).toBe('ms, 1 at once');
  });
});

test('the curve is of the round whose p99 is the median, and ends at 99.99', () => {
  const round = (number: number, p99: number): Measurement => measurementOf({ round: number, latency: { p99 }, distribution: [[0, 0.1], [99, p99], [99.995, p99 * 2], [99.999, 1e6]] });
  const svg = chartOf([round(1, 30), round(2, 10), round(3, 20)]);
  expect(withClass(svg, 'line')[0]?.attributes['d']).toBe(withClass(chartOf([round(1, 20)]), 'line')[0]?.attributes['d']);
  expect(wordsIn(svg)).toContain('50');
  expect(wordsIn(svg)).not.toContain('1M');
});

test('names at the ends of lines are pushed apart, in order and within', () => {
  expect(pushApart([50, 100, 150], 0, 200)).toEqual([50, 100, 150]);
  expect(pushApart([100, 100, 100], 0, 200)).toEqual([100, 116, 132]);
  expect(pushApart([195, 198, 200], 0, 200)).toEqual([168, 184, 200]);
  expect(pushApart([-30, 0], 0, 200)).toEqual([0, 16]);
});

test('known variants keep their colours, others take what is left, and bare has its own', () => {
  const styles = stylesOf(['x', 'bare', 'sqlite', 'y', 'sqlite']);
  expect(styles.get('sqlite')).toBe(stylesOf(['sqlite']).get('sqlite'));
  expect(styles.get('bare')).toBe('bare');
  expect(new Set(styles.values()).size).toBe(4);
  expect([...stylesOf(Array.from({ length: 20 }, (_value, index) => `v${index}`)).values()].every((style) => /^c[0-7]$/.test(style))).toBe(true);
});

test('an element leaves out what is undefined, and closes itself when empty', () => {
  expect(element('a', { b: 'x"<', c: undefined, d: 1.2345 }).markup).toBe('<a b="x&quot;&lt;" d="1.23"/>');
  expect(element('a', {}, text('1 < 2 \u0000')).markup).toBe('<a>1 &lt; 2 \ufffd</a>');
});
