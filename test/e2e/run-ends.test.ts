/** How `mecha run` ends: in order, out of turn, and when an app that others wait for never gets there. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startMecha, until } from '../tools/processes.ts';
import { cleanUp, folder, folderWith } from './sidecar.ts';

afterEach(cleanUp);

/** Runs until it is told to go; ignores what asks it nicely. */
const STUBBORN = `process.on('SIGTERM', () => {}).on('SIGINT', () => {}).on('SIGHUP', () => {});
require('node:fs').writeFileSync('pid', String(process.pid));
setInterval(() => {}, 1000);`;

async function startRun(files: Readonly<Record<string, string>>, extra: readonly string[] = []) {
  const path = await folderWith(files);
  const run = startMecha(['run', '-f', path, '--data-dir', await folder(), '--log-level', 'error', '--metrics-port', '0', ...extra]);
  return { path, run };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function pidOf(path: string): Promise<number> {
  return until('the app is up', async () => Number(await readFile(join(path, 'app/pid'), 'utf8')));
}

test('an app whose dependency ends before it is ready is not started, and the run ends with the code of the failure', async () => {
  const { path, run } = await startRun({
    'mecha.yaml': `version: 1\napps:\n  - {appDirPath: second, command: [node, -e, "require('fs').writeFileSync('started', '')"], dependsOn: [first]}\n  - {appDirPath: first, appPort: 0, command: [node, -e, "process.exit(3)"]}\n`,
    'first/x': '', 'second/x': '',
  });
  expect(await run.exited).toBe(3);
  expect(run.lines).toContain('== APP - second == not started, because first ended before it was ready');
  await expect(access(join(path, 'second/started'))).rejects.toThrow('ENOENT');
});

test.each(['SIGTERM', 'SIGHUP'] as const)('a second %s ends Mecha at once, and no app stays behind', async (signal) => {
  const { path, run } = await startRun({ 'mecha.yaml': 'version: 1\napps:\n  - {appDirPath: app, command: [node, app.cjs]}\n', 'app/app.cjs': STUBBORN }, ['--dapr-graceful-shutdown-seconds', '60']);
  const pid = await pidOf(path);
  run.child.kill(signal);
  // Nothing tells when the first was heeded, so the second is sent until it is over.
  await until('the second signal ends it', () => {
    run.child.kill(signal);
    return run.child.exitCode !== null;
  }, { about: run });
  expect(await run.exited).toBe(signal === 'SIGTERM' ? 143 : 129);
  await until('the app is gone', () => !isAlive(pid));
});

test('an app that does not heed the signal is ended when its time is over', async () => {
  const { path, run } = await startRun({ 'mecha.yaml': 'version: 1\napps:\n  - {appDirPath: app, command: [node, app.cjs]}\n', 'app/app.cjs': STUBBORN }, ['--dapr-graceful-shutdown-seconds', '1']);
  const pid = await pidOf(path);
  run.child.kill('SIGTERM');
  expect(await run.exited).toBe(0);
  expect(isAlive(pid)).toBe(false);
});

test('a run file that is wrong is told with every line of it, and nothing starts', async () => {
  const { path, run } = await startRun({ 'mecha.yaml': 'version: 1\napps:\n  - {appDirPath: app, comand: [node]}\n  - {appDirPath: nowhere}\n', 'app/x': '' });
  expect(await run.exited).toBe(1);
  expect(run.lines).toEqual([
    `${path}/mecha.yaml:3: error: unknown field comand (apps[0].comand); did you mean command?`,
    `${path}/mecha.yaml:4: error: there is no folder ${path}/nowhere (apps[1].appDirPath)`,
  ]);
});
