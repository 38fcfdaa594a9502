import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../tools/processes.ts';
import { freePort, logOf, runningProcess, startProcess, startTimeOf, stopProcess } from './processes.ts';
import { startPrivateServer } from './servers.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mecha-servers-'));
});
afterEach(async () => {
  await command(['down']).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

const command = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], { env: { ...process.env, MECHA_TEST_REDIS: '', MECHA_SERVERS_DIR: folder, ...env } });

describe('the servers command', () => {
  test('brings a server up once, however many ask at the same time, and takes down what it brought up', async () => {
    const [one, other] = await Promise.all([command(['up', 'redis']), command(['up', 'redis'])]);
    const addressOf = (text: string) => /^MECHA_REDIS_HOST=(.+)$/m.exec(text)?.[1];
    expect(addressOf(one.stdout)).toBe(addressOf(other.stdout));
    expect([one, other].filter(({ stdout }) => stdout.includes('redis: up'))).toHaveLength(1);
    expect(JSON.parse(await readFile(path.join(folder, 'env.json'), 'utf8'))).toEqual({ MECHA_REDIS_HOST: addressOf(one.stdout) });
    expect((await command(['status', 'redis'])).stdout).toContain(`redis: up at ${addressOf(one.stdout)} (pid `);

    expect((await command(['down', 'redis'])).stdout).toBe('redis: stopped\n');
    expect((await command(['status', 'redis'])).stdout).toBe('redis: down\n');
    expect(JSON.parse(await readFile(path.join(folder, 'env.json'), 'utf8'))).toEqual({});
  });

  test('takes a server that the environment names, and never stops it', async () => {
    const server = await startPrivateServer('redis');
    try {
      const own = { MECHA_TEST_REDIS: server.address };
      expect((await command(['up', 'redis'], own)).stdout).toBe(`MECHA_REDIS_HOST=${server.address}\n`);
      expect((await command(['down', 'redis'], own)).stdout).toBe('');
      expect((await command(['status', 'redis'], own)).stdout).toBe(`redis: up at ${server.address}\n`);
    } finally {
      await server.dispose();
    }
  });

  test('fails by name, with what to do, when a server cannot be had', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const failed = await command(['up', 'redis'], { MECHA_TEST_REDIS: nobody }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1 });
    expect((failed as { stderr: string }).stderr).toMatch(new RegExp(`^redis: cannot be had: MECHA_TEST_REDIS names ${nobody}.*\n  .*unset MECHA_TEST_REDIS`));
  });

  test('refuses a name that it does not know, and a verb', async () => {
    for (const args of [['up', 'reddis'], ['upp']]) {
      await expect(command(args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('usage:') as string });
    }
  });
});

describe('a process that outlives its starter', () => {
  test('is left alone when its pid is now that of another', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    try {
      const pid = stranger.pid as number;
      const record = { pid, startedAt: 'long ago', port: 1 };
      await writeFile(path.join(folder, 'process.json'), JSON.stringify(record));
      expect(await runningProcess(folder)).toBeUndefined();
      expect(await stopProcess(folder, true)).toBe(false);
      expect(await startTimeOf(pid)).toBeTruthy();
    } finally {
      stranger.kill('SIGKILL');
    }
  });
});

describe('a hard end', () => {
  test('is over when the children are gone too', async () => {
    // Outlives its parent for a while, as a backend does that is still writing.
    const child = "process.stdin.resume().on('end', () => setTimeout(process.exit, 500))";
    const parent = `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: ['pipe', 'ignore', 'ignore'] }); console.log(pid); setInterval(() => undefined, 1000)`;
    await startProcess({ command: process.execPath, args: ['-e', parent] }, folder, 1);
    const pid = Number(await until('the child is there', () => readFile(logOf(folder), 'utf8')));
    expect(await startTimeOf(pid)).toBeTruthy();
    expect(await stopProcess(folder, true)).toBe(true);
    expect(await startTimeOf(pid)).toBeUndefined();
  });
});

describe("a test's own server", () => {
  test('keeps its address and its acknowledged data over a crash, and is gone when disposed of', async () => {
    const server = await startPrivateServer('redis');
    const connect = () => new Redis(`redis://${server.address}`, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
    const before = connect();
    before.on('error', () => undefined);
    await before.set('k', 'v');
    await server.stop(true);
    await expect(before.get('k')).rejects.toThrow();
    await server.start();
    const after = connect();
    after.on('error', () => undefined);
    expect(await after.get('k')).toBe('v');
    await server.dispose();
    await expect(connect().on('error', () => undefined).ping()).rejects.toThrow();
    for (const client of [before, after]) client.disconnect();
  });
});
