import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adopt, endAll, endProcess, removeFolder, temporaryFolder } from './leftovers.ts';

const start = (code: string): ChildProcess => spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
const LASTING = 'setInterval(() => undefined, 1000);';

function isAlive({ pid = 0 }: ChildProcess): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a process is asked to end before it is made to', async () => {
  const child = adopt(start(`process.on('SIGTERM', () => process.exit(7)); ${LASTING} console.log('ready')`));
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await endProcess(child);
  expect(child.exitCode).toBe(7);
  await endProcess(child);
});

test('a process that could not be started is none to end', async () => {
  const child = adopt(spawn('/no/such/command', { stdio: 'ignore' }));
  await new Promise((resolve) => child.once('error', resolve));
  await endProcess(child);
  expect(child.pid).toBeUndefined();
});

test('a folder is gone with all that is in it', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), 'x');
  await removeFolder(folder);
  expect(existsSync(folder)).toBe(false);
  await removeFolder(folder);
});

test('at the end all processes and folders go, and what is started later goes at once', async () => {
  const children = [adopt(start(LASTING)), adopt(start(LASTING))];
  const folders = [await temporaryFolder(), await temporaryFolder()];
  expect(children.every(isAlive)).toBe(true);
  await endAll();
  expect(children.some(isAlive)).toBe(false);
  expect(folders.some((folder) => existsSync(folder))).toBe(false);
  const late = start(LASTING);
  const exited = new Promise((resolve) => late.once('exit', resolve));
  expect(() => adopt(late)).toThrow('interrupted');
  await exited;
  expect(isAlive(late)).toBe(false);
});
