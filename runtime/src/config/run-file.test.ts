import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { problemLines } from './resources.ts';
import { readRunFile } from './run-file.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(text: string, files: readonly string[] = []) {
  folder = await mkdtemp(join(tmpdir(), 'mecha-run-'));
  for (const app of ['order', 'inventory', 'shared', 'order/own']) await mkdir(join(folder, app));
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), '');
  }
  await writeFile(join(folder, 'mecha.yaml'), text);
  const file = await readRunFile(folder, { HOME: folder });
  return { ...file, lines: problemLines(file.problems).map((line) => line.replaceAll(`${folder}/`, '')) };
}

test('common settings stand under each app unless it says otherwise, paths are relative to where they stand, dependencies come first', async () => {
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
    resourcesPaths: own, ~/inventory
    dependsOn: [inventory]
  - appID: inventory
    appDirPath: inventory
    logLevel: warn
`);
  expect(lines).toEqual([]);
  expect(apps.map(({ appId }) => appId)).toEqual(['inventory', 'order']);
  const [inventory, order] = apps;
  expect(order).toMatchObject({ appId: 'order', appPort: 6001, command: ['node', 'x.js'], env: { A: '1', B: '2' }, dependsOn: ['inventory'] });
  expect(order?.flags.get('resources-path')).toBe([join(folder, 'order/own'), join(folder, 'inventory')].join(','));
  expect(inventory?.flags.get('resources-path')).toBe(join(folder, 'shared'));
  expect(order?.flags.get('log-level')).toBe('debug');
  expect(inventory?.flags.get('log-level')).toBe('warn');
});

test('what lies under .dapr in the folder of an app comes before what all have in common', async () => {
  const { apps, lines } = await read('version: 1\ncommon: {resourcesPath: shared, configFilePath: shared/config.yaml}\napps:\n  - appDirPath: order\n  - appDirPath: inventory\n', [
    'shared/config.yaml', 'order/.dapr/resources/a.yaml', 'order/.dapr/config.yaml',
  ]);
  expect(lines).toEqual([]);
  expect(apps[0]?.flags).toEqual(new Map([['resources-path', join(folder, 'order/.dapr/resources')], ['config', join(folder, 'order/.dapr/config.yaml')]]));
  expect(apps[1]?.flags).toEqual(new Map([['resources-path', join(folder, 'shared')], ['config', join(folder, 'shared/config.yaml')]]));
});

test('an app without a command has a sidecar alone, and port 0 is a free one', async () => {
  const { apps } = await read('version: 1\napps:\n  - {appDirPath: order, appPort: 0}\n');
  expect(apps[0]).toMatchObject({ command: undefined, appPort: 0 });
});

test.each([
  ['version: 2\napps: []\n', 'mecha.yaml:1: error: a run file needs version: 1 (version)'],
  ['version: 1\napps:\n  - appID: x\n', 'mecha.yaml:3: error: an app needs appDirPath (apps[0])'],
  ['version: 1\napps:\n  - appDirPath: order\n    comand: [x]\n', 'mecha.yaml:4: error: unknown field comand (apps[0].comand); did you mean command?'],
  ['version: 1\napps:\n  - appDirPath: nowhere\n', /there is no folder .*nowhere/],
  ['version: 1\napps:\n  - appDirPath: order\n    dependsOn: [inventroy]\n  - appDirPath: inventory\n', 'mecha.yaml:4: error: there is no app inventroy in this file (apps[0].dependsOn); did you mean inventory?'],
  ['version: 1\napps:\n  - appDirPath: order\n    dependsOn: [inventory]\n  - appDirPath: inventory\n    dependsOn: [order]\n', 'mecha.yaml:4: error: these apps wait for one another: order -> inventory -> order (apps[0].dependsOn)'],
  ['version: 1\napps:\n  - appDirPath: order\n  - appDirPath: inventory\n    appID: order\n', /there are two apps with appID order/],
  ['version: 1\napps:\n  - appDirPath: order\n    logLevel: wran\n', "mecha.yaml:4: error: takes one of debug, info, warn, error, fatal, not 'wran' (apps[0].logLevel); did you mean warn?"],
  ['version: 1\napps:\n  - appDirPath: order\n    appPort: 70000\n', "mecha.yaml:4: error: takes a port from 0 to 65535, not '70000' (apps[0].appPort)"],
  ['version: 1\napps:\n  - appDirPath: order\n    appID: my.app\n', "mecha.yaml:4: error: appID takes a name without dots, slashes, blanks and the like, not 'my.app' (apps[0].appID)"],
  ['version: 1\napps:\n  - appDirPath: order\n    appPort: 6001\n  - appDirPath: inventory\n    daprHTTPPort: 6001\n', 'mecha.yaml:6: error: port 6001 is appPort of order already (apps[1].daprHTTPPort)'],
  ['version: 1\ncommon:\n  configFilePath: nowhere.yaml\napps:\n  - appDirPath: order\n  - appDirPath: inventory\n', 'mecha.yaml:3: error: there is no file nowhere.yaml (common.configFilePath)'],
  ['version: 1\napps:\n  - appDirPath: order\n    command: [""]\n', 'mecha.yaml:4: error: a command begins with the name of a program (apps[0].command)'],
  ['version: 1\napps:\n  - appDirPath: order\n    profilePort: 7777\n', 'mecha.yaml:4: warning: profilePort has no effect: profiling is not served yet (apps[0].profilePort)'],
  ['', 'mecha.yaml: error: is empty; a run file needs version and apps'],
  ['version: 1\ncommon: {containerImage: x}\napps:\n  - appDirPath: order\n', /warning: containerImage has no effect/],
])('%j is told with its line', async (text, expected) => {
  const { lines } = await read(text);
  if (typeof expected === 'string') expect(lines).toContain(expected);
  else expect(lines.join('\n')).toMatch(expected);
});

test('what is wrong with what all have in common is told once', async () => {
  const { lines } = await read('version: 1\ncommon: {logLevel: loud}\napps:\n  - appDirPath: order\n  - appDirPath: inventory\n');
  expect(lines).toHaveLength(1);
});

test('a folder without a run file says which names were looked for', async () => {
  folder = await mkdtemp(join(tmpdir(), 'mecha-run-'));
  const [line] = problemLines((await readRunFile(folder)).problems);
  expect(line).toBe(`${folder}: error: the folder holds no run file (mecha.yaml, mecha.yml, dapr.yaml, dapr.yml)`);
});
