import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive, processIdentity } from './process-identity.ts';

test('a process is alive under its own identity, and not under that of an earlier one with its pid', () => {
  const identity = processIdentity(process.pid);
  expect(identity, 'this system tells both').toMatch(/^\S+ \d+$/);
  expect(isAlive(process.pid, identity)).toBe(true);
  expect(isAlive(process.pid, identity.replace(/\d+$/, '1'))).toBe(false);
});

test('a process that was killed is not alive', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const identity = processIdentity(pid);
  expect(isAlive(pid, identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(pid, identity)).toBe(false);
});

test('of a process in another container nothing is known, so that only its lease tells', () => {
  expect(isAlive(2 ** 30, processIdentity(process.pid))).toBe(false);
  expect(isAlive(2 ** 30, 'pid:[1] 1')).toBe(true);
});
