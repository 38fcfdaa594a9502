import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { problemLines } from './resources.ts';
import { readRunFile } from './run-file.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(text: string) {
  folder = await mkdtemp(join(tmpdir(), 'mecha-run-'));
  for (const app of ['order', 'inventory']) await mkdir(join(folder, app));
  await writeFile(join(folder, 'mecha.yaml'), text);
  const file = await readRunFile(folder);
  return { ...file, lines: problemLines(file.problems).map((line) => line.replace(`${folder}/`, '')) };
}

test('common settings are merged under each app, paths are relative to where they stand, dependencies come first', async () => {
  const { apps, lines } = await read(`version: 1
common:
  resourcesPath: ./shared
  env: {A: "1", B: "1"}
  logLevel: debug
apps:
  - appDirPath: ./order
    appPort: 6001
    command: ["node", "x.js"]
    env: {B: "2"}
    resourcesPaths: own, /abs
    dependsOn: [inventory]
  - appID: inventory
    appDirPath: inventory
    logLevel: warn
`);
  expect(lines).toEqual([]);
  expect(apps.map(({ appId }) => appId)).toEqual(['inventory', 'order']);
  const order = apps[1];
  expect(order).toMatchObject({ appId: 'order', appPort: 6001, command: ['node', 'x.js'], env: { A: '1', B: '2' }, dependsOn: ['inventory'] });
  expect(order?.flags.get('resources-path')).toBe([join(folder, 'shared'), join(folder, 'order/own'), '/abs'].join(','));
  expect(order?.flags.get('log-level')).toBe('debug');
  expect(apps[0]?.flags.get('log-level')).toBe('warn');
});

test.each([
  ['version: 2\napps: []\n', 'mecha.yaml:1: error: a run file needs version: 1 (version)'],
  ['version: 1\napps:\n  - appID: x\n', 'mecha.yaml:3: error: an app needs appDirPath (apps[0])'],
  ['version: 1\napps:\n  - appDirPath: order\n    comand: [x]\n', 'mecha.yaml:4: error: unknown field comand (apps[0].comand); did you mean command?'],
  ['version: 1\napps:\n  - appDirPath: nowhere\n', /there is no folder .*nowhere/],
  ['version: 1\napps:\n  - appDirPath: order\n    dependsOn: [inventroy]\n  - appDirPath: inventory\n', 'mecha.yaml:4: error: there is no app inventroy in this file (apps[0].dependsOn); did you mean inventory?'],
  ['version: 1\napps:\n  - appDirPath: order\n    dependsOn: [inventory]\n  - appDirPath: inventory\n    dependsOn: [order]\n', 'mecha.yaml:4: error: these apps wait for one another: order -> inventory -> order (apps[0].dependsOn)'],
  ['version: 1\napps:\n  - appDirPath: order\n  - appDirPath: inventory\n    appID: order\n', /there are two apps with appID order/],
  ['version: 1\ncommon: {containerImage: x}\napps:\n  - appDirPath: order\n', /warning: containerImage has no effect/],
])('%j is told with its line', async (text, expected) => {
  const { lines } = await read(text);
  if (typeof expected === 'string') expect(lines).toContain(expected);
  else expect(lines.join('\n')).toMatch(expected);
});
