import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CpuProfile } from './cpu-profile.ts';
import { heatTable, hottest } from './hottest.ts';
import { createPlaces } from './source-place.ts';

type Frame = readonly [name: string, url: string, line?: number];
interface Tree {
  readonly frame: Frame;
  readonly self?: number;
  readonly under?: readonly Tree[];
}

/** A profile with one sample a node, as long as its self time in microseconds. */
function profileOf(...trees: readonly Tree[]): CpuProfile {
  const nodes: CpuProfile['nodes'][number][] = [];
  const samples: number[] = [];
  const lengths: number[] = [];
  const add = ({ frame: [functionName, url, line = 0], self, under = [] }: Tree): number => {
    const id = nodes.length + 1;
    const children: number[] = [];
    nodes.push({ id, callFrame: { functionName, url, lineNumber: line, columnNumber: 0 }, children });
    if (self !== undefined) {
      samples.push(id);
      lengths.push(self);
    }
    for (const child of under) children.push(add(child));
    return id;
  };
  add({ frame: ['(root)', ''], under: trees });
  const startTime = 5_000_000;
  return { nodes, samples, timeDeltas: [0, ...lengths.slice(0, -1)], startTime, endTime: startTime + lengths.reduce((sum, one) => sum + one, 0) };
}

const OWN = 'file:///somewhere/tree/runtime/src/pipeline.ts';
const LIBRARY = 'file:///somewhere/tree/node_modules/fastify/lib/reply.js';
const places = createPlaces('/somewhere/tree');

const profile = profileOf(
  { frame: ['(idle)', ''], self: 600_000 },
  { frame: ['(program)', ''], self: 40_000 },
  { frame: ['(garbage collector)', ''], self: 20_000 },
  {
    frame: ['run', OWN, 40],
    self: 100_000,
    under: [
      { frame: ['send', LIBRARY, 9], self: 50_000, under: [{ frame: ['write', ''], self: 150_000 }] },
      { frame: ['run', OWN, 40], self: 20_000, under: [{ frame: ['', OWN, 50], self: 10_000 }] },
    ],
  },
  { frame: ['tick', 'node:internal/timers', 588], under: [{ frame: ['write', ''], self: 10_000 }] },
);

describe('the hottest functions', () => {
  const heat = hottest(profile, 10, { places });

  test('1: a sample counts until the next, whatever came before it', () => {
    const { functions } = hottest({ ...profileOf({ frame: ['a', OWN] }, { frame: ['b', OWN, 1] }), samples: [2, 3, 2], timeDeltas: [1000, 70_000, 10_000], startTime: 0, endTime: 101_000 }, 10, { places });
    expect(functions.map(({ name, selfPercent }) => [name, selfPercent])).toEqual([['a', 90], ['b', 10]]);
  });

  test('2 and 3: idle is a share of the whole, native and garbage of what is left, and none of them is a function', () => {
    expect(heat).toMatchObject({ seconds: 1, idlePercent: 60, programPercent: 10, garbagePercent: 5 });
    expect(heat.functions.map(({ name }) => name)).toEqual(['write', 'run', 'send', '(anonymous)']);
  });

  test('self time is summed over all ways to a function', () => {
    expect(heat.functions.map(({ selfPercent }) => selfPercent)).toEqual([40, 30, 12.5, 2.5]);
  });

  test('4: recursion counts once in the total', () => {
    expect(heat.functions.map(({ totalPercent }) => totalPercent)).toEqual([40, 82.5, 50, 2.5]);
  });

  test('5: who is not own names the own function that it worked for most', () => {
    expect(heat.functions.map(({ own, caller }) => [own, caller])).toEqual([
      [false, 'run runtime/src/pipeline.ts:41'],
      [true, undefined],
      [false, 'run runtime/src/pipeline.ts:41'],
      [true, undefined],
    ]);
  });

  test('there are as many as asked, and own ones alone if asked', () => {
    expect(hottest(profile, 2, { places }).functions).toHaveLength(2);
    expect(hottest(profile, 1, { places, ownOnly: true }).functions.map(({ name }) => name)).toEqual(['run']);
  });

  test('a function with the name of what is told apart is a function all the same', () => {
    const { functions, idlePercent } = hottest(profileOf({ frame: ['(idle)', OWN], self: 10 }), 10, { places });
    expect({ idlePercent, names: functions.map(({ name }) => name) }).toEqual({ idlePercent: 0, names: ['(idle)'] });
  });

  test('a profile of nothing has no shares', () => {
    expect(hottest({ nodes: [], startTime: 0, endTime: 0 }, 10, { places })).toEqual({ seconds: 0, idlePercent: 0, programPercent: 0, garbagePercent: 0, functions: [] });
  });

  test('recursion of any depth is read', () => {
    const nodes = Array.from({ length: 50_000 }, (_value, index) => ({ id: index + 1, callFrame: { functionName: 'deep', url: OWN, lineNumber: 0, columnNumber: 0 }, children: index + 1 < 50_000 ? [index + 2] : [] }));
    const { functions } = hottest({ nodes, samples: [50_000], timeDeltas: [0], startTime: 0, endTime: 100 }, 10, { places });
    expect(functions).toMatchObject([{ name: 'deep', selfPercent: 100, totalPercent: 100 }]);
  });

  test('the table has a line a function', () => {
    expect(heatTable('main', heat).split('\n')).toEqual([
      'main: 1.0 s, idle 60.0 %; of the rest native 10.0 %, garbage collection 5.0 %',
      '  self %  total %    * = own',
      '    40.0     40.0    write        native  <- run runtime/src/pipeline.ts:41',
      '    30.0     82.5  * run          runtime/src/pipeline.ts:41',
      '    12.5     50.0    send         fastify/lib/reply.js:10  <- run runtime/src/pipeline.ts:41',
      '     2.5      2.5  * (anonymous)  runtime/src/pipeline.ts:51',
    ]);
  });
});

describe('places', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mecha-bench-places-'));
    await writeFile(join(folder, 'part-x.js'), 'import "a";\n\n// node_modules/fastify/lib/reply.js\nfunction send() {}\n// a remark, not a module\n// runtime/src/pipeline.ts\nfunction run() {}\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('of a bundle is the module that the line came from, with the line in the bundle', () => {
    const url = pathToFileURL(join(folder, 'part-x.js')).href;
    const own = createPlaces(folder);
    expect(own.of(url, 0)).toEqual({ words: 'part-x.js:1', own: true });
    expect(own.of(url, 3)).toEqual({ words: 'fastify/lib/reply.js (part-x.js:4)', own: false });
    expect(own.of(url, 6)).toEqual({ words: 'runtime/src/pipeline.ts (part-x.js:7)', own: true });
  });

  test.each([
    ['', -1, 'native', false],
    ['node:internal/timers', 588, 'node:internal/timers:589', false],
    [OWN, 40, 'runtime/src/pipeline.ts:41', true],
    [LIBRARY, 9, 'fastify/lib/reply.js:10', false],
    ['file:///elsewhere/of/somebody/app/src/order.mjs', 0, 'app/src/order.mjs:1', true],
    ['file:///elsewhere/node_modules/a/node_modules/@b/c/d.js', 0, '@b/c/d.js:1', false],
  ])('%s is shortened', (url, line, words, own) => {
    expect(places.of(url, line)).toEqual({ words, own });
  });

  test('the tree is that of this repository unless told', () => {
    expect(createPlaces().of(import.meta.url, 0).words).toBe('bench/src/profile/hottest.test.ts:1');
  });
});
